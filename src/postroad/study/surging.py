"""Surge plans: what to call up, day by day, so that a peak reaches its share in time, as the twin confirms."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter

import numpy as np
import polars as pl

from postroad.core.errors import InfeasibleError, LimitReached
from postroad.core.files import writing_folder
from postroad.core.progress import Progress, Silent
from postroad.cost.rates import default_rates
from postroad.cost.trips import trip_yuan
from postroad.flow.coarse import bound_room
from postroad.flow.problem import FlowProblem
from postroad.flow.reserve import HANDS, QUICK, open_up
from postroad.flow.surge import Couriers, Surge, plan_surge, with_room
from postroad.measure import Within, measure_record
from postroad.measure.validation import select_test_cities
from postroad.network.instance import Instance, freeze
from postroad.network.reserve import Reserve, with_reserve
from postroad.network.scenario import Scenario
from postroad.network.scenariofile import load_scenario
from postroad.routing.plan import PlannedRoutes
from postroad.routing.tables import RoutingTables, build_tables
from postroad.study.execution import Execution, execute, released_by_day
from postroad.study.folders import check_folder, write_facts
from postroad.study.planning import lay_out
from postroad.study.surgelists import LISTS, surge_lists

__all__ = ["OF", "SURGE_WORK", "SurgePlan", "plan_surge_day"]

FACTS = "surge.toml"

OF = ("test", "all")
"""Whose share: items between the 50 cities of the time-limit test, as the published 72 h rate has it, or all items."""

SURGE_WORK = 100
"""Price iterations for each haste when none are given."""

ON_THE_WAY = 3
"""Days of acceptance whose items are on the way on a day."""

MISSING = 0.005
"""Part of a plan's cost that may still be missing for the day to be carried day after day: what whole trips leave."""

LEAST_HASTE, MOST_HASTE, TRIES = 0.05, 10.0, 6


@dataclass(frozen=True, slots=True)
class SurgePlan:
    """What a peak calls for.

    Attributes
    ----------
    target, of: the share asked for, and of which items.
    surge: routes and loads; follow: the policy with what is called up on each day.
    share: reached in the twin. bound_yuan: what no choice of extra room for the scenario's day costs less than, if that
        day is carried day after day.
    yuan, week_yuan: of the lists for the scenario's day, and for all days.
    tries: one row a case tried: ``case`` (as it stands, as much as wanted, haste), ``haste``, ``share`` (of those asked
        for), ``all_share`` (of all items), ``yuan``, ``week_yuan``, ``n_trips``, ``carries`` (whether
        the scenario's day could be carried day after day so). All modelled.
    lists: what to sign: frames ``trips``, ``sorting``, ``couriers``.
    """

    scenario: Scenario
    target: float
    of: str
    surge: Surge
    follow: PlannedRoutes
    share: float
    bound_yuan: float
    yuan: float
    week_yuan: float
    tries: pl.DataFrame
    lists: dict[str, pl.DataFrame]
    folder: Path | None = None

    @property
    def gap(self) -> float:
        """How far the cost of the scenario's day may be from the least possible, 0..1."""
        return max(self.yuan - self.bound_yuan, 0.0) / self.yuan if self.yuan > 0 else 0.0


