"""Measures over the flow records of a ledger in PostgreSQL, by the same statements. Needs the extra ``[postgres]``."""

from __future__ import annotations

import polars as pl

from postroad.ledger.postgres.store import PostgresLedger
from postroad.measure.dims import Dims
from postroad.measure.engines import Engine
from postroad.measure.sql import JOURNEYS_OF_FLOWS

__all__ = ["PostgresEngine"]

TYPES = {pl.Int8: "smallint", pl.Int32: "integer", pl.Int64: "bigint", pl.String: 'text COLLATE "C"'}
PLANS = ("enable_nestloop = off", "work_mem = '256MB'", "jit = off")
"""The statements join and group whole tables. A plan that looks rows up one by one, chosen from a wrong guess of how
few there are, would take hours."""


class PostgresEngine(Engine):
    """A session of its own, with the dimension tables as temporary tables of it.

    Parameters
    ----------
    ledger: whose flow records are measured. dims: of the network.

    Raises
    ------
    InputError: PR-M013 when flow records name what the network does not have. LedgerError: PR-L503.
    """

    def __init__(self, ledger: PostgresLedger, dims: Dims) -> None:
        super().__init__(dims)
        is_ready = False
        try:
            self._session = self._open.enter_context(ledger.session())
            for setting in PLANS:
                self._session.execute(f"SET {setting}")
            for name, frame in (("facilities", dims.facilities), ("products", dims.products)):
                columns = ", ".join(f"{column} {TYPES[kind]}" for column, kind in frame.schema.items())
                self._session.execute(f"CREATE TEMP TABLE {name} ({columns})")
                self._session.copy(name, frame.rows())
            self._session.execute(f"CREATE TEMP VIEW journeys AS {JOURNEYS_OF_FLOWS}")
            self._refuse_strangers()
            is_ready = True
        finally:
            if not is_ready:
                self.close()

    def fetch(self, statement: str) -> pl.DataFrame:
        """The result of one statement."""
        return self._session.fetch(statement)
