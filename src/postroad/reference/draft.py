"""A feed in the making: rows are added table by table and conformed to the declared columns at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from postroad.core.errors import InternalError
from postroad.network.schema import table, tables

__all__ = ["Draft"]


class Draft:
    """Collects the rows of a feed's tables.

    >>> draft = Draft()
    >>> draft.add("operators", [{"operator_id": "net", "name": "网"}], label="modelled", source="an example")
    >>> draft.tables()["operators"]["label"].to_list()
    ['modelled']
    """

    def __init__(self) -> None:
        self._parts: dict[str, list[pl.DataFrame]] = {}

    def add(
        self,
        name: str,
        rows: pl.DataFrame | Sequence[Mapping[str, object]],
        *,
        label: str | None = None,
        source: str | None = None,
    ) -> None:
        """Append rows to a table; ``label`` and ``source`` fill those columns where the rows do not bring them.

        Raises
        ------
        InternalError: PR-P104 when the rows have a column that the table does not declare.
        """
        declared = table(name).dtypes
        if not isinstance(rows, pl.DataFrame):
            rows = pl.DataFrame(rows, infer_schema_length=None)
        if not rows.height:
            return
        unknown = [column for column in rows.columns if column not in declared]
        if unknown:
            raise InternalError("PR-P104", table=name, column=unknown[0])
        for column, value in (("label", label), ("source", source)):
            if value is not None and column not in rows.columns:
                rows = rows.with_columns(pl.lit(value).alias(column))
        present = [pl.col(column).cast(declared[column]) for column in rows.columns]
        missing = [pl.lit(None, kind).alias(column) for column, kind in declared.items() if column not in rows.columns]
        self._parts.setdefault(name, []).append(rows.select(*present, *missing).select(list(declared)))

    def tables(self) -> dict[str, pl.DataFrame]:
        """All tables with all declared columns; defaults stand where nothing was given."""
        made = {}
        for name, parts in self._parts.items():
            made[name] = pl.concat(parts).with_columns(_defaults(name))
        return {name: made[name] for name in tables() if name in made}


def _defaults(name: str) -> list[pl.Expr]:
    """The declared defaults of a table's columns, for the rows that leave them empty."""
    filled = []
    for column in table(name).columns:
        if column.default.startswith("="):
            filled.append(pl.col(column.name).fill_null(pl.col(column.default[1:])))
        elif column.default and column.kind == "bool":
            filled.append(pl.col(column.name).fill_null(column.default == "1"))
        elif column.default:
            filled.append(pl.col(column.name).fill_null(pl.lit(column.default).cast(column.dtype)))
    return filled
