"""The manifest: which files are the ledger, and the chain of digests over them.

A file counts only when the manifest names it. The manifest is replaced in one step, so that a reader sees a batch whole
or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from postroad.core.digests import digest_bytes, digest_file, digest_mapping
from postroad.core.errors import LedgerError, NotFound
from postroad.core.findings import Findings
from postroad.ledger.disk import Disk

__all__ = [
    "MANIFEST_NAME",
    "STREAMS",
    "About",
    "Batch",
    "LogStart",
    "Manifest",
    "Segment",
    "check_chain",
    "check_files",
    "check_sizes",
    "extend",
    "file_names",
    "has_manifest",
    "read_manifest",
    "write_manifest",
]

MANIFEST_NAME = "manifest.json"
FORMAT_VERSION = 2
STREAMS = ("events", "items", "flows")
CHAIN_START = "0" * 32


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Segment(_Model):
    """One published file.

    ``name`` is relative to the ledger. ``low`` and ``high`` bound what is in it: ``item_id``, ``event_id``
    (hexadecimal), ``occurred_at`` (ISO 8601); a bound that is not known is left out. ``index``: the file that finds its
    rows; empty when it has none.
    """

    name: str
    n_rows: int
    n_bytes: int
    digest: str
    low: dict[str, str]
    high: dict[str, str]
    index: str = ""
    index_bytes: int = 0
    index_digest: str = ""


class Batch(_Model):
    """What one append published: ``chain`` is the digest of the batch before it and of this one."""

    stream: Literal["events", "items", "flows"]
    batch_id: str
    n_rows: int
    segments: tuple[Segment, ...]
    chain: str


class About(_Model):
    """What is set once for a ledger.

    ``timezone``: IANA name in which tracking shows instants. ``epoch``: from which flow records count their minutes.
    ``run_digest``: of the run that made it; empty for a ledger of real events.
    """

    timezone: str = "UTC"
    epoch: AwareDatetime | None = None
    run_digest: str = ""


class LogStart(_Model):
    """Where the log begins that is not sealed: number of its first file, and checksum of the frame before."""

    number: int = 1
    chain: str = "0" * 32


class Manifest(_Model):
    """Everything a reader needs to know of a ledger."""

    about: About
    batches: tuple[Batch, ...] = ()
    log: LogStart = LogStart()

    def segments(self, stream: str) -> list[Segment]:
        """Published files of a stream, in the order they were appended."""
        return [segment for batch in self.batches if batch.stream == stream for segment in batch.segments]

    def n_rows(self, stream: str) -> int:
        """Rows of a stream."""
        return sum(batch.n_rows for batch in self.batches if batch.stream == stream)


def has_manifest(folder: Path) -> bool:
    """Whether a folder is a ledger."""
    return (folder / MANIFEST_NAME).is_file()


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a ledger.

    Raises
    ------
    NotFound: PR-L201 when there is none. LedgerError: PR-L202 when it is torn or was changed, PR-L209 when it is of
    another format version.
    """
    path = folder / MANIFEST_NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFound("PR-L201", path=str(folder)) from error
    except (OSError, ValueError) as error:
        raise LedgerError("PR-L202", path=str(path), value=str(error)) from error
    if not isinstance(content, dict):
        raise LedgerError("PR-L202", path=str(path), value="not an object")
    if content.get("version") != FORMAT_VERSION:
        raise LedgerError("PR-L209", path=str(folder), value=content.get("version"), expected=FORMAT_VERSION)
    told = content.pop("digest", None)
    found = digest_mapping(content)
    if told != found:
        raise LedgerError("PR-L202", path=str(path), value=f"digest {found} instead of {told}")
    try:
        return Manifest.model_validate({name: content[name] for name in Manifest.model_fields})
    except (KeyError, ValidationError) as error:
        raise LedgerError("PR-L202", path=str(path), value=str(error)) from error


def write_manifest(folder: Path, manifest: Manifest, disk: Disk) -> None:
    """Publish a manifest in one step: whoever reads sees the old one or the new one."""
    content = {"format": "postroad-ledger", "version": FORMAT_VERSION, **manifest.model_dump(mode="json")}
    content["digest"] = digest_mapping(content)
    disk.put(folder / MANIFEST_NAME, (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode())


def extend(
    manifest: Manifest, stream: str, batch_id: str, segments: Sequence[Segment], log: LogStart | None = None
) -> Manifest:
    """The manifest with one batch more; ``log``: where the log begins then, when the batch was sealed out of it."""
    segments = tuple(segments)
    before = manifest.batches[-1].chain if manifest.batches else CHAIN_START
    chain = _link(before, stream, batch_id, segments)
    n_rows = sum(segment.n_rows for segment in segments)
    batch = Batch(stream=stream, batch_id=batch_id, n_rows=n_rows, segments=segments, chain=chain)
    return manifest.model_copy(update={"batches": (*manifest.batches, batch), "log": log or manifest.log})


def check_sizes(folder: Path, manifest: Manifest) -> Findings:
    """Find files that are missing (PR-L203) or torn (PR-L204); looks at sizes only."""
    findings = Findings()
    for name, (n_bytes, _) in _files(manifest).items():
        path = folder / name
        if not path.is_file():
            findings.add("PR-L203", path=name)
        elif path.stat().st_size != n_bytes:
            findings.add("PR-L204", path=name, value=path.stat().st_size, expected=n_bytes)
    return findings


def check_files(folder: Path, manifest: Manifest) -> Findings:
    """Read every file: what :func:`check_sizes` finds, changed files (PR-L205) and files of no batch (PR-L208)."""
    findings = check_sizes(folder, manifest)
    bad = {finding.params["path"] for finding in findings}
    named = _files(manifest)
    for name, (_, digest) in named.items():
        if name not in bad and (found := digest_file(folder / name)) != digest:
            findings.add("PR-L205", path=name, value=found, expected=digest)
    for stream in STREAMS:
        for path in sorted((folder / stream).glob("*")):
            name = path.relative_to(folder).as_posix()
            if name not in named:
                findings.add("PR-L208", path=name)
    return findings


def check_chain(manifest: Manifest) -> Findings:
    """Find the first batch at which the chain of digests breaks: PR-L206."""
    findings = Findings()
    before = CHAIN_START
    for number, batch in enumerate(manifest.batches, start=1):
        if _link(before, batch.stream, batch.batch_id, batch.segments) != batch.chain:
            findings.add("PR-L206", value=number)
            break
        before = batch.chain
    return findings


def file_names(manifest: Manifest) -> list[str]:
    """The names of all published files, relative to the ledger."""
    return list(_files(manifest))


def _files(manifest: Manifest) -> dict[str, tuple[int, str]]:
    """Bytes and digest of every published file, by name."""
    files = {}
    for segment in (segment for stream in STREAMS for segment in manifest.segments(stream)):
        files[segment.name] = (segment.n_bytes, segment.digest)
        if segment.index:
            files[segment.index] = (segment.index_bytes, segment.index_digest)
    return files


def _link(before: str, stream: str, batch_id: str, segments: tuple[Segment, ...]) -> str:
    """The digest of one batch in the chain."""
    parts = [before, stream, batch_id, *(f"{segment.name} {segment.n_rows} {segment.digest}" for segment in segments)]
    return digest_bytes(*(part.encode() for part in parts))
