"""Evaluate registered measures over journeys: from a tally where it answers, in SQL where it does not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

import polars as pl
import pyarrow as pa

from postroad.core.errors import InputError, NotFound
from postroad.events.journeys import Journeys
from postroad.kernels.tally import COMPONENTS
from postroad.measure.dims import GROUPINGS, Dims
from postroad.measure.engines import DuckEngine, Engine
from postroad.measure.registry import STANDARD, Measure, find
from postroad.measure.sql import EVERYTHING, Within
from postroad.measure.tallies import Tally, tally

__all__ = ["expand_by", "measure", "measure_sql"]

Rows = Journeys | pa.Table | Path


def measure(
    source: Rows | Tally | Engine,
    dims: Dims,
    names: Iterable[str] = STANDARD,
    by: str | Iterable[str] = (),
    *,
    within: Within = EVERYTHING,
    label: str = "modelled",
    rows: Rows | None = None,
) -> pl.DataFrame:
    """Evaluate measures over journeys, by groups.

    Parameters
    ----------
    source: journeys in memory, an Arrow table or Parquet of the same columns, a tally of them, or an engine that holds
        them. Give a tally when several calls follow: it is made once.
    dims: dimension tables of the network.
    names: registered measures over journeys.
    by: groupings of :data:`postroad.measure.dims.GROUPINGS`; ``pair`` stands for origin and destination city.
    within: limits to cities and scopes; published time-limit tests count the inter-city journeys of 50 cities only.
    label: ``modelled`` for a simulated run, ``measured`` for a real ledger.
    rows: the journeys that a tally given as ``source`` was made of, for groupings that it cannot answer.

    Returns
    -------
    pl.DataFrame: the groups, ``measure``, ``value`` (Float64; null where nothing counts), ``n_items`` (items the value
    stands for), ``unit``, ``label``; in order of measure, then groups.

    Raises
    ------
    NotFound: PR-M001 unknown measure, PR-M002 unknown grouping.
    InputError: PR-M004 when a tally cannot answer and the journeys are not at hand; PR-M003 for indices out of range;
        PR-M005 for a measure that is not one of journeys.
    """
    wanted = find(names)
    keys = expand_by(by)
    for one in wanted:
        if not one.is_of_journeys:
            raise InputError("PR-M005", name=one.name, kind=one.kind)
    summary = tally(source, dims) if isinstance(source, Journeys) else source if isinstance(source, Tally) else None
    with _Answers(rows if isinstance(source, Tally) else source, summary, dims) as answers:
        frames = answers.evaluate(wanted, keys, within)
    return _assemble(frames, keys, label)


def measure_sql(
    source: Rows | Engine,
    dims: Dims,
    names: Iterable[str] = STANDARD,
    by: str | Iterable[str] = (),
    *,
    within: Within = EVERYTHING,
    label: str = "modelled",
) -> pl.DataFrame:
    """The same as :func:`measure`, by the SQL definitions alone: what the fast path is held against."""
    wanted = find(names)
    keys = expand_by(by)
    with _Answers(source, None, dims) as answers:
        frames = answers.evaluate(wanted, keys, within)
    return _assemble(frames, keys, label)


def expand_by(by: str | Iterable[str]) -> tuple[str, ...]:
    """The columns that groupings stand for.

    >>> expand_by(["product", "pair"])
    ('product', 'origin_city', 'destination_city')

    Raises
    ------
    NotFound: PR-M002, with the groupings there are.
    """
    keys: list[str] = []
    for name in [by] if isinstance(by, str) else by:
        if name == "pair":
            keys += ["origin_city", "destination_city"]
        elif name in GROUPINGS:
            keys.append(name)
        else:
            near = get_close_matches(name, [*GROUPINGS, "pair"], n=3, cutoff=0.4)
            raise NotFound("PR-M002", name=name, near=", ".join(near) or "-", known=", ".join([*GROUPINGS, "pair"]))
    return tuple(dict.fromkeys(keys))


class _Answers:
    """Answers from the tally where it can, else from SQL; by DuckDB, made on first need, unless an engine is given."""

    def __init__(self, source: Rows | Engine | None, summary: Tally | None, dims: Dims) -> None:
        self._source = source
        self._tally = summary
        self._dims = dims
        self._own: DuckEngine | None = None
        self._pairs: pl.DataFrame | None = None  # sums by city pair, shared by the measures of one call

    def __enter__(self) -> _Answers:
        return self

    def __exit__(self, *_: object) -> None:
        if self._own is not None:
            self._own.close()

    def evaluate(
        self, wanted: Sequence[Measure], by: tuple[str, ...], within: Within
    ) -> list[tuple[Measure, pl.DataFrame]]:
        """For each measure the groups with ``value`` and ``n_items``."""
        names = {name for one in wanted for name in (one.numerator, one.denominator, one.items) if name in COMPONENTS}
        simple = [one for one in wanted if one.kind in ("count", "ratio")]
        sums = self._sums(sorted(names), by, within) if simple else None
        frames = []
        for one in wanted:
            if one.kind == "quantile":
                frame = self._quantile(one, by, within)
            elif one.kind == "reach":
                frame = self._reach(one, by, within)
            else:
                frame = sums.select(*by, value=_value(one), n_items=pl.col(one.items))
            frames.append((one, frame))
        return frames

    def _sums(self, names: Sequence[str], by: tuple[str, ...], within: Within) -> pl.DataFrame:
        if self._tally is not None and self._tally.answers(by, within):
            return self._tally.sums(by, within)
        return self._engine(by).query_sums(names, by, within)

    def _quantile(self, one: Measure, by: tuple[str, ...], within: Within) -> pl.DataFrame:
        if self._tally is not None and self._tally.answers_took(by, within):
            frame = _least_minutes(self._tally.took(by, within), by, one.parameter)
        else:
            frame = self._engine(by).query_quantile(one.parameter, by, within)
        # numpy divides; Polars multiplies by the reciprocal of a constant, which is not the nearest number every time
        hours = pl.Series(frame["took_min"].to_numpy() / one.divisor, dtype=pl.Float64)
        return frame.select(*by, value=hours, n_items=pl.col("n_timed"))

    def _reach(self, one: Measure, by: tuple[str, ...], within: Within) -> pl.DataFrame:
        pairs = tuple(dict.fromkeys([*by, "origin_city", "destination_city", "scope"]))
        if self._tally is not None and self._tally.answers(pairs, within):
            if self._pairs is None:
                self._pairs = self._tally.sums(pairs, within)
            frame = _weigh_pairs(self._pairs, self._dims, one, by)
        else:
            frame = self._engine(by).query_reach(one, by, within)
        share = pl.when(pl.col("reachable") > 0).then(pl.col("reached") / pl.col("reachable"))
        return frame.select(*by, value=share, n_items=pl.col("n_timed"))

    def _engine(self, by: tuple[str, ...]) -> Engine:
        if isinstance(self._source, Engine):
            return self._source
        if self._source is None:
            raise InputError("PR-M004", by=", ".join(by) or "-")
        if self._own is None:
            self._own = DuckEngine(self._source, self._dims)
        return self._own


def _value(one: Measure) -> pl.Expr:
    """The value of a count or a ratio from its sums; null where the denominator is nil."""
    if one.kind == "count":
        return pl.col(one.numerator).cast(pl.Float64)
    bottom = pl.col(one.denominator) * one.divisor
    return pl.when(bottom > 0).then(pl.col(one.numerator) / bottom)


def _least_minutes(spread: pl.DataFrame, by: tuple[str, ...], percent: int) -> pl.DataFrame:
    """The least minutes within which ``percent`` of 100 timed items were delivered, by groups; exact in integers."""
    keys = list(by) or ["everything"]
    running = spread.with_columns(everything=pl.lit(0)).with_columns(
        upto=pl.col("n_took").cum_sum().over(keys, order_by="took_min"), n_timed=pl.col("n_took").sum().over(keys)
    )
    reached = running.filter(pl.col("upto") * 100 >= pl.col("n_timed") * percent)
    groups = reached.group_by(keys).agg(pl.col("took_min").min(), pl.col("n_timed").first())
    return groups.select(*by, "took_min", "n_timed")


def _weigh_pairs(sums: pl.DataFrame, dims: Dims, one: Measure, by: tuple[str, ...]) -> pl.DataFrame:
    """Weights of the city pairs reached in time and of all, by groups."""
    population = dims.cities.select(destination_city="city", population=pl.col("population").fill_null(0))
    is_abroad = pl.col("scope") == "international"
    side = is_abroad if one.denominator == "pairs_abroad" else ~is_abroad
    pairs = sums.filter(pl.col("n_timed") > 0, side).join(population, on="destination_city", how="left")
    weight = pl.col("population") if one.denominator == "persons" else pl.lit(1, pl.Int64)
    in_time = pl.col("total_item_min") <= one.parameter * one.divisor * pl.col("n_timed")
    weighed = pairs.with_columns(reached=pl.when(in_time).then(weight).otherwise(0), reachable=weight)
    totals = [pl.col(name).sum() for name in ("reached", "reachable", "n_timed")]
    return weighed.group_by(by).agg(totals) if by else weighed.select(totals)


def _assemble(frames: list[tuple[Measure, pl.DataFrame]], by: tuple[str, ...], label: str) -> pl.DataFrame:
    """One frame of all measures, in order; a measure of everything has one row even when nothing counts."""
    parts = []
    for one, frame in frames:
        if not by and not len(frame):
            frame = pl.DataFrame({"value": [None], "n_items": [0]})
        part = frame.select(
            *by,
            pl.lit(one.name).alias("measure"),
            pl.col("value").cast(pl.Float64),
            pl.col("n_items").cast(pl.Int64).fill_null(0),
            pl.lit(one.unit).alias("unit"),
            pl.lit(label).alias("label"),
        )
        parts.append(part.sort(by) if by else part)
    return pl.concat(parts)
