"""Copies of a ledger: what it holds at one instant, as a ledger of the same digest."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from postroad.core.digests import digest_bytes
from postroad.ledger.disk import Disk
from postroad.ledger.log import log_path
from postroad.ledger.manifest import STREAMS, Manifest, file_names, write_manifest

__all__ = ["copy_files", "digest_ledger"]


def digest_ledger(manifest: Manifest, chain: bytes) -> str:
    """The digest of all that a ledger holds, in the order it came.

    Parameters
    ----------
    manifest: what is sealed. chain: checksum of the last frame of the log.
    """
    sealed = manifest.batches[-1].chain if manifest.batches else ""
    return digest_bytes(manifest.about.model_dump_json().encode(), sealed.encode(), chain)


def copy_files(folder: Path, manifest: Manifest, logged: Mapping[int, int], to: Path) -> None:
    """Copy a ledger's files.

    Parameters
    ----------
    folder: of the ledger. manifest: what is sealed. logged: bytes of each log file that count, by its number.
    to: an empty folder.

    Raises
    ------
    FileNotFoundError: a log file was sealed meanwhile.
    """
    for stream in (*STREAMS, "log"):
        (to / stream).mkdir(exist_ok=True)
    for name in file_names(manifest):
        shutil.copyfile(folder / name, to / name)
    for number, size in logged.items():
        with log_path(folder, number).open("rb") as source, log_path(to, number).open("wb") as target:
            left = size
            while left and (block := source.read(min(left, 1 << 22))):
                target.write(block)
                left -= len(block)
    write_manifest(to, manifest, Disk())
