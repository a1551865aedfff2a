"""Tables whose items divide over several lanes: shares are exact, and flows divide as single items do."""

from dataclasses import replace

import numpy as np
import pytest

from kit.instances import Draft, make_instance
from kit.splits import random_splits, whole_splits, with_splits
from kit.twin import (
    Case,
    assert_same_counts,
    items_of,
    journey_table,
    make_flows,
    make_parameters,
    random_case,
    run_flows,
    run_items,
)  # fmt: skip
from postroad.kernels.twinlanes import items_between, pushes_to_share
from postroad.routing.tables import SPLIT_CYCLE, build_tables
from postroad.twin.simulation import Sample, simulate

TIGHT = {"divert_queue_h": 0.5}


def split_case(seed, share=0.5, **changes):
    """A random case whose tables divide items at many places."""
    case = random_case(seed, **changes)
    return replace(case, tables=random_splits(case.instance, case.tables, seed, share))


def fan(n_way, counts, shares):
    """Items accepted at facility 0 at noon, released to facility 1 day by day, over as many lanes as there are shares:
    one direct, the others by way of facilities of their own. The case, and the loads of the first leg of each way."""
    rows = [(0, 1, 0, 18 * 60, 60, 0, 0, 1000, 0)]
    for way in range(2, n_way + 1):
        rows += [(0, way, 0, 18 * 60, 60, 0, 0, 1000, 0), (way, 1, 0, 20 * 60, 60, 0, 0, 1000, 0)]
    rows += [(1, 0, 0, 0, 600, 0, 0, 1000, 0)]
    instance = make_instance(Draft(n_way + 1, rows, n_days=20, vots=[1000]))
    plain = build_tables(instance)
    towards = int(instance.fac_td[1])
    parts = list(enumerate(shares))
    states = [(0, block, 0, moment, towards) for block in range(plain.next_out.shape[1]) for moment in range(48)]
    tables = with_splits(plain, dict.fromkeys(states, parts))
    flows = make_flows(counts, np.zeros(1, int), np.ones(1, int), np.array([720]))
    promise_k = np.full((1, 1, 1), 3, np.int8)
    rules = make_parameters(1, divert_queue_h=336.0, first_attempt_success_share=1.0, lost_per_million=0)
    first_legs = [int(np.flatnonzero(instance.cn_lane == lane)[0]) for lane in range(len(shares))]
    return Case(instance, tables, flows, promise_k, rules, counts), first_legs


@pytest.mark.parametrize("shares", [(64, 64, 64, 64), (1, 255), (200, 1, 55), (100, 30, 126)])
def test_shares_of_many_entries_are_exact(shares):
    """Every 256 items that pass divide as the shares say, whatever entries they come in; nobody is lost between."""
    counts = np.array([7, 1, 100, 84, 64, 512, 2560 - 768], np.int32).reshape(-1, 1, 1, 1)
    case, first_legs = fan(4, counts, shares)
    result, findings = run_flows(case)
    assert not findings
    loads = result.load_items.sum((0, 2))[first_legs]
    assert loads.tolist() == [share * 10 for share in shares]
    by_day = result.load_items.sum(2)[:7][:, first_legs]
    assert by_day.sum(1).tolist() == counts.ravel().tolist()
    off = np.abs(np.cumsum(by_day, 0) - np.cumsum(counts.ravel())[:, None] * np.array(shares) / SPLIT_CYCLE)
    assert off.max() < SPLIT_CYCLE / 4


def test_neighbouring_splits_begin_at_different_positions():
    """At every slot one item: with a split for each slot, about the right share takes each lane on the first day."""
    counts = np.ones((1, 48, 1, 1), np.int32)
    case, first_legs = fan(2, counts, (128, 128))
    flows = make_flows(counts, np.zeros(1, int), np.ones(1, int), 30 * np.arange(48))
    case = replace(case, flows=flows, promise_k=np.full((1, 48, 1), 3, np.int8))
    loads = run_flows(case)[0].load_items.sum((0, 2))[first_legs]
    assert loads.sum() == 48
    assert abs(loads[0] - 24) <= 3


