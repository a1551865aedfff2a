"""Kernels for routing tables: least-cost trees to every destination over a ring of slots.

The graph
    A state is (facility, slot): an item is sorted there in that slot. From it one edge a lane leads along the lane's
    *first departure* in this or a later slot, which is the one that a first-in-first-out queue loads, to the state in
    which the item is sorted at the other end. Slots form a line whose last part, from ``ring_from`` on, is a ring:
    what lies beyond the end lies at the ring's beginning, one ring length later.

Keys
    The length of a path is one int64: ``cost << 30 | slots << 15 | lane``. Comparing keys compares the cost, then the
    planned slots, then the first lane's number among its facility's; adding keys (lane bits cleared) adds cost and
    slots. So ties are broken the same way for any number of threads, every cycle has a positive length, and the slots
    to go are exactly those of the chosen lane. ``INF`` marks what cannot be reached.

Correct for
    Any non-negative costs and any departures that are ready at least one slot after they leave, overtaking departures
    included: where an earlier departure of the chosen lane is worse than a later one, the facility is computed afresh
    over all its lanes. The sweeps are Bellman-Ford in the order of falling slots; they end when one changes nothing,
    and then every key equals the least over the edges of its state. The caller checks that no field overflows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from postroad.kernels import njit

__all__ = [
    "BLOCK",
    "COST_SHIFT",
    "INF",
    "LANE_BITS",
    "LANE_MASK",
    "NO_ROUTE",
    "SLOT_MASK",
    "Graph",
    "choose_lanes",
    "settle_keys",
]

BLOCK = 16
"""Destinations worked on together. The kernels take a row's width from the array: a constant width is unrolled by the
compiler, which then uses no vector instructions."""
LANE_BITS = 15
LANE_MASK = (1 << LANE_BITS) - 1
SLOT_MASK = LANE_MASK
COST_SHIFT = 30
INF = 1 << 62
NO_ROUTE = 32767
_CLEAR = ~LANE_MASK


class Graph(NamedTuple):
    """The edges of one table.

    Attributes
    ----------
    slot_ptr: int64 (n_slots + 1,), groups of each slot. A group is a facility with departures in a slot.
    group_fac: int32 (n_group,), rising within a slot.
    group_ptr: int64 (n_group + 1,), edges of each group.
    edge_lane: int32 (n_edge,), lane number; at most one edge a lane and slot, the lane's first departure in it.
    edge_row: int32 (n_edge,), state that the edge leads to: ``facility * n_slots + slot``.
    edge_key: int64 (n_edge,), cost and slots of the edge from its own slot, with the lane's local number.
    out_ptr: int32 (n_core + 1 or more,), lanes of each facility.
    ring_from: slot at which the ring begins.
    wait_key: int64, cost and slots of waiting one slot.
    """

    slot_ptr: np.ndarray
    group_fac: np.ndarray
    group_ptr: np.ndarray
    edge_lane: np.ndarray
    edge_row: np.ndarray
    edge_key: np.ndarray
    out_ptr: np.ndarray
    ring_from: int
    wait_key: int


@njit
def settle_keys(keys, dest_of_fac, graph, max_sweeps):
    """Fill the keys of all states for one block of destinations.

    Parameters
    ----------
    keys: int64 (n_core * n_slots, width), all ``INF`` on entry; filled in place.
    dest_of_fac: int32 (n_core,), column of ``keys`` whose destination the facility is; -1 for none.
    graph: Graph.
    max_sweeps: give up after so many sweeps of the ring.

    Returns
    -------
    The number of ring sweeps, or -1 when the keys had not settled.
    """
    n_slots = len(graph.slot_ptr) - 1
    round_key = graph.wait_key * (n_slots - graph.ring_from)
    lane_row, lane_key = _start_ring(graph, graph.out_ptr[len(dest_of_fac)])
    row = np.empty(keys.shape[1], np.int64)
    stamps = np.zeros(len(keys), np.int32)
    sweeps = 0
    changed = True
    while changed:
        if sweeps == max_sweeps:
            return -1
        sweeps += 1
        changed = _sweep(keys, row, stamps, sweeps, lane_row, lane_key, dest_of_fac, graph, graph.ring_from, n_slots)
        lane_key += round_key
    lane_key -= round_key
    _sweep(keys, row, stamps, 1, lane_row, lane_key, dest_of_fac, graph, 0, graph.ring_from)
    return sweeps


@njit
def _start_ring(graph, n_lanes):
    """Each lane's first edge of the ring's next round: the row it leads to (-1: none), its key counted from slot 0."""
    n_slots = len(graph.slot_ptr) - 1
    lane_row = np.full(n_lanes, -1, np.int32)
    lane_key = np.zeros(n_lanes, np.int64)
    for slot in range(n_slots - 1, graph.ring_from - 1, -1):
        first, last = graph.group_ptr[graph.slot_ptr[slot]], graph.group_ptr[graph.slot_ptr[slot + 1]]
        _advance(lane_row, lane_key, graph, first, last, slot + n_slots - graph.ring_from)
    return lane_row, lane_key


@njit
def _advance(lane_row, lane_key, graph, first, last, slot):
    """Make the edges ``first .. last - 1``, which leave in ``slot``, the current ones of their lanes."""
    for edge in range(first, last):
        lane_row[graph.edge_lane[edge]] = graph.edge_row[edge]
        lane_key[graph.edge_lane[edge]] = graph.edge_key[edge] + graph.wait_key * slot


@njit
def _sweep(keys, row, stamps, sweep, lane_row, lane_key, dest_of_fac, graph, first_slot, last_slot):
    """Go once backward over slots ``first_slot .. last_slot - 1``; tell whether a key changed.

    ``stamps`` holds the sweep in which each row last changed; from the second sweep on, a row is worked out only when
    a row that it depends on has changed since.
    """
    n_changed = 0
    n_slots = len(graph.slot_ptr) - 1
    wait_key, out_ptr = graph.wait_key, graph.out_ptr
    for slot in range(last_slot - 1, first_slot - 1, -1):
        after = slot + 1 if slot + 1 < n_slots else graph.ring_from
        group = graph.slot_ptr[slot]
        for fac in range(len(dest_of_fac)):
            here = fac * n_slots + slot
            later = fac * n_slots + after
            is_stale = sweep == 1 or stamps[later] >= sweep - (after <= slot)
            first, last = 0, 0
            if group < graph.slot_ptr[slot + 1] and graph.group_fac[group] == fac:
                first, last = graph.group_ptr[group], graph.group_ptr[group + 1]
                group += 1
                _advance(lane_row, lane_key, graph, first, last, slot)
                is_stale = is_stale or _leads_to_changed(stamps, sweep, graph, first, last, n_slots - slot)
            if not is_stale:
                continue
            _wait(row, keys[later], wait_key)
            if _take_edges(row, keys, graph.edge_row, graph.edge_key, first, last):
                _take_all(row, keys, lane_row, lane_key, out_ptr[fac], out_ptr[fac + 1], wait_key * slot)
            if dest_of_fac[fac] >= 0:
                row[dest_of_fac[fac]] = 0
            if _replace(keys[here], row):
                stamps[here] = sweep
                n_changed += 1
    return n_changed > 0


@njit
def _leads_to_changed(stamps, sweep, graph, first, last, n_left):
    """Whether an edge leads to a row that changed since this row was worked out in the sweep before.

    Rows of later slots were worked out before this one in both sweeps; rows beyond the ring's end (``n_left`` slots
    ahead) may have changed after it in the sweep before.
    """
    for edge in range(first, last):
        wraps = ((graph.edge_key[edge] >> LANE_BITS) & SLOT_MASK) >= n_left
        if stamps[graph.edge_row[edge]] >= sweep - wraps:
            return True
    return False


@njit
def _wait(row, later, wait_key):
    """The row of a slot in which nothing leaves, from that of the next slot."""
    for d in range(len(row)):
        row[d] = min(later[d] + wait_key, INF)


@njit
def _replace(target, row):
    """Copy a row into its place; tell whether anything changed."""
    changed = np.int64(0)
    for d in range(len(row)):
        changed |= target[d] ^ row[d]
        target[d] = row[d]
    return changed != 0


@njit
def _take_edges(row, keys, edge_row, edge_key, first, last):
    """Lower a row by new edges; tell whether one is worse than its own lane's later edge on which the row stands."""
    worse = np.int64(0)
    for edge in range(first, last):
        beyond = keys[edge_row[edge]]
        step = edge_key[edge]
        lane = step & LANE_MASK
        for d in range(len(row)):
            key = min((beyond[d] & _CLEAR) + step, INF)
            before = row[d]
            worse |= np.int64(((before & LANE_MASK) == lane) & (key > before) & (before < INF))
            row[d] = min(before, key)
    return worse != 0


