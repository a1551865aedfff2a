"""Files and folders written whole or not at all.

What is written goes to a neighbour with a dot in front of its name and takes its place in one step at the end. When
anything fails before that, the neighbour is removed and what stood there stays as it was.
"""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from postroad.core.errors import InputError

__all__ = ["check_place", "write_text", "writing_file", "writing_folder"]


def check_place(path: Path | str) -> None:
    """Refuse a place at which nothing can be written, before the work that is to be written there.

    Raises
    ------
    OSError: what is above the place is no folder, or may not be written to.
    """
    home = next(above for above in Path(path).absolute().parents if above.exists())
    if not home.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(home))
    if not os.access(home, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(home))


@contextmanager
def writing_file(path: Path | str) -> Iterator[Path]:
    """Give a path to write a file to, and put the file in its place when the block ends well.

    Parameters
    ----------
    path: where the file shall stand; one that stands there is replaced, its folder is made when missing.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = _neighbour(target)
    try:
        yield draft
        _settle(draft)
        draft.replace(target)
    except BaseException as error:
        draft.unlink(missing_ok=True)
        _name_target(error, draft, target)
        raise


@contextmanager
def writing_folder(path: Path | str, *, replace: bool = False) -> Iterator[Path]:
    """Give an empty folder to write into, and put it in its place when the block ends well.

    Parameters
    ----------
    path: where the folder shall stand.
    replace: whether a folder that stands there gives way. It is moved aside, and removed once the new one stands.

    Raises
    ------
    InputError: PR-C030 when something stands there that may not be replaced.
    """
    target = Path(path) if Path(path).name else Path(path).resolve()
    if target.exists() and not (replace and target.is_dir()):
        raise InputError("PR-C030", path=str(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = _neighbour(target)
    try:
        draft.mkdir()
        yield draft
        for file in draft.rglob("*"):
            if file.is_file():
                _settle(file)
        _swap(draft, target, replace=replace)
    except BaseException as error:
        shutil.rmtree(draft, ignore_errors=True)
        _name_target(error, draft, target)
        raise


def write_text(path: Path | str, text: str) -> None:
    """Write a file of UTF-8 text, with ``\\n`` at the end of its lines, whole or not at all."""
    with writing_file(path) as draft:
        draft.write_text(text, encoding="utf-8", newline="\n")


def _neighbour(target: Path) -> Path:
    """Name a draft beside the target, on the same file system."""
    return target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")


def _name_target(error: BaseException, draft: Path, target: Path) -> None:
    """Have an error of the system name the file that was meant, not its draft."""
    if isinstance(error, OSError) and error.filename is not None and Path(error.filename) == draft:
        error.filename = str(target)


def _swap(draft: Path, target: Path, *, replace: bool) -> None:
    """Put the draft where the target is; the old target comes back when that fails."""
    if not target.exists():
        draft.rename(target)
        return
    if not replace:
        raise InputError("PR-C030", path=str(target))
    aside = _neighbour(target)
    target.rename(aside)
    try:
        draft.rename(target)
    except OSError:
        aside.rename(target)
        raise
    shutil.rmtree(aside)


def _settle(file: Path) -> None:
    """Have the system write the file to the disk before it gets its name."""
    with file.open("rb+") as handle:
        os.fsync(handle.fileno())
