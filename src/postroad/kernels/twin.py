"""The twin: items move slot by slot through facilities and departures of limited capacity.

Correct for integer capacities by slot, first in first out within (product, promise day), on one thread. An entry of
many items follows the same rules as single items one by one, so both modes give the same counts at every hour.

In each slot, in this order: what was accepted joins its facility; what arrived joins the sort queue; screening, then
sorting; departures in order of minute; delivery waves. Facilities are taken in order of index.
"""

from __future__ import annotations

from postroad.kernels import njit
from postroad.kernels.twinrelease import release_groups, release_items
from postroad.kernels.twinsort import work
from postroad.kernels.twinstate import (
    DELIVERY_ITEMS,
    FRESH_ITEMS,
    IN_DELAY,
    IN_FRESH,
    IN_RING,
    IN_TOUR,
    JOINED,
    OUT_ITEMS,
    RING_ITEMS,
    SCREEN_ITEMS,
    SORT_ITEMS,
)  # fmt: skip
from postroad.kernels.twintrips import depart
from postroad.kernels.twinwaves import ready_for_wave, wave

__all__ = ["run_slots"]


@njit
def run_slots(net, st, words, rows, trace, first, last, counts, bases, sample, schedule, schedule_ptr, order, trace_of):
    """Run the slots ``first .. last-1`` of one day.

    Parameters
    ----------
    schedule, schedule_ptr: releases as in ``release_groups``, and where each slot's begin (int64, n_slots + 1); in item
        mode ``order[schedule_ptr[s]:schedule_ptr[s + 1]]`` are the items that join in slot ``s``.

    Returns
    -------
    tuple: the pool's words, the journeys and the trace, grown where needed.
    """
    if first % net.per_day == 0:
        st.used[(first // net.per_day) & 7] = 0
    for s in range(first, last):
        if net.item_mode:
            words, trace = release_items(net, st, words, trace, order, schedule_ptr[s], schedule_ptr[s + 1], trace_of)
        else:
            words, trace = release_groups(
                net, st, words, trace, counts, bases, sample, schedule, schedule_ptr[s], schedule_ptr[s + 1]
            )
        place = s % len(st.ring)
        for f in range(len(net.parent)):
            waiting = st.fac[f, FRESH_ITEMS] + st.fac[f, SCREEN_ITEMS] + st.fac[f, SORT_ITEMS]
            if st.ring[place, f, RING_ITEMS] + waiting > 0:
                words, rows, trace = work(net, st, words, rows, trace, f, s)
        words, trace = depart(net, st, words, trace, s)
        words = ready_for_wave(net, st, words, s)
        for f in range(len(net.parent)):
            if net.wave_cap[f, s] > 0 and st.fac[f, DELIVERY_ITEMS] > 0:
                words, rows, trace = wave(net, st, words, rows, trace, f, s)
        if ((s + 1) * net.slot_min) % 60 == 0:
            close_hour(net, st, s * net.slot_min // 60)
    return words, rows, trace


@njit
def close_hour(net, st, hour):
    """Write down what waits where, and how many items are in custody, counted place by place."""
    custody = st.totals_h[0, : hour + 1].sum() - st.counter[JOINED]
    for f in range(len(net.parent)):
        st.backlog_in_h[f, hour] = st.fac[f, SCREEN_ITEMS] + st.fac[f, SORT_ITEMS]
        st.backlog_out_h[f, hour] = st.fac[f, OUT_ITEMS] + st.fac[f, DELIVERY_ITEMS]
        custody += st.backlog_in_h[f, hour] + st.backlog_out_h[f, hour]
    st.counter[IN_TOUR] -= st.totals_h[1, hour]
    custody += st.counter[IN_FRESH] + st.counter[IN_RING] + st.counter[IN_DELAY] + st.counter[IN_TOUR]
    st.totals_h[4, hour] = custody
