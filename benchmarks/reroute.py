"""Measure rerouting after a hub's closure, nationwide: time to new routes, and late items in the twin.

    python benchmarks/reroute.py                                          # Zhengzhou for three days at the peak
    python benchmarks/reroute.py --scenario peak-wuhan-closed --plan peak

Plans the undisturbed day first (60 iterations). Prints JSON lines with ``figure``, ``value``, ``unit``, ``bar`` and
``holds``. Run it alone on the machine.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from postroad.study.planning import plan_day
from postroad.study.rerouting import reroute_day

SECONDS_BAR, LATE_BAR = 10.0, 0.5
SEARCH_S = 6.0


def tell(figure: str, value: float, unit: str, bar: float | None = None) -> None:
    """Print one figure; a value above its bar does not hold."""
    holds = None if bar is None else value <= bar
    print(json.dumps({"figure": figure, "value": value, "unit": unit, "bar": bar, "holds": holds}), flush=True)


def main() -> None:
    """Plan, reroute, check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", default="peak-zhengzhou-closed", help="with the disruption")
    parser.add_argument("--plan", default="peak", help="the scenario that is planned")
    parser.add_argument("--iterations", type=int, default=60, help="of the plan")
    given = parser.parse_args()
    name = given.scenario
    with tempfile.TemporaryDirectory() as place:
        plan = Path(place) / "plan"
        plan_day(given.plan, max_gap=0.0, work_limit=given.iterations, to=plan)
        reroute_day(name, plan, work_limit=1, time_limit=None)  # kernels are compiled
        day = reroute_day(name, plan, time_limit=SEARCH_S, check=True)
    tell(f"{name}: new routes", round(day.seconds, 2), "s", SECONDS_BAR)
    tell(f"{name}: iterations", day.rerouted.n_iterations, "iterations")
    tell(f"{name}: extra trips", day.rerouted.reserve.n_trips, "a day")
    tell(f"{name}: extra trips and sorting", round(day.rerouted.reserve.yuan_per_day), "yuan a day")
    tell(f"{name}: trips to catch up", day.after.reserves[1].n_trips, "on the day after")
    tell(f"{name}: trips to catch up cost", round(day.after.reserves[1].yuan_per_day), "yuan")
    rows = {row["case"]: row for row in day.check.iter_rows(named=True)}
    static, new = rows["plan"], rows["rerouted"]
    parts = {
        "late": "n_extra",
        "late, from or to the place": "n_extra_here",
        "late, accepted before": "n_extra_earlier",
    }
    for part, column in parts.items():
        tell(f"{name}: {part}, plan as it stands", static[column], "items")
        tell(f"{name}: {part}, rerouted", new[column], "items")
    others = [row["n_extra"] - row["n_extra_here"] - row["n_extra_earlier"] for row in (static, new)]
    tell(f"{name}: late, all others, rerouted over plan", round(others[1] / max(others[0], 1), 4), "share")
    tell(f"{name}: late, rerouted over plan", round(new["n_extra"] / max(static["n_extra"], 1), 4), "share", LATE_BAR)
    tell(f"{name}: late, with as much room as wanted", rows["most"]["n_extra"], "items")
    tell(f"{name}: left at the end", new["n_left"], "items", 0)


if __name__ == "__main__":
    main()
