"""Frames that follow from a run's record are what the report declares."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from kit.journeys import random_journeys
from kit.report_data import facts, report_data
from kit.runs import run_instance, run_loads, run_tables
from postroad.measure import make_record, measure_record
from postroad.measure.paired import pair_measures
from postroad.report.collection import difference_frame, record_frames
from postroad.report.data import Comparison, ReportData, check_frame
from postroad.report.run import render_report
from postroad.report.text import Text
from postroad.twin.result import Counts

N_HOURS = 48


def make_counts() -> Counts:
    created = np.minimum(np.arange(N_HOURS) * 100, 2400)
    delivered = np.maximum(created - 500, 0)
    zero = np.zeros(N_HOURS, np.int64)
    return Counts(created, delivered, zero, zero, created - delivered)


@pytest.fixture(scope="module")
def collected() -> SimpleNamespace:
    load, run = run_loads()
    rng = np.random.default_rng(4)
    names = ("sorted_items", "screened_items", "backlog_in", "backlog_out", "delivered_items")
    arrays = {name: rng.integers(0, 90, (4, N_HOURS)) for name in names} | {"load_items": load, "run_legs": run}
    journeys = random_journeys(6, 800, n_fac=4, n_days=1)
    products = pl.DataFrame({"product_id": ["p0", "p1"], "name": ["甲", "乙"], "name_en": ["One", None]})
    instance = replace(run_instance(), prod_id=("p0", "p1"))
    tables = run_tables() | {"products": products}
    names = (pl.col("facility_id") + " 中心").alias("name"), pl.lit(None, dtype=pl.String).alias("name_en")
    tables["facilities"] = tables["facilities"].with_columns(names)
    n_released = int(journeys.n_items.sum())
    record = make_record(
        instance, tables, journeys, arrays, n_released=n_released, n_release_days=1, year=2025, last_day=0
    )
    return SimpleNamespace(record=record, tables=tables, frames=record_frames(record, tables, make_counts(), "run r"))


def test_every_frame_is_as_declared(collected):
    for name, frame in collected.frames.items():
        assert not frame.is_empty(), name
        check_frame(name, frame)


def test_the_frames_make_a_report(collected):
    data = ReportData(
        title=Text("Run", "运行"),
        subtitle=Text("", ""),
        facts=replace(facts(), n_hours=N_HOURS, measured_from_h=0, measured_to_h=24),
        **collected.frames,
    )
    text = render_report(data)
    for part in ("centres", "lanes", "destinations", "cost", "carbon", "labels", "measures_by_product"):
        assert f'data-table="{part}"' in text


def test_figures_are_those_of_the_record(collected):
    headline = dict(collected.frames["headline"].select("measure_id", "value").iter_rows())
    for name in ("n_items", "total_h", "on_time_share", "gco2e_per_item"):
        assert headline[name] == measure_record(collected.record, [name])["value"][0]
    hours = collected.record.hours
    busiest = collected.frames["facilities"].row(0, named=True)
    index = hours.instance.fac_id.index(busiest["facility_id"])
    assert busiest["sorted_items"] == hours.sorted_items[index, :24].sum()
    assert busiest["peak_backlog_items"] == hours.backlog_in[index, :24].max()
    one = collected.frames["centre_hourly"].filter(facility_id="F1", hour=30).row(0, named=True)
    assert one["sorted"] == hours.sorted_items[1, 30]
    assert one["backlog_out"] == hours.backlog_out[1, 30]
    assert one["capacity"] == 100


def test_hours_sum_to_the_items_timed(collected):
    timed = measure_record(collected.record, ["total_h"])["n_items"][0]
    assert collected.frames["hours"]["n_items"].sum() == timed


def test_classes_are_named_in_both_languages(collected):
    frame = collected.frames["measures"]
    named = set(frame.select("by", "key", "key_en", "key_zh").iter_rows())
    assert ("product", "p0", "One", "甲") in named
    assert ("product", "p1", "p1", "乙") in named
    assert ("all", "all", "all", "合计") in named
    assert any(by == "release_hour" and en == f"{int(key):02d}:00" for by, key, en, _ in named)


def test_labels_of_all_tables_are_counted(collected):
    counts = collected.frames["label_counts"]
    vehicles = counts.filter(table="vehicles")
    assert vehicles.select("label", "n_values").rows() == [("modelled", collected.tables["vehicles"].height)]


def test_differences_of_two_runs_fit_the_comparison(collected):
    base = measure_record(collected.record, ["total_h", "on_time_share"])
    other = base.with_columns(value=pl.col("value") * 1.5)
    frame = difference_frame(pair_measures(base, other), "both")
    made = Comparison(name=Text("x", "某"), note=Text("", ""), differences=frame)
    row = made.differences.filter(measure_id="total_h").row(0, named=True)
    assert row["difference"] == pytest.approx(0.5 * row["base"])
    assert row["name_zh"] == "全程时限"
    assert replace(report_data(), comparison=made).comparison is made
