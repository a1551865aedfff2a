"""Air: belly space on the real routes of 2014, and the freighters of the express fleet."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from postroad.reference.codes import OPENED, centre_codes, load_airports
from postroad.reference.fleet import local_km
from postroad.reference.geometry import great_circle_km
from postroad.reference.sizes import Size
from postroad.reference.sources import Cities, Rules, read_source
from postroad.reference.terminals import Offer, Terminal, even_minutes, lane_row, shuttle_trips, throughput, trip_frame

__all__ = ["build_air", "catchment"]

_SOURCE = "airportsdata 20260905 (MIT); carries express by rule"
_EXTRA_KM = 95.0
"""Kilometres flown beyond the great circle, as carriers add under ISO 14083 practice (GCD + 95 km)."""


def choose_airports(cities: Cities, rules: Rules) -> pl.DataFrame:
    """Airports that carry express: enough domestic routes in 2014, or opened since."""
    airports = load_airports().join(cities.frame.select("city_code"), on="city_code", how="inner")
    busy = pl.col("dom_routes_2014") >= int(rules.airport_min_routes)
    return airports.filter(busy | pl.col("iata").is_in(list(OPENED))).sort("iata")


def domestic_routes(airports: pl.DataFrame, rules: Rules) -> list[tuple[str, str, int]]:
    """Airport pairs and daily flights each way.

    The routes of June 2014 with a flight an airline. Moved since: the Peking routes of China Southern and China Eastern
    and those of Nanyuan to Daxing (PKX), half of Chengdu's flights to Tianfu (TFU).
    """
    known = set(airports["iata"])
    flights: dict[tuple[str, str], int] = {}

    def count(a: str, b: str, number: int) -> None:
        if number and a != b and a in known and b in known:
            pair = (min(a, b), max(a, b))
            flights[pair] = min(int(rules.belly_max_flights), flights.get(pair, 0) + number)

    for row in read_source("network_osm/air_routes_domestic_2014.csv").iter_rows(named=True):
        a, b, lines = row["a"], row["b"], row["airlines"].split()
        if row["gc_km"] < rules.belly_min_km or len(lines) < rules.belly_min_airlines:
            continue
        number = round(len(lines) * rules.belly_flights_per_airline)
        if "NAY" in (a, b):
            count("PKX", b if a == "NAY" else a, number)
        elif "PEK" in (a, b):
            other = b if a == "PEK" else a
            moved = sum(line in ("CZ", "MU") for line in lines)
            count("PKX", other, moved)
            count("PEK", other, number - moved)
        elif "CTU" in (a, b):
            other = b if a == "CTU" else a
            count("TFU", other, number // 2)
            count("CTU", other, number - number // 2)
        else:
            count(a, b, number)
    return [(a, b, number) for (a, b), number in sorted(flights.items())]


def catchment(cities: Cities, airports: pl.DataFrame, rules: Rules) -> dict[str, list[tuple[int, float]]]:
    """Cities that each airport serves with their road km: its own city, else the nearest airport within reach."""
    index = cities.index
    airport_city = np.array([index[code] for code in airports["city_code"]])
    iata = airports["iata"].to_list()
    own = set(airport_city.tolist())
    gc = great_circle_km(
        cities.frame["lon"].to_numpy()[:, None],
        cities.frame["lat"].to_numpy()[:, None],
        airports["lon"].to_numpy()[None, :],
        airports["lat"].to_numpy()[None, :],
    )
    served: dict[str, list[tuple[int, float]]] = {code: [] for code in iata}
    for row in np.flatnonzero(cities.on_road):
        if int(row) in own:
            for number in np.flatnonzero(airport_city == row):
                served[iata[number]].append((int(row), local_km(gc[row, number], rules)))
            continue
        number = int(np.argmin(gc[row]))
        km = local_km(gc[row, number], rules)
        if km <= rules.airport_reach_km:
            served[iata[number]].append((int(row), km))
    return served


def build_air(cities: Cities, day: np.ndarray, size: Size, rules: Rules) -> Offer:
    """Airports, flights and shuttles.

    Parameters
    ----------
    day: float64 (n, n), design items between cities; what goes far by road shares out the freighters.
    """
    airports = choose_airports(cities, rules)
    offer = Offer()
    for row in airports.iter_rows(named=True):
        offer.terminals.append(
            Terminal(
                f"{row['iata']}-A",
                "airport",
                f"{row['iata']} 机场货站",
                f"{row['name']}",
                row["city_code"],
                row["lon"],
                row["lat"],
                "measured",
                _SOURCE,
            )
        )
    point = {row["iata"]: (row["lon"], row["lat"]) for row in airports.iter_rows(named=True)}
    for number, (a, b, flights) in enumerate(domestic_routes(airports, rules)):
        for start, end, phase in ((a, b, 0.3), (b, a, 0.7)):
            minutes = even_minutes(flights, 450, 1290, (phase + 0.618 * number) % 1.0)
            _fly(offer, point, start, end, "belly", minutes, rules)
    served = catchment(cities, airports, rules)
    far = np.where(cities.road_km > rules.air_from_km, day, 0.0)
    far_items = far.sum(axis=0) + far.sum(axis=1)
    _add_freighters(offer, point, served, far_items, size, rules)
    _add_shuttles(offer, cities, served, rules)
    return offer


def _fly(offer: Offer, point: Mapping, start: str, end: str, vehicle: str, minutes: list[int], rules: Rules) -> None:
    """Add flights on a pair of airports, and the lane when it is new."""
    km = float(great_circle_km(*point[start], *point[end]))
    row = lane_row(f"{start}-A", f"{end}-A", "air", km + _EXTRA_KM, km)
    offer.run(row, trip_frame(row["lane_id"], vehicle, minutes, block_min(km, vehicle, rules)))


def block_min(km: float, vehicle_id: str, rules: Rules) -> int:
    """Minutes from gate to gate over a great-circle distance."""
    speed = dict(read_source("rules/vehicles.csv").select("vehicle_id", "speed_kmh").iter_rows())[vehicle_id]
    return int(np.ceil(km / speed * 60.0 + rules.block_extra_min))


def _add_freighters(
    offer: Offer, point: Mapping, served: Mapping, far_items: np.ndarray, size: Size, rules: Rules
) -> None:
    """One rotation a night for every domestic aircraft of each base, shared out by the far items of each airport.

    At a hub-and-spoke base aircraft come in around 01:00 and leave from 04:00; at the others they leave from 00:30 and
    come back by morning.
    """
    weight = {iata: sum(far_items[row] for row, _ in rows) for iata, rows in served.items()}
    for base in read_source("rules/freighter_bases.csv").iter_rows(named=True):
        reach = {
            iata: float(great_circle_km(*point[base["iata"]], *point[iata]))
            for iata in sorted(point)
            if iata != base["iata"]
        }
        spokes = [
            iata
            for iata, km in reach.items()
            if rules.freighter_min_km <= km <= rules.freighter_max_km and weight[iata]
        ]
        aircraft = share_out(base[f"aircraft_{size.year}"], [weight[iata] for iata in spokes])
        for number, (iata, count) in enumerate(zip(spokes, aircraft, strict=True)):
            if not count:
                continue
            block = block_min(reach[iata], base["vehicle_id"], rules)
            waves = [(15 * step + 5 * (number % 6)) for step in range(count)]
            if base["pattern"] == "inbound-outbound":
                inward, outward = [60 - block - wave for wave in waves], [240 + wave for wave in waves]
            else:
                outward, inward = [30 + wave for wave in waves], [30 + block + 90 + wave for wave in waves]
            _fly(offer, point, iata, base["iata"], base["vehicle_id"], inward, rules)
            _fly(offer, point, base["iata"], iata, base["vehicle_id"], outward, rules)


def share_out(total: int, weights: list[float]) -> list[int]:
    """Whole shares in proportion to weights that sum to the total (largest remainder).

    >>> share_out(5, [1.0, 1.0, 2.0])
    [1, 1, 3]
    """
    exact = np.asarray(weights, float) / sum(weights) * total
    whole = np.floor(exact).astype(int)
    order = np.argsort(-(exact - whole) - 1e-12 * np.arange(len(whole))[::-1], kind="stable")
    whole[order[: total - whole.sum()]] += 1
    return whole.tolist()


def _add_shuttles(offer: Offer, cities: Cities, served: Mapping, rules: Rules) -> None:
    """Tie every airport to the centre of its own city, which others reach by line-haul; sized on its trips."""
    able = throughput(offer, rules)
    airport_city = dict(load_airports().select("iata", "city_code").iter_rows())
    codes = [centre_codes()[city] for city in cities.codes]
    for iata, rows in served.items():
        loaded, unloaded = able.get(f"{iata}-A", (0.0, 0.0))
        for row, km in rows:
            if airport_city[iata] != cities.codes[row]:
                continue
            for start, end, items in ((codes[row], f"{iata}-A", loaded), (f"{iata}-A", codes[row], unloaded)):
                carried = items * rules.shuttle_headroom
                offer.run(*shuttle_trips(start, end, km, carried, int(rules.shuttle_trips), rules))
