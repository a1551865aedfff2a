"""Where the planner's part of a journey begins and ends: releases into it, and what an arrival still costs."""

from __future__ import annotations

import numpy as np

from postroad.demand.flows import Flows
from postroad.network.instance import Instance
from postroad.routing.promise import slots_at_ends

__all__ = ["arrival_waits", "released_items"]


def released_items(instance: Instance, flows: Flows, counts: np.ndarray, day: int) -> tuple[np.ndarray, int]:
    """Items by product, core facility, slot of the day and tree destination.

    Parameters
    ----------
    counts: int32 (n_rel, n_prod, n_pair), the items of the day.
    day: day of the instance's horizon whose collection trips and opening hours hold.

    Returns
    -------
    float32 (n_prod, n_core, slots_per_day, n_td), and how many items are left out: those that never leave their outlet
    or whose outlet nothing leads out of.
    """
    sorted_at, _ = slots_at_ends(instance, flows.release_min, day)
    n_prod, per_day = counts.shape[1], instance.slots_per_day
    released = np.zeros((n_prod, instance.n_core, per_day, len(instance.td_fac)), np.float32)
    anchor = np.where(instance.fac_parent < 0, np.arange(instance.n_fac), instance.fac_parent)[flows.origin]
    goal = instance.fac_td[flows.destination]
    stays = (flows.origin == flows.destination) & (instance.fac_parent[flows.origin] >= 0)
    for release in range(len(flows.release_min)):
        slot = sorted_at[flows.origin, release]
        goes = (slot >= 0) & ~stays & (goal >= 0)
        place = anchor[goes], slot[goes] % per_day, goal[goes]
        for product in range(n_prod):
            np.add.at(released[product], place, counts[release, product, goes])
    return released, int(counts.sum(dtype=np.int64)) - round(float(released.sum(dtype=np.float64)))


def arrival_waits(instance: Instance, flows: Flows, counts: np.ndarray, day: int) -> np.ndarray:
    """Mean slots from being sorted at each tree destination to the delivery wave, float64 (n_td, slots_per_day).

    Where a destination feeds outlets it is the mean over the items that they and it deliver. Destinations without a
    wave have 0.
    """
    _, to_wave = slots_at_ends(instance, flows.release_min, day)
    per_day = instance.slots_per_day
    items = np.bincount(flows.destination, weights=counts.sum(axis=(0, 1)), minlength=instance.n_fac)
    wait = to_wave[:, day * per_day : (day + 1) * per_day].astype(np.float64)
    counted = (wait >= 0) & ((instance.fac_td >= 0) & (items > 0))[:, None]
    total, weight = np.zeros((2, len(instance.td_fac), per_day))
    endpoint = np.flatnonzero(counted.any(axis=1))
    np.add.at(weight, instance.fac_td[endpoint], items[endpoint, None] * counted[endpoint])
    np.add.at(total, instance.fac_td[endpoint], np.where(counted, wait, 0.0)[endpoint] * items[endpoint, None])
    return np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)
