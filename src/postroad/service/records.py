"""What a service keeps beside its ledger: capture jobs, named queries, subscriptions, and what is still to be sent."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

__all__ = ["Records"]

TABLES = """
CREATE TABLE IF NOT EXISTS jobs (
  job_id TEXT PRIMARY KEY, key_id TEXT NOT NULL, granted TEXT NOT NULL, behaviour TEXT NOT NULL, body BLOB,
  created_at TEXT NOT NULL, finished_at TEXT, success INTEGER NOT NULL, errors TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS queries (
  name TEXT PRIMARY KEY, key_id TEXT NOT NULL, query TEXT NOT NULL, created_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS subscriptions (
  subscription_id TEXT PRIMARY KEY, query_name TEXT NOT NULL REFERENCES queries (name) ON DELETE CASCADE,
  key_id TEXT NOT NULL, granted TEXT NOT NULL, dest TEXT NOT NULL, token TEXT NOT NULL, schedule TEXT,
  report_if_empty INTEGER NOT NULL, created_at TEXT NOT NULL, notified_at TEXT, since TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS outbox (
  delivery_id INTEGER PRIMARY KEY AUTOINCREMENT,
  subscription_id TEXT NOT NULL REFERENCES subscriptions (subscription_id) ON DELETE CASCADE,
  body BLOB NOT NULL, n_tries INTEGER NOT NULL DEFAULT 0, due_s REAL NOT NULL
);
"""


class Records:
    """A database of one file; every change is on the disk when it is made.

    Parameters
    ----------
    path: made when missing, for its owner only.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._lock = RLock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level="IMMEDIATE")
        self._database.row_factory = sqlite3.Row
        for setting in ("foreign_keys = ON", "synchronous = FULL", "journal_mode = WAL"):
            self._database.execute(f"PRAGMA {setting}")
        self._database.executescript(TABLES)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        """The rows that a statement finds."""
        with self._lock:
            return self._database.execute(sql, values).fetchall()

    def row(self, sql: str, values: Sequence[object] = ()) -> sqlite3.Row | None:
        """The first row that a statement finds."""
        with self._lock:
            return self._database.execute(sql, values).fetchone()

    def change(self, sql: str, values: Sequence[object] = ()) -> int:
        """Obey a statement; how many rows it changed."""
        with self.changing() as database:
            return database.execute(sql, values).rowcount

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """Several statements, all of them or none."""
        with self._lock, self._database:
            yield self._database
