"""Scores of forecasts: how far off the quantiles are, how often they hold, how well lateness is told."""

from __future__ import annotations

import numpy as np

__all__ = ["best_f1", "coverage", "f1_score", "pinball_loss"]


def pinball_loss(actual: np.ndarray, quantile: np.ndarray, q: float, weight: np.ndarray) -> float:
    """Weighted mean pinball loss of a forecast of the ``q``-quantile, in the unit of what is forecast.

    Source: Koenker and Bassett, Regression Quantiles, Econometrica 46 (1978).

    >>> pinball_loss(np.array([10.0]), np.array([8.0]), 0.9, np.array([1.0]))
    1.8
    """
    off = actual - quantile
    return float(np.average(np.maximum(q * off, (q - 1) * off), weights=weight))


def coverage(actual: np.ndarray, quantile: np.ndarray, weight: np.ndarray) -> float:
    """Weighted share of what came no later than the forecast quantile."""
    return float(np.average(actual <= quantile, weights=weight))


def f1_score(truth: np.ndarray, told: np.ndarray) -> float:
    """Harmonic mean of precision and recall of what was told; 0 where nothing was both true and told."""
    hits = float((truth & told).sum())
    return 2 * hits / max(float(truth.sum() + told.sum()), 1.0)


def best_f1(truth: np.ndarray, score: np.ndarray) -> tuple[float, float]:
    """The largest F1 over all limits of a score, and the limit: true is told where the score reaches it.

    >>> best_f1(np.array([True, False, True]), np.array([0.9, 0.6, 0.5]))
    (0.8, 0.5)
    """
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(truth[order])
    ends = np.flatnonzero(np.r_[np.diff(score[order]) != 0, True])
    f1 = 2 * hits[ends] / np.maximum(ends + 1 + truth.sum(), 1)
    best = int(np.argmax(f1))
    return float(f1[best]), float(score[order][ends[best]])
