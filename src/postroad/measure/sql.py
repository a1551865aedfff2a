"""Measures as plain SQL over ``journeys`` and three dimension tables, run by DuckDB.

The statements use nothing but inner joins, CASE, SUM, FLOOR and one window function, so that PostgreSQL and Spark run
them over tables of the same names: ``journeys`` (:class:`postroad.events.journeys.Journeys`), ``facilities`` and
``products`` (:class:`postroad.measure.dims.Dims`). All sums are of integers and therefore exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa

from postroad.events.journeys import Journeys
from postroad.measure.dims import Dims
from postroad.measure.registry import TIMED, Measure, components

__all__ = ["Within", "connect", "quantile_sql", "query_quantile", "query_reach", "query_sums", "reach_sql", "sums_sql"]

_EXPRESSIONS = {
    "product": "p.product",
    "scope": (
        "CASE WHEN o.city_idx = d.city_idx THEN 'same_city'"
        " WHEN o.territory = d.territory THEN 'intercity' ELSE 'international' END"
    ),
    "release_day": "CAST(FLOOR(j.accepted_min / 1440.0) AS INTEGER)",
    "release_hour": "CAST(FLOOR(j.accepted_min / 60.0) - 24 * FLOOR(j.accepted_min / 1440.0) AS INTEGER)",
    **{f"origin_{level}": f"o.{level}" for level in ("facility", "city", "province", "region")},
    **{f"destination_{level}": f"d.{level}" for level in ("facility", "city", "province", "region")},
}


@dataclass(frozen=True, slots=True)
class Within:
    """Which journeys to take: those that leave from and go to these cities, in these scopes; None takes all."""

    origin_cities: frozenset[str] | None = None
    destination_cities: frozenset[str] | None = None
    scopes: frozenset[str] | None = None

    def conditions(self) -> dict[str, frozenset[str]]:
        """The sets that limit, by the grouping they limit."""
        sets = {"origin_city": self.origin_cities, "destination_city": self.destination_cities, "scope": self.scopes}
        return {name: values for name, values in sets.items() if values is not None}


EVERYTHING = Within()


def connect(source: Journeys | pa.Table | Path, dims: Dims) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection in memory that sees ``journeys`` and the dimension tables.

    Parameters
    ----------
    source: journeys, an Arrow table of the same columns, or a folder or file of Parquet.
    """
    connection = duckdb.connect()
    if isinstance(source, Path):
        pattern = str(source / "**" / "*.parquet") if source.is_dir() else str(source)
        quoted = pattern.replace("'", "''")
        connection.execute(f"CREATE VIEW journeys AS SELECT * FROM read_parquet('{quoted}')")
    else:
        connection.register("journeys", source.arrow() if isinstance(source, Journeys) else source)
    connection.register("facilities", dims.facilities.to_arrow())
    connection.register("products", dims.products.to_arrow())
    return connection


def sums_sql(names: Sequence[str], by: Sequence[str], within: Within = EVERYTHING) -> str:
    """The statement that sums components by groups.

    >>> print(sums_sql(["n_items"], ["product"]))
    SELECT p.product AS product,
      CAST(SUM(n_items) AS BIGINT) AS n_items
    FROM journeys AS j
    JOIN facilities AS o ON o.facility_idx = j.origin_idx
    JOIN facilities AS d ON d.facility_idx = j.destination_idx
    JOIN products AS p ON p.product_idx = j.product_idx
    GROUP BY p.product
    """
    columns = [f"{_EXPRESSIONS[name]} AS {name}" for name in by]
    columns += [f"CAST(SUM({components()[name].sql}) AS BIGINT) AS {name}" for name in names]
    return "SELECT " + ",\n  ".join(columns) + _from(within) + _group(by)


