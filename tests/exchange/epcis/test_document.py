"""Documents read whole, composed and written."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.epcis import CAPTURED, bag, document, event, one, places, read
from postroad.core.errors import InputError
from postroad.exchange.epcis.context import CONTEXT_URL
from postroad.exchange.epcis.document import compose_document, envelope_of, read_document, write_document, write_instant
from postroad.exchange.epcis.masters import read_masters

WORDS = st.text("abc:/~字 ", max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.from_regex(r"ex:[a-zA-Z]{1,5}", fullmatch=True), JSON, max_size=4), JSON)
def test_what_is_written_again_has_equal_content(fields, anything):
    content = document(event(ilmd={"ex:a": anything}, action="ADD") | fields, sender="urn:x:1")
    found, findings = read_document(json.dumps(content))
    assert findings.counts == {}
    again = read_document(write_document(found))[0]
    assert again.content == found.content == content
    assert again.events == found.events


@given(JSON)
def test_no_json_value_upsets_the_reader(content):
    for value in (content, document(content), document(event(readPoint=content, epcList=content, type="ObjectEvent"))):
        found, _ = read_document(json.dumps(value))
        assert json.loads(write_document(found)) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"<epcis/>", "Expecting value"),
        (b"\xff", "utf-8"),
        ('{"a": NaN}', "NaN is no JSON number"),
        ('{"a": 1e999}', "out of range"),
        ("[" * 100_000, "nested too deep"),
        ('"\\ud800"', "surrogates"),
        ("[" * 102 + "]" * 102, "nested deeper than 100"),
    ],
)
def test_what_is_no_json(text, reason):
    with pytest.raises(InputError, match="PR-E101") as caught:
        read_document(text)
    assert reason in caught.value.params["reason"]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (7, [("PR-E102", "")]),
        ({}, [("PR-E102", "")]),
        (document() | {"epcisBody": 7}, [("PR-E104", "/epcisBody")]),
        (document() | {"epcisBody": {"eventList": 7}}, [("PR-E104", "/epcisBody/eventList")]),
        (document(schemaVersion="two"), [("PR-E104", "/schemaVersion")]),
        (document(sent="x"), [("PR-E105", "/sent")]),
        (document() | {"@context": 7}, [("PR-E104", "/@context"), ("PR-E122", "/@context")]),
        (event(), [("PR-E122", "/@context")]),
        ({"type": "EPCISDocument"}, [("PR-E103", "")] * 4),
    ],
)
def test_what_is_wrong_with_a_document(content, found):
    assert places(read_document(content)[1]) == found


def test_a_document_with_a_fault_keeps_its_events():
    content = {name: value for name, value in document(event()).items() if name != "creationDate"}
    found, findings = read_document(content)
    assert (len(found.events), places(findings)) == (1, [("PR-E103", "")])


def test_a_bare_event_and_a_list():
    bare = {"@context": CONTEXT_URL} | event()
    assert [one.pointer for one in read_document(bare)[0].events] == [""]
    assert [one.pointer for one in read_document([bare, bare])[0].events] == ["/0", "/1"]


def test_a_name_that_stands_twice_refuses_its_event_only():
    text = json.dumps(document(event(), event(action="ADD"), event()))
    text = text.replace('"action": "ADD"', '"action": "ADD", "ex:inner": {"a": 1, "a": 2}')
    found, findings = read_document(text)
    assert (len(found.events), places(findings)) == (2, [("PR-E121", "/epcisBody/eventList/1/ex:inner")])


def test_a_number_of_too_many_digits_is_told():
    text = json.dumps(document(event(**{"ex:a": [1, 0.5]}))).replace("0.5", "0.12345678901234567890123")
    found, findings = read_document(text)
    assert (len(found.events), places(findings)) == (1, [("PR-E112", "/epcisBody/eventList/0/ex:a/1")])
    assert read_document(text.replace("0.12345678901234567890123", "26.10"))[1].counts == {}


def test_the_context_holds_inside():
    found = one(**{"@context": {"in": "https://example.org/in/"}})
    assert found.context.expand("in:a") == "https://example.org/in/a"
    assert found.context.expand("ex:a") == "https://example.org/ns/a"


def test_a_query_document():
    results = {"queryName": "q", "subscriptionID": "s", "resultsBody": {"eventList": [event(), event(action="x")]}}
    content = document() | {"type": "EPCISQueryDocument", "epcisBody": {"queryResults": results}}
    found, findings = read_document(content)
    place = "/epcisBody/queryResults/resultsBody/eventList/1/action"
    assert (len(found.events), places(findings)) == (1, [("PR-E104", place)])


def test_composing_joins_contexts():
    first = read(event(**{"ex:a": 1})).events[0]
    other = read_document(document(bag(**{"ex:a": 2}), **{"@context": [CONTEXT_URL, {"ex": "https://other.example/"}]}))
    third = read_document(document(bag(**{"y:a": 2}), **{"@context": [CONTEXT_URL, {"y": "https://y.example/"}]}))
    found = compose_document([first, other[0].events[0], third[0].events[0]], CAPTURED)
    assert found.content["@context"] == [CONTEXT_URL, {"ex": "https://example.org/ns/"}, {"y": "https://y.example/"}]
    assert [one.context.expand("ex:a") for one in found.events[:2]] == [
        "https://example.org/ns/a",
        "https://other.example/a",
    ]
    assert found.events[2].context.expand("y:a") == "https://y.example/a"


def test_composing_takes_the_header_and_query_names():
    found = compose_document([], CAPTURED, header={"sender": "urn:x:1", "type": "no"}, query={"queryName": "mine"})
    assert (found.content["sender"], found.content["type"]) == ("urn:x:1", "EPCISQueryDocument")
    assert found.content["epcisBody"]["queryResults"] == {"queryName": "mine", "resultsBody": {"eventList": []}}
    assert found.content["creationDate"] == "2025-11-12T00:00:00.000+00:00"


@pytest.mark.parametrize(
    "content",
    [
        document(event(), schemaVersion="2.0.0", epcisHeader={"epcisMasterData": {}}, **{"@context": CONTEXT_URL}),
        document(event()) | {"epcisBody": {"eventList": [event()], "ex:more": 1}},
        document()
        | {
            "type": "EPCISQueryDocument",
            "epcisBody": {
                "queryResults": {"queryName": "q", "resultsBody": {"eventList": [event()], "vocabularyList": []}}
            },
        },
    ],
)
def test_what_stands_around_the_events_can_be_put_back(content):
    found, _ = read_document(content)
    assert compose_document(found.events, CAPTURED, **envelope_of(found)).content == content


def test_instants_are_written_as_precisely_as_they_are():
    assert write_instant(datetime(2025, 1, 1, microsecond=7, tzinfo=UTC)) == "2025-01-01T00:00:00.000007+00:00"


def test_master_data():
    elements = [
        {"id": "urn:x:hub", "attributes": [{"id": "ex:name", "attribute": "Hub"}], "children": ["urn:x:dock"]},
        {"id": "urn:x:dock", "children": ["urn:x:door", "urn:x:hub"]},
    ]
    vocabulary = {"type": "urn:epcglobal:epcis:vtype:ReadPoint", "vocabularyElementList": elements}
    masters = read_masters(read(epcisHeader={"epcisMasterData": {"vocabularyList": [vocabulary]}}))
    assert masters.descendants("urn:x:hub") == {"urn:x:hub", "urn:x:dock", "urn:x:door"}
    assert masters.attributes_of("urn:x:hub") == {"https://example.org/ns/name": "Hub"}
    assert masters.attributes_of("urn:x:other") == {}
