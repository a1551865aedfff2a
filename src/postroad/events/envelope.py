"""One event, as it is sent and read one at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Literal, Self
from uuid import UUID

import polars as pl
import pyarrow as pa
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from postroad.core.findings import Findings
from postroad.core.ids import uuid7
from postroad.events.columns import schema
from postroad.events.kinds import CORRECTION, UNKNOWN, kinds

__all__ = ["Event", "Raw", "frame_events", "order_events", "read_records"]

Label = Literal["measured", "derived", "modelled", "unverified", "simulated"]


class Raw(BaseModel):
    """The sender's own code and text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str | None = None
    text: str | None = None


class Event(BaseModel):
    """One thing that happened to an item, a unit, a trip or a facility.

    Frozen; further fields are refused, so that no name, number or address of a person can enter. ``event_id`` is a new
    UUIDv7 when left out. A naive instant is refused.

    >>> event = Event(kind="accepted", occurred_at="2025-11-11T09:30+08:00", recorded_at="2025-11-11T09:30+08:00",
    ...               item_id="ZA000000015CN", facility_id="HGH-01", label="measured")
    >>> event.occurred_at.isoformat()
    '2025-11-11T09:30:00+08:00'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    event_id: UUID = Field(default_factory=uuid7)
    kind: str
    occurred_at: AwareDatetime
    recorded_at: AwareDatetime
    item_id: str | None = Field(default=None, min_length=1)
    unit_id: str | None = Field(default=None, min_length=1)
    trip_id: str | None = Field(default=None, min_length=1)
    facility_id: str | None = Field(default=None, min_length=1)
    related: dict[str, str] = Field(default_factory=dict)
    operator_id: str | None = None
    party_id: str | None = None
    reason: str | None = None
    raw: Raw | None = None
    payload: dict[str, JsonValue] | None = None
    follows: UUID | None = None
    label: Label

    @model_validator(mode="after")
    def _check(self) -> Self:
        """The kind is of the closed list, the event names a subject of it, and a correction says what it follows."""
        kind = kinds().get(self.kind)
        if kind is None:
            raise ValueError(f"kind '{self.kind}' is not in the closed list")
        if not any(getattr(self, f"{subject}_id") for subject in kind.subjects):
            raise ValueError(f"an event of kind '{self.kind}' names one of: {', '.join(kind.subjects)}")
        if self.kind == CORRECTION and self.follows is None:
            raise ValueError("a correction says which event it follows")
        return self

    def row(self) -> dict[str, object]:
        """The event as a row of the event frame."""
        row = {name: getattr(self, name) for name in schema("events").names}
        row["event_id"] = self.event_id.bytes
        row["follows"] = self.follows.bytes if self.follows else None
        row["related"] = [{"role": role, "id": name} for role, name in sorted(self.related.items())] or None
        row["raw"] = self.raw.model_dump() if self.raw else None
        row["payload"] = None if self.payload is None else json.dumps(self.payload, ensure_ascii=False, sort_keys=True)
        return row


def frame_events(records: Iterable[Event | Mapping[str, object]]) -> tuple[pl.DataFrame, Findings]:
    """Put events into a frame; a record that does not fit is left out and found.

    Parameters
    ----------
    records: events, or mappings of their fields. A kind outside the closed list becomes ``unknown``, kept in ``raw``.

    Returns
    -------
    The frame of those that fit, and findings: PR-L114 a record that does not fit (its row counts from 2), PR-L106 an
    unknown kind.
    """
    rows, _, findings = read_records(records)
    return pl.from_arrow(pa.Table.from_pylist(rows, schema=schema("events"))), findings


def read_records(records: Iterable[object]) -> tuple[list[dict[str, object]], list[int], Findings]:
    """Read records one by one; as :func:`frame_events`.

    Returns
    -------
    Rows of the event frame, the place of each among the records, and findings.
    """
    findings = Findings()
    rows, places = [], []
    for place, record in enumerate(records):
        try:
            kept = _keep_code(record, place + 2, findings) if isinstance(record, Mapping) else record
            event = record if isinstance(record, Event) else Event.model_validate(kept)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            column = ".".join(str(part) for part in first["loc"])
            told = f"{column}: {first['msg']}".lstrip(": ")
            findings.add("PR-L114", table="events", row=place + 2, column=column, value=told)
            continue
        rows.append(event.row())
        places.append(place)
    return rows, places, findings


def order_events(frame: pl.DataFrame) -> pl.DataFrame:
    """Sort events by the instant they occurred, then causal rank, then id; never by when they arrived."""
    ranks = {name: kind.rank for name, kind in kinds().items()}
    rank = pl.col("kind").cast(pl.String).replace_strict(ranks, return_dtype=pl.Int64)
    return frame.sort("occurred_at", rank, "event_id")


def _keep_code(record: Mapping[str, object], number: int, findings: Findings) -> Mapping[str, object]:
    """Turn a kind outside the closed list into ``unknown`` and keep its code in raw."""
    code = record.get("kind")
    if not isinstance(code, str) or code in kinds():
        return record
    findings.add("PR-L106", table="events", row=number, column="kind", value=code)
    raw = record.get("raw")
    if raw is None:
        raw = {"code": code}
    elif isinstance(raw, Mapping) and raw.get("code") not in (None, code):
        raw = {**raw, "text": " ".join(filter(None, [raw.get("text"), f"[kind {code}]"]))}
    elif isinstance(raw, Mapping):
        raw = {**raw, "code": code}
    return {**record, "kind": UNKNOWN, "raw": raw}
