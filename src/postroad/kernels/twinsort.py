"""The twin's work at a facility in a slot: arrivals, screening and sorting.

Functions that are called once an entry take single arrays, never the named tuples: passing a tuple of sixty arrays
costs more than the move itself.
"""

from __future__ import annotations

import numpy as np

from postroad.kernels import lean, njit
from postroad.kernels.queues import PER_CHUNK, drop, front, push, reserve
from postroad.kernels.twinlanes import choose_lanes, pushes_to_share, share, splits_at, wait_for
from postroad.kernels.twinstate import (
    DAYS,
    DELAY_ENTRIES,
    DELAY_ITEMS,
    DELIVERY_ENTRIES,
    DELIVERY_ITEMS,
    DESTINATION,
    FRESH_ENTRIES,
    FRESH_ITEMS,
    GAP,
    GROUNDED,
    IN_DELAY,
    IN_FRESH,
    IN_RING,
    MOVES,
    N_JOURNEY,
    OUT_ITEMS,
    PRODUCT_SHIFT,
    Q_DELAY,
    Q_DELIVERY,
    Q_FRESH,
    Q_RING,
    Q_SCREEN,
    Q_SORT,
    RETURNED,
    RETURNING,
    RING_ENTRIES,
    RING_ITEMS,
    SCREEN_ENTRIES,
    SCREEN_ITEMS,
    SCREENED,
    SORT_ENTRIES,
    SORT_ITEMS,
    SORTED,
    SPAN_BASE,
    TRACED,
    TRACED_ITEMS,
    UNROUTED,
    UNROUTED_FROM,
    UNROUTED_TO,
    accepted_of,
    class_queue,
    finish,
    group_of,
    roomier,
    tell,
    wider,
)  # fmt: skip

__all__ = ["work"]


