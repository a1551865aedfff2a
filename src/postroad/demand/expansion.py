r"""From flows to single items: one row an item, with a weight and a volume of its own.

Weights are log-normal around the product's mean, held between 20 g and 50 kg (or a tenth and ten times the mean, when
that is wider), with the median set so that the mean stays the product's:

.. math:: g = m e^{\sigma z}, \qquad E[\min(\max(g, g_{low}), g_{high})] = \bar g .

Volumes are the weight times the product's mean volume per gram times a log-normal of mean 1.

**Source** The spread (sigma 1.27: a median of 1.0 kg with a mean of 2.25 kg) is a working assumption for online
shopping and unverified; there is no official distribution of weights. See ``data/demand/parameters.csv``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from postroad.core.errors import InputError
from postroad.core.seeds import stream
from postroad.demand.flows import Flows
from postroad.demand.items import Items
from postroad.demand.sources import parameters

__all__ = ["ItemRows", "expand_flows", "items_from_flows"]

MAX_ROWS = 200_000_000
_DAY_MIN = 1440


@dataclass(frozen=True, slots=True)
class ItemRows:
    """Single items in order of their group; all arrays have shape (n_item,).

    Attributes
    ----------
    gid: int64, number of the group in the flows.
    pair: int32, product: int8, release: int16, day: int16, the axes of the group.
    accepted_min: int32, minute from the epoch.
    g, cm3: int32, weight and loaded volume.
    """

    gid: np.ndarray
    pair: np.ndarray
    product: np.ndarray
    release: np.ndarray
    day: np.ndarray
    accepted_min: np.ndarray
    g: np.ndarray
    cm3: np.ndarray


def expand_flows(
    flows: Flows,
    days: Sequence[int],
    prod_g: np.ndarray,
    prod_cm3: np.ndarray,
    *,
    seed: int = 0,
    is_spread: bool = True,
) -> ItemRows:
    """Make the single items of some days.

    Parameters
    ----------
    flows: the demand.
    days: release days to expand.
    prod_g, prod_cm3: (n_prod,), mean weight and loaded volume of an item of each product.
    seed: a day's items are the same whichever other days are asked for.
    is_spread: whether weights and volumes are drawn; False gives each item its product's means.

    Returns
    -------
    ItemRows, sorted by day, release, product and pair.

    Raises
    ------
    InputError: PR-D120 when there would be more than 200 million items.
    """
    n_items = int(flows.total_by_day[list(days)].sum())
    if n_items > MAX_ROWS:
        raise InputError("PR-D120", n_items=n_items, most=MAX_ROWS)
    parts = [_expand_day(flows, day, prod_g, prod_cm3, seed, is_spread) for day in days]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return ItemRows(*columns)


def items_from_flows(
    flows: Flows,
    days: Sequence[int],
    promise_k: np.ndarray,
    prod_g: np.ndarray,
    prod_cm3: np.ndarray,
    *,
    seed: int = 0,
    is_spread: bool = True,
    is_traced: bool = True,
) -> Items:
    """Make the items of some days as the twin's item mode takes them.

    Parameters
    ----------
    promise_k: int8 (n_prod, n_rel, n_pair), promised days from the day of release (``routing.promise_days``).
    is_traced: whether the twin keeps the full history of every item.
    flows, days, prod_g, prod_cm3, seed, is_spread: as for :func:`expand_flows`.

    Raises
    ------
    InputError: PR-D120 as :func:`expand_flows`.
    """
    rows = expand_flows(flows, days, prod_g, prod_cm3, seed=seed, is_spread=is_spread)
    promised = promise_k[rows.product, rows.release, rows.pair].astype(np.int16)
    return Items(
        origin=flows.origin[rows.pair],
        destination=flows.destination[rows.pair],
        product=rows.product,
        accepted_min=rows.accepted_min,
        promise_day=rows.day + promised,
        g=rows.g,
        cm3=rows.cm3,
        traced=is_traced,
    )


def _expand_day(
    flows: Flows, day: int, prod_g: np.ndarray, prod_cm3: np.ndarray, seed: int, is_spread: bool
) -> tuple[np.ndarray, ...]:
    counts = flows.day_counts(day)
    _, n_prod, n_pair = counts.shape
    cell = np.flatnonzero(counts)
    cell = np.repeat(cell, counts.ravel()[cell])
    pair, rest = cell % n_pair, cell // n_pair
    product, release = rest % n_prod, rest // n_prod
    g, cm3 = np.asarray(prod_g, float)[product], np.asarray(prod_cm3, float)[product]
    if is_spread:
        g, cm3 = _spread(g, cm3, prod_g, product, seed, day)
    return (
        cell + np.int64(day) * counts.size,
        pair.astype(np.int32),
        product.astype(np.int8),
        release.astype(np.int16),
        np.full(len(cell), day, np.int16),
        (day * _DAY_MIN + flows.release_min[release]).astype(np.int32),
        np.maximum(np.rint(g), 1).astype(np.int32),
        np.maximum(np.rint(cm3), 1).astype(np.int32),
    )


def _spread(
    g: np.ndarray, cm3: np.ndarray, prod_g: np.ndarray, product: np.ndarray, seed: int, day: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw weights and volumes around the products' means."""
    rules = parameters()
    draws = stream(seed, "demand", "items", day)
    mean = np.asarray(prod_g, float)
    low = np.minimum(1000 * rules["min_item_kg"], mean / 10)
    high = np.maximum(1000 * rules["max_item_kg"], mean * 10)
    sigma = rules["weight_sigma"]
    median = np.array([_median_for(*bounds, sigma) for bounds in zip(mean, low, high, strict=True)])
    weight = median[product] * np.exp(sigma * draws.standard_normal(len(g)))
    weight = np.clip(weight, low[product], high[product])
    sigma = rules["volume_sigma"]
    bulk = np.exp(sigma * draws.standard_normal(len(g)) - sigma * sigma / 2)
    return weight, weight * (cm3 / g) * bulk


def _median_for(mean: float, low: float, high: float, sigma: float) -> float:
    """The median of the log-normal that, held between two bounds, has the wanted mean; by bisection."""
    below, above = low, high
    for _ in range(60):
        median = math.sqrt(below * above)
        if _cut_mean(median, sigma, low, high) < mean:
            below = median
        else:
            above = median
    return math.sqrt(below * above)


def _cut_mean(median: float, sigma: float, low: float, high: float) -> float:
    """Mean of a log-normal held within two bounds."""

    def normal(x: float) -> float:
        return 0.5 * math.erfc(-x / math.sqrt(2))

    a, b = math.log(low / median) / sigma, math.log(high / median) / sigma
    inside = median * math.exp(sigma * sigma / 2) * (normal(b - sigma) - normal(a - sigma))
    return low * normal(a) + inside + high * (1.0 - normal(b))
