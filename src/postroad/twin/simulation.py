"""Run the twin: from a compiled network, routing tables and demand to journeys, loads, work, backlog and counts."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass

import numpy as np

from postroad.core.errors import InfeasibleError
from postroad.core.findings import Findings
from postroad.core.progress import Progress, Silent
from postroad.core.seeds import stream
from postroad.demand.flows import Flows
from postroad.demand.items import Items
from postroad.events.journeys import Journeys
from postroad.kernels.twin import run_slots
from postroad.kernels.twinstate import (
    FIRST_COUNT,
    LATER_COUNT,
    LOST_COUNT,
    MOVES,
    N_JOURNEY,
    N_TRACE,
    UNROUTED,
    UNROUTED_FROM,
    UNROUTED_TO,
    Net,
    State,
    sort_trace,
    unpack_journeys,
)
from postroad.network.instance import Instance
from postroad.routing.tables import RoutingTables
from postroad.twin.arrays import make_net, make_state, widen_state
from postroad.twin.parameters import TwinParameters
from postroad.twin.release import Release, release_flows, release_items
from postroad.twin.result import Counts, Trace, TwinResult

__all__ = ["MAX_DAYS", "Sample", "Simulation", "simulate"]

MAX_DAYS = 60
"""Longest run: queues tell 64 promise days apart."""

CHUNKS_PER_DAY = 4


@dataclass(frozen=True, slots=True)
class Sample:
    """Which items the trace follows of those accepted on the ``n_days`` days from ``day`` on: one in ``every`` (0:
    none), chosen by ``offset``, and all of ``pairs`` (origin, destination facility index)."""

    every: int = 0
    offset: int = 0
    day: int = 0
    pairs: tuple[tuple[int, int], ...] = ()
    n_days: int = 1


class Simulation:
    """A run of the twin that can be stopped at any hour, copied, and gone on with on another course of things.

    Parameters
    ----------
    As :func:`simulate`.
    """

    def __init__(
        self,
        instance: Instance,
        tables: RoutingTables,
        demand: Flows | Items,
        promise_k: np.ndarray | None,
        parameters: TwinParameters,
        *,
        measured_days: tuple[int, ...],
        sample: Sample | None = None,
    ) -> None:
        is_items = isinstance(demand, Items)
        self.instance, self.tables, self.parameters = instance, tables, parameters
        self.promise_k, self.measured_days = promise_k, measured_days
        self.release: Release = (
            release_items(instance, demand) if is_items else release_flows(instance, demand, sample or Sample())
        )
        self.slot = 0
        self.net = self._make_net()
        self.state, self.words = make_state(instance, self.release, tables)
        self.rows, self.trace = np.empty((1 << 16, 8), np.int32), np.empty((1024, 5), np.int32)

    def _make_net(self) -> Net:
        """What the kernels read, of the instance as it is now."""
        return make_net(self.instance, self.tables, self.release, self.promise_k, self.parameters, self.measured_days)

    @property
    def n_delivered(self) -> int:
        """Items delivered so far."""
        return int(self.state.totals_h[1].sum())

    @property
    def n_left(self) -> int:
        """Items in custody at the end of the last whole hour."""
        hour = self.slot * self.instance.slot_min // 60
        return int(self.state.totals_h[4, hour - 1]) if hour else 0

    def advance(self, slot: int) -> None:
        """Run the slots up to ``slot``, which is left out.

        Raises
        ------
        InfeasibleError: PR-W104 when items stand where no route leads on.
        """
        per_day = self.instance.slots_per_day
        while self.slot < slot:
            day = self.slot // per_day
            if self.slot % per_day == 0:
                self.release.load_day(day, self.state)
            last = min(slot, (day + 1) * per_day)
            joins = self.release.kernel_arguments(self.instance)
            self.words, self.rows, self.trace = run_slots(
                self.net, self.state, self.words, self.rows, self.trace, self.slot, last, *joins
            )
            _refuse_unrouted(self.state, self.instance)
            self.slot = last

    def follow(self, instance: Instance) -> None:
        """Go on with another course of the same network: same facilities, lanes and connections, any later departures
        and capacities, and no fewer days."""
        is_longer = instance.n_days > self.instance.n_days
        self.instance = instance
        self.net = self._make_net()
        if is_longer:
            self.state = widen_state(self.state, instance)

    def shift_doors(self, seed: int) -> None:
        """Let the exact shares at the doors count from elsewhere: which of the items fail there is another draw."""
        turned = stream(seed, "noise", "doors").integers(0, 1_000_000, (self.instance.n_fac, 3))
        self.state.fac[:, [LOST_COUNT, FIRST_COUNT, LATER_COUNT]] += turned

    def copy(self) -> Simulation:
        """Another simulation in the same state, which shares nothing that changes with this one."""
        other = copy(self)
        other.release = self.release.copy()
        other.state = State(*(array.copy() for array in self.state))
        other.words, other.rows, other.trace = self.words.copy(), self.rows.copy(), self.trace.copy()
        other.net = other._make_net()
        return other

    def histories(self) -> Trace:
        """What has happened so far to the items that the trace follows, and what is settled of what comes."""
        rows = self.trace[: int(self.state.counter[N_TRACE])]
        return _trace(self.net, self.release, rows, self.instance)

    def result(self) -> TwinResult:
        """What the run leaves behind; whole days must have been run."""
        n_days = self.slot // self.instance.slots_per_day
        return _result(self.instance, self.net, self.state, self.rows, self.trace, self.release, n_days)


def simulate(
    instance: Instance,
    tables: RoutingTables,
    demand: Flows | Items,
    promise_k: np.ndarray | None,
    parameters: TwinParameters,
    *,
    measured_days: tuple[int, ...],
    sample: Sample | None = None,
    extend: Callable[[int], Instance] | None = None,
    max_days: int = MAX_DAYS,
    progress: Progress | None = None,
) -> tuple[TwinResult, Findings]:
    """Move all items until each is delivered, returned or lost.

    Parameters
    ----------
    demand: flows (groups) or single items; both follow the same rules.
    promise_k: int8 (n_prod, n_rel, n_pair), promised days of each group; None for items, which carry their own.
    measured_days: days of acceptance, from the epoch, whose journeys are kept.
    extend: gives the same instance over a longer horizon; called when items are left at its end.
    progress: told after each quarter day.

    Returns
    -------
    TwinResult, and findings: PR-W105 when items are left after ``max_days``.

    Raises
    ------
    InfeasibleError: PR-W104 when items stand where no route leads on.
    """
    progress = progress or Silent()
    run = Simulation(instance, tables, demand, promise_k, parameters, measured_days=measured_days, sample=sample)
    progress.stage("simulate", run.release.n_days * CHUNKS_PER_DAY)
    day, drained, per_day = 0, False, instance.slots_per_day
    while not drained and day < max_days:
        if day == run.instance.n_days:
            if extend is None:
                break
            run.follow(extend(min(day + 7, max_days)))
        for chunk in range(1, CHUNKS_PER_DAY + 1):
            run.advance(day * per_day + per_day * chunk // CHUNKS_PER_DAY)
            progress.step(day * CHUNKS_PER_DAY + chunk, f"{run.n_delivered:,} delivered")
        day += 1
        drained = day >= run.release.n_days and run.n_left == 0
    findings = Findings()
    if not drained:
        findings.add("PR-W105", n_days=day, n_items=f"{run.n_left:,}")
    return run.result(), findings


def _refuse_unrouted(state: State, instance: Instance) -> None:
    """Stop when items stand where no route leads on."""
    if state.counter[UNROUTED]:
        raise InfeasibleError(
            "PR-W104",
            n_items=int(state.counter[UNROUTED]),
            facility=instance.fac_id[state.counter[UNROUTED_FROM]],
            destination=instance.fac_id[state.counter[UNROUTED_TO]],
        )


def _result(
    instance: Instance, net: Net, state: State, rows: np.ndarray, trace: np.ndarray, release: Release, n_days: int
) -> TwinResult:
    """Cut the arrays to what was used."""
    n_hours, n_row = n_days * 24, int(state.counter[N_JOURNEY])
    journeys = _journeys(rows[:n_row], net.deliver_by)
    cumulative = np.cumsum(state.totals_h[:4, :n_hours], axis=1)
    counts = Counts(*cumulative, state.totals_h[4, :n_hours])
    runs = np.zeros((n_days, len(instance.leg_trip)), bool)
    inside = instance.dp_day < n_days
    cn, service_day = instance.dp_cn[inside], instance.dp_day[inside]
    single = instance.cn_leg_first == instance.cn_leg_last
    for offset in range(int((instance.cn_leg_last - instance.cn_leg_first).max(initial=0)) + 1):
        leg = instance.cn_leg_first[cn] + offset
        rides = leg <= instance.cn_leg_last[cn]
        runs[service_day[rides], leg[rides]] = True
        if single.all():
            break
    return TwinResult(
        journeys=journeys,
        load_items=state.load[:n_days],
        run_legs=runs,
        sorted_items=state.sorted_h[:, :n_hours],
        screened_items=state.screened_h[:, :n_hours],
        backlog_in=state.backlog_in_h[:, :n_hours],
        backlog_out=state.backlog_out_h[:, :n_hours],
        delivered_items=state.delivered_h[:, :n_hours],
        counts=counts,
        trace=_trace(net, release, trace[: int(state.counter[N_TRACE])], instance),
        n_hours=n_hours,
        n_moves=int(state.counter[MOVES]),
    )


def _journeys(rows: np.ndarray, deliver_by: np.ndarray) -> Journeys:
    """The journeys by column."""
    ends, kinds = np.empty((2, len(rows)), np.int16), np.empty((3, len(rows)), np.int8)
    numbers = np.empty((7, len(rows)), np.int32)
    unpack_journeys(rows, deliver_by, ends, kinds, numbers)
    n_items, accepted, left, reached, out, ended, promise = numbers
    return Journeys(*ends, kinds[0], n_items, accepted, left, reached, out, ended, promise, kinds[1], kinds[2])


def _trace(net: Net, release: Release, rows: np.ndarray, instance: Instance) -> Trace:
    """The sampled items and their rows, by item in the order in which they were written, which is that of time."""
    items = release.traced(net)
    item, minute, facility, departure = np.empty((4, len(rows)), np.int32)
    kind = np.empty(len(rows), np.int8)
    sort_trace(rows, len(items[0]), item, kind, minute, facility, departure)
    return Trace(*items, item, kind, minute, facility, departure)
