"""The parameters of SimpleEventQuery: each becomes a test of one event.

Source: GS1 EPCIS 2.0 (2022), section 8.2.7.1, and the OpenAPI binding.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from postroad.core.findings import Findings
from postroad.exchange.epcis.context import Context, as_list, is_uri
from postroad.exchange.epcis.document import EpcisEvent
from postroad.exchange.epcis.fields import EVENT_TYPES
from postroad.exchange.epcis.identifiers import matches_epc, same_identifier
from postroad.exchange.epcis.masters import Masters
from postroad.exchange.epcis.structure import read_instant
from postroad.exchange.epcis.values import (
    COMPARISONS,
    EPC_FIELDS,
    QUANTITY_FIELDS,
    holders_of,
    number_or_instant,
    objects_of,
    own_values,
    uris_of,
)
from postroad.exchange.epcis.vocabulary import read_term, terms, web_uri

__all__ = ["PARAMETERS", "Test", "read_parameter"]

Test = Callable[[EpcisEvent, Masters], bool]

_TIMES = ("eventTime", "recordTime", "errorDeclarationTime", "errorDeclaration_Time", "time", "startTime", "endTime")
_TERMS = {
    "EQ_bizStep": ("biz_step", "event", "bizStep"),
    "EQ_disposition": ("disposition", "event", "disposition"),
    "EQ_persistentDisposition_set": ("disposition", "persistentDisposition", "set"),
    "EQ_persistentDisposition_unset": ("disposition", "persistentDisposition", "unset"),
    "EQ_errorReason": ("error_reason", "errorDeclaration", "reason"),
    "EQ_type": ("measurement", "sensorReport", "type"),
}
_PLACES = ("readPoint", "bizLocation")
_URIS = {
    "EQ_transformationID": ("event", "transformationID"),
    "EQ_eventID": ("event", "eventID"),
    "EQ_correctiveEventID": ("errorDeclaration", "correctiveEventIDs"),
}
_SENSORS = (
    "deviceID",
    "dataProcessingMethod",
    "bizRules",
    "microorganism",
    "chemicalSubstance",
    "stringValue",
    "hexBinaryValue",
    "uriValue",
    "booleanValue",
)
_EXISTING = ("errorDeclaration", "sensorElementList")
_TYPED = {"bizTransaction": "biz_transaction", "source": "source_dest", "destination": "source_dest"}
_AREAS = {
    "ILMD_": "ilmd",
    "ERROR_DECLARATION_": "errorDeclaration",
    "SENSORELEMENT_": "sensorElementList",
    "SENSORMETADATA_": "sensorMetadata",
    "SENSORREPORT_": "sensorReport",
    "readPoint_": "readPoint",
    "bizLocation_": "bizLocation",
}
_MEASURE = re.compile(
    r"(EQ|GT|GE|LT|LE)_(value|minValue|maxValue|meanValue|sDev|percValue|percRank)(?:_([A-Z0-9]{2,4}))?"
)
_QUANTITY = re.compile(r"(EQ|GT|GE|LT|LE)_quantity(?:_([A-Z0-9]{2,4}))?")
_TYPED_LIST = re.compile(r"EQ_(bizTransaction|source|destination)_(.+)")
_OWN = re.compile(rf"(EQ|GT|GE|LT|LE|EXISTS)_(INNER_)?({'|'.join(_AREAS)})?(.+:.+)")
_HAS_ATTRIBUTE = re.compile(r"HASATTR_([A-Za-z]+)")
_EQ_ATTRIBUTE = re.compile(r"EQ_?ATTR_([A-Za-z]+)_(.+)")

PARAMETERS = (
    "eventType",
    "EQ_action",
    *_TERMS,
    *_URIS,
    *(f"{test}_{name}" for name in _TIMES for test in ("GE", "LT")),
    *(f"{test}_{name}" for name in _PLACES for test in ("EQ", "WD")),
    *(f"MATCH_{name}" for name in EPC_FIELDS),
    *(f"{test}_quantity" for test in COMPARISONS),
    *(f"EQ_{name}" for name in _SENSORS),
    *(f"EXISTS_{name}" for name in _EXISTING),
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One parameter as it was asked: its name, its values, the context of the query, and where findings go."""

    name: str
    values: tuple[object, ...]
    context: Context
    findings: Findings

    def refuse(self, value: object, expected: str, expected_zh: str) -> None:
        """Add the finding of a value that does not fit."""
        self.findings.add(
            "PR-E202", table="query", parameter=self.name, value=value, expected=expected, expected_zh=expected_zh
        )


