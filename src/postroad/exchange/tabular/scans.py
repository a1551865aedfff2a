"""Scans from a file to the event frame: each row on its own, all findings at once, one bad row never loses the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from postroad.core.findings import Findings
from postroad.core.progress import Progress, Silent
from postroad.events.columns import empty_frame
from postroad.events.kinds import UNKNOWN, kinds
from postroad.exchange.rowids import digest_rows
from postroad.exchange.tabular.cells import PERSONAL, clean_numbers, is_eaten, read_instants, trim_cells
from postroad.exchange.tabular.mapping import SUBJECTS, ImportMapping, load_mapping
from postroad.exchange.tabular.sources import Piece, Source, open_source
from postroad.network.rows import near_name, report_rows

__all__ = ["ScanPiece", "Tally", "payload_columns", "read_pieces", "read_scans"]

TABLE = "file"
ROW = "__row"
KNOWN = "__known"
MAX_CODES = 1_000


@dataclass(slots=True)
class Tally:
    """What became of the rows of a file, or of a piece of one.

    Attributes
    ----------
    n_rows: rows read.
    n_kept: events made of them.
    n_refused_by_code: rows left out, by the code of the finding that says why (the first reason of each row).
    n_by_kind: events by kind.
    n_by_unknown_code: rows whose code is not known, by code.
    n_by_unknown_facility: rows whose facility has no translation, by name.
    n_twice: rows left out because the same row came before in the piece.
    first_at, last_at: the earliest and the latest instant.
    """

    n_rows: int = 0
    n_kept: int = 0
    n_refused_by_code: Counter[str] = field(default_factory=Counter)
    n_by_kind: Counter[str] = field(default_factory=Counter)
    n_by_unknown_code: Counter[str] = field(default_factory=Counter)
    n_by_unknown_facility: Counter[str] = field(default_factory=Counter)
    n_twice: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None

    def add(self, other: Tally) -> None:
        """Count another piece in."""
        self.n_rows += other.n_rows
        self.n_kept += other.n_kept
        self.n_twice += other.n_twice
        for name in ("n_refused_by_code", "n_by_kind", "n_by_unknown_code", "n_by_unknown_facility"):
            getattr(self, name).update(getattr(other, name))
        instants = [at for at in (self.first_at, self.last_at, other.first_at, other.last_at) if at is not None]
        self.first_at, self.last_at = min(instants, default=None), max(instants, default=None)


@dataclass(frozen=True, slots=True)
class ScanPiece:
    """Some events of a file, as columns of the event frame; what was found in their rows, and how many they are."""

    frame: pl.DataFrame
    findings: Findings
    tally: Tally


def read_scans(
    path: Path | str, mapping: ImportMapping | Mapping[str, object] | Path | str, *, progress: Progress | None = None
) -> tuple[pl.DataFrame, Findings]:
    """Read a file of scans as events.

    Parameters
    ----------
    path: CSV (UTF-8 or GB18030; comma, semicolon, tab, bar or full-width comma), Excel (``postroad[excel]``), Parquet.
    mapping: as :func:`postroad.exchange.tabular.mapping.load_mapping` gives it, or what that takes.
    progress: told the rows that are behind us.

    Returns
    -------
    The event frame, in the order of the file, a row that comes twice once; and findings, rows counted as in the file:

    - errors, the row is left out: PR-E326 ragged, PR-E327 no instant, PR-E328 a number that a spreadsheet cut, PR-E329
      a needed cell is empty, PR-E336 a time that the zone's clocks did not show or showed twice, PR-E337 a quote that
      does not close;
    - errors, nothing can be read: PR-E322 a column that the mapping names is not there;
    - warnings: PR-E330 an unknown code (one a code; the kind becomes ``unknown``, the code stays in ``raw``), PR-E331
      a facility without translation, PR-E332 rows that come twice, PR-E333 a column about persons that is left out.

    Raises
    ------
    InputError: what :func:`postroad.exchange.tabular.sources.open_source` and ``load_mapping`` raise.

    **Assumes** ``recorded_at`` is ``occurred_at`` when no column is mapped to it, so that reading a file again gives
    the same events. A digest is of the row's cells as they stand: a row that another export writes otherwise is
    another event. A row whose code was unknown and is known by now is another event too, beside the unknown one; any
    other change of the mapping leaves the ids as they are, and a ledger keeps what came first.
    """
    findings, frames = Findings(), []
    for piece in read_pieces(path, mapping, progress=progress):
        frames.append(piece.frame)
        findings.extend(piece.findings)
    frame = pl.concat(frames) if frames else empty_frame("events")
    kept = frame.unique("event_id", keep="first", maintain_order=True) if len(frames) > 1 else frame
    if kept.height < frame.height:
        findings.add("PR-E332", table=TABLE, value=str(path), n_rows=frame.height - kept.height)
    return kept, findings


def read_pieces(
    path: Path | str,
    mapping: ImportMapping | Mapping[str, object] | Path | str,
    *,
    piece_rows: int = 500_000,
    progress: Progress | None = None,
) -> Iterator[ScanPiece]:
    """Read a file of scans a piece at a time, so that its size does not matter; as :func:`read_scans`.

    Parameters
    ----------
    piece_rows: about how many rows a piece has. Rows that come twice are noticed within a piece only; the ledger
        keeps one of them either way, since they have one ``event_id``. What is found once a file (ragged rows,
        unknown codes and facilities, rows that come twice) comes with a last piece, which has no rows.
    """
    progress = progress or Silent()
    ready = mapping if isinstance(mapping, ImportMapping) else load_mapping(mapping)
    findings = Findings()
    source = open_source(path, ready.keys.file, findings, piece_rows)
    _check_header(source, ready, findings)
    if findings.errors:
        yield ScanPiece(empty_frame("events"), findings, Tally())
        return
    progress.stage(f"reading {Path(path).name}")
    total = Tally()
    for piece in source.pieces:
        made = _read_piece(piece, source.header, ready)
        total.add(made.tally)
        progress.step(total.n_rows)
        yield made
    _tell_counts(total, ready, findings)
    if len(findings):
        yield ScanPiece(empty_frame("events"), findings, Tally())


def _tell_counts(tally: Tally, mapping: ImportMapping, findings: Findings) -> None:
    """Find what is found once a code or a name, with the number of its rows."""
    for code, n_rows in sorted(tally.n_by_unknown_code.items(), key=lambda pair: -pair[1]):
        findings.add("PR-E330", table=TABLE, column=", ".join(mapping.sources("kind")), value=code, n_rows=n_rows)
    for name, n_rows in sorted(tally.n_by_unknown_facility.items(), key=lambda pair: -pair[1]):
        findings.add(
            "PR-E331", table=TABLE, column=", ".join(mapping.sources("facility_id")), value=name, n_rows=n_rows
        )
    if tally.n_twice:
        findings.add("PR-E332", table=TABLE, value=tally.n_twice, n_rows=tally.n_twice)


def payload_columns(header: tuple[str, ...], mapping: ImportMapping) -> tuple[list[str], list[str]]:
    """Headings whose cells go into payload, and headings that would but tell of a person."""
    mapped = {heading for target in mapping.keys.columns for heading in mapping.sources(target)}
    wanted = list(mapping.keys.payload)
    if mapping.keys.rest == "payload":
        wanted += [heading for heading in header if heading not in mapped and heading not in wanted]
    personal = [heading for heading in wanted if PERSONAL.search(heading)]
    return [heading for heading in wanted if heading in header and heading not in personal], personal


def _check_header(source: Source, mapping: ImportMapping, findings: Findings) -> None:
    """Every column that the mapping names is there, and none about persons is kept."""
    for heading in mapping.named:
        if heading not in source.header:
            near = near_name(heading, source.header)
            findings.add("PR-E322", table=TABLE, row=1, column=heading, value=heading, near=near)
    for heading in payload_columns(source.header, mapping)[1]:
        findings.add("PR-E333", table=TABLE, row=1, column=heading, value=heading)


class _Refusals:
    """Which rows of a piece are refused, and why."""

    def __init__(self, cells: pl.DataFrame, findings: Findings) -> None:
        self.cells, self.findings = cells, findings
        self.is_kept = np.ones(cells.height, dtype=bool)
        self.n_by_code: Counter[str] = Counter()

    def refuse(self, code: str, test: pl.Series, column: str, **params: str) -> None:
        """Leave out the rows where the test holds, those that are out already excepted."""
        hits = test.fill_null(False).to_numpy() & self.is_kept
        if hits.any():
            self.is_kept[hits] = False
            self.n_by_code[code] += int(hits.sum())
            report_rows(self.findings, code, TABLE, self.cells, pl.Series(hits), column, **params)


def _read_piece(piece: Piece, header: tuple[str, ...], mapping: ImportMapping) -> ScanPiece:
    """Make events of the rows of a piece."""
    findings = Findings()
    tally = Tally(n_rows=piece.frame.height + piece.n_ragged)
    tally.n_refused_by_code.update({"PR-E326": piece.n_ragged} if piece.n_ragged else {})
    cells = trim_cells(piece.frame).with_columns(pl.Series(ROW, piece.rows))
    refusals = _Refusals(cells, findings)
    columns = {target: _target_cells(cells, target, mapping) for target in [*mapping.keys.columns]}
    columns |= {name: pl.repeat(value, cells.height, eager=True) for name, value in mapping.keys.constants.items()}
    _read_numbers(columns, piece, mapping, refusals)
    _read_times(columns, mapping, refusals)
    codes = columns["kind"]
    columns["kind"], reasons = _read_kinds(codes, mapping, tally, refusals)
    _check_subjects(columns, mapping, refusals)
    if "reason" not in columns:
        columns["reason"] = reasons
    _read_facilities(columns, mapping, tally, refusals)
    columns["event_id"] = _make_ids(columns, cells, header, mapping)
    frame = _event_frame(columns, codes, _payload(cells, header, mapping), mapping.keys.label)
    frame = frame.filter(refusals.is_kept)
    unique = frame.unique("event_id", keep="first", maintain_order=True)
    tally.n_twice = frame.height - unique.height
    _count(tally, unique, refusals)
    return ScanPiece(unique, findings, tally)


def _count(tally: Tally, frame: pl.DataFrame, refusals: _Refusals) -> None:
    """Count what a piece became."""
    tally.n_kept = frame.height
    tally.n_refused_by_code.update(refusals.n_by_code)
    tally.n_by_kind.update(dict(frame["kind"].value_counts().iter_rows()))
    if frame.height:
        tally.first_at, tally.last_at = frame["occurred_at"].min(), frame["occurred_at"].max()


def _target_cells(cells: pl.DataFrame, target: str, mapping: ImportMapping) -> pl.Series:
    """The cells that make a column of the event; several are joined by a space."""
    names = mapping.sources(target)
    if len(names) == 1:
        return cells[names[0]]
    texts = [pl.col(name).cast(pl.String) for name in names]
    return cells.select(pl.concat_str(texts, separator=" ").alias(target))[target]


def _read_numbers(columns: dict[str, pl.Series], piece: Piece, mapping: ImportMapping, refusals: _Refusals) -> None:
    """Numbers of items and units; those that a spreadsheet cut are refused."""
    for target in ("item_id", "unit_id"):
        if target not in mapping.keys.columns:
            continue
        heading = mapping.sources(target)[0]
        texts = columns[target].cast(pl.String)
        refusals.refuse("PR-E328", is_eaten(texts), heading)
        if heading in piece.eaten:
            refusals.refuse("PR-E328", pl.Series(piece.eaten[heading]), heading)
        texts = clean_numbers(texts, normalise=mapping.keys.ids.normalise and target == "item_id")
        texts = texts.set(texts == "", None)
        if target == "item_id" and mapping.keys.ids.prefix:
            texts = mapping.keys.ids.prefix + texts
        columns[target] = texts


def _check_subjects(columns: dict[str, pl.Series], mapping: ImportMapping, refusals: _Refusals) -> None:
    """Every row names something that its kind may happen to; one that does not is refused."""
    found = np.zeros(refusals.cells.height, dtype=np.uint8)
    for bit, subject in enumerate(SUBJECTS):
        if subject in columns:
            found |= columns[subject].is_not_null().to_numpy().astype(np.uint8) << bit
    wanted = {
        kind.kind: sum(1 << SUBJECTS.index(f"{subject}_id") for subject in kind.subjects) for kind in kinds().values()
    }
    bits = columns["kind"].replace_strict(wanted, return_dtype=pl.UInt8).to_numpy()
    heading = next((mapping.sources(target)[0] for target in SUBJECTS if target in mapping.keys.columns), "")
    refusals.refuse("PR-E329", pl.Series((found & bits) == 0), heading)


def _read_times(columns: dict[str, pl.Series], mapping: ImportMapping, refusals: _Refusals) -> None:
    """Instants; a row without one that can be read is refused."""
    time = mapping.keys.time
    for target in ("occurred_at", "recorded_at"):
        if target not in columns:
            continue
        sources = mapping.sources(target)
        heading = sources[0] if sources else ""
        cells = columns[target]
        columns[target], odd = read_instants(cells, time.formats, time.zone)
        if target == "occurred_at":
            refusals.refuse("PR-E329", cells.is_null(), heading)
        refusals.refuse("PR-E336", odd, heading, zone=time.zone)
        bad = columns[target].is_null() & cells.is_not_null()
        refusals.refuse("PR-E327", bad, heading, formats=", ".join(time.formats))
    if "recorded_at" in columns:
        columns["recorded_at"] = columns["recorded_at"].zip_with(
            columns["recorded_at"].is_not_null(), columns["occurred_at"]
        )
    else:
        columns["recorded_at"] = columns["occurred_at"]


def _read_kinds(
    codes: pl.Series, mapping: ImportMapping, tally: Tally, refusals: _Refusals
) -> tuple[pl.Series, pl.Series]:
    """Kinds and reasons of codes: the mapping's own table first, then the platform's, then the closed list itself."""
    if "kind" in mapping.keys.columns:
        refusals.refuse("PR-E329", codes.is_null(), mapping.sources("kind")[0])
    texts = codes.cast(pl.String)
    kind_by_code: dict[str, str] = {}
    reason_by_code: dict[str, str] = {}
    unknown: list[str] = []
    for code in texts.drop_nulls().unique().sort().to_list():
        status = mapping.statuses.find(code) if mapping.statuses else None
        if code in mapping.kinds:
            kind_by_code[code] = mapping.kinds[code]
        elif status is not None:
            kind_by_code[code], reason_by_code[code] = status.kind, status.reason
        elif code in kinds():
            kind_by_code[code] = code
        else:
            unknown.append(code)
    if unknown:
        counts = texts.filter(refusals.is_kept).value_counts(name="n", sort=True)
        counts = counts.filter(pl.nth(0).is_in(unknown)).head(MAX_CODES)
        tally.n_by_unknown_code.update(dict(counts.iter_rows()))
    translated = texts.replace_strict(kind_by_code, default=UNKNOWN, return_dtype=pl.String)
    reason_by_code = {code: reason for code, reason in reason_by_code.items() if reason}
    return translated, texts.replace_strict(reason_by_code, default=None, return_dtype=pl.String)


def _read_facilities(columns: dict[str, pl.Series], mapping: ImportMapping, tally: Tally, refusals: _Refusals) -> None:
    """Facilities by the mapping's translation; one that it does not name stays as it is."""
    if not mapping.facilities:
        return
    for target in ("facility_id", "to_facility_id"):
        if target not in mapping.keys.columns:
            continue
        texts = columns[target].cast(pl.String)
        counts = texts.filter(refusals.is_kept).drop_nulls().value_counts(name="n", sort=True)
        foreign = counts.filter(~pl.nth(0).is_in(list(mapping.facilities))).head(MAX_CODES)
        tally.n_by_unknown_facility.update(dict(foreign.iter_rows()))
        columns[target] = texts.replace(mapping.facilities)


