"""The check of EPCIS content: every object against its declared fields, all findings at once.

A finding says where as a JSON pointer (RFC 6901). Structure that is wrong is an error; a term outside the standard
vocabulary or a wrong identifier is a warning, since the event can be kept as it was sent.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from postroad.core.findings import Findings
from postroad.exchange.epcis.context import CONTEXT_URL, Context, as_list, is_uri
from postroad.exchange.epcis.fields import CLOSED, EVENT_TYPES, OTHER_TYPE, Field, scope_fields
from postroad.exchange.epcis.identifiers import check_identifier
from postroad.exchange.epcis.vocabulary import near_term, read_term

__all__ = ["STRICT_CODES", "check_context", "check_event", "check_object", "joined_pointer", "read_instant"]

# What strict reading does not let pass.
STRICT_CODES = frozenset(("PR-E106", "PR-E109", "PR-E110", "PR-E114", "PR-E115"))

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_OFFSET = re.compile(r"[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00)")
_PATTERNS = {
    "version": (re.compile(r"\d+(\.\d+)*"), "a version such as 2.0", "2.0 之类的版本号"),
    "uom": (re.compile(r"[A-Z0-9]{2,3}"), "a unit code of UN/ECE Recommendation 20", "UN/ECE 第 20 号建议书的单位代码"),
    "hex": (re.compile(r"[A-Fa-f0-9]+"), "text of hexadecimal digits", "十六进制文本"),
    "text": (re.compile(r".*", re.DOTALL), "text", "文本"),
}


def check_event(event: object, pointer: str, context: Context, findings: Findings) -> None:
    """Check one event.

    Parameters
    ----------
    event: a JSON value.
    pointer: where it stands.
    context: what holds around it.
    findings: takes PR-E102..PR-E122.
    """
    if not isinstance(event, Mapping):
        _tell_type(event, pointer, "an object", "对象", findings)
        return
    if "@context" in event:
        context = context.joined(event["@context"])
    kind = event.get("type")
    if kind not in EVENT_TYPES:
        if not isinstance(kind, str) or not is_uri(kind):
            findings.add("PR-E102", table=joined_pointer(pointer, "type"), value=_short(kind))
            return
        check_object(event, OTHER_TYPE, pointer, context, findings)
        return
    check_object(event, kind, pointer, context, findings)
    _check_rules(event, kind, pointer, findings)
    _check_clocks(event, pointer, findings)


def check_object(content: object, scope: str, pointer: str, context: Context, findings: Findings) -> None:
    """Check an object against the declared fields of its scope, and what is in it."""
    if not isinstance(content, Mapping):
        _tell_type(content, pointer, "an object", "对象", findings)
        return
    declared = scope_fields(scope)
    for name, value in content.items():
        place = joined_pointer(pointer, name)
        if name in declared:
            _check_value(value, declared[name], place, context, findings)
        else:
            _check_own_name(name, scope, place, context, findings)
    for field in declared.values():
        if field.is_required and field.name not in content:
            findings.add("PR-E103", table=pointer, field=field.name)


def check_context(content: object, pointer: str, context: Context, findings: Findings) -> None:
    """Check the value of ``@context``: URIs and objects; GS1's own is among them or holds around it already."""
    for entry in as_list(content):
        if not isinstance(entry, Mapping) and not (isinstance(entry, str) and is_uri(entry)):
            _tell_type(entry, pointer, "a URI or an object of prefixes", "URI 或前缀对象", findings)
    if CONTEXT_URL not in context.entries:
        findings.add("PR-E122", table=pointer, expected=CONTEXT_URL)


def read_instant(text: object) -> datetime | None:
    """Read an instant as EPCIS writes it; None when it is none. Digits below a microsecond are dropped."""
    if not isinstance(text, str) or _INSTANT.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def joined_pointer(pointer: str, name: str | int) -> str:
    """Go one step down a JSON pointer.

    >>> joined_pointer("/eventList/0", "ex:a/b")
    '/eventList/0/ex:a~1b'
    """
    return f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}"


def _check_own_name(name: str, scope: str, pointer: str, context: Context, findings: Findings) -> None:
    """A name that is not declared has a namespace, and stands where fields of one's own may."""
    if scope in CLOSED or not is_uri(name):
        near = difflib.get_close_matches(name, scope_fields(scope), n=1)
        near_text = (f"; did you mean '{near[0]}'", f"，是否为“{near[0]}”") if near else ("", "")
        findings.add("PR-E105", table=pointer, value=name, scope=scope, near=near_text[0], near_zh=near_text[1])
    elif not context.knows(name):
        findings.add("PR-E106", table=pointer, value=name)


