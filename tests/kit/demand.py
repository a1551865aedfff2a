"""Small networks for the demand room: tables written inline and a stand-in for what it reads of an instance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import product
from types import SimpleNamespace

import numpy as np
import polars as pl

from postroad.network.feed import Network
from postroad.network.metadata import FeedMeta

PRODUCTS = (("express", 0, 0.25), ("standard", 1, 0.75))


def make_network(
    areas: Sequence[tuple[str, str, bool, bool]],
    *,
    places: Sequence[tuple[str, str | None, str, int | None]] = (),
    demand: Sequence[tuple[str, str, str, int]] = (),
    profiles: Sequence[tuple[str, str, str, float]] = (),
    products: Sequence[tuple[str, int, float]] = PRODUCTS,
    model: str = "",
    level: str = "city",
    base_date: date = date(2023, 9, 13),
) -> Network:
    """A network of service areas (facility, place, collects, delivers) and what the demand room reads beside them.

    Places are (place, parent, kind, population); places that are only named in the areas are cities of CN.
    """
    known = {place for place, *_ in places}
    rows = [("CN", None, "country", None), *places]
    rows += [(place, "CN", "city", None) for place in sorted({area[1] for area in areas} - known)]
    frames = {
        "places": pl.DataFrame(
            [
                (place, parent, kind, place, people)
                for place, parent, kind, people in rows
                if place != "CN" or not parent
            ],
            schema={
                "place_id": pl.String,
                "parent_id": pl.String,
                "kind": pl.String,
                "name": pl.String,
                "population": pl.Int64,
            },
            orient="row",
        ).unique("place_id", keep="first", maintain_order=True),
        "service_areas": pl.DataFrame(
            list(areas),
            schema={"facility_id": pl.String, "place_id": pl.String, "collects": pl.Boolean, "delivers": pl.Boolean},
            orient="row",
        ),
        "products": pl.DataFrame(
            [(name, rank, name, 1.0, 0.006, share) for name, rank, share in products],
            schema={
                "product_id": pl.String,
                "priority": pl.Int64,
                "name": pl.String,
                "mean_kg": pl.Float64,
                "mean_volume_m3": pl.Float64,
                "share": pl.Float64,
            },
            orient="row",
        ),
    }
    if demand:
        names = ["origin_place", "destination_place", "product_id", "n_items"]
        frames["demand"] = pl.DataFrame(list(demand), schema=names, orient="row")
    if profiles:
        frames["profiles"] = pl.DataFrame(
            list(profiles), schema=["profile_id", "kind", "key", "weight"], orient="row"
        ).with_columns(pl.col("weight").cast(pl.Float64))
    meta = FeedMeta(name="inline", timezone="Asia/Shanghai", base_date=base_date, level=level, demand_model=model)
    return Network.from_tables(meta, frames)


def make_instance(network: Network) -> SimpleNamespace:
    """What the demand room reads of an instance: facilities by id, products by priority, the level."""
    facilities = sorted(network.tables["service_areas"]["facility_id"].unique())
    products = network.tables["products"].sort("priority", "product_id")["product_id"]
    return SimpleNamespace(fac_id=tuple(facilities), prod_id=tuple(products), level=network.meta.level)


def all_roundings(targets: np.ndarray) -> list[np.ndarray]:
    """Every table of floors and ceilings with the margins of a small table, found by trying all of them."""
    whole = np.floor(targets + 1e-9)
    loose = np.argwhere(targets - whole > 1e-9)
    rows, columns = np.rint(targets.sum(axis=1)), np.rint(targets.sum(axis=0))
    found = []
    for ups in product((0, 1), repeat=len(loose)):
        table = whole.copy()
        table[tuple(loose.T)] += ups
        if (table.sum(axis=1) == rows).all() and (table.sum(axis=0) == columns).all():
            found.append(table.astype(np.int64))
    return found
