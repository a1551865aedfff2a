"""How fast the twin is: single items beside SimPy and Ciw, and the national peak day and week.

    python benchmarks/twin.py                        # all figures, about ten minutes
    python benchmarks/twin.py --only items           # items, day, week, county, threads
    python benchmarks/twin.py --only items --items 2e4

Prints one JSON line per figure. Items: a line of six stations; items of two priorities and several promise days join
the first and leave from the last; every station sorts so many in half an hour, higher classes first, and a vehicle of
limited capacity leaves for the next station every half hour. SimPy runs the same rules on the same items, and every
item leaves at the same minute as with us. Ciw knows no vehicles: it gets the same items, stations and priorities and is
spared the rest. The nation: the shipped scenario ``peak`` at city level, its day alone and with the days around it, and
its day by county. Counted are compilation of the network, routing tables, promises, the twin with its demand made day
by day, and the standard measures; reading and checking the feed are not, nor is the first compilation of the kernels.
CPU seconds stand beside wall seconds because other work on the machine shows in the latter only.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import replace

import ciw
import numba
import numpy as np
import polars as pl
import simpy

from postroad.core.progress import Silent
from postroad.demand.items import Items
from postroad.measure.record import measure_record
from postroad.network.compile import compile_network
from postroad.network.feed import read
from postroad.network.instance import Instance
from postroad.network.scenariofile import load_scenario
from postroad.routing.tables import build_tables
from postroad.study.execution import Execution, execute
from postroad.twin.parameters import TwinParameters
from postroad.twin.simulation import simulate

COMMAND = "python benchmarks/twin.py"
N_STATION, SLOT_MIN, DAY_MIN, DAYS = 6, 30, 1440, 4
ITEMS_BAR, SIMPY_RATE, CIW_RATE = 300_000, 21_700, 7_500
DAY_BAR_S, WEEK_BAR_S, COUNTY_BAR_S = 20.0, 60.0, 300.0
CITY_BAR_GIB, COUNTY_BAR_GIB = 8.0, 16.0
COUNTED = ("compile", "demand", "route", "promise", "simulate", "measure")
GROUPS = ((), ("product",), ("destination_region",), ("release_hour",), ("pair",))


def tell(
    figure: str, value: float, unit: str, bar: float | None, holds: bool | None, part: str, **more: object
) -> None:
    """Print one figure."""
    line = {"figure": figure, "value": float(f"{value:.4g}"), "unit": unit, "bar": bar, "holds": holds}
    load = round(os.getloadavg()[0], 1)
    print(json.dumps(line | {"command": f"{COMMAND} --only {part}", "load_1min": load} | more), flush=True)


def clock(work: Callable[[], object]) -> tuple[object, float, float]:
    """The answer, wall seconds and CPU seconds of a call."""
    wall, cpu = time.perf_counter(), time.process_time()
    answer = work()
    return answer, time.perf_counter() - wall, time.process_time() - cpu


# the line of six stations


def frame(like: pl.DataFrame, rows: list[dict]) -> pl.DataFrame:
    """Rows as a table of the feed; what is not given is null."""
    return pl.DataFrame([{name: row.get(name) for name in like.columns} for row in rows], schema=like.schema)


def make_line(n_items: int) -> Instance:
    """Six stations in a line whose sorting and vehicles take about a tenth more than what comes in half an hour."""
    tiny = read("tiny")
    tables, usual = tiny.tables, n_items * SLOT_MIN // (2 * DAY_MIN)
    places = [
        {"place_id": f"C{i}", "kind": "city", "name": f"C{i}", "lon": 110.0 + i, "lat": 30.0} for i in range(N_STATION)
    ]
    stations = [
        {"facility_id": f"S{i}", "kind": "sorting", "name": f"S{i}", "place_id": f"C{i}", "lon": 110.0 + i, "lat": 30.0,
         "sort_items_per_h": 2 * int(usual * (1.2 - 0.02 * i)), "origin_min": 0, "handling_min": 10, "dest_min": 0}
        for i in range(N_STATION)
    ]  # fmt: skip
    lanes = [
        {"lane_id": f"L{i}", "from_facility": f"S{i}", "to_facility": f"S{i + 1}", "mode": "road", "distance_km": 50.0}
        for i in range(N_STATION - 1)
    ]
    vehicle = {"vehicle_id": "V", "mode": "road", "max_items": int(usual * 1.15), "speed_kmh": 60.0}
    trips = [
        {"trip_id": f"T{i}-{minute}", "lane_id": f"L{i}", "vehicle_id": "V", "service_id": "daily",
         "depart": minute + 5 + i, "arrive": minute + 50 + 3 * i, "n_vehicles": 1}
        for i in range(N_STATION - 1) for minute in range(0, DAY_MIN, SLOT_MIN)
    ]  # fmt: skip
    waves = [
        {"facility_id": "S5", "kind": "delivery_wave", "start": f"{minute // 60:02d}:{minute % 60:02d}"}
        for minute in range(0, DAY_MIN, SLOT_MIN)
    ]
    areas = [
        {"facility_id": f"S{i}", "place_id": f"C{i}", "collects": True, "delivers": True} for i in range(N_STATION)
    ]
    made = {"places": places, "facilities": stations, "lanes": lanes, "vehicles": [vehicle], "trips": trips,
            "windows": waves, "service_areas": areas, "transfers": [], "calls": [], "restrictions": [],
            "disruptions": [], "demand": []}  # fmt: skip
    network = tiny.with_tables(**{name: frame(tables[name], rows) for name, rows in made.items()})
    return compile_network(network, day=network.meta.base_date, n_days=14)


def make_items(n_items: int, instance: Instance) -> Items:
    """Items over two days, more by day than by night, of two priorities and four promise days."""
    rng = np.random.default_rng(7)
    day, share = rng.integers(0, 2, n_items), rng.beta(2, 2, n_items)
    accepted = np.sort((day + share) * DAY_MIN).astype(np.int32)
    product = (rng.random(n_items) < 0.7).astype(np.int8)
    ends = (np.zeros(n_items, np.int32), np.full(n_items, N_STATION - 1, np.int32))
    promise = (accepted // DAY_MIN + rng.integers(1, 5, n_items)).astype(np.int16)
    return Items(*ends, product, accepted, promise, instance.prod_g[product], instance.prod_cm3[product], traced=False)


def ours(instance: Instance, items: Items):
    """The twin on the line, everyone at home; tables are made before the clock starts."""
    tables = build_tables(instance)
    shares = np.array([1.0] + [0.0] * 7)
    parameters = TwinParameters(1.0, 1.0, 1, 0, 24.0 * 14, shares, np.full(len(instance.prod_id), 1320, np.int32))
    return lambda: simulate(instance, tables, items, None, parameters, measured_days=(0, 1))[0]


def stations_in_simpy(instance: Instance, items: Items) -> Callable[[], np.ndarray]:
    """The same rules in SimPy: every item is a process that waits for its turn; gives the minute at which it leaves."""
    n_slots = instance.n_slots
    sort_cap = instance.sort_cap[:N_STATION].tolist()
    lane = instance.cn_lane[instance.dp_cn]
    runs = [np.flatnonzero(lane == i) for i in range(N_STATION - 1)]
    ready = (instance.dp_ready_slot * SLOT_MIN).tolist()
    room = instance.leg_cap_items[instance.cn_leg_first[instance.dp_cn]].tolist()
    leaves = instance.dp_dep_min.tolist()
    joins = (-(-items.accepted_min // SLOT_MIN) * SLOT_MIN).tolist()
    ranks = (items.product * 64 + items.promise_day).tolist()

    def run() -> np.ndarray:
        env, out, left = simpy.Environment(), [0] * len(joins), [len(joins)]
        halls = [defaultdict(deque) for _ in range(N_STATION)]
        yards = [defaultdict(deque) for _ in range(N_STATION - 1)]

        def travel(number: int, rank: int):
            yield env.timeout(joins[number])
            for station in range(N_STATION):
                turn = env.event()
                halls[station][rank].append(turn)
                yield turn
                if station < N_STATION - 1:
                    turn = env.event()
                    yards[station][rank].append(turn)
                    departure = yield turn
                    yield env.timeout(ready[departure] - env.now)
            out[number] = int(env.now)
            left[0] -= 1

        def serve(queues: dict[int, deque], most: int, value: object = None) -> None:
            for rank in sorted(queues):
                queue = queues[rank]
                while queue and most:
                    queue.popleft().succeed(value)
                    most -= 1

        def work(station: int):
            for slot in range(n_slots):
                yield env.timeout(slot * SLOT_MIN + 0.5 - env.now)
                serve(halls[station], sort_cap[station][slot])
                if not left[0]:
                    return

        def drive(station: int):
            for departure in runs[station].tolist():
                yield env.timeout(leaves[departure] + 0.6 - env.now)
                serve(yards[station], room[departure], departure)
                if not left[0]:
                    return

        for number, rank in enumerate(ranks):
            env.process(travel(number, rank))
        for station in range(N_STATION):
            env.process(work(station))
        for station in range(N_STATION - 1):
            env.process(drive(station))
        env.run()
        return np.array(out)

    return run


def stations_in_ciw(instance: Instance, items: Items) -> Callable[[], int]:
    """Six stations and two priorities in Ciw, without vehicles; gives the number of items that left."""
    n = len(items.origin)
    service = [SLOT_MIN / int(instance.sort_cap[i, 0]) for i in range(N_STATION)]
    arrivals = {}
    for product in (0, 1):
        gaps = np.diff(items.accepted_min[items.product == product], prepend=0).astype(float).tolist()
        arrivals[f"P{product}"] = [ciw.dists.Sequential([*gaps, float("inf")]), *[None] * (N_STATION - 1)]
    line = np.eye(N_STATION, k=1).tolist()
    network = ciw.create_network(
        arrival_distributions=arrivals,
        service_distributions={name: [ciw.dists.Deterministic(value) for value in service] for name in arrivals},
        number_of_servers=[1] * N_STATION,
        priority_classes={"P0": 0, "P1": 1},
        routing=dict.fromkeys(arrivals, line),
    )

    def run() -> int:
        simulation = ciw.Simulation(network)
        simulation.simulate_until_max_customers(n, method="Finish")
        return n

    return run


def leaving_times(items: Items, journeys) -> np.ndarray:
    """Accepted, product, promised and left, one row an item in their order: int64 (n, 4)."""
    rows = np.stack(
        [journeys.accepted_min, journeys.product_idx, journeys.promise_min // DAY_MIN, journeys.out_min], axis=1
    ).astype(np.int64)
    rows = np.repeat(rows, journeys.n_items, axis=0)
    return rows[np.lexsort(rows.T[::-1])]


def measure_items(n_items: int) -> None:
    """Single items through six stations: ours, SimPy, Ciw."""
    instance = make_line(n_items)
    items = make_items(n_items, instance)
    run = ours(instance, items)
    run()
    walls, cpus = [], []
    for _ in range(5):
        result, wall, cpu = clock(run)
        walls.append(wall)
        cpus.append(cpu)
    wall, cpu = statistics.median(walls), statistics.median(cpus)
    size = {"size": f"{n_items} items, {N_STATION} stations, 2 priorities, {len(instance.dp_cn)} departures"}
    out, theirs_wall, theirs_cpu = clock(stations_in_simpy(instance, items))
    theirs = np.stack([items.accepted_min, items.product, items.promise_day, out], axis=1).astype(np.int64)
    same = bool(np.array_equal(leaving_times(items, result.journeys), theirs[np.lexsort(theirs.T[::-1])]))
    more = {"cpu_s": round(cpu, 3), "peak_waiting": int(result.backlog_in.max()), "n_moves": result.n_moves}
    rate = n_items / wall
    tell("twin, single items", rate, "items/s", ITEMS_BAR, rate >= ITEMS_BAR, "items", **size, **more)
    tell("twin, single items, as SimPy item by item", float(same), "", 1, same, "items", **size)
    rates = {"SimPy": (n_items / theirs_wall, theirs_cpu, SIMPY_RATE)}
    n_left, ciw_wall, ciw_cpu = clock(stations_in_ciw(instance, items))
    rates["Ciw"] = (n_left / ciw_wall, ciw_cpu, CIW_RATE)
    for name, (theirs_rate, their_cpu, known) in rates.items():
        noted = {"cpu_s": round(their_cpu, 2), "known_items_per_s": known, "ratio": float(f"{rate / theirs_rate:.3g}")}
        tell(f"{name}, single items", theirs_rate, "items/s", None, None, "items", **size, **noted)


# the nation


def run_nation(days: int, level: str, threads: int = 2) -> tuple[Execution, float, float, dict[str, float]]:
    """The peak day, alone or in the week around it, with its measures; wall and CPU seconds of what counts, by step."""
    scenario = load_scenario("peak", level=level)
    around = (days - 1) // 2
    scenario = replace(scenario, days_before=around, days_after=days - 1 - around)
    wall, cpu = time.perf_counter(), time.process_time()
    done = execute(scenario, measured_days=tuple(range(days)), threads=threads, progress=Silent())
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    record = done.record
    _, standard, _ = clock(lambda: [measure_record(record, by=by) for by in GROUPS])
    steps = {name: round(seconds, 2) for name, seconds in done.wall_s.items()} | {"standard set": round(standard, 2)}
    return done, sum(done.wall_s[name] for name in COUNTED) + standard, cpu, steps


def peak_gib() -> float:
    """Most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def measure_nation(part: str, days: int, level: str, bar_s: float, bar_gib: float) -> None:
    """One national run: its time against the bar, and the memory of the process so far."""
    execute(load_scenario("tiny"), progress=Silent())
    done, wall, cpu, steps = run_nation(days, level)
    result, instance = done.result, done.instance
    n_groups = sum(int((done.flows.day_counts(day) > 0).sum()) for day in range(days))
    counts = result.counts
    conserved = bool((counts.created == counts.delivered + counts.returned + counts.lost + counts.in_custody).all())
    size = {
        "items": int(counts.created[-1]), "groups": n_groups, "pairs": done.flows.n_pair, "facilities": instance.n_fac,
        "departures_a_day": int(np.bincount(instance.dp_dep_min // DAY_MIN).max()), "n_hours": result.n_hours,
        "moves": result.n_moves, "journeys": len(result.journeys), "conserved": conserved,
    }  # fmt: skip
    tell(f"nation, {part}", wall, "s", bar_s, wall <= bar_s, part, cpu_s=round(cpu, 1), steps=steps, **size)
    tell(f"nation, {part}, memory", peak_gib(), "GiB", bar_gib, peak_gib() <= bar_gib, part)


def measure_threads() -> None:
    """The peak day twice, on one and on two threads: byte by byte the same."""
    digests = []
    for threads in (1, 2):
        numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
        digests.append(run_nation(1, "city", threads)[0].result_digest)
    same = digests[0] == digests[1]
    tell("nation, day, same on 1 and 2 threads", float(same), "", 1, same, "threads", digests=digests)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["items", "day", "week", "county", "threads"])
    parser.add_argument("--items", type=float, default=1e5)
    options = parser.parse_args()
    works = {
        "items": lambda: measure_items(int(options.items)),
        "day": lambda: measure_nation("day", 1, "city", DAY_BAR_S, CITY_BAR_GIB),
        "week": lambda: measure_nation("week", 7, "city", WEEK_BAR_S, CITY_BAR_GIB),
        "county": lambda: measure_nation("county", 1, "county", COUNTY_BAR_S, COUNTY_BAR_GIB),
        "threads": measure_threads,
    }
    for name, work in works.items():
        if options.only in (None, name):
            work()


if __name__ == "__main__":
    main()
