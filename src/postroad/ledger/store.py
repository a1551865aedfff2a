"""The ledger: an append-only folder of events, item records and flow records.

One process writes at a time, any number read. A batch becomes visible as a whole when the manifest names its segments;
what an interrupted append leaves behind is never read. Nothing is edited: a correction is a new event.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from postroad.core.clock import time_zone
from postroad.core.digests import digest_bytes
from postroad.core.errors import InputError, LedgerError
from postroad.core.findings import Findings
from postroad.events.check import screen_events
from postroad.events.columns import columns, conform, empty_frame
from postroad.events.envelope import order_events
from postroad.ledger.admission import Earlier, Receipt, admit
from postroad.ledger.disk import sync_folder, writer_lock
from postroad.ledger.manifest import (
    MANIFEST_NAME,
    STREAMS,
    About,
    Manifest,
    Segment,
    check_chain,
    check_files,
    check_sizes,
    extend,
    has_manifest,
    read_manifest,
    write_manifest,
)
from postroad.ledger.query import run_query
from postroad.ledger.segments import (
    SEGMENT_ROWS,
    complete,
    id_bounds,
    read_columns,
    read_item,
    read_metadata,
    take_rows,
    write_segment,
)

__all__ = ["Ledger"]


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

    def __init__(self, folder: Path | str, *, threads: int | None = None) -> None:
        self.folder = Path(folder)
        self.threads = threads or os.cpu_count() or 1
        self._seen: tuple[int, int, int] | None = None
        self._manifest = Manifest(about=About())
        self._footers: dict[str, pq.FileMetaData] = {}
        check_sizes(self.folder, self.manifest).raise_on_errors(LedgerError)

    @classmethod
    def create(
        cls,
        folder: Path | str,
        *,
        timezone: str = "UTC",
        epoch: datetime | None = None,
        run_digest: str = "",
        threads: int | None = None,
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
        folder = Path(folder)
        time_zone(timezone)
        about = About(timezone=timezone, epoch=epoch, run_digest=run_digest)
        folder.mkdir(parents=True, exist_ok=True)
        with writer_lock(folder):
            if has_manifest(folder):
                _refuse_other(folder, read_manifest(folder).about, about)
            else:
                if any(next((folder / stream).glob("*.parquet"), None) for stream in STREAMS):
                    raise LedgerError("PR-L215", path=str(folder))
                for stream in STREAMS:
                    (folder / stream).mkdir(exist_ok=True)
                write_manifest(folder, Manifest(about=about))
        return cls(folder, threads=threads)

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
        return self.manifest.n_rows("events")

    def append(self, frame: pl.DataFrame | pa.Table, *, now: datetime | None = None) -> tuple[Receipt, Findings]:
        """Add a batch of events: all that can be kept and is new, or, when anything fails, none.

        Parameters
        ----------
        frame: Polars or Arrow, columns as declared for ``events``; what is not required may be left out.
        now: aware instant against which the future is judged; the clock's when left out.

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
        with writer_lock(self.folder):
            status, order, clashes = admit(screened, self._earlier(screened.table["event_id"]))
            findings.extend(clashes)
            if len(order):
                self._publish("events", screened.table, order)
        return Receipt(status), findings

    def append_items(self, frame: pl.DataFrame | pa.Table) -> bool:
        """Add records of items (product, endpoints, promise), columns as declared for ``items``.

        Returns whether the batch is new; one of the same content adds nothing. Errors as in :meth:`append`; PR-L116 in
        PR-C001 when a required value is missing.
        """
        table = self._whole(frame, "items")
        keys = [(name, "ascending") for name in ("item_id", "accepted_at") if name in table.column_names]
        order = pc.sort_indices(table, keys).to_numpy()
        return self._append_whole("items", table, order)

    def append_flows(self, frame: pl.DataFrame | pa.Table) -> bool:
        """Add aggregate flow records, columns as declared for ``flows``: those of a run's journeys.

        Returns whether the batch is new; one of the same content adds nothing. Errors as in :meth:`append_items`;
        LedgerError PR-L210 when the ledger has no epoch.
        """
        if self.about.epoch is None:
            raise LedgerError("PR-L210", value="the ledger has no epoch")
        table = self._whole(frame, "flows")
        return self._append_whole("flows", table, np.arange(table.num_rows))

    def history(self, item_id: str) -> pl.DataFrame:
        """All events of an item, in order; no row when there is none.

        Events of units and trips that carried it are not among them.
        """
        parts = self._rows_of("events", item_id)
        return order_events(pl.from_arrow(pa.concat_tables(parts))) if parts else empty_frame("events")

    def item_records(self, item_id: str) -> pl.DataFrame:
        """The records of an item, by acceptance; more than one when a number was used again."""
        parts = self._rows_of("items", item_id)
        if not parts:
            return empty_frame("items")
        return pl.from_arrow(pa.concat_tables(parts)).sort("accepted_at")

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
        return run_query(self.folder, self.manifest, sql, parameters, self.threads)

    def verify(self) -> Findings:
        """Read every file and find what is missing (PR-L203), torn (PR-L204), changed (PR-L205), left over (PR-L208),
        and where the chain of digests breaks (PR-L206)."""
        manifest = self.manifest
        findings = check_chain(manifest)
        findings.extend(check_files(self.folder, manifest))
        return findings

    def _whole(self, frame: pl.DataFrame | pa.Table, stream: str) -> pa.Table:
        """A batch of records, all of it or nothing."""
        table, findings = conform(frame, stream)
        for name, column in columns(stream).items():
            if column.required and name in table.column_names and table[name].null_count:
                row = int(np.flatnonzero(table[name].is_null().to_numpy())[0]) + 2
                findings.add("PR-L116", table=stream, row=row, column=name)
        findings.raise_on_errors(InputError)
        return table

    def _append_whole(self, stream: str, table: pa.Table, order: np.ndarray) -> bool:
        """Publish a batch of records unless it is there already."""
        batch_id = _digest_batch(table, stream, order)
        with writer_lock(self.folder):
            if any(batch.batch_id == batch_id and batch.stream == stream for batch in self.manifest.batches):
                return False
            self._publish(stream, table, order, batch_id=batch_id)
        return True

    def _publish(self, stream: str, table: pa.Table, order: np.ndarray, batch_id: str | None = None) -> None:
        """Write rows of a table as segments and publish them in one step."""
        manifest = self.manifest
        number = len(manifest.segments(stream))

        def write(start: int) -> Segment:
            part = take_rows(table, order[start : start + SEGMENT_ROWS])
            return write_segment(self.folder, stream, number + start // SEGMENT_ROWS, complete(part, stream))

        try:
            with ThreadPoolExecutor(max_workers=self.threads) as pool:
                segments = tuple(pool.map(write, range(0, len(order), SEGMENT_ROWS)))
            sync_folder(self.folder / stream)
            name = batch_id or digest_bytes(*(segment.digest.encode() for segment in segments))
            write_manifest(self.folder, extend(manifest, stream, name, segments))
        except OSError as error:
            raise LedgerError("PR-L211", path=str(self.folder), value=str(error)) from error

    def _earlier(self, ids: pa.ChunkedArray) -> Iterator[Earlier]:
        """Published segments whose ids may be among those of a batch."""
        segments = self.manifest.segments("events")
        if not segments:
            return
        whole = ids.combine_chunks().drop_null()
        if not len(whole):
            return
        least, most = id_bounds(whole)
        for segment in segments:
            if segment.low["event_id"] <= most and segment.high["event_id"] >= least:
                path = self.folder / segment.name
                yield Earlier(partial(_ids_of, path), partial(_rows_at, path))

    def _rows_of(self, stream: str, item_id: str) -> list[pa.Table]:
        """The rows of an item, segment by segment."""
        parts = []
        for segment in self.manifest.segments(stream):
            if "item_id" in segment.low and segment.low["item_id"] <= item_id <= segment.high["item_id"]:
                path = self.folder / segment.name
                footer = self._footers.get(segment.name)
                if footer is None:
                    footer = self._footers[segment.name] = read_metadata(path)
                rows = read_item(path, footer, item_id)
                if rows.num_rows:
                    parts.append(rows)
        return parts


def _refuse_other(folder: Path, found: About, wanted: About) -> None:
    """A ledger that is there must have been made with the same settings."""
    for name in About.model_fields:
        if getattr(found, name) != getattr(wanted, name):
            raise LedgerError("PR-L214", path=str(folder), column=name, value=str(getattr(found, name)))


def _ids_of(path: Path) -> pa.Array:
    """Event ids of a segment."""
    return read_columns(path, ["event_id"])["event_id"].combine_chunks()


def _rows_at(path: Path, places: np.ndarray) -> pa.Table:
    """Whole rows of a segment by their places."""
    return take_rows(read_columns(path, list(columns("events"))), places)


def _digest_batch(table: pa.Table, stream: str, order: np.ndarray) -> str:
    """The digest of a batch's content in the order in which it is kept; how it lies in memory does not matter."""
    parts = [stream.encode()]
    for start in range(0, len(order), SEGMENT_ROWS):
        part = complete(take_rows(table, order[start : start + SEGMENT_ROWS]), stream)
        for name in part.column_names:
            parts += _plain_parts(part[name].combine_chunks())
    return digest_bytes(*parts)


def _plain_parts(values: pa.Array) -> list[bytes]:
    """A column as bytes: which values are missing, and the values; texts as codes in order of first appearance."""
    missing = np.packbits(values.is_null().to_numpy(zero_copy_only=False)).tobytes()
    if pa.types.is_string(values.type):
        coded = values.dictionary_encode()
        texts = "\0".join(coded.dictionary.to_pylist()).encode()
        return [missing, texts, pc.fill_null(coded.indices, -1).to_numpy().astype("<i4").tobytes()]
    numbers = values.cast(pa.int64()) if pa.types.is_timestamp(values.type) else values
    return [missing, pc.fill_null(numbers, 0).to_numpy().astype("<i8").tobytes()]
