"""Frames are read exactly or refused with the column named."""

from datetime import UTC, datetime

import polars as pl
import pyarrow as pa
import pytest

from kit.ledger import make_event, make_frame
from postroad.core.errors import InputError
from postroad.events.columns import columns, conform, empty_frame, schema

AT = datetime(2025, 11, 11, tzinfo=UTC)


def codes(frame, table="events"):
    return [(finding.code, finding.column) for finding in conform(frame, table)[1]]


def test_a_polars_frame_is_read_as_declared():
    frame = make_frame(
        make_event(1, "accepted", related=[{"role": "to", "id": "URC"}], raw={"code": "A", "text": None})
    )
    table, findings = conform(frame, "events")
    assert len(findings) == 0
    assert table.column_names == schema("events").names
    assert pl.from_arrow(table.cast(schema("events"))).equals(frame)


def test_an_unknown_column_is_named_with_its_neighbour():
    frame = make_frame(make_event(1, "accepted")).rename({"facility_id": "facilityid"})
    finding = next(iter(conform(frame, "events")[1]))
    assert finding.code == "PR-L101"
    assert "did you mean 'facility_id'" in finding.message()
    assert "是否为“facility_id”" in finding.message("zh")


@pytest.mark.parametrize("name", ["receiver_name", "phone", "address"])
def test_personal_data_has_no_column(name):
    assert codes(make_frame(make_event(1, "accepted")).with_columns(pl.lit("x").alias(name))) == [("PR-L101", name)]


def test_a_missing_column_is_named():
    assert codes(make_frame(make_event(1, "accepted")).drop("label", "kind")) == [
        ("PR-L102", "kind"),
        ("PR-L102", "label"),
    ]


def test_columns_that_are_not_required_may_be_left_out():
    needed = [name for name, column in columns("events").items() if column.required]
    assert codes(make_frame(make_event(1, "accepted")).select(needed)) == []


def test_naive_instants_are_refused():
    frame = make_frame(make_event(1, "accepted")).with_columns(pl.lit(datetime(2025, 1, 1)).alias("occurred_at"))
    assert codes(frame) == [("PR-L104", "occurred_at")]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("occurred_at", pl.Series([1_700_000_000])),
        ("occurred_at", pl.Series(["2025-11-11T00:00Z"])),
        ("kind", pl.Series([7])),
        ("event_id", pl.Series(["0" * 32])),
        ("raw", pl.Series(["text"])),
    ],
)
def test_odd_types_are_refused(name, values):
    assert codes(make_frame(make_event(1, "accepted")).with_columns(values.alias(name))) == [("PR-L103", name)]


def test_instants_of_other_units_and_zones_stay_the_same_instants():
    frame = make_frame(make_event(1, "accepted")).with_columns(
        pl.lit(AT).dt.cast_time_unit("ms").dt.convert_time_zone("Asia/Shanghai").alias("occurred_at")
    )
    assert conform(frame, "events")[0]["occurred_at"].to_pylist() == [AT]


def test_instants_finer_than_a_microsecond_are_refused():
    column = pa.array([1], pa.timestamp("ns", tz="UTC"))
    table = make_frame(make_event(1, "accepted")).to_arrow()
    assert codes(table.set_column(table.column_names.index("recorded_at"), "recorded_at", column)) == [
        ("PR-L103", "recorded_at")
    ]


def test_text_may_be_dictionary_encoded_and_in_pieces():
    one = pa.table({"kind": pa.array(["accepted", None]).dictionary_encode()})
    two = pa.table({"kind": pa.array(["delivered"]).dictionary_encode()})
    table, _ = conform(pa.concat_tables([one, two]), "events")
    assert table["kind"].num_chunks == 1
    assert table["kind"].to_pylist() == ["accepted", None, "delivered"]
    plain = pa.concat_tables([pa.table({"kind": ["accepted"]}), pa.table({"kind": ["delivered"]})])
    assert conform(plain, "events")[0]["kind"].to_pylist() == ["accepted", "delivered"]


def test_what_is_no_frame_is_refused():
    with pytest.raises(InputError) as caught:
        conform([{"kind": "accepted"}], "events")
    assert caught.value.code == "PR-L103"


def test_numbers_of_flows_must_fit():
    frame = empty_frame("flows").cast({"n_attempts": pl.Int64})
    assert codes(frame, "flows") == []
    wide = pl.DataFrame({"n_attempts": [1000]})
    assert ("PR-L103", "n_attempts") in codes(wide, "flows")