def _check_value(value: object, field: Field, pointer: str, context: Context, findings: Findings) -> None:
    """Check one value against what its field asks for."""
    if field.form in _LISTS:
        if not isinstance(value, list):
            _tell_type(value, pointer, "a list", "列表", findings)
            return
        check = _CHECKS[_LISTS[field.form]]
        for place, part in enumerate(value):
            check(part, field, joined_pointer(pointer, place), context, findings)
        if field.form in _FILLED and not value:
            _tell_type(value, pointer, "a list with something in it", "非空列表", findings)
        if field.form.startswith("set of"):
            _check_twice(value, pointer, findings)
    elif field.form == "uri or uris":
        for part in as_list(value):
            _check_uri(part, field, pointer, context, findings)
    else:
        _CHECKS[field.form](value, field, pointer, context, findings)


def _check_twice(values: list[object], pointer: str, findings: Findings) -> None:
    """Nothing stands twice in a set."""
    seen = set()
    for place, value in enumerate(values):
        if isinstance(value, str) and value in seen:
            findings.add("PR-E120", table=joined_pointer(pointer, place), value=value)
        elif isinstance(value, str):
            seen.add(value)


def _check_inner(value: object, field: Field, pointer: str, context: Context, findings: Findings) -> None:
    """Check an object inside another."""
    check_object(value, field.of, pointer, context, findings)


def _check_uri(value: object, field: Field, pointer: str, context: Context, findings: Findings) -> None:
    """Check a URI, and the GS1 identifier in it."""
    if not isinstance(value, str):
        _tell_type(value, pointer, "a URI", "URI", findings)
    elif not is_uri(value):
        findings.add("PR-E113", table=pointer, value=value)
    elif (finding := check_identifier(value)) is not None:
        findings.append(replace(finding, table=pointer))


def _check_term(value: object, field: Field, pointer: str, context: Context, findings: Findings) -> None:
    """Check a term of the standard vocabulary; an action is a word of three and nothing else."""
    if not isinstance(value, str):
        _tell_type(value, pointer, "text", "文本", findings)
        return
    term = read_term(field.of, value, context)
    if term.form == "unknown" and field.of == "action":
        _tell_type(value, pointer, "ADD, OBSERVE or DELETE", "ADD、OBSERVE 或 DELETE", findings)
    elif term.form == "unknown":
        near = near_term(field.of, value)
        near_text = (f"; did you mean '{near}'", f"，是否为“{near}”") if near else ("", "")
        findings.add("PR-E110", table=pointer, value=value, scope=field.name, near=near_text[0], near_zh=near_text[1])
    elif term.form in ("urn", "web"):
        findings.add("PR-E111", table=pointer, value=value, word=term.word)
    elif term.form == "own" and not context.knows(value):
        findings.add("PR-E106", table=pointer, value=value)


def _check_instant(value: object, field: Field, pointer: str, context: Context, findings: Findings) -> None:
    """Check an instant."""
    if read_instant(value) is None:
        findings.add("PR-E107", table=pointer, value=_short(value))


def _check_offset(value: object, field: Field, pointer: str, context: Context, findings: Findings) -> None:
    """Check a time zone offset."""
    if not isinstance(value, str) or _OFFSET.fullmatch(value) is None:
        findings.add("PR-E108", table=pointer, value=_short(value))


