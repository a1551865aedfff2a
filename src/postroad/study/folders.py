"""Folders in which runs, plans and drills are kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from postroad.core.errors import InputError
from postroad.core.files import check_place

__all__ = ["check_folder", "write_facts"]


def check_folder(folder: Path, facts: str, *, replace: bool) -> None:
    """Refuse a folder that cannot or may not be taken, before the work that is to be kept there.

    Parameters
    ----------
    facts: name of the file that tells a folder of this kind; only such a folder, or an empty one, is replaced.

    Raises
    ------
    InputError: PR-S105 when the folder is there, PR-S111 when it is to be replaced and holds something else.
    """
    check_place(folder)
    if not folder.exists():
        return
    if not replace:
        raise InputError("PR-S105", path=str(folder))
    if not folder.is_dir() or (any(folder.iterdir()) and not (folder / facts).is_file()):
        raise InputError("PR-S111", path=str(folder))


def write_facts(path: Path, facts: Mapping[str, object]) -> None:
    """Write facts as TOML, a line each."""
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in facts.items()]
    path.write_text("".join(lines), encoding="utf-8")
