"""The published series, in families: one CSV each in ``data/facts/series``.

Columns: ``figure`` (what), ``place_code``, ``place``, ``period``, ``value`` (as printed), ``uom``, ``vintage`` (which
publication or basis, when there are several), ``low`` and ``high`` (stated bounds; else those of the rounding),
``label``, ``source``, ``note``. Periods: ``2023``, ``2023Q1``, ``2023-04``, ``2023-11-11``, and spans with ``..``.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import polars as pl

from postroad.core.errors import InputError, NotFound
from postroad.facts.intervals import Interval, interval

__all__ = ["Figure", "families", "figure", "series"]

LABELS = ("measured", "derived", "modelled", "unverified")


@dataclass(frozen=True, slots=True)
class Figure:
    """One published figure."""

    figure: str
    place_code: str
    period: str
    value: float
    text: str
    uom: str
    vintage: str
    interval: Interval
    label: str
    source: str


def _folder():
    return files("postroad").joinpath("data").joinpath("facts").joinpath("series")


@cache
def families() -> tuple[str, ...]:
    """The names of the families of series."""
    return tuple(sorted(path.name[:-4] for path in _folder().iterdir() if path.name.endswith(".csv")))


@cache
def _family(family: str) -> pl.DataFrame:
    if family not in families():
        raise NotFound("PR-M501", what=f"family '{family}'", near=_near(family, families()))
    frame = pl.read_csv(_folder().joinpath(f"{family}.csv").read_bytes(), infer_schema_length=0).with_columns(
        pl.all().fill_null("")
    )
    bounds = [_bounds(*row) for row in frame.select("value", "low", "high").iter_rows()]
    return frame.rename({"value": "text"}).with_columns(
        pl.Series("value", [_number(text) for text in frame["value"]], pl.Float64),
        pl.Series("low", [bound.low for bound in bounds], pl.Float64),
        pl.Series("high", [bound.high for bound in bounds], pl.Float64),
        pl.Series("is_low_open", [bound.is_low_open for bound in bounds], pl.Boolean),
        pl.Series("is_high_open", [bound.is_high_open for bound in bounds], pl.Boolean),
    )


def _number(text: str) -> float:
    return float(text.lstrip("<>≥≤~"))


def _bounds(text: str, low: str, high: str) -> Interval:
    """The stated bounds of a figure or, without them, those of its rounding."""
    return Interval(float(low), float(high), False, False) if low and high else interval(text)


def series(
    family: str, name: str | None = None, *, place_code: str | None = None, period: str | None = None
) -> pl.DataFrame:
    """The rows of a family of published figures.

    Parameters
    ----------
    family: one of :func:`families`.
    name, place_code, period: keep only the rows with this figure, place or period.

    Returns
    -------
    figure, place_code, place, period, text (as printed), uom, vintage, label, source, note: String; value, low, high:
    Float64; is_low_open, is_high_open: Boolean.

    Raises
    ------
    NotFound: PR-M501 when there is no such family.

    >>> series("time_limits", "total_h", period="2023")["value"].to_list()
    [56.42]
    """
    frame = _family(family)
    for column, wanted in (("figure", name), ("place_code", place_code), ("period", period)):
        if wanted is not None:
            frame = frame.filter(pl.col(column) == wanted)
    return frame


def figure(family: str, name: str, period: str, *, place_code: str | None = None, vintage: str | None = None) -> Figure:
    """One published figure.

    Raises
    ------
    NotFound: PR-M501 when there is none.
    InputError: PR-M502 when several vintages or places fit; name the one that is meant.

    >>> figure("national", "express_volume", "2023", vintage="").text
    '1320.7'
    """
    found = series(family, name, place_code=place_code, period=period)
    if vintage is not None:
        found = found.filter(pl.col("vintage") == vintage)
    if not found.height:
        known = _family(family)["figure"].unique().to_list()
        raise NotFound("PR-M501", what=f"figure '{name}' of {period} in '{family}'", near=_near(name, known))
    if found.height > 1:
        rows = found.select("place_code", "period", "vintage").iter_rows()
        which = "; ".join(f"{place} {when} '{basis}'" for place, when, basis in rows)
        raise InputError("PR-M502", name=name, family=family, which=which)
    row = found.row(0, named=True)
    return Figure(
        figure=row["figure"],
        place_code=row["place_code"],
        period=row["period"],
        value=row["value"],
        text=row["text"],
        uom=row["uom"],
        vintage=row["vintage"],
        interval=Interval(row["low"], row["high"], row["is_low_open"], row["is_high_open"]),
        label=row["label"],
        source=row["source"],
    )


def _near(name: str, known: tuple[str, ...] | list[str]) -> str:
    return ", ".join(difflib.get_close_matches(name, known, 3, 0.4)) or ", ".join(sorted(known)[:8])
