"""Hours: what facilities sorted, screened and held hour by hour, against what they could."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from postroad.core.errors import InputError
from postroad.measure.dims import Dims
from postroad.measure.registry import Measure
from postroad.network.instance import Instance
from postroad.network.windows import UNLIMITED_ITEMS

__all__ = ["HOUR_GROUPINGS", "Hours", "find_clear_hour", "hourly_capacity", "measure_hours", "track_backlog"]

HOUR_GROUPINGS = ("facility", "city", "province", "region", "hour", "hour_of_day", "day")
"""What hours may be grouped by; ``hour`` and ``day`` count from the epoch of the run."""

_OF_TIME = ("hour", "hour_of_day", "day")


@dataclass(frozen=True, slots=True)
class Hours:
    """Work and queues by facility and hour of the horizon, int64 (n_fac, n_hours) each.

    Attributes
    ----------
    sorted_items, screened_items, delivered_items: items in the hour.
    backlog_in: items waiting to be screened or sorted at the end of the hour.
    backlog_out: items sorted and waiting for a departure or a delivery wave at the end of the hour.
    """

    instance: Instance
    sorted_items: np.ndarray
    screened_items: np.ndarray
    backlog_in: np.ndarray
    backlog_out: np.ndarray
    delivered_items: np.ndarray

    def __post_init__(self) -> None:
        """Refuse arrays that are not of this network or differ in length.

        Raises
        ------
        InputError: PR-M006.
        """
        wanted = (self.instance.n_fac, self.sorted_items.shape[-1])
        for name in ("sorted_items", "screened_items", "backlog_in", "backlog_out", "delivered_items"):
            found = getattr(self, name).shape
            if found != wanted:
                raise InputError("PR-M006", array=name, found=str(found), wanted=str(wanted))

    @property
    def n_hours(self) -> int:
        """Hours recorded."""
        return self.sorted_items.shape[1]


def hourly_capacity(instance: Instance, cap: np.ndarray, n_hours: int) -> np.ndarray:
    """Items that could be worked in each hour, int64 (n_fac, n_hours); -1 where there is no limit.

    Parameters
    ----------
    cap: ``sort_cap`` or ``screen_cap`` of the instance, by slot.
    n_hours: hours recorded, at most those of the horizon.

    Raises
    ------
    InputError: PR-M006 when more hours were recorded than the horizon has.
    """
    per_hour = 60 // instance.slot_min
    if n_hours * per_hour > cap.shape[1]:
        raise InputError("PR-M006", array="hours", found=str(n_hours), wanted=f"<= {cap.shape[1] // per_hour}")
    by_hour = cap[:, : n_hours * per_hour].astype(np.int64).reshape(len(cap), n_hours, per_hour)
    return np.where((by_hour >= UNLIMITED_ITEMS).any(axis=2), -1, by_hour.sum(axis=2))


def measure_hours(
    hours: Hours, dims: Dims, measure: Measure, by: Iterable[str] = (), *, window: slice = slice(None)
) -> pl.DataFrame:
    """One registered measure of kind ``hours``.

    Parameters
    ----------
    by: of :data:`HOUR_GROUPINGS`.
    window: hours of the horizon to take.

    Returns
    -------
    pl.DataFrame: the groups, ``value`` and ``n_items`` (items worked, each time; or the items waiting at the peak).

    Raises
    ------
    InputError: PR-M007 for another grouping.
    """
    keys = tuple([by] if isinstance(by, str) else by)
    for name in keys:
        if name not in HOUR_GROUPINGS:
            raise InputError("PR-M007", name=measure.name, by=name, known=", ".join(HOUR_GROUPINGS))
    rows, row_labels, n_rows = _facility_groups(hours, dims, [name for name in keys if name not in _OF_TIME])
    columns, column_labels, n_columns = _hour_groups(hours, [name for name in keys if name in _OF_TIME], window)
    if measure.numerator.startswith("backlog"):
        amount = _most(_sum_rows(getattr(hours, measure.numerator)[:, window], rows, n_rows), columns, n_columns)
        value = amount.astype(float)
    else:
        done, room = _work(hours, measure, window)
        amount = _sum_both(done, rows, columns, n_rows, n_columns)
        value = amount.astype(float)
        if room is not None:
            limited = room >= 0
            top = _sum_both(np.where(limited, done, 0), rows, columns, n_rows, n_columns)
            bottom = _sum_both(np.where(limited, room, 0), rows, columns, n_rows, n_columns)
            value = np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom > 0)
    row, column = np.divmod(np.arange(n_rows * n_columns), n_columns)
    labels = {name: row_labels[name].gather(row) for name in row_labels.columns}
    labels |= {name: column_labels[name].gather(column) for name in column_labels.columns}
    frame = pl.DataFrame(labels | {"value": value.reshape(-1), "n_items": amount.reshape(-1)})
    return frame.select(*keys, pl.col("value").fill_nan(None), "n_items")


def track_backlog(hours: Hours, *, base: Hours | None = None, window: slice = slice(None)) -> pl.DataFrame:
    """Peak, hour of the peak and hour of clearing of the backlog before sorting, by facility.

    Parameters
    ----------
    base: the undisturbed run; the backlog in excess of its own is tracked when given.
    window: hours of the horizon in which the peak is looked for.

    Returns
    -------
    pl.DataFrame: ``facility``, ``n_peak_backlog``, ``peak_hour``, ``clear_hour`` (null: it did not clear, or there was
        no backlog), in order of the instance. Clear means at most one hundredth of the peak (in excess of the base).
    """
    waiting = hours.backlog_in.astype(np.int64)
    if base is not None:
        n_hours = min(hours.n_hours, base.n_hours)
        padded = np.zeros_like(waiting)
        padded[:, :n_hours] = base.backlog_in[:, :n_hours]
        waiting = waiting - padded
    start = window.start or 0
    seen = waiting[:, window]
    peak_hour = start + seen.argmax(axis=1)
    peak = waiting[np.arange(len(waiting)), peak_hour]
    clear = [find_clear_hour(row, hour) for row, hour in zip(waiting, peak_hour.tolist(), strict=True)]
    return pl.DataFrame(
        {
            "facility": list(hours.instance.fac_id),
            "n_peak_backlog": np.maximum(peak, 0),
            "peak_hour": pl.Series(peak_hour.astype(np.int32)),
            "clear_hour": pl.Series(clear, dtype=pl.Int32),
        }
    ).with_columns(pl.when(pl.col("n_peak_backlog") > 0).then(pl.col("peak_hour", "clear_hour")))


def find_clear_hour(waiting: np.ndarray, peak_hour: int, share: float = 0.01) -> int | None:
    """The first hour after the peak at whose end at most ``share`` of the peak still waits; None when there is none.

    >>> find_clear_hour(np.array([0, 50, 100, 20, 1, 30]), 2)
    4
    """
    left = np.flatnonzero(waiting[peak_hour:] <= waiting[peak_hour] * share)
    return peak_hour + int(left[0]) if len(left) and waiting[peak_hour] > 0 else None


def _work(hours: Hours, measure: Measure, window: slice) -> tuple[np.ndarray, np.ndarray | None]:
    """Items worked by facility and hour, and the room for them when the measure is a share of it."""
    instance = hours.instance
    done = {"sorted": hours.sorted_items, "screened": hours.screened_items}[measure.numerator][:, window]
    if not measure.denominator:
        return done, None
    cap = instance.sort_cap if measure.denominator == "sort_cap" else instance.screen_cap
    return done, hourly_capacity(instance, cap, hours.n_hours)[:, window]


def _facility_groups(hours: Hours, dims: Dims, keys: list[str]) -> tuple[np.ndarray, pl.DataFrame, int]:
    """The group of each facility, the labels of the groups, and how many there are."""
    if not keys:
        return np.zeros(hours.instance.n_fac, np.int64), pl.DataFrame(), 1
    return _number(dims.facilities.select(keys))


def _hour_groups(hours: Hours, keys: list[str], window: slice) -> tuple[np.ndarray, pl.DataFrame, int]:
    """The group of each hour in the window, the labels of the groups, and how many there are."""
    hour = np.arange(hours.n_hours, dtype=np.int32)[window]
    if not keys:
        return np.zeros(len(hour), np.int64), pl.DataFrame(), 1
    every = {"hour": hour, "hour_of_day": hour % 24, "day": hour // 24}
    return _number(pl.DataFrame({name: every[name] for name in keys}))


def _number(frame: pl.DataFrame) -> tuple[np.ndarray, pl.DataFrame, int]:
    """Number the different rows of a frame in order of appearance."""
    labels = frame.unique(maintain_order=True)
    numbered = frame.join(labels.with_row_index("group"), on=frame.columns, how="left", maintain_order="left")
    return numbered["group"].to_numpy().astype(np.int64), labels, len(labels)


def _sum_rows(values: np.ndarray, rows: np.ndarray, n_rows: int) -> np.ndarray:
    out = np.zeros((n_rows, values.shape[1]), np.int64)
    np.add.at(out, rows, values)
    return out


def _sum_both(values: np.ndarray, rows: np.ndarray, columns: np.ndarray, n_rows: int, n_columns: int) -> np.ndarray:
    out = np.zeros((n_columns, n_rows), np.int64)
    np.add.at(out, columns, _sum_rows(values, rows, n_rows).T)
    return out.T


def _most(values: np.ndarray, columns: np.ndarray, n_columns: int) -> np.ndarray:
    out = np.zeros((n_columns, len(values)), np.int64)
    np.maximum.at(out, columns, values.T)
    return out.T
