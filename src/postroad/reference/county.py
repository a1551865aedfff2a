"""The county level: an outlet in every county, fed from its city's centre twice a day."""

from __future__ import annotations

import numpy as np
import polars as pl

from postroad.network.metadata import FeedMeta
from postroad.reference.capacity import wave_capacities
from postroad.reference.codes import centre_codes
from postroad.reference.design import design_shape
from postroad.reference.draft import Draft
from postroad.reference.fleet import feeder_min, line_haul_trucks
from postroad.reference.metadata import china_meta
from postroad.reference.places import county_place
from postroad.reference.sites import OPERATOR, delivery_waves
from postroad.reference.sizes import Size
from postroad.reference.sources import HMT, Cities, Rules, load_cities, read_source
from postroad.reference.terminals import lane_row
from postroad.reference.timetable import DAILY, SURGE, number_trips

__all__ = ["add_counties", "county_frame", "county_meta"]

_COLLECT_MIN = (900, 1290)
"""Collection feeders leave the outlets at 15:00 and 21:30 (modelled)."""

_WAVE_LEAD_MIN = 90
"""A delivery feeder reaches its outlet so long before the wave that it serves (modelled)."""

_SOURCE = "One outlet a county at the county point: real outlets (468,000 in 2023) are not public as a table"
_ROAD = "County to city by road, OpenStreetMap 2024 (ODbL); 1.25 x great circle where the graph has a gap"


def county_meta(name: str, size: Size) -> FeedMeta:
    """Metadata of the county-level feed: laid over the city level, which keeps its line-haul."""
    city = china_meta(name.removesuffix("-county"), size)
    return city.model_copy(
        update={
            "name": name,
            "name_zh": f"{city.name_zh}（县级）",
            "level": "county",
            "description": f"County outlets and feeders over {city.name}: 2,978 counties of 369 cities.",
            "description_zh": f"在 {city.name} 之上增加 2,978 个县级网点及其支线。",
            "base": city.name,
            "extends": ("facilities", "lanes", "trips"),
        }
    )


def county_frame(cities: Cities, size: Size, rules: Rules) -> pl.DataFrame:
    """Counties in order of code with road km and the items they send and receive on the mean day.

    Within a city, items sent follow workers in manufacturing and trade, items received people x exp(2.5 x urban share).
    """
    shape = design_shape(cities, size)
    city = pl.DataFrame(
        {"city_code": cities.codes, "sent": shape.sum(axis=1), "received": shape.sum(axis=0)}
    ).with_columns(pl.col("sent", "received") * size.mean_items(rules))
    people = pl.col("pop_2020").fill_null(20_000)
    frame = (
        read_source("admin/counties.csv")
        .join(read_source("network_osm/county_to_city_road.csv").drop("city_code"), on="county_code", how="left")
        .join(cities.frame.select("city_code", "region"), on="city_code", how="left")
        .with_columns(
            outlet_id=county_place(),
            km=pl.when(pl.col("suspect") == 1).then(pl.col("gc_km") * 1.25).otherwise(pl.col("road_km")).clip(3.0),
            sends=people * (pl.col("emp_manu_share") + pl.col("emp_trade_share")).fill_null(0.2),
            gets=people * (2.5 * pl.col("urban_share_2020").fill_null(0.5)).exp(),
        )
        .join(city, on="city_code", how="left")
        .sort("county_code")
    )
    return frame.with_columns(
        sent=pl.col("sent") * pl.col("sends") / pl.col("sends").sum().over("city_code"),
        received=pl.col("received") * pl.col("gets") / pl.col("gets").sum().over("city_code"),
    )


