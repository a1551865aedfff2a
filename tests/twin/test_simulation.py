"""The twin on small random networks whose every limit binds: nothing vanishes, nothing is overfull, modes agree."""

from dataclasses import replace

import numpy as np
import pytest

from kit.twin import (
    DAY_MIN,
    assert_same_counts,
    items_of,
    journey_table,
    make_parameters,
    random_case,
    run_flows,
    run_items,
)  # fmt: skip
from postroad.core.digests import digest_arrays
from postroad.events.journeys import DELIVERED, LOST, RETURNED
from postroad.twin.result import TRACE_KINDS
from postroad.twin.simulation import Sample, Simulation, simulate

SEEDS = range(10)
KIND = {name: number for number, name in enumerate(TRACE_KINDS)}


@pytest.fixture(scope="module", params=SEEDS, ids=lambda seed: f"seed{seed}")
def run(request):
    """A case and its run in both modes."""
    case = random_case(request.param)
    return case, run_flows(case)[0], run_items(case)[0]


def rows_of(result, kind):
    """Columns of the trace for one kind: item, minute, facility, departure."""
    trace = result.trace
    chosen = trace.row_kind == KIND[kind]
    return trace.row_item[chosen], trace.row_min[chosen], trace.row_facility[chosen], trace.row_departure[chosen]


def test_every_limit_binds_somewhere():
    cases = [random_case(seed) for seed in SEEDS]
    results = [run_flows(case)[0] for case in cases]
    assert all(result.backlog_in.max() > 30 and result.backlog_out.max() > 100 for result in results)
    assert all(min(result.counts.returned[-1], result.counts.lost[-1]) > 0 for result in results)
    assert all((result.counts.in_custody[-1] == 0) & (result.n_hours > 7 * 24) for result in results)


def test_conservation_at_every_hour(run):
    case, flows, items = run
    for result in (flows, items):
        counts = result.counts
        ended = counts.delivered + counts.returned + counts.lost
        np.testing.assert_array_equal(counts.created, ended + counts.in_custody)
        assert (counts.in_custody >= 0).all()
        for series in (counts.created, counts.delivered, counts.returned, counts.lost):
            assert (np.diff(series) >= 0).all()
        assert counts.created[-1] == case.counts.sum() == ended[-1]
        assert (flows.backlog_in.sum(0) + flows.backlog_out.sum(0) <= counts.in_custody).all()


def test_flows_and_items_agree_at_every_hour(run):
    _, flows, items = run
    assert_same_counts(flows, items)
    np.testing.assert_array_equal(journey_table(flows), journey_table(items))


