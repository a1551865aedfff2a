"""The columns of the three kinds of frames that a ledger keeps: events, items and flows.

They are declared in ``events/columns.csv``. A frame may be Polars or Arrow; a column that is not required may be left
out and counts as null.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

import polars as pl
import pyarrow as pa

from postroad.core.errors import InputError
from postroad.core.findings import Findings
from postroad.events.kinds import read_table

__all__ = ["ARROW_TYPES", "Column", "columns", "conform", "empty_frame", "schema"]

ARROW_TYPES: Mapping[str, pa.DataType] = {
    "id16": pa.binary(16),
    "word": pa.string(),
    "text": pa.string(),
    "instant": pa.timestamp("us", tz="UTC"),
    "pairs": pa.list_(pa.struct([("role", pa.string()), ("id", pa.string())])),
    "raw": pa.struct([("code", pa.string()), ("text", pa.string())]),
    "int32": pa.int32(),
    "int8": pa.int8(),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One declared column; ``type`` is a key of ARROW_TYPES (a ``word`` is text of which there are few different)."""

    attribute: str
    type: str
    required: bool
    description: str
    description_zh: str


@cache
def columns(table: str) -> Mapping[str, Column]:
    """The columns of ``events``, ``items`` or ``flows``, in order.

    >>> list(columns("events"))[:3]
    ['event_id', 'kind', 'occurred_at']
    """
    rows = (row for row in read_table("columns.csv") if row["table"] == table)
    return {
        row["attribute"]: Column(
            row["attribute"], row["type"], row["required"] == "yes", row["description"], row["description_zh"]
        )
        for row in rows
    }


@cache
def schema(table: str) -> pa.Schema:
    """The Arrow schema in which a table is kept."""
    return pa.schema([(name, ARROW_TYPES[column.type]) for name, column in columns(table).items()])


def empty_frame(table: str) -> pl.DataFrame:
    """A Polars frame of no rows with the declared columns.

    >>> empty_frame("events").width
    16
    """
    return pl.from_arrow(schema(table).empty_table())


def conform(frame: pl.DataFrame | pa.Table, table: str) -> tuple[pa.Table, Findings]:
    """Bring a frame to Arrow with declared columns and types; what cannot be is left out and found.

    Parameters
    ----------
    frame: Polars or Arrow; text may be dictionary-encoded and stays so.
    table: ``events``, ``items`` or ``flows``.

    Returns
    -------
    The table in one chunk, columns in declared order, those left out of the frame left out too; and findings:
    PR-L101 unknown column, PR-L102 missing column, PR-L103 a type that cannot be read, PR-L104 an instant without a
    time zone.

    Raises
    ------
    InputError: PR-L103 when it is no frame at all.
    """
    findings = Findings()
    arrow = _arrow_of(frame, table)
    if _is_declared(arrow.schema, table) and len(arrow.to_batches()) == 1:
        return arrow, findings
    declared = columns(table)
    for name in arrow.column_names:
        if name not in declared:
            near = difflib.get_close_matches(name, declared, n=1)
            near_text = (f"; did you mean '{near[0]}'", f"，是否为“{near[0]}”") if near else ("", "")
            findings.add("PR-L101", table=table, column=name, near=near_text[0], near_zh=near_text[1])
    kept: dict[str, pa.Array] = {}
    for name, column in declared.items():
        if name in arrow.column_names:
            values = _read_column(arrow[name], column, table, findings)
            if values is not None:
                kept[name] = values
        elif column.required:
            findings.add("PR-L102", table=table, column=name)
    return pa.table(kept) if kept else schema(table).empty_table(), findings


@lru_cache(maxsize=64)
def _is_declared(found: pa.Schema, table: str) -> bool:
    """Whether a frame of this schema needs no change: its columns are declared, in order, and of the types kept."""
    declared = columns(table)
    if found.names != [name for name in declared if name in found.names]:
        return False
    for name, column in declared.items():
        if name not in found.names:
            if column.required:
                return False
            continue
        kind = found.field(name).type
        if kind != ARROW_TYPES[column.type] and not (column.type in ("word", "text") and _is_text(kind)):
            return False
    return True


def _arrow_of(frame: object, table: str) -> pa.Table:
    """The frame as an Arrow table."""
    if isinstance(frame, pl.DataFrame):
        return frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    if isinstance(frame, pa.RecordBatch):
        return pa.Table.from_batches([frame])
    if isinstance(frame, pa.Table):
        return frame
    raise InputError("PR-L103", table=table, column="*", value=type(frame).__name__, expected="Polars or Arrow frame")


def _read_column(values: pa.ChunkedArray, column: Column, table: str, findings: Findings) -> pa.Array | None:
    """One column in one chunk and of its declared type; None, and a finding, when it cannot be."""
    target = ARROW_TYPES[column.type]
    found = values.type
    if values.num_chunks > 1 and pa.types.is_string(found):
        values = values.cast(pa.large_string())  # pieces together may be longer than 32-bit offsets reach
    chunk = values.chunk(0) if values.num_chunks == 1 else values.combine_chunks()
    if column.type in ("word", "text") and _is_text(found):
        return chunk
    if column.type == "id16" and pa.types.is_large_binary(found) | pa.types.is_binary(found):
        return chunk
    if pa.types.is_timestamp(found) and column.type == "instant" and found.tz is None:
        findings.add("PR-L104", table=table, column=column.attribute)
        return None
    try:
        _refuse_odd_casts(found, column.type)
        return chunk.cast(target)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        findings.add("PR-L103", table=table, column=column.attribute, value=found, expected=target)
        return None


def _refuse_odd_casts(found: pa.DataType, wanted: str) -> None:
    """Arrow would read a number as an instant or as text; that is a guess."""
    is_same = {
        "instant": pa.types.is_timestamp(found),
        "id16": pa.types.is_fixed_size_binary(found),
        "int32": pa.types.is_integer(found),
        "int8": pa.types.is_integer(found),
        "word": False,
        "text": False,
        "pairs": pa.types.is_list(found) | pa.types.is_large_list(found),
        "raw": pa.types.is_struct(found),
    }[wanted]
    if not is_same and not pa.types.is_null(found):
        raise pa.ArrowTypeError(str(found))


def _is_text(found: pa.DataType) -> bool:
    """Whether a type is text, dictionary-encoded or not."""
    if pa.types.is_dictionary(found):
        found = found.value_type
    return pa.types.is_string(found) or pa.types.is_large_string(found)
