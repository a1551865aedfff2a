"""Put the reference feeds together."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np

from postroad.core.errors import NotFound
from postroad.network.feed import Network
from postroad.reference.abroad import add_abroad, plan_abroad
from postroad.reference.air import build_air
from postroad.reference.codes import centre_codes
from postroad.reference.county import add_counties, county_meta
from postroad.reference.design import assign_homes, design_shape, plan_line_haul
from postroad.reference.draft import Draft
from postroad.reference.gateways import add_gateways
from postroad.reference.japan import build_japan, japan_meta
from postroad.reference.metadata import china_meta
from postroad.reference.places import add_china
from postroad.reference.rail import build_rail
from postroad.reference.road import build_road
from postroad.reference.season import add_calendar
from postroad.reference.settling import route_design_day
from postroad.reference.sites import add_centres, centre_load
from postroad.reference.sizes import SIZES, Size
from postroad.reference.sources import Cities, Rules, load_cities, read_source
from postroad.reference.tariff import add_tariff, add_vehicles
from postroad.reference.terminals import add_runs, add_terminals
from postroad.reference.water import build_water

__all__ = ["FEEDS", "build"]

FEEDS = ("china-2025", "china-2025-county", "china-2023", "china-2023-county", "japan")


def build(name: str, rules: Rules | None = None) -> Network:
    """Build one reference feed.

    Parameters
    ----------
    name: one of ``FEEDS``; a ``-county`` feed holds only what it adds to its city level.
    rules: the numbers of the rules; the shipped ones when None.

    Returns
    -------
    Network: the same for the same sources and rules.

    Raises
    ------
    NotFound: PR-P103 when the builder makes no feed of that name.
    """
    rules = rules or Rules.read()
    if name not in FEEDS:
        raise NotFound("PR-P103", name=name, known=", ".join(FEEDS))
    if name == "japan":
        return Network.from_tables(japan_meta(), build_japan(rules).tables())
    size = SIZES[int(name.split("-")[1])]
    city_level = china(size, rules)
    if not name.endswith("-county"):
        return Network.from_tables(china_meta(name, size), city_level.tables())
    draft = Draft()
    add_counties(draft, city_level, size, rules)
    return Network.from_tables(county_meta(name, size), draft.tables())


def china(size: Size, rules: Rules) -> Draft:
    """The city-level feed of China in one size."""
    cities = load_cities()
    codes = centre_codes()
    homes = assign_homes(cities, read_source("rules/hubs.csv")["city_code"].to_list(), rules)
    abroad = plan_abroad(cities, size, rules)
    feeders = abroad.feeder_od(len(cities.codes))
    ratio = size.surge_items(rules) / size.mean_items(rules)
    day = design_shape(cities, size) * size.mean_items(rules)
    mean = plan_line_haul(day + feeders, cities, homes, rules)
    surge = plan_line_haul((day + feeders) * ratio, cities, homes, rules)
    centres = [codes[city] for city in cities.codes]

    def assemble() -> Draft:
        draft = Draft()
        road = build_road(cities, centres, homes, mean, surge, rules)
        add_china(draft)
        add_tariff(draft, rules, f"profile_day_{size.year}")
        add_vehicles(draft)
        add_calendar(draft, size)
        transit = np.maximum(mean.transit, surge.transit)
        add_centres(
            draft,
            cities,
            centre_load(day * ratio, feeders * ratio, abroad.delivered_hmt(cities) * ratio, transit),
            rules,
        )
        shortest = "Shortest paths on the OpenStreetMap road graph 2024 (ODbL), driven x 1.05"
        draft.add("lanes", road.lanes, label="derived", source=shortest)
        draft.add(
            "trips", road.trips, label="modelled", source="Line-haul timetable by rule; real departures are private"
        )
        _add_modes(draft, cities, size, day, rules)
        add_abroad(draft, cities, abroad, size, rules)
        add_gateways(draft, abroad, size, ratio, rules)
        return draft

    for _ in range(int(rules.routing_rounds)):
        network = Network.from_tables(china_meta("design", size), assemble().tables())
        kept = rules.kept_load
        mean, office_load = route_design_day(network, centres, day, abroad, date(size.year, 6, 10), mean, kept)
        at_surge = abroad.times(ratio)
        surge, _ = route_design_day(network, centres, day * ratio, at_surge, date(size.year, 11, 11), surge, kept)
        abroad = replace(abroad, office_load=np.maximum(office_load, kept * abroad.office_load))
    return assemble()


def _add_modes(draft: Draft, cities: Cities, size: Size, day: np.ndarray, rules: Rules) -> None:
    """Add air, rail and water with their terminals and shuttles."""
    air = build_air(cities, day, size, rules)
    cited = "280,000 items/h, Hubei Postal Administration via 21st Century Business Herald 2023-08-04"
    add_terminals(draft, air, rules, {"EHU-A": (int(rules.ezhou_sort), cited)})
    add_runs(draft, air, "Routes of June 2014 (OpenFlights, ODbL) and freighters by rule; times and space modelled")
    rail = build_rail(cities, rules)
    add_terminals(draft, rail, rules)
    add_runs(draft, rail, "Trains of 2016 and 2020 (Parse12306, RailwayVIS); shuttles modelled")
    water = build_water(cities, rules)
    add_terminals(draft, water, rules)
    add_runs(draft, water, "Liners and ferries by rule (rules/waterways.csv); shuttles modelled", "modelled")
