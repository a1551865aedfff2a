"""The arrays that the twin's kernels share, grouped as named tuples; see :mod:`postroad.kernels.twin`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from postroad.kernels import lean, njit, prange

DAYS = 64
"""Promise days that queues tell apart, counted from the first day of the run; later promises share the last."""

# an entry's meta word: destination facility, product, promise day, attempts made, and flags
DESTINATION = 0x7FFF
GROUNDED = 1 << 15
PRODUCT_SHIFT = 16
DAY_SHIFT = 20
ATTEMPT_SHIFT = 26
RETURNING = 1 << 28
TRACED = 1 << 29
DIVERTED = 1 << 30

SPLIT_CYCLE = 256
"""Items after which the shares of a split begin anew."""

GAP = -1
"""Stands for an instant that has not come yet."""

# what the trace tells, in the order of postroad.twin.result.TRACE_KINDS
ACCEPTED, SCREENED, SORTED, DEPARTED, ARRIVED, OUT, FAILED, DELIVERED, RETURN_STARTED, RETURNED, LOST = range(11)

# scalar counters
IN_FRESH, IN_RING, IN_DELAY, IN_TOUR, JOINED, MOVES, N_JOURNEY, N_TRACE = range(8)
UNROUTED, UNROUTED_FROM, UNROUTED_TO, TRACED_ITEMS = range(8, 12)
N_COUNTER = 12


class Net(NamedTuple):
    """The network and the demand, read only."""

    slot_min: int
    per_day: int
    n_prod: int
    max_attempts: int
    fail_bp: np.ndarray  # int64 (2,): failures per 10,000 at the first and at later attempts
    fail_block: np.ndarray  # int64 (n_fac,): items whose failures come together
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
    overfull: np.ndarray  # int64 (2, n_daytype, n_lane), queue from which items divert, and from which they go by road
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
    by_road: np.ndarray  # int32 (n_prod,), table of items that found no room; -1: none
    block_of_day: np.ndarray
    next_out: np.ndarray
    alt_out: np.ndarray
    split_number: np.ndarray  # int16, as next_out: the split within its row, -1: none; no tables where nothing is split
    split_base: np.ndarray  # int32, as next_out without destinations: where the splits of facility and slot begin
    split_lanes: np.ndarray  # int16 (n_split, 4)
    split_ends: np.ndarray  # int16 (n_split, 4), of SPLIT_CYCLE items
    item_mode: int
    n_rel: int
    n_pair: int
    pair_o: np.ndarray  # origin of each pair, or of each item
    pair_d: np.ndarray
    release_min: np.ndarray
    promise_k: np.ndarray  # int8 (n_prod, n_rel, n_pair), promised days after the day of acceptance
    prod_g: np.ndarray
    prod_cm3: np.ndarray
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
    """Everything that changes, but for the pool's words, the journeys and the trace, which grow."""

    heads: np.ndarray  # int32 (n_queue, 4)
    span: np.ndarray  # int16 (n_member, 2), first and last promise day that may be queued
    layout: np.ndarray  # int64 (12,), first queue of each family, then first span of the four classed families
    pool: np.ndarray  # int64 (4,)
    counter: np.ndarray  # int64 (N_COUNTER,)
    fac: np.ndarray  # int64 (n_fac, N_FAC), what waits at each facility
    lane_items: np.ndarray  # int64 (n_lane,), items queued
    split_turn: np.ndarray  # int64 (n_split,), items that each split has divided, counted from its own first position
    ring: np.ndarray  # int64 (ring, n_fac, 4), what comes in each of the next slots, see RING_ITEMS
    used: np.ndarray  # int64 (8, n_leg, 3): items, g, cm3 loaded by service day modulo 8
    load: np.ndarray  # int32 (n_days, n_leg, n_prod)
    sorted_h: np.ndarray  # int64 (n_fac, n_hours)
    screened_h: np.ndarray
    backlog_in_h: np.ndarray
    backlog_out_h: np.ndarray
    delivered_h: np.ndarray
    totals_h: np.ndarray  # int64 (5, n_hours): created, delivered, returned, lost in the hour; custody at its end


# queue families
Q_SCREEN, Q_SORT, Q_DELIVERY, Q_LANE, Q_FRESH, Q_RING, Q_DELAY = range(7)
SPAN_BASE = 8
"""Where the first spans of Q_SCREEN .. Q_LANE stand in the layout."""

