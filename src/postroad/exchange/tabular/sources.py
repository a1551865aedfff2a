"""Files of rows as frames of text, a piece at a time: CSV in its many writings, Excel, Parquet."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from postroad.core.errors import InputError
from postroad.core.findings import Findings
from postroad.exchange.tabular.lines import STRAY, QuotedLines
from postroad.exchange.tabular.mapping import FileSection

__all__ = ["Piece", "Source", "open_source"]

BLOCK = 1 << 20
UTF8_BOM = b"\xef\xbb\xbf"
DELIMITERS = (",", ";", "\t", "|", "，")
WIDE_COMMA = "，"
PLAIN_MARK = "\x1f"
MAX_EXACT = 10**15
"""A workbook keeps 15 digits of a number; what is as large as this has lost some."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows of a file.

    Attributes
    ----------
    frame: the columns by heading; text, or instants and dates where the file has them as such.
    rows: int64 (n_rows,), the file's number of each row (the header's is 1 when it is the first).
    n_ragged: rows left out because they have another number of cells.
    eaten: headings whose cells are numbers that a workbook cut, with the rows: bool (n_rows,).
    """

    frame: pl.DataFrame
    rows: np.ndarray
    n_ragged: int = 0
    eaten: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was opened.

    Attributes
    ----------
    kind: ``csv``, ``excel`` or ``parquet``.
    header: its headings, in order, trimmed.
    pieces: its rows, read as they are asked for; ragged rows go to the findings that were given.
    encoding, delimiter: how a CSV file is written; empty otherwise.
    """

    kind: str
    header: tuple[str, ...]
    pieces: Iterator[Piece]
    encoding: str = ""
    delimiter: str = ""


