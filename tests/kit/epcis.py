"""Small EPCIS documents, and the published ones where they are at hand."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from postroad.exchange.epcis.context import CONTEXT_URL
from postroad.exchange.epcis.document import EpcisEvent, read_document
from postroad.exchange.epcis.profile import Namespaces, Profile

CAPTURED = datetime(2025, 11, 12, tzinfo=UTC)
SSCC = "106141412345678908"
SSCC_URN = "urn:epc:id:sscc:0614141.1234567890"
WAYBILL = "https://id.example.org/waybill/"
SITE = "https://id.example.org/site/"
PROFILE = Profile(
    Namespaces(WAYBILL, "https://id.example.org/bag/", "https://id.example.org/trip/", SITE), operator_id="SF"
)
OWN_STEP = "https://example.org/step/hailing"


def event(**fields):
    """An ObjectEvent that is right; a field given as None is left out."""
    content = {
        "type": "ObjectEvent",
        "eventID": "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8",
        "eventTime": "2025-11-11T09:12:03.000+08:00",
        "eventTimeZoneOffset": "+08:00",
        "epcList": [f"{WAYBILL}SF1234567890123"],
        "action": "OBSERVE",
        "bizStep": "arriving",
        "readPoint": {"id": f"{SITE}510100-HUB"},
    }
    return {name: value for name, value in (content | fields).items() if value is not None}


def bag(**fields):
    """An AggregationEvent that puts two items into a bag."""
    inside = {"epcList": None, "parentID": SSCC_URN, "childEPCs": [f"{WAYBILL}A1", f"{WAYBILL}A2"]}
    return event(**({"type": "AggregationEvent", **inside, "action": "ADD", "bizStep": "packing"} | fields))


def document(*events, **members):
    """A document around events."""
    content = {
        "@context": [CONTEXT_URL, {"ex": "https://example.org/ns/"}],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2025-11-11T10:00:00.000+08:00",
        "epcisBody": {"eventList": list(events)},
    }
    return content | members


def read(*events, **members):
    """Read a document around events; nothing may be wrong with it."""
    found, findings = read_document(json.dumps(document(*events, **members)))
    assert [finding.message() for finding in findings.errors] == []
    return found


def one(**fields):
    """One event that was read."""
    return read(event(**fields)).events[0]


def places(findings):
    """The codes found and where."""
    return [(finding.code, finding.table) for finding in findings]


def bare(content):
    """An event without a document around it."""
    return EpcisEvent(content)


def published(name="."):
    """A file or folder among the published ones; the test is skipped when they are not at hand."""
    folder = os.environ.get("POSTROAD_PUBLISHED", "")
    path = Path(folder, "epcis", name)
    if not folder or not path.exists():
        pytest.skip("POSTROAD_PUBLISHED names no folder with epcis/EPCIS-JSON-Schema.json and epcis/examples")
    return path


def examples():
    """The names of the published examples; one name that will be skipped when they are not at hand."""
    folder = Path(os.environ.get("POSTROAD_PUBLISHED") or "absent", "epcis", "examples")
    return sorted(path.name for path in folder.glob("*.json*")) or ["none"]
