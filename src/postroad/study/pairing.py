"""Two runs held against one another, measure by measure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import polars as pl

from postroad.measure.paired import pair_measures, pair_over_seeds

if TYPE_CHECKING:
    from postroad.study.run import Run

__all__ = ["COMPARED", "are_same_items", "pair_runs"]

COMPARED = (
    "total_h", "on_time_72h_share", "on_time_share", "n_peak_backlog", "total_p90_h", "on_time_48h_share",
    "delivered_share", "reach_3d_share", "sort_use_share", "fill_share", "cost_yuan_per_item", "gco2e_per_item",
)  # fmt: skip
"""The measures that a comparison shows when none is named."""


def pair_runs(base: Run, other: Run, names: Iterable[str] = COMPARED, by: str | Iterable[str] = ()) -> pl.DataFrame:
    """The paired differences of two runs, other minus base.

    Parameters
    ----------
    names: registered measures.
    by: groupings that they know.

    Returns
    -------
    pl.DataFrame: as :func:`postroad.measure.paired.pair_over_seeds`, over the seeds that both have, when both were
        run with more than one and no grouping is asked for; else as :func:`~postroad.measure.paired.pair_measures`.
        Measures that neither run has a value of are left out.
    """
    names, by = tuple(names), (by,) if isinstance(by, str) else tuple(by)
    seeds = _common_seeds(base, other, names) if not by else []
    if seeds:
        bases, others = ([_of_seed(run, seed, names) for seed in seeds] for run in (base, other))
        paired = pair_over_seeds(bases, others)
    else:
        paired = pair_measures(base.measure(names, by), other.measure(names, by))
    order = {name: place for place, name in enumerate(names)}
    known = paired.filter(pl.col("base").is_not_null() | pl.col("other").is_not_null())
    return known.sort(pl.col("measure").replace_strict(order, return_dtype=pl.Int64), *by, maintain_order=True)


def _common_seeds(base: Run, other: Run, names: Iterable[str]) -> list[int]:
    """The seeds of which both runs hold all of the measures; empty when one was run with a single seed."""
    if base.seeds is None or other.seeds is None:
        return []
    if any(not set(names) <= set(run.seeds["measure"]) for run in (base, other)):
        return []
    return sorted(set(base.seeds["seed"]) & set(other.seeds["seed"]))


def _of_seed(run: Run, seed: int, names: Iterable[str]) -> pl.DataFrame:
    return run.seeds.filter(pl.col("seed") == seed, pl.col("measure").is_in(list(names))).drop("seed")


def are_same_items(base: Run, other: Run) -> bool:
    """Whether two runs moved the same items through the same facilities, so that they can be paired one by one."""
    one, two = base.scenario, other.scenario
    return one.network.digest == two.network.digest and all(
        getattr(one, name) == getattr(two, name)
        for name in ("day", "days_before", "days_after", "days_by", "to_items", "by", "beta", "seed")
    )