@dataclass(slots=True)
class _Search:
    """What does not change from try to try, and what was tried."""

    scenario: Scenario
    problem: FlowProblem
    base: RoutingTables
    trip_yuan: np.ndarray
    couriers: Couriers
    of: str
    work_limit: int
    threads: int
    progress: Progress
    least_room: float = 0.0
    within: Within = field(default_factory=Within)
    rows: list[dict[str, object]] = field(default_factory=list)

    def run(self, case: str, follow: PlannedRoutes | None, **told: object) -> float:
        """Run the scenario in the twin; the share, and a row more."""
        done = execute(
            replace(self.scenario, sample=0), follow=follow, threads=self.threads, progress=self.progress
        )  # fmt: skip
        if self.of == "test" and self.within == Within():
            cities = select_test_cities(done.record.tally)
            self.within = Within(cities, cities, frozenset(["intercity"]))
        share, of_all = _share(done, self.within), _share(done, Within())
        row = {"case": case, "haste": None, "share": share, "all_share": of_all, "yuan": 0.0, "week_yuan": 0.0}
        self.rows.append(row | {"n_trips": 0, "carries": None} | told)
        return share

    def carries(self, reserve: Reserve) -> bool:
        """Whether the day, without its clock, fits into what there is and what is called up."""
        if self.least_room == 0:
            return True
        missing = bound_room(with_room(self.problem, reserve), self.trip_yuan, threads=self.threads)
        return missing <= MISSING * reserve.yuan_per_day

    def attempt(self, haste: float) -> tuple[Surge, PlannedRoutes, dict[str, object]]:
        """Plan at a haste, call up what each day needs, and run it."""
        surge = plan_surge(
            self.problem, self.base, haste=haste, trip_yuan=self.trip_yuan, couriers=self.couriers,
            work_limit=self.work_limit, threads=self.threads, progress=self.progress,
        )  # fmt: skip
        reserves = [
            surge.reserve(scale, (day * 1440, (day + 1) * 1440)) for day, scale in enumerate(_scales(self.scenario))
        ]
        follow = PlannedRoutes(
            surge.tables, np.empty(0, np.int32), self.scenario.network.digest, tuple(reserves), name="surge plan"
        )
        peak = reserves[self.scenario.days_before]
        week = sum(one.yuan_per_day for one in reserves)
        told = {
            "haste": haste,
            "yuan": peak.yuan_per_day,
            "week_yuan": week,
            "n_trips": peak.n_trips,
            "carries": self.carries(peak),
        }
        self.run("haste", follow, **told)
        return surge, follow, self.rows[-1]


def plan_surge_day(
    scenario: Scenario | str | Path,
    *,
    target: float,
    of: str = "test",
    max_gap: float = 0.01,
    time_limit: float | None = None,
    work_limit: int = SURGE_WORK,
    seed: int | None = None,
    to: Path | str | None = None,
    replace_folder: bool = False,
    threads: int = 2,
    progress: Progress | None = None,
) -> SurgePlan:
    """The cheapest extra trips, hands and couriers found with which a share of a day's items arrives within 72 hours.

    Each day of the scenario gets what its items call for. Several values of time are tried; the cheapest plan that
    reaches the share in the twin is given.

    Parameters
    ----------
    target: share delivered within 72 hours, 0..1, of the items accepted on the scenario's day.
    of: one of ``OF``.
    max_gap: stop when the day's cost is proven to be no further from the least possible.
    time_limit: seconds after which no other haste is tried. work_limit: price iterations for each.
    to: folder in which the answer is kept; None keeps it in memory only.

    Raises
    ------
    InfeasibleError: PR-S150 when not even as much room as wanted reaches the share.
    LimitReached: PR-S151 when no haste reached it.
    InputError: PR-S105, PR-S111, PR-M011.

    An interrupt (Ctrl-C) gives the best so far, if there is one.
    """
    progress, start = progress or Silent(), perf_counter()
    if to is not None:
        check_folder(Path(to), FACTS, replace=replace_folder)
    made = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
    made = made if seed is None else replace(made, seed=seed)
    problem = lay_out(made, progress=progress)
    instance = problem.instance
    base = build_tables(instance, threads=threads, progress=progress)
    costs = trip_yuan(instance, made.network.tables["vehicles"])
    search = _Search(made, problem, base, costs, _couriers(problem, made), of, work_limit, threads, progress)
    search.run("as it stands", None)
    _refuse_impossible(search, target)
    search.least_room = bound_room(problem, costs, threads=threads, progress=progress)
    bound = search.least_room + search.couriers.least_yuan
    best = _bisect(search, target, bound, max_gap, None if time_limit is None else start + time_limit)
    if best is None:
        reached = max(row["share"] for row in search.rows if row["case"] == "haste")
        raise LimitReached("PR-S151", share=f"{reached:.1%}", target=f"{target:.1%}")
    surge, follow, row = best
    plan = SurgePlan(
        scenario=made, target=target, of=of, surge=surge, follow=follow, share=row["share"], bound_yuan=bound,
        yuan=row["yuan"], week_yuan=row["week_yuan"], tries=pl.DataFrame(search.rows, infer_schema_length=None),
        lists=surge_lists(instance, follow.reserves, made, costs, problem.handling_cost, search.couriers.yuan),
    )  # fmt: skip
    return plan if to is None else _keep(plan, Path(to), replace_folder)


