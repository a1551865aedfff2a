"""Measure the flow plan of national days: gap against time, memory, the second account's verdict.

    python benchmarks/flow.py                     # the normal day of 2023 and the peak day, 1 % in two minutes
    python benchmarks/flow.py --limit 900         # 0.3 % in fifteen
    python benchmarks/flow.py --scenario tiny

Prints JSON lines with ``figure``, ``value``, ``unit``, ``bar`` and ``holds``. ``flow_peers.py`` beside it holds
cut-down instances against HiGHS. Run it alone on the machine.
"""

from __future__ import annotations

import argparse
import json
import resource
import time

from postroad.study.planning import plan_day

BARS = {120.0: 0.01, 900.0: 0.003}
"""Largest gap allowed by seconds given."""

MEMORY_BAR_GIB = 12.0


def tell(figure: str, value: float, unit: str, bar: float | None, holds: bool | None) -> None:
    """Print one figure."""
    print(json.dumps({"figure": figure, "value": value, "unit": unit, "bar": bar, "holds": holds}), flush=True)


def measure(scenario: str, limit_s: float) -> None:
    """Plan one day in some time and tell what came of it."""
    bar = BARS.get(limit_s)
    start = time.perf_counter()
    planned = plan_day(scenario, max_gap=bar or 0.0, time_limit=limit_s)
    wall, plan, score = time.perf_counter() - start, planned.plan, planned.score
    name = f"{scenario}, seed {planned.scenario.seed}, {limit_s:.0f} s"
    searched = plan.history[-1][1]
    tell(f"{name}: gap", round(plan.gap, 5), "share", bar, bar is None or plan.gap <= bar)
    tell(f"{name}: search", round(searched, 1), "s", limit_s * 1.05, searched <= limit_s * 1.05)
    tell(f"{name}: iterations ({plan.stop})", plan.n_iterations, "iterations", None, None)
    tell(f"{name}: cost", round(plan.cost_yuan), "yuan", None, None)
    tell(f"{name}: bound", round(plan.bound_yuan), "yuan", None, None)
    tell(f"{name}: cost of the second account", round(score.cost_yuan), "yuan", None, not score.faults)
    tell(f"{name}: not carried", round(plan.loading.n_given_up, 1), "items", None, None)
    tell(f"{name}: with network, demand and tables", round(wall, 1), "s", None, None)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    tell(f"{name}: memory", round(peak, 2), "GiB", MEMORY_BAR_GIB, peak <= MEMORY_BAR_GIB)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", action="append", help="which; may be given more than once")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds for each")
    given = parser.parse_args()
    plan_day("tiny", work_limit=2)  # kernels are compiled
    for scenario in given.scenario or ("normal-2023", "peak"):
        measure(scenario, given.limit)


if __name__ == "__main__":
    main()
