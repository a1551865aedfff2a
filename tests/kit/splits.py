"""Random splits of routing tables: places at which the items divide over several lanes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from postroad.network.instance import Instance
from postroad.routing.tables import SPLIT_CYCLE, RoutingTables, Splits


def with_splits(tables: RoutingTables, chosen: dict[tuple[int, ...], list[tuple[int, int]]]) -> RoutingTables:
    """The tables with a split at each chosen (table, block, facility, slot, destination): lanes and their shares."""
    number = np.full(tables.next_out.shape, -1, np.int16)
    base = np.zeros(tables.next_out.shape[:-1], np.int32)
    next_out = tables.next_out.copy()
    lanes, ends = np.full((len(chosen), 4), -1, np.int16), np.full((len(chosen), 4), SPLIT_CYCLE, np.int16)
    row_of = {}
    for row, place in enumerate(sorted(chosen)):
        base[place[:-1]] = row_of.setdefault(place[:-1], row)
        number[place] = row - base[place[:-1]]
        parts = chosen[place]
        assert sum(share for _, share in parts) == SPLIT_CYCLE
        assert len({lane for lane, _ in parts}) == len(parts)
        lanes[row, : len(parts)] = [lane for lane, _ in parts]
        ends[row, : len(parts)] = np.cumsum([share for _, share in parts])
        next_out[place] = max(parts, key=lambda part: part[1])[0]
    return replace(tables, next_out=next_out, splits=Splits(number, base, lanes, ends))


def random_splits(instance: Instance, tables: RoutingTables, seed: int, share: float = 0.5) -> RoutingTables:
    """The tables with splits at a share of the places that have an alternative: over it and the planned lane, in any
    order, and at some over one or two lanes more, wherever those lead."""
    rng = np.random.default_rng(seed)
    used = np.unique(tables.table_of_product)
    chosen = {}
    for place in zip(*np.nonzero(tables.alt_out >= 0), strict=True):
        place = tuple(int(axis) for axis in place)
        if place[0] not in used or rng.random() > share:
            continue
        first, last = instance.out_ptr[place[2]], instance.out_ptr[place[2] + 1]
        lanes = [int(tables.next_out[place]), int(tables.alt_out[place])]
        if rng.random() < 0.2:
            others = np.setdiff1d(np.flatnonzero(instance.lane_to[first:last] < instance.n_core), lanes)
            lanes += [int(lane) for lane in rng.permutation(others)[: rng.integers(1, 3)]]
        cuts = np.sort(rng.choice(np.arange(1, SPLIT_CYCLE), len(lanes) - 1, replace=False))
        shares = np.diff([0, *cuts, SPLIT_CYCLE])
        chosen[place] = [(int(lane), int(part)) for lane, part in zip(rng.permutation(lanes), shares, strict=True)]
    return with_splits(tables, chosen)


def whole_splits(tables: RoutingTables) -> RoutingTables:
    """The tables with a split of one lane, that which is taken anyway, wherever there is a route."""
    places = (tuple(int(axis) for axis in place) for place in zip(*np.nonzero(tables.next_out >= 0), strict=True))
    return with_splits(tables, {place: [(int(tables.next_out[place]), SPLIT_CYCLE)] for place in places})