def _bisect(
    search: _Search, target: float, bound: float, max_gap: float, until: float | None
) -> tuple[Surge, PlannedRoutes, dict[str, object]] | None:
    """Try one haste after the other; the cheapest plan that reaches the target, or None."""
    best, low, high = None, LEAST_HASTE, MOST_HASTE
    haste = 0.0
    try:
        for _ in range(TRIES):
            tried = search.attempt(haste)
            if tried[2]["share"] >= target and tried[2]["carries"]:
                high = haste
                best = tried if best is None or tried[2]["yuan"] < best[2]["yuan"] else best
                if haste == 0 or best[2]["yuan"] - bound <= max_gap * best[2]["yuan"]:
                    break
            else:
                low = max(haste, LEAST_HASTE)
            if until is not None and perf_counter() > until:
                break
            haste = float(np.sqrt(low * high)) if best else (1.0 if haste < 1 else MOST_HASTE)
            if best is None and low >= MOST_HASTE:
                break
    except KeyboardInterrupt:
        if best is None:
            raise
    return best


def _refuse_impossible(search: _Search, target: float) -> None:
    """Say so when the target is out of reach with as much room as wanted."""
    follow = _AsMuchAsWanted(search.base, np.empty(0, np.int32), search.scenario.network.digest)
    reached = search.run("as much as wanted", follow)
    if reached < target:
        raise InfeasibleError(
            "PR-S150", share=f"{reached:.1%}", target=f"{target:.1%}", of=search.of, scenario=search.scenario.name
        )


@dataclass(frozen=True, slots=True)
class _AsMuchAsWanted(PlannedRoutes):
    """Next to the quickest ways, with room for everything on all of them."""

    def apply(self, instance: Instance) -> Instance:
        """The network with room for everything."""
        return with_reserve(instance, open_up(instance))

    def tables(self, instance: Instance) -> RoutingTables:
        """The quickest ways on the days of the run."""
        return build_tables(freeze(replace(instance, prod_vot=instance.prod_vot * np.int32(QUICK))))


def _share(done: Execution, within: Within) -> float:
    """Share of the items accepted on the day that were delivered within 72 hours."""
    return float(measure_record(done.record, ["on_time_72h_share"], within=within)["value"].item())


def _scales(scenario: Scenario) -> list[float]:
    """The part of the scenario's day that each day must be ready for: the largest of those with items under way."""
    part = released_by_day(scenario) / released_by_day(scenario)[scenario.days_before]
    n_days = len(part) + ON_THE_WAY - 1
    return [float(part[max(0, day - ON_THE_WAY + 1) : day + 1].max(initial=0.0)) for day in range(n_days)]


def _couriers(problem: FlowProblem, scenario: Scenario) -> Couriers:
    """What the waves take of the planned day, and what is to be delivered in it."""
    instance, parameters = problem.instance, scenario.network.parameters
    first, later = (parameters[f"{which}_attempt_success_share"] for which in ("first", "later"))
    per_item = sum((1 - first) * (1 - later) ** (n - 1) for n in range(1, int(parameters["max_attempts"]))) + 1
    bound_for = problem.released.sum(axis=(0, 1, 2), dtype=np.float64)
    cap = instance.wave_cap[:, problem.day * instance.slots_per_day : (problem.day + 1) * instance.slots_per_day]
    attempts = np.zeros(instance.n_fac)
    attempts[instance.td_fac] = bound_for * per_item
    return Couriers(cap.astype(np.float64), attempts, HANDS * default_rates()["delivery_yuan_per_attempt"].value)


def _keep(plan: SurgePlan, folder: Path, replace_folder: bool) -> SurgePlan:
    """Write the lists and the figures to a folder."""
    with writing_folder(folder, replace=replace_folder) as draft:
        facts = {
            "scenario": plan.scenario.name, "input_digest": plan.scenario.digest, "seed": plan.scenario.seed,
            "target_72h_share": plan.target, "of": plan.of, "share_72h": plan.share, "yuan": plan.yuan,
            "bound_yuan": plan.bound_yuan, "gap": plan.gap, "week_yuan": plan.week_yuan, "label": "modelled",
        }  # fmt: skip
        write_facts(draft / FACTS, facts)
        plan.tries.write_csv(draft / "tries.csv")
        for name in LISTS:
            plan.lists[name].write_csv(draft / f"{name}.csv", include_bom=True)
    return replace(plan, folder=folder)
