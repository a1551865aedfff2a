"""Execute a scenario in memory: compile, make demand, route, promise, move, measure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from time import perf_counter

import numpy as np

from postroad.core.digests import digest_arrays, digest_mapping
from postroad.core.errors import InfeasibleError, InputError
from postroad.core.findings import Findings
from postroad.core.progress import Progress, Silent
from postroad.core.seeds import stream
from postroad.core.version import release
from postroad.demand.build import flows_for, mean_day_items
from postroad.demand.flows import Flows
from postroad.demand.profiles import calendar_weights, day_weights, scale_days
from postroad.measure.record import Record, make_record
from postroad.network.compile import compile_network
from postroad.network.instance import Instance
from postroad.network.scenario import Scenario
from postroad.routing.plan import PlannedRoutes
from postroad.routing.promise import promise_days
from postroad.routing.tables import RoutingTables, build_tables
from postroad.twin.parameters import read_parameters
from postroad.twin.result import TwinResult
from postroad.twin.simulation import MAX_DAYS, Sample, simulate

__all__ = [
    "ARRAYS",
    "DRAIN_DAYS",
    "Execution",
    "compiler",
    "execute",
    "make_run_record",
    "promise_plan",
    "released_by_day",
]

DRAIN_DAYS = 14
"""Days after the last release that are compiled at first; more are added when items are left."""

ARRAYS = ("load_items", "run_legs", "sorted_items", "screened_items", "backlog_in", "backlog_out", "delivered_items")


@dataclass(frozen=True, slots=True)
class Execution:
    """A scenario that was run, in memory.

    Attributes
    ----------
    instance, tables, flows: what was run, over the whole horizon.
    record: all that is measured of the items accepted on the scenario's day.
    findings: warnings of the run.
    wall_s: seconds by step; they are told apart from everything that is compared.
    result_digest: of journeys, loads, hours and counts.
    """

    scenario: Scenario
    instance: Instance
    tables: RoutingTables
    flows: Flows
    result: TwinResult
    record: Record
    findings: Findings
    result_digest: str
    wall_s: dict[str, float] = field(default_factory=dict)


def execute(
    scenario: Scenario,
    *,
    know_overlay: bool = False,
    follow: PlannedRoutes | None = None,
    measured_days: tuple[int, ...] | None = None,
    threads: int = 2,
    max_days: int = MAX_DAYS,
    progress: Progress | None = None,
) -> Execution:
    """Run a scenario until every item is delivered, returned or lost.

    Parameters
    ----------
    know_overlay: whether routes are chosen knowing the disruptions; by default the plan's routes are kept.
    follow: routes of a plan to follow instead of those that nothing congests; what is promised stays the same.
    measured_days: days of acceptance to measure; the scenario's day when None.
    threads: worker threads; the result is the same for any number.
    max_days: days after which the run ends even if items are left.

    Raises
    ------
    InputError: when the feed does not pass its check (PR-C001) or asks for a run longer than ``max_days`` (PR-S101).
    InfeasibleError: PR-S102 when the plan leads some items nowhere.
    """
    watch = _Watch(progress or Silent())
    if scenario.n_days > max_days:
        raise InputError("PR-S101", n_days=scenario.n_days, limit=max_days)
    with watch("check"):
        findings = scenario.network.check()
        findings.raise_on_errors()
    horizon = compiler(scenario, follow=follow)
    with watch("compile"):
        instance = horizon(min(scenario.n_days + DRAIN_DAYS, max_days))
    with watch("demand"):
        flows = flows_for(instance, scenario.network, released_by_day(scenario), seed=scenario.seed, beta=scenario.beta)
    with watch("route"):
        extra = scenario.network.parameters["divert_max_extra_h"]
        tables = build_tables(instance, know_overlay=know_overlay, divert_max_extra_h=extra, threads=threads)
    with watch("promise"):
        promised = promise_plan(scenario, instance, tables, flows, threads)
    if follow is not None:
        tables = follow.tables(instance)
    days = (scenario.days_before,) if measured_days is None else measured_days
    with watch("simulate", is_told=False):
        result, left = simulate(
            instance, tables, flows, promised, read_parameters(scenario.network, instance), measured_days=days,
            sample=_sample(scenario, instance), extend=horizon, max_days=max_days, progress=watch.progress,
        )  # fmt: skip
        findings.extend(left)
    if result.n_hours > instance.n_days * 24:
        instance = horizon(result.n_hours // 24)
    with watch("measure"):
        record = make_run_record(scenario, instance, result)
        digest = _digest_result(result)
    return Execution(scenario, instance, tables, flows, result, record, findings, digest, watch.wall_s)


def promise_plan(
    scenario: Scenario, instance: Instance, tables: RoutingTables, flows: Flows, threads: int
) -> np.ndarray:
    """The promised days of every group: by the plan, since nobody knew of the disruptions when they were sold."""
    plan = instance
    if len(scenario.overlay):
        plan = compiler(scenario, with_overlay=False)(instance.n_days)
    promised, unreached = promise_days(
        plan, tables, flows, scenario.network.tables["promises"], scenario.network.parameters, day=scenario.days_before,
        threads=threads,
    )  # fmt: skip
    _refuse_unreached(unreached)
    return promised


class _Watch:
    """Times the steps of an execution and tells the progress which one begins, unless the step does so itself."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.wall_s: dict[str, float] = {}
        self._step = ""
        self._is_told = True
        self._start = 0.0

    def __call__(self, step: str, *, is_told: bool = True) -> _Watch:
        self._step, self._is_told = step, is_told
        return self

    def __enter__(self) -> None:
        if self._is_told:
            self.progress.stage(self._step)
        self._start = perf_counter()

    def __exit__(self, *_: object) -> None:
        self.wall_s[self._step] = perf_counter() - self._start


