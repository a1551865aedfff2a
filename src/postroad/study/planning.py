"""Plans of a scenario's day: made, kept in a folder, opened again."""

from __future__ import annotations

import json
import os
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from postroad.core.errors import InputError, NotFound
from postroad.core.files import writing_folder
from postroad.core.progress import Progress, Silent
from postroad.core.version import release
from postroad.demand.build import flows_for
from postroad.demand.flows import Flows
from postroad.flow.evaluate import Score, evaluate
from postroad.flow.plan import FlowPlan, plan_flow
from postroad.flow.problem import CARBON_YUAN_PER_T, FlowProblem, build_problem
from postroad.flow.report import centre_frame, leg_frame
from postroad.network.compile import compile_network, without_trips
from postroad.network.instance import Instance
from postroad.network.overlay import Overlay
from postroad.network.scenario import Scenario
from postroad.network.scenariofile import load_scenario
from postroad.routing.plan import PlannedRoutes
from postroad.routing.tables import RoutingTables, Splits, build_tables, first_rows
from postroad.study.execution import released_by_day
from postroad.study.folders import check_folder, write_facts

__all__ = ["LEAD_DAYS", "Planned", "day_flows", "lay_out", "open_prices", "open_routes", "plan_day"]

FACTS = "plan.toml"
ROUTES = "routes.parquet"
SPLITS = "splits.parquet"
LEGS = "legs.parquet"
CENTRES = "centres.parquet"
TRIPS = "cancelled.parquet"
PRICES = "prices.parquet"

LEAD_DAYS = 7
"""Days compiled before the planned one, so that trips of several days are under way."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A scenario's day that was planned.

    Attributes
    ----------
    scenario: whose day it is; its disruptions are not planned for.
    plan: the flows, bound and tables.
    score: what the second account says of them.
    folder: where it is kept; None when only in memory.
    """

    scenario: Scenario
    plan: FlowPlan
    score: Score
    folder: Path | None = None

    @property
    def routes(self) -> PlannedRoutes:
        """The policy that follows the plan."""
        return PlannedRoutes(self.plan.tables, self.plan.cancelled, self.scenario.network.digest)


def plan_day(
    scenario: Scenario | str | Path,
    *,
    seed: int | None = None,
    max_gap: float = 0.01,
    time_limit: float | None = None,
    work_limit: int | None = None,
    carbon_yuan_per_t: float = CARBON_YUAN_PER_T,
    to: Path | str | None = None,
    replace_folder: bool = False,
    threads: int = 2,
    progress: Progress | None = None,
) -> Planned:
    """Plan how the items of a scenario's day should flow, as if that day came again and again.

    Parameters
    ----------
    scenario: a scenario, the name of a shipped one, or a scenario file. Its disruptions are not planned for.
    seed: of the demand, instead of the scenario's own.
    max_gap, time_limit, work_limit: see :func:`postroad.flow.plan.plan_flow`.
    carbon_yuan_per_t: price of a tonne of CO2e.
    to: folder in which the plan is kept, written whole or not at all; None keeps it in memory only.
    threads: worker threads, 0 for as many as there are cores; the plan is the same for any number.

    Raises
    ------
    InputError: PR-S105 when the folder is there, PR-S111 when it is to be replaced and holds no plan; PR-C001 when the
        feed does not pass its check; PR-G101.
    """
    progress, threads = progress or Silent(), threads or os.cpu_count() or 1
    if to is not None:
        check_folder(Path(to), FACTS, replace=replace_folder)
    made = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
    made = made if seed is None else replace(made, seed=seed)
    progress.stage("check")
    made.network.check().raise_on_errors()
    problem = lay_out(made, carbon_yuan_per_t=carbon_yuan_per_t, progress=progress)
    plan = plan_flow(
        problem, max_gap=max_gap, time_limit=time_limit, work_limit=work_limit, threads=threads, progress=progress
    )
    progress.stage("evaluate")
    score = _evaluate(plan)
    planned = Planned(made, plan, score)
    return planned if to is None else _keep(planned, Path(to), replace_folder, progress)


def lay_out(
    scenario: Scenario,
    *,
    overlay: Overlay | None = None,
    cancelled: np.ndarray | None = None,
    flows: Flows | None = None,
    carbon_yuan_per_t: float = CARBON_YUAN_PER_T,
    progress: Progress | None = None,
) -> FlowProblem:
    """The flow problem of a scenario's day.

    Parameters
    ----------
    overlay: what holds on that day, and on those before and after; the scenario's own disruptions are not looked at.
    cancelled: int32, trips that do not run.
    flows: the scenario's demand, where it has been made before.
    """
    progress = progress or Silent()
    progress.stage("compile")
    instance = compile_network(
        scenario.network, day=scenario.day, days_before=LEAD_DAYS, n_days=2 * LEAD_DAYS + 1, overlay=overlay
    )
    if cancelled is not None:
        instance = without_trips(instance, cancelled)
    if flows is None:
        progress.stage("demand")
        flows = day_flows(scenario, instance)
    return build_problem(
        instance, flows, day=LEAD_DAYS, flow_day=scenario.days_before, carbon_yuan_per_t=carbon_yuan_per_t
    )


