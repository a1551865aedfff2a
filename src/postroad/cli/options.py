"""Options that mean the same wherever they occur. A verb names one as the type of a parameter."""

from __future__ import annotations

from typing import Annotated

import typer

from postroad.core.version import release

__all__ = ["Json", "Lang", "Seed", "Threads", "TimeLimit", "Version"]


def _show_version(wanted: bool) -> None:
    """Print the version and end, when that is all that is wanted."""
    if wanted:
        print(f"postroad {release()}")
        raise typer.Exit


Json = Annotated[bool, typer.Option("--json", help="Print data as JSON.")]
Lang = Annotated[str | None, typer.Option("--lang", metavar="en|zh", help="Language of what is said and shown.")]
Version = Annotated[
    bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end.")
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of all random choices; the same seed, the same answer.")]
Threads = Annotated[int, typer.Option("--threads", min=0, help="Threads to use; 0: as many as there are cores.")]
TimeLimit = Annotated[float | None, typer.Option("--time-limit", min=0, help="Seconds after which a search stops.")]
