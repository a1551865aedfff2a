r"""Distances between and within cities, as the gravity model takes them.

Between cities: the shortest road on the main-road graph; where the graph has no way, the great circle times the median
circuity of its distance band. Within a city the deterrence is the mean over its counties' pairs,

.. math:: f_{ii}(\beta) = \sum_{a,b \in i} s_a q_b \, d_{ab}^{-\beta},

with *s* and *q* the counties' shares in what the city sends and receives, and :math:`d_{ab}` the great circle between
county seats times the circuity (at least 2 km); within one county half the way to the nearest other seat (at least
3 km). So a wide city keeps less of its mail than a compact one. What the mean amounts to as a distance is
:math:`d_{ii} = f_{ii}^{-1/\beta}`.

Source: road kilometres (c) OpenStreetMap contributors, ODbL 1.0, 2024; county seats cpca and GeoNames. The rule within
cities is modelled.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from postroad.demand.marginals import Marginals, read_marginals
from postroad.demand.sources import parameters, read_source

__all__ = ["CityDistances", "read_distances"]

_EARTH_KM = 6371.0088
_TWIN_SEAT_KM = 1.0
"""Seats nearer than this are one point given twice (a development zone at its city's point)."""


@dataclass(frozen=True, slots=True)
class CityDistances:
    """Distances of the cities of a :class:`Marginals`, in its order.

    Attributes
    ----------
    road_km: float64 (n_city, n_city), 0 on the diagonal.
    within_city: int64 (n_within,), city of each pair of counties within one city.
    within_log_km: float64 (n_within,), logarithm of the pair's distance.
    within_share: float64 (n_within,), share of the pair in what stays in the city.
    """

    road_km: np.ndarray
    within_city: np.ndarray
    within_log_km: np.ndarray
    within_share: np.ndarray

    def deterrence(self, beta: float) -> np.ndarray:
        """The table road km ** -beta with the rule for the diagonal: float64 (n_city, n_city)."""
        with np.errstate(divide="ignore"):
            table = self.road_km**-beta
        inner = self.within_share * np.exp(-beta * self.within_log_km)
        np.fill_diagonal(table, np.bincount(self.within_city, inner, len(table)))
        return table

    def haul_km(self, beta: float) -> np.ndarray:
        """Kilometres between cities, and on the diagonal the distance that the mean deterrence amounts to."""
        table = self.road_km.copy()
        inner = np.bincount(self.within_city, self.within_share * np.exp(-beta * self.within_log_km), len(table))
        np.fill_diagonal(table, inner ** (-1.0 / beta))
        return table


@cache
def read_distances(year: int = 2023) -> CityDistances:
    """The distances that go with :func:`read_marginals` of a year (its shares weigh the pairs within cities)."""
    marginals = read_marginals(year)
    city, log_km, share = _pairs_within(marginals)
    return CityDistances(_road_km(marginals), city, log_km, share)


def _road_km(marginals: Marginals) -> np.ndarray:
    """Road kilometres between the cities."""
    row = {code: number for number, code in enumerate(marginals.city_code)}
    pairs = read_source("network_osm/city_distance.parquet").with_columns(pl.col("o", "d").cast(pl.String))
    pairs = pairs.filter(pl.col("o").is_in(list(row)) & pl.col("d").is_in(list(row)))
    first = pairs["o"].replace_strict(row, return_dtype=pl.Int64).to_numpy()
    second = pairs["d"].replace_strict(row, return_dtype=pl.Int64).to_numpy()
    road = pairs["road_km"].to_numpy().astype(float)
    crow = np.maximum(pairs["gc_km"].to_numpy().astype(float), 1.0)
    road = np.where(road > 0, road, crow * _circuity(crow))
    table = np.zeros((len(row), len(row)))
    table[first, second] = road
    table[second, first] = road
    return table


def _circuity(crow_km: np.ndarray) -> np.ndarray:
    """Road over great-circle kilometres by distance band: the median of the road graph."""
    bands = read_source("network_osm/circuity_by_distance.csv").sort("gc_km_from")
    band = np.searchsorted(bands["gc_km_to"].to_numpy(), crow_km, side="right")
    return bands["road_median"].to_numpy()[np.minimum(band, bands.height - 1)]


def _pairs_within(marginals: Marginals) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """City, logarithm of the distance and share of every pair of counties that lie in one city."""
    rules = parameters()
    seats = (
        read_source("admin/counties.csv")
        .sort("county_code")
        .filter(pl.col("county_code").is_in(list(marginals.county_code)))
    )
    lon, lat = np.radians(seats["lon"].to_numpy()), np.radians(seats["lat"].to_numpy())
    own_km = rules["own_county_share"] * _nearest_seat_km(lon, lat)
    own_km = np.maximum(own_km * _circuity(own_km), rules["min_county_km"])
    origin = _shares(marginals.county_origin_share, marginals.county_city)
    destination = _shares(marginals.county_destination_share, marginals.county_city)
    parts = []
    for city in range(len(marginals.city_code)):
        members = np.flatnonzero(marginals.county_city == city)
        a, b = np.repeat(members, len(members)), np.tile(members, len(members))
        crow_km = _crow_km(lon[a], lat[a], lon[b], lat[b])
        km = np.where(a == b, own_km[a], np.maximum(crow_km * _circuity(crow_km), rules["min_seat_km"]))
        parts.append((np.full(len(a), city), np.log(km), origin[a] * destination[b]))
    city, log_km, share = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return city, log_km, share


def _shares(shares: np.ndarray, city: np.ndarray) -> np.ndarray:
    """Shares of the counties in their city; alike where the city has none."""
    totals = np.bincount(city, shares)[city]
    return np.where(totals > 0, shares, 1.0 / np.bincount(city)[city])


def _crow_km(lon_a: np.ndarray, lat_a: np.ndarray, lon_b: np.ndarray, lat_b: np.ndarray) -> np.ndarray:
    """Great-circle kilometres between points in radians (haversine, mean radius of the earth)."""
    half = np.sin((lat_b - lat_a) / 2) ** 2 + np.cos(lat_a) * np.cos(lat_b) * np.sin((lon_b - lon_a) / 2) ** 2
    return 2 * _EARTH_KM * np.arcsin(np.sqrt(half))


def _nearest_seat_km(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Great-circle kilometres to the nearest other seat, by the cosine of the angle between points."""
    x, y, z = np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)
    same = np.cos(_TWIN_SEAT_KM / _EARTH_KM)
    nearest = np.empty(len(lon))
    for start in range(0, len(lon), 256):
        rows = slice(start, min(start + 256, len(lon)))
        cosine = x[rows, None] * x + y[rows, None] * y + z[rows, None] * z
        nearest[rows] = np.where(cosine > same, -1.0, cosine).max(axis=1)
    return _EARTH_KM * np.arccos(nearest)
