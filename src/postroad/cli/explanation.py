"""``postroad explain``: what a code means."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated

import typer

from postroad.cli.shell import Shell
from postroad.core.errors import CodeEntry, NotFound, registry

__all__ = ["explain"]


def explain(
    shell: Shell,
    code: Annotated[str | None, typer.Argument(help="A code such as PR-T104, or T104; without it, all.")] = None,
) -> None:
    """Say what a code means and how to mend it."""
    if code is None:
        headings = {"code": shell.pick("code", "代码"), "severity": shell.pick("severity", "级别")}
        rows = [(e.code, e.severity, _texts(e, shell.language)["text"]) for _, e in sorted(registry().items())]
        shell.write_table({**headings, "text": shell.pick("what is wrong", "问题")}, rows)
        return
    entry = _find(code)
    texts = _texts(entry, shell.language)
    if shell.json:
        shell.write_json({"code": entry.code, "severity": entry.severity, **texts})
        return
    shell.write(f"{entry.code}  {texts['text']}\n")
    shell.write(texts["explain"] + "\n")
    shell.write(shell.pick("fix: ", "办法：") + texts["fix"])


def _texts(entry: CodeEntry, language: str) -> dict[str, str]:
    """Take the texts of a code in one language."""
    return {part: getattr(entry, f"{part}_{language}") for part in ("text", "fix", "explain")}


def _find(code: str) -> CodeEntry:
    """Look a code up, however it is written."""
    name = code.strip().upper()
    name = name if name.startswith("PR-") else f"PR-{name}"
    entry = registry().get(name)
    if entry is None:
        near = "".join(f" Did you mean {other}?" for other in get_close_matches(name, registry(), n=1))
        near_zh = near.replace(" Did you mean ", "是否指 ").replace("?", "？")
        raise NotFound("PR-X002", value=code, near=near, near_zh=near_zh)
    return entry
