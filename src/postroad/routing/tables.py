"""Routing tables: for every facility, slot of the day, destination and product the lane to take next."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from math import gcd

import numpy as np

from postroad.core.errors import InputError, InternalError
from postroad.core.progress import Progress, Silent
from postroad.kernels.trees import (
    BLOCK,
    COST_SHIFT,
    INF,
    LANE_BITS,
    LANE_MASK,
    SLOT_MASK,
    Graph,
    choose_lanes,
    list_lanes,
    settle_keys,
)
from postroad.network.instance import Instance
from postroad.routing.departures import Timeline, build_timeline

__all__ = ["RoutingTables", "build_tables"]

MAX_SWEEPS = 1000


@dataclass(frozen=True, slots=True)
class RoutingTables:
    """Least-generalised-cost routing to all destinations from all facilities at all slots, one block per kind of day.

    Attributes
    ----------
    block_of_day: int32 (n_days,), the block that holds on each day of the horizon.
    next_out: int16 (n_table, n_block, n_core, slots_per_day, n_td): which of the facility's outgoing lanes to join
        (``lane = out_ptr[f] + next_out``); -1 at the destination itself and where there is no route.
    alt_out: int16, same shape: the best lane other than ``next_out``, used when that one is overfull; -1: none.
    slots_to_go: int16, same shape: planned slots from being ready here to being ready at the destination (sorted
        there); 32767 where there is no route.
    table_of_product: int32 (n_prod,), the first axis above for each product (products with the same modes and value
        of time share a table).
    """

    block_of_day: np.ndarray
    next_out: np.ndarray
    alt_out: np.ndarray
    slots_to_go: np.ndarray
    table_of_product: np.ndarray


def build_tables(
    instance: Instance,
    *,
    progress: Progress | None = None,
    know_overlay: bool = False,
    divert_max_extra_h: float = 12.0,
    threads: int = 2,
) -> RoutingTables:
    """Find the least-generalised-cost lane from every core facility at every slot to every tree destination.

    A state is "sorted at core facility f in slot s". Joining a lane's queue means to leave with the lane's first
    departure of this or a later slot, as a first-in-first-out queue does when nothing is full. The item is ready at
    the receiving facility in the slot after arrival and handling, or the next in which that facility sorts.
    The generalised cost of a hop is the connection's cost, the handling cost of the facility it leads to and the
    product's value of the time from slot to slot, waiting included. Ties go to the fewer slots, then the lower lane.

    Parameters
    ----------
    instance: the compiled network.
    progress: is told the blocks of destinations done.
    know_overlay: whether closures, delays and cancellations are known when routes are chosen; by default routes are
        the plan's.
    divert_max_extra_h: the alternative lane may cost at most so many hours of the product's time more than the best.
    threads: worker threads; the answer is the same for any number.

    Returns
    -------
    RoutingTables: 6 bytes per table, block, core facility, slot of the day and destination.

    Raises
    ------
    InputError: PR-R001 when costs or durations are too large to add up exactly, PR-R002 when a facility has more than
        32,767 lanes.

    **Assumes** no congestion; after the horizon the last day of the plan (or its last week, when its days differ)
    repeats for ever.
    """
    widest = int(np.diff(instance.out_ptr[: instance.n_core + 1]).max(initial=0))
    if widest > LANE_MASK:
        busiest = int(np.argmax(np.diff(instance.out_ptr[: instance.n_core + 1])))
        raise InputError("PR-R002", facility_id=instance.fac_id[busiest], n_lanes=widest, limit=LANE_MASK)
    timeline = build_timeline(instance, know_overlay=know_overlay)
    table_of_product, kinds = _table_kinds(instance)
    shape = (len(kinds), timeline.n_days, instance.n_core, timeline.slots_per_day, len(instance.td_fac))
    outputs = tuple(np.empty(shape, np.int16) for _ in range(3))
    graphs = [_price_edges(instance, timeline, mode_ok, vot) for mode_ok, vot in kinds]
    max_extra = [int(vot * _parts(instance) * divert_max_extra_h) for _, vot in kinds]

    def work(table: int, first: int) -> None:
        columns = slice(first, min(first + BLOCK, shape[-1]))
        views = tuple(out[table, ..., columns] for out in outputs)
        _solve_block(instance, timeline.n_slots, graphs[table], max_extra[table], columns, views)

    tasks = [(table, first) for table in range(len(kinds)) for first in range(0, shape[-1], BLOCK)]
    _run_all(work, tasks, threads, progress or Silent())
    block_of_day, kept = _merge_days(timeline, outputs)
    next_out, alt_out, slots_to_go = (out if len(kept) == shape[1] else out[:, kept] for out in outputs)
    for array in (block_of_day, next_out, alt_out, slots_to_go, table_of_product):
        array.setflags(write=False)
    return RoutingTables(block_of_day, next_out, alt_out, slots_to_go, table_of_product)


def _run_all(work: Callable[[int, int], None], tasks: list[tuple[int, int]], threads: int, progress: Progress) -> None:
    """Do all tasks on some threads, telling how many are done; the first failure is raised."""
    progress.stage("routing tables", len(tasks))
    with ThreadPoolExecutor(max_workers=max(1, threads)) as pool:
        futures = [pool.submit(work, *task) for task in tasks]
        try:
            for n_done, future in enumerate(as_completed(futures), 1):
                future.result()
                progress.step(n_done)
        finally:
            for future in futures:
                future.cancel()


def _table_kinds(instance: Instance) -> tuple[np.ndarray, list[tuple[np.ndarray, int]]]:
    """Which table each product uses, and the allowed modes and value of time of each table."""
    kinds: dict[tuple, int] = {}
    table_of_product = np.empty(len(instance.prod_vot), np.int32)
    for product, (mode_ok, vot) in enumerate(zip(instance.prod_mode_ok, instance.prod_vot, strict=True)):
        table_of_product[product] = kinds.setdefault((tuple(mode_ok.tolist()), int(vot)), len(kinds))
    return table_of_product, [(np.array(mode_ok, bool), vot) for mode_ok, vot in kinds]


def _price_edges(instance: Instance, timeline: Timeline, mode_ok: np.ndarray, vot: int) -> Graph:
    """Price the departures for one table, in parts of a milli-yuan so that a slot's time costs a whole number."""
    allowed = mode_ok[instance.lane_mode[timeline.lane]]
    slot, lane, cn, row, n_step = (getattr(timeline, name)[allowed] for name in ("slot", "lane", "cn", "row", "n_step"))
    parts = _parts(instance)
    slot_cost = vot * instance.slot_min * parts // 60
    n_step = n_step.astype(np.int64)
    money = instance.cn_cost[cn].astype(np.int64) + instance.fac_cost[instance.lane_to[lane]]
    cost = money * parts + slot_cost * n_step
    _refuse_beyond(int(cost.max(initial=0)), int(n_step.max(initial=0)), parts)
    fac = instance.lane_from[lane]
    key = (cost << COST_SHIFT) + (n_step << LANE_BITS) + (lane - instance.out_ptr[fac])
    wait_key = (slot_cost << COST_SHIFT) + (1 << LANE_BITS)
    return _index_edges(instance, timeline, slot, lane, row, key, wait_key)


