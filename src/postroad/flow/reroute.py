"""Rerouting: prices of a plan taken to the network as it is now, and the routes that follow from them.

The day as it is now is planned as the plan was: as a day that repeats, from the prices of the plan. Most of the network
is as it was and so are its prices; where trips or centres are lost, prices rise on what is left until loads fit, or
until they stand at what extra trips and hands cost: those are then called up.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import numpy as np

from postroad.core.progress import Progress, Silent
from postroad.flow.climbing import WARMTH, Climb
from postroad.flow.prices import Market, make_market
from postroad.flow.problem import FlowProblem
from postroad.flow.reserve import call_up, price_limits
from postroad.flow.shares import tables_at
from postroad.flow.sweeps import Sweeper
from postroad.network.reserve import Reserve
from postroad.routing.tables import RoutingTables

__all__ = ["Rerouted", "carry_prices", "reroute"]

SETTLING, FINISHING = 4, 2
"""Sweeps before the first and after the last iteration."""

TABLES = 6
"""Iterations' time that making the tables takes."""


@dataclass(frozen=True, slots=True)
class Rerouted:
    """New routes for a day that is not as planned.

    Attributes
    ----------
    market: what is priced, and the problem; prices: of the routes.
    tables: one block.
    overload: part of the items' use of capacities that finds no room, even with what is called up, 0..1.
    reserve: extra trips and hands; None when none may be called up.
    n_iterations: price iterations made.
    seconds: from the problem to the tables.
    """

    market: Market
    prices: np.ndarray
    tables: RoutingTables
    overload: float
    reserve: Reserve | None
    n_iterations: int
    seconds: float


def carry_prices(market: Market, prices: np.ndarray, to: Market) -> np.ndarray:
    """Prices of one market for what another of the same network prices; what the first does not know costs nothing."""
    resources, rides, instance = market.problem.resources, market.problem.rides, market.problem.instance
    of_leg = np.zeros((3, len(instance.leg_trip)))
    of_leg[resources.kind, resources.leg] = prices[: market.n_ride]
    # parallel trips that were put together share the price of the first
    n_departures = np.diff(rides.departure_ptr)
    use = np.flatnonzero(n_departures[market.ride_of_use] > 1)
    ride, resource = market.ride_of_use[use], resources.of_use[use]
    n = n_departures[ride]
    at = np.repeat(rides.departure_ptr[ride] - (np.cumsum(n) - n), n) + np.arange(n.sum())
    leg = instance.cn_leg_first[instance.dp_cn[rides.departures[at]]]
    of_leg[np.repeat(resources.kind[resource], n), leg] = np.repeat(prices[resource], n)
    of_sorting = np.zeros(market.problem.sort_cap.size)
    of_sorting[market.sort_place] = prices[market.n_ride :]
    theirs = to.problem.resources
    return np.concatenate([of_leg[theirs.kind, theirs.leg], of_sorting[to.sort_place]])


def reroute(
    problem: FlowProblem,
    market: Market,
    prices: np.ndarray,
    base: RoutingTables,
    *,
    trip_yuan: np.ndarray | None = None,
    window: tuple[int, int] = (0, 0),
    time_limit: float | None = 8.0,
    work_limit: int | None = None,
    threads: int = 2,
    progress: Progress | None = None,
) -> Rerouted:
    """Routes for the day as it is now.

    Parameters
    ----------
    problem: the day as it is now.
    market, prices: of the plan, those from which its flows were loaded.
    base: tables of the plan; where the new routes say nothing theirs hold.
    trip_yuan: float64 (n_trip,), what one more departure of each trip costs; None when no more trips can be had.
    window: minutes of the horizon from which and to which they are called up.
    time_limit: seconds for the whole; work_limit: price iterations. One of them must be given.
    """
    progress, start = progress or Silent(), perf_counter()
    now = make_market(problem)
    limits = np.full(now.n, np.inf) if trip_yuan is None else price_limits(now, trip_yuan)
    progress.stage("reroute", work_limit or 0)
    with Sweeper(now, threads) as sweeper:
        climb = Climb(sweeper, np.minimum(carry_prices(market, prices, now), limits), limits)
        sweeper.settle(climb.prices, WARMTH, SETTLING)
        spent, n_done = 0.0, 0
        while work_limit is None or n_done < work_limit:
            began = perf_counter()
            if time_limit is not None and n_done and began - start + (1 + TABLES) * spent > time_limit:
                break
            climb.step()
            n_done, spent = n_done + 1, perf_counter() - began
            progress.step(n_done, f"overload {climb.overload(limits):.2%}")
        tables = _without_dead_ends(problem, tables_at(sweeper, climb.prices, WARMTH, base, FINISHING))
    reserve = None if trip_yuan is None else call_up(now, climb.used, limits, trip_yuan, *window)
    return Rerouted(now, climb.prices, tables, climb.overload(limits), reserve, n_done, perf_counter() - start)


def _without_dead_ends(problem: FlowProblem, tables: RoutingTables) -> RoutingTables:
    """Take out alternatives, and ways by road, along lanes that nothing leaves on now."""
    instance = problem.instance
    runs = np.zeros(len(instance.lane_from), bool)
    runs[problem.rides.lane] = True
    first = instance.out_ptr[: instance.n_core, None, None].astype(np.int64)
    tables.alt_out[(tables.alt_out >= 0) & ~runs[first + np.maximum(tables.alt_out, 0)]] = -1
    by_road = np.setdiff1d(tables.by_road, [-1, *tables.table_of_product])
    for table in by_road:
        out = tables.next_out[table]
        out[(out >= 0) & ~runs[first + np.maximum(out, 0)]] = -1
    return tables
