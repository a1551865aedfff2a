"""Plan a surge nationwide: the share that the twin confirms, and how far the cost may be from the least.

    python benchmarks/surge.py                       # the peak day on the network of 2023, to 80 % within 72 hours

Prints JSON lines with ``figure``, ``value``, ``unit``, ``bar`` and ``holds``. Run it alone on the machine.
"""

from __future__ import annotations

import argparse
import json
from time import perf_counter

from postroad.study.surging import plan_surge_day


def tell(figure: str, value: float, unit: str, bar: float | None = None, *, holds: bool | None = None) -> None:
    """Print one figure."""
    print(json.dumps({"figure": figure, "value": value, "unit": unit, "bar": bar, "holds": holds}), flush=True)


def main() -> None:
    """Plan and tell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", default="peak-on-2023")
    parser.add_argument("--share", type=float, default=0.8, help="within 72 hours, of the time-limit test's items")
    given = parser.parse_args()
    start, name = perf_counter(), given.scenario
    plan = plan_surge_day(name, target=given.share)
    tell(f"{name}: surge plan found after", round(perf_counter() - start), "s")
    for row in plan.tries.iter_rows(named=True):
        case = row["case"] if row["haste"] is None else f"haste {row['haste']:.2g}"
        tell(f"{name}: within 72 h, {case}", round(row["share"], 4), "share")
    tell(
        f"{name}: within 72 h in the twin", round(plan.share, 4), "share", given.share, holds=plan.share >= given.share
    )
    tell(f"{name}: cost on the day", round(plan.yuan), "yuan")
    tell(f"{name}: no choice costs less than", round(plan.bound_yuan), "yuan", holds=plan.bound_yuan <= plan.yuan)
    tell(f"{name}: gap", round(plan.gap, 4), "share")
    tell(f"{name}: cost on all days", round(plan.week_yuan), "yuan")


if __name__ == "__main__":
    main()
