"""The arrays that the twin's kernels share, grouped as named tuples; see :mod:`postroad.kernels.twin`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from postroad.kernels import njit

DAYS = 64
"""Promise days that queues tell apart, counted from the first day of the run; later promises share the last."""

# an entry's meta word: destination facility, product, promise day, attempts made, and flags
PRODUCT_SHIFT = 16
DAY_SHIFT = 20
ATTEMPT_SHIFT = 26
RETURNING = 1 << 28
TRACED = 1 << 29
DIVERTED = 1 << 30

GAP = -1
"""Stands for an instant that has not come yet."""

# what the trace tells, in the order of postroad.twin.result.TRACE_KINDS
ACCEPTED, SCREENED, SORTED, DEPARTED, ARRIVED, OUT, FAILED, DELIVERED, RETURN_STARTED, RETURNED, LOST = range(11)

# scalar counters
IN_FRESH, IN_RING, IN_DELAY, IN_TOUR, JOINED, MOVES, N_JOURNEY, N_TRACE, UNROUTED, UNROUTED_FROM, UNROUTED_TO = range(11)
N_COUNTER = 12


class Net(NamedTuple):
    """The network and the demand, read only."""

    slot_min: int
    per_day: int
    n_prod: int
    max_attempts: int
    fail_bp: np.ndarray  # int64 (2,): failures per 10,000 at the first and at later attempts
    lost_pm: int  # per million
    tour_bp: np.ndarray  # int64 (n_hour,): cumulative per 10,000 of a wave's deliveries by the end of each hour
    deliver_by: np.ndarray  # int32 (n_prod,)
    parent: np.ndarray
    city: np.ndarray
    td: np.ndarray
    wave_delay: np.ndarray
    sort_cap: np.ndarray
    screen_cap: np.ndarray
    wave_cap: np.ndarray
    lane_from: np.ndarray
    lane_to: np.ndarray
    out_ptr: np.ndarray
    feeder: np.ndarray
    collect: np.ndarray
    overfull: np.ndarray  # int64 (n_daytype, n_lane)
    daytype: np.ndarray  # int32 (n_days,)
    cn_lane: np.ndarray
    cn_leg_first: np.ndarray
    cn_leg_last: np.ndarray
    leg_cap_items: np.ndarray
    leg_cap_g: np.ndarray
    leg_cap_cm3: np.ndarray
    dp_cn: np.ndarray
    dp_dep: np.ndarray
    dp_arr: np.ndarray
    dp_ready: np.ndarray
    dp_day: np.ndarray
    dp_capf: np.ndarray
    dp_ptr: np.ndarray
    table_of_product: np.ndarray
    block_of_day: np.ndarray
    next_out: np.ndarray
    alt_out: np.ndarray
    item_mode: int
    n_rel: int
    n_pair: int
    pair_o: np.ndarray
    pair_d: np.ndarray
    release_min: np.ndarray
    promise_k: np.ndarray  # int8 (n_prod, n_rel, n_pair), promised days after the day of acceptance
    prod_g: np.ndarray
    prod_cm3: np.ndarray
    item_o: np.ndarray
    item_d: np.ndarray
    item_p: np.ndarray
    item_acc: np.ndarray
    item_day: np.ndarray  # int8, promise day
    item_g: np.ndarray
    item_cm3: np.ndarray
    measured: np.ndarray  # bool (n_days,), days of acceptance whose journeys are kept
    pair_full: np.ndarray  # bool (n_pair,), pairs of which every item is traced
    trace_gid: np.ndarray  # int32, group or item of each traced item, written at release
    trace_ordinal: np.ndarray  # int64, ordinal of each traced item in the run, written at release


class State(NamedTuple):
    """Everything that changes, but for the pool, the journeys and the trace, which grow."""

    heads: np.ndarray  # int32 (n_queue, 4)
    base: np.ndarray  # int64 (7,), first queue of each family
    ring: int
    span: np.ndarray  # int16 (n_family_member * n_prod, 2), first and last promise day that may be queued
    span_base: np.ndarray  # int64 (4,)
    used: np.ndarray  # int64 (8, n_leg, 3): items, g, cm3 loaded by service day modulo 8
    load: np.ndarray  # int32 (n_days, n_leg, n_prod)
    fresh_items: np.ndarray  # int64 (n_fac,)
    screen_items: np.ndarray
    sort_items: np.ndarray
    delivery_items: np.ndarray
    out_items: np.ndarray
    lane_items: np.ndarray  # int64 (n_lane,)
    ring_items: np.ndarray  # int64 (ring, n_fac)
    ring_entries: np.ndarray
    delay_items: np.ndarray
    delay_entries: np.ndarray
    fresh_entries: np.ndarray
    entries: np.ndarray  # int64 (3, n_fac): entries queued for screening, sorting and delivery
    fail_count: np.ndarray  # int64 (n_fac, 2)
    lost_count: np.ndarray  # int64 (n_fac,)
    sorted_h: np.ndarray  # int64 (n_fac, n_hours)
    screened_h: np.ndarray
    backlog_in_h: np.ndarray
    backlog_out_h: np.ndarray
    delivered_h: np.ndarray
    totals_h: np.ndarray  # int64 (5, n_hours): created, delivered, returned, lost in the hour; custody at its end
    counter: np.ndarray  # int64 (N_COUNTER,)
    pool: np.ndarray  # int64 (4,)


class JourneyRows(NamedTuple):
    """Journeys as they end, by column; see postroad.events.journeys."""

    origin: np.ndarray
    destination: np.ndarray
    product: np.ndarray
    n: np.ndarray
    accepted: np.ndarray
    left: np.ndarray
    reached: np.ndarray
    out: np.ndarray
    ended: np.ndarray
    promise: np.ndarray
    outcome: np.ndarray
    attempts: np.ndarray


# queue families
Q_SCREEN, Q_SORT, Q_DELIVERY, Q_LANE, Q_FRESH, Q_RING, Q_DELAY = range(7)


@njit
def wider(rows, n_row, more):
    """The journey columns with room for ``more`` rows after the first ``n_row``."""
    if n_row + more <= len(rows.n):
        return rows
    size = max(n_row + more, len(rows.n) + len(rows.n) // 2)
    return JourneyRows(
        _longer(rows.origin, n_row, size), _longer(rows.destination, n_row, size), _longer(rows.product, n_row, size),
        _longer(rows.n, n_row, size), _longer(rows.accepted, n_row, size), _longer(rows.left, n_row, size),
        _longer(rows.reached, n_row, size), _longer(rows.out, n_row, size), _longer(rows.ended, n_row, size),
        _longer(rows.promise, n_row, size), _longer(rows.outcome, n_row, size), _longer(rows.attempts, n_row, size),
    )  # fmt: skip


@njit
def _longer(column, n_row, size):
    """A copy of the first ``n_row`` values in an array of ``size``."""
    larger = np.empty(size, column.dtype)
    larger[:n_row] = column[:n_row]
    return larger


@njit
def group_of(net, gid, meta):
    """The group (or single item) behind an entry."""
    return np.int64(net.trace_gid[gid]) if meta & TRACED else np.int64(gid)


@njit
def origin_of(net, gid, meta):
    """Facility that accepted the entry's items."""
    group = group_of(net, gid, meta)
    return net.item_o[group] if net.item_mode else net.pair_o[group % net.n_pair]


