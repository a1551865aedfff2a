"""Dimensions: what a measure may be grouped by, as tables keyed by the integers that journeys hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from postroad.network.areas import ancestry, customs_territories, region_of

__all__ = ["GROUPINGS", "Dims", "build_dims"]

_ENDS = ("facility", "city", "province", "region")
GROUPINGS = (
    "product",
    "scope",
    "release_day",
    "release_hour",
    *(f"origin_{level}" for level in _ENDS),
    *(f"destination_{level}" for level in _ENDS),
)
"""What ``by`` may name, besides ``pair``, which stands for origin and destination city."""


@dataclass(frozen=True, slots=True)
class Dims:
    """The dimension tables of one network.

    Attributes
    ----------
    facilities: one row a facility in the order of the instance: ``facility_idx``, ``facility`` (id), ``city_idx``,
        ``city``, ``province``, ``region``, ``territory``, ``population`` (of the city).
    cities: one row a city in order of ``city_idx``: ``city``, ``city_name``, ``city_name_en``, ``province``,
        ``province_name``, ``province_name_en``, ``region``, ``territory``, ``population``.
    products: ``product_idx``, ``product`` (id) in the order of the instance.
    regions: ids of the regions, in order of ``region_idx``.
    fac_city: int32 (n_fac,), city of each facility.
    city_region, city_territory: int32 (n_city,).
    """

    facilities: pl.DataFrame
    cities: pl.DataFrame
    products: pl.DataFrame
    regions: tuple[str, ...]
    fac_city: np.ndarray
    city_region: np.ndarray
    city_territory: np.ndarray

    @property
    def n_city(self) -> int:
        """Number of cities."""
        return len(self.cities)

    @property
    def n_prod(self) -> int:
        """Number of products."""
        return len(self.products)


def build_dims(facility_ids: Sequence[str], product_ids: Sequence[str], tables: Mapping[str, pl.DataFrame]) -> Dims:
    """Derive the dimension tables from the feed.

    Parameters
    ----------
    facility_ids, product_ids: ``fac_id`` and ``prod_id`` of the instance, in order.
    tables: the feed's tables; ``facilities`` and ``places`` are read.

    Returns
    -------
    Dims: the city of a facility is the nearest ancestor of kind ``city``, or its own place when there is none; the
    same holds for the province, with the city in place of the facility's place.

    A journey is international when its ends lie in two customs territories, see :mod:`postroad.network.areas`.
    """
    places = {row["place_id"]: row for row in tables["places"].iter_rows(named=True)}
    place_of = dict(tables["facilities"].select("facility_id", "place_id").iter_rows())
    territory_of = customs_territories(places)
    cities: dict[str, int] = {}
    rows: list[dict[str, object]] = []
    fac_city = np.zeros(len(facility_ids), np.int32)
    for number, facility in enumerate(facility_ids):
        row = _area(places, place_of[facility], territory_of)
        if row["city"] not in cities:
            cities[row["city"]] = len(cities)
            rows.append(row)
        fac_city[number] = cities[row["city"]]
    frame = pl.DataFrame(rows, schema=_CITY)
    regions = tuple(sorted(frame["region"].unique(), key=_region_order))
    territories = sorted(frame["territory"].unique())
    facilities = (
        pl.DataFrame({"facility_idx": np.arange(len(fac_city), dtype=np.int32), "facility": list(facility_ids)})
        .with_columns(pl.Series("city_idx", fac_city))
        .join(
            frame.with_row_index("city_idx").cast({"city_idx": pl.Int32}),
            on="city_idx",
            how="left",
            maintain_order="left",
        )
        .select("facility_idx", "facility", "city_idx", "city", "province", "region", "territory", "population")
    )
    products = pl.DataFrame({"product_idx": np.arange(len(product_ids), dtype=np.int8), "product": list(product_ids)})
    return Dims(
        facilities=facilities,
        cities=frame,
        products=products,
        regions=regions,
        fac_city=fac_city,
        city_region=np.array([regions.index(value) for value in frame["region"]], np.int32),
        city_territory=np.array([territories.index(value) for value in frame["territory"]], np.int32),
    )


_CITY = {
    "city": pl.String,
    "city_name": pl.String,
    "city_name_en": pl.String,
    "province": pl.String,
    "province_name": pl.String,
    "province_name_en": pl.String,
    "region": pl.String,
    "territory": pl.String,
    "population": pl.Int64,
}


def _region_order(region: str) -> tuple[int, str]:
    """East, centre, west, then whatever else, other last."""
    known = ("east", "centre", "west")
    return (known.index(region), "") if region in known else (len(known) + (region == "other"), region)


def _area(places: Mapping[str, dict], place_id: str, territory_of: Mapping[str, str]) -> dict[str, object]:
    """The row of the cities table for the city that a place lies in."""
    chain = ancestry(places, place_id)
    nearest = {row["kind"]: row for row in reversed(chain)}
    city = nearest.get("city", chain[0])
    province = nearest.get("province", city)
    return {
        "city": city["place_id"],
        "city_name": city["name"],
        "city_name_en": city["name_en"] or city["name"],
        "province": province["place_id"],
        "province_name": province["name"],
        "province_name_en": province["name_en"] or province["name"],
        "region": region_of(chain),
        "territory": territory_of[place_id],
        "population": city["population"],
    }
