r"""The doubly constrained gravity model: how many items go from each city to each other.

.. math:: T_{ij} = A_i O_i \, B_j D_j \, f(d_{ij}), \qquad f(d) = d^{-\beta}, \qquad
          \sum_j T_{ij} = O_i, \quad \sum_i T_{ij} = D_j .

The factors *A* and *B* come from alternate scaling (Furness) to a relative error of 1e-12. The one free number,
:math:`\beta`, is set so that the share of items that stay in their city is the published national one: 10.57 % of
domestic items in 2023 (136.4 of 1,290.0 yi). Everything else published is left for tests (``fit_report``).

Sources: Wilson (1967); Furness (1965); State Post Bureau bulletin 2023. The result is modelled.

**Assumes** that distance deters mail alike everywhere, whoever sends it, and that nothing else pairs cities: no
industry that serves one region, no shared dialect, no firm's own network.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from postroad import facts
from postroad.core.errors import InputError, LimitReached
from postroad.demand.distances import read_distances
from postroad.demand.marginals import Marginals, read_marginals
from postroad.kernels.gravity import balance, fill_table

__all__ = ["SENSITIVITY_BETAS", "GravityModel", "fit_gravity", "published_intracity_share"]

SENSITIVITY_BETAS = (0.6, 0.83, 1.05)
"""Betas to run beside the fitted one."""

TOLERANCE = 1e-12
_MAX_ROUNDS = 2000
_BETA_RANGE = (0.05, 3.0)
_FIT_RANGE = (0.2, 2.0)


@dataclass(frozen=True, slots=True)
class GravityModel:
    """A balanced table of domestic flows between cities.

    Attributes
    ----------
    marginals: what the cities send and receive.
    beta: exponent of distance.
    is_fitted: whether beta was fitted or given.
    items: float64 (n_city, n_city), items a year.
    haul_km: float64 (n_city, n_city), kilometres of each pair.
    rounds: scaling rounds run; error: relative error of the worst margin.
    """

    marginals: Marginals
    beta: float
    is_fitted: bool
    items: np.ndarray
    haul_km: np.ndarray
    rounds: int
    error: float

    @property
    def intracity_share(self) -> float:
        """Share of domestic items that stay in their city."""
        return float(np.trace(self.items) / self.items.sum())

    @property
    def mean_haul_km(self) -> float:
        """Mean distance of an item."""
        return float((self.items * self.haul_km).sum() / self.items.sum())


def published_intracity_share(year: int = 2023) -> float:
    """Share of same-city items in domestic items as published: 0.1057 for 2023.

    >>> round(published_intracity_share(), 4)
    0.1057
    """
    basis = "" if year == 2023 else "basis of 2024"
    within = facts.figure("national", "intracity_volume", str(year), vintage=basis).value
    return within / (within + facts.figure("national", "intercity_volume", str(year), vintage=basis).value)


@cache
def fit_gravity(beta: float | None = None, year: int = 2023) -> GravityModel:
    """Balance the model at a given beta or, without one, at the beta that reproduces the published intra-city share.

    Parameters
    ----------
    beta: exponent of distance, 0.05 to 3; None to fit it.
    year: 2023, 2024 or 2025, see :func:`read_marginals`.

    Raises
    ------
    InputError: PR-D111 when beta lies outside its range; PR-D110 for another year.
    LimitReached: PR-D112 when the scaling does not converge.

    >>> model = fit_gravity()
    >>> 0.7 < model.beta < 0.9, round(model.intracity_share, 4)
    (True, 0.1057)
    """
    marginals = read_marginals(year)
    if beta is not None:
        if not _BETA_RANGE[0] <= beta <= _BETA_RANGE[1]:
            raise InputError("PR-D111", beta=beta, low=_BETA_RANGE[0], high=_BETA_RANGE[1])
        return _balance(marginals, float(beta), False)
    return _balance(marginals, _find_beta(marginals, published_intracity_share(year)), True)


def _balance(marginals: Marginals, beta: float, is_fitted: bool) -> GravityModel:
    distances = read_distances(marginals.year)
    deterrence = distances.deterrence(beta)
    rows, columns, rounds, error = balance(
        deterrence, marginals.origin_items, marginals.destination_items, TOLERANCE, _MAX_ROUNDS
    )
    if error > TOLERANCE:
        raise LimitReached("PR-D112", rounds=rounds, error=f"{error:.1e}", beta=beta)
    items = fill_table(deterrence, rows, columns)
    return GravityModel(marginals, beta, is_fitted, items, distances.haul_km(beta), rounds, error)


def _find_beta(marginals: Marginals, share: float) -> float:
    """The beta at which the intra-city share, which rises with beta, is the wanted one: false position (Illinois)."""
    low, high = _FIT_RANGE
    off_low = _balance(marginals, low, True).intracity_share - share
    off_high = _balance(marginals, high, True).intracity_share - share
    beta, side = low, 0
    for _ in range(100):
        beta = (low * off_high - high * off_low) / (off_high - off_low)
        off = _balance(marginals, beta, True).intracity_share - share
        if abs(off) < 1e-12 or high - low < 1e-12:
            return beta
        if off > 0:
            high, off_high = beta, off
            off_low = off_low / 2 if side > 0 else off_low
            side = 1
        else:
            low, off_low = beta, off
            off_high = off_high / 2 if side < 0 else off_high
            side = -1
    return beta
