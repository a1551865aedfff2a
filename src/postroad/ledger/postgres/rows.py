"""Rows on their way out of PostgreSQL: as frames of the types that every store gives."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import polars as pl
import pyarrow as pa

from postroad.events.columns import columns, empty_frame, schema
from postroad.ledger.postgres.driver import psycopg

__all__ = ["frame_result", "rows_table", "select_list", "with_marks"]

TYPES = {
    16: pl.Boolean, 17: pl.Binary, 20: pl.Int64, 21: pl.Int16, 23: pl.Int32, 25: pl.String, 700: pl.Float32,
    701: pl.Float64, 1043: pl.String, 1082: pl.Date, 1184: pl.Datetime("us", "UTC"), 2950: pl.Binary,
}  # fmt: skip
NUMERIC, UUID = 1700, 2950


def select_list(stream: str, prefix: str = "") -> str:
    """The columns of a stream in order, ids as bytes.

    >>> select_list("events").split(", ")[:2]
    ['uuid_send(event_id)', 'kind']
    """
    return ", ".join(
        f"uuid_send({prefix}{name})" if column.type == "id16" else f"{prefix}{name}"
        for name, column in columns(stream).items()
    )


def rows_table(rows: Sequence[tuple], stream: str) -> pa.Table:
    """Rows of :func:`select_list` in the schema of the stream."""
    target = schema(stream)
    if not rows:
        return target.empty_table()
    return pa.table(
        [pa.array(values, field.type) for field, values in zip(target, zip(*rows, strict=True), strict=True)],
        schema=target,
    )


def frame_result(cursor: psycopg.Cursor) -> pl.DataFrame:
    """The result of any statement: numbers without a fraction as whole numbers, uuid as 16 bytes, the rest as text."""
    if cursor.description is None:
        return pl.DataFrame()
    rows = cursor.fetchall()
    parts = {}
    for place, column in enumerate(cursor.description):
        parts[column.name] = _series([row[place] for row in rows], column.name, column.type_code)
    return pl.DataFrame(parts)


def with_marks(sql: str) -> str:
    """A statement whose ``?`` outside of quotes and comments are ``$1``, ``$2`` and so on.

    >>> with_marks("SELECT '?' WHERE a = ? AND b = ?")
    "SELECT '?' WHERE a = $1 AND b = $2"
    """
    parts, number, place = [], 0, 0
    ends = {"'": "'", '"': '"', "--": "\n", "/*": "*/"}
    while place < len(sql):
        opening = next((mark for mark in ends if sql.startswith(mark, place)), None)
        if opening is not None:
            stop = sql.find(ends[opening], place + len(opening))
            stop = len(sql) if stop < 0 else stop + len(ends[opening])
            parts.append(sql[place:stop])
            place = stop
            continue
        number += sql[place] == "?"
        parts.append(f"${number}" if sql[place] == "?" else sql[place])
        place += 1
    return "".join(parts)


def _series(values: list, name: str, oid: int) -> pl.Series:
    """One column of a result."""
    if oid == UUID:
        return pl.Series(name, [None if value is None else value.bytes for value in values], pl.Binary)
    if oid == NUMERIC:
        return _numbers(values, name)
    if oid in TYPES:
        return pl.Series(name, values, TYPES[oid])
    declared = empty_frame("events").schema.get(name)
    if isinstance(declared, pl.Struct | pl.List):  # related and raw, which lie as JSON
        return pl.Series(name, values, declared)
    return pl.Series(name, [None if value is None else str(value) for value in values], pl.String)


def _numbers(values: list[Decimal | None], name: str) -> pl.Series:
    """Numbers of any precision: Int64 where all are whole and fit, Decimal where whole, else Float64."""
    known = [value for value in values if value is not None]
    if any(value != value.to_integral_value() for value in known):
        return pl.Series(name, [None if value is None else float(value) for value in values], pl.Float64)
    whole = [None if value is None else int(value) for value in values]
    if all(abs(value) < 2**63 for value in whole if value is not None):
        return pl.Series(name, whole, pl.Int64)
    return pl.Series(name, values, pl.Decimal(38, 0))
