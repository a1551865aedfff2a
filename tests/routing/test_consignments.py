"""Consignments sent one after another: nothing over capacity, no unit earlier than its bounds, the search exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.instances import make_instance, random_draft
from postroad.network.instance import MODES, freeze
from postroad.routing.consignments import (
    Consignment,
    Depot,
    bound_last_arrival,
    earliest_way,
    make_rooms,
    send,
)
from postroad.routing.timetable import NEVER

ALL = np.ones(len(MODES), bool)


def tight(seed, *, items=6, sort=8):
    """A random network whose legs and sorting slots hold little."""
    instance = make_instance(random_draft(seed, n_days=3))
    n_leg = len(instance.leg_from)
    return freeze(
        replace(
            instance,
            leg_cap_items=np.full(n_leg, items, np.int64),
            leg_cap_g=np.full(n_leg, 50_000, np.int64),
            sort_cap=np.full_like(instance.sort_cap, sort),
        )
    )


def orders(seed, instance):
    """Consignments for random goals out of shared depots."""
    rng = np.random.default_rng(seed)
    depots = tuple(
        Depot(int(fac), int(rng.integers(0, 900)), int(rng.integers(5, 60))) for fac in rng.integers(0, 6, 2)
    )
    sizes = [(1, 1000, 10), (2, 9000, 10)]
    return [Consignment(int(rng.integers(0, 6)), int(rng.integers(1, 40)), sizes[k % 2], ALL, depots) for k in range(4)]


def plain_arrival(instance, consignment):
    """The earliest arrival of one unit by relaxing all departures until nothing changes."""
    ready = {}
    for depot in consignment.depots:
        if depot.n_left:
            ready[depot.fac] = min(ready.get(depot.fac, NEVER), depot.ready_min)
    best = ready.get(consignment.goal, NEVER)
    changed = True
    while changed:
        changed = False
        for row, cn in enumerate(instance.dp_cn):
            lane = instance.cn_lane[cn]
            start, end = int(instance.lane_from[lane]), int(instance.lane_to[lane])
            dep, arr = int(instance.dp_dep_min[row]), int(instance.dp_arr_min[row])
            if ready.get(start, NEVER) > dep:
                continue
            if end == consignment.goal:
                best = min(best, arr)
            queued = max(arr + int(instance.cn_ready_min[cn]), dep + 1)
            if queued < ready.get(end, NEVER):
                ready[end] = queued
                changed = True
    return best


@settings(max_examples=40)
@given(seed=st.integers(0, 100_000))
def test_no_leg_and_no_sorting_slot_takes_more_than_it_holds(seed):
    instance = tight(seed)
    consignments = orders(seed, instance)
    stock = sum({id(depot): depot.n_left for one in consignments for depot in one.depots}.values())
    shipments = send(make_rooms(instance, 0), consignments)
    legs = np.zeros((len(instance.leg_from), instance.n_days, 3), np.int64)
    sorted_items = np.zeros_like(instance.sort_cap, np.int64)
    for one in shipments:
        size = np.array(consignments[one.consignment].size)
        here, minute = one.fac, one.ready_min
        for k, row in enumerate(one.rows):
            cn = instance.dp_cn[row]
            lane = instance.cn_lane[cn]
            assert instance.lane_from[lane] == here
            assert minute <= instance.dp_dep_min[row]
            here, minute = int(instance.lane_to[lane]), one.ready_after[k]
            legs[instance.cn_leg_first[cn] : instance.cn_leg_last[cn] + 1, instance.dp_day[row]] += one.n_units * size
            if k < len(one.rows) - 1 and minute // 30 < instance.n_slots:
                sorted_items[here, minute // 30] += one.n_units * size[0]
        assert here == consignments[one.consignment].goal
    assert (legs[..., 0] <= instance.leg_cap_items[:, None]).all()
    assert (legs[..., 1] <= instance.leg_cap_g[:, None]).all()
    assert (sorted_items <= instance.sort_cap).all()
    left = sum({id(depot): depot.n_left for one in consignments for depot in one.depots}.values())
    assert stock == left + sum(one.n_units for one in shipments)
    for number, one in enumerate(consignments):
        assert sum(s.n_units for s in shipments if s.consignment == number) <= one.n_units


@settings(max_examples=40)
@given(seed=st.integers(0, 100_000))
def test_arrivals_keep_to_their_bounds(seed):
    instance = tight(seed, items=10**6, sort=10**6)
    for one in orders(seed, instance):
        way = earliest_way(make_rooms(instance, 0), one)
        plain = plain_arrival(instance, one)
        assert (way[0] if way else NEVER) == plain
    instance = tight(seed)
    for one in orders(seed, instance):
        rooms = make_rooms(instance, 0)
        fresh = replace(one, depots=tuple(replace(depot) for depot in one.depots))
        first, last = earliest_way(rooms, fresh), bound_last_arrival(rooms, fresh)
        shipments = send(rooms, [fresh])
        if shipments:
            assert min(s.arr_min for s in shipments) == first[0]
        if sum(s.n_units for s in shipments) == one.n_units:
            assert max(s.arr_min for s in shipments) >= last


def test_modes_that_are_not_allowed_are_not_ridden():
    instance = tight(7)
    road = np.arange(len(MODES)) == 0
    for one in orders(7, instance):
        for shipment in send(make_rooms(instance, 0), [replace(one, modes=road)]):
            lanes = instance.cn_lane[instance.dp_cn[list(shipment.rows)]]
            assert (instance.lane_mode[lanes] == 0).all()
