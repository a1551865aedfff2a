"""Write the golden itineraries anew and show what changed: ``python tests/routing/regenerate.py``."""

from __future__ import annotations

import difflib
import sys
from datetime import datetime
from pathlib import Path

from postroad.network.compile import compile_network
from postroad.network.feed import read
from postroad.routing.itinerary import Itinerary, route
from postroad.routing.itinerarytext import print_itineraries

FOLDER = Path(__file__).parent / "golden"
CASES = {
    "outlet-to-hub": ("O-TLU", "武汉枢纽", "2025-11-11T10:00+08:00", "express"),
    "hub-to-outlet": ("420100", "Yuyao", "2025-11-11T15:20+08:00", "standard"),
    "same-city": ("S-HGH", "s-hgh", "2025-11-13T23:59+08:00", "standard"),
    "sort-wave": ("Wuhan hub", "Ezhou", "2025-11-11T10:00+08:00", "express"),
}


def itineraries(case: str) -> list[Itinerary]:
    """The itineraries of one case on the tiny feed."""
    network = read("tiny")
    instance = compile_network(network, day=network.meta.base_date, n_days=7)
    origin, destination, depart, product_id = CASES[case]
    return route(network, instance, origin, destination, datetime.fromisoformat(depart), product_id)


def page(case: str) -> str:
    """What is printed for one case, in English and Chinese."""
    found = itineraries(case)
    return print_itineraries(found, "en") + "\n\n" + print_itineraries(found, "zh") + "\n"


def main() -> None:
    """Write all cases and print the differences."""
    for case in CASES:
        path = FOLDER / f"{case}.txt"
        before, after = path.read_text(encoding="utf-8") if path.exists() else "", page(case)
        sys.stdout.writelines(
            difflib.unified_diff(before.splitlines(True), after.splitlines(True), f"{case} before", f"{case} after")
        )
        path.write_text(after, encoding="utf-8")


if __name__ == "__main__":
    main()
