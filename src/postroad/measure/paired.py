"""Two runs compared group by group, and runs over seeds summed up as means with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl

from postroad.core.errors import InputError
from postroad.measure.registry import measures

__all__ = ["pair_measures", "pair_over_seeds", "summarise_seeds", "t_quantile"]

_VALUES = ("value", "n_items", "unit", "label")


def pair_measures(base: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """The differences of two runs' measures, group by group.

    Parameters
    ----------
    base, other: frames of :func:`postroad.measure.measure` by the same groupings.

    Returns
    -------
    pl.DataFrame: the groups, ``measure``, ``base``, ``other``, ``difference`` (other minus base), ``change_share`` (of
        the base), ``n_items_base``, ``n_items_other``, ``unit``, ``better`` (lower, higher, none), ``label``. A group
        that only one run has stands with null on the other side.

    Raises
    ------
    InputError: PR-M009 when the frames are grouped differently.
    """
    keys = _keys([base, other])
    left = base.select(*keys, base="value", n_items_base="n_items", unit="unit", label="label")
    right = other.select(*keys, other="value", n_items_other="n_items", unit_other="unit", label_other="label")
    joined = left.join(right, on=keys, how="full", coalesce=True, nulls_equal=True).sort(keys)
    difference = pl.col("other") - pl.col("base")
    return joined.select(
        *keys,
        "base",
        "other",
        difference=difference,
        change_share=pl.when(pl.col("base") != 0).then(difference / pl.col("base")),
        n_items_base=pl.col("n_items_base"),
        n_items_other=pl.col("n_items_other"),
        unit=pl.coalesce("unit", "unit_other"),
        better=_better(),
        label=pl.coalesce("label", "label_other"),
    )


def summarise_seeds(frames: Sequence[pl.DataFrame], *, confidence: float = 0.95) -> pl.DataFrame:
    """Means over runs that differ in their seed only, with t-intervals.

    Parameters
    ----------
    frames: one frame of measures a seed, by the same groupings.
    confidence: probability with which the interval covers the mean.

    Returns
    -------
    pl.DataFrame: the groups, ``measure``, ``value`` (mean), ``low``, ``high`` (null where fewer than two runs have a
        value), ``n_runs``, ``n_items`` (mean, rounded), ``unit``, ``label``.

    Raises
    ------
    InputError: PR-M009 (grouped differently), PR-M010 (fewer than two runs).
    """
    if len(frames) < 2:
        raise InputError("PR-M010", n=len(frames))
    keys = _keys(frames)
    stacked = pl.concat([frame.select(*keys, *_VALUES) for frame in frames])
    return _intervals(stacked, keys, "value", confidence).select(
        *keys, value="mean", low="low", high="high", n_runs="n_runs", n_items="n_items", unit="unit", label="label"
    )


def pair_over_seeds(
    bases: Sequence[pl.DataFrame], others: Sequence[pl.DataFrame], *, confidence: float = 0.95
) -> pl.DataFrame:
    """Paired differences of two scenarios over the same seeds, with t-intervals.

    Runs are paired seed by seed, so that what the seed does to both cancels out.

    Returns
    -------
    pl.DataFrame: the groups, ``measure``, ``base``, ``other`` (means), ``difference`` (mean of the paired differences),
        ``low``, ``high`` (null for a single pair), ``n_pairs``, ``unit``, ``better``, ``label``.

    Raises
    ------
    InputError: PR-M009 (grouped differently), PR-M010 (the numbers of runs differ, or there is none).
    """
    if len(bases) != len(others) or not bases:
        raise InputError("PR-M010", n=min(len(bases), len(others)))
    keys = _keys([*bases, *others])
    pairs = pl.concat([pair_measures(base, other) for base, other in zip(bases, others, strict=True)])
    renamed = pairs.with_columns(n_items=pl.col("n_items_base"))
    means = pairs.group_by(keys, maintain_order=True).agg(pl.col("base").mean(), pl.col("other").mean())
    spread = _intervals(renamed, keys, "difference", confidence)
    joined = spread.join(means, on=keys, how="left", nulls_equal=True, maintain_order="left")
    return joined.select(
        *keys, "base", "other", difference="mean", low="low", high="high", n_pairs="n_runs", unit="unit",
        better=_better(), label="label",
    )  # fmt: skip


def t_quantile(confidence: float, degrees: int) -> float:
    """The half-width, in standard errors, of a two-sided interval of Student's t.

    **Source** Abramowitz and Stegun 1964, 26.7.3 and 26.7.4 (finite sums for whole degrees of freedom), inverted by
    bisection.

    >>> round(t_quantile(0.95, 4), 3)
    2.776
    """
    low, high = 0.0, 1.0
    while _inside(high, degrees) < confidence:
        high *= 2.0
    for _ in range(200):
        middle = (low + high) / 2.0
        low, high = (middle, high) if _inside(middle, degrees) < confidence else (low, middle)
    return (low + high) / 2.0


def _inside(t: float, degrees: int) -> float:
    """The probability that Student's t lies between -t and t."""
    angle = math.atan(t / math.sqrt(degrees))
    cosine, sine = math.cos(angle), math.sin(angle)
    is_odd = degrees % 2 == 1
    term = cosine if is_odd else 1.0
    total = 0.0
    for step in range(degrees // 2):
        total += term
        order = 2 * step + (2 if is_odd else 1)
        term *= order / (order + 1) * cosine * cosine
    return 2.0 / math.pi * (angle + sine * total) if is_odd else sine * total


def _intervals(stacked: pl.DataFrame, keys: list[str], column: str, confidence: float) -> pl.DataFrame:
    """Mean, bounds and number of the values of a column by keys."""
    groups = stacked.group_by(keys, maintain_order=True).agg(
        mean=pl.col(column).mean(),
        deviation=pl.col(column).std(),
        n_runs=pl.col(column).count().cast(pl.Int64),
        n_items=pl.col("n_items").mean().round().cast(pl.Int64),
        unit=pl.col("unit").first(),
        label=pl.col("label").first(),
    )
    widths = {n: t_quantile(confidence, n - 1) / math.sqrt(n) for n in groups["n_runs"].unique() if n > 1}
    width = pl.col("n_runs").replace_strict(widths, default=None, return_dtype=pl.Float64) * pl.col("deviation")
    return groups.with_columns(low=pl.col("mean") - width, high=pl.col("mean") + width).sort(keys)


def _keys(frames: Sequence[pl.DataFrame]) -> list[str]:
    """The grouping columns that all frames share, and the measure."""
    sets = {tuple(sorted(set(frame.columns) - set(_VALUES))) for frame in frames}
    if len(sets) != 1:
        raise InputError("PR-M009", columns="; ".join(", ".join(names) for names in sorted(sets)))
    return [name for name in frames[0].columns if name not in _VALUES]


def _better() -> pl.Expr:
    """Whether a lower or a higher value of each measure is better."""
    known = {one.name: one.better for one in measures().values()}
    return pl.col("measure").replace_strict(known, default="none", return_dtype=pl.String)
