"""The kernels of the ledger against slow and obvious versions."""

from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.kernels.eventids import (
    N_KEYS,
    find_first,
    find_known,
    group_rows,
    is_ordered,
    name_events,
    order_groups,
    time_rows,
)

KEYS = np.array([0x0123456789ABCDEF * (key + 1) % 2**64 for key in range(N_KEYS)], dtype=np.uint64)
WORD = 2**64 - 1


def slow_mix(value):
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & WORD
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & WORD
    return value ^ (value >> 31)


def slow_name(item, sequence):
    left, right = item, sequence
    for pair in range(N_KEYS // 2):
        left = (left + slow_mix(right ^ int(KEYS[2 * pair]))) % 2**60
        right = (right + slow_mix(left ^ int(KEYS[2 * pair + 1]))) % 2**62
    return UUID(int=((left >> 12) << 80) | (8 << 76) | ((left & 0xFFF) << 64) | (1 << 63) | right)


def slow_undo(name):
    """Read item and sequence back from an id: what can be undone cannot collide."""
    left = (name.int >> 80) << 12 | (name.int >> 64) & 0xFFF
    right = name.int & (2**62 - 1)
    for pair in reversed(range(N_KEYS // 2)):
        right = (right - slow_mix(left ^ int(KEYS[2 * pair + 1]))) % 2**62
        left = (left - slow_mix(right ^ int(KEYS[2 * pair]))) % 2**60
    return left, right


@given(st.lists(st.tuples(st.integers(0, 2**60 - 1), st.integers(0, 2**62 - 1)), min_size=1, max_size=20))
def test_ids_are_a_permutation_and_uuids_of_version_8(pairs):
    items, sequences = (np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True))
    names = [UUID(bytes=row.tobytes()) for row in name_events(items, sequences, KEYS)]
    assert names == [slow_name(*pair) for pair in pairs]
    assert {(name.version, name.variant) for name in names} == {(8, "specified in RFC 4122")}
    assert [slow_undo(name) for name in names] == pairs


def test_ids_look_random():
    """Each free bit is set in half of the ids, and one step of the input changes half of the bits."""
    n = 20_000
    ids = name_events(np.arange(n) // 10, np.arange(n) % 10, KEYS)
    bits = np.unpackbits(ids, axis=1)
    free = np.r_[0:48, 52:64, 66:128]
    # Four standard deviations of a fair coin over 20,000 throws, 122 coins.
    assert np.abs(bits[:, free].mean(axis=0) - 0.5).max() < 4.5 * 0.5 / np.sqrt(n)
    changed = (bits[1:, free] != bits[:-1, free]).mean()
    assert abs(changed - 0.5) < 0.002


def test_other_keys_give_other_ids():
    one = name_events(np.arange(100), np.arange(100), KEYS)
    two = name_events(np.arange(100), np.arange(100), KEYS + np.uint64(1))
    assert not (one == two).all(axis=1).any()


@given(st.lists(st.integers(0, 6), max_size=40))
def test_rows_are_grouped_in_their_order(groups):
    values = np.array(groups, dtype=np.int32)
    order, starts = group_rows(values, 7)
    assert order.tolist() == np.argsort(values, kind="stable").tolist()
    assert starts.tolist() == [sum(group < bound for group in groups) for bound in range(8)]


ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 2), st.integers(0, 2**40)), max_size=60)


def unpack(rows):
    columns = [np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)] or [np.empty(0, np.int64)] * 4
    ids = np.zeros((len(rows), 16), np.uint8)
    for place, row in enumerate(rows):
        ids[place] = np.frombuffer(row[3].to_bytes(16, "big"), np.uint8)
    return columns[0].astype(np.int32), columns[1], columns[2], ids


@given(ROWS)
def test_rows_of_a_group_are_ordered(rows):
    groups, instants, ranks, ids = unpack(rows)
    order, starts = group_rows(groups, 4)
    order_groups(order, starts, instants, ranks, ids)
    assert [rows[row] for row in order] == sorted(rows)
    assert sorted(order.tolist()) == list(range(len(rows)))
    assert is_ordered(groups[order], instants[order], ranks[order], ids[order])


@given(ROWS)
def test_disorder_is_seen(rows):
    assert is_ordered(*unpack(rows)) == (rows == sorted(rows))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=40), st.lists(st.integers(0, 8), max_size=10))
def test_ids_that_are_there_are_found(ids, others):
    words = np.array(ids, dtype=np.uint64).reshape(-1, 2)
    first, slots = find_first(words)
    assert first.tolist() == [ids.index(pair) for pair in ids]
    asked = [(other // 3, other % 3) for other in dict.fromkeys(others)]
    known = np.full(len(ids), -1, dtype=np.int64)
    find_known(slots, words, np.array(asked, dtype=np.uint64).reshape(-1, 2), known)
    expected = [asked.index(pair) if pair in asked and ids.index(pair) == row else -1 for row, pair in enumerate(ids)]
    assert known.tolist() == expected


@pytest.mark.parametrize(
    ("minutes", "ranks", "after_us"),
    [
        ([5, 5, 6], [10, 20, 0], [0, 0, 60_000_000]),
        ([5, 5, 5], [10, 10, 5], [0, 1, 2]),
        ([5, 5, 5], [10, 5, 10], [0, 1, 1]),
    ],
)
def test_rows_of_one_minute_keep_their_order(minutes, ranks, after_us):
    order, starts = group_rows(np.zeros(3, np.int32), 1)
    instants, sequences, bad = time_rows(order, starts, np.array(minutes, np.int32), np.array(ranks), 7)
    assert (instants - 7 - 5 * 60_000_000).tolist() == after_us
    assert sequences.tolist() == [0, 1, 2]
    assert bad == -1


def test_a_row_that_runs_back_is_told():
    order, starts = group_rows(np.array([0, 1, 1], np.int32), 2)
    assert time_rows(order, starts, np.array([9, 8, 7], np.int32), np.zeros(3, np.int64), 0)[2] == 2
