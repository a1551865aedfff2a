"""Connections to a ledger's database: made when needed, given back for the next, one for each thread at work."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from postroad.core.errors import InputError, LedgerError
from postroad.ledger.postgres.driver import psycopg, register

__all__ = ["VARIABLE", "Connections", "describe", "read_text"]

VARIABLE = "POSTROAD_POSTGRES"
"""The environment variable that says where the database is when the caller does not."""
SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,47}")
SETTINGS = """
SELECT set_config('search_path', quote_ident(%s) || ', pg_temp', false),
       set_config('TimeZone', 'UTC', false),
       set_config('synchronous_commit',
                  CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'
                  ELSE current_setting('synchronous_commit') END, false)
"""


def read_text(text: str | None) -> str:
    """The connection text of the caller, or of the environment.

    Raises
    ------
    InputError: PR-L502 when neither says anything, PR-L503 when it cannot be read. The text itself is never shown: it
    may hold a password.
    """
    text = text or os.environ.get(VARIABLE, "")
    if not text:
        raise InputError("PR-L502", value=VARIABLE)
    try:
        psycopg.conninfo.conninfo_to_dict(text)
    except psycopg.ProgrammingError:
        raise InputError("PR-L503", path="PostgreSQL", value="the connection text is malformed") from None
    return text


def describe(text: str, schema: str) -> str:
    """Where a ledger is, as a message may say it.

    >>> describe("postgresql://anna:secret@db.example.org/post", "postroad")
    'postgresql://db.example.org/post, schema postroad'
    """
    told = psycopg.conninfo.conninfo_to_dict(text)
    port = f":{told['port']}" if "port" in told else ""
    return f"postgresql://{told.get('host', '')}{port}/{told.get('dbname', '')}, schema {schema}"


class Connections:
    """Connections to one schema of one database.

    Parameters
    ----------
    text: of the connection. schema: name of the schema that holds the ledger.

    Raises
    ------
    InputError: PR-L502, PR-L503 of the text, PR-L504 for a name that is none.
    """

    def __init__(self, text: str | None, schema: str) -> None:
        if not SCHEMA.fullmatch(schema):
            raise InputError("PR-L504", value=schema)
        self._text = read_text(text)
        self.schema, self.where = schema, describe(self._text, schema)
        self._idle: list[psycopg.Connection] = []
        self._lock = Lock()

    @contextmanager
    def take(self) -> Iterator[psycopg.Connection]:
        """A connection in autocommit for the time of a block; one that was left in a transaction is not used again.

        Raises
        ------
        LedgerError: PR-L503 when the database cannot be reached.
        """
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None or connection.closed:
            connection = self._connect()
        is_whole = False
        try:
            yield connection
            is_whole = True
        finally:
            is_idle = connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
            if is_idle and (is_whole or not connection.broken):
                with self._lock:
                    self._idle.append(connection)
            else:
                connection.close()

    def close(self) -> None:
        """Close those that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _connect(self) -> psycopg.Connection:
        """A new connection, with the settings on which the ledger relies."""
        try:
            connection = psycopg.connect(self._text, autocommit=True, application_name="postroad")
        except psycopg.Error as error:
            raise LedgerError("PR-L503", path=self.where, value=self.hide(error)) from None
        register(connection)
        connection.execute(SETTINGS, (self.schema,))
        return connection

    def hide(self, error: psycopg.Error) -> str:
        """What an error says, in one line and without the password."""
        secret = psycopg.conninfo.conninfo_to_dict(self._text).get("password")
        words = " ".join(str(error).split())
        return words.replace(str(secret), "***") if secret else words