def _index_edges(
    instance: Instance,
    timeline: Timeline,
    slot: np.ndarray,
    lane: np.ndarray,
    row: np.ndarray,
    key: np.ndarray,
    wait_key: int,
) -> Graph:
    """Index the edges by group, by the state they lead to and by lane."""
    n_core, n_slots = instance.n_core, timeline.n_slots
    fac = instance.lane_from[lane]
    place = slot * np.int32(n_core) + fac
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    group_at = np.full(n_core * n_slots, -1, np.int32)
    group_at[place[starts]] = np.arange(len(starts))
    slot_ptr = np.searchsorted(slot[starts], np.arange(n_slots + 1)).astype(np.int64)
    group_fac, group_ptr = fac[starts], np.r_[starts, len(slot)].astype(np.int64)
    lanes_ptr = np.concatenate([[0], np.cumsum(np.diff(instance.out_ptr)[group_fac])]).astype(np.int64)
    edges = (slot_ptr, group_fac, group_ptr, lane, row, key, instance.out_ptr, lanes_ptr, timeline.ring_from, wait_key)
    lanes_row, lanes_key = list_lanes(*edges)
    return Graph(
        group_ptr=group_ptr,
        group_at=group_at,
        edge_row=row,
        edge_key=key,
        into_ptr=_count_up(row, n_core * n_slots),
        into_place=place[np.argsort(row, kind="stable")],
        lanes_ptr=lanes_ptr,
        lanes_row=lanes_row,
        lanes_key=lanes_key,
        n_slots=n_slots,
        ring_from=timeline.ring_from,
        wait_key=wait_key,
    )


def _count_up(values: np.ndarray, n: int) -> np.ndarray:
    """Where each value's entries begin in the sorted order, int64 (n + 1,)."""
    return np.concatenate([[0], np.cumsum(np.bincount(values, minlength=n))]).astype(np.int64)


def _parts(instance: Instance) -> int:
    """Parts of a milli-yuan in which a slot of any whole value of time per hour costs a whole number."""
    return 60 // gcd(60, instance.slot_min)


def _refuse_beyond(cost: int, n_slots: int, parts: int) -> None:
    """Refuse sums that would not fit their field of a key."""
    if cost >= INF >> COST_SHIFT or n_slots > SLOT_MASK:
        raise InputError("PR-R001", cost_yuan=cost / parts / 1000, n_slots=n_slots)


def _solve_block(
    instance: Instance, n_slots: int, graph: Graph, max_extra: int, columns: slice, outputs: tuple[np.ndarray, ...]
) -> None:
    """Settle the keys of one block of destinations and write its part of the tables.

    A settled key plus any one edge and wait that still fits its fields proves that nothing was cut off on the way.
    """
    keys = np.full((instance.n_core * n_slots, BLOCK), INF, np.int64)
    n_dest = columns.stop - columns.start
    dest_of_fac = np.full(instance.n_core, -1, np.int32)
    dest_of_fac[instance.td_fac[columns]] = np.arange(n_dest)
    if settle_keys(keys, dest_of_fac, graph, MAX_SWEEPS) < 0:
        raise InternalError("PR-R090", n_sweeps=MAX_SWEEPS)
    cost, n_to_go = choose_lanes(keys, dest_of_fac, n_dest, graph, max_extra, *outputs)
    cost += (int(graph.edge_key.max(initial=0)) + graph.wait_key * n_slots) >> COST_SHIFT
    n_to_go += int(((graph.edge_key >> LANE_BITS) & SLOT_MASK).max(initial=0)) + n_slots
    _refuse_beyond(cost, n_to_go, _parts(instance))


def _merge_days(timeline: Timeline, outputs: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Give equal consecutive days of the timeline one block; the block of each day of the horizon and the days kept."""
    is_new = np.ones(timeline.n_days, bool)
    for day in range(1, timeline.n_days):
        is_new[day] = not all(np.array_equal(out[:, day], out[:, day - 1]) for out in outputs)
    block = np.cumsum(is_new) - 1
    return block[timeline.day_of_horizon].astype(np.int32), np.flatnonzero(is_new)
