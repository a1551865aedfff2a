"""The log: batches as they came, each on the disk before it is acknowledged.

A log is a row of files of *frames*. A frame is what one write and one sync put on the disk: a header and one or more
batches, each an Arrow stream. A header's checksum covers the frame and the checksum of the frame before, so that the
frames are a chain. What follows the last whole frame of a file is what an interrupted write left, and was never
acknowledged; a damaged frame with whole ones behind it was, and is told.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import xxhash

from postroad.core.errors import LedgerError
from postroad.core.findings import Findings
from postroad.ledger.disk import Disk
from postroad.ledger.index import map_file

__all__ = [
    "CHAIN_START",
    "Batch",
    "Durable",
    "Frame",
    "LogFile",
    "check_log",
    "encode_batch",
    "list_logs",
    "log_path",
    "read_batch",
    "scan_log",
]

MAGIC = 0x32474F4C44524F50
HEAD = struct.Struct("<QQQ16s16s8x")
"""Magic, bytes behind the header, number of batches; checksum of the frame before, checksum of this one."""
PART = struct.Struct("<QQ48x")
"""Bytes of a batch, rows; each part of a frame begins at a multiple of ALIGN."""
ALIGN = 64
CHAIN_START = bytes(16)
FIRST_ROOM, MOST_ROOM = 1 << 16, 1 << 26
"""Bytes by which a log file's room grows: at first, and at most."""
END_OF_STREAM = b"\xff\xff\xff\xff\0\0\0\0"
FOLDER, SUFFIX, DURABLE_NAME = "log", ".log", "durable"
DURABLE_BYTES = 8
OFFSET_BITS = 40


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole frame: where it begins and ends in its file, its batches, and its checksum."""

    start: int
    stop: int
    batches: tuple[Batch, ...]
    chain: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch of events in a log file: where its Arrow stream stands, and its rows."""

    start: int
    stop: int
    n_rows: int


