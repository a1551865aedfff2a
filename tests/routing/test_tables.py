"""Routing tables against a slow oracle, a library's Dijkstra and a walk through the network."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from kit.instances import Draft, make_instance, random_draft
from kit.routing import NO_ROUTE, follow, opening_by_slot, oracle_tables, unrolled_departures
from postroad.core.errors import InputError, InternalError
from postroad.routing import tables as tables_module
from postroad.routing.tables import build_tables

TAIL = 14


def assert_equals_oracle(instance, tail_days, *, know_overlay=False, max_extra_h=6.0):
    tables = build_tables(instance, know_overlay=know_overlay, divert_max_extra_h=max_extra_h)
    for product in range(len(instance.prod_id)):
        table = tables.table_of_product[product]
        answer, _ = oracle_tables(instance, product, tail_days, max_extra_h, overlaid=know_overlay)
        for slot in range(instance.n_slots):
            day, moment = divmod(slot, instance.slots_per_day)
            block = tables.block_of_day[day]
            for fac in range(instance.n_core):
                for td in range(len(instance.td_fac)):
                    got = tuple(
                        int(a[table, block, fac, moment, td])
                        for a in (tables.next_out, tables.alt_out, tables.slots_to_go)
                    )
                    assert got == answer[slot, fac, td], (product, slot, fac, td)
    return tables


@pytest.mark.parametrize("seed", range(6))
def test_equals_the_oracle_on_random_networks(seed):
    draft = random_draft(
        seed, n_core=5, n_connections=30, n_days=1, vots=[1000, 333], mode_ok=[[True] * 4, [True, False, True, True]]
    )
    draft.fac_cost = [0, 100, 200, 300, 400]
    assert_equals_oracle(make_instance(draft), [0] * TAIL)


@pytest.mark.parametrize("seed", [0, 1])
def test_equals_the_oracle_where_time_costs_nothing(seed):
    assert_equals_oracle(make_instance(random_draft(seed, n_core=4, n_connections=20, n_days=1, vots=[0])), [0] * TAIL)


def test_equals_the_oracle_with_other_slots_and_sort_waves():
    draft = random_draft(
        3, n_core=5, n_connections=40, n_days=1, slot_min=20, closed=[(1, 20, 60), (2, 0, 40)], vots=[700]
    )
    assert_equals_oracle(make_instance(draft), [0] * TAIL)


def test_equals_the_oracle_where_departures_run_past_midnight():
    instance = make_instance(random_draft(4, n_core=4, n_connections=25, n_days=3, overnight=True))
    tables = assert_equals_oracle(instance, [2] * TAIL)
    assert tables.block_of_day.tolist() == [0, 0, 0]


@pytest.mark.parametrize("seed", [0, 1])
def test_equals_the_oracle_over_a_week_of_calendars(seed):
    runs = np.random.default_rng(seed).random((4, 8)) < 0.5
    draft = random_draft(seed, n_core=4, n_connections=24, n_days=8, runs=runs.tolist(), slot_min=60)
    assert_equals_oracle(make_instance(draft), [1 + day % 7 for day in range(42)])


def closed_for_a_day(instance, lane, day):
    """The instance with the lane's departures of one day cancelled and one more put to no capacity."""
    hit = (instance.cn_lane[instance.dp_cn] == lane) & (instance.dp_day == day)
    capf = np.where(hit, 0, instance.dp_capf).astype(np.int32)
    return replace(instance, dp_capf=capf)


def test_a_closure_is_foreseen_only_when_asked():
    plan = make_instance(random_draft(8, n_core=4, n_connections=16, n_days=4, n_modes=1))
    used = int(plan.cn_lane[np.argmin(plan.cn_cost)])
    shut = closed_for_a_day(plan, used, 2)
    unforeseen = build_tables(shut)
    for name in ("next_out", "alt_out", "slots_to_go", "block_of_day"):
        assert np.array_equal(getattr(unforeseen, name), getattr(build_tables(plan), name))
    assert len(unforeseen.next_out[0]) == 1
    foreseen = assert_equals_oracle(shut, [3] * TAIL, know_overlay=True)
    assert foreseen.block_of_day[3] == foreseen.block_of_day.max() > 0


