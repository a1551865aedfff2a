"""The grade of an event by thresholds that are data, each with its status: verified or not."""

from __future__ import annotations

import polars as pl

from postroad.facts.tables import table
from postroad.study.drills.file import EventSection

__all__ = ["GRADES", "SCOPES", "grade_event"]

GRADES = ("I", "II", "III", "IV")
"""Grades from the worst on."""
SCOPES = ("", "city", "province", "nation")


def grade_event(event: EventSection) -> pl.DataFrame:
    """Which thresholds an event meets.

    Returns
    -------
    One row a criterion that is met, the worst first: ``scheme``, ``grade``, ``colour``, ``criterion``, ``value`` (of
    the event), ``uom``, ``at_least``, ``below``, ``status`` (verified or unverified), ``basis``. The event's grade is
    that of the first row; no row: nothing that happened has a threshold.

    **Source** the fact table ``incident_grades``; order 493 grades by the worst criterion.

    >>> grade_event(EventSection(deaths=4, leaked_records=0)).select("grade", "colour", "status").row(0)
    ('III', 'yellow', 'verified')
    """
    values = event.model_dump() | {"blocked": SCOPES.index(event.blocked)}
    given = {name: float(value) for name, value in values.items() if value}
    value = pl.col("criterion").replace_strict(given, default=None, return_dtype=pl.Float64)
    met = (
        table("incident_grades")
        .with_columns(value=value if given else pl.lit(None, pl.Float64))
        .filter(
            (pl.col("value") >= pl.col("at_least")) & (pl.col("below").is_null() | (pl.col("value") < pl.col("below")))
        )
    )
    rank = pl.col("grade").replace_strict({grade: number for number, grade in enumerate(GRADES)})
    return met.sort(rank, maintain_order=True).select(
        "scheme", "grade", "colour", "criterion", "value", "uom", "at_least", "below", "status", "basis"
    )
