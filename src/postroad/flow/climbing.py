"""Prices that climb quickly from where they stand until loads fit, up to what more room costs."""

from __future__ import annotations

import numpy as np

from postroad.flow.prices import Market
from postroad.flow.sweeps import Sweeper

__all__ = ["WARMTH", "Climb"]

WARMTH = 0.25
"""Slots of waiting: prices move quickly and still tell a good way from a bad one."""

ROOM = 0.97
"""Part of a capacity that soft loads are to fill."""

LONGER, SHORTER, LONGEST_STEP, LEAST_STEP = 1.4, 0.7, 60.0, 0.1
FALL = 0.05
"""Prices fall more slowly than they rise, so that loads stay where there is room."""


class Climb:
    """Prices that rise where loads do not fit, up to what more room costs, and fall slowly where they do.

    Attributes
    ----------
    prices, used: float64 (n_priced,), after the last step, and the part of each capacity that was used in it.
    limits: float64 (n_priced,), the highest prices.
    """

    def __init__(self, sweeper: Sweeper, prices: np.ndarray, limits: np.ndarray) -> None:
        self.sweeper, self.prices, self.limits = sweeper, prices, limits
        self.used = np.zeros(len(prices))
        self._step, self._last = np.ones(len(prices)), np.zeros(len(prices))

    def step(self) -> None:
        """One iteration."""
        self.used = self.sweeper.flow(self.prices, WARMTH)
        excess = np.clip(np.log(np.maximum(self.used, 1e-3) / ROOM), -1.0, 2.0)
        longer = np.where(excess > 0.02, np.minimum(self._step * LONGER, LONGEST_STEP), self._step)
        self._step = np.where(excess * self._last < 0, np.maximum(self._step * SHORTER, LEAST_STEP), longer)
        self._last = excess
        rise = np.where(excess > 0, np.maximum(excess, 0.02), FALL * excess)
        self.prices = np.clip(self.prices + self._step * WARMTH * rise, 0.0, self.limits)

    def overload(self, calls: np.ndarray) -> float:
        """The part of what is used, in items, that lies beyond capacities of which no more is called up.

        Parameters
        ----------
        calls: float64 (n_priced,), finite where more is.
        """
        market: Market = self.sweeper.market
        resources = market.problem.resources
        room = np.concatenate([resources.items[0], market.problem.sort_cap.ravel()[market.sort_place]])
        over = np.where(np.isfinite(calls), 0.0, np.maximum(self.used - 1, 0)) * room
        return float(over.sum() / max((self.used * room).sum(), 1.0))
