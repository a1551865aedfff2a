"""Appending to a ledger in PostgreSQL: one transaction a batch, exactly once under any number of writers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from postroad.core.findings import Findings
from postroad.events.check import Screened
from postroad.ledger.admission import APPENDED, Receipt, admit
from postroad.ledger.known import SEALED
from postroad.ledger.postgres.copying import (
    copy_pieces,
    copy_statement,
    days_of,
    encode_instants,
    encode_uuids,
    find_foreign,
)
from postroad.ledger.postgres.driver import Instants, Uuids, psycopg
from postroad.ledger.postgres.rows import rows_table, select_list
from postroad.ledger.segments import complete

__all__ = ["append_batch", "append_events", "refuse_foreign", "take_days"]

IDS_AT_ONCE = 1 << 20
# The ids come in order, so that writers that share ids wait for one another and never in a circle.
TAKE_IDS = """
WITH taken AS (
  INSERT INTO event_ids (event_id, occurred_at) SELECT * FROM unnest($1, $2) ON CONFLICT DO NOTHING RETURNING event_id
) SELECT count(*), string_agg(uuid_send(event_id), '') FROM taken
"""
WHEN = """
SELECT i.occurred_at FROM unnest($1) WITH ORDINALITY AS g (event_id, place) JOIN event_ids AS i USING (event_id)
ORDER BY g.place
"""
EARLIER = f"""
SELECT {select_list("events", "e.")}
FROM unnest($1, $2) WITH ORDINALITY AS g (event_id, occurred_at, place)
JOIN events AS e ON e.occurred_at = g.occurred_at AND e.event_id = g.event_id
  AND e.occurred_at >= $3 AND e.occurred_at <= $4
ORDER BY g.place
"""
# Each of the ids is looked up by itself: a plan that reads whole days would be chosen from a guess.
BY_INDEX = tuple(f"SET LOCAL enable_{way} = off" for way in ("hashjoin", "mergejoin", "material"))


def refuse_foreign(screened: Screened) -> tuple[Screened, Findings]:
    """Refuse the rows that PostgreSQL cannot keep: PR-L506. The table comes back in the schema of events."""
    table = complete(screened.table, "events")
    is_foreign, findings = find_foreign(table, "events")
    return replace(screened, table=table, is_kept=screened.is_kept & ~is_foreign), findings


def take_days(screened: Screened) -> list:
    """The days (UTC) on which the rows that are kept occurred."""
    return days_of(screened.table["occurred_at"].filter(pa.array(screened.is_kept)))


def append_events(connection: psycopg.Connection, screened: Screened) -> tuple[Receipt, Findings]:
    """Add the rows of a batch that are new, in a transaction of their own; their days have partitions.

    Parameters
    ----------
    screened: as :func:`refuse_foreign` gives it.
    """
    rows = np.flatnonzero(screened.is_kept)
    if not len(rows):
        return Receipt(np.where(screened.is_kept, 0, 2).astype(np.int8)), Findings()
    ids = _ids_of(screened.table)[rows]
    firsts, group = _first_of_each(ids)
    with connection.transaction(), psycopg.RawCursor(connection) as cursor:
        is_new = _take_ids(cursor, ids[firsts], _micros(screened.table)[rows][firsts])
        known = _places(is_new, firsts, group)
        held = ids[firsts[~is_new]]
        status, findings = admit(screened, known, 0, lambda places: _fetch(cursor, held[places - SEALED]))
        new = screened.table if (status == APPENDED).all() else screened.table.filter(pa.array(status == APPENDED))
        if new.num_rows:
            _copy(cursor, new, "events", None)
    return Receipt(status), findings


def append_batch(connection: psycopg.Connection, table: pa.Table, stream: str, batch_id: str) -> bool:
    """Add a batch of records unless one of the same name is there; whether it was added."""
    with connection.transaction(), psycopg.RawCursor(connection) as cursor:
        return _copy(cursor, complete(table, stream), stream, batch_id)


def _copy(cursor: psycopg.RawCursor, table: pa.Table, stream: str, batch_id: str | None) -> bool:
    """Note a batch and copy its rows; nothing happens when one of this name is there."""
    note = "INSERT INTO batches (stream, batch_id, n_rows) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
    if cursor.execute(note, (stream, batch_id, table.num_rows)).rowcount == 0:
        return False
    with cursor.copy(copy_statement(stream)) as copy:
        for piece in copy_pieces(table, stream):
            copy.write(piece)
    return True


def _take_ids(cursor: psycopg.RawCursor, ids: np.ndarray, micros: np.ndarray) -> np.ndarray:
    """Hold ids, uint8 (n, 16) in order, for this transaction: bool (n,), which of them were free."""
    is_new = np.empty(len(ids), bool)
    for start in range(0, len(ids), IDS_AT_ONCE):
        part = slice(start, start + IDS_AT_ONCE)
        given = (Uuids(encode_uuids(ids[part])), Instants(encode_instants(micros[part])))
        n_taken, taken = cursor.execute(TAKE_IDS, given, binary=True).fetchone()
        is_new[part] = n_taken == len(ids[part]) or _are_among(ids[part], taken or b"")
    return is_new


def _are_among(ids: np.ndarray, taken: bytes) -> np.ndarray:
    """Which ids, uint8 (n, 16), are among those that stand one after another."""

    def arrow(content: object, n: int) -> pa.Array:
        return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), n, [None, pa.py_buffer(content)])

    values = arrow(np.ascontiguousarray(ids), len(ids))
    return pc.is_in(values, value_set=arrow(taken, len(taken) // 16)).to_numpy(zero_copy_only=False)


def _first_of_each(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first row with each id, in the order of the ids, int64 (n_id,); and which of these ids each row has, (n,)."""
    words = ids.view(">u8")
    order = np.lexsort((words[:, 1], words[:, 0]))
    ordered = words[order]
    is_first = np.append(True, (ordered[1:] != ordered[:-1]).any(axis=1))
    group = np.empty(len(ids), np.int64)
    group[order] = np.cumsum(is_first) - 1
    return order[is_first], group


