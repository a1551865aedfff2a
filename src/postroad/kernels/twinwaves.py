"""The twin's delivery waves: out for delivery, delivered at the first success, tried again, or sent back."""

from __future__ import annotations

import numpy as np

from postroad.kernels import lean, njit
from postroad.kernels.queues import PER_CHUNK, drop, front, push, reserve
from postroad.kernels.twinsort import spread
from postroad.kernels.twinstate import (
    ATTEMPT_SHIFT,
    DAYS,
    DELAY_ENTRIES,
    DELAY_ITEMS,
    DELIVERED,
    DELIVERY_ENTRIES,
    DELIVERY_ITEMS,
    DESTINATION,
    FAILED,
    FIRST_COUNT,
    GROUNDED,
    IN_DELAY,
    IN_RING,
    IN_TOUR,
    LOST,
    LOST_COUNT,
    MOVES,
    N_JOURNEY,
    OUT,
    Q_DELAY,
    Q_DELIVERY,
    Q_RING,
    RETURN_STARTED,
    RETURNING,
    RING_ENTRIES,
    RING_ITEMS,
    SPAN_BASE,
    TRACED,
    TRACED_ITEMS,
    accepted_of,
    finish,
    group_of,
    roomier,
    tell,
    wider,
)  # fmt: skip

__all__ = ["ready_for_wave", "wave"]


