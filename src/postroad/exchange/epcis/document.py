"""EPCIS documents: read with all their content, checked, composed and written.

Reading keeps the whole JSON value; the check looks at it and changes nothing. So what is written again has equal
content.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from postroad.core.errors import InputError
from postroad.core.findings import Findings
from postroad.exchange.epcis.context import CONTEXT_URL, STANDARD, Context, as_list, read_context
from postroad.exchange.epcis.structure import (
    STRICT_CODES,
    check_context,
    check_event,
    check_object,
    joined_pointer,
)

__all__ = [
    "Document",
    "EpcisEvent",
    "compose_document",
    "envelope_of",
    "read_document",
    "write_document",
    "write_instant",
]

DOCUMENT = "EPCISDocument"
QUERY_DOCUMENT = "EPCISQueryDocument"
MAX_DEPTH = 100
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class EpcisEvent:
    """One EPCIS event as it was sent.

    Attributes
    ----------
    content: the JSON object, whole.
    context: the JSON-LD context that holds for it.
    pointer: where it stood in its document.
    """

    content: Mapping[str, object]
    context: Context = STANDARD
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """An EPCIS document, a bare event or a list of them.

    Attributes
    ----------
    content: the JSON value, whole; not to be changed.
    events: the events that can be used, in order; one that is wrong is left out and found.
    context: the JSON-LD context of the document.
    """

    content: object
    events: tuple[EpcisEvent, ...]
    context: Context = STANDARD


def read_document(
    source: bytes | str | Mapping[str, object] | Sequence[object], *, is_strict: bool = False
) -> tuple[Document, Findings]:
    """Read and check an EPCIS document.

    Parameters
    ----------
    source: JSON as bytes of UTF-8 or text, or what was read from it: an EPCISDocument, an EPCISQueryDocument, one
        event, or a list of events.
    is_strict: leave out, too, an event with a term, an identifier, a prefix or a clock that is not right.

    Returns
    -------
    The document with the events that can be used, and findings PR-E102..PR-E122, each with a JSON pointer in ``table``.

    Raises
    ------
    InputError: PR-E101 when the source is no JSON text at all, or is nested deeper than 100 levels.

    >>> document, findings = read_document('{"@context": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",'
    ...     ' "type": "ObjectEvent", "action": "OBSERVE", "eventTime": "2025-11-11T09:30:00+08:00",'
    ...     ' "eventTimeZoneOffset": "+08:00", "epcList": ["urn:epc:id:sscc:0614141.1234567890"],'
    ...     ' "bizStep": "shiping"}')
    >>> len(document.events), [finding.message() for finding in findings]
    (1, ["'shiping' is not a term of bizStep in CBV 2.0; did you mean 'shipping'."])
    """
    findings = Findings()
    content, is_odd = _parse(source) if isinstance(source, bytes | str) else (source, False)
    if _is_deeper(content, MAX_DEPTH):
        raise InputError("PR-E101", reason=f"it is nested deeper than {MAX_DEPTH} levels")
    context = STANDARD
    if isinstance(content, Mapping):
        context = read_context(content.get("@context"))
        if is_odd:
            _tell_odd({name: value for name, value in content.items() if name != "epcisBody"}, "", findings)
    events = []
    for number, (event, pointer, outer) in enumerate(_find_events(content, context, findings), start=1):
        own = Findings()
        check_event(event, pointer, outer, own)
        if is_odd:
            _tell_odd(event, pointer, own)
        if is_strict and not own.errors and STRICT_CODES & own.counts.keys():
            own.add("PR-E117", table=pointer, value=number)
        if not own.errors:
            inner = outer.joined(event["@context"]) if "@context" in event else outer
            events.append(EpcisEvent(event, inner, pointer))
        findings.extend(own)
    return Document(content, tuple(events), context), findings


def write_document(document: Document | Mapping[str, object] | Sequence[object], *, indent: int | None = None) -> bytes:
    """Write a document as JSON in UTF-8; names keep their order, letters outside ASCII stay letters."""
    content = document.content if isinstance(document, Document) else document
    return json.dumps(content, ensure_ascii=False, allow_nan=False, indent=indent).encode()


def compose_document(
    events: Iterable[EpcisEvent],
    created_at: datetime,
    *,
    header: Mapping[str, object] | None = None,
    query: Mapping[str, object] | None = None,
) -> Document:
    """Put events of any origin into one document.

    Parameters
    ----------
    events: the contexts they came with are joined; an event whose prefixes mean something else than those of the
        events before it keeps its context for itself, in its own ``@context``.
    created_at: aware instant.
    header: members of the document (``id``, ``sender``, ``receiver``, ``instanceIdentifier``, ``epcisHeader`` ...);
        ``@context``, ``schemaVersion`` and ``creationDate`` are taken from it when they are there.
    query: members of the query results (``queryName``, ``subscriptionID`` ...); gives an EPCISQueryDocument.
    """
    given = dict(header or {})
    sent = given.pop("@context", [CONTEXT_URL])
    entries = as_list(sent)
    joined = read_context(entries)
    placed = []
    for event in events:
        content = dict(event.content)
        missing = [entry for entry in event.context.entries if entry not in entries]
        if "@context" not in content and missing:
            if _conflicts(joined, event.context, missing):
                content = {"@context": list(event.context.entries), **content}
            else:
                entries.extend(missing)
                joined = read_context(entries)
        placed.append(content)
    context = sent if as_list(sent) == entries else entries
    body: object = {**_object(given.pop("epcisBody", None)), "eventList": placed}
    if query is not None:
        results = {**_object(query.get("resultsBody")), "eventList": placed}
        body = {"queryResults": {"queryName": "SimpleEventQuery", **query, "resultsBody": results}}
    kind = DOCUMENT if query is None else QUERY_DOCUMENT
    outer = {"@context": context, "type": kind, "schemaVersion": "2.0", "creationDate": write_instant(created_at)}
    given.pop("type", None)
    return read_document({**outer, **given, "epcisBody": body})[0]


def envelope_of(document: Document) -> dict[str, Mapping[str, object] | None]:
    """What stands around the events of a document: ``header`` and ``query`` as :func:`compose_document` takes them."""
    header = dict(_object(document.content))
    body = dict(_object(header.pop("epcisBody", None)))
    if header.get("type") != QUERY_DOCUMENT:
        further = {name: value for name, value in body.items() if name != "eventList"}
        return {"header": {**header, "epcisBody": further} if further else header, "query": None}
    results = dict(_object(body.get("queryResults")))
    inner = {name: value for name, value in _object(results.pop("resultsBody", None)).items() if name != "eventList"}
    return {"header": header, "query": {**results, "resultsBody": inner}}


def write_instant(instant: datetime) -> str:
    """Write an aware instant as EPCIS does, to the millisecond, or the microsecond where it has one."""
    return instant.isoformat(timespec="microseconds" if instant.microsecond % 1000 else "milliseconds")


def _object(content: object) -> Mapping[str, object]:
    """A value that should be an object; an empty one when it is none."""
    return content if isinstance(content, Mapping) else {}


def _conflicts(joined: Context, context: Context, entries: list[object]) -> bool:
    """Whether new entries would give a name another meaning than it has already."""
    names = {name for entry in entries if isinstance(entry, Mapping) for name in entry}
    known = joined.prefixes
    return any(name in known and known[name] != context.prefixes.get(name) for name in names)


def _find_events(
    content: object, context: Context, findings: Findings
) -> Iterable[tuple[Mapping[str, object], str, Context]]:
    """Where the events of a source stand; what holds them is checked on the way."""
    if isinstance(content, list | tuple):
        for number, event in enumerate(content):
            yield event, f"/{number}", STANDARD
        return
    kind = content.get("type") if isinstance(content, Mapping) else None
    if kind not in (DOCUMENT, QUERY_DOCUMENT):
        if isinstance(content, Mapping) and kind is not None:
            if "@context" not in content:
                check_context(None, "/@context", context, findings)
            yield content, "", STANDARD
        else:
            findings.add("PR-E102", table="", value=kind)
        return
    check_object(content, kind, "", context, findings)
    holder, pointer = _step(content, "epcisBody", f"{kind} body", "", context, findings)
    if kind == QUERY_DOCUMENT:
        holder, pointer = _step(holder, "queryResults", "query results", pointer, context, findings)
        holder, pointer = _step(holder, "resultsBody", "results body", pointer, context, findings)
    pointer = joined_pointer(pointer, "eventList")
    events = holder.get("eventList", [])
    if not isinstance(events, list | tuple):
        findings.add("PR-E104", table=pointer, value=repr(events)[:60], expected="a list", expected_zh="列表")
        return
    for number, event in enumerate(events):
        yield event, joined_pointer(pointer, number), context


def _step(
    holder: Mapping[str, object], name: str, scope: str, pointer: str, context: Context, findings: Findings
) -> tuple[Mapping[str, object], str]:
    """Go into an object of the envelope and check it; an empty one when there is none."""
    pointer = joined_pointer(pointer, name)
    inner = holder.get(name, {})
    if name in holder:
        check_object(inner, scope, pointer, context, findings)
    return (inner if isinstance(inner, Mapping) else {}), pointer


def _is_deeper(content: object, n_levels: int) -> bool:
    """Whether a JSON value is nested deeper than so many levels."""
    level = [content] if isinstance(content, dict | list) else []
    for _ in range(n_levels):
        parts = (part.values() if isinstance(part, dict) else part for part in level)
        level = [inner for part in parts for inner in part if isinstance(inner, dict | list)]
        if not level:
            return False
    return True


class _Doubled(dict):
    """A JSON object in which a name stood twice."""

    doubled = ""


class _Clipped(float):
    """A JSON number that had more digits than are kept."""


def _parse(source: bytes | str) -> tuple[object, bool]:
    """Read JSON text; the second value tells whether it holds doubled names or clipped numbers."""
    odd = []

    def keep_pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
        content = dict(pairs)
        if len(content) == len(pairs):
            return content
        doubled = _Doubled(content)
        names = [name for name, _ in pairs]
        doubled.doubled = next(name for name in names if names.count(name) > 1)
        odd.append(doubled)
        return doubled

    def keep_number(text: str) -> float:
        number = float(text)
        if number in (float("inf"), float("-inf")):
            raise ValueError(f"number {text} is out of range")
        if Decimal(text) == Decimal(repr(number)):
            return number
        odd.append(number)
        return _Clipped(number)

    try:
        text = source.decode("utf-8-sig") if isinstance(source, bytes) else source
        content = json.loads(
            text, object_pairs_hook=keep_pairs, parse_float=keep_number, parse_constant=_refuse_constant
        )
        if _SURROGATE.search(text):
            json.dumps(content, ensure_ascii=False).encode()
    except RecursionError as error:
        raise InputError("PR-E101", reason="it is nested too deep") from error
    except ValueError as error:
        raise InputError("PR-E101", reason=str(error)) from error
    return content, bool(odd)


def _refuse_constant(text: str) -> float:
    """NaN and infinity are no JSON."""
    raise ValueError(f"{text} is no JSON number")


def _tell_odd(content: object, pointer: str, findings: Findings) -> None:
    """Find doubled names and clipped numbers."""
    if isinstance(content, _Doubled):
        findings.add("PR-E121", table=pointer, value=content.doubled)
    if isinstance(content, _Clipped):
        findings.add("PR-E112", table=pointer, value=repr(float(content)))
    parts = content.items() if isinstance(content, Mapping) else enumerate(content) if isinstance(content, list) else ()
    for name, part in parts:
        _tell_odd(part, joined_pointer(pointer, name), findings)
