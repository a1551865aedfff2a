"""A day that is too large for its network: what to call up so that it is carried, and what no choice costs less than.

The day is planned as one that repeats, with prices of room held to what more of it is worth. The *haste* says how many
yuan may be spent on extra trips and hands to save a yuan's worth of the items' time: in haste items take the quick way
and more room is made there; at haste 0 none is made and they dodge to the hours and ways where there is room already.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from postroad.core.progress import Progress, Silent
from postroad.flow.climbing import WARMTH, Climb
from postroad.flow.prices import Market, make_market
from postroad.flow.problem import FlowProblem
from postroad.flow.reserve import call_up, price_limits
from postroad.flow.shares import tables_at
from postroad.flow.sweeps import Sweeper
from postroad.network.reserve import Reserve, with_reserve
from postroad.routing.tables import RoutingTables

__all__ = ["Couriers", "Surge", "plan_surge", "with_room"]

SETTLING, FINISHING = 8, 4
"""Sweeps before the first and after the last iteration."""

AT_LIMIT = 0.9
"""Part of what more room costs from which on a price calls for it."""


@dataclass(frozen=True, slots=True)
class Couriers:
    """What the delivery waves take in a day, and what more of them costs.

    Attributes
    ----------
    wave_cap: float64 (n_fac, n_slots), items.
    attempts: float64 (n_fac,), deliveries attempted for the items of a day, failed ones too.
    yuan: for an attempt by a temporary courier, on top of what an attempt costs anyhow.
    """

    wave_cap: np.ndarray
    attempts: np.ndarray
    yuan: float

    def short(self, scale: float = 1.0) -> np.ndarray:
        """Attempts that all waves of a day cannot take when ``scale`` times the day is to be delivered."""
        cap = self.wave_cap.sum(axis=1)
        return np.where(cap > 0, np.maximum(self.attempts * scale - cap, 0.0), 0.0)

    @property
    def least_yuan(self) -> float:
        """What the day costs beyond its own couriers, when it is delivered in a day."""
        return float(self.short().sum()) * self.yuan


@dataclass(frozen=True, slots=True)
class Surge:
    """Routes for a day that is too large, and what it calls for.

    Attributes
    ----------
    market: what is priced, and the problem. used: float64 (n_priced,), part used of each capacity.
    calls: float64 (n_priced,), finite where more room is called for.
    trip_yuan: of one more departure of each trip. couriers: at the end of the way.
    tables: one block. overload: part of what is used that lies beyond capacities, and finds no room called up, 0..1.
    """

    market: Market
    used: np.ndarray
    calls: np.ndarray
    trip_yuan: np.ndarray
    couriers: Couriers
    tables: RoutingTables
    overload: float

    def reserve(self, scale: float, window: tuple[int, int]) -> Reserve:
        """What a day calls for on which ``scale`` times the items of the planned day come, in minutes of a horizon."""
        called = call_up(self.market, self.used * scale, self.calls, self.trip_yuan, *window)
        short, cap = self.couriers.short(scale), self.couriers.wave_cap
        share = cap / np.maximum(cap.sum(axis=1), 1)[:, None]
        wave_extra = np.ceil(short[:, None] * share).astype(np.int32)
        yuan = called.yuan_per_day + float(wave_extra.sum()) * self.couriers.yuan
        return replace(called, wave_extra=wave_extra, yuan_per_day=yuan)


def plan_surge(
    problem: FlowProblem,
    base: RoutingTables,
    *,
    haste: float,
    trip_yuan: np.ndarray,
    couriers: Couriers,
    work_limit: int,
    threads: int = 2,
    progress: Progress | None = None,
) -> Surge:
    """Routes for the day at a haste, with prices of room held to what more of it is worth.

    Parameters
    ----------
    base: tables that hold where the new routes say nothing.
    work_limit: price iterations.
    """
    progress = progress or Silent()
    market = make_market(problem)
    limits = price_limits(market, trip_yuan) / haste if haste > 0 else np.full(market.n, np.inf)
    progress.stage("surge", work_limit)
    with Sweeper(market, threads) as sweeper:
        climb = _climbed(sweeper, limits, work_limit, progress)
        tables = tables_at(sweeper, climb.prices, WARMTH, base, FINISHING)
    calls = np.where(climb.prices >= AT_LIMIT * limits, limits, np.inf)
    return Surge(market, climb.used, calls, trip_yuan, couriers, tables, climb.overload(calls))


def with_room(problem: FlowProblem, reserve: Reserve) -> FlowProblem:
    """The day with what is called up, for bounds on what is still missing; its rides stay as they are."""
    instance = with_reserve(problem.instance, replace(reserve, from_min=0, to_min=problem.instance.n_days * 1440))
    more = np.where(problem.sort_cap > 0, reserve.sort_extra, 0)
    return replace(problem, instance=instance, sort_cap=problem.sort_cap + more)


def _climbed(sweeper: Sweeper, limits: np.ndarray, work_limit: int, progress: Progress) -> Climb:
    """Prices after so many iterations from nothing."""
    climb = Climb(sweeper, np.zeros(len(limits)), limits)
    sweeper.settle(climb.prices, WARMTH, SETTLING)
    for n_done in range(1, work_limit + 1):
        climb.step()
        progress.step(n_done, f"overload {climb.overload(limits):.2%}")
    return climb
