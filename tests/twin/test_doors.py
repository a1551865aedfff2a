"""What happens at the door, and on the way there: exact shares, tours, attempts, returns, diversion."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from kit.instances import Draft, make_instance
from kit.twin import TOUR, Case, make_flows, make_parameters, random_case, run_flows, run_items
from postroad.kernels.twinwaves import hits
from postroad.routing.tables import build_tables
from postroad.twin.result import TRACE_KINDS

KIND = {name: number for number, name in enumerate(TRACE_KINDS)}


def items_and_places(result, kind):
    """Item and facility of each row of a kind, in order of time."""
    trace = result.trace
    rows = np.flatnonzero(trace.row_kind == KIND[kind])
    rows = rows[np.argsort(trace.row_min[rows], kind="stable")]
    return trace.row_item[rows], trace.row_facility[rows]


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_lost_and_failed_are_exact_shares_of_each_facility(seed):
    parameters = make_parameters(lost_per_million=30_000, max_attempts=3)
    case = random_case(seed, parameters=parameters)
    result, _ = run_items(case)
    n_fac = case.instance.n_fac
    n_out, n_lost, n_failed = (
        np.bincount(items_and_places(result, kind)[1], minlength=n_fac)
        for kind in ("out_for_delivery", "lost", "attempt_failed")
    )
    np.testing.assert_array_equal(n_lost, n_out * 30_000 // 1_000_000)
    # attempts at the door: of the first ones 20 % fail, of the later ones 40 %
    out_item, out_place = items_and_places(result, "out_for_delivery")
    lost = set(items_and_places(result, "lost")[0].tolist())
    seen, at_door = Counter(), np.zeros((2, n_fac), int)
    n_out_of = Counter(out_item.tolist())
    for item, place in zip(out_item.tolist(), out_place.tolist(), strict=True):
        seen[item] += 1
        if not (item in lost and seen[item] == n_out_of[item]):
            at_door[min(seen[item] - 1, 1), place] += 1
    np.testing.assert_array_equal(n_failed, at_door[0] * 2000 // 10_000 + at_door[1] * 4000 // 10_000)
    attempts = Counter(items_and_places(result, "attempt_failed")[0].tolist())
    returned = set(items_and_places(result, "returned")[0].tolist())
    assert {item for item, n in attempts.items() if n == 3} == returned
    assert max(attempts.values()) == 3


def test_everybody_is_at_home():
    case = random_case(1, parameters=make_parameters(first_attempt_success_share=1.0, lost_per_million=0))
    counts = run_flows(case)[0].counts
    assert (counts.delivered[-1], counts.returned[-1], counts.lost[-1]) == (counts.created[-1], 0, 0)


def test_nobody_is_at_home():
    parameters = make_parameters(
        first_attempt_success_share=0.0, later_attempt_success_share=0.0, lost_per_million=0, max_attempts=2
    )
    result, _ = run_flows(random_case(1, parameters=parameters))
    assert (result.counts.delivered[-1], result.counts.returned[-1]) == (0, result.counts.created[-1])
    journeys = result.journeys
    assert (journeys.n_attempts == 2).all()
    # two attempts lie a night apart, and the way back takes its time
    assert ((journeys.ended_min - journeys.reached_dest_min) > 1440).all()


def test_all_is_lost():
    counts = run_flows(random_case(1, parameters=make_parameters(lost_per_million=1_000_000)))[0].counts
    assert counts.lost[-1] == counts.created[-1]


def test_a_tour_delivers_by_its_shares():
    case = random_case(1, most=40, largest=4000, parameters=make_parameters(lost_per_million=0, max_attempts=1))
    journeys = run_flows(case)[0].journeys
    mine = journeys.outcome == 0
    hour = (journeys.ended_min - journeys.out_min)[mine] // 60
    shares = np.bincount(hour, weights=journeys.n_items[mine], minlength=8) / journeys.n_items[mine].sum()
    np.testing.assert_allclose(shares, TOUR, atol=0.01)
    assert ((journeys.ended_min - journeys.out_min)[mine] % 60 == 30).all()


@pytest.mark.parametrize("block", [1, 7, 400])
def test_hits_come_in_blocks_and_are_exact_at_their_ends(block):
    n, share = 5000, 370
    total = [hits(k, share, 10_000, block) for k in range(n + 1)]
    steps = np.diff(total)
    assert set(steps) <= {0, 1}
    for end in range(0, n + 1, block):
        assert total[end] == end * share // 10_000
    for start in range(0, n - block, block):
        inside = steps[start : start + block]
        assert (np.diff(inside) <= 0).all()


def test_blocks_of_failures_are_the_same_for_groups_and_items():
    """Enough items a day that failures come in blocks of more than one."""
    case = random_case(14, most=60, largest=1500)
    assert np.bincount(case.flows.destination, weights=case.counts[0].sum((0, 1))).max() > 1000
    flows, items = run_flows(case)[0], run_items(case)[0]
    np.testing.assert_array_equal(flows.delivered_items, items.delivered_items)
    np.testing.assert_array_equal(flows.counts.returned, items.counts.returned)


def test_an_item_diverts_at_most_once():
    """Only to the alternative of the table, and never again in the item's life, be it on the way back."""
    n_diverted = 0
    for seed in (21, 22, 23):
        case = random_case(seed, most=7, parameters=make_parameters(divert_queue_h=0.5))
        case = replace(case, tables=without_last_resort(case.tables))
        instance, tables = case.instance, case.tables
        trace = run_items(case)[0].trace
        times, bound_for = Counter(), trace.item_destination.copy()
        at = -np.ones(len(trace.item), int)
        for item, kind, minute, place, departure in zip(
            trace.row_item, trace.row_kind, trace.row_min, trace.row_facility, trace.row_departure, strict=True
        ):
            if kind == KIND["return_started"]:
                bound_for[item] = trace.item_origin[item]
            elif kind == KIND["sorted"]:
                at[item] = minute // instance.slot_min
            elif kind == KIND["departed"] and place < instance.n_core:
                d = instance.fac_td[bound_for[item]]
                if instance.td_fac[d] == place:
                    continue
                day, moment = divmod(at[item], instance.slots_per_day)
                state = (
                    tables.table_of_product[trace.item_product[item]], tables.block_of_day[day], place, moment, d,
                )  # fmt: skip
                taken = instance.cn_lane[instance.dp_cn[departure]] - instance.out_ptr[place]
                if taken != tables.next_out[state]:
                    assert taken == tables.alt_out[state]
                    times[int(item)] += 1
        assert set(times.values()) <= {1}
        n_diverted += len(times)
    assert n_diverted > 20


