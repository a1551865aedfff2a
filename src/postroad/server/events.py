"""Events in and out: append with per-item results, and the events about a thing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import numpy as np
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool

from postroad.core.errors import InputError
from postroad.core.findings import Findings
from postroad.ledger.admission import REFUSED, STATUSES
from postroad.server.bodies import ARROW, JSON, LINES, Sent, read_body, read_events
from postroad.server.callers import Calling, Serving
from postroad.server.metrics import EVENTS
from postroad.server.problems import RESPONSES, FoundRecord, language_of, record_finding
from postroad.service.desk import Caller, Desk

__all__ = ["ROUTER", "Id", "Subject"]

ROUTER = APIRouter(tags=["events"], responses=RESPONSES)
Id = Annotated[str, Path(min_length=1, max_length=200)]
Limit = Annotated[int, Query(ge=1, le=10_000, description="Rows of a page.")]


class Appended(BaseModel):
    """What became of the events of a request.

    ``statuses``: appended, duplicate or refused, of each in the order they were sent; left out with ``brief``.
    ``counts``: of each code, when more were found than are listed.
    """

    n_appended: int
    n_duplicate: int
    n_refused: int
    statuses: list[str] | None = None
    findings: list[FoundRecord]
    counts: dict[str, int]


class Subject(StrEnum):
    """What events are about."""

    items = "items"
    units = "units"
    trips = "trips"
    facilities = "facilities"

    @property
    def word(self) -> str:
        """One of them."""
        return "facility" if self is Subject.facilities else self.value[:-1]


class EventRecord(BaseModel):
    """An event of the ledger."""

    event_id: str
    kind: str
    occurred_at: datetime
    recorded_at: datetime
    item_id: str | None
    unit_id: str | None
    trip_id: str | None
    facility_id: str | None
    related: dict[str, str] | None
    operator_id: str | None
    party_id: str | None
    reason: str | None
    raw: dict[str, str | None] | None
    payload: object | None
    follows: str | None
    label: str


class EventPage(BaseModel):
    """Events about a thing, in order. ``next``: cursor of the page that follows; None on the last."""

    events: list[EventRecord]
    next: str | None


BODY = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Event"}}},
            LINES: {"schema": {"type": "string", "description": "One event a line."}},
            ARROW: {"schema": {"type": "string", "format": "binary", "description": "Columns of the table events."}},
        },
    }
}


@ROUTER.post("/events", response_model=Appended, openapi_extra=BODY)
async def append_events(request: Request, caller: Calling, desk: Serving, brief: bool = False) -> Response:
    """Add events. Each has its own result; the same event again is a duplicate and changes nothing."""
    body = await read_body(request)
    content_type = request.headers.get("content-type", "")
    answer = await run_in_threadpool(_append, desk, caller, body, content_type, brief, language_of(request))
    return Response(answer, media_type=JSON)


@ROUTER.get("/{subject}/{name}/events", response_model=EventPage)
async def list_events(
    subject: Subject, name: Id, caller: Calling, desk: Serving, limit: Limit = 1000, cursor: str | None = None
) -> Response:
    """The events about an item, unit, trip or facility, whole, in order."""
    rows = desk.find_events(caller, name, subject.word)
    start = _read_cursor(cursor, rows)
    page = rows[start : start + limit]
    following = page[-1]["event_id"].hex() if start + limit < len(rows) else None
    return Response(to_json({"events": [write_event(row) for row in page], "next": following}), media_type=JSON)


def write_event(row: Mapping[str, object]) -> dict[str, object]:
    """An event as values of JSON."""
    return {
        **row,
        "event_id": str(UUID(bytes=row["event_id"])),
        "follows": str(UUID(bytes=row["follows"])) if row["follows"] else None,
        "related": {pair["role"]: pair["id"] for pair in row["related"]} if row["related"] else None,
        "payload": _payload(row["payload"]),
    }


def _append(desk: Desk, caller: Caller, body: bytes, content_type: str, is_brief: bool, language: str) -> bytes:
    """Read and add events, and say what became of each."""
    caller.grant.demand("events:write")
    sent = read_events(body, content_type)
    statuses = np.full(sent.n_sent, REFUSED, np.int8)
    findings = sent.findings
    if sent.table.num_rows:
        receipt, found = desk.append(caller, sent.table)
        statuses[sent.places] = receipt.status
        findings.extend(found.moved(lambda row: int(sent.places[row - 2]) + 2))
    counts = np.bincount(statuses, minlength=len(STATUSES)).tolist()
    for status, n_events in zip(STATUSES, counts, strict=True):
        EVENTS.labels(status).inc(n_events)
    told = {f"n_{status}": n_events for status, n_events in zip(STATUSES, counts, strict=True)}
    if not is_brief:
        told["statuses"] = _name_statuses(statuses, counts)
    return to_json(told | _tell(findings, sent, language))


def _name_statuses(statuses: np.ndarray, counts: Sequence[int]) -> list[str]:
    """The name of each status."""
    if max(counts) == len(statuses):
        return [STATUSES[int(np.argmax(counts))]] * len(statuses)
    return np.array(STATUSES)[statuses].tolist()


def _tell(findings: Findings, sent: Sent, language: str) -> dict[str, object]:
    """What was found."""
    listed = [record_finding(finding, language) for finding in findings]
    return {"findings": listed, "counts": dict(findings.counts)}


def _read_cursor(cursor: str | None, rows: Sequence[Mapping[str, object]]) -> int:
    """Where a page begins; InputError PR-H109 for a cursor of nothing."""
    if cursor is None:
        return 0
    for place, row in enumerate(rows):
        if row["event_id"].hex() == cursor:
            return place + 1
    raise InputError("PR-H109", value=cursor)


def _payload(text: str | None) -> object:
    """A payload as the value it is."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text
