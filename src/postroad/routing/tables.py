"""Routing tables: for every facility, slot of the day, destination and product the lane to take next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["RoutingTables"]


@dataclass(frozen=True, slots=True)
class RoutingTables:
    """Least-generalised-cost routing to all destinations from all facilities at all slots, one block per kind of day.

    Attributes
    ----------
    block_of_day: int32 (n_days,), the block that holds on each day of the horizon.
    next_out: int16 (n_table, n_block, n_core, slots_per_day, n_td): which of the facility's outgoing lanes to join
        (``lane = out_ptr[f] + next_out``); -1 at the destination itself and where there is no route.
    alt_out: int16, same shape: the best lane other than ``next_out``, used when that one is overfull; -1: none.
    slots_to_go: int16 (n_table, n_block, n_core, slots_per_day, n_td): planned slots from being ready here to being ready at the
        destination (sorted there); 32767 where there is no route.
    table_of_product: int32 (n_prod,), the first axis above for each product (products with the same modes and value
        of time share a table).
    """

    block_of_day: np.ndarray
    next_out: np.ndarray
    alt_out: np.ndarray
    slots_to_go: np.ndarray
    table_of_product: np.ndarray