# columns of State.fac: items and entries that wait, and running counts of losses and failures
FRESH_ITEMS, SCREEN_ITEMS, SORT_ITEMS, DELIVERY_ITEMS, OUT_ITEMS = range(5)
FRESH_ENTRIES, SCREEN_ENTRIES, SORT_ENTRIES, DELIVERY_ENTRIES = range(5, 9)
LOST_COUNT, FIRST_COUNT, LATER_COUNT = range(9, 12)
N_FAC = 12

# last axis of State.ring
RING_ITEMS, RING_ENTRIES, DELAY_ITEMS, DELAY_ENTRIES = range(4)

# columns of a journey row: int32 words, unpacked by ``unpack_journeys``
J_ENDS, J_KIND, J_COUNT, J_ACCEPTED, J_LEFT, J_REACHED, J_OUT, J_ENDED = range(8)


@njit
def wider(rows, n_row, more):
    """The journey rows with room for ``more`` after the first ``n_row``."""
    if n_row + more <= len(rows):
        return rows
    larger = np.empty((max(n_row + more, len(rows) + len(rows) // 2), rows.shape[1]), np.int32)
    larger[:n_row] = rows[:n_row]
    return larger


@njit
def roomier(trace, counter, more):
    """The trace with room for ``more`` rows."""
    return wider(trace, counter[N_TRACE], more)


@lean
def class_queue(span, layout, n_prod, family, member, meta):
    """The queue for an entry's product and promise day at a member of a family; widens the span of queued days."""
    day = (meta >> DAY_SHIFT) & 63
    row = np.int64(member) * n_prod + ((meta >> PRODUCT_SHIFT) & 15)
    at = layout[SPAN_BASE + family] + row
    if span[at, 0] > day:
        span[at, 0] = day
    if span[at, 1] < day:
        span[at, 1] = day
    return layout[family] + row * DAYS + day


@lean
def group_of(trace_gid, gid, meta):
    """The group (or single item) behind an entry."""
    return np.int64(trace_gid[gid]) if meta & TRACED else np.int64(gid)


@lean
def accepted_of(item_mode, group, n_class, release_min, item_acc):
    """Minute of acceptance of a group; ``n_class`` is products times pairs."""
    if item_mode:
        return np.int64(item_acc[group])
    release = group // n_class
    n_rel = len(release_min)
    return release // n_rel * 1440 + release_min[release % n_rel]


@lean
def tell(trace, counter, item, kind, minute, facility, departure):
    """Write one row of the trace; the caller has made room."""
    row = counter[N_TRACE]
    trace[row, 0] = item
    trace[row, 1] = kind
    trace[row, 2] = minute
    trace[row, 3] = facility
    trace[row, 4] = departure
    counter[N_TRACE] = row + 1


@lean
def finish(rows, counter, origin, destination, n, meta, accepted, left, reached, out, ended, outcome):
    """Write the journey of items that ended; the caller has made room."""
    row = counter[N_JOURNEY]
    rows[row, J_ENDS] = (np.int64(origin) << 16) | destination
    rows[row, J_KIND] = (meta >> PRODUCT_SHIFT) & 0xFFF | (outcome << 12)
    rows[row, J_COUNT] = n
    rows[row, J_ACCEPTED] = accepted
    rows[row, J_LEFT] = left
    rows[row, J_REACHED] = reached
    rows[row, J_OUT] = out
    rows[row, J_ENDED] = ended
    counter[N_JOURNEY] = row + 1


@njit(parallel=True)
def unpack_journeys(rows, deliver_by, out16, out8, out32):
    """Spread packed rows over columns: out16 (2, n) ends; out8 (3, n) product, outcome, attempts; out32 (7, n) count,
    accepted, left, reached, out, ended, promise."""
    for i in prange(len(rows)):
        ends, kind = rows[i, J_ENDS], rows[i, J_KIND]
        out16[0, i], out16[1, i] = ends >> 16, ends & 0xFFFF
        product = kind & 15
        out8[0, i], out8[1, i], out8[2, i] = product, kind >> 12, (kind >> 10) & 3
        for word in range(6):
            out32[word, i] = rows[i, J_COUNT + word]
        out32[6, i] = ((kind >> 4) & 63) * 1440 + deliver_by[product]


@njit
def sort_trace(rows, n_item, item, kind, minute, facility, departure):
    """Spread the trace's rows over columns, by item and in the order in which they were written."""
    place = np.zeros(n_item + 1, np.int64)
    for row in range(len(rows)):
        place[rows[row, 0] + 1] += 1
    for number in range(n_item):
        place[number + 1] += place[number]
    for row in range(len(rows)):
        number = rows[row, 0]
        at = place[number]
        place[number] += 1
        item[at], kind[at], minute[at] = number, rows[row, 1], rows[row, 2]
        facility[at], departure[at] = rows[row, 3], rows[row, 4]
