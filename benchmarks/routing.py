"""How fast routing is, beside the graph libraries that could do it, on the same input in the same process.

    python benchmarks/routing.py                     # all figures
    python benchmarks/routing.py --only earliest     # earliest, profile, tables, promises, pareto
    python benchmarks/routing.py --only tables --level county

Prints one JSON line per figure. Earliest arrival: 300 hubs, 120,000 random connections over two days, least connection
30 minutes, all pairs, items ready at midnight. Peers work on the time-expanded graph (a node per departure, an edge to
the next departure from the same hub and one to the first onward departure), already cut to the departures before the
last arrival that matters; building it is not counted. Each peer is tried in two ways, shortest distances and plain
reachability with the least arrival among what is reached, and counted by the faster; of the slower peers only some
sources are run. All answers are compared with ours. CPU seconds stand beside wall seconds because other work on the
machine shows in the latter only.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from types import SimpleNamespace

import igraph
import networkx
import numpy as np
import rustworkx
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order, dijkstra

from postroad.network.compile import compile_network
from postroad.network.feed import read
from postroad.routing.pareto import find_journeys
from postroad.routing.promise import promise_days
from postroad.routing.tables import build_tables
from postroad.routing.timetable import Timetable, earliest_arrival_all, profile_all

N_HUB, N_CONNECTION, MIN_CONNECTION, TIMES_FASTER = 300, 120_000, 30, 100
COMMAND = "python benchmarks/routing.py"


def clock(work: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Median wall seconds and median CPU seconds of several calls, after one that does not count."""
    work()
    walls, cpus = [], []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return statistics.median(walls), statistics.median(cpus)


def tell(
    figure: str, value: float, unit: str, bar: float | None, holds: bool | None, part: str, **more: object
) -> None:
    """Print one figure."""
    line = {"figure": figure, "value": float(f"{value:.4g}"), "unit": unit, "bar": bar, "holds": holds}
    load = round(os.getloadavg()[0], 1)
    print(json.dumps(line | {"command": f"{COMMAND} --only {part}", "load_1min": load} | more), flush=True)


def random_timetable(seed: int = 7) -> Timetable:
    """The timetable of the comparison."""
    rng = np.random.default_rng(seed)
    origin = rng.integers(0, N_HUB, N_CONNECTION)
    target = (origin + rng.integers(1, N_HUB, N_CONNECTION)) % N_HUB
    dep = np.sort(rng.integers(0, 2880, N_CONNECTION))
    arr = dep + rng.integers(60, 900, N_CONNECTION)
    columns = (origin, target, dep, arr, arr + MIN_CONNECTION, np.full(N_CONNECTION, -1))
    return Timetable(N_HUB, *(column.astype(np.int32) for column in columns))


def time_expanded(timetable: Timetable) -> SimpleNamespace:
    """Edges between departures with their minutes, the first departure of each hub, and arrivals grouped by hub."""
    n = len(timetable.dep)
    span = 1 << 20
    order = np.argsort(timetable.origin, kind="stable")
    key = timetable.origin[order].astype(np.int64) * span + timetable.dep[order]
    same = timetable.origin[order[1:]] == timetable.origin[order[:-1]]
    place = np.searchsorted(key, timetable.target.astype(np.int64) * span + timetable.ready)
    onward = np.append(order, -1)[place]
    fits = (onward >= 0) & (timetable.origin[onward] == timetable.target)
    start = np.concatenate([order[:-1][same], np.flatnonzero(fits)])
    end = np.concatenate([order[1:][same], onward[fits]])
    first = order[np.searchsorted(timetable.origin[order], np.arange(N_HUB))]
    by_target = np.argsort(timetable.target, kind="stable")
    cuts = np.searchsorted(timetable.target[by_target], np.arange(N_HUB))
    minutes = (timetable.dep[end] - timetable.dep[start]).astype(float)
    return SimpleNamespace(n=n, start=start, end=end, minutes=minutes, first=first, by_target=by_target, cuts=cuts)


def arrivals_of(timetable: Timetable, graph: SimpleNamespace, reached: np.ndarray, source: int) -> np.ndarray:
    """Least arrival at each hub among the departures reached."""
    arr = np.where(reached, timetable.arr, 32767)[graph.by_target]
    least = np.minimum.reduceat(arr, graph.cuts)
    least[source] = 0
    return least


