"""Routing tables of a plan: for every facility, slot and destination the lanes to join, with whole shares."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from postroad.flow.problem import CLOSED
from postroad.flow.sweeps import Block, Sweeper
from postroad.kernels.flowshares import lane_shares
from postroad.kernels.flowvalues import FAR
from postroad.routing.tables import SPLIT_CYCLE, RoutingTables, Splits, first_rows

__all__ = ["tables_at"]

KEPT = 4
"""Lanes that a split can have, as the twin's tables hold them."""

SETTLING = 8
"""Sweeps after which values of other prices are forgotten."""

LEAST = 8
"""Parts of ``SPLIT_CYCLE`` below which a lane is not worth a split."""


def tables_at(
    sweeper: Sweeper, prices: np.ndarray, slots: float, base: RoutingTables, n_sweeps: int = SETTLING
) -> RoutingTables:
    """The tables that follow the soft values at prices.

    Parameters
    ----------
    base: tables of the same network; what the plan says nothing about is
        theirs: the alternative of a lane that turns out overfull, the way by road, and the planned slots of the way
        that nothing congests.
    n_sweeps: sweeps that bring the values to where they belong at the prices.
    """
    problem = sweeper.problem
    block = int(base.block_of_day[min(problem.day, len(base.block_of_day) - 1)])
    next_out, alt_out = base.next_out[:, [block]].copy(), base.alt_out[:, [block]].copy()
    number, counts = np.full(next_out.shape, -1, np.int16), np.zeros(next_out.shape[:4], np.int64)
    kept_lanes, kept_ends = [], []
    sweeper.settle(prices, slots, n_sweeps)
    products = np.unique(base.table_of_product, return_index=True)[1].tolist()
    for product, (lanes, ends) in _shares(sweeper, prices, slots, products).items():
        table = int(base.table_of_product[product])
        known = lanes[..., 0] >= 0
        split = known & (ends[..., 0] < SPLIT_CYCLE)
        _take_over(next_out[table, 0], alt_out[table, 0], lanes[..., 0], known)
        within = np.cumsum(split, axis=2, dtype=np.int16) - 1
        number[table, 0][split] = within[split]
        counts[table, 0] = split.sum(axis=2)
        kept_lanes.append(lanes[split])
        kept_ends.append(ends[split])
    return replace(
        base,
        block_of_day=np.zeros(1, np.int32),
        next_out=next_out,
        alt_out=alt_out,
        slots_to_go=base.slots_to_go[:, [block]],
        splits=Splits(number, first_rows(counts), np.concatenate(kept_lanes), np.concatenate(kept_ends)),
    )


def _shares(
    sweeper: Sweeper, prices: np.ndarray, slots: float, products: list[int]
) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Lanes and ends of their parts by product, int16 (n_core, n_slots, n_td, KEPT)."""
    problem = sweeper.problem
    ride = np.where(problem.ride_cost >= CLOSED, FAR, problem.ride_cost / 1e6 + sweeper.market.ride_prices(prices))
    warmth, wait = sweeper.warmth(slots), (problem.wait_cost / 1e6).astype(np.float32)
    _, n_core, n_slots, n_td = problem.shape
    found = {product: tuple(np.empty((2, n_core, n_slots, n_td, KEPT), np.int16)) for product in products}

    def work(block: Block) -> None:
        p = block.product
        if p not in found:
            return
        own = np.empty((2, *block.soft_in.shape, KEPT), np.int16)
        cost = np.where(problem.closed_ride[block.group], FAR, ride[p]).astype(np.float32)
        lane_shares(
            block.soft_in, block.soft_out, block.graph, problem.rides.lane, problem.instance.out_ptr, cost, wait[p],
            warmth[p], SPLIT_CYCLE, LEAST, *own,
        )  # fmt: skip
        own[0][block.soft_out >= FAR / 2] = -1
        for whole, part in zip(found[p], own, strict=True):
            whole[:, :, block.columns] = part

    sweeper.run(work)
    return found


def _take_over(next_out: np.ndarray, alt_out: np.ndarray, main: np.ndarray, known: np.ndarray) -> None:
    """Put the plan's lanes into a table; where the alternative is now the way itself, the former way is the other."""
    former = next_out.copy()
    next_out[known] = main[known]
    same = known & (alt_out == next_out)
    alt_out[same] = np.where(former[same] != next_out[same], former[same], -1)
    none = known & (alt_out < 0) & (former >= 0) & (former != next_out)
    alt_out[none] = former[none]
