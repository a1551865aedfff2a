"""Events, traces and ledgers made up for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import polars as pl
import pyarrow as pa

from postroad.events.columns import schema
from postroad.ledger.simulated import RunNames

START = datetime(2025, 11, 11, 1, 0, tzinfo=UTC)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ITEM = "ZA000000015CN"
TRACE_KINDS = (
    "accepted",
    "screened",
    "sorted",
    "departed",
    "arrived",
    "out_for_delivery",
    "attempt_failed",
    "delivered",
)


def make_id(number: int) -> bytes:
    """An id of 16 bytes, in the order of its number."""
    return number.to_bytes(16, "big")


def make_event(number: int, kind: str, after_min: float = 0, facility: str | None = "HGH", **rest: object) -> dict:
    """One row of the event frame; ``after_min`` counts from START."""
    at = START + timedelta(minutes=after_min)
    row = dict.fromkeys(schema("events").names)
    row |= {"event_id": make_id(number), "kind": kind, "occurred_at": at, "recorded_at": at, "item_id": ITEM}
    return row | {"facility_id": facility, "label": "measured"} | rest


def make_frame(*rows: dict) -> pl.DataFrame:
    """Rows as an event frame."""
    return pl.from_arrow(pa.Table.from_pylist(list(rows), schema=schema("events")))


def make_life(item: str = ITEM, first: int = 1) -> list[dict]:
    """The events of an item that travels from HGH to URC and is delivered at the second attempt."""
    plan = [
        ("accepted", 30, "HGH"),
        ("screened", 60, "HGH"),
        ("sorted", 90, "HGH"),
        ("departed", 150, "HGH"),
        ("arrived", 1500, "URC"),
        ("sorted", 1560, "URC"),
        ("out_for_delivery", 1800, "URC"),
        ("attempt_failed", 1900, "URC"),
        ("out_for_delivery", 3240, "URC"),
        ("delivered", 3300, "URC"),
    ]
    return [
        make_event(
            first + place, kind, minute, facility, item_id=item, reason="absent" if kind == "attempt_failed" else None
        )
        for place, (kind, minute, facility) in enumerate(plan)
    ]


def make_trace(n_items: int = 20, seed: int = 3) -> SimpleNamespace:
    """Histories of items between five facilities, rows in order of time, several of one minute among them."""
    rng = np.random.default_rng(seed)
    rows = []
    origin = rng.integers(0, 5, n_items)
    destination = rng.integers(0, 5, n_items)
    accepted = rng.integers(0, 1440, n_items)
    for item in range(n_items):
        minute = int(accepted[item])
        path = [(0, origin[item], -1), (1, origin[item], -1), (2, origin[item], -1), (3, origin[item], 7)]
        path += [(4, destination[item], 7), (2, destination[item], -1), (5, destination[item], -1)]
        path += [(6, destination[item], -1), (5, destination[item], -1)] if item % 3 == 0 else []
        for kind, facility, departure in [*path, (7, destination[item], -1)]:
            rows.append((minute, item, kind, facility, departure))
            minute += int(rng.integers(0, 3)) * 30
    rows.sort(key=lambda row: row[0])
    minutes, items, kinds, facilities, departures = (
        np.array(column, dtype=np.int32) for column in zip(*rows, strict=True)
    )
    return SimpleNamespace(
        item=rng.choice(10**9, n_items, replace=False).astype(np.int64),
        item_origin=origin.astype(np.int32),
        item_destination=destination.astype(np.int32),
        item_product=(np.arange(n_items) % 2).astype(np.int8),
        item_accepted_min=accepted.astype(np.int32),
        item_promise_min=(accepted + 4320).astype(np.int32),
        row_item=items,
        row_kind=kinds.astype(np.int8),
        row_min=minutes,
        row_facility=facilities,
        row_departure=departures,
    )


def make_names(run_digest: str = "run", **changes: object) -> RunNames:
    """Names for :func:`make_trace`."""
    told = {
        "run_digest": run_digest,
        "epoch": datetime(2025, 11, 10, 16, tzinfo=UTC),
        "country": "CN",
        "trace_kinds": TRACE_KINDS,
        "facility_ids": ("HGH", "URC", "WUH", "CAN", "PEK"),
        "product_ids": ("express", "standard"),
        "trip_of_departure": np.arange(10, dtype=np.int32) // 2,
        "trip_ids": ("T0", "T1", "T2", "T3", "T4"),
    }
    return RunNames(**(told | changes))