def test_items_between_positions_as_counted():
    rng = np.random.default_rng(1)
    for _ in range(300):
        start, n = int(rng.integers(0, 3000)), int(rng.integers(0, 1500))
        begin, end = np.sort(rng.integers(0, SPLIT_CYCLE + 1, 2))
        place = np.arange(start, start + n) % SPLIT_CYCLE
        assert items_between(start, n, begin, end) == ((place >= begin) & (place < end)).sum()


def test_pushes_reserved_are_enough():
    """Never fewer than three for each run of positions that lie within one lane's, beyond the three of an entry."""
    for n in [1, 2, 5, 63, 64, 255, 256, 257, 10_000]:
        ends = np.array([1, 2, 3, SPLIT_CYCLE])
        for start in range(SPLIT_CYCLE):
            lane = np.searchsorted(ends, np.arange(start, start + n) % SPLIT_CYCLE, side="right")
            n_run = 1 + np.count_nonzero(np.diff(lane))
            assert 3 * n_run <= 3 + pushes_to_share(1, n)


@pytest.mark.parametrize("seed", range(200, 206))
def test_flows_divide_as_items_do(seed):
    """At every hour and in every journey, with and without room on the lanes."""
    case = split_case(seed, parameters=make_parameters(**TIGHT) if seed % 2 else None)
    assert (case.tables.splits.number >= 0).sum() > 100
    flows, items = run_flows(case)[0], run_items(case)[0]
    assert_same_counts(flows, items)
    np.testing.assert_array_equal(journey_table(flows), journey_table(items))


@pytest.mark.parametrize("seed", range(210, 214))
def test_large_entries_divide_as_items_do(seed):
    """Entries of several cycles, on lanes that overflow into each other and onto the road."""
    rules = make_parameters(divert_queue_h=[0.5, 3.0][seed % 2], lost_per_million=500)
    case = split_case(seed, share=1.0, n_core=4, n_outlets=1, n_days=1, most=700, largest=2500, parameters=rules)
    flows = run_flows(case)[0]
    items, _ = simulate(case.instance, case.tables, items_of(case, traced=False), None, rules, measured_days=case.days)
    assert_same_counts(flows, items)
    np.testing.assert_array_equal(journey_table(flows), journey_table(items))
    never_full = replace(case, parameters=replace(rules, divert_queue_h=336.0))
    assert not np.array_equal(run_flows(never_full)[0].load_items.sum((0, 2)), flows.load_items.sum((0, 2)))


@pytest.mark.parametrize("seed", [220, 221])
def test_conservation_at_every_hour(seed):
    case = split_case(seed, most=60, largest=1500, parameters=make_parameters(**TIGHT))
    counts = run_flows(case)[0].counts
    ended = counts.delivered + counts.returned + counts.lost
    np.testing.assert_array_equal(counts.created, ended + counts.in_custody)
    assert (counts.in_custody >= 0).all()
    assert counts.created[-1] == case.counts.sum() == ended[-1]


@pytest.mark.parametrize("most", [4, 300])
def test_one_lane_with_all_is_no_split(most):
    """The same bytes, in the order in which they are written."""
    case = random_case(230, most=most, largest=15 * most, parameters=make_parameters(**TIGHT))
    divided = replace(case, tables=whole_splits(case.tables))
    np.testing.assert_array_equal(case.tables.next_out, divided.tables.next_out)
    for run in (run_flows, run_items) if most < 10 else (run_flows,):
        one, other = run(case)[0], run(divided)[0]
        assert_same_counts(one, other)
        assert one.n_moves == other.n_moves
        for part in ("journeys", "trace"):
            for name in getattr(one, part).__slots__:
                mine, theirs = getattr(getattr(one, part), name), getattr(getattr(other, part), name)
                assert mine.tobytes() == theirs.tobytes(), name


def test_splits_change_where_items_go_and_a_second_run_nothing():
    case = split_case(240)
    first, second = run_flows(case, Sample(every=3))[0], run_flows(case, Sample(every=3))[0]
    assert_same_counts(first, second)
    for name in first.journeys.__slots__:
        assert getattr(first.journeys, name).tobytes() == getattr(second.journeys, name).tobytes()
    plain = replace(case, tables=replace(case.tables, splits=None))
    assert run_flows(plain)[0].load_items.sum() != first.load_items.sum()