@njit
def ready_for_wave(net, st, words, s):
    """What becomes ready for a wave in this slot joins the delivery queues; returns the pool's words."""
    ring, fac, counter = st.ring, st.fac, st.counter
    place = s % len(ring)
    for f in range(ring.shape[1]):
        n_entry = ring[place, f, DELAY_ENTRIES]
        if n_entry == 0:
            continue
        words = reserve(words, st.pool, n_entry // PER_CHUNK + net.n_prod * DAYS + 64)
        queue = st.layout[Q_DELAY] + place * ring.shape[1] + f
        spread(words, st.pool, st.heads, st.span, st.layout, net.n_prod, f, queue, Q_DELIVERY)
        fac[f, DELIVERY_ENTRIES] += n_entry
        fac[f, DELIVERY_ITEMS] += ring[place, f, DELAY_ITEMS]
        counter[MOVES] += n_entry
        counter[IN_DELAY] -= ring[place, f, DELAY_ITEMS]
        ring[place, f, DELAY_ITEMS] = 0
        ring[place, f, DELAY_ENTRIES] = 0
    return words


@njit
def wave(net, st, words, rows, trace, f, s):
    """Send out one delivery wave; returns the pool's words, the journeys and the trace, grown where needed.

    Of the wave's items, by position: a fixed share is found missing and declared lost; of the rest a fixed share is not
    delivered at this attempt; the delivered ones follow each other through the hours of the tour.
    """
    fac, heads, span = st.fac, st.heads, st.span
    total = min(np.int64(net.wave_cap[f, s]), fac[f, DELIVERY_ITEMS])
    n_entry = fac[f, DELIVERY_ENTRIES]
    words = reserve(words, st.pool, n_entry // PER_CHUNK + 64)
    rows = wider(rows, st.counter[N_JOURNEY], 3 * n_entry + 64)
    trace = roomier(trace, st.counter, 4 * min(n_entry, st.counter[TRACED_ITEMS]) + 8)
    # ends[h]: how many of the wave's deliveries lie before the end of hour h; cursor: delivered so far, hour
    ends = total * (10_000 - net.fail_bp[0]) // 10_000 * net.tour_bp // 10_000
    cursor = np.zeros(2, np.int64)
    taken = np.int64(0)
    for p in range(net.n_prod):
        row = st.layout[SPAN_BASE + Q_DELIVERY] + f * net.n_prod + p
        for day in range(span[row, 0], span[row, 1] + 1):
            queue = st.layout[Q_DELIVERY] + (np.int64(f) * net.n_prod + p) * DAYS + day
            if heads[queue, 0] >= 0 and taken < total:
                taken += send_out(net, st, words, rows, trace, f, s, queue, total - taken, ends, cursor)
            if heads[queue, 0] < 0 and span[row, 0] == day:
                span[row, 0] = day + 1
        if span[row, 0] > span[row, 1]:
            span[row, 0], span[row, 1] = DAYS, -1
    fac[f, DELIVERY_ITEMS] -= taken
    return words, rows, trace


@lean
def send_out(net, st, words, rows, trace, f, s, queue, limit, ends, cursor):
    """Up to ``limit`` items of one queue go out for delivery; returns how many."""
    pool, heads, fac, counter, totals_h = st.pool, st.heads, st.fac, st.counter, st.totals_h
    delivered_h = st.delivered_h[f]
    trace_gid, pair_o, release_min, item_acc = net.trace_gid, net.pair_o, net.release_min, net.item_acc
    measured, one_attempt = net.measured, np.int64(1) << ATTEMPT_SHIFT
    n_pair, item_mode, lost_pm, block = np.int64(net.n_pair), net.item_mode, net.lost_pm, net.fail_block[f]
    n_class, minute, tour_end = net.n_prod * n_pair, s * net.slot_min, s + len(net.tour_bp) * 60 // net.slot_min
    taken = np.int64(0)
    while heads[queue, 0] >= 0 and taken < limit:
        at = front(heads, queue)
        gid, n, meta, left, reached = words[at], np.int64(words[at + 1]), words[at + 2], words[at + 3], words[at + 4]
        if n > limit - taken:
            n = limit - taken
            words[at + 1] -= n
        else:
            drop(words, pool, heads, queue)
            fac[f, DELIVERY_ENTRIES] -= 1
            counter[MOVES] += 1
        taken += n
        if meta & TRACED:
            tell(trace, counter, gid, OUT, minute, f, -1)
        group = group_of(trace_gid, gid, meta)
        accepted = accepted_of(item_mode, group, n_class, release_min, item_acc)
        origin, keep = pair_o[group % n_pair], measured[accepted // 1440]
        made = (meta >> ATTEMPT_SHIFT) & 3
        n_lost = running(fac, f, LOST_COUNT, n, lost_pm, 1_000_000, 1)
        if n_lost > 0:
            totals_h[3, minute // 60] += n_lost
            if meta & TRACED:
                tell(trace, counter, gid, LOST, minute, f, -1)
            if keep:
                finish(rows, counter, origin, f, n_lost, meta, accepted, left, reached, minute, minute, 2)
            n -= n_lost
        again = 1 if made > 0 else 0
        n_failed = running(fac, f, FIRST_COUNT + again, n, net.fail_bp[again], 10_000, block)
        n -= n_failed
        while n > 0:
            while cursor[1] < len(ends) - 1 and cursor[0] >= ends[cursor[1]]:
                cursor[1] += 1
            part = n if cursor[1] == len(ends) - 1 else min(n, ends[cursor[1]] - cursor[0])
            cursor[0] += part
            n -= part
            ended = minute + 60 * cursor[1] + 30
            delivered_h[ended // 60] += part
            totals_h[1, ended // 60] += part
            counter[IN_TOUR] += part
            if meta & TRACED:
                tell(trace, counter, gid, DELIVERED, ended, f, -1)
            if keep:
                finish(rows, counter, origin, f, part, meta + one_attempt, accepted, left, reached, minute, ended, 0)
        if n_failed > 0:
            fail(net, st, words, trace, f, s, tour_end, gid, n_failed, meta, left, reached, origin)
    return taken


@lean
def running(fac, f, column, n, share, whole, block):
    """How many of the facility's next ``n`` items of a kind are hit: ``share`` in ``whole``, first ones of each block.

    Blocks keep most groups whole; with a block of one item the hits are spread evenly.
    """
    before = fac[f, column]
    fac[f, column] = before + n
    return hits(before + n, share, whole, block) - hits(before, share, whole, block)


@lean
def hits(n, share, whole, block):
    """How many of the first ``n`` items are hit."""
    start = n // block * block
    before = start * share // whole
    return before + min(n - start, (start + block) * share // whole - before)


@lean
def fail(net, st, words, trace, f, s, tour_end, gid, n, meta, left, reached, origin):
    """Not delivered: tried again with the first wave after midnight, or, after the last attempt, sent back."""
    ring, counter = st.ring, st.counter
    made = ((meta >> ATTEMPT_SHIFT) & 3) + 1
    changed = np.int64(meta) + (1 << ATTEMPT_SHIFT)
    if meta & TRACED:
        tell(trace, counter, gid, FAILED, tour_end * net.slot_min, f, -1)
    if made < net.max_attempts:
        place = max(tour_end, (s // net.per_day + 1) * net.per_day) % len(ring)
        push(words, st.pool, st.heads, st.layout[Q_DELAY] + place * ring.shape[1] + f, gid, n, changed, left, reached)
        ring[place, f, DELAY_ITEMS] += n
        ring[place, f, DELAY_ENTRIES] += 1
        counter[IN_DELAY] += n
        return
    if meta & TRACED:
        tell(trace, counter, gid, RETURN_STARTED, tour_end * net.slot_min, f, -1)
    changed = (changed & ~np.int64(DESTINATION | GROUNDED)) | np.int64(origin) | RETURNING
    place = (tour_end + 1) % len(ring)
    push(words, st.pool, st.heads, st.layout[Q_RING] + place * ring.shape[1] + f, gid, n, changed, left, reached)
    ring[place, f, RING_ITEMS] += n
    ring[place, f, RING_ENTRIES] += 1
    counter[IN_RING] += n
