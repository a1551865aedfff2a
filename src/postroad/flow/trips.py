"""What a plan's flows put on each departure, and the trips it has no use for."""

from __future__ import annotations

import numpy as np

from postroad.flow.problem import FlowProblem

__all__ = ["departure_loads", "unused_trips"]

SPARE = 1.02
"""Room kept on parallel trips, for whole items are not as even as flows."""

EMPTY = 0.002
"""Part of a trip's room below which its load can wait for the next one."""


def departure_loads(problem: FlowProblem, ride_load: np.ndarray) -> np.ndarray:
    """Items on each departure, float64 (n_prod, n_departure) in the order of ``rides.departures``.

    Parallel trips are filled one after the other.

    Parameters
    ----------
    ride_load: float64 (n_prod, n_ride), items.
    """
    part, taken = _parts(problem, ride_load)
    ride = np.repeat(np.arange(problem.rides.n), np.diff(problem.rides.departure_ptr))
    share = np.divide(taken, part["used"][ride], out=np.zeros_like(taken), where=part["used"][ride] > 0)
    return ride_load[:, ride] * share


def unused_trips(problem: FlowProblem, ride_load: np.ndarray) -> np.ndarray:
    """Trips between core facilities that run on the day and carry next to nothing, int32 indices, rising.

    A trip with several calls is unused when none of its departures is used. A lane keeps its last trip of the day even
    when that is empty: what is returned to its sender, and what a plan could not foresee, must find a way.
    """
    part, taken = _parts(problem, ride_load)
    instance = problem.instance
    cn = instance.dp_cn[problem.rides.departures]
    trip, lane = instance.cn_trip[cn], instance.cn_lane[cn]
    is_used = taken > EMPTY * part["of_ride"]
    kept = np.zeros(int(instance.cn_trip.max(initial=-1)) + 1, bool)
    kept[trip[is_used]] = True
    outside = np.maximum(instance.lane_from, instance.lane_to) >= instance.n_core
    kept[instance.cn_trip[outside[instance.cn_lane]]] = True
    order = np.lexsort((instance.dp_dep_min[problem.rides.departures], lane))
    last = order[np.append(np.diff(lane[order]) != 0, True)[: len(order)]]
    served = np.zeros(len(instance.lane_from), bool)
    served[lane[kept[trip]]] = True
    kept[trip[last[~served[lane[last]]]]] = True
    return np.setdiff1d(trip, np.flatnonzero(kept)).astype(np.int32)


def _parts(problem: FlowProblem, ride_load: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The part used of each ride; each departure's part of its ride's room, and what it carries of that."""
    rides, resources, instance = problem.rides, problem.resources, problem.instance
    ride_of_use = np.repeat(np.arange(rides.n), np.diff(resources.ride_ptr))
    used = np.zeros(rides.n)
    np.maximum.at(used, ride_of_use, (ride_load[:, ride_of_use] * resources.share).sum(axis=0))
    ride = np.repeat(np.arange(rides.n), np.diff(rides.departure_ptr))
    room = instance.leg_cap_cm3[instance.cn_leg_first[instance.dp_cn[rides.departures]]].astype(np.float64)
    of_ride = room / np.bincount(ride, room, rides.n)[ride]
    before = np.cumsum(of_ride) - of_ride
    before -= np.repeat(before[rides.departure_ptr[:-1]], np.diff(rides.departure_ptr))
    taken = np.clip(used[ride] * np.where(np.diff(rides.departure_ptr) > 1, SPARE, 1.0)[ride] - before, 0, of_ride)
    return {"used": np.bincount(ride, taken, rides.n), "of_ride": of_ride}, taken
