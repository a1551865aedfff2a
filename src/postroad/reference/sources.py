"""What the builder reads: the open data and the rule numbers shipped in ``data/sources``."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

import numpy as np
import polars as pl

from postroad.core.errors import InputError
from postroad.reference.geometry import great_circle_km

__all__ = ["HMT", "SANSHA", "Cities", "Rules", "load_cities", "read_source", "road_circuity"]

HMT = ("710000", "810000", "820000")
"""Taiwan, Hong Kong and Macao: reached through exchange offices, not by the domestic line-haul."""

SANSHA = "460300"
"""An island city: reached from Haikou by air and by supply ship only."""

_TEXT_COLUMNS = frozenset({"tel_code", "iata", "unlocode", "postcode"})


def source_file(path: str) -> Traversable:
    """The file of that path below ``data/sources``."""
    resource = files("postroad.reference").joinpath("..").joinpath("data").joinpath("sources")
    for part in path.split("/"):
        resource = resource.joinpath(part)
    return resource


@cache
def read_source(path: str) -> pl.DataFrame:
    """One source table by its path below ``data/sources``; codes (``*_code``, ``o``, ``d``) come as text.

    Raises
    ------
    InputError: PR-P101 when there is no such file.
    """
    resource = source_file(path)
    if not resource.is_file():
        raise InputError("PR-P101", path=path)
    if path.endswith(".parquet"):
        frame = pl.read_parquet(resource.read_bytes())
        codes = [name for name in frame.columns if name.endswith("_code") or name in ("o", "d")]
        return frame.with_columns(pl.col(codes).cast(pl.String))
    frame = pl.read_csv(resource.read_bytes(), infer_schema_length=0)
    return frame.with_columns(
        pl.col(name).cast(kind) for name, kind in _numbers(frame).items() if name not in _TEXT_COLUMNS
    )


def _numbers(frame: pl.DataFrame) -> dict[str, pl.DataType]:
    """The columns that hold nothing but numbers, codes left out."""
    kinds: dict[str, pl.DataType] = {}
    for name in frame.columns:
        if name.endswith("_code"):
            continue
        values = frame[name].drop_nulls()
        if not len(values):
            continue
        if values.str.contains(r"^-?\d+$").all():
            kinds[name] = pl.Int64()
        elif values.str.contains(r"^-?\d+(\.\d*)?([eE]-?\d+)?$").all():
            kinds[name] = pl.Float64()
    return kinds


@dataclass(frozen=True)
class Rules:
    """The numbers of the builder's rules by name; labels and sources stand in ``data/sources/rules/numbers.csv``."""

    values: Mapping[str, float]

    @classmethod
    def read(cls, **changed: float) -> Rules:
        """The shipped numbers, with some changed.

        Raises
        ------
        InputError: PR-P102 when a changed name is not a rule.
        """
        values = dict(_rule_numbers())
        for name, value in changed.items():
            if name not in values:
                raise InputError("PR-P102", name=name)
            values[name] = float(value)
        return cls(values)

    def __getattr__(self, name: str) -> float:
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def mean_kg(self) -> float:
        """Mean weight of an item over the products, kg."""
        return self.express_share * self.express_kg + (1 - self.express_share) * self.standard_kg

    @property
    def mean_m3(self) -> float:
        """Mean loaded volume of an item over the products, m3."""
        return self.express_share * self.express_m3 + (1 - self.express_share) * self.standard_m3


@cache
def _rule_numbers() -> Mapping[str, float]:
    with source_file("rules/numbers.csv").open(encoding="utf-8", newline="") as handle:
        return {row["rule_id"]: float(row["value"]) for row in csv.DictReader(handle)}


@dataclass(frozen=True)
class Cities:
    """Cities in order of code, with distances and the design origin-destination matrix.

    Attributes
    ----------
    codes: city codes, length n.
    frame: the city table in the same order.
    gc_km, road_km, rail_km: float64 (n, n); road_km holds the graph's shortest path or, where the graph has none,
        circuity times the great circle; rail_km is 0 where there is no railway.
    od_items: float64 (n, n), items of a mean domestic day (modelled).
    on_road: bool (n,), cities that the domestic road line-haul reaches.
    """

    codes: tuple[str, ...]
    frame: pl.DataFrame
    gc_km: np.ndarray
    road_km: np.ndarray
    rail_km: np.ndarray
    od_items: np.ndarray
    on_road: np.ndarray

    @property
    def index(self) -> dict[str, int]:
        """Row number by city code."""
        return {code: row for row, code in enumerate(self.codes)}


@cache
def load_cities() -> Cities:
    """The 372 planning cities of China; the design matrix is the modelled mean domestic day of 2023."""
    frame = read_source("admin/cities.csv").sort("city_code")
    mended = read_source("rules/pinyin.csv").select("city_code", pl.col("pinyin").alias("mended"))
    english = read_source("rules/names_en.csv").select("city_code", "name_en")
    frame = (
        frame.join(mended, on="city_code", how="left", maintain_order="left")
        .with_columns(pinyin=pl.coalesce("mended", "pinyin"))
        .drop("mended")
        .join(english, on="city_code", how="left", maintain_order="left")
        .with_columns(pl.coalesce("name_en", pl.col("pinyin").str.to_titlecase()).alias("name_en"))
    )
    codes = tuple(frame["city_code"])
    index = {code: row for row, code in enumerate(codes)}
    n = len(codes)
    pairs = read_source("network_osm/city_distance.parquet")
    first = pairs["o"].replace_strict(index, return_dtype=pl.Int64).to_numpy()
    second = pairs["d"].replace_strict(index, return_dtype=pl.Int64).to_numpy()

    def square(name: str) -> np.ndarray:
        values = np.zeros((n, n))
        values[first, second] = pairs[name].to_numpy()
        values[second, first] = pairs[name].to_numpy()
        return values

    lon, lat = frame["lon"].to_numpy(), frame["lat"].to_numpy()
    gc_km = great_circle_km(lon[:, None], lat[:, None], lon[None, :], lat[None, :])
    road_km = square("road_km")
    road_km = np.where(road_km > 0, road_km, gc_km * road_circuity(gc_km))
    np.fill_diagonal(road_km, 0.0)
    od = read_source("modelled/city_od_2023_modelled.parquet").filter(
        pl.col("o").is_in(codes) & pl.col("d").is_in(codes)
    )
    matrix = np.zeros((n, n))
    origin = od["o"].replace_strict(index, return_dtype=pl.Int64).to_numpy()
    destination = od["d"].replace_strict(index, return_dtype=pl.Int64).to_numpy()
    matrix[origin, destination] = od["items_per_day"].to_numpy()
    on_road = np.array([code not in HMT and code != SANSHA for code in codes])
    return Cities(codes, frame, gc_km, road_km, square("rail_km"), matrix, on_road)


def road_circuity(gc_km: np.ndarray) -> np.ndarray:
    """Road over great-circle km by distance band: medians of the graph (``circuity_by_distance.csv``)."""
    bands = read_source("network_osm/circuity_by_distance.csv").sort("gc_km_from")
    row = np.searchsorted(bands["gc_km_to"].to_numpy(), gc_km, side="right")
    return bands["road_median"].to_numpy()[np.minimum(row, bands.height - 1)]
