"""What every store does with a batch of records before it keeps them: look it through, and name it by its content."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from postroad.core.digests import digest_bytes
from postroad.core.errors import InputError, LedgerError
from postroad.events.columns import columns, conform
from postroad.ledger.manifest import About
from postroad.ledger.segments import complete

__all__ = ["digest_batch", "refuse_other", "whole_batch"]

DIGEST_ROWS = 1 << 20


def refuse_other(where: str, found: About, wanted: About) -> None:
    """A ledger that is there must have been made with the same settings: LedgerError PR-L214."""
    for name in About.model_fields:
        if getattr(found, name) != getattr(wanted, name):
            raise LedgerError("PR-L214", path=where, column=name, value=str(getattr(found, name)))


def whole_batch(frame: pl.DataFrame | pa.Table, stream: str) -> pa.Table:
    """A batch of ``items`` or ``flows``, all of it or nothing.

    Raises
    ------
    InputError: PR-C001 when columns are unknown, missing or of another type, or (PR-L116) a required value is missing.
    """
    table, findings = conform(frame, stream)
    for name, column in columns(stream).items():
        if column.required and name in table.column_names and table[name].null_count:
            row = int(np.flatnonzero(table[name].is_null().to_numpy())[0]) + 2
            findings.add("PR-L116", table=stream, row=row, column=name)
    findings.raise_on_errors(InputError)
    return table


def digest_batch(table: pa.Table, stream: str) -> str:
    """The digest of a batch's content; how it lies in memory does not matter, nor does the order of item records."""
    table = complete(table, stream)
    if stream == "items":
        table = table.sort_by([("item_id", "ascending"), ("accepted_at", "ascending")])
    parts = [stream.encode()]
    for start in range(0, table.num_rows, DIGEST_ROWS):
        part = table.slice(start, DIGEST_ROWS)
        for name in part.column_names:
            parts += _plain_parts(part[name].combine_chunks())
    return digest_bytes(*parts)


def _plain_parts(values: pa.Array) -> list[bytes]:
    """A column as bytes: which values are missing, and the values; texts as codes in order of first appearance."""
    missing = np.packbits(values.is_null().to_numpy(zero_copy_only=False)).tobytes()
    if pa.types.is_struct(values.type):
        return [missing, *(part for child in values.flatten() for part in _plain_parts(child))]
    if pa.types.is_list(values.type):
        lengths = pc.fill_null(pc.list_value_length(values), 0).to_numpy(zero_copy_only=False)
        return [missing, lengths.astype("<i4").tobytes(), *_plain_parts(pc.list_flatten(values))]
    if pa.types.is_string(values.type):
        coded = values.dictionary_encode()
        texts = "\0".join(coded.dictionary.to_pylist()).encode()
        return [missing, texts, pc.fill_null(coded.indices, -1).to_numpy().astype("<i4").tobytes()]
    if pa.types.is_fixed_size_binary(values.type):
        return [missing, b"".join(pc.fill_null(values, bytes(values.type.byte_width)).to_pylist())]
    numbers = values.cast(pa.int64()) if pa.types.is_timestamp(values.type) else values
    return [missing, pc.fill_null(numbers, 0).to_numpy().astype("<i8").tobytes()]
