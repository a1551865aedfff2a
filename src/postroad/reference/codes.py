"""Short, stable facility codes: a city's sorting centre is its main airport's IATA code, else its name in pinyin."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import polars as pl

from postroad.reference.sources import load_cities, read_source

__all__ = ["OPENED", "airports_by_city", "centre_codes", "load_airports"]

MAX_LENGTH = 12
OPENED = ("EHU", "PKX", "TFU")
"""Large airports opened since 2014: Ezhou Huahu 2022, Beijing Daxing 2019, Chengdu Tianfu 2021."""

_FIXED = {"710000": "TPE", "810000": "HKG", "820000": "MFM"}


@cache
def load_airports() -> pl.DataFrame:
    """Chinese airports with the city that each one serves (``airport_city.csv`` mends those that stand elsewhere)."""
    mended = read_source("rules/airport_city.csv").select("iata", pl.col("city_code").alias("served"))
    closed = mended.filter(pl.col("served").is_null())["iata"]
    airports = read_source("network/airports_cn.csv").filter(~pl.col("iata").is_in(closed.implode()))
    return (
        airports.join(mended, on="iata", how="left")
        .with_columns(
            city_code=pl.coalesce("served", "city_code"),
            n_routes=pl.col("dom_routes_2014") + pl.col("intl_routes_2014"),
        )
        .drop("served")
        .sort("iata")
    )


@cache
def airports_by_city() -> Mapping[str, tuple[str, ...]]:
    """The airports of each city by city code, the one with most routes first, then by distance to a county seat."""
    ordered = load_airports().sort(["n_routes", "nearest_county_km", "iata"], descending=[True, False, False])
    found: dict[str, list[str]] = {}
    for code, iata in ordered.select("city_code", "iata").iter_rows():
        found.setdefault(code, []).append(iata)
    return {code: tuple(airports) for code, airports in found.items()}


@cache
def centre_codes() -> Mapping[str, str]:
    """The facility code of each city's sorting centre by city code.

    An airport without a route in 2014 lends its code only when it opened since (``OPENED``): many are military.
    A name in pinyin that two cities share belongs to the more populous one; the other adds its province.
    """
    airports = airports_by_city()
    civil = set(load_airports().filter((pl.col("n_routes") > 0) | pl.col("iata").is_in(list(OPENED)))["iata"])
    provinces = read_source("admin/provinces.csv")
    short = {row["province_code"]: row["iso3166_2"][3:] for row in provinces.iter_rows(named=True)}
    cities = load_cities().frame.with_columns(pl.col("pop_2020").fill_null(0))
    codes: dict[str, str] = {}
    taken: set[str] = set()
    for row in cities.sort(["pop_2020", "city_code"], descending=[True, False]).iter_rows(named=True):
        city = row["city_code"]
        name = row["pinyin"].upper()
        plain = name[:MAX_LENGTH]
        if plain in taken:
            plain = f"{name[: MAX_LENGTH - 3]}-{short[row['province_code']]}"
        taken.add(plain)
        codes[city] = _FIXED.get(city) or next((iata for iata in airports.get(city, ()) if iata in civil), plain)
    return codes