def quantile_sql(percent: int, by: Sequence[str], within: Within = EVERYTHING) -> str:
    """The statement that finds the least minutes within which ``percent`` of 100 timed items were delivered."""
    columns = [f"{_EXPRESSIONS[name]} AS {name}" for name in by]
    partition = f"PARTITION BY {', '.join(by)} " if by else ""
    clause = "\n" + ("AND" if within.conditions() else "WHERE") + f" {TIMED}"
    spread = (
        "SELECT " + "".join(f"{column}, " for column in columns) + "ended_min - accepted_min AS took_min, "
        "SUM(n_items) AS n_took" + _from(within) + clause
        + "\nGROUP BY " + ", ".join([*(_EXPRESSIONS[name] for name in by), "ended_min - accepted_min"])
    )  # fmt: skip
    keys = "".join(f"{name}, " for name in by)
    return (
        f"WITH spread AS (\n{spread}\n), running AS (\n"
        f"SELECT *, SUM(n_took) OVER ({partition}ORDER BY took_min) AS upto,"
        f" SUM(n_took) OVER ({partition.strip()}) AS n_timed FROM spread\n)\n"
        f"SELECT {keys}CAST(MIN(took_min) AS BIGINT) AS took_min, CAST(MAX(n_timed) AS BIGINT) AS n_timed FROM running"
        f"\nWHERE upto * 100 >= n_timed * {percent}" + (f"\nGROUP BY {', '.join(by)}" if by else "")
    )


def reach_sql(measure: Measure, by: Sequence[str], within: Within = EVERYTHING) -> str:
    """The statement that weighs the city pairs reached in time against all city pairs."""
    inner_by = list(dict.fromkeys([*by, "origin_city", "destination_city", "scope"]))
    inner = sums_sql(["n_timed", "total_item_min"], inner_by, within)
    weight = "c.population" if measure.denominator == "persons" else "1"
    side = "=" if measure.denominator == "pairs_abroad" else "<>"
    keys = "".join(f"q.{name}, " for name in by)
    bound = f"q.total_item_min <= {measure.parameter * measure.divisor} * q.n_timed"
    return (
        f"SELECT {keys}CAST(SUM(CASE WHEN {bound} THEN {weight} ELSE 0 END) AS BIGINT) AS reached,"
        f" CAST(SUM({weight}) AS BIGINT) AS reachable, CAST(SUM(q.n_timed) AS BIGINT) AS n_timed"
        f"\nFROM (\n{inner}\n) AS q"
        "\nJOIN (SELECT city, COALESCE(MAX(population), 0) AS population FROM facilities GROUP BY city) AS c"
        f"\n  ON c.city = q.destination_city\nWHERE q.n_timed > 0 AND q.scope {side} 'international'"
        + (f"\nGROUP BY {', '.join(f'q.{name}' for name in by)}" if by else "")
    )


def query_sums(
    connection: duckdb.DuckDBPyConnection, names: Sequence[str], by: Sequence[str], within: Within = EVERYTHING
) -> pl.DataFrame:
    """Sums of components (int64) by groups."""
    return _fetch(connection, sums_sql(names, by, within))


def query_quantile(
    connection: duckdb.DuckDBPyConnection, percent: int, by: Sequence[str], within: Within = EVERYTHING
) -> pl.DataFrame:
    """Minutes at the quantile and timed items, by groups."""
    return _fetch(connection, quantile_sql(percent, by, within))


def query_reach(
    connection: duckdb.DuckDBPyConnection, measure: Measure, by: Sequence[str], within: Within = EVERYTHING
) -> pl.DataFrame:
    """Weights reached and reachable and timed items, by groups."""
    return _fetch(connection, reach_sql(measure, by, within))


def _fetch(connection: duckdb.DuckDBPyConnection, statement: str) -> pl.DataFrame:
    return pl.from_arrow(connection.sql(statement).to_arrow_table())


def _from(within: Within) -> str:
    tables = (
        "\nFROM journeys AS j"
        "\nJOIN facilities AS o ON o.facility_idx = j.origin_idx"
        "\nJOIN facilities AS d ON d.facility_idx = j.destination_idx"
        "\nJOIN products AS p ON p.product_idx = j.product_idx"
    )
    limits = [f"{_EXPRESSIONS[name]} IN ({_list(values)})" for name, values in within.conditions().items()]
    return tables + ("\nWHERE " + " AND ".join(limits) if limits else "")


def _list(values: frozenset[str]) -> str:
    """SQL literals of the values in order; NULL when there is none, which matches nothing."""
    return ", ".join("'" + value.replace("'", "''") + "'" for value in sorted(values)) or "NULL"


def _group(by: Sequence[str]) -> str:
    return "\nGROUP BY " + ", ".join(_EXPRESSIONS[name] for name in by) if by else ""
