"""The record of a run, its tables, and the definitions on a second SQL engine."""

from __future__ import annotations

import math
import sqlite3

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from kit.journeys import random_journeys, small_dims
from kit.runs import run_instance, run_loads, run_tables
from postroad.core.errors import InputError
from postroad.measure import Record, find, make_record, measure, measure_record, measures, tally
from postroad.measure.page import write_page
from postroad.measure.rankings import (
    distribute_hours,
    tabulate_centres,
    tabulate_destinations,
    tabulate_lanes,
    tabulate_pairs,
)
from postroad.measure.sql import quantile_sql, reach_sql, sums_sql

DIMS = small_dims()


def make_small_record() -> Record:
    load, run = run_loads()
    rng = np.random.default_rng(4)
    names = ("sorted_items", "screened_items", "backlog_in", "backlog_out", "delivered_items")
    arrays = {name: rng.integers(0, 90, (4, 48)) for name in names} | {"load_items": load, "run_legs": run}
    journeys = random_journeys(6, 800, n_fac=4, n_days=1)
    released = int(journeys.n_items.sum()) * 2
    return make_record(
        run_instance(), run_tables(), journeys, arrays, n_released=released, n_release_days=2, year=2025, last_day=0
    )


RECORD = make_small_record()


def test_every_registered_measure_can_be_taken_of_a_record():
    frame = measure_record(RECORD, measures())
    assert frame["measure"].to_list() == list(measures())
    assert set(frame["label"]) == {"modelled"}
    assert frame.filter(measure="fill_share")["value"].is_between(0, 1).all()


def test_names_carry_their_unit():
    suffixes = {"h": "_h", "share": "_share", "yuan": "_yuan", "km": "_km", "tkm": "_tkm"}
    for one in measures().values():
        if one.unit in suffixes:
            assert one.name.endswith(suffixes[one.unit]), one.name
        elif "/" in one.unit:
            assert one.name.endswith("_per_item"), one.name
        else:
            assert one.name.startswith("n_") or one.name == "gco2e", one.name
        assert one.title_zh
        assert one.definition_zh
        assert one.better in ("lower", "higher", "none")


def test_days_limit_loads_and_hours():
    runs = measure_record(RECORD, ["n_vehicle_runs"], "service_day")
    assert runs["service_day"].to_list() == [0]
    sorted_items = measure_record(RECORD, ["n_sorted"])["value"].item()
    assert sorted_items == RECORD.hours.sorted_items[:, :24].sum()


def test_accounts_add_up_by_element_mode_and_product():
    for name, groups in (("cost_yuan", ("element", "mode")), ("gco2e", ("element", "mode", "product"))):
        whole = measure_record(RECORD, [name])["value"].item()
        for by in groups:
            assert measure_record(RECORD, [name], by)["value"].sum() == pytest.approx(whole)
    per_item = measure_record(RECORD, ["gco2e_per_item", "gco2e"])["value"].to_list()
    assert per_item[0] == pytest.approx(per_item[1] / RECORD.tally.n_items)


def test_a_record_falls_back_on_its_journeys():
    frame = measure_record(RECORD, ["total_h", "n_items"], "origin_facility")
    assert frame.filter(measure="n_items")["value"].sum() == RECORD.tally.n_items


def test_distribution_holds_every_timed_item():
    summary = tally(random_journeys(2, 700), DIMS)
    spread = distribute_hours(summary)
    timed = measure(summary, DIMS, ["total_h"], "product")
    for product in ("express", "economy"):
        part = spread.filter(product=product)
        assert part["n_items"].sum() == timed.filter(product=product)["n_items"].item()
        assert part["upto_share"][-1] == pytest.approx(1.0)
    wide = distribute_hours(summary, (), width_h=6)
    assert set(wide["hour"] % 6) == {0}
    assert wide["n_items"].sum() == spread["n_items"].sum()


def test_worst_pairs_come_first_and_carry_names():
    summary = tally(random_journeys(2, 700), DIMS)
    worst = tabulate_pairs(summary, n=5, min_items=50)
    assert worst["total_h"].is_sorted(descending=True)
    assert worst["n_items"].min() >= 50
    assert worst["origin_zh"].null_count() == 0
    late = tabulate_pairs(summary, n=5, worst_by="on_time_share", min_items=50)
    assert late["on_time_share"].is_sorted()
    assert tabulate_destinations(summary)["n_items"].sum() == summary.n_items


