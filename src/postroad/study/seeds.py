"""Runs that differ in their seed only: the measures of each."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from postroad.core.progress import Progress
from postroad.measure.record import Record, measure_record
from postroad.measure.registry import STANDARD
from postroad.network.scenario import Scenario
from postroad.report.collection import HEADLINE
from postroad.routing.plan import PlannedRoutes
from postroad.study.execution import execute

__all__ = ["measure_seeds"]

NAMES = tuple(dict.fromkeys((*HEADLINE, *STANDARD)))


def measure_seeds(
    scenario: Scenario,
    first: Record,
    n_seeds: int,
    *,
    know_overlay: bool,
    follow: PlannedRoutes | None,
    threads: int,
    progress: Progress,
) -> pl.DataFrame | None:
    """Run a scenario with further seeds and measure each run.

    Parameters
    ----------
    scenario: with the first seed.
    first: of the run with the first seed, which is done already.
    n_seeds: runs in all, the first counted in.

    Returns
    -------
    pl.DataFrame: ``seed``, ``measure``, ``value``, ``n_items``, ``unit``, ``label``, one row a seed and measure; None
        for one seed.
    """
    if n_seeds == 1:
        return None
    frames = [_measure(first, scenario.seed)]
    for seed in range(scenario.seed + 1, scenario.seed + n_seeds):
        progress.stage(f"seed {seed}")
        other = replace(scenario, seed=seed, sample=0, sample_pairs=())
        done = execute(other, know_overlay=know_overlay, follow=follow, threads=threads, progress=progress)
        frames.append(_measure(done.record, seed))
    return pl.concat(frames)


def _measure(record: Record, seed: int) -> pl.DataFrame:
    """The measures of one run, with its seed."""
    return measure_record(record, NAMES).select(pl.lit(seed).alias("seed"), pl.all())
