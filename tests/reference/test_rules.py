"""The builder's small parts: distances, codes, capacities, vehicles and shares."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.core.errors import InputError, InternalError, NotFound
from postroad.reference.air import share_out
from postroad.reference.build import build
from postroad.reference.capacity import hourly_capacity, wave_capacities
from postroad.reference.codes import centre_codes
from postroad.reference.draft import Draft
from postroad.reference.fleet import choose_trucks, feeder_min, line_haul_trucks, trip_min
from postroad.reference.geometry import great_circle_km
from postroad.reference.sources import Rules, load_cities, read_source, road_circuity

RULES = Rules.read()


def test_great_circle_agrees_with_published_distances():
    paris_new_york = great_circle_km(2.55, 49.0097, -73.7789, 40.6397)
    assert paris_new_york == pytest.approx(5837, abs=15)  # CDG-JFK, Great Circle Mapper
    assert great_circle_km(116.4, 39.9, 116.4, 39.9) == 0.0


def test_a_centre_is_named_after_its_main_airport_or_its_city():
    codes = centre_codes()
    assert len(set(codes.values())) == len(codes) == 372
    assert max(map(len, codes.values())) <= 12
    known = {"330100": "HGH", "650100": "URC", "440100": "CAN", "420100": "WUH", "610100": "XIY", "320500": "SUZHOU"}
    assert {city: codes[city] for city in known} == known
    assert codes["341300"] == "SUZHOU-AH"  # the less populous city of that name adds its province
    assert codes["361000"] == "FUZHOU-JX"  # the plain name is the namesake's even where that one has an airport code


def test_a_missing_source_names_its_path():
    with pytest.raises(InputError) as caught:
        read_source("rules/nowhere.csv")
    assert caught.value.code == "PR-P101"
    assert "rules/nowhere.csv" in str(caught.value)


def test_an_unknown_rule_is_refused():
    assert Rules.read(headroom=2).headroom == 2.0
    with pytest.raises(InputError) as caught:
        Rules.read(headrom=2)
    assert caught.value.code == "PR-P102"
    with pytest.raises(AttributeError):
        _ = RULES.no_such_rule


def test_an_unknown_feed_names_those_there_are():
    with pytest.raises(NotFound) as caught:
        build("china-1999")
    assert caught.value.code == "PR-P103"
    assert "china-2025" in caught.value.message()


def test_a_draft_refuses_columns_that_the_table_does_not_have():
    with pytest.raises(InternalError) as caught:
        Draft().add("places", [{"place_id": "X", "colour": "red"}])
    assert caught.value.code == "PR-P104"


def test_a_draft_fills_defaults_and_keeps_the_declared_columns():
    draft = Draft()
    draft.add("service_areas", [{"facility_id": "A", "place_id": "P"}], label="modelled", source="test")
    row = draft.tables()["service_areas"].row(0, named=True)
    assert row["collects"] is True
    assert row["deliveries_per_week"] == 7.0
    assert row["label"] == "modelled"


@given(st.floats(0, 1e8), st.floats(4, 24))
def test_capacity_covers_the_load_with_its_margin(items, hours):
    capacity = hourly_capacity(items, hours, RULES, 2000)
    needed = max(items * RULES.capacity_margin / hours, 2000)
    assert needed <= capacity < needed + 20 * RULES.sort_step
    assert capacity % RULES.sort_step == 0


@given(st.floats(0, 1e8), st.integers(1, 4))
def test_waves_together_take_the_day_with_its_margin(items, n_waves):
    waves = wave_capacities(items, n_waves, RULES)
    assert len(waves) == n_waves
    assert sum(waves) >= items * RULES.wave_margin


def test_driving_rests_twenty_minutes_after_every_four_hours():
    rules = Rules.read(long_speed_kmh=72)
    minutes = feeder_min(np.array([45.0, 288.0, 289.0, 577.0]), rules)
    assert minutes.tolist() == [60, 240, 261, 521]  # 288 km at 72 km/h are just four hours: no rest is due yet


@given(st.floats(1, 4000))
def test_the_dwell_of_operators_stands_on_trips_between_cities_only(km):
    between, inside = trip_min(np.array([km]), RULES).item(), feeder_min(np.array([km]), RULES).item()
    assert between - inside == pytest.approx(RULES.consolidation_min, abs=10)  # no trip is shorter than ten minutes
    assert between > RULES.consolidation_min


@given(st.lists(st.floats(1, 5000), min_size=2, max_size=20))
def test_a_longer_road_never_takes_less_within_a_speed_band(lengths):
    longer = trip_min(np.sort(np.array(lengths)) + RULES.short_trip_km, RULES)
    assert (np.diff(longer) >= 0).all()


def test_the_largest_truck_that_fills_is_chosen():
    vehicle, seats, yuan_per_km = choose_trucks(
        np.array([0.0, 9_000.0, 100_000.0]), np.array([50.0, 500.0, 1500.0]), np.array([1, 2, 2]), RULES
    )
    assert vehicle.tolist() == ["truck-4m2", "truck-6m8", "truck-17m5"]
    assert (np.diff(seats) > 0).all()
    assert (np.diff(yuan_per_km) < 0).all()  # a larger vehicle is cheaper by item


def test_trucks_hold_what_weight_or_volume_allows():
    for truck in line_haul_trucks(RULES):
        row = read_source("rules/vehicles.csv").row(by_predicate=_is(truck.vehicle_id), named=True)
        assert truck.n_items * RULES.mean_kg <= row["payload_kg"] * 1.0001
        assert truck.n_items * RULES.mean_m3 <= row["volume_m3"] * 1.0001


def _is(vehicle_id: str) -> pl.Expr:
    return pl.col("vehicle_id") == vehicle_id


@given(st.integers(0, 500), st.lists(st.floats(0.01, 100), min_size=1, max_size=30))
def test_shares_are_whole_and_sum_to_the_total(total, weights):
    shares = share_out(total, weights)
    exact = np.array(weights) / sum(weights) * total
    assert sum(shares) == total
    assert np.abs(np.array(shares) - exact).max() < 1.0 + 1e-9


def test_cities_hold_the_published_total_and_symmetric_roads():
    cities = load_cities()
    total = float(cities.od_items.sum())
    assert total == pytest.approx(RULES.mean_day_2023_items, rel=1e-6)  # its rows are whole items
    assert (cities.road_km == cities.road_km.T).all()
    assert (cities.road_km[cities.gc_km > 30] > 0).all()
    assert cities.on_road.sum() == 372 - 4  # Hong Kong, Macao, Taiwan and the islands of Sansha are not on the road
    beijing, shanghai = cities.index["110100"], cities.index["310100"]
    assert cities.road_km[beijing, shanghai] == pytest.approx(1213, rel=0.04)  # G2 Beijing-Shanghai: 1,213 km


def test_circuity_falls_with_distance():
    assert (np.diff(road_circuity(np.array([10.0, 70.0, 300.0, 1000.0]))) < 0).all()
