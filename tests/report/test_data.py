"""What a report refuses to be drawn from."""

from __future__ import annotations

import csv
from dataclasses import replace
from importlib.resources import files

import polars as pl
import pytest

from kit.report_data import report_data
from postroad.core.errors import InputError
from postroad.report.data import ReportData, check_frame, empty_frame


def refuse(code: str, **changes: object) -> InputError:
    with pytest.raises(InputError) as refusal:
        replace(report_data(), **changes)
    assert refusal.value.code == code
    assert refusal.value.message("zh") != refusal.value.message("en")
    return refusal.value


def test_a_missing_column_is_named():
    error = refuse("PR-P001", lanes=report_data().lanes.drop("mode"))
    assert "'lanes'" in error.message()
    assert "'mode'" in error.message()


def test_an_unknown_label_is_refused():
    error = refuse("PR-P002", cost=report_data().cost.with_columns(label=pl.lit("guessed")))
    assert "'guessed'" in error.message()


def test_a_missing_label_is_refused():
    refuse("PR-P002", cost=report_data().cost.with_columns(label=pl.lit(None, dtype=pl.String)))


def test_a_column_of_another_type_is_refused():
    error = refuse("PR-P006", hours=report_data().hours.with_columns(pl.col("hour").cast(pl.String)))
    assert "String, not integer" in error.message()


def test_items_that_vanish_are_refused():
    hourly = report_data().hourly
    broken = hourly.with_columns(
        delivered=pl.when(pl.col("hour") == 90).then(pl.col("delivered") - 1).otherwise("delivered")
    )
    error = refuse("PR-P007", hourly=broken)
    assert "at hour 90" in error.message()


def test_optional_columns_may_be_empty_or_left_out():
    data = report_data()
    facilities = data.facilities.drop("region").with_columns(clear_hour=pl.lit(None))
    assert replace(data, facilities=facilities).facilities.height == data.facilities.height


def test_every_frame_of_the_report_is_declared_and_may_be_empty():
    with files("postroad.report").joinpath("frames.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert all(row["description"] and row["type"] in ("text", "integer", "number") for row in rows)
    for name in {row["frame"] for row in rows}:
        check_frame(name, empty_frame(name))
    fields = {
        field for field in ReportData.__dataclass_fields__ if isinstance(getattr(report_data(), field), pl.DataFrame)
    }
    assert fields <= {row["frame"] for row in rows}