def released_by_day(scenario: Scenario) -> np.ndarray:
    """Items accepted on each day of release, int64 (n_days,).

    On the scenario's day: what it names, or the feed's mean day times its factor. The other days follow from it by the
    feed's profile of days around a named one, or by the calendar, as the scenario says.
    """
    on_day = scenario.to_items or round(mean_day_items(scenario.network) * scenario.by)
    offsets = range(-scenario.days_before, scenario.days_after + 1)
    profiles = scenario.network.tables["profiles"]
    if scenario.days_by == "profile":
        return scale_days(on_day, day_weights(profiles, offsets))
    weights = calendar_weights(profiles, [scenario.day + timedelta(days=offset) for offset in offsets])
    return scale_days(on_day, weights / weights[scenario.days_before])


def make_run_record(scenario: Scenario, instance: Instance, result: TwinResult) -> Record:
    """What is measured: items, loads and hours of the scenario's day."""
    return make_record(
        instance,
        scenario.network.tables,
        result.journeys,
        {name: getattr(result, name) for name in ARRAYS},
        n_released=int(result.counts.created[-1]),
        n_release_days=scenario.n_days,
        year=scenario.day.year,
        first_day=scenario.days_before,
        last_day=scenario.days_before,
    )


def compiler(
    scenario: Scenario, *, with_overlay: bool = True, follow: PlannedRoutes | None = None
) -> Callable[[int], Instance]:
    """Compile the scenario for a horizon of so many days, as a plan runs it."""
    overlay = scenario.overlay if with_overlay else None

    def compile_days(n_days: int) -> Instance:
        instance = compile_network(
            scenario.network, day=scenario.day, days_before=scenario.days_before, n_days=n_days, overlay=overlay
        )
        return instance if follow is None else follow.apply(instance)

    return compile_days


def _sample(scenario: Scenario, instance: Instance) -> Sample:
    """The items whose histories are kept."""
    places = dict(scenario.network.tables["service_areas"].select("place_id", "facility_id").iter_rows())
    number = {facility: index for index, facility in enumerate(instance.fac_id)}

    def facility(name: str) -> int:
        known = name if name in number else places.get(name, "")
        if known not in number:
            raise InputError("PR-S103", value=name)
        return number[known]

    pairs = tuple((facility(origin), facility(destination)) for origin, destination in scenario.sample_pairs)
    offset = int(stream(scenario.seed, "sample").integers(max(scenario.sample, 1)))
    return Sample(scenario.sample, offset, scenario.days_before, pairs)


def _refuse_unreached(findings: Findings) -> None:
    """Items that no route leads to their destination cannot be promised anything."""
    first = next(iter(findings), None)
    if first is not None:
        raise InfeasibleError(
            "PR-S102", findings=findings, counts=findings.counts, n=len(findings), first=first.message()
        )


def _digest_result(result: TwinResult) -> str:
    """Digest of everything that a run computes."""
    arrays = {name: getattr(result, name) for name in ARRAYS}
    arrays |= {f"counts.{name}": getattr(result.counts, name) for name in result.counts.__slots__}
    arrays |= {f"journeys.{name}": getattr(result.journeys, name) for name in result.journeys.__slots__}
    arrays |= {f"trace.{name}": getattr(result.trace, name) for name in result.trace.__slots__}
    return digest_mapping({"arrays": digest_arrays(arrays), "n_hours": result.n_hours, "release": release()})
