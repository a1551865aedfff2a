"""Options that mean the same wherever they occur. A verb names one as the type of a parameter."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from postroad.core.version import release

__all__ = [
    "BaseMapFile",
    "By",
    "Json",
    "Lang",
    "Level",
    "MapNotice",
    "MaxGap",
    "Seed",
    "Seeds",
    "Threads",
    "TimeLimit",
    "Version",
    "WorkLimit",
]


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
Seed = Annotated[
    int | None, typer.Option("--seed", min=0, help="Seed of all random choices; the same seed, the same answer.")
]
Seeds = Annotated[int, typer.Option("--seeds", min=1, help="Runs that differ in their seed: means and intervals.")]
Threads = Annotated[int, typer.Option("--threads", min=0, help="Threads to use; 0: as many as there are cores.")]
TimeLimit = Annotated[float | None, typer.Option("--time-limit", min=0, help="Seconds after which a search stops.")]
WorkLimit = Annotated[
    int | None, typer.Option("--work-limit", min=1, help="Steps after which a search stops; repeats one exactly.")
]
MaxGap = Annotated[
    float, typer.Option("--max-gap", min=0, max=1, help="Stop when the plan is proven to be no further from the best.")
]
Level = Annotated[str | None, typer.Option("--level", metavar="city|county", help="Level of the feed.")]
By = Annotated[list[str] | None, typer.Option("--by", help="What to group by; may be given more than once.")]
BaseMapFile = Annotated[
    Path | None,
    typer.Option("--base-map", metavar="FILE", help="GeoJSON that takes the place of the shipped base map."),
]
MapNotice = Annotated[str, typer.Option("--map-notice", metavar="TEXT", help="Notice of that map, such as its 审图号.")]
