"""EPCIS events as events of ours."""

from uuid import UUID

import pytest

from kit.epcis import CAPTURED, OWN_STEP, PROFILE, SITE, SSCC, SSCC_URN, WAYBILL, bag, event, read
from postroad.core.errors import InputError
from postroad.events.check import check_events
from postroad.events.kinds import kinds, vocabulary
from postroad.exchange.epcis.incoming import to_events
from postroad.exchange.epcis.naming import content_digest, event_key, head_id
from postroad.exchange.epcis.profile import Namespaces, Profile, Step, standard_steps

LATER = "2025-11-12T08:00:00+08:00"


def rows(*events, profile=PROFILE):
    """The rows that events become, and what was found."""
    frame, findings = to_events(read(*events), profile, recorded_at=CAPTURED)
    assert check_events(frame, CAPTURED).errors == []
    return frame.to_dicts(), [finding.code for finding in findings]


def test_one_item():
    (row,), codes = rows(event(destinationList=[{"type": "location", "destination": f"{SITE}330100-HUB"}]))
    assert codes == []
    assert UUID(bytes=row["event_id"]) == UUID("374d95fc-9457-4a51-bd6a-0bba133845a8")
    assert (row["kind"], row["item_id"], row["facility_id"]) == ("arrived", "SF1234567890123", "510100-HUB")
    assert (row["occurred_at"].isoformat(), row["recorded_at"]) == ("2025-11-11T01:12:03+00:00", CAPTURED)
    assert row["raw"] == {"code": "arriving", "text": "ObjectEvent OBSERVE"}
    assert row["related"] == [{"role": "to", "id": "330100-HUB"}]
    assert (row["operator_id"], row["label"]) == ("SF", "measured")


def test_an_event_about_many_becomes_one_for_each():
    found, _ = rows(event(epcList=[f"{WAYBILL}{name}" for name in "ABC"], bizLocation={"id": f"{SITE}ROOM"}))
    assert [row["item_id"] for row in found] == ["A", "B", "C"]
    assert len({row["event_id"] for row in found}) == 3
    assert [len(row["payload"]) > 100 for row in found] == [True, False, False]
    assert found[2]["related"] == [{"role": "location", "id": "ROOM"}]
    again, _ = rows(event(epcList=[f"{WAYBILL}{name}" for name in "ACB"], bizLocation={"id": f"{SITE}ROOM"}))
    assert {row["item_id"]: row["event_id"] for row in again} == {row["item_id"]: row["event_id"] for row in found}


def test_a_bag_is_filled_carried_and_emptied():
    departed = event(eventID="urn:uuid:22222222-9457-4a51-bd6a-0bba133845a8", epcList=[SSCC_URN], bizStep="departing")
    emptied = bag(eventID="urn:x:emptied", action="DELETE", bizStep="unpacking", childEPCs=None)
    found, codes = rows(bag(), departed, emptied)
    assert [(row["kind"], row["item_id"], row["unit_id"]) for row in found] == [
        ("bagged", "A1", None),
        ("bagged", "A2", None),
        ("departed", None, SSCC),
        ("unbagged", None, SSCC),
    ]
    assert found[1]["related"] == [{"role": "unit", "id": SSCC}]
    assert codes == []


def test_a_trip_carries():
    trip = PROFILE.namespaces.uri("trip", "HGH-CAN 2215")
    found, _ = rows(bag(parentID=trip, bizStep="loading", childEPCs=[SSCC_URN]), profile=PROFILE)
    assert (found[0]["kind"], found[0]["item_id"], found[0]["trip_id"]) == ("loaded", SSCC, "HGH-CAN 2215")
    known = Profile(PROFILE.namespaces, units=frozenset([SSCC_URN]))
    found, _ = rows(bag(parentID=trip, bizStep="loading", childEPCs=[SSCC_URN]), profile=known)
    assert (found[0]["item_id"], found[0]["unit_id"]) == (None, SSCC)


@pytest.mark.parametrize(
    "fields",
    [
        {"bizStep": "delivering"},
        {"bizStep": OWN_STEP},
        {"bizStep": None},
        {"bizStep": "receiving", "disposition": "in_progress"},
        {
            "bizStep": "commissioning",
            "action": "ADD",
            "disposition": "active",
            "epcList": ["urn:epc:id:grai:4012345.55555.9"],
        },
        {"type": "TransactionEvent", "bizTransactionList": [{"bizTransaction": "urn:x:1"}]},
        {
            "type": "https://example.org/HailEvent",
            "epcList": None,
            "action": None,
            "bizStep": None,
            "readPoint": None,
            "https://example.org/at": "x",
        },
    ],
)
def test_a_step_that_is_no_kind_is_never_guessed(fields):
    content = event(**fields)
    if "HailEvent" in content["type"]:
        found, codes = rows(content)
        assert (found, codes) == ([], ["PR-E132"])
        return
    (row,), codes = rows(content)
    assert (row["kind"], codes) == ("unknown", ["PR-E131"])
    assert row["raw"]["code"] == content.get("bizStep")


