"""Ids of simulated events, the order of rows within a ledger, and the search for ids that are there already.

Ids
    :func:`name_events` gives the pair (item, sequence) of a run an id by a keyed permutation of 122 bits: six rounds of
    a Feistel network whose round function is the splitmix64 finaliser. The halves have 60 and 62 bits; with the
    version and variant bits of RFC 9562 they make a UUID of version 8.

    Collisions. Within one run there are none, by construction: for one key a Feistel network is one-to-one, so that
    different pairs have different ids (items below 2**60, sequences below 2**62). Between runs the keys differ and ids
    behave as drawn at random from 2**122: among n events of all runs together the chance of any collision is below
    n**2 / 2**123, which for n = 10**12 is 10**-13. It is no cryptographic hash: who knows a run's digest can make its
    ids.

Source: J. Luby, C. Rackoff, How to construct pseudorandom permutations (1988); G. Steele, D. Lea, C. Flood, Fast
splittable pseudorandom number generators (2014), for the finaliser.
"""

from __future__ import annotations

import numpy as np

from postroad.kernels import njit

__all__ = ["N_KEYS", "find_first", "find_known", "group_rows", "is_ordered", "name_events", "order_groups", "time_rows"]

N_KEYS = 6
MASK_60 = np.uint64((1 << 60) - 1)
MASK_62 = np.uint64((1 << 62) - 1)
MASK_12 = np.uint64((1 << 12) - 1)
VERSION = np.uint64(8 << 12)
VARIANT = np.uint64(1 << 63)
MIX_A = np.uint64(0xBF58476D1CE4E5B9)
MIX_B = np.uint64(0x94D049BB133111EB)
ONE = np.uint64(1)


@njit
def mix64(value):
    """Finalise 64 bits as splitmix64 does; one-to-one."""
    value = (value ^ (value >> np.uint64(30))) * MIX_A
    value = (value ^ (value >> np.uint64(27))) * MIX_B
    return value ^ (value >> np.uint64(31))


