"""EPCIS events as events of ours.

One EPCIS event about N things becomes N events. The first carries the whole original in its payload; the others name
the first. A step that does not mean one thing only becomes ``unknown``, with its own words in ``raw``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from postroad.core.findings import Findings
from postroad.events.envelope import frame_events
from postroad.events.kinds import CORRECTION, UNKNOWN, kinds
from postroad.exchange.epcis.document import Document, EpcisEvent
from postroad.exchange.epcis.naming import correction_id, event_key, head_id, listed_uris, part_id
from postroad.exchange.epcis.own import own_fields, read_own, read_own_correction
from postroad.exchange.epcis.profile import Profile
from postroad.exchange.epcis.structure import read_instant
from postroad.exchange.epcis.vocabulary import read_term

__all__ = ["CONTENT", "CONTEXT", "HEAD", "to_events"]

# Members of the payload: the original, its JSON-LD context, and of a further event the one that carries them.
CONTENT = "epcis"
CONTEXT = "epcis_context"
HEAD = "epcis_head"


@dataclass(frozen=True, slots=True)
class _Thing:
    """What an EPCIS event happened to: its URI, and the subject and number that the URI stands for."""

    uri: str
    subject: str
    number: str


def to_events(
    source: Document | Iterable[EpcisEvent], profile: Profile | None = None, *, recorded_at: datetime | None = None
) -> tuple[pl.DataFrame, Findings]:
    """Turn EPCIS events into the event frame.

    Parameters
    ----------
    source: a document that was read, or events of one.
    profile: how this partner's numbers and steps are read.
    recorded_at: aware instant of capture for events without recordTime; now when left out.

    Returns
    -------
    The frame of events, in the order of the document, and findings: PR-E131 a step without a kind, PR-E132 an event
    about nothing that can be followed (left out), PR-L114 one that does not fit the envelope (left out).

    Assumes: an SSCC that stands as a parent anywhere in the source is a unit, any other SSCC an item; a returnable or
    individual asset (GRAI, GIAI) is a unit.
    """
    profile = profile or Profile()
    events = list(source.events if isinstance(source, Document) else source)
    captured = recorded_at or datetime.now(UTC)
    parents = {event.content.get("parentID") for event in events} | profile.units
    findings = Findings()
    records: list[object] = []
    for event in events:
        own = (read_own_correction(event) or read_own(event, profile)) if profile.is_ours else None
        records.extend([own] if own else _rows(event, profile, parents, captured, findings))
    frame, more = frame_events(records)
    findings.extend(more)
    return frame, findings


def _rows(
    event: EpcisEvent, profile: Profile, parents: set[object], captured: datetime, findings: Findings
) -> Iterator[dict[str, object]]:
    """The records of one EPCIS event that is not of ours."""
    content, head = event.content, head_id(event_key(event))
    common = _common(event, profile, captured)
    declaration = content.get("errorDeclaration")
    things = list(_things(content, profile, parents))
    if not things and "facility_id" not in common:
        findings.add("PR-E132", table=event.pointer)
        return
    carrying = None
    for number, thing in enumerate(things or [_Thing("", "facility", "")]):
        part = "" if number == 0 else thing.uri
        record = {**common, "kind": CORRECTION, "event_id": part_id(head, part) if part else head}
        if thing.number:
            record[f"{thing.subject}_id"] = thing.number
        record |= _carrier(content, thing, profile, dict(common["related"]))
        if declaration is None:
            record["kind"] = _kind(event, thing.subject, profile, findings)
        else:
            record |= {
                "event_id": correction_id(head, declaration["declarationTime"], part),
                "follows": record["event_id"],
                "reason": declaration.get("reason"),
            }
        carrying = carrying or record["event_id"]
        whole = {CONTENT: content, CONTEXT: event.context.used_by(content)}
        record["payload"] = whole if number == 0 else {HEAD: str(carrying)}
        yield record


def _common(event: EpcisEvent, profile: Profile, captured: datetime) -> dict[str, object]:
    """What all records of one EPCIS event share."""
    content = event.content
    occurred, recorded = read_instant(content["eventTime"]), read_instant(content.get("recordTime"))
    declaration = content.get("errorDeclaration")
    if declaration is not None:
        occurred = read_instant(declaration["declarationTime"])
    words = [content.get(name) for name in ("type", "action", "disposition")]
    common: dict[str, object] = {
        "occurred_at": occurred,
        "recorded_at": recorded or captured,
        "label": profile.label,
        "operator_id": profile.operator_id,
        "raw": {"code": content.get("bizStep"), "text": " ".join(word for word in words if word)},
        "related": {},
    }
    places = [content[name]["id"] for name in ("readPoint", "bizLocation") if name in content]
    if places:
        common["facility_id"] = profile.facility_id(places[0])
    if len(places) == 2 and places[1] != places[0]:
        common["related"]["location"] = profile.facility_id(places[1])
    for destination in content.get("destinationList", []):
        if read_term("source_dest", destination["type"], event.context).word == "location":
            common["related"]["to"] = profile.facility_id(destination["destination"])
    return common


def _things(content: dict[str, object], profile: Profile, parents: set[object]) -> Iterator[_Thing]:
    """What an EPCIS event happened to, each once: the things listed, or the parent when none is."""
    uris = listed_uris(content)
    is_parent = not uris and "parentID" in content
    for uri in [content["parentID"]] if is_parent else uris:
        subject, number = profile.namespaces.read(uri)
        if not subject:
            subject = "unit" if is_parent or uri in parents else "item"
        yield _Thing(uri, subject, number)


def _carrier(content: dict[str, object], thing: _Thing, profile: Profile, related: dict[str, str]) -> dict[str, object]:
    """What carries a thing: a trip in its own column, a unit in ``related``."""
    parent = content.get("parentID")
    if not isinstance(parent, str) or parent == thing.uri:
        return {"related": related}
    subject, number = profile.namespaces.read(parent)
    if subject == "trip":
        return {"trip_id": number, "related": related}
    return {"related": {**related, "unit": number}}


def _kind(event: EpcisEvent, subject: str, profile: Profile, findings: Findings) -> str:
    """The kind of an EPCIS event for one thing; ``unknown`` and a finding when no kind surely stands for it."""
    content = event.content
    step, disposition = _word(event, "biz_step", "bizStep"), _word(event, "disposition", "disposition")
    event_type, action = content["type"], content.get("action", "")
    kind = _told_kind(event, profile) or profile.kind_of(event_type, action, step, disposition, subject)
    if kind in kinds() and subject in kinds()[kind].subjects:
        return kind
    words = " ".join(word for word in (event_type, action, content.get("bizStep"), content.get("disposition")) if word)
    findings.add("PR-E131", table=event.pointer, value=f"'{words}' ({subject})")
    return UNKNOWN


def _told_kind(event: EpcisEvent, profile: Profile) -> str | None:
    """The kind that an extension field tells: ours by name, or a UPU EMSEVT code."""
    told = own_fields(event).get("kind")
    if isinstance(told, str) and told in kinds() and told != CORRECTION:
        return told
    if not profile.emsevt_field:
        return None
    for name, value in event.content.items():
        if value and event.context.expand(name) == profile.emsevt_field:
            return next((kind.kind for kind in kinds().values() if kind.emsevt == value), None)
    return None


def _word(event: EpcisEvent, name: str, field: str) -> str:
    """A term of an event as a bare word, or in full when it is the sender's own."""
    text = event.content.get(field)
    if not isinstance(text, str):
        return ""
    term = read_term(name, text, event.context)
    return term.word or event.context.expand(text)
