"""Segments: the Parquet files that hold the rows.

Rows of ``events`` and ``items`` stand by item, so that one item's rows are in one or two neighbouring row groups, which
are small and carry the smallest and largest item of each. Pages carry checksums.
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
from postroad.core.files import writing_file
from postroad.events.columns import columns, schema
from postroad.ledger.manifest import Segment

__all__ = [
    "SEGMENT_ROWS",
    "complete",
    "id_bounds",
    "id_words",
    "read_columns",
    "read_item",
    "read_metadata",
    "take_rows",
    "write_segment",
]

Result = TypeVar("Result")

SEGMENT_ROWS = 1 << 20
# One item's rows are unpacked with their whole group: small groups find fast, large ones pack well.
GROUP_ROWS = {"events": 1 << 13, "items": 1 << 13, "flows": 1 << 17}
BOUNDS = {"events": ("item_id", "event_id", "occurred_at"), "items": ("item_id",), "flows": ()}
NESTED = ("related.list.element.role", "related.list.element.id", "raw.code", "raw.text")
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


def write_segment(folder: Path, stream: str, number: int, table: pa.Table) -> Segment:
    """Write rows to a file of their own, whole and on the disk before it gets its name.

    Parameters
    ----------
    folder: of the ledger. stream: ``events``, ``items`` or ``flows``. number: running number of the segment.
    table: as :func:`complete` gives it, sorted.
    """
    content = _encode(table, stream)
    # The same digest as postroad.core.digests.digest_file gives of the file.
    digest = hashlib.blake2b(content, digest_size=16).hexdigest()
    name = f"{stream}/{number:08d}-{digest[:8]}.parquet"
    with writing_file(folder / name) as draft:
        draft.write_bytes(content)
    low, high = _bounds(table, stream)
    return Segment(name=name, n_rows=table.num_rows, n_bytes=content.size, digest=digest, low=low, high=high)


def read_metadata(path: Path) -> pq.FileMetaData:
    """The footer of a segment.

    Raises
    ------
    LedgerError: PR-L203 when the file is missing, PR-L213 when it cannot be read.
    """
    return _read(path, lambda: pq.read_metadata(path))


def read_columns(path: Path, names: list[str]) -> pa.Table:
    """Some columns of a segment, checksums verified; errors as in :func:`read_metadata`."""
    return _read(
        path,
        lambda: pq.ParquetFile(path, memory_map=True, page_checksum_verification=True).read(names, use_threads=False),
    )


def read_item(path: Path, metadata: pq.FileMetaData, item_id: str) -> pa.Table:
    """The rows of one item in a segment, checksums verified; errors as in :func:`read_metadata`."""
    place = metadata.schema.names.index("item_id")
    groups = [group for group in range(metadata.num_row_groups) if _may_hold(metadata, group, place, item_id)]

    def take() -> pa.Table:
        file = pq.ParquetFile(path, metadata=metadata, memory_map=True, page_checksum_verification=True)
        rows = file.read_row_groups(groups, use_threads=False)
        return rows.filter(pc.equal(rows["item_id"], item_id))

    return _read(path, take)


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
    # Ids look random: packing them costs time and saves nothing.
    compression = {name: "none" if column.type == "id16" else "zstd" for name, column in declared.items()}
    compression |= dict.fromkeys(NESTED, "zstd")
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        row_group_size=GROUP_ROWS[stream],
        compression=compression,
        use_dictionary=words,
        column_encoding=encodings,
        write_statistics=STATISTICS[stream],
        write_page_checksum=True,
    )
    return sink.getvalue()


def _bounds(table: pa.Table, stream: str) -> tuple[dict[str, str], dict[str, str]]:
    """Smallest and largest value of the columns that are looked for; a column of nulls has none."""
    low: dict[str, str] = {}
    high: dict[str, str] = {}
    for name in BOUNDS[stream]:
        if name == "event_id":
            least, most = id_bounds(table[name].combine_chunks())
        else:
            edges = pc.min_max(table[name])
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


def _may_hold(metadata: pq.FileMetaData, group: int, place: int, item_id: str) -> bool:
    """Whether a row group can hold rows of an item, by its statistics."""
    statistics = metadata.row_group(group).column(place).statistics
    if statistics is None or not statistics.has_min_max:
        # A group without bounds holds nulls only: events of no item.
        return statistics is None or statistics.num_values > 0
    return statistics.min <= item_id <= statistics.max


def _read(path: Path, take: Callable[[], Result]) -> Result:
    """Read from a segment and name it when that fails."""
    try:
        return take()
    except FileNotFoundError as error:
        raise LedgerError("PR-L203", path=str(path)) from error
    except (OSError, pa.ArrowException) as error:
        raise LedgerError("PR-L213", path=str(path), value=str(error)) from error
