"""Kernel for the flow planner: from soft values to the lanes that what is sorted should join."""

from __future__ import annotations

import numpy as np

from postroad.kernels import njit
from postroad.kernels.flowvalues import weight

__all__ = ["lane_shares"]

_ZERO, _ONE = np.float32(0), np.float32(1)


@njit
def lane_shares(
    value_in, value_out, graph, ride_lane, out_ptr, ride_cost, wait_cost, warmth, cycle, least, lanes, ends
):  # fmt: skip
    """Write the lanes with which items leave in the end that are sorted at each facility in each slot.

    An item that waits for a later slot leaves as those do that are sorted then. Of more lanes than there is room for,
    those with the largest shares are kept.

    Parameters
    ----------
    value_in, value_out, graph, ride_cost, wait_cost, warmth: as in ``soft_values``; the values settled.
    ride_lane: int32 (n_ride,), lane of each ride; out_ptr: int32, first lane of each facility.
    cycle, least: parts that a whole has, and the parts below which a lane is not worth a share.
    lanes: int16 (n_fac, n_slots, width, n_kept), lanes as their facility counts them in falling order of share, -1:
        none; ends: int16, same shape, where each lane's parts of the cycle end. Both filled in place.
    """
    n_fac, n_slots, width = value_in.shape
    n_kept = lanes.shape[3]
    lane, share = np.empty((width, n_kept), np.int16), np.empty((width, n_kept), np.float32)
    total, stays = np.empty(width, np.float32), np.empty(width, np.float32)
    rate = _ONE / (warmth * np.float32(256))
    for f in range(n_fac):
        lane[:] = -1
        share[:] = 0
        for turn in range(2 * n_slots - 1, -1, -1):
            s = turn % n_slots
            later = s + 1 if s + 1 < n_slots else 0
            first, last = graph.ptr[s * n_fac + f], graph.ptr[s * n_fac + f + 1]
            ahead, here = value_out[f, later], value_out[f, s]
            if last > first:
                for d in range(width):
                    stays[d] = weight(ahead[d] + wait_cost - here[d], rate)
                    total[d] = stays[d]
                for ride in range(first, last):
                    beyond, cost = value_in[graph.head[ride], (s + graph.step[ride]) % n_slots], ride_cost[ride]
                    for d in range(width):
                        total[d] += weight(beyond[d] + cost - here[d], rate)
                for d in range(width):
                    total[d] = _ONE / max(total[d], np.float32(1e-20))
                    for k in range(n_kept):
                        share[d, k] *= stays[d] * total[d]
                for ride in range(first, last):
                    beyond, cost = value_in[graph.head[ride], (s + graph.step[ride]) % n_slots], ride_cost[ride]
                    own = np.int16(ride_lane[ride] - out_ptr[f])
                    for d in range(width):
                        part = weight(beyond[d] + cost - here[d], rate) * total[d]
                        if part > np.float32(1e-3):
                            _add(lane[d], share[d], own, part)
            if last == first and turn < n_slots - 1:  # nothing leaves: as in the slot after it
                lanes[f, s], ends[f, s] = lanes[f, later], ends[f, later]
            elif turn < n_slots:
                for d in range(width):
                    _write(lane[d], share[d], cycle, least, lanes[f, s, d], ends[f, s, d])
            if turn < n_slots and graph.goal[f] >= 0:
                lanes[f, s, graph.goal[f]] = -1


@njit
def _write(lane, share, cycle, least, lanes, ends):
    """Put lanes in falling order of share, those worth one, and write where the parts of each end."""
    total = _ZERO
    for k in range(len(lane)):
        lanes[k], ends[k] = -1, -1
        total += share[k]
    if total <= _ZERO:
        return
    worth, n = _ZERO, 0
    for k in range(len(lane)):
        if share[k] * cycle < least * total:
            continue
        worth += share[k]
        at = n
        while at > 0 and share[k] > share[lanes[at - 1]]:
            lanes[at] = lanes[at - 1]
            at -= 1
        lanes[at] = k
        n += 1
    part = _ZERO
    for k in range(n):
        part += share[lanes[k]]
        ends[k] = np.int16(np.rint(part / worth * cycle))
        lanes[k] = lane[lanes[k]]
    for k in range(n, len(lane)):
        ends[k] = cycle


@njit
def _add(lane, share, own, part):
    """Add a share to its lane, or put it in the place of the smallest one."""
    least = 0
    for k in range(len(lane)):
        if lane[k] == own:
            share[k] += part
            return
        if share[k] < share[least]:
            least = k
    if part > share[least]:
        lane[least] = own
        share[least] = part
