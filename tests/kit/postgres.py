"""A PostgreSQL of its own for a run of tests: a cluster in a temporary folder, reached by a socket in it."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")
USERS = ("postgres", "nobody")
CONFIGURATION = """
listen_addresses = ''
unix_socket_directories = '{folder}'
max_connections = 60
shared_buffers = '{buffers}'
wal_level = minimal
max_wal_senders = 0
max_wal_size = '8GB'
checkpoint_timeout = '30min'
log_min_messages = fatal
"""


def find_programs() -> Path | None:
    """The folder of initdb and postgres; None when PostgreSQL is not installed."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).resolve().parent] if on_path else []
    found += sorted(map(Path, (name for place in PLACES for name in glob.glob(place))), reverse=True)
    return next((place for place in found if (place / "initdb").exists() and (place / "postgres").exists()), None)


class Cluster:
    """A server with its data in a folder. ``owner``: connection text of its superuser."""

    def __init__(self, folder: Path, programs: Path, buffers: str) -> None:
        self.folder, self._programs, self._other = folder, programs, {}
        self.owner = f"host={folder} dbname=postgres user=owner"
        if os.geteuid() == 0:  # the server refuses to run as root
            pwd = import_module("pwd")  # there is none on Windows
            user = next(name for name in USERS if name in {entry.pw_name for entry in pwd.getpwall()})
            shutil.chown(folder, user)
            self._other = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
        settings = ("--username", "owner", "--auth", "trust", "--encoding", "UTF8", "--locale", "C")
        self._run("initdb", "--pgdata", folder / "data", *settings)
        with (folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as handle:
            handle.write(CONFIGURATION.format(folder=folder, buffers=buffers))

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._run("pg_ctl", "--pgdata", self.folder / "data", "--wait", "--log", self.folder / "server.log", "start")

    def crash(self) -> None:
        """Stop the server at once, as if it were killed: nothing is put in order, what was written to its log stays."""
        self._run("pg_ctl", "--pgdata", self.folder / "data", "--wait", "--mode", "immediate", "stop")

    def _run(self, program: str, *arguments: object) -> None:
        command = [self._programs / program, *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **self._other)


@contextmanager
def running_postgres(buffers: str = "128MB", parent: Path | None = None) -> Iterator[Cluster]:
    """A server for the time of a block, fsync on. Whoever has no PostgreSQL skips, or fails where engines must be."""
    programs = find_programs()
    if programs is None or not find_spec("psycopg"):
        assert "POSTROAD_ENGINES" not in os.environ, "the machine should have PostgreSQL and psycopg"
        pytest.skip("no PostgreSQL: initdb or psycopg was not found")
    folder = Path(tempfile.mkdtemp(prefix="postroad-pg-", dir=parent))
    try:
        cluster = Cluster(folder, programs, buffers)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.crash()
    finally:
        shutil.rmtree(folder)


def make_database(owner: str) -> str:
    """A database ``post`` whose owner is an ordinary role: the connection text of that role."""
    psycopg = import_module("psycopg")
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("CREATE ROLE clerk LOGIN PASSWORD 'open sesame'")
        connection.execute("CREATE DATABASE post OWNER clerk")
    return owner.replace("dbname=postgres user=owner", "dbname=post user=clerk password='open sesame'")
