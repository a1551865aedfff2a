"""Kernels that scan a timetable: earliest arrival, latest departure and full profiles, to the minute.

A timetable is a list of departures between facilities: ``origin``, ``target``, ``dep``, ``arr`` and ``ready``, the
minute from which an item that came with it can leave the target again (unloading, handling, minimum connection and
closed hours included). Sorted by ``dep`` it is scanned once; nothing is ever looked up by time.

Correct for
    Any timetable with ``ready > dep``, overtaking included. An item may wait for any later departure; nothing is ever
    full; a departure is boarded when the item is ready not later than the minute in which it leaves.

In the scans of all pairs one row holds the minutes of all sources (or destinations) of a block side by side, so one
departure is one pass of vector instructions; int16 minutes halve the rows once more. Rows of different blocks share
nothing, hence any number of threads gives the same answer.
"""

from __future__ import annotations

import numpy as np

from postroad.kernels import njit

__all__ = [
    "profile_backward",
    "scan_all_backward",
    "scan_all_forward",
    "scan_backward",
    "scan_forward",
    "take_arrivals",
]

LOOK_UP = 512
"""Departures between two looks whether a scan of all pairs is over."""


@njit
def scan_forward(reach, via, origin, target, dep, ready):
    """Earliest ready minutes from one source (connection scan).

    Parameters
    ----------
    reach: int (n_fac,), on entry the minute at which the item is ready at the source, the dtype's largest value
        elsewhere; filled with the earliest minute at which it is ready at each facility.
    via: int32 (n_fac,), filled with the departure that brings it there; -1 on entry.
    origin, target, dep, ready: (n_departure,), in order of ``dep``.
    """
    for c in range(len(dep)):
        if reach[origin[c]] <= dep[c] and ready[c] < reach[target[c]]:
            reach[target[c]] = ready[c]
            via[target[c]] = c


@njit
def scan_backward(leave, via, origin, target, dep, until):
    """Latest ready minutes that still reach one destination in time.

    Parameters
    ----------
    leave: int (n_fac,), on entry the deadline at the destination, the dtype's smallest value elsewhere; filled with
        the latest minute at which an item may be ready at each facility.
    via: int32 (n_fac,), filled with the departure to take; -1 on entry.
    origin, target, dep: (n_departure,), in order of falling ``until``.
    until: minute that has to be not later than ``leave`` of the target: ``ready``, but ``arr`` at the destination.
    """
    for c in range(len(dep)):
        if leave[target[c]] >= until[c] and dep[c] > leave[origin[c]]:
            leave[origin[c]] = dep[c]
            via[origin[c]] = c


@njit
def scan_all_forward(reach, origin, target, dep, ready):
    """Earliest ready minutes from a block of sources.

    Parameters
    ----------
    reach: int16 or int32 (n_fac, n_source), on entry the start at each source's own facility, the dtype's largest
        value elsewhere; filled with the earliest ready minute of each facility from each source.
    origin, target: int32; dep, ready: of the dtype of ``reach``; (n_departure,), in order of ``dep``.

    A departure that is ready no earlier than the latest minute in its target's row cannot lower it and is skipped; once
    departures leave no earlier than the latest minute of all rows, the scan is over.
    """
    highest = np.empty(len(reach), reach.dtype)
    for fac in range(len(reach)):
        highest[fac] = reach[fac].max()
    for c in range(len(dep)):
        at_ready, at_dep = ready[c], dep[c]
        if c % LOOK_UP == 0 and at_dep >= highest.max():
            break
        if at_ready >= highest[target[c]]:
            continue
        here, there = reach[origin[c]], reach[target[c]]
        top = there[0]
        for s in range(len(there)):
            minute = there[s]
            minute = min(minute, at_ready if here[s] <= at_dep else minute)
            there[s] = minute
            top = max(top, minute)
        highest[target[c]] = top


@njit
def take_arrivals(arrive, reach, origin, target, dep, arr):
    """Earliest arrivals from earliest ready minutes, where the time between the two differs by departure.

    Parameters
    ----------
    arrive: like ``reach``, on entry the start at each source's own facility, the dtype's largest value elsewhere.
    reach: settled by :func:`scan_all_forward`. The other arrays as there.
    """
    for c in range(len(dep)):
        at_arr, at_dep = arr[c], dep[c]
        here, there = reach[origin[c]], arrive[target[c]]
        for s in range(len(there)):
            minute = there[s]
            there[s] = min(minute, at_arr if here[s] <= at_dep else minute)


@njit
def scan_all_backward(leave, origin, target, dep, ready, arr, own):
    """Latest ready minutes that still reach each of a block of destinations in time.

    Parameters
    ----------
    leave: int16 or int32 (n_fac, n_destination), on entry the deadline at each destination's own facility, the dtype's
        smallest value elsewhere; filled with the latest minute at which an item may be ready at each facility.
    origin, target: int32; dep, ready, arr: of the dtype of ``leave``; (n_departure,), in order of falling ``ready``.
    own: int32 (n_fac,), column of the destination that the facility is; -1 for none. There arrival counts, not ready.
    """
    for c in range(len(dep)):
        at_ready, at_dep = ready[c], dep[c]
        here, there = leave[origin[c]], leave[target[c]]
        column = own[target[c]]
        if column >= 0 and there[column] >= arr[c]:
            here[column] = max(here[column], at_dep)
        for d in range(len(there)):
            minute = here[d]
            here[d] = max(minute, at_dep if there[d] >= at_ready else minute)


@njit
def profile_backward(profile, origin_next, onward, target_column, arr):
    """Earliest arrivals by every departure of a timetable, at a block of destinations.

    Parameters
    ----------
    profile: int16 or int32 (n_departure + 1, n_destination); the last row stands for "nothing leaves" and holds the
        dtype's largest value on entry; row c is filled with the earliest arrival of an item that leaves the origin of
        departure c with c or a later departure from there.
    origin_next: int32 (n_departure,), the next departure from the same origin (n_departure: none).
    onward: int32 (n_departure,), the first departure from the target that leaves when the item is ready (or none).
    target_column: int32 (n_departure,), column of the target in this block, -1 when it is none.
    arr: (n_departure,), of the dtype of ``profile``.
    """
    for c in range(len(arr) - 1, -1, -1):
        row, later, beyond = profile[c], profile[origin_next[c]], profile[onward[c]]
        for d in range(len(row)):
            row[d] = min(later[d], beyond[d])
        column = target_column[c]
        if column >= 0:
            row[column] = min(later[column], arr[c])
