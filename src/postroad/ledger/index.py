"""The index beside a segment: where its pages lie, which rows are about what, and which rows have which id.

An index is made from its segment and can be made again. It is one file: a header of JSON, then plain arrays that are
mapped, not read.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from postroad.core.errors import InternalError, LedgerError
from postroad.events.columns import columns
from postroad.kernels.finding import hash_ids, hash_text, hash_texts, place_entries
from postroad.kernels.pages import (
    CRC_TABLES,
    DELTA,
    DICTIONARY,
    FIXED,
    PACKED,
    PAGE_ROWS,
    SAMPLE,
    TEXT,
    index_pages,
    sample_texts,
)

__all__ = [
    "PACKED_LEAVES",
    "Arrays",
    "hash_subject",
    "index_ids",
    "index_leaves",
    "index_subjects",
    "map_file",
    "mark_empty",
    "pack",
    "unpack",
]

Arrays = dict[str, np.ndarray]

MAGIC = b"PRINDEX2"
ALIGN = 64
PACKED_LEAVES = ("related.list.element.role", "related.list.element.id", "raw.text", "payload")
"""Columns of free text, compressed page by page; the others lie plainly in the file."""
PAGE_FACTS = {
    "page_at": np.int64,
    "page_size": np.int32,
    "page_unpacked": np.int32,
    "page_values": np.int32,
    "page_check": np.uint32,
}
SUBJECTS_A_BUCKET, IDS_A_BUCKET = 8, 16


def pack(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Arrays as the bytes of an index file."""
    specs, parts, place = [], [], 0
    for name, array in arrays.items():
        content = np.ascontiguousarray(array).tobytes()
        specs.append([name, array.dtype.str, list(array.shape), place])
        parts.append(content + bytes(-len(content) % ALIGN))
        place += len(parts[-1])
    body = b"".join(parts)
    header = json.dumps({"arrays": specs, "check": xxhash.xxh3_128_hexdigest(body)}).encode()
    head = MAGIC + len(header).to_bytes(8, "little") + header
    return head + bytes(-len(head) % ALIGN) + body


def unpack(path: Path) -> Arrays:
    """The arrays of an index file, mapped and read-only.

    Raises
    ------
    LedgerError: PR-L203 when it is missing, PR-L213 when it is not whole.
    """
    content = map_file(path)
    view = memoryview(content)
    length = int.from_bytes(view[8:16], "little")
    start = 16 + length + (-(16 + length) % ALIGN)
    if bytes(view[:8]) != MAGIC or start > len(view):
        raise LedgerError("PR-L213", path=str(path), value="not an index")
    header = json.loads(bytes(view[16 : 16 + length]))
    # What a kernel is led by must be whole: it looks at no bounds.
    if xxhash.xxh3_128_hexdigest(view[start:]) != header["check"]:
        raise LedgerError("PR-L213", path=str(path), value="the checksum differs")
    arrays = {}
    for name, kind, shape, place in header["arrays"]:
        n_values = int(np.prod(shape, dtype=np.int64))
        arrays[name] = np.frombuffer(view, np.dtype(kind), n_values, start + place).reshape(shape)
    return arrays


def map_file(path: Path) -> mmap.mmap | bytes:
    """A file's bytes, mapped.

    Raises
    ------
    LedgerError: PR-L203 when it is missing, PR-L213 when it cannot be read.
    """
    try:
        with path.open("rb") as handle:
            size = handle.seek(0, 2)
            return mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
    except FileNotFoundError as error:
        raise LedgerError("PR-L203", path=str(path)) from error
    except OSError as error:
        raise LedgerError("PR-L213", path=str(path), value=str(error)) from error


