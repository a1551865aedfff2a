"""SQL over the published segments: DuckDB in memory, which reads these files and no others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa

from postroad.core.errors import InputError
from postroad.events.columns import schema
from postroad.events.kinds import kinds
from postroad.ledger.manifest import STREAMS, Manifest

__all__ = ["KIND_COLUMNS", "count_whole", "kinds_table", "run_query"]

KIND_COLUMNS = (
    "kind",
    "rank",
    "phase",
    "state",
    "ends",
    "emsevt",
    "epcis_type",
    "biz_step",
    "disposition",
    "stage",
    "stage_zh",
)


def run_query(
    folder: Path, manifest: Manifest, logged: Sequence[pa.Table], sql: str, parameters: tuple, threads: int
) -> pl.DataFrame:
    """Run one statement over the tables ``events``, ``items``, ``flows`` and ``kinds``.

    Parameters
    ----------
    folder: of the ledger. manifest: the state of the ledger that is seen. logged: events that are not sealed yet.
    sql: a statement of DuckDB's dialect.
    parameters: values of its ``?``. threads: at most so many.

    Raises
    ------
    InputError: PR-L212 with what the database says.
    """
    try:
        with duckdb.connect(":memory:", config={"threads": threads}) as database:
            for stream in STREAMS:
                paths = [folder.resolve() / segment.name for segment in manifest.segments(stream)]
                _define(database, stream, paths, logged if stream == "events" else ())
            database.register("kinds", kinds_table())
            # A query is somebody's text: it sees the ledger and nothing else.
            database.execute(f"SET allowed_directories = ['{_quote(folder.resolve())}/']")
            database.execute("SET enable_external_access = false")
            database.execute("SET TimeZone = 'UTC'")
            database.execute("SET lock_configuration = true")
            relation = database.sql(sql, params=list(parameters))
            return pl.DataFrame() if relation is None else count_whole(pl.from_arrow(relation.to_arrow_table()))
    except duckdb.Error as error:
        raise InputError("PR-L212", value=str(error)) from error


def count_whole(frame: pl.DataFrame) -> pl.DataFrame:
    """Sums of whole numbers as whole numbers of 64 bits where they fit; the database gives decimals."""
    sums = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Decimal) and kind.scale == 0]
    small = [name for name in sums if (frame[name].abs().max() or 0) < 2**63]
    return frame.with_columns(pl.col(small).cast(pl.Int64)) if small else frame


def _define(database: duckdb.DuckDBPyConnection, stream: str, paths: list[Path], logged: Sequence[pa.Table]) -> None:
    """Name a stream's files and what is logged of it."""
    names = ", ".join(schema(stream).names)
    parts = []
    if paths:
        listed = ", ".join(f"'{_quote(path)}'" for path in paths)
        parts.append(f"SELECT {names} FROM read_parquet([{listed}])")
    if logged or not paths:
        database.register(f"logged_{stream}", pa.concat_tables([schema(stream).empty_table(), *logged]))
        parts.append(f"SELECT {names} FROM logged_{stream}")
    database.execute(f"CREATE VIEW {stream} AS {' UNION ALL '.join(parts)}")


def _quote(text: object) -> str:
    """Text as it may stand between single quotes."""
    return str(text).replace("'", "''")


def kinds_table() -> pa.Table:
    """The closed list as a table."""
    return pa.table({name: [getattr(kind, name) for kind in kinds().values()] for name in KIND_COLUMNS})
