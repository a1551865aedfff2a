"""The timetable to the minute: earliest arrival, latest departure and full profiles over it."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from postroad.kernels.scan import (
    profile_backward,
    scan_all_backward,
    scan_all_forward,
    scan_backward,
    scan_forward,
    take_arrivals,
)
from postroad.network.instance import Instance
from postroad.routing.departures import lanes_out_of

__all__ = [
    "NEVER",
    "Timetable",
    "build_timetable",
    "earliest_arrival",
    "earliest_arrival_all",
    "follow_back",
    "follow_on",
    "latest_departure",
    "latest_departure_all",
    "profile_all",
    "when_open",
]

NEVER = np.iinfo(np.int32).max
LONG_AGO = np.iinfo(np.int32).min


@dataclass(frozen=True, slots=True)
class Timetable:
    """Departures in order of (dep, ready): arrays of shape (n_departure,), int32, minutes from the instance's epoch.

    Attributes
    ----------
    n_fac: facilities, outlets included.
    origin, target: facility indices.
    dep, arr: departure and arrival.
    ready: minute from which an item that came with it can leave the target: handling done and sorted there.
    row: row of the instance's departures; -1 where the timetable was not built from one.
    """

    n_fac: int
    origin: np.ndarray
    target: np.ndarray
    dep: np.ndarray
    arr: np.ndarray
    ready: np.ndarray
    row: np.ndarray


def build_timetable(
    instance: Instance, product: int, *, from_min: int = 0, to_min: int | None = None, bound_for: int | None = None
) -> Timetable:
    """Take the departures that a product may ride, as overlaid, from the horizon of an instance.

    Parameters
    ----------
    instance: the compiled network; calendars, closures and delays are in its departures.
    product: index of the product; modes barred for it are left out.
    from_min, to_min: departures in this half-open range of minutes from the epoch; to the end of the horizon when None.
    bound_for: facility whose customs territory what is on its way to it does not leave; None: go anywhere.

    Returns
    -------
    Timetable: what arrives while the target does not sort is ready when its next sorting begins. Departures without
    capacity left, and those whose target never sorts again in the horizon, are left out.

    **Assumes** that what is sorted may leave at once, and what is ready in a slot with sorting is sorted at once.
    """
    end = instance.n_days * 1440 if to_min is None else to_min
    first, last = np.searchsorted(instance.dp_dep_min, [from_min, end])
    row = np.arange(first, last)
    cn = instance.dp_cn[row]
    lane = instance.cn_lane[cn]
    allowed = instance.prod_mode_ok[product, instance.lane_mode[lane]] & (instance.dp_capf[row] > 0)
    if bound_for is not None:
        allowed &= ~lanes_out_of(instance, instance.fac_territory[bound_for])[lane]
    row, cn, lane = row[allowed], cn[allowed], lane[allowed]
    dep, arr = instance.dp_dep_min[row], instance.dp_arr_min[row]
    target = instance.lane_to[lane]
    queued = np.maximum(arr + instance.cn_ready_min[cn], dep + 1)
    ready = when_open(instance, instance.sort_cap, target, queued)
    order = np.lexsort((row, ready, dep))
    order = order[ready[order] < NEVER]
    columns = (instance.lane_from[lane], target, dep, arr, ready, row)
    return Timetable(instance.n_fac, *(np.ascontiguousarray(column[order], np.int32) for column in columns))


def when_open(instance: Instance, capacity: np.ndarray, fac: np.ndarray, minute: np.ndarray) -> np.ndarray:
    """The minutes from which what waits at facilities is worked on: at once, or when the next slot with work begins.

    Parameters
    ----------
    capacity: int32 (n_fac, n_slots), ``sort_cap`` or ``screen_cap`` of the instance.
    fac, minute: arrays of one shape.

    Returns
    -------
    int32; ``NEVER`` where there is no more work within the horizon; beyond the horizon there always is.
    """
    n_slots = instance.n_slots
    opens = np.full((instance.n_fac, n_slots + 1), n_slots, np.int32)
    is_open = capacity > 0
    for slot in range(n_slots - 1, -1, -1):
        opens[:, slot] = np.where(is_open[:, slot], slot, opens[:, slot + 1])
    slot = np.minimum(minute // instance.slot_min, n_slots)
    next_open = opens[fac, slot]
    never = (next_open == n_slots) & (slot < n_slots)
    return np.where(never, NEVER, np.maximum(minute, next_open * instance.slot_min * (slot < n_slots))).astype(np.int32)


def earliest_arrival(timetable: Timetable, fac: int, at_min: int) -> tuple[np.ndarray, np.ndarray]:
    """When an item ready at a facility at a minute can be ready at every other.

    Returns
    -------
    int32 (n_fac,) minutes, ``NEVER`` where it does not get; and int32 (n_fac,), the departure that brings it, -1: none.
    """
    first = np.searchsorted(timetable.dep, at_min)
    reach, via = np.full(timetable.n_fac, NEVER, np.int32), np.full(timetable.n_fac, -1, np.int32)
    reach[fac] = at_min
    columns = (column[first:] for column in (timetable.origin, timetable.target, timetable.dep, timetable.ready))
    scan_forward(reach, via, *columns)
    return reach, np.where(via >= 0, via + first, -1).astype(np.int32)


def latest_departure(timetable: Timetable, fac: int, by_min: int) -> tuple[np.ndarray, np.ndarray]:
    """When an item must at the latest be ready at every facility to arrive at one by a minute.

    Returns
    -------
    int32 (n_fac,) minutes, the smallest int32 where it is too late; and the departure to take, -1: none.
    """
    until = np.where(timetable.target == fac, timetable.arr, timetable.ready)
    order = np.argsort(-until, kind="stable")
    order = order[until[order] <= by_min]
    leave, via = np.full(timetable.n_fac, LONG_AGO, np.int32), np.full(timetable.n_fac, -1, np.int32)
    leave[fac] = by_min
    scan_backward(leave, via, timetable.origin[order], timetable.target[order], timetable.dep[order], until[order])
    return leave, np.append(order, -1)[via].astype(np.int32)


def follow_back(timetable: Timetable, via: np.ndarray, fac: int) -> list[int]:
    """The departures, in order, of the journey to a facility that :func:`earliest_arrival` found."""
    journey = []
    while via[fac] >= 0:
        journey.append(int(via[fac]))
        fac = timetable.origin[via[fac]]
    return journey[::-1]


def follow_on(timetable: Timetable, via: np.ndarray, fac: int) -> list[int]:
    """The departures, in order, of the journey from a facility that :func:`latest_departure` found."""
    journey = []
    while via[fac] >= 0:
        journey.append(int(via[fac]))
        fac = timetable.target[via[fac]]
    return journey


def earliest_arrival_all(
    timetable: Timetable, at_min: int, *, sources: np.ndarray | None = None, threads: int = 2
) -> np.ndarray:
    """Earliest arrivals at every facility from every source, for items ready at one minute.

    Parameters
    ----------
    sources: facility indices; all facilities when None.
    threads: worker threads; the answer is the same for any number.

    Returns
    -------
    int16 or int32 (n_fac, n_source) minutes after ``at_min``, the dtype's largest value where it does not get. int16
    where the timetable is short enough (22 days).
    """
    sources = np.arange(timetable.n_fac) if sources is None else sources
    first = int(np.searchsorted(timetable.dep, at_min))
    dtype, never = _short_type(timetable, first, at_min)
    dep, ready, arr = (
        np.minimum(column[first:] - at_min, never).astype(dtype)
        for column in (timetable.dep, timetable.ready, timetable.arr)
    )
    origin, target = timetable.origin[first:], timetable.target[first:]
    handling = ready - arr
    is_uniform = bool((handling == handling[:1]).all())
    usual = int(handling[0]) if len(handling) else 0

    def work(columns: slice) -> np.ndarray:
        block = sources[columns]
        reach = np.full((timetable.n_fac, len(block)), never, dtype)
        reach[block, np.arange(len(block))] = 0
        scan_all_forward(reach, origin, target, dep, ready)
        if is_uniform:
            arrive = np.where(reach < never, reach - usual, never)
        else:
            arrive = np.full_like(reach, never)
            take_arrivals(arrive, reach, origin, target, dep, arr)
        arrive[block, np.arange(len(block))] = 0
        return arrive

    return np.concatenate(_in_blocks(work, len(sources), threads), axis=1)


def latest_departure_all(
    timetable: Timetable, by_min: int, *, destinations: np.ndarray | None = None, threads: int = 2
) -> np.ndarray:
    """Latest ready minutes at every facility to arrive at every destination by one minute.

    Returns
    -------
    int16 or int32 (n_fac, n_destination) minutes relative to ``by_min`` (0 or less), the dtype's smallest value where
    it is too late.
    """
    destinations = np.arange(timetable.n_fac) if destinations is None else destinations
    order = np.argsort(-timetable.ready, kind="stable")
    order = order[timetable.arr[order] <= by_min]
    span = by_min - int(timetable.dep.min(initial=by_min))
    dtype = np.int16 if span < np.iinfo(np.int16).max - 1440 else np.int32
    late = np.iinfo(dtype).max
    dep, ready, arr = (
        np.minimum(column[order] - by_min, late).astype(dtype)
        for column in (timetable.dep, timetable.ready, timetable.arr)
    )
    origin, target = timetable.origin[order], timetable.target[order]

    def work(columns: slice) -> np.ndarray:
        block = destinations[columns]
        own = np.full(timetable.n_fac, -1, np.int32)
        own[block] = np.arange(len(block))
        leave = np.full((timetable.n_fac, len(block)), np.iinfo(dtype).min, dtype)
        leave[block, np.arange(len(block))] = 0
        scan_all_backward(leave, origin, target, dep, ready, arr, own)
        return leave

    return np.concatenate(_in_blocks(work, len(destinations), threads), axis=1)


def profile_all(timetable: Timetable, *, destinations: np.ndarray | None = None, threads: int = 2) -> np.ndarray:
    """Earliest arrivals at every destination by every departure of the timetable: the full profile of all pairs.

    Returns
    -------
    int16 or int32 (n_departure + 1, n_destination) minutes after the first departure: row c holds the earliest
    arrivals of an item that leaves its facility with departure c or one further down in the timetable. An item ready
    at a facility at any minute has the row of the first departure from there at or after it; the last row, all of the
    dtype's largest value, stands for none. The entry of a departure's own origin is the earliest return to it.
    """
    destinations = np.arange(timetable.n_fac) if destinations is None else destinations
    n_departure = len(timetable.dep)
    start = int(timetable.dep[0]) if n_departure else 0
    dtype, never = _short_type(timetable, 0, start)
    arr = np.minimum(timetable.arr - start, never).astype(dtype)
    origin_next, onward = _links(timetable)
    profile = np.empty((n_departure + 1, len(destinations)), dtype)
    profile[-1] = never

    def work(columns: slice) -> None:
        column = np.full(timetable.n_fac, -1, np.int32)
        column[destinations[columns]] = np.arange(columns.stop - columns.start)
        profile_backward(profile[:, columns], origin_next, onward, column[timetable.target], arr)

    _in_blocks(work, len(destinations), threads)
    return profile


def _links(timetable: Timetable) -> tuple[np.ndarray, np.ndarray]:
    """Next departure from the same origin, and first one from the target when ready, of each departure."""
    n_departure = len(timetable.dep)
    by_origin = np.argsort(timetable.origin, kind="stable").astype(np.int32)
    span = int(timetable.ready.max(initial=0)) + 1
    key = timetable.origin[by_origin].astype(np.int64) * span + timetable.dep[by_origin]
    origin_next = np.full(n_departure, n_departure, np.int32)
    same = timetable.origin[by_origin[1:]] == timetable.origin[by_origin[:-1]]
    origin_next[by_origin[:-1][same]] = by_origin[1:][same]
    place = np.searchsorted(key, timetable.target.astype(np.int64) * span + timetable.ready)
    found = np.append(by_origin, n_departure)[place].astype(np.int32)
    is_there = np.append(timetable.origin[by_origin], -1)[place] == timetable.target
    return origin_next, np.where(is_there, found, n_departure).astype(np.int32)


def _short_type(timetable: Timetable, first: int, start: int) -> tuple[type, int]:
    """int16 where all minutes after ``start`` fit it, else int32; and its largest value."""
    latest = int(timetable.ready[first:].max(initial=start)) - start
    dtype = np.int16 if latest < np.iinfo(np.int16).max else np.int32
    return dtype, int(np.iinfo(dtype).max)


def _in_blocks(work, n: int, threads: int) -> list:
    """Do the work on ``threads`` blocks of columns of about equal width; the results in order."""
    ends = np.linspace(0, n, max(1, min(threads, n)) + 1).astype(int)
    blocks = [slice(int(a), int(b)) for a, b in itertools.pairwise(ends)]
    if len(blocks) == 1:
        return [work(blocks[0])]
    with ThreadPoolExecutor(max_workers=len(blocks)) as pool:
        return list(pool.map(work, blocks))
