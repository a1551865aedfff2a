"""Conditions: how things go at each facility of late, from the events of all items."""

from __future__ import annotations

import numpy as np

__all__ = ["CONDITIONS", "Conditions"]

MEASURES = ("sort_wait", "lane_wait", "departure_late", "arrival_late", "wave_wait", "tour", "slip")
"""Minutes, each of a facility: from ready to sorted; from sorted to left; trips that left and that arrived, against the
timetable; waves against the timetable; from the wave to the door; what the expected delivery of items moved by."""

SORT_WAIT, LANE_WAIT, DEPARTURE_LATE, ARRIVAL_LATE, WAVE_WAIT, TOUR, SLIP = range(len(MEASURES))
WIDE = (DEPARTURE_LATE, SORT_WAIT, WAVE_WAIT, SLIP)
"""Measures of which the mean over the province is told too: bad weather shows there first."""

PRESENT = ("present", "present_final")
"""Items that stand at a facility, and those of them that are delivered from it, over what is usual at that hour."""

WINDOWS_H = (3, 12, 72)
PRIOR = 3.0
"""Weight, in items, of the wider mean in a narrower one; ours."""

USUAL_DAYS = 3
"""Days whose same hour tells what is usual."""

CONDITIONS = (
    *(f"{measure}_{window}h" for measure in MEASURES for window in WINDOWS_H),
    *(f"province_{MEASURES[measure]}_{window}h" for measure in WIDE for window in WINDOWS_H[:2]),
    *PRESENT,
)


class Conditions:
    """Sums by facility and hour, and means over the hours before.

    Parameters
    ----------
    province: int (n_fac,), the province of each facility. n_hours: hours kept, from the epoch on.
    """

    def __init__(self, province: np.ndarray, n_hours: int) -> None:
        shape = (n_hours, len(province))
        self.province = province
        self.sums, self.counts = np.zeros((len(MEASURES), *shape)), np.zeros((len(MEASURES), *shape))
        self.moves = np.zeros((len(PRESENT), *shape))

    def observe(self, measure: int, facility: np.ndarray, minute: np.ndarray, value: np.ndarray) -> None:
        """Take note of what was seen at facilities at minutes from the epoch."""
        self.sums[measure] += self._by_hour(facility, minute, value)
        self.counts[measure] += self._by_hour(facility, minute, np.isfinite(value).astype(float))

    def move(self, kind: int, facility: np.ndarray, minute: np.ndarray, n: int) -> None:
        """Take note that items came to stand at facilities (``n`` 1) or left them (-1); ``kind``: index of PRESENT."""
        self.moves[kind] += self._by_hour(facility, minute, np.full(len(facility), float(n)))

    def _by_hour(self, facility: np.ndarray, minute: np.ndarray, value: np.ndarray) -> np.ndarray:
        """Sums of values by hour and facility; what lies outside is left out."""
        n_hours, n_fac = self.moves.shape[1:]
        hour = minute // 60
        kept = (facility >= 0) & (hour >= 0) & (hour < n_hours) & np.isfinite(value)
        cell = hour[kept].astype(np.int64) * n_fac + facility[kept]
        return np.bincount(cell, value[kept], n_hours * n_fac).reshape(n_hours, n_fac)

    def means(self, first_hour: int, last_hour: int) -> np.ndarray:
        """Conditions at the beginning of each of the hours ``first_hour .. last_hour - 1``.

        Returns
        -------
        float32 (hour, n_fac, len(CONDITIONS)). Means are of the 3, 12 and 72 hours before. Where few items were seen
        the mean of a facility leans on that of its province, that on the one of the longer window, and the longest on
        that of all facilities.
        """
        hours = np.arange(first_hour, last_hour)
        out = np.empty((len(hours), len(self.province), len(CONDITIONS)), np.float32)
        wide = len(MEASURES) * len(WINDOWS_H)
        for measure in range(len(MEASURES)):
            runs = [_run(array[measure, :last_hour]) for array in (self.sums, self.counts)]
            lean = None
            for place in range(len(WINDOWS_H) - 1, -1, -1):
                before = np.maximum(hours - WINDOWS_H[place], 0)
                total, n = (run[hours] - run[before] for run in runs)
                if lean is None:
                    lean = total.sum(axis=1, keepdims=True) / np.maximum(n.sum(axis=1, keepdims=True), 1)
                lean = (self._over_province(total) + PRIOR * lean) / (self._over_province(n) + PRIOR)
                out[:, :, measure * len(WINDOWS_H) + place] = (total + PRIOR * lean) / (n + PRIOR)
                if measure in WIDE and place < 2:
                    out[:, :, wide + 2 * WIDE.index(measure) + place] = lean
        for kind in range(len(PRESENT)):
            stand = _run(self.moves[kind, :last_hour])
            usual = sum(stand[np.maximum(hours - 24 * (day + 1), 0)] for day in range(USUAL_DAYS)) / USUAL_DAYS
            out[:, :, len(CONDITIONS) - len(PRESENT) + kind] = (stand[hours] + 2) / (np.maximum(usual, 0) + 2)
        return out

    def _over_province(self, by_facility: np.ndarray) -> np.ndarray:
        """For each facility the sum over those of its province."""
        provinces, index = np.unique(self.province, return_inverse=True)
        member = np.zeros((len(self.province), len(provinces)))
        member[np.arange(len(index)), index] = 1
        return (by_facility @ member)[:, index]


def _run(array: np.ndarray) -> np.ndarray:
    """Running sums along the hours, beginning with zero."""
    return np.concatenate([np.zeros((1, array.shape[1])), np.cumsum(array, axis=0)])
