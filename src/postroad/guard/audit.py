"""The audit log: who read what, when, and what of it unmasked; each line carries the digest of all before it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from postroad.core.errors import InputError
from postroad.core.findings import Findings

__all__ = ["AuditLog", "Entry"]

DIGESTS = ("sha256", "sm3")
TAIL_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Entry:
    """One read, write or refusal.

    Attributes
    ----------
    action: what was asked, such as ``track`` or ``read_party``. key_id, role: of who asked; empty when not known.
    subjects: ids of the items or parties. unmasked: names of the fields shown whole. outcome: ``shown``, ``refused``,
    ``not_found``, ``changed`` or ``unusual``. purpose: why, as told by who asked.
    """

    action: str
    key_id: str
    role: str
    subjects: tuple[str, ...]
    outcome: str
    unmasked: tuple[str, ...] = ()
    purpose: str = ""


_FIELDS = tuple(field.name for field in fields(Entry))


class AuditLog:
    """An append-only log in a folder, one file a day (UTC), one JSON object a line.

    Parameters
    ----------
    folder: made when missing, for its owner only. digest: ``sha256`` or ``sm3``, of a new log.

    A line's ``chain`` is the digest of the line before it and of its own content; so a line that was changed, taken out
    or put in is found and located. Only whole files may be removed, the oldest first.

    Raises
    ------
    InputError: PR-K130 an unknown digest.
    """

    def __init__(self, folder: Path | str, *, digest: str = DIGESTS[0]) -> None:
        if digest not in DIGESTS or digest not in hashlib.algorithms_available:
            raise InputError("PR-K130", value=digest, known=", ".join(DIGESTS))
        self.folder, self._digest = Path(folder), digest
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = Lock()
        self._chain = self._last_chain()
        self._day, self._file = "", -1

    def close(self) -> None:
        """Put on the disk what is not there yet, and close the file."""
        with self._lock:
            if self._file >= 0:
                os.fsync(self._file)
                os.close(self._file)
                self._day, self._file = "", -1

    def note(self, entry: Entry, *, now: datetime | None = None) -> None:
        """Write an entry. One that shows anything unmasked, or changes anything, is on the disk when this returns."""
        at = now or datetime.now(UTC)
        content = {
            "at": at.astimezone(UTC).isoformat(),
            **{name: held for name in _FIELDS if (held := getattr(entry, name))},
        }
        with self._lock:
            self._turn_to(at.astimezone(UTC).date().isoformat())
            line = self._chained(content)
            os.write(self._file, line)
            if entry.unmasked or entry.outcome == "changed":
                os.fsync(self._file)

    def entries(self, day: str | None = None) -> Iterator[dict[str, object]]:
        """What was written, oldest first; of one day (``2026-11-24``, UTC) or of all."""
        for path in self._files():
            if day in (None, path.stem):
                for line in path.read_bytes().split(b"\n")[:-1]:
                    entry = json.loads(line)
                    if "begin" not in entry:
                        yield entry

    def verify(self) -> Findings:
        """Read every line; PR-K131 where the chain of digests breaks."""
        findings = Findings()
        chain: str | None = None
        for path in self._files():
            for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], 1):
                told = self._check(line, chain)
                if told is None:
                    findings.add("PR-K131", table=path.name, row=number)
                    break
                chain = told
        return findings

    def _check(self, line: bytes, chain: str | None) -> str | None:
        """The digest of a line that follows one of another digest; None when it does not."""
        try:
            content = json.loads(line)
            told, begin = content.pop("chain"), content.get("begin")
        except (ValueError, KeyError, AttributeError):
            return None
        if begin is not None and chain not in (None, begin):
            return None
        before = begin if begin is not None else chain
        return told if before is not None and told == self._next(before, content) else None

    def _next(self, chain: str, content: dict[str, object]) -> str:
        """The digest of a line's content after a line of another digest."""
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.new(self._digest, (chain + text).encode()).hexdigest()

    def _chained(self, content: dict[str, object]) -> bytes:
        """A line, which becomes the last."""
        self._chain = self._next(self._chain, content)
        return json.dumps(content | {"chain": self._chain}, ensure_ascii=False).encode() + b"\n"

    def _turn_to(self, day: str) -> None:
        """Go on in the file of a day; a clock that goes back writes on in the file that is open."""
        if self._file >= 0 and day <= self._day:
            return
        if self._file >= 0:
            os.fsync(self._file)
            os.close(self._file)
        self._day = max([day, *(path.stem for path in self._files())])
        path = self.folder / f"{self._day}.jsonl"
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        if not os.fstat(self._file).st_size:
            os.write(self._file, self._chained({"begin": self._chain, "digest": self._digest}))

    def _last_chain(self) -> str:
        """The digest of the last whole line; what a crash left of another is cut off."""
        for path in reversed(self._files()):
            with path.open("r+b") as handle:
                size = handle.seek(0, os.SEEK_END)
                handle.seek(max(0, size - TAIL_BYTES))
                tail = handle.read()
                whole = tail.rfind(b"\n") + 1
                handle.truncate(size - len(tail) + whole)
            if whole:
                last = json.loads(tail[:whole].rstrip(b"\n").rpartition(b"\n")[2])
                return str(last.get("chain", ""))
        return ""

    def _files(self) -> list[Path]:
        """The files, oldest first."""
        return sorted(self.folder.glob("*.jsonl"))
