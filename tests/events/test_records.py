"""Records of a JSON text: column by column and one by one give the same."""

import json
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.core.ids import uuid7
from postroad.events import records as module
from postroad.events.columns import schema
from postroad.events.envelope import read_records
from postroad.events.records import frame_records

PLAIN = {
    "event_id": str(UUID(int=1)),
    "kind": "departed",
    "occurred_at": "2025-11-11T09:30:00+08:00",
    "recorded_at": "2025-11-11T01:30:00.125Z",
    "item_id": "ZA000000015CN",
    "label": "measured",
}
ODD = [
    {"kind": "beamed"},
    {"kind": "delivered", "item_id": None, "facility_id": "F"},
    {"kind": "correction"},
    {"kind": "correction", "follows": str(UUID(int=9))},
    {"occurred_at": "2025-11-11T09:30:00"},
    {"occurred_at": "2025-11-11 09:30+08:00"},
    {"occurred_at": 1762824600},
    {"item_id": ""},
    {"item_id": 5},
    {"event_id": "1"},
    {"event_id": "{00000000000000000000000000000001}    "},
    {"event_id": None},
    {"label": "certain"},
    {"name": "张三"},
    {"related": {"to": "WUH"}},
    {"related": {"b": "2", "a": "1"}, "raw": {"code": "X"}, "payload": {"b": 1, "a": [2]}},
    {"raw": {"code": 5}},
    {"related": ["to"]},
]


def one_by_one(records):
    rows, places, findings = read_records(records)
    return pa.Table.from_pylist(rows, schema=schema("events")), places, findings


def told(answer):
    table, places, findings = answer
    return table.to_pylist(), list(places), [(one.code, one.row, one.column, one.value) for one in findings]


@pytest.mark.parametrize("change", ODD)
def test_what_is_odd_is_read_the_same(change):
    odd = PLAIN | change
    for records in ([odd], [PLAIN, odd, PLAIN | {"event_id": str(UUID(int=3))}]):
        assert told(frame_records(records)) == told(one_by_one(records))


@pytest.mark.parametrize("records", [[], [5], ["x", PLAIN], [None]])
def test_what_is_no_record(records):
    assert told(frame_records(records)) == told(one_by_one(records))


def test_a_record_without_id_gets_one():
    table, _, findings = frame_records([{name: value for name, value in PLAIN.items() if name != "event_id"}])
    assert table["event_id"][0].as_py()
    assert not findings


@given(
    st.lists(
        st.fixed_dictionaries(
            {"kind": st.sampled_from(["departed", "arrived", "delayed", "delivered"])},
            optional={
                "item_id": st.sampled_from(["A", "测试", None]),
                "trip_id": st.sampled_from(["T", None]),
                "reason": st.text(max_size=3),
                "payload": st.none() | st.just({"x": 1.5}),
                "occurred_at": st.datetimes().map(lambda at: f"{at.isoformat()}+05:30"),
            },
        ),
        max_size=8,
    )
)
def test_any_records_are_read_the_same(changes):
    records = [PLAIN | {"event_id": str(uuid7())} | change for change in changes]
    assert told(frame_records(records)) == told(one_by_one(records))


def test_plain_records_are_read_by_columns(monkeypatch):
    monkeypatch.setattr(module, "read_records", None)
    records = json.loads(json.dumps([PLAIN | {"event_id": str(uuid7()), "related": {"to": "WUH"}}] * 3))
    assert frame_records(records)[0].num_rows == 3