@njit
def work(net, st, words, rows, trace, f, s):
    """One slot's work at one facility; returns the pool's words, the journeys and the trace, grown where needed."""
    fac, counter = st.fac, st.counter
    place = s % len(st.ring)
    arrived, fresh = st.ring[place, f, RING_ITEMS], fac[f, FRESH_ITEMS]
    n_entry = st.ring[place, f, RING_ENTRIES] + fac[f, FRESH_ENTRIES] + fac[f, SCREEN_ENTRIES] + fac[f, SORT_ENTRIES]
    sort_cap, screen_cap = np.int64(net.sort_cap[f, s]), np.int64(net.screen_cap[f, s])
    n_push = 6 * n_entry
    if len(net.split_lanes) > 0:
        n_push += pushes_to_share(n_entry, min(sort_cap, arrived + fresh + fac[f, SCREEN_ITEMS] + fac[f, SORT_ITEMS]))
    words = reserve(words, st.pool, room_to_work(n_push, net.out_ptr[f + 1] - net.out_ptr[f], net.n_prod))
    rows = wider(rows, counter[N_JOURNEY], n_entry)
    trace = roomier(trace, counter, 4 * min(n_entry, counter[TRACED_ITEMS]) + 8)
    arrivals, accepted = st.layout[Q_RING] + place * len(net.parent) + f, st.layout[Q_FRESH] + f
    if fac[f, SORT_ITEMS] + fac[f, SCREEN_ITEMS] == 0 and fresh <= screen_cap and arrived + fresh <= sort_cap:
        done = dispatch(net, st, words, rows, trace, f, s, arrivals, arrived)
        done += dispatch(net, st, words, rows, trace, f, s, accepted, fresh)
        screened = fresh
    else:
        n_moved = spread(words, st.pool, st.heads, st.span, st.layout, net.n_prod, f, arrivals, Q_SORT)
        fac[f, SORT_ENTRIES] += n_moved
        fac[f, SORT_ITEMS] += arrived
        n_moved = spread(words, st.pool, st.heads, st.span, st.layout, net.n_prod, f, accepted, Q_SCREEN)
        fac[f, SCREEN_ENTRIES] += n_moved
        fac[f, SCREEN_ITEMS] += fresh
        screened = screen(
            words, st.pool, st.heads, st.span, st.layout, fac, counter, trace, net.n_prod, f, s * net.slot_min,
            screen_cap,
        )  # fmt: skip
        done = sort(net, st, words, rows, trace, f, s, sort_cap)
    st.ring[place, f, RING_ITEMS] = 0
    st.ring[place, f, RING_ENTRIES] = 0
    fac[f, FRESH_ITEMS] = 0
    fac[f, FRESH_ENTRIES] = 0
    counter[IN_RING] -= arrived
    counter[IN_FRESH] -= fresh
    st.sorted_h[f, s * net.slot_min // 60] += done
    st.screened_h[f, s * net.slot_min // 60] += screened
    return words, rows, trace


@lean
def room_to_work(n_push, n_lane, n_prod):
    """Chunks that a facility's work in a slot may need: an entry is pushed at most six times, to the queues of the
    facility and of its lanes, and more often where shares divide it; no queue takes more than one chunk beyond those
    that its entries fill."""
    n_queue = (n_lane + 5) * n_prod * DAYS
    return n_push // PER_CHUNK + min(n_push, n_queue) + 64


@lean
def spread(words, pool, heads, span, layout, n_prod, member, queue, family):
    """Empty one plain queue into the classed queues of a member of a family; returns the entries moved."""
    n_moved = 0
    while heads[queue, 0] >= 0:
        at = front(heads, queue)
        gid, n, meta, left, reached = words[at], words[at + 1], words[at + 2], words[at + 3], words[at + 4]
        drop(words, pool, heads, queue)
        push(words, pool, heads, class_queue(span, layout, n_prod, family, member, meta), gid, n, meta, left, reached)
        n_moved += 1
    return n_moved


@lean
def take(words, pool, heads, queue, most):
    """Take up to ``most`` items of a queue's first entry: (gid, n, meta, left, reached, entries gone)."""
    at = front(heads, queue)
    gid, n, meta, left, reached = words[at], np.int64(words[at + 1]), words[at + 2], words[at + 3], words[at + 4]
    if n > most:
        words[at + 1] -= most
        return gid, most, meta, left, reached, 0
    drop(words, pool, heads, queue)
    return gid, n, meta, left, reached, 1


@lean
def screen(words, pool, heads, span, layout, fac, counter, trace, n_prod, f, minute, cap):
    """Screen up to ``cap`` accepted items in order of class and put them into the sort queues; returns how many."""
    room = min(cap, fac[f, SCREEN_ITEMS])
    done = np.int64(0)
    for p in range(n_prod):
        row = layout[SPAN_BASE + Q_SCREEN] + f * n_prod + p
        for day in range(span[row, 0], span[row, 1] + 1):
            queue = layout[Q_SCREEN] + (np.int64(f) * n_prod + p) * DAYS + day
            while heads[queue, 0] >= 0 and done < room:
                gid, n, meta, left, reached, n_gone = take(words, pool, heads, queue, room - done)
                fac[f, SCREEN_ENTRIES] -= n_gone
                done += n
                if meta & TRACED:
                    tell(trace, counter, gid, SCREENED, minute, f, -1)
                target = class_queue(span, layout, n_prod, Q_SORT, f, meta)
                push(words, pool, heads, target, gid, n, meta, left, reached)
                fac[f, SORT_ENTRIES] += 1
            if heads[queue, 0] < 0 and span[row, 0] == day:
                span[row, 0] = day + 1
        if span[row, 0] > span[row, 1]:
            span[row, 0], span[row, 1] = DAYS, -1
    fac[f, SCREEN_ITEMS] -= done
    fac[f, SORT_ITEMS] += done
    return done


@lean
def sort(net, st, words, rows, trace, f, s, cap):
    """Sort up to ``cap`` items in order of product priority, promise day, first in first out; returns how many."""
    span, fac, counter = st.span, st.fac, st.counter
    room = min(cap, fac[f, SORT_ITEMS])
    done = np.int64(0)
    for p in range(net.n_prod):
        row = st.layout[SPAN_BASE + Q_SORT] + f * net.n_prod + p
        for day in range(span[row, 0], span[row, 1] + 1):
            if done >= room:
                break
            queue = st.layout[Q_SORT] + (np.int64(f) * net.n_prod + p) * DAYS + day
            before = counter[MOVES]
            done += dispatch(net, st, words, rows, trace, f, s, queue, room - done)
            fac[f, SORT_ENTRIES] -= counter[MOVES] - before
            if st.heads[queue, 0] < 0 and span[row, 0] == day:
                span[row, 0] = day + 1
        if span[row, 0] > span[row, 1]:
            span[row, 0], span[row, 1] = DAYS, -1
    fac[f, SORT_ITEMS] -= done
    return done


@lean
def dispatch(net, st, words, rows, trace, f, s, queue, limit):
    """Sort up to ``limit`` items of one queue and send each on its way; returns the items sorted.

    What comes straight from the queue of accepted items is screened in the same slot.
    """
    pool, heads, span, layout, counter = st.pool, st.heads, st.span, st.layout, st.counter
    fac, lane_items, is_fresh = st.fac, st.lane_items, queue == st.layout[Q_FRESH] + f
    parent, td, feeder, n_prod = net.parent, net.td, net.feeder, net.n_prod
    minute, moment, day = s * net.slot_min, s % net.per_day, s // net.per_day
    first, up = net.out_ptr[f], net.collect[f]
    tables, by_road, block = net.table_of_product, net.by_road, net.block_of_day[day]
    overfull, brim = net.overfull[0, net.daytype[day]], net.overfull[1, net.daytype[day]]
    core = f if parent[f] < 0 else 0
    next_out, alt_out = net.next_out[:, block, core, moment], net.alt_out[:, block, core, moment]
    number, base = splits_at(net.split_number, net.split_base, block, core, moment)
    split_lanes, split_ends, turn, has_splits = net.split_lanes, net.split_ends, st.split_turn, len(base) > 0
    done, moved = np.int64(0), np.int64(0)
    while heads[queue, 0] >= 0 and done < limit:
        gid, n, meta, left, reached, n_gone = take(words, pool, heads, queue, limit - done)
        moved += n_gone
        done += n
        d = meta & DESTINATION
        if meta & TRACED:
            tell_sorted(trace, counter, gid, minute, f, is_fresh)
        anchor = parent[d] if parent[d] >= 0 else d
        if f in (d, anchor) and left == GAP:
            left, reached = np.int32(minute), np.int32(minute)
        if f == d:
            if meta & RETURNING:
                come_back(net, st, rows, trace, f, gid, n, meta, left, reached, minute)
            else:
                settle(
                    words, pool, heads, span, layout, fac, st.ring, counter, n_prod, net.wave_delay[f, moment], f, s,
                    gid, n, meta, left, reached,
                )  # fmt: skip
            continue
        lane, alt, road = np.int64(feeder[d] if f == anchor else up), np.int64(-1), np.int64(-1)
        if f != anchor and parent[f] < 0:
            product = (meta >> PRODUCT_SHIFT) & 15
            table, last, goal = tables[product], by_road[product], td[d]
            if has_splits and meta & GROUNDED == 0 and number[table, goal] >= 0:
                fac[f, OUT_ITEMS] += n
                share(
                    words, pool, heads, span, layout, lane_items, overfull, brim, n_prod, next_out, alt_out, table,
                    last, goal, first, split_lanes, split_ends, turn, np.int64(base[table]) + number[table, goal], gid,
                    n, meta, left, reached,
                )  # fmt: skip
                continue
            lane, alt, road = choose_lanes(next_out, alt_out, table, last, goal, first, lane_items, overfull, n, meta)
        if lane < 0:
            counter[UNROUTED] += n
            counter[UNROUTED_FROM], counter[UNROUTED_TO] = f, d
            continue
        fac[f, OUT_ITEMS] += n
        wait_for(
            words, pool, heads, span, layout, lane_items, overfull, brim, n_prod, lane, alt, road, gid, n, meta, left,
            reached,
        )  # fmt: skip
    counter[MOVES] += moved
    return done


@lean
def tell_sorted(trace, counter, gid, minute, f, is_fresh):
    """Tell that a traced item is sorted, and, when it was accepted only now, screened."""
    if is_fresh:
        tell(trace, counter, gid, SCREENED, minute, f, -1)
    tell(trace, counter, gid, SORTED, minute, f, -1)


@lean
def settle(words, pool, heads, span, layout, fac, ring, counter, n_prod, delay, f, s, gid, n, meta, left, reached):
    """An entry is sorted at the facility it was bound for: after ``delay`` slots it is ready for a delivery wave."""
    if delay == 0:
        push(words, pool, heads, class_queue(span, layout, n_prod, Q_DELIVERY, f, meta), gid, n, meta, left, reached)
        fac[f, DELIVERY_ITEMS] += n
        fac[f, DELIVERY_ENTRIES] += 1
        return
    place = (s + delay) % len(ring)
    push(words, pool, heads, layout[Q_DELAY] + place * ring.shape[1] + f, gid, n, meta, left, reached)
    ring[place, f, DELAY_ITEMS] += n
    ring[place, f, DELAY_ENTRIES] += 1
    counter[IN_DELAY] += n


@lean
def come_back(net, st, rows, trace, f, gid, n, meta, left, reached, minute):
    """Items that could not be delivered are back where they were accepted."""
    st.totals_h[2, minute // 60] += n
    if meta & TRACED:
        tell(trace, st.counter, gid, RETURNED, minute, f, -1)
    group = group_of(net.trace_gid, gid, meta)
    accepted = accepted_of(net.item_mode, group, np.int64(net.n_prod) * net.n_pair, net.release_min, net.item_acc)
    if net.measured[accepted // 1440]:
        destination = net.pair_d[group % net.n_pair]
        finish(rows, st.counter, f, destination, n, meta, accepted, left, reached, minute, minute, 1)