@njit
def _take_all(row, keys, lane_row, lane_key, first_lane, last_lane, passed):
    """Compute a row afresh over the current edges of all lanes; ``passed`` is the key of waiting from slot 0 to now."""
    for d in range(len(row)):
        row[d] = INF
    for lane in range(first_lane, last_lane):
        if lane_row[lane] < 0:
            continue
        beyond = keys[lane_row[lane]]
        step = lane_key[lane] - passed
        for d in range(len(row)):
            row[d] = min(row[d], (beyond[d] & _CLEAR) + step)


@njit
def choose_lanes(keys, dest_of_fac, n_dest, graph, max_extra, next_out, alt_out, slots_to_go):
    """Write the best lane, the best other lane and the slots to go of every state from settled keys.

    Facility by facility, so that the rows which its lanes lead to stay in the cache.

    Parameters
    ----------
    keys, dest_of_fac, graph: as in :func:`settle_keys`; the keys settled.
    n_dest: how many columns are in use.
    max_extra: int64, by how much (in the cost field) the other lane may cost more than the best one.
    next_out, alt_out, slots_to_go: int16 (n_days, n_core, slots_per_day, n_dest) views to fill.

    Returns
    -------
    The largest cost and the largest slots field among the keys of reachable states.
    """
    n_slots = len(graph.slot_ptr) - 1
    per_day = next_out.shape[2]
    wait_key = graph.wait_key
    groups, groups_ptr, group_slot = _by_facility(graph, len(dest_of_fac))
    lane_row, lane_key = _start_ring(graph, graph.out_ptr[len(dest_of_fac)])
    best = np.empty(keys.shape[1], np.int64)
    other = np.empty(keys.shape[1], np.int64)
    longest = np.zeros(2, np.int64)
    for fac in range(len(dest_of_fac)):
        first_lane, last_lane = graph.out_ptr[fac], graph.out_ptr[fac + 1]
        position = groups_ptr[fac + 1] - 1
        _take_two(best, other, keys, lane_row, lane_key, first_lane, last_lane, wait_key * n_slots)
        for slot in range(n_slots - 1, -1, -1):
            _wait(best, best, wait_key)
            _wait(other, other, wait_key)
            if position >= groups_ptr[fac] and group_slot[groups[position]] == slot:
                group = groups[position]
                position -= 1
                first, last = graph.group_ptr[group], graph.group_ptr[group + 1]
                _advance(lane_row, lane_key, graph, first, last, slot)
                if _take_edges_two(best, other, keys, graph.edge_row, graph.edge_key, first, last):
                    _take_two(best, other, keys, lane_row, lane_key, first_lane, last_lane, wait_key * slot)
            at = slot // per_day, fac, slot % per_day
            _write(
                best, other, n_dest, dest_of_fac[fac], max_extra, next_out[at], alt_out[at], slots_to_go[at], longest
            )
    return longest[0], longest[1]