def read_parameter(name: str, value: object, context: Context, findings: Findings) -> Test | None:
    """Make a test out of a parameter.

    Parameters
    ----------
    name: such as ``EQ_bizStep``.
    value: text, several values with ``|`` between, as a URL holds them; or a JSON value.
    context: prefixes of the query.
    findings: takes PR-E201 for an unknown parameter and PR-E202 for a value that does not fit.

    Returns
    -------
    The test; None when there is a finding, or the parameter asks for nothing (an EXISTS that is false).
    """
    values = value.split("|") if isinstance(value, str) else as_list(value)
    asked = _Asked(name, tuple(values), context, findings)
    if not values and not name.startswith("EXISTS_"):
        asked.refuse(value, "a value", "值")
        return None
    for pattern, make in _MAKERS:
        match = pattern.fullmatch(name)
        if match is not None:
            return make(asked, match)
    near = difflib.get_close_matches(name, PARAMETERS, n=1)
    near_text = (f"; did you mean '{near[0]}'", f"，是否为“{near[0]}”") if near else ("", "")
    findings.add("PR-E201", table="query", value=name, near=near_text[0], near_zh=near_text[1])
    return None


def _event_type(asked: _Asked, match: re.Match) -> Test | None:
    """The type is one of those asked for; an extension type is asked for by its full name."""
    for value in asked.values:
        if value not in EVENT_TYPES and not (isinstance(value, str) and is_uri(value)):
            asked.refuse(value, f"one of {', '.join(EVENT_TYPES)}", f"{'、'.join(EVENT_TYPES)} 之一")
            return None
    wanted = {asked.context.expand(str(value)) for value in asked.values}
    return lambda event, masters: event.context.expand(str(event.content.get("type"))) in wanted


def _action(asked: _Asked, match: re.Match) -> Test | None:
    """The action is one of those asked for."""
    for value in asked.values:
        if value not in terms("action"):
            asked.refuse(value, "ADD, OBSERVE or DELETE", "ADD、OBSERVE 或 DELETE")
            return None
    return lambda event, masters: event.content.get("action") in asked.values


def _term(asked: _Asked, match: re.Match) -> Test | None:
    """A term is one of those asked for, whatever form either has."""
    listed, area, field = _TERMS[match[0]]
    wanted = set()
    for value in asked.values:
        full = _full_term(listed, value, asked.context)
        if full is None:
            asked.refuse(value, "a term of CBV 2.0 or a URI", "CBV 2.0 术语或 URI")
            return None
        wanted.add(full)

    def test(event: EpcisEvent, masters: Masters) -> bool:
        found = (part for holder in holders_of(event, area) for part in as_list(holder.get(field)))
        return any(_full_term(listed, part, event.context) in wanted for part in found)

    return test


def _full_term(listed: str, value: object, context: Context) -> str | None:
    """A term in full; None when it is neither of the list nor a URI."""
    if not isinstance(value, str):
        return None
    term = read_term(listed, value, context)
    if term.form == "unknown":
        return None
    return web_uri(listed, term.word) if term.word else context.expand(value)


def _time(asked: _Asked, match: re.Match) -> Test | None:
    """An instant lies at or after, or before, the one asked for."""
    limit = read_instant(asked.values[0])
    if limit is None or len(asked.values) > 1:
        asked.refuse(
            asked.values[0], "an instant such as 2025-11-11T08:00:00+08:00", "时间，如 2025-11-11T08:00:00+08:00"
        )
        return None
    compare, field = COMPARISONS[match[1]], match[2]
    areas, name = ("event",), field
    if field.startswith("errorDeclaration"):
        areas, name = ("errorDeclaration",), "declarationTime"
    elif field not in ("eventTime", "recordTime"):
        areas = ("sensorMetadata", "sensorReport")

    def test(event: EpcisEvent, masters: Masters) -> bool:
        found = (read_instant(holder.get(name)) for area in areas for holder in holders_of(event, area))
        return any(instant is not None and compare(instant, limit) for instant in found)

    return test


def _place(asked: _Asked, match: re.Match) -> Test | None:
    """A place is one of those asked for; with WD, or lies in one of them."""
    if not _are_uris(asked):
        return None
    is_deep, field = match[1] == "WD", match[2]
    exact = {same_identifier(asked.context.expand(value)) for value in asked.values}

    def test(event: EpcisEvent, masters: Masters) -> bool:
        wanted = frozenset().union(*map(masters.descendants, exact)) if is_deep else exact
        return any(same_identifier(event.context.expand(uri)) in wanted for uri in uris_of(event, field))

    return test


