"""Keys: what a caller shows to be known by, kept only as digests."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from postroad.core.errors import AccessError, NotFound
from postroad.guard.grants import Grant

__all__ = ["KeyRing"]

TABLES = """
CREATE TABLE IF NOT EXISTS keys (
  key_id TEXT PRIMARY KEY, digest BLOB NOT NULL, granted TEXT NOT NULL, made_at TEXT NOT NULL, withdrawn_at TEXT
);
"""
_FORM = re.compile(r"pr_([0-9a-f]{12})_([0-9a-f]{64})")


class KeyRing:
    """The keys of a service and what each may do.

    Parameters
    ----------
    path: of the file that keeps them, made when missing, for its owner only.

    A key is shown once, when it is made; the file holds its SHA-256, which suffices for 256 random bits.
    """

    def __init__(self, path: Path | str) -> None:
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        self._lock = Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.executescript(TABLES)
        self._version = -1
        self._held: dict[str, tuple[bytes, Grant, bool]] = {}

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def make(self, grant: Grant, *, now: datetime | None = None) -> str:
        """A new key with a grant, to be handed to its holder; it cannot be shown again."""
        key_id, secret = secrets.token_hex(6), secrets.token_hex(32)
        at = (now or datetime.now(UTC)).isoformat()
        with self._lock:
            row = (key_id, _digest(secret), grant.model_dump_json(), at)
            self._database.execute("INSERT INTO keys VALUES (?, ?, ?, ?, NULL)", row)
            self._version = -1
        return f"pr_{key_id}_{secret}"

    def withdraw(self, key_id: str, *, now: datetime | None = None) -> None:
        """Make a key void.

        Raises
        ------
        NotFound: PR-K122 no such key.
        """
        at = (now or datetime.now(UTC)).isoformat()
        with self._lock:
            changed = self._database.execute(
                "UPDATE keys SET withdrawn_at = coalesce(withdrawn_at, ?) WHERE key_id = ?", (at, key_id)
            )
            self._version = -1
        if not changed.rowcount:
            raise NotFound("PR-K122", value=key_id)

    def recognise(self, key: str, *, now: datetime | None = None) -> tuple[str, Grant]:
        """The id and the grant of a key that is shown.

        Raises
        ------
        AccessError: PR-K121 when it is none, void or past its time; which of these is not told.
        """
        form = _FORM.fullmatch(key)
        held = self._look_up(form[1]) if form else None
        if held is not None:
            digest, grant, is_withdrawn = held
            is_past = grant.expires_at is not None and grant.expires_at <= (now or datetime.now(UTC))
            if hmac.compare_digest(digest, _digest(form[2])) and not is_withdrawn and not is_past:
                return form[1], grant
        raise AccessError("PR-K121")

    def listed(self) -> list[dict[str, object]]:
        """Every key that was made: its id, its grant, when it was made and withdrawn."""
        with self._lock:
            rows = self._database.execute(
                "SELECT key_id, granted, made_at, withdrawn_at FROM keys ORDER BY made_at, key_id"
            ).fetchall()
        return [
            {"key_id": name, "made_at": made_at, "withdrawn_at": withdrawn_at}
            | Grant.model_validate_json(granted).model_dump(mode="json")
            for name, granted, made_at, withdrawn_at in rows
        ]

    def _look_up(self, key_id: str) -> tuple[bytes, Grant, bool] | None:
        """A key as it is kept; another process's changes are seen at once."""
        with self._lock:
            version = self._database.execute("PRAGMA data_version").fetchone()[0]
            if version != self._version:
                self._held.clear()
                self._version = version
            if key_id not in self._held:
                row = self._database.execute(
                    "SELECT digest, granted, withdrawn_at FROM keys WHERE key_id = ?", (key_id,)
                ).fetchone()
                if row is None:
                    return None
                self._held[key_id] = (row[0], Grant.model_validate_json(row[1]), row[2] is not None)
            return self._held[key_id]


def _digest(secret: str) -> bytes:
    """What is kept of a key's secret part."""
    return hashlib.sha256(secret.encode()).digest()
