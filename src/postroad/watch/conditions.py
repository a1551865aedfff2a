"""Conditions: how things go at each facility of late, from the events of all items."""

from __future__ import annotations

import numpy as np

__all__ = ["MEASURES", "N_CONDITION", "Conditions"]

MEASURES = ("sort_wait", "lane_wait", "departure_late", "arrival_late", "wave_wait", "tour", "slip")
"""Minutes, each of a facility: from ready to sorted; from sorted to left; trips that left and that arrived, against the
timetable; waves against the timetable; from the wave to the door; what the expected delivery of items moved by."""

SORT_WAIT, LANE_WAIT, DEPARTURE_LATE, ARRIVAL_LATE, WAVE_WAIT, TOUR, SLIP = range(len(MEASURES))
WINDOWS_H = (3, 12, 72)
PRIOR = 3.0
"""Weight, in items, of the longer window in the mean of a shorter one; ours."""

N_CONDITION = len(MEASURES) * len(WINDOWS_H)


class Conditions:
    """Sums by facility and hour, and means over the hours before.

    Parameters
    ----------
    n_fac: facilities. n_hours: hours kept, from the epoch on.
    """

    def __init__(self, n_fac: int, n_hours: int) -> None:
        self.sums = np.zeros((len(MEASURES), n_hours, n_fac))
        self.counts = np.zeros((len(MEASURES), n_hours, n_fac))

    def observe(self, measure: int, facility: np.ndarray, minute: np.ndarray, value: np.ndarray) -> None:
        """Take note of what was seen at facilities at minutes from the epoch."""
        n_hours, n_fac = self.sums.shape[1:]
        hour = minute // 60
        kept = (facility >= 0) & (hour >= 0) & (hour < n_hours) & np.isfinite(value)
        cell = hour[kept].astype(np.int64) * n_fac + facility[kept]
        size = n_hours * n_fac
        self.sums[measure] += np.bincount(cell, value[kept], size).reshape(n_hours, n_fac)
        self.counts[measure] += np.bincount(cell, minlength=size).reshape(n_hours, n_fac)

    def means(self, first_hour: int, last_hour: int) -> np.ndarray:
        """Means of the hours before each of ``first_hour .. last_hour - 1``, its own left out.

        Returns
        -------
        float32 (hour, n_fac, N_CONDITION): measure by measure over 3, 12 and 72 hours; where few items were seen the
        mean leans on that of the longer window, and the longest on that of all facilities.
        """
        hours = np.arange(first_hour, last_hour)
        out = np.empty((len(hours), self.sums.shape[2], N_CONDITION), np.float32)
        for measure in range(len(MEASURES)):
            sums, counts = (_run(array[measure, :last_hour]) for array in (self.sums, self.counts))
            longest = np.maximum(hours - WINDOWS_H[-1], 0)
            whole = (sums[hours] - sums[longest]).sum(axis=1), (counts[hours] - counts[longest]).sum(axis=1)
            lean = (whole[0] / np.maximum(whole[1], 1))[:, None]
            for place in range(len(WINDOWS_H) - 1, -1, -1):
                before = np.maximum(hours - WINDOWS_H[place], 0)
                total, n = sums[hours] - sums[before], counts[hours] - counts[before]
                lean = (total + PRIOR * lean) / (n + PRIOR)
                out[:, :, measure * len(WINDOWS_H) + place] = lean
        return out


def _run(array: np.ndarray) -> np.ndarray:
    """Running sums along the hours, beginning with zero."""
    return np.concatenate([np.zeros((1, array.shape[1])), np.cumsum(array, axis=0)])
