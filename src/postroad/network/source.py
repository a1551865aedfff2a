"""Where the files of a feed come from: a folder, a zip archive, or the feeds shipped with the package."""

from __future__ import annotations

import tomllib
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from postroad.core.errors import InputError, NotFound
from postroad.core.findings import Findings
from postroad.network.metadata import FEED_FILE
from postroad.network.rows import near_name

__all__ = ["FeedSource", "open_source", "shipped_feeds"]

_ALIASES = "aliases.toml"
MAX_UNPACKED = 256_000_000
"""Bytes beyond which a member of an archive may not have grown by more than ``MAX_GROWTH`` times."""
MAX_GROWTH = 100


@dataclass(frozen=True, slots=True)
class FeedSource:
    """The files of one feed by name, each with a call that gives its bytes.

    Attributes
    ----------
    name: what the user would call it (the folder's or archive's name without suffix).
    files: by file name; reading one may raise ``OSError`` or ``zipfile.BadZipFile``.
    folder: where a neighbouring feed would lie; None for an archive in memory.
    """

    name: str
    files: Mapping[str, Callable[[], bytes]]
    folder: Traversable | None

    def neighbour(self, name: str, findings: Findings) -> FeedSource | None:
        """The feed of that name beside this one, or None."""
        if self.folder is None:
            return None
        for candidate in (name, f"{name}.zip"):
            beside = self.folder.joinpath(candidate)
            if beside.is_dir() or beside.is_file():
                return _open(beside, self.folder, findings)
        return None


def shipped_feeds() -> tuple[str, ...]:
    """Names of the feeds shipped with the package."""
    root = _shipped_root()
    return tuple(sorted(item.name for item in root.iterdir() if item.is_dir() and not item.name.startswith("_")))


def open_source(path_or_name: str | Path, findings: Findings) -> FeedSource:
    """Find a feed by path, or by the name of a shipped one.

    Parameters
    ----------
    path_or_name: a folder, a ``.zip`` file, or the name of a shipped feed (``tiny``).
    findings: PR-F110 is added when an archive cannot be read, PR-F131 when it unpacks to far more than it holds.

    Raises
    ------
    NotFound: PR-F101, there is neither such a path nor such a shipped feed.
    """
    path = Path(path_or_name)
    if str(path_or_name) and (path.is_dir() or path.is_file()):
        return _open(path if path.name else path.resolve(), path.resolve().parent, findings)
    root = _shipped_root()
    name = _aliases(root).get(str(path_or_name), str(path_or_name))
    if name in shipped_feeds():
        return _open(root.joinpath(name), root, findings)
    known = (*shipped_feeds(), *_aliases(root))
    raise NotFound("PR-F101", feed=str(path_or_name), near=near_name(str(path_or_name), known), known=", ".join(known))


def _shipped_root() -> Traversable:
    return files("postroad").joinpath("data", "feeds")


def _aliases(root: Traversable) -> dict[str, str]:
    listing = root.joinpath(_ALIASES)
    return tomllib.loads(listing.read_text(encoding="utf-8")) if listing.is_file() else {}


def _open(path: Traversable, folder: Traversable, findings: Findings) -> FeedSource:
    if path.is_dir():
        members = {item.name: item.read_bytes for item in path.iterdir() if not item.is_dir()}
        return FeedSource(path.name, members, folder)
    if path.name.endswith((".csv", ".parquet", ".toml", ".xlsx")):
        raise InputError("PR-F100", feed=str(path))
    return _open_archive(path, folder, findings)


def _open_archive(path: Traversable, folder: Traversable, findings: Findings) -> FeedSource:
    """Read an archive whole, which proves the checksum of every member."""
    name = path.name.removesuffix(".zip")
    members = {}
    member = ""
    try:
        with path.open("rb") as handle, zipfile.ZipFile(handle) as archive:
            root = _root_of(archive.namelist())
            for info in archive.infolist():
                member = info.filename
                rest = member.removeprefix(root)
                if member.startswith(root) and rest and "/" not in rest:
                    packed, unpacked = info.compress_size, info.file_size
                    if unpacked > max(MAX_UNPACKED, MAX_GROWTH * packed):
                        grown = {"packed": f"{packed:,}", "unpacked": f"{unpacked:,}"}
                        findings.add("PR-F131", table=path.name, value=member, **grown)
                        return FeedSource(name, {}, folder)
                    members[rest] = partial(bytes, archive.read(member))
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, NotImplementedError, EOFError) as error:
        findings.add("PR-F110", table=path.name, value=member, problem=str(error))
        return FeedSource(name, {}, folder)
    return FeedSource(name, members, folder)


def _root_of(names: list[str]) -> str:
    """The folder inside an archive that holds ``feed.toml``: the topmost one, empty when that is the archive itself."""
    homes = [name.removesuffix(FEED_FILE) for name in names if name == FEED_FILE or name.endswith("/" + FEED_FILE)]
    if homes:
        return min(homes, key=len)
    tops = {name.partition("/")[0] + "/" for name in names if "/" in name and not name.startswith("__MACOSX")}
    return tops.pop() if len(tops) == 1 and all("/" in name for name in names) else ""
