"""The design of the line-haul and its timetable."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroad.reference.design import assign_homes, design_shape, plan_line_haul
from postroad.reference.road import build_road
from postroad.reference.sizes import SIZES
from postroad.reference.sources import Cities, Rules, load_cities, read_source
from postroad.reference.timetable import LaneSet, departure_minutes, number_trips, ready_profile, timetable

RULES = Rules.read()


def line_of_cities(n: int, step_km: float, od: np.ndarray) -> Cities:
    """Cities along a straight road; the first and the last are hubs-to-be."""
    km = np.abs(np.subtract.outer(np.arange(n), np.arange(n))) * step_km
    frame = pl.DataFrame({"city_code": [f"{i:06d}" for i in range(n)], "province_code": ["01"] * n})
    return Cities(tuple(frame["city_code"]), frame, km / 1.2, km, np.zeros_like(km), od, np.ones(n, bool))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.floats(10, 1e5))
def test_items_are_conserved_at_every_city(seed, level):
    rng = np.random.default_rng(seed)
    n = 7
    od = rng.exponential(level, (n, n))
    cities = line_of_cities(n, 180.0, od)
    homes = assign_homes(cities, ["000001", "000005"], RULES)
    plan = plan_line_haul(od, cities, homes, RULES)
    between = od - np.diag(np.diag(od))
    outgoing, incoming = plan.load.sum(axis=1), plan.load.sum(axis=0)
    np.testing.assert_allclose(outgoing, between.sum(axis=1) + plan.transit, rtol=1e-9)
    np.testing.assert_allclose(incoming, between.sum(axis=0) + plan.transit, rtol=1e-9)
    assert (plan.transit[[0, 2, 3, 4, 6]] == 0).all()  # only hubs pass items on
    assert (plan.load[plan.departures == 0] == 0).all()


def test_a_pair_that_fills_vehicles_goes_direct_and_a_thin_one_over_a_hub():
    od = np.zeros((5, 5))
    od[0, 4], od[4, 0] = 200_000, 50
    cities = line_of_cities(5, 300.0, od)
    plan = plan_line_haul(od, cities, assign_homes(cities, ["000002"], RULES), RULES)
    assert plan.load[0, 4] > 0.9 * 200_000
    assert plan.load[4, 0] == 0
    assert plan.load[4, 2] == pytest.approx(50 + 0)
    assert plan.load[2, 0] == pytest.approx(50)


def test_homes_prefer_the_own_province():
    cities = line_of_cities(4, 100.0, np.zeros((4, 4)))
    frame = cities.frame.with_columns(province_code=pl.Series(["01", "01", "02", "02"]))
    cities = Cities(cities.codes, frame, cities.gc_km, cities.road_km, cities.rail_km, cities.od_items, cities.on_road)
    homes = assign_homes(cities, ["000000", "000002"], RULES)
    assert homes.home.tolist() == [0, 0, 2, 2]  # city 1 lies half-way


def test_departures_take_equal_shares_of_what_becomes_ready():
    counts = np.array([4, 1, 50])
    lane, minute = departure_minutes(counts, 0.9, np.array([False, False, True]), RULES)
    assert np.bincount(lane).tolist() == counts.tolist()
    assert ((minute >= 0) & (minute < 1440) & (minute % 5 == 0)).all()
    for number, from_hub in ((0, False), (2, True)):
        at, share = ready_profile(RULES, from_hub)
        unrolled = np.where(
            minute[lane == number] < at[0] % 1440, minute[lane == number] + 1440, minute[lane == number]
        )
        taken = np.interp(unrolled + (at[0] // 1440) * 1440, at, share)
        steps = np.diff(np.sort(taken))
        assert np.abs(steps - 1 / counts[number]).max() < 0.02


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(5, 3000), st.floats(0, 3e5), st.floats(1, 3)), min_size=1, max_size=12))
def test_the_timetable_carries_its_load_with_headroom(lanes):
    km, load, ratio = (np.array(column) for column in zip(*lanes, strict=True))
    n = len(km)
    names = np.array([f"A-{number}" for number in range(n)], dtype=object)
    lane_set = LaneSet(
        names, km, np.zeros(n, np.int64), load, load * ratio, np.full(n, 2), np.full(n, 1.15), np.zeros(n, bool)
    )
    trips = timetable(lane_set, RULES)
    assert trips["trip_id"].n_unique() == trips.height
    assert (trips["arrive"] > trips["depart"]).all()
    seats = items_by_vehicle()
    carried = trips.with_columns(items=pl.col("vehicle_id").replace_strict(seats, return_dtype=pl.Float64))
    daily = dict(carried.filter(service_id="daily").group_by("lane_id").agg(pl.col("items").sum()).iter_rows())
    both = dict(carried.group_by("lane_id").agg(pl.col("items").sum()).iter_rows())
    for number, name in enumerate(names):
        assert daily[name] * RULES.planned_fill >= load[number] * 1.15 * (1 - 1e-9)
        assert both[name] * RULES.planned_fill >= load[number] * ratio[number] * 1.15 * (1 - 1e-9)


def items_by_vehicle() -> dict[str, float]:
    """Items of the design mix that fill each vehicle, worked out from the vehicle table alone."""
    rows = read_source("rules/vehicles.csv").iter_rows(named=True)
    return {row["vehicle_id"]: min(row["payload_kg"] / RULES.mean_kg, row["volume_m3"] / RULES.mean_m3) for row in rows}


def test_trips_of_one_minute_are_numbered():
    frame = pl.DataFrame(
        {
            "lane_id": ["A-B", "A-B", "A-C"],
            "vehicle_id": ["t"] * 3,
            "service_id": ["daily"] * 3,
            "depart": pl.Series([495, 495, 495], dtype=pl.Int32),
            "arrive": pl.Series([600, 600, 600], dtype=pl.Int32),
            "n_vehicles": [1, 1, 1],
        }
    )
    assert number_trips(frame)["trip_id"].to_list() == ["A-B-0815", "A-B-0815-2", "A-C-0815"]


@pytest.mark.parametrize("year", [2023, 2025])
def test_the_national_line_haul_carries_the_design_days(year):
    """Every lane of the real design has room for its load on the mean day and on the surge day."""
    cities, size = load_cities(), SIZES[year]
    homes = assign_homes(cities, read_source("rules/hubs.csv")["city_code"].to_list(), RULES)
    day = design_shape(cities, size)
    mean = plan_line_haul(day * size.mean_items(RULES), cities, homes, RULES)
    surge = plan_line_haul(day * size.surge_items(RULES), cities, homes, RULES)
    road = build_road(cities, [str(code) for code in cities.codes], homes, mean, surge, RULES)
    items = pl.col("vehicle_id").replace_strict(items_by_vehicle(), return_dtype=pl.Float64)
    able = road.trips.group_by("lane_id").agg(
        all=items.sum(), daily=items.filter(pl.col("service_id") == "daily").sum()
    )
    lanes = road.lanes.join(able, on="lane_id", how="left", maintain_order="left")
    assert (lanes["all"].to_numpy() * RULES.planned_fill >= road.surge_load * RULES.headroom * 0.999999).all()
    assert (lanes["daily"].to_numpy() * RULES.planned_fill >= road.load * RULES.headroom * 0.999999).all()
    between = np.where(np.outer(cities.on_road, cities.on_road), day, 0) - np.diag(np.diag(day))
    through = surge.load.sum() - surge.transit.sum()
    assert through == pytest.approx(between.sum() * size.surge_items(RULES), rel=1e-9)
