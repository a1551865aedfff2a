"""Validation of runs of the reference network: which published figures a run can be held against, and how it does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from postroad.core.errors import InputError
from postroad.demand.build import GRAVITY_CN, mean_day_items, model_year
from postroad.measure.page import write_validation
from postroad.report.data import empty_frame
from postroad.study.execution import released_by_day

if TYPE_CHECKING:
    from postroad.study.run import Run

__all__ = ["NORMAL", "SURGE", "published_checks", "validate", "write_page"]

NORMAL, SURGE = "normal-2023", "surge-2023"
"""Scenarios whose runs are validated when no others are given."""

YEAR = 2023
PEAK_CHECK = "peak_delivered_per_collected"
NORMAL_MARGIN = 0.1
"""A day is normal when its items are so near to those of a mean day."""

SEEN_SURGE = 2.0
"""Peaks of up to so many times a mean day have been seen and published; nothing is known of higher ones."""


def published_checks(run: Run) -> pl.DataFrame:
    """The published figures that a run can be held against, beside what it says.

    Parameters
    ----------
    run: of any feed.

    Returns
    -------
    pl.DataFrame: rows of :func:`postroad.measure.validation.compare_published`: all of them for a normal day of 2023 on
        the reference network, the check around the peak for a surge that has been seen, none otherwise.
    """
    checks = _usable(run)
    if checks is None:
        return run.validation
    return run.validation.filter(pl.col("check_id").is_in(checks)) if checks else empty_frame("validation")


def validate(normal: Run, surge: Run | None = None) -> pl.DataFrame:
    """Hold the run of a normal day of 2023, and of a surge of that year, against everything published.

    Parameters
    ----------
    normal: run of the scenario ``normal-2023`` or one like it.
    surge: run of ``surge-2023``; without it the check around the peak is not decidable.

    Returns
    -------
    pl.DataFrame: rows of :func:`postroad.measure.validation.compare_published`.

    Raises
    ------
    InputError: PR-S108 when a run is not of such a day.
    """
    for run, wanted in ((normal, None), (surge, (PEAK_CHECK,))):
        if run is not None and _usable(run) != wanted:
            raise InputError("PR-S108", run=run.scenario.name, wanted=NORMAL if wanted is None else SURGE)
    if surge is None:
        return normal.validation
    peak = surge.validation.filter(check_id=PEAK_CHECK)
    return pl.concat([normal.validation.filter(pl.col("check_id") != PEAK_CHECK), peak])


def write_page(frame: pl.DataFrame, normal: Run, surge: Run | None, page: Path | str) -> None:
    """Put a validation into the marked part of a page, with what identifies its runs.

    Parameters
    ----------
    frame: of :func:`validate`. normal, surge: the runs. page: a Markdown file with the marks.

    Raises
    ------
    InputError: PR-M012 when the page does not hold the marks.
    """
    told = {}
    for title, run in (("normal day", normal), ("surge", surge)):
        if run is None:
            continue
        scenario = run.scenario
        told[title] = (
            f"`{scenario.name}`, {scenario.network.meta.name} {scenario.network.meta.version}, {scenario.day}, "
            f"seed {scenario.seed}, result {run.result_digest[:12]}"
        )
        told[f"{title}: repeat with"] = f"`{run.command}`"
    write_validation(frame, told, Path(page))


def _usable(run: Run) -> tuple[str, ...] | None:
    """The checks that the run is fit for: None for all, else their ids."""
    network = run.scenario.network
    if network.meta.demand_model != GRAVITY_CN or model_year(network) != YEAR:
        return ()
    scale = float(released_by_day(run.scenario)[run.scenario.days_before]) / mean_day_items(network)
    if run.is_peak:
        return (PEAK_CHECK,) if scale <= SEEN_SURGE else ()
    return None if abs(scale - 1) <= NORMAL_MARGIN else ()