def peers(
    timetable: Timetable, graph: SimpleNamespace, limit: float
) -> dict[str, tuple[int, Callable[[int], np.ndarray]]]:
    """What each peer does for one source, and how many sources to run."""
    # zero minutes between departures would not count as an edge to some, so all get a thousandth more
    minutes = graph.minutes + 1e-3
    matrix = csr_matrix((minutes, (graph.start, graph.end)), shape=(graph.n, graph.n))
    ig = igraph.Graph(n=graph.n, edges=np.stack([graph.start, graph.end], axis=1), directed=True)
    rx = rustworkx.PyDiGraph()
    rx.add_nodes_from(range(graph.n))
    rx.add_edges_from(list(zip(graph.start.tolist(), graph.end.tolist(), minutes.tolist(), strict=True)))
    nx = networkx.DiGraph()
    nx.add_weighted_edges_from(zip(graph.start.tolist(), graph.end.tolist(), minutes.tolist(), strict=True))
    minutes_list = minutes.tolist()

    def mask(nodes) -> np.ndarray:
        reached = np.zeros(graph.n, bool)
        reached[np.fromiter(nodes, np.int64)] = True
        return reached

    def within(distances) -> np.ndarray:
        return np.isfinite(np.asarray(distances, float))

    ways = {
        "scipy dijkstra": (30, lambda f: within(dijkstra(matrix, indices=f, limit=limit))),
        "scipy reachability": (300, lambda f: mask(breadth_first_order(matrix, f, return_predecessors=False))),
        "igraph distances": (5, lambda f: within(ig.distances(source=int(f), weights=minutes_list)[0])),
        "igraph reachability": (20, lambda f: mask(ig.subcomponent(int(f), mode="out"))),
        "rustworkx distances": (5, lambda f: mask([f, *rustworkx.dijkstra_shortest_path_lengths(rx, int(f), float)])),
        "rustworkx reachability": (20, lambda f: mask([f, *rustworkx.descendants(rx, int(f))])),
        "networkx distances": (2, lambda f: mask(networkx.single_source_dijkstra_path_length(nx, int(f)))),
        "networkx reachability": (3, lambda f: mask([f, *networkx.descendants(nx, int(f))])),
    }

    def whole(reach: Callable[[int], np.ndarray]) -> Callable[[int], np.ndarray]:
        return lambda source: arrivals_of(timetable, graph, reach(graph.first[source]), source)

    return {name: (n_source, whole(reach)) for name, (n_source, reach) in ways.items()}


def measure_earliest() -> None:
    """Earliest arrival of all pairs, ours and the peers'."""
    timetable = random_timetable()
    ours = earliest_arrival_all(timetable, 0)
    latest = int(ours[ours < np.iinfo(ours.dtype).max].max())
    needed = timetable.dep <= latest
    columns = (getattr(timetable, name)[needed] for name in ("origin", "target", "dep", "arr", "ready", "row"))
    shorter = Timetable(N_HUB, *columns)
    graph, rates = time_expanded(shorter), {}
    for name, (n_source, solve) in peers(shorter, graph, float(latest)).items():
        sources = np.linspace(0, N_HUB - 1, n_source).astype(int)
        if not all(np.array_equal(solve(int(s)), ours[:, s]) for s in sources[:5]):
            raise SystemExit(f"{name} disagrees")
        wall, _ = clock(lambda run=solve, which=sources: [run(int(s)) for s in which], 3)
        rates[name] = n_source / wall
    wall, cpu = clock(lambda: earliest_arrival_all(timetable, 0), 51)
    rate = N_HUB / wall
    best = {}
    for name, value in rates.items():
        library = name.split()[0]
        best[library] = max(best.get(library, 0.0), value)
    more = {
        "peers_sources_per_s": {name: float(f"{value:.3g}") for name, value in rates.items()},
        "cpu_s": round(cpu, 5),
    }
    size = {"size": f"{N_HUB} hubs, {N_CONNECTION} connections, two days, all pairs"}
    tell("earliest arrival", rate, "sources/s", None, None, "earliest", **size, **more)
    for library, value in best.items():
        is_bar = library == "scipy"
        holds = rate / value >= TIMES_FASTER if is_bar else None
        tell(
            f"earliest arrival, times {library}", rate / value, "", TIMES_FASTER if is_bar else None, holds, "earliest"
        )


