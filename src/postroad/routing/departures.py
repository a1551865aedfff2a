"""Departures as routing sees them: one repeating pattern of core departures and opening slots per kind of day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from postroad.network.instance import Instance

__all__ = ["Timeline", "build_timeline", "lanes_out_of", "plan_departures", "repeating_days"]

WEEK = 7


@dataclass(frozen=True, slots=True)
class Timeline:
    """Days to be computed: leading days that differ from what follows, then a ring of days that repeats for ever.

    Attributes
    ----------
    n_days: days of the timeline; ring_days: how many of them, the last ones, form the ring.
    day_of_horizon: int32 (instance.n_days,), the timeline day that holds on each day of the horizon.
    slot: int32 (n_edge,), slot of the timeline in which the departure leaves; rising.
    lane: int32 (n_edge,), rising within a slot; one row per lane and slot, its first departure.
    cn: int32 (n_edge,), the connection.
    row: int32 (n_edge,), ``facility * n_slots + slot`` of the state reached, folded into the ring.
    n_step: int32 (n_edge,), slots from leaving to being sorted at the receiving facility.
    """

    n_days: int
    ring_days: int
    slots_per_day: int
    day_of_horizon: np.ndarray
    slot: np.ndarray
    lane: np.ndarray
    cn: np.ndarray
    row: np.ndarray
    n_step: np.ndarray

    @property
    def n_slots(self) -> int:
        """Slots of the timeline."""
        return self.n_days * self.slots_per_day

    @property
    def ring_from(self) -> int:
        """Slot at which the ring begins."""
        return (self.n_days - self.ring_days) * self.slots_per_day


@dataclass(frozen=True, slots=True)
class _Day:
    """The departures that leave in one calendar day, and the facilities' opening in its slots."""

    slot: np.ndarray
    lane: np.ndarray
    cn: np.ndarray
    n_step: np.ndarray
    is_open: np.ndarray

    def same_as(self, other: _Day) -> bool:
        """Whether routing cannot tell the days apart: same departures (connection, slot, duration), same opening."""
        if self is other:
            return True
        pairs = (
            (self.slot, other.slot),
            (self.cn, other.cn),
            (self.n_step, other.n_step),
            (self.is_open, other.is_open),
        )
        return all(np.array_equal(a, b) for a, b in pairs)


def build_timeline(instance: Instance, *, know_overlay: bool) -> Timeline:
    """Collect the departures between core facilities and fold the horizon into the fewest days that tell it all.

    The ring is the last day of the plan when the last seven days of the plan are alike, else those seven days (fewer
    when the horizon is shorter).

    Parameters
    ----------
    instance: the compiled network.
    know_overlay: take the departures and opening as overlaid (closures, delays, cancellations are foreseen) instead
        of the plan's.

    Returns
    -------
    Timeline: see there.

    **Assumes** that a facility which can sort at all in a slot can sort all that is there.
    """
    plan = _plan_days(instance)
    ring = _ring(plan)
    days = plan
    if know_overlay:
        kept = np.flatnonzero(instance.dp_capf > 0)
        slot, cn = instance.dp_dep_min[kept] // instance.slot_min, instance.dp_cn[kept]
        is_open = instance.sort_cap[: instance.n_core] > 0
        days = _split_days(instance, slot, cn, instance.dp_ready_slot[kept] - slot, is_open)
    lead = len(days)
    while lead and days[lead - 1].same_as(ring[(lead - 1 - len(days)) % len(ring)]):
        lead -= 1
    day_of_horizon = np.arange(len(days), dtype=np.int32)
    day_of_horizon[lead:] = lead + (np.arange(lead, len(days)) - len(days)) % len(ring)
    return _join(instance, days[:lead] + ring, len(ring), day_of_horizon)


def lanes_out_of(instance: Instance, territory: int) -> np.ndarray:
    """Lanes that leave a customs territory, bool (n_lane,): what is bound for a place in it takes none of them."""
    inside = instance.fac_territory == territory
    return inside[instance.lane_from] & ~inside[instance.lane_to]


def repeating_days(n_days: int) -> int:
    """How many days at the end of a horizon stand for what follows it: a week, or as many as there are."""
    return min(WEEK, n_days)


