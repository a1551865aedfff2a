"""What a ledger in PostgreSQL holds as a whole: its digest, and where its tables disagree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from postroad.core.digests import digest_bytes
from postroad.core.findings import Findings
from postroad.ledger.batches import digest_batch
from postroad.ledger.manifest import STREAMS, About
from postroad.ledger.postgres.driver import psycopg
from postroad.ledger.postgres.rows import rows_table, select_list

__all__ = ["digest_content", "digest_events", "find_gaps"]

PIECE_ROWS = 1 << 16
DURABLE = ("fsync", "full_page_writes")
"""Settings that a server must have on to keep what it confirmed."""


def digest_content(connection: psycopg.Connection, about: About) -> str:
    """The digest of a ledger's settings, events in the order of their ids, and batches of records."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        events = digest_events(_pieces(connection))
        named = "SELECT stream || ' ' || batch_id FROM batches WHERE batch_id IS NOT NULL ORDER BY 1"
        batches = [name.encode() for (name,) in connection.execute(named)]
    return digest_bytes(about.model_dump_json().encode(), events.encode(), *batches)


def digest_events(pieces: Iterable[pa.Table]) -> str:
    """The digest of events in the order of their ids.

    Parameters
    ----------
    pieces: in the schema of events, each of 65,536 rows but the last.
    """
    return digest_bytes(*(digest_batch(piece, "events").encode() for piece in pieces))


def find_gaps(connection: psycopg.Connection) -> Findings:
    """Find where ids, events and batches disagree: PR-L508; and a server that may lose what it confirmed: PR-L509."""
    findings = Findings()
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for stream in STREAMS:
            told, found = connection.execute(
                f"SELECT (SELECT coalesce(sum(n_rows), 0)::bigint FROM batches WHERE stream = %s),"
                f" (SELECT count(*) FROM {stream})", (stream,)
            ).fetchone()  # fmt: skip
            if told != found:
                findings.add("PR-L508", table=stream, value=f"{found} rows, {told} were appended")
        (n_odd,) = connection.execute(
            "SELECT count(*) FROM events AS e FULL JOIN event_ids AS i USING (event_id, occurred_at)"
            " WHERE e.event_id IS NULL OR i.event_id IS NULL OR e.kind IS NULL"
        ).fetchone()
        if n_odd:
            findings.add("PR-L508", table="event_ids", value=f"{n_odd} ids and events without one another")
        for name in DURABLE:
            if connection.execute("SELECT current_setting(%s)", (name,)).fetchone()[0] == "off":
                findings.add("PR-L509", value=name)
    return findings


def _pieces(connection: psycopg.Connection) -> Iterator[pa.Table]:
    """All events in the order of their ids, piece by piece."""
    with connection.cursor("postroad_digest", binary=True) as cursor:
        cursor.execute(f"SELECT {select_list('events')} FROM events ORDER BY event_id")
        while rows := cursor.fetchmany(PIECE_ROWS):
            yield rows_table(rows, "events")