def add_counties(draft: Draft, city_level: Draft, size: Size, rules: Rules) -> None:
    """Add outlets, feeders, service areas and waves; centres no longer serve mainland cities themselves.

    Parameters
    ----------
    draft: of the county feed.
    city_level: of the city feed, whose service areas and waves outside the mainland cities are kept.
    """
    cities = load_cities()
    counties = county_frame(cities, size, rules)
    codes = centre_codes()
    ratio = size.surge_items(rules) / size.mean_items(rules)
    region = dict(cities.frame.select("city_code", "region").iter_rows())
    outlets, areas, windows = [], [], []
    for row in counties.iter_rows(named=True):
        outlets.append(
            {
                "facility_id": row["outlet_id"],
                "kind": "outlet",
                "name": f"{row['name']}网点",
                "place_id": row["outlet_id"],
                "parent_id": codes[row["city_code"]],
                "operator_id": OPERATOR,
                "lon": row["lon"],
                "lat": row["lat"],
                "origin_min": int(rules.outlet_origin_min),
                "handling_min": int(rules.outlet_handling_min),
                "dest_min": int(rules.outlet_dest_min),
                "cost_yuan_per_item": rules.outlet_cost_yuan,
                "kwh_per_item": rules.outlet_kwh,
            }
        )
        waves = _waves(row, region)
        areas.append(
            {"facility_id": row["outlet_id"], "place_id": row["outlet_id"], "deliveries_per_week": 7.0 * len(waves)}
        )
        for start, n_items in zip(waves, wave_capacities(row["received"] * ratio, len(waves), rules), strict=True):
            windows.append(
                {"facility_id": row["outlet_id"], "kind": "delivery_wave", "start": start, "n_items": n_items}
            )
    draft.add("facilities", outlets, label="modelled", source=_SOURCE)
    draft.add("service_areas", areas, label="modelled", source="One outlet serves its county; waves by rule")
    draft.add(
        "windows", windows, label="modelled", source="Design deliveries of the surge day x margin; hours modelled"
    )
    _keep_rest(draft, city_level)
    _add_feeders(draft, counties, ratio, rules)


def _waves(county: dict, region: dict[str, str]) -> list[str]:
    """When couriers of an outlet leave: as in its city, once a day in western counties of fewer than 100,000 people."""
    city = {
        "city_code": county["city_code"],
        "province_code": county["province_code"],
        "region": region[county["city_code"]],
        "pop_2020": 10 * (county["pop_2020"] or 0),
    }
    return delivery_waves(city)


def _keep_rest(draft: Draft, city_level: Draft) -> None:
    """Keep the areas and waves of Hong Kong, Macao, Taiwan and abroad: they have no counties here."""
    tables = city_level.tables()
    areas = tables["service_areas"]
    mainland = [code for code in centre_codes() if code not in HMT]
    kept = areas.filter(~pl.col("place_id").is_in(mainland))
    draft.add("service_areas", kept)
    draft.add("windows", tables["windows"].filter(pl.col("facility_id").is_in(kept["facility_id"].implode())))


def _add_feeders(draft: Draft, counties: pl.DataFrame, ratio: float, rules: Rules) -> None:
    """Add the feeder lanes and their convoys, sized on the mean day with a surge convoy beside each."""
    codes = centre_codes()
    region = dict(load_cities().frame.select("city_code", "region").iter_rows())
    lanes, trips = [], []
    for row in counties.iter_rows(named=True):
        centre, outlet = codes[row["city_code"]], row["outlet_id"]
        duration = int(feeder_min(np.array([row["km"]]), rules)[0])
        starts = [int(start[:2]) * 60 for start in _waves(row, region)]
        runs = (
            (outlet, centre, row["sent"], _COLLECT_MIN),
            (centre, outlet, row["received"], tuple(start - _WAVE_LEAD_MIN - duration for start in starts)),
        )
        for start, end, items, departures in runs:
            lane = lane_row(start, end, "road", row["km"])
            lanes.append(lane)
            mean = items / len(departures) * rules.headroom
            vehicle, planned = _convoy(mean, row["km"], rules)
            n_daily = max(1, int(np.ceil(mean / planned)))
            n_surge = max(0, int(np.ceil((mean * ratio - n_daily * planned) / planned)))
            for departure in departures:
                for service, number in ((DAILY, n_daily), (SURGE, n_surge)):
                    if number:
                        trips.append(
                            (lane["lane_id"], vehicle, service, departure % 1440, departure % 1440 + duration, number)
                        )
    columns = ("lane_id", "vehicle_id", "service_id", "depart", "arrive", "n_vehicles")
    frame = pl.DataFrame(trips, schema=columns, orient="row").with_columns(pl.col("depart", "arrive").cast(pl.Int32))
    draft.add("lanes", lanes, label="derived", source=_ROAD)
    draft.add("trips", number_trips(frame), label="modelled", source="Feeder convoys by rule; real ones are private")


def _convoy(items: float, km: float, rules: Rules) -> tuple[str, float]:
    """The vehicle of a feeder and the items it is planned to carry: the largest that the load fills, up to 9.6 m."""
    chosen = None
    for truck in line_haul_trucks(rules):
        planned = truck.n_items * rules.planned_fill
        if truck.vehicle_id in ("truck-13m", "truck-17m5") or km > truck.km_to:
            continue
        if chosen is None or items >= planned:
            chosen = (truck.vehicle_id, planned)
    return chosen
