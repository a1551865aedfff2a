"""Put the reference feeds together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from postroad.core.errors import NotFound
from postroad.reference.design import assign_homes, plan_line_haul
from postroad.reference.draft import Draft
from postroad.reference.places import add_china
from postroad.reference.road import build_road
from postroad.reference.season import add_calendar
from postroad.reference.sites import add_centres, add_hubs
from postroad.reference.sizes import SIZES, Size
from postroad.reference.sources import Rules, load_cities
from postroad.reference.tariff import add_tariff, add_vehicles

__all__ = ["FEEDS", "build", "china"]

FEEDS = ("china-2025", "china-2023")


def build(name: str, rules: Rules | None = None) -> dict[str, pl.DataFrame]:
    """The tables of one reference feed.

    Raises
    ------
    NotFound: PR-P103 when the builder makes no feed of that name.
    """
    rules = rules or Rules.read()
    if name not in FEEDS:
        raise NotFound("PR-P103", name=name, known=", ".join(FEEDS))
    return china(SIZES[int(name.removeprefix("china-"))], rules).tables()


def china(size: Size, rules: Rules) -> Draft:
    """The city-level feed of China in one size."""
    cities = load_cities()
    homes = assign_homes(cities, rules)
    shape = cities.od_items / cities.od_items.sum()
    mean = plan_line_haul(shape * size.mean_items(rules), cities, homes, rules)
    surge = plan_line_haul(shape * size.surge_items(rules), cities, homes, rules)
    road = build_road(cities, homes, mean, surge, rules)
    draft = Draft()
    add_china(draft)
    add_tariff(draft, rules, f"profile_day_{size.year}")
    add_vehicles(draft)
    add_calendar(draft, size)
    add_centres(draft, cities, shape * size.surge_items(rules), rules)
    add_hubs(draft, cities, homes, mean, surge, rules)
    draft.add(
        "lanes", road.lanes, label="derived", source="Shortest paths on the OpenStreetMap road graph 2024 (ODbL), driven x 1.05"
    )
    draft.add("trips", road.trips, label="modelled", source="Line-haul timetable by rule; real departures are private")
    return draft
