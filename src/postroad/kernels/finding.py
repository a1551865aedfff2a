"""Finding rows: by what they are about, and by their event id.

Texts and ids are hashed to 64 bits. A table of buckets holds, for each entry, a tag of some bits of the hash and the
row; a tag that fits only nominates a row, whose text or id then decides. A filter tells, for most ids that are not
among millions, that they are not, by one look into memory.

Source: F. Putze, P. Sanders, J. Singler, Cache-, hash- and space-efficient Bloom filters (2009), for filters whose bits
for one key lie in one word.
"""

from __future__ import annotations

import numpy as np

from postroad.kernels import njit
from postroad.kernels.eventids import mix64

__all__ = [
    "add_to_filter",
    "chain_rows",
    "find_ids",
    "gather_ids",
    "hash_ids",
    "hash_text",
    "hash_texts",
    "may_hold",
    "note_ids",
    "place_entries",
    "renumber",
    "walk_chain",
]

ONE = np.uint64(1)
SIX_BITS = np.uint64(63)
LOW_32 = np.uint64(0xFFFFFFFF)
AT_ONCE = 512


@njit
def hash_text(data, start, stop, seed):
    """A 64-bit hash of the bytes from ``start`` to ``stop``, which differs by ``seed``."""
    value = mix64(np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(stop - start))
    place = start
    while place < stop:
        word = np.uint64(0)
        for byte in range(min(8, stop - place)):
            word |= np.uint64(data[place + byte]) << np.uint64(8 * byte)
        value = mix64(value ^ word) + word
        place += 8
    return mix64(value)


@njit
def hash_texts(data, offsets, seeds):
    """Hash texts.

    Parameters
    ----------
    data: uint8. offsets: int64 (n + 1,), where each text begins. seeds: int8 (n,), what kind of thing each names.

    Returns
    -------
    uint64 (n,).
    """
    hashes = np.empty(seeds.size, np.uint64)
    for text in range(seeds.size):
        hashes[text] = hash_text(data, offsets[text], offsets[text + 1], seeds[text])
    return hashes


@njit
def hash_id(high, low):
    """A 64-bit hash of an id of two words."""
    return mix64(high ^ mix64(low + ONE))


@njit
def hash_ids(words):
    """Hash ids, uint64 (n, 2): uint64 (n,)."""
    hashes = np.empty(words.shape[0], np.uint64)
    for row in range(words.shape[0]):
        hashes[row] = hash_id(words[row, 0], words[row, 1])
    return hashes


@njit
def place_entries(hashes, n_buckets):
    """Sort entries into buckets by the upper half of their hash.

    Parameters
    ----------
    hashes: uint64 (n,). n_buckets: a power of two.

    Returns
    -------
    uint32 (n_buckets + 1,), where each bucket begins; uint32 (n,), the entries, bucket by bucket. Tags are bits of the
    lower half of the hash.

    Correct for fewer than 2**32 entries and at most 2**32 buckets.
    """
    mask = np.uint64(n_buckets - 1)
    starts = np.zeros(n_buckets + 1, np.uint32)
    for entry in range(hashes.size):
        starts[np.int64((hashes[entry] >> np.uint64(32)) & mask) + 1] += np.uint32(1)
    for bucket in range(n_buckets):
        starts[bucket + 1] += starts[bucket]
    heads = starts[:-1].copy()
    entries = np.empty(hashes.size, np.uint32)
    for entry in range(hashes.size):
        bucket = np.int64((hashes[entry] >> np.uint64(32)) & mask)
        entries[heads[bucket]] = entry
        heads[bucket] += np.uint32(1)
    return starts, entries


