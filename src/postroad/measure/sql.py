"""Measures as plain SQL over ``journeys`` and two dimension tables: one text for every engine.

The statements use nothing but inner joins, CASE, SUM, FLOOR and one window function, so that DuckDB, PostgreSQL and
Spark run them as they stand over tables of the same names: ``journeys``
(:class:`postroad.events.journeys.Journeys`), ``facilities`` and ``products`` (:class:`postroad.measure.dims.Dims`). All
sums are of integers and therefore exact. :mod:`postroad.measure.engines` runs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from postroad.events.journeys import OUTCOMES
from postroad.measure.registry import TIMED, Measure, components

__all__ = ["EVERYTHING", "JOURNEYS_OF_FLOWS", "Within", "quantile_sql", "reach_sql", "spread_sql", "sums_sql"]

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


_OUTCOME = " ".join(f"WHEN '{name}' THEN {number}" for number, name in enumerate(OUTCOMES))
_SAME = ("n_items", "accepted_min", "left_origin_min", "reached_dest_min", "out_min", "ended_min", "promise_min")

JOURNEYS_OF_FLOWS = (
    "SELECT o.facility_idx AS origin_idx, d.facility_idx AS destination_idx, p.product_idx AS product_idx, "
    + ", ".join(f"f.{name} AS {name}" for name in _SAME)
    + f", CASE f.outcome {_OUTCOME} END AS outcome, f.n_attempts AS n_attempts"
    "\nFROM flows AS f"
    "\nJOIN facilities AS o ON o.facility = f.origin_id"
    "\nJOIN facilities AS d ON d.facility = f.destination_id"
    "\nJOIN products AS p ON p.product = f.product_id"
)
"""The flow records of a ledger as ``journeys``: ids become the integers of the dimension tables."""


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


def spread_sql(by: Sequence[str], within: Within = EVERYTHING) -> str:
    """The statement that counts timed items by groups and by minutes from acceptance to delivery."""
    columns = "".join(f"{_EXPRESSIONS[name]} AS {name}, " for name in by)
    clause = "\n" + ("AND" if within.conditions() else "WHERE") + f" {TIMED}"
    groups = ", ".join([*(_EXPRESSIONS[name] for name in by), "ended_min - accepted_min"])
    return (
        f"SELECT {columns}ended_min - accepted_min AS took_min, CAST(SUM(n_items) AS BIGINT) AS n_took"
        f"{_from(within)}{clause}\nGROUP BY {groups}"
    )


def quantile_sql(percent: int, by: Sequence[str], within: Within = EVERYTHING) -> str:
    """The statement that finds the least minutes within which ``percent`` of 100 timed items were delivered."""
    partition = f"PARTITION BY {', '.join(by)} " if by else ""
    keys = "".join(f"{name}, " for name in by)
    return (
        f"WITH spread AS (\n{spread_sql(by, within)}\n), running AS (\n"
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
