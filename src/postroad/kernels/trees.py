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
    "list_lanes",
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
    group_ptr: int64 (n_group + 1,), edges of each group: a facility with departures in a slot. At most one edge a
        lane, its first departure in the slot.
    edge_row: int32 (n_edge,), state that the edge leads to: ``facility * n_slots + slot``.
    edge_key: int64 (n_edge,), cost and slots of the edge from its own slot, with the lane's local number.
    group_at: int32 (n_slots * n_core,), group of each place, -1: none. A *place* is a state in order of slot, then
        facility: ``slot * n_core + facility``.
    into_ptr: int64 (n_core * n_slots + 1,), edges into each state; into_place: int32 (n_edge,), the places from which.
    lanes_ptr: int64 (n_group + 1,), a row for each group and lane of its facility, see :func:`list_lanes`; lanes_row:
        int32, lanes_key: int64, the lane's first edge in the group's or a later slot, its key counted from the
        group's slot; row -1 where the lane has none.
    n_slots: slots of the line. ring_from: slot at which the ring begins.
    wait_key: int64, cost and slots of waiting one slot.
    """

    group_ptr: np.ndarray
    edge_row: np.ndarray
    edge_key: np.ndarray
    group_at: np.ndarray
    into_ptr: np.ndarray
    into_place: np.ndarray
    lanes_ptr: np.ndarray
    lanes_row: np.ndarray
    lanes_key: np.ndarray
    n_slots: int
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
    n_slots = graph.n_slots
    is_due = np.ones(len(keys), np.bool_)
    row = np.empty(keys.shape[1], np.int64)
    sweeps = 0
    while _sweep(keys, row, is_due, dest_of_fac, graph, graph.ring_from, n_slots):
        sweeps += 1
        if sweeps == max_sweeps:
            return -1
    _sweep(keys, row, is_due, dest_of_fac, graph, 0, graph.ring_from)
    return sweeps


@njit
def _sweep(keys, row, is_due, dest_of_fac, graph, first_slot, last_slot):
    """Go once backward over slots ``first_slot .. last_slot - 1`` and work out the rows that are due; how many changed.

    ``is_due``, by place, holds the rows of which a row that they depend on has changed since they were worked out.
    """
    n_changed = 0
    n_core, n_slots = len(dest_of_fac), graph.n_slots
    for slot in range(last_slot - 1, first_slot - 1, -1):
        after = slot + 1 if slot + 1 < n_slots else graph.ring_from
        before = slot - 1 if slot != graph.ring_from else n_slots - 1
        for fac in range(n_core):
            if not is_due[slot * n_core + fac]:
                continue
            is_due[slot * n_core + fac] = False
            _wait(row, keys[fac * n_slots + after], graph.wait_key)
            group = graph.group_at[slot * n_core + fac]
            if group >= 0:
                first, last = graph.group_ptr[group], graph.group_ptr[group + 1]
                if _take_edges(row, keys, graph.edge_row, graph.edge_key, first, last):
                    _take_all(row, keys, graph, group)
            if dest_of_fac[fac] >= 0:
                row[dest_of_fac[fac]] = 0
            here = fac * n_slots + slot
            if _replace(keys[here], row):
                n_changed += 1
                is_due[before * n_core + fac] = True
                for edge in range(graph.into_ptr[here], graph.into_ptr[here + 1]):
                    is_due[graph.into_place[edge]] = True
    return n_changed


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
def _take_all(row, keys, graph, group):
    """Compute a row afresh over the first edge of every lane in this or a later slot."""
    for d in range(len(row)):
        row[d] = INF
    for place in range(graph.lanes_ptr[group], graph.lanes_ptr[group + 1]):
        if graph.lanes_row[place] < 0:
            continue
        beyond = keys[graph.lanes_row[place]]
        step = graph.lanes_key[place]
        for d in range(len(row)):
            row[d] = min(row[d], (beyond[d] & _CLEAR) + step)


@njit
def list_lanes(slot_ptr, group_fac, group_ptr, edge_lane, edge_row, edge_key, out_ptr, lanes_ptr, ring_from, wait_key):
    """List the first edges of all lanes of each group's facility: ``lanes_row`` and ``lanes_key`` of a Graph."""
    n_slots = len(slot_ptr) - 1
    lane_row = np.full(out_ptr[group_fac.max() + 1] if len(group_fac) else 0, -1, np.int32)
    lane_key = np.zeros(len(lane_row), np.int64)
    lanes_row = np.empty(lanes_ptr[-1], np.int32)
    lanes_key = np.empty(lanes_ptr[-1], np.int64)
    for turn in range(2):
        # the first turn finds each lane's first edge of the ring: to the second it is that of the ring's next round
        last_slot = ring_from if turn == 0 else 0
        ahead = n_slots - ring_from if turn == 0 else 0
        for slot in range(n_slots - 1, last_slot - 1, -1):
            for group in range(slot_ptr[slot], slot_ptr[slot + 1]):
                for edge in range(group_ptr[group], group_ptr[group + 1]):
                    lane_row[edge_lane[edge]] = edge_row[edge]
                    lane_key[edge_lane[edge]] = edge_key[edge] + wait_key * (slot + ahead)
                if turn == 1:
                    first = out_ptr[group_fac[group]]
                    for place in range(lanes_ptr[group], lanes_ptr[group + 1]):
                        lane = first + place - lanes_ptr[group]
                        lanes_row[place] = lane_row[lane]
                        lanes_key[place] = lane_key[lane] - wait_key * slot
    return lanes_row, lanes_key


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
    n_core, n_slots, per_day = len(dest_of_fac), graph.n_slots, next_out.shape[2]
    best = np.empty(keys.shape[1], np.int64)
    other = np.empty(keys.shape[1], np.int64)
    longest = np.zeros(2, np.int64)
    for fac in range(n_core):
        _take_next_round(best, other, keys, graph, fac, n_core)
        for slot in range(n_slots - 1, -1, -1):
            _wait(best, best, graph.wait_key)
            _wait(other, other, graph.wait_key)
            group = graph.group_at[slot * n_core + fac]
            if group >= 0:
                first, last = graph.group_ptr[group], graph.group_ptr[group + 1]
                if _take_edges_two(best, other, keys, graph.edge_row, graph.edge_key, first, last):
                    _take_two(best, other, keys, graph, group)
            at = slot // per_day, fac, slot % per_day
            _write(
                best, other, n_dest, dest_of_fac[fac], max_extra, next_out[at], alt_out[at], slots_to_go[at], longest
            )
    return longest[0], longest[1]


@njit
def _take_next_round(best, other, keys, graph, fac, n_core):
    """The least and second least keys of a facility in the slot after the last, where the ring begins again."""
    best[:] = INF
    other[:] = INF
    for slot in range(graph.ring_from, graph.n_slots):
        group = graph.group_at[slot * n_core + fac]
        if group >= 0:
            _take_two(best, other, keys, graph, group)
            for _ in range(slot - graph.ring_from):
                _wait(best, best, graph.wait_key)
                _wait(other, other, graph.wait_key)
            break


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
def _take_two(best, other, keys, graph, group):
    """The least and the second least key over the first edges of all lanes of a group's facility."""
    for d in range(len(best)):
        best[d] = INF
        other[d] = INF
    for place in range(graph.lanes_ptr[group], graph.lanes_ptr[group + 1]):
        if graph.lanes_row[place] < 0:
            continue
        beyond = keys[graph.lanes_row[place]]
        step = graph.lanes_key[place]
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
