"""Looking through a batch of events: whether all its rows can be kept as they are, with nothing to tell.

Most batches can. One that cannot is looked through again, more slowly, to say what is wrong with which row.
"""

from __future__ import annotations

import numpy as np

from postroad.kernels import njit
from postroad.kernels.finding import hash_text

__all__ = ["are_clean", "fill_words", "mark_present", "match_words"]

N_SLOTS = 512


@njit
def fill_words(data, offsets):
    """A table for :func:`match_words` over a list of texts: int16 (N_SLOTS,), -1 where free.

    Parameters
    ----------
    data: uint8, offsets: int64 (n + 1,), fewer than half as many texts as slots.
    """
    slots = np.full(N_SLOTS, -1, np.int16)
    for word in range(offsets.size - 1):
        slot = np.int64(hash_text(data, offsets[word], offsets[word + 1], 0) & np.uint64(N_SLOTS - 1))
        while slots[slot] >= 0:
            slot = (slot + 1) % N_SLOTS
        slots[slot] = word
    return slots


@njit
def _is_same(data, start, stop, others, first, last):
    """Whether two pieces of text are the same."""
    length = stop - start
    n_same = 0
    while n_same < length and length == last - first and data[start + n_same] == others[first + n_same]:
        n_same += 1
    return n_same == length == last - first


@njit
def match_words(data, offsets, slots, list_data, list_offsets, codes):
    """Find each text in a list.

    Parameters
    ----------
    data: uint8, offsets: int64 (n + 1,), the texts. slots: of :func:`fill_words` over ``list_data``, ``list_offsets``.
    codes: int16 (n,), written: the place of each text in the list, -1 when it is not in it.
    """
    for row in range(codes.size):
        start, stop = offsets[row], offsets[row + 1]
        if row and _is_same(data, start, stop, data, offsets[row - 1], offsets[row]):
            codes[row] = codes[row - 1]
            continue
        slot = np.int64(hash_text(data, start, stop, 0) & np.uint64(N_SLOTS - 1))
        codes[row] = -1
        while slots[slot] >= 0:
            word = slots[slot]
            if _is_same(data, start, stop, list_data, list_offsets[word], list_offsets[word + 1]):
                codes[row] = word
                break
            slot = (slot + 1) % N_SLOTS


@njit
def mark_present(offsets, codes, valid, first, bit, present):
    """Mark the rows that have a text: neither a null nor an empty one.

    Parameters
    ----------
    offsets: int64, where each text begins, of the rows or of their dictionary. codes: int32 (n,), the text of each row
        in the dictionary; empty when the texts are the rows'. valid: uint8, a bit a row, empty when no row is null.
    first: the bit of the first row. bit: what to mark with. present: uint8 (n,), marked.
    """
    for row in range(present.size):
        if valid.size and not (valid[(first + row) >> 3] >> np.uint8((first + row) & 7)) & 1:
            continue
        text = codes[row] if codes.size else row
        if offsets[text + 1] > offsets[text]:
            present[row] |= bit


@njit
def are_clean(kinds, labels, present, occurred, recorded, wanted, simulated, latest, tolerance):
    """Whether every row can be kept with nothing to tell.

    Parameters
    ----------
    kinds, labels: int16 (n,), places in the closed lists; below 0: not in them. present: uint8 (n,), what each row has.
    occurred, recorded: int64 (n,), microseconds. wanted: uint8 (n_kinds, 3): what a row of each kind must have one of,
        what it must have, and what it must have unless it is simulated. simulated: the place of that label.
    latest: a row that is not simulated may be recorded up to this instant. tolerance: microseconds by which it may
        occur after it was recorded.
    """
    for row in range(kinds.size):
        kind = kinds[row]
        if kind < 0 or labels[row] < 0:
            return False
        has = present[row]
        if not has & wanted[kind, 0] or has & wanted[kind, 1] != wanted[kind, 1]:
            return False
        if labels[row] == simulated:
            continue
        if recorded[row] > latest or occurred[row] - recorded[row] > tolerance:
            return False
        if has & wanted[kind, 2] != wanted[kind, 2]:
            return False
    return True
