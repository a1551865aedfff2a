"""The ids that a ledger holds, as its writer needs them: is this id new, and if not, where is its event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from postroad.kernels.finding import add_to_filter, hash_ids, may_hold, note_ids

__all__ = ["SEALED", "KnownIds", "SealedIds"]

SEALED = 1 << 32
"""A place below this is a row of the log, another row ``place % SEALED`` of sealed segment ``place // SEALED - 1``."""
BITS_AN_ID = 16
FIRST_IDS = 1 << 16
GROWTH = 4


class SealedIds(Protocol):
    """The ids of one sealed segment: how many, all of them, and a look-up."""

    n_rows: int

    def ids(self, first: int = 0, count: int | None = None) -> np.ndarray: ...

    def find_ids(self, words: np.ndarray, wanted: np.ndarray, known: np.ndarray, mark: int) -> None: ...


class KnownIds:
    """Which ids are held: those of the log in a table in memory, those of sealed segments by a filter in memory before
    the tables beside the segments.

    Parameters
    ----------
    sealed: the sealed segments, oldest first.
    """

    def __init__(self, sealed: Sequence[SealedIds]) -> None:
        self._sealed: list[SealedIds] = []
        self._filter = np.zeros(1, np.uint64)
        self._n_filtered = 0
        self._held = np.empty((0, 2), np.uint64)
        self._slots = np.zeros(16, np.uint64)
        self.n_held = 0
        self.add_sealed(sealed)

    def note(self, words: np.ndarray) -> np.ndarray:
        """Say where the ids of a batch are held, and hold those that are new from now on.

        Parameters
        ----------
        words: uint64 (n, 2), ids.

        Returns
        -------
        int64 (n,): -1 for a new id, which gets the next row of the log; else its place. An id that came earlier in the
        batch has the row that the earlier one gets.
        """
        known, hashes = np.full(len(words), -1, np.int64), hash_ids(words)
        if self._sealed:
            rows = np.empty(len(words), np.int64)
            wanted = rows[: may_hold(hashes, self._filter, rows)]
            for number, segment in enumerate(self._sealed, start=1):
                if len(wanted):
                    segment.find_ids(words, wanted, known, number * SEALED)
        self._make_room(self.n_held + len(words))
        self.n_held, _ = note_ids(words, hashes, known, self._slots, self._held, self.n_held)
        return known

    def seal(self, n_rows: int, segments: Sequence[SealedIds]) -> None:
        """Take the first rows of the log for sealed: they are in these segments now."""
        self.add_sealed(segments)
        self._rebuild(self._held[n_rows : self.n_held])

    def keep(self, n_rows: int) -> None:
        """Hold only the first rows of the log: what came after did not reach the disk."""
        if n_rows < self.n_held:
            self._rebuild(self._held[:n_rows])

    def add_sealed(self, segments: Sequence[SealedIds]) -> None:
        """Add sealed segments."""
        self._sealed += segments
        n_ids = sum(segment.n_rows for segment in self._sealed)
        n_words = 1 << max(n_ids * BITS_AN_ID // 64, 1).bit_length()
        if n_words > len(self._filter):
            self._filter = np.zeros(2 * n_words, np.uint64)
            segments = self._sealed
        for segment in segments:
            add_to_filter(segment.ids(), self._filter)

    def _make_room(self, n_ids: int) -> None:
        """Make the table large enough."""
        if n_ids > len(self._held):
            held = np.empty((max(GROWTH * len(self._held), n_ids, FIRST_IDS), 2), np.uint64)
            held[: self.n_held] = self._held[: self.n_held]
            self._held = held
        if 2 * n_ids >= len(self._slots):
            self._fill_slots(len(self._held))

    def _rebuild(self, words: np.ndarray) -> None:
        """Hold just these ids."""
        self._held, self.n_held = words.copy(), len(words)
        self._fill_slots(max(len(words), FIRST_IDS // 4))

    def _fill_slots(self, n_ids: int) -> None:
        """Make the slots anew, with room for so many ids; written once, so that no page is missing later."""
        self._slots = np.full(1 << (2 * n_ids).bit_length(), 0, np.uint64)
        words = self._held[: self.n_held].copy()
        if len(words):
            note_ids(words, hash_ids(words), np.full(len(words), -1, np.int64), self._slots, self._held, 0)