@njit
def destination_of(net, gid, meta):
    """Facility that is to deliver the entry's items."""
    group = group_of(net, gid, meta)
    return net.item_d[group] if net.item_mode else net.pair_d[group % net.n_pair]


@njit
def accepted_of(net, gid, meta):
    """Minute at which the entry's items were accepted."""
    group = group_of(net, gid, meta)
    if net.item_mode:
        return net.item_acc[group]
    release = group // (np.int64(net.n_prod) * net.n_pair)
    return np.int32(release // net.n_rel * 1440 + net.release_min[release % net.n_rel])


@njit
def tell(trace, st, item, kind, minute, facility, departure):
    """Write one row of the trace; the caller has made room."""
    row = st.counter[N_TRACE]
    trace[row, 0] = item
    trace[row, 1] = kind
    trace[row, 2] = minute
    trace[row, 3] = facility
    trace[row, 4] = departure
    st.counter[N_TRACE] = row + 1


@njit
def roomier(trace, st, more):
    """The trace with room for ``more`` rows."""
    n_row = st.counter[N_TRACE]
    if n_row + more <= len(trace):
        return trace
    larger = np.empty((max(n_row + more, len(trace) + len(trace) // 2), 5), np.int32)
    larger[:n_row] = trace[:n_row]
    return larger


@njit
def finish(net, st, rows, gid, n, meta, left, reached, out, ended, outcome):
    """Write the journey of items that ended, when they were accepted on a measured day; the caller has made room."""
    accepted = accepted_of(net, gid, meta)
    if not net.measured[accepted // 1440]:
        return
    row = st.counter[N_JOURNEY]
    product = (meta >> PRODUCT_SHIFT) & 15
    rows.origin[row] = origin_of(net, gid, meta)
    rows.destination[row] = destination_of(net, gid, meta)
    rows.product[row] = product
    rows.n[row] = n
    rows.accepted[row] = accepted
    rows.left[row] = left
    rows.reached[row] = reached
    rows.out[row] = out
    rows.ended[row] = ended
    rows.promise[row] = ((meta >> DAY_SHIFT) & 63) * 1440 + net.deliver_by[product]
    rows.outcome[row] = outcome
    rows.attempts[row] = (meta >> ATTEMPT_SHIFT) & 3
    st.counter[N_JOURNEY] = row + 1
