"""``postroad ledger``: look after a ledger's files."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from postroad.cli.refusal import describe_findings
from postroad.cli.shell import Shell
from postroad.core.errors import LedgerError, UsageError
from postroad.ledger.store import Ledger
from postroad.ledger.tracking import find_ledger

__all__ = ["ledger"]


class Do(StrEnum):
    """What to do with a ledger."""

    verify = "verify"
    backup = "backup"
    seal = "seal"


def ledger(
    shell: Shell,
    do: Annotated[Do, typer.Argument(help="verify every file; backup to a new folder; seal what is logged.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a ledger, or of a run or service with one.")],
    to: Annotated[Path | None, typer.Option("--to", help="For backup: the folder to make.")] = None,
) -> int:
    """Verify, back up or seal a ledger. It may be written meanwhile; only seal needs the right to write.

    verify reads every file and exits with 3 when anything is missing, changed or torn. A backup equals the ledger by
    the digest shown; to restore it, put it in the ledger's place.
    """
    held = Ledger(find_ledger(folder))
    found = None
    told: dict[str, object] = {"ledger": held.folder}
    if do is Do.verify:
        found = held.verify()
    elif do is Do.backup:
        if to is None:
            raise UsageError("PR-X001", text="Missing option '--to'.")
        told |= {"backup": to, "digest": held.backup(to)}
    else:
        with held:
            held.seal()
    told |= {"n_events": len(held), "n_findings": len(found) if found else 0}
    if shell.json:
        codes = [] if found is None else [{"code": one.code, "at": one.at, "text": one.message()} for one in found]
        shell.write_json(told | {"findings": codes})
    else:
        if found:
            shell.write(describe_findings(found, found.counts, shell.language))
        shell.write("  ".join(f"{name} {value}" for name, value in told.items()))
    return LedgerError.exit_code if found else 0
