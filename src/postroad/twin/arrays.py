"""Lay out the arrays that the twin's kernels work on."""

from __future__ import annotations

import numpy as np

from postroad.core.errors import InputError
from postroad.demand.items import Items
from postroad.kernels.queues import new_pool
from postroad.kernels.twinstate import DAYS, N_COUNTER, N_FAC, SPAN_BASE, SPLIT_CYCLE, Net, State
from postroad.network.instance import Instance
from postroad.routing.tables import RoutingTables, Splits
from postroad.twin.parameters import TwinParameters
from postroad.twin.release import Release

__all__ = ["MOST_STRETCH", "make_net", "make_state", "widen_state"]

RUNNING_DAYS = 8
"""Service days whose trips can be under way at once."""


MOST_STRETCH = 1.5
"""Running times up to so many times the timetable's have their place."""

SPLIT_STEP = 97
"""Between the positions at which one split and the next begin."""

WRITTEN = ("trace_gid", "trace_ordinal")
"""Fields of the Net that the kernels write."""

BLOCKS_PER_DAY = 200
MOST_BLOCK = 4000
"""Failed attempts come in about so many blocks a facility and day, of at most so many items: groups stay whole."""


def make_net(
    instance: Instance,
    tables: RoutingTables,
    release: Release,
    promise_k: np.ndarray | None,
    parameters: TwinParameters,
    measured_days: tuple[int, ...],
) -> Net:
    """Everything the kernels read.

    Raises
    ------
    InputError: when an entry cannot hold the number of a facility or product (PR-W106) or of a group (PR-W107).
    """
    if instance.n_fac > 32767 or len(instance.prod_id) > 16:
        raise InputError("PR-W106", n=instance.n_fac, n_products=len(instance.prod_id))
    if release.n_groups >= 2**31:
        raise InputError("PR-W107", n=f"{release.n_groups:,}", n_most=f"{2**31 - 1:,}")
    overfull, daytype = _overfull(instance, parameters.divert_queue_h)
    block = _blocks(tables.block_of_day, instance.n_days)
    measured = np.zeros(instance.n_days, bool)
    measured[list(measured_days)] = True
    first, later = parameters.first_attempt_success_share, parameters.later_attempt_success_share
    net = Net(
        slot_min=instance.slot_min,
        per_day=instance.slots_per_day,
        n_prod=len(instance.prod_id),
        max_attempts=parameters.max_attempts,
        fail_bp=np.array([round(10_000 * (1 - first)), round(10_000 * (1 - later))], np.int64),
        fail_block=np.clip(release.daily_to_facility(instance.n_fac) // BLOCKS_PER_DAY, 1, MOST_BLOCK),
        lost_pm=parameters.lost_per_million,
        deliver_by=parameters.deliver_by_min,
        tour_bp=np.rint(np.cumsum(parameters.tour_shares) * 10_000).astype(np.int64),
        **_network_fields(instance),
        overfull=overfull,
        daytype=daytype,
        table_of_product=tables.table_of_product,
        by_road=tables.by_road,
        block_of_day=block,
        next_out=tables.next_out,
        alt_out=tables.alt_out,
        **_split_fields(tables),
        **_demand_fields(instance, release, promise_k),
        measured=measured,
        pair_full=release.pair_full,
        trace_gid=release.trace_gid,
        trace_ordinal=release.trace_ordinal,
    )
    return net._replace(**{name: _as_compiled(value) for name, value in net._asdict().items() if name not in WRITTEN})


def _network_fields(instance: Instance) -> dict[str, np.ndarray]:
    """The part of Net that is the instance's own."""
    names = {
        "parent": "fac_parent", "city": "fac_place", "td": "fac_td", "feeder": "feeder_lane", "collect": "collect_lane",
        "dp_dep": "dp_dep_min", "dp_arr": "dp_arr_min", "dp_ready": "dp_ready_slot",
    }  # fmt: skip
    same = (
        *("wave_delay", "sort_cap", "screen_cap", "wave_cap", "lane_from", "lane_to", "out_ptr"),
        *("cn_lane", "cn_leg_first", "cn_leg_last", "leg_cap_items", "leg_cap_g", "leg_cap_cm3"),
        *("dp_cn", "dp_day", "dp_capf", "dp_ptr"),
    )
    return {name: getattr(instance, names.get(name, name)) for name in (*names, *same)}


def _split_fields(tables: RoutingTables) -> dict[str, np.ndarray]:
    """The splits of the tables; no tables and no splits where nothing is split."""
    splits = tables.splits
    if splits is None:
        splits = Splits(
            number=np.zeros((0, 1, 1, 1, 0), np.int16),
            base=np.zeros((0, 1, 1, 1), np.int32),
            lanes=np.zeros((0, 4), np.int16),
            ends=np.zeros((0, 4), np.int16),
        )
    return {f"split_{name}": getattr(splits, name) for name in ("number", "base", "lanes", "ends")}


def _as_compiled(value: object) -> object:
    """An array whole in memory and read-only: other kinds of array would have every kernel compiled once more."""
    if not isinstance(value, np.ndarray):
        return value
    view = np.ascontiguousarray(value).view()
    view.setflags(write=False)
    return view


def _blocks(block_of_day: np.ndarray, n_days: int) -> np.ndarray:
    """The block of tables on each day, int32 (n_days,); days after those of the tables repeat their last week."""
    known = len(block_of_day)
    week = min(7, known)
    day = np.arange(n_days)
    beyond = known - week + (day - known) % week
    return block_of_day[np.where(day < known, day, beyond)].astype(np.int32)


def _demand_fields(instance: Instance, release: Release, promise_k: np.ndarray | None) -> dict[str, object]:
    """The demand part of Net; arrays of the mode that is not run are empty."""
    none32, none8 = np.zeros(0, np.int32), np.zeros(0, np.int8)
    common = {"prod_g": instance.prod_g, "prod_cm3": instance.prod_cm3}
    if release.is_items:
        items: Items = release.demand
        return common | {
            "item_mode": 1,
            "n_rel": 1,
            "n_pair": len(items.origin),
            "pair_o": items.origin,
            "pair_d": items.destination,
            "release_min": none32,
            "promise_k": np.zeros((0, 0, 0), np.int8),
            "item_p": items.product,
            "item_acc": items.accepted_min,
            "item_day": np.clip(items.promise_day, 0, DAYS - 1).astype(np.int8),
            "item_g": items.g,
            "item_cm3": items.cm3,
        }
    flows = release.demand
    if promise_k.min(initial=0) < 0:  # where no route leads; an item there is refused when it is sorted
        promise_k = np.maximum(promise_k, 0)
    return common | {
        "item_mode": 0,
        "n_rel": len(flows.release_min),
        "n_pair": flows.n_pair,
        "pair_o": flows.origin,
        "pair_d": flows.destination,
        "release_min": flows.release_min,
        "promise_k": promise_k,
        "item_p": none8,
        "item_acc": none32,
        "item_day": none8,
        "item_g": none32,
        "item_cm3": none32,
    }


def _overfull(instance: Instance, hours: float) -> tuple[np.ndarray, np.ndarray]:
    """Queues above which items take another lane and above which they go by road, and the kind of each day.

    The first is what leaves on the lane within ``hours`` at the day's average, the second what leaves within a day;
    neither is less than the lane's largest departure, nor the second less than the first. Where more is called up than
    the timetable has, a trip counts as large as it ever is. int64 (2, n_daytype, n_lane) and int32 (n_days,).
    """
    items = np.minimum(
        np.minimum(instance.leg_cap_items, instance.leg_cap_g // max(int(instance.prod_g.mean()), 1)),
        instance.leg_cap_cm3 // max(int(instance.prod_cm3.mean()), 1),
    )
    called_up = np.full(len(instance.cn_lane), 1000, np.int64)
    np.maximum.at(called_up, instance.dp_cn, instance.dp_capf)
    capacity = items[instance.cn_leg_first] * called_up // 1000
    running, daytype = np.unique(instance.service_runs, axis=1, return_inverse=True)
    n_lane = len(instance.lane_from)
    limits = np.zeros((2, running.shape[1], n_lane), np.int64)
    for kind in range(running.shape[1]):
        active = running[instance.cn_service, kind]
        daily = np.bincount(instance.cn_lane[active], weights=capacity[active].astype(float), minlength=n_lane)
        largest = np.zeros(n_lane, np.int64)
        np.maximum.at(largest, instance.cn_lane[active], capacity[active])
        limits[0, kind] = np.maximum(np.floor(daily * hours / 24.0), largest)
        limits[1, kind] = np.maximum(np.floor(daily), limits[0, kind])
    return limits, daytype.ravel().astype(np.int32)


def make_state(instance: Instance, release: Release, tables: RoutingTables) -> tuple[State, np.ndarray]:
    """Everything the kernels change, empty; and the words of the pool.

    Splits begin at different positions, so that those of one facility do not all begin with their first lane.
    """
    n_split = 0 if tables.splits is None else len(tables.splits.lanes)
    n_fac, n_lane, n_prod = instance.n_fac, len(instance.lane_from), len(instance.prod_id)
    n_hours = instance.n_days * 24
    # of all connections, not of those that run in this horizon: it may become longer
    running = int(instance.cn_dur_min.max(initial=0) * MOST_STRETCH)
    longest = (running + int(instance.cn_ready_min.max(initial=0))) // instance.slot_min + 2
    ring = max(longest, 3 * instance.slots_per_day, int(instance.wave_delay.max(initial=0))) + 2
    sizes = [n_fac * n_prod * DAYS] * 3 + [n_lane * n_prod * DAYS, n_fac, ring * n_fac, ring * n_fac]
    queues = np.concatenate([[0], np.cumsum(sizes)])
    spans = np.concatenate([[0], np.cumsum(np.array([n_fac, n_fac, n_fac, n_lane]) * n_prod)])
    layout = np.zeros(SPAN_BASE + 4, np.int64)
    layout[:7], layout[SPAN_BASE:] = queues[:-1], spans[:-1]
    span = np.empty((int(spans[-1]), 2), np.int16)
    span[:] = (DAYS, -1)
    words, pool = new_pool(1 << 14)

    def zeros(*shape: int, dtype=np.int64) -> np.ndarray:
        return np.zeros(shape, dtype)

    return State(
        heads=np.full((int(queues[-1]), 4), -1, np.int32),
        span=span,
        layout=layout,
        pool=pool,
        counter=zeros(N_COUNTER),
        fac=zeros(n_fac, N_FAC),
        lane_items=zeros(n_lane),
        split_turn=np.arange(n_split, dtype=np.int64) * SPLIT_STEP % SPLIT_CYCLE,
        ring=zeros(ring, n_fac, 4),
        used=zeros(RUNNING_DAYS, len(instance.leg_trip), 3),
        load=zeros(instance.n_days, len(instance.leg_trip), n_prod, dtype=np.int32),
        sorted_h=zeros(n_fac, n_hours),
        screened_h=zeros(n_fac, n_hours),
        backlog_in_h=zeros(n_fac, n_hours),
        backlog_out_h=zeros(n_fac, n_hours),
        delivered_h=zeros(n_fac, n_hours + 24),
        totals_h=zeros(5, n_hours + 24),
    ), words


def widen_state(state: State, instance: Instance) -> State:
    """The same state over a longer horizon: arrays by day and by hour are lengthened with zeros."""
    n_hours = instance.n_days * 24

    def longer(array: np.ndarray, size: int, axis: int) -> np.ndarray:
        pad = [(0, 0)] * array.ndim
        pad[axis] = (0, size - array.shape[axis])
        return np.pad(array, pad)

    names = ("sorted_h", "screened_h", "backlog_in_h", "backlog_out_h")
    hourly = {name: longer(getattr(state, name), n_hours, 1) for name in names}
    wider = {name: longer(getattr(state, name), n_hours + 24, 1) for name in ("delivered_h", "totals_h")}
    return state._replace(load=longer(state.load, instance.n_days, 0), **hourly, **wider)
