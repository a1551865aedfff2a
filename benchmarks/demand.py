"""How long the demand takes: the fit, one national day by city and by county, and the rounding kernels.

    python benchmarks/demand.py                  # cities
    python benchmarks/demand.py --level county   # 2,978 counties, needs 2 GiB

Prints one JSON line per figure. CPU seconds stand beside wall seconds, because other work on the machine shows in the
latter only.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time
from collections.abc import Callable

import numpy as np

from postroad.demand.build import flows_for
from postroad.demand.distances import read_distances
from postroad.demand.gravity import fit_gravity
from postroad.demand.marginals import read_marginals
from postroad.kernels.rounding import apportion, round_table
from postroad.network.compile import compile_network
from postroad.network.feed import read

PEAK_ITEMS = 1_200_000_000


def report(figure: str, value: float, unit: str, **more: object) -> None:
    """Print one figure."""
    print(json.dumps({"figure": figure, "value": round(value, 4), "unit": unit, **more}))


def measure(figure: str, call: Callable[[], object], n_runs: int, **more: object) -> None:
    """Print the median wall and CPU seconds of a call; its first run, which compiles kernels, is not counted."""
    call()
    walls, cpus = [], []
    for _ in range(n_runs):
        wall, cpu = time.perf_counter(), time.process_time()
        call()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    report(figure, statistics.median(walls), "s", cpu_s=round(statistics.median(cpus), 4), **more)


def fit_afresh() -> None:
    """Read the marginals and distances and fit beta, as the first use in a process does."""
    for kept in (read_marginals, read_distances, fit_gravity):
        kept.cache_clear()
    fit_gravity()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--level", choices=("city", "county"), default="city")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    measure("fit_s", fit_afresh, options.runs, beta=fit_gravity().beta)
    report("city_pairs", float((fit_gravity().items > 0).sum()), "count")
    rng = np.random.default_rng(7)
    for n in (372, 2978):
        sent, received = (apportion(rng.lognormal(0, 1.5, n), PEAK_ITEMS, np.uint64(side)) for side in (1, 2))
        table = np.outer(sent, received / PEAK_ITEMS)
        measure("round_table_s", lambda table=table: round_table(table, np.uint64(3)), options.runs, cells=n * n)
    network = read("china-2025", level=options.level)
    instance = compile_network(network, day=network.meta.base_date, n_days=2)
    flows = flows_for(instance, network, np.array([PEAK_ITEMS]), seed=7)
    groups = len(flows.release_min) * flows.n_prod * flows.n_pair
    size = {"level": options.level, "pairs": flows.n_pair, "groups": groups}
    measure("pairs_s", lambda: flows.day_counts.pair_table(0), options.runs, **size)
    measure("day_s", lambda: flows.day_counts(0), options.runs, **size)
    report("peak_memory", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, "GiB", **size)


if __name__ == "__main__":
    main()
