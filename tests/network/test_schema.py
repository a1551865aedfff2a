"""The declaration of the feed is whole: what it refers to exists, and what it says can be read."""

import re

import polars as pl
import pytest

from postroad.network.instance import MODES
from postroad.network.schema import (
    ACCESS_KINDS,
    CORE_KINDS,
    FACILITY_KINDS,
    LABELS,
    REGIONS,
    Interval,
    known_parameters,
    table,
    tables,
)

COLUMNS = [(one.name, column) for one in tables().values() for column in one.declared]
HAN = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize(("name", "column"), COLUMNS, ids=lambda value: getattr(value, "name", value))
def test_column(name, column):
    assert column.description.endswith(".")
    assert HAN.search(column.description_zh)
    assert not HAN.search(column.description)
    assert not (column.is_key and column.default), "a key has no default"
    if column.reference:
        target, target_column = column.reference
        assert target_column in table(target).key
    if column.default.startswith("="):
        assert table(name).column(column.default[1:]).dtype == column.dtype
    if column.interval:
        assert column.kind in ("int", "number", "clock")
    if column.kind == "enum":
        assert len(set(column.choices)) == len(column.choices) > 0
        assert column.default in ("", *column.choices)


@pytest.mark.parametrize("one", tables().values(), ids=lambda one: one.name)
def test_table(one):
    assert one.column_names[-2:] == ("label", "source")
    assert one.column("label").choices == LABELS
    assert one.column("label").default == "unverified"
    assert one.key
    assert one.empty().columns == list(one.column_names)
    assert len(set(one.column_names)) == len(one.column_names)


def test_times_of_trips_are_minutes_in_frames():
    for name in ("trips", "calls"):
        assert table(name).dtypes["depart"] == table(name).dtypes["arrive"] == pl.Int32
    assert table("windows").dtypes["start"] == pl.String
    assert "arrive_day" not in table("trips").column_names


def test_words_agree_with_the_compiler():
    assert table("facilities").column("kind").choices == FACILITY_KINDS
    assert set(ACCESS_KINDS) | set(CORE_KINDS) == set(FACILITY_KINDS)
    assert not set(ACCESS_KINDS) & set(CORE_KINDS)
    assert table("places").column("region").choices == REGIONS
    for name, column in (("lanes", "mode"), ("vehicles", "mode"), ("restrictions", "mode"), ("transfers", "to_mode")):
        assert table(name).column(column).choices == MODES


def test_unknown_column_is_a_key_error():
    with pytest.raises(KeyError):
        table("trips").column("departure")


def test_parameters_hold_their_own_defaults():
    assert all(known.interval.contains(known.default) for known in known_parameters().values())
    shares = [known.default for name, known in known_parameters().items() if name.startswith("tour_share_")]
    assert len(shares) == 8
    assert sum(shares) == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("[0,1]", (0, 0.5, 1), (-0.1, 1.1)),
        ("(0,)", (0.1, 1e9), (0, -1)),
        ("[0,20160)", (0, 20159), (-1, 20160)),
        ("(,5]", (-1e9, 5), (5.1,)),
    ],
)
def test_interval(text, inside, outside):
    interval = Interval.parse(text)
    assert all(interval.contains(value) for value in inside)
    assert not any(interval.contains(value) for value in outside)
    values = pl.DataFrame({"x": [*map(float, inside), *map(float, outside)]})
    found = values.select(interval.outside(pl.col("x")))[:, 0].to_list()
    assert found == [False] * len(inside) + [True] * len(outside)


def test_an_unbounded_interval_has_no_outside():
    assert pl.DataFrame({"x": [1.0]}).select(Interval.parse("(,)").outside(pl.col("x")))[0, 0] is False
