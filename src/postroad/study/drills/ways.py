"""The ways of a day's items before and after a loss: untouched, another one, or none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from postroad.core.progress import Progress
from postroad.demand.flows import Flows
from postroad.kernels.trees import NO_ROUTE
from postroad.network.instance import Instance
from postroad.network.loss import Loss, degrade_for_good, find_lost_rides
from postroad.routing.following import touched_ways
from postroad.routing.promise import slots_at_ends
from postroad.routing.tables import RoutingTables, build_tables

__all__ = ["CUT_OFF", "NO_WAY_BEFORE", "OTHER_WAY", "UNTOUCHED", "Ways", "compare_ways"]

UNTOUCHED, OTHER_WAY, CUT_OFF, NO_WAY_BEFORE = range(4)
"""Classes of items: the rows of ``Ways.items``."""


@dataclass(frozen=True, slots=True)
class Ways:
    """A day's items by what the loss does to their ways, were it to last.

    Attributes
    ----------
    before, after: the network of one day that repeats, with and without what is lost.
    tables_before, tables_after: the cheapest ways over each when nothing is full.
    flows: the demand; counts: int32 (n_rel, n_prod, n_pair), its items of the day.
    lost_facilities: bool (n_fac,). lost_rides: bool (n_cn,).
    anchor: int32 (n_fac,), core facility that a facility hangs on, itself for a core.
    sorted_slot: int32 (n_fac, n_rel), slot of the day in which items are sorted at the anchor; -1: never.
    leads_out, leads_in: bool (n_fac,), whether anything still links an outlet with its anchor; true for cores.
    items: int64 (4, n_pair), the day's items of each pair by class; cut_off: int64 (n_prod, n_pair), those cut off.
    extra_slots: int64 (n_pair,), slots that the items with another way take longer, summed; negative where shorter.
    """

    before: Instance
    after: Instance
    tables_before: RoutingTables
    tables_after: RoutingTables
    flows: Flows
    counts: np.ndarray
    lost_facilities: np.ndarray
    lost_rides: np.ndarray
    anchor: np.ndarray
    sorted_slot: np.ndarray
    leads_out: np.ndarray
    leads_in: np.ndarray
    items: np.ndarray
    cut_off: np.ndarray
    extra_slots: np.ndarray


def compare_ways(
    before: Instance, losses: tuple[Loss, ...], flows: Flows, day: int, *, threads: int, progress: Progress
) -> Ways:
    """Hold the ways of a day's items over the whole network against those over what is left of it.

    Parameters
    ----------
    before: compiled for one day.
    losses: on facilities and legs of it; they are taken to last.
    flows: the demand; ``day`` is its day that is compared.

    **Assumes** that nothing is full, and that each item takes the cheapest way.
    """
    after = degrade_for_good(before, losses)
    facilities = np.logical_or.reduce([loss.facilities for loss in losses])
    rides = np.logical_or.reduce([find_lost_rides(before, loss) for loss in losses])
    tables = [build_tables(instance, threads=threads, progress=progress) for instance in (before, after)]
    touched = touched_ways(before, tables[0], rides)
    counts = flows.day_counts(day)
    sorted_slot = slots_at_ends(before, flows.release_min, 0)[0]
    sorted_slot = np.where(sorted_slot >= 0, sorted_slot % before.slots_per_day, -1)
    anchor = np.where(before.fac_parent < 0, np.arange(before.n_fac), before.fac_parent).astype(np.int32)
    runs = np.bincount(after.cn_lane[after.dp_cn], minlength=len(after.lane_from)) > 0
    leads_out, leads_in = (
        (before.fac_parent < 0) | ((lane >= 0) & runs[np.maximum(lane, 0)])
        for lane in (before.collect_lane, before.feeder_lane)
    )
    sums = _classify(before, tables, touched, flows, counts, sorted_slot, anchor, facilities, leads_out, leads_in)
    return Ways(
        before, after, *tables, flows, counts, facilities, rides, anchor, sorted_slot, leads_out, leads_in, *sums
    )


def _classify(before, tables, touched, flows, counts, sorted_slot, anchor, facilities, leads_out, leads_in):
    """Items by class and pair, those cut off by product and pair, and the slots that another way takes longer."""
    origin, destination = flows.origin, flows.destination
    at, goal = anchor[origin], before.fac_td[destination]
    gone = facilities | facilities[anchor]
    stays = (origin == destination) & (before.fac_parent[origin] >= 0)
    shut = np.where(stays, facilities[origin], gone[origin] | gone[destination])
    shut |= ~stays & ~(leads_out[origin] & leads_in[destination])
    items = np.zeros((4, len(origin)), np.int64)
    cut_off = np.zeros((counts.shape[1], len(origin)), np.int64)
    extra = np.zeros(len(origin), np.int64)
    for release, product in np.ndindex(*counts.shape[:2]):
        number = counts[release, product].astype(np.int64)
        table = tables[0].table_of_product[product]
        slot = sorted_slot[origin, release]
        state = at, np.maximum(slot, 0), goal
        was = tables[0].slots_to_go[(table, 0, *state)].astype(np.int64)
        now = tables[1].slots_to_go[(table, 0, *state)].astype(np.int64)
        none = ~stays & ((slot < 0) | (goal < 0) | (was == NO_ROUTE))
        cut = ~none & (shut | (~stays & (now == NO_ROUTE)))
        other = ~none & ~cut & ~stays & touched[(table, *state)]
        kind = np.select([none, cut, other], [NO_WAY_BEFORE, CUT_OFF, OTHER_WAY], UNTOUCHED)
        items[kind, np.arange(len(kind))] += number
        cut_off[product] += number * cut
        extra += np.where(other, number * (now - was), 0)
    return items, cut_off, extra
