"""Bodies: events as they are sent, in JSON, lines of JSON or Arrow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from fastapi import Request
from pydantic_core import from_json

from postroad.core.errors import InputError
from postroad.core.findings import Findings
from postroad.events.records import frame_records

__all__ = ["ARROW", "JSON", "LINES", "Sent", "read_body", "read_events"]

JSON, LINES, ARROW = "application/json", "application/x-ndjson", "application/vnd.apache.arrow.stream"


@dataclass(frozen=True, slots=True)
class Sent:
    """Events that were sent.

    ``table``: those that could be read. ``places``: int64 (n_rows,), of each among all that were sent. ``n_sent``: how
    many there were. ``findings``: of those that could not be read.
    """

    table: pa.Table
    places: np.ndarray
    n_sent: int
    findings: Findings


async def read_body(request: Request) -> bytes:
    """The body of a request; InputError PR-H101 when it is larger than the server takes."""
    limit = request.app.state.settings.max_bytes
    told = request.headers.get("content-length", "0")
    parts, size = [], int(told) if told.isdigit() else 0
    if size <= limit:
        size = 0
        async for part in request.stream():
            size += len(part)
            if size > limit:
                break
            parts.append(part)
    if size > limit:
        raise InputError("PR-H101", limit=limit)
    return b"".join(parts)


def read_events(body: bytes, content_type: str) -> Sent:
    """Read events.

    Parameters
    ----------
    body: as the content type says: an array of events or an object with ``events``; one event a line; an Arrow stream.

    Raises
    ------
    InputError: PR-H102 another content type, PR-H108 a body that is something else.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == ARROW:
        table = _read_arrow(body)
        return Sent(table, np.arange(table.num_rows), table.num_rows, Findings())
    if kind not in (JSON, LINES):
        raise InputError("PR-H102", value=content_type, known=", ".join((JSON, LINES, ARROW)))
    records = _read_json(body, kind)
    table, places, findings = frame_records(records)
    return Sent(table, places, len(records), findings)


def _read_arrow(body: bytes) -> pa.Table:
    """A stream of record batches."""
    try:
        with pa.ipc.open_stream(pa.py_buffer(body)) as stream:
            table = stream.read_all()
        table.validate(full=True)
    except (pa.ArrowException, ValueError, OSError) as error:
        raise InputError("PR-H108", expected=ARROW, reason=str(error)) from error
    return table


def _read_json(body: bytes, kind: str) -> list[object]:
    """The records of a JSON text."""
    try:
        if kind == LINES:
            lines = body.strip()
            content = from_json(b"[" + b",".join(line for line in lines.splitlines() if line.strip()) + b"]")
        else:
            content = from_json(body)
    except ValueError as error:
        raise InputError("PR-H108", expected=kind, reason=str(error)) from error
    if isinstance(content, dict) and set(content) == {"events"}:
        content = content["events"]
    if not isinstance(content, list):
        raise InputError("PR-H108", expected=kind, reason="neither an array of events nor an object with 'events'")
    return content
