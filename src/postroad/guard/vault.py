"""The vault: personal data sealed under one key a party, so that destroying the key destroys the data.

Two files hold the data: ``vault.db`` what is sealed, ``keys.db`` the parties' keys, each sealed under the master key.
The master key is a third file, which belongs on another disk than the copies of the first two. A purge removes the keys
of parties, then seals those that stay under a new master key and destroys the old one: whoever kept an older copy of
both files recovers nothing either.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from uuid import uuid4

from postroad.core.errors import LedgerError, NotFound
from postroad.core.files import writing_file
from postroad.guard.ciphers import Sealer
from postroad.guard.party import Party

__all__ = ["MASTER_NAME", "Vault"]

DATA_NAME, KEYS_NAME, MASTER_NAME = "vault.db", "keys.db", "master.key"
DEFAULT_CIPHER = "aes-256-gcm"

DATA_TABLES = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS parties (party_id TEXT PRIMARY KEY, sealed BLOB, sealed_at TEXT NOT NULL, purged_at TEXT);
"""
KEY_TABLES = """
CREATE TABLE IF NOT EXISTS keys (party_id TEXT PRIMARY KEY, epoch INTEGER NOT NULL, wrapped BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS dues (what TEXT PRIMARY KEY);
"""
REWRAPPED_AT_ONCE = 10_000


