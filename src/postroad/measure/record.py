"""A record: all that is measured of one run, put together once and asked any number of times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from postroad.core.errors import InputError
from postroad.cost import Activity, CarbonAccount, CostAccount, Rate, account_carbon, account_cost, sum_vehicle_work
from postroad.events.journeys import Journeys
from postroad.measure.dims import Dims, build_dims
from postroad.measure.evaluation import measure
from postroad.measure.hours import Hours, measure_hours
from postroad.measure.loads import Loads, measure_loads
from postroad.measure.registry import STANDARD, Measure, find
from postroad.measure.sql import EVERYTHING, Within
from postroad.measure.tallies import Tally, tally
from postroad.network.instance import Instance

__all__ = ["Record", "make_record", "measure_record"]

ACCOUNT_GROUPINGS = ("element", "mode", "product")


@dataclass(frozen=True, slots=True)
class Record:
    """What a run, or a ledger, lets one measure.

    Attributes
    ----------
    journeys: of the items measured, for groupings that the tally cannot answer; None when they were not kept.
    tally: their sums.
    loads, hours: of the whole run; None for a ledger.
    cost, carbon: accounts of the items measured; None for a ledger.
    first_day, last_day: the service days, and with them the hours, that loads and hours are measured on; the last is
        counted in, None for the end.
    label: ``modelled`` for a simulated run, ``measured`` for a real ledger.
    """

    dims: Dims
    tally: Tally
    journeys: Journeys | pa.Table | Path | None = None
    loads: Loads | None = None
    hours: Hours | None = None
    cost: CostAccount | None = None
    carbon: CarbonAccount | None = None
    first_day: int = 0
    last_day: int | None = None
    label: str = "modelled"

    @property
    def days(self) -> slice:
        """The service days that loads are measured on."""
        return slice(self.first_day, None if self.last_day is None else self.last_day + 1)

    @property
    def window(self) -> slice:
        """The hours of the same days."""
        return slice(24 * self.first_day, None if self.last_day is None else 24 * (self.last_day + 1))


def make_record(
    instance: Instance,
    tables: Mapping[str, pl.DataFrame],
    journeys: Journeys,
    arrays: Mapping[str, np.ndarray],
    *,
    n_released: int,
    n_release_days: int,
    year: int,
    first_day: int = 0,
    last_day: int | None = None,
    rates: Mapping[str, Rate] | None = None,
    label: str = "modelled",
) -> Record:
    """Put the record of a simulated run together.

    Parameters
    ----------
    instance, tables: the network that ran.
    journeys: of the items measured.
    arrays: ``load_items``, ``run_legs``, ``sorted_items``, ``screened_items``, ``backlog_in``, ``backlog_out``,
        ``delivered_items`` of the run.
    n_released: items released in the whole run, unmeasured days included.
    n_release_days: days on which items were released, from the epoch.
    year: reporting year of the accounts.
    first_day, last_day: service days that loads and hours are measured on; those measured are usual.
    rates: collection and delivery rates; the shipped ones when None.

    Raises
    ------
    InputError: PR-M003, PR-M006, PR-M102 to PR-M104.
    """
    dims = build_dims(instance.fac_id, instance.prod_id, tables)
    summary = tally(journeys, dims)
    activity = Activity(
        instance=instance,
        tables=tables,
        load_items=arrays["load_items"],
        run_legs=arrays["run_legs"],
        sorted_items=arrays["sorted_items"].sum(axis=1),
        collected=summary.collected,
        attempted=summary.attempted,
        share=summary.n_items / n_released if n_released else 0.0,
        n_paid_days=n_release_days,
    )
    work = sum_vehicle_work(activity)
    hours = ("sorted_items", "screened_items", "backlog_in", "backlog_out", "delivered_items")
    return Record(
        dims=dims,
        tally=summary,
        journeys=journeys,
        loads=Loads(instance, tuple(tables["vehicles"]["vehicle_id"]), arrays["load_items"], arrays["run_legs"]),
        hours=Hours(instance, **{name: arrays[name] for name in hours}),
        cost=account_cost(activity, year=year, rates=rates, label=label, work=work),
        carbon=account_carbon(activity, year=year, rates=rates, label=label, work=work),
        first_day=first_day,
        last_day=last_day,
        label=label,
    )


def measure_record(
    record: Record, names: Iterable[str] = STANDARD, by: str | Iterable[str] = (), *, within: Within = EVERYTHING
) -> pl.DataFrame:
    """Measure anything registered, by groups that the measure knows.

    Parameters
    ----------
    names: registered measures of any kind.
    by: groupings; those of journeys (:data:`postroad.measure.dims.GROUPINGS`), loads, hours or accounts: one call takes
        measures that share them.
    within: limits of journeys; loads, hours and accounts are of everything.

    Returns
    -------
    pl.DataFrame: the groups, ``measure``, ``value``, ``n_items``, ``unit``, ``label``.

    Raises
    ------
    NotFound: PR-M001, PR-M002.
    InputError: PR-M004 (the journeys were not kept), PR-M007 (a measure does not know a grouping), PR-M008 (the record
        holds no loads, hours or accounts).
    """
    keys = [by] if isinstance(by, str) else list(by)
    wanted = find(names)
    of_journeys = [one.name for one in wanted if one.is_of_journeys]
    if of_journeys:
        source, dims = record.tally, record.dims
        told = measure(source, dims, of_journeys, keys, within=within, label=record.label, rows=record.journeys)
    of_loads = [one for one in wanted if one.kind == "loads"]
    loads = _of_loads(record, of_loads, keys) if of_loads else {}
    frames = []
    for one in wanted:
        if one.is_of_journeys:
            frames.append(told.filter(measure=one.name))
            continue
        if one.kind == "loads":
            frame = loads[one.name]
        else:
            frame = (_of_hours if one.kind == "hours" else _of_accounts)(record, one, keys)
        frames.append(
            frame.select(
                *[name for name in frame.columns if name not in ("value", "n_items")],
                pl.lit(one.name).alias("measure"),
                pl.col("value").cast(pl.Float64),
                pl.col("n_items").cast(pl.Int64),
                pl.lit(one.unit).alias("unit"),
                pl.lit(record.label).alias("label"),
            )
        )
    return pl.concat(frames)


def _of_loads(record: Record, wanted: list[Measure], by: list[str]) -> dict[str, pl.DataFrame]:
    if record.loads is None:
        raise InputError("PR-M008", part="loads", name=wanted[0].name)
    return measure_loads(record.loads, wanted, by, days=record.days)


def _of_hours(record: Record, one: Measure, by: list[str]) -> pl.DataFrame:
    if record.hours is None:
        raise InputError("PR-M008", part="hours", name=one.name)
    return measure_hours(record.hours, record.dims, one, by, window=record.window)


def _of_accounts(record: Record, one: Measure, by: list[str]) -> pl.DataFrame:
    """A total, or a total per item, of an account by one of its columns."""
    account = record.cost if one.numerator == "cost" else record.carbon
    if account is None:
        raise InputError("PR-M008", part="accounts", name=one.name)
    known = ACCOUNT_GROUPINGS if one.numerator == "carbon" else ACCOUNT_GROUPINGS[:2]
    if len(by) > 1 or not set(by) <= set(known):
        raise InputError("PR-M007", name=one.name, by=", ".join(by), known=", ".join(known))
    scale = 1000.0 if one.numerator == "carbon" else 1.0
    if by == ["product"]:
        frame = record.carbon.by_product.select("product", "value", "n_items")
    else:
        frame = account.lines.group_by(by, maintain_order=True) if by else account.lines
        frame = frame.agg(pl.col("value").sum()) if by else frame.select(pl.col("value").sum())
        frame = frame.with_columns(n_items=pl.lit(account.n_items, pl.Int64))
    over = pl.col("n_items") if one.denominator else pl.lit(1)
    return frame.with_columns(value=pl.when(over > 0).then(pl.col("value") * scale / over))
