"""The twin's departures: vehicles load from lane queues within items, weight and volume; the rest waits."""

from __future__ import annotations

import numpy as np

from postroad.kernels import njit
from postroad.kernels.queues import drop, front, push, reserve
from postroad.kernels.twinstate import (
    ARRIVED, DAYS, DEPARTED, GAP, IN_RING, MOVES, PRODUCT_SHIFT, Q_LANE, Q_RING, RETURNING, TRACED, group_of, roomier, tell,
)  # fmt: skip

__all__ = ["depart"]


@njit
def depart(net, st, words, trace, s):
    """Let the departures of the slot load and leave, in order of minute; returns the pool's words and the trace."""
    room = np.zeros(3, np.int64)
    for dp in range(net.dp_ptr[s], net.dp_ptr[s + 1]):
        cn = net.dp_cn[dp]
        lane = net.cn_lane[cn]
        if st.lane_items[lane] == 0:
            continue
        left_over(net, st, cn, dp, room)
        most = min(room[0], st.lane_items[lane])
        if most <= 0:
            continue
        words = reserve(words, st.pool, most + 64)
        trace = roomier(trace, st, 2 * most + 8)
        load(net, st, words, trace, dp, cn, lane, room)
    return words, trace


@njit
def left_over(net, st, cn, dp, room):
    """What the connection can still take: the least over the legs it rides, in items, grams and cubic centimetres."""
    day = net.dp_day[dp]
    capf = np.int64(net.dp_capf[dp])
    room[:] = 2**60
    for leg in range(net.cn_leg_first[cn], net.cn_leg_last[cn] + 1):
        used = st.used[day & 7, leg]
        room[0] = min(room[0], net.leg_cap_items[leg] * capf // 1000 - used[0])
        room[1] = min(room[1], net.leg_cap_g[leg] * capf // 1000 - used[1])
        room[2] = min(room[2], net.leg_cap_cm3[leg] * capf // 1000 - used[2])


@njit
def load(net, st, words, trace, dp, cn, lane, room):
    """Load one departure in order of product priority, promise day, first in first out, until something does not fit."""
    heads, pool = st.heads, st.pool
    start, end, day = net.lane_from[lane], net.lane_to[lane], net.dp_day[dp]
    leaves_city = net.city[start] != net.city[end]
    place = np.int64(net.dp_ready[dp]) % st.ring
    target = st.base[Q_RING] + place * np.int64(len(net.parent)) + end
    loaded, n_entry = np.int64(0), np.int64(0)
    full = False
    for p in range(net.n_prod):
        row = st.span_base[Q_LANE] + np.int64(lane) * net.n_prod + p
        taken = np.zeros(3, np.int64)
        for promise in range(st.span[row, 0], st.span[row, 1] + 1):
            queue = st.base[Q_LANE] + (np.int64(lane) * net.n_prod + p) * DAYS + promise
            while heads[queue, 0] >= 0 and not full:
                at = front(heads, queue)
                gid, n, meta, left, reached = words[at], np.int64(words[at + 1]), words[at + 2], words[at + 3], words[at + 4]
                group = group_of(net, gid, meta) if net.item_mode else np.int64(0)
                g = np.int64(net.item_g[group]) if net.item_mode else np.int64(net.prod_g[p])
                cm3 = np.int64(net.item_cm3[group]) if net.item_mode else np.int64(net.prod_cm3[p])
                fit = min(n, room[0] - taken[0], (room[1] - taken[1]) // max(g, 1), (room[2] - taken[2]) // max(cm3, 1))
                if fit <= 0:
                    full = True
                    break
                if fit < n:
                    full = True
                    words[at + 1] -= fit
                else:
                    drop(words, pool, heads, queue)
                    st.counter[MOVES] += 1
                taken[0] += fit
                taken[1] += fit * g
                taken[2] += fit * cm3
                n_entry += 1
                if leaves_city and meta & RETURNING == 0:
                    if left == GAP:
                        left = net.dp_dep[dp]
                    if net.city[end] == net.city[meta & 0xFFFF]:
                        reached = net.dp_arr[dp]
                if meta & TRACED:
                    tell(trace, st, gid, DEPARTED, net.dp_dep[dp], start, dp)
                    tell(trace, st, gid, ARRIVED, net.dp_arr[dp], end, dp)
                push(words, pool, heads, target, gid, fit, meta, left, reached)
            if heads[queue, 0] < 0 and st.span[row, 0] == promise:
                st.span[row, 0] = promise + 1
            if full:
                break
        if st.span[row, 0] > st.span[row, 1]:
            st.span[row, 0], st.span[row, 1] = DAYS, -1
        if taken[0] > 0:
            book(net, st, cn, day, p, taken)
            room -= taken
            loaded += taken[0]
        if full:
            break
    st.lane_items[lane] -= loaded
    st.out_items[start] -= loaded
    st.ring_items[place, end] += loaded
    st.ring_entries[place, end] += n_entry
    st.counter[IN_RING] += loaded


@njit
def book(net, st, cn, day, p, taken):
    """Enter what was loaded on every leg that the connection rides."""
    for leg in range(net.cn_leg_first[cn], net.cn_leg_last[cn] + 1):
        st.load[day, leg, p] += taken[0]
        for k in range(3):
            st.used[day & 7, leg, k] += taken[k]
