"""Measures over journeys or flow records by Spark, by the same statements. Needs the extra ``[spark]``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from postroad.ledger.spark.driver import SparkSession, own_session
from postroad.ledger.spark.store import SparkLedger, fetch
from postroad.measure.dims import Dims
from postroad.measure.engines import Engine
from postroad.measure.sql import JOURNEYS_OF_FLOWS

__all__ = ["SparkEngine"]


class SparkEngine(Engine):
    """Spark over Parquet, for a nation's months.

    Parameters
    ----------
    source: a ledger read by Spark, whose flow records are measured; or files and folders of ``journeys`` in Parquet,
        one for each run or day, which every executor sees by these paths.
    dims: of the network. session: for files; a ledger has its own.

    Raises
    ------
    InputError: PR-M013 when flow records name what the network does not have.
    """

    def __init__(self, source: SparkLedger | Sequence[Path], dims: Dims, session: SparkSession | None = None) -> None:
        super().__init__(dims)
        self._session = source.session if isinstance(source, SparkLedger) else own_session(session)
        for name, frame in (("facilities", dims.facilities), ("products", dims.products)):
            table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
            self._show(name, self._session.createDataFrame(table))
        if isinstance(source, SparkLedger):
            # Ids are looked up once for all statements; what does not fit in memory goes to the executors' disks.
            journeys = self._session.sql(JOURNEYS_OF_FLOWS).persist()
            self._open.callback(journeys.unpersist)
            self._show("journeys", journeys)
            self._refuse_strangers()
        else:
            reader = self._session.read.option("recursiveFileLookup", "true").option("pathGlobFilter", "*.parquet")
            self._show("journeys", reader.parquet(*map(str, source)))

    def fetch(self, statement: str) -> pl.DataFrame:
        """The result of one statement."""
        return fetch(self._session, statement)

    def _show(self, name: str, frame) -> None:
        """Name a table until the engine is closed."""
        frame.createOrReplaceTempView(name)
        self._open.callback(self._session.catalog.dropTempView, name)
