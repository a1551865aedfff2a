"""Plan the flow of a day: prices ascend, plans are loaded, and both close in on the optimum from either side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, count
from time import perf_counter

import numpy as np

from postroad.core.progress import Progress, Silent
from postroad.flow.ascent import Ascent, push_away, warmth_at
from postroad.flow.loading import Loading, load_at
from postroad.flow.prices import Market, make_market
from postroad.flow.problem import FlowProblem
from postroad.flow.shares import tables_at
from postroad.flow.sweeps import Sweeper
from postroad.flow.trips import unused_trips
from postroad.routing.tables import RoutingTables, build_tables

__all__ = ["FlowPlan", "plan_flow"]

FIRST_LOADING = 100
"""Iterations before the first plan is loaded; the gaps between later ones grow by half."""

PUSHES = 30
"""Iterations that make room before a plan is loaded."""

SETTLING = 8
"""Sweeps after which values of other prices are forgotten: more than the days of the longest way."""

LOADING_ITERATIONS = 110
"""What a loading, with its pushes, is taken to last in iterations until one has been timed."""


@dataclass(frozen=True, slots=True)
class FlowPlan:
    """How a day's items should flow, and the proof.

    Attributes
    ----------
    market: what is priced, and the problem.
    loading: the flows.
    cost_yuan, bound_yuan: cost of the flows, and what no plan costs less than, a day.
    gap: ``(cost - bound) / (cost - refusals)``: what is paid for items that are not carried is left out below.
    prices: float64 (n_priced,), of the bound, in slots of waiting; ``market.yuan`` turns them into yuan.
    plan_prices, warmth: those from which the flows were loaded.
    stop: gap, time, work or interrupted: why the search ended.
    n_iterations: price iterations made; ``--work-limit`` with this number repeats the plan exactly.
    cancelled: int32, trips between core facilities that carry next to nothing, indices as in ``cn_trip``.
    tables: routing tables with shares; None when not asked for.
    history: (iterations, seconds, bound, cost) at each loading.
    """

    market: Market
    loading: Loading
    cost_yuan: float
    bound_yuan: float
    prices: np.ndarray
    plan_prices: np.ndarray
    warmth: float
    stop: str
    n_iterations: int
    history: tuple[tuple[int, float, float, float], ...]
    cancelled: np.ndarray
    tables: RoutingTables | None = None

    @property
    def problem(self) -> FlowProblem:
        """The problem that was planned."""
        return self.market.problem

    @property
    def gap(self) -> float:
        """How far the cost may be from the least possible, 0..1."""
        changeable = self.cost_yuan - self.loading.refusal_yuan
        return max(self.cost_yuan - self.bound_yuan, 0.0) / changeable if changeable > 0 else 0.0


class _Search:
    """The best bound and the best plan so far."""

    def __init__(self, sweeper: Sweeper, ascent: Ascent) -> None:
        self.sweeper, self.ascent = sweeper, ascent
        self.start = perf_counter()
        self.bound, self.prices = -np.inf, ascent.prices
        self.best: Loading | None = None
        self.plan_prices, self.warmth = ascent.prices, 1.0
        self.history: list[tuple[int, float, float, float]] = []
        self.iteration_s, self.loading_s = 0.0, 0.0

    def iterate(self) -> None:
        """One price iteration, timed."""
        start = perf_counter()
        self.ascent.iterate()
        spent = perf_counter() - start
        # the first iteration compiles kernels
        self.iteration_s = spent if self.ascent.n_done <= 2 else 0.8 * self.iteration_s + 0.2 * spent

    def raise_bound(self) -> None:
        """Take the bound of the present prices when it is better."""
        bound = self.sweeper.bound(self.ascent.prices)
        if bound > self.bound:
            self.bound, self.prices = bound, self.ascent.prices.copy()

    def load(self) -> None:
        """Load a plan at the present prices and keep it when it is the cheapest."""
        start = perf_counter()
        self.raise_bound()
        warmth = warmth_at(self.ascent.n_done)
        prices = push_away(self.sweeper, self.ascent.prices, warmth, PUSHES)
        loading = load_at(self.sweeper, prices, warmth)
        if self.best is None or loading.cost_yuan < self.best.cost_yuan:
            self.best, self.plan_prices, self.warmth = loading, prices, warmth
        self.sweeper.settle(self.ascent.prices, warmth, SETTLING)  # loading has left values of its own behind
        now = perf_counter()
        self.loading_s = now - start
        self.history.append((self.ascent.n_done, now - self.start, self.bound, loading.cost_yuan))

    def gap(self) -> float:
        """The gap so far, 1 while there is no plan."""
        if self.best is None:
            return 1.0
        return (self.best.cost_yuan - self.bound) / max(self.best.cost_yuan - self.best.refusal_yuan, 1e-9)

    def time_is_up(self, time_limit: float | None) -> bool:
        """Whether one more iteration and a loading would not end in time."""
        if time_limit is None:
            return False
        needed = self.loading_s or LOADING_ITERATIONS * self.iteration_s
        return perf_counter() - self.start + self.iteration_s + needed > time_limit


def plan_flow(
    problem: FlowProblem,
    *,
    max_gap: float = 0.01,
    time_limit: float | None = None,
    work_limit: int | None = None,
    route: bool = True,
    prices: np.ndarray | None = None,
    threads: int = 2,
    progress: Progress | None = None,
) -> FlowPlan:
    """Plan the flow of a repeating day.

    Parameters
    ----------
    max_gap: stop as soon as the gap is no larger.
    time_limit: seconds after which the best plan so far is given; loading takes its time, so one is begun early enough.
    work_limit: price iterations after which the best plan so far is given; repeats a search exactly.
    route: whether the plan gets routing tables, for the twin.
    prices: where to begin, such as the prices of a plan for a day much like it.
    threads: worker threads; the answer is the same for any number.

    Returns
    -------
    FlowPlan. An interrupt (Ctrl-C) gives the best plan so far, or one loaded at the present prices.
    """
    progress = progress or Silent()
    market = make_market(problem)
    with Sweeper(market, threads) as sweeper:
        search = _Search(sweeper, Ascent(sweeper, prices))
        stop = _climb(search, max_gap, time_limit, work_limit, progress)
        cancelled = unused_trips(problem, search.best.ride_flow.sum(axis=2, dtype=np.float64))
        tables = None
        if route:
            base = build_tables(problem.instance, threads=threads, progress=progress)
            tables = tables_at(sweeper, search.plan_prices, search.warmth, base)
    return FlowPlan(
        market=market,
        loading=search.best,
        cost_yuan=search.best.cost_yuan,
        bound_yuan=search.bound,
        prices=search.prices,
        plan_prices=search.plan_prices,
        warmth=search.warmth,
        stop=stop,
        n_iterations=search.ascent.n_done,
        history=tuple(search.history),
        cancelled=cancelled,
        tables=tables,
    )


def _climb(
    search: _Search, max_gap: float, time_limit: float | None, work_limit: int | None, progress: Progress
) -> str:
    """Iterate and load until something says stop; what did."""
    progress.stage("flow plan", work_limit or 0)
    loadings = _loadings()
    next_loading = next(loadings)
    try:
        while True:
            search.iterate()
            n_done = search.ascent.n_done
            out_of_work = work_limit is not None and n_done >= work_limit
            out_of_time = search.time_is_up(time_limit)
            if n_done >= next_loading or out_of_work or out_of_time:
                search.load()
                next_loading = next(loadings) if n_done >= next_loading else next_loading
                out_of_time |= search.time_is_up(time_limit)
            elif n_done % 20 == 0:
                search.raise_bound()
            progress.step(n_done, _told(search))
            if search.gap() <= max_gap:
                return "gap"
            if out_of_work or out_of_time:
                return "work" if out_of_work else "time"
    except KeyboardInterrupt:
        if search.best is None:
            search.load()
        return "interrupted"


def _loadings() -> Iterator[int]:
    """Numbers of iterations after which a plan is loaded: 100, 150, 225, …"""
    return accumulate(count(), lambda before, _: before * 3 // 2, initial=FIRST_LOADING)


def _told(search: _Search) -> str:
    """Bound and best on one line."""
    if search.best is None:
        return f"bound {search.bound:,.0f} yuan"
    return f"best {search.best.cost_yuan:,.0f} bound {search.bound:,.0f} yuan gap {search.gap():.2%}"
