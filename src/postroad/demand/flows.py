"""Integer flows: how many items of which product are released where, for where, when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["Flows"]


@dataclass(frozen=True, slots=True)
class Flows:
    """The demand of a run of days, exact in whole items.

    Attributes
    ----------
    origin, destination: int32 (n_pair,), facility index of the endpoints, sorted by origin, then destination.
    release_min: int32 (n_rel,), minute of the day at which each release is accepted (收寄).
    n_days: number of release days, from the epoch of the instance.
    day_counts: ``day_counts(day)`` gives int32 (n_rel, n_prod, n_pair): the items released on that day.
    total_by_day: int64 (n_days,), the items of each day; equals the sum of ``day_counts``.

    A *group* is one cell of the counts; its number is
    ``gid = ((day * n_rel + release) * n_prod + product) * n_pair + pair``.
    """

    origin: np.ndarray
    destination: np.ndarray
    release_min: np.ndarray
    n_days: int
    n_prod: int
    day_counts: Callable[[int], np.ndarray]
    total_by_day: np.ndarray

    @property
    def n_pair(self) -> int:
        """Number of origin-destination pairs."""
        return len(self.origin)