@njit
def name_events(items, sequences, keys):
    """Give each (item, sequence) of a run its id.

    Parameters
    ----------
    items: int64 (n,), 0 or more. sequences: int64 (n,), 0 or more. keys: uint64 (N_KEYS,), of the run.

    Returns
    -------
    uint8 (n, 16), most significant byte first: UUIDs of version 8.

    Correct for items below 2**60 and sequences below 2**62.
    """
    ids = np.empty((items.size, 16), np.uint8)
    for row in range(items.size):
        left = np.uint64(items[row]) & MASK_60
        right = np.uint64(sequences[row]) & MASK_62
        for pair in range(N_KEYS // 2):
            left = (left + mix64(right ^ keys[2 * pair])) & MASK_60
            right = (right + mix64(left ^ keys[2 * pair + 1])) & MASK_62
        high = ((left >> np.uint64(12)) << np.uint64(16)) | VERSION | (left & MASK_12)
        low = VARIANT | right
        for place in range(8):
            shift = np.uint64(56 - 8 * place)
            ids[row, place] = np.uint8((high >> shift) & np.uint64(255))
            ids[row, 8 + place] = np.uint8((low >> shift) & np.uint64(255))
    return ids


@njit
def group_rows(groups, n_groups):
    """Sort rows by group, keeping their order within one.

    Parameters
    ----------
    groups: int32 (n,), 0..n_groups-1.

    Returns
    -------
    int32 (n,), row numbers by group; int64 (n_groups + 1,), where each group begins in it.

    Correct for fewer than 2**31 rows.
    """
    starts = np.zeros(n_groups + 1, np.int64)
    for row in range(groups.size):
        starts[groups[row] + 1] += 1
    for group in range(n_groups):
        starts[group + 1] += starts[group]
    heads = starts[:-1].copy()
    order = np.empty(groups.size, np.int32)
    for row in range(groups.size):
        order[heads[groups[row]]] = row
        heads[groups[row]] += 1
    return order, starts


@njit
def time_rows(order, starts, minutes, ranks, epoch_us):
    """Give the rows of each item their instants, so that instant and rank alone restore their order.

    A row that comes after another of the same minute and is not of a higher causal rank is put one microsecond later.

    Parameters
    ----------
    order, starts: rows by item, as :func:`group_rows` gives them. minutes: int32 (n,), from the epoch.
    ranks: int64 (n,), causal rank of each row's kind. epoch_us: microseconds of the epoch.

    Returns
    -------
    int64 (n,), microseconds, in the order of ``order``; int64 (n,), sequence of each within its item; and the first
    row (index into ``order``) that stands before its predecessor in time, -1 when there is none.

    Correct for fewer than 60 million rows of an item in one minute.
    """
    instants = np.empty(order.size, np.int64)
    sequences = np.empty(order.size, np.int64)
    for group in range(starts.size - 1):
        for place in range(starts[group], starts[group + 1]):
            row = order[place]
            instant = epoch_us + np.int64(minutes[row]) * 60_000_000
            if place > starts[group]:
                before = order[place - 1]
                if minutes[row] < minutes[before]:
                    return instants, sequences, place
                if instant <= instants[place - 1]:
                    instant = instants[place - 1] + (0 if ranks[row] > ranks[before] else 1)
            instants[place] = instant
            sequences[place] = place - starts[group]
    return instants, sequences, -1


@njit
def _precedes(first, second, instants, ranks, ids):
    """Whether one row of an item comes before another: instant, then causal rank, then id."""
    if instants[first] != instants[second]:
        return instants[first] < instants[second]
    if ranks[first] != ranks[second]:
        return ranks[first] < ranks[second]
    for place in range(16):
        if ids[first, place] != ids[second, place]:
            return ids[first, place] < ids[second, place]
    return first < second


@njit
def is_ordered(groups, instants, ranks, ids):
    """Whether rows already stand by group, instant, causal rank and id; arguments as in :func:`order_groups`."""
    for row in range(1, groups.size):
        if groups[row] < groups[row - 1]:
            return False
        if groups[row] == groups[row - 1] and not _precedes(row - 1, row, instants, ranks, ids):
            return False
    return True


@njit
def order_groups(order, starts, instants, ranks, ids):
    """Sort the rows within each group by instant, causal rank and id, in place; merge sort, so that long groups do.

    Parameters
    ----------
    order: int32 (n,), starts: int64 (n_groups + 1,), as :func:`group_rows` gives them.
    instants: int64 (n_rows,). ranks: int64 (n_rows,). ids: uint8 (n_rows, 16).
    """
    spare = np.empty_like(order)
    for group in range(starts.size - 1):
        low, high = starts[group], starts[group + 1]
        width = 1
        while width < high - low:
            left = low
            while left + width < high:
                _merge(order, spare, left, left + width, min(left + 2 * width, high), instants, ranks, ids)
                left += 2 * width
            width *= 2


@njit
def _merge(order, spare, left, middle, right, instants, ranks, ids):
    """Merge two sorted runs of ``order`` in place."""
    if _precedes(order[middle - 1], order[middle], instants, ranks, ids):
        return
    spare[left:right] = order[left:right]
    one, two = left, middle
    for place in range(left, right):
        if two >= right or (one < middle and not _precedes(spare[two], spare[one], instants, ranks, ids)):
            order[place] = spare[one]
            one += 1
        else:
            order[place] = spare[two]
            two += 1


@njit
def _slot_of(words, row, mask):
    """First slot to look into for an id of two 64-bit words."""
    return np.int64(mix64(words[row, 0] ^ mix64(words[row, 1] + ONE)) & np.uint64(mask))


@njit
def find_first(words):
    """Find, for each id, the first row that has it.

    Parameters
    ----------
    words: uint64 (n, 2), ids of 16 bytes as two words of any byte order.

    Returns
    -------
    int32 (n,), row of the first occurrence (its own number where there was none before); int32 (n_slots,), the table of
    distinct ids for :func:`find_known`. All 128 bits are compared, so that a hash never decides.

    Correct for fewer than 2**30 rows.
    """
    n_slots = 16
    while n_slots < 2 * words.shape[0]:
        n_slots *= 2
    slots = np.full(n_slots, -1, np.int32)
    first = np.empty(words.shape[0], np.int32)
    mask = n_slots - 1
    for row in range(words.shape[0]):
        slot = _slot_of(words, row, mask)
        while True:
            held = slots[slot]
            if held < 0:
                slots[slot] = row
                first[row] = row
                break
            if words[held, 0] == words[row, 0] and words[held, 1] == words[row, 1]:
                first[row] = held
                break
            slot = (slot + 1) & mask
    return first, slots


@njit
def find_known(slots, words, others, known):
    """Mark the rows of a batch whose id is among others.

    Parameters
    ----------
    slots, words: of the batch, as in :func:`find_first`. others: uint64 (m, 2), ids to look for.
    known: int64 (n,), written: where an id is found, the row of ``others`` that has it.
    """
    mask = slots.size - 1
    for other in range(others.shape[0]):
        slot = _slot_of(others, other, mask)
        while slots[slot] >= 0:
            held = slots[slot]
            if words[held, 0] == others[other, 0] and words[held, 1] == others[other, 1]:
                known[held] = other
                break
            slot = (slot + 1) & mask
