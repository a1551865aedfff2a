"""Capacity that can be called up: what it costs bounds what room can be worth, and what prices at that bound call for.

Where one more trip costs so much, no plan needs to pay more for room than that: the price of a capacity is held to the
cost of more of it. Loads beyond a capacity whose price stands there are what extra trips and extra hands carry.
"""

from __future__ import annotations

import numpy as np

from postroad.flow.prices import Market
from postroad.network.instance import MODES, Instance
from postroad.network.reserve import Reserve

__all__ = ["HANDS", "QUICK", "call_up", "catch_up", "open_up", "price_limits"]

HANDS = 2.0
"""Sorting an item with temporary staff costs so many times what it costs otherwise, on top (ours, modelled)."""

LEAST_TRIP = 0.3
"""Part of a trip below which no extra one is called."""

SPARE = 1.05
"""Room called up beyond soft loads: whole items are not as even as flows."""

PLENTY = 100
"""Times a capacity that nothing needs more than."""

QUICK = 6
"""Times the value of time at which routes are next to the quickest."""


def price_limits(market: Market, trip_yuan: np.ndarray) -> np.ndarray:
    """The highest price of each priced capacity, float64 (n_priced,); infinite where nothing can be called up.

    Parameters
    ----------
    trip_yuan: float64 (n_trip,), for one more departure of each trip; only road trips with one leg can be doubled.
    """
    problem = market.problem
    rides, instance = problem.rides, problem.instance
    cn = instance.dp_cn[rides.departures]
    ride_of_departure = np.repeat(np.arange(rides.n), np.diff(rides.departure_ptr))
    yuan = np.bincount(ride_of_departure, trip_yuan[instance.cn_trip[cn]], rides.n)
    single = np.ones(rides.n, bool)
    single[ride_of_departure[instance.cn_leg_first[cn] != instance.cn_leg_last[cn]]] = False
    may = single & (instance.lane_mode[rides.lane] == MODES.index("road"))
    ride_of = np.zeros(market.n_ride, np.int64)
    ride_of[problem.resources.of_use] = market.ride_of_use
    riders = np.bincount(problem.resources.of_use, minlength=market.n_ride)
    of_rides = np.where(may[ride_of] & (riders == 1), yuan[ride_of], np.inf)
    place = market.sort_place
    cost = problem.handling_cost[place // problem.shape[2]] / 1e6
    of_sorting = HANDS * cost * problem.sort_cap.ravel()[place]
    return np.concatenate([of_rides, of_sorting]) / market.yuan


def call_up(
    market: Market, used: np.ndarray, limits: np.ndarray, trip_yuan: np.ndarray, from_min: int, to_min: int
) -> Reserve:
    """The extra trips, whole, and the extra sorting that loads need.

    Parameters
    ----------
    used: float64 (n_priced,), part used of each capacity. limits: of :func:`price_limits`.
    """
    problem = market.problem
    rides, instance = problem.rides, problem.instance
    over = np.where(np.isfinite(limits), np.maximum(used - 1, 0), 0)
    of_ride = np.zeros(rides.n)
    np.maximum.at(of_ride, market.ride_of_use, over[problem.resources.of_use])
    n_departures = np.diff(rides.departure_ptr)
    wanted = of_ride * n_departures * SPARE
    n_extra = np.where(wanted > LEAST_TRIP, np.ceil(wanted - LEAST_TRIP), 0)
    ride = np.repeat(np.arange(rides.n), n_departures)
    cn = instance.dp_cn[rides.departures]
    extra = np.zeros(len(instance.cn_lane))
    np.maximum.at(extra, cn, (n_extra / n_departures)[ride])
    yuan = np.bincount(ride, trip_yuan[instance.cn_trip[cn]], rides.n) / n_departures
    sorting = np.zeros(problem.sort_cap.size)
    room = problem.sort_cap.ravel()[market.sort_place]
    sorting[market.sort_place] = np.ceil(over[market.n_ride :] * room * SPARE)
    sorting = sorting.reshape(problem.sort_cap.shape)
    hands = HANDS * float((sorting * problem.handling_cost[:, None]).sum()) / 1e6
    connections = np.flatnonzero(extra > 0).astype(np.int32)
    return Reserve(
        from_min=from_min,
        to_min=to_min,
        connections=connections,
        extra_pm=np.rint(extra[connections] * 1000).astype(np.int32),
        sort_extra=sorting.astype(np.int32),
        n_trips=int(n_extra.sum()),
        yuan_per_day=float((n_extra * yuan).sum()) + hands,
    )


def catch_up(
    instance: Instance, places: np.ndarray, trip_yuan: np.ndarray, day: int, window: tuple[int, int]
) -> Reserve:
    """A second lorry beside every road trip to and from places that work again, until what waited there is gone.

    They are those that stood still while the places did.

    Parameters
    ----------
    places: int32, facilities. day: of the instance's horizon, whose trips are counted. window: minutes of the horizon
        in which the lorries are to run.
    """
    lane = instance.cn_lane
    touches = np.isin(instance.lane_from, places) | np.isin(instance.lane_to, places)
    road = instance.lane_mode == MODES.index("road")
    single = instance.cn_leg_first == instance.cn_leg_last
    connections = np.flatnonzero((touches & road)[lane] & single).astype(np.int32)
    runs = instance.service_runs[instance.cn_service[connections], day]
    trips = instance.cn_trip[connections[runs]]
    return Reserve(
        from_min=window[0],
        to_min=window[1],
        connections=connections,
        extra_pm=np.full(len(connections), 1000, np.int32),
        sort_extra=np.zeros((instance.n_core, instance.slots_per_day), np.int32),
        n_trips=len(trips),
        yuan_per_day=float(trip_yuan[trips].sum()),
    )


def open_up(instance: Instance) -> Reserve:
    """As much of everything, on every mode, as anyone could want, for as long as the horizon lasts."""
    n_connections = len(instance.cn_lane)

    def plenty(capacity: np.ndarray) -> np.ndarray:
        per_day = capacity.reshape(len(capacity), instance.n_days, instance.slots_per_day).max(axis=1)
        return np.minimum(per_day.astype(np.int64) * PLENTY, np.maximum(2**30 - per_day, 0)).astype(np.int32)

    return Reserve(
        from_min=0,
        to_min=instance.n_days * 1440,
        connections=np.arange(n_connections, dtype=np.int32),
        extra_pm=np.full(n_connections, PLENTY * 1000, np.int32),
        sort_extra=plenty(instance.sort_cap[: instance.n_core]),
        n_trips=0,
        yuan_per_day=0.0,
        wave_extra=plenty(instance.wave_cap),
    )
