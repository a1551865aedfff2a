"""The driver of PostgreSQL, which the extra ``[postgres]`` brings; whoever lacks it is told what to install."""

from __future__ import annotations

from postroad.core.errors import InputError

try:
    import psycopg
    from psycopg.adapt import Dumper
    from psycopg.pq import Format
    from psycopg.types.json import Jsonb
except ModuleNotFoundError as error:
    raise InputError("PR-L501", extra="postgres") from error

__all__ = ["Instants", "Jsonb", "Uuids", "psycopg", "register"]


class Uuids(bytes):
    """An array of uuid in the binary format of PostgreSQL."""


class Instants(bytes):
    """An array of timestamptz in the binary format of PostgreSQL."""


class _UuidsDumper(Dumper):
    format = Format.BINARY
    oid = 2951

    def dump(self, obj: Uuids) -> Uuids:
        """The array as it is."""
        return obj


class _InstantsDumper(_UuidsDumper):
    oid = 1185


def register(connection: psycopg.Connection) -> None:
    """Let a connection take these arrays as parameters."""
    connection.adapters.register_dumper(Uuids, _UuidsDumper)
    connection.adapters.register_dumper(Instants, _InstantsDumper)
