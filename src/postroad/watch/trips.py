"""Trips as the timetable has them, looked up by trip and facility."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from postroad.core.clock import DAY_MIN
from postroad.network.instance import Instance
from postroad.routing.outlook import UNDERWAY, WAITING, Outlook

__all__ = ["Connections", "Way"]

LEAST_DONE = 0.2


@dataclass(frozen=True, slots=True)
class Way:
    """Where what is under way goes, and the minute in which it is ready to be sorted there; int32 and int64 (n_row,).
    What is not under way, and what rides no trip that is known, stays where it is."""

    to: np.ndarray
    ready: np.ndarray


class Connections:
    """Where the trips of a plan go, by trip and facility of boarding."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        lane = instance.cn_lane
        start, end = instance.lane_from[lane].astype(np.int64), instance.lane_to[lane].astype(np.int64)
        trip = instance.cn_trip.astype(np.int64)
        self._n_fac = instance.n_fac
        board, alight = trip * instance.n_fac + start, trip * instance.n_fac + end
        self._by_board = np.lexsort((instance.cn_leg_last, board))
        self._board = board[self._by_board]
        self._by_alight = np.argsort(alight, kind="stable")
        self._alight = alight[self._by_alight]

    def handling(self, trip: np.ndarray, facility: np.ndarray) -> np.ndarray:
        """Minutes from the arrival of trips at facilities to being ready to be sorted there; -1 where they do not
        call."""
        return self._minute(self._alight, self._by_alight, trip, facility, self.instance.cn_ready_min)

    def departs(self, trip: np.ndarray, facility: np.ndarray) -> np.ndarray:
        """Minute, from midnight of the service day, at which trips leave facilities; -1 where they do not call."""
        return self._minute(self._board, self._by_board, trip, facility, self.instance.cn_dep_min)

    def arrives(self, trip: np.ndarray, facility: np.ndarray) -> np.ndarray:
        """Minute, from midnight of the service day, at which trips arrive at facilities; -1 where they do not call."""
        instance = self.instance
        return self._minute(self._alight, self._by_alight, trip, facility, instance.cn_dep_min + instance.cn_dur_min)

    def service_day(self, trip: np.ndarray, facility: np.ndarray, minute: np.ndarray) -> np.ndarray:
        """The service day, counted from the epoch, of trips that left facilities at minutes from it: the one whose
        planned departure is nearest; -1 where they do not call. Int64 (n_row,)."""
        planned = self.departs(trip, facility)
        return np.where(planned >= 0, (minute - planned + DAY_MIN // 2) // DAY_MIN, -1).astype(np.int64)

    def planned(self, trip: np.ndarray, facility: np.ndarray, minute: np.ndarray) -> np.ndarray:
        """The planned departure, in minutes from the epoch, of trips that left facilities at minutes from it."""
        return self.service_day(trip, facility, minute) * DAY_MIN + self.departs(trip, facility)

    def arrives_late(
        self, trip: np.ndarray, facility: np.ndarray, left: np.ndarray, now: np.ndarray, late: np.ndarray
    ) -> np.ndarray:
        """How late trips will be at their last call, in minutes, when they keep the pace they had so far.

        Parameters
        ----------
        trip, facility: of the departure. left, now: minutes from the epoch. late: minutes, how late it is now.

        Until a fifth of the ride is done, a change is taken to be that of a fifth: little tells little.
        """
        planned = self.planned(trip, facility, left)
        key = trip.astype(np.int64) * self._n_fac + facility
        farthest = self._by_board[np.searchsorted(self._board, key, side="right") - 1]
        ride = self.instance.cn_dur_min[farthest]
        done = np.clip((now - late - planned) / np.maximum(ride, 1), LEAST_DONE, 1.0)
        return (left - planned) + (late - (left - planned)) / done

    def _minute(self, keys, order, trip, facility, minute) -> np.ndarray:
        """A minute of the first connection with each key; -1 for none."""
        key = trip.astype(np.int64) * self._n_fac + facility
        at = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
        return np.where(keys[at] == key, minute[order[at]], -1)

    def choose(
        self, stage: np.ndarray, trip: np.ndarray, facility: np.ndarray, minute: np.ndarray, destination: np.ndarray,
        product: np.ndarray, outlook: Outlook,
    ) -> Way:  # fmt: skip
        """Where each item that left with a trip is taken: to the call from which the timetable brings it there first.

        Parameters
        ----------
        stage, trip, facility, minute: of the events; trip -1 where none is told. Others as :meth:`Outlook.expect`.
        """
        instance = self.instance
        to, ready = facility.astype(np.int32).copy(), minute.astype(np.int64).copy()
        rows = np.flatnonzero((stage == UNDERWAY) & (trip >= 0))
        key = trip[rows].astype(np.int64) * self._n_fac + facility[rows]
        first, last = (np.searchsorted(self._board, key, side=side) for side in ("left", "right"))
        best = np.full(len(rows), np.inf)
        for nth in range(int((last - first).max(initial=0))):
            there = np.flatnonzero(first + nth < last)
            cn = self._by_board[first[there] + nth]
            at = rows[there]
            end = instance.lane_to[instance.cn_lane[cn]]
            when = minute[at] + instance.cn_dur_min[cn] + instance.cn_ready_min[cn]
            waiting = np.full(len(at), WAITING)
            wave = outlook.expect(waiting, end, when, destination[at], product[at]).wave_slot.astype(float)
            wave[wave < 0] = DAY_MIN * 1e3
            better = wave < best[there]
            best[there[better]] = wave[better]
            to[at[better]], ready[at[better]] = end[better], when[better]
        return Way(to, ready)
