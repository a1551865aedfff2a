"""Waits of the plan: at every facility and slot, how long until the next thing happens there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from postroad.kernels.promises import NEVER
from postroad.network.instance import Instance
from postroad.routing.departures import plan_departures, repeating_days

__all__ = ["Waits", "after", "plan_waits", "slots_to_wave"]


@dataclass(frozen=True, slots=True)
class Waits:
    """Waits over the horizon in slots; what lies beyond it repeats its last week. All int32 (n_fac, n_slots).

    Attributes
    ----------
    screen, sort, wave: slots to the next in which the facility screens, sorts, sends out a delivery wave.
    collect, feed: for outlets, slots until an item put on the lane to (from) the parent is in the queue at its end.
    """

    screen: np.ndarray
    sort: np.ndarray
    wave: np.ndarray
    collect: np.ndarray
    feed: np.ndarray


def plan_waits(instance: Instance) -> Waits:
    """Work out all waits over the horizon."""
    closed = np.int32(NEVER)
    shape = (instance.n_fac, instance.n_slots)
    collect, feed = np.full(shape, closed, np.int32), np.full(shape, closed, np.int32)
    slot, cn, n_step = plan_departures(instance)
    lane = instance.cn_lane[cn]
    for table, lanes in ((collect, instance.collect_lane), (feed, instance.feeder_lane)):
        outlet_of_lane = np.full(len(instance.lane_from), -1, np.int32)
        outlets = np.flatnonzero(lanes >= 0)
        outlet_of_lane[lanes[outlets]] = outlets
        rows = np.flatnonzero(outlet_of_lane[lane] >= 0)[::-1]
        table[outlet_of_lane[lane[rows]], slot[rows]] = np.maximum(n_step[rows], 1)
    works = (
        np.where(cap > 0, np.int32(0), closed) for cap in (instance.screen_cap, instance.sort_cap, instance.wave_cap)
    )
    return Waits(*(_look_ahead(table, instance) for table in (*works, collect, feed)))


def _look_ahead(table: np.ndarray, instance: Instance) -> np.ndarray:
    """Fill slots in which nothing happens (NEVER) with one more than the next slot's; the last week repeats."""
    n_slots = instance.n_slots
    ring = repeating_days(instance.n_days) * instance.slots_per_day
    columns = np.ascontiguousarray(table.T)
    ahead = np.full(len(table), NEVER, np.int32)
    for slot in (*range(n_slots - 1, n_slots - ring - 1, -1), *range(n_slots - 1, -1, -1)):
        ahead = np.where(columns[slot] < NEVER, columns[slot], np.minimum(ahead + 1, NEVER))
        columns[slot] = ahead
    return np.ascontiguousarray(columns.T)


def after(waits: np.ndarray, fac: np.ndarray, slot: np.ndarray, per_day: int) -> np.ndarray:
    """The slots after waiting at the facilities; ``NEVER`` stays, and slots beyond the horizon repeat its last week."""
    n_slots = waits.shape[1]
    ring = repeating_days(n_slots // per_day) * per_day
    place = np.where(slot < n_slots, slot, n_slots - ring + (slot - n_slots) % ring)
    wait = waits[fac, np.where(slot < NEVER, place, 0)]
    return np.where((slot < NEVER) & (wait < NEVER), slot + wait, NEVER).astype(np.int32)


def slots_to_wave(instance: Instance, axis: Waits) -> tuple[np.ndarray, np.ndarray]:
    """Slots from being sorted at each endpoint, and at its anchor, to the delivery wave, int32 (n_fac, n_slots)."""
    per_day, fac = instance.slots_per_day, np.arange(instance.n_fac)[:, None]
    slot = np.broadcast_to(np.arange(instance.n_slots), (instance.n_fac, instance.n_slots))

    def to_wave(fac: np.ndarray, slot: np.ndarray) -> np.ndarray:
        ready = np.where(slot < NEVER, slot + instance.wave_delay[fac, slot % per_day], NEVER)
        return after(axis.wave, fac, ready, per_day)

    at_door = to_wave(fac, slot)
    outlets = np.flatnonzero(instance.fac_parent >= 0)
    at_anchor = at_door.copy()
    fed = after(axis.sort, outlets[:, None], after(axis.feed, outlets[:, None], slot[outlets], per_day), per_day)
    at_anchor[outlets] = to_wave(outlets[:, None], fed)
    return tuple(np.where(wave < NEVER, wave - slot, NEVER).astype(np.int32) for wave in (at_door, at_anchor))
