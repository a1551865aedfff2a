"""Small flow problems cut out of a large one, so that what plans the large one can be compared with exact solvers.

A cut keeps the busiest destinations with what is bound for them, and of every capacity the part that these items would
use if nothing were ever full. So what is crowded in the large problem is as crowded in the small one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from postroad.flow.departures import Resources, Rides
from postroad.flow.prices import make_market
from postroad.flow.problem import FlowProblem
from postroad.flow.sweeps import Sweeper
from postroad.network.instance import freeze

__all__ = ["cut_down"]

ROUNDS = 4
"""Rounds after which free loads are within a few per cent of where they settle."""

WARMTH = 0.1
LEAST = 0.1
"""A capacity keeps at least this part of the part that is kept of all items."""


def cut_down(
    problem: FlowProblem, n_destinations: int, n_facilities: int | None = None, *, room: float = 1.0
) -> FlowProblem:
    """A problem with the busiest destinations of another, and capacities in proportion.

    Parameters
    ----------
    n_destinations: how many tree destinations to keep.
    n_facilities: how many core facilities to keep, those that sort most of what is bound for the destinations, and the
        destinations; what is released elsewhere is left out. None: all. Facilities keep their indices, so ``n_core`` is
        as before, but nothing happens at those left out.
    room: times the proportion that capacities keep. Few items have fewer ways round what is full than many have
        together, so a cut at 1 may have to refuse some where the large problem need not.

    Returns
    -------
    A problem whose ``n_left_out`` counts as before. Its instance has the kept tree destinations; all else in it is as
    before, so that its lanes and departures are still those that the rides name.

    **Assumes** that the loads of free items say what part of a capacity to keep: the part is that of the kept items in
    the load, at least a tenth of their part in all items, times ``room``, at most 1.
    """
    full = _free_use(problem)
    cut = _keep_destinations(problem, n_destinations)
    if n_facilities is not None:
        cut = _keep_facilities(cut, n_facilities)
    part = cut.n_items / problem.n_items
    kept = _free_use(cut)
    share = np.divide(kept, full, out=np.full(len(full), part), where=full > 0)
    share = np.minimum(np.maximum(share, LEAST * part) * room, 1.0)
    place = make_market(problem).sort_place
    sort_cap = problem.sort_cap.copy()
    sort_cap.ravel()[place] *= share[problem.resources.n :]
    return _drop_unused(replace(cut, sort_cap=sort_cap, resources=_scale(cut.resources, share[: problem.resources.n])))


def _free_use(problem: FlowProblem) -> np.ndarray:
    """The part of each priced capacity that items use when they heed none, float64 (n_priced,)."""
    market = make_market(problem)
    with Sweeper(market) as sweeper:
        used = np.zeros(market.n)
        for _ in range(ROUNDS):
            used = sweeper.flow(np.zeros(market.n), WARMTH)
    return used


def _keep_destinations(problem: FlowProblem, n: int) -> FlowProblem:
    items = problem.released.sum(axis=(0, 1, 2), dtype=np.float64)
    kept = np.sort(np.argsort(-items, kind="stable")[:n])
    instance = problem.instance
    number = np.full(len(instance.td_fac) + 1, -1, np.int32)
    number[kept] = np.arange(len(kept))
    groups, group_of_td = np.unique(problem.group_of_td[kept], return_inverse=True)
    return replace(
        problem,
        instance=freeze(replace(instance, td_fac=instance.td_fac[kept], fac_td=number[instance.fac_td])),
        group_of_td=group_of_td.astype(np.int32),
        closed_ride=problem.closed_ride[groups],
        end_cost=np.ascontiguousarray(problem.end_cost[:, kept]),
        released=np.ascontiguousarray(problem.released[..., kept]),
    )


def _keep_facilities(problem: FlowProblem, n: int) -> FlowProblem:
    """Keep what happens at the facilities that sort most; rides stay in the arrays but lead nowhere allowed."""
    market = make_market(problem)
    place = market.sort_place
    items = _free_use(problem)[market.n_ride :] * problem.sort_cap.ravel()[place]
    load = np.bincount(place // problem.shape[2], items, problem.shape[1])
    load[problem.instance.td_fac] = np.inf
    kept = np.zeros(problem.shape[1], bool)
    kept[np.argsort(-load, kind="stable")[:n]] = True
    kept[problem.instance.td_fac] = True
    released = problem.released.copy()
    released[:, ~kept] = 0
    gone = ~(kept[problem.rides.fac] & kept[problem.rides.head])
    return replace(problem, released=released, closed_ride=problem.closed_ride | gone)


def _scale(resources: Resources, share: np.ndarray) -> Resources:
    return replace(resources, share=resources.share / share[resources.of_use], items=resources.items * share)


def _drop_unused(problem: FlowProblem) -> FlowProblem:
    """Leave out rides that are barred to all destinations, and resources that no ride is left to use."""
    rides, resources = problem.rides, problem.resources
    kept = np.flatnonzero(~problem.closed_ride.all(axis=0))
    ptr, departures = _take_ragged(rides.departure_ptr, kept)
    use_ptr, uses = _take_ragged(resources.ride_ptr, kept)
    named, of_use = np.unique(resources.of_use[uses], return_inverse=True)
    columns = {name: getattr(rides, name)[kept] for name in ("slot", "fac", "lane", "head", "step", "gco2e_per_t")}
    place = columns["slot"].astype(np.int64) * problem.shape[1] + columns["fac"]
    return replace(
        problem,
        rides=Rides(
            ptr=np.searchsorted(place, np.arange(len(rides.ptr))),
            departure_ptr=ptr,
            departures=rides.departures[departures],
            **columns,
        ),
        resources=Resources(
            ride_ptr=use_ptr,
            of_use=of_use.astype(np.int32),
            share=np.ascontiguousarray(resources.share[:, uses]),
            leg=resources.leg[named],
            kind=resources.kind[named],
            items=np.ascontiguousarray(resources.items[:, named]),
        ),
        ride_cost=np.ascontiguousarray(problem.ride_cost[:, kept]),
        closed_ride=np.ascontiguousarray(problem.closed_ride[:, kept]),
    )


def _take_ragged(ptr: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pointers of some rows of a ragged array, and the places of what they hold."""
    n = (ptr[1:] - ptr[:-1])[rows]
    new = np.concatenate([[0], np.cumsum(n)])
    return new, np.arange(new[-1]) - np.repeat(new[:-1], n) + np.repeat(ptr[rows], n)
