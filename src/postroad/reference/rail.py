"""Rail: compartments of real high-speed trains (2016) and baggage cars of real conventional trains (2020)."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import polars as pl

from postroad.reference.codes import centre_codes
from postroad.reference.fleet import local_km
from postroad.reference.geometry import great_circle_km
from postroad.reference.sources import Cities, Rules, read_source
from postroad.reference.terminals import Offer, Terminal, shuttle_trips, throughput

__all__ = ["build_rail"]

_CARRIES_CAR = ("直达特快", "特快", "快速")
_TOP_KMH = {"hsr-compartment": 350.0, "baggage-car": 170.0}
_HSR = "Train of the timetable of March 2016 (Parse12306, MIT); that it carries express is modelled"
_CAR = (
    "Train of the timetable of about 2020 (RailwayVIS, Apache-2.0); that it has a baggage car for express is modelled"
)


_MOST_DETOUR = 1.35
"""A path on the graph that is longer than this many times the crow's flight misses a new line."""

_STATION_KM = 40.0
"""A station farther from the city point than this serves another town of the prefecture."""


class Call(NamedTuple):
    """A worked call: city code, minutes from midnight of the first day, km run since the first stop."""

    city: str
    arrive: int
    depart: int
    km: float


def build_rail(cities: Cities, rules: Rules) -> Offer:
    """Railheads, trains with their worked calls, and shuttles."""
    runs = _high_speed(cities, rules) + _conventional(cities, rules)
    calls_by_city = Counter(call.city for _, _, calls in runs for call in calls)
    kept = {city for city, count in calls_by_city.items() if count >= rules.railhead_min_calls}
    offer = Offer()
    for train, vehicle, calls in runs:
        _add_train(offer, train, vehicle, [call for call in calls if call.city in kept])
    _add_railheads(offer, cities, sorted(kept))
    able = throughput(offer, rules)
    for terminal in list(offer.terminals):
        city = terminal.place_id
        frame = cities.frame.row(cities.index[city], named=True)
        km = local_km(float(great_circle_km(frame["lon"], frame["lat"], terminal.lon, terminal.lat)), rules)
        code, railhead = centre_codes()[city], f"{centre_codes()[city]}-R"
        loaded, unloaded = able.get(railhead, (0.0, 0.0))
        for start, end, items in ((code, railhead, loaded), (railhead, code, unloaded)):
            offer.run(*shuttle_trips(start, end, km, items, int(rules.shuttle_trips), rules))
    return offer


def _high_speed(cities: Cities, rules: Rules) -> list[tuple[str, str, list[Call]]]:
    """Worked calls of the high-speed trains; of date variants the one that runs on most days, else the first."""
    trains = read_source("network/hsr_trains_2016.parquet").with_columns(pl.col("train_no", "days").cast(pl.String))
    days = pl.when(pl.col("days") == "ALL").then(366).otherwise(pl.col("days").str.extract(r"(\d+)").cast(pl.Int64))
    chosen = (
        trains.with_columns(days.fill_null(0).alias("n_days"))
        .sort(["train_no", "n_days", "train_id"], descending=[False, True, False])
        .unique("train_no", keep="first", maintain_order=True)
    )
    stations = read_source("network/hsr_stations_2016.csv").select(
        pl.col("name").alias("station"), "city_code", "lon", "lat"
    )
    stops = (
        read_source("network/hsr_stops_2016.parquet")
        .with_columns(pl.col("station").cast(pl.String))
        .join(stations, on="station", how="inner")
        .join(chosen.select("train_id", "train_no"), on="train_id", how="inner")
        .sort("train_no", "seq")
    )
    crow = great_circle_km(stops["lon"].shift(1), stops["lat"].shift(1), stops["lon"], stops["lat"])
    stops = stops.with_columns(leg_km=pl.Series(_track_km(cities, stops["city_code"].to_list(), crow, rules)))
    return _runs(cities, stops, "hsr-compartment", rules.hsr_min_dwell, rules.hsr_min_population, rules.hsr_min_km)


def _track_km(cities: Cities, city: list[str], crow_km: np.ndarray, rules: Rules) -> np.ndarray:
    """Kilometres from the stop before: the rail graph's where it fits the crow's flight, else that times a detour."""
    row = np.array([cities.index[code] for code in city])
    graph = np.r_[0.0, cities.rail_km[row[:-1], row[1:]]]
    fits = (graph >= crow_km) & (graph <= _MOST_DETOUR * crow_km)
    return np.where(fits, graph, crow_km * rules.hsr_over_crow)


def _conventional(cities: Cities, rules: Rules) -> list[tuple[str, str, list[Call]]]:
    """Worked calls of the express trains with a baggage car."""
    stops = (
        read_source("network/train_city_schedule_2020.parquet")
        .with_columns(pl.col("train_no", "service").cast(pl.String))
        .filter(pl.col("service").is_in(list(_CARRIES_CAR)) & pl.col("city_code").is_not_null())
        .sort("train_no", "seq")
    )
    before = stops["city_code"].shift(1).to_list()
    leg = [_rail_km(cities, a or b, b, rules) for a, b in zip(before, stops["city_code"], strict=True)]
    stops = stops.with_columns(leg_km=pl.Series(leg))
    return _runs(cities, stops, "baggage-car", rules.car_min_dwell, rules.car_min_population, rules.car_min_km)


