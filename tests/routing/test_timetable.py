"""The timetable scans against plain search, a library's Dijkstra and one another."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from kit.instances import Draft, make_instance, random_draft
from postroad.routing.timetable import (
    LONG_AGO,
    NEVER,
    Timetable,
    build_timetable,
    earliest_arrival,
    earliest_arrival_all,
    follow_back,
    follow_on,
    latest_departure,
    latest_departure_all,
    profile_all,
)


def random_timetable(seed, *, n_fac=7, n_departure=60, handling=None, days=2):
    rng = np.random.default_rng(seed)
    origin = rng.integers(0, n_fac, n_departure)
    target = (origin + rng.integers(1, n_fac, n_departure)) % n_fac
    dep = np.sort(rng.integers(0, days * 1440, n_departure))
    arr = dep + rng.integers(1, 700, n_departure)
    ready = arr + (rng.integers(0, 120, n_departure) if handling is None else handling)
    order = np.lexsort((ready, dep))
    columns = (column[order].astype(np.int32) for column in (origin, target, dep, arr, ready))
    return Timetable(n_fac, *columns, np.full(n_departure, -1, np.int32))


def search_forward(timetable, fac, at_min):
    """Earliest ready and earliest arrival minutes by relaxing all departures until nothing changes."""
    reach = {fac: at_min}
    changed = True
    while changed:
        changed = False
        for o, t, dep, ready in zip(timetable.origin, timetable.target, timetable.dep, timetable.ready, strict=True):
            if reach.get(o, np.inf) <= dep and ready < reach.get(t, np.inf):
                reach[int(t)] = int(ready)
                changed = True
    arrive = {fac: at_min}
    for o, t, dep, arr in zip(timetable.origin, timetable.target, timetable.dep, timetable.arr, strict=True):
        if reach.get(o, np.inf) <= dep:
            arrive[int(t)] = min(arrive.get(int(t), np.inf), int(arr))
    return reach, arrive


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 100_000), at_min=st.integers(0, 2000), uniform=st.booleans())
def test_earliest_arrivals_equal_a_plain_search(seed, at_min, uniform):
    timetable = random_timetable(seed, handling=45 if uniform else None)
    together = earliest_arrival_all(timetable, at_min)
    never = np.iinfo(together.dtype).max
    for fac in range(timetable.n_fac):
        reach, via = earliest_arrival(timetable, fac, at_min)
        expected_ready, expected = search_forward(timetable, fac, at_min)
        for goal in range(timetable.n_fac):
            assert reach[goal] == expected_ready.get(goal, NEVER)
            minute = int(together[goal, fac])
            assert (NEVER if minute == never else minute + at_min) == expected.get(goal, NEVER)
            journey = follow_back(timetable, via, goal)
            at, place = at_min, fac
            for departure in journey:
                assert timetable.origin[departure] == place
                assert timetable.dep[departure] >= at
                at, place = timetable.ready[departure], timetable.target[departure]
            assert (place, at) == (goal, reach[goal]) or reach[goal] == NEVER


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 100_000), by_min=st.integers(500, 3500))
def test_latest_departure_is_the_last_minute_that_arrives_in_time(seed, by_min):
    timetable = random_timetable(seed, n_fac=5, n_departure=40)
    together = latest_departure_all(timetable, by_min)
    too_late = np.iinfo(together.dtype).min
    for goal in range(timetable.n_fac):
        leave, via = latest_departure(timetable, goal, by_min)
        for fac in range(timetable.n_fac):
            if fac == goal:
                assert leave[fac] == by_min
                continue
            expected = max(
                (
                    int(dep)
                    for dep in timetable.dep
                    if search_forward(timetable, fac, int(dep))[1].get(goal, NEVER) <= by_min
                ),
                default=LONG_AGO,
            )
            assert leave[fac] == expected
            minute = int(together[fac, goal])
            assert (LONG_AGO if minute == too_late else minute + by_min) == expected
            journey = follow_on(timetable, via, fac)
            assert (len(journey) > 0) == (expected > LONG_AGO)
            if journey:
                assert timetable.dep[journey[0]] == expected
                assert timetable.target[journey[-1]] == goal
                assert timetable.arr[journey[-1]] <= by_min
                assert all(timetable.ready[a] <= timetable.dep[b] for a, b in itertools.pairwise(journey))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 100_000))
def test_the_profile_holds_the_earliest_arrivals_of_every_departure(seed):
    timetable = random_timetable(seed, n_fac=5, n_departure=40)
    profile = profile_all(timetable)
    never, start = np.iinfo(profile.dtype).max, int(timetable.dep.min())
    assert (profile[-1] == never).all()
    for departure in range(len(timetable.dep)):
        fac = int(timetable.origin[departure])
        at_min = int(timetable.dep[departure])
        first = next(c for c in range(len(timetable.dep)) if (timetable.origin[c], timetable.dep[c]) == (fac, at_min))
        if departure != first:
            continue
        _, expected = search_forward(timetable, fac, at_min)
        for goal in set(range(timetable.n_fac)) - {fac}:
            minute = int(profile[departure, goal])
            assert (NEVER if minute == never else minute + start) == expected.get(goal, NEVER)


def time_expanded(timetable, at_min):
    """A graph of departure events with waiting edges; sources and sinks are its last nodes."""
    n, n_fac = len(timetable.dep), timetable.n_fac
    edges = {}
    for fac in range(n_fac):
        own = [c for c in range(n) if timetable.origin[c] == fac and timetable.dep[c] >= at_min]
        for a, b in itertools.pairwise(own):
            edges[a, b] = timetable.dep[b] - timetable.dep[a]
        if own:
            edges[n + fac, own[0]] = timetable.dep[own[0]] - at_min
        for c in range(n):
            if timetable.target[c] == fac and timetable.dep[c] >= at_min:
                onward = next((d for d in own if timetable.dep[d] >= timetable.ready[c]), None)
                if onward is not None:
                    edges[c, onward] = timetable.dep[onward] - timetable.dep[c]
                edges[c, n + n_fac + fac] = timetable.arr[c] - timetable.dep[c]
    ends = np.array(list(edges)).T
    weight = np.array(list(edges.values()), float) + 1e-9
    return coo_matrix((weight, ends), shape=(n + 2 * n_fac,) * 2).tocsr()


@pytest.mark.parametrize("seed", range(4))
def test_earliest_arrivals_equal_a_library_dijkstra_on_the_time_expanded_graph(seed):
    timetable = random_timetable(seed, n_fac=12, n_departure=300)
    together = earliest_arrival_all(timetable, 100)
    n = len(timetable.dep)
    distance = dijkstra(time_expanded(timetable, 100), indices=np.arange(n, n + 12))[:, n + 12 :]
    np.fill_diagonal(distance, 0)
    expected = np.where(np.isinf(distance), np.iinfo(together.dtype).max, np.rint(np.nan_to_num(distance, posinf=0)))
    assert np.array_equal(together.T, expected)
    assert (together < np.iinfo(together.dtype).max).mean() > 0.5


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 100_000), at_min=st.integers(0, 1000), wait=st.integers(0, 600))
def test_leaving_later_never_arrives_earlier(seed, at_min, wait):
    timetable = random_timetable(seed)
    early, late = (earliest_arrival_all(timetable, minute).astype(int) for minute in (at_min, at_min + wait))
    never = np.iinfo(np.int16).max
    early, late = (np.where(a == never, NEVER, a + m) for a, m in ((early, at_min), (late, at_min + wait)))
    outside = ~np.eye(timetable.n_fac, dtype=bool)
    assert (early <= late)[outside].all()


def test_long_timetables_use_wider_minutes_and_agree():
    short = random_timetable(5)
    long = replace(short, **{name: getattr(short, name) for name in ("dep", "arr", "ready")})
    later = np.int32(40_000)
    far = Timetable(
        short.n_fac,
        *(np.append(getattr(short, name), np.int32(value)) for name, value in (("origin", 0), ("target", 1))),
        *(np.append(getattr(short, name), later + value) for name, value in (("dep", 0), ("arr", 10), ("ready", 20))),
        np.append(short.row, np.int32(-1)),
    )
    for solve in (lambda t: earliest_arrival_all(t, 0), profile_all):
        assert solve(long).dtype == np.int16
        assert solve(far).dtype == np.int32
    near, wide = earliest_arrival_all(short, 0), earliest_arrival_all(far, 0)
    known = near < np.iinfo(np.int16).max
    assert np.array_equal(near[known], wide[known])


def test_any_number_of_threads_gives_the_same_minutes():
    timetable = random_timetable(9, n_fac=40, n_departure=900)
    for solve in (
        lambda n: earliest_arrival_all(timetable, 0, threads=n),
        lambda n: latest_departure_all(timetable, 2500, threads=n),
        lambda n: profile_all(timetable, threads=n),
    ):
        assert solve(1).tobytes() == solve(2).tobytes() == solve(3).tobytes()


def test_an_empty_timetable_leads_nowhere():
    nothing = np.empty(0, np.int32)
    timetable = Timetable(3, nothing, nothing, nothing, nothing, nothing, nothing)
    never = np.iinfo(np.int16).max
    assert earliest_arrival_all(timetable, 5).tolist() == [[0, never, never], [never, 0, never], [never, never, 0]]
    assert profile_all(timetable).tolist() == [[never] * 3]
    assert latest_departure(timetable, 1, 9)[0].tolist() == [LONG_AGO, 9, LONG_AGO]


def test_chosen_sources_and_destinations_are_columns_of_the_whole():
    timetable = random_timetable(9, n_fac=10, n_departure=200)
    some = np.array([7, 2, 5])
    assert np.array_equal(earliest_arrival_all(timetable, 0, sources=some), earliest_arrival_all(timetable, 0)[:, some])
    assert np.array_equal(
        latest_departure_all(timetable, 2500, destinations=some), latest_departure_all(timetable, 2500)[:, some]
    )
    assert np.array_equal(profile_all(timetable, destinations=some), profile_all(timetable)[:, some])


def test_a_timetable_honours_calendars_modes_closed_hours_and_handling():
    rows = [
        (0, 1, 0, 60, 60, 20, 10, 0, 0),  # ready 02:20
        (0, 1, 2, 30, 30, 20, 10, 0, 0),  # by air
        (1, 2, 0, 200, 60, 20, 10, 0, 1),  # runs on the second day only
    ]
    draft = Draft(3, rows, n_days=2, runs=[[True, True], [False, True]], vots=[100, 100], closed=[(1, 0, 6)])
    draft.mode_ok = [[True] * 4, [True, True, False, True]]
    instance = make_instance(draft)
    any_mode, no_air = build_timetable(instance, 0), build_timetable(instance, 1)
    assert any_mode.dep.tolist() == [30, 60, 1470, 1500, 1640]
    assert no_air.dep.tolist() == [60, 1500, 1640]
    assert any_mode.ready.tolist() == [180, 180, 1620, 1620, 1720]
    assert earliest_arrival(no_air, 0, 0)[0].tolist() == [0, 180, 1720]
    assert len(build_timetable(instance, 0, from_min=60, to_min=1500).dep) == 2


def test_a_timetable_leaves_out_what_has_no_capacity_or_is_never_sorted():
    instance = make_instance(
        Draft(2, [(0, 1, 0, 60, 60, 0, 1, 0, 0), (1, 0, 0, 90, 60, 0, 1, 0, 0)], n_days=1, closed=[(0, 0, 48)])
    )
    assert build_timetable(instance, 0).origin.tolist() == [0]
    full = replace(instance, dp_capf=np.array([0, 1000], np.int32))
    assert len(build_timetable(full, 0).dep) == 0


def test_a_timetable_of_random_days_stays_in_order():
    timetable = build_timetable(make_instance(random_draft(2, n_days=3)), 0)
    assert (np.diff(timetable.dep) >= 0).all()
    assert (timetable.ready > timetable.dep).all()


def test_what_is_bound_for_home_does_not_leave_the_country():
    rows = [(0, 2, 0, 60, 30, 0, 10, 0, 0), (2, 1, 0, 120, 30, 0, 10, 0, 0), (0, 1, 0, 60, 900, 0, 10, 0, 0)]
    instance = replace(make_instance(Draft(3, rows, n_days=1)), fac_territory=np.array([0, 0, 1], np.int16))
    assert earliest_arrival(build_timetable(instance, 0), 0, 0)[0][1] == 150
    assert earliest_arrival(build_timetable(instance, 0, bound_for=1), 0, 0)[0][1] == 960
    assert earliest_arrival(build_timetable(instance, 0, bound_for=2), 0, 0)[0][2] == 90
