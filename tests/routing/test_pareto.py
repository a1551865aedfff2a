"""The Pareto search against the enumeration of all journeys."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.instances import Draft, make_instance, random_draft
from postroad.core.errors import LimitReached
from postroad.routing.pareto import Journey, find_journeys, pick_spread
from postroad.routing.timetable import build_timetable, earliest_arrival_all


def all_vectors(instance, product, source, destination, at_min):
    """(arrival, cost, carbon) of every journey that visits no facility twice."""
    timetable = build_timetable(instance, product, from_min=at_min)
    cn = instance.dp_cn[timetable.row]
    found = set()

    def go_on(fac, minute, cost, carbon, visited):
        for c in range(len(timetable.dep)):
            target = int(timetable.target[c])
            if timetable.origin[c] != fac or timetable.dep[c] < minute or target in visited:
                continue
            spent = cost + int(instance.cn_cost[cn[c]]) + int(instance.fac_cost[target])
            emitted = carbon + int(instance.cn_g[cn[c]]) * int(instance.prod_g[product])
            if target == destination:
                found.add((int(timetable.arr[c]), spent, emitted))
            else:
                go_on(target, int(timetable.ready[c]), spent, emitted, visited | {target})

    go_on(source, at_min, 0, 0, {source})
    return found


def front_of(vectors):
    return {a for a in vectors if not any(b != a and all(x <= y for x, y in zip(b, a, strict=True)) for b in vectors)}


def small_instance(seed, n_connections=10):
    draft = random_draft(seed, n_core=5, n_connections=n_connections, n_days=2, vots=[100, 100])
    draft.fac_cost = [10, 0, 300, 40, 5]
    draft.mode_ok = [[True] * 4, [True, False, True, True]]
    return make_instance(draft)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 100_000), at_min=st.integers(0, 1500), product=st.integers(0, 1))
def test_equals_the_front_of_all_journeys(seed, at_min, product):
    instance = small_instance(seed)
    for destination in range(1, 5):
        journeys, timetable = find_journeys(instance, product, 0, destination, at_min)
        vectors = [(j.arr_min, j.cost, j.carbon) for j in journeys]
        assert vectors == sorted(vectors)
        assert set(vectors) == front_of(all_vectors(instance, product, 0, destination, at_min))
        assert len(set(vectors)) == len(vectors)
        for journey in journeys:
            place, minute = 0, at_min
            for c in journey.departures:
                assert (timetable.origin[c], timetable.dep[c] >= minute) == (place, True)
                place, minute = timetable.target[c], timetable.ready[c]
            assert (place, timetable.arr[journey.departures[-1]]) == (destination, journey.arr_min)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 100_000), slack_min=st.integers(0, 600), slack_share=st.floats(0, 0.5))
def test_what_slack_leaves_out_is_at_most_that_much_better(seed, slack_min, slack_share):
    instance = small_instance(seed, 14)
    exact, _ = find_journeys(instance, 0, 0, 3, 0)
    fewer, _ = find_journeys(instance, 0, 0, 3, 0, slack_min=slack_min, slack_share=slack_share)
    assert len(fewer) <= len(exact)
    for journey in exact:
        assert any(
            other.arr_min <= journey.arr_min + slack_min
            and other.cost <= journey.cost * (1 + slack_share)
            and other.carbon <= journey.carbon * (1 + slack_share)
            for other in fewer
        )


@pytest.mark.parametrize("seed", range(3))
def test_the_first_journey_is_the_earliest_arrival(seed):
    instance = make_instance(random_draft(seed, n_core=12, n_connections=300, n_days=3))
    arrivals = earliest_arrival_all(build_timetable(instance, 0), 500)
    for destination in range(1, 12):
        journeys, _ = find_journeys(instance, 0, 0, destination, 500)
        assert journeys[0].arr_min == 500 + int(arrivals[destination, 0])
        assert np.all(np.diff([j.arr_min for j in journeys]) >= 0)


def test_a_journey_within_a_facility_is_empty():
    journeys, _ = find_journeys(small_instance(0), 0, 2, 2, 77)
    assert [(j.arr_min, j.cost, j.carbon, j.departures) for j in journeys] == [(77, 0, 0, ())]


def test_nowhere_is_no_journey():
    instance = make_instance(Draft(3, [(0, 1, 0, 600, 60, 0, 10, 5, 0)], n_days=1))
    assert find_journeys(instance, 0, 0, 2, 0)[0] == []
    assert find_journeys(instance, 0, 0, 1, 601)[0] == []


def test_a_spread_keeps_the_extremes_and_then_the_farthest():
    ends = [(0, 90, 50), (1, 89, 50), (50, 40, 50), (60, 39, 49), (100, 0, 51), (101, 95, 0)]
    journeys = [Journey(*end, ()) for end in ends]
    assert [j.arr_min for j in pick_spread(journeys, 3)] == [0, 100, 101]
    assert [j.arr_min for j in pick_spread(journeys, 4)] == [0, 50, 100, 101]
    assert [j.arr_min for j in pick_spread(journeys, 1)] == [0]
    assert pick_spread(journeys, 6) == journeys


def test_too_many_labels_stop_the_search():
    instance = make_instance(random_draft(1, n_core=12, n_connections=300, n_days=3))
    with pytest.raises(LimitReached) as refusal:
        find_journeys(instance, 0, 0, 3, 0, max_labels=20)
    assert refusal.value.code == "PR-R110"
    assert "20" in refusal.value.message("zh")
