"""The twin's work at a facility in a slot: arrivals, screening, sorting, and the choice of the next lane."""

from __future__ import annotations

import numpy as np

from postroad.kernels import njit
from postroad.kernels.queues import drop, front, push, reserve
from postroad.kernels.twinstate import (
    DAY_SHIFT, DAYS, DIVERTED, GAP, IN_DELAY, IN_FRESH, IN_RING, MOVES, N_JOURNEY, PRODUCT_SHIFT, Q_DELAY, Q_DELIVERY, Q_FRESH,
    Q_LANE, Q_RING, Q_SCREEN, Q_SORT, RETURNED, RETURNING, SCREENED, SORTED, TRACED, UNROUTED, UNROUTED_FROM, UNROUTED_TO,
    finish, roomier, tell, wider,
)  # fmt: skip

__all__ = ["class_queue", "work"]


@njit
def class_queue(span, span_base, base, n_prod, family, member, meta):
    """The queue for an entry's product and promise day at a member of a family; widens the span of queued days."""
    product = (meta >> PRODUCT_SHIFT) & 15
    day = (meta >> DAY_SHIFT) & 63
    row = np.int64(member) * n_prod + product
    at = span_base[family] + row
    if span[at, 0] > day:
        span[at, 0] = day
    if span[at, 1] < day:
        span[at, 1] = day
    return base[family] + row * DAYS + day


@njit
def work(net, st, words, rows, trace, f, s):
    """One slot's work at one facility; returns the pool's words, the journeys and the trace, grown where needed."""
    hour = s * net.slot_min // 60
    ring = s % st.ring
    arrived, fresh = st.ring_items[ring, f], st.fresh_items[f]
    waiting = st.sort_items[f] + st.screen_items[f]
    n_entry = st.ring_entries[ring, f] + st.fresh_entries[f] + st.entries[0, f] + st.entries[1, f]
    words = reserve(words, st.pool, 3 * n_entry + 64)
    rows = wider(rows, st.counter[N_JOURNEY], n_entry)
    trace = roomier(trace, st, 4 * n_entry + 8)
    sort_cap, screen_cap = np.int64(net.sort_cap[f, s]), np.int64(net.screen_cap[f, s])
    arrivals = st.base[Q_RING] + ring * np.int64(len(net.parent)) + f
    accepted = st.base[Q_FRESH] + f
    if waiting == 0 and fresh <= screen_cap and arrived + fresh <= sort_cap:
        done = dispatch(net, st, words, rows, trace, f, s, arrivals, arrived)
        done += dispatch(net, st, words, rows, trace, f, s, accepted, fresh)
        screened = fresh
    else:
        spread(net, st, words, trace, f, s, arrivals, Q_SORT)
        spread(net, st, words, trace, f, s, accepted, Q_SCREEN)
        st.sort_items[f] += arrived
        st.screen_items[f] += fresh
        screened = screen(net, st, words, trace, f, s, screen_cap)
        done = sort(net, st, words, rows, trace, f, s, sort_cap)
    st.ring_items[ring, f] = 0
    st.ring_entries[ring, f] = 0
    st.fresh_items[f] = 0
    st.fresh_entries[f] = 0
    st.counter[IN_RING] -= arrived
    st.counter[IN_FRESH] -= fresh
    st.sorted_h[f, hour] += done
    st.screened_h[f, hour] += screened
    return words, rows, trace


@njit
def spread(net, st, words, trace, f, s, queue, family):
    """Empty one plain queue into the classed queues of a family at the facility."""
    while st.heads[queue, 0] >= 0:
        at = front(st.heads, queue)
        gid, n, meta, left, reached = words[at], words[at + 1], words[at + 2], words[at + 3], words[at + 4]
        drop(words, st.pool, st.heads, queue)
        target = class_queue(st.span, st.span_base, st.base, net.n_prod, family, f, meta)
        push(words, st.pool, st.heads, target, gid, n, meta, left, reached)
        st.entries[family, f] += 1
        st.counter[MOVES] += 1


@njit
def screen(net, st, words, trace, f, s, cap):
    """Screen up to ``cap`` accepted items in order of class and put them into the sort queues; returns how many."""
    room = min(cap, st.screen_items[f])
    done = np.int64(0)
    for p in range(net.n_prod):
        row = st.span_base[Q_SCREEN] + f * net.n_prod + p
        for day in range(st.span[row, 0], st.span[row, 1] + 1):
            queue = st.base[Q_SCREEN] + (np.int64(f) * net.n_prod + p) * DAYS + day
            while st.heads[queue, 0] >= 0 and done < room:
                at = front(st.heads, queue)
                gid, n, meta, left, reached = words[at], np.int64(words[at + 1]), words[at + 2], words[at + 3], words[at + 4]
                if n > room - done:
                    n = room - done
                    words[at + 1] -= n
                else:
                    drop(words, st.pool, st.heads, queue)
                    st.entries[Q_SCREEN, f] -= 1
                done += n
                if meta & TRACED:
                    tell(trace, st, gid, SCREENED, s * net.slot_min, f, -1)
                target = class_queue(st.span, st.span_base, st.base, net.n_prod, Q_SORT, f, meta)
                push(words, st.pool, st.heads, target, gid, n, meta, left, reached)
                st.entries[Q_SORT, f] += 1
        if st.screen_items[f] == done:
            st.span[row, 0], st.span[row, 1] = DAYS, -1
    st.screen_items[f] -= done
    st.sort_items[f] += done
    return done


