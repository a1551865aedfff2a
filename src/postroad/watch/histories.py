"""Histories: what the events of many items say, as arrays by row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC

import numpy as np
import polars as pl

from postroad.network.instance import Instance
from postroad.routing.outlook import ACCEPTED, FAILED, OUT, SCREENED, SORTED, UNDERWAY, WAITING

__all__ = ["DELIVERED", "STAGE_OF_KIND", "Histories", "read_histories"]

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


def read_histories(events: pl.DataFrame, items: pl.DataFrame, instance: Instance) -> Histories:
    """Turn events and item records into arrays.

    Parameters
    ----------
    events: columns ``item_id``, ``kind``, ``occurred_at``, ``facility_id``, ``trip_id``, of a ledger that has no
        corrections among them. Those of items without a record, or of kinds that no item has, are left out.
    items: columns ``item_id``, ``product_id``, ``origin_id``, ``destination_id``, ``accepted_at``, ``promise_at``.
    instance: gives the facilities, products, trips and the epoch.
    """
    facilities, products = _index(instance.fac_id), _index(instance.prod_id)
    trips = _index(instance.trip_id or ())
    items = items.unique("item_id", keep="first", maintain_order=True).with_row_index("item")
    stages = _index(STAGE_OF_KIND, list(STAGE_OF_KIND.values()))
    epoch = instance.epoch.astimezone(UTC)

    def minutes(name: str) -> pl.Expr:
        since = (pl.col(name) - epoch).dt.total_microseconds() // MINUTE_US
        return since.fill_null(-1).cast(pl.Int64).alias(name)

    def index(name: str, frame: dict[str, int], dtype: type) -> pl.Expr:
        return pl.col(name).cast(pl.String).replace_strict(frame, default=-1, return_dtype=dtype)

    heads = items.select(
        "item",
        pl.col("item_id").cast(pl.String),
        index("origin_id", facilities, pl.Int32),
        index("destination_id", facilities, pl.Int32),
        index("product_id", products, pl.Int8),
        minutes("accepted_at"),
        minutes("promise_at"),
    )
    rows = events.select(
        pl.col("item_id").cast(pl.String),
        index("kind", stages, pl.Int8).alias("stage"),
        pl.col("occurred_at").alias("at"),
        minutes("occurred_at"),
        index("facility_id", facilities, pl.Int32).alias("facility"),
        index("trip_id", trips, pl.Int32).alias("trip"),
    )
    rows = rows.join(heads.select("item", "item_id"), on="item_id", how="inner").sort("item", "at", maintain_order=True)
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
    )


def _index(names, values=None) -> dict[str, int]:
    """Place of each name, or its value."""
    return dict(zip(names, values if values is not None else range(len(names)), strict=True))