def day_flows(scenario: Scenario, instance: Instance) -> Flows:
    """The demand of a scenario on its compiled network, whatever the horizon."""
    return flows_for(instance, scenario.network, released_by_day(scenario), seed=scenario.seed, beta=scenario.beta)


def _evaluate(plan: FlowPlan) -> Score:
    """The second account of a plan's flows; the bound's is asked for apart, it takes a while."""
    loading = plan.loading
    return evaluate(plan.problem, loading.ride_flow, loading.sort_flow, loading.given_up)


def _keep(planned: Planned, folder: Path, replace_folder: bool, progress: Progress) -> Planned:
    """Write the plan to its folder."""
    progress.stage("keep")
    plan = planned.plan
    with writing_folder(folder, replace=replace_folder) as draft:
        write_facts(draft / FACTS, _facts(planned))
        leg_frame(plan).write_parquet(draft / LEGS)
        centre_frame(plan).write_parquet(draft / CENTRES)
        trips = plan.problem.instance.trip_id
        names = [trips[trip] if trips else str(trip) for trip in plan.cancelled.tolist()]
        pl.DataFrame({"trip_idx": plan.cancelled, "trip_id": names}).write_parquet(draft / TRIPS)
        pl.DataFrame({"bound": plan.prices, "flows": plan.plan_prices}).write_parquet(draft / PRICES)
        _write_routes(draft, plan.tables)
    return replace(planned, folder=folder)


def _facts(planned: Planned) -> dict[str, object]:
    """The plan's figures and what repeats them."""
    plan, scenario, score = planned.plan, planned.scenario, planned.score
    return {
        "scenario": scenario.name, "day": scenario.day.isoformat(), "seed": scenario.seed,
        "input_digest": scenario.digest, "network_digest": scenario.network.digest, "release": release(),
        "n_items": round(plan.problem.n_items), "cost_yuan": plan.cost_yuan, "bound_yuan": plan.bound_yuan,
        "gap": plan.gap, "stop": plan.stop, "work": plan.n_iterations,
        "carbon_yuan_per_t": plan.problem.carbon_yuan_per_t, "n_given_up": plan.loading.n_given_up,
        "n_cancelled_trips": len(plan.cancelled), "checked_cost_yuan": score.cost_yuan, "label": "modelled",
    }  # fmt: skip


def _write_routes(folder: Path, tables: RoutingTables) -> None:
    """Write what of the tables is the plan's own; the rest is made again from the network."""
    splits = tables.splits
    shape = json.dumps(tables.next_out.shape)
    columns = {"next_out": tables.next_out, "alt_out": tables.alt_out, "split": splits.number}
    flat = pa.table({name: array.ravel() for name, array in columns.items()})
    pq.write_table(flat.replace_schema_metadata({"shape": shape}), folder / ROUTES, compression="zstd")
    rows = {f"lane_{k}": splits.lanes[:, k] for k in range(splits.lanes.shape[1])}
    rows |= {f"end_{k}": splits.ends[:, k] for k in range(splits.ends.shape[1])}
    pq.write_table(pa.table(rows), folder / SPLITS, compression="zstd")


def open_routes(folder: Path | str, scenario: Scenario) -> PlannedRoutes:
    """The routes of a kept plan, for a scenario on the network that was planned.

    Raises
    ------
    NotFound: PR-S120 when the folder holds no plan.
    InputError: PR-S121 when the plan is of another network.
    """
    folder = Path(folder)
    for needed in (FACTS, ROUTES, SPLITS, TRIPS, PRICES):
        if not (folder / needed).is_file():
            raise NotFound("PR-S120", path=str(folder), missing=needed)
    facts = tomllib.loads((folder / FACTS).read_text(encoding="utf-8"))
    if facts.get("network_digest") != scenario.network.digest:
        raise InputError("PR-S121", path=str(folder), planned=facts.get("scenario", "?"), scenario=scenario.name)
    routes, rows = pq.read_table(folder / ROUTES), pq.read_table(folder / SPLITS)
    shape = tuple(json.loads(routes.schema.metadata[b"shape"]))
    next_out, alt_out, number = (routes[name].to_numpy().reshape(shape) for name in ("next_out", "alt_out", "split"))
    lanes, ends = (
        np.stack([rows[f"{name}_{k}"].to_numpy() for k in range(rows.num_columns // 2)], axis=1)
        for name in ("lane", "end")
    )
    cancelled = pq.read_table(folder / TRIPS)["trip_idx"].to_numpy()
    instance = compile_network(scenario.network, day=scenario.day, days_before=LEAD_DAYS, n_days=2 * LEAD_DAYS + 1)
    plain = build_tables(instance)
    tables = replace(
        plain,
        block_of_day=np.zeros(1, np.int32),
        next_out=next_out,
        alt_out=alt_out,
        slots_to_go=plain.slots_to_go[:, :1],
        splits=Splits(number, first_rows((number >= 0).sum(axis=-1)), lanes, ends),
    )
    return PlannedRoutes(tables, cancelled, scenario.network.digest)


def open_prices(folder: Path | str) -> np.ndarray:
    """The prices from which the flows of a kept plan were loaded, float64 (n_priced,)."""
    return pq.read_table(Path(folder) / PRICES)["flows"].to_numpy()
