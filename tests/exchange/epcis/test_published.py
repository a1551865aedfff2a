"""The official examples and JSON schema of EPCIS 2.0, where they are at hand."""

import copy
import json
import random
import re

import pytest
from jsonschema import Draft7Validator, FormatChecker

from kit.epcis import CAPTURED, PROFILE, bag, document, event, examples, published
from postroad.events.check import check_events
from postroad.events.envelope import Event, frame_events
from postroad.events.kinds import CORRECTION, kinds
from postroad.exchange.epcis.document import envelope_of, read_document, write_document
from postroad.exchange.epcis.incoming import to_events
from postroad.exchange.epcis.outgoing import from_events
from postroad.exchange.epcis.query import read_query
from postroad.exchange.epcis.vocabulary import terms

FORMATS = FormatChecker()
FORMATS.checks("uri")(lambda value: not isinstance(value, str) or re.match(r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$", value))
FORMATS.checks("date-time")(
    lambda value: (
        not isinstance(value, str) or re.match(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$", value)
    )
)


def faults(content):
    """What the official schema says against a document."""
    schema = json.loads(published("EPCIS-JSON-Schema.json").read_text(encoding="utf-8"))
    return [error.message for error in Draft7Validator(schema, format_checker=FORMATS).iter_errors(content)]


@pytest.mark.parametrize("name", examples())
def test_an_example_goes_through_the_ledgers_frame_and_back(name):
    source = published(f"examples/{name}").read_bytes()
    whole = json.loads(source)
    found, findings = read_document(source)
    assert findings.errors == []
    assert json.loads(write_document(found)) == whole
    frame, _ = to_events(found, recorded_at=CAPTURED)
    assert check_events(frame, CAPTURED).errors == []
    back, _ = from_events(frame, **envelope_of(found))
    assert json.loads(write_document(back)) == whole
    assert faults(back.content) == []


def test_our_events_of_every_kind_are_valid():
    made = []
    for kind in kinds().values():
        subject = "item_id" if "item" in kind.subjects else f"{kind.subjects[0]}_id"
        follows = made[0].event_id if kind.kind == CORRECTION else None
        fields = {subject: "A 1", "facility_id": "HUB", "related": {"unit": "B1", "to": "HUB2"}, "follows": follows}
        raw = {"code": "x", "text": "字"}
        made.append(
            Event(kind=kind.kind, occurred_at=CAPTURED, recorded_at=CAPTURED, label="measured", raw=raw, **fields)
        )
    frame, _ = frame_events(made)
    found, findings = from_events(frame, PROFILE, timezone="Asia/Shanghai")
    assert (len(found.events), findings.counts) == (len(kinds()), {})
    assert faults(found.content) == []


@pytest.mark.parametrize(
    "content",
    [
        event(action=None),
        event(eventTimeZoneOffset="8"),
        event(epcList=["x"]),
        event(epcList=["urn:x:1", "urn:x:1"]),
        event(ilmd={"ex:a": 1}),
        event(other=1),
        bag(childEPCs=None),
        event(type="TransactionEvent"),
    ],
)
def test_what_the_schema_refuses_is_refused_here_too(content):
    assert faults(document(content)) != []
    assert read_document(document(content))[0].events == ()


def test_what_the_schema_refuses_in_a_damaged_example_is_refused_here_too():
    schema = json.loads(published("EPCIS-JSON-Schema.json").read_text(encoding="utf-8"))
    validator = Draft7Validator(schema, format_checker=FORMATS)
    whole = [json.loads(published(f"examples/{name}").read_text(encoding="utf-8")) for name in examples()]
    draw, n_refused = random.Random(20251111), 0
    for _ in range(400):
        damaged = copy.deepcopy(draw.choice(whole))
        damage(damaged, draw)
        if validator.is_valid(damaged):
            continue
        n_refused += 1
        _, findings = read_document(damaged)
        assert findings.errors or "PR-E110" in findings.counts, damaged
    assert n_refused > 100


def damage(content, draw):
    """Take out, replace or add one value somewhere in a document, but not in fields of somebody's own."""
    steps = list(ways(content))
    holder, name = draw.choice(steps)
    what = draw.random()
    if what < 0.3:
        del holder[name]
    elif what < 0.9 or isinstance(holder, list):
        holder[name] = draw.choice(
            [None, 7, "x", "urn:x:1", [], {}, True, ["x"], ["urn:x:1"] * 2, {"id": "x"}, "", [{}]]
        )
    else:
        holder["new"] = 1


def ways(content):
    """Every place in a document: what holds it and its name there."""
    for name, value in list(content.items()) if isinstance(content, dict) else enumerate(content):
        if isinstance(name, str) and (":" in name or name == "@context"):
            continue
        yield content, name
        if isinstance(value, dict | list):
            yield from ways(value)


def test_the_lists_of_terms_are_those_of_the_schema():
    schema = json.loads(published("EPCIS-JSON-Schema.json").read_text(encoding="utf-8"))["definitions"]
    lists = {"biz_step": "bizStep", "disposition": "disposition", "biz_transaction": "bizTransaction-type"}
    lists |= {"source_dest": "source-dest-type", "error_reason": "error-reason", "measurement": "measurementType"}
    lists |= {"alert": "sensorAlertType", "component": "component"}
    for ours, theirs in lists.items():
        words = next(part["enum"] for part in schema[theirs]["anyOf"] if "enum" in part)
        assert terms(ours) == set(words)


def test_every_parameter_of_the_binding_is_known():
    parameters = json.loads(published("openapi.json").read_text(encoding="utf-8"))["components"]["parameters"]
    names = [name for name in parameters if re.match(r"(EQ|GE|GT|LE|LT|WD|MATCH|EXISTS)_|event|order|max", name)]
    assert len(names) > 50
    given = {"quantity": "1", "Time": "2025-11-11T00:00:00Z", "Boolean": "true", "boolean": "true"}
    words = {"eventType": "ObjectEvent", "EQ_action": "ADD", "orderBy": "eventTime", "orderDirection": "ASC"}
    words |= {"eventCountLimit": "1", "maxEventCount": "1", "EXISTS_errorDeclaration": "true", "EQ_type": "Mass"}
    for name in names:
        value = words.get(name) or next((text for part, text in given.items() if part in name), "urn:x:1")
        order = {"orderBy": "eventTime"} if name == "eventCountLimit" else {}
        assert read_query({**order, name: value}).digest, name
