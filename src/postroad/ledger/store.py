"""The ledger: an append-only folder of events, item records and flow records.

One process writes at a time, any number read. A batch becomes visible as a whole when the manifest names its segments;
what an interrupted append leaves behind is never read. Nothing is edited: a correction is a new event.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import TypeVar

import polars as pl
import pyarrow as pa

from postroad.core.clock import time_zone
from postroad.core.errors import InputError, LedgerError
from postroad.core.files import writing_folder
from postroad.core.findings import Findings
from postroad.events.check import screen_events
from postroad.events.columns import conform, schema
from postroad.events.kinds import SUBJECTS, kinds
from postroad.ledger.admission import Receipt
from postroad.ledger.backup import copy_files, digest_ledger
from postroad.ledger.batches import digest_batch, refuse_other, whole_batch
from postroad.ledger.disk import Disk, Writing, writer_lock
from postroad.ledger.index import hash_subject
from postroad.ledger.log import check_log, list_logs
from postroad.ledger.manifest import (
    MANIFEST_NAME,
    STREAMS,
    About,
    Manifest,
    Segment,
    check_chain,
    check_files,
    check_sizes,
    has_manifest,
    read_manifest,
    write_manifest,
)
from postroad.ledger.query import run_query
from postroad.ledger.reading import Rows, SegmentReader, rows_batch
from postroad.ledger.segments import SEGMENT_ROWS
from postroad.ledger.tail import Tail
from postroad.ledger.writer import Writer

__all__ = ["Ledger", "Snapshot"]

Result = TypeVar("Result")

SEALED_WHILE_READ = 100
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _SealedMeanwhile(Exception):
    """A log file was sealed and removed while it was read."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A ledger at one instant: ``manifest`` names what is sealed, ``logged`` are the events that are not."""

    folder: Path
    manifest: Manifest
    logged: tuple[pa.Table, ...]

    def paths(self, stream: str) -> list[Path]:
        """The sealed files of a stream."""
        return [self.folder.resolve() / segment.name for segment in self.manifest.segments(stream)]


