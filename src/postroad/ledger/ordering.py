"""The order of a segment's rows: by what they are about, then by instant, causal rank and id."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from postroad.events.kinds import SUBJECTS
from postroad.kernels.eventids import group_rows, is_ordered, order_groups

__all__ = ["SUBJECT_COLUMNS", "Subjects", "order_items", "order_rows"]

SUBJECT_COLUMNS = tuple(f"{subject}_id" for subject in SUBJECTS)


@dataclass(frozen=True, slots=True)
class Subjects:
    """What neighbouring rows are about, in the order of the rows.

    Attributes
    ----------
    texts: text (n,), the ids. seeds: int8 (n,), index into SUBJECT_COLUMNS. firsts: int64 (n,), the first row of each.
    """

    texts: pa.Array
    seeds: np.ndarray
    firsts: np.ndarray


def order_rows(table: pa.Table, ranks: np.ndarray) -> tuple[np.ndarray, Subjects]:
    """Order events.

    Parameters
    ----------
    table: columns of ``events``, one chunk each. ranks: int64 (n_rows,), causal rank of each row's kind.

    Returns
    -------
    int32 (n_rows,), the rows in order; and what they are about. An event that names an item is about the item, whatever
    else it names; one that names no item is about a unit, else a trip, else a facility.
    """
    groups, texts, seeds = _rank_subjects(table, SUBJECT_COLUMNS)
    instants = table["occurred_at"].combine_chunks().cast(pa.int64()).to_numpy()
    ids = np.frombuffer(table["event_id"].combine_chunks().buffers()[1], np.uint8)
    ids = ids[16 * table["event_id"].chunk(0).offset :].reshape(-1, 16)
    order, starts = group_rows(groups, len(texts))
    if is_ordered(groups, instants, ranks, ids):
        order = np.arange(table.num_rows, dtype=np.int32)
    else:
        order_groups(order, starts, instants, ranks, ids)
    return order, Subjects(texts, seeds, starts[:-1])


def order_items(table: pa.Table) -> tuple[np.ndarray, Subjects]:
    """Order item records by item, then acceptance; as :func:`order_rows`."""
    groups, texts, seeds = _rank_subjects(table, SUBJECT_COLUMNS[:1])
    accepted = table["accepted_at"].combine_chunks().cast(pa.int64())
    instants = pc.fill_null(accepted, np.iinfo(np.int64).min).to_numpy()
    order = np.lexsort((instants, groups)).astype(np.int32)
    firsts = np.flatnonzero(np.diff(groups[order], prepend=-1)).astype(np.int64)
    return order, Subjects(texts, seeds, firsts)


def _rank_subjects(table: pa.Table, names: tuple[str, ...]) -> tuple[np.ndarray, pa.Array, np.ndarray]:
    """Group rows by the first of some columns that has a text.

    Returns
    -------
    int32 (n_rows,), the group of each row: in the order of the columns, then of the texts; every group has a row; the
    texts and the places of the columns, int8, of the groups.
    """
    groups = np.full(table.num_rows, -1, np.int32)
    texts: list[pa.Array] = []
    seeds: list[np.ndarray] = []
    n_groups = 0
    for place, name in enumerate(names):
        left = np.flatnonzero(groups < 0)
        if not len(left):
            break
        values = table[name].combine_chunks()
        if len(left) < table.num_rows:
            values = values.take(pa.array(left))
        ranks, found = _rank_texts(values)
        is_told = ranks >= 0
        groups[left[is_told]] = ranks[is_told] + n_groups
        texts.append(found)
        seeds.append(np.full(len(found), place, np.int8))
        n_groups += len(found)
    whole = pa.concat_arrays([part.cast(pa.large_string()) for part in texts])
    return groups, whole, np.concatenate(seeds)


def _rank_texts(values: pa.Array) -> tuple[np.ndarray, pa.Array]:
    """The rank of each text among those that occur, int32 (n_rows,), -1 for none or an empty one; and those texts."""
    if not pa.types.is_dictionary(values.type):
        values = values.dictionary_encode()
    codes = pc.fill_null(values.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
    texts = values.dictionary
    is_used = np.zeros(len(texts) + 1, bool)
    is_used[codes] = True
    is_used = is_used[:-1] & (pc.binary_length(texts).to_numpy(zero_copy_only=False) > 0)
    used = np.flatnonzero(is_used)
    kept = texts.take(pa.array(used))
    by_text = pc.sort_indices(kept).to_numpy()
    ordered = kept.take(pa.array(by_text))
    # A dictionary may name a text twice; it is one thing.
    is_new = np.append(True, pc.not_equal(ordered[1:], ordered[:-1]).to_numpy(zero_copy_only=False))[: len(ordered)]
    ranks = np.full(len(texts) + 1, -1, np.int32)
    ranks[used[by_text]] = np.cumsum(is_new) - 1
    return ranks[codes], ordered.filter(pa.array(is_new))
