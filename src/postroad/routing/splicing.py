"""Tables that change with the day: other tables take over at some facilities in some slots."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from postroad.routing.tables import RoutingTables, Splits

__all__ = ["splice"]


def splice(tables: RoutingTables, other: RoutingTables, takes_over: np.ndarray) -> RoutingTables:
    """Tables in which others hold at some facilities in some slots.

    Parameters
    ----------
    tables: those that hold elsewhere.
    other: for the same network, with one block.
    takes_over: bool (n_days, n_core, slots_per_day).

    Returns
    -------
    RoutingTables: a block for each different day, all with the planned slots of the first of ``tables``. The days after
        ``takes_over`` are those of ``tables``, a week long, so that whoever repeats the last week repeats theirs.
    """
    n_days, n_core, per_day = takes_over.shape
    takes_over = np.concatenate([takes_over, np.zeros((7, n_core, per_day), bool)])
    known = len(tables.block_of_day)
    of_day = tables.block_of_day[np.minimum(np.arange(n_days + 7), known - 1)]
    keys = [(int(block), use.tobytes()) for block, use in zip(of_day, takes_over, strict=True)]
    number = {key: index for index, key in enumerate(dict.fromkeys(keys))}
    first = [keys.index(key) for key in number]

    def mix(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
        """One array of every block, (n_table, n_block, n_core, slots_per_day, ...)."""
        mixed = np.empty((len(ours), len(first), *ours.shape[2:]), ours.dtype)
        for block, day in enumerate(first):
            use = takes_over[day]
            mixed[:, block] = theirs[:, 0] if use.all() else ours[:, of_day[day]]
            if use.any() and not use.all():
                mixed[:, block][:, use] = theirs[:, 0][:, use]
        return mixed

    before, after = _splits(tables), _splits(other)
    rows = after.base + np.int32(len(before.lanes))
    pairs = [
        (tables.next_out, other.next_out), (tables.alt_out, other.alt_out), (before.number, after.number),
        (before.base, rows),
    ]  # fmt: skip
    with ThreadPoolExecutor(max_workers=2) as pool:
        next_out, alt_out, numbers, base = pool.map(lambda pair: mix(*pair), pairs)
    return replace(
        tables,
        block_of_day=np.array([number[key] for key in keys], np.int32),
        next_out=next_out,
        alt_out=alt_out,
        slots_to_go=np.broadcast_to(tables.slots_to_go[:, :1], next_out.shape),
        splits=Splits(
            numbers, base, np.concatenate([before.lanes, after.lanes]), np.concatenate([before.ends, after.ends])
        ),
    )


def _splits(tables: RoutingTables) -> Splits:
    """The splits of tables; those of tables that split nothing."""
    if tables.splits is not None:
        return tables.splits
    shape = tables.next_out.shape
    none = np.zeros((0, 4), np.int16)
    return Splits(np.full(shape, -1, np.int16), np.zeros(shape[:4], np.int32), none, none)
