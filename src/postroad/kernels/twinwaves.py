"""The twin's delivery waves: out for delivery, delivered at the first success, tried again, or sent back."""

from __future__ import annotations

import numpy as np

from postroad.kernels import njit
from postroad.kernels.queues import drop, front, push, reserve
from postroad.kernels.twinsort import class_queue
from postroad.kernels.twinstate import (
    ATTEMPT_SHIFT, DAYS, DELIVERED, FAILED, IN_DELAY, IN_RING, IN_TOUR, LOST, MOVES, N_JOURNEY, OUT, Q_DELAY, Q_DELIVERY,
    Q_RING, RETURN_STARTED, RETURNING, TRACED, finish, origin_of, roomier, tell, wider,
)  # fmt: skip

__all__ = ["ready_for_wave", "wave"]


@njit
def ready_for_wave(net, st, words, f, s):
    """What becomes ready for a wave in this slot joins the delivery queue; returns the pool's words."""
    place = s % st.ring
    if st.delay_entries[place, f] == 0:
        return words
    words = reserve(words, st.pool, st.delay_entries[place, f] + 64)
    queue = st.base[Q_DELAY] + place * np.int64(len(net.parent)) + f
    while st.heads[queue, 0] >= 0:
        at = front(st.heads, queue)
        gid, n, meta, left, reached = words[at], words[at + 1], words[at + 2], words[at + 3], words[at + 4]
        drop(words, st.pool, st.heads, queue)
        target = class_queue(st.span, st.span_base, st.base, net.n_prod, Q_DELIVERY, f, meta)
        push(words, st.pool, st.heads, target, gid, n, meta, left, reached)
        st.entries[Q_DELIVERY, f] += 1
    st.counter[MOVES] += st.delay_entries[place, f]
    st.delivery_items[f] += st.delay_items[place, f]
    st.counter[IN_DELAY] -= st.delay_items[place, f]
    st.delay_items[place, f] = 0
    st.delay_entries[place, f] = 0
    return words


@njit
def wave(net, st, words, rows, trace, f, s):
    """Send out one delivery wave; returns the pool's words, the journeys and the trace, grown where needed.

    Of the wave's items, by position: a fixed share is found missing and declared lost; of the rest a fixed share is not
    delivered at this attempt; the delivered ones follow each other through the hours of the tour.
    """
    total = min(np.int64(net.wave_cap[f, s]), st.delivery_items[f])
    n_entry = st.entries[Q_DELIVERY, f]
    words = reserve(words, st.pool, 2 * n_entry + 64)
    rows = wider(rows, st.counter[N_JOURNEY], 3 * n_entry + 64)
    trace = roomier(trace, st, 4 * n_entry + 8)
    expected = total * (10_000 - net.fail_bp[0]) // 10_000
    position = np.zeros(1, np.int64)
    taken = np.int64(0)
    for p in range(net.n_prod):
        row = st.span_base[Q_DELIVERY] + f * net.n_prod + p
        for day in range(st.span[row, 0], st.span[row, 1] + 1):
            queue = st.base[Q_DELIVERY] + (np.int64(f) * net.n_prod + p) * DAYS + day
            while st.heads[queue, 0] >= 0 and taken < total:
                at = front(st.heads, queue)
                gid, n, meta, left, reached = words[at], np.int64(words[at + 1]), words[at + 2], words[at + 3], words[at + 4]
                if n > total - taken:
                    n = total - taken
                    words[at + 1] -= n
                else:
                    drop(words, st.pool, st.heads, queue)
                    st.entries[Q_DELIVERY, f] -= 1
                    st.counter[MOVES] += 1
                taken += n
                attempt(net, st, words, rows, trace, f, s, gid, n, meta, left, reached, expected, position)
        if taken == st.delivery_items[f]:
            st.span[row, 0], st.span[row, 1] = DAYS, -1
    st.delivery_items[f] -= taken
    return words, rows, trace


@njit
def attempt(net, st, words, rows, trace, f, s, gid, n, meta, left, reached, expected, position):
    """One entry goes out: lost, failed and delivered parts by the facility's running counts."""
    minute = s * net.slot_min
    made = (meta >> ATTEMPT_SHIFT) & 3
    if meta & TRACED:
        tell(trace, st, gid, OUT, minute, f, -1)
    before = st.lost_count[f]
    st.lost_count[f] = before + n
    n_lost = (before + n) * net.lost_pm // 1_000_000 - before * net.lost_pm // 1_000_000
    if n_lost > 0:
        st.totals_h[3, minute // 60] += n_lost
        if meta & TRACED:
            tell(trace, st, gid, LOST, minute, f, -1)
        finish(net, st, rows, gid, n_lost, meta, left, reached, minute, minute, 2)
        n -= n_lost
    again = 1 if made > 0 else 0
    before = st.fail_count[f, again]
    st.fail_count[f, again] = before + n
    n_failed = (before + n) * net.fail_bp[again] // 10_000 - before * net.fail_bp[again] // 10_000
    n -= n_failed
    hour = 0
    while n > 0:
        while hour < len(net.tour_bp) - 1 and position[0] >= expected * net.tour_bp[hour] // 10_000:
            hour += 1
        part = n
        if hour < len(net.tour_bp) - 1:
            part = min(n, expected * net.tour_bp[hour] // 10_000 - position[0])
        position[0] += part
        n -= part
        ended = minute + 60 * hour + 30
        st.delivered_h[f, ended // 60] += part
        st.totals_h[1, ended // 60] += part
        st.counter[IN_TOUR] += part
        if meta & TRACED:
            tell(trace, st, gid, DELIVERED, ended, f, -1)
        finish(net, st, rows, gid, part, meta + (1 << ATTEMPT_SHIFT), left, reached, minute, ended, 0)
    if n_failed > 0:
        fail(net, st, words, trace, f, s, gid, n_failed, meta, left, reached)


@njit
def fail(net, st, words, trace, f, s, gid, n, meta, left, reached):
    """Not delivered: tried again with the first wave after midnight, or, after the last attempt, sent back."""
    made = ((meta >> ATTEMPT_SHIFT) & 3) + 1
    tour_end = s + len(net.tour_bp) * 60 // net.slot_min
    changed = np.int64(meta) + (1 << ATTEMPT_SHIFT)
    if meta & TRACED:
        tell(trace, st, gid, FAILED, tour_end * net.slot_min, f, -1)
    if made < net.max_attempts:
        place = max(tour_end, (s // net.per_day + 1) * net.per_day) % st.ring
        push(words, st.pool, st.heads, st.base[Q_DELAY] + place * np.int64(len(net.parent)) + f, gid, n, changed, left, reached)
        st.delay_items[place, f] += n
        st.delay_entries[place, f] += 1
        st.counter[IN_DELAY] += n
        return
    if meta & TRACED:
        tell(trace, st, gid, RETURN_STARTED, tour_end * net.slot_min, f, -1)
    changed = (changed & ~np.int64(0xFFFF)) | np.int64(origin_of(net, gid, meta)) | RETURNING
    place = (tour_end + 1) % st.ring
    push(words, st.pool, st.heads, st.base[Q_RING] + place * np.int64(len(net.parent)) + f, gid, n, changed, left, reached)
    st.ring_items[place, f] += n
    st.ring_entries[place, f] += 1
    st.counter[IN_RING] += n
