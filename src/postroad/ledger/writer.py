"""The writer of a ledger: one process at a time admits batches, puts them on the disk and seals what was logged.

Whoever appends while a sync is under way waits for the next one, which then holds the batches of all that waited.
Sealing runs beside appending, in a thread of its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import numpy as np
import pyarrow as pa

from postroad.core.digests import digest_bytes
from postroad.core.errors import LedgerError
from postroad.core.findings import Findings
from postroad.events.check import Screened
from postroad.ledger.admission import APPENDED, REFUSED, Receipt, admit
from postroad.ledger.disk import Writing, writer_lock
from postroad.ledger.known import SEALED, KnownIds
from postroad.ledger.log import Durable, LogFile, encode_batch, list_logs, log_path, read_batch, scan_log
from postroad.ledger.manifest import LogStart, Manifest, Segment, extend, read_manifest, write_manifest
from postroad.ledger.reading import SegmentReader
from postroad.ledger.sealing import seal_events, seal_rows
from postroad.ledger.segments import id_words
from postroad.ledger.tail import Tail

__all__ = ["Writer"]

LOG_BYTES = 1 << 29
MOST_WAITING = 4
"""Closed log files that may wait for sealing before an append waits for it."""


@dataclass
class _Ticket:
    """A batch on its way to the disk."""

    content: Sequence[pa.Buffer | bytes] | None
    n_rows: int
    is_done: bool = False
    error: OSError | None = None


@dataclass
class _Closed:
    """A log file that takes no more batches."""

    number: int
    n_rows: int
    start_chain: bytes
    chain: bytes


@dataclass
class _State:
    """What is open while a ledger is written."""

    log: LogFile
    number: int
    start_chain: bytes
    closed: list[_Closed] = field(default_factory=list)


class Writer:
    """Holds the right to write to a ledger from its making until :meth:`close`.

    Parameters
    ----------
    folder: of the ledger. writing: how it is written. readers: gives the open segments of a manifest.

    Raises
    ------
    LedgerError: PR-L207 another writer, PR-L211 the disk refused, PR-L216 the log is damaged.
    """

    def __init__(
        self, folder: Path, writing: Writing, readers: Callable[[Sequence[Segment]], list[SegmentReader]]
    ) -> None:
        self._folder, self._writing, self._disk, self._readers = folder, writing, writing.disk, readers
        # Whoever holds several takes them in this order.
        self._publication, self._admission, self._commit = Lock(), Lock(), Lock()
        self._queue: deque[_Ticket] = deque()
        self._last: _Ticket | None = None
        self._state: _State | None = None
        self._sealing: Future | None = None
        self._durable = Durable(folder)
        self._tail = Tail(folder)
        self._held, is_open = ExitStack(), False
        self._held.enter_context(writer_lock(folder))
        self._sealer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="postroad-sealing")
        try:
            self._known = KnownIds(readers(read_manifest(folder).segments("events")))
            self._refused(self._open)
            is_open = True
        finally:
            if not is_open:
                self._held.close()

    def append(self, screened: Screened, *, whole: bool = False) -> tuple[Receipt, Findings]:
        """Add the rows of a batch that are new; when this returns, they are on the disk.

        Of a batch that is to be ``whole`` none is added when any is refused.
        """
        if not screened.table.num_rows:
            return Receipt(np.zeros(0, np.int8)), Findings()
        self._ensure_open()
        ids = screened.table["event_id"].chunk(0)
        words = id_words(ids if screened.is_kept.all() else ids.filter(pa.array(screened.is_kept)))
        is_large = len(words) >= self._writing.segment_rows
        with self._publication if is_large else nullcontext(), self._admission:
            first, is_taken = self._known.n_held, False
            try:
                known = self._known.note(words)
                status, findings = admit(screened, known, first, self._events_at)
                if whole and (status == REFUSED).any():
                    return Receipt(np.where(status == APPENDED, np.int8(REFUSED), status)), findings
                n_new = self._known.n_held - first
                table = screened.table if n_new == len(status) else screened.table.filter(pa.array(status == APPENDED))
                if n_new and is_large:
                    self._append_sealed(table, first)
                elif n_new:
                    self._last = _Ticket(encode_batch(table), n_new)
                    self._queue.append(self._last)
                is_taken = True
            finally:
                if not is_taken:
                    self._known.keep(first)
            ticket = self._last
        if ticket is not None:
            self._write(ticket)
        return Receipt(status), findings

    def append_whole(self, stream: str, table: pa.Table, batch_id: str) -> bool:
        """Add a batch of records unless one of the same name is there; whether it was added."""
        with self._publication:
            manifest = read_manifest(self._folder)
            if any(batch.batch_id == batch_id and batch.stream == stream for batch in manifest.batches):
                return False
            number = len(manifest.segments(stream))
            try:
                segments = seal_rows(self._folder, self._writing, stream, number, table)
                self._publish(manifest, stream, batch_id, segments)
            except OSError as error:
                raise LedgerError("PR-L211", path=str(self._folder), value=str(error)) from error
        return True

    def seal(self) -> None:
        """Seal all that is logged, and wait until that is done."""
        self._ensure_open()
        with self._admission, self._commit:
            state = self._state
            if state is not None and state.log.n_rows:
                self._refused(self._rotate)
        while state is not None and state is self._state and state.closed:
            if self._sealing is None or self._sealing.done():
                self._begin_sealing(state)
            self._refused(self._sealing.result)

    def close(self) -> None:
        """Wait for what is under way, and give back the right to write. What is not sealed stays in the log."""
        with self._admission, self._commit:
            state, self._state = self._state, None
        try:
            self._sealer.shutdown()
            if state is not None:
                self._refused(state.log.close)
        finally:
            self._held.close()

    def _ensure_open(self) -> None:
        """Begin again after the disk refused: what was not acknowledged is not known any more."""
        if self._state is not None:
            return
        if self._sealing is not None:
            wait([self._sealing])
        with self._admission, self._commit:
            if self._state is None:
                self._known = KnownIds(self._readers(read_manifest(self._folder).segments("events")))
                self._tail = Tail(self._folder)
                self._last = None
                self._queue.clear()
                self._refused(self._open)

    def _write(self, ticket: _Ticket) -> None:
        """Wait until a batch is on the disk, or put it there with all that wait."""
        if not (ticket.is_done and ticket.error is None):
            with self._commit:
                if not ticket.is_done:
                    self._write_all()
            state = self._state
            if state is not None and len(state.closed) > MOST_WAITING:
                wait([self._sealing])
        if ticket.error is not None:
            raise LedgerError("PR-L211", path=str(self._folder), value=str(ticket.error)) from ticket.error

    def _settle(self) -> None:
        """Put what was admitted on the disk, for a batch that repeats it and is compared with what is there."""
        ticket = self._last
        with self._commit:
            if ticket is not None and not ticket.is_done:
                self._write_all()
        if ticket is not None and ticket.error is not None:
            raise LedgerError("PR-L211", path=str(self._folder), value=str(ticket.error)) from ticket.error

    def _write_all(self) -> None:
        """Put all that waits on the disk."""
        tickets = []
        while self._queue:
            tickets.append(self._queue.popleft())
        state = self._state
        error: OSError | None = OSError("the log was closed, or its writing interrupted")
        try:
            if state is not None:
                state.log.write([(one.content, one.n_rows) for one in tickets])
                self._durable.tell(state.number, state.log.size)
                error = None
        except OSError as refused:
            error = refused
        finally:
            if error is not None:
                self._state = None
            for one in tickets:
                one.is_done, one.error, one.content = True, error, None
        if self._state is not None and self._is_full(state.log):
            with suppress(OSError):  # the batch is on the disk; the next append begins again
                self._rotate()

    def _is_full(self, log: LogFile) -> bool:
        """Whether a log file is ready for sealing."""
        return log.n_rows >= self._writing.segment_rows or log.size >= LOG_BYTES

    def _open(self) -> None:
        """Take up the log where it ends: count what is whole, cut off what is not, begin a new file."""
        manifest = read_manifest(self._folder)
        chain = bytes.fromhex(manifest.log.chain)
        told, size = self._durable.read()
        closed: list[_Closed] = []
        number = manifest.log.number - 1
        for number in list_logs(self._folder):
            path = log_path(self._folder, number)
            if number < manifest.log.number:
                self._disk.remove(path)  # sealed; its removal was interrupted
                continue
            content, frames = scan_log(path, chain, stop=size if number == told else 0)
            n_rows = 0
            for batch in (batch for frame in frames for batch in frame.batches):
                words = id_words(read_batch(content, batch)["event_id"].chunk(0))
                self._known.note(words)
                n_rows += batch.n_rows
            if not frames:
                self._disk.remove(path)
                continue
            if frames[-1].stop < len(content):
                handle = self._disk.open(path)
                self._disk.cut(handle, frames[-1].stop)
                self._disk.sync(handle)
                self._disk.close(handle)
            closed.append(_Closed(number, n_rows, chain, frames[-1].chain))
            chain = closed[-1].chain
        number = max(number, manifest.log.number - 1) + 1
        log = LogFile(log_path(self._folder, number), chain, self._disk)
        self._durable.tell(number, 0)
        self._state = _State(log, number, chain, closed)
        if sum(one.n_rows for one in closed) >= self._writing.segment_rows or len(closed) > MOST_WAITING:
            self._begin_sealing(self._state)

    def _rotate(self) -> None:
        """Close the log file and begin the next; begin to seal."""
        state, self._state = self._state, None
        log = state.log
        log.close()
        state.closed.append(_Closed(state.number, log.n_rows, state.start_chain, log.chain))
        state.number, state.start_chain = state.number + 1, log.chain
        state.log = LogFile(log_path(self._folder, state.number), log.chain, self._disk)
        self._durable.tell(state.number, 0)
        self._state = state
        self._begin_sealing(state)

    def _begin_sealing(self, state: _State) -> None:
        """Have the closed log files sealed, after those that are being sealed."""
        self._sealing = self._sealer.submit(self._seal, state)

    def _seal(self, state: _State) -> None:
        """Seal the closed log files."""
        while state.closed:
            files = list(state.closed)
            tables = []
            for one in files:
                content, frames = scan_log(log_path(self._folder, one.number), one.start_chain)
                tables += [read_batch(content, batch) for frame in frames for batch in frame.batches]
            number = len(read_manifest(self._folder).segments("events"))
            segments = seal_events(self._folder, self._writing, number, tables)
            readers = self._readers(segments)
            log = LogStart(number=files[-1].number + 1, chain=files[-1].chain.hex())
            with self._publication, self._admission:
                try:
                    self._publish(read_manifest(self._folder), "events", files[-1].chain.hex(), segments, log)
                except OSError:
                    self._state = None  # whether the manifest took its place is not certain
                    raise
                self._known.seal(sum(one.n_rows for one in files), readers)
                del state.closed[: len(files)]
            for one in files:
                self._disk.remove(log_path(self._folder, one.number))

    def _append_sealed(self, table: pa.Table, first: int) -> None:
        """Make segments of a batch that is large enough for them, past the log."""
        manifest = read_manifest(self._folder)
        number = len(manifest.segments("events"))
        try:
            segments = seal_events(self._folder, self._writing, number, [table])
            readers = self._readers(segments)
            name = digest_bytes(*(segment.digest.encode() for segment in segments))
            self._publish(manifest, "events", name, segments)
        except OSError as error:
            self._state = None
            raise LedgerError("PR-L211", path=str(self._folder), value=str(error)) from error
        self._known.keep(first)
        self._known.add_sealed(readers)

    def _publish(
        self, manifest: Manifest, stream: str, name: str, segments: Sequence[Segment], log: LogStart | None = None
    ) -> None:
        """Publish segments in one step."""
        self._disk.sync_folder(self._folder / stream)
        write_manifest(self._folder, extend(manifest, stream, name, segments, log), self._disk)

    def _events_at(self, places: np.ndarray) -> pa.Table:
        """Events by the places of their ids."""
        manifest = read_manifest(self._folder)
        is_sealed = places >= SEALED
        parts, back = [], []
        if not is_sealed.all():
            self._settle()
            self._tail.refresh(manifest.log.number, bytes.fromhex(manifest.log.chain))
            parts.append(self._tail.take(places[~is_sealed]))
            back.append(np.flatnonzero(~is_sealed))
        numbers = places // SEALED - 1
        for number, reader in enumerate(self._readers(manifest.segments("events"))):
            chosen = np.flatnonzero(is_sealed & (numbers == number))
            if len(chosen):
                parts.append(reader.take(places[chosen] % SEALED))
                back.append(chosen)
        order = np.argsort(np.concatenate(back))
        return pa.concat_tables(parts).take(pa.array(order))

    def _refused(self, work: Callable[[], object]) -> None:
        """Do something with the disk; PR-L211 when it refuses."""
        try:
            work()
        except OSError as error:
            raise LedgerError("PR-L211", path=str(self._folder), value=str(error)) from error
