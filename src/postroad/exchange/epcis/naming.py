"""The identity of an EPCIS event, and of the events of ours that it becomes.

The id of our event is the UUID of an eventID that is one, else a digest of the eventID. An event without eventID is
named by a digest of its content, in which order of names, time zone and form of terms and identifiers do not matter;
recordTime and errorDeclaration do not count, so that a declaration names the event it declares void.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from uuid import UUID

from postroad.core.digests import digest_mapping
from postroad.core.ids import digest_id
from postroad.exchange.epcis.context import EXTENSION, Context
from postroad.exchange.epcis.document import EpcisEvent
from postroad.exchange.epcis.fields import EVENT_TYPES, OTHER_TYPE, Field, scope_fields
from postroad.exchange.epcis.identifiers import same_identifier
from postroad.exchange.epcis.structure import read_instant
from postroad.exchange.epcis.vocabulary import read_term, web_uri

__all__ = ["content_digest", "correction_id", "event_key", "head_id", "listed_uris", "part_id"]

_UUID = "urn:uuid:"
_APART = ("@context", "eventID", "recordTime", "errorDeclaration", f"{EXTENSION}correction")
_LISTS = ("epcList", "childEPCs", "inputEPCList", "outputEPCList")


def event_key(event: EpcisEvent) -> str:
    """What names an EPCIS event: its eventID, or the digest of its content."""
    given = event.content.get("eventID")
    return given if isinstance(given, str) else f"urn:postroad:epcis:content:{content_digest(event)}"


def head_id(key: str) -> UUID:
    """The id of the first event of ours.

    >>> head_id("urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8")
    UUID('374d95fc-9457-4a51-bd6a-0bba133845a8')
    """
    try:
        return UUID(key.removeprefix(_UUID)) if key.lower().startswith(_UUID) else digest_id("epcis", key)
    except ValueError:
        return digest_id("epcis", key)


def part_id(head: UUID, uri: str) -> UUID:
    """The id of the event of ours about another thing of the same EPCIS event."""
    return digest_id("epcis part", head.bytes, uri)


def listed_uris(content: Mapping[str, object]) -> list[str]:
    """The things that an EPCIS event lists, each once, in order."""
    return list(dict.fromkeys(uri for name in _LISTS for uri in content.get(name, [])))


def correction_id(head: UUID, declared: str, uri: str = "") -> UUID:
    """The id of a correction: it shares the eventID of what it declares void, so its instant tells it apart."""
    instant = read_instant(declared)
    text = instant.astimezone(UTC).isoformat() if instant else declared
    return digest_id("epcis error", head.bytes, text, uri)


def content_digest(event: EpcisEvent) -> str:
    """Digest what an event says: 32 hexadecimal digits.

    >>> first = EpcisEvent({"type": "ObjectEvent", "eventTime": "2025-11-11T09:30:00+08:00", "epcList": ["urn:x:1"]})
    >>> same = EpcisEvent({"epcList": ["urn:x:1"], "eventTime": "2025-11-11T01:30:00Z", "type": "ObjectEvent"})
    >>> content_digest(first) == content_digest(same)
    True
    """
    kept = {name: value for name, value in event.content.items() if event.context.expand(name) not in _APART}
    kind = event.content.get("type")
    scope = kind if kind in EVENT_TYPES else OTHER_TYPE
    return digest_mapping(_canonical(kept, scope, event.context))


def _canonical(content: Mapping[str, object], scope: str, context: Context) -> dict[str, object]:
    """An object with its names in full and its values in one form."""
    declared = scope_fields(scope)
    found: dict[str, object] = {}
    for name, value in content.items():
        if name in declared:
            found[name] = _value(value, declared[name], context)
        else:
            found[context.expand(name)] = _own_value(value, context)
    return found


def _value(value: object, field: Field, context: Context) -> object:
    """A value of a declared field in one form; the parts of a list in one order."""
    if isinstance(value, list):
        parts = [_value(part, field, context) for part in value]
        return sorted(parts, key=lambda part: digest_mapping({"": part}))
    if isinstance(value, Mapping):
        return _canonical(value, field.of, context)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        return value
    if field.form == "instant":
        instant = read_instant(value)
        return instant.astimezone(UTC).isoformat() if instant else value
    if "term" in field.form:
        term = read_term(field.of, value, context)
        return web_uri(field.of, term.word) if term.word else context.expand(value)
    return same_identifier(context.expand(value)) if "uri" in field.form else value


def _own_value(value: object, context: Context) -> object:
    """A value of a field of the sender's own, its names in full; order is kept, for nobody knows what it means."""
    if isinstance(value, list):
        return [_own_value(part, context) for part in value]
    if isinstance(value, Mapping):
        return {context.expand(name): _own_value(part, context) for name, part in value.items()}
    return value
