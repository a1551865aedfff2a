"""Ciphers: sealing bytes so that a change is noticed; which one is a setting."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType

from postroad.core.errors import InputError

__all__ = ["CIPHERS", "Sealer"]

CIPHERS = {"aes-256-gcm": ("AES", 32), "sm4-gcm": ("SM4", 16)}
"""Name of each cipher: its block cipher and the bytes of its key."""

NONCE_BYTES = 12
TAG_BYTES = 16


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals and opens bytes with one cipher in Galois/counter mode.

    Parameters
    ----------
    cipher: a name of CIPHERS.

    Raises
    ------
    InputError: PR-K101 an unknown cipher, PR-K102 the extra ``crypto`` is not installed.

    Source: NIST SP 800-38D (2007), GCM; FIPS 197 (AES); GB/T 32907-2016 (SM4).
    """

    cipher: str

    def __post_init__(self) -> None:
        if self.cipher not in CIPHERS:
            raise InputError("PR-K101", value=self.cipher, known=", ".join(CIPHERS))
        _primitives()

    def new_key(self) -> bytes:
        """A key from the system's source of randomness."""
        return os.urandom(CIPHERS[self.cipher][1])

    def seal(self, key: bytes, plain: bytes, context: bytes) -> bytes:
        """Seal bytes; they open only with the key and in the context they were sealed for."""
        nonce = os.urandom(NONCE_BYTES)
        encryptor = self._cipher(key, nonce).encryptor()
        encryptor.authenticate_additional_data(context)
        return nonce + encryptor.update(plain) + encryptor.finalize() + encryptor.tag

    def open(self, key: bytes, sealed: bytes, context: bytes) -> bytes:
        """Open what was sealed.

        Raises
        ------
        InputError: PR-K103 when the key, the context or the bytes are others.
        """
        nonce, body, tag = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:-TAG_BYTES], sealed[-TAG_BYTES:]
        try:
            decryptor = self._cipher(key, nonce, tag).decryptor()
            decryptor.authenticate_additional_data(context)
            return decryptor.update(body) + decryptor.finalize()
        except (ValueError, import_module("cryptography.exceptions").InvalidTag) as error:
            raise InputError("PR-K103", value=context.decode(errors="replace")) from error

    def _cipher(self, key: bytes, nonce: bytes, tag: bytes | None = None) -> object:
        """The cipher set up with a key."""
        ciphers = _primitives()
        algorithm = getattr(ciphers.algorithms, CIPHERS[self.cipher][0])
        return ciphers.Cipher(algorithm(key), ciphers.modes.GCM(nonce, tag))


@cache
def _primitives() -> ModuleType:
    """The ciphers of the library."""
    try:
        return import_module("cryptography.hazmat.primitives.ciphers")
    except ModuleNotFoundError as error:
        raise InputError("PR-K102") from error
