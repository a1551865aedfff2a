"""Events of ours as an EPCIS document.

What came from EPCIS is written as it came, from the payload of the event that carries it. Our own events are written
with the step and disposition of their kind, and a correction as an error declaration.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from uuid import UUID

import polars as pl

from postroad.core.clock import time_zone
from postroad.core.findings import Findings
from postroad.events.envelope import Event
from postroad.events.kinds import CORRECTION
from postroad.exchange.epcis.context import CONTEXT_URL, EXTENSION, PREFIX, Context, as_list, read_context
from postroad.exchange.epcis.document import Document, EpcisEvent, compose_document, write_instant
from postroad.exchange.epcis.incoming import CONTENT, CONTEXT, HEAD
from postroad.exchange.epcis.own import compose_own, declare_error
from postroad.exchange.epcis.profile import Profile

__all__ = ["from_events", "write_events"]

OWN_CONTEXT: Context = read_context([CONTEXT_URL, {PREFIX: EXTENSION}])


def from_events(
    frame: pl.DataFrame,
    profile: Profile | None = None,
    *,
    timezone: str = "UTC",
    created_at: datetime | None = None,
    header: Mapping[str, object] | None = None,
    query: Mapping[str, object] | None = None,
) -> tuple[Document, Findings]:
    """Write a frame of events as an EPCIS document.

    Parameters
    ----------
    frame: events as :func:`postroad.events.envelope.frame_events` gives them.
    profile: how numbers become URIs.
    timezone: IANA name; our own events are written with its offset. What came from EPCIS keeps its own.
    created_at: aware instant; the last recorded_at of the frame when left out.
    header, query: as for :func:`postroad.exchange.epcis.document.compose_document`.

    Returns
    -------
    The document, and findings: PR-E133 content that cannot be read (left out), PR-E134 a correction without its event.

    Raises
    ------
    InputError: PR-C022 for an unknown zone.
    """
    events, findings = write_events(frame, profile, timezone=timezone)
    last = frame["recorded_at"].max() if frame.height else None
    return compose_document(events, created_at or last or datetime.now(UTC), header=header, query=query), findings


def write_events(
    frame: pl.DataFrame, profile: Profile | None = None, *, timezone: str = "UTC", is_stamped: bool = False
) -> tuple[list[EpcisEvent], Findings]:
    """Write events as EPCIS without a document around them; parameters and findings as for :func:`from_events`.

    Parameters
    ----------
    is_stamped: give what came without recordTime or eventID those under which it is kept, as who answers queries must.
    """
    profile, zone, findings = profile or Profile(), time_zone(timezone), Findings()
    events = [_event(row) for row in frame.iter_rows(named=True)]
    by_id = {event.event_id: event for event in events}
    heads = {str(name) for name, event in by_id.items() if event.payload and CONTENT in event.payload}
    written = []
    for event in events:
        if event.payload and event.payload.get(HEAD) in heads:
            continue
        found = _write(event, by_id, profile, zone, findings)
        if found is not None:
            written.append(_stamp(found, event) if is_stamped else found)
    return written, findings


def _write(
    event: Event, by_id: Mapping[UUID, Event], profile: Profile, zone: tzinfo, findings: Findings
) -> EpcisEvent | None:
    """One event as EPCIS; None when what it holds cannot be read."""
    if event.payload and CONTENT in event.payload:
        content, entries = event.payload[CONTENT], event.payload.get(CONTEXT)
        if isinstance(content, Mapping) and isinstance(entries, list):
            return EpcisEvent(content, read_context(entries))
        findings.add("PR-E133", value=event.event_id, reason="it is no object with a context")
        return None
    if event.kind != CORRECTION:
        return EpcisEvent(compose_own(event, profile, zone), OWN_CONTEXT)
    first = by_id.get(event.follows)
    if first and first.payload and HEAD in first.payload:
        first = by_id.get(UUID(str(first.payload[HEAD])), first)
    original = _write(first, {}, profile, zone, findings) if first and first.kind != CORRECTION else None
    if original is None:
        findings.add("PR-E134", value=event.event_id, follows=event.follows)
        return EpcisEvent(compose_own(event, profile, zone), OWN_CONTEXT)
    context = original.context if PREFIX in original.context.prefixes else original.context.joined({PREFIX: EXTENSION})
    return EpcisEvent(declare_error(original.content, event, zone), context)


def _stamp(written: EpcisEvent, event: Event) -> EpcisEvent:
    """Add when and under which name an EPCIS event is kept, where its sender did not say."""
    name = event.follows if "errorDeclaration" in written.content and event.follows else event.event_id
    stamps = {"eventID": name.urn, "recordTime": write_instant(event.recorded_at)}
    return replace(written, content={**stamps, **written.content})


def _event(row: Mapping[str, object]) -> Event:
    """A row of the frame as an event."""
    fields = dict(row)
    fields["event_id"] = UUID(bytes=row["event_id"])
    fields["follows"] = UUID(bytes=row["follows"]) if row["follows"] else None
    fields["related"] = {pair["role"]: pair["id"] for pair in as_list(row["related"])}
    fields["payload"] = json.loads(row["payload"]) if row["payload"] else None
    return Event.model_validate(fields)
