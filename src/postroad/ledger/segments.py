"""Segments: the sealed files that hold the rows, each a Parquet file with an index beside it.

Rows of ``events`` and ``items`` stand by what they are about: an item, else a unit, a trip or a facility; then in their
order. Pages are small and carry checksums, so that the few rows about one thing are read without the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from postroad.core.errors import LedgerError
from postroad.events.columns import columns, schema
from postroad.kernels.finding import renumber
from postroad.kernels.pages import PAGE_ROWS
from postroad.ledger.disk import Disk
from postroad.ledger.index import PACKED_LEAVES, index_ids, index_leaves, index_subjects, mark_empty, pack
from postroad.ledger.manifest import Segment
from postroad.ledger.ordering import Subjects

__all__ = [
    "SEGMENT_ROWS",
    "complete",
    "id_bounds",
    "id_words",
    "read_columns",
    "take_rows",
    "write_segment",
]

Result = TypeVar("Result")

SEGMENT_ROWS = 1 << 21
GROUP_ROWS = 1 << 20
"""A whole number of pages. Large groups share their dictionaries among more rows."""
DICTIONARY_BYTES = 1 << 30
BOUNDS = {"events": ("item_id", "event_id", "occurred_at"), "items": ("item_id",), "flows": ()}
STATISTICS = {"events": ["item_id", "occurred_at"], "items": ["item_id"], "flows": ["accepted_min"]}


def complete(table: pa.Table, stream: str) -> pa.Table:
    """A table in the schema of its stream: text written out, columns that were left out null."""
    target = schema(stream)
    kept = []
    for field in target:
        if field.name in table.column_names:
            values = table[field.name]
            kept.append(values if values.type == field.type else values.cast(field.type))
        else:
            kept.append(pa.nulls(table.num_rows, field.type))
    return pa.table(kept, schema=target)


def write_segment(
    folder: Path, disk: Disk, stream: str, number: int, table: pa.Table, subjects: Subjects | None
) -> Segment:
    """Write rows and their index to files of their own, whole and on the disk before they get their names.

    Parameters
    ----------
    folder: of the ledger. disk: what writes. stream: ``events``, ``items`` or ``flows``.
    number: running number of the segment.
    table: columns of the stream, in order; texts may be dictionary-encoded. subjects: what the rows are about; None for
    flows.
    """
    content = _encode(table, stream)
    # The same digest as postroad.core.digests.digest_file gives of the file.
    digest = hashlib.blake2b(content, digest_size=16).hexdigest()
    name = f"{stream}/{number:08d}-{digest[:8]}.parquet"
    disk.put(folder / name, memoryview(content))
    low, high = _bounds(table, stream)
    index_name = index_digest = ""
    n_index = 0
    if subjects is not None:
        packed = _index(content, table, stream, subjects)
        index_name = name.replace(".parquet", ".index")
        index_digest, n_index = hashlib.blake2b(packed, digest_size=16).hexdigest(), len(packed)
        disk.put(folder / index_name, packed)
    return Segment(
        name=name, n_rows=table.num_rows, n_bytes=content.size, digest=digest, low=low, high=high,
        index=index_name, index_bytes=n_index, index_digest=index_digest,
    )  # fmt: skip


def read_columns(path: Path, names: list[str]) -> pa.Table:
    """Some columns of a segment, checksums verified.

    Raises
    ------
    LedgerError: PR-L203 when the file is missing, PR-L213 when it cannot be read.
    """
    return _read(
        path,
        lambda: pq.ParquetFile(path, memory_map=True, page_checksum_verification=True).read(names, use_threads=False),
    )


def take_rows(table: pa.Table, rows: np.ndarray) -> pa.Table:
    """Rows of a table; a slice when they are neighbours, which copies nothing."""
    if len(rows) and int(rows[-1]) - int(rows[0]) == len(rows) - 1 and bool(np.all(np.diff(rows) == 1)):
        return table.slice(int(rows[0]), len(rows))
    return table.take(pa.array(rows))


def id_words(values: pa.Array) -> np.ndarray:
    """Ids of 16 bytes as two words each, uint64 (n, 2), without copying; there must be no null."""
    buffer = np.frombuffer(values.buffers()[1], dtype=np.uint8)
    start = values.offset * 16
    return buffer[start : start + len(values) * 16].view(np.uint64).reshape(-1, 2)


def id_bounds(values: pa.Array) -> tuple[str, str]:
    """The smallest and the largest of ids of 16 bytes, hexadecimal; there must be one and no null."""
    ids = id_words(values).view(">u8").astype(np.uint64)
    return _edge(ids, np.min), _edge(ids, np.max)


def _encode(table: pa.Table, stream: str) -> pa.Buffer:
    """The bytes of a Parquet file."""
    declared = columns(stream)
    words = [name for name, column in declared.items() if column.type == "word" or name == "item_id"]
    encodings = {name: "DELTA_BINARY_PACKED" for name, column in declared.items() if column.type == "instant"}
    encodings |= {name: "PLAIN" for name, column in declared.items() if column.type == "id16"}
    compression = dict.fromkeys(declared, "none") | {"raw.code": "none"} | dict.fromkeys(PACKED_LEAVES, "zstd")
    if stream == "flows":
        encodings, compression = {}, dict.fromkeys(declared, "zstd")
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(
        sink,
        table.schema,
        store_schema=False,
        max_rows_per_page=PAGE_ROWS if stream != "flows" else None,
        compression=compression,
        use_dictionary=[*words, "raw.code"] if stream == "events" else words,
        dictionary_pagesize_limit=DICTIONARY_BYTES,
        column_encoding=encodings or None,
        write_statistics=STATISTICS[stream],
        write_page_checksum=True,
    ) as writer:
        for start in range(0, max(table.num_rows, 1), GROUP_ROWS):
            writer.write_table(_spare(table.slice(start, GROUP_ROWS)), row_group_size=GROUP_ROWS)
    return sink.getvalue()


def _spare(table: pa.Table) -> pa.Table:
    """A table whose dictionaries hold what its rows use, in the order in which they do: a row group stores the whole of
    each, and its bytes shall depend on nothing else."""
    for place, name in enumerate(table.column_names):
        values = table[name].combine_chunks() if table[name].num_chunks != 1 else table[name].chunk(0)
        if not pa.types.is_dictionary(values.type):
            continue
        codes = pc.fill_null(values.indices, -1).to_numpy() if values.null_count else values.indices.to_numpy()
        renamed, used = renumber(codes, len(values.dictionary))
        mask = codes < 0 if values.null_count else None
        kept = values.dictionary.take(pa.array(used))
        table = table.set_column(place, name, pa.DictionaryArray.from_arrays(pa.array(renamed, mask=mask), kept))
    return table


def _index(content: pa.Buffer, table: pa.Table, stream: str, subjects: Subjects) -> bytes:
    """The bytes of the index of a segment."""
    metadata = pq.read_metadata(pa.BufferReader(content))
    arrays = index_leaves(np.frombuffer(content, np.uint8), metadata, stream)
    if stream == "events":
        place = metadata.schema.names.index("event_id")
        for path, column in (("raw.text", pc.struct_field(table["raw"], "text")), ("payload", table["payload"])):
            mark_empty(arrays, metadata.schema, path, column)
        for path in PACKED_LEAVES[:2]:
            mark_empty(arrays, metadata.schema, path, table["related"])
        arrays |= index_ids(id_words(table["event_id"].combine_chunks()), arrays, place)
    return pack(arrays | index_subjects(subjects.texts, subjects.seeds, subjects.firsts, table.num_rows))


def _bounds(table: pa.Table, stream: str) -> tuple[dict[str, str], dict[str, str]]:
    """Smallest and largest value of the columns that are looked for; a column of nulls has none."""
    low: dict[str, str] = {}
    high: dict[str, str] = {}
    for name in BOUNDS[stream]:
        if name == "event_id":
            least, most = id_bounds(table[name].combine_chunks())
        else:
            values = table[name]
            if pa.types.is_dictionary(values.type):
                values = pa.chunked_array([chunk.dictionary for chunk in values.chunks])
            edges = pc.min_max(values)
            least, most = edges["min"].as_py(), edges["max"].as_py()
        if least is not None:
            low[name], high[name] = str(_text(least)), str(_text(most))
    return low, high


def _edge(ids: np.ndarray, pick: Callable) -> str:
    """The smallest or largest id of ids in big-endian words, hexadecimal."""
    head = pick(ids[:, 0])
    return f"{head:016x}{pick(ids[ids[:, 0] == head, 1]):016x}"


def _text(value: object) -> str:
    """A bound as the manifest writes it."""
    return value.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(value, datetime) else str(value)


def _read(path: Path, take: Callable[[], Result]) -> Result:
    """Read from a segment and name it when that fails."""
    try:
        return take()
    except FileNotFoundError as error:
        raise LedgerError("PR-L203", path=str(path)) from error
    except (OSError, pa.ArrowException) as error:
        raise LedgerError("PR-L213", path=str(path), value=str(error)) from error
