"""What the ledger asks of the disk, in one place: whoever wants to see it fail gives another :class:`Disk`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from postroad.core.errors import LedgerError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["Disk", "Writing", "writer_lock"]

LOCK_NAME = "writer.lock"
MOST_PARTS = 512


class Disk:
    """Files as the system gives them. Every change a ledger makes goes through one of these calls."""

    def open(self, path: Path) -> int:
        """Open a file for writing at any place; it is made when missing. Returns its number."""
        return os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)

    def close(self, handle: int) -> None:
        """Close a file."""
        os.close(handle)

    def reserve(self, handle: int, size: int) -> None:
        """Make room for a file of so many bytes, before they are needed."""
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(handle, 0, size)
        elif os.fstat(handle).st_size < size:
            os.ftruncate(handle, size)

    def write(self, handle: int, parts: Sequence[bytes | memoryview], place: int) -> None:
        """Write pieces of bytes, one after another, at a place."""
        views = [memoryview(part).cast("B") for part in parts]
        while views:
            if hasattr(os, "pwritev"):
                n_written = os.pwritev(handle, views[:MOST_PARTS], place)
            else:
                os.lseek(handle, place, os.SEEK_SET)
                n_written = os.write(handle, views[0])
            place += n_written
            while views and n_written >= len(views[0]):
                n_written -= len(views.pop(0))
            if n_written:
                views[0] = views[0][n_written:]

    def sync(self, handle: int) -> None:
        """Have what was written to a file reach the disk."""
        getattr(os, "fdatasync", os.fsync)(handle)

    def cut(self, handle: int, size: int) -> None:
        """Shorten a file."""
        os.ftruncate(handle, size)

    def put(self, path: Path, content: bytes | memoryview) -> None:
        """Write a file whole: a reader sees the old one or the new one, and the new one outlasts a loss of power."""
        draft = path.with_name(f".{path.name}.draft")
        try:
            handle = self.open(draft)
            try:
                self.cut(handle, 0)
                self.write(handle, [content], 0)
                self.sync(handle)
            finally:
                self.close(handle)
            self.rename(draft, path)
            self.sync_folder(path.parent)
        except OSError:
            draft.unlink(missing_ok=True)
            raise

    def rename(self, old: Path, new: Path) -> None:
        """Give a file another name."""
        old.replace(new)

    def remove(self, path: Path) -> None:
        """Remove a file."""
        path.unlink(missing_ok=True)

    def sync_folder(self, folder: Path) -> None:
        """Have the names in a folder reach the disk, as far as the system lets us."""
        if sys.platform == "win32":  # a folder cannot be opened there; NTFS logs its names itself
            return
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@dataclass(frozen=True, slots=True)
class Writing:
    """How a ledger is written.

    Attributes
    ----------
    disk: what writes. threads: how many seal at once; the bytes are the same for any number.
    segment_rows: rows of a segment; a batch of as many is sealed at once, past the log.
    """

    disk: Disk
    threads: int
    segment_rows: int


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