def open_source(path: Path | str, options: FileSection, findings: Findings, piece_rows: int = 500_000) -> Source:
    """Open a file of rows.

    Parameters
    ----------
    path: ``.csv``, ``.txt`` or ``.tsv``; ``.xlsx``, ``.xlsm``, ``.xls``, ``.xlsb`` or ``.ods``; ``.parquet``.
    options: what the mapping says about the file.
    findings: ragged rows are added here as PR-E326, stray quotes as PR-E337, while the pieces are read.
    piece_rows: about how many rows a piece has.

    Raises
    ------
    InputError: PR-E323 a file of another kind, PR-E324 an encoding that is none of ours, PR-E325 no header, PR-E334
        the extra for Excel is not installed, PR-E335 no such sheet, PR-E338 a heading twice, PR-E339 a broken file.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError("PR-E339", path=path.name, value="no such file")
    ending = path.suffix.lower()
    if ending in (".csv", ".txt", ".tsv"):
        return _open_csv(path, options, findings, piece_rows)
    if ending in (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"):
        return _open_excel(path, options, piece_rows)
    if ending == ".parquet":
        return _open_parquet(path, piece_rows)
    raise InputError("PR-E323", path=path.name, value=ending)


def _open_csv(path: Path, options: FileSection, findings: Findings, piece_rows: int) -> Source:
    """A CSV file."""
    encoding = options.encoding or _find_encoding(path)
    try:
        with path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="") as handle:
            head = [handle.readline() for _ in range(options.header_row)]
            if head[-1].count('"') % 2:
                head[-1] += handle.readline()
    except (LookupError, UnicodeDecodeError) as error:
        raise InputError("PR-E324", path=path.name, value=encoding) from error
    delimiter = options.delimiter or max(DELIMITERS, key=head[-1].count)
    header = _header(next(csv.reader([head[-1]], delimiter=delimiter), []), path)
    mark = PLAIN_MARK if delimiter == WIDE_COMMA else delimiter
    n_head = len("".join(head).splitlines())
    lines = QuotedLines(path, encoding, delimiter, mark, len(header), n_head)
    return Source("csv", header, _csv_pieces(lines, header, mark, n_head, findings, piece_rows), encoding, delimiter)


def _csv_pieces(
    lines: QuotedLines, header: tuple[str, ...], mark: str, n_head: int, findings: Findings, piece_rows: int
) -> Iterator[Piece]:
    """The rows of a CSV file. Rows of another length are told and left out."""
    ragged: list[pa_csv.InvalidRow] = []

    def put_aside(row: pa_csv.InvalidRow) -> str:
        ragged.append(row)
        return "skip"

    try:
        reader = pa_csv.open_csv(
            pa.PythonFile(lines, mode="r"),
            read_options=pa_csv.ReadOptions(
                column_names=[f"c{number}" for number in range(len(header))],
                skip_rows=n_head,
                use_threads=False,
                block_size=max(1 << 16, min(1 << 26, piece_rows * 100)),
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=mark, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=put_aside
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types={f"c{number}": pa.string() for number in range(len(header))}, strings_can_be_null=False
            ),
        )
        next_row, n_told = n_head + 1, 0
        for batch in reader:
            frame = pl.DataFrame(pl.from_arrow(batch)).rename(dict(zip(batch.schema.names, header, strict=True)))
            aside, n_told = ragged[n_told:], len(ragged)
            for row in aside:
                _tell_ragged(row, mark, findings)
            numbers = np.arange(next_row, next_row + frame.height + len(aside))
            sound = np.isin(numbers, [row.number for row in aside], invert=True)
            rows = numbers[sound][: frame.height]
            next_row += frame.height + len(aside)
            yield Piece(frame, rows, len(aside))
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            return
        raise InputError("PR-E339", path="csv", value=str(error)[:120]) from error
    finally:
        lines.close()


def _tell_ragged(row: pa_csv.InvalidRow, mark: str, findings: Findings) -> None:
    """Say of a row of another length what is wrong with it."""
    place = {"table": "file", "row": row.number or 0}
    if row.text.rstrip("\r\n").endswith(mark + STRAY):
        findings.add("PR-E337", **place, value=row.text[: row.text.rindex(mark)][:80])
    else:
        n_cells = {"n_found": row.actual_columns, "n_expected": row.expected_columns}
        findings.add("PR-E326", **place, value=row.text[:80], **n_cells)


def _open_excel(path: Path, options: FileSection, piece_rows: int) -> Source:
    """A sheet of a workbook; a workbook is small enough to be read whole."""
    excel = _excel_extra(path)
    try:
        book = excel.read_excel(path)
    except excel.FastExcelError as error:
        raise InputError("PR-E339", path=path.name, value=str(error).splitlines()[0]) from error
    sheet, header_row = options.sheet or 0, options.header_row - 1
    try:
        texts = book.load_sheet(sheet, header_row=header_row, dtypes="string").to_polars()
        typed = book.load_sheet(sheet, header_row=header_row, schema_sample_rows=None).to_polars()
    except excel.FastExcelError as error:
        raise InputError("PR-E335", path=path.name, value=options.sheet or "1") from error
    header = _header(texts.columns, path)
    texts.columns = list(header)
    cut = {
        name: (column.cast(pl.Float64).abs() >= MAX_EXACT).fill_null(False).to_numpy()
        for name, column in zip(header, typed.iter_columns(), strict=False)
        if column.dtype.is_numeric()
    }
    cut = {name: mask for name, mask in cut.items() if mask.any()}

    def pieces() -> Iterator[Piece]:
        for at in range(0, texts.height, piece_rows):
            part = texts.slice(at, piece_rows)
            rows = np.arange(at, at + part.height) + options.header_row + 1
            yield Piece(part, rows, 0, {name: mask[at : at + part.height] for name, mask in cut.items()})

    return Source("excel", header, pieces())


def _excel_extra(path: Path):
    """The module of the extra for Excel."""
    try:
        return import_module("fastexcel")
    except ModuleNotFoundError as error:
        raise InputError("PR-E334", path=path.name) from error


def _open_parquet(path: Path, piece_rows: int) -> Source:
    """A Parquet file."""
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError("PR-E339", path=path.name, value=str(error)[:120]) from error
    header = _header(file.schema_arrow.names, path)

    def pieces() -> Iterator[Piece]:
        at = 2
        for batch in file.iter_batches(batch_size=piece_rows):
            frame = pl.DataFrame(pl.from_arrow(batch)).rename(dict(zip(batch.schema.names, header, strict=True)))
            yield Piece(frame.select(_as_text(frame)), np.arange(at, at + frame.height))
            at += frame.height

    return Source("parquet", header, pieces())


def _as_text(frame: pl.DataFrame) -> list[pl.Expr]:
    """Columns as text; instants and dates as they are, whole floats without their point."""
    columns = []
    for name, dtype in frame.schema.items():
        column = pl.col(name)
        if dtype.is_temporal():
            columns.append(column)
        elif dtype.is_float():
            whole = column.cast(pl.Int64, strict=False)
            is_whole = (column == column.floor()) & (column.abs() < MAX_EXACT)
            columns.append(pl.when(is_whole).then(whole.cast(pl.String)).otherwise(column.cast(pl.String)))
        elif dtype.is_nested() or dtype == pl.Binary:
            columns.append(pl.lit(None, dtype=pl.String).alias(name))
        else:
            columns.append(column.cast(pl.String))
    return columns


def _header(names: list[str], path: Path) -> tuple[str, ...]:
    """The headings, trimmed; a column without one is named by its number."""
    header = [name.strip().lstrip("\ufeff") or f"column {number}" for number, name in enumerate(names, start=1)]
    if not any(name.strip() for name in names):
        raise InputError("PR-E325", path=path.name)
    for name in header:
        if header.count(name) > 1:
            raise InputError("PR-E338", path=path.name, value=name)
    return tuple(header)


def _find_encoding(path: Path) -> str:
    """``utf-8`` or ``gb18030``, whichever the whole file can be read in; UTF-8 first."""
    with path.open("rb") as handle:
        start = handle.read(4)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if b"\0" in start:
        raise InputError("PR-E324", path=path.name, value="binary")
    for encoding in ("utf-8", "gb18030"):
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            with path.open("rb") as handle:
                while block := handle.read(BLOCK):
                    decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return encoding
    raise InputError("PR-E324", path=path.name, value="utf-8, gb18030")
