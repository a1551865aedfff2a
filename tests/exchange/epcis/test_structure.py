"""What a check of EPCIS content finds, and where."""

import json

import pytest

from kit.epcis import OWN_STEP, SSCC_URN, bag, document, event, places
from postroad.exchange.epcis.document import read_document

AT = "/epcisBody/eventList/0"


def found(content, **options):
    """Read a document around one event: the codes and places found, and how many events are left."""
    read, findings = read_document(json.dumps(document(content)), **options)
    return places(findings), len(read.events)


@pytest.mark.parametrize(
    ("fields", "code", "place"),
    [
        ({"type": "MysteryEvent"}, "PR-E102", "/type"),
        ({"type": 7}, "PR-E102", "/type"),
        ({"eventTime": None}, "PR-E103", ""),
        ({"action": None}, "PR-E103", ""),
        ({"readPoint": {}}, "PR-E103", "/readPoint"),
        ({"epcList": "urn:x:1"}, "PR-E104", "/epcList"),
        ({"epcList": [7]}, "PR-E104", "/epcList/0"),
        ({"readPoint": "urn:x:1"}, "PR-E104", "/readPoint"),
        ({"action": "SEEN"}, "PR-E104", "/action"),
        ({"bizStep": 7}, "PR-E104", "/bizStep"),
        ({"quantityList": [{"epcClass": "urn:x:1", "quantity": "7"}]}, "PR-E104", "/quantityList/0/quantity"),
        ({"quantityList": [{"epcClass": "urn:x:1", "quantity": True}]}, "PR-E104", "/quantityList/0/quantity"),
        ({"quantityList": [{"epcClass": "urn:x:1", "uom": "kilo"}]}, "PR-E104", "/quantityList/0/uom"),
        ({"sensorElementList": [{"sensorReport": []}]}, "PR-E104", "/sensorElementList/0/sensorReport"),
        ({"persistentDisposition": {"set": []}}, "PR-E104", "/persistentDisposition/set"),
        (
            {"sensorElementList": [{"sensorReport": [{"type": "Temperature", "booleanValue": "yes"}]}]},
            "PR-E104",
            "/sensorElementList/0/sensorReport/0/booleanValue",
        ),
        ({"bizSteps": "arriving"}, "PR-E105", "/bizSteps"),
        ({"type": "https://example.org/HailEvent", "bizSteps": "arriving"}, "PR-E105", "/bizSteps"),
        ({"type": "https://example.org/HailEvent", "childEPCs": 7}, "PR-E104", "/childEPCs"),
        ({"bizTransactionList": [{"bizTransaction": "urn:x:1", "ex:a": 1}]}, "PR-E105", "/bizTransactionList/0/ex:a"),
        ({"eventTime": "2025-11-11T09:12:03"}, "PR-E107", "/eventTime"),
        ({"eventTime": "2025-02-30T09:12:03Z"}, "PR-E107", "/eventTime"),
        ({"recordTime": 7}, "PR-E107", "/recordTime"),
        ({"eventTimeZoneOffset": "+15:00"}, "PR-E108", "/eventTimeZoneOffset"),
        ({"epcList": ["SF1234567890123"]}, "PR-E113", "/epcList/0"),
        ({"certificationInfo": ["x"]}, "PR-E113", "/certificationInfo"),
        ({"epcList": None}, "PR-E119", ""),
        ({"ilmd": {"ex:a": 1}}, "PR-E119", ""),
        ({"persistentDisposition": {}}, "PR-E119", ""),
        ({"epcList": ["urn:x:1", "urn:x:1"]}, "PR-E120", "/epcList/1"),
    ],
)
def test_what_refuses_an_event(fields, code, place):
    codes, n_left = found(event(**fields))
    assert (code, AT + place) in codes
    assert n_left == 0


