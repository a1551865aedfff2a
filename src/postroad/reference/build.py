"""Put the reference feeds together."""

from __future__ import annotations

import numpy as np
import polars as pl

from postroad.core.errors import NotFound
from postroad.reference.abroad import add_abroad, plan_abroad
from postroad.reference.air import build_air
from postroad.reference.codes import centre_codes
from postroad.reference.design import assign_homes, plan_line_haul
from postroad.reference.draft import Draft
from postroad.reference.gateways import add_demand, add_gateways
from postroad.reference.places import add_china
from postroad.reference.rail import build_rail
from postroad.reference.road import build_road
from postroad.reference.season import add_calendar
from postroad.reference.sites import add_centres, add_hubs, centre_load
from postroad.reference.sizes import SIZES, Size
from postroad.reference.sources import Cities, Rules, load_cities, read_source
from postroad.reference.tariff import add_tariff, add_vehicles
from postroad.reference.terminals import add_runs, add_terminals
from postroad.reference.water import build_water

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
    homes = assign_homes(cities, read_source("rules/hubs.csv")["city_code"].to_list(), rules)
    shape = cities.od_items / cities.od_items.sum()
    abroad = plan_abroad(cities, size, rules)
    feeders = abroad.feeder_od(len(cities.codes))
    ratio = size.surge_items(rules) / size.mean_items(rules)
    mean = plan_line_haul(shape * size.mean_items(rules) + feeders, cities, homes, rules)
    surge = plan_line_haul((shape * size.mean_items(rules) + feeders) * ratio, cities, homes, rules)
    codes = centre_codes()
    road = build_road(cities, [codes[city] for city in cities.codes], homes, mean, surge, rules)
    draft = Draft()
    add_china(draft)
    add_tariff(draft, rules, f"profile_day_{size.year}")
    add_vehicles(draft)
    add_calendar(draft, size)
    domestic = shape * size.surge_items(rules)
    add_centres(draft, cities, centre_load(domestic, feeders * ratio, abroad.delivered_hmt(cities) * ratio), rules)
    add_hubs(draft, cities, homes, mean, surge, rules)
    draft.add(
        "lanes",
        road.lanes,
        label="derived",
        source="Shortest paths on the OpenStreetMap road graph 2024 (ODbL), driven x 1.05",
    )
    draft.add("trips", road.trips, label="modelled", source="Line-haul timetable by rule; real departures are private")
    _add_modes(draft, cities, size, shape.sum(axis=0) + shape.sum(axis=1), rules)
    add_abroad(draft, cities, abroad, size, homes.hub_city, rules)
    add_gateways(draft, abroad, size, ratio, rules)
    add_demand(draft, cities, abroad, size, rules)
    return draft


def _add_modes(draft: Draft, cities: Cities, size: Size, volume: np.ndarray, rules: Rules) -> None:
    """Add air, rail and water with their terminals and shuttles."""
    air = build_air(cities, volume, size, rules)
    ezhou = {
        "EHU-A": (
            int(rules.ezhou_sort),
            "280,000 items/h, Hubei Postal Administration via 21st Century Business Herald 2023-08-04",
        )
    }
    add_terminals(draft, air, rules, ezhou)
    add_runs(
        draft, air, "Routes of June 2014 (OpenFlights, ODbL) and freighters by rule; flight times and space modelled"
    )
    rail = build_rail(cities, rules)
    add_terminals(draft, rail, rules)
    add_runs(draft, rail, "Trains of 2016 and 2020 (Parse12306, RailwayVIS); shuttles modelled")
    water = build_water(cities, rules)
    add_terminals(draft, water, rules)
    add_runs(draft, water, "Liners and ferries by rule (rules/waterways.csv); shuttles modelled", lane_label="modelled")
