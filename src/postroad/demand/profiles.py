"""When items are accepted: weights by hour, weekday, month and day around a peak.

A feed brings its profiles in its ``profiles`` table; these functions read them from there. ``shipped_profiles`` are
the ones of China. Hours and weekdays are not published and are modelled; months rest on the published volumes of 2023;
the days around a peak go through every published point of the season (see the ``source`` of each row).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np
import polars as pl

from postroad.core.errors import InputError
from postroad.demand.sources import read_demand

__all__ = [
    "Acceptance",
    "calendar_weights",
    "day_weights",
    "read_acceptance",
    "scale_days",
    "shipped_profiles",
    "shopping_days",
]

HOURS = 24
_PEAKS = ("peak-2023", "peak-2024", "peak-2025")


@dataclass(frozen=True, slots=True)
class Acceptance:
    """How the items of a day spread over its releases.

    Attributes
    ----------
    release_min: int32 (n_rel,), minute of the day at which each release is accepted.
    weights: float64 (n_rel, n_prod), share of each release in the day's items of a product; columns sum to 1.
    """

    release_min: np.ndarray
    weights: np.ndarray


def read_acceptance(
    profiles: pl.DataFrame, prod_id: Sequence[str], shares: np.ndarray, cuts_min: Sequence[int] | None = None
) -> Acceptance:
    """Read the hours of acceptance from a feed's profiles.

    Without cuts each hour is one release, at its middle. With cuts the hours between two cuts are one release, at the
    mean minute of acceptance of its items, so that hours counted from acceptance stay right on average.

    Parameters
    ----------
    profiles: the feed's table; rows of kind ``hour`` under a product's own id go before the general ones. Without any,
        the shipped hours are taken (modelled).
    prod_id: the products in order.
    shares: float64 (n_prod,), their shares in the items; they weigh the mean minute.
    cuts_min: minutes of the day at which one release ends and the next begins, ascending, such as ``(720,)``.

    Raises
    ------
    InputError: PR-D105 when several general profiles could be meant, PR-D109 for cuts that do not ascend in the day.
    """
    hours = profiles.filter(pl.col("kind") == "hour")
    if not hours.height:
        hours = read_demand("profiles").filter(pl.col("kind") == "hour")
    by_hour = np.stack([_hours_of(hours, product, prod_id) for product in prod_id], axis=1)
    middle = np.arange(HOURS) * 60 + 30
    if cuts_min is None:
        return Acceptance(middle.astype(np.int32), by_hour)
    bounds = [0, *cuts_min, HOURS * 60]
    if any(first >= second for first, second in pairwise(bounds)):
        raise InputError("PR-D109", value=", ".join(map(str, cuts_min)))
    wave = np.searchsorted(np.asarray(cuts_min), middle, side="right")
    weights = np.stack([by_hour[wave == number].sum(axis=0) for number in range(len(bounds) - 1)])
    amount = by_hour @ shares
    mean = [
        np.average(middle[wave == number], weights=amount[wave == number] + 1e-300) for number in range(len(bounds) - 1)
    ]
    return Acceptance(np.rint(mean).astype(np.int32), weights)


def _hours_of(hours: pl.DataFrame, product: str, prod_id: Sequence[str]) -> np.ndarray:
    """Shares of the 24 hours for a product."""
    rows = hours.filter(pl.col("profile_id") == product)
    if not rows.height:
        rows = _general(hours, prod_id)
    weights = np.zeros(HOURS)
    weights[rows["key"].cast(pl.Int64).to_numpy()] = rows["weight"].to_numpy()
    if not weights.sum() > 0:
        raise InputError("PR-D105", kind="hour", names=product)
    return weights / weights.sum()


def _general(rows: pl.DataFrame, prod_id: Sequence[str] = ()) -> pl.DataFrame:
    """The rows that hold for every product."""
    rows = rows.filter(~pl.col("profile_id").is_in(list(prod_id)))
    names = sorted(rows["profile_id"].unique())
    if len(names) != 1:
        raise InputError("PR-D105", kind=rows["kind"][0] if rows.height else "hour", names=", ".join(names) or "none")
    return rows


def day_weights(profiles: pl.DataFrame, offsets: Sequence[int]) -> np.ndarray:
    """Weights of days around the named one, which is 1: float64, one an offset.

    Parameters
    ----------
    profiles: a feed's table; rows of kind ``day``. Beyond its ends the end's weight holds; without such rows every day
        is like the named one.
    offsets: days from the named day, such as ``range(-3, 4)``.
    """
    rows = profiles.filter(pl.col("kind") == "day")
    if not rows.height:
        return np.ones(len(offsets))
    rows = _general(rows).with_columns(pl.col("key").cast(pl.Int64)).sort("key")
    keys, weights = rows["key"].to_numpy(), rows["weight"].to_numpy()
    return np.interp(np.asarray(offsets, float), keys, weights)


def calendar_weights(profiles: pl.DataFrame, days: Sequence[date]) -> np.ndarray:
    """Weights of calendar days relative to the mean day of the year, by month and weekday: float64, one a day.

    Kinds that the profiles do not have count as 1. Holidays and shopping days are not in it.
    """
    weights = np.ones(len(days))
    for kind, key_of in (("month", lambda day: day.month), ("weekday", lambda day: day.isoweekday())):
        rows = profiles.filter(pl.col("kind") == kind)
        if rows.height:
            by_key = dict(_general(rows).select(pl.col("key").cast(pl.Int64), "weight").iter_rows())
            weights *= [by_key.get(key_of(day), 1.0) for day in days]
    return weights


def scale_days(total: int, weights: np.ndarray) -> np.ndarray:
    """Whole items of each day when a day of weight 1 has ``total``: int64, like ``weights``.

    >>> scale_days(1000, np.array([0.5, 1.0])).tolist()
    [500, 1000]
    """
    return np.rint(np.asarray(weights, float) * total).astype(np.int64)


def shipped_profiles(peak: str = "peak-2024") -> pl.DataFrame:
    """The profiles of China as rows of a feed's ``profiles`` table.

    Parameters
    ----------
    peak: season whose days stand around the named day: ``peak-2023``, ``peak-2024`` or ``peak-2025``.

    Raises
    ------
    InputError: PR-D105 for another peak.
    """
    if peak not in _PEAKS:
        raise InputError("PR-D105", kind="day", names=peak)
    frame = read_demand("profiles")
    return frame.filter((pl.col("kind") != "day") | (pl.col("profile_id") == peak)).with_columns(
        profile_id=pl.lit("all")
    )


def shopping_days() -> pl.DataFrame:
    """Published ratios of shopping days: day, year, ratio, over (an ordinary day or the mean day), label, source."""
    return read_demand("shopping_days")
