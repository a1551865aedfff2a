"""Rows on their way into PostgreSQL: what it cannot keep, and the bytes that COPY reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from postroad.core.findings import MAX_PER_CODE, Findings
from postroad.events.columns import columns, schema
from postroad.kernels.copying import NO_MARK, add_sizes, begin_rows, write_field
from postroad.ledger.index import text_buffers

__all__ = ["copy_pieces", "copy_statement", "days_of", "encode_instants", "encode_uuids", "find_foreign"]

PIECE_ROWS = 1 << 17
EPOCH_2000_US = 946_684_800_000_000
DAY_US = 86_400_000_000
EPOCH_1970 = date(1970, 1, 1)
HEADER, TRAILER = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
JSONB_VERSION = 1
INDEXED = ("item_id", "unit_id", "trip_id", "facility_id")
MOST_BYTES = 1000
"""Bytes of an id that is indexed; a B-tree takes no entry above a third of a page."""
YEAR_ONE = (datetime(1, 1, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
YEAR_10000 = YEAR_ONE + 3_652_059 * DAY_US


@dataclass(frozen=True, slots=True)
class _Field:
    """One column as bytes: ``lengths`` -1 where null; ``mark``: a byte before every value, -1 for none."""

    data: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    mark: int = NO_MARK


def find_foreign(table: pa.Table, stream: str) -> tuple[np.ndarray, Findings]:
    """Find rows that PostgreSQL cannot keep.

    Parameters
    ----------
    table: columns of the stream, in its schema.

    Returns
    -------
    bool (n_rows,): True where a row cannot be kept; and findings PR-L506: a text with a character of code 0, an
    indexed id of more than 1,000 bytes, an instant outside the years 1 to 9999.
    """
    findings = Findings()
    is_foreign = np.zeros(table.num_rows, bool)
    for name, column in columns(stream).items():
        values = table[name].combine_chunks()
        if column.type == "instant":
            micros = pc.fill_null(values.cast(pa.int64()), 0).to_numpy()
            is_bad, why = (micros < YEAR_ONE) | (micros >= YEAR_10000), "an instant outside the years 1 to 9999"
        elif column.type in ("word", "text", "pairs", "raw"):
            is_bad, why = _has_nul(values), "a character of code 0"
            if name in INDEXED and not is_bad.any():
                lengths = pc.fill_null(pc.binary_length(values), 0).to_numpy(zero_copy_only=False)
                is_bad, why = lengths > MOST_BYTES, f"an id of more than {MOST_BYTES} bytes"
        else:
            continue
        rows = np.flatnonzero(is_bad & ~is_foreign)
        is_foreign[rows] = True
        for row in rows[:MAX_PER_CODE].tolist():
            findings.add("PR-L506", table=stream, row=row + 2, column=name, value=why, value_zh=WHY_ZH[why])
        findings.count("PR-L506", len(rows) - MAX_PER_CODE)
    return is_foreign, findings


WHY_ZH = {
    "an instant outside the years 1 to 9999": "公元 1 至 9999 年以外的时间",
    "a character of code 0": "编码为 0 的字符",
    f"an id of more than {MOST_BYTES} bytes": f"超过 {MOST_BYTES} 字节的标识",
}


def copy_statement(stream: str) -> str:
    """The statement whose input :func:`copy_pieces` gives."""
    return f"COPY {stream} ({', '.join(schema(stream).names)}) FROM STDIN (FORMAT binary)"


def copy_pieces(table: pa.Table, stream: str) -> Iterator[memoryview | bytes]:
    """The rows of a table, in the schema of the stream, in the binary format of COPY, piece by piece."""
    yield HEADER
    for start in range(0, table.num_rows, PIECE_ROWS):
        yield memoryview(_encode(table.slice(start, PIECE_ROWS).combine_chunks(), stream))
    yield TRAILER


def days_of(instants: pa.ChunkedArray) -> list[date]:
    """The days (UTC) on which instants lie, in order."""
    days = np.unique(instants.combine_chunks().cast(pa.int64()).to_numpy() // DAY_US)
    return [EPOCH_1970 + timedelta(int(day)) for day in days]


def encode_uuids(ids: np.ndarray) -> bytes:
    """Ids, uint8 (n, 16), as an array of uuid in the binary format."""
    return _encode_array(ids.reshape(-1, 16), oid=2950)


def encode_instants(micros: np.ndarray) -> bytes:
    """Instants in microseconds from 1970, int64 (n,), as an array of timestamptz in the binary format."""
    return _encode_array((micros - EPOCH_2000_US).astype(">i8").view(np.uint8).reshape(-1, 8), oid=1184)


def _encode_array(values: np.ndarray, oid: int) -> bytes:
    """Values of one width, uint8 (n, width), as a one-dimensional array in the binary format."""
    n, width = values.shape
    out = np.empty((n, 4 + width), np.uint8)
    out[:, :4] = np.frombuffer(int(width).to_bytes(4, "big"), np.uint8)
    out[:, 4:] = values
    return np.array([1, 0, oid, n, 1], ">i4").tobytes() + out.tobytes()


def _encode(table: pa.Table, stream: str) -> np.ndarray:
    """Rows in the binary format: uint8 (n_bytes,)."""
    fields = [_field_of(table[name], column.type) for name, column in columns(stream).items()]
    sizes = np.full(table.num_rows, 2, np.int64)
    for field in fields:
        add_sizes(sizes, field.lengths, int(field.mark != NO_MARK))
    places = np.cumsum(sizes) - sizes
    out = np.empty(int(sizes.sum()), np.uint8)
    begin_rows(out, places, len(fields))
    for field in fields:
        write_field(out, places, field.data, field.starts, field.lengths, field.mark)
    return out


def _field_of(values: pa.ChunkedArray, kind: str) -> _Field:
    """A column as the bytes of its values."""
    values = values.combine_chunks() if values.num_chunks != 1 else values.chunk(0)
    if kind in ("word", "text"):
        return _text_field(values)
    if kind in ("pairs", "raw"):
        return _text_field(_as_json(values), JSONB_VERSION)
    is_null = values.is_null().to_numpy(zero_copy_only=False)
    if kind == "id16":
        data = np.frombuffer(values.buffers()[1], np.uint8)[16 * values.offset :]
        width = 16
    else:
        numbers = pc.fill_null(values.cast(pa.int64()), 0).to_numpy()
        numbers = numbers - EPOCH_2000_US if kind == "instant" else numbers
        form = {"instant": ">i8", "int32": ">i4", "int8": ">i2"}[kind]
        data, width = numbers.astype(form).view(np.uint8), np.dtype(form).itemsize
    starts = width * np.arange(len(values), dtype=np.int64)
    return _Field(np.ascontiguousarray(data), starts, np.where(is_null, -1, width).astype(np.int32))


def _text_field(values: pa.Array, mark: int = NO_MARK) -> _Field:
    """A column of texts as bytes."""
    if values.null_count == len(values):
        none = np.zeros(len(values), np.int64)
        return _Field(np.zeros(1, np.uint8), none, np.full(len(values), -1, np.int32), mark)
    is_null = values.is_null().to_numpy(zero_copy_only=False)
    data, places = text_buffers(values)
    return _Field(data, places[:-1], np.where(is_null, -1, np.diff(places)).astype(np.int32), mark)


def _as_json(values: pa.Array) -> pa.Array:
    """Pairs or the sender's words as JSON; null where there are none, as the segments of a folder keep them."""
    if values.null_count == len(values):
        return pa.nulls(len(values), pa.large_string())
    series = pl.from_arrow(values)
    if pa.types.is_struct(values.type):
        fields = series.struct.unnest()
        is_there = fields.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
        texts = fields.select(pl.struct("code", "text").struct.json_encode()).to_series()
        return _nulled(texts, is_there).to_arrow()
    texts = (
        pl.DataFrame({"x": series}).select(pl.struct("x").struct.json_encode().str.slice(5).str.head(-1)).to_series()
    )
    return _nulled(texts, series.is_not_null()).to_arrow()


def _nulled(texts: pl.Series, is_there: pl.Series) -> pl.Series:
    """Texts where they count, null elsewhere."""
    return pl.select(pl.when(is_there).then(texts)).to_series()


def _has_nul(values: pa.Array) -> np.ndarray:
    """Which rows hold a character of code 0, bool (n,)."""
    if values.null_count == len(values):
        return np.zeros(len(values), bool)
    if pa.types.is_struct(values.type):
        return np.logical_or.reduce([_has_nul(child) for child in values.flatten()])
    if pa.types.is_list(values.type):
        found = np.zeros(len(values), bool)
        found[pc.list_parent_indices(values).to_numpy()[_has_nul(pc.list_flatten(values))]] = True
        return found
    data, _ = text_buffers(values)
    if data.all():
        return np.zeros(len(values), bool)
    return np.array([text is not None and "\0" in text for text in values.to_pylist()], bool)
