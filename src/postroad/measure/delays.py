"""Delays: what arrived later in a disrupted run than in the undisturbed one, item for item."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from postroad.core.errors import InputError, NotFound
from postroad.events.journeys import DELIVERED, Journeys
from postroad.kernels.pairing import N_DELAY_SUMS, pair_groups
from postroad.measure.dims import Dims

__all__ = ["DELAY_GROUPINGS", "sum_delays"]

DELAY_GROUPINGS = (
    "product",
    "origin_city",
    "origin_province",
    "origin_region",
    "destination_city",
    "destination_province",
    "destination_region",
)
NEVER = 2**31 - 1


def sum_delays(base: Journeys, other: Journeys, dims: Dims, groupings: Iterable[str] = ("product",)) -> pl.DataFrame:
    """How many items arrived later in ``other`` than in ``base``, and by how much.

    Items of one origin, destination, product and acceptance are alike: the first of them to arrive in one run is paired
    with the first in the other, and so on. No pairing makes the sum of the delays smaller.

    Parameters
    ----------
    base, other: journeys of the same demand in two runs.
    groupings: of :data:`DELAY_GROUPINGS`; each is told on its own.

    Returns
    -------
    pl.DataFrame: ``by`` (the grouping), ``key`` (the group), ``n_items`` (delivered in both runs), ``n_delayed``,
        ``delayed_share``, ``mean_delay_h`` (of those delayed; null when there is none), ``max_delay_h``.

    Raises
    ------
    NotFound: PR-M002 for another grouping.
    InputError: PR-M003 when journeys refer to facilities that the dimensions do not have.
    """
    wanted = [groupings] if isinstance(groupings, str) else list(groupings)
    for name in wanted:
        if name not in DELAY_GROUPINGS:
            known = ", ".join(DELAY_GROUPINGS)
            raise NotFound("PR-M002", name=name, near=known, known=known)
    sums = np.zeros((dims.n_prod, dims.n_city, dims.n_city, N_DELAY_SUMS), np.int64)
    first, second = (_sort_rows(journeys, dims) for journeys in (base, other))
    order = first[3]
    pair_groups(
        *first[:3], *second[:3], base.origin_idx[order], base.destination_idx[order], base.product_idx[order],
        dims.fac_city, sums, NEVER,
    )  # fmt: skip
    return pl.concat([_tell(sums, dims, name) for name in wanted])


def _sort_rows(journeys: Journeys, dims: Dims) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Group number, arrival and items of the rows in order of group, then arrival; and that order."""
    n_fac = len(dims.fac_city)
    ends = (journeys.origin_idx, journeys.destination_idx)
    if len(journeys) and (max(end.max() for end in ends) >= n_fac or min(end.min() for end in ends) < 0):
        top, least = int(max(end.max() for end in ends)), int(min(end.min() for end in ends))
        raise InputError(
            "PR-M003", facility=top, product=0, outcome=0, least=least, n_facilities=n_fac, n_products=dims.n_prod
        )
    key = journeys.accepted_min.astype(np.int64) * dims.n_prod + journeys.product_idx
    key = (key * n_fac + journeys.origin_idx) * n_fac + journeys.destination_idx
    ended = np.where(journeys.outcome == DELIVERED, journeys.ended_min, NEVER).astype(np.int64)
    order = np.lexsort((ended, key))
    return key[order], ended[order], journeys.n_items[order], order


def _tell(sums: np.ndarray, dims: Dims, grouping: str) -> pl.DataFrame:
    """The delays by one grouping."""
    product, origin, destination = np.nonzero(sums[..., 0])
    if grouping == "product":
        labels = dims.products["product"].gather(product)
    else:
        end, _, level = grouping.partition("_")
        labels = dims.cities[level].gather(origin if end == "origin" else destination)
    cells = sums[product, origin, destination]
    names = ("n_items", "n_delayed", "delay_item_min", "max_delay_min")
    frame = pl.DataFrame({"key": labels} | {name: cells[:, k] for k, name in enumerate(names)})
    totals = [pl.col(name).sum() for name in names[:3]]
    groups = frame.group_by("key").agg(*totals, pl.col("max_delay_min").max()).sort("key")
    delayed = pl.col("n_delayed")
    return groups.select(
        pl.lit(grouping).alias("by"),
        "key",
        "n_items",
        "n_delayed",
        delayed_share=delayed / pl.col("n_items"),
        mean_delay_h=pl.when(delayed > 0).then(pl.col("delay_item_min") / (delayed * 60)),
        max_delay_h=pl.col("max_delay_min") / 60,
    )