class Durable:
    """How far the log is on the disk for certain: one number in a file that a writer maps and readers look at.

    It is not synced: after a loss of power it may be behind, never ahead.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FOLDER / DURABLE_NAME
        self._map: np.memmap | None = None

    def read(self) -> tuple[int, int]:
        """The number of a log file, and the bytes of it that are on the disk; (0, 0) when nothing is told."""
        if self._map is None:
            if not self._path.is_file() or self._path.stat().st_size != DURABLE_BYTES:
                return 0, 0
            self._map = np.memmap(self._path, "<u8", "r", shape=(1,))
        return divmod(int(self._map[0]), 1 << OFFSET_BITS)

    def tell(self, number: int, size: int) -> None:
        """Note how far the log is on the disk."""
        if self._map is None or self._map.mode == "r":
            if not self._path.is_file() or self._path.stat().st_size != DURABLE_BYTES:
                self._path.write_bytes(bytes(DURABLE_BYTES))
            self._map = np.memmap(self._path, "<u8", "r+", shape=(1,))
        self._map[0] = (number << OFFSET_BITS) + size


class LogFile:
    """One file of the log, open for writing.

    Parameters
    ----------
    path: the file; made when missing. chain: checksum of the frame before its first. disk: what writes.
    """

    def __init__(self, path: Path, chain: bytes, disk: Disk) -> None:
        self.path = path
        self.chain = chain
        self.size = 0
        self.n_rows = 0
        self._room = 0
        self._disk = disk
        path.parent.mkdir(exist_ok=True)
        self._handle = disk.open(path)
        disk.sync_folder(path.parent)

    def write(self, batches: Sequence[tuple[Sequence[pa.Buffer | bytes], int]]) -> None:
        """Put batches on the disk as one frame; when this returns, they are there.

        Parameters
        ----------
        batches: as :func:`encode_batch` gives them, with their rows.

        Raises
        ------
        OSError: the disk refused. The file must be cut or left: nothing more can be written to it.
        """
        parts: list[bytes | memoryview] = []
        for pieces, n_rows in batches:
            views = [memoryview(piece) for piece in pieces]
            size = sum(len(view) for view in views)
            parts += [PART.pack(size, n_rows), *views, bytes(-size % ALIGN)]
        length = sum(len(part) for part in parts)
        seen = xxhash.xxh3_128()
        seen.update(HEAD.pack(MAGIC, length, len(batches), self.chain, CHAIN_START))
        for part in parts:
            seen.update(part)
        chain = seen.digest()
        self._make_room(self.size + HEAD.size + length)
        head = HEAD.pack(MAGIC, length, len(batches), self.chain, chain)
        self._disk.write(self._handle, [head, *parts], self.size)
        self._disk.sync(self._handle)
        self.chain, self.size = chain, self.size + HEAD.size + length
        self.n_rows += sum(n_rows for _, n_rows in batches)

    def close(self) -> None:
        """Give back the room that was not used, and close the file."""
        try:
            self._disk.cut(self._handle, self.size)
            self._disk.sync(self._handle)
        finally:
            self._disk.close(self._handle)

    def _make_room(self, size: int) -> None:
        """Have the disk keep room for the next frames: a full disk refuses here, with nothing written."""
        if size > self._room:
            room = max(size, self._room + min(max(self._room, FIRST_ROOM), MOST_ROOM))
            self._disk.reserve(self._handle, room)
            self._room = room


def encode_batch(table: pa.Table) -> list[pa.Buffer | bytes]:
    """A batch as the pieces of an Arrow stream, without the columns that hold nothing."""
    (batch,) = table.to_batches() if table[0].num_chunks == 1 else table.combine_chunks().to_batches()
    batch = batch.select([place for place, column in enumerate(batch.columns) if column.null_count < len(column)])
    if any(pa.types.is_dictionary(kind) for kind in batch.schema.types):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        return [sink.getvalue()]
    return [batch.schema.serialize(), batch.serialize(), END_OF_STREAM]


def read_batch(content: memoryview, batch: Batch) -> pa.Table:
    """The rows of a batch, which stay where the log file is mapped."""
    return pa.ipc.open_stream(pa.py_buffer(content[batch.start : batch.stop])).read_all()


def scan_log(
    path: Path, chain: bytes, *, start: int = 0, stop: int = 0, is_live: bool = False
) -> tuple[memoryview, list[Frame]]:
    """Read the whole frames of a log file, up to the first that is not.

    Parameters
    ----------
    path: the file. chain: checksum of the frame before the first that is read. start: where that begins.
    stop: up to where frames are on the disk for certain: one that is not whole before that is damaged.
    is_live: somebody is writing; nothing behind the last whole frame is looked at.

    Raises
    ------
    LedgerError: PR-L203 when the file is missing, PR-L216 for a damaged frame: one that is not whole before ``stop`` or
    before another whole one.
    """
    content = memoryview(map_file(path))
    frames: list[Frame] = []
    place = start
    while (frame := _frame_at(content, place, chain)) is not None:
        frames.append(frame)
        chain, place = frame.chain, frame.stop
    if not is_live and (place < stop or _has_frames(content, place + ALIGN)):
        raise LedgerError("PR-L216", path=str(path), value=place, number=len(frames) + 1)
    return content, frames


def check_log(folder: Path, first: int, chain: bytes) -> Findings:
    """Read the whole log and find damaged frames: PR-L216.

    Parameters
    ----------
    folder: of the ledger. first: number of the first log file that is not sealed. chain: checksum of the frame before.
    """
    findings = Findings()
    told, size = Durable(folder).read()
    for number in list_logs(folder):
        if number < first:
            continue
        try:
            _, frames = scan_log(log_path(folder, number), chain, stop=size if number == told else 0)
        except LedgerError as error:
            findings.add(error.code, **error.params)
            break
        chain = frames[-1].chain if frames else chain
    return findings


def list_logs(folder: Path) -> list[int]:
    """The numbers of a ledger's log files, ascending."""
    return sorted(int(path.stem) for path in (folder / FOLDER).glob(f"*{SUFFIX}") if path.stem.isdigit())


def log_path(folder: Path, number: int) -> Path:
    """The log file of a number."""
    return folder / FOLDER / f"{number:08d}{SUFFIX}"


def _frame_at(content: memoryview, place: int, chain: bytes | None) -> Frame | None:
    """The frame that begins at a place, None when none does or it is not whole; ``chain`` None: after any frame."""
    if place + HEAD.size > len(content):
        return None
    magic, length, n_batches, before, told = HEAD.unpack_from(content, place)
    start, stop = place + HEAD.size, place + HEAD.size + length
    if magic != MAGIC or stop > len(content) or (chain is not None and before != chain):
        return None
    seen = xxhash.xxh3_128(HEAD.pack(magic, length, n_batches, before, CHAIN_START))
    seen.update(content[start:stop])
    if seen.digest() != told:
        return None
    return Frame(place, stop, tuple(_batches_in(content, start, n_batches)), told)


def _batches_in(content: memoryview, place: int, n_batches: int) -> Iterator[Batch]:
    """The batches of a whole frame."""
    for _ in range(n_batches):
        size, n_rows = PART.unpack_from(content, place)
        yield Batch(place + PART.size, place + PART.size + size, n_rows)
        place += PART.size + size + -size % ALIGN


def _has_frames(content: memoryview, start: int) -> bool:
    """Whether a whole frame begins anywhere behind a place."""
    n_words = (len(content) - start) // 8
    if n_words <= 0:
        return False
    words = np.frombuffer(content, "<u8", n_words, start)[:: ALIGN // 8]
    places = start + ALIGN * np.flatnonzero(words == MAGIC)
    return any(_frame_at(content, int(place), None) is not None for place in places)