def test_centres_and_lanes():
    centres = tabulate_centres(RECORD)
    assert centres["facility_id"].to_list() and set(centres["facility_id"]) == {"F0", "F1", "F2"}
    assert centres["peak_backlog_items"].is_sorted(descending=True)
    row = centres.filter(facility_id="F0").row(0, named=True)
    assert row["use_share"] == pytest.approx(RECORD.hours.sorted_items[0, :24].sum() / 2400)
    assert row["busiest_share"] == pytest.approx(RECORD.hours.sorted_items[0, :24].max() / 100)
    lanes = tabulate_lanes(RECORD)
    assert lanes["fill_share"].is_sorted(descending=True)
    assert lanes.filter(from_facility="F0")["items_per_day"].item() == 16000
    assert lanes.filter(from_facility="F0")["trips_per_day"].item() == 2


def test_refusals():
    bare = Record(DIMS, tally(random_journeys(1, 20), DIMS))
    for call in (
        lambda: measure_record(bare, ["fill_share"]),
        lambda: measure_record(bare, ["n_sorted"]),
        lambda: measure_record(bare, ["cost_yuan"]),
        lambda: tabulate_centres(bare),
        lambda: tabulate_lanes(bare),
    ):
        with pytest.raises(InputError) as caught:
            call()
        assert caught.value.code == "PR-M008"
    with pytest.raises(InputError) as caught:
        measure_record(RECORD, ["cost_yuan"], "product")
    assert caught.value.code == "PR-M007"
    with pytest.raises(InputError) as caught:
        distribute_hours(RECORD.tally, "release_hour")
    assert caught.value.code == "PR-M004"


@pytest.fixture
def other_engine():
    """SQLite, as a second engine for the same statements."""
    connection = sqlite3.connect(":memory:")
    connection.create_function("FLOOR", 1, math.floor)
    tables = {
        "journeys": pl.from_arrow(random_journeys(8, 900).arrow()),
        "facilities": DIMS.facilities,
        "products": DIMS.products,
    }
    for name, frame in tables.items():
        connection.execute(f"CREATE TABLE {name} ({', '.join(frame.columns)})")
        marks = ", ".join("?" for _ in frame.columns)
        connection.executemany(f"INSERT INTO {name} VALUES ({marks})", frame.rows())
    yield connection
    connection.close()


@pytest.mark.parametrize("by", [[], ["product"], ["scope", "release_hour"], ["origin_province"]])
def test_another_engine_gives_the_same(other_engine, by):
    journeys = random_journeys(8, 900)
    sums = other_engine.execute(sums_sql(["total_item_min", "n_timed"], by)).fetchall()
    told = measure(journeys, DIMS, ["total_h"], by)
    assert sorted((*row[:-2], row[-2] / (60 * row[-1])) for row in sums) == sorted(told.select(*by, "value").rows())
    median = other_engine.execute(quantile_sql(50, by)).fetchall()
    told = measure(journeys, DIMS, ["total_p50_h"], by)
    assert sorted((*row[:-2], row[-2] / 60) for row in median) == sorted(told.select(*by, "value").rows())
    reach = find(["reach_1d_population_share"])[0]
    shares = other_engine.execute(reach_sql(reach, by)).fetchall()
    told = measure(journeys, DIMS, [reach.name], by)
    assert sorted((*row[:-3], row[-3] / row[-2]) for row in shares) == sorted(told.select(*by, "value").rows())


def test_the_reference_page_holds_every_measure_and_component():
    page = write_page()
    for name in measures():
        assert f"| `{name}` |" in page
    assert page.count("```sql") == 3
    assert_frame_equal(pl.DataFrame({"line": page.splitlines()[:1]}), pl.DataFrame({"line": ["# Measures 指标"]}))


def test_a_measure_named_twice_is_given_once():
    twice = measure_record(RECORD, ["total_h", "n_items", "total_h"], "product")
    assert_frame_equal(twice, measure_record(RECORD, ["total_h", "n_items"], "product"))
