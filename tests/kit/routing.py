"""Slow, obvious routing: what the kernels must agree with."""

from __future__ import annotations

import numpy as np

from postroad.network.instance import Instance

NO_ROUTE = 32767


def unrolled_departures(
    instance: Instance, tail_days: list[int], *, overlaid: bool = False
) -> dict[int, list[tuple[int, int, int]]]:
    """Departures by lane: (slot, slots to the queue at the other end, connection), over horizon and ``tail_days``.

    ``tail_days`` names, for each day after the horizon, the day of the plan that it repeats.
    """
    by_lane: dict[int, list[tuple[int, int, int, int]]] = {}
    for position, day in enumerate([*range(instance.n_days), *tail_days]):
        in_horizon = position < instance.n_days
        for row in range(len(instance.dp_cn)) if overlaid and in_horizon else ():
            if instance.dp_dep_min[row] // 1440 == position and instance.dp_capf[row] > 0:
                slot = int(instance.dp_dep_min[row]) // instance.slot_min
                cn = int(instance.dp_cn[row])
                by_lane.setdefault(int(instance.cn_lane[cn]), []).append(
                    (slot, int(instance.dp_dep_min[row]), int(instance.dp_ready_slot[row]) - slot, cn)
                )
        for cn in range(len(instance.cn_lane)) if not (overlaid and in_horizon) else ():
            earlier, minute = divmod(int(instance.cn_dep_min[cn]), 1440)
            service_day = day - earlier if day >= earlier else (day - earlier) % 7
            if not instance.service_runs[instance.cn_service[cn], service_day if service_day < instance.n_days else 0]:
                continue
            leaves = position * 1440 + minute
            ready = -(-(leaves + int(instance.cn_dur_min[cn]) + int(instance.cn_ready_min[cn])) // instance.slot_min)
            slot = leaves // instance.slot_min
            by_lane.setdefault(int(instance.cn_lane[cn]), []).append((slot, leaves, ready - slot, cn))
    return {
        lane: [(slot, step, cn) for slot, _, step, cn in sorted(rows, key=lambda r: (r[1], r[3]))]
        for lane, rows in by_lane.items()
    }


def opening_by_slot(instance: Instance, tail_days: list[int]) -> np.ndarray:
    """Whether each facility sorts, over the horizon and the days after it; bool (n_fac, slots)."""
    per_day = instance.slots_per_day
    is_open = instance.sort_cap > 0
    return np.concatenate([is_open, *(is_open[:, day * per_day : (day + 1) * per_day] for day in tail_days)], axis=1)


def oracle_tables(
    instance: Instance, product: int, tail_days: list[int], max_extra_h: float, *, overlaid: bool = False
):
    """Best lane, alternative and slots to go for each (slot, core, destination), by plain recursion in time.

    Each state's value is worked out from later states only, over the horizon and enough days after it.
    """
    departures = unrolled_departures(instance, tail_days, overlaid=overlaid)
    is_open = opening_by_slot(instance, tail_days)
    n_slots, n_td = is_open.shape[1], len(instance.td_fac)
    value: dict[tuple[int, int, int], tuple[float, int]] = {}
    answer = {}
    per_slot = int(instance.prod_vot[product]) * instance.slot_min / 60
    lanes = {
        fac: [
            lane
            for lane in range(instance.out_ptr[fac], instance.out_ptr[fac + 1])
            if instance.lane_to[lane] < instance.n_core
            and instance.prod_mode_ok[product, instance.lane_mode[lane]]
            and lane in departures
        ]
        for fac in range(instance.n_core)
    }
    for slot in range(n_slots - 1, -1, -1):
        for fac in range(instance.n_core):
            options = []
            for lane in lanes[fac]:
                first = next((row for row in departures[lane] if row[0] >= slot), None)
                if first is None:
                    continue
                goal = int(instance.lane_to[lane])
                ready = first[0] + max(1, first[1])
                while ready < n_slots and not is_open[goal, ready]:
                    ready += 1
                if ready < n_slots:
                    money = int(instance.cn_cost[first[2]]) + int(instance.fac_cost[goal])
                    options.append((lane - int(instance.out_ptr[fac]), goal, ready, money + per_slot * (ready - slot)))
            for td in range(n_td):
                if instance.td_fac[td] == fac:
                    value[slot, fac, td] = (0.0, 0)
                    answer[slot, fac, td] = (-1, -1, 0)
                    continue
                ranked = sorted(
                    (cost + value[ready, goal, td][0], ready - slot + value[ready, goal, td][1], lane)
                    for lane, goal, ready, cost in options
                    if (ready, goal, td) in value
                )
                if not ranked:
                    answer[slot, fac, td] = (-1, -1, NO_ROUTE)
                    continue
                value[slot, fac, td] = ranked[0][:2]
                limit = ranked[0][0] + int(instance.prod_vot[product]) * max_extra_h
                alternative = ranked[1][2] if len(ranked) > 1 and ranked[1][0] <= limit else -1
                answer[slot, fac, td] = (ranked[0][2], alternative, ranked[0][1])
    return answer, value


def follow(instance: Instance, tables, product: int, fac: int, slot: int, td: int, departures, is_open) -> int | None:
    """Walk by the table from "sorted at ``fac`` in ``slot``", boarding each lane's first departure; slots taken."""
    table = tables.table_of_product[product]
    start = slot
    for _ in range(1000):
        if fac == instance.td_fac[td]:
            return slot - start
        day = min(slot // instance.slots_per_day, instance.n_days - 1)
        local = tables.next_out[table, tables.block_of_day[day], fac, slot % instance.slots_per_day, td]
        if local < 0:
            return None
        lane = int(instance.out_ptr[fac]) + int(local)
        leaves, step, _ = next(row for row in departures[lane] if row[0] >= slot)
        slot, fac = leaves + max(1, step), int(instance.lane_to[lane])
        while not is_open[fac, slot]:
            slot += 1
    raise AssertionError("the walk does not end")