def without_last_resort(tables):
    """The tables of a network in which nothing goes by road for want of room."""
    return replace(tables, by_road=np.full_like(tables.by_road, -1))


def test_what_finds_no_room_goes_by_road():
    """A flight a day for ten items and a slower road, 50 items at noon: what does not fit on one flight drives."""
    rows = [
        (0, 1, 2, 18 * 60, 60, 0, 0, 1000, 0), (0, 1, 0, 17 * 60, 26 * 60, 0, 0, 1000, 0),
        (1, 0, 0, 0, 600, 0, 0, 1000, 0),
    ]  # fmt: skip
    instance = make_instance(Draft(2, rows, n_days=12, vots=[1000]))
    flight = instance.cn_leg_first[instance.lane_mode[instance.cn_lane] == 2]
    capacity = instance.leg_cap_items.copy()
    capacity[flight] = 10
    instance = replace(instance, leg_cap_items=capacity)
    flows = make_flows(np.full((1, 1, 1, 1), 50, np.int32), np.array([0]), np.array([1]), np.array([720]))
    tables = build_tables(instance, divert_max_extra_h=0)
    assert tables.alt_out.max() == -1
    case = Case(instance, tables, flows, np.full((1, 1, 1), 3, np.int8), make_parameters(1), flows.day_counts(0)[None])
    for result in (run_flows(case)[0], run_items(case)[0]):
        loads = result.load_items.sum((0, 2))
        assert loads[flight].tolist() == [10]
        assert loads[np.setdiff1d(np.arange(len(loads)), flight)].max() >= 40
        assert result.load_items[0].sum(1)[flight].tolist() == [10]
    never = replace(case, tables=without_last_resort(tables))
    assert run_flows(never)[0].load_items.sum((0, 2))[flight].tolist() == [50]


def test_nothing_diverts_from_lanes_that_are_never_overfull():
    case = random_case(21, most=7, parameters=make_parameters(divert_queue_h=336.0))
    tables = replace(without_last_resort(case.tables), alt_out=np.full_like(case.tables.alt_out, -1))
    one, other = run_flows(case)[0], run_flows(replace(case, tables=tables))[0]
    np.testing.assert_array_equal(one.load_items, other.load_items)