def _check_number(value: object, field: Field, pointer: str, context: Context, findings: Findings) -> None:
    """Check a number; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        _tell_type(value, pointer, "a number", "数字", findings)


def _check_boolean(value: object, field: Field, pointer: str, context: Context, findings: Findings) -> None:
    """Check a truth value."""
    if not isinstance(value, bool):
        _tell_type(value, pointer, "true or false", "true 或 false", findings)


def _check_pattern(value: object, field: Field, pointer: str, context: Context, findings: Findings) -> None:
    """Check text of a fixed form."""
    pattern, expected, expected_zh = _PATTERNS[field.form]
    if not isinstance(value, str) or pattern.fullmatch(value) is None:
        _tell_type(value, pointer, expected, expected_zh, findings)


def _check_context(value: object, field: Field, pointer: str, context: Context, findings: Findings) -> None:
    """Check the context of an event or a document."""
    check_context(value, pointer, context, findings)


def _check_nothing(value: object, field: Field, pointer: str, context: Context, findings: Findings) -> None:
    """What is checked by whoever reads it."""


_CHECKS: Mapping[str, Callable[[object, Field, str, Context, Findings], None]] = {
    "object": _check_inner,
    "uri": _check_uri,
    "term": _check_term,
    "instant": _check_instant,
    "offset": _check_offset,
    "number": _check_number,
    "boolean": _check_boolean,
    "context": _check_context,
    "any": _check_nothing,
    **dict.fromkeys(_PATTERNS, _check_pattern),
}
# The form of the parts of a list.
_LISTS = {"objects": "object", "some objects": "object", "uris": "uri", "set of uris": "uri", "set of terms": "term"}
_FILLED = ("some objects", "set of terms")


def _check_rules(event: Mapping[str, object], kind: str, pointer: str, findings: Findings) -> None:
    """Check what depends on other fields."""
    for test, rule, rule_zh in _RULES[kind]:
        if not test(event):
            findings.add("PR-E119", table=pointer, scope=kind, rule=rule, rule_zh=rule_zh)


def _check_clocks(event: Mapping[str, object], pointer: str, findings: Findings) -> None:
    """The offset of eventTime agrees with the one of the place, and nothing is recorded before it happens."""
    time, offset = event.get("eventTime"), event.get("eventTimeZoneOffset")
    occurred, recorded = read_instant(time), read_instant(event.get("recordTime"))
    if occurred is None:
        return
    if isinstance(offset, str) and _OFFSET.fullmatch(offset) and not time.endswith(("Z", "+00:00", "-00:00", offset)):
        place = joined_pointer(pointer, "eventTimeZoneOffset")
        findings.add("PR-E109", table=place, got=time[-6:], expected=offset)
    if recorded is not None and recorded < occurred:
        place = joined_pointer(pointer, "recordTime")
        findings.add("PR-E118", table=place, value=event["recordTime"], occurred=time)


def _has(event: Mapping[str, object], *names: str) -> bool:
    """Whether any of the lists is there and not empty."""
    return any(event.get(name) for name in names)


def _is_deleted(event: Mapping[str, object]) -> bool:
    """Whether the action is DELETE, which may stand for all."""
    return event.get("action") == "DELETE"


_Rule = tuple[Callable[[Mapping[str, object]], bool], str, str]
_CHILDREN: _Rule = (
    lambda event: _is_deleted(event) or _has(event, "childEPCs", "childQuantityList"),
    "names no children",
    "未指明子项",
)
_RULES: Mapping[str, tuple[_Rule, ...]] = {
    "ObjectEvent": (
        (
            lambda event: (
                "epcList" in event
                or _has(event, "quantityList")
                or (_has(event, "sensorElementList") and "readPoint" in event)
            ),
            "names no object: epcList, quantityList, or sensorElementList with readPoint",
            "未指明对象：epcList、quantityList，或 sensorElementList 与 readPoint",
        ),
        (
            lambda event: "ilmd" not in event or event.get("action") == "ADD",
            "may have ilmd only with the action ADD",
            "仅在 action 为 ADD 时可含 ilmd",
        ),
        (
            lambda event: event.get("persistentDisposition") != {},
            "has a persistentDisposition that neither sets nor unsets",
            "persistentDisposition 既无 set 也无 unset",
        ),
    ),
    "AggregationEvent": (
        _CHILDREN,
        (
            lambda event: "parentID" in event or event.get("action") == "OBSERVE",
            "names no parentID with the action ADD or DELETE",
            "在 action 为 ADD 或 DELETE 时未指明 parentID",
        ),
    ),
    "AssociationEvent": (_CHILDREN,),
    "TransactionEvent": (
        (lambda event: bool(event.get("bizTransactionList", True)), "names no transaction", "未指明交易"),
        (
            lambda event: _is_deleted(event) or "epcList" in event or _has(event, "quantityList"),
            "names no object: epcList or quantityList",
            "未指明对象：epcList 或 quantityList",
        ),
    ),
    "TransformationEvent": (
        (
            lambda event: (
                _has(event, "inputEPCList", "inputQuantityList", "outputEPCList", "outputQuantityList")
                if "transformationID" in event
                else _has(event, "inputEPCList", "inputQuantityList")
                and _has(event, "outputEPCList", "outputQuantityList")
            ),
            "names not both inputs and outputs, nor one of them with a transformationID",
            "未同时指明输入与输出，也未以 transformationID 指明其一",
        ),
    ),
}


def _tell_type(value: object, pointer: str, expected: str, expected_zh: str, findings: Findings) -> None:
    """Add the finding of a value of the wrong type."""
    findings.add("PR-E104", table=pointer, value=_short(value), expected=expected, expected_zh=expected_zh)


def _short(value: object) -> str:
    """A value as it may stand in a sentence."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
