"""One seed, many independent streams, each found by name.

A stream depends on the seed and its own name only: not on how many others there are, nor on the order in which they
are asked for, nor on threads. So adding a random choice in one room changes no number in another.
"""

from __future__ import annotations

import hashlib
from operator import index

import numpy as np

from postroad.core.errors import InputError

__all__ = ["seed64", "stream"]


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Open the random stream of a name.

    Parameters
    ----------
    seed: the user's seed, 0 or more.
    names: what the stream is for, such as ``("twin", "delivery", 3)``.

    Returns
    -------
    A generator over Philox, whose bits numpy keeps the same for ever. The methods of the generator are the same for
    the numpy of the lock file; numpy may mend a distribution between versions.

    Raises
    ------
    InputError: PR-C050 for a negative seed.

    >>> int(stream(7, "demand").integers(1000)) == int(stream(7, "demand").integers(1000))
    True
    """
    return np.random.Generator(np.random.Philox(key=np.frombuffer(_digest(seed, names), dtype="<u8")))


def seed64(seed: int, *names: str | int) -> int:
    """Derive a 64-bit seed of a name, for kernels that make their own numbers by counting.

    Raises
    ------
    InputError: PR-C050 for a negative seed.

    >>> 0 <= seed64(7, "twin") < 2**64
    True
    """
    return int.from_bytes(_digest(seed, names)[:8], "little")


def _digest(seed: int, names: tuple[str | int, ...]) -> bytes:
    """Digest a seed and a name to 16 bytes."""
    if seed < 0:
        raise InputError("PR-C050", value=seed)
    digest = hashlib.blake2b(digest_size=16, person=b"postroad seed")
    for part in (seed, *names):
        text = (f"name {part}" if isinstance(part, str) else f"number {index(part)}").encode()
        digest.update(len(text).to_bytes(4, "little") + text)
    return digest.digest()