def _make_ids(
    columns: dict[str, pl.Series], cells: pl.DataFrame, header: tuple[str, ...], mapping: ImportMapping
) -> pl.Series:
    """Ids of events: the sender's where a column has them, else the digest of the row's cells."""
    name = mapping.keys.name
    if "event_id" in columns:
        sent = columns["event_id"].cast(pl.String)
        made = digest_rows(sent.alias("event_id").to_frame(), ["event_id"], f"sent {name}")
        uuid = sent.str.replace_all("-", "").str.to_lowercase()
        is_uuid = uuid.str.contains("^[0-9a-f]{32}$").fill_null(False)
        if not is_uuid.any() and sent.null_count() == 0:
            return made
        whole = pl.when(pl.lit(is_uuid)).then(pl.lit(uuid)).str.decode("hex", strict=False)
        by_row = _digest_cells(columns["kind"], cells, header, mapping)
        return pl.select(
            pl.coalesce(whole, pl.when(pl.lit(sent.is_not_null())).then(pl.lit(made)), pl.lit(by_row))
        ).to_series()
    return _digest_cells(columns["kind"], cells, header, mapping)


def _digest_cells(kind: pl.Series, cells: pl.DataFrame, header: tuple[str, ...], mapping: ImportMapping) -> pl.Series:
    """Digest of the row's cells: the columns that the mapping says, or all.

    An event of kind unknown has an id of its own, so that the row can come again once its code is known.
    """
    names = mapping.keys.ids.digest or list(header)
    is_known = pl.when(pl.lit(kind) == UNKNOWN).then(pl.lit(UNKNOWN)).alias(KNOWN)
    texts = cells.select(pl.col(names).cast(pl.String), is_known)
    return digest_rows(texts, [*names, KNOWN], f"scan {mapping.keys.name}")


