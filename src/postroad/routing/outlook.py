"""What the timetable lets expect of an item from where it stands: when it reaches its destination, and its wave."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from postroad.core.clock import DAY_MIN
from postroad.kernels.promises import NEVER
from postroad.network.instance import Instance
from postroad.routing.departures import repeating_days
from postroad.routing.tables import RoutingTables
from postroad.routing.waits import after, plan_waits, slots_to_wave
from postroad.routing.ways import Ways

__all__ = ["ACCEPTED", "FAILED", "OUT", "SCREENED", "SORTED", "STAGES", "UNDERWAY", "WAITING", "Expectation", "Outlook"]

STAGES = ("accepted", "screened", "waiting", "sorted", "underway", "out", "failed")
ACCEPTED, SCREENED, WAITING, SORTED, UNDERWAY, OUT, FAILED = range(len(STAGES))
NO_ROUTE = 32767


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the timetable lets expect, a row a question.

    Attributes
    ----------
    reached_slot: int32, slot in which it is sorted at the anchor of its destination (of what is there already: now);
        wave_slot: int32, slot of its delivery wave. -1 where the timetable leads nowhere.
    door_min: float64, minutes from the epoch: the median instant of the wave's tour; NaN where there is no wave.
    """

    reached_slot: np.ndarray
    wave_slot: np.ndarray
    door_min: np.ndarray


