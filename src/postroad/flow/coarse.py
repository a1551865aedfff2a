"""A day without its clock: what a lane carries and a centre sorts all day, and what must be added to that at least.

Every flow of the timetabled day is a flow here, and no dearer: room is added up over the day, legs that several
connections share count in full for each, and time costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from postroad.core.progress import Progress, Silent
from postroad.flow.departures import Resources, Rides
from postroad.flow.prices import Market, make_market
from postroad.flow.problem import CLOSED, FlowProblem
from postroad.flow.reserve import HANDS
from postroad.flow.sweeps import Sweeper
from postroad.network.instance import MODES

__all__ = ["bound_room", "coarse_problem", "lane_yuan"]

ITERATIONS = 240
HOP, WARMEST, COLDEST = 0.15, 0.03, 0.003
"""What a ride or a day costs while prices are sought, and the warmth at first and at last: parts of a lane's price."""

TOLD = 20
"""Iterations after which the bound is taken."""


def bound_room(
    problem: FlowProblem, trip_yuan: np.ndarray, *, threads: int = 2, progress: Progress | None = None
) -> float:
    """Yuan a day that no choice of extra trips and hands costs less than, if the day is carried day after day.

    The Lagrangean dual of the cheapest extra room of the day without its clock: items pay for room only, and no room
    costs more than more of it. Parts of trips count as such, so whole trips cost no less. 0 where there is room for
    all at some hour and on some way: extra trips then save time only.

    Parameters
    ----------
    trip_yuan: float64 (n_trip,), for one more departure of each trip.

    **Assumes** that every item is carried; how late is left open, so that the bound holds for any share in time.
    """
    progress = progress or Silent()
    bare = coarse_problem(problem)
    lanes = lane_yuan(problem, bare, trip_yuan)
    per_item = (lanes / bare.resources.items[int(np.argmin(problem.wait_cost))])[np.isfinite(lanes)]
    unit = float(np.median(per_item)) if len(per_item) else 1.0
    market, exact = make_market(coarse_problem(problem, hop_yuan=HOP * unit)), make_market(bare)
    place = market.sort_place
    hands = HANDS * problem.handling_cost[place // bare.shape[2]] / 1e6 * bare.sort_cap.ravel()[place]
    limits = np.concatenate([lanes, hands]) / market.yuan
    progress.stage("surge bound", ITERATIONS)
    with Sweeper(market, threads) as soft, Sweeper(exact, threads) as hard:
        best = 0.0
        for n_done, prices in enumerate(_ascend(market, soft, limits, unit), start=1):
            if n_done % TOLD == 0:
                for block in hard.blocks:
                    block.exact = None  # where waiting is free, values of other prices would never rise
                best = max(best, hard.bound(prices * market.yuan / exact.yuan))
                progress.step(n_done, f"bound {best:,.0f} yuan")
    return best


def _ascend(market: Market, sweeper: Sweeper, limits: np.ndarray, unit: float) -> Iterator[np.ndarray]:
    """Prices after each iteration: they follow the logarithm of load over room, more finely as the warmth falls."""
    prices, step, last = np.zeros(market.n), np.ones(market.n), np.zeros(market.n)
    slot_yuan = float(sweeper.warmth(1.0).min())
    sweeper.settle(prices, WARMEST * unit / slot_yuan, 20)
    for n_done in range(ITERATIONS):
        warmth = WARMEST * (COLDEST / WARMEST) ** (n_done / ITERATIONS) * unit / slot_yuan
        excess = np.clip(np.log(np.maximum(sweeper.flow(prices, warmth), 1e-3)), -1.0, 1.0)
        step = np.where(excess * last < 0, np.maximum(step * 0.7, 0.02), np.minimum(step * 1.1, 30.0))
        last = excess
        prices = np.clip(prices + step * warmth * excess, 0.0, limits)
        yield prices


def coarse_problem(problem: FlowProblem, *, hop_yuan: float = 0.0) -> FlowProblem:
    """The day in one slot, and a second in which nothing happens: lanes for rides, with the room that runs out first.

    Parameters
    ----------
    hop_yuan: what a ride, or a day of waiting, costs an item; nothing else costs anything.
    """
    instance, rides = problem.instance, problem.rides
    n_prod, n_core, _, n_td = problem.shape
    lanes, first, ride_of = np.unique(rides.lane, return_index=True, return_inverse=True)
    row = np.repeat(ride_of, np.diff(rides.departure_ptr))
    room = np.stack([np.bincount(row, kind, len(lanes)) for kind in _room(problem)])
    need = np.stack([np.ones(n_prod), instance.prod_g, instance.prod_cm3]).astype(float)
    reference = int(np.argmin(problem.wait_cost))
    kind = np.argmax(need[:, [reference]] / room, axis=0)
    share = np.stack([need[kind, product] / room[kind, np.arange(len(lanes))] for product in range(n_prod)])
    cn = instance.dp_cn[rides.departures]
    leg = np.zeros(len(lanes), np.int32)
    leg[row] = instance.cn_leg_first[cn]
    order = np.argsort(row, kind="stable")
    fac = instance.lane_from[lanes]
    leaving = np.searchsorted(fac, np.arange(n_core + 1))
    cost = np.full((n_prod, len(lanes)), round(hop_yuan * 1e6), np.int32)
    cost[~instance.prod_mode_ok[:, instance.lane_mode[lanes]]] = CLOSED
    return replace(
        problem,
        rides=Rides(
            ptr=np.append(leaving, np.full(n_core, len(lanes))), slot=np.zeros(len(lanes), np.int32),
            fac=fac.astype(np.int32), lane=lanes.astype(np.int32), head=instance.lane_to[lanes].astype(np.int32),
            step=np.full(len(lanes), 2, np.int32), gco2e_per_t=np.zeros(len(lanes), np.int64),
            departure_ptr=np.searchsorted(row[order], np.arange(len(lanes) + 1)), departures=rides.departures[order],
        ),
        resources=Resources(
            ride_ptr=np.arange(len(lanes) + 1), of_use=np.arange(len(lanes), dtype=np.int32), share=share, leg=leg,
            kind=kind.astype(np.int8), items=1.0 / share,
        ),
        ride_cost=cost,
        closed_ride=np.ascontiguousarray(problem.closed_ride[:, first]),
        sort_cap=_then_nothing(problem.sort_cap.sum(axis=1, keepdims=True), 1),
        handling_cost=np.zeros_like(problem.handling_cost),
        wait_cost=np.full(n_prod, round(hop_yuan * 5e5), np.int32),
        end_cost=np.zeros((n_prod, n_td, 2), np.int32),
        refusal_cost=np.full(n_prod, CLOSED // 2, np.int32),
        released=_then_nothing(problem.released.sum(axis=2, keepdims=True, dtype=np.float64).astype(np.float32), 2),
    )  # fmt: skip


def _then_nothing(values: np.ndarray, axis: int) -> np.ndarray:
    """Values of the one slot, and noughts for the other."""
    return np.concatenate([values, np.zeros_like(values)], axis=axis)


def lane_yuan(problem: FlowProblem, coarse: FlowProblem, trip_yuan: np.ndarray) -> np.ndarray:
    """The least that as much room again as a lane has all day costs, float64 (n_lane,); infinite where none is had."""
    instance, rides = problem.instance, coarse.rides
    cn = instance.dp_cn[rides.departures]
    row = np.repeat(np.arange(rides.n), np.diff(rides.departure_ptr))
    leg = instance.cn_leg_first[cn]
    caps = np.stack([instance.leg_cap_items, instance.leg_cap_g, instance.leg_cap_cm3])
    whole = caps[coarse.resources.kind[row], leg].astype(float)
    may = (instance.cn_leg_first[cn] == instance.cn_leg_last[cn]) & (
        instance.lane_mode[rides.lane[row]] == MODES.index("road")
    )
    each = np.where(may, trip_yuan[instance.cn_trip[cn]] / np.maximum(whole, 1), np.inf)
    least = np.full(rides.n, np.inf)
    np.minimum.at(least, row, each)
    room = np.bincount(row, whole * instance.dp_capf[rides.departures] / 1000, rides.n)
    return least * room


def _room(problem: FlowProblem) -> np.ndarray:
    """Pieces, grams and cubic centimetres of each departure, float64 (3, n_departure)."""
    instance, rides = problem.instance, problem.rides
    leg = instance.cn_leg_first[instance.dp_cn[rides.departures]]
    caps = np.stack([instance.leg_cap_items[leg], instance.leg_cap_g[leg], instance.leg_cap_cm3[leg]])
    return np.maximum(np.floor(caps * (instance.dp_capf[rides.departures] / 1000.0)), 1.0)