def measure_profile() -> None:
    """Every departure of two days, all pairs."""
    timetable = random_timetable()
    wall, cpu = clock(lambda: profile_all(timetable), 7)
    size = f"{N_HUB} hubs, {N_CONNECTION} departures, all destinations"
    tell("full profile", wall, "s", 3.0, wall <= 3.0, "profile", size=size, cpu_s=round(cpu, 3))


def compile_china(level: str):
    """The shipped network over ten days about its base date."""
    network = read("china", level=level)
    return network, compile_network(network, day=network.meta.base_date, days_before=2, n_days=10)


def size_of(instance) -> str:
    """A network's size in words."""
    n_day = int(np.bincount(instance.dp_dep_min // 1440).max())
    return (
        f"{instance.n_core} core facilities, {instance.slots_per_day} slots, {len(instance.td_fac)} destinations, "
        f"{n_day} connections a day, {len(instance.lane_from)} lanes"
    )


def measure_tables(level: str) -> None:
    """Routing tables of the shipped network."""
    _, instance = compile_china(level)
    tables = build_tables(instance)
    wall, cpu = clock(lambda: build_tables(instance), 5)
    mib = sum(array.nbytes for array in (tables.next_out, tables.alt_out, tables.slots_to_go)) / 2**20
    more = {"n_tables": len(tables.next_out), "table_mib": round(mib), "cpu_s": round(cpu, 3)}
    tell("routing tables", wall, "s", 2.0, wall <= 2.0, "tables", size=size_of(instance), **more)


def measure_promises(level: str) -> None:
    """Promised days of all pairs."""
    network, instance = compile_china(level)
    tables = build_tables(instance)
    ends = np.flatnonzero(instance.fac_is_endpoint).astype(np.int32)
    n_pair = min(len(ends) ** 2, 133_150) if level == "city" else len(ends) ** 2
    release_min = np.arange(24) * 60 if level == "city" else np.array([720, 1140])
    flows = SimpleNamespace(
        origin=np.repeat(ends, len(ends))[:n_pair],
        destination=np.tile(ends, len(ends))[:n_pair],
        release_min=release_min,
    )
    parameters = network.parameters
    promises = network.tables["promises"]
    wall, cpu = clock(lambda: promise_days(instance, tables, flows, promises, parameters, day=2), 5)
    bar = 0.5 if level == "city" else 5.0
    size = f"{n_pair} pairs, {len(release_min)} releases, {len(instance.prod_id)} products"
    tell("promise table", wall, "s", bar, wall <= bar, "promises", size=size, cpu_s=round(cpu, 3))


def measure_pareto(level: str) -> None:
    """The Pareto set of one pair on the shipped network, exact and with slack."""
    _, instance = compile_china(level)
    source, goal = (instance.fac_id.index(code) for code in ("HGH", "URC"))
    for words, slack in (("exact", (0.0, 0.0)), ("slack 30 min, 2 %", (30.0, 0.02))):
        settings = {"slack_min": slack[0], "slack_share": slack[1]}
        found = find_journeys(instance, 0, source, goal, 4000, **settings)[0]
        wall, cpu = clock(lambda kw=settings: find_journeys(instance, 0, source, goal, 4000, **kw), 3)
        more = {"n_journeys": len(found), "cpu_s": round(cpu, 3), "size": size_of(instance)}
        tell(f"Pareto set HGH to URC, {words}", wall, "s", None, None, "pareto", **more)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=["earliest", "profile", "tables", "promises", "pareto"])
    parser.add_argument("--level", choices=["city", "county"], default="city")
    options = parser.parse_args()
    works = {
        "earliest": measure_earliest,
        "profile": measure_profile,
        "tables": lambda: measure_tables(options.level),
        "promises": lambda: measure_promises(options.level),
        "pareto": lambda: measure_pareto(options.level),
    }
    for name, work in works.items():
        if options.only in (None, name):
            work()


if __name__ == "__main__":
    main()