class Ledger:
    """An append-only store in a folder.

    Parameters
    ----------
    folder: of an existing ledger; :meth:`create` makes one.
    threads: how many segments are written at once; the number of processors when left out. The bytes are the same for
        any number.

    Raises
    ------
    NotFound: PR-L201 no ledger there. LedgerError: PR-L202 torn manifest, PR-L203 missing segment, PR-L204 torn
    segment, PR-L209 another format version.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        threads: int | None = None,
        segment_rows: int = SEGMENT_ROWS,
        disk: Disk | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.threads = threads or os.cpu_count() or 1
        self._settings = Writing(disk or Disk(), self.threads, segment_rows)
        self._seen: tuple[int, int, int] | None = None
        self._manifest = Manifest(about=About())
        self._open_segments: dict[str, SegmentReader] = {}
        self._tail = Tail(self.folder)
        self._writer: Writer | None = None
        self._opening, self._reading = Lock(), Lock()
        check_sizes(self.folder, self.manifest).raise_on_errors(LedgerError)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the right to write. The ledger can still be read, and written again."""
        with self._opening:
            writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    @classmethod
    def create(
        cls,
        folder: Path | str,
        *,
        timezone: str = "UTC",
        epoch: datetime | None = None,
        run_digest: str = "",
        threads: int | None = None,
        segment_rows: int = SEGMENT_ROWS,
        disk: Disk | None = None,
    ) -> Ledger:
        """Make a ledger, or open the one that is there if it was made with the same settings.

        Parameters
        ----------
        folder: made when missing. timezone: IANA name in which tracking shows instants.
        epoch: aware instant from which flow records count their minutes. run_digest: of the run whose ledger it is.

        Raises
        ------
        LedgerError: PR-L214 a ledger with other settings is there, PR-L215 segments without a manifest are there.
        InputError: PR-C022 unknown time zone.
        """
        folder, disk = Path(folder), disk or Disk()
        time_zone(timezone)
        about = About(timezone=timezone, epoch=epoch, run_digest=run_digest)
        folder.mkdir(parents=True, exist_ok=True)
        if not has_manifest(folder):
            with writer_lock(folder):
                if any(next((folder / stream).glob("*.parquet"), None) for stream in STREAMS) or list_logs(folder):
                    raise LedgerError("PR-L215", path=str(folder))
                for stream in (*STREAMS, "log"):
                    (folder / stream).mkdir(exist_ok=True)
                    disk.sync_folder(folder / stream)
                write_manifest(folder, Manifest(about=about), disk)
        refuse_other(str(folder), read_manifest(folder).about, about)
        return cls(folder, threads=threads, segment_rows=segment_rows, disk=disk)

    @property
    def manifest(self) -> Manifest:
        """The newest published manifest."""
        try:
            status = (self.folder / MANIFEST_NAME).stat()
        except FileNotFoundError:
            return read_manifest(self.folder)
        # A file number may be used again within one tick of the clock; a manifest only ever grows.
        seen = (status.st_mtime_ns, status.st_ino, status.st_size)
        if seen != self._seen:
            self._manifest = read_manifest(self.folder)
            self._seen = seen
        return self._manifest

    @property
    def about(self) -> About:
        """Time zone, epoch and run."""
        return self.manifest.about

    def __len__(self) -> int:
        """How many events there are."""
        return self._seen_now(lambda manifest: manifest.n_rows("events") + self._tail.n_rows)

    def append(
        self, frame: pl.DataFrame | pa.Table, *, now: datetime | None = None, whole: bool = False
    ) -> tuple[Receipt, Findings]:
        """Add a batch of events: all that can be kept and is new, or, when anything fails, none.

        Parameters
        ----------
        frame: Polars or Arrow, columns as declared for ``events``; what is not required may be left out.
        now: aware instant against which the future is judged; the clock's when left out.
        whole: add nothing when a row is refused; the receipt then shows none as appended.

        Returns
        -------
        What became of each row, and findings (PR-L105..PR-L113 of rows, PR-L115 used ids). When this returns, the batch
        is on the disk. The same batch again adds nothing.

        Raises
        ------
        InputError: PR-C001 when columns are unknown, missing or of another type: nothing is added.
        LedgerError: PR-L207 another writer, PR-L211 the disk refused: nothing is added.
        """
        table, findings = conform(frame, "events")
        findings.raise_on_errors(InputError)
        screened, row_findings = screen_events(table, now)
        findings.extend(row_findings)
        receipt, clashes = self._writing().append(screened, whole=whole)
        findings.extend(clashes)
        return receipt, findings

    def append_items(self, frame: pl.DataFrame | pa.Table) -> bool:
        """Add records of items (product, endpoints, promise), columns as declared for ``items``.

        Returns whether the batch is new; one of the same content adds nothing. Errors as in :meth:`append`; PR-L116 in
        PR-C001 when a required value is missing.
        """
        table = whole_batch(frame, "items")
        return self._writing().append_whole("items", table, digest_batch(table, "items"))

    def append_flows(self, frame: pl.DataFrame | pa.Table) -> bool:
        """Add aggregate flow records, columns as declared for ``flows``: those of a run's journeys.

        Returns whether the batch is new; one of the same content adds nothing. Errors as in :meth:`append_items`;
        LedgerError PR-L210 when the ledger has no epoch.
        """
        if self.about.epoch is None:
            raise LedgerError("PR-L210", value="the ledger has no epoch")
        table = whole_batch(frame, "flows")
        return self._writing().append_whole("flows", table, digest_batch(table, "flows"))

    def seal(self) -> None:
        """Make segments of all that is logged; they are smaller, and quicker to query. Errors as in :meth:`append`."""
        self._writing().seal()

    def history(self, item_id: str) -> pl.DataFrame:
        """All events of an item, in order; no row when there is none.

        Events of units and trips that carried it are not among them.
        """
        return self.events_about(item_id, "item")

    def events_about(self, name: str, subject: str) -> pl.DataFrame:
        """All events about a thing, in order: about an ``item``, or of no item about a ``unit``, ``trip`` or
        ``facility``."""
        return pl.DataFrame(rows_batch(self._about(name, subject), "events"))

    def records_about(self, name: str, subject: str) -> list[dict[str, object]]:
        """As :meth:`events_about`, each event as plain values; the quickest way to a short history."""
        rows = self._about(name, subject)
        for instants in ("occurred_at", "recorded_at"):
            rows[instants] = [EPOCH + timedelta(microseconds=at) for at in rows[instants]]
        return [dict(zip(rows, values, strict=True)) for values in zip(*rows.values(), strict=True)]

    def item_records(self, item_id: str) -> pl.DataFrame:
        """The records of an item, by acceptance; more than one when a number was used again."""
        return pl.DataFrame(rows_batch(self._item_rows(item_id), "items"))

    def item_record(self, item_id: str) -> dict[str, object]:
        """The newest record of an item as plain values; empty when there is none."""
        rows = self._item_rows(item_id)
        if not rows["item_id"]:
            return {}
        newest = {name: values[-1] for name, values in rows.items()}
        for name in ("accepted_at", "promise_at"):
            newest[name] = None if newest[name] is None else EPOCH + timedelta(microseconds=newest[name])
        return newest

    def events(self, where: str = "true", parameters: tuple = (), *, limit: int | None = None) -> pl.DataFrame:
        """Events for which a condition in SQL holds, in the order of the segments.

        Parameters
        ----------
        where: condition over the columns of ``events``, with ``?`` for each of ``parameters``.
        limit: at most so many rows.
        """
        tail = "" if limit is None else f" LIMIT {int(limit)}"
        return self.query(f"SELECT * FROM events WHERE {where}{tail}", parameters)

    def query(self, sql: str, parameters: tuple = ()) -> pl.DataFrame:
        """Run SQL (DuckDB) over the tables ``events``, ``items``, ``flows`` and ``kinds``.

        Raises
        ------
        InputError: PR-L212 with what the database says. A query can read no other file.
        """
        seen = self.snapshot()
        return run_query(self.folder, seen.manifest, seen.logged, sql, parameters, self.threads)

    def snapshot(self) -> Snapshot:
        """What is sealed and what is logged at one instant: for engines that read the files themselves."""
        return self._seen_now(lambda manifest: Snapshot(self.folder, manifest, tuple(self._tail.tables())))

    def verify(self) -> Findings:
        """Read every file and find what is missing (PR-L203), torn (PR-L204), changed (PR-L205) or damaged in the log
        (PR-L216), left over (PR-L208), and where the chain of digests breaks (PR-L206)."""
        while True:
            manifest = self.manifest
            findings = check_chain(manifest)
            findings.extend(check_files(self.folder, manifest))
            findings.extend(check_log(self.folder, manifest.log.number, bytes.fromhex(manifest.log.chain)))
            if self.manifest == manifest:  # else something was sealed meanwhile
                return findings

    def digest(self) -> str:
        """The digest of all that the ledger holds; a copy of the same content has the same."""
        return self._seen_now(lambda manifest: digest_ledger(manifest, self._tail.chain))

    def backup(self, to: Path | str) -> str:
        """Copy what the ledger holds now to a new folder, beside whoever writes; a restored ledger is such a copy.

        Parameters
        ----------
        to: a folder that does not exist yet; it is written whole or not at all.

        Returns
        -------
        The digest of the copy.

        Raises
        ------
        InputError: PR-C030 when something is there.
        """
        while True:
            with suppress(_SealedMeanwhile), writing_folder(to) as draft:
                manifest, logged, chain = self._seen_now(lambda seen: (seen, self._tail.sizes, self._tail.chain))
                try:
                    copy_files(self.folder, manifest, logged, draft)
                except FileNotFoundError as error:
                    if self.manifest.log == manifest.log:
                        raise LedgerError("PR-L203", path=str(error.filename)) from error
                    raise _SealedMeanwhile from error
                return digest_ledger(manifest, chain)

    def _about(self, name: str, subject: str) -> Rows:
        """The events about a thing, in order."""
        seed = SUBJECTS.index(subject)

        def find(manifest: Manifest) -> list[Rows]:
            value = hash_subject(name, seed)
            parts = [reader.about(name, seed, value) for reader in self._readers(manifest.segments("events"))]
            return [part for part in (*parts, self._tail.about(name, seed)) if part is not None]

        return _ordered(self._seen_now(find), "events")

    def _item_rows(self, item_id: str) -> Rows:
        """The records of an item, by acceptance."""
        segments = self.manifest.segments("items")
        parts = [reader.about(item_id, 0) for reader in self._readers(segments)] if segments else []
        return _ordered([part for part in parts if part is not None], "items")

    def _writing(self) -> Writer:
        """The writer, made when there is none."""
        with self._opening:
            if self._writer is None:
                self._writer = Writer(self.folder, self._settings, self._readers)
            return self._writer

    def _readers(self, segments: Sequence[Segment]) -> list[SegmentReader]:
        """Sealed segments of events or items, opened."""
        for segment in segments:
            if segment.name not in self._open_segments:
                stream = segment.name.partition("/")[0]
                self._open_segments[segment.name] = SegmentReader(self.folder, stream, segment)
        return [self._open_segments[segment.name] for segment in segments]

    def _seen_now(self, see: Callable[[Manifest], Result]) -> Result:
        """Read what is sealed and what is logged as they are at one instant."""
        with self._reading:
            for _ in range(SEALED_WHILE_READ):
                manifest = self.manifest
                try:
                    self._tail.refresh(manifest.log.number, bytes.fromhex(manifest.log.chain))
                except LedgerError as error:
                    # A log file that is gone was sealed after the manifest was read.
                    if error.code != "PR-L203" or self.manifest.log == manifest.log:
                        raise
                    continue
                if self.manifest.log == manifest.log:
                    return see(manifest)
        raise LedgerError("PR-L213", path=str(self.folder), value="sealed again and again while it was read")


def _ordered(parts: list[Rows], stream: str) -> Rows:
    """Rows of several files as one, in order."""
    rows = {name: [value for part in parts for value in part[name]] for name in schema(stream).names}
    if stream == "events":
        ranks = [kinds()[kind].rank for kind in rows["kind"]]
        keys = list(zip(rows["occurred_at"], ranks, rows["event_id"], strict=True))
    else:
        keys = [at if at is not None else -(1 << 63) for at in rows["accepted_at"]]
    if any(keys[place] < keys[place - 1] for place in range(1, len(keys))):
        order = sorted(range(len(keys)), key=keys.__getitem__)
        rows = {name: [values[place] for place in order] for name, values in rows.items()}
    return rows