@njit
def _by_facility(graph, n_core):
    """Groups in order of facility, then slot; where each facility's begin; and each group's slot."""
    group_slot = np.empty(len(graph.group_fac), np.int32)
    groups_ptr = np.zeros(n_core + 1, np.int64)
    for slot in range(len(graph.slot_ptr) - 1):
        for group in range(graph.slot_ptr[slot], graph.slot_ptr[slot + 1]):
            group_slot[group] = slot
            groups_ptr[graph.group_fac[group] + 1] += 1
    groups_ptr = np.cumsum(groups_ptr)
    fill = groups_ptr.copy()
    groups = np.empty(len(graph.group_fac), np.int64)
    for group in range(len(graph.group_fac)):
        groups[fill[graph.group_fac[group]]] = group
        fill[graph.group_fac[group]] += 1
    return groups, groups_ptr, group_slot


@njit
def _take_edges_two(best, other, keys, edge_row, edge_key, first, last):
    """Lower the least and the second least key by new edges; tell whether one is worse than its lane's later edge."""
    worse = np.int64(0)
    for edge in range(first, last):
        beyond = keys[edge_row[edge]]
        step = edge_key[edge]
        lane = step & LANE_MASK
        for d in range(len(best)):
            key = min((beyond[d] & _CLEAR) + step, INF)
            one, two = best[d], other[d]
            is_one = ((one & LANE_MASK) == lane) & (one < INF)
            is_two = ((two & LANE_MASK) == lane) & (two < INF)
            worse |= np.int64((is_one & (key > one)) | (is_two & (key > two)))
            second = min(two, max(one, key))
            other[d] = two if is_one else second
            best[d] = min(one, key)
    return worse != 0


@njit
def _take_two(best, other, keys, lane_row, lane_key, first_lane, last_lane, passed):
    """The least and the second least key over the current edges of all lanes of a facility; ``passed`` as above."""
    for d in range(len(best)):
        best[d] = INF
        other[d] = INF
    for lane in range(first_lane, last_lane):
        if lane_row[lane] < 0:
            continue
        beyond = keys[lane_row[lane]]
        step = lane_key[lane] - passed
        for d in range(len(best)):
            key = min((beyond[d] & _CLEAR) + step, INF)
            other[d] = min(other[d], max(best[d], key))
            best[d] = min(best[d], key)


@njit
def _write(best, other, n_dest, own, max_extra, next_out, alt_out, slots_to_go, longest):
    """Unpack the keys of one state; ``own`` is the column whose destination the facility is."""
    for d in range(n_dest):
        key, alt = best[d], other[d]
        if d == own:
            next_out[d] = -1
            alt_out[d] = -1
            slots_to_go[d] = 0
        elif key >= INF:
            next_out[d] = -1
            alt_out[d] = -1
            slots_to_go[d] = NO_ROUTE
        else:
            cost = key >> COST_SHIFT
            n_to_go = (key >> LANE_BITS) & SLOT_MASK
            longest[0] = max(longest[0], cost)
            longest[1] = max(longest[1], n_to_go)
            within = alt < INF and (alt >> COST_SHIFT) - cost <= max_extra
            next_out[d] = key & LANE_MASK
            alt_out[d] = alt & LANE_MASK if within else -1
            slots_to_go[d] = n_to_go
