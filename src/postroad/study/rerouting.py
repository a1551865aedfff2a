"""Reroute a planned day when something is out of order, and measure in the twin what that saves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import numpy as np
import polars as pl

from postroad.core.errors import InputError
from postroad.core.files import writing_folder
from postroad.core.progress import Progress, Silent
from postroad.cost.trips import trip_yuan
from postroad.demand.flows import Flows
from postroad.flow.prices import Market, make_market
from postroad.flow.problem import build_problem
from postroad.flow.reroute import Rerouted, reroute
from postroad.flow.reserve import QUICK, catch_up, open_up
from postroad.network.compile import compile_network
from postroad.network.instance import Instance, freeze
from postroad.network.overlay import Overlay, OverlayRow
from postroad.network.scenario import Scenario
from postroad.network.scenariofile import load_scenario
from postroad.routing.plan import PlannedRoutes
from postroad.routing.splicing import splice
from postroad.routing.tables import RoutingTables, build_tables
from postroad.study.execution import execute
from postroad.study.folders import check_folder, write_facts
from postroad.study.planning import LEAD_DAYS, day_flows, lay_out, open_prices, open_routes

__all__ = ["ReroutedDay", "check_in_twin", "reroute_day"]

FACTS = "reroute.toml"
FOR_EVER = 10_000 * 1440
AFTER_DAYS = 7
"""Days after the last release for which ways are sought that know of the disruption."""

AFTER = 24 * 60
"""Minutes after the end for which what was called up runs on: so long takes the backlog."""


@dataclass(frozen=True, slots=True)
class ReroutedDay:
    """A scenario with disruptions, and the routes for it.

    Attributes
    ----------
    scenario: with its disruptions. before: the plan's routes; after: the policy that takes over.
    rerouted: prices, reserve and tables.
    window: minutes of the scenario's horizon from which to which something is out of order.
    seconds: from the disruption to the routes, with compiling and laying out the day.
    check: what the twin says, one row a case; None when it was not asked.
    """

    scenario: Scenario
    before: PlannedRoutes
    after: PlannedRoutes
    rerouted: Rerouted
    window: tuple[int, int]
    seconds: float
    check: pl.DataFrame | None = None
    folder: Path | None = None


def reroute_day(
    scenario: Scenario | str | Path,
    plan: Path | str,
    *,
    call_up: bool = True,
    time_limit: float | None = 8.0,
    work_limit: int | None = None,
    check: bool = False,
    to: Path | str | None = None,
    replace_folder: bool = False,
    threads: int = 2,
    progress: Progress | None = None,
) -> ReroutedDay:
    """New routes for a scenario's disruptions, from the prices of a kept plan.

    Nobody knows of a disruption before it begins; when it ends is known from then on. All disruptions of the scenario
    are taken to hold from the first to the last. What is loaded stays on its way.

    Parameters
    ----------
    scenario: with disruptions, on the network of the plan. plan: folder of the plan.
    call_up: whether extra road trips and extra sorting may be called up where they are worth their cost.
    time_limit, work_limit: seconds and price iterations of the search.
    check: whether the twin runs the undisturbed day, the plan as it stands, and the new routes.
    to: folder in which the answer is kept; None keeps it in memory only.

    Raises
    ------
    InputError: PR-S122 when nothing is out of order in the scenario; PR-S121, PR-S105, PR-S111.
    NotFound: PR-S120.
    """
    progress = progress or Silent()
    if to is not None:
        check_folder(Path(to), FACTS, replace=replace_folder)
    made = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
    if not made.overlay.rows:
        raise InputError("PR-S122", scenario=made.name)
    before, prices = open_routes(plan, made), open_prices(plan)
    market, flows = _planned_market(made)
    if len(prices) != market.n:
        raise InputError("PR-S121", path=str(plan), planned="another day", scenario=made.name)
    start = perf_counter()
    window = _window(made.overlay)
    now = lay_out(made, overlay=_for_ever(made.overlay), cancelled=before.cancelled, flows=flows, progress=progress)
    costs = trip_yuan(now.instance, made.network.tables["vehicles"]) if call_up else None
    rerouted = reroute(
        now, market, prices, before.routes, trip_yuan=costs, window=(window[0], window[1] + AFTER),
        time_limit=time_limit, work_limit=work_limit, threads=threads, progress=progress,
    )  # fmt: skip
    takes_over = _takes_over(now.instance, before.routes, made, window)
    tables = splice(before.routes, rerouted.tables, takes_over)
    reserves = ()
    if rerouted.reserve is not None:
        places, until = _hit(now.instance, made), (window[1], window[1] + AFTER)
        reserves = rerouted.reserve, catch_up(now.instance, places, costs, now.day, until)
    after = replace(before, routes=tables, reserves=reserves, name="rerouted")
    day = ReroutedDay(made, before, after, rerouted, window, perf_counter() - start)
    if check:
        day = replace(day, check=check_in_twin(day, threads=threads, progress=progress))
    return day if to is None else _keep(day, Path(plan), Path(to), replace_folder)


def _planned_market(scenario: Scenario) -> tuple[Market, Flows]:
    """What is priced on the day without its disruptions, and the demand."""
    calm = compile_network(scenario.network, day=scenario.day, days_before=LEAD_DAYS, n_days=2 * LEAD_DAYS + 1)
    flows = day_flows(scenario, calm)
    return make_market(build_problem(calm, flows, day=LEAD_DAYS, flow_day=scenario.days_before)), flows


def check_in_twin(day: ReroutedDay, *, threads: int = 2, progress: Progress | None = None) -> pl.DataFrame:
    """Run the day undisturbed, with the plan as it stands, rerouted, and with as much room as wanted.

    In the last case everything has a hundredfold room from the beginning of the disruption on, and items take next to
    the quickest ways, of which it is known when they will be open again: fewer late items no rerouting can hope for.

    Returns
    -------
    All released items count. Columns: ``case`` (undisturbed, plan, rerouted, most), ``n_items``, ``n_late`` (not ended
    by the promised instant), of those ``n_late_here`` (from or to what is out of order) and ``n_late_earlier`` (of the
    others, accepted before it began); the same beyond the undisturbed day's as ``n_extra``, ``n_extra_here``,
    ``n_extra_earlier``; ``total_h`` (mean), ``n_left`` (not delivered at the end). All modelled.
    """
    calm = replace(day.scenario, disruptions=())
    cases = {
        "undisturbed": (calm, lambda: day.before), "plan": (day.scenario, lambda: day.before),
        "rerouted": (day.scenario, lambda: day.after), "most": (day.scenario, lambda: _as_much_as_wanted(day, threads)),
    }  # fmt: skip
    rows: list[dict[str, object]] = []
    for case, (scenario, policy) in cases.items():
        follow = policy()
        done = execute(
            replace(scenario, sample=0), follow=follow, measured_days=tuple(range(scenario.n_days)), threads=threads,
            progress=progress,
        )  # fmt: skip
        journeys, instance = done.result.journeys, done.instance
        n = journeys.n_items.astype(np.int64)
        late = journeys.ended_min > journeys.promise_min
        anchor = np.where(instance.fac_parent < 0, np.arange(instance.n_fac), instance.fac_parent)
        hit = np.isin(anchor, _hit(instance, day.scenario))
        here = hit[journeys.origin_idx] | hit[journeys.destination_idx]
        earlier = ~here & (journeys.accepted_min < day.window[0])
        took = (journeys.ended_min.astype(np.int64) - journeys.accepted_min) * n
        left = int(done.result.counts.in_custody[-1])
        counts = {
            "n_late": int(n[late].sum()) + left,
            "n_late_here": int(n[late & here].sum()),
            "n_late_earlier": int(n[late & earlier].sum()),
        }
        calm_counts = rows[0] if rows else counts
        extra = {name.replace("late", "extra"): value - calm_counts[name] for name, value in counts.items()}
        rest = {"total_h": float(took.sum()) / max(int(n.sum()), 1) / 60, "label": "modelled"}
        rows.append(
            {"case": case, "n_items": int(n.sum())} | counts | extra | rest
            | {"n_left": left}
        )  # fmt: skip
    return pl.DataFrame(rows)


def _as_much_as_wanted(day: ReroutedDay, threads: int) -> PlannedRoutes:
    """The plan until the disruption; from then on the quickest ways, with room for everything."""
    made = day.scenario
    n_days = made.n_days + AFTER_DAYS
    instance = day.before.apply(
        compile_network(
            made.network, day=made.day, days_before=made.days_before, n_days=n_days, overlay=made.overlay
        )
    )  # fmt: skip
    quick = freeze(replace(instance, prod_vot=instance.prod_vot * np.int32(QUICK)))
    known = build_tables(quick, know_overlay=True, threads=threads)
    slots = np.arange(n_days * instance.slots_per_day) < day.window[0] // instance.slot_min
    still = np.broadcast_to(slots.reshape(n_days, 1, -1), (n_days, instance.n_core, instance.slots_per_day))
    open_to = replace(open_up(instance), from_min=day.window[0], to_min=FOR_EVER)
    routes = splice(known, day.before.routes, still)
    return replace(day.before, routes=routes, reserves=(open_to,), name="as much as wanted")


def _window(overlay: Overlay) -> tuple[int, int]:
    """Minutes from the first beginning to the last end."""
    return min(row.from_min for row in overlay), max(row.to_min for row in overlay)


def _for_ever(overlay: Overlay) -> Overlay:
    """The overlay as if it had always held and always would."""
    return Overlay(tuple(replace(row, from_min=-FOR_EVER, to_min=FOR_EVER) for row in overlay))


def _hit(instance: Instance, scenario: Scenario) -> np.ndarray:
    """Core facilities at which something is out of order."""
    number = {name: index for index, name in enumerate(instance.fac_id)}
    lanes = scenario.network.tables["lanes"]
    goes_to = dict(lanes.select("lane_id", "to_facility").iter_rows())

    def facility(row: OverlayRow) -> str:
        return row.facility_id or goes_to.get(row.lane_id, "")

    return np.array([number[facility(row)] for row in scenario.overlay if facility(row)], np.int64)


def _takes_over(instance: Instance, tables: RoutingTables, scenario: Scenario, window: tuple[int, int]) -> np.ndarray:
    """Where and when new routes hold, bool (n_days, n_core, slots_per_day).

    From the beginning on, and until what leaves a facility comes to the place only after the end: as many slots before
    it as the plan's way there takes.
    """
    per_day, n_slots = instance.slots_per_day, scenario.n_days * instance.slots_per_day
    ahead = np.zeros(instance.n_core)
    goals = [int(instance.fac_td[place]) for place in _hit(instance, scenario) if instance.fac_td[place] >= 0]
    if goals:
        to_go = tables.slots_to_go[0, 0][:, :, goals].astype(np.float64)
        ahead = np.where(to_go > 64 * per_day, 0, to_go).mean(axis=1).min(axis=1)
        ahead[instance.td_fac[goals]] = 0
    slot = np.arange(n_slots)
    first, last = window[0] // instance.slot_min, -(-window[1] // instance.slot_min)
    until = np.maximum(last - ahead.astype(np.int64), first)
    use = (slot >= first) & (slot < until[:, None])
    return use.reshape(instance.n_core, scenario.n_days, per_day).transpose(1, 0, 2)


def _keep(day: ReroutedDay, plan: Path, folder: Path, replace_folder: bool) -> ReroutedDay:
    """Write the answer to its folder."""
    reserve, instance = day.rerouted.reserve, day.rerouted.market.problem.instance
    with writing_folder(folder, replace=replace_folder) as draft:
        facts = {
            "scenario": day.scenario.name, "plan": str(plan), "input_digest": day.scenario.digest,
            "work": day.rerouted.n_iterations, "overload": day.rerouted.overload,
            "n_extra_trips_per_day": 0 if reserve is None else reserve.n_trips,
            "extra_yuan_per_day": 0.0 if reserve is None else reserve.yuan_per_day,
            "n_catch_up_trips": sum(one.n_trips for one in day.after.reserves[1:]),
            "catch_up_yuan": sum(one.yuan_per_day for one in day.after.reserves[1:]), "label": "modelled",
        }  # fmt: skip
        write_facts(draft / FACTS, facts)
        if reserve is not None:
            lane, names = instance.cn_lane[reserve.connections], np.array(instance.fac_id)
            pl.DataFrame(
                {
                    "from_facility": names[instance.lane_from[lane]],
                    "to_facility": names[instance.lane_to[lane]],
                    "departs_min": instance.cn_dep_min[reserve.connections] % 1440,
                    "extra_room_share": reserve.extra_pm / 1000,
                }
            ).write_parquet(draft / "extra_trips.parquet")
            fac, slot = np.nonzero(reserve.sort_extra)
            pl.DataFrame(
                {
                    "facility": names[fac],
                    "from_min": (slot * instance.slot_min).astype(np.int32),
                    "extra_items": reserve.sort_extra[fac, slot],
                }
            ).write_parquet(draft / "extra_sorting.parquet")
        if day.check is not None:
            day.check.write_parquet(draft / "check.parquet")
    return replace(day, folder=folder)