@njit
def sort(net, st, words, rows, trace, f, s, cap):
    """Sort up to ``cap`` items in order of product priority, promise day, first in first out; returns how many."""
    room = min(cap, st.sort_items[f])
    done = np.int64(0)
    for p in range(net.n_prod):
        row = st.span_base[Q_SORT] + f * net.n_prod + p
        for day in range(st.span[row, 0], st.span[row, 1] + 1):
            if done >= room:
                break
            queue = st.base[Q_SORT] + (np.int64(f) * net.n_prod + p) * DAYS + day
            before = st.counter[MOVES]
            done += dispatch(net, st, words, rows, trace, f, s, queue, room - done)
            st.entries[Q_SORT, f] -= st.counter[MOVES] - before
            if st.heads[queue, 0] < 0 and st.span[row, 0] == day:
                st.span[row, 0] = day + 1
        if st.span[row, 0] > st.span[row, 1]:
            st.span[row, 0], st.span[row, 1] = DAYS, -1
    st.sort_items[f] -= done
    return done


@njit
def dispatch(net, st, words, rows, trace, f, s, queue, limit):
    """Sort up to ``limit`` items of one queue and send each on its way; returns the items sorted."""
    heads, pool, minute = st.heads, st.pool, s * net.slot_min
    done = np.int64(0)
    while heads[queue, 0] >= 0 and done < limit:
        at = front(heads, queue)
        gid, n, meta, left, reached = words[at], np.int64(words[at + 1]), words[at + 2], words[at + 3], words[at + 4]
        if n > limit - done:
            n = limit - done
            words[at + 1] -= n
        else:
            drop(words, pool, heads, queue)
            st.counter[MOVES] += 1
        done += n
        d = meta & 0xFFFF
        if meta & TRACED:
            tell(trace, st, gid, SORTED, minute, f, -1)
        anchor = net.parent[d] if net.parent[d] >= 0 else d
        if (f == d or f == anchor) and left == GAP:
            left, reached = np.int32(minute), np.int32(minute)
        if f == d:
            settle(net, st, words, rows, trace, f, s, gid, n, meta, left, reached)
        elif f == anchor:
            join_lane(net, st, words, f, net.feeder[d], gid, n, meta, left, reached)
        elif net.parent[f] >= 0:
            join_lane(net, st, words, f, net.collect[f], gid, n, meta, left, reached)
        else:
            route(net, st, words, f, s, d, gid, n, meta, left, reached)
    return done


@njit
def join_lane(net, st, words, f, lane, gid, n, meta, left, reached):
    """Put an entry into a lane's queue."""
    if lane < 0:
        st.counter[UNROUTED] += n
        st.counter[UNROUTED_FROM], st.counter[UNROUTED_TO] = f, meta & 0xFFFF
        return
    queue = class_queue(st.span, st.span_base, st.base, net.n_prod, Q_LANE, lane, meta)
    push(words, st.pool, st.heads, queue, gid, n, meta, left, reached)
    st.lane_items[lane] += n
    st.out_items[f] += n


@njit
def route(net, st, words, f, s, d, gid, n, meta, left, reached):
    """Ask the routing table for the lane. What would overfill it takes the other lane while that has room.

    An item diverts once in its life, so two overfull lanes cannot toss it to and fro.
    """
    day, moment = s // net.per_day, s % net.per_day
    table, block, td = net.table_of_product[(meta >> PRODUCT_SHIFT) & 15], net.block_of_day[day], net.td[d]
    out = net.next_out[table, block, f, moment, td]
    lane = net.out_ptr[f] + out if out >= 0 else np.int32(-1)
    other = np.int16(-1)
    kind = net.daytype[day]
    if lane >= 0 and meta & DIVERTED == 0 and st.lane_items[lane] + n > net.overfull[kind, lane]:
        other = net.alt_out[table, block, f, moment, td]
    if other < 0:
        join_lane(net, st, words, f, lane, gid, n, meta, left, reached)
        return
    alt = net.out_ptr[f] + other
    first = min(max(net.overfull[kind, lane] - st.lane_items[lane], 0), n)
    second = min(max(net.overfull[kind, alt] - st.lane_items[alt], 0), n - first)
    if first > 0:
        join_lane(net, st, words, f, lane, gid, first, meta, left, reached)
    if second > 0:
        join_lane(net, st, words, f, alt, gid, second, meta | DIVERTED, left, reached)
    if n > first + second:
        join_lane(net, st, words, f, lane, gid, n - first - second, meta, left, reached)


@njit
def settle(net, st, words, rows, trace, f, s, gid, n, meta, left, reached):
    """An entry is sorted at the facility it was bound for: it waits for a delivery wave, or is back with its sender."""
    if meta & RETURNING:
        minute = s * net.slot_min
        st.totals_h[2, minute // 60] += n
        if meta & TRACED:
            tell(trace, st, gid, RETURNED, minute, f, -1)
        finish(net, st, rows, gid, n, meta, left, reached, minute, minute, 1)
        return
    delay = net.wave_delay[f, s % net.per_day]
    if delay == 0:
        queue = class_queue(st.span, st.span_base, st.base, net.n_prod, Q_DELIVERY, f, meta)
        push(words, st.pool, st.heads, queue, gid, n, meta, left, reached)
        st.delivery_items[f] += n
        st.entries[Q_DELIVERY, f] += 1
        return
    place = (s + delay) % st.ring
    push(words, st.pool, st.heads, st.base[Q_DELAY] + place * np.int64(len(net.parent)) + f, gid, n, meta, left, reached)
    st.delay_items[place, f] += n
    st.delay_entries[place, f] += 1
    st.counter[IN_DELAY] += n
