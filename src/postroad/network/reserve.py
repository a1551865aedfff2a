"""Capacity called up for a time: extra trips beside those of the timetable, more sorting, more couriers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from postroad.core.digests import digest_bytes
from postroad.network.instance import Instance, freeze

__all__ = ["Reserve", "with_reserve"]


@dataclass(frozen=True, slots=True)
class Reserve:
    """What is called up from one minute of a horizon to another, every day alike.

    Attributes
    ----------
    from_min, to_min: minutes from the epoch.
    connections: int32, rising; extra_pm: int32, same shape, extra room per thousand of the trip's own: 1000 is a second
        trip beside it.
    sort_extra: int32 (n_core, slots_per_day), items sorted beyond the facility's capacity in each slot.
    n_trips: extra trips a day, whole ones. yuan_per_day: what all of it costs (modelled).
    wave_extra: int32 (n_fac, slots_per_day), items that each delivery wave takes beyond its capacity; None for none.
    """

    from_min: int
    to_min: int
    connections: np.ndarray
    extra_pm: np.ndarray
    sort_extra: np.ndarray
    n_trips: int
    yuan_per_day: float
    wave_extra: np.ndarray | None = None


def with_reserve(instance: Instance, reserve: Reserve) -> Instance:
    """The same network with what is called up; its digest tells the two apart.

    Sorting and delivery are added only in slots in which the facility does them, so that what is closed stays closed.
    """
    extra = np.zeros(len(instance.cn_lane), np.int64)
    extra[reserve.connections] = reserve.extra_pm
    capf = instance.dp_capf.astype(np.int64)
    inside = (instance.dp_dep_min >= reserve.from_min) & (instance.dp_dep_min < reserve.to_min) & (capf > 0)
    capf[inside] += extra[instance.dp_cn[inside]]
    slots = np.arange(instance.n_slots)
    called = (slots * instance.slot_min >= reserve.from_min) & (slots * instance.slot_min < reserve.to_min)
    sort_cap, wave_cap = instance.sort_cap.copy(), instance.wave_cap
    _add(sort_cap[: instance.n_core], reserve.sort_extra, called)
    told = f"{instance.digest}|reserve|{reserve.from_min}|{reserve.to_min}|".encode()
    told += extra.tobytes() + reserve.sort_extra.tobytes()
    if reserve.wave_extra is not None:
        wave_cap = wave_cap.copy()
        _add(wave_cap, reserve.wave_extra, called)
        told += reserve.wave_extra.tobytes()
    return freeze(
        replace(
            instance, digest=digest_bytes(told), dp_capf=capf.astype(np.int32), sort_cap=sort_cap, wave_cap=wave_cap
        )
    )


def _add(capacity: np.ndarray, extra: np.ndarray, called: np.ndarray) -> None:
    """Add what is called up each day, where there is any capacity, in place."""
    more = np.tile(extra, (1, len(called) // extra.shape[1])) * called
    capacity += np.where(capacity > 0, more, 0).astype(np.int32)
