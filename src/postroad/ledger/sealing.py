"""Sealing: rows become segments, sorted, indexed and on the disk."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa

from postroad.events.columns import columns, schema
from postroad.events.kinds import kind_ranks, kinds
from postroad.ledger.disk import Writing
from postroad.ledger.manifest import Segment
from postroad.ledger.ordering import Subjects, order_items, order_rows
from postroad.ledger.segments import complete, write_segment

__all__ = ["seal_events", "seal_rows"]

WORDS = pa.dictionary(pa.int32(), pa.string())


def seal_events(folder: Path, writing: Writing, number: int, tables: Sequence[pa.Table]) -> list[Segment]:
    """Write events as segments.

    Parameters
    ----------
    folder: of the ledger. writing: how it is written. number: of the first segment.
    tables: batches with columns of ``events``, of which those that hold nothing may be missing.
    """
    if not tables:
        return []
    with ThreadPoolExecutor(max_workers=writing.threads) as pool:
        ordered, subjects = _order(tables, pool)
        parts = _parts(ordered, subjects, number, writing.segment_rows)
        return list(pool.map(lambda part: write_segment(folder, writing.disk, "events", *part), parts))


def seal_rows(folder: Path, writing: Writing, stream: str, number: int, table: pa.Table) -> list[Segment]:
    """Write item or flow records as segments."""
    table = complete(table, stream).combine_chunks()
    subjects = None
    if stream == "items":
        order, subjects = order_items(table)
        table = table.take(pa.array(order)).combine_chunks()
    parts = _parts(table, subjects, number, writing.segment_rows)
    return [write_segment(folder, writing.disk, stream, *part) for part in parts]


def _order(tables: Sequence[pa.Table], pool: ThreadPoolExecutor) -> tuple[pa.Table, Subjects]:
    """All batches as one table in the order of a segment, and what its rows are about."""
    names = schema("events").names
    whole = pa.table(dict(zip(names, pool.map(lambda name: _join(tables, name), names), strict=True)))
    order, subjects = order_rows(whole, _ranks(whole["kind"].chunk(0)))
    rows = pa.array(order)
    taken = pool.map(lambda name: whole[name].chunk(0).take(rows), names)
    return pa.table(dict(zip(names, taken, strict=True))), subjects


def _parts(
    table: pa.Table, subjects: Subjects | None, number: int, n_rows: int
) -> list[tuple[int, pa.Table, Subjects | None]]:
    """Pieces of a table of at most so many rows, each with its number and what it is about."""
    parts = []
    for start in range(0, table.num_rows, n_rows):
        piece = table.slice(start, n_rows)
        here = None
        if subjects is not None:
            low = int(np.searchsorted(subjects.firsts, start, side="right")) - 1
            high = int(np.searchsorted(subjects.firsts, start + piece.num_rows))
            firsts = np.maximum(subjects.firsts[low:high] - start, 0)
            here = Subjects(subjects.texts[low:high], subjects.seeds[low:high], firsts)
        parts.append((number + len(parts), piece, here))
    return parts


def _join(tables: Sequence[pa.Table], name: str) -> pa.Array:
    """One column of many batches in one piece; few different texts as a dictionary, which is quicker to move."""
    field = schema("events").field(name)
    is_word = columns("events")[name].type == "word" or name == "item_id"
    chunks: list[pa.Array] = []
    for table in tables:
        found = table[name].chunks if name in table.column_names else [pa.nulls(table.num_rows, field.type)]
        for chunk in found:
            is_kept = chunk.type == field.type or _is_word(chunk, is_word)
            chunks.append(chunk if is_kept else chunk.cast(field.type))
    if is_word and any(_is_word(chunk, True) for chunk in chunks):
        encoded = [chunk if _is_word(chunk, True) else chunk.dictionary_encode() for chunk in chunks]
        column = pa.chunked_array([chunk.cast(WORDS) for chunk in encoded], WORDS).unify_dictionaries()
        return _whole(column)
    whole = _whole(pa.chunked_array(chunks, field.type))
    return whole.dictionary_encode() if is_word else whole


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _is_word(chunk: pa.Array, is_word: bool) -> bool:
    """Whether a piece of a column of words is dictionary-encoded."""
    return is_word and pa.types.is_dictionary(chunk.type)


def _ranks(values: pa.DictionaryArray) -> np.ndarray:
    """The causal rank of each event's kind, int64 (n_rows,)."""
    rank_by_kind = dict(zip(kinds(), kind_ranks().tolist(), strict=True))
    ranks = np.array([rank_by_kind.get(text, 0) for text in values.dictionary.to_pylist()], np.int64)
    return ranks[values.indices.to_numpy()]
