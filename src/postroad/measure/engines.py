"""Engines: what runs the statements of :mod:`postroad.measure.sql` over journeys that lie somewhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa

from postroad.core.errors import InputError
from postroad.events.journeys import Journeys
from postroad.kernels.tally import COMPONENTS
from postroad.ledger.store import Ledger
from postroad.measure.dims import Dims
from postroad.measure.registry import Measure
from postroad.measure.sql import (
    EVERYTHING,
    JOURNEYS_OF_FLOWS,
    Within,
    quantile_sql,
    reach_sql,
    spread_sql,
    sums_sql,
)

__all__ = ["DuckEngine", "Engine"]


class Engine(ABC):
    """Journeys and dimension tables in an engine, ready for statements; a context manager.

    Attributes
    ----------
    dims: dimension tables of the network that the journeys refer to.
    """

    def __init__(self, dims: Dims) -> None:
        self.dims = dims
        self._open = ExitStack()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back what the engine holds."""
        self._open.close()

    @abstractmethod
    def fetch(self, statement: str) -> pl.DataFrame:
        """The result of one statement; whole numbers as integers."""

    def query_sums(self, names: Sequence[str], by: Sequence[str], within: Within = EVERYTHING) -> pl.DataFrame:
        """Sums of components (Int64) by groups."""
        return self.fetch(sums_sql(names, by, within))

    def query_quantile(self, percent: int, by: Sequence[str], within: Within = EVERYTHING) -> pl.DataFrame:
        """Minutes at the quantile and timed items (Int64), by groups."""
        return self.fetch(quantile_sql(percent, by, within))

    def query_reach(self, measure: Measure, by: Sequence[str], within: Within = EVERYTHING) -> pl.DataFrame:
        """Weights reached and reachable and timed items (Int64), by groups."""
        return self.fetch(reach_sql(measure, by, within))

    def answers_took(self, by: Sequence[str], within: Within = EVERYTHING) -> bool:
        """Whether :meth:`took` can group by these: always; as of a tally."""
        return True

    def took(self, by: Sequence[str], within: Within = EVERYTHING) -> pl.DataFrame:
        """Timed items by groups and by minutes, as :meth:`postroad.measure.tallies.Tally.took` gives them."""
        keys = [*by, "took_min"]
        return self.fetch(spread_sql(by, within)).cast({"took_min": pl.Int64}).sort(keys)

    @property
    def n_items(self) -> int:
        """Items of all journeys."""
        return int(self.query_sums(COMPONENTS[:1], ())[COMPONENTS[0]].sum() or 0)

    def _refuse_strangers(self) -> None:
        """Refuse flow records of facilities, products or outcomes that the network does not have: PR-M013."""
        sums = "SELECT CAST(COUNT(*) AS BIGINT) AS n_rows, CAST(COUNT(outcome) AS BIGINT) AS n_known FROM journeys"
        n_flows = self.fetch("SELECT CAST(COUNT(*) AS BIGINT) AS n_flows FROM flows").item()
        n_rows, n_known = self.fetch(sums).row(0)
        if not n_flows == n_rows == n_known:
            raise InputError("PR-M013", value=n_flows - n_known, n=n_flows)


class DuckEngine(Engine):
    """DuckDB in memory.

    Parameters
    ----------
    source: journeys, an Arrow table of the same columns, a folder or file of Parquet, or a ledger, whose flow records
        are read. dims: of the network.

    Raises
    ------
    InputError: PR-M013 when flow records name what the network does not have.
    """

    def __init__(self, source: Journeys | pa.Table | Path | Ledger, dims: Dims) -> None:
        super().__init__(dims)
        self._connection = self._open.enter_context(duckdb.connect())
        self._connection.register("facilities", dims.facilities.to_arrow())
        self._connection.register("products", dims.products.to_arrow())
        if isinstance(source, Ledger):
            paths = source.snapshot().paths("flows")
            flows = f"SELECT * FROM read_parquet([{', '.join(map(_literal, paths))}])"
            self._connection.execute(f"CREATE VIEW flows AS {flows if paths else NO_FLOWS}")
            self._connection.execute(f"CREATE VIEW journeys AS {JOURNEYS_OF_FLOWS}")
            self._refuse_strangers()
        elif isinstance(source, Path):
            pattern = source / "**" / "*.parquet" if source.is_dir() else source
            self._connection.execute(f"CREATE VIEW journeys AS SELECT * FROM read_parquet({_literal(pattern)})")
        else:
            self._connection.register("journeys", source.arrow() if isinstance(source, Journeys) else source)

    def fetch(self, statement: str) -> pl.DataFrame:
        """The result of one statement."""
        return pl.from_arrow(self._connection.sql(statement).to_arrow_table())


NO_FLOWS = (
    "SELECT '' AS origin_id, '' AS destination_id, '' AS product_id, 0 AS n_items, 0 AS accepted_min,"
    " 0 AS left_origin_min, 0 AS reached_dest_min, 0 AS out_min, 0 AS ended_min, 0 AS promise_min, '' AS outcome,"
    " 0 AS n_attempts WHERE false"
)


def _literal(text: object) -> str:
    """Text between single quotes."""
    return "'" + str(text).replace("'", "''") + "'"
