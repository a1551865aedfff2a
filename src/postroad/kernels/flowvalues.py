"""Kernels for the flow planner: what it costs to bring an item from every facility and slot to every destination.

The graph
    At facility f in slot s an item stands in the sort queue (*in*) or is sorted (*out*). From *in* it is sorted, or
    waits for the next slot; from *out* it takes one of the slot's rides, each of which leads to the sort queue of
    another facility some slots later, or waits. At its destination what is sorted is through. Slots form a ring.

Values
    The value of a place is the least cost from there on. ``exact_values`` finds it in whole micro-yuan;
    ``soft_values`` replaces each minimum by a smooth one, ``-T log sum w`` with ``w`` the weight below, so that what an
    item does is a share of every way that is nearly the best, and loads answer to prices without jumps.

Correct for
    Rides that take at least one slot and costs that make every round of the ring dearer than nothing. Both sweep the
    ring backward, each slot once a sweep, until the caller has seen no change (exact) or is content (soft).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from postroad.kernels import njit

__all__ = ["FAR", "UNREACHED", "RideGraph", "exact_values", "soft_values", "weight"]

UNREACHED = 1 << 29
"""Exact value, in micro-yuan, of what leads nowhere."""

FAR = np.float32(1e6)
"""Soft value, in yuan, of what leads nowhere."""

_THIRD, _FIFTH, _SEVENTH = np.float32(1 / 3), np.float32(1 / 5), np.float32(1 / 7)
_QUARTER, _HALF, _ZERO, _ONE, _TWO, _FOUR = (np.float32(value) for value in (0.25, 0.5, 0, 1, 2, 4))
_LOG2, _LOG4 = np.float32(np.log(2)), np.float32(np.log(4))


class RideGraph(NamedTuple):
    """The rides of a ring of slots.

    Attributes
    ----------
    ptr: int64 (n_slots * n_fac + 1,), rides that leave in a slot from a facility: ``slot * n_fac + facility``.
    head: int32 (n_ride,), facility reached; step: int32 (n_ride,), slots until the item stands in its sort queue.
    goal: int32 (n_fac,), column of the destination that the facility is, -1: none.
    """

    ptr: np.ndarray
    head: np.ndarray
    step: np.ndarray
    goal: np.ndarray


@njit(fastmath=True)
def weight(extra, rate):
    """The weight of a way that costs ``extra`` yuan more than the best: about exp(-256 * extra * rate), at most 1.

    Eight squarings stand for the exponential: any falling function would do, and this one needs no table and is nought
    beyond ``1 / rate``.
    """
    w = max(_ONE - max(extra, _ZERO) * rate, _ZERO)
    w *= w
    w *= w
    w *= w
    w *= w
    w *= w
    w *= w
    w *= w
    w *= w
    return w


@njit(fastmath=True)
def _log(value):
    """Natural logarithm of a sum of weights (at least 1), within about 0.1 % of what matters here."""
    small = value * _QUARTER if value > _FOUR else value
    log = _LOG4 if value > _FOUR else _ZERO
    log += _LOG2 if small > _TWO else _ZERO
    small = small * _HALF if small > _TWO else small
    u = (small - _ONE) / (small + _ONE)
    square = u * u
    return log + _TWO * u * (_ONE + square * (_THIRD + square * (_FIFTH + square * _SEVENTH)))


@njit
def exact_values(value_in, value_out, graph, ride_cost, sort_cost, wait_cost, end_cost):
    """Sweep the ring backward once; how many places changed.

    Parameters
    ----------
    value_in, value_out: int32 (n_fac, n_slots, width), micro-yuan; lowered or raised in place. Begin with ``UNREACHED``
        or with the values of other prices.
    ride_cost: int32 (n_ride,); sort_cost: int32 (n_fac, n_slots); wait_cost: int32, of a slot.
    end_cost: int32 (width, n_slots), of having been sorted at the destination.
    """
    n_fac, n_slots, width = value_in.shape
    row = np.empty(width, np.int32)
    changed = 0
    for s in range(n_slots - 1, -1, -1):
        later = s + 1 if s + 1 < n_slots else 0
        for f in range(n_fac):
            ahead, here = value_out[f, later], value_out[f, s]
            for d in range(width):
                row[d] = min(ahead[d] + wait_cost, UNREACHED)
            for ride in range(graph.ptr[s * n_fac + f], graph.ptr[s * n_fac + f + 1]):
                beyond = value_in[graph.head[ride], (s + graph.step[ride]) % n_slots]
                cost = ride_cost[ride]
                for d in range(width):
                    row[d] = min(row[d], beyond[d] + cost)
            if graph.goal[f] >= 0:
                row[graph.goal[f]] = end_cost[graph.goal[f], s]
            differs = np.int32(0)
            for d in range(width):
                differs |= row[d] ^ here[d]
                here[d] = row[d]
            queue, ahead, cost = value_in[f, s], value_in[f, later], sort_cost[f, s]
            for d in range(width):
                value = min(min(ahead[d] + wait_cost, here[d] + cost), UNREACHED)
                differs |= value ^ queue[d]
                queue[d] = value
            changed += 1 if differs != 0 else 0
    return changed


@njit(fastmath=True)
def soft_values(value_in, value_out, graph, ride_cost, sort_cost, wait_cost, end_cost, warmth):
    """Sweep the ring backward once with smooth minima.

    Parameters
    ----------
    value_in, value_out: float32 (n_fac, n_slots, width), yuan; changed in place.
    ride_cost: float32 (n_ride,); sort_cost: float32 (n_fac, n_slots); wait_cost: float32; end_cost: float32 (width,
        n_slots): as in ``exact_values``, in yuan.
    warmth: float32, T in yuan: ways that cost much more than that on top are not taken.
    """
    n_fac, n_slots, width = value_in.shape
    best, total = np.empty(width, np.float32), np.empty(width, np.float32)
    rate = _ONE / (warmth * np.float32(256))
    for s in range(n_slots - 1, -1, -1):
        later = s + 1 if s + 1 < n_slots else 0
        for f in range(n_fac):
            ahead, here = value_out[f, later], value_out[f, s]
            first, last = graph.ptr[s * n_fac + f], graph.ptr[s * n_fac + f + 1]
            for d in range(width):
                best[d] = ahead[d] + wait_cost
            for ride in range(first, last):
                beyond, cost = value_in[graph.head[ride], (s + graph.step[ride]) % n_slots], ride_cost[ride]
                for d in range(width):
                    best[d] = min(best[d], beyond[d] + cost)
            if last > first:
                for d in range(width):
                    total[d] = weight(ahead[d] + wait_cost - best[d], rate)
                for ride in range(first, last):
                    beyond, cost = value_in[graph.head[ride], (s + graph.step[ride]) % n_slots], ride_cost[ride]
                    for d in range(width):
                        total[d] += weight(beyond[d] + cost - best[d], rate)
                for d in range(width):
                    here[d] = best[d] - warmth * _log(total[d])
            else:
                for d in range(width):
                    here[d] = best[d]
            if graph.goal[f] >= 0:
                here[graph.goal[f]] = end_cost[graph.goal[f], s]
            queue, ahead, cost = value_in[f, s], value_in[f, later], sort_cost[f, s]
            for d in range(width):
                waits, goes = ahead[d] + wait_cost, here[d] + cost
                least = min(waits, goes)
                value = least - warmth * _log(_ONE + weight(max(waits, goes) - least, rate))
                queue[d] = min(value, FAR)
