"""Run the twin: from a compiled network, routing tables and demand to journeys, loads, work, backlog and counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from postroad.core.errors import InfeasibleError
from postroad.core.findings import Findings
from postroad.core.progress import Progress, Silent
from postroad.demand.flows import Flows
from postroad.demand.items import Items
from postroad.events.journeys import Journeys
from postroad.kernels.twin import run_slots
from postroad.kernels.twinstate import (
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

__all__ = ["MAX_DAYS", "Sample", "simulate"]

MAX_DAYS = 60
"""Longest run: queues tell 64 promise days apart."""

CHUNKS_PER_DAY = 4


@dataclass(frozen=True, slots=True)
class Sample:
    """Which items the trace follows of those accepted on ``day``: one in ``every`` (0: none), chosen by ``offset``, and
    all of ``pairs`` (origin, destination facility index)."""

    every: int = 0
    offset: int = 0
    day: int = 0
    pairs: tuple[tuple[int, int], ...] = ()


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
    sample = sample or Sample()
    release = release_items(instance, demand) if isinstance(demand, Items) else release_flows(instance, demand, sample)
    net = make_net(instance, tables, release, promise_k, parameters, measured_days)
    state, words = make_state(instance, release, tables)
    rows, trace = np.empty((1 << 16, 8), np.int32), np.empty((1024, 5), np.int32)
    progress.stage("simulate", release.n_days * CHUNKS_PER_DAY)
    day, drained, per_day = 0, False, instance.slots_per_day
    while not drained and day < max_days:
        if day == instance.n_days:
            if extend is None:
                break
            instance = extend(min(day + 7, max_days))
            net = make_net(instance, tables, release, promise_k, parameters, measured_days)
            state = widen_state(state, instance)
        release.load_day(day, state)
        for chunk in range(CHUNKS_PER_DAY):
            first, last = (day * per_day + per_day * part // CHUNKS_PER_DAY for part in (chunk, chunk + 1))
            joins = release.kernel_arguments(instance)
            words, rows, trace = run_slots(net, state, words, rows, trace, first, last, *joins)
            _refuse_unrouted(state, instance)
            progress.step(day * CHUNKS_PER_DAY + chunk + 1, f"{state.totals_h[1].sum():,} delivered")
        day += 1
        drained = day >= release.n_days and state.totals_h[4, day * 24 - 1] == 0
    findings = Findings()
    if not drained:
        findings.add("PR-W105", n_days=day, n_items=f"{state.totals_h[4, day * 24 - 1]:,}")
    return _result(instance, net, state, rows, trace, release, day), findings


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
