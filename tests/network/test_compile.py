"""Compile: from the tables of a feed to an instance."""

from __future__ import annotations

from datetime import date
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

import postroad as pr
from postroad.core.errors import InputError
from postroad.network.compile import compile_network

DAY = date(2025, 11, 11)


@cache
def tiny():
    """The shipped tiny feed."""
    return pr.read("tiny")


def compiled(**settings):
    """The tiny feed over two days."""
    return compile_network(tiny(), **{"day": DAY, "n_days": 2} | settings)


def codes(caught) -> set[str]:
    """The codes of the findings that an error stands for."""
    return {finding.code for finding in caught.value.findings}


def test_no_trip_on_any_day_is_refused():
    with pytest.raises(InputError) as caught:
        compiled(day=date(2001, 1, 1))
    assert codes(caught) == {"PR-N101"}


def test_a_slot_that_does_not_divide_the_hour_is_refused():
    with pytest.raises(InputError) as caught:
        compiled(slot_min=25)
    assert codes(caught) == {"PR-N102"}


def test_arrays_are_read_only_and_cores_come_first():
    instance = compiled()
    with pytest.raises(ValueError, match="read-only"):
        instance.sort_cap[0, 0] = 1
    assert (instance.fac_parent[: instance.n_core] == -1).all()
    assert (instance.fac_parent[instance.n_core :] >= 0).all()


def test_departures_are_in_order_and_run_on_their_service_days():
    instance = compiled()
    slot = instance.dp_dep_min // instance.slot_min
    assert (np.diff(instance.dp_dep_min) >= 0).all()
    for number in range(instance.n_slots):
        assert (slot[instance.dp_ptr[number] : instance.dp_ptr[number + 1]] == number).all()
    assert instance.service_runs[instance.cn_service[instance.dp_cn], instance.dp_day].all()
    assert (instance.dp_dep_min == instance.dp_day * 1440 + instance.cn_dep_min[instance.dp_cn]).all()
    ready = instance.dp_arr_min + instance.cn_ready_min[instance.dp_cn]
    assert (instance.dp_ready_slot == -(-ready // instance.slot_min)).all()


def test_a_connection_rides_consecutive_legs_of_its_trip():
    instance = compiled()
    for connection in range(len(instance.cn_lane)):
        legs = range(instance.cn_leg_first[connection], instance.cn_leg_last[connection] + 1)
        lane = instance.cn_lane[connection]
        assert instance.leg_from[legs[0]] == instance.lane_from[lane]
        assert instance.leg_to[legs[-1]] == instance.lane_to[lane]
        assert {int(instance.leg_trip[leg]) for leg in legs} == {int(instance.cn_trip[connection])}
        assert all(instance.leg_to[a] == instance.leg_from[b] for a, b in pairwise(legs))


def test_hourly_capacities_are_exact_whatever_the_slot():
    rates = dict(tiny().tables["facilities"].select("facility_id", "sort_items_per_h").iter_rows())
    windowed = set(tiny().tables["windows"].filter(kind="sort_wave")["facility_id"])
    windowed |= set(tiny().tables["windows"].filter(kind="open")["facility_id"])
    for slot_min in (10, 30, 60):
        instance = compiled(slot_min=slot_min)
        hourly = instance.sort_cap.reshape(instance.n_fac, -1, 60 // slot_min).sum(axis=2)
        for number, facility in enumerate(instance.fac_id):
            if rates[facility] is not None and facility not in windowed:
                assert (hourly[number] == rates[facility]).all()


def test_row_order_changes_nothing():
    network = tiny()
    turned = network.from_tables(network.meta, {name: frame.reverse() for name, frame in network.tables.items()})
    one, other = compiled(), compile_network(turned, day=DAY, n_days=2)
    for name in ("dp_dep_min", "dp_ready_slot", "sort_cap", "lane_from", "cn_cost", "leg_cap_g"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    assert one.digest == other.digest


def test_a_closed_facility_neither_works_nor_sends_nor_receives():
    hub = tiny().tables["facilities"].filter(kind="hub")["facility_id"][0]
    scenario = pr.Scenario("closed", tiny(), day=DAY).close(hub, "D+0 06:00", "D+1 00:00")
    instance = compile_network(tiny(), day=DAY, n_days=2, overlay=scenario.overlay)
    index = instance.fac_id.index(hub)
    assert (instance.sort_cap[index, 12:48] == 0).all()
    lane = instance.cn_lane[instance.dp_cn]
    leaves = (instance.lane_from[lane] == index) & (instance.dp_dep_min >= 360) & (instance.dp_dep_min < 1440)
    reaches = (instance.lane_to[lane] == index) & (instance.dp_arr_min >= 360) & (instance.dp_arr_min < 1440)
    assert not leaves.any()
    assert not (reaches & (instance.dp_dep_min >= 360)).any()
    plan = compiled()
    under_way = (plan.lane_to[plan.cn_lane[plan.dp_cn]] == index) & (plan.dp_dep_min < 360) & (plan.dp_arr_min >= 360)
    assert reaches.sum() == (under_way & (plan.dp_arr_min < 1440)).sum() > 0
    assert len(instance.dp_cn) < len(compiled().dp_cn)


def test_a_delayed_trip_keeps_its_running_time():
    trip = tiny().tables["trips"].filter(tiny().tables["trips"]["lane_id"].is_not_null())["trip_id"][0]
    scenario = pr.Scenario("late", tiny(), day=DAY).disrupt(
        "delay", trip_id=trip, from_at="D+0 00:00", to_at="D+2 00:00", delay_min=45
    )
    late, plan = compile_network(tiny(), day=DAY, n_days=2, overlay=scenario.overlay), compiled()

    def of_trip(instance):
        mine = np.array(instance.trip_id)[instance.cn_trip[instance.dp_cn]] == trip
        return instance.dp_dep_min[mine], instance.dp_arr_min[mine]

    departs, arrives = of_trip(late)
    planned, reached = of_trip(plan)
    assert set(departs - 45) <= set(planned)
    assert set(arrives - departs) == set(reached - planned)


@pytest.mark.parametrize("table", ["facilities", "service_areas", "products", "trips"])
def test_a_network_that_can_carry_nothing_is_refused(table):
    network = pr.read("tiny")
    empty = network.with_tables(**{table: network.tables[table].clear()})
    with pytest.raises(InputError) as caught:
        compile_network(empty, day=date(2025, 11, 11), n_days=3)
    assert [(finding.code, finding.table) for finding in caught.value.findings] == [("PR-N103", table)]