def _uri(asked: _Asked, match: re.Match) -> Test | None:
    """An identifier is one of those asked for."""
    if not _are_uris(asked):
        return None
    area, field = _URIS[match[0]]

    def test(event: EpcisEvent, masters: Masters) -> bool:
        return any(part in asked.values for holder in holders_of(event, area) for part in as_list(holder.get(field)))

    return test


def _match(asked: _Asked, match: re.Match) -> Test | None:
    """An EPC or a class is one of those asked for, in any form, or fits a pattern."""
    if not _are_uris(asked):
        return None
    fields = EPC_FIELDS[match[1]]

    def test(event: EpcisEvent, masters: Masters) -> bool:
        return any(matches_epc(value, uri) for uri in uris_of(event, *fields) for value in asked.values)

    return test


def _typed_list(asked: _Asked, match: re.Match) -> Test | None:
    """A business transaction, source or destination of a type is one of those asked for."""
    field, listed = match[1], _TYPED[match[1]]
    wanted_type = _full_term(listed, match[2], asked.context)
    if wanted_type is None:
        asked.refuse(match[2], "a type of CBV 2.0 or a URI", "CBV 2.0 类型或 URI")
        return None
    if not _are_uris(asked):
        return None
    wanted = {same_identifier(asked.context.expand(value)) for value in asked.values}

    def test(event: EpcisEvent, masters: Masters) -> bool:
        return any(
            _full_term(listed, part.get("type"), event.context) == wanted_type
            and same_identifier(event.context.expand(str(part.get(field)))) in wanted
            for part in objects_of(event, f"{field}List")
        )

    return test


def _quantity(asked: _Asked, match: re.Match) -> Test | None:
    """A quantity compares with the number asked for; with a unit of measure, in that unit."""
    return _compared(asked, match[1], "quantity", match[2], lambda event: objects_of(event, *QUANTITY_FIELDS))


def _measure(asked: _Asked, match: re.Match) -> Test | None:
    """A sensor's number compares with the one asked for; with a unit of measure, in that unit."""
    return _compared(asked, match[1], match[2], match[3], lambda event: holders_of(event, "sensorReport"))


def _compared(asked: _Asked, test_name: str, field: str, uom: str | None, holders: Callable) -> Test | None:
    """A number in an object compares with the one asked for."""
    numbers = [number_or_instant(value) for value in asked.values]
    wrong = [value for value, number in zip(asked.values, numbers, strict=True) if not isinstance(number, float)]
    if wrong or (test_name != "EQ" and len(numbers) > 1):
        asked.refuse(wrong[0] if wrong else asked.values[1], "one number", "一个数字")
        return None
    compare = COMPARISONS[test_name]

    def test(event: EpcisEvent, masters: Masters) -> bool:
        for holder in holders(event):
            found = number_or_instant(holder.get(field))
            is_same = uom is None or holder.get("uom") == uom
            if isinstance(found, float) and is_same and any(compare(found, number) for number in numbers):
                return True
        return False

    return test


def _sensor(asked: _Asked, match: re.Match) -> Test | None:
    """A field of a sensor is one of those asked for."""
    field = match[1]
    wanted = {_plain(value) for value in asked.values}
    if field == "booleanValue" and not wanted <= {"true", "false"}:
        asked.refuse(asked.values[0], "true or false", "true 或 false")
        return None

    def test(event: EpcisEvent, masters: Masters) -> bool:
        holders = (holder for area in ("sensorMetadata", "sensorReport") for holder in holders_of(event, area))
        return any(_plain(holder[field]) in wanted for holder in holders if field in holder)

    return test


def _plain(value: object) -> str:
    """A value as text in the form in which it compares."""
    return str(value).lower() if isinstance(value, bool) else same_identifier(str(value))


def _exists(asked: _Asked, match: re.Match) -> Test | None:
    """A field is there."""
    return (lambda event, masters: match[1] in event.content) if _is_asked(asked) else None


def _is_asked(asked: _Asked) -> bool:
    """Whether an EXISTS asks: not when it is false or 0; null asks, for the parameter itself says it."""
    words = [str(value).lower() for value in asked.values]
    for word in words:
        if word not in ("true", "false", "1", "0", "none", ""):
            asked.refuse(word, "true or false", "true 或 false")
            return False
    return words not in (["false"], ["0"])