def index_leaves(file: np.ndarray, metadata: pq.FileMetaData, stream: str) -> Arrays:
    """Where the pages of each leaf lie.

    Parameters
    ----------
    file: uint8, the whole segment. metadata: its footer. stream: ``events`` or ``items``.

    Returns
    -------
    ``leaf_way``, ``leaf_top``: int8 (n_leaf,); ``leaf_start``, ``leaf_base``: int64 (n_group, n_leaf);
    ``group_first``: int64 (n_group + 1,); ``page_at``: int64, ``page_size``, ``page_unpacked``, ``page_values``:
    int32, ``page_check``: uint32, all (n_pages,); ``sample_at``: int64, ``sample_check``: uint32, both (n_samples,).
    See :mod:`postroad.kernels.pages`.
    """
    leaves = [metadata.schema.column(place) for place in range(metadata.num_columns)]
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    firsts = np.cumsum([0, *(group.num_rows for group in groups)])
    starts = np.zeros((len(groups), len(leaves)), np.int64)
    bases = np.zeros_like(starts)
    pages: list[tuple[np.ndarray, ...]] = []
    samples: list[tuple[np.ndarray, np.ndarray]] = []
    n_pages = n_samples = 0
    for number, group in enumerate(groups):
        n_expected = -(-group.num_rows // PAGE_ROWS)
        for place in range(len(leaves)):
            chunk = group.column(place)
            start = chunk.dictionary_page_offset or chunk.data_page_offset
            room = [np.empty(n_expected, kind) for kind in PAGE_FACTS.values()]
            found, dictionary, n_entries = index_pages(file, start, start + chunk.total_compressed_size, *room)
            if found != n_expected:
                raise InternalError("PR-L403", value=chunk.path_in_schema, found=found, expected=n_expected)
            starts[number, place], bases[number, place] = n_pages, n_samples
            pages.append(tuple(room))
            n_pages += n_expected
            if dictionary >= 0:
                n_here = -(-n_entries // SAMPLE) + 1
                samples.append((np.empty(n_here, np.int64), np.empty(n_here, np.uint32)))
                sample_texts(file, dictionary, n_entries, *samples[-1], CRC_TABLES)
                n_samples += n_here
    return {
        "leaf_way": np.array([_way_of(leaf.path, stream) for leaf in leaves], np.int8),
        "leaf_top": np.array([leaf.max_definition_level for leaf in leaves], np.int8),
        "leaf_start": starts,
        "leaf_base": bases,
        "group_first": firsts.astype(np.int64),
        **{name: np.concatenate(parts) for name, parts in zip(PAGE_FACTS, zip(*pages, strict=True), strict=True)},
        "sample_at": np.concatenate([at for at, _ in samples]),
        "sample_check": np.concatenate([check for _, check in samples]),
    }


def mark_empty(leaves: Arrays, tree: pq.ParquetSchema, path: str, column: pa.ChunkedArray) -> None:
    """Set ``page_unpacked`` to 0 where the pages of a leaf hold nothing but nulls.

    Parameters
    ----------
    leaves: of :func:`index_leaves`, changed. tree: the schema of the segment. path: of the leaf.
    column: the column the leaf is stored from, all rows of the segment.
    """
    place = next(number for number in range(len(tree.names)) if tree.column(number).path == path)
    is_there = column.is_valid().to_numpy()
    firsts = leaves["group_first"]
    for group, first_page in enumerate(leaves["leaf_start"][:, place].tolist()):
        rows = is_there[firsts[group] : firsts[group + 1]]
        held = np.add.reduceat(rows, np.arange(0, len(rows), PAGE_ROWS))
        pages = leaves["page_unpacked"][first_page : first_page + len(held)]
        pages[held == 0] = 0


def index_subjects(texts: pa.Array, seeds: np.ndarray, firsts: np.ndarray, n_rows: int) -> Arrays:
    """Which rows are about what.

    Parameters
    ----------
    texts: text (n_subjects,), what the rows are about, in their order. seeds: int8 (n_subjects,), what kind of thing.
    firsts: int64 (n_subjects,), the first row of each. n_rows: of the segment.

    Returns
    -------
    ``subject_starts``: uint32 (n_buckets + 1,); ``subject_tags``: uint16, ``subject_rows``, ``subject_counts``: uint32,
    all (n_subjects,), bucket by bucket.
    """
    data, offsets = text_buffers(texts)
    hashes = hash_texts(data, offsets, seeds)
    starts, entries = place_entries(hashes, _n_buckets(len(seeds), SUBJECTS_A_BUCKET))
    counts = np.diff(np.append(firsts, n_rows))
    return {
        "subject_starts": starts,
        "subject_tags": (hashes & np.uint64(0xFFFF)).astype(np.uint16)[entries],
        "subject_rows": firsts.astype(np.uint32)[entries],
        "subject_counts": counts.astype(np.uint32)[entries],
    }


def index_ids(words: np.ndarray, leaves: Arrays, place: int) -> Arrays:
    """Which rows have which id, and where the ids stand in the file.

    Parameters
    ----------
    words: uint64 (n_rows, 2), ids in the order of the rows. leaves: of :func:`index_leaves`. place: of the ids' leaf.

    Returns
    -------
    ``id_starts``: uint32 (n_buckets + 1,); ``id_tags``: uint8, ``id_rows``: uint32, both (n_rows,), bucket by bucket;
    ``id_at``: int64 (n_pages,), where the ids of each page stand in the file.
    """
    hashes = hash_ids(words)
    starts, rows = place_entries(hashes, _n_buckets(len(words), IDS_A_BUCKET))
    at = []
    for first, n_rows in zip(leaves["leaf_start"][:, place], np.diff(leaves["group_first"]), strict=True):
        pages = slice(first, first + -(-n_rows // PAGE_ROWS))
        held = np.minimum(n_rows - PAGE_ROWS * np.arange(pages.stop - pages.start), PAGE_ROWS)
        # Ids are never missing: they fill the end of their page.
        at.append(leaves["page_at"][pages] + leaves["page_size"][pages] - 16 * held)
    return {
        "id_starts": starts,
        "id_tags": (hashes & np.uint64(255)).astype(np.uint8)[rows],
        "id_rows": rows,
        "id_at": np.concatenate(at),
    }


def hash_subject(text: str, seed: int) -> int:
    """The hash by which the rows about a thing are found.

    Parameters
    ----------
    text: its id. seed: what kind of thing, as in :func:`index_subjects`.
    """
    return int(hash_text(np.frombuffer(text.encode() or b"\0", np.uint8), 0, len(text.encode()), seed))


def text_buffers(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """The bytes of texts, uint8, and where each begins, int64 (n + 1,)."""
    if not pa.types.is_large_string(texts.type):
        texts = texts.cast(pa.large_string())
    _, offsets, data = texts.buffers()
    places = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8), places


def _way_of(path: str, stream: str) -> int:
    """How a leaf is stored."""
    if path in PACKED_LEAVES:
        return PACKED
    column = columns(stream).get(path)
    if column is not None and column.type in ("id16", "instant"):
        return FIXED if column.type == "id16" else DELTA
    return TEXT if column is not None and column.type == "text" and path != "item_id" else DICTIONARY


def _n_buckets(n_entries: int, a_bucket: int) -> int:
    """A power of two, so that a bucket has about so many entries."""
    return 1 << max(n_entries // a_bucket, 1).bit_length() - 1
