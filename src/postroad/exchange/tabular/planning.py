"""The dry run of an import: what would become of a file, before anything is appended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from postroad.core.clock import time_zone
from postroad.core.findings import Findings
from postroad.core.language import pick
from postroad.core.progress import Progress
from postroad.events.kinds import kinds
from postroad.exchange.tabular.mapping import ImportMapping, load_mapping
from postroad.exchange.tabular.scans import Tally, payload_columns, read_pieces
from postroad.exchange.tabular.sources import open_source

__all__ = ["ImportPlan", "plan_import"]

N_EXAMPLES = 3
N_SHOWN = 12
SHOWN = ("item_id", "kind", "occurred_at", "facility_id")


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would do.

    Attributes
    ----------
    path: name of the file.
    zone: time zone of the mapping, in which instants are shown.
    source: ``csv``, ``excel`` or ``parquet``; ``encoding`` and ``delimiter`` of a CSV file, empty otherwise.
    header: headings of the file.
    unused: headings that no part of the mapping uses.
    personal: headings that would go into payload and tell of a person; they are left out.
    tally: rows, events and refusals, counted.
    examples: the first events, as mappings of their main columns.
    findings: everything noticed.
    """

    path: str
    zone: str
    source: str
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    unused: tuple[str, ...]
    personal: tuple[str, ...]
    tally: Tally
    examples: tuple[Mapping[str, object], ...]
    findings: Findings

    @property
    def is_ready(self) -> bool:
        """Whether events would come of it."""
        return self.tally.n_kept > 0

    def record(self) -> dict[str, object]:
        """The plan as JSON values."""
        tally = self.tally
        return {
            "path": self.path,
            "source": self.source,
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "header": list(self.header),
            "unused": list(self.unused),
            "personal": list(self.personal),
            "n_rows": tally.n_rows,
            "n_events": tally.n_kept,
            "n_twice": tally.n_twice,
            "n_refused": sum(tally.n_refused_by_code.values()),
            "refused": dict(tally.n_refused_by_code),
            "kinds": dict(tally.n_by_kind.most_common()),
            "unknown_codes": dict(tally.n_by_unknown_code.most_common()),
            "first_at": _iso(tally.first_at),
            "last_at": _iso(tally.last_at),
            "examples": [{name: _json(value) for name, value in row.items()} for row in self.examples],
            "findings": self.findings.counts,
        }

    def text(self, language: str = "en") -> str:
        """The plan as a page of text, in ``en`` or ``zh``."""
        tally = self.tally
        lines = [pick(language, f"Import of {self.path}", f"导入 {self.path}")]
        how = " ".join(filter(None, [self.source, self.encoding, _mark(self.delimiter)]))
        n_refused = sum(tally.n_refused_by_code.values())
        lines += [
            _line(language, "file", "文件", how),
            _line(language, "rows read", "读取行数", f"{tally.n_rows:,}"),
            _line(language, "events", "事件", f"{tally.n_kept:,}"),
            _line(language, "rows that come twice", "重复行", f"{tally.n_twice:,}"),
            _line(language, "rows refused", "拒绝行", f"{n_refused:,}"),
        ]
        for code, n_rows in sorted(tally.n_refused_by_code.items()):
            first = next((finding for finding in self.findings if finding.code == code), None)
            said = first.message(language) if first else ""
            lines.append(f"    {code} {n_rows:,}  {said}")
        if tally.first_at and tally.last_at:
            span = f"{_shown(tally.first_at, self.zone)} – {_shown(tally.last_at, self.zone)}"
            lines.append(_line(language, "from – to", "起止", span))
        lines += _counted(language, "kinds", "类型", {_kind(kind, language): n for kind, n in _top(tally.n_by_kind)})
        lines += _counted(language, "unknown codes", "未知代码", dict(_top(tally.n_by_unknown_code)))
        for english, chinese, names in (
            ("columns not used", "未使用的列", self.unused),
            ("columns left out, about persons", "涉及个人、不予导入的列", self.personal),
        ):
            lines += [_line(language, english, chinese, ", ".join(names))] if names else []
        if self.examples:
            lines.append(pick(language, "first events", "前几条事件"))
            lines += ["    " + "  ".join(_shown(row[name], self.zone) for name in SHOWN) for row in self.examples]
        told = [finding for finding in self.findings if finding.code not in tally.n_refused_by_code]
        if told:
            lines.append(pick(language, "noticed", "提示"))
            lines += [f"    {finding.code}  {finding.message(language)}" for finding in told[:N_SHOWN]]
        return "\n".join(lines) + "\n"


def plan_import(
    path: Path | str,
    mapping: ImportMapping | Mapping[str, object] | Path | str,
    *,
    n_rows: int | None = None,
    progress: Progress | None = None,
) -> ImportPlan:
    """Say what an import would do, without doing it.

    Parameters
    ----------
    path, mapping, progress: as for :func:`postroad.exchange.tabular.scans.read_scans`.
    n_rows: look at about so many rows only; all when left out.

    Raises
    ------
    InputError: as ``read_scans``.
    """
    ready = mapping if isinstance(mapping, ImportMapping) else load_mapping(mapping)
    findings, tally, examples = Findings(), Tally(), []
    source = open_source(path, ready.keys.file, Findings())
    for piece in read_pieces(path, ready, piece_rows=min(n_rows or 500_000, 500_000), progress=progress):
        findings.extend(piece.findings)
        tally.add(piece.tally)
        if len(examples) < N_EXAMPLES:
            rows = piece.frame.select(*SHOWN, pl.col("raw").struct.field("code").alias("code"))
            examples += list(rows.head(N_EXAMPLES - len(examples)).iter_rows(named=True))
        if n_rows is not None and tally.n_rows >= n_rows:
            break
    into_payload, personal = payload_columns(source.header, ready)
    used = {*into_payload, *ready.named}
    return ImportPlan(
        path=Path(path).name,
        zone=ready.keys.time.zone,
        source=source.kind,
        encoding=source.encoding,
        delimiter=source.delimiter,
        header=source.header,
        unused=tuple(name for name in source.header if name not in used and name not in personal),
        personal=tuple(personal),
        tally=tally,
        examples=tuple(examples),
        findings=findings,
    )


def _line(language: str, english: str, chinese: str, value: str) -> str:
    """One line of the page."""
    return f"  {pick(language, english, chinese)}: {value}"


def _counted(language: str, english: str, chinese: str, counts: Mapping[str, int]) -> list[str]:
    """A list of counts."""
    if not counts:
        return []
    return [f"  {pick(language, english, chinese)}:", *(f"    {name}  {n:,}" for name, n in counts.items())]


def _top(counts) -> list[tuple[str, int]]:
    """The largest counts, first by size, then by name."""
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:N_SHOWN]


def _kind(name: str, language: str) -> str:
    """A kind with what a tracking page says."""
    kind = kinds()[name]
    return f"{name} ({pick(language, kind.text_en, kind.text_zh)})"


def _mark(delimiter: str) -> str:
    """A delimiter that can be seen."""
    return "tab" if delimiter == "\t" else delimiter


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat(timespec="seconds") if instant else None


def _json(value: object) -> object:
    return _iso(value) if isinstance(value, datetime) else value


def _shown(value: object, zone: str) -> str:
    """A value on the page; an instant in the zone."""
    if isinstance(value, datetime):
        return value.astimezone(time_zone(zone)).isoformat(timespec="seconds")
    return "-" if value is None else str(value)