@pytest.mark.parametrize(
    ("fields", "code", "place"),
    [
        ({"no:thing": 1}, "PR-E106", "/no:thing"),
        ({"bizStep": "no:step"}, "PR-E106", "/bizStep"),
        ({"eventTimeZoneOffset": "+09:00"}, "PR-E109", "/eventTimeZoneOffset"),
        ({"bizStep": "delivering"}, "PR-E110", "/bizStep"),
        ({"disposition": "urn:epcglobal:cbv:disp:gone"}, "PR-E110", "/disposition"),
        (
            {"bizTransactionList": [{"type": "pox", "bizTransaction": "urn:x:1"}]},
            "PR-E110",
            "/bizTransactionList/0/type",
        ),
        ({"sourceList": [{"type": "loc", "source": "urn:x:1"}]}, "PR-E110", "/sourceList/0/type"),
        (
            {"errorDeclaration": {"declarationTime": "2025-11-12T00:00:00Z", "reason": "oops"}},
            "PR-E110",
            "/errorDeclaration/reason",
        ),
        (
            {"sensorElementList": [{"sensorReport": [{"type": "Warmth", "value": 7}]}]},
            "PR-E110",
            "/sensorElementList/0/sensorReport/0/type",
        ),
        ({"bizStep": "https://ref.gs1.org/cbv/BizStep-arriving"}, "PR-E111", "/bizStep"),
        ({"epcList": ["urn:epc:id:sscc:0614141.12"]}, "PR-E114", "/epcList/0"),
        ({"epcList": ["https://id.gs1.org/00/106141412345678901"]}, "PR-E115", "/epcList/0"),
        ({"recordTime": "2025-11-11T00:00:00Z"}, "PR-E118", "/recordTime"),
    ],
)
def test_what_is_told_and_kept(fields, code, place):
    assert found(event(**fields)) == ([(code, AT + place)], 1)


@pytest.mark.parametrize(
    "fields",
    [
        {"eventTime": "2025-11-11T01:12:03Z"},
        {"bizStep": OWN_STEP},
        {"type": "https://example.org/types/HailEvent", "epcList": None, "action": None, "ex:hail": True},
        {"epcList": [], "ex:ä": "字"},
        {"epcList": None, "sensorElementList": [{"sensorReport": [{"type": "Temperature", "value": 7}]}]},
        {"@context": {"no": "https://example.org/no/"}, "no:thing": 1},
        {"ilmd": {"cbvmda:lotNumber": "1"}, "action": "ADD"},
        {"persistentDisposition": {"unset": ["completeness_inferred"]}},
    ],
)
def test_what_is_right(fields):
    assert found(event(**fields)) == ([], 1)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (bag(childEPCs=None), "names no children"),
        (bag(parentID=None), "names no parentID with the action ADD or DELETE"),
        (bag(type="AssociationEvent", childEPCs=[]), "names no children"),
        (event(type="TransactionEvent", bizTransactionList=[]), "names no transaction"),
        (
            event(type="TransactionEvent", bizTransactionList=[{"bizTransaction": "urn:x:1"}], epcList=None),
            "names no object: epcList or quantityList",
        ),
        (
            event(type="TransformationEvent", epcList=None, action=None, inputEPCList=["urn:x:1"]),
            "names not both inputs and outputs, nor one of them with a transformationID",
        ),
    ],
)
def test_rules_between_fields(content, rule):
    _, findings = read_document(document(content))
    assert [finding.params["rule"] for finding in findings if finding.code == "PR-E119"] == [rule]


def test_a_rule_is_told_in_chinese_too():
    _, findings = read_document(document(bag(childEPCs=None)))
    assert [finding.message("zh") for finding in findings] == ["AggregationEvent 不合规则：未指明子项。"]


def test_a_bag_may_be_emptied_as_a_whole():
    assert found(bag(action="DELETE", bizStep="unpacking", childEPCs=None)) == ([], 1)
    transformation = {"epcList": None, "action": None, "transformationID": "urn:x:9", "inputEPCList": [SSCC_URN]}
    assert found(event(type="TransformationEvent", **transformation)) == ([], 1)


def test_one_bad_event_does_not_lose_the_others():
    read, findings = read_document(document(event(), event(action="SEEN"), "no event", event(bizStep="loading")))
    assert [one.pointer[-1] for one in read.events] == ["0", "3"]
    assert places(findings) == [("PR-E104", "/epcisBody/eventList/1/action"), ("PR-E104", "/epcisBody/eventList/2")]


def test_strict_reading_leaves_out_what_plain_reading_keeps():
    codes, n_left = found(event(bizStep="delivering"), is_strict=True)
    assert (codes, n_left) == ([("PR-E110", f"{AT}/bizStep"), ("PR-E117", AT)], 0)


def test_a_near_word_is_offered():
    _, findings = read_document(document(event(bizStep="ariving", bizStepp="arriving")))
    assert [finding.message() for finding in findings] == [
        "'ariving' is not a term of bizStep in CBV 2.0; did you mean 'arriving'.",
        "'bizStepp' is not a field of ObjectEvent; did you mean 'bizStep'.",
    ]
