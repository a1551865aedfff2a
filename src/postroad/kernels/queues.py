"""First-in-first-out queues of entries in one shared pool of chunks.

An *entry* stands for ``n`` identical items: five int32 words (group, count, meta, left-origin minute,
reached-destination minute). A chunk of 64 words holds its successor in word 0 and up to twelve entries from word 4 on,
so a queue is read in whole cache lines. Correct for any interleaving of pushes and pops by one thread.
"""

from __future__ import annotations

import numpy as np

from postroad.kernels import lean, njit

WORDS = 64
ENTRY = 5
FIRST = 4
PER_CHUNK = 12

# slots of the pool's own counters
FREE_HEAD = 0
N_FREE = 1
N_CHUNK = 2


@njit
def new_pool(n_chunk):
    """An empty pool of ``n_chunk`` chunks and its counters: (int32 words, int64 counters)."""
    words = np.empty(n_chunk * WORDS, np.int32)
    counters = np.zeros(4, np.int64)
    link_free(words, counters, 0, n_chunk)
    return words, counters


@njit
def link_free(words, counters, first, last):
    """Add the chunks ``first .. last-1`` to the free list."""
    for chunk in range(first, last - 1):
        words[np.int64(chunk) * WORDS] = chunk + 1
    words[np.int64(last - 1) * WORDS] = counters[FREE_HEAD] if counters[N_FREE] > 0 else -1
    counters[FREE_HEAD] = first
    counters[N_FREE] += last - first
    counters[N_CHUNK] = last


@njit
def reserve(words, counters, n_chunk):
    """Return a pool with at least ``n_chunk`` free chunks: the same words, or a larger copy."""
    if counters[N_FREE] >= n_chunk:
        return words
    old = counters[N_CHUNK]
    more = max(n_chunk, old // 2)
    larger = np.empty((old + more) * WORDS, np.int32)
    larger[: old * WORDS] = words
    link_free(larger, counters, old, old + more)
    return larger


@lean
def push(words, counters, heads, queue, gid, n, meta, left, reached):
    """Append one entry to a queue; the pool must have a free chunk."""
    tail = heads[queue, 2]
    place = heads[queue, 3]
    if tail < 0 or place == PER_CHUNK:
        chunk = counters[FREE_HEAD]
        counters[FREE_HEAD] = words[chunk * WORDS]
        counters[N_FREE] -= 1
        if tail < 0:
            heads[queue, 0] = chunk
            heads[queue, 1] = 0
        else:
            words[np.int64(tail) * WORDS] = chunk
        heads[queue, 2] = chunk
        tail = np.int32(chunk)
        place = 0
    at = np.int64(tail) * WORDS + FIRST + place * ENTRY
    words[at] = gid
    words[at + 1] = n
    words[at + 2] = meta
    words[at + 3] = left
    words[at + 4] = reached
    heads[queue, 3] = place + 1


@lean
def front(heads, queue):
    """Where the first entry of a non-empty queue stands in the words."""
    return np.int64(heads[queue, 0]) * WORDS + FIRST + heads[queue, 1] * ENTRY


@lean
def drop(words, counters, heads, queue):
    """Remove the first entry of a non-empty queue."""
    chunk = heads[queue, 0]
    place = heads[queue, 1] + 1
    if chunk == heads[queue, 2] and place == heads[queue, 3]:
        heads[queue, 0] = -1
        heads[queue, 2] = -1
    elif place == PER_CHUNK:
        heads[queue, 0] = words[np.int64(chunk) * WORDS]
        heads[queue, 1] = 0
    else:
        heads[queue, 1] = place
        return
    words[np.int64(chunk) * WORDS] = counters[FREE_HEAD] if counters[N_FREE] > 0 else -1
    counters[FREE_HEAD] = chunk
    counters[N_FREE] += 1
