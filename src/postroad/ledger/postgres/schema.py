"""The tables of a ledger in PostgreSQL, and how they are brought from one version to the next.

Migrations are numbered files of SQL. Each is applied once, all that are missing in one transaction, while an advisory
lock keeps others from doing the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files

from postroad.core.errors import LedgerError
from postroad.ledger.postgres.driver import psycopg

__all__ = ["Migration", "add_days", "migrate", "migrations", "read_version"]

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('postroad ' || %s, 0))"
VERSIONS = """
CREATE TABLE IF NOT EXISTS schema_versions (
  version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""
KNOWN_DAYS = """
SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid WHERE i.inhparent = 'events'::regclass
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step from a version to the next."""

    version: int
    name: str
    sql: str


@cache
def migrations() -> tuple[Migration, ...]:
    """All migrations in order."""
    folder = files("postroad.ledger.postgres").joinpath("migrations")
    paths = sorted((path for path in folder.iterdir() if path.name.endswith(".sql")), key=lambda path: path.name)
    return tuple(Migration(int(path.name[:4]), path.name[5:-4], path.read_text(encoding="utf-8")) for path in paths)


def read_version(connection: psycopg.Connection) -> int:
    """The version of the tables that are there; 0 when there are none."""
    (found,) = connection.execute("SELECT to_regclass('schema_versions') IS NOT NULL").fetchone()
    if not found:
        return 0
    return connection.execute("SELECT coalesce(max(version), 0) FROM schema_versions").fetchone()[0]


def migrate(connection: psycopg.Connection, schema: str, where: str, steps: Sequence[Migration] | None = None) -> None:
    """Bring the tables to the newest version; nothing happens when they are.

    Parameters
    ----------
    connection: whose search path begins with the schema. schema: its name. where: the ledger, for messages.
    steps: the migrations; the shipped ones when left out.

    Raises
    ------
    LedgerError: PR-L505 when the tables are of a newer version than this Postroad knows.
    """
    steps = migrations() if steps is None else steps
    newest = steps[-1].version
    found = read_version(connection)
    if found < newest:
        with connection.transaction():
            connection.execute(LOCK, (schema,))
            if not connection.execute("SELECT to_regnamespace(quote_ident(%s)) IS NOT NULL", (schema,)).fetchone()[0]:
                connection.execute(f'CREATE SCHEMA "{schema}"')
            connection.execute(VERSIONS)
            found = read_version(connection)
            for step in steps:
                if step.version > found:
                    connection.execute(step.sql)
                    connection.execute(
                        "INSERT INTO schema_versions (version, name) VALUES (%s, %s)", (step.version, step.name)
                    )
            found = max(found, newest)
    if found > newest:
        raise LedgerError("PR-L505", path=where, value=found, expected=newest)


def add_days(connection: psycopg.Connection, schema: str, days: Sequence[date]) -> None:
    """Make the partitions of these days (UTC) where they are missing. Readers and writers need not wait for it."""
    with connection.transaction():
        connection.execute(LOCK, (schema,))
        known = {name for (name,) in connection.execute(KNOWN_DAYS)}
        for day in days:
            name = f"events_{day.year:04}{day:%m%d}"
            if name in known:
                continue
            start = f"{day.isoformat()} 00:00:00+00"
            # 9999-12-31 has no day after it in the calendar of dates.
            stop = f"{(day + timedelta(1)).isoformat()} 00:00:00+00" if day < date.max else "infinity"
            # A table made alone and attached then locks out nobody, unlike CREATE TABLE .. PARTITION OF.
            connection.execute(f"CREATE TABLE {name} (LIKE events INCLUDING DEFAULTS)")
            connection.execute(f"ALTER TABLE events ATTACH PARTITION {name} FOR VALUES FROM ('{start}') TO ('{stop}')")