@njit
def gather_ids(file, places, rows_a_page, first, ids):
    """Copy ids out of the pages of a mapped file.

    Parameters
    ----------
    file: uint8. places: int64 (n_pages,), where the first id of each page stands. rows_a_page: ids in a page.
    first: the row from which to copy. ids: uint64 (n, 2), written.
    """
    for row in range(ids.shape[0]):
        whole = first + row
        place = places[whole // rows_a_page] + 16 * (whole % rows_a_page)
        for word in range(2):
            value = np.uint64(0)
            for byte in range(8):
                value |= np.uint64(file[place + 8 * word + byte]) << np.uint64(8 * byte)
            ids[row, word] = value


@njit
def find_ids(words, wanted, starts, tags, rows, file, places, rows_a_page, known, mark):
    """Look up ids in one segment's table.

    Parameters
    ----------
    words: uint64 (n, 2), ids. wanted: int64 (m,), which of them to look up.
    starts, rows: as :func:`place_entries` gives them. tags: uint8 (n_entries,).
    file, places, rows_a_page: where the segment's own ids stand, as in :func:`gather_ids`.
    known: int64 (n,), written: ``mark`` plus the row where an id is found.
    """
    mask = np.uint64(starts.size - 2)
    held = np.empty((1, 2), np.uint64)
    for order in range(wanted.size):
        row = wanted[order]
        if known[row] >= 0:
            continue
        value = hash_id(words[row, 0], words[row, 1])
        bucket = np.int64((value >> np.uint64(32)) & mask)
        tag = np.uint8(value & np.uint64(255))
        for place in range(starts[bucket], starts[bucket + 1]):
            if tags[place] == tag:
                gather_ids(file, places, rows_a_page, np.int64(rows[place]), held)
                if held[0, 0] == words[row, 0] and held[0, 1] == words[row, 1]:
                    known[row] = mark + np.int64(rows[place])
                    break


@njit
def _bits(value):
    """Five of the 64 bits of a filter's word."""
    bits = np.uint64(0)
    for step in range(5):
        bits |= ONE << ((value >> np.uint64(6 * step)) & SIX_BITS)
    return bits


@njit
def add_to_filter(words, filter_words):
    """Note ids, uint64 (n, 2), in a filter, uint64 (a power of two)."""
    mask = np.uint64(filter_words.size - 1)
    for row in range(words.shape[0]):
        value = hash_id(words[row, 0], words[row, 1])
        filter_words[np.int64((value >> np.uint64(32)) & mask)] |= _bits(value & LOW_32)


@njit
def may_hold(hashes, filter_words, rows):
    """Which ids a filter may hold, by their hashes, uint64 (n,): their rows into ``rows``, int64 (n,); returns how
    many."""
    mask = np.uint64(filter_words.size - 1)
    n_found = 0
    for row in range(hashes.size):
        value = hashes[row]
        bits = _bits(value & LOW_32)
        rows[n_found] = row
        n_found += (filter_words[np.int64((value >> np.uint64(32)) & mask)] & bits) == bits
    return n_found


@njit
def note_ids(words, hashes, known, slots, held, n_held):
    """Note the ids of a batch in a table of ids that are held.

    Parameters
    ----------
    words: uint64 (n, 2), ids. hashes: uint64 (n,), of :func:`hash_ids`. known: int64 (n,): rows with 0 or more are
        passed over; written: the number of an id that is held already, in the table or earlier in the batch.
    slots: uint64 (a power of two, more than twice n_held + n), 0 where free, else the upper half of the id's hash and
        its number plus one. held: uint64 (more than n_held + n, 2).
    n_held: ids in the table.

    Returns
    -------
    How many ids the table holds now; the new ones got the next numbers in the order of their rows. And a number of no
    meaning.

    Correct for fewer than 2**32 ids.
    """
    mask = slots.size - 1
    seen = np.uint64(0)
    for row in range(words.shape[0]):
        if row % AT_ONCE == 0:
            # Looked at beforehand, many slots are fetched at once instead of one after another.
            for other in range(row, min(row + AT_ONCE, words.shape[0])):
                seen |= slots[np.int64(hashes[other] & np.uint64(mask))]
        if known[row] >= 0:
            continue
        value = hashes[row]
        tag = value >> np.uint64(32)
        slot = np.int64(value & np.uint64(mask))
        while True:
            entry = slots[slot]
            if entry == 0:
                slots[slot] = tag << np.uint64(32) | np.uint64(n_held + 1)
                held[n_held, 0] = words[row, 0]
                held[n_held, 1] = words[row, 1]
                n_held += 1
                break
            if entry >> np.uint64(32) == tag:
                number = np.int64(entry & LOW_32) - 1
                if held[number, 0] == words[row, 0] and held[number, 1] == words[row, 1]:
                    known[row] = number
                    break
            slot = (slot + 1) & mask
    # What was looked at has to matter, or the compiler leaves it out.
    return n_held, seen


@njit
def renumber(codes, n_codes):
    """Number codes in the order in which they come.

    Parameters
    ----------
    codes: int32 (n,), below ``n_codes``; below 0 where there is none.

    Returns
    -------
    int32 (n,), the new codes; int32 (n_used,), the old code of each.
    """
    number = np.full(n_codes, -1, np.int32)
    used = np.empty(min(codes.size, n_codes), np.int32)
    renamed = np.empty(codes.size, np.int32)
    n_used = 0
    for row in range(codes.size):
        code = codes[row]
        if code < 0:
            renamed[row] = -1
            continue
        if number[code] < 0:
            number[code] = n_used
            used[n_used] = code
            n_used += 1
        renamed[row] = number[code]
    return renamed, used[:n_used]


@njit
def chain_rows(hashes, first, stop, heads, following):
    """Chain rows of equal hashes, each to the one before.

    Parameters
    ----------
    hashes: uint64 (n,). first, stop: the rows to add. heads: int32 (a power of two), the newest row of each slot, -1
        where there is none; written. following: int32 (n,), written: the row before, -1 for none.
    """
    mask = np.uint64(heads.size - 1)
    for row in range(first, stop):
        slot = np.int64(hashes[row] & mask)
        following[row] = heads[slot]
        heads[slot] = row


@njit
def walk_chain(value, heads, following, hashes, found):
    """Find the rows of a hash, oldest first, into ``found``; returns how many there are."""
    row = heads[np.int64(value & np.uint64(heads.size - 1))]
    n_found = 0
    while row >= 0:
        if hashes[row] == value:
            if n_found < found.size:
                found[n_found] = row
            n_found += 1
        row = following[row]
    if n_found <= found.size:
        found[:n_found] = found[:n_found][::-1].copy()
    return n_found
