"""Price ascent: prices move until what items want to use is what there is.

Where soft loads exceed a capacity its price rises, where they leave room it falls, in proportion to the logarithm of
load over capacity and to the warmth of the values, which is what a price change moves loads by. Each price has a step
of its own, longer while it keeps its direction and shorter when it turns. As the warmth falls the soft loads come close
to those of the linear programme's optimum. Loads are taken to fit when they use ``ROOM`` of a capacity: the little
that is kept back is what lets a plan find its way without collisions, and costs next to nothing.
"""

from __future__ import annotations

import numpy as np

from postroad.flow.sweeps import Sweeper

__all__ = ["Ascent", "push_away", "warmth_at"]

ROOM = 0.97
"""Part of a capacity that soft loads are to fill."""

LONGER, SHORTER = 1.1, 0.7
LEAST_STEP, LONGEST_STEP = 0.02, 30.0
MOMENTUM = 0.5


def warmth_at(n_done: int) -> float:
    """Slots of waiting that the warmth is worth after so many iterations: 1 at first, 0.1 after 120, 0.03 at last."""
    return max(10 ** (-n_done / 120), 0.1 * 10 ** (-max(n_done - 120, 0) / 400), 0.03)


class Ascent:
    """The prices and their steps."""

    def __init__(self, sweeper: Sweeper, prices: np.ndarray | None = None) -> None:
        n = sweeper.market.n
        self.sweeper = sweeper
        self.prices = np.zeros(n) if prices is None else prices.copy()
        self.n_done = 0
        self._ahead = self.prices.copy()
        self._step = np.ones(n)
        self._last = np.zeros(n)

    def iterate(self) -> np.ndarray:
        """One iteration; the part of each capacity that was used."""
        warmth = warmth_at(self.n_done)
        used = self.sweeper.flow(self._ahead, warmth)
        excess = np.clip(np.log(np.maximum(used, 1e-3) / ROOM), -1.0, 2.0)
        free = (self._ahead <= 0) & (excess < 0)
        turned = excess * self._last < 0
        self._step = np.where(turned, np.maximum(self._step * SHORTER, LEAST_STEP), self._step)
        self._step = np.where(turned | free, self._step, np.minimum(self._step * LONGER, LONGEST_STEP))
        self._step[free] = 1.0
        self._last = excess
        moved = np.maximum(self._ahead + self._step * warmth * excess, 0.0)
        self._ahead = np.maximum(moved + MOMENTUM * (moved - self.prices), 0.0)
        self.prices = moved
        self.n_done += 1
        return used


def push_away(sweeper: Sweeper, prices: np.ndarray, warmth: float, n_steps: int) -> np.ndarray:
    """Raise prices where loads do not fit until nearly all do; the prices then.

    The bound is not improved by this: it makes room. Prices fall again only slowly, so that loads stay away.
    """
    prices = prices.copy()
    step, last = np.ones(len(prices)), np.zeros(len(prices))
    for _ in range(n_steps):
        excess = np.clip(np.log(np.maximum(sweeper.flow(prices, warmth), 1e-3) / 0.995), -1.0, 2.0)
        grows = np.where(excess > 0.02, np.minimum(step * 1.2, LONGEST_STEP), step)
        step = np.where(excess * last < 0, np.maximum(step * SHORTER, 0.1), grows)
        last = excess
        rise = np.where(excess > 0, np.maximum(excess, 0.02), 0.02 * excess)
        prices = np.maximum(prices + step * warmth * rise, 0.0)
    return prices