class Outlook:
    """Expectations from a plan's timetable, without queues.

    Parameters
    ----------
    instance: the compiled plan; days beyond its horizon repeat its last week.
    tables: its routing tables.
    tour_shares: float64 (n_hour,), share of a wave's deliveries in each hour after it leaves.

    Attributes
    ----------
    ways: the ways of the tables. handling_min: int64 (n_fac,), least minutes from arriving to being ready to be sorted.
    tour_min, tour_p90_min, tour_end_min: minutes from a wave to half, to nine tenths and to all of its deliveries.
    """

    def __init__(self, instance: Instance, tables: RoutingTables, tour_shares: np.ndarray) -> None:
        self.instance, self.tables = instance, tables
        self.ways = Ways(instance, tables)
        self._waits = plan_waits(instance)
        self._at_door, self._at_anchor = slots_to_wave(instance, self._waits)
        self._ring = repeating_days(instance.n_days) * instance.slots_per_day
        anchor = instance.fac_parent
        self._anchor = np.where(anchor < 0, np.arange(instance.n_fac), anchor)
        self.handling_min = _least_handling(instance)
        self.tour_min = _tour_quantile(tour_shares, 0.5)
        self.tour_p90_min = _tour_quantile(tour_shares, 0.9)
        self.tour_end_min = 60 * len(tour_shares)

    def expect(
        self, stage: np.ndarray, facility: np.ndarray, minute: np.ndarray, destination: np.ndarray, product: np.ndarray
    ) -> Expectation:
        """Look ahead from where items stand.

        Parameters
        ----------
        stage: index into STAGES. facility: int32, where it is; of what is under way where it goes.
        minute: minutes from the epoch since when it is there; of what is waiting or under way, when it is ready to be
            sorted; of what is out, when its wave left; of a failed attempt, the end of its tour.
        destination: int32, delivering endpoint. product: index into the instance's products.
        """
        instance, slot_min = self.instance, self.instance.slot_min
        minute = minute.astype(np.int64)
        slot = self._sorted_here(stage, facility, minute)
        slot, place = self._to_anchor(slot, facility, destination)
        anchor = self._anchor[destination]
        onward = (place != destination) & (place != anchor) & (slot < NEVER)
        at = self._fold(np.where(onward, slot, 0))
        per_day = instance.slots_per_day
        to_go = self.tables.slots_to_go[
            self.tables.table_of_product[product],
            self.tables.block_of_day[np.minimum(at // per_day, len(self.tables.block_of_day) - 1)],
            np.where(onward, place, anchor), at % per_day, instance.fac_td[destination],
        ].astype(np.int64)  # fmt: skip
        slot = np.where(onward, np.where(to_go == NO_ROUTE, NEVER, slot + to_go), slot)
        at = self._fold(np.where(slot < NEVER, slot, 0))
        to_wave = np.where(place == destination, self._at_door[destination, at], self._at_anchor[destination, at])
        wave = np.where((slot < NEVER) & (to_wave < NEVER), slot + to_wave, -1)
        wave = np.where(stage == OUT, minute // slot_min, wave)
        again = stage == FAILED
        if again.any():
            wave[again] = self._next_wave(facility[again], minute[again])
        slot = np.where((stage == OUT) | again, minute // slot_min, np.where(slot < NEVER, slot, -1))
        door = np.where(wave >= 0, wave * slot_min + self.tour_min, np.nan)
        return Expectation(slot.astype(np.int32), wave.astype(np.int32), door)

    def sorted_slot(self, stage: np.ndarray, facility: np.ndarray, minute: np.ndarray) -> np.ndarray:
        """The slot in which each is sorted where it is, or where it goes; -1 where it never is."""
        slot = self._sorted_here(stage, facility, minute.astype(np.int64))
        return np.where(slot < NEVER, slot, -1)

    def _sorted_here(self, stage: np.ndarray, facility: np.ndarray, minute: np.ndarray) -> np.ndarray:
        """The slot in which each is sorted where it is."""
        per_day, slot_min = self.instance.slots_per_day, self.instance.slot_min
        begin = minute + np.where(stage == ACCEPTED, self.instance.origin_min[facility], 0)
        slot = np.where(stage == SORTED, minute // slot_min, -(-begin // slot_min))
        screened = after(self._waits.screen, facility, slot, per_day)
        slot = np.where(stage == ACCEPTED, screened, slot)
        return np.where(stage == SORTED, slot, after(self._waits.sort, facility, slot, per_day))

    def _to_anchor(
        self, slot: np.ndarray, facility: np.ndarray, destination: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Slot and place of what an outlet sends on to its parent; of all else where it is."""
        per_day = self.instance.slots_per_day
        rises = (self._anchor[facility] != facility) & (facility != destination)
        if not rises.any():
            return slot, facility
        parent = self._anchor[facility]
        there = after(self._waits.sort, parent, after(self._waits.collect, facility, slot, per_day), per_day)
        return np.where(rises, there, slot), np.where(rises, parent, facility)

    def _next_wave(self, facility: np.ndarray, minute: np.ndarray) -> np.ndarray:
        """The wave that tries again what a tour brought back: not before its day has passed."""
        instance = self.instance
        next_day = ((minute - self.tour_end_min) // DAY_MIN + 1) * DAY_MIN
        ready = -(-np.maximum(minute, next_day) // instance.slot_min)
        wave = after(self._waits.wave, facility, ready, instance.slots_per_day).astype(np.int64)
        return np.where(wave < NEVER, wave, -1)

    def _fold(self, slot: np.ndarray) -> np.ndarray:
        """Slots beyond the horizon as those of the last week that they repeat."""
        n_slots = self.instance.n_slots
        return np.where(slot < n_slots, slot, n_slots - self._ring + (slot - n_slots) % self._ring)


def _least_handling(instance: Instance) -> np.ndarray:
    """Least minutes from an arrival to being ready to be sorted, (n_fac,); 0 where nothing arrives."""
    handling = np.full(instance.n_fac, 1 << 30, np.int64)
    np.minimum.at(handling, instance.lane_to[instance.cn_lane], instance.cn_ready_min)
    return np.where(handling < 1 << 30, handling, 0)


def _tour_quantile(shares: np.ndarray, q: float) -> float:
    """Minutes after a wave leaves by which a share of its deliveries is made, even within each hour."""
    ends = np.concatenate([[0.0], np.cumsum(shares) / np.sum(shares)])
    return float(np.interp(q, ends, 60.0 * np.arange(len(ends))))