class Vault:
    """Names, numbers and addresses of parties, sealed.

    Parameters
    ----------
    folder: of the vault; made when missing, for its owner only.
    cipher: of a new vault, a name of :data:`postroad.guard.ciphers.CIPHERS`; one that is there keeps its own.
    master: file of the master key; ``master.key`` in the folder when left out.

    Raises
    ------
    InputError: PR-K101, PR-K102 of the cipher. LedgerError: PR-K104 the master key is not there, or not of this vault.
    """

    def __init__(self, folder: Path | str, *, cipher: str = DEFAULT_CIPHER, master: Path | str | None = None) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = RLock()
        self._data = _open(self.folder / DATA_NAME, DATA_TABLES)
        self._keys = _open(self.folder / KEYS_NAME, KEY_TABLES)
        with self._data:
            self._data.execute("INSERT OR IGNORE INTO about VALUES ('cipher', ?)", (cipher,))
        self._sealer = Sealer(self._data.execute("SELECT value FROM about WHERE name = 'cipher'").fetchone()[0])
        self._master_path = Path(master) if master else self.folder / MASTER_NAME
        self._masters = self._read_masters()
        if len(self._masters) > 1 or self._keys.execute("SELECT 1 FROM dues").fetchone():
            self.rotate()

    def __enter__(self) -> Vault:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files."""
        self._data.close()
        self._keys.close()

    def __len__(self) -> int:
        """How many parties have data."""
        return self._data.execute("SELECT count(*) FROM parties WHERE sealed IS NOT NULL").fetchone()[0]

    def seal(self, parties: Sequence[Party], *, now: datetime | None = None) -> list[str]:
        """Keep the data of parties under new pseudonyms.

        Returns
        -------
        The ``party_id`` of each: random, it says nothing of who it is.
        """
        named = [(uuid4().hex, party) for party in parties]
        with self._writing():
            for party_id, party in named:
                key = self._sealer.new_key()
                wrapped = self._sealer.seal(self._master, key, party_id.encode())
                self._keys.execute("INSERT INTO keys VALUES (?, ?, ?)", (party_id, self._epoch, wrapped))
                self._put(party_id, party, key, now)
        return [party_id for party_id, _ in named]

    def change(self, party_id: str, party: Party, *, now: datetime | None = None) -> None:
        """Put other data in the place of a party's.

        Raises
        ------
        NotFound: PR-K105 no such party, PR-K106 it was purged.
        """
        with self._writing():
            self._put(party_id, party, self._key(party_id), now)

    def read(self, party_id: str) -> Party:
        """The data of a party, whole. Whoever calls this writes it to the audit log before it is shown.

        Raises
        ------
        NotFound: PR-K105 no such party, PR-K106 it was purged. InputError: PR-K103 the file was changed.
        """
        with self._lock:
            key = self._key(party_id)
            sealed = self._data.execute("SELECT sealed FROM parties WHERE party_id = ?", (party_id,)).fetchone()[0]
        return Party.model_validate_json(self._sealer.open(key, sealed, party_id.encode()))

    def purge(self, party_ids: Iterable[str], *, now: datetime | None = None) -> int:
        """Destroy the data of parties for good: their keys, what they sealed, and the master key they were under.

        Returns
        -------
        How many parties there were; those unknown or purged before count nothing. That they were purged, and when,
        stays on record.
        """
        at = (now or datetime.now(UTC)).isoformat()
        n_purged = 0
        with self._writing():
            for party_id in party_ids:
                n_purged += self._keys.execute("DELETE FROM keys WHERE party_id = ?", (party_id,)).rowcount
                self._data.execute(
                    "UPDATE parties SET sealed = NULL, purged_at = ? WHERE party_id = ? AND purged_at IS NULL",
                    (at, party_id),
                )
            self._keys.execute("INSERT OR IGNORE INTO dues VALUES ('rotate')")
        self.rotate()
        return n_purged

    def rotate(self) -> None:
        """Seal the parties' keys under a new master key and destroy the old one.

        Interrupted at any point, it is finished when the vault is opened again.
        """
        with self._lock:
            new = max(self._masters) + 1 if len(self._masters) == 1 else max(self._masters)
            if new not in self._masters:
                self._masters[new] = self._sealer.new_key()
                self._write_masters()
            for rows in self._due_for(new):
                with self._keys:
                    self._keys.executemany("UPDATE keys SET epoch = ?, wrapped = ? WHERE party_id = ?", rows)
            self._masters = {new: self._masters[new]}
            self._write_masters()
            with self._keys:
                self._keys.execute("DELETE FROM dues")

    @property
    def _epoch(self) -> int:
        """Number of the master key in use."""
        return max(self._masters)

    @property
    def _master(self) -> bytes:
        """The master key in use."""
        return self._masters[self._epoch]

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One change of both files: a key is on the disk before what it seals."""
        with self._lock, self._data, self._keys:
            yield

    def _put(self, party_id: str, party: Party, key: bytes, now: datetime | None) -> None:
        """Seal and keep a party's data."""
        sealed = self._sealer.seal(key, party.model_dump_json().encode(), party_id.encode())
        at = (now or datetime.now(UTC)).isoformat()
        self._data.execute("INSERT OR REPLACE INTO parties VALUES (?, ?, ?, NULL)", (party_id, sealed, at))

    def _key(self, party_id: str) -> bytes:
        """The key of a party."""
        row = self._keys.execute("SELECT epoch, wrapped FROM keys WHERE party_id = ?", (party_id,)).fetchone()
        if row is not None:
            return self._unwrap(party_id, *row)
        purged = self._data.execute("SELECT purged_at FROM parties WHERE party_id = ?", (party_id,)).fetchone()
        if purged and purged[0]:
            raise NotFound("PR-K106", value=party_id, at_time=purged[0])
        raise NotFound("PR-K105", value=party_id)

    def _unwrap(self, party_id: str, epoch: int, wrapped: bytes) -> bytes:
        """A party's key, as it is kept, opened."""
        if epoch not in self._masters:
            raise LedgerError("PR-K104", path=str(self._master_path))
        return self._sealer.open(self._masters[epoch], wrapped, party_id.encode())

    def _due_for(self, epoch: int) -> Iterator[list[tuple[int, bytes, str]]]:
        """The keys that are under an older master key, sealed anew, in batches."""
        while True:
            rows = self._keys.execute(
                "SELECT party_id, epoch, wrapped FROM keys WHERE epoch <> ? LIMIT ?", (epoch, REWRAPPED_AT_ONCE)
            ).fetchall()
            if not rows:
                return
            master = self._masters[epoch]
            yield [
                (epoch, self._sealer.seal(master, self._unwrap(name, old, wrapped), name.encode()), name)
                for name, old, wrapped in rows
            ]

    def _read_masters(self) -> dict[int, bytes]:
        """The master keys by number: one, or two while they are changed."""
        if not self._master_path.exists():
            if self._keys.execute("SELECT 1 FROM keys").fetchone():
                raise LedgerError("PR-K104", path=str(self._master_path))
            self._masters = {1: self._sealer.new_key()}
            self._write_masters()
            return self._masters
        try:
            lines = self._master_path.read_text(encoding="ascii").split("\n")
            parts = [line.partition(" ") for line in lines[:-1] or [""]]
            return {int(number): bytes.fromhex(key) for number, _, key in parts}
        except ValueError as error:
            raise LedgerError("PR-K104", path=str(self._master_path)) from error

    def _write_masters(self) -> None:
        """Put the master keys in the place of those that were there, which are overwritten."""
        old = os.open(self._master_path, os.O_RDWR) if self._master_path.exists() else None
        with writing_file(self._master_path) as draft:
            draft.touch(mode=0o600)
            draft.write_text("".join(f"{number} {key.hex()}\n" for number, key in self._masters.items()), "ascii")
        if old is not None:
            os.pwrite(old, bytes(os.fstat(old).st_size), 0)
            os.fsync(old)
            os.close(old)


def _open(path: Path, tables: str) -> sqlite3.Connection:
    """A database whose deleted rows are overwritten and whose changes are on the disk when they are made."""
    path.touch(mode=0o600)
    database = sqlite3.connect(path, check_same_thread=False, isolation_level="IMMEDIATE")
    for setting in ("secure_delete = ON", "journal_mode = DELETE", "synchronous = FULL"):
        database.execute(f"PRAGMA {setting}")
    database.executescript(tables)
    return database
