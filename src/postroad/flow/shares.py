"""Routing tables of a plan: for every facility, slot and destination the lanes to join, with whole shares."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from postroad.flow.problem import CLOSED
from postroad.flow.sweeps import Sweeper
from postroad.kernels.flowshares import lane_shares
from postroad.kernels.flowvalues import FAR
from postroad.routing.tables import SPLIT_CYCLE, RoutingTables, Splits

__all__ = ["tables_at"]

KEPT = 4
"""Lanes that a split can have, as the twin's tables hold them."""

SETTLING = 8
"""Sweeps after which values of other prices are forgotten."""

LEAST = 8
"""Parts of ``SPLIT_CYCLE`` below which a lane is not worth a split."""


def tables_at(
    sweeper: Sweeper, prices: np.ndarray, slots: float, base: RoutingTables, serves: np.ndarray
) -> RoutingTables:
    """The tables that follow the soft values at prices.

    Parameters
    ----------
    base: tables of the same network without the trips that the plan cancels; what the plan says nothing about is
        theirs: the alternative of a lane that turns out overfull, the way by road, the planned slots of the way that
        nothing congests, and the lane where the plan's own has no trips left.
    serves: bool (n_lane,), lanes that have trips left.
    """
    problem, order = sweeper.problem, sweeper.order
    block = int(base.block_of_day[min(problem.day, len(base.block_of_day) - 1)])
    next_out, alt_out = base.next_out[:, [block]].copy(), base.alt_out[:, [block]].copy()
    shape = next_out.shape
    number, counts = np.full(shape, -1, np.int16), np.zeros(shape[:4], np.int64)
    kept_lanes, kept_ends = [], []
    sweeper.settle(prices, slots, SETTLING)
    for product in np.unique(base.table_of_product, return_index=True)[1]:
        table = int(base.table_of_product[product])
        lanes, ends = _ends(
            *_shares(sweeper, prices, slots, int(product), np.argsort(order)), problem.instance.out_ptr, serves
        )
        known = lanes[..., 0] >= 0
        split = known & (ends[..., 0] < SPLIT_CYCLE)
        _take_over(next_out[table, 0], alt_out[table, 0], lanes[..., 0], known)
        within = np.cumsum(split, axis=2) - 1
        number[table, 0][split] = within[split]
        counts[table, 0] = split.sum(axis=2)
        kept_lanes.append(lanes[split])
        kept_ends.append(ends[split])
    base_row = np.concatenate([[0], np.cumsum(counts.ravel())[:-1]]).reshape(shape[:4]).astype(np.int32)
    splits = Splits(number, base_row, np.concatenate(kept_lanes), np.concatenate(kept_ends))
    return replace(
        base,
        block_of_day=np.zeros(1, np.int32),
        next_out=next_out,
        alt_out=alt_out,
        slots_to_go=base.slots_to_go[:, [block]],
        splits=splits,
    )


def _shares(
    sweeper: Sweeper, prices: np.ndarray, slots: float, product: int, back: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Lanes and shares of one product, (n_core, n_slots, n_td, KEPT)."""
    problem = sweeper.problem
    ride = np.where(problem.ride_cost >= CLOSED, FAR, problem.ride_cost / 1e6 + sweeper.market.ride_prices(prices))
    warmth, wait = sweeper.warmth(slots)[product], np.float32(problem.wait_cost[product] / 1e6)
    parts = []
    for block in sweeper.blocks:
        if block.product != product:
            continue
        lanes = np.full((*block.soft_in.shape, KEPT), -1, np.int16)
        shares = np.zeros(lanes.shape, np.float32)
        cost = np.where(problem.closed_ride[block.group], FAR, ride[product]).astype(np.float32)
        lane_shares(
            block.soft_in, block.soft_out, block.graph, problem.rides.lane, problem.instance.out_ptr, cost, wait,
            warmth, lanes, shares,
        )  # fmt: skip
        lanes[block.soft_out >= FAR / 2] = -1
        parts.append((lanes, shares))
    return tuple(np.concatenate(part, axis=2)[:, :, back] for part in zip(*parts, strict=True))


def _ends(
    lanes: np.ndarray, shares: np.ndarray, out_ptr: np.ndarray, serves: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Lanes in falling order of share, and where the whole parts of each end, int16; small shares are dropped."""
    number = lanes + out_ptr[: len(lanes), None, None, None].astype(np.int32)
    shares = np.where((lanes >= 0) & serves[np.where(lanes >= 0, number, 0)], shares, 0)
    order = np.argsort(-shares, axis=-1, kind="stable")
    shares, lanes = np.take_along_axis(shares, order, axis=-1), np.take_along_axis(lanes, order, axis=-1)
    shares[shares * SPLIT_CYCLE < LEAST * shares.sum(axis=-1, keepdims=True)] = 0
    total = shares.sum(axis=-1, keepdims=True)
    ends = np.rint(np.cumsum(shares, axis=-1) / np.where(total > 0, total, 1) * SPLIT_CYCLE).astype(np.int16)
    return np.where(shares > 0, lanes, -1).astype(np.int16), ends


def _take_over(next_out: np.ndarray, alt_out: np.ndarray, main: np.ndarray, known: np.ndarray) -> None:
    """Put the plan's lanes into a table; where the alternative is now the way itself, the former way is the other."""
    former = next_out.copy()
    next_out[known] = main[known]
    same = known & (alt_out == next_out)
    alt_out[same] = np.where(former[same] != next_out[same], former[same], -1)
    none = known & (alt_out < 0) & (former >= 0) & (former != next_out)
    alt_out[none] = former[none]