def _runs(cities: Cities, stops: pl.DataFrame, vehicle: str, dwell: float, population: float, km: float) -> list:
    """Trains at least so long, with the calls that are worked: both ends, and long stops at large cities and capitals.

    Returns
    -------
    list of (train, vehicle, [(city, arrive, depart, km since the first call)])
    """
    people = dict(cities.frame.select("city_code", pl.col("pop_2020").fill_null(0)).iter_rows())
    capital = dict(cities.frame.select("city_code", "is_capital").iter_rows())
    runs = []
    for (train,), group in stops.group_by("train_no", maintain_order=True):
        rows = group.select("city_code", "arr_min", "dep_min", "leg_km").rows()
        worked: list[Call] = []
        run_km = 0.0
        for number, (city, arrive, depart, leg_km) in enumerate(rows):
            run_km += leg_km if number else 0.0
            is_end = number in (0, len(rows) - 1)
            arrive, depart = (depart if arrive is None else arrive), (arrive if depart is None else depart)
            matters = people[city] >= population or capital[city]
            if (is_end or (matters and depart - arrive >= dwell)) and not (worked and worked[-1].city == city):
                worked.append(Call(city, arrive, depart, run_km))
        is_simple = len({call.city for call in worked}) == len(worked) >= 2
        if is_simple and run_km >= km and _is_plausible(worked, _TOP_KMH[vehicle]):
            runs.append((train, vehicle, worked))
    return runs


def _is_plausible(worked: list[Call], top_kmh: float) -> bool:
    """Whether no leg is faster than the trains of its kind can run (some source rows are wrong)."""
    legs = pairwise(worked)
    return all(after.km - before.km <= top_kmh * (after.arrive - before.depart) / 60.0 for before, after in legs)


def _rail_km(cities: Cities, start: str, end: str, rules: Rules) -> float:
    """Rail km between two cities: the graph's shortest path, or the crow's flight times the usual detour."""
    row, column = cities.index[start], cities.index[end]
    found = cities.rail_km[row, column]
    return float(found if found > 0 else cities.gc_km[row, column] * rules.rail_over_crow)


def _add_train(offer: Offer, train: str, vehicle: str, calls: list[Call]) -> None:
    """Add one train with its calls; times are minutes from midnight of the day of its first departure."""
    if len(calls) < 2:
        return
    is_hsr = vehicle == "hsr-compartment"
    trip_id, source = f"{train}.{'HSR' if is_hsr else 'CAR'}", _HSR if is_hsr else _CAR
    shift = calls[0].depart // 1440 * 1440
    offer.long_trips.append(
        {
            "trip_id": trip_id,
            "lane_id": None,
            "vehicle_id": vehicle,
            "service_id": "daily",
            "n_vehicles": 1,
            "depart": calls[0].depart - shift,
            "arrive": calls[-1].arrive - shift,
            "label": "derived",
            "source": source,
        }
    )
    before_km = calls[0].km
    for seq, call in enumerate(calls):
        offer.calls.append(
            {
                "trip_id": trip_id,
                "seq": seq,
                "facility_id": f"{centre_codes()[call.city]}-R",
                "arrive": (call.depart if seq == 0 else call.arrive) - shift,
                "depart": (call.arrive if seq == len(calls) - 1 else call.depart) - shift,
                "distance_km": round(call.km - before_km, 1),
                "label": "derived",
                "source": source,
            }
        )
        before_km = call.km


def _add_railheads(offer: Offer, cities: Cities, kept: list[str]) -> None:
    """One railhead a city, at its busiest high-speed station within 40 km, else at the city point."""
    stations = read_source("network/hsr_stations_2016.csv").join(
        cities.frame.select("city_code", city_lon="lon", city_lat="lat"), on="city_code"
    )
    away = great_circle_km(stations["lon"], stations["lat"], stations["city_lon"], stations["city_lat"])
    near = stations.filter(pl.Series(away <= _STATION_KM))
    near = near.sort(["n_stops_2016", "telecode"], descending=[True, False])
    busiest = near.unique("city_code", keep="first", maintain_order=True)
    by_city = {row["city_code"]: row for row in busiest.iter_rows(named=True)}
    for city in kept:
        frame = cities.frame.row(cities.index[city], named=True)
        station = by_city.get(city)
        name = station["name"] if station else frame["name"].removesuffix("市")
        name_en = station["pinyin"].title() if station else frame["name_en"]
        offer.terminals.append(
            Terminal(
                f"{centre_codes()[city]}-R",
                "railhead",
                f"{name}站快运场",
                f"{name_en} railhead",
                city,
                station["lon"] if station else frame["lon"],
                station["lat"] if station else frame["lat"],
                "measured" if station else "modelled",
                "Station of 2016 (Parse12306, MIT)" if station else "At the city point: no high-speed station in 2016",
            )
        )