def test_journeys_tell_the_counts(run):
    case, flows, _ = run
    journeys, counts = flows.journeys, flows.counts
    for outcome, series in ((DELIVERED, counts.delivered), (RETURNED, counts.returned), (LOST, counts.lost)):
        mine = journeys.outcome == outcome
        by_hour = np.bincount(journeys.ended_min[mine] // 60, weights=journeys.n_items[mine], minlength=flows.n_hours)
        np.testing.assert_array_equal(np.cumsum(by_hour), series)
    assert (journeys.n_items > 0).all()
    n_fac = case.instance.n_fac
    by_pair = np.zeros((n_fac, n_fac), int)
    np.add.at(by_pair, (journeys.origin_idx, journeys.destination_idx), journeys.n_items)
    np.testing.assert_array_equal(by_pair.ravel(), case.counts.sum((0, 1, 2)))


def test_no_instant_before_the_one_that_precedes_it(run):
    _, flows, _ = run
    journeys = flows.journeys
    instants = [journeys.accepted_min, journeys.left_origin_min, journeys.reached_dest_min, journeys.out_min]
    for earlier, later in zip(instants, [*instants[1:], journeys.ended_min], strict=True):
        assert (earlier <= later).all()
    assert (journeys.promise_min > journeys.accepted_min).all()
    attempts = journeys.n_attempts[journeys.outcome == DELIVERED]
    assert set(attempts) <= {1, 2}
    assert set(journeys.n_attempts[journeys.outcome == RETURNED]) == {2}


def test_no_leg_carries_more_than_it_can(run):
    case, _, result = run
    instance, trace = case.instance, result.trace
    item, _, _, departure = rows_of(result, "departed")
    cn, day = instance.dp_cn[departure], instance.dp_day[departure]
    product = trace.item_product[item]
    load = np.zeros((result.n_hours // 24 + 2, len(instance.leg_trip), len(instance.prod_id)), np.int64)
    span = instance.cn_leg_last - instance.cn_leg_first
    for offset in range(span.max() + 1):
        rides = span[cn] >= offset
        np.add.at(load, (day[rides], instance.cn_leg_first[cn[rides]] + offset, product[rides]), 1)
    np.testing.assert_array_equal(load[: len(result.load_items)], result.load_items)
    left = np.zeros(load.shape[:2], np.int64)
    for row in np.flatnonzero(instance.dp_day < len(load)):
        one = instance.dp_cn[row]
        legs = slice(instance.cn_leg_first[one], instance.cn_leg_last[one] + 1)
        left[instance.dp_day[row], legs] = np.maximum(left[instance.dp_day[row], legs], instance.dp_capf[row])
    for capacity, carried in (
        (instance.leg_cap_items, load.sum(2)),
        (instance.leg_cap_g, load @ instance.prod_g.astype(np.int64)),
        (instance.leg_cap_cm3, load @ instance.prod_cm3.astype(np.int64)),
    ):
        limit = capacity * left // 1000
        assert (carried <= limit).all()
        assert (carried > limit - 2 * 6500).any()


def test_no_facility_works_more_than_it_can(run):
    case, flows, items = run
    instance = case.instance
    for kind, capacity, hourly in (
        ("screened", instance.screen_cap, flows.screened_items),
        ("sorted", instance.sort_cap, flows.sorted_items),
        ("out_for_delivery", instance.wave_cap, None),
    ):
        _, minute, facility, _ = rows_of(items, kind)
        done = np.zeros(capacity.shape, np.int64)
        np.add.at(done, (facility, minute // instance.slot_min), 1)
        assert (minute % instance.slot_min == 0).all()
        assert (done <= capacity).all()
        assert (done[capacity > 0] == capacity[capacity > 0]).any(), kind
        if hourly is not None:
            by_hour = done.reshape(len(done), -1, 60 // instance.slot_min).sum(2)
            np.testing.assert_array_equal(by_hour[:, : hourly.shape[1]], hourly)


def test_classes_board_in_order(run):
    """Nobody of a higher class, or earlier in the same class, waits while another boards."""
    case, _, result = run
    instance, trace = case.instance, result.trace
    sorted_item, sorted_min, sorted_at, _ = rows_of(result, "sorted")
    item, minute, _, departure = rows_of(result, "departed")
    order, back = np.lexsort((sorted_min, sorted_item)), np.lexsort((minute, item))
    item, minute, departure = item[back].astype(np.int64), minute[back], departure[back]
    key = sorted_item[order].astype(np.int64) * 2**20 + sorted_min[order]
    place = np.searchsorted(key, item * 2**20 + minute, side="right") - 1
    assert (sorted_item[order][place] == item).all()
    since = sorted_min[order][place]
    lane = instance.cn_lane[instance.dp_cn[departure]]
    assert (sorted_at[order][place] == instance.lane_from[lane]).all()
    rank = trace.item_product[item] * 100 + trace.item_promise_min[item] // DAY_MIN
    n_left_behind = 0
    for row in np.unique(departure):
        boards = departure == row
        waits = (lane == lane[boards][0]) & (departure > row) & (since // 30 <= instance.dp_dep_min[row] // 30)
        n_left_behind += waits.sum()
        if waits.any():
            assert rank[waits].min() >= rank[boards].max()
            same = waits & (rank == rank[boards].max())
            latest = since[boards & (rank == rank[boards].max())].max()
            assert not same.any() or since[same].min() >= latest
    assert n_left_behind > 100


def test_histories_agree_with_journeys(run):
    case, _, result = run
    trace, journeys = result.trace, result.journeys
    assert len(trace.item) == case.counts.sum()
    n_told = np.zeros(len(trace.item), int)
    for kind in ("delivered", "returned", "lost"):
        n_told[rows_of(result, kind)[0]] += 1
    assert (n_told == 1).all()
    ended = np.concatenate([np.stack(rows_of(result, kind)[:2]) for kind in ("delivered", "returned", "lost")], axis=1)
    table = journey_table(result)
    np.testing.assert_array_equal(np.sort(ended[1]), np.sort(table[:, 7]))
    rows = np.lexsort((np.arange(len(trace.row_item)), trace.row_item))
    same = np.diff(trace.row_item[rows]) == 0
    assert (np.diff(trace.row_min[rows])[same] >= 0).all()
    kinds = trace.row_kind[rows]
    first, last = np.r_[True, ~same], np.r_[~same, True]
    assert (kinds[first] == KIND["accepted"]).all()
    assert set(kinds[last]) == {KIND["delivered"], KIND["returned"], KIND["lost"]}
    # between an arrival and the next departure an item is sorted, also when it arrives at the minute of sorting
    follows = {(int(one), int(other)) for one, other in zip(kinds[:-1][same], kinds[1:][same], strict=True)}
    assert {(TRACE_KINDS[one], TRACE_KINDS[other]) for one, other in follows} == {
        ("accepted", "screened"), ("screened", "sorted"), ("sorted", "departed"), ("departed", "arrived"),
        ("arrived", "sorted"), ("sorted", "out_for_delivery"), ("out_for_delivery", "delivered"),
        ("out_for_delivery", "attempt_failed"), ("out_for_delivery", "lost"), ("attempt_failed", "out_for_delivery"),
        ("attempt_failed", "return_started"), ("return_started", "sorted"), ("sorted", "returned"),
    }  # fmt: skip
    assert (journeys.accepted_min >= 0).all()


@pytest.mark.parametrize("every", [1, 7])
def test_sampling_changes_no_count(every):
    case = random_case(3)
    plain, _ = run_flows(case)
    sampled, _ = run_flows(case, Sample(every=every, offset=3 % every, day=1, pairs=((0, 2), (6, 4))))
    assert_same_counts(plain, sampled)
    np.testing.assert_array_equal(journey_table(plain), journey_table(sampled))
    assert len(plain.trace.item) == 0
    items = run_items(case)[0].trace
    of_day = np.flatnonzero(items.item_accepted_min // DAY_MIN == 1)
    full = np.zeros(len(of_day), bool)
    for origin, destination in ((0, 2), (6, 4)):
        full |= (items.item_origin[of_day] == origin) & (items.item_destination[of_day] == destination)
    ordinal = np.arange(len(of_day))
    expected = ordinal[full | (ordinal % every == 3 % every)]
    trace = sampled.trace
    np.testing.assert_array_equal(np.sort(trace.item), expected)


def test_several_days_can_be_sampled():
    case = random_case(3, n_days=4)
    every = run_items(case)[0].trace
    trace = run_flows(case, Sample(every=5, offset=2, day=1, n_days=2))[0].trace
    n_of_days = int(np.isin(every.item_accepted_min // DAY_MIN, (1, 2)).sum())
    np.testing.assert_array_equal(np.sort(trace.item), np.arange(2, n_of_days, 5))
    assert set(trace.item_accepted_min // DAY_MIN) == {1, 2}


def test_a_copy_goes_on_as_the_run_does_and_leaves_it_alone():
    case, whole = random_case(4), run_flows(random_case(4), Sample(every=3, n_days=9))[0]
    n_days = whole.n_hours // 24
    run = start(case, Sample(every=3, n_days=9))
    run.advance(2 * case.instance.slots_per_day + 17)
    other = run.copy()
    other.follow(closed_after(case.instance, 3))
    for one in (other, run):
        one.advance(n_days * case.instance.slots_per_day)
    assert_same_counts(whole, run.result())
    for name in whole.trace.__slots__:
        np.testing.assert_array_equal(getattr(whole.trace, name), getattr(run.result().trace, name))
    assert other.n_left > 0


def start(case, sample):
    """A simulation of a case, not yet begun, whose horizon is long enough."""
    return Simulation(
        case.instance, case.tables, case.flows, case.promise_k, case.parameters, measured_days=(), sample=sample
    )


def closed_after(instance, day):
    """The instance without departures from a day on."""
    kept = instance.dp_dep_min < day * DAY_MIN
    columns = {name: getattr(instance, name)[kept] for name in ("dp_cn", "dp_dep_min", "dp_arr_min", "dp_day")}
    columns |= {name: getattr(instance, name)[kept] for name in ("dp_ready_slot", "dp_capf")}
    return replace(instance, dp_ptr=np.minimum(instance.dp_ptr, kept.sum()), **columns)


def test_other_doors_deliver_as_many_and_not_the_same():
    case = random_case(4)
    plain, moved = (start(case, Sample(every=1, n_days=2)) for _ in range(2))
    moved.shift_doors(7)
    for one in (plain, moved):
        one.advance(20 * case.instance.slots_per_day)
    assert plain.n_left == moved.n_left == 0
    failed = [set(rows_of(one.result(), "attempt_failed")[0].tolist()) for one in (plain, moved)]
    assert failed[0] != failed[1]
    assert abs(len(failed[0]) - len(failed[1])) < 0.1 * len(failed[0])


def test_without_a_sample_only_the_pairs_asked_for_are_followed():
    trace = run_flows(random_case(3), Sample(every=0, day=0, pairs=((0, 2),)))[0].trace
    assert set(zip(trace.item_origin.tolist(), trace.item_destination.tolist(), strict=True)) == {(0, 2)}


def test_sampled_items_live_as_their_group_does():
    case = random_case(4)
    trace = run_flows(case, Sample(every=1, day=0))[0].trace
    every = run_items(case)[0].trace

    def histories(trace, items, number):
        rows = np.isin(trace.row_item, items)
        order = np.lexsort((np.flatnonzero(rows), trace.row_item[rows]))
        columns = (trace.row_kind, trace.row_min, trace.row_facility, trace.row_departure)
        return np.stack([number[trace.row_item[rows]], *(column[rows] for column in columns)], axis=1)[order]

    mine = np.flatnonzero(every.item_accepted_min < DAY_MIN)
    one, other = histories(trace, np.arange(len(trace.item)), trace.item), histories(every, mine, every.item)
    one, other = (rows[np.argsort(rows[:, 0], kind="stable")] for rows in (one, other))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("limit", [3, 1])
def test_threads_and_repetition_change_nothing(limit):
    import numba

    case = random_case(5)
    digests = []
    for n_threads in (1, 2, 2):
        numba.set_num_threads(min(n_threads, numba.config.NUMBA_NUM_THREADS))
        result, _ = run_flows(case, Sample(every=limit))
        arrays = {name: getattr(result.journeys, name) for name in result.journeys.__slots__}
        arrays |= {name: getattr(result.trace, name) for name in result.trace.__slots__}
        digests.append(digest_arrays(arrays | {"load": result.load_items, "sorted": result.sorted_items}))
    assert len(set(digests)) == 1


def test_nothing_but_the_load_depends_on_the_numbers_of_places_and_regions():
    case = random_case(6)
    instance = replace(case.instance, fac_province=case.instance.fac_province + np.int16(3), digest="another")
    renamed = replace(instance, fac_id=tuple(f"X{name}" for name in instance.fac_id))
    assert_same_counts(run_flows(case)[0], run_flows(replace(case, instance=renamed))[0])


def test_twice_the_items_in_twice_the_network_take_the_same_time():
    """Counts that are all doubled, in a network all of whose limits are doubled, travel as before; failures are off."""
    one_hour = np.array([1.0] + [0.0] * 7)
    parameters = make_parameters(
        first_attempt_success_share=1.0, lost_per_million=0, divert_queue_h=336.0, tour_shares=one_hour
    )
    case = replace(random_case(7), parameters=parameters)
    names = ("sort_cap", "screen_cap", "wave_cap", "leg_cap_items")
    doubled = {name: getattr(case.instance, name) // 2 for name in names}
    even = {name: value * 2 for name, value in doubled.items()}
    whole = np.full(len(case.instance.dp_cn), 1000, np.int32)
    for arrays in (doubled, even):
        arrays["dp_capf"] = whole
        arrays["leg_cap_g"] = arrays["leg_cap_cm3"] = np.full(len(case.instance.leg_trip), 2**40)
        for value in arrays.values():
            value.setflags(write=False)
    small = replace(case, instance=replace(case.instance, **doubled))
    counts = 2 * case.counts
    flows = replace(case.flows, day_counts=lambda day: counts[day], total_by_day=2 * case.flows.total_by_day)
    large = replace(case, instance=replace(case.instance, **even), flows=flows, counts=counts)
    one, other = journey_table(run_flows(small)[0]), journey_table(run_flows(large)[0])
    np.testing.assert_array_equal(np.repeat(one, 2, axis=0), other)


def test_items_of_their_own_weight_and_size():
    """Items that are all as their product's mean behave as the flow; heavier ones never overload a vehicle."""
    case = random_case(8)
    items = items_of(case)
    rng = np.random.default_rng(8)
    heavy = replace(
        items,
        g=rng.integers(1, 3000, len(items.g)).astype(np.int32),
        cm3=rng.integers(1, 9000, len(items.g)).astype(np.int32),
    )
    result, _ = simulate(case.instance, case.tables, heavy, None, case.parameters, measured_days=case.days)
    item, _, _, departure = rows_of(result, "departed")
    instance = case.instance
    cn, day = instance.dp_cn[departure], instance.dp_day[departure]
    for own, capacity in ((heavy.g, instance.leg_cap_g), (heavy.cm3, instance.leg_cap_cm3)):
        carried = np.zeros((result.n_hours // 24 + 2, len(capacity)), np.int64)
        for offset in (0, 1):
            rides = instance.cn_leg_last[cn] - instance.cn_leg_first[cn] >= offset
            np.add.at(carried, (day[rides], instance.cn_leg_first[cn[rides]] + offset), own[item[rides]])
        assert (carried <= capacity).all()
        assert (carried > 0.9 * capacity).any()
    assert result.counts.delivered[-1] + result.counts.returned[-1] + result.counts.lost[-1] == len(items.g)
