"""EMSEVT records: each code both ways, round trips, and what is refused."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.core.errors import InputError
from postroad.events.check import check_events
from postroad.events.kinds import kinds
from postroad.exchange.upu.emsevt import (
    COLUMNS,
    events_from_records,
    format_csv,
    format_json,
    parse_csv,
    parse_json,
    records_of_events,
)

PUBLISHED = Path(__file__).parents[2] / "events" / "emsevt_v3_mapping.csv"
CODES = [row["emsevt"] for row in csv.DictReader(PUBLISHED.read_text(encoding="utf-8").splitlines())]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def records(*rows, **more):
    """A frame of records, one a mapping."""
    base = {"item_id": "RB123456785GB", "event": "EMD", "event_at": "2025-11-11T09:30:00+08:00"}
    full = [{**base, **row, **more} for row in rows]
    names = dict.fromkeys(name for row in full for name in row)
    return pl.DataFrame({name: [row.get(name) for row in full] for name in names}, schema_overrides={})


def test_there_are_25_codes():
    assert len(CODES) == 25


@pytest.mark.parametrize("code", CODES)
def test_each_code_both_ways(code):
    events, findings = events_from_records(records({"event": code, "office": "GBLALA"}))
    assert len(findings) == 0
    assert kinds()[events["kind"][0]].emsevt == code
    again, findings = records_of_events(events)
    assert len(findings) == 0
    assert again.row(0, named=True)["event"] == code
    assert again.row(0, named=True)["event_at"] == "2025-11-11T09:30:00+08:00"


RECORD = st.fixed_dictionaries(
    {
        "item_id": st.sampled_from(["RB123456785GB", "EE000000005CN", "LP000000080CN"]),
        "event": st.sampled_from(CODES),
        "event_at": st.builds(
            lambda at, offset: at.strftime("%Y-%m-%dT%H:%M:%S") + offset,
            st.datetimes(datetime(2020, 1, 2), datetime(2030, 1, 1)),
            st.sampled_from(["+00:00", "+08:00", "-05:00", "+05:30", "-03:30"]),
        ),
        "office": st.sampled_from([None, "CNBJSA", "GBLALA"]),
        "next_office": st.sampled_from([None, "USLAXA"]),
        "reason": st.sampled_from([None, "10", "A1"]),
        "action": st.sampled_from([None, "E"]),
        "signed": st.sampled_from([None, "0", "1"]),
        "despatch_id": st.sampled_from([None, "CNBJSAUSLAXAAUN30123"]),
        "receptacle_id": st.sampled_from([None, "CNBJSAUSLAXAAUN30123001100155"]),
    }
)


@given(st.lists(RECORD, min_size=1, max_size=8))
def test_records_survive_the_way_through_events(rows):
    sent = pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.String))
    events, findings = events_from_records(sent)
    assert len(findings) == 0
    assert check_events(events.unique("event_id"), NOW.replace(year=2040)).errors == []
    back, _ = records_of_events(events)
    assert back.select(sent.columns).to_dicts() == [
        {**row, "event_at": row["event_at"].replace("-03:30", "-03:30")} for row in rows
    ]
    for write, parse in ((format_csv, parse_csv), (format_json, parse_json)):
        read = parse(write(back))
        again, _ = events_from_records(read)
        assert again.equals(events, null_equal=True)


def test_what_has_no_row_of_its_own_goes_into_payload_and_related():
    frame = records(
        {"event": "EMH", "reason": "14", "action": "B", "signed": "0", "next_office": "USLAXA", "office": "CNBJSA"}
    )
    events, _ = events_from_records(frame, facilities={"CNBJSA": "BJS-X"})
    row = events.row(0, named=True)
    assert (row["facility_id"], row["reason"], row["label"]) == ("BJS-X", "14", "measured")
    assert row["related"] == [{"role": "to", "id": "USLAXA"}]
    assert json.loads(row["payload"]) == {"action": "B", "offset_min": 480, "signed": False, "standard": "EMSEVT"}
    assert row["raw"] == {"code": "EMH", "text": None}
    back, _ = records_of_events(events, offices={"BJS-X": "CNBJSA"})
    assert back["office"].to_list() == ["CNBJSA"]


def test_an_unknown_code_becomes_unknown_and_goes_out_again():
    events, findings = events_from_records(records({"event": "EZZ"}, {"event": "emi"}))
    assert events["kind"].to_list() == ["unknown", "delivered"]
    assert events["raw"].struct.field("code").to_list() == ["EZZ", "EMI"]
    assert findings.counts == {"PR-E310": 1}
    assert records_of_events(events)[0]["event"].to_list() == ["EZZ", "EMI"]


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ({"event_at": "2025-11-11T09:30:00"}, "event_at"),
        ({"event_at": "yesterday"}, "event_at"),
        ({"event_at": None}, "event_at"),
        ({"event": " "}, "event"),
        ({"item_id": None}, "item_id"),
    ],
)
def test_a_record_that_cannot_be_read_loses_no_other(row, column):
    events, findings = events_from_records(records({}, row, {"event": "EMI"}))
    assert events["kind"].to_list() == ["arrived_inward_office", "delivered"]
    (finding,) = findings
    assert (finding.code, finding.row, finding.column) == ("PR-E311", 3, column)


def test_many_bad_records_are_counted():
    _, findings = events_from_records(records(*[{"event_at": "x"}] * 60))
    assert findings.counts == {"PR-E311": 60}
    assert len(list(findings)) == 50


def test_odd_numbers_and_offices_are_kept():
    frame = records({"item_id": "rb 123 456 786 us", "office": "CNQQQQ", "next_office": "nowhere"}, {})
    events, findings = events_from_records(frame)
    assert events.height == 2
    assert events["item_id"][0] == "RB123456786US"
    assert findings.counts == {"PR-C011": 1, "PR-E301": 1, "PR-C010": 1}


def test_the_same_record_is_the_same_event():
    events, _ = events_from_records(records({}, {}, {"reason": "1"}))
    assert events["event_id"].n_unique() == 2
    given_id = "00112233445566778899aabbccddeeff"
    events, _ = events_from_records(records({"event_id": given_id}, {"event_id": "no id"}))
    assert events["event_id"][0].hex() == given_id
    assert len(events["event_id"][1]) == 16


def test_a_column_of_another_kind():
    _, findings = events_from_records(records({"signatory_name": "somebody"}))
    assert findings.counts == {"PR-E318": 1}


def test_kinds_without_a_code_are_left_out():
    events, _ = events_from_records(records({}, {"event": "EMI"}))
    events = events.with_columns(kind=pl.Series(["bagged", "delivered"]))
    written, findings = records_of_events(events)
    assert written["event"].to_list() == ["EMI"]
    assert findings.counts == {"PR-E312": 1}


def test_instants_without_an_offset_take_the_zone():
    events, _ = events_from_records(records({"event_at": "2025-07-01T00:00:00Z"}))
    bare = events.with_columns(payload=pl.lit(None, dtype=pl.String))
    assert records_of_events(bare, timezone="Asia/Shanghai")[0]["event_at"].to_list() == ["2025-07-01T08:00:00+08:00"]
    assert records_of_events(bare, timezone="Europe/Berlin")[0]["event_at"].to_list() == ["2025-07-01T02:00:00+02:00"]
    with pytest.raises(InputError) as caught:
        records_of_events(bare, timezone="Nowhere/City")
    assert caught.value.code == "PR-C022"


def test_nothing_at_all():
    events, findings = events_from_records(pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.String)))
    assert events.height == 0 and len(findings) == 0
    assert records_of_events(events)[0].columns == list(COLUMNS)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "postroad-emsevt", "version": 2, "records": []}'])
def test_json_of_another_kind(text):
    with pytest.raises(InputError) as caught:
        parse_json(text)
    assert caught.value.code == "PR-E319"


def test_csv_of_another_kind():
    with pytest.raises(InputError) as caught:
        parse_csv("")
    assert caught.value.code == "PR-E319"