def test_equal_days_share_a_block():
    tables = build_tables(make_instance(random_draft(1, n_days=5)))
    assert tables.block_of_day.tolist() == [0] * 5
    assert tables.next_out.shape[1] == 1


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), n_connections=st.integers(5, 80), closed=st.booleans())
def test_following_the_table_takes_the_slots_it_says(seed, n_connections, closed):
    draft = random_draft(seed, n_core=6, n_connections=n_connections, n_days=2, closed=[(0, 10, 30)] if closed else [])
    instance = make_instance(draft)
    tables = build_tables(instance)
    tail = [1] * 30
    departures, is_open = unrolled_departures(instance, tail), opening_by_slot(instance, tail)
    for fac in range(6):
        for slot in range(0, instance.n_slots, 7):
            for td in range(6):
                block = tables.block_of_day[slot // 48]
                togo = int(tables.slots_to_go[0, block, fac, slot % 48, td])
                walked = follow(instance, tables, 0, fac, slot, td, departures, is_open)
                assert (NO_ROUTE if walked is None else walked) == togo


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_later_is_never_cheaper_than_waiting_allows_with_one_departure_a_lane(seed):
    """With one departure a day on each lane, being sorted earlier costs at most the waiting more."""
    rng = np.random.default_rng(seed)
    pairs = [(a, b) for a in range(5) for b in range(5) if a != b and rng.random() < 0.6]
    rows = [
        (a, b, 0, int(rng.integers(0, 1440)), int(rng.integers(30, 600)), 30, int(rng.integers(0, 3000)), 0, 0)
        for a, b in pairs
    ]
    if not rows:
        return
    togo = build_tables(make_instance(Draft(5, rows, n_days=1, vots=[10_000_000]))).slots_to_go[0, 0].astype(int)
    reached = (togo[:, :-1] < NO_ROUTE) & (togo[:, 1:] < NO_ROUTE)
    assert (togo[:, :-1][reached] <= togo[:, 1:][reached] + 1).all()


@pytest.mark.parametrize("seed", range(4))
def test_costs_equal_a_library_dijkstra_on_the_time_expanded_graph(seed):
    instance = make_instance(random_draft(seed, n_core=8, n_connections=120, n_days=1, vots=[600]))
    tables = build_tables(instance)
    per_day, days = instance.slots_per_day, 10
    departures = unrolled_departures(instance, [0] * (days - 1))
    n_slots = per_day * days
    edges: dict[tuple[int, int], float] = {}
    for lane, rows in departures.items():
        fac, goal = int(instance.lane_from[lane]), int(instance.lane_to[lane])
        for slot in range(n_slots):
            first = next((row for row in rows if row[0] >= slot), None)
            if first is not None and first[0] + max(1, first[1]) < n_slots:
                ready = first[0] + max(1, first[1])
                ends = (fac * n_slots + slot, goal * n_slots + ready)
                edges[ends] = min(edges.get(ends, np.inf), int(instance.cn_cost[first[2]]) + 300 * (ready - slot))
    n_nodes = 8 * n_slots
    sinks = 8
    for fac in range(8):
        edges |= {(fac * n_slots + slot, n_nodes + fac): 1e-6 for slot in range(n_slots)}
    graph = coo_matrix(
        (list(edges.values()), np.array(list(edges)).T), shape=(n_nodes + sinks, n_nodes + sinks)
    ).tocsr()
    is_open = opening_by_slot(instance, [0] * (days + 20))
    late = unrolled_departures(instance, [0] * (days + 20))
    distances = dijkstra(graph.T.tocsr(), indices=[n_nodes + td for td in range(8)])
    for fac in range(8):
        for slot in range(0, per_day, 5):
            for td in range(8):
                expected = distances[td, fac * n_slots + slot]
                walked = walk_cost(instance, tables, fac, slot, td, late, is_open)
                assert (walked is None and np.isinf(expected)) or abs(walked - expected) < 0.01


def walk_cost(instance, tables, fac, slot, td, departures, is_open):
    """Generalised cost in milli-yuan of following the table (value of time 600 milli-yuan an hour)."""
    cost = 0
    while fac != instance.td_fac[td]:
        local = tables.next_out[0, 0, fac, slot % instance.slots_per_day, td]
        if local < 0:
            return None
        lane = int(instance.out_ptr[fac]) + int(local)
        leaves, step, cn = next(row for row in departures[lane] if row[0] >= slot)
        cost += int(instance.cn_cost[cn]) + 300 * (leaves + max(1, step) - slot)
        slot, fac = leaves + max(1, step), int(instance.lane_to[lane])
        assert is_open[fac, slot]
    return cost


def test_any_number_of_threads_gives_the_same_bytes():
    instance = make_instance(random_draft(2, n_core=40, n_connections=900, n_days=1, vots=[500, 900]))
    one, two, five = (build_tables(instance, threads=n) for n in (1, 2, 5))
    for name in ("next_out", "alt_out", "slots_to_go"):
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes() == getattr(five, name).tobytes()


def test_products_with_the_same_modes_and_value_of_time_share_a_table():
    instance = make_instance(random_draft(2, vots=[500, 900, 500]))
    tables = build_tables(instance)
    assert tables.table_of_product.tolist() == [0, 1, 0]
    assert tables.by_road.tolist() == [2, 2, 2]
    assert len(tables.next_out) == 3


def test_the_last_resort_is_the_road_of_the_most_urgent_product():
    road, rail = [True, False, False, False], [False, True, False, False]
    instance = make_instance(random_draft(2, vots=[500, 900, 700], mode_ok=[[True] * 4, rail, road]))
    tables = build_tables(instance)
    assert tables.by_road.tolist() == [3, -1, 3]
    assert len(tables.next_out) == 4
    no_rail = replace(instance, lane_mode=np.zeros_like(instance.lane_mode), prod_mode_ok=np.ones((3, 4), bool))
    assert build_tables(no_rail).by_road.tolist() == [-1, -1, -1]


def test_nothing_transits_another_customs_territory():
    """0 -> 2 -> 1 is much faster than 0 -> 1, but 2 lies across a border; what is bound for 2 or comes from it goes."""
    rows = [
        (0, 1, 0, 600, 900, 0, 10, 0, 0), (0, 2, 2, 600, 30, 0, 10, 0, 0), (2, 1, 2, 720, 30, 0, 10, 0, 0),
        (1, 0, 0, 600, 900, 0, 10, 0, 0),
    ]  # fmt: skip
    instance = make_instance(Draft(3, rows, n_days=2, vots=[9000]))
    through = build_tables(instance)
    assert through.slots_to_go[0, 0, 0, 20, 1] == 5
    territory = np.array([0, 0, 1], np.int16)
    tables = build_tables(replace(instance, fac_territory=territory))
    assert tables.slots_to_go[0, 0, 0, 20, 1] == 30
    assert tables.next_out[0, 0, 2, 20, 1] == through.next_out[0, 0, 2, 20, 1] >= 0
    np.testing.assert_array_equal(tables.slots_to_go[:, :, :, :, 2], through.slots_to_go[:, :, :, :, 2])


def test_outlets_are_left_out():
    rows = [
        (0, 1, 0, 600, 60, 0, 10, 0, 0),
        (1, 2, 0, 800, 30, 0, 5, 0, 0),
        (2, 1, 0, 100, 30, 0, 5, 0, 0),
        (1, 0, 0, 700, 60, 0, 10, 0, 0),
    ]
    instance = make_instance(Draft(2, rows, n_days=1, parents=[1], endpoints=[0, 2]))
    tables = build_tables(instance)
    assert instance.td_fac.tolist() == [0, 1]
    assert tables.next_out.shape == (1, 1, 2, 48, 2)
    assert tables.slots_to_go[0, 0, 0, 20, 1] == 2
    assert tables.next_out[0, 0, 1, 20, 0] == 0


def test_nothing_leads_anywhere_without_departures_between_cores():
    instance = make_instance(Draft(2, [(0, 2, 0, 600, 60, 0, 10, 0, 0)], n_days=1, parents=[0], endpoints=[0, 1]))
    tables = build_tables(instance)
    assert tables.slots_to_go[0, 0, 0, 5].tolist() == [0, NO_ROUTE]


def test_a_cost_beyond_the_range_is_refused():
    draft = Draft(
        2,
        [(0, 1, 0, 600, 60, 0, 2_000_000_000, 0, 0), (1, 0, 0, 600, 60, 0, 10, 0, 0)],
        n_days=1,
        fac_cost=[2_000_000_000] * 2,
    )
    with pytest.raises(InputError) as refusal:
        build_tables(make_instance(draft))
    assert refusal.value.code == "PR-R001"


def test_a_sum_of_costs_beyond_the_range_is_refused():
    rows = [(i, i + 1, 0, 600, 60, 0, 1_500_000_000, 0, 0) for i in range(3)]
    with pytest.raises(InputError) as refusal:
        build_tables(make_instance(Draft(4, rows, n_days=1)))
    assert refusal.value.code == "PR-R001"


def test_too_many_lanes_of_one_facility_are_refused(monkeypatch):
    monkeypatch.setattr(tables_module, "LANE_MASK", 1)
    with pytest.raises(InputError) as refusal:
        build_tables(make_instance(random_draft(0)))
    assert refusal.value.code == "PR-R002"
    assert "F" in refusal.value.message()


def test_sweeps_that_do_not_settle_are_our_fault(monkeypatch):
    monkeypatch.setattr(tables_module, "MAX_SWEEPS", 1)
    with pytest.raises(InternalError) as refusal:
        build_tables(make_instance(random_draft(0)))
    assert refusal.value.code == "PR-R090"
