"""The tail: the events of the log, which are not sealed yet."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from postroad.events.columns import schema
from postroad.kernels.finding import chain_rows, hash_texts, walk_chain
from postroad.ledger.index import hash_subject, text_buffers
from postroad.ledger.log import Batch, Durable, list_logs, log_path, read_batch, scan_log
from postroad.ledger.ordering import SUBJECT_COLUMNS
from postroad.ledger.reading import Rows
from postroad.ledger.segments import complete

__all__ = ["Tail"]

FIRST_CHAIN = 1 << 12


class Tail:
    """The batches of a ledger's log, as far as they are on the disk.

    Parameters
    ----------
    folder: of the ledger.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._durable = Durable(folder)
        self._begun = (0, b"")
        self._looked: tuple[int, bytes, int, int] | None = None
        self._files: dict[int, tuple[int, bytes]] = {}
        self._forget()

    def refresh(self, first: int, chain: bytes) -> None:
        """Take up what was appended since the last time.

        Parameters
        ----------
        first: number of the first log file that is not sealed. chain: checksum of the frame before its first.

        Raises
        ------
        LedgerError: PR-L203 when a log file is gone, PR-L216 when one is damaged.
        """
        told, size = self._durable.read()
        if told and (first, chain, told, size) == self._looked:
            return
        if (first, chain) != self._begun:
            self._forget()
            self._begun = (first, chain)
        looked = (first, chain, told, size)
        numbers = [number for number in list_logs(self._folder) if number >= first]
        for number in numbers:
            start, chain = self._files.get(number, (0, chain))
            limit = size if number == told and number == numbers[-1] else None
            if limit is not None and start >= limit:
                continue
            content, frames = scan_log(log_path(self._folder, number), chain, start=start, is_live=True)
            for frame in frames:
                if limit is not None and frame.stop > limit:
                    break
                start, chain = frame.stop, frame.chain
                for batch in frame.batches:
                    self._add(content, batch)
            self._files[number] = (start, chain)
        self._looked = looked

    @property
    def chain(self) -> bytes:
        """Checksum of the last frame."""
        return self._files[max(self._files)][1] if self._files else self._begun[1]

    @property
    def sizes(self) -> dict[int, int]:
        """Bytes of each log file that count, by its number."""
        return {number: size for number, (size, _) in self._files.items()}

    @property
    def n_rows(self) -> int:
        """How many events there are."""
        return self._starts[-1]

    def tables(self) -> list[pa.Table]:
        """The batches in the schema of events."""
        return [self._table(number) for number in range(len(self._tables))]

    def take(self, rows: np.ndarray) -> pa.Table:
        """Events by their row, in the schema of events.

        Parameters
        ----------
        rows: int64 (n,), in any order.
        """
        batches = np.searchsorted(self._starts, rows, side="right") - 1
        order = np.argsort(batches, kind="stable")
        parts = [schema("events").empty_table()]
        for number in np.unique(batches):
            chosen = rows[order][batches[order] == number] - self._starts[number]
            parts.append(self._table(int(number)).take(pa.array(chosen)))
        back = np.empty(len(rows), np.int64)
        back[order] = np.arange(len(rows))
        return pa.concat_tables(parts).take(pa.array(back))

    def about(self, text: str, seed: int) -> Rows | None:
        """The events about a thing, in no order; as :meth:`postroad.ledger.reading.SegmentReader.about`."""
        self._chain()
        found = np.empty(len(self._next) if self.n_rows < 64 else 1 << 12, np.int64)
        value = np.uint64(hash_subject(text, seed))
        n_found = walk_chain(value, self._heads, self._next, self._hashes, found)
        while n_found > len(found):
            found = np.empty(n_found, np.int64)
            n_found = walk_chain(value, self._heads, self._next, self._hashes, found)
        if not n_found:
            return None
        table = self.take(found[:n_found])
        table = table.filter(pc.equal(table[SUBJECT_COLUMNS[seed]], text))
        if not table.num_rows:
            return None
        for place, column in enumerate(table.columns):
            if pa.types.is_timestamp(column.type):
                table = table.set_column(place, table.column_names[place], column.cast(pa.int64()))
        return table.to_pydict()

    def batch_of(self, row: int) -> int:
        """The number of the batch that holds a row."""
        return bisect_right(self._starts, row) - 1

    def _forget(self) -> None:
        """Begin anew."""
        self._files.clear()
        self._tables: list[pa.Table | tuple[memoryview, Batch]] = []
        self._starts = [0]
        self._n_chained = 0
        self._hashes = np.empty(FIRST_CHAIN, np.uint64)
        self._next = np.empty(FIRST_CHAIN, np.int32)
        self._heads = np.full(FIRST_CHAIN, -1, np.int32)

    def _add(self, content: memoryview, batch: Batch) -> None:
        """Take up a batch; it is read when it is needed."""
        self._tables.append((content, batch))
        self._starts.append(self._starts[-1] + batch.n_rows)

    def _table(self, number: int) -> pa.Table:
        """A batch in the schema of events."""
        held = self._tables[number]
        if isinstance(held, tuple):
            held = self._tables[number] = complete(read_batch(*held), "events")
        return held

    def _chain(self) -> None:
        """Hash what the events are about, as far as that is not done."""
        while self._n_chained < self.n_rows:
            table = self._table(self.batch_of(self._n_chained))
            hashes = _hash_subjects(table)
            upto = self._n_chained + len(hashes)
            if upto > len(self._hashes):
                size = max(upto, 2 * len(self._hashes))
                self._hashes = np.resize(self._hashes, size)
                self._next = np.empty(size, np.int32)
                self._heads = np.full(1 << (size - 1).bit_length(), -1, np.int32)
                chain_rows(self._hashes, 0, self._n_chained, self._heads, self._next)
            self._hashes[self._n_chained : upto] = hashes
            chain_rows(self._hashes, self._n_chained, upto, self._heads, self._next)
            self._n_chained = upto


def _hash_subjects(table: pa.Table) -> np.ndarray:
    """The hash of what each event is about, uint64 (n_rows,)."""
    columns = [pc.if_else(pc.equal(table[name], ""), None, table[name]) for name in SUBJECT_COLUMNS]
    texts = pc.coalesce(*columns, "").combine_chunks()
    seeds = np.full(table.num_rows, len(SUBJECT_COLUMNS), np.int8)
    for seed, column in reversed(list(enumerate(columns))):
        seeds[column.is_valid().to_numpy()] = seed
    return hash_texts(*text_buffers(texts), seeds)
