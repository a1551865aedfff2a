"""The departures of a repeating day as the planner sees them: rides over a ring of slots and the resources they use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from postroad.network.instance import Instance

__all__ = ["Resources", "Rides", "collect_rides"]


@dataclass(frozen=True, slots=True)
class Rides:
    """Rides between core facilities, in order of (slot, facility, lane, step).

    A ride is one departure, or several that nothing tells apart: parallel trips of one lane that leave in the same slot
    and whose items are sorted in the same slot at the other end, each on a leg of its own.

    Attributes
    ----------
    ptr: int64 (n_slots * n_core + 1,), rides of each slot and facility (``slot * n_core + facility``).
    slot, fac, lane, head: int32 (n_ride,), when and where it leaves, its lane, the facility it leads to.
    step: int32 (n_ride,), slots from leaving to joining the sort queue there; 1 or more, may exceed the ring.
    gco2e_per_t: int64 (n_ride,), grams of CO2e per tonne.
    departure_ptr: int64 (n_ride + 1,), departures: int32, rows of the instance's departures that the ride stands for.
    """

    ptr: np.ndarray
    slot: np.ndarray
    fac: np.ndarray
    lane: np.ndarray
    head: np.ndarray
    step: np.ndarray
    gco2e_per_t: np.ndarray
    departure_ptr: np.ndarray
    departures: np.ndarray

    @property
    def n(self) -> int:
        """Number of rides."""
        return len(self.slot)


@dataclass(frozen=True, slots=True)
class Resources:
    """What rides share: the room on a leg, in pieces, kilograms or cubic metres, whichever can run out first.

    Attributes
    ----------
    ride_ptr: int64 (n_ride + 1,), uses of each ride; of_use: int32 (n_use,), the resource.
    share: float64 (n_prod, n_use), part of the resource that one item takes; 1 is all of it.
    leg: int32 (n_resource,), a leg of it (the only one, but for parallel trips that were put together).
    kind: int8 (n_resource,), 0 pieces, 1 grams, 2 cubic centimetres.
    items: float64 (n_prod, n_resource), items of each product alone that it takes.
    """

    ride_ptr: np.ndarray
    of_use: np.ndarray
    share: np.ndarray
    leg: np.ndarray
    kind: np.ndarray
    items: np.ndarray

    @property
    def n(self) -> int:
        """Number of resources."""
        return len(self.leg)


def collect_rides(instance: Instance, day: int) -> tuple[Rides, Resources]:
    """The rides of one day of an instance's horizon, and what they use.

    **Assumes** that the day is far enough from the beginning of the horizon for every trip under way to be in it.
    """
    per_day, core = instance.slots_per_day, instance.n_core
    row = np.arange(instance.dp_ptr[day * per_day], instance.dp_ptr[(day + 1) * per_day])
    lane = instance.cn_lane[instance.dp_cn[row]]
    row = row[(instance.lane_from[lane] < core) & (instance.lane_to[lane] < core) & (instance.dp_capf[row] > 0)]
    cn = instance.dp_cn[row]
    lane = instance.cn_lane[cn]
    slot = instance.dp_dep_min[row] // instance.slot_min
    step = instance.dp_ready_slot[row] - slot
    slot = slot - day * per_day
    fac = instance.lane_from[lane]
    alone = _has_own_leg(instance)[cn]
    # departures with a leg of their own that nothing tells apart become one ride
    key = np.stack([slot, fac, lane, step, instance.cn_g[cn], np.where(alone, -1, np.arange(len(row)))])
    order = np.lexsort(key[::-1])
    is_first = np.r_[True, (np.diff(key[:, order], axis=1) != 0).any(axis=0)]
    ride_of = np.cumsum(is_first) - 1
    first = order[is_first]
    rides = Rides(
        ptr=np.searchsorted(slot[first].astype(np.int64) * core + fac[first], np.arange(per_day * core + 1)),
        slot=slot[first].astype(np.int32),
        fac=fac[first].astype(np.int32),
        lane=lane[first].astype(np.int32),
        head=instance.lane_to[lane[first]].astype(np.int32),
        step=step[first].astype(np.int32),
        gco2e_per_t=instance.cn_g[cn[first]].astype(np.int64),
        departure_ptr=np.r_[np.flatnonzero(is_first), len(order)],
        departures=row[order].astype(np.int32),
    )
    return rides, _share_out(instance, cn[order], instance.dp_capf[row[order]], ride_of, alone[order])


def _has_own_leg(instance: Instance) -> np.ndarray:
    """Connections that ride one leg which no other connection rides, bool (n_cn,)."""
    riders = np.zeros(len(instance.leg_from) + 1, np.int64)
    np.add.at(riders, instance.cn_leg_first, 1)
    np.add.at(riders, instance.cn_leg_last + 1, -1)
    riders = np.cumsum(riders[:-1])
    return (instance.cn_leg_first == instance.cn_leg_last) & (riders[instance.cn_leg_first] == 1)


def _share_out(
    instance: Instance, cn: np.ndarray, capf: np.ndarray, ride_of: np.ndarray, alone: np.ndarray
) -> Resources:
    """The resources of departures in order of ride: one for each ride of parallel trips, one for each leg of others."""
    n_legs = instance.cn_leg_last[cn] - instance.cn_leg_first[cn] + 1
    use_dp = np.repeat(np.arange(len(cn)), n_legs)
    leg = np.arange(len(use_dp)) - np.repeat(np.cumsum(n_legs) - n_legs, n_legs) + instance.cn_leg_first[cn[use_dp]]
    # parallel trips pool their room; a leg that connections share is one resource
    pool = np.where(alone[use_dp], ride_of[use_dp], len(ride_of) + leg)
    _, first, pooled = np.unique(pool, return_index=True, return_inverse=True)
    room = np.stack([instance.leg_cap_items[leg], instance.leg_cap_g[leg], instance.leg_cap_cm3[leg]])
    room = np.maximum(np.floor(room * (capf[use_dp] / 1000.0)), 1.0)
    total = np.zeros((3, len(first)))
    for kind in range(3):
        np.add.at(total[kind], pooled[alone[use_dp]], room[kind][alone[use_dp]])
        total[kind, pooled[~alone[use_dp]]] = room[kind][~alone[use_dp]]
    need = np.stack([np.ones(len(instance.prod_g)), instance.prod_g, instance.prod_cm3]).astype(float)
    share = need[:, :, None] / total[:, None, :]  # kind, product, pool
    binding = (share >= share.max(axis=0) * (1 - 1e-12)).any(axis=1)  # kinds that run out first for some product
    for kind in (1, 2):  # of kinds that say the same keep the first
        for before in range(kind):
            binding[kind] &= ~(binding[before] & (np.abs(share[kind] / share[before] - 1) < 1e-12).all(axis=0))
    number = np.full(binding.shape, -1)
    number[binding] = np.arange(binding.sum())
    seen = np.unique(np.stack([ride_of[use_dp], pooled]), axis=1)
    uses = [(seen[0][binding[kind][seen[1]]], number[kind][seen[1]][binding[kind][seen[1]]]) for kind in range(3)]
    ride, resource = (np.concatenate([use[part] for use in uses]) for part in (0, 1))
    order = np.lexsort((resource, ride))
    kinds, pools = np.nonzero(binding)
    per_item = share[kinds, :, pools].T  # product, resource
    return Resources(
        ride_ptr=np.searchsorted(ride[order], np.arange(ride_of[-1] + 2)) if len(ride_of) else np.zeros(1, np.int64),
        of_use=resource[order].astype(np.int32),
        share=np.ascontiguousarray(per_item[:, resource[order]]),
        leg=leg[first][pools].astype(np.int32),
        kind=kinds.astype(np.int8),
        items=1.0 / per_item,
    )
