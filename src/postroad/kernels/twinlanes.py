"""The twin's choice of the next lane: what the tables say, shares of several lanes, and what to do when lanes are full.

Correct for shares in whole numbers of ``SPLIT_CYCLE``: an entry of many items goes on exactly as that many single items
one after the other, to the same lanes in the same order. Functions take single arrays, as in
:mod:`postroad.kernels.twinsort`.
"""

from __future__ import annotations

import numpy as np

from postroad.kernels import lean
from postroad.kernels.queues import ENTRY, FIRST, WORDS, push
from postroad.kernels.twinstate import DIVERTED, GROUNDED, Q_LANE, SPLIT_CYCLE, class_queue

__all__ = ["choose_lanes", "pushes_to_share", "share", "splits_at", "wait_for"]


@lean
def choose_lanes(next_out, alt_out, table, by_road, td, first_lane, lane_items, overfull, n, meta):
    """The lane that an entry should take, and, when it would overfill it, those for what does not fit: (lane,
    alternative, lane by road), -1 where there is none."""
    if meta & GROUNDED and next_out[by_road, td] >= 0:
        table = by_road
    out, alt, road = np.int64(next_out[table, td]), np.int64(-1), np.int64(-1)
    if out < 0:
        return out, alt, road
    lane = first_lane + out
    if lane_items[lane] + n > overfull[lane]:
        alt, road = ways_out(next_out, alt_out, table, by_road, td, first_lane, out, meta)
    return lane, alt, road


@lean
def ways_out(next_out, alt_out, table, by_road, td, first_lane, out, meta):
    """The lanes for what would overfill the outgoing lane ``out``: (alternative, by road), -1 where there is none."""
    alt, road = np.int64(-1), np.int64(-1)
    if meta & DIVERTED == 0:
        other = alt_out[table, td] if alt_out[table, td] != out else next_out[table, td]
        if other not in (-1, out):
            alt = first_lane + np.int64(other)
    if meta & GROUNDED == 0 and by_road >= 0 and next_out[by_road, td] not in (-1, out):
        road = first_lane + np.int64(next_out[by_road, td])
    return alt, road


@lean
def wait_for(
    words, pool, heads, span, layout, lane_items, overfull, brim, n_prod, lane, alt, road, gid, n, meta, left, reached
):  # fmt: skip
    """Queue on a lane, or where :func:`divide` sends what would overfill it."""
    if alt < 0 and road < 0:
        join(words, pool, heads, span, layout, lane_items, n_prod, lane, gid, n, meta, left, reached)
        return
    own, other, rest = divide(lane_items, overfull, brim, lane, alt, road, n)
    if own > 0:
        join(words, pool, heads, span, layout, lane_items, n_prod, lane, gid, own, meta, left, reached)
    if other > 0:
        join(words, pool, heads, span, layout, lane_items, n_prod, alt, gid, other, meta | DIVERTED, left, reached)
    if rest > 0:
        join(words, pool, heads, span, layout, lane_items, n_prod, road, gid, rest, meta | GROUNDED, left, reached)


@lean
def divide(lane_items, overfull, brim, lane, alt, road, n):
    """How many of ``n`` items queue on a lane, on the lane ``alt`` (-1: none) and by ``road`` (-1: none).

    What would overfill the lane takes ``alt`` while that has room; what then finds more waiting than a day takes away
    goes by ``road`` and stays there. An item diverts once in its life, so two overfull lanes cannot toss it to and fro.
    """
    first = min(max(overfull[lane] - lane_items[lane], 0), n)
    second, fourth = np.int64(0), np.int64(0)
    if alt >= 0:
        second = min(max(overfull[alt] - lane_items[alt], 0), n - first)
    third = n - first - second
    if road >= 0:
        third = min(max(brim[lane] - lane_items[lane] - first, 0), third)
        fourth = n - first - second - third
    return first + third, second, fourth


@lean
def join(words, pool, heads, span, layout, lane_items, n_prod, lane, gid, n, meta, left, reached):
    """Append to a lane's queue of the entry's class."""
    push(words, pool, heads, class_queue(span, layout, n_prod, Q_LANE, lane, meta), gid, n, meta, left, reached)
    lane_items[lane] += n


@lean
def splits_at(split_number, split_base, block, core, moment):
    """Splits of a facility in a slot: numbers (n_table, n_td) and bases (n_table,), empty where nothing is split."""
    if len(split_base) == 0:
        return split_number[:, 0, 0, 0], split_base[:, 0, 0, 0]
    return split_number[:, block, core, moment], split_base[:, block, core, moment]


