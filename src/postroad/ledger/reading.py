"""Reading a few rows of a segment: found by the index, taken from the mapped file."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from postroad.core.errors import LedgerError
from postroad.events.columns import schema
from postroad.kernels.finding import find_ids, gather_ids
from postroad.kernels.pages import CRC_TABLES, DELTA, DICTIONARY, PACKED, PAGE_ROWS, levels_of, read_leaves, read_texts
from postroad.ledger.index import hash_subject, map_file, unpack
from postroad.ledger.manifest import Segment
from postroad.ledger.ordering import SUBJECT_COLUMNS
from postroad.ledger.segments import complete, read_columns

__all__ = ["Rows", "SegmentReader", "rows_batch"]

Rows = dict[str, list]
"""Columns of a stream as lists of plain values; instants in microseconds from 1970."""

ZSTD = pa.Codec("zstd")
TAKEN_ONE_BY_ONE = 2000


class SegmentReader:
    """One sealed segment of ``events`` or ``items``, opened for reading.

    Raises
    ------
    LedgerError: PR-L203 when a file is missing, PR-L213 when one cannot be read.
    """

    def __init__(self, folder: Path, stream: str, segment: Segment) -> None:
        self.segment = segment
        self.path = folder / segment.name
        self.stream = stream
        self.n_rows = segment.n_rows
        self.arrays = unpack(folder / segment.index)
        self._starts, self._tags = self.arrays["subject_starts"], self.arrays["subject_tags"]
        self._map = map_file(self.path)
        if len(self._map) != segment.n_bytes:
            raise LedgerError("PR-L213", path=str(self.path), value=f"{len(self._map)} bytes, not {segment.n_bytes}")
        self._file = np.frombuffer(self._map, np.uint8)
        leaves = pq.read_metadata(self.path).schema
        self._paths = [leaves.column(place).path for place in range(len(leaves.names))]

    def about(self, text: str, seed: int, value: int | None = None) -> Rows | None:
        """The rows about a thing, every column of the stream; None when there are none.

        Parameters
        ----------
        text: its id. seed: index into :data:`postroad.ledger.ordering.SUBJECT_COLUMNS`.
        value: :func:`hash_subject` of the two, for those who look into many segments.
        """
        value = hash_subject(text, seed) if value is None else value
        bucket = (value >> 32) & (len(self._starts) - 2)
        start, stop = self._starts[bucket : bucket + 2].tolist()
        tags = self._tags[start:stop].tolist()
        while value & 0xFFFF in tags:
            start += tags.index(value & 0xFFFF)
            rows = self.rows(int(self.arrays["subject_rows"][start]), int(self.arrays["subject_counts"][start]))
            if rows[SUBJECT_COLUMNS[seed]][0] == text:
                return rows
            start += 1
            tags = self._tags[start:stop].tolist()
        return None

    def rows(self, first: int, count: int) -> Rows:
        """Neighbouring rows, every column of the stream; errors PR-L213 when a page is damaged."""
        firsts = self.arrays["group_first"]
        rows: Rows = {name: [] for name in schema(self.stream).names}
        while count:
            group = int(np.searchsorted(firsts, first, side="right")) - 1
            upto = min(count, int(firsts[group + 1]) - first)
            self._read(group, first - int(firsts[group]), upto, rows)
            first, count = first + upto, count - upto
        return rows

    def take(self, rows: np.ndarray) -> pa.Table:
        """Rows of any places, int64 (n,), in the schema of the stream."""
        if len(rows) > TAKEN_ONE_BY_ONE:
            return complete(read_columns(self.path, schema(self.stream).names), self.stream).take(pa.array(rows))
        parts = [rows_batch(self.rows(row, 1), self.stream) for row in rows.tolist()]
        return pa.Table.from_batches(parts, schema(self.stream))

    def ids(self, first: int = 0, count: int | None = None) -> np.ndarray:
        """Event ids of neighbouring rows as two words each, uint64 (n, 2)."""
        words = np.empty((self.n_rows - first if count is None else count, 2), np.uint64)
        gather_ids(self._file, self.arrays["id_at"], PAGE_ROWS, first, words)
        return words

    def find_ids(self, words: np.ndarray, wanted: np.ndarray, known: np.ndarray, mark: int) -> None:
        """Look up ids; arguments as in :func:`postroad.kernels.finding.find_ids`."""
        table = (self.arrays[name] for name in ("id_starts", "id_tags", "id_rows"))
        find_ids(words, wanted, *table, self._file, self.arrays["id_at"], PAGE_ROWS, known, mark)

    def _read(self, group: int, first: int, count: int, rows: Rows) -> None:
        """Add rows of one row group."""
        arrays = self.arrays
        at = np.empty((len(self._paths), count), np.int64)
        size = np.empty((len(self._paths), count), np.int32)
        bad = read_leaves(
            self._file, first, count, arrays["leaf_way"], arrays["leaf_top"], arrays["leaf_start"][group],
            arrays["leaf_base"][group], arrays["sample_at"], arrays["sample_check"], arrays["page_at"],
            arrays["page_size"], arrays["page_check"], CRC_TABLES, at, size,
        )  # fmt: skip
        if bad >= 0:
            self._damaged(self._paths[bad])
        packed: dict[str, list] = {}
        ways = arrays["leaf_way"].tolist()
        for leaf, (path, places, sizes) in enumerate(zip(self._paths, at.tolist(), size.tolist(), strict=True)):
            if ways[leaf] == PACKED:
                packed[path] = self._unpack(group, leaf, first, count)
            elif ways[leaf] == DELTA:
                rows[path] += [place if n >= 0 else None for place, n in zip(places, sizes, strict=True)]
            else:
                ends = zip(places, sizes, strict=True)
                values: list = [self._map[place : place + n] if n >= 0 else None for place, n in ends]
                if ways[leaf] >= DICTIONARY:
                    values = [None if value is None else value.decode() for value in values]
                (packed.setdefault(path, values) if "." in path else rows[path].extend(values))
        if self.stream == "events":
            rows["payload"] += packed["payload"]
            rows["raw"] += _join_raw(packed["raw.code"], packed["raw.text"])
            ends = ("related.list.element.role", "related.list.element.id")
            rows["related"] += _join_pairs(*(packed[name] for name in ends))

    def _unpack(self, group: int, leaf: int, first: int, count: int) -> list:
        """Values of a packed leaf: texts, or lists of texts for a leaf of a list."""
        arrays = self.arrays
        is_list = ".list." in self._paths[leaf]
        values: list = []
        n_rows = int(arrays["group_first"][group + 1] - arrays["group_first"][group])
        while count:
            page = int(arrays["leaf_start"][group, leaf]) + first // PAGE_ROWS
            begin = first % PAGE_ROWS
            held = min(PAGE_ROWS, n_rows - first + begin)
            upto = min(begin + count, held)
            unpacked = int(arrays["page_unpacked"][page])
            if not unpacked:
                values += [None] * (upto - begin)
            else:
                content = self._page(page, unpacked, leaf)
                whole = _list_texts if is_list else _plain_texts
                n_values = int(arrays["page_values"][page])
                values += whole(content, n_values, int(arrays["leaf_top"][leaf]), begin, upto)
            first, count = first + upto - begin, count - (upto - begin)
        return values

    def _page(self, page: int, unpacked: int, leaf: int) -> np.ndarray:
        """The content of a packed page, uint8."""
        at, size = int(self.arrays["page_at"][page]), int(self.arrays["page_size"][page])
        content = self._map[at : at + size]
        if zlib.crc32(content) != int(self.arrays["page_check"][page]):
            self._damaged(self._paths[leaf])
        return np.frombuffer(ZSTD.decompress(content, unpacked), np.uint8)

    def _damaged(self, leaf: str) -> None:
        """Refuse a page that was changed."""
        raise LedgerError("PR-L213", path=str(self.path), value=f"the checksum of a page of '{leaf}' differs")


def rows_batch(rows: Rows, stream: str) -> pa.RecordBatch:
    """Rows in the schema of their stream."""
    target = schema(stream)
    return pa.record_batch([pa.array(rows[field.name], field.type) for field in target], schema=target)


def _plain_texts(page: np.ndarray, n_values: int, top: int, begin: int, upto: int) -> list:
    """The texts of some rows of a page, None where null."""
    levels = np.empty((2, n_values), np.int32)
    place = levels_of(page, n_values, False, top, *levels)
    is_there = levels[1] == top
    if not is_there[begin:upto].any():
        return [None] * (upto - begin)
    texts = iter(_texts(page, place, is_there, begin, upto))
    return [next(texts) if there else None for there in is_there[begin:upto].tolist()]


def _list_texts(page: np.ndarray, n_values: int, top: int, begin: int, upto: int) -> list:
    """The lists of texts of some rows of a page: None where the list is null; a text may be None."""
    repeats, levels = np.empty((2, n_values), np.int32)
    place = levels_of(page, n_values, True, top, repeats, levels)
    rows = np.append(np.flatnonzero(repeats == 0), n_values)
    first, stop = int(rows[begin]), int(rows[upto])
    if not levels[first:stop].any():
        return [None] * (upto - begin)
    texts = iter(_texts(page, place, levels == top, first, stop))
    lists: list = []
    for repeat, level in zip(repeats[first:stop].tolist(), levels[first:stop].tolist(), strict=True):
        if repeat == 0:
            lists.append(None if level == 0 else [])
        if level >= LIST_ELEMENT:
            lists[-1].append(next(texts) if level == top else None)
    return lists


LIST_ELEMENT = 2


def _texts(page: np.ndarray, place: int, is_there: np.ndarray, begin: int, upto: int) -> list[str]:
    """The texts of values ``begin`` to ``upto`` of a page whose texts stand one after another from a place on."""
    before = int(np.count_nonzero(is_there[:begin]))
    n_texts = before + int(np.count_nonzero(is_there[begin:upto]))
    at, size = np.empty((2, n_texts), np.int64)
    read_texts(page, place, n_texts, at, size)
    ends = zip(at[before:].tolist(), size[before:].tolist(), strict=True)
    return [page[start : start + length].tobytes().decode() for start, length in ends]


def _join_raw(codes: list, texts: list) -> list:
    """Codes and texts of the sender; None where both are missing."""
    return [
        None if code is None and text is None else {"code": code, "text": text}
        for code, text in zip(codes, texts, strict=True)
    ]


def _join_pairs(roles: list, ids: list) -> list:
    """Lists of roles and lists of ids as lists of pairs."""
    return [
        None if some is None else [{"role": role, "id": name} for role, name in zip(some, names, strict=True)]
        for some, names in zip(roles, ids, strict=True)
    ]
