"""Compile opening hours, sort waves, delivery waves and cut-offs into capacities by slot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from postroad.core.clock import parse_hhmm
from postroad.network.facilities import FacilityArrays

__all__ = ["UNLIMITED_ITEMS", "WorkArrays", "compile_windows"]

UNLIMITED_ITEMS = 2**30
"""Stands for "no limit" in a slot's capacity; larger than any slot's work and safe to add up in int64."""


@dataclass(frozen=True, slots=True)
class WorkArrays:
    """Capacities by slot of an Instance; see there."""

    sort_cap: np.ndarray
    screen_cap: np.ndarray
    wave_cap: np.ndarray
    wave_delay: np.ndarray


def compile_windows(
    network, fac: FacilityArrays, services: dict[str, int], runs: np.ndarray, n_days: int, slot: int
) -> WorkArrays:
    """Work out what each facility can sort, screen and send out for delivery in each slot.

    Sorting happens while the facility is open and, where it has sort waves, only within them; a wave's own
    ``items_per_h`` replaces the facility's. Hourly rates are spread over slots so that every hour is exact.

    Parameters
    ----------
    runs: bool (n_service, lead + n_days), whether a service runs on a day; the last ``n_days`` columns are the horizon.

    Returns
    -------
    WorkArrays: int32 (n_fac, n_slots) capacities; ``wave_delay`` int32 (n_fac, slots_per_day), slots from being sorted
    at the delivering facility to being ready for a wave, cut-offs included.
    """
    per_day = 1440 // slot
    n_fac = len(fac.fac_id)
    runs = runs[:, runs.shape[1] - n_days :]
    by_facility: dict[str, list[dict]] = {}
    for row in network.tables["windows"].iter_rows(named=True):
        by_facility.setdefault(row["facility_id"], []).append(row)
    sort_cap = _rates(fac.sort_items_per_h, n_days, slot)
    screen_cap = _rates(fac.screen_items_per_h, n_days, slot)
    wave_cap = np.zeros((n_fac, n_days * per_day), np.int32)
    delay = np.repeat(-(-fac.dest_min[:, None] // slot), per_day, axis=1).astype(np.int32)
    for facility_id, rows in by_facility.items():
        number = fac.index[facility_id]
        opened = [row for row in rows if row["kind"] == "open"]
        if opened:
            mask = _inside(opened, services, runs, n_days, slot)[0]
            sort_cap[number] *= mask
            screen_cap[number] *= mask
        waves = [row for row in rows if row["kind"] == "sort_wave"]
        if waves:
            mask, rate = _inside(waves, services, runs, n_days, slot)
            own = _rates(rate, 1, slot, exact=False)[:, 0]
            sort_cap[number] = np.where(rate >= 0, np.where(sort_cap[number] > 0, own, 0), sort_cap[number]) * mask
        _deliver(rows, services, runs, n_days, slot, wave_cap[number])
        _cut_off([row for row in rows if row["kind"] == "cutoff"], wave_cap[number], delay[number], slot)
    return WorkArrays(sort_cap, screen_cap, wave_cap, delay)


def _rates(per_h: np.ndarray, n_days: int, slot: int, exact: bool = True) -> np.ndarray:
    """Items by slot of the horizon from items an hour (-1: unlimited), every hour exact; shape (n, n_slots)."""
    per_hour = 60 // slot
    step = np.arange(per_hour + 1) if exact else np.arange(2)
    hourly = per_h[:, None].astype(np.int64) * step // per_hour
    slots = np.diff(hourly, axis=1)
    slots = np.where(per_h[:, None] < 0, UNLIMITED_ITEMS, np.minimum(slots, UNLIMITED_ITEMS)).astype(np.int32)
    return np.tile(slots, (1, n_days * 24)) if exact else slots


def _inside(
    rows: list[dict], services: dict[str, int], runs: np.ndarray, n_days: int, slot: int
) -> tuple[np.ndarray, np.ndarray]:
    """Which slots of the horizon lie in the windows (0/1), and the rate stated by the window (-1: none)."""
    per_day = 1440 // slot
    mask = np.zeros(n_days * per_day, np.int32)
    rate = np.full(n_days * per_day, -1, np.int64)
    for row in rows:
        start, end = parse_hhmm(row["start"]), parse_hhmm(row["end"])
        end = end if end > start else end + 1440
        for day in np.flatnonzero(runs[services[row["service_id"] or ""]]):
            first = day * per_day - (-start // slot)
            last = min(day * per_day + end // slot, len(mask))
            mask[first:last] = 1
            if row["items_per_h"] is not None:
                rate[first:last] = row["items_per_h"]
            if day == 0 and end > 1440:
                mask[: (end - 1440) // slot] = 1
    return mask, rate


def _deliver(
    rows: list[dict], services: dict[str, int], runs: np.ndarray, n_days: int, slot: int, wave_cap: np.ndarray
) -> None:
    """Put the delivery waves of one facility into its row of capacities."""
    per_day = 1440 // slot
    for row in rows:
        if row["kind"] != "delivery_wave":
            continue
        start = parse_hhmm(row["start"]) // slot
        for day in np.flatnonzero(runs[services[row["service_id"] or ""]]):
            if day * per_day + start < len(wave_cap):
                n_items = UNLIMITED_ITEMS if row["n_items"] is None else row["n_items"]
                wave_cap[day * per_day + start] = min(UNLIMITED_ITEMS, int(wave_cap[day * per_day + start]) + n_items)


def _cut_off(rows: list[dict], wave_cap: np.ndarray, delay: np.ndarray, slot: int) -> None:
    """Lengthen the delay of what would become ready after a cut-off so that it misses the wave that follows it."""
    per_day = 1440 // slot
    waves = np.unique(np.flatnonzero(wave_cap) % per_day)
    for row in rows:
        cut = (parse_hhmm(row["end"]) % 1440) // slot
        following = waves[waves >= cut] if (waves >= cut).any() else waves + per_day
        if not len(following):
            continue
        for moment in range(per_day):
            ready = (moment + delay[moment]) % per_day
            ready += per_day if ready < cut and following[0] >= per_day else 0
            if cut < ready <= following[0]:
                delay[moment] += following[0] + 1 - ready
