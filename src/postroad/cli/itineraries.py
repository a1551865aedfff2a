"""``postroad route``: an itinerary that a person can follow."""

from __future__ import annotations

from typing import Annotated

import typer

from postroad.cli.options import Level
from postroad.cli.shell import Shell
from postroad.routing.itinerarytext import print_itineraries
from postroad.study.itineraries import find_itineraries

__all__ = ["route"]


def route(
    shell: Shell,
    origin: Annotated[str, typer.Argument(metavar="FROM", help="Id or name of a facility or place, 中文 or English.")],
    destination: Annotated[str, typer.Argument(metavar="TO", help="The same.")],
    depart: Annotated[
        str,
        typer.Option("--depart", metavar="INSTANT", help="Acceptance, such as 2025-11-11T20:00 in the feed's zone."),
    ],
    product: Annotated[
        str | None, typer.Option("--product", help="What is sent; the most urgent when left out.")
    ] = None,
    feed: Annotated[str, typer.Option("--feed", help="A folder, an archive, or a shipped feed.")] = "china",
    level: Level = None,
    pareto: Annotated[
        bool, typer.Option("--pareto", help="All ways of which none is better in time, cost and carbon at once.")
    ] = False,
) -> None:
    """Find the way of an item from acceptance to the delivery wave: the earliest, or all that are worth it."""
    found = find_itineraries(feed, origin, destination, depart, product=product, level=level)
    shown = found if pareto else found[:1]
    if shell.json:
        shell.write_json([itinerary.data() for itinerary in shown])
        return
    shell.write(print_itineraries(shown, shell.language))
    if len(found) > len(shown):
        n = len(found) - 1
        told = f"{n} more, cheaper or cleaner but later: --pareto"
        shell.say(shell.pick(told, f"另有 {n} 个更省或更低碳但较晚的方案：--pareto"))
