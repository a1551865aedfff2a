"""A foreign example: fifteen Japanese cities by the same rules, to show that nothing is China-only."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from postroad.network.metadata import FeedMeta
from postroad.reference.air import block_min, share_out
from postroad.reference.capacity import hourly_capacity, wave_capacities
from postroad.reference.design import LineHaul, assign_homes, plan_line_haul
from postroad.reference.draft import Draft
from postroad.reference.fleet import local_km
from postroad.reference.geometry import great_circle_km
from postroad.reference.road import build_road
from postroad.reference.sources import Cities, Rules, read_source, road_circuity
from postroad.reference.tariff import add_tariff, add_vehicles
from postroad.reference.terminals import (
    Offer,
    Terminal,
    add_runs,
    add_terminals,
    even_minutes,
    lane_row,
    shuttle_trips,
    throughput,
    trip_frame,
)
from postroad.reference.timetable import DAILY, SURGE

__all__ = ["build_japan", "japan_meta"]

_PEOPLE = "Census 2020, from memory; city points to about 0.02 degrees, from memory"
_GRAVITY = "Gravity model on people and road km, scaled to the parcels of fiscal year 2023 by people"


def japan_meta() -> FeedMeta:
    """Metadata of the example."""
    return FeedMeta(
        name="japan",
        name_zh="日本十五城示例",
        version="2023.1",
        timezone="Asia/Tokyo",
        level="city",
        description="Fifteen Japanese cities by the reference rules: an example of a network abroad, modelled.",
        description_zh="按参考网络规则建立的日本十五城示例（模型）。",
        licence="CC-BY-4.0 AND ODbL-1.0 AND OGL-UK-3.0 AND MIT",
        attribution=(
            "airports: airportsdata (MIT)",
            "circuity: (c) OpenStreetMap contributors (ODbL 1.0)",
            "Contains public sector information licensed under the Open Government Licence v3.0 (DESNZ/DEFRA 2025)",
        ),
        slot_min=30,
        base_date=date(2023, 10, 17),
    )


def load_japan(rules: Rules) -> Cities:
    """The cities with modelled distances and a gravity table of the mean day."""
    frame = read_source("rules/japan_cities.csv").sort("city_code")
    lon, lat, people = (frame[name].to_numpy() for name in ("lon", "lat", "population"))
    gc_km = great_circle_km(lon[:, None], lat[:, None], lon[None, :], lat[None, :])
    road_km = gc_km * road_circuity(gc_km)
    apart = np.where(np.eye(len(lon), dtype=bool), rules.japan_own_km, np.maximum(road_km, 1.0))
    pull = people[:, None] * people[None, :] * apart**-rules.japan_beta
    total = rules.japan_items_per_year / 365 * people.sum() / rules.japan_people
    frame = frame.with_columns(province_code=pl.col("city_code"))
    return Cities(
        codes=tuple(frame["city_code"]),
        frame=frame,
        gc_km=gc_km,
        road_km=road_km,
        rail_km=np.zeros_like(gc_km),
        od_items=pull / pull.sum() * total,
        on_road=frame["on_road"].to_numpy() == 1,
    )


def build_japan(rules: Rules) -> Draft:
    """The feed of the example."""
    cities = load_japan(rules)
    centres = cities.frame["airport"].to_list()
    hubs = cities.frame.filter(is_hub=1)["city_code"].to_list()
    homes = assign_homes(cities, hubs, rules)
    mean = plan_line_haul(cities.od_items, cities, homes, rules)
    surge = plan_line_haul(cities.od_items * rules.japan_surge, cities, homes, rules)
    road = build_road(cities, centres, homes, mean, surge, rules)
    draft = Draft()
    _add_places(draft, cities)
    add_tariff(draft, rules, "profile_day_2023")
    add_vehicles(draft)
    _add_calendar(draft)
    _add_facilities(draft, cities, centres, hubs, mean, surge, rules)
    modelled = "Great circle x circuity of the Chinese road graph (ODbL); timetable by the reference rules"
    draft.add("lanes", road.lanes, label="modelled", source=modelled)
    draft.add("trips", road.trips, label="modelled", source=modelled)
    offer = _links(cities, rules)
    add_terminals(draft, offer, rules)
    add_runs(draft, offer, "Links by rule (rules/japan_links.csv)", lane_label="modelled")
    _add_demand(draft, cities)
    return draft


def _add_places(draft: Draft, cities: Cities) -> None:
    draft.add(
        "places",
        [{"place_id": "JP", "kind": "country", "name": "日本", "name_en": "Japan", "population": 126146099}],
        label="unverified",
        source=_PEOPLE,
    )
    draft.add(
        "places",
        cities.frame.select(
            place_id="city_code",
            parent_id=pl.lit("JP"),
            kind=pl.lit("city"),
            name="prefecture",
            name_en="prefecture_en",
            lon="lon",
            lat="lat",
            population="population",
        ),
        label="unverified",
        source=_PEOPLE,
    )


def _add_calendar(draft: Draft) -> None:
    days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    week = dict.fromkeys(days, True)
    draft.add(
        "calendar",
        [
            {"service_id": DAILY, **week, "start_date": date(2022, 1, 1), "end_date": date(2026, 12, 31)},
            {"service_id": SURGE, **week, "start_date": date(2023, 12, 1), "end_date": date(2023, 12, 31)},
        ],
        label="modelled",
        source="December is the peak season",
    )


def _add_facilities(
    draft: Draft, cities: Cities, centres: list[str], hubs: list[str], mean: LineHaul, surge: LineHaul, rules: Rules
) -> None:
    """Centres with service areas and waves, and hubs."""
    od = cities.od_items * rules.japan_surge
    rows, areas, windows = [], [], []
    for number, city in enumerate(cities.frame.iter_rows(named=True)):
        sent, received, same = od[number].sum(), od[:, number].sum(), od[number, number]
        through = sent + received - same + max(mean.transit[number], surge.transit[number])
        hub = city["city_code"] in hubs
        kind = "hub" if hub else "centre"
        rows.append(
            {
                "facility_id": centres[number],
                "kind": "hub" if hub else "sorting",
                "name": f"{city['name']}ベース",
                "name_en": f"{city['name_en']} sorting centre",
                "place_id": city["city_code"],
                "operator_id": "net",
                "lon": city["lon"],
                "lat": city["lat"],
                "cost_yuan_per_item": rules.values[f"{kind}_cost_yuan"],
                "kwh_per_item": rules.sort_kwh,
                "sort_items_per_h": hourly_capacity(through, rules.effective_sort_h, rules),
                "screen_items_per_h": hourly_capacity(sent, rules.effective_screen_h, rules),
                "origin_min": int(rules.origin_min),
                "handling_min": int(rules.values[f"{kind}_handling_min"]),
                "dest_min": int(rules.values[f"{kind}_dest_min"]),
            }
        )
        areas.append({"facility_id": centres[number], "place_id": city["city_code"], "deliveries_per_week": 14.0})
        for start, n_items in zip(("08:00", "14:00"), wave_capacities(received, 2, rules), strict=True):
            windows.append(
                {"facility_id": centres[number], "kind": "delivery_wave", "start": start, "n_items": n_items}
            )
    draft.add("facilities", rows, label="modelled", source="One centre a city at the city point; capacity by rule")
    draft.add("service_areas", areas, label="modelled", source="One centre serves its prefecture")
    draft.add("windows", windows, label="modelled", source="Two waves a day by rule")


def _links(cities: Cities, rules: Rules) -> Offer:
    """Airports with flights, and ferries between centres that no road joins."""
    airports = {row["iata"]: row for row in read_source("network/airports_foreign.csv").iter_rows(named=True)}
    airports["HND"] = airports.get("HND", airports["NRT"])
    links = read_source("rules/japan_links.csv")
    iata = dict(cities.frame.select("city_code", "airport").iter_rows())
    flown = links.filter(mode="air")
    offer = Offer()
    for city in sorted(set(flown["from_code"]) | set(flown["to_code"])):
        airport = airports[iata[city]]
        offer.terminals.append(
            Terminal(
                f"{iata[city]}-A",
                "airport",
                f"{airport['name']} 貨物",
                airport["name"],
                city,
                airport["lon"],
                airport["lat"],
                "measured",
                "airportsdata 20260905 (MIT)",
            )
        )
    for row in links.iter_rows(named=True):
        for start, end, phase in ((row["from_code"], row["to_code"], 0.3), (row["to_code"], row["from_code"], 0.7)):
            if row["mode"] == "water":
                lane = lane_row(iata[start], iata[end], "water", row["km"])
                minutes, duration = even_minutes(row["departures"], 0, 1440, phase), row["hours"] * 60
            else:
                here, there = airports[iata[start]], airports[iata[end]]
                km = float(great_circle_km(here["lon"], here["lat"], there["lon"], there["lat"]))
                lane = lane_row(f"{iata[start]}-A", f"{iata[end]}-A", "air", km + 95.0, km)
                night = row["vehicle_id"] != "belly"
                minutes = even_minutes(row["departures"], 0 if night else 420, 240 if night else 1260, phase)
                duration = block_min(km, row["vehicle_id"], rules)
            offer.run(lane, trip_frame(lane["lane_id"], row["vehicle_id"], minutes, duration))
    able = throughput(offer, rules)
    for terminal in offer.terminals:
        city = cities.frame.row(cities.index[terminal.place_id], named=True)
        km = local_km(float(great_circle_km(city["lon"], city["lat"], terminal.lon, terminal.lat)), rules)
        loaded, unloaded = able[terminal.facility_id]
        centre = city["airport"]
        for start, end, items in ((centre, terminal.facility_id, loaded), (terminal.facility_id, centre, unloaded)):
            offer.run(*shuttle_trips(start, end, km, items, int(rules.shuttle_trips), rules))
    return offer


def _add_demand(draft: Draft, cities: Cities) -> None:
    """Items of the mean day by pair and product, whole."""
    products = draft.tables()["products"].select("product_id", "share").rows()
    n = len(cities.codes)
    keys = [(o, d, product, share) for o in range(n) for d in range(n) for product, share in products]
    counts = share_out(round(cities.od_items.sum()), [cities.od_items[o, d] * share for o, d, _, share in keys])
    rows = [
        {"origin_place": cities.codes[o], "destination_place": cities.codes[d], "product_id": product, "n_items": count}
        for (o, d, product, _), count in zip(keys, counts, strict=True)
    ]
    draft.add("demand", rows, label="modelled", source=_GRAVITY)
