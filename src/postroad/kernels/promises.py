"""Kernel for promises: the promised days of every pair, release and product, from routing tables and look-up arrays."""

from __future__ import annotations

from postroad.kernels import njit

__all__ = ["NEVER", "count_days"]

NEVER = 1 << 29
"""Stands for a slot that does not come; sums of two still fit int32."""
_NO_ROUTE = 32767


@njit
def count_days(
    days, first, last, origin, destination, anchor, td, sorted_here, sorted_anchor, at_door, at_anchor, slots_to_go,
    block_of_day, day, slot_min, tour_min, margin_min, deliver_by_min, min_days, max_days, scope, ring,
):  # fmt: skip
    """Fill the promised days of the pairs ``first .. last - 1`` for one product.

    Parameters
    ----------
    days: int8 (n_rel, n_pair), filled: days from ``day`` to the promised one, -1 where there is no route.
    origin, destination: int32 (n_pair,), endpoints. anchor: int32 (n_fac,), their cores.
    td: int32 (n_fac,), tree destination of each endpoint's anchor.
    sorted_here, sorted_anchor: int32 (n_fac, n_rel), slot in which an item of that release is sorted at the accepting
        endpoint and at its anchor; ``NEVER`` or more when it is not.
    at_door, at_anchor: int32 (n_fac, n_slots), slots from being sorted at the delivering endpoint, and at its anchor,
        to the delivery wave that takes the item.
    slots_to_go: int16 (n_block, n_core, slots_per_day, n_td) of the product.
    block_of_day: int32, block of each day of the time axis; they repeat like the slots beyond the axis.
    day: the day of release. tour_min: minutes from the wave to the end of its tour.
    margin_min, deliver_by_min, min_days, max_days: int32 (3,), by scope. scope: int8 (n_pair,).
    ring: slots at the end of the axis that repeat beyond it.

    Correct for any look-up arrays whose waits, too, are those of an axis that so repeats.
    """
    n_slots = at_door.shape[1]
    per_day = slots_to_go.shape[2]
    for release in range(days.shape[0]):
        for pair in range(first, last):
            o, d = origin[pair], destination[pair]
            days[release, pair] = -1
            if o == d:
                slot = sorted_here[o, release]
                if slot >= NEVER:
                    continue
                slot += at_door[d, _fold(slot, n_slots, ring)]
            else:
                slot = sorted_anchor[o, release]
                if slot >= NEVER:
                    continue
                if anchor[o] != anchor[d]:
                    place = _fold(slot, n_slots, ring)
                    n_to_go = slots_to_go[block_of_day[place // per_day], anchor[o], place % per_day, td[d]]
                    if n_to_go == _NO_ROUTE:
                        continue
                    slot += n_to_go
                slot += at_anchor[d, _fold(slot, n_slots, ring)]
            if slot >= NEVER:
                continue
            kind = scope[pair]
            late = slot * slot_min + tour_min + margin_min[kind] - day * 1440 - deliver_by_min[kind]
            days[release, pair] = min(max(-(-late // 1440), min_days[kind]), max_days[kind])


@njit
def _fold(slot, n_slots, ring):
    """A slot beyond the axis as the slot of its last ``ring`` slots that it repeats."""
    return slot if slot < n_slots else n_slots - ring + (slot - n_slots) % ring
