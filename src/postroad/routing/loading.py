"""Load demand on the lanes of routing tables: what each lane would carry if nothing were ever full."""

from __future__ import annotations

import numpy as np

from postroad.kernels.loading import load_lanes
from postroad.network.instance import Instance
from postroad.routing.tables import RoutingTables

__all__ = ["load_tables"]

SWEEPS = 8
"""Days until the repeating day is steady: the longest domestic way takes about six."""


def load_tables(
    instance: Instance, tables: RoutingTables, items: np.ndarray, shares: np.ndarray, release: np.ndarray, day: int = 0
) -> np.ndarray:
    """Items a day on each lane when a day's demand repeats for ever.

    Parameters
    ----------
    items: float64 (n_core, n_td), items a day from each core facility to each tree destination.
    shares: float64 (n_prod,), share of each product.
    release: float64 (slots_per_day,), share of the day's items that is sorted at its origin in each slot.
    day: day of the horizon whose departures repeat.

    Returns
    -------
    float64 (n_lane,).

    **Assumes** no capacities, and that an item waits for its lane's next departure.
    """
    hop = _hop_slots(instance, day)
    core_to = np.where(instance.lane_to < instance.n_core, instance.lane_to, 0)
    total = np.zeros(len(instance.lane_from))
    block = tables.block_of_day[day]
    for table in range(len(tables.next_out)):
        share = shares[tables.table_of_product == table].sum()
        if share == 0:
            continue
        released = release[:, None, None] * (items * share)[None]
        out = tables.next_out[table, block]
        total += load_lanes(out, instance.out_ptr, core_to, hop, released, instance.td_fac, SWEEPS)
    return total


def _hop_slots(instance: Instance, day: int) -> np.ndarray:
    """Slots from joining a lane's queue to being ready at its end, int32 (n_lane, slots_per_day)."""
    per_day = instance.slots_per_day
    first, last = instance.dp_ptr[day * per_day], instance.dp_ptr[(day + 1) * per_day]
    slot = instance.dp_dep_min[first:last] // instance.slot_min - day * per_day
    after = instance.dp_ready_slot[first:last] - instance.dp_dep_min[first:last] // instance.slot_min
    hop = np.full((len(instance.lane_from), per_day), per_day, np.int32)
    took = np.full_like(hop, -1)
    took[instance.cn_lane[instance.dp_cn[first:last]][::-1], slot[::-1]] = after[::-1]
    wait = np.zeros(len(hop), np.int32)
    ride = np.full(len(hop), per_day, np.int32)
    for moment in range(2 * per_day - 1, -1, -1):
        leaves = took[:, moment % per_day] >= 0
        wait = np.where(leaves, 0, wait + 1)
        ride = np.where(leaves, took[:, moment % per_day], ride)
        if moment < per_day:
            hop[:, moment] = wait + ride
    return hop
