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
from postroad.kernels.twinstate import SPLIT_CYCLE
from postroad.network.instance import MODES, Instance
from postroad.network.schema import FACILITY_KINDS
from postroad.routing.departures import Timeline, build_timeline, lanes_out_of

__all__ = ["SPLIT_CYCLE", "RoutingTables", "Splits", "build_tables", "destination_groups", "first_rows"]

MAX_SWEEPS = 1000

_TERMINALS = [FACILITY_KINDS.index(kind) for kind in ("airport", "railhead", "port")]


@dataclass(frozen=True, slots=True)
class Splits:
    """Where the items of a table divide over several lanes, and by what shares.

    The items that a split divides are counted; of every ``SPLIT_CYCLE`` one after the other, each lane takes those of
    its positions. Shares are therefore whole 256ths, and no item is drawn by lot.

    Attributes
    ----------
    number: int16, shape of ``RoutingTables.next_out``: -1 where all take ``next_out``, else the number of the split
        among those of its table, block, facility and slot.
    base: int32 (n_table, n_block, n_core, slots_per_day): the row of ``lanes`` and ``ends`` at which the splits of
        that table, block, facility and slot begin.
    lanes: int16 (n_split, 4): different outgoing lanes, counted as in ``next_out``; -1: none.
    ends: int16 (n_split, 4): lane k takes the positions ``ends[k - 1] <= position < ends[k]`` (from 0 for the first);
        never falling, and 256 for the last lane and all after it.
    """

    number: np.ndarray
    base: np.ndarray
    lanes: np.ndarray
    ends: np.ndarray


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
    by_road: int32 (n_prod,), the first axis for a product's items that found no room where they were meant to go:
        roads only, not by way of a terminal, at the most urgent product's value of time; -1 for products that may not
        go by road, and for all where only roads lead anywhere.
    splits: where items divide over several lanes; ``next_out`` is then the lane with the largest share. None where
        all take ``next_out``, as in the tables of :func:`build_tables`.
    """

    block_of_day: np.ndarray
    next_out: np.ndarray
    alt_out: np.ndarray
    slots_to_go: np.ndarray
    table_of_product: np.ndarray
    by_road: np.ndarray
    splits: Splits | None = None


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

    What is bound for a place does not leave the customs territory of that place once it is there.

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
    table_of_product, by_road, kinds = _table_kinds(instance)
    shape = (len(kinds), timeline.n_days, instance.n_core, timeline.slots_per_day, len(instance.td_fac))
    outputs = tuple(np.empty(shape, np.int16) for _ in range(3))
    _solve(instance, timeline, kinds, by_road, divert_max_extra_h, outputs, threads, progress or Silent())
    block_of_day, kept = _merge_days(timeline, outputs)
    next_out, alt_out, slots_to_go = (out if len(kept) == shape[1] else out[:, kept] for out in outputs)
    for array in (block_of_day, next_out, alt_out, slots_to_go, table_of_product, by_road):
        array.setflags(write=False)
    return RoutingTables(block_of_day, next_out, alt_out, slots_to_go, table_of_product, by_road)


def _solve(
    instance: Instance,
    timeline: Timeline,
    kinds: list[tuple[np.ndarray, int]],
    by_road: np.ndarray,
    divert_max_extra_h: float,
    outputs: tuple[np.ndarray, ...],
    threads: int,
    progress: Progress,
) -> None:
    """Fill the tables of all kinds, block of destinations by block, on some threads."""
    max_extra = [int(vot * _parts(instance) * divert_max_extra_h) for _, vot in kinds]
    groups = destination_groups(instance)
    graphs = {
        (table, home): _price_edges(instance, timeline, _open_lanes(instance, mode_ok, home, table in by_road), vot)
        for table, (mode_ok, vot) in enumerate(kinds)
        for home in groups
    }

    def work(table: int, home: int, columns: np.ndarray) -> None:
        solved = tuple(np.empty((*out.shape[1:4], len(columns)), np.int16) for out in outputs)
        _solve_block(instance, timeline.n_slots, graphs[table, home], max_extra[table], columns, solved)
        for out, part in zip(outputs, solved, strict=True):
            out[table][..., columns] = part

    tasks = [
        (table, home, columns[first : first + BLOCK])
        for table in range(len(kinds))
        for home, columns in groups.items()
        for first in range(0, len(columns), BLOCK)
    ]
    _run_all(work, tasks, threads, progress)


def _run_all(work: Callable[..., None], tasks: list[tuple], threads: int, progress: Progress) -> None:
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


def _table_kinds(instance: Instance) -> tuple[np.ndarray, np.ndarray, list[tuple[np.ndarray, int]]]:
    """The table of each product, the one that is its last resort, and the modes allowed and value of time of each."""
    kinds: dict[tuple, int] = {}
    table_of_product = np.empty(len(instance.prod_vot), np.int32)
    for product, (mode_ok, vot) in enumerate(zip(instance.prod_mode_ok, instance.prod_vot, strict=True)):
        table_of_product[product] = kinds.setdefault((tuple(mode_ok.tolist()), int(vot)), len(kinds))
    answers = [(np.array(mode_ok, bool), vot) for mode_ok, vot in kinds]
    by_road = np.full(len(table_of_product), -1, np.int32)
    road = np.arange(len(MODES)) == MODES.index("road")
    may = instance.prod_mode_ok[:, road].ravel()
    used = instance.prod_mode_ok.any(axis=0)[instance.lane_mode]
    if may.any() and (instance.lane_mode[used] != MODES.index("road")).any():
        urgent = int(instance.prod_vot[may].max())
        by_road[may] = len(answers)
        answers.append((road, urgent))
    return table_of_product, by_road, answers


def first_rows(counts: np.ndarray) -> np.ndarray:
    """Rows of the splits at which each table, block, facility and slot begins, int32: ``base`` of :class:`Splits`."""
    return np.concatenate([[0], np.cumsum(counts.ravel())[:-1]]).reshape(counts.shape).astype(np.int32)


def destination_groups(instance: Instance) -> dict[int, np.ndarray]:
    """Tree destinations by the customs territory that what is bound for them does not leave.

    A territory with one core facility is left with its destination behind, so it needs no graph of its own: such
    destinations stand together under -1.
    """
    size = np.bincount(instance.fac_territory[: instance.n_core])
    home = instance.fac_territory[instance.td_fac].astype(np.int64)
    home = np.where(size[home] > 1, home, -1)
    return {int(territory): np.flatnonzero(home == territory) for territory in np.unique(home)}


def _open_lanes(instance: Instance, mode_ok: np.ndarray, home: int, is_by_road: bool) -> np.ndarray:
    """Lanes of the modes allowed that do not leave the customs territory ``home`` (-1: any), bool (n_lane,); for what
    goes by road, no lanes to the terminals of other modes either."""
    is_open = mode_ok[instance.lane_mode]
    if home >= 0:
        is_open &= ~lanes_out_of(instance, home)
    if is_by_road:
        is_open &= ~np.isin(instance.fac_kind, _TERMINALS)[instance.lane_to]
    return is_open


def _price_edges(instance: Instance, timeline: Timeline, is_open: np.ndarray, vot: int) -> Graph:
    """Price the departures for one table, in parts of a milli-yuan so that a slot's time costs a whole number."""
    allowed = is_open[timeline.lane]
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
    instance: Instance, n_slots: int, graph: Graph, max_extra: int, columns: np.ndarray, outputs: tuple[np.ndarray, ...]
) -> None:
    """Settle the keys of one block of destinations and write its part of the tables.

    A settled key plus any one edge and wait that still fits its fields proves that nothing was cut off on the way.
    """
    keys = np.full((instance.n_core * n_slots, BLOCK), INF, np.int64)
    n_dest = len(columns)
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
