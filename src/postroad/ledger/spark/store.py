"""A ledger's segments as Spark sees them: the same tables, the same questions; nothing is written.

The events of the log, which are not sealed yet, are handed to Spark beside the segments, so that it sees what any other
reader of the ledger saw at the same instant.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa

from postroad.core.errors import InputError
from postroad.events.columns import schema
from postroad.events.envelope import order_events
from postroad.events.kinds import SUBJECTS
from postroad.ledger.manifest import STREAMS, About
from postroad.ledger.plain import PlainRecords
from postroad.ledger.query import count_whole, kinds_table
from postroad.ledger.segments import complete
from postroad.ledger.spark.driver import DataFrame, PySparkException, SparkSession, own_session, start_spark
from postroad.ledger.store import Ledger

__all__ = ["SparkLedger", "fetch", "segment_frame"]

TYPES = {
    pa.binary(16): "binary",
    pa.string(): "string",
    pa.timestamp("us", tz="UTC"): "timestamp",
    pa.int32(): "int",
    pa.int8(): "tinyint",
    schema("events").field("related").type: "array<struct<role: string, id: string>>",
    schema("events").field("raw").type: "struct<code: string, text: string>",
}


class SparkLedger(PlainRecords):
    """A ledger in a folder, read by Spark as it was when it was opened or last refreshed.

    Parameters
    ----------
    folder: of the ledger; every executor must see it by this path. session: a running one; one in this process is
        started when left out.

    Raises
    ------
    NotFound: PR-L201 no ledger there. InputError: PR-L501 no pyspark, PR-L601 no Java. LedgerError: PR-L602 Spark does
    not start; the others of :class:`postroad.ledger.store.Ledger`.
    """

    def __init__(self, folder: Path | str, session: SparkSession | None = None) -> None:
        self._ledger = Ledger(folder)
        self.session = own_session(session or start_spark())
        self.refresh()

    def __enter__(self) -> SparkLedger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget the tables. Spark runs on: who started it stops it."""
        for name in (*STREAMS, "kinds"):
            self.session.catalog.dropTempView(name)

    @property
    def about(self) -> About:
        """Time zone, epoch and run."""
        return self._ledger.about

    def refresh(self) -> None:
        """See the ledger as it is now."""
        seen = self._ledger.snapshot()
        self._n_events = seen.manifest.n_rows("events") + sum(table.num_rows for table in seen.logged)
        for stream in STREAMS:
            frame = segment_frame(self.session, stream, seen.paths(stream))
            if stream == "events" and seen.logged:
                frame = frame.unionByName(self._logged(seen.logged))
            frame.createOrReplaceTempView(stream)
        self.session.createDataFrame(kinds_table()).createOrReplaceTempView("kinds")

    def __len__(self) -> int:
        """How many events there are."""
        return self._n_events

    def history(self, item_id: str) -> pl.DataFrame:
        """All events of an item, in order; no row when there is none."""
        return self.events_about(item_id, "item")

    def events_about(self, name: str, subject: str) -> pl.DataFrame:
        """All events about a thing, in order; as :meth:`postroad.ledger.store.Ledger.events_about`."""
        before = SUBJECTS[: SUBJECTS.index(subject)]
        none = "".join(f" AND coalesce({other}_id, '') = ''" for other in before)
        return order_events(self.events(f"{subject}_id = ?{none}", (name,)))

    def item_records(self, item_id: str) -> pl.DataFrame:
        """The records of an item, by acceptance; more than one when a number was used again."""
        sql = "SELECT * FROM items WHERE item_id = ? ORDER BY accepted_at NULLS FIRST"
        return _as_declared(self.query(sql, (item_id,)), "items")

    def events(self, where: str = "true", parameters: tuple = (), *, limit: int | None = None) -> pl.DataFrame:
        """Events for which a condition in SQL holds, in no order; as :meth:`postroad.ledger.store.Ledger.events`."""
        tail = "" if limit is None else f" LIMIT {int(limit)}"
        return _as_declared(self.query(f"SELECT * FROM events WHERE {where}{tail}", parameters), "events")

    def query(self, sql: str, parameters: tuple = ()) -> pl.DataFrame:
        """Run SQL (Spark) over the tables ``events``, ``items``, ``flows`` and ``kinds``; ``?`` stand for parameters.

        Raises
        ------
        InputError: PR-L212 with what Spark says. A statement that is no query cannot run, nor one that reads a file.
        """
        return fetch(self.session, sql, parameters)

    def _logged(self, tables: tuple[pa.Table, ...]) -> DataFrame:
        """The events that are not sealed, handed over from here."""
        whole = pa.concat_tables([complete(table, "events") for table in tables])
        for place, field in enumerate(whole.schema):
            if pa.types.is_fixed_size_binary(field.type):
                whole = whole.set_column(place, field.name, whole[field.name].cast(pa.binary()))
        return self.session.createDataFrame(whole.combine_chunks(), declare("events"))


def declare(stream: str) -> str:
    """The columns of a stream as Spark declares them.

    >>> declare("items").split(", ")[4]
    'accepted_at timestamp'
    """
    return ", ".join(f"{field.name} {TYPES[field.type]}" for field in schema(stream))


def segment_frame(session: SparkSession, stream: str, paths: list[Path]) -> DataFrame:
    """The rows of sealed segments."""
    if not paths:
        return session.createDataFrame([], declare(stream))
    return session.read.schema(declare(stream)).parquet(*map(str, paths))


def fetch(session: SparkSession, sql: str, parameters: tuple = ()) -> pl.DataFrame:
    """The result of one query.

    Raises
    ------
    InputError: PR-L212 with what Spark says.
    """
    try:
        # Inside of brackets only a query can stand, no statement that writes.
        result = session.sql(f"SELECT * FROM (\n{sql}\n)", args=list(parameters) or None)
        return count_whole(pl.DataFrame(pl.from_arrow(result.toArrow())))
    except PySparkException as error:
        raise InputError("PR-L212", value=" ".join(str(error).split())[:600]) from error


def _as_declared(frame: pl.DataFrame, stream: str) -> pl.DataFrame:
    """Rows in the types that every store gives."""
    return pl.DataFrame(frame.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(schema(stream)))