def plan_departures(instance: Instance) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slot, connection and slots to the queue of what the plan lets leave over the horizon, in order of departure.

    What leaves on the first days as part of trips that set out before the horizon is in the plan although the
    instance has no such departure: a service is taken to have run before the horizon as a week later (in a shorter
    horizon: as on its first day). Else the first days would differ from all others for want of a few overnight calls.
    """
    daily, runs = _daily_plan(instance), _plan_runs(instance)
    parts = []
    for day in range(instance.n_days):
        chosen = np.flatnonzero(runs(day))
        slot, cn, n_step = (column[chosen] for column in daily)
        parts.append((slot + day * instance.slots_per_day, cn, n_step))
    slot, cn, n_step = (np.concatenate(part).astype(np.int32) for part in zip(*parts, strict=True))
    return slot, cn, n_step


def _daily_plan(instance: Instance) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slot of the day, connection and slots to the queue of all connections, in order of their minute of the day."""
    minute = instance.cn_dep_min % 1440
    order = np.argsort(minute, kind="stable").astype(np.int32)
    minute = minute[order]
    ready = minute + instance.cn_dur_min[order] + instance.cn_ready_min[order]
    slot = minute // instance.slot_min
    return slot, order, -(-ready // instance.slot_min) - slot


def _plan_runs(instance: Instance) -> Callable[[int], np.ndarray]:
    """A function that gives, for a day, whether each row of :func:`_daily_plan` leaves on it."""
    offset, minute = np.divmod(instance.cn_dep_min, 1440)
    order = np.argsort(minute, kind="stable")
    offset, service = offset[order], instance.cn_service[order]

    def runs(day: int) -> np.ndarray:
        service_day = day - offset
        service_day = np.where(service_day < 0, service_day % WEEK, service_day)
        return instance.service_runs[service, np.where(service_day < instance.n_days, service_day, 0)]

    return runs


def _plan_days(instance: Instance) -> list[_Day]:
    """The days of the plan; days on which the same connections leave are one object."""
    daily, runs, opening = _daily_plan(instance), _plan_runs(instance), _plan_opening(instance)
    days: list[_Day] = []
    known: list[tuple[np.ndarray, _Day]] = []
    for day in range(instance.n_days):
        leaving = runs(day)
        same = next((other for before, other in known if np.array_equal(before, leaving)), None)
        if same is None:
            chosen = np.flatnonzero(leaving)
            same = _take_day(instance, *(column[chosen] for column in daily), opening)
            known.append((leaving, same))
        days.append(same)
    return days


def _plan_opening(instance: Instance) -> np.ndarray:
    """Whether cores sort, bool (n_core, slots_per_day): in the slots in which they do on any day of the horizon.

    The instance holds capacities as overlaid; what a closure hides on one day shows on another. A facility that is
    shut on all days, as in a short horizon that lies within its closure, is taken to be open always.
    """
    daily = (instance.sort_cap[: instance.n_core] > 0).reshape(instance.n_core, instance.n_days, -1).any(axis=1)
    daily[~daily.any(axis=1)] = True
    return daily


def _split_days(
    instance: Instance, slot: np.ndarray, cn: np.ndarray, n_step: np.ndarray, is_open: np.ndarray
) -> list[_Day]:
    """Cut departures in order of slot into calendar days."""
    per_day = instance.slots_per_day
    ends = np.searchsorted(slot, np.arange(instance.n_days + 1) * per_day)
    days = []
    for day in range(instance.n_days):
        part = slice(ends[day], ends[day + 1])
        opening = is_open[:, day * per_day : (day + 1) * per_day]
        days.append(_take_day(instance, slot[part] - day * per_day, cn[part], n_step[part], opening))
    return days


def _take_day(instance: Instance, slot: np.ndarray, cn: np.ndarray, n_step: np.ndarray, is_open: np.ndarray) -> _Day:
    """Of one day's departures, in order of minute, those between cores, the first of each lane and slot."""
    lane = instance.cn_lane[cn]
    core = (instance.lane_from < instance.n_core) & (instance.lane_to < instance.n_core)
    place = slot.astype(np.int64) * len(instance.lane_from) + lane
    rows = np.flatnonzero(core[lane])
    rows = rows[np.unique(place[rows], return_index=True)[1]]
    return _Day(slot[rows], lane[rows], cn[rows], np.maximum(n_step[rows], 1), is_open)


def _ring(plan: list[_Day]) -> list[_Day]:
    """The days that repeat after the horizon."""
    last = plan[-repeating_days(len(plan)) :]
    return last[-1:] if all(day.same_as(last[-1]) for day in last) else last


def _join(instance: Instance, days: list[_Day], ring_days: int, day_of_horizon: np.ndarray) -> Timeline:
    """Lay days end to end; what arrives while the facility sorts nothing waits for the next slot in which it does."""
    per_day = instance.slots_per_day
    n_slots = len(days) * per_day
    ring = ring_days * per_day
    start = np.repeat(np.arange(len(days)) * per_day, [len(day.slot) for day in days])
    slot, lane, cn, n_step = (
        np.concatenate([getattr(day, name) for day in days]) for name in ("slot", "lane", "cn", "n_step")
    )
    slot = slot + start
    waits = _slots_until_open(np.concatenate([day.is_open for day in days], axis=1), ring)
    goal = instance.lane_to[lane]
    wait = waits[goal, _wrap(slot + n_step, n_slots, ring)]
    reached = wait >= 0
    n_step = n_step + wait
    row = goal * n_slots + _wrap(slot + n_step, n_slots, ring)
    columns = (np.ascontiguousarray(column[reached], np.int32) for column in (slot, lane, cn, row, n_step))
    return Timeline(len(days), ring_days, per_day, day_of_horizon, *columns)


def _wrap(slot: np.ndarray, n_slots: int, ring: int) -> np.ndarray:
    """Fold slots beyond the end of the timeline into its ring."""
    return np.where(slot < n_slots, slot, n_slots - ring + (slot - n_slots) % ring)


def _slots_until_open(is_open: np.ndarray, ring: int) -> np.ndarray:
    """Slots from each slot of the timeline to the next with sorting, int32 (n_core, n_slots); -1: never."""
    n_core, n_slots = is_open.shape
    waits = np.empty((n_core, n_slots), np.int32)
    never = np.int32(2**30)
    ahead = np.full(n_core, never, np.int32)
    for slot in (*range(n_slots - 1, n_slots - ring - 1, -1), *range(n_slots - 1, -1, -1)):
        ahead = np.where(is_open[:, slot], 0, np.minimum(ahead + 1, never))
        waits[:, slot] = ahead
    return np.where(waits >= never, -1, waits)
