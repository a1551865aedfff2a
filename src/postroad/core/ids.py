"""Identifiers of events: UUIDv7 for what happens now, digests for what can be named again from its content.

Both are 16 bytes. A digest has version 8 of the UUID layout, so the two can never be taken for one another, and the
same content always gives the same id, which is what makes an append idempotent.

Source: RFC 9562 (2024), sections 5.7 and 5.8.
"""

from __future__ import annotations

import hashlib
import os
import time
from operator import index
from uuid import UUID

__all__ = ["digest_id", "uuid7"]

VERSION_BITS = 0xF << 76
VARIANT_BITS = 0b11 << 62


def uuid7(unix_ms: int | None = None, entropy: bytes | None = None) -> UUID:
    """Make a time-ordered unique id.

    Parameters
    ----------
    unix_ms: milliseconds since 1970-01-01 UTC; now when left out.
    entropy: ten bytes; from the system when left out.

    Returns
    -------
    A UUID of version 7; ids of different milliseconds sort by time.

    >>> str(uuid7(0x017F22E279B0, bytes(10)))
    '017f22e2-79b0-7000-8000-000000000000'
    """
    unix_ms = time.time_ns() // 1_000_000 if unix_ms is None else unix_ms
    entropy = os.urandom(10) if entropy is None else entropy
    return _stamp((unix_ms << 80) | int.from_bytes(entropy, "big"), 7)


def digest_id(*parts: str | int | bytes) -> UUID:
    """Name content by its digest.

    Parameters
    ----------
    parts: what makes the thing itself, in order. ``("a", "bc")`` and ``("ab", "c")`` differ; so do ``1`` and ``"1"``.

    Returns
    -------
    A UUID of version 8 with 122 bits of BLAKE2b.

    >>> digest_id("run", 7) == digest_id("run", 7) != digest_id("run", "7")
    True
    """
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        if isinstance(part, str):
            kind, content = b"s", part.encode()
        elif isinstance(part, bytes):
            kind, content = b"b", part
        else:
            kind, content = b"i", str(index(part)).encode()
        digest.update(kind + len(content).to_bytes(8, "little") + content)
    return _stamp(int.from_bytes(digest.digest(), "big"), 8)


def _stamp(value: int, version: int) -> UUID:
    """Write version and variant into 128 bits."""
    value = value & ~VERSION_BITS | version << 76
    return UUID(int=value & ~VARIANT_BITS | 0b10 << 62)
