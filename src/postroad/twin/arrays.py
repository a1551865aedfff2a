"""Lay out the arrays that the twin's kernels work on."""

from __future__ import annotations

import numpy as np

from postroad.core.errors import InputError
from postroad.demand.items import Items
from postroad.kernels.queues import new_pool
from postroad.kernels.twinstate import DAYS, N_COUNTER, N_FAC, SPAN_BASE, Net, State
from postroad.network.instance import Instance
from postroad.routing.tables import RoutingTables
from postroad.twin.parameters import TwinParameters
from postroad.twin.release import Release

__all__ = ["make_net", "make_state", "widen_state"]

RUNNING_DAYS = 8
"""Service days whose trips can be under way at once."""


BLOCKS_PER_DAY = 200
MOST_BLOCK = 4000
"""Failed attempts of a facility come in about so many blocks a day, of at most so many items, so that groups stay whole."""


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
    InputError: PR-W106 when an entry cannot hold the number of a facility or product.
    """
    if instance.n_fac > 32767 or len(instance.prod_id) > 16:
        raise InputError("PR-W106", n=instance.n_fac, n_products=len(instance.prod_id))
    overfull, daytype = _overfull(instance, parameters.divert_queue_h)
    known = tables.block_of_day
    last_week = known[-min(7, len(known)) :]
    block = np.concatenate([known, np.resize(last_week, max(instance.n_days - len(known), 0))])[: instance.n_days]
    measured = np.zeros(instance.n_days, bool)
    measured[list(measured_days)] = True
    first, later = parameters.first_attempt_success_share, parameters.later_attempt_success_share
    return Net(
        slot_min=instance.slot_min, per_day=instance.slots_per_day, n_prod=len(instance.prod_id),
        max_attempts=parameters.max_attempts,
        fail_bp=np.array([round(10_000 * (1 - first)), round(10_000 * (1 - later))], np.int64),
        fail_block=np.clip(release.daily_to_facility(instance.n_fac) // BLOCKS_PER_DAY, 1, MOST_BLOCK), lost_pm=parameters.lost_per_million,
        tour_bp=np.rint(np.cumsum(parameters.tour_shares) * 10_000).astype(np.int64), deliver_by=parameters.deliver_by_min,
        parent=instance.fac_parent, city=instance.fac_place, td=instance.fac_td, wave_delay=instance.wave_delay,
        sort_cap=instance.sort_cap, screen_cap=instance.screen_cap, wave_cap=instance.wave_cap,
        lane_from=instance.lane_from, lane_to=instance.lane_to, out_ptr=instance.out_ptr, feeder=instance.feeder_lane,
        collect=instance.collect_lane, overfull=overfull, daytype=daytype,
        cn_lane=instance.cn_lane, cn_leg_first=instance.cn_leg_first, cn_leg_last=instance.cn_leg_last,
        leg_cap_items=instance.leg_cap_items, leg_cap_g=instance.leg_cap_g, leg_cap_cm3=instance.leg_cap_cm3,
        dp_cn=instance.dp_cn, dp_dep=instance.dp_dep_min, dp_arr=instance.dp_arr_min, dp_ready=instance.dp_ready_slot,
        dp_day=instance.dp_day, dp_capf=instance.dp_capf, dp_ptr=instance.dp_ptr,
        table_of_product=tables.table_of_product, block_of_day=block, next_out=tables.next_out, alt_out=tables.alt_out,
        **_demand_fields(instance, release, promise_k), measured=measured, pair_full=release.pair_full,
        trace_gid=release.trace_gid, trace_ordinal=release.trace_ordinal,
    )  # fmt: skip


def _demand_fields(instance: Instance, release: Release, promise_k: np.ndarray | None) -> dict[str, object]:
    """The demand part of Net; arrays of the mode that is not run are empty."""
    none32, none8 = np.zeros(0, np.int32), np.zeros(0, np.int8)
    common = {"prod_g": instance.prod_g, "prod_cm3": instance.prod_cm3}
    if release.is_items:
        items: Items = release.demand
        return common | {
            "item_mode": 1, "n_rel": 1, "n_pair": len(items.origin), "pair_o": items.origin, "pair_d": items.destination,
            "release_min": none32, "promise_k": np.zeros((0, 0, 0), np.int8), "item_p": items.product, "item_acc": items.accepted_min,
            "item_day": np.minimum(items.promise_day, DAYS - 1).astype(np.int8), "item_g": items.g, "item_cm3": items.cm3,
        }  # fmt: skip
    flows = release.demand
    return common | {
        "item_mode": 0, "n_rel": len(flows.release_min), "n_pair": flows.n_pair, "pair_o": flows.origin,
        "pair_d": flows.destination, "release_min": flows.release_min, "promise_k": promise_k, "item_p": none8, "item_acc": none32, "item_day": none8, "item_g": none32, "item_cm3": none32,
    }  # fmt: skip


def _overfull(instance: Instance, hours: float) -> tuple[np.ndarray, np.ndarray]:
    """Queue above which a lane is overfull, int64 (n_daytype, n_lane), and the kind of each day.

    It is what leaves on the lane within ``hours`` at the day's average, and never less than its largest departure.
    """
    items = np.minimum(
        np.minimum(instance.leg_cap_items, instance.leg_cap_g // max(int(instance.prod_g.mean()), 1)),
        instance.leg_cap_cm3 // max(int(instance.prod_cm3.mean()), 1),
    )
    capacity = items[instance.cn_leg_first]
    running, daytype = np.unique(instance.service_runs, axis=1, return_inverse=True)
    n_lane = len(instance.lane_from)
    limits = np.zeros((running.shape[1], n_lane), np.int64)
    for kind in range(running.shape[1]):
        active = running[instance.cn_service, kind]
        daily = np.bincount(instance.cn_lane[active], weights=capacity[active].astype(float), minlength=n_lane)
        limits[kind] = np.floor(daily * hours / 24.0)
        np.maximum.at(limits[kind], instance.cn_lane[active], capacity[active])
    return limits, daytype.ravel().astype(np.int32)


def make_state(instance: Instance, release: Release) -> tuple[State, np.ndarray]:
    """Everything the kernels change, empty; and the words of the pool."""
    n_fac, n_lane, n_prod, n_hours = instance.n_fac, len(instance.lane_from), len(instance.prod_id), instance.n_days * 24
    longest = int((instance.dp_ready_slot - instance.dp_dep_min // instance.slot_min).max(initial=0))
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
        heads=np.full((int(queues[-1]), 4), -1, np.int32), span=span, layout=layout, pool=pool, counter=zeros(N_COUNTER),
        fac=zeros(n_fac, N_FAC), lane_items=zeros(n_lane), ring=zeros(ring, n_fac, 4),
        used=zeros(RUNNING_DAYS, len(instance.leg_trip), 3), load=zeros(instance.n_days, len(instance.leg_trip), n_prod, dtype=np.int32),
        sorted_h=zeros(n_fac, n_hours), screened_h=zeros(n_fac, n_hours), backlog_in_h=zeros(n_fac, n_hours),
        backlog_out_h=zeros(n_fac, n_hours), delivered_h=zeros(n_fac, n_hours + 24), totals_h=zeros(5, n_hours + 24),
    ), words  # fmt: skip


def widen_state(state: State, instance: Instance) -> State:
    """The same state over a longer horizon: arrays by day and by hour are lengthened with zeros."""
    n_hours = instance.n_days * 24

    def longer(array: np.ndarray, size: int, axis: int) -> np.ndarray:
        pad = [(0, 0)] * array.ndim
        pad[axis] = (0, size - array.shape[axis])
        return np.pad(array, pad)

    hourly = {name: longer(getattr(state, name), n_hours, 1) for name in ("sorted_h", "screened_h", "backlog_in_h", "backlog_out_h")}
    wider = {name: longer(getattr(state, name), n_hours + 24, 1) for name in ("delivered_h", "totals_h")}
    return state._replace(load=longer(state.load, instance.n_days, 0), **hourly, **wider)
