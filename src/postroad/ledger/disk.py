"""What the ledger asks of the disk: one writer at a time, and names that outlast a loss of power."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from postroad.core.errors import LedgerError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["sync_folder", "writer_lock"]

LOCK_NAME = "writer.lock"


@contextmanager
def writer_lock(folder: Path) -> Iterator[None]:
    """Hold the right to write to a ledger; the system takes it back when the process dies.

    Raises
    ------
    LedgerError: PR-L207 when another writer holds it.
    """
    with (folder / LOCK_NAME).open("a+b") as handle:
        try:
            _lock(handle.fileno())
        except OSError as error:
            raise LedgerError("PR-L207", path=str(folder)) from error
        try:
            yield
        finally:
            _unlock(handle.fileno())


def sync_folder(folder: Path) -> None:
    """Have the names in a folder written to the disk, as far as the system lets us."""
    if sys.platform == "win32":  # a folder cannot be opened there; NTFS logs its names itself
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _lock(handle: int) -> None:
    """Take the lock or raise OSError at once."""
    if sys.platform == "win32":
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _unlock(handle: int) -> None:
    """Give the lock back."""
    if sys.platform == "win32":
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)
    else:
        fcntl.flock(handle, fcntl.LOCK_UN)
