"""The planner's sweeps over all products and destinations, in blocks, on some threads: values, loads and the bound."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from postroad.flow.prices import Market
from postroad.flow.problem import CLOSED, FlowProblem
from postroad.kernels.flowloads import soft_loads
from postroad.kernels.flowvalues import FAR, UNREACHED, RideGraph, exact_values, soft_values

__all__ = ["Block", "Sweeper", "make_graph"]

WIDTH = 192
"""Destinations worked on together, at most: rows long enough for the memory to stream, few enough for the cache."""

MAX_SWEEPS = 60


@dataclass(slots=True)
class Block:
    """Destinations of one group and the state of their values and items; arrays (n_core, n_slots, width).

    ``exact`` holds the exact values, in and out, once a bound was asked for.
    """

    product: int
    columns: np.ndarray
    group: int
    graph: RideGraph
    end_cost: np.ndarray
    released: np.ndarray
    some_released: np.ndarray
    soft_in: np.ndarray
    soft_out: np.ndarray
    standing_in: np.ndarray
    standing_out: np.ndarray
    some_in: np.ndarray
    some_out: np.ndarray
    exact: np.ndarray | None = None


class Sweeper:
    """Works on the blocks of a problem. What it answers does not depend on the number of threads."""

    def __init__(self, market: Market, threads: int = 2) -> None:
        self.market = market
        self.problem = market.problem
        self.blocks = _make_blocks(self.problem)
        self._pool = ThreadPoolExecutor(max_workers=max(1, threads))

    def __enter__(self) -> Sweeper:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def warmth(self, slots: float) -> np.ndarray:
        """T of each product in yuan, float32 (n_prod,): so many slots of its time."""
        wait = np.maximum(self.problem.wait_cost, max(1000, self.problem.wait_cost.max() // 20))
        return (wait * slots / 1e6).astype(np.float32)

    def flow(self, prices: np.ndarray, slots: float) -> np.ndarray:
        """One round: values at prices, then items after the values; the part used of each priced capacity."""
        ride, sort = self._soft_costs(prices)
        warmth, wait = self.warmth(slots), (self.problem.wait_cost / 1e6).astype(np.float32)
        n_prod, n_core, n_slots, _ = self.problem.shape

        def work(block: Block) -> tuple[np.ndarray, np.ndarray]:
            p = block.product
            costs = self._ride_of(block, ride), sort, wait[p]
            soft_values(block.soft_in, block.soft_out, block.graph, *costs, block.end_cost, warmth[p])
            loads = np.zeros(self.problem.rides.n), np.zeros((n_core, n_slots))
            carried = block.released * self.carried_share(block, warmth[p])
            soft_loads(
                block.standing_in, block.standing_out, block.some_in, block.some_out, carried,
                block.some_released, block.soft_in, block.soft_out, block.graph, *costs, warmth[p], *loads,
            )  # fmt: skip
            return loads

        ride_load, sort_load = np.zeros((n_prod, self.problem.rides.n)), np.zeros((n_core, n_slots))
        for block, (on_rides, sorted_items) in zip(self.blocks, self.run(work), strict=True):
            ride_load[block.product] += on_rides
            sort_load += sorted_items
        return self.market.used(ride_load, sort_load)

    def carried_share(self, block: Block, warmth: float) -> np.ndarray | np.float32:
        """Part of a block's items that is carried at all: less than 1 where the way is as dear as a refusal."""
        refusal = np.float32(self.problem.refusal_cost[block.product] / 1e6)
        if block.soft_in[block.some_released].max(initial=0) < refusal - 20 * warmth:
            return np.float32(1)
        return 1 / (1 + np.exp(np.clip((block.soft_in - refusal) / warmth, -30, 30), dtype=np.float32))

    def settle(self, prices: np.ndarray, slots: float, n_sweeps: int = 3) -> None:
        """Bring the soft values to where they belong at prices, so that nothing of earlier prices is left in them."""
        self.settle_at(*self._soft_costs(prices), slots, n_sweeps)

    def settle_at(self, ride: np.ndarray, sort: np.ndarray, slots: float, n_sweeps: int) -> None:
        """The same at costs in yuan: ride float32 (n_prod, n_ride), sort float32 (n_core, n_slots)."""
        warmth, wait = self.warmth(slots), (self.problem.wait_cost / 1e6).astype(np.float32)

        def work(block: Block) -> None:
            for _ in range(n_sweeps):
                soft_values(
                    block.soft_in, block.soft_out, block.graph, self._ride_of(block, ride), sort, wait[block.product],
                    block.end_cost, warmth[block.product],
                )  # fmt: skip

        self.run(work)

    def reset(self) -> None:
        """Forget the soft values: where ways have been closed, old values would be too low and rise only slowly."""
        for block in self.blocks:
            block.soft_in[:] = FAR
            block.soft_out[:] = FAR

    def bound(self, prices: np.ndarray) -> float:
        """A lower bound of every plan's cost, in yuan: the Lagrangean dual at prices, exact in whole micro-yuan."""
        ride, sort = self.market.ride_costs(prices), self.market.sort_costs(prices).astype(np.int32)
        refusal = self.problem.refusal_cost

        def work(block: Block) -> float:
            p = block.product
            cost = np.where(self.problem.closed_ride[block.group], CLOSED, ride[p]).astype(np.int32)
            end = self.problem.end_cost[p][block.columns]
            arguments = block.graph, cost, sort, self.problem.wait_cost[p], end
            if block.exact is None:
                block.exact = np.full((2, *block.released.shape), UNREACHED, np.int32)
            for _ in range(MAX_SWEEPS):
                if exact_values(*block.exact, *arguments) == 0:
                    break
            else:
                return -np.inf
            return float(np.sum(block.released * np.minimum(block.exact[0], refusal[p]), dtype=np.float64))

        return sum(self.run(work)) / 1e6 - float(prices @ self.market.yuan)

    def gather(self, name: str) -> np.ndarray:
        """The named arrays of all blocks side by side, (n_prod, n_core, n_slots, n_td), columns in :meth:`order`."""
        per_product = len(self.blocks) // self.problem.shape[0]
        parts = [getattr(block, name) for block in self.blocks]
        return np.stack(
            [np.concatenate(parts[at : at + per_product], axis=2) for at in range(0, len(parts), per_product)]
        )

    @property
    def order(self) -> np.ndarray:
        """Tree destinations in the order of the blocks' columns: group by group."""
        return np.concatenate([block.columns for block in self.blocks if block.product == 0])

    def run(self, work: Callable[[Block], object]) -> list:
        """Do work on every block, on the threads; the answers in order of the blocks."""
        return list(self._pool.map(work, self.blocks))

    def _soft_costs(self, prices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Yuan for rides, float32 (n_prod, n_ride), and for sorting, float32 (n_core, n_slots), at prices."""
        problem = self.problem
        ride = np.where(problem.ride_cost >= CLOSED, FAR, problem.ride_cost / 1e6 + self.market.ride_prices(prices))
        sort = problem.handling_cost[:, None] / 1e6 + self.market.sort_prices(prices)
        return ride.astype(np.float32), np.where(problem.sort_cap > 0, sort, FAR).astype(np.float32)

    def _ride_of(self, block: Block, ride: np.ndarray) -> np.ndarray:
        """Costs of the rides to a block's destinations."""
        return np.where(self.problem.closed_ride[block.group], FAR, ride[block.product])


def make_graph(problem: FlowProblem, columns: np.ndarray) -> RideGraph:
    """The ride graph with some destinations as columns."""
    goal = np.full(problem.shape[1], -1, np.int32)
    goal[problem.instance.td_fac[columns]] = np.arange(len(columns))
    return RideGraph(problem.rides.ptr, problem.rides.head, problem.rides.step, goal)


def _make_blocks(problem: FlowProblem) -> list[Block]:
    """Blocks of destinations, none across groups, for each product in the same order."""
    groups = [np.flatnonzero(problem.group_of_td == group) for group in range(problem.group_of_td.max() + 1)]
    parts = [
        (group, part)
        for group, columns in enumerate(groups)
        for part in np.array_split(columns, -(-len(columns) // WIDTH))
    ]
    blocks = []
    for product in range(problem.shape[0]):
        for group, columns in parts:
            released = np.ascontiguousarray(problem.released[product][:, :, columns])
            some, shape = released.any(axis=2), released.shape
            blocks.append(
                Block(
                    product=product,
                    columns=columns,
                    group=group,
                    graph=make_graph(problem, columns),
                    end_cost=(problem.end_cost[product][columns] / 1e6).astype(np.float32),
                    released=released,
                    some_released=some,
                    soft_in=np.full(shape, FAR),
                    soft_out=np.full(shape, FAR),
                    standing_in=released.copy(),
                    standing_out=np.zeros_like(released),
                    some_in=some.copy(),
                    some_out=np.zeros_like(some),
                )
            )
    return blocks
