"""Structured fact tables: the calendar, the grades of incidents, the programme's indicators, the provinces."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import polars as pl

from postroad.core.errors import NotFound

__all__ = ["table", "table_names"]

# Numbers of these tables; every other column is text.
_NUMBERS = {
    "incident_grades": ("at_least", "below"),
    "calendar": ("weekday", "is_workday", "in_lieu", "lunar_month", "lunar_day"),
    "programme_indicators": ("indicator_no", "base_2020", "target_2025"),
    "provinces": ("population_2020", "urban_population_2020"),
}


def _folder():
    return files("postroad").joinpath("data").joinpath("facts").joinpath("tables")


@cache
def _index() -> pl.DataFrame:
    return pl.read_csv(_folder().joinpath("_tables.csv").read_bytes(), infer_schema_length=0)


def table_names() -> tuple[str, ...]:
    """The names of the tables."""
    return tuple(_index()["table"])


@cache
def table(name: str) -> pl.DataFrame:
    """One structured table, with ``label`` and ``source`` columns.

    Raises
    ------
    NotFound: PR-M501 when there is no such table.

    >>> table("provinces").height
    34
    """
    known = _index().filter(pl.col("table") == name)
    if not known.height:
        raise NotFound("PR-M501", what=f"table '{name}'", near=", ".join(table_names()))
    frame = pl.read_csv(_folder().joinpath(f"{name}.csv").read_bytes(), infer_schema_length=0)
    numbers = [pl.col(column).cast(pl.Float64) for column in _NUMBERS[name]]
    if name != "programme_indicators":
        numbers = [number.cast(pl.Int64) for number in numbers]
    if "date" in frame.columns:
        numbers.append(pl.col("date").str.to_date())
    return frame.with_columns(*numbers, label=pl.lit(known["label"][0]), source=pl.lit(known["source"][0]))
