"""Histories: what the events of many items say, as arrays by row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC

import numpy as np
import polars as pl

from postroad.network.instance import Instance
from postroad.routing.outlook import ACCEPTED, FAILED, OUT, SCREENED, SORTED, UNDERWAY, WAITING
from postroad.watch.trips import Connections

__all__ = ["DELIVERED", "STAGE_OF_KIND", "Histories", "minutes_of", "place_of", "read_delays", "read_histories"]

DELIVERED, NOTHING = 100, -1
STAGE_OF_KIND = {
    "accepted": ACCEPTED,
    "screened": SCREENED,
    "arrived": WAITING,
    "arrived_delivery_office": WAITING,
    "unloaded": WAITING,
    "unbagged": WAITING,
    "sorted": SORTED,
    "bagged": SORTED,
    "loaded": SORTED,
    "departed": UNDERWAY,
    "out_for_delivery": OUT,
    "attempt_failed": FAILED,
    "delivered": DELIVERED,
}
"""The stage in which an event of a kind leaves an item; kinds that are not here leave it where the timetable knows
nothing of it."""

HEADS = ("origin_id", "destination_id", "product_id", "accepted_at", "promise_at")
MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Histories:
    """Items and their rows, by item and in order of time.

    Attributes
    ----------
    item_id: str (n_item,). origin, destination: int32 facility index, -1 where not known. product: int8 likewise.
    accepted_min, promise_min: int64, minutes from the epoch; -1 where not known.
    delivered_min: int64, minute of delivery; -1 where not delivered.
    row_item: int32 (n_row,), rising. row_stage: int8, index into STAGES or NOTHING. row_min: int64, minutes.
    row_facility: int32, where it happened. row_trip: int32, index into the instance's trips. -1 where not told.
    row_late: float32, minutes by which the vehicle told that it is late; NaN in rows that are the item's own. Where the
        vehicle told it, facility and trip are those of the item's departure.
    """

    item_id: pl.Series
    origin: np.ndarray
    destination: np.ndarray
    product: np.ndarray
    accepted_min: np.ndarray
    promise_min: np.ndarray
    delivered_min: np.ndarray
    row_item: np.ndarray
    row_stage: np.ndarray
    row_min: np.ndarray
    row_facility: np.ndarray
    row_trip: np.ndarray
    row_late: np.ndarray


def read_histories(events: pl.DataFrame, items: pl.DataFrame, instance: Instance) -> Histories:
    """Turn events and item records into arrays.

    Parameters
    ----------
    events: columns ``item_id``, ``kind``, ``occurred_at``, ``facility_id``, ``trip_id``, of a ledger that has no
        corrections among them. Those of items without a record, or of kinds that no item has, are left out. With a
        column ``payload`` what trips tell of their delays is a row of each item aboard.
    items: columns ``item_id``, ``product_id``, ``origin_id``, ``destination_id``, ``accepted_at``, ``promise_at``.
    instance: gives the facilities, products, trips and the epoch.
    """
    facilities, products = _index(instance.fac_id), _index(instance.prod_id)
    items = items.unique("item_id", keep="first", maintain_order=True).with_row_index("item")
    heads = items.select(
        "item",
        pl.col("item_id").cast(pl.String),
        place_of("origin_id", facilities, pl.Int32),
        place_of("destination_id", facilities, pl.Int32),
        place_of("product_id", products, pl.Int8),
        minutes_of("accepted_at", instance),
        minutes_of("promise_at", instance),
    )
    rows = _rows(events, heads, instance)
    item, stage, minute = (rows[name].to_numpy() for name in ("item", "stage", "occurred_at"))
    delivered = np.full(len(heads), -1, np.int64)
    is_end = stage == DELIVERED
    delivered[item[is_end]] = minute[is_end]
    return Histories(
        heads["item_id"],
        *(
            heads[name].to_numpy()
            for name in ("origin_id", "destination_id", "product_id", "accepted_at", "promise_at")
        ),
        delivered,
        item.astype(np.int32),
        stage,
        minute,
        rows["facility"].to_numpy(),
        rows["trip"].to_numpy(),
        rows["late"].to_numpy(),
    )


def minutes_of(name: str, instance: Instance) -> pl.Expr:
    """Minutes from the epoch; -1 where null."""
    since = (pl.col(name) - instance.epoch.astimezone(UTC)).dt.total_microseconds() // MINUTE_US
    return since.fill_null(-1).cast(pl.Int64).alias(name)


def place_of(name: str, places: dict[str, int], dtype: type) -> pl.Expr:
    """Place of each name, or its value; -1 for none."""
    return pl.col(name).cast(pl.String).replace_strict(places, default=-1, return_dtype=dtype)


def _rows(events: pl.DataFrame, heads: pl.DataFrame, instance: Instance) -> pl.DataFrame:
    """The rows of items, those that their vehicles told among them, by item and in order of time."""
    rows = events.select(
        pl.col("item_id").cast(pl.String),
        place_of("kind", _index(STAGE_OF_KIND, list(STAGE_OF_KIND.values())), pl.Int8).alias("stage"),
        pl.col("occurred_at").alias("at"),
        minutes_of("occurred_at", instance),
        place_of("facility_id", _index(instance.fac_id), pl.Int32).alias("facility"),
        place_of("trip_id", _index(instance.trip_id or ()), pl.Int32).alias("trip"),
    )
    rows = rows.join(heads.select("item", "item_id"), on="item_id", how="inner").drop("item_id")
    rows = rows.sort("item", "at", maintain_order=True).with_columns(late=pl.lit(float("nan"), pl.Float32))
    if "payload" not in events.columns:
        return rows
    told = _tell_aboard(rows, read_delays(events, instance), Connections(instance))
    return pl.concat([rows, told.select(rows.columns)]).sort("item", "at", maintain_order=True)


def read_delays(events: pl.DataFrame, instance: Instance) -> pl.DataFrame:
    """What trips tell of their delays, in order of time; trips that the plan does not know are left out.

    Returns
    -------
    ``trip`` (index), ``day`` (of service, from the epoch), ``at``, ``occurred_at`` (minutes from the epoch), ``late``
    (minutes), ``facility_id`` (where, if told).
    """
    told = events.filter(pl.col("item_id").is_null() & (pl.col("kind").cast(pl.String) == "delayed"))
    content = pl.Struct({"minutes": pl.Float32, "service_date": pl.String})
    told = told.select(
        place_of("trip_id", _index(instance.trip_id or ()), pl.Int32).alias("trip"),
        pl.col("occurred_at").alias("at"),
        minutes_of("occurred_at", instance),
        pl.col("payload").str.json_decode(content).alias("content"),
        "facility_id",
    ).unnest("content")
    day = (pl.col("service_date").str.to_date(strict=False) - instance.epoch.date()).dt.total_days()
    told = told.with_columns(day.cast(pl.Int64).alias("day"), late=pl.col("minutes"))
    known = (pl.col("trip") >= 0) & pl.col("late").is_not_null() & pl.col("day").is_not_null()
    return (
        told.filter(known)
        .select("trip", "day", "at", "occurred_at", "late", "facility_id")
        .sort("at", maintain_order=True)
    )


def _tell_aboard(rows: pl.DataFrame, told: pl.DataFrame, connections: Connections) -> pl.DataFrame:
    """A row for each item aboard of what its vehicle told between its departure and its next event."""
    following = pl.col("at").shift(-1).over("item").alias("until")
    aboard = rows.with_columns(following).filter((pl.col("stage") == UNDERWAY) & (pl.col("trip") >= 0))
    trip, facility, minute = (aboard[name].to_numpy() for name in ("trip", "facility", "occurred_at"))
    aboard = aboard.with_columns(day=pl.Series(connections.service_day(trip, facility, minute), dtype=pl.Int64))
    aboard = aboard.rename({"at": "left"}).drop("late", "occurred_at")
    found = aboard.join(told, on=["trip", "day"], how="inner")
    return found.filter(
        (pl.col("at") > pl.col("left")) & (pl.col("until").is_null() | (pl.col("at") < pl.col("until")))
    )


def _index(names, values=None) -> dict[str, int]:
    """Place of each name, or its value."""
    return dict(zip(names, values if values is not None else range(len(names)), strict=True))