def test_a_partners_step_and_code():
    own = Profile(PROFILE.namespaces, steps=(Step(OWN_STEP, "screened", subject="item"),))
    assert rows(event(bizStep=OWN_STEP), profile=own)[0][0]["kind"] == "screened"
    coded = Profile(PROFILE.namespaces, emsevt_field="https://example.org/ns/emsevt")
    assert rows(event(bizStep="receiving", **{"ex:emsevt": "EMI"}), profile=coded)[0][0]["kind"] == "delivered"
    assert rows(event(bizStep="other", **{"ex:emsevt": "EM?"}), profile=coded)[1] == ["PR-E131"]


def test_a_place_of_the_partner():
    known = Profile(PROFILE.namespaces, facilities={"urn:epc:id:sgln:4012345.00011.0": "510100-HUB"})
    found, _ = rows(event(readPoint={"id": "urn:epc:id:sgln:4012345.00011.0"}), profile=known)
    assert found[0]["facility_id"] == "510100-HUB"
    assert known.facility_uri("510100-HUB") == "urn:epc:id:sgln:4012345.00011.0"
    assert known.facility_uri("X") == f"{SITE}X"


def test_transformations_and_quantities_keep_their_place():
    lists = {"inputEPCList": ["urn:x:1"], "outputEPCList": ["urn:x:2", "urn:x:3"], "epcList": None, "action": None}
    found, _ = rows(event(type="TransformationEvent", **lists))
    assert [row["item_id"] for row in found] == ["urn:x:1", "urn:x:2", "urn:x:3"]
    found, codes = rows(event(epcList=None, quantityList=[{"epcClass": "urn:x:c", "quantity": 3}], bizStep="arriving"))
    assert (found[0]["item_id"], found[0]["facility_id"], codes) == (None, "510100-HUB", ["PR-E131"])


def test_an_error_declaration_follows_what_it_declares_void():
    first = event(epcList=[f"{WAYBILL}A", f"{WAYBILL}B"])
    declared = first | {"errorDeclaration": {"declarationTime": LATER, "reason": "incorrect_data"}}
    found, codes = rows(first, declared)
    assert [row["kind"] for row in found] == ["arrived", "arrived", "correction", "correction"]
    assert [row["follows"] for row in found[2:]] == [row["event_id"] for row in found[:2]]
    assert len({row["event_id"] for row in found}) == 4
    assert {row["occurred_at"].isoformat() for row in found[2:]} == {"2025-11-12T00:00:00+00:00"}
    assert (found[2]["reason"], codes) == ("incorrect_data", [])


def test_a_declaration_finds_an_event_without_id():
    first = event(eventID=None, recordTime="2025-11-11T10:00:00Z")
    declared = first | {"errorDeclaration": {"declarationTime": LATER}, "recordTime": LATER}
    found, _ = rows(first, declared)
    assert found[1]["follows"] == found[0]["event_id"]


def test_names_of_events():
    first = read(event(eventID="urn:uuid:nonsense")).events[0]
    assert head_id(event_key(first)).version == 8
    one = read(event(eventID=None, epcList=[SSCC_URN, "urn:x:1"], **{"ex:a": [1, {"ex:b": 2}]})).events[0]
    members = {"@context": [*read().content["@context"], {"z": "https://example.org/ns/"}]}
    step = {"bizStep": "urn:epcglobal:cbv:bizstep:arriving", "eventTime": "2025-11-11T01:12:03Z"}
    link = ["urn:x:1", f"https://id.gs1.org/00/{SSCC}"]
    same = event(eventID=None, epcList=link, **step, **{"z:a": [1, {"z:b": 2}]})
    assert content_digest(read(same, **members).events[0]) == content_digest(one)
    other = read(event(eventID=None, epcList=[SSCC_URN, "urn:x:1"], **{"ex:a": [{"ex:b": 2}, 1]})).events[0]
    assert content_digest(other) != content_digest(one)


@pytest.mark.parametrize(
    ("uri", "found"),
    [
        ("https://id.example.org/waybill/a%2Fb", ("item", "a/b")),
        ("https://id.example.org/bag/7", ("unit", "7")),
        (SITE + "x", ("facility", "x")),
        (SSCC_URN, ("", SSCC)),
        ("https://post.example/RR123456785CN", ("item", "RR123456785CN")),
        ("urn:epc:id:giai:4000001.111", ("unit", "urn:epc:id:giai:4000001.111")),
        ("urn:x:1", ("", "urn:x:1")),
    ],
)
def test_numbers_in_uris(uri, found):
    assert PROFILE.namespaces.read(uri) == found


def test_a_company_prefix_of_no_length():
    with pytest.raises(InputError, match="PR-E116"):
        Namespaces(n_prefix=13)


@pytest.mark.parametrize("fields", [{"item": "no uri"}, {"item": "https://x.example"}, {"item": "urn:postroad:"}])
def test_namespaces_that_are_none(fields):
    with pytest.raises(InputError, match="PR-E135"):
        Namespaces(**fields)


def test_steps_are_of_the_closed_lists():
    for step in standard_steps():
        kind = kinds()[step.kind]
        assert step.biz_step in vocabulary("biz_step")
        assert set(step.subject.split()) <= set(kind.subjects)
        assert kind.biz_step == step.biz_step
        assert step.disposition in ("", kind.disposition)
