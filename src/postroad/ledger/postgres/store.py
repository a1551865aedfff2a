"""The ledger in PostgreSQL: the same append and the same questions as of a folder, for many writers at once.

Events lie in one partition a day (UTC) of ``occurred_at``; one narrow table holds the ids of all of them, so that an id
is used once whatever the day. A batch is one transaction: it is committed, and on the server's disk, when an append
returns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from threading import Lock

import polars as pl
import pyarrow as pa

from postroad.core.clock import time_zone
from postroad.core.errors import InputError, LedgerError, NotFound
from postroad.core.findings import Findings
from postroad.events.check import screen_events
from postroad.events.columns import conform
from postroad.events.envelope import order_events
from postroad.events.kinds import SUBJECTS
from postroad.ledger.admission import Receipt
from postroad.ledger.batches import digest_batch, refuse_other, whole_batch
from postroad.ledger.manifest import About
from postroad.ledger.plain import PlainRecords
from postroad.ledger.postgres.appending import append_batch, append_events, refuse_foreign, take_days
from postroad.ledger.postgres.connections import Connections
from postroad.ledger.postgres.content import digest_content, find_gaps
from postroad.ledger.postgres.copying import find_foreign
from postroad.ledger.postgres.driver import Jsonb, psycopg
from postroad.ledger.postgres.rows import frame_result, rows_table, select_list, with_marks
from postroad.ledger.postgres.schema import add_days, migrate, read_version
from postroad.ledger.query import kinds_table
from postroad.ledger.segments import complete

__all__ = ["PostgresLedger", "Session"]

SCHEMA = "postroad"
TRIES = 3
ABOUT = "SELECT timezone, epoch, run_digest FROM about"
KIND_TYPES = ", ".join(
    f"{field.name} {'integer' if pa.types.is_integer(field.type) else 'text'}" for field in kinds_table().schema
)
KINDS = f"CREATE TEMP TABLE IF NOT EXISTS kinds AS SELECT * FROM jsonb_to_recordset(%s) AS listed ({KIND_TYPES})"


class PostgresLedger(PlainRecords):
    """An append-only store in a schema of a database.

    Parameters
    ----------
    text: connection text of libpq, a URL or ``name=value`` pairs; that of the environment (``POSTROAD_POSTGRES``) when
        left out. schema: which holds the ledger; :meth:`create` makes one. Older tables are brought up to date.

    Raises
    ------
    InputError: PR-L502 no connection text, PR-L503 one that cannot be read, PR-L504 a name that is none. LedgerError:
    PR-L503 when the database cannot be reached, PR-L505 when its tables are newer. NotFound: PR-L201 no ledger there.
    """

    def __init__(self, text: str | None = None, *, schema: str = SCHEMA) -> None:
        self._connections = Connections(text, schema)
        self._days: set = set()
        self._lock = Lock()
        is_open = False
        try:
            self.about = self._open()
            is_open = True
        finally:
            if not is_open:
                self.close()

    def __enter__(self) -> PostgresLedger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. The ledger can still be read and written: they are made again."""
        self._connections.close()

    @classmethod
    def create(
        cls,
        text: str | None = None,
        *,
        schema: str = SCHEMA,
        timezone: str = "UTC",
        epoch: datetime | None = None,
        run_digest: str = "",
    ) -> PostgresLedger:
        """Make a ledger, or open the one that is there if it was made with the same settings.

        Parameters
        ----------
        text, schema: as of the class; the schema is made when missing. The others: as of
            :meth:`postroad.ledger.store.Ledger.create`.

        Raises
        ------
        LedgerError: PR-L214 a ledger with other settings is there. InputError: PR-C022 unknown time zone.
        """
        time_zone(timezone)
        about = About(timezone=timezone, epoch=epoch, run_digest=run_digest)
        connections = Connections(text, schema)
        with closing(connections), _translated(connections), connections.take() as connection:
            migrate(connection, schema, connections.where)
            connection.execute(
                "INSERT INTO about (timezone, epoch, run_digest) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                (timezone, epoch, run_digest),
            )
            found = connection.execute(ABOUT).fetchone()
        refuse_other(connections.where, _about(found), about)
        return cls(text, schema=schema)

    @property
    def where(self) -> str:
        """Which ledger this is, without the password."""
        return self._connections.where

    def __len__(self) -> int:
        """How many events there are."""
        with self._reading() as connection:
            sums = "SELECT coalesce(sum(n_rows), 0)::bigint FROM batches WHERE stream = 'events'"
            return connection.execute(sums).fetchone()[0]

    def append(self, frame: pl.DataFrame | pa.Table, *, now: datetime | None = None) -> tuple[Receipt, Findings]:
        """Add a batch of events: all that can be kept and is new, or, when anything fails, none.

        Parameters, what is returned and errors are those of :meth:`postroad.ledger.store.Ledger.append`; besides,
        findings PR-L506 of values that PostgreSQL cannot keep, and LedgerError PR-L507 when the database did not
        confirm the batch: sent again, it is added once.
        """
        table, findings = conform(frame, "events")
        findings.raise_on_errors(InputError)
        screened, row_findings = screen_events(table, now)
        findings.extend(row_findings)
        screened, foreign = refuse_foreign(screened)
        findings.extend(foreign)
        days = take_days(screened)
        for number in range(1, TRIES + 1):
            try:
                with self._writing() as connection:
                    self._ensure_days(connection, days)
                    receipt, clashes = append_events(connection, screened)
                break
            except _Again:
                # Somebody took a day's partition away, or the database broke a circle of waiting: once more.
                self._days.clear()
                if number == TRIES:
                    raise
        findings.extend(clashes)
        return receipt, findings

    def append_items(self, frame: pl.DataFrame | pa.Table) -> bool:
        """Add records of items; as :meth:`postroad.ledger.store.Ledger.append_items`."""
        return self._append_whole(frame, "items")

    def append_flows(self, frame: pl.DataFrame | pa.Table) -> bool:
        """Add aggregate flow records; as :meth:`postroad.ledger.store.Ledger.append_flows`."""
        if self.about.epoch is None:
            raise LedgerError("PR-L210", value="the ledger has no epoch")
        return self._append_whole(frame, "flows")

    def history(self, item_id: str) -> pl.DataFrame:
        """All events of an item, in order; no row when there is none."""
        return self.events_about(item_id, "item")

    def events_about(self, name: str, subject: str) -> pl.DataFrame:
        """All events about a thing, in order: about an ``item``, or of no item about a ``unit``, ``trip`` or
        ``facility``."""
        before = SUBJECTS[: SUBJECTS.index(subject)]
        none = "".join(f" AND coalesce({other}_id, '') = ''" for other in before)
        where = f"{subject}_id = $1{none}"
        return order_events(self._find("events", where, name))

    def item_records(self, item_id: str) -> pl.DataFrame:
        """The records of an item, by acceptance; more than one when a number was used again."""
        return self._find("items", "item_id = $1 ORDER BY accepted_at NULLS FIRST", item_id)

    def events(self, where: str = "true", parameters: tuple = (), *, limit: int | None = None) -> pl.DataFrame:
        """Events for which a condition in SQL holds, in no order; as :meth:`postroad.ledger.store.Ledger.events`."""
        tail = "" if limit is None else f" LIMIT {int(limit)}"
        where = with_marks(where) if parameters else where
        statement = f"SELECT {select_list('events')} FROM events WHERE ({where}){tail}"
        with self._reading() as connection, self._asking(), connection.transaction(force_rollback=True):
            connection.execute("SET TRANSACTION READ ONLY")
            cursor = psycopg.RawCursor(connection).execute(statement, parameters, binary=True)
            return pl.DataFrame(rows_table(cursor.fetchall(), "events"))

    def query(self, sql: str, parameters: tuple = ()) -> pl.DataFrame:
        """Run SQL (PostgreSQL) over the tables ``events``, ``items``, ``flows`` and ``kinds``, in a transaction that
        changes nothing; ``?`` or ``$1`` stand for parameters.

        Raises
        ------
        InputError: PR-L212 with what the database says. What else the statement can read is for the database's
        administrator to say: give the ledger a role of its own that is not a superuser.
        """
        sql = with_marks(sql) if parameters else sql
        with self._reading() as connection:
            connection.execute(KINDS, (Jsonb(kinds_table().to_pylist()),))
            with self._asking(), connection.transaction(force_rollback=True):
                connection.execute("SET TRANSACTION READ ONLY")
                # In binary the server takes one statement and no more.
                return frame_result(psycopg.RawCursor(connection).execute(sql, parameters, binary=True))

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A connection for several statements that share temporary tables; what they make is gone afterwards."""
        with self._reading() as connection:
            try:
                yield Session(connection)
            finally:
                connection.close()

    def verify(self) -> Findings:
        """Read everything and find where ids, events and batches disagree (PR-L508), and whether the server may lose
        what it confirmed (PR-L509)."""
        with self._reading() as connection:
            return find_gaps(connection)

    def digest(self) -> str:
        """The digest of all that the ledger holds: equal for equal content, in whatever order it came."""
        with self._reading() as connection:
            return digest_content(connection, self.about)

    def _open(self) -> About:
        """Bring the tables up to date and read what is set."""
        with self._reading() as connection:
            found = None
            if read_version(connection):
                migrate(connection, self._connections.schema, self.where)
                found = connection.execute(ABOUT).fetchone()
        if found is None:
            raise NotFound("PR-L201", path=self.where)
        return _about(found)

    def _append_whole(self, frame: pl.DataFrame | pa.Table, stream: str) -> bool:
        """Add a batch of records unless it is there."""
        table = whole_batch(frame, stream)
        _, findings = find_foreign(complete(table, stream), stream)
        findings.raise_on_errors(InputError)
        with self._writing() as connection:
            return append_batch(connection, table, stream, digest_batch(table, stream))

    def _find(self, stream: str, where: str, name: str) -> pl.DataFrame:
        """Rows about a thing. One statement by itself, so that the server plans it once for all that follow."""
        statement = f"SELECT {select_list(stream)} FROM {stream} WHERE {where}"
        with self._reading() as connection:
            cursor = psycopg.RawCursor(connection).execute(statement, (name,), prepare=True, binary=True)
            return pl.DataFrame(rows_table(cursor.fetchall(), stream))

    def _ensure_days(self, connection: psycopg.Connection, days: list) -> None:
        """Make the partitions that are missing."""
        missing = [day for day in days if day not in self._days]
        if missing:
            add_days(connection, self._connections.schema, missing)
            self._days.update(missing)

    @contextmanager
    def _reading(self) -> Iterator[psycopg.Connection]:
        """A connection; LedgerError PR-L503 when the database gives up."""
        with _translated(self._connections), self._connections.take() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[psycopg.Connection]:
        """A connection; LedgerError PR-L507 when the database did not confirm the batch."""
        try:
            with self._connections.take() as connection:
                yield connection
        except (psycopg.errors.CheckViolation, psycopg.errors.DeadlockDetected) as error:
            raise _Again("PR-L507", path=self.where, value=self._connections.hide(error)) from error
        except psycopg.Error as error:
            raise LedgerError("PR-L507", path=self.where, value=self._connections.hide(error)) from error

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Somebody's own SQL runs; InputError PR-L212 when it does not."""
        try:
            yield
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            raise InputError("PR-L212", value=self._connections.hide(error)) from error


class Session:
    """One connection of a ledger, for whoever brings tables of their own to its tables."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def execute(self, statement: str) -> None:
        """Run a statement."""
        self._connection.execute(statement)

    def copy(self, table: str, rows: Iterable[Sequence[object]]) -> None:
        """Fill a temporary table, and let the planner know how large it is."""
        with self._connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        self._connection.execute(f"ANALYZE {table}")

    def fetch(self, statement: str) -> pl.DataFrame:
        """The result of one statement."""
        return frame_result(psycopg.RawCursor(self._connection).execute(statement, binary=True))


class _Again(LedgerError):
    """An append that may be tried once more."""


@contextmanager
def _translated(connections: Connections) -> Iterator[None]:
    """LedgerError PR-L503 when the database gives up."""
    try:
        yield
    except psycopg.Error as error:
        raise LedgerError("PR-L503", path=connections.where, value=connections.hide(error)) from error


def _about(row: tuple) -> About:
    """What is set once for a ledger."""
    zone, epoch, run_digest = row
    return About(timezone=zone, epoch=None if epoch is None else epoch.astimezone(UTC), run_digest=run_digest)
