"""The twin's departures: vehicles load from lane queues within items, weight and volume; the rest waits."""

from __future__ import annotations

import numpy as np

from postroad.kernels import lean, njit
from postroad.kernels.queues import PER_CHUNK, drop, front, push, reserve
from postroad.kernels.twinstate import (
    ARRIVED,
    DAYS,
    DEPARTED,
    DESTINATION,
    GAP,
    IN_RING,
    MOVES,
    OUT_ITEMS,
    Q_LANE,
    Q_RING,
    RETURNING,
    RING_ENTRIES,
    RING_ITEMS,
    SPAN_BASE,
    TRACED,
    TRACED_ITEMS,
    group_of,
    roomier,
    tell,
)  # fmt: skip

__all__ = ["depart"]


@njit
def depart(net, st, words, trace, s):
    """Let the departures of the slot load and leave, in order of minute; returns the pool's words and the trace."""
    pool, counter, lane_items, used, load_of = st.pool, st.counter, st.lane_items, st.used, st.load
    first_leg, last_leg, cn_lane = net.cn_leg_first, net.cn_leg_last, net.cn_lane
    cap_items, cap_g, cap_cm3 = net.leg_cap_items, net.leg_cap_g, net.leg_cap_cm3
    room, taken = np.zeros(3, np.int64), np.zeros((net.n_prod, 3), np.int64)
    for dp in range(net.dp_ptr[s], net.dp_ptr[s + 1]):
        cn = net.dp_cn[dp]
        lane = cn_lane[cn]
        if lane_items[lane] == 0:
            continue
        day, capf = net.dp_day[dp], np.int64(net.dp_capf[dp])
        room[:] = 2**60
        for leg in range(first_leg[cn], last_leg[cn] + 1):
            on_board = used[day & 7, leg]
            room[0] = min(room[0], cap_items[leg] * capf // 1000 - on_board[0])
            room[1] = min(room[1], cap_g[leg] * capf // 1000 - on_board[1])
            room[2] = min(room[2], cap_cm3[leg] * capf // 1000 - on_board[2])
        most = min(room[0], lane_items[lane])
        if most <= 0:
            continue
        words = reserve(words, pool, most // PER_CHUNK + 64)
        trace = roomier(trace, counter, 2 * min(most, counter[TRACED_ITEMS]) + 8)
        taken[:] = 0
        load(net, st, words, trace, dp, lane, room, taken)
        for leg in range(first_leg[cn], last_leg[cn] + 1):
            for p in range(net.n_prod):
                load_of[day, leg, p] += taken[p, 0]
                for k in range(3):
                    used[day & 7, leg, k] += taken[p, k]
    return words, trace


@lean
def load(net, st, words, trace, dp, lane, room, taken):
    """Load one departure in order of product priority, promise day, first in first out, until something does not fit.

    ``room`` is what the vehicle can still take and ``taken`` what it took of each product: items, g, cm3.
    """
    pool, heads, span, layout, counter = st.pool, st.heads, st.span, st.layout, st.counter
    start, end = net.lane_from[lane], net.lane_to[lane]
    place = np.int64(net.dp_ready[dp]) % len(st.ring)
    target = layout[Q_RING] + place * len(net.parent) + end
    loaded, n_entry = np.int64(0), np.int64(0)
    for p in range(net.n_prod):
        row = layout[SPAN_BASE + Q_LANE] + np.int64(lane) * net.n_prod + p
        full = False
        for promise in range(span[row, 0], span[row, 1] + 1):
            queue = layout[Q_LANE] + (np.int64(lane) * net.n_prod + p) * DAYS + promise
            if heads[queue, 0] >= 0:
                n_loaded, full = load_queue(
                    words, pool, heads, trace, counter, queue, target, room, taken[p], start, end, net.city,
                    net.dp_dep[dp], net.dp_arr[dp], dp, net.trace_gid, net.item_g, net.item_cm3, net.item_mode,
                    np.int64(net.prod_g[p]), np.int64(net.prod_cm3[p]),
                )  # fmt: skip
                n_entry += n_loaded
            if heads[queue, 0] < 0 and span[row, 0] == promise:
                span[row, 0] = promise + 1
            if full:
                break
        if span[row, 0] > span[row, 1]:
            span[row, 0], span[row, 1] = DAYS, -1
        loaded += taken[p, 0]
        if full:
            break
    st.lane_items[lane] -= loaded
    st.fac[start, OUT_ITEMS] -= loaded
    st.ring[place, end, RING_ITEMS] += loaded
    st.ring[place, end, RING_ENTRIES] += n_entry
    counter[IN_RING] += loaded


@lean
def load_queue(
    words, pool, heads, trace, counter, queue, target, room, taken, start, end, city, dep, arr, dp, trace_gid,
    item_g, item_cm3, item_mode, g, cm3,
):  # fmt: skip
    """Load from one queue until it is empty or its first item does not fit; returns (entries, whether full)."""
    n_entry = 0
    leaves_city = city[start] != city[end]
    items, grams, volume = room[0], room[1], room[2]
    full = False
    while heads[queue, 0] >= 0 and not full:
        at = front(heads, queue)
        gid, n, meta, left, reached = words[at], np.int64(words[at + 1]), words[at + 2], words[at + 3], words[at + 4]
        if item_mode:
            item = group_of(trace_gid, gid, meta)
            g, cm3 = np.int64(item_g[item]), np.int64(item_cm3[item])
        fit = min(n, items)
        if g > 0 and fit * g > grams:
            fit = grams // g
        if cm3 > 0 and fit * cm3 > volume:
            fit = volume // cm3
        full = fit < n
        if fit <= 0:
            break
        if full:
            words[at + 1] -= fit
        else:
            drop(words, pool, heads, queue)
        items, grams, volume = items - fit, grams - fit * g, volume - fit * cm3
        n_entry += 1
        if leaves_city and meta & RETURNING == 0:
            if left == GAP:
                left = dep
            if city[end] == city[meta & DESTINATION]:
                reached = arr
        if meta & TRACED:
            tell(trace, counter, gid, DEPARTED, dep, start, dp)
            tell(trace, counter, gid, ARRIVED, arr, end, dp)
        push(words, pool, heads, target, gid, fit, meta, left, reached)
    taken[0] += room[0] - items
    taken[1] += room[1] - grams
    taken[2] += room[2] - volume
    room[0], room[1], room[2] = items, grams, volume
    counter[MOVES] += n_entry
    return n_entry, full
