"""What joins the network when: releases in the order in which the kernel takes them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from postroad.demand.flows import Flows
from postroad.demand.items import Items
from postroad.kernels.twinstate import DAYS, Net, State
from postroad.network.instance import Instance

__all__ = ["Release", "release_flows", "release_items"]


@dataclass(slots=True)
class Release:
    """Releases of one run, loaded day by day.

    Attributes
    ----------
    counts: int32 (2, n_rel, n_prod, n_pair), the groups of an even and an odd day; an empty array for items.
    rows, bases, join_slot: see ``kernels.twinrelease``; ``join_slot`` ascends.
    order, trace_of: for items: items by slot of joining, and their number in the trace.
    n_numbered: items of the traced days so far.
    """

    n_days: int
    demand: Flows | Items
    counts: np.ndarray
    rows: np.ndarray
    bases: np.ndarray
    join_slot: np.ndarray
    order: np.ndarray
    trace_of: np.ndarray
    sample: np.ndarray
    pair_full: np.ndarray
    trace_gid: np.ndarray
    trace_ordinal: np.ndarray
    pair_ptr: np.ndarray
    n_numbered: int = 0

    @property
    def is_items(self) -> bool:
        """Whether single items are released."""
        return isinstance(self.demand, Items)

    @property
    def n_groups(self) -> int:
        """Numbers that entries of the run may bear: of groups, or of single items."""
        if self.is_items:
            return len(self.demand.origin)
        return self.n_days * len(self.demand.release_min) * self.demand.n_prod * self.demand.n_pair

    def daily_to_facility(self, n_fac: int) -> np.ndarray:
        """Items bound for each facility on the first day of acceptance, int64 (n_fac,)."""
        if self.is_items:
            first = self.demand.accepted_min < 1440
            return np.bincount(self.demand.destination[first], minlength=n_fac).astype(np.int64)
        by_pair = self.demand.day_counts(0).sum(axis=(0, 1), dtype=np.int64)
        return np.bincount(self.demand.destination, weights=by_pair, minlength=n_fac).astype(np.int64)

    def copy(self) -> Release:
        """Releases in the same state; what is written at release is the copy's own."""
        written = ("counts", "bases", "sample", "trace_gid", "trace_ordinal")
        return replace(self, **{name: getattr(self, name).copy() for name in written})

    def load_day(self, day: int, state: State) -> None:
        """Put the counts of a day in place and book what is created in each of its hours."""
        if self.is_items or day >= self.n_days:
            if self.is_items and day == 0:
                hours = np.bincount(self.demand.accepted_min // 60, minlength=state.totals_h.shape[1])
                state.totals_h[0] += hours[: state.totals_h.shape[1]]
            return
        counts = self.demand.day_counts(day)
        self.counts[day & 1] = counts
        for release, minute in enumerate(self.demand.release_min):
            state.totals_h[0, day * 24 + minute // 60] += int(counts[release].sum(dtype=np.int64))
        if not self.sample[0] or not self.sample[3] <= day <= self.sample[4]:
            return
        self._number(day, counts)

    def _number(self, day: int, counts: np.ndarray) -> None:
        """Ordinal of the first item of each row and product: items are numbered by release, product and pair."""
        starts = self.pair_ptr[:-1]
        present = np.flatnonzero(np.diff(self.pair_ptr))
        sums = np.add.reduceat(counts, starts[present], axis=2, dtype=np.int64)
        ends = np.cumsum(sums.ravel()) + self.n_numbered
        flat = np.concatenate([[self.n_numbered], ends[:-1]]).reshape(sums.shape)
        self.n_numbered = int(ends[-1])
        column = np.full(len(starts), -1)
        column[present] = np.arange(len(present))
        mine = np.flatnonzero(self.rows[:, 0] == day)
        self.bases[mine] = flat[self.rows[mine, 1], :, column[self.rows[mine, 2]]]

    def kernel_arguments(self, instance: Instance) -> tuple:
        """The kernel's arguments from ``counts`` on."""
        ptr = np.searchsorted(self.join_slot, np.arange(instance.n_slots + 1)).astype(np.int64)
        return self.counts, self.bases, self.sample, self.rows, ptr, self.order, self.trace_of

    def traced(self, net: Net) -> tuple:
        """The traced items: ordinal, origin, destination, product, accepted minute, promise minute."""
        n_traced = int(self.sample[2])
        group = self.trace_gid[:n_traced].astype(np.int64)
        ordinal = self.trace_ordinal[:n_traced]
        if self.is_items:
            product = net.item_p[group]
            promise = net.item_day[group].astype(np.int64) * 1440
            columns = (net.pair_o[group], net.pair_d[group], product, net.item_acc[group])
        else:
            pair, rest = group % net.n_pair, group // net.n_pair
            product, rel = rest % net.n_prod, rest // net.n_prod
            release, day = rel % net.n_rel, rel // net.n_rel
            promise = np.minimum(day + net.promise_k[product, release, pair], DAYS - 1) * 1440
            columns = (net.pair_o[pair], net.pair_d[pair], product, day * 1440 + net.release_min[release])
        return (ordinal, *columns, promise + net.deliver_by[product])


def release_flows(instance: Instance, flows: Flows, sample) -> Release:
    """Releases of flows: one row per day, release and accepting facility, in order of joining."""
    ptr = np.searchsorted(flows.origin, np.arange(instance.n_fac + 1)).astype(np.int64)
    facility = np.flatnonzero(np.diff(ptr))
    axes = (np.arange(flows.n_days), np.arange(len(flows.release_min)), facility)
    day, rel, fac = (grid.ravel() for grid in np.meshgrid(*axes, indexing="ij"))
    minute = day * 1440 + flows.release_min[rel] + instance.origin_min[fac]
    slot = -(-minute // instance.slot_min)
    order = np.lexsort((fac, rel, day, slot))
    rows = np.stack([day, rel, fac, ptr[fac], ptr[fac + 1]], axis=1)[order].astype(np.int64)
    full = np.zeros(flows.n_pair, bool)
    for origin, destination in sample.pairs:
        full |= (flows.origin == origin) & (flows.destination == destination)
    never = 2**62
    every, offset = sample.every, sample.offset
    if not every and full.any():
        every, offset = never, never // 2
    n_traced = 0
    if every:
        traced_days = range(sample.day, min(sample.day + sample.n_days, flows.n_days))
        n_traced = sum(_most_traced(flows.day_counts(day), every, full) for day in traced_days) + 2 * len(rows) + 2
    shape = (2, len(flows.release_min), flows.n_prod, flows.n_pair)
    return Release(
        n_days=flows.n_days,
        demand=flows,
        counts=np.zeros(shape, np.int32),
        rows=rows,
        bases=np.zeros((len(rows), flows.n_prod), np.int64),
        join_slot=slot[order],
        order=np.zeros(0, np.int64),
        trace_of=np.zeros(0, np.int64),
        sample=np.array([every, offset, 0, sample.day, sample.day + sample.n_days - 1], np.int64),
        pair_full=full,
        trace_gid=np.zeros(n_traced, np.int32),
        trace_ordinal=np.zeros(n_traced, np.int64),
        pair_ptr=ptr,
    )


def _most_traced(counts: np.ndarray, every: int, full: np.ndarray) -> int:
    """An upper limit of the items of a day that are traced, but for what rounding adds."""
    whole = int(counts[:, :, full].sum(dtype=np.int64)) if full.any() else 0
    return whole + int(counts.sum(dtype=np.int64) // every)


def release_items(instance: Instance, items: Items) -> Release:
    """Releases of single items, in order of the slot in which they join, then facility, then number."""
    slot = -(-(items.accepted_min + instance.origin_min[items.origin]) // instance.slot_min)
    order = np.lexsort((np.arange(len(items.origin)), items.origin, slot))
    traced = np.arange(len(order)) if items.traced else np.full(len(order), -1)
    return Release(
        n_days=int(items.accepted_min.max(initial=0)) // 1440 + 1,
        demand=items,
        counts=np.zeros((2, 1, 1, 1), np.int32),
        rows=np.zeros((0, 5), np.int64),
        bases=np.zeros((0, 1), np.int64),
        join_slot=slot[order],
        order=order.astype(np.int64),
        trace_of=traced.astype(np.int64),
        sample=np.array([0, 0, len(order) if items.traced else 0, 0, 0], np.int64),
        pair_full=np.zeros(0, bool),
        trace_gid=np.arange(len(order), dtype=np.int32),
        trace_ordinal=np.arange(len(order), dtype=np.int64),
        pair_ptr=np.zeros(instance.n_fac + 1, np.int64),
    )
