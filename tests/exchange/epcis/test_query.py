"""SimpleEventQuery: every parameter, order, limits and pages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.epcis import OWN_STEP, SITE, SSCC, SSCC_URN, WAYBILL, bag, event, one, read
from postroad.core.errors import InputError, InternalError
from postroad.exchange.epcis.context import read_context
from postroad.exchange.epcis.masters import Masters
from postroad.exchange.epcis.query import cut_page, exception_of, read_query, run_query

CONTEXT = read_context({"ex": "https://example.org/ns/"})
SENSED = {
    "sensorElementList": [
        {
            "sensorMetadata": {
                "time": "2025-11-11T01:00:00Z",
                "startTime": "2025-11-11T00:00:00Z",
                "deviceID": "urn:epc:id:giai:4000001.111",
                "bizRules": "urn:x:rules",
                "ex:m": "1",
            },
            "sensorReport": [
                {"type": "Temperature", "value": 26.5, "uom": "CEL", "ex:r": "1"},
                {"type": "RelativeHumidity", "value": 80, "uom": "P1", "percRank": 50, "booleanValue": True},
            ],
            "ex:s": {"ex:deep": 5},
        }
    ]
}
MADE = {
    "type": "TransformationEvent",
    "epcList": None,
    "action": None,
    "inputEPCList": ["urn:x:in"],
    "outputEPCList": ["urn:x:out"],
    "outputQuantityList": [{"epcClass": "urn:x:class", "quantity": 12.5, "uom": "KGM"}],
    "transformationID": "urn:x:t",
}
WRONG = {
    "errorDeclaration": {
        "declarationTime": "2025-11-12T00:00:00Z",
        "reason": "incorrect_data",
        "correctiveEventIDs": ["urn:x:new"],
        "ex:by": "me",
    }
}
LISTS = {
    "bizTransactionList": [{"type": "po", "bizTransaction": "urn:x:po"}],
    "sourceList": [{"type": "location", "source": "urn:epc:id:sgln:4012345.00011.0"}],
    "destinationList": [{"type": "possessing_party", "destination": "urn:x:d"}],
}
OWN = {"ex:n": 20, "ex:text": "20", "ex:at": "2025-11-11T00:00:00Z", "ex:flag": True, "ex:in": [{"ex:deep": "a"}]}
LOT = {"ilmd": {"ex:lot": "L1", "ex:o": {"ex:deep": "x"}}, "action": "ADD"}


@pytest.mark.parametrize(
    ("fields", "yes", "no"),
    [
        ({}, {"eventType": "ObjectEvent|AggregationEvent"}, {"eventType": "TransactionEvent"}),
        ({}, {"eventType": ["ObjectEvent"]}, {"eventType": "https://example.org/Other"}),
        ({}, {"GE_eventTime": "2025-11-11T01:12:03Z"}, {"GE_eventTime": "2025-11-11T01:12:04Z"}),
        ({}, {"LT_eventTime": "2025-11-11T09:12:04+08:00"}, {"LT_eventTime": "2025-11-11T09:12:03+08:00"}),
        (
            {"recordTime": "2025-11-11T02:00:00Z"},
            {"GE_recordTime": "2025-11-11T02:00:00Z"},
            {"LT_recordTime": "2025-11-11T02:00:00Z"},
        ),
        ({}, {"EQ_action": "OBSERVE|ADD"}, {"EQ_action": "DELETE"}),
        ({}, {"EQ_bizStep": "arriving"}, {"EQ_bizStep": "departing"}),
        ({}, {"EQ_bizStep": "urn:epcglobal:cbv:bizstep:arriving"}, {"EQ_bizStep": OWN_STEP}),
        ({"bizStep": OWN_STEP}, {"EQ_bizStep": [OWN_STEP]}, {"EQ_bizStep": "arriving"}),
        ({"bizStep": "ex:hail"}, {"EQ_bizStep": "https://example.org/ns/hail"}, {"EQ_bizStep": "ex:hailed"}),
        ({"disposition": "in_transit"}, {"EQ_disposition": "in_transit"}, {"EQ_disposition": "damaged"}),
        (
            {"persistentDisposition": {"set": ["damaged"], "unset": ["active"]}},
            {"EQ_persistentDisposition_set": "damaged", "EQ_persistentDisposition_unset": "active"},
            {"EQ_persistentDisposition_set": "active"},
        ),
        ({}, {"EQ_readPoint": f"{SITE}510100-HUB"}, {"EQ_readPoint": f"{SITE}other"}),
        ({}, {"WD_readPoint": "urn:x:city"}, {"WD_bizLocation": "urn:x:city"}),
        (
            {"bizLocation": {"id": "https://id.gs1.org/414/4012345000115"}},
            {"EQ_bizLocation": "urn:epc:id:sgln:4012345.00011.0"},
            {"EQ_bizLocation": "urn:epc:id:sgln:4012345.00012.0"},
        ),
        (MADE, {"EQ_transformationID": "urn:x:t"}, {"EQ_transformationID": "urn:x:u"}),
        ({}, {"MATCH_epc": f"{WAYBILL}SF1234567890123"}, {"MATCH_parentID": SSCC_URN}),
        (bag(), {"MATCH_parentID": f"https://id.gs1.org/00/{SSCC}"}, {"MATCH_epc": SSCC_URN}),
        (bag(), {"MATCH_epc": f"urn:x:1|{WAYBILL}A2", "MATCH_anyEPC": SSCC_URN}, {"MATCH_inputEPC": f"{WAYBILL}A2"}),
        (MADE, {"MATCH_inputEPC": "urn:x:in", "MATCH_outputEPC": "urn:x:out"}, {"MATCH_outputEPC": "urn:x:in"}),
        (
            MADE,
            {"MATCH_outputEPCClass": "urn:x:class", "MATCH_anyEPCClass": "urn:x:class"},
            {"MATCH_epcClass": "urn:x:class"},
        ),
        (MADE, {"EQ_quantity": "12.5|3", "GT_quantity": 12, "GE_quantity": 12.5}, {"LT_quantity": "12.5"}),
        (MADE, {"LE_quantity_KGM": 12.5}, {"LE_quantity_LTR": 12.5}),
        ({}, {"EQ_eventID": "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8"}, {"EQ_eventID": "urn:uuid:1"}),
        ({}, {"EXISTS_errorDeclaration": "false"}, {"EXISTS_errorDeclaration": "true"}),
        (
            WRONG,
            {"EXISTS_errorDeclaration": None, "EQ_errorReason": "incorrect_data"},
            {"EQ_errorReason": "did_not_occur"},
        ),
        (WRONG, {"EQ_correctiveEventID": "urn:x:new"}, {"EQ_correctiveEventID": "urn:x:old"}),
        (
            WRONG,
            {"GE_errorDeclarationTime": "2025-11-12T00:00:00Z"},
            {"LT_errorDeclaration_Time": "2025-11-12T00:00:00Z"},
        ),
        (WRONG, {"EQ_ERROR_DECLARATION_ex:by": "me"}, {"EXISTS_ERROR_DECLARATION_ex:on": "true"}),
        (LISTS, {"EQ_bizTransaction_po": "urn:x:po"}, {"EQ_bizTransaction_inv": "urn:x:po"}),
        (LISTS, {"EQ_source_location": "https://id.gs1.org/414/4012345000115"}, {"EQ_destination_location": "urn:x:d"}),
        (LISTS, {"EQ_destination_possessing_party": "urn:x:d"}, {"EQ_source_urn:x:type": "urn:x:d"}),
        (SENSED, {"EXISTS_sensorElementList": 1, "EQ_type": "Temperature|Mass"}, {"EQ_type": "Mass"}),
        (
            SENSED,
            {"GE_time": "2025-11-11T01:00:00Z", "LT_startTime": "2025-11-11T00:00:01Z"},
            {"GE_endTime": "2000-01-01T00:00:00Z"},
        ),
        (SENSED, {"EQ_deviceID": "https://id.gs1.org/8004/4000001111"}, {"EQ_deviceID": "urn:x:1"}),
        (SENSED, {"EQ_bizRules": "urn:x:rules", "EQ_booleanValue": True}, {"EQ_booleanValue": "false"}),
        (SENSED, {"GT_value_CEL": 26, "EQ_value_P1": 80, "GE_percRank": 50}, {"GT_value_CEL": 30}),
        (SENSED, {"EQ_SENSORMETADATA_ex:m": "1", "EQ_SENSORREPORT_ex:r": "1"}, {"EQ_SENSORREPORT_ex:m": "1"}),
        (SENSED, {"EXISTS_SENSORELEMENT_ex:s": "true", "EQ_INNER_SENSORELEMENT_ex:deep": 5}, {"EQ_INNER_ex:deep": 5}),
        (OWN, {"EQ_ex:n": "20", "EQ_ex:text": 20, "GT_ex:n": 19, "LE_ex:text": "20"}, {"LT_ex:n": 20}),
        (OWN, {"GE_ex:at": "2025-11-11T08:00:00+08:00", "EQ_ex:flag": "true"}, {"GT_ex:at": "2025-11-11T00:00:00Z"}),
        (OWN, {"EQ_https://example.org/ns/n": "20"}, {"GE_ex:at": 7}),
        (
            OWN,
            {"EXISTS_ex:n": "true", "EXISTS_INNER_ex:deep": "true", "EQ_INNER_ex:deep": "a|b"},
            {"EXISTS_ex:deep": "true"},
        ),
        (LOT, {"EQ_ILMD_ex:lot": "L1", "EXISTS_ILMD_ex:lot": ""}, {"EQ_ex:lot": "L1"}),
        (LOT, {"EQ_INNER_ILMD_ex:deep": "x"}, {"EQ_INNER_ILMD_ex:lot": "L1"}),
        ({}, {"HASATTR_readPoint": "ex:name|ex:other"}, {"HASATTR_readPoint": "ex:other"}),
        ({}, {"EQATTR_readPoint_ex:name": "Hub"}, {"EQ_ATTR_readPoint_ex:name": "Dock"}),
        (LISTS, {"HASATTR_bizTransaction": "ex:name"}, {"HASATTR_epcClass": "ex:name"}),
    ],
)
def test_parameters(fields, yes, no):
    masters = Masters(
        {"urn:x:city": frozenset([f"{SITE}510100-HUB"])},
        {
            f"{SITE}510100-HUB": {"https://example.org/ns/name": "Hub"},
            "urn:x:po": {"https://example.org/ns/name": "PO"},
        },
    )
    found = read(fields if "type" in fields and "eventTime" in fields else event(**fields)).events[0]
    for name, value in yes.items():
        assert read_query({name: value}, CONTEXT).matches(found, masters), name
    assert read_query(yes, CONTEXT).matches(found, masters)
    assert not read_query(no, CONTEXT).matches(found, masters)


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"EQ_bizstep": "arriving"}, "PR-E201"),
        ({"EQ_no:field": "1"}, "PR-E201"),
        ({"eventType": "ObjectEvents"}, "PR-E202"),
        ({"EQ_action": "SEEN"}, "PR-E202"),
        ({"EQ_bizStep": "delivering"}, "PR-E202"),
        ({"EQ_bizStep": []}, "PR-E202"),
        ({"EQ_bizStep": 7}, "PR-E202"),
        ({"GE_eventTime": "yesterday"}, "PR-E202"),
        ({"GE_eventTime": ["2025-11-11T00:00:00Z"] * 2}, "PR-E202"),
        ({"MATCH_epc": "SF1"}, "PR-E202"),
        ({"EQ_readPoint": "hub"}, "PR-E202"),
        ({"EQ_eventID": 7}, "PR-E202"),
        ({"GT_quantity": "much"}, "PR-E202"),
        ({"GT_quantity": "1|2"}, "PR-E202"),
        ({"EQ_booleanValue": "maybe"}, "PR-E202"),
        ({"EXISTS_errorDeclaration": "maybe"}, "PR-E202"),
        ({"GT_ex:n": "word"}, "PR-E202"),
        ({"EQ_bizTransaction_pox": "urn:x:1"}, "PR-E202"),
        ({"EQ_source_location": "here"}, "PR-E202"),
        ({"orderBy": "bizStep"}, "PR-E202"),
        ({"orderDirection": "UP"}, "PR-E202"),
        ({"perPage": 0}, "PR-E202"),
        ({"maxEventCount": "many"}, "PR-E202"),
        ({"eventCountLimit": 3}, "PR-E203"),
        ({"eventCountLimit": 3, "maxEventCount": 3, "orderBy": "eventTime"}, "PR-E203"),
    ],
)
def test_bad_parameters(parameters, code):
    with pytest.raises(InputError) as caught:
        read_query(parameters, CONTEXT)
    assert [finding.code for finding in caught.value.findings] == [code]
    assert exception_of(caught.value) == ("QueryParameterException", 400)


def test_all_bad_parameters_are_told_at_once():
    with pytest.raises(InputError) as caught:
        read_query({"EQ_bizstep": "x", "EQ_action": "x"})
    assert [finding.message() for finding in caught.value.findings] == [
        "There is no query parameter 'EQ_bizstep'; did you mean 'EQ_bizStep'.",
        "Parameter EQ_action has the value 'x', which is not ADD, OBSERVE or DELETE.",
    ]


def several(n=5):
    """Events an hour apart, the later the higher ex:n; the last has none."""
    made = [
        event(eventID=f"urn:x:{hour}", eventTime=f"2025-11-11T{hour:02d}:00:00+08:00", **{"ex:n": hour * 10})
        for hour in range(n)
    ]
    del made[-1]["ex:n"]
    return read(*made).events


def ids(events):
    return [one.content["eventID"][-1] for one in events]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, "01234"),
        ({"orderBy": "eventTime"}, "43210"),
        ({"orderBy": "eventTime", "orderDirection": "ASC", "eventCountLimit": 2}, "01"),
        ({"orderBy": "ex:n"}, "32104"),
        ({"orderBy": "https://example.org/ns/n", "orderDirection": "ASC"}, "01234"),
        ({"orderBy": "recordTime"}, "01234"),
        ({"maxEventCount": 5}, "01234"),
        ({"GE_ex:n": 20, "@context": {"ex": "https://example.org/ns/"}}, "23"),
    ],
)
def test_order_and_limits(parameters, expected):
    assert ids(run_query(read_query(parameters, CONTEXT), several())) == list(expected)


@pytest.mark.parametrize(("parameters", "limit"), [({"maxEventCount": 4}, None), ({}, 4), ({"maxEventCount": 9}, 4)])
def test_too_many_are_refused(parameters, limit):
    with pytest.raises(InputError, match="PR-E204") as caught:
        run_query(read_query(parameters), several(), limit=limit)
    assert exception_of(caught.value) == ("QueryTooLargeException", 413)
    assert caught.value.params == {"n": 5, "limit": 4}


@given(st.integers(1, 7))
def test_pages_together_are_the_answer(n_page):
    events, token, seen = several(), "", []
    for _ in range(6):
        query = read_query({"perPage": n_page, "orderBy": "eventTime"} | ({"nextPageToken": token} if token else {}))
        page, token = cut_page(query, run_query(query, events))
        seen.extend(page)
        if not token:
            break
    assert ids(seen) == list("43210")


@pytest.mark.parametrize("token", ["nonsense", "2-another", "-1-"])
def test_a_token_of_another_query(token):
    query = read_query({"nextPageToken": token})
    with pytest.raises(InputError, match="PR-E205"):
        cut_page(query, several())
    other = read_query({"perPage": 2})
    _, given_token = cut_page(other, several())
    with pytest.raises(InputError, match="PR-E205"):
        cut_page(read_query({"nextPageToken": given_token, "EQ_action": "ADD"}), several())


def test_other_exceptions():
    assert exception_of(InternalError("PR-I001", code="x", table="y")) == ("ImplementationException", 500)
    assert exception_of(InputError("PR-E101", reason="x")) == ("ValidationException", 400)


def test_a_query_leaves_events_as_they_are():
    found = one()
    before = dict(found.content)
    run_query(read_query({"MATCH_anyEPC": SSCC_URN, "orderBy": "eventTime"}), [found])
    assert found.content == before
