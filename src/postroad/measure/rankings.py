"""Tables that people look at: distribution of hours, cities and pairs, centres, lanes; worst first where meant."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from postroad.core.errors import InputError
from postroad.measure.dims import Dims
from postroad.measure.engines import Engine
from postroad.measure.evaluation import measure
from postroad.measure.hours import hourly_capacity, track_backlog
from postroad.measure.loads import sum_loads
from postroad.measure.record import Record
from postroad.measure.sql import EVERYTHING, Within
from postroad.measure.tallies import Tally
from postroad.network.schema import FACILITY_KINDS, REGIONS

__all__ = [
    "distribute_hours",
    "name_cities",
    "tabulate_centres",
    "tabulate_destinations",
    "tabulate_lanes",
    "tabulate_pairs",
]


def distribute_hours(
    tally: Tally | Engine, by: str | Iterable[str] = ("product",), *, width_h: int = 1, within: Within = EVERYTHING
) -> pl.DataFrame:
    """How the total hours are distributed.

    Parameters
    ----------
    by: of ``product``, ``scope`` and ``destination_region``.
    width_h: width of a class in hours.

    Returns
    -------
    pl.DataFrame: the groups, ``hour`` (lower edge of the class), ``n_items`` (timed), ``share`` and ``upto_share`` (of
        the group); classes without an item are left out.

    Raises
    ------
    InputError: PR-M004 for another grouping.
    """
    keys = [by] if isinstance(by, str) else list(by)
    if not tally.answers_took(keys, within):
        raise InputError("PR-M004", by=", ".join(keys))
    spread = tally.took(keys, within).with_columns(hour=pl.col("took_min") // (60 * width_h) * width_h)
    classes = spread.group_by([*keys, "hour"]).agg(n_items=pl.col("n_took").sum()).sort([*keys, "hour"])
    of_group = classes.with_columns(whole=pl.lit(0)) if not keys else classes
    over = keys or ["whole"]
    shares = of_group.with_columns(
        share=pl.col("n_items") / pl.col("n_items").sum().over(over),
        upto_share=pl.col("n_items").cum_sum().over(over) / pl.col("n_items").sum().over(over),
    )
    return shares.select(*keys, "hour", "n_items", "share", "upto_share")


def tabulate_pairs(
    tally: Tally | Engine, *, n: int = 50, worst_by: str = "total_h", min_items: int = 1000, within: Within = EVERYTHING
) -> pl.DataFrame:
    """The city pairs that do worst.

    Parameters
    ----------
    n: how many.
    worst_by: ``total_h``, ``on_time_share`` or ``late_h``.
    min_items: pairs with fewer items are left out.

    Returns
    -------
    pl.DataFrame: ``origin_city``, ``destination_city`` with names in Chinese and English, ``n_items``, ``total_h``,
        ``promise_h``, ``on_time_share``, ``late_h``; the worst first, ties in order of ids.
    """
    names = ["total_h", "promise_h", "on_time_share", "late_h"]
    wide = _widen(tally, names, ["origin_city", "destination_city"], within)
    chosen = wide.filter(pl.col("n_items") >= min_items, pl.col(worst_by).is_not_null())
    ordered = chosen.sort(
        [worst_by, "origin_city", "destination_city"], descending=[worst_by != "on_time_share", False, False]
    )
    return name_cities(ordered.head(n), tally.dims)


def tabulate_destinations(tally: Tally | Engine, *, within: Within = EVERYTHING) -> pl.DataFrame:
    """Destination cities: ``destination_city`` with names, ``region``, ``n_items``, ``total_h``, ``on_time_share``."""
    wide = _widen(tally, ["total_h", "on_time_share"], ["destination_city"], within)
    regions = tally.dims.cities.select(destination_city="city", region="region")
    return name_cities(wide.join(regions, on="destination_city", how="left", maintain_order="left"), tally.dims)


def tabulate_centres(record: Record) -> pl.DataFrame:
    """Facilities and how hard they worked on the days measured.

    Returns
    -------
    pl.DataFrame: one row a core facility: ``facility_id``, ``kind``, ``city``, ``region``, ``lon``, ``lat``,
        ``sorted_items``, ``capacity_items`` (null: not limited), ``use_share`` (over the days), ``busiest_share`` (in
        the busiest hour), ``peak_backlog_items``, ``peak_hour``, ``clear_hour`` (of the horizon; see
        :func:`postroad.measure.hours.track_backlog`), ``label``; largest backlog first.

    Raises
    ------
    InputError: PR-M008 when the record holds no hours.
    """
    if record.hours is None:
        raise InputError("PR-M008", part="hours", name="sort_use_share")
    hours, instance = record.hours, record.hours.instance
    done = hours.sorted_items[:, record.window]
    room = hourly_capacity(instance, instance.sort_cap, hours.n_hours)[:, record.window]
    limited = (room >= 0).all(axis=1)
    capacity = np.where(limited, np.maximum(room, 0).sum(axis=1), 0)
    hourly = np.divide(done, room, out=np.zeros(done.shape), where=room > 0)
    frame = pl.DataFrame(
        {
            "facility_id": list(instance.fac_id),
            "kind": [FACILITY_KINDS[kind] for kind in instance.fac_kind],
            "city": record.dims.facilities["city"],
            "region": [REGIONS[region] for region in instance.fac_region],
            "lon": instance.fac_lon,
            "lat": instance.fac_lat,
            "sorted_items": done.sum(axis=1),
            "capacity_items": capacity,
            "busiest_share": hourly.max(axis=1, initial=0.0),
            "is_limited": limited,
        }
    ).with_columns(
        pl.when("is_limited").then(pl.col("capacity_items", "busiest_share")),
        use_share=pl.when(pl.col("is_limited") & (pl.col("capacity_items") > 0)).then(
            pl.col("sorted_items") / pl.col("capacity_items")
        ),
        label=pl.lit(record.label),
    )
    tracked = track_backlog(hours, window=record.window).rename(
        {"facility": "facility_id", "n_peak_backlog": "peak_backlog_items"}
    )
    cores = frame.head(instance.n_core).drop("is_limited").join(tracked, on="facility_id", maintain_order="left")
    return cores.sort(["peak_backlog_items", "facility_id"], descending=[True, False])


def tabulate_lanes(record: Record) -> pl.DataFrame:
    """Lanes and how full their vehicles were on the days measured.

    Returns
    -------
    pl.DataFrame: ``from_facility``, ``to_facility``, ``mode``, ``items_per_day``, ``trips_per_day`` (vehicles),
        ``distance_km``, ``fill_share`` (fullest of pieces, weight and volume), ``activity_tkm``, ``label``; the fullest
        first.

    Raises
    ------
    InputError: PR-M008 when the record holds no loads.
    """
    if record.loads is None:
        raise InputError("PR-M008", part="loads", name="fill_share")
    n_days = len(record.loads.run_legs[record.days])
    sums = sum_loads(record.loads, ["lane"], days=record.days)
    lanes = sums.select(
        "from_facility",
        "to_facility",
        "mode",
        items_per_day=pl.col("items") / max(n_days, 1),
        trips_per_day=pl.col("vehicles") / max(n_days, 1),
        distance_km=pl.when(pl.col("vehicles") > 0).then(pl.col("vehicle_km") / pl.col("vehicles")),
        fill_share=pl.when(pl.col("km") > 0).then(pl.col("full_km") / pl.col("km")),
        activity_tkm=pl.col("activity_tkm"),
        label=pl.lit(record.label),
    )
    keys = ["from_facility", "to_facility", "mode"]
    return lanes.sort(["fill_share", *keys], descending=[True, False, False, False], nulls_last=True)


def name_cities(frame: pl.DataFrame, dims: Dims) -> pl.DataFrame:
    """Add the names of the cities that ``origin_city`` and ``destination_city`` hold, as ``.._zh`` and ``.._en``."""
    for end in ("origin", "destination"):
        if f"{end}_city" in frame.columns:
            names = dims.cities.select(
                pl.col("city").alias(f"{end}_city"),
                pl.col("city_name").alias(f"{end}_zh"),
                pl.col("city_name_en").alias(f"{end}_en"),
            )
            frame = frame.join(names, on=f"{end}_city", how="left", maintain_order="left")
    return frame


def _widen(tally: Tally | Engine, names: list[str], by: list[str], within: Within) -> pl.DataFrame:
    """Measures side by side, with the items of each group."""
    long = measure(tally, tally.dims, ["n_items", *names], by, within=within)
    wide = long.pivot("measure", index=by, values="value", maintain_order=True)
    return wide.with_columns(pl.col("n_items").cast(pl.Int64))
