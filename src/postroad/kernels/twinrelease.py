"""The twin's first step of a slot: what was accepted joins its facility."""

from __future__ import annotations

import numpy as np

from postroad.kernels import njit
from postroad.kernels.queues import PER_CHUNK, push, reserve
from postroad.kernels.twinstate import (
    ACCEPTED, DAY_SHIFT, DAYS, GAP, IN_FRESH, JOINED, PRODUCT_SHIFT, Q_FRESH, TRACED, roomier, tell,
)  # fmt: skip

__all__ = ["release_groups", "release_items"]

BATCH = 4096


@njit
def release_groups(net, st, words, trace, counts, bases, sample, rows, first, last):
    """Let the groups of ``rows[first:last]`` join; returns the pool's words and the trace, grown where needed.

    Parameters
    ----------
    counts: int32 (2, n_rel, n_prod, n_pair), items of the even and of the odd day.
    rows: int64 (n_row, 5): day, release, facility, first pair, past the last pair.
    bases: int64 (n_row, n_prod), ordinal of the row's first item of each product among all items of the run.
    sample: int64 (4,): every, offset, traced so far, traced day. Of the items accepted on that day, one whose ordinal
        modulo ``every`` equals ``offset`` becomes an entry of its own, which the trace follows, and so does every item of
        the pairs in ``net.pair_full``; every = 0 follows none.
    """
    for row in range(first, last):
        f, n_pair = rows[row, 2], rows[row, 4] - rows[row, 3]
        every = sample[0] if rows[row, 0] == sample[3] else 0
        n_traced = 0
        if every > 0:
            for p in range(net.n_prod):
                n_traced += most_traced(net, counts, every, rows, row, p)
        words = reserve(words, st.pool, (n_pair * net.n_prod + 2 * n_traced) // PER_CHUNK + 64)
        trace = roomier(trace, st, n_traced)
        for p in range(net.n_prod):
            joined, n_entry = release_row(net, st, words, trace, counts, bases[row, p], sample, every, rows, row, p)
            st.fresh_items[f] += joined
            st.fresh_entries[f] += n_entry
            st.counter[IN_FRESH] += joined
            st.counter[JOINED] += joined
    return words, trace


@njit
def most_traced(net, counts, every, rows, row, p):
    """An upper limit of the items of one product that one row puts into the trace."""
    total, whole = 0, 0
    for pair in range(rows[row, 3], rows[row, 4]):
        n = counts[rows[row, 0] & 1, rows[row, 1], p, pair]
        total += n
        whole += n if net.pair_full[pair] else 0
    return whole + total // every + 2


@njit
def release_row(net, st, words, trace, counts, ordinal, sample, every, rows, row, p):
    """Push one row's groups of one product to the facility's fresh queue; returns (items, entries)."""
    heads, pool = st.heads, st.pool
    day, rel, f = rows[row, 0], rows[row, 1], rows[row, 2]
    queue = st.base[Q_FRESH] + f
    group = ((day * net.n_rel + rel) * net.n_prod + p) * net.n_pair
    joined = np.int64(0)
    n_entry = np.int64(0)
    for pair in range(rows[row, 3], rows[row, 4]):
        n = np.int64(counts[day & 1, rel, p, pair])
        if n == 0:
            continue
        joined += n
        promise = min(day + np.int64(net.promise_k[p, rel, pair]), DAYS - 1)
        meta = np.int64(net.pair_d[pair]) | (p << PRODUCT_SHIFT) | (promise << DAY_SHIFT)
        if every > 0:
            step = 1 if net.pair_full[pair] else every
            ahead = (sample[1] - ordinal) % step
            while ahead < n:
                if ahead > 0:
                    push(words, pool, heads, queue, group + pair, ahead, meta, GAP, GAP)
                    n_entry += 1
                push(words, pool, heads, queue, sample[2], 1, meta | TRACED, GAP, GAP)
                ordinal += ahead + 1
                net.trace_gid[sample[2]] = group + pair
                net.trace_ordinal[sample[2]] = ordinal - 1
                tell(trace, st, sample[2], ACCEPTED, day * 1440 + net.release_min[rel], f, -1)
                sample[2] += 1
                n_entry += 1
                n -= ahead + 1
                ahead = step - 1
            ordinal += n
        if n > 0:
            push(words, pool, heads, queue, group + pair, n, meta, GAP, GAP)
            n_entry += 1
    return joined, n_entry


@njit
def release_items(net, st, words, trace, order, first, last, trace_of):
    """Let the single items ``order[first:last]``, sorted by facility, join; ``trace_of`` is their number in the trace or -1."""
    for place in range(first, last):
        if (place - first) % BATCH == 0:
            words = reserve(words, st.pool, BATCH + 64)
            trace = roomier(trace, st, BATCH)
        item = order[place]
        f = net.item_o[item]
        meta = np.int64(net.item_d[item]) | (np.int64(net.item_p[item]) << PRODUCT_SHIFT) | (np.int64(net.item_day[item]) << DAY_SHIFT)
        traced = trace_of[item]
        if traced >= 0:
            tell(trace, st, traced, ACCEPTED, net.item_acc[item], f, -1)
            push(words, st.pool, st.heads, st.base[Q_FRESH] + f, traced, 1, meta | TRACED, GAP, GAP)
        else:
            push(words, st.pool, st.heads, st.base[Q_FRESH] + f, item, 1, meta, GAP, GAP)
        st.fresh_items[f] += 1
        st.fresh_entries[f] += 1
        st.counter[IN_FRESH] += 1
        st.counter[JOINED] += 1
    return words, trace
