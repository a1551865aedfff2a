"""The quick look through a batch of events, which most batches pass."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pyarrow as pa

from postroad.events.kinds import CORRECTION, LABELS, SUBJECTS, kinds
from postroad.kernels.screening import are_clean, fill_words, mark_present, match_words

__all__ = ["clean_kinds"]

MARKS = {**{f"{subject}_id": 1 << bit for bit, subject in enumerate(SUBJECTS)}, "follows": 16, "reason": 32}
FIRST_LOOK, SECOND_LOOK = ("item_id",), tuple(name for name in MARKS if name != "item_id")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NO_CODES, NO_BITS = np.zeros(0, np.int32), np.zeros(0, np.uint8)
NO_TEXT = np.zeros(1, np.uint8)

Texts = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]


def clean_kinds(table: pa.Table, latest: datetime, tolerance_s: int) -> np.ndarray | None:
    """The kinds of a batch that can be kept whole with nothing to tell.

    Parameters
    ----------
    table: columns of ``events``, one chunk each, required ones present. latest: instant up to which a row may be
    recorded. tolerance_s: by so much it may occur after it was recorded.

    Returns
    -------
    int8 (n_rows,), index into :func:`postroad.events.kinds.kinds`; None when some row has to be looked at.
    """
    (batch,) = table.to_batches()
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    needed = ("event_id", "kind", "occurred_at", "recorded_at", "label")
    if any(columns[name].null_count for name in needed) or not pa.types.is_fixed_size_binary(columns["event_id"].type):
        return None
    kind_idx, label_idx = _match(columns["kind"], tuple(kinds())), _match(columns["label"], LABELS)
    occurred, recorded = (columns[name].view(pa.int64()).to_numpy() for name in ("occurred_at", "recorded_at"))
    limit = (latest - EPOCH) // timedelta(microseconds=1)
    rest = (occurred, recorded, _wanted(), LABELS.index("simulated"), limit, tolerance_s * 1_000_000)
    present = np.zeros(table.num_rows, np.uint8)
    # What a row has besides can only help: most batches are clean by their items alone.
    for names in (FIRST_LOOK, SECOND_LOOK):
        for name in names:
            _mark(columns.get(name), MARKS[name], present)
        if are_clean(kind_idx, label_idx, present, *rest):
            return kind_idx.astype(np.int8)
    return None


def _mark(values: pa.Array | None, mark: int, present: np.ndarray) -> None:
    """Mark the rows that have something in a column: ``present``: uint8 (n_rows,), marked."""
    if values is None or values.null_count == len(values):
        return
    if pa.types.is_fixed_size_binary(values.type):
        present |= np.uint8(mark) * values.is_valid().to_numpy(zero_copy_only=False)
        return
    _, offsets, codes, valid, first = _texts_of(values)
    mark_present(offsets, codes, valid, first, np.uint8(mark), present)


@cache
def _wanted() -> np.ndarray:
    """What a row of each kind must have, uint8 (n_kinds, 3); see :func:`postroad.kernels.screening.are_clean`."""
    return np.array(
        [
            [
                sum(MARKS[f"{subject}_id"] for subject in kind.subjects),
                MARKS["follows"] if kind.kind == CORRECTION else 0,
                MARKS["reason"] if kind.needs_reason else 0,
            ]
            for kind in kinds().values()
        ],
        np.uint8,
    )


@cache
def _word_list(words: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A list of words as :func:`match_words` takes it."""
    data, offsets, *_ = _texts_of(pa.array(words))
    return fill_words(data, offsets), data, offsets


def _match(values: pa.Array, words: tuple[str, ...]) -> np.ndarray:
    """The place of each text in a list, int16 (n_rows,), -1 when it is not in it; there must be no null."""
    data, offsets, codes, _, _ = _texts_of(values)
    places = np.empty(len(offsets) - 1, np.int16)
    match_words(data, offsets, *_word_list(words), places)
    return places[codes] if len(codes) or not len(values) else places


def _texts_of(values: pa.Array) -> Texts:
    """Texts as plain arrays: their bytes, where each begins, the code of each row when there is a dictionary, and the
    bits of the rows that are not null, with the place of the first."""
    if pa.types.is_dictionary(values.type):
        if len(values.dictionary) > len(values):  # less work than looking at all of the dictionary
            return _texts_of(values.cast(values.type.value_type))
        data, offsets, *_ = _texts_of(values.dictionary)
        codes = values.indices
        valid, first = _bits_of(codes)
        whole = np.frombuffer(codes.buffers()[1], codes.type.to_pandas_dtype())[
            codes.offset : codes.offset + len(codes)
        ]
        return data, offsets, whole.astype(np.int32, copy=False), valid, first
    width = np.int64 if pa.types.is_large_string(values.type) else np.int32
    valid, first = _bits_of(values)
    _, places, data = values.buffers()
    n_texts = len(values)
    offsets = (
        np.frombuffer(places, width)[values.offset : values.offset + n_texts + 1] if n_texts else np.zeros(1, width)
    )
    text = np.frombuffer(data, np.uint8) if data is not None and data.size else NO_TEXT
    return text, offsets.astype(np.int64, copy=False), NO_CODES, valid, first


def _bits_of(values: pa.Array) -> tuple[np.ndarray, int]:
    """The bits of the rows that are not null, none when all are, and the place of the first."""
    bits = values.buffers()[0]
    if bits is None or not values.null_count:
        return NO_BITS, 0
    return np.frombuffer(bits, np.uint8), values.offset
