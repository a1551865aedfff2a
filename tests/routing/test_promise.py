"""Promised days against a walk, step by step, through the planned journey."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.instances import Draft, make_instance, random_draft
from kit.routing import follow, opening_by_slot, unrolled_departures
from postroad.core.errors import InputError
from postroad.routing.promise import promise_days
from postroad.routing.tables import build_tables

TOUR = {"tour_share_1h": 0.5, "tour_share_2h": 0.5, "tour_share_3h": 0.0}


def promises_frame(*products, scopes=("same_city", "intercity"), **terms):
    usual = {"margin_min": 60, "deliver_by": "22:00", "min_days": 0, "max_days": 30} | terms
    return pl.DataFrame([{"product_id": product, "scope": scope} | usual for product in products for scope in scopes])


def all_pairs(instance, release_min):
    ends = np.flatnonzero(instance.fac_is_endpoint).astype(np.int32)
    origin, destination = np.repeat(ends, len(ends)), np.tile(ends, len(ends))
    return SimpleNamespace(origin=origin, destination=destination, release_min=np.array(release_min, np.int32))


def walk_days(instance, tables, product, origin, destination, release, departures, is_open):
    """Promised days by walking slot by slot: accept, screen and sort, collect, route, feed, wave, tour."""
    per_day = instance.slots_per_day

    def next_open(fac, slot):
        while not is_open[fac, slot]:
            slot += 1
        return slot

    def ride(lane, slot):
        leaves, step, _ = next(row for row in departures[lane] if row[0] >= slot)
        return leaves + max(1, step)

    slot = next_open(origin, -(-(release + int(instance.origin_min[origin])) // instance.slot_min))
    if origin != destination:
        here = origin
        if instance.fac_parent[origin] >= 0:
            here = int(instance.fac_parent[origin])
            slot = next_open(here, ride(int(instance.collect_lane[origin]), slot))
        taken = follow(instance, tables, product, here, slot, int(instance.fac_td[destination]), departures, is_open)
        if taken is None:
            return -1
        slot += taken
        if instance.fac_parent[destination] >= 0:
            slot = next_open(destination, ride(int(instance.feeder_lane[destination]), slot))
    slot += int(instance.wave_delay[destination, slot % per_day])
    waves = set(np.flatnonzero(instance.wave_cap[destination, -per_day:]))
    while slot % per_day not in waves:
        slot += 1
    end = slot * instance.slot_min + 120 + 60
    day = 0
    while day * 1440 + 22 * 60 < end:
        day += 1
    return day


def outlet_draft(seed, closed):
    draft = random_draft(
        seed, n_core=4, n_connections=30, n_days=2, vots=[900, 100], mode_ok=[[True] * 4, [True, False, True, True]]
    )
    draft.parents = [0, 2]
    rng = np.random.default_rng(seed)
    for outlet, parent in ((4, 0), (5, 2)):
        for dep in rng.integers(0, 1440, 3):
            draft.connections.append((outlet, parent, 0, int(dep), 70, 20, 0, 0, 0))
            draft.connections.append((parent, outlet, 0, int(dep) // 2, 70, 20, 0, 0, 0))
    draft.origin_min = 130
    draft.closed = [(4, 0, 14), (4, 40, 48), (1, 10, 30)] if closed else []
    return draft


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), closed=st.booleans())
def test_equals_a_walk_through_the_planned_journey(seed, closed):
    instance = make_instance(outlet_draft(seed, closed))
    tables = build_tables(instance)
    flows = all_pairs(instance, [30, 600, 1410])
    days, findings = promise_days(instance, tables, flows, promises_frame("P0", "P1"), TOUR)
    tail = [1] * 30
    departures, is_open = unrolled_departures(instance, tail), opening_by_slot(instance, tail)
    n_unreached = 0
    for product in range(2):
        for number, release in enumerate(flows.release_min):
            for pair, (origin, destination) in enumerate(zip(flows.origin, flows.destination, strict=True)):
                expected = walk_days(
                    instance, tables, product, int(origin), int(destination), int(release), departures, is_open
                )
                assert days[product, number, pair] == expected
                n_unreached += expected < 0
    assert (n_unreached > 0) == (len(findings) > 0)


def test_terms_bound_the_days():
    instance = make_instance(random_draft(1, n_connections=25))
    flows = all_pairs(instance, [600, 1300])
    tables = build_tables(instance)
    free, _ = promise_days(instance, tables, flows, promises_frame("P0"), TOUR)
    bounded, _ = promise_days(instance, tables, flows, promises_frame("P0", min_days=1, max_days=1), TOUR)
    assert free.min() == 0
    assert free.max() > 1
    assert (bounded == 1).all()


def test_a_larger_margin_never_promises_sooner_and_a_day_of_it_adds_one():
    instance = make_instance(random_draft(1, n_connections=80))
    flows = all_pairs(instance, [0, 600, 1200])
    tables = build_tables(instance)
    days = [promise_days(instance, tables, flows, promises_frame("P0", margin_min=m), TOUR)[0] for m in (0, 1440)]
    assert np.array_equal(days[0] + 1, days[1])


def test_any_number_of_threads_gives_the_same_days(monkeypatch):
    monkeypatch.setattr("postroad.routing.promise.CHUNK", 5)
    instance = make_instance(random_draft(3, vots=[100, 900]))
    flows, tables = all_pairs(instance, [0, 700]), build_tables(instance)
    one, two = (promise_days(instance, tables, flows, promises_frame("P0", "P1"), TOUR, threads=n)[0] for n in (1, 2))
    assert one.tobytes() == two.tobytes()


def test_the_scope_is_international_across_a_border():
    instance = make_instance(random_draft(1, n_core=3, n_connections=60))
    instance = replace(instance, fac_territory=np.array([0, 0, 1], np.int16))
    flows, tables = all_pairs(instance, [600]), build_tables(instance)
    frame = pl.concat(
        [
            promises_frame("P0", scopes=("same_city",), min_days=1, max_days=1),
            promises_frame("P0", scopes=("intercity",), min_days=2, max_days=2),
            promises_frame("P0", scopes=("international",), min_days=3, max_days=3),
        ]
    )
    days, _ = promise_days(instance, tables, flows, frame, TOUR)
    assert days[0, 0].reshape(3, 3).tolist() == [[1, 2, 3], [2, 1, 3], [3, 3, 1]]


def test_a_missing_promise_is_refused():
    instance = make_instance(random_draft(1))
    with pytest.raises(InputError) as refusal:
        promise_days(
            instance,
            build_tables(instance),
            all_pairs(instance, [0]),
            promises_frame("P0", scopes=("same_city",)),
            TOUR,
        )
    assert refusal.value.code == "PR-R100"
    assert "intercity" in str(refusal.value)


def test_unreached_pairs_are_named():
    rows = [(0, 1, 0, 600, 60, 0, 10, 0, 0)]
    instance = make_instance(Draft(3, rows, n_days=1))
    days, findings = promise_days(
        instance, build_tables(instance), all_pairs(instance, [60]), promises_frame("P0"), TOUR
    )
    assert days[0, 0].reshape(3, 3).tolist() == [[0, 0, -1], [-1, 0, -1], [-1, -1, 0]]
    assert {(f.code, f.value, f.params["n_destinations"]) for f in findings} == {
        ("PR-R101", "F0", 1),
        ("PR-R101", "F1", 2),
        ("PR-R101", "F2", 2),
    }
    assert "F2" in next(iter(findings)).message("zh")


def test_a_delivery_three_times_a_week_waits_for_its_day():
    runs = [[True] * 9]
    instance = make_instance(Draft(2, [(0, 1, 0, 600, 60, 0, 10, 0, 0)], n_days=9, runs=runs))
    waves = instance.wave_cap.copy()
    waves[1] = 0
    waves[1, 18 + 48 * 4] = 1
    instance = type(instance)(**{name: getattr(instance, name) for name in instance.__slots__} | {"wave_cap": waves})
    flows = SimpleNamespace(
        origin=np.array([0], np.int32), destination=np.array([1], np.int32), release_min=np.array([540])
    )
    tables = build_tables(instance)
    frame = promises_frame("P0")
    assert [int(promise_days(instance, tables, flows, frame, TOUR, day=day)[0][0, 0, 0]) for day in range(7)] == [
        4,
        3,
        2,
        1,
        7,
        6,
        5,
    ]