def _payload(cells: pl.DataFrame, header: tuple[str, ...], mapping: ImportMapping) -> pl.Series:
    """Cells that the event has no column for, as JSON; null where all of them are empty."""
    names = sorted(payload_columns(header, mapping)[0])
    if not names:
        return pl.repeat(None, cells.height, dtype=pl.String, eager=True)
    is_any = pl.any_horizontal(pl.col(names).is_not_null())
    texts = pl.struct(pl.col(names).cast(pl.String)).struct.json_encode()
    return cells.select(pl.when(is_any).then(texts).alias("payload"))["payload"]


def _event_frame(columns: dict[str, pl.Series], codes: pl.Series, payload: pl.Series, label: str) -> pl.DataFrame:
    """The columns of events, in declared order and of declared types."""
    wanted = empty_frame("events").schema
    frame = pl.DataFrame([column.alias(name) for name, column in columns.items()])
    made = {
        "payload": pl.lit(payload),
        "label": pl.lit(label),
        "raw": pl.struct(
            pl.lit(codes.cast(pl.String)).alias("code"),
            (pl.col("raw_text").cast(pl.String) if "raw_text" in columns else pl.lit(None, dtype=pl.String)).alias(
                "text"
            ),
        ),
    }
    if "to_facility_id" in columns:
        pair = pl.struct(pl.lit("to").alias("role"), pl.col("to_facility_id").alias("id"))
        made["related"] = pl.when(pl.col("to_facility_id").is_not_null()).then(pl.concat_list(pair))
    return frame.select(
        made.get(name, pl.col(name) if name in columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in wanted.items()
    )