def _own_field(asked: _Asked, match: re.Match) -> Test | None:
    """A field of somebody's own compares with what is asked for."""
    test_name, inner, area, short = match.groups()
    if not asked.context.knows(short):
        asked.findings.add("PR-E201", table="query", value=asked.name, near="", near_zh="")
        return None
    name, area = asked.context.expand(short), _AREAS.get(area or "", "event")
    if test_name == "EXISTS":
        if not _is_asked(asked):
            return None
        return lambda event, masters: any(True for _ in own_values(event, area, name, is_inner=bool(inner)))
    wanted = [number_or_instant(value) for value in asked.values]
    if test_name != "EQ" and (len(wanted) > 1 or wanted[0] is None):
        asked.refuse(asked.values[0], "one number or instant", "一个数字或时间")
        return None
    texts = {str(value) for value in asked.values}

    def test(event: EpcisEvent, masters: Masters) -> bool:
        for value in own_values(event, area, name, is_inner=bool(inner)):
            if test_name == "EQ" and (str(value).lower() if isinstance(value, bool) else str(value)) in texts:
                return True
            if _is_compared(test_name, number_or_instant(value), wanted):
                return True
        return False

    return test


def _is_compared(test_name: str, found: object, wanted: list[object]) -> bool:
    """Whether a number or instant compares with one asked for that is of its kind."""
    compare = COMPARISONS[test_name]
    for limit in wanted:
        is_same_kind = isinstance(found, datetime) == isinstance(limit, datetime)
        if found is not None and limit is not None and is_same_kind and compare(found, limit):
            return True
    return False


def _has_attribute(asked: _Asked, match: re.Match) -> Test | None:
    """Master data say something under one of the names asked for about a thing in a field."""
    names = {asked.context.expand(str(value)) for value in asked.values}

    def test(event: EpcisEvent, masters: Masters) -> bool:
        return any(names & masters.attributes_of(uri).keys() for uri in _attributed(event, match[1]))

    return test


def _eq_attribute(asked: _Asked, match: re.Match) -> Test | None:
    """Master data say one of the values asked for about a thing in a field."""
    name = asked.context.expand(match[2])
    texts = {str(value) for value in asked.values}

    def test(event: EpcisEvent, masters: Masters) -> bool:
        found = (masters.attributes_of(uri).get(name) for uri in _attributed(event, match[1]))
        return any(value is not None and str(value) in texts for value in found)

    return test


def _attributed(event: EpcisEvent, field: str) -> list[str]:
    """The things in a field of an event about which master data may speak."""
    if field in _TYPED:
        return [str(part.get(field)) for part in objects_of(event, f"{field}List")]
    if field == "epcClass":
        return list(uris_of(event, *QUANTITY_FIELDS))
    return [event.context.expand(uri) for uri in uris_of(event, field)]


def _are_uris(asked: _Asked) -> bool:
    """Whether all values are URIs; a finding for the first that is none."""
    for value in asked.values:
        if not isinstance(value, str) or not is_uri(value):
            asked.refuse(value, "a URI", "URI")
            return False
    return True


def _any_of(names: Mapping | tuple[str, ...]) -> str:
    """A pattern of any of some names."""
    return "|".join(map(re.escape, names))


_MAKERS: tuple[tuple[re.Pattern, Callable[[_Asked, re.Match], Test | None]], ...] = (
    (re.compile("eventType"), _event_type),
    (re.compile("EQ_action"), _action),
    (re.compile(_any_of(_TERMS)), _term),
    (re.compile(f"(GE|LT)_({_any_of(_TIMES)})"), _time),
    (re.compile(f"(EQ|WD)_({_any_of(_PLACES)})"), _place),
    (re.compile(_any_of(_URIS)), _uri),
    (re.compile(f"MATCH_({_any_of(EPC_FIELDS)})"), _match),
    (_QUANTITY, _quantity),
    (_MEASURE, _measure),
    (re.compile(f"EQ_({_any_of(_SENSORS)})"), _sensor),
    (re.compile(f"EXISTS_({_any_of(_EXISTING)})"), _exists),
    (_TYPED_LIST, _typed_list),
    (_HAS_ATTRIBUTE, _has_attribute),
    (_EQ_ATTRIBUTE, _eq_attribute),
    (_OWN, _own_field),
)
