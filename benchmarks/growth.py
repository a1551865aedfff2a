"""How time and memory grow with days, trips and centres, on the national network.

    python benchmarks/growth.py                # about ten minutes
    python benchmarks/growth.py --only days    # days, trips, centres

Prints one JSON line per run, each in a process of its own so that its memory is its own. Days: the peak day alone and
in 3, 5 and 7 days of release. Trips: the peak day with every trip, a half and a quarter of them, of vehicles so many
times as large. Centres: the same items through the network of the 100 and 200 cities that send most, whose centres
serve the others too, of all cities, and of all cities and counties.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from dataclasses import replace

import numpy as np
import polars as pl

from postroad.core.progress import Silent
from postroad.demand.marginals import read_marginals
from postroad.measure.record import measure_record
from postroad.network.feed import Network
from postroad.network.scenario import Scenario
from postroad.network.scenariofile import load_scenario
from postroad.study.execution import execute

CASES = {
    "days": [{"days": 1}, {"days": 3}, {"days": 5}, {"days": 7}],
    "trips": [{"thin": 4}, {"thin": 2}, {"thin": 1}],
    "centres": [{"cities": 100}, {"cities": 200}, {"cities": 372}, {"level": "county"}],
}


def thin_trips(network: Network, times: int) -> Network:
    """Every n-th trip of the single-leg ones, with n times the vehicles."""
    trips = network.tables["trips"]
    is_single = pl.col("lane_id").is_not_null() & (pl.col("lane_id") != "")
    number = pl.int_range(pl.len()).over("lane_id", "service_id")
    fewer = (
        trips.filter(is_single)
        .filter(number % times == 0)
        .with_columns(n_vehicles=(pl.col("n_vehicles") * times).cast(trips.schema["n_vehicles"]))
    )
    tables = dict(network.tables) | {"trips": pl.concat([fewer, trips.filter(~is_single)])}
    return Network.from_tables(network.meta, tables)


def largest_cities(network: Network, n_city: int) -> Network:
    """The network of the cities that send most, of the hubs and of places that no road reaches; the centres of the
    others are closed and their areas served by the centre that they exchange most trips with."""
    marginals = read_marginals()
    order = np.argsort(-marginals.origin_items)
    large = {str(marginals.city_code[row]) for row in order[:n_city]}
    facilities = network.tables["facilities"]
    lanes, trips = network.tables["lanes"], network.tables["trips"]
    small = facilities.filter((pl.col("kind") == "sorting") & ~pl.col("place_id").is_in(large))
    centres = facilities.filter(pl.col("kind").is_in(["hub", "sorting"]))
    by_trips = (
        trips.select("lane_id")
        .join(lanes.select("lane_id", "from_facility", "to_facility", "mode"), on="lane_id")
        .filter(pl.col("mode") == "road")
        .filter(~pl.col("to_facility").is_in(small["facility_id"].implode()))
        .filter(pl.col("to_facility").is_in(centres["facility_id"].implode()))
        .group_by("from_facility", "to_facility")
        .len()
        .sort("len", "to_facility", descending=True)
        .unique("from_facility", keep="first", maintain_order=True)
    )
    heir = dict(by_trips.select("from_facility", "to_facility").iter_rows())
    closed = [facility for facility in small["facility_id"] if facility in heir]
    places = facilities.filter(pl.col("facility_id").is_in(closed))["place_id"].to_list()
    kept = facilities.filter(~pl.col("place_id").is_in(places))["facility_id"].to_list()
    tables = dict(network.tables)
    tables["facilities"] = facilities.filter(pl.col("facility_id").is_in(kept))
    tables["windows"] = tables["windows"].filter(pl.col("facility_id").is_in(kept))
    tables["service_areas"] = tables["service_areas"].with_columns(
        facility_id=pl.col("facility_id").replace(heir | {facility: facility for facility in kept})
    )
    tables["lanes"] = lanes.filter(pl.col("from_facility").is_in(kept) & pl.col("to_facility").is_in(kept))
    calls = tables["calls"].filter(pl.col("facility_id").is_in(kept))
    calls = calls.filter(pl.len().over("trip_id") > 1)
    tables["calls"] = calls.with_columns(seq=pl.int_range(pl.len()).over("trip_id").cast(calls.schema["seq"]))
    on_lane = pl.col("lane_id").is_in(tables["lanes"]["lane_id"].implode())
    tables["trips"] = trips.filter(on_lane | pl.col("trip_id").is_in(calls["trip_id"].unique().implode()))
    return Network.from_tables(network.meta, tables)


def prepare(days: int, thin: int, cities: int, level: str) -> Scenario:
    """The peak day on a network of some size."""
    scenario = load_scenario("peak", level=level)
    around = (days - 1) // 2
    network = scenario.network
    if thin > 1:
        network = thin_trips(network, thin)
    if cities < 372:
        network = largest_cities(network, cities)
    return replace(scenario, network=network, days_before=around, days_after=days - 1 - around)


def measure(case: dict[str, object]) -> None:
    """One run, after one on the tiny network that compiles what is not yet compiled."""
    execute(load_scenario("tiny"), progress=Silent())
    size = {"days": 1, "thin": 1, "cities": 372, "level": "city"} | case
    done = execute(prepare(**size), progress=Silent())
    measure_record(done.record)
    steps = {name: round(seconds, 2) for name, seconds in done.wall_s.items()}
    counts, instance = done.result.counts, done.instance
    exact = counts.created == counts.delivered + counts.returned + counts.lost + counts.in_custody
    line = {
        **size, "facilities": instance.n_fac, "pairs": done.flows.n_pair,
        "departures_a_day": int(np.bincount(instance.dp_dep_min // 1440).max()), "moves": done.result.n_moves,
        "wall_s": round(sum(done.wall_s.values()), 1), "steps": steps,
        "memory_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2), "exact": bool(exact.all()),
    }  # fmt: skip
    print(json.dumps(line), flush=True)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=list(CASES))
    parser.add_argument("--case", help="one case as JSON, in this process")
    options = parser.parse_args()
    if options.case:
        measure(json.loads(options.case))
        return
    for name, cases in CASES.items():
        if options.only in (None, name):
            for case in cases:
                subprocess.run([sys.executable, __file__, "--case", json.dumps(case)], check=True)


if __name__ == "__main__":
    main()
