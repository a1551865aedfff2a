"""What a network loses: facilities and stretches between places, from a minute to a minute, or for good.

Other than a closure of an :class:`~postroad.network.overlay.Overlay`, which stops what begins or ends at one facility,
a loss also stops what would ride *through*: a train that calls in a lost province does not cross it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from postroad.core.digests import digest_bytes
from postroad.network.instance import Instance, freeze

__all__ = ["Loss", "degrade", "degrade_for_good", "find_lost_rides", "take_departures"]

_OF_DEPARTURES = ("dp_cn", "dp_dep_min", "dp_arr_min", "dp_ready_slot", "dp_day", "dp_capf")


@dataclass(frozen=True, slots=True)
class Loss:
    """Something lost.

    Attributes
    ----------
    facilities: bool (n_fac,), facilities that neither work nor let anything through.
    legs: bool (n_leg,), stretches that nothing rides.
    from_min, to_min: minutes of the horizon; ``from_min`` is inside, ``to_min`` is not.
    """

    facilities: np.ndarray
    legs: np.ndarray
    from_min: int
    to_min: int


def find_lost_rides(instance: Instance, loss: Loss) -> np.ndarray:
    """Connections that begin, end or pass at a lost facility or ride a lost stretch, bool (n_cn,)."""
    lost = loss.legs | loss.facilities[instance.leg_from] | loss.facilities[instance.leg_to]
    before = np.concatenate([[0], np.cumsum(lost)])
    return before[instance.cn_leg_last + 1] > before[instance.cn_leg_first]


def degrade(instance: Instance, losses: Iterable[Loss]) -> Instance:
    """The network while and after something is lost.

    Parameters
    ----------
    instance: compiled for a horizon of days.
    losses: of the same horizon.

    Returns
    -------
    Instance: without the departures within each loss's time that ride what is lost, and without the sorting, screening
    and delivery of lost facilities in that time. What is under way when the loss begins arrives and waits.
    """
    keep = np.ones(len(instance.dp_cn), bool)
    caps = {name: getattr(instance, name).copy() for name in ("sort_cap", "screen_cap", "wave_cap")}
    for loss in losses:
        during = (instance.dp_dep_min >= loss.from_min) & (instance.dp_dep_min < loss.to_min)
        keep &= ~(during & find_lost_rides(instance, loss)[instance.dp_cn])
        first, last = max(0, loss.from_min // instance.slot_min), max(0, -(-loss.to_min // instance.slot_min))
        for cap in caps.values():
            cap[loss.facilities, first:last] = 0
    return freeze(replace(take_departures(instance, keep), **caps))


def degrade_for_good(instance: Instance, losses: Iterable[Loss]) -> Instance:
    """The network as if what is lost never came back, whatever the times of the losses.

    Returns
    -------
    Instance: routing finds no lost ride in it, on no day: the connections stay, but their service never runs.
    """
    losses = tuple(losses)
    lost = np.zeros(len(instance.cn_lane), bool)
    facilities = np.zeros(instance.n_fac, bool)
    for loss in losses:
        lost |= find_lost_rides(instance, loss)
        facilities |= loss.facilities
    never = np.zeros((1, instance.service_runs.shape[1]), bool)
    caps = {name: getattr(instance, name).copy() for name in ("sort_cap", "screen_cap", "wave_cap")}
    for cap in caps.values():
        cap[facilities] = 0
    return freeze(
        replace(
            take_departures(instance, ~lost[instance.dp_cn]),
            cn_service=np.where(lost, len(instance.service_runs), instance.cn_service).astype(np.int32),
            service_runs=np.concatenate([instance.service_runs, never]),
            **caps,
        )
    )


def take_departures(instance: Instance, keep: np.ndarray) -> Instance:
    """The same network with some of its departures only, bool (n_departure,); its digest tells the two apart."""
    columns = {name: getattr(instance, name)[keep] for name in _OF_DEPARTURES}
    ptr = np.concatenate([[0], np.cumsum(keep)])[instance.dp_ptr].astype(np.int64)
    digest = digest_bytes(f"{instance.digest}|departures|".encode() + np.packbits(keep).tobytes())
    return replace(instance, digest=digest, dp_ptr=ptr, **columns)
