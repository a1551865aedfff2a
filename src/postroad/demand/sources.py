"""What the demand of China is made of: the tables in ``data/demand`` and the open data in ``data/sources``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import polars as pl

__all__ = ["parameters", "read_demand", "read_source"]

# Codes and other texts that look like numbers.
_CODES = ("province_code", "city_code", "county_code", "capital_city_code", "postcode", "tel_code")
_TEXTS = (*_CODES, "places", "key", "day")


@cache
def read_demand(name: str) -> pl.DataFrame:
    """One table of ``data/demand`` by its name."""
    path = files("postroad").joinpath("data").joinpath("demand").joinpath(f"{name}.csv")
    return pl.read_csv(path.read_bytes(), schema_overrides=dict.fromkeys(_TEXTS, pl.String), infer_schema_length=None)


@cache
def read_source(path: str) -> pl.DataFrame:
    """One table of ``data/sources`` by its path; codes come as text."""
    resource = files("postroad").joinpath("data").joinpath("sources")
    for part in path.split("/"):
        resource = resource.joinpath(part)
    if path.endswith(".parquet"):
        return pl.read_parquet(resource.read_bytes())
    return pl.read_csv(
        resource.read_bytes(), schema_overrides=dict.fromkeys(_TEXTS, pl.String), infer_schema_length=None
    )


@cache
def parameters() -> Mapping[str, float]:
    """The modelled numbers of the demand by name; ``data/demand/parameters.csv`` gives label and source of each."""
    return dict(read_demand("parameters").select("parameter_id", "value").iter_rows())
