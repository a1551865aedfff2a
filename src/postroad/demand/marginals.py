r"""Where items come from and go to: what each city and county sends and receives in a year.

Origins are published: the volume of a province counts what is collected there. Its international part is taken off, the
rest is split over counties: published shares of cities, groups of cities and one county first
(``data/demand/city_shares.csv``), what remains of the province by *activity* (workers in manufacturing and trade). With
:math:`V_p` the domestic volume of province *p*, :math:`s_g` the share of group *g* and :math:`a_c` the activity,

.. math:: O_c = V_p \, s_g \, a_c / \sum_{k \in g} a_k .

Destinations are not published. What a city receives follows its people :math:`P` and its urban share :math:`u`,

.. math:: D_i \propto P_i \, e^{2.5 u_i}, \qquad \sum_i D_i = \sum_c O_c ,

and the same weights split a city over its counties. Origin and destination are kept apart because they differ widely:
Guangdong receives 0.57 items for each that it sends, Xizang 5.6.

Sources: State Post Bureau bulletin 2023 and provincial administrations (volumes); census of 2020 by county (people,
urban share, workers by branch); the 2.5 is modelled and tested on published ratios of received to sent
(``fit_report``).

Two cities founded after the census (659011, 659012) have no people of their own there: theirs are counted in the
counties they were cut from, so they send and receive nothing here. Sansha (460300) has people but no workers: it only
receives.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from postroad import facts
from postroad.core.errors import InputError
from postroad.demand.sources import parameters, read_demand, read_source

__all__ = ["YEARS", "Marginals", "city_frame", "read_marginals"]

YEARS = (2023, 2024, 2025)
"""Years with a published total; for 2024 and 2025 the provinces of 2023 are scaled to the regional shares of 2024."""

_ITEMS_PER_YI = 1e8
_REGIONS = {"east": "east", "mid": "centre", "west": "west"}


@dataclass(frozen=True, slots=True)
class Marginals:
    """What the places of mainland China send and receive in a year.

    Attributes
    ----------
    year: the year of the totals.
    city_code, city_name, city_province: the cities in order of code; n_city of each.
    origin_items, destination_items: float64 (n_city,), domestic items a year; equal sums.
    international_items: float64 (n_city,), items sent abroad or to Hong Kong, Macao and Taiwan.
    method: how each city's origin was found: published, modelled or activity.
    county_code: the counties in order of code; n_county.
    county_city: int64 (n_county,), row of the city.
    county_origin_share, county_destination_share: float64 (n_county,), share of the county in its city.
    """

    year: int
    city_code: tuple[str, ...]
    city_name: tuple[str, ...]
    city_province: tuple[str, ...]
    origin_items: np.ndarray
    destination_items: np.ndarray
    international_items: np.ndarray
    method: tuple[str, ...]
    county_code: tuple[str, ...]
    county_city: np.ndarray
    county_origin_share: np.ndarray
    county_destination_share: np.ndarray


@cache
def read_marginals(year: int = 2023) -> Marginals:
    """Make the marginals of a year from the published volumes.

    Raises
    ------
    InputError: PR-D110 for a year without published totals.

    >>> m = read_marginals(2023)
    >>> len(m.city_code), round(float(m.origin_items.sum()) / 1e8, 1)
    (369, 1290.0)
    """
    if year not in YEARS:
        raise InputError("PR-D110", year=year, known=", ".join(map(str, YEARS)))
    provinces = _provinces(year)
    counties = _counties(provinces)
    cities = (
        read_source("admin/cities.csv")
        .filter(pl.col("province_code").is_in(provinces["province_code"].implode()))
        .sort("city_code")
    )
    row = {code: number for number, code in enumerate(cities["city_code"])}
    county_city = counties["city_code"].replace_strict(row, return_dtype=pl.Int64).to_numpy()
    origin = np.bincount(county_city, counties["origin"].to_numpy(), len(row))
    leading = counties.sort("origin", descending=True, maintain_order=True).unique("city_code", keep="first")
    received = _attraction(cities["pop_2020"], cities["urban_pop_2020"] / cities["pop_2020"])
    county_attraction = _attraction(counties["pop_2020"], counties["urban_share_2020"])
    return Marginals(
        year=year,
        city_code=tuple(cities["city_code"]),
        city_name=tuple(cities["name"]),
        city_province=tuple(cities["province_code"]),
        origin_items=origin,
        destination_items=received * (origin.sum() / received.sum()),
        international_items=np.bincount(county_city, counties["international"].to_numpy(), len(row)),
        method=tuple(leading.sort("city_code")["method"]),
        county_code=tuple(counties["county_code"]),
        county_city=county_city,
        county_origin_share=_within(counties["origin"].to_numpy(), county_city, len(row)),
        county_destination_share=_within(county_attraction, county_city, len(row)),
    )


def _provinces(year: int) -> pl.DataFrame:
    """Items sent by each province in a year, domestic and international: province_code, domestic, international."""
    volumes = facts.series("province_volumes", "express_volume", period="2023").filter(pl.col("vintage") == "")
    region = read_source("admin/provinces.csv").select("province_code", pl.col("region").replace(_REGIONS))
    frame = volumes.select(province_code="place_code", items=pl.col("value") * _ITEMS_PER_YI).join(
        region, on="province_code", how="left", maintain_order="left"
    )
    if year != 2023:
        total = facts.figure("national", "express_volume", str(year), vintage="basis of 2024").value * _ITEMS_PER_YI
        share = {name: facts.figure("national", f"volume_share_{name}", "2024").value for name in _REGIONS.values()}
        wanted = pl.col("region").replace_strict(share, return_dtype=pl.Float64) * total / sum(share.values())
        frame = frame.with_columns(items=pl.col("items") / pl.col("items").sum().over("region") * wanted)
    basis = "" if year == 2023 else "basis of 2024"
    abroad = facts.figure("national", "international_volume", str(year), vintage=basis).value * _ITEMS_PER_YI
    total = facts.figure("national", "express_volume", str(year), vintage=basis).value * _ITEMS_PER_YI
    frame = frame.with_columns(items=pl.col("items") * (total / pl.col("items").sum()))
    known = facts.series("local", "international_share").select(province_code="place_code", rate="value")
    frame = frame.join(known, on="province_code", how="left", maintain_order="left")
    international = pl.col("items") * pl.col("rate")
    rest = (abroad - international.sum()) / pl.col("items").filter(pl.col("rate").is_null()).sum()
    frame = frame.with_columns(international=international.fill_null(pl.col("items") * rest))
    return frame.select("province_code", "international", domestic=pl.col("items") - pl.col("international"))


def _counties(provinces: pl.DataFrame) -> pl.DataFrame:
    """The counties in order of code with what they send: origin, international and the method of the split.

    Sums run in numpy, in the order of the rows, so that the last bit is the same in every run.
    """
    workers = pl.col("emp_manu_share") + pl.col("emp_trade_share")
    counties = (
        read_source("admin/counties.csv")
        .with_columns(activity=(pl.col("pop_2020") * workers).fill_null(0.0))
        .join(provinces, on="province_code", how="inner", maintain_order="left")
        .sort("county_code")
    )
    published = _groups()
    rest = {code: len(published) + number for number, code in enumerate(provinces["province_code"])}
    left = dict.fromkeys(rest, 1.0)
    by_place: dict[str, int] = {}
    for number, (places, province, share, _) in enumerate(published.iter_rows()):
        left[province] -= share
        by_place.update(dict.fromkeys(places.split(" "), number))
    group = np.array(
        [
            by_place.get(county, by_place.get(city, rest[province]))
            for county, city, province in counties.select("county_code", "city_code", "province_code").iter_rows()
        ]
    )
    group_share = np.array([*published["share"], *(max(left[code], 0.0) for code in rest)])
    method = np.array([*published["method"], *("activity" for _ in rest)])
    share = group_share[group] * _within(counties["activity"].to_numpy(), group, len(group_share))
    return counties.with_columns(
        origin=counties["domestic"].to_numpy() * share,
        international=counties["international"].to_numpy() * share,
        method=method[group],
    )


def _groups() -> pl.DataFrame:
    """The published and set shares of groups of places: places, province_code, share, method."""
    return read_demand("city_shares").select(
        "places",
        "province_code",
        share=pl.col("part") / pl.col("whole"),
        method=pl.when(pl.col("label") == "modelled").then(pl.lit("modelled")).otherwise(pl.lit("published")),
    )


def _attraction(people: pl.Series, urban_share: pl.Series) -> np.ndarray:
    """What a place receives, relative: people times exp(2.5 urban share); nothing where the people are not known."""
    weight = people * (urban_share * parameters()["urban_exponent"]).exp()
    return weight.fill_null(0.0).fill_nan(0.0).to_numpy()


def _within(weights: np.ndarray, city: np.ndarray, n_city: int) -> np.ndarray:
    """Share of each county in its city; zero where the city has nothing."""
    totals = np.bincount(city, weights, n_city)[city]
    return np.divide(weights, totals, out=np.zeros_like(weights), where=totals > 0)


def city_frame(marginals: Marginals) -> pl.DataFrame:
    """The marginals as a table of cities: items a year sent, received and sent abroad, and the method of the split."""
    return pl.DataFrame(
        {
            "city_code": marginals.city_code,
            "name": marginals.city_name,
            "province_code": marginals.city_province,
            "origin_items": marginals.origin_items,
            "destination_items": marginals.destination_items,
            "international_items": marginals.international_items,
            "method": marginals.method,
        }
    ).with_columns(label=pl.lit("modelled"))
