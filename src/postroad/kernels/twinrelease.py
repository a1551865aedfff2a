"""The twin's first step of a slot: what was accepted joins its facility."""

from __future__ import annotations

import numpy as np

from postroad.kernels import lean, njit
from postroad.kernels.queues import PER_CHUNK, push, reserve
from postroad.kernels.twinstate import (
    ACCEPTED,
    DAY_SHIFT,
    DAYS,
    FRESH_ENTRIES,
    FRESH_ITEMS,
    GAP,
    IN_FRESH,
    JOINED,
    PRODUCT_SHIFT,
    Q_FRESH,
    TRACED,
    TRACED_ITEMS,
    roomier,
    tell,
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
    sample: int64 (5,): every, offset, traced so far, first and last traced day. Of the items accepted on those days
        one whose ordinal modulo ``every`` equals ``offset`` becomes an entry of its own, which the trace follows, and
        so does every item of the pairs in ``net.pair_full``; every = 0 follows none.
    """
    for row in range(first, last):
        f, n_pair = rows[row, 2], rows[row, 4] - rows[row, 3]
        every = sample[0] if sample[3] <= rows[row, 0] <= sample[4] else 0
        n_traced = 0
        if every > 0:
            for p in range(net.n_prod):
                n_traced += most_traced(net, counts, every, rows, row, p)
        words = reserve(words, st.pool, (n_pair * net.n_prod + 2 * n_traced) // PER_CHUNK + 64)
        trace = roomier(trace, st.counter, n_traced)
        for p in range(net.n_prod):
            joined, n_entry = release_row(
                words, st.pool, st.heads, trace, st.counter, counts[rows[row, 0] & 1, rows[row, 1], p],
                net.promise_k[p, rows[row, 1]], net.pair_d, net.pair_full, net.trace_gid, net.trace_ordinal, sample,
                every, bases[row, p], rows[row], (rows[row, 0] * net.n_rel + rows[row, 1]) * net.n_prod + p, p,
                st.layout[Q_FRESH] + f, rows[row, 0] * 1440 + net.release_min[rows[row, 1]],
            )  # fmt: skip
            st.fac[f, FRESH_ITEMS] += joined
            st.fac[f, FRESH_ENTRIES] += n_entry
            st.counter[IN_FRESH] += joined
            st.counter[JOINED] += joined
    return words, trace


@lean
def most_traced(net, counts, every, rows, row, p):
    """An upper limit of the items of one product that one row puts into the trace."""
    total, whole = 0, 0
    for pair in range(rows[row, 3], rows[row, 4]):
        n = counts[rows[row, 0] & 1, rows[row, 1], p, pair]
        total += n
        whole += n if net.pair_full[pair] else 0
    return whole + total // every + 2


@lean
def release_row(
    words, pool, heads, trace, counter, counts, promise_k, pair_d, pair_full, trace_gid, trace_ordinal, sample,
    every, ordinal, row, group, p, queue, minute,
):  # fmt: skip
    """Push one row's groups of one product to the facility's fresh queue; returns (items, entries)."""
    joined, n_entry = np.int64(0), np.int64(0)
    group *= len(pair_d)
    for pair in range(row[3], row[4]):
        n = np.int64(counts[pair])
        if n == 0:
            continue
        joined += n
        promise = min(row[0] + np.int64(promise_k[pair]), DAYS - 1)
        meta = np.int64(pair_d[pair]) | (p << PRODUCT_SHIFT) | (promise << DAY_SHIFT)
        if every > 0:
            step = 1 if pair_full[pair] else every
            ahead = (sample[1] - ordinal) % step
            while ahead < n:
                if ahead > 0:
                    push(words, pool, heads, queue, group + pair, ahead, meta, GAP, GAP)
                    n_entry += 1
                push(words, pool, heads, queue, sample[2], 1, meta | TRACED, GAP, GAP)
                ordinal += ahead + 1
                trace_gid[sample[2]] = group + pair
                trace_ordinal[sample[2]] = ordinal - 1
                tell(trace, counter, sample[2], ACCEPTED, minute, row[2], -1)
                sample[2] += 1
                counter[TRACED_ITEMS] += 1
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
    """Let the single items ``order[first:last]``, sorted by facility, join.

    ``trace_of`` is their number in the trace, -1 for none.
    """
    pool, heads, fac, counter = st.pool, st.heads, st.fac, st.counter
    origin, destination, product, promise, accepted = net.pair_o, net.pair_d, net.item_p, net.item_day, net.item_acc
    fresh = st.layout[Q_FRESH]
    for place in range(first, last):
        if (place - first) % BATCH == 0:
            words = reserve(words, pool, BATCH + 64)
            trace = roomier(trace, counter, BATCH)
        item = order[place]
        f, p, day = origin[item], np.int64(product[item]), np.int64(promise[item])
        meta = np.int64(destination[item]) | (p << PRODUCT_SHIFT) | (day << DAY_SHIFT)
        traced = trace_of[item]
        if traced >= 0:
            tell(trace, counter, traced, ACCEPTED, accepted[item], f, -1)
            push(words, pool, heads, fresh + f, traced, 1, meta | TRACED, GAP, GAP)
            counter[TRACED_ITEMS] += 1
        else:
            push(words, pool, heads, fresh + f, item, 1, meta, GAP, GAP)
        fac[f, FRESH_ITEMS] += 1
        fac[f, FRESH_ENTRIES] += 1
    counter[IN_FRESH] += last - first
    counter[JOINED] += last - first
    return words, trace
