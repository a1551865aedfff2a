"""Kernel for the Pareto set of journeys over time, cost and carbon: a scan of the timetable with bags of labels.

A label is a way of being ready at a facility: (ready minute, cost, carbon), all whole numbers. Departures are taken in
order of time. When one leaves, all labels of its origin that are ready by then are equal in time, so only their front
over (cost, carbon) goes on: each facility keeps its *front*, of labels that were ready when it was last visited, apart
from its *pending* labels, which are ready later.

Correct for
    Any timetable with ``ready > dep`` and non-negative integer costs and carbon. With ``slack`` zero the labels kept at
    the destination are exactly the Pareto set over (arrival, cost, carbon), one label a vector. With slack, a label is
    also dropped when some journey already found is within the slack of the best that the label could still become: for
    every journey left out the set has one that is at most the slack worse in each of the three.
    The lower bounds of what is still to come must not be larger than the truth.
"""

from __future__ import annotations

import numpy as np

from postroad.kernels import njit

__all__ = ["CARBON", "COST", "DEPARTURE", "FAR", "NEXT", "PARENT", "TIME", "bound_remaining", "search_pareto"]

TIME, COST, CARBON, PARENT, DEPARTURE, NEXT = range(6)
"""Columns of a label. The parent is a label, -1 for the start; the next label is the next one of its list."""
FAR = 1 << 60


@njit
def bound_remaining(target_fac, edge_from, edge_to, edge_weight, n_fac):
    """Least sum of weights from each facility to one, int64 (n_fac,); ``FAR`` where there is no way (Bellman-Ford)."""
    least = np.full(n_fac, FAR, np.int64)
    least[target_fac] = 0
    changed = True
    while changed:
        changed = False
        for edge in range(len(edge_from)):
            through = least[edge_to[edge]] + edge_weight[edge]
            if through < least[edge_from[edge]]:
                least[edge_from[edge]] = through
                changed = True
    return least


@njit
def search_pareto(labels, source, destination, start, origin, target, dep, arr, ready, cost, carbon, bounds, slack):
    """Find the Pareto set of journeys from one facility, ready at a minute, to another.

    Parameters
    ----------
    labels: int64 (n_label, 6), room for labels; filled.
    source, destination: facility indices, different. start: minute at which the item is ready at the source.
    origin, target, dep, arr, ready: int32 (n_departure,), in order of ``dep``.
    cost, carbon: int64 (n_departure,), added by the departure.
    bounds: int64 (3, n_fac), lower bounds of minutes, cost and carbon still to come from each facility.
    slack: float64 (3,), minutes, share of cost, share of carbon.

    Returns
    -------
    The head of the list of labels at the destination, whose time is the arrival (-1: no journey); and the number of
    labels made, or -1 when there was no room for them.
    """
    n_fac = bounds.shape[1]
    front, pending = np.full(n_fac, -1, np.int64), np.full(n_fac, -1, np.int64)
    labels[0] = start, 0, 0, -1, -1, -1
    front[source] = 0
    n_label, found = 1, np.int64(-1)
    for c in range(len(dep)):
        here, there = origin[c], target[c]
        is_idle = front[here] < 0 and pending[here] < 0
        if is_idle or here == destination or bounds[0, there] >= FAR:
            continue
        _settle_pending(labels, front, pending, here, dep[c])
        label = front[here]
        while label >= 0:
            onward = labels[label, NEXT]
            if n_label == len(labels):
                return found, -1
            new = labels[n_label]
            new[TIME] = arr[c] if there == destination else ready[c]
            new[COST] = labels[label, COST] + cost[c]
            new[CARBON] = labels[label, CARBON] + carbon[c]
            new[PARENT], new[DEPARTURE], new[NEXT] = label, c, -1
            if not _is_beaten(labels, found, new, bounds[:, there], slack):
                if there == destination:
                    found = _insert(labels, found, n_label)
                    n_label += 1
                elif not _is_known(labels, front[there], pending[there], new):
                    pending[there] = _insert(labels, pending[there], n_label)
                    n_label += 1
            label = onward
    return found, n_label


_NOTHING = np.zeros(3, np.int64)
_EXACT = np.zeros(3, np.float64)


@njit
def _is_beaten(labels, label, new, more, slack):
    """Whether a label of the list is, within the slack, nowhere worse than the new one plus what is still to come."""
    time, cost, carbon = new[TIME] + more[0] + slack[0], new[COST] + more[1], new[CARBON] + more[2]
    while label >= 0:
        if (
            labels[label, TIME] <= time
            and labels[label, COST] <= cost + slack[1] * cost
            and labels[label, CARBON] <= carbon + slack[2] * carbon
        ):
            return True
        label = labels[label, NEXT]
    return False


@njit
def _is_known(labels, front, pending, new):
    """Whether a label of the facility is nowhere worse than the new one."""
    return _is_beaten(labels, front, new, _NOTHING, _EXACT) or _is_beaten(labels, pending, new, _NOTHING, _EXACT)


@njit
def _insert(labels, head, new):
    """Drop from a list what the new label beats and put that at its head; returns the new head."""
    before, label = np.int64(-1), head
    while label >= 0:
        onward = labels[label, NEXT]
        if (
            labels[new, TIME] <= labels[label, TIME]
            and labels[new, COST] <= labels[label, COST]
            and labels[new, CARBON] <= labels[label, CARBON]
        ):
            if before < 0:
                head = onward
            else:
                labels[before, NEXT] = onward
        else:
            before = label
        label = onward
    labels[new, NEXT] = head
    return new


@njit
def _settle_pending(labels, front, pending, fac, minute):
    """Move what is ready by a minute from the pending labels to the front, where only cost and carbon count."""
    before, label = np.int64(-1), pending[fac]
    while label >= 0:
        onward = labels[label, NEXT]
        if labels[label, TIME] <= minute:
            if before < 0:
                pending[fac] = onward
            else:
                labels[before, NEXT] = onward
            labels[label, TIME] = minute
            _settle_front(labels, front, fac, label)
        else:
            before = label
        label = onward


@njit
def _settle_front(labels, front, fac, new):
    """Put a label into the front over cost and carbon of a facility, unless one there is as good in both."""
    label = front[fac]
    while label >= 0:
        if labels[label, COST] <= labels[new, COST] and labels[label, CARBON] <= labels[new, CARBON]:
            return
        label = labels[label, NEXT]
    before, label = np.int64(-1), front[fac]
    while label >= 0:
        onward = labels[label, NEXT]
        if labels[new, COST] <= labels[label, COST] and labels[new, CARBON] <= labels[label, CARBON]:
            if before < 0:
                front[fac] = onward
            else:
                labels[before, NEXT] = onward
        else:
            before = label
        label = onward
    labels[new, NEXT] = front[fac]
    front[fac] = new
