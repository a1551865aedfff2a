"""How long the flow planner takes, beside HiGHS on the same problem as one linear programme.

    python benchmarks/flow_peers.py                                  # about half an hour
    python benchmarks/flow_peers.py --sizes 2:40 --solvers simplex ipm
    python benchmarks/flow_peers.py --scenario peak --sizes 8:all --time-limit 3600
    python benchmarks/flow_peers.py --json                           # one JSON line per row, not a table

Instances are cut out of a shipped scenario by ``postroad.flow.cutting.cut_down``: the busiest destinations, the
facilities that sort most of what is bound for them (``all``: every one), and capacities in proportion, so that what is
crowded in the large problem is as crowded in the small one. HiGHS runs its simplex, its interior point method without
crossover, and PDLP, on all the threads it takes by itself, with its own tolerances; building the model is not counted.
What any solver answers is counted again by ``postroad.flow.evaluate``: *cost* is what its flows cost there, *gap* how
far that is above the *bound* that its own prices prove, *faults* the limits that its flows miss by more than the
tolerance.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator

from flow_lp import SOLVERS, build_lp, scenario_problem, solve_lp

from postroad.flow.cutting import cut_down
from postroad.flow.evaluate import Score, evaluate
from postroad.flow.plan import plan_flow
from postroad.flow.problem import FlowProblem

SIZES = ("2:40", "4:60", "8:80", "16:120")
COLUMNS = {
    "instance": 12, "rows": 10, "columns": 10, "nonzeros": 10, "solver": 8, "seconds": 9, "optimum": 16, "status": 20,
    "cost": 16, "bound": 16, "gap": 10, "given_up": 12, "faults": 0,
}  # fmt: skip


def planner_row(problem: FlowProblem, max_gap: float, time_limit_s: float) -> dict[str, object]:
    """The planner's row, its plan and its prices counted as the peers' are."""
    start = time.perf_counter()
    plan = plan_flow(problem, max_gap=max_gap, time_limit=time_limit_s, route=False)
    seconds = time.perf_counter() - start
    market, loading = plan.market, plan.loading
    leg_prices = (plan.prices * market.yuan)[: market.n_ride]
    flows = loading.ride_flow, loading.sort_flow, loading.given_up
    score = evaluate(problem, *flows, leg_prices, market.sort_prices(plan.prices))
    return {"solver": "planner", "seconds": seconds, "status": plan.stop} | figures(score)


def figures(score: Score) -> dict[str, object]:
    """What a row says of a score."""
    return {
        "cost": score.cost_yuan,
        "bound": score.bound_yuan,
        "gap": score.gap,
        "given_up": score.n_given_up,
        "faults": " ".join(score.faults),
    }


def solver_rows(problem: FlowProblem, solvers: list[str], time_limit_s: float) -> Iterator[dict[str, object]]:
    """A row for each of the peers."""
    lp = build_lp(problem)
    size = {"rows": lp.matrix.shape[0], "columns": lp.matrix.shape[1], "nonzeros": lp.matrix.nnz}
    for solver in solvers:
        answer = solve_lp(lp, solver, time_limit_s)
        score = evaluate(
            problem, answer.ride_flow, answer.sort_flow, answer.given_up, answer.leg_prices, answer.sort_prices
        )
        yield (
            size
            | {
                "solver": solver,
                "seconds": answer.seconds,
                "status": answer.status,
                "optimum": answer.objective,
            }
            | figures(score)
        )


def text_of(value: object) -> str:
    """A cell of the table."""
    if not isinstance(value, float):
        return "" if value is None else str(value)
    return f"{value:.1e}" if abs(value) < 0.01 else f"{value:,.2f}"


def show(row: dict[str, object], as_json: bool) -> None:
    """Print a row."""
    if as_json:
        print(
            json.dumps(
                {"figure": f"flow {row['instance']} {row['solver']}", "value": row["seconds"], "unit": "s"} | row
            )
        )
    else:
        print("  ".join(text_of(row.get(name)).rjust(width) for name, width in COLUMNS.items()), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", default="normal-2023")
    parser.add_argument("--sizes", nargs="+", default=SIZES, help="destinations:facilities, the latter may be 'all'")
    parser.add_argument("--room", type=float, default=2.0, help="times the proportion that capacities keep")
    parser.add_argument("--solvers", nargs="*", default=list(SOLVERS), choices=list(SOLVERS))
    parser.add_argument("--time-limit", type=float, default=600.0, help="seconds for each solver on each instance")
    parser.add_argument("--max-gap", type=float, default=0.005, help="at which the planner may stop")
    parser.add_argument("--peers-only", action="store_true", help="without the planner")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    whole = scenario_problem(arguments.scenario)
    if not arguments.json:
        print("  ".join(name.rjust(width) for name, width in COLUMNS.items()))
    for size in arguments.sizes:
        destinations, facilities = size.split(":")
        n_facilities = None if facilities == "all" else int(facilities)
        problem = cut_down(whole, int(destinations), n_facilities, room=arguments.room)
        if not arguments.peers_only:
            own = planner_row(problem, arguments.max_gap, arguments.time_limit)
            show({"instance": size} | own, arguments.json)
        for row in solver_rows(problem, arguments.solvers, arguments.time_limit):
            show({"instance": size} | row, arguments.json)


if __name__ == "__main__":
    main()