@lean
def share(
    words, pool, heads, span, layout, lane_items, overfull, brim, n_prod, next_out, alt_out, table, by_road, td,
    first_lane, lanes, ends, turn, split, gid, n, meta, left, reached,
):  # fmt: skip
    """Divide an entry over the lanes of a split; each part then queues as an entry of its own would.

    Where all parts fit, nobody has to know who comes before whom. Else the parts may seek room on each other's lanes,
    so the items are taken in turn, as many at once as follow one another to one lane.
    """
    start = turn[split] % SPLIT_CYCLE
    turn[split] += n
    fits, begin = True, np.int64(0)
    for k in range(ends.shape[1]):
        part = items_between(start, n, begin, ends[split, k])
        begin = np.int64(ends[split, k])
        if part == 0:
            continue
        lane = first_lane + np.int64(lanes[split, k])
        if part == n:
            alt, road = ways_out(next_out, alt_out, table, by_road, td, first_lane, lane - first_lane, meta)
            wait_for(
                words, pool, heads, span, layout, lane_items, overfull, brim, n_prod, lane, alt, road, gid, n, meta,
                left, reached,
            )  # fmt: skip
            return
        fits = fits and lane_items[lane] + part <= overfull[lane]
    if not fits:
        take_turns(
            words, pool, heads, span, layout, lane_items, overfull, brim, n_prod, next_out, alt_out, table, by_road, td,
            first_lane, lanes, ends, start, split, gid, n, meta, left, reached,
        )  # fmt: skip
        return
    begin = np.int64(0)
    for k in range(ends.shape[1]):
        part = items_between(start, n, begin, ends[split, k])
        begin = np.int64(ends[split, k])
        if part > 0:
            lane = first_lane + np.int64(lanes[split, k])
            join(words, pool, heads, span, layout, lane_items, n_prod, lane, gid, part, meta, left, reached)


@lean
def take_turns(
    words, pool, heads, span, layout, lane_items, overfull, brim, n_prod, next_out, alt_out, table, by_road, td,
    first_lane, lanes, ends, start, split, gid, n, meta, left, reached,
):  # fmt: skip
    """Send the items of an entry on one after the other, by runs that go to the same lane, from a position onward."""
    k, position = 0, start
    while n > 0:
        while ends[split, k] <= position:
            k += 1
        run = min(np.int64(ends[split, k]) - position, n)
        out = np.int64(lanes[split, k])
        alt, road = ways_out(next_out, alt_out, table, by_road, td, first_lane, out, meta)
        own, other, rest = divide(lane_items, overfull, brim, first_lane + out, alt, road, run)
        if own > 0:
            lane = first_lane + out
            rejoin(words, pool, heads, span, layout, lane_items, n_prod, lane, gid, own, meta, left, reached)
        if other > 0:
            flags = meta | DIVERTED
            rejoin(words, pool, heads, span, layout, lane_items, n_prod, alt, gid, other, flags, left, reached)
        if rest > 0:
            flags = meta | GROUNDED
            rejoin(words, pool, heads, span, layout, lane_items, n_prod, road, gid, rest, flags, left, reached)
        n -= run
        position += run
        if position == SPLIT_CYCLE:
            k, position = 0, np.int64(0)


@lean
def rejoin(words, pool, heads, span, layout, lane_items, n_prod, lane, gid, n, meta, left, reached):
    """Append to a lane's queue of the entry's class; what comes next to others just like it becomes one with them."""
    queue = class_queue(span, layout, n_prod, Q_LANE, lane, meta)
    if heads[queue, 0] >= 0:
        at = np.int64(heads[queue, 2]) * WORDS + FIRST + (heads[queue, 3] - 1) * ENTRY
        if words[at] == gid and words[at + 2] == meta and words[at + 3] == left and words[at + 4] == reached:
            words[at + 1] += n
            lane_items[lane] += n
            return
    join(words, pool, heads, span, layout, lane_items, n_prod, lane, gid, n, meta, left, reached)


@lean
def items_between(start, n, begin, end):
    """Of ``n`` positions from ``start`` on, how many lie between ``begin`` and before ``end`` within their cycle."""
    return items_before(start + n, begin, end) - items_before(start, begin, end)


@lean
def items_before(position, begin, end):
    """Of the positions from 0 on and before ``position``, how many lie between ``begin`` and before ``end``."""
    width = np.int64(end) - begin
    return position // SPLIT_CYCLE * width + min(max(position % SPLIT_CYCLE - begin, 0), width)


@lean
def pushes_to_share(n_entry, n_item):
    """Pushes by which sorting may exceed three for each entry where splits divide them.

    ``n`` items in turn change lanes at most ``n // 64 + 5`` times, and a run of them is pushed at most three times.
    """
    return 15 * min(n_entry, n_item) + n_item // 20
