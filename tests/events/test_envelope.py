"""One event is strict; a batch of them is not lost by one."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from kit.ledger import NOW, make_event, make_frame
from postroad.events.check import check_events
from postroad.events.columns import schema
from postroad.events.envelope import Event, frame_events, order_events
from postroad.events.kinds import kinds

FIELDS = {
    "kind": "accepted",
    "occurred_at": "2025-11-11T09:30+08:00",
    "recorded_at": "2025-11-11T09:31+08:00",
    "item_id": "ZA000000015CN",
    "label": "measured",
}


def test_the_envelope_has_the_columns_of_the_frame():
    assert list(Event.model_fields) == schema("events").names


def test_an_event_is_frozen_and_takes_no_further_field():
    event = Event(**FIELDS)
    with pytest.raises(ValidationError):
        event.kind = "delivered"
    with pytest.raises(ValidationError, match="Extra inputs"):
        Event(**FIELDS, receiver_name="Zhang San")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"occurred_at": "2025-11-11T09:30"}, "timezone"),
        ({"kind": "EMX"}, "closed list"),
        ({"item_id": None}, "names one of: item"),
        ({"kind": "correction"}, "which event it follows"),
        ({"label": "guessed"}, "label"),
        ({"event_id": "12"}, "UUID"),
    ],
)
def test_what_does_not_fit_is_refused(change, text):
    with pytest.raises(ValidationError, match=text):
        Event(**(FIELDS | change))


def test_a_new_event_has_a_new_id_of_version_7():
    one, two = Event(**FIELDS), Event(**FIELDS)
    assert one.event_id != two.event_id
    assert one.event_id.version == 7


def test_one_bad_record_does_not_lose_the_batch():
    records = [FIELDS, FIELDS | {"occurred_at": "yesterday"}, FIELDS | {"kind": "EMX", "raw": {"code": "7"}}]
    frame, findings = frame_events([*records, Event(**FIELDS)])
    assert frame["kind"].to_list() == ["accepted", "unknown", "accepted"]
    assert [(finding.code, finding.row, finding.column) for finding in findings] == [
        ("PR-L114", 3, "occurred_at"),
        ("PR-L106", 4, "kind"),
    ]
    assert frame["raw"].to_list()[1] == {"code": "7", "text": "[kind EMX]"}
    assert len(check_events(frame, NOW)) == 0


@pytest.mark.parametrize(
    ("raw", "kept"),
    [(None, {"code": "EMX", "text": None}), ({"text": "held"}, {"code": "EMX", "text": "held"})],
)
def test_an_unknown_code_is_kept(raw, kept):
    frame, findings = frame_events([FIELDS | {"kind": "EMX", "raw": raw}])
    assert frame["raw"].to_list() == [kept]
    assert findings.counts == {"PR-L106": 1}


def test_content_is_kept():
    follows = UUID(int=5)
    rest = {"related": {"unit": "B1", "to": "URC"}, "payload": {"c": [1, {"t": 4.5}]}, "follows": follows}
    frame, findings = frame_events([FIELDS | rest])
    row = frame.row(0, named=True)
    assert len(findings) == 0
    assert row["related"] == [{"role": "to", "id": "URC"}, {"role": "unit", "id": "B1"}]
    assert row["payload"] == '{"c": [1, {"t": 4.5}]}'
    assert row["follows"] == follows.bytes
    assert row["occurred_at"] == datetime(2025, 11, 11, 1, 30, tzinfo=UTC)


@given(st.permutations([(kind, minute) for minute in (0, 30) for kind in kinds() if kind != "correction"]))
def test_order_is_by_instant_then_rank_then_id(pairs):
    rows = [make_event(number, kind, minute) for number, (kind, minute) in enumerate(pairs)]
    found = order_events(make_frame(*rows))
    keys = [(row["occurred_at"], kinds()[row["kind"]].rank, row["event_id"]) for row in found.iter_rows(named=True)]
    assert keys == sorted(keys)
