"""Events of ours as EPCIS, and back."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.epcis import CAPTURED, PROFILE, SSCC, WAYBILL, bag, document, event, places, read
from postroad.core.ids import digest_id
from postroad.events.columns import empty_frame
from postroad.events.envelope import Event, frame_events
from postroad.events.kinds import CORRECTION, kinds
from postroad.exchange.epcis.document import envelope_of, read_document, write_document
from postroad.exchange.epcis.incoming import to_events
from postroad.exchange.epcis.outgoing import from_events, write_events
from postroad.exchange.epcis.profile import Namespaces, Profile

START = datetime(2025, 11, 11, 1, 30, tzinfo=UTC)
NAMES = st.text("ABC019-/字: ", min_size=1, max_size=8) | st.just(SSCC) | st.just("RR123456785CN")
TEXTS = st.none() | st.text("ab字\n", max_size=4)


def own(kind="arrived", **fields):
    """One event of ours."""
    given = {"event_id": digest_id(kind, str(fields)), "kind": kind, "occurred_at": START, "label": "measured"}
    return Event(
        **given | {"recorded_at": START + timedelta(minutes=1), "item_id": "A1", "facility_id": "HUB"} | fields
    )


def through(frame, profile=PROFILE, **options):
    """Write a frame as bytes, read it again; no events may be lost on the way."""
    found, findings = from_events(frame, profile, **options)
    again, more = read_document(write_document(found))
    assert places(more) == []
    return to_events(again, profile, recorded_at=CAPTURED)[0], found, findings


@st.composite
def events(draw):
    """An event of any kind but a correction."""
    kind = draw(st.sampled_from([name for name in kinds() if name != CORRECTION]))
    subject = draw(st.sampled_from(kinds()[kind].subjects))
    fields = {
        f"{name}_id": draw(NAMES) for name in draw(st.sets(st.sampled_from(("item", "unit", "trip", "facility"))))
    }
    fields |= {f"{subject}_id": draw(NAMES)}
    fields |= {"related": draw(st.dictionaries(st.sampled_from(("unit", "to", "replaces")), NAMES, max_size=2))}
    fields |= {name: draw(TEXTS) for name in ("operator_id", "party_id", "reason")}
    if draw(st.booleans()):
        fields["raw"] = {"code": draw(TEXTS | st.just("loading")), "text": draw(TEXTS)}
    if draw(st.booleans()):
        fields["payload"] = {"a": [1, draw(TEXTS)]}
    occurred = START + timedelta(microseconds=draw(st.integers(0, 10**12)))
    recorded = occurred + timedelta(seconds=draw(st.integers(0, 100)))
    return Event(
        event_id=digest_id(draw(st.integers(0, 10**9))),
        kind=kind,
        occurred_at=occurred,
        recorded_at=recorded,
        label=draw(st.sampled_from(("measured", "simulated"))),
        **fields,
    )


@given(st.lists(events(), max_size=4, unique_by=lambda one: one.event_id), st.sampled_from(("UTC", "Asia/Shanghai")))
def test_our_events_come_back_as_they_were(several, timezone):
    frame, _ = frame_events(several)
    again, _, findings = through(frame, timezone=timezone)
    assert findings.counts == {}
    assert again.to_dicts() == frame.to_dicts()


def test_how_an_event_of_ours_looks():
    frame, _ = frame_events([own("departed", related={"to": "HUB2"}), own("bagged", related={"unit": SSCC})])
    found, _ = from_events(frame, PROFILE, timezone="Asia/Shanghai")
    departed, bagged = found.content["epcisBody"]["eventList"]
    assert found.content["creationDate"] == "2025-11-11T01:31:00.000+00:00"
    assert (
        departed
        | {
            "eventTime": "2025-11-11T09:30:00.000+08:00",
            "eventTimeZoneOffset": "+08:00",
            "bizStep": "departing",
            "disposition": "in_transit",
            "epcList": [f"{WAYBILL}A1"],
            "readPoint": {"id": "https://id.example.org/site/HUB"},
            "destinationList": [{"type": "location", "destination": "https://id.example.org/site/HUB2"}],
            "postroad:kind": "departed",
        }
        == departed
    )
    assert (
        bagged
        | {
            "type": "AggregationEvent",
            "action": "ADD",
            "parentID": f"https://id.gs1.org/00/{SSCC}",
            "childEPCs": [f"{WAYBILL}A1"],
            "bizStep": "packing",
        }
        == bagged
    )


def test_an_sscc_as_an_epc_urn():
    with_prefix = Profile(Namespaces(n_prefix=7))
    frame, _ = frame_events([own("departed", item_id=None, unit_id=SSCC)])
    again, found, _ = through(frame, with_prefix)
    assert found.events[0].content["epcList"] == ["urn:epc:id:sscc:0614141.1234567890"]
    assert again.to_dicts() == frame.to_dicts()


def test_an_event_that_was_changed_on_the_way_is_no_longer_taken_for_ours():
    frame, _ = frame_events([own("screened")])
    content = from_events(frame, PROFILE)[0].content
    changed = json.loads(json.dumps(content).replace("/HUB", "/OTHER").replace("urn:postroad:epcis:", "urn:p:"))
    found, _ = to_events(read_document(changed)[0], PROFILE, recorded_at=CAPTURED)
    assert found.select("kind", "facility_id").rows() == [("unknown", "OTHER")]
    moved = json.loads(json.dumps(content))
    moved["epcisBody"]["eventList"][0]["https://example.org/more"] = 1
    found, _ = to_events(read_document(moved)[0], PROFILE, recorded_at=CAPTURED)
    assert found["kind"].to_list() == ["screened"]
    assert "https://example.org/more" in found["payload"][0]


@pytest.mark.parametrize("reason", [None, "incorrect_data", "typo"])
def test_a_correction_of_ours_is_an_error_declaration(reason):
    first = own()
    correction = own(CORRECTION, follows=first.event_id, reason=reason, occurred_at=START + timedelta(hours=1))
    frame, _ = frame_events([first, correction])
    again, found, findings = through(frame, timezone="Asia/Shanghai")
    assert again.to_dicts() == frame.to_dicts()
    assert findings.counts == {}
    original, declared = (one.content for one in found.events)
    expected = {"declarationTime": "2025-11-11T10:30:00.000+08:00"}
    expected |= {"reason": reason} if reason == "incorrect_data" else {}
    assert declared["errorDeclaration"] == expected
    assert original.items() <= declared.items()


def test_a_correction_of_what_came_from_epcis():
    frame, _ = to_events(read(bag(**{"ex:a": 1})), PROFILE, recorded_at=CAPTURED)
    follows = frame["event_id"][1]
    correction = own(CORRECTION, follows=digest_id("x")).model_dump() | {"item_id": "A2"}
    mended, _ = frame_events([Event(**correction | {"follows": UUID(bytes=follows)})])
    again, found, findings = through(pl.concat([frame, mended]))
    assert findings.counts == {}
    assert found.events[1].content["ex:a"] == 1
    assert again["follows"].to_list() == [None, None, follows]


def test_a_correction_of_an_event_without_id():
    frame, _ = to_events(read(event(eventID=None)), PROFILE, recorded_at=CAPTURED)
    mended, _ = frame_events([own(CORRECTION, follows=UUID(bytes=frame["event_id"][0]))])
    both = pl.concat([frame, mended])
    assert through(both)[0].to_dicts() == both.to_dicts()


def test_what_a_stranger_says_about_itself_is_not_believed():
    frame, _ = frame_events([own(operator_id="ZTO"), own(CORRECTION, follows=own(operator_id="ZTO").event_id)])
    content = from_events(frame, PROFILE)[0].content
    strange = Profile(PROFILE.namespaces, operator_id="YTO", label="unverified", is_ours=False)
    found, _ = to_events(read_document(content)[0], strange, recorded_at=CAPTURED)
    assert found.select("kind", "operator_id", "label").rows() == [
        ("arrived", "YTO", "unverified"),
        ("correction", "YTO", "unverified"),
    ]
    assert found["follows"][1] == found["event_id"][0] == frame["event_id"][0]


@pytest.mark.parametrize("field", ['"kind":"correction"', '"follows":"', '"occurred_at":"2025'])
def test_a_correction_that_does_not_fit_its_declaration_is_not_believed(field):
    changed = {'"kind":"correction"': '"kind":"delivered"', '"follows":"': '"follows":"0', '"occurred_at":"2025': "x"}
    first = own()
    frame, _ = frame_events([first, own(CORRECTION, follows=first.event_id, operator_id="ZTO")])
    content = json.loads(json.dumps(from_events(frame, PROFILE)[0].content))
    declared = content["epcisBody"]["eventList"][1]
    text = declared["postroad:correction"]
    if field == '"follows":"':
        text = text.replace(str(first.event_id), str(digest_id("another")))
    elif field.startswith('"occurred'):
        text = text.replace('"occurred_at":"2025', '"occurred_at":"2024')
    else:
        text = text.replace(field, changed[field])
    assert text != declared["postroad:correction"]
    declared["postroad:correction"] = text
    found, _ = to_events(read_document(content)[0], PROFILE, recorded_at=CAPTURED)
    assert found.select("kind", "operator_id").rows() == [("arrived", None), ("correction", "SF")]
    assert found["follows"][1] == first.event_id.bytes


def test_a_correction_without_its_event_is_told():
    frame, _ = frame_events([own(CORRECTION, follows=digest_id("gone"))])
    again, _, findings = through(frame)
    assert list(findings.counts) == ["PR-E134"]
    assert again.to_dicts() == frame.to_dicts()


def test_what_came_from_epcis_is_written_as_it_came():
    contents = [bag(**{"ex:a": [1, {"ex:b": None}]}), event(eventID=None, bizStep="delivering")]
    whole = document(*contents, sender="urn:x:s", id="urn:x:d")
    frame, _ = to_events(read_document(whole)[0], PROFILE, recorded_at=CAPTURED)
    assert from_events(frame, PROFILE, **envelope_of(read_document(whole)[0]))[0].content == whole
    part, _ = from_events(frame[1:2], PROFILE)
    assert part.events[0].content["childEPCs" if "childEPCs" in part.events[0].content else "epcList"] == [
        f"{WAYBILL}A2"
    ]


def test_content_that_cannot_be_read_is_told():
    frame, _ = frame_events([own(payload={"epcis": 7}), own(item_id="A2")])
    found, findings = from_events(frame, PROFILE)
    assert (len(found.events), list(findings.counts)) == (1, ["PR-E133"])


def test_what_is_kept_without_name_and_record_time_is_stamped_for_queries():
    first = event(eventID=None, **{"@context": {"in": "https://example.org/in/"}, "in:a": 1})
    declared = first | {"errorDeclaration": {"declarationTime": "2025-11-11T02:00:00Z"}}
    frame, _ = to_events(read(first, declared, event(recordTime="2025-11-11T03:00:00Z")), PROFILE, recorded_at=CAPTURED)
    plain, _ = write_events(frame, PROFILE)
    assert "eventID" not in plain[0].content
    stamped, _ = write_events(frame, PROFILE, is_stamped=True)
    names = [UUID(one.content["eventID"]).bytes for one in stamped]
    assert names[0] == names[1] == frame["event_id"][0]
    assert [one.content["recordTime"] for one in stamped] == [
        "2025-11-12T00:00:00.000+00:00",
        "2025-11-12T00:00:00.000+00:00",
        "2025-11-11T03:00:00Z",
    ]
    again, _ = to_events(stamped, PROFILE, recorded_at=CAPTURED)
    assert again["event_id"].to_list() == frame["event_id"].to_list()
    assert again["follows"].to_list() == frame["follows"].to_list()


def test_an_empty_frame():
    found, findings = from_events(empty_frame("events"), created_at=CAPTURED)
    assert (found.content["epcisBody"], findings.counts) == ({"eventList": []}, {})