def _places(is_new: np.ndarray, firsts: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Where each row's id is held, as :func:`postroad.ledger.admission.admit` wants it: -1 for the first row of a new
    id, its place among the new rows for what repeats it, ``SEALED + k`` for the k-th id of the ledger."""
    known = np.full(len(group), -1, np.int64)
    is_first_new = np.zeros(len(group), bool)
    is_first_new[firsts[is_new]] = True
    number = np.cumsum(is_first_new) - 1
    by_id = np.where(is_new, number[firsts], SEALED + np.cumsum(~is_new) - 1)
    repeats = ~is_first_new
    known[repeats] = by_id[group[repeats]]
    return known


def _fetch(cursor: psycopg.RawCursor, ids: np.ndarray) -> pa.Table:
    """The events of the ledger with these ids, uint8 (n, 16), in this order."""
    for setting in BY_INDEX:
        cursor.execute(setting)
    rows = cursor.execute(WHEN, (Uuids(encode_uuids(ids)),), binary=True).fetchall()
    instants = [at for (at,) in rows]
    micros = pa.array(instants, pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_numpy()
    given = (Uuids(encode_uuids(ids)), Instants(encode_instants(micros)), min(instants), max(instants))
    return rows_table(cursor.execute(EARLIER, given, binary=True).fetchall(), "events")


def _ids_of(table: pa.Table) -> np.ndarray:
    """Event ids, uint8 (n, 16); what stands for a null is not looked at."""
    values = table["event_id"].combine_chunks()
    return np.frombuffer(values.buffers()[1], np.uint8)[16 * values.offset :][: 16 * len(values)].reshape(-1, 16)


def _micros(table: pa.Table) -> np.ndarray:
    """The instants at which events occurred, microseconds from 1970."""
    return pc.fill_null(table["occurred_at"].combine_chunks().cast(pa.int64()), 0).to_numpy()
