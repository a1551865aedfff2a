"""Read a CSV table as text: encoding, header and the shape of rows, everything wrong reported."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv

from postroad.core.findings import Findings
from postroad.network.rows import FIRST_ROW

__all__ = ["RawTable", "read_text_table"]

_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True, slots=True)
class RawTable:
    """A table as it stands in its file.

    Attributes
    ----------
    frame: the columns of the header, first of each name; text when read from CSV, typed when from Parquet.
    rows: the file's row number of each row of the frame (2 is the first data row).
    """

    frame: pl.DataFrame
    rows: np.ndarray


def read_text_table(content: bytes, table: str, findings: Findings) -> RawTable | None:
    """Read CSV bytes: UTF-8 with or without BOM, comma, header row, double quotes as in RFC 4180.

    Parameters
    ----------
    content: the bytes of the file.
    table: name of the table, for findings.
    findings: PR-F113 (encoding), F114 (empty), F115 (ragged row), F116 (quote not closed), F117 (duplicate column),
        F123 (other delimiter), F124 (column without a name) and F125 (blank row) are added here.

    Returns
    -------
    RawTable, or None when nothing could be read.
    """
    text = _decoded(content, table, findings)
    if text is None:
        return None
    if not text.strip(b"\r\n \t"):
        findings.add("PR-F114", table=table)
        return None
    header, body = _split_header(text)
    if not any(header):
        findings.add("PR-F124", table=table, row=1, value="", n=1)
        return None
    if len(header) == 1 and any(mark in header[0] for mark in _OTHER_DELIMITERS):
        mark = next(mark for mark in _OTHER_DELIMITERS if mark in header[0])
        findings.add("PR-F123", table=table, row=1, value=header[0], delimiter=_OTHER_DELIMITERS[mark])
        return None
    kept = _kept_columns(header, table, findings)
    columns = [f"c{number}" for number in range(len(header))]
    frame, rows = _read_rows(body, columns, table, findings)
    frame = frame.select(pl.col(f"c{number}").alias(name) for number, name in kept)
    return RawTable(frame, rows)


def _decoded(content: bytes, table: str, findings: Findings) -> bytes | None:
    """The content without BOM, or None (and a finding) when it is not UTF-8."""
    if content.startswith(_UTF16_BOMS):
        findings.add("PR-F113", table=table, row=1, value="", guess="UTF-16")
        return None
    content = content.removeprefix(_UTF8_BOM)
    if b"\0" in content:
        row = content[: content.index(b"\0")].count(b"\n") + 1
        guess = "UTF-16" if 4 * content.count(b"\0") > len(content) else "binary"
        findings.add("PR-F113", table=table, row=row, value="", guess=guess)
        return None
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        line_start = content.rfind(b"\n", 0, error.start) + 1
        line_end = content.find(b"\n", error.start)
        line = content[line_start : line_end if line_end >= 0 else len(content)]
        column, cell = _broken_cell(content, line, error.start - line_start)
        findings.add("PR-F113", table=table, row=row, column=column, value=cell, guess=_guess_encoding(content))
        return None
    return content


def _broken_cell(content: bytes, line: bytes, position: int) -> tuple[str, str]:
    """The column name and the text of the cell that holds the byte at ``position`` of a line."""
    number = line[:position].count(b",")
    names = content.split(b"\n", 1)[0].decode("ascii", "replace").strip("\r").split(",")
    cell = line.split(b",")[number].strip(b"\r")
    guessed = _guess_encoding(content)
    shown = (
        cell.decode(guessed, "replace") if guessed in ("GB18030", "Big5") else cell.decode("ascii", "backslashreplace")
    )
    return (names[number] if number < len(names) else ""), shown


def _guess_encoding(content: bytes) -> str:
    """A likely encoding of bytes that are not UTF-8."""
    for name in ("GB18030", "Big5"):
        try:
            content.decode(name)
        except UnicodeDecodeError:
            continue
        return name
    return "unknown"


def _split_header(text: bytes) -> tuple[list[str], bytes]:
    """The names of the header row and the bytes after it."""
    lines = io.StringIO(text.decode("utf-8"), newline="")
    header = next(csv.reader(lines))
    body = lines.read().encode("utf-8")
    return [name.strip() for name in header], body


def _kept_columns(header: list[str], table: str, findings: Findings) -> list[tuple[int, str]]:
    """Number and name of the columns to keep: the first of each name."""
    kept: dict[str, int] = {}
    for number, name in enumerate(header):
        if not name:
            findings.add("PR-F124", table=table, row=1, value=f"{number + 1}", n=number + 1)
        elif name in kept:
            findings.add("PR-F117", table=table, row=1, column=name, value=name)
        else:
            kept[name] = number
    return [(number, name) for name, number in kept.items()]


def _read_rows(body: bytes, columns: list[str], table: str, findings: Findings) -> tuple[pl.DataFrame, np.ndarray]:
    """The rows below the header as text; ragged and blank rows are reported and left out."""
    body = body.rstrip(b"\r\n")
    empty = pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
    if not body:
        return empty, np.arange(0)
    try:
        frame, ragged = _parse(body, columns, None), []
    except pa.ArrowInvalid:
        ragged = []
        try:
            frame = _parse(body, columns, ragged)
        except pa.ArrowInvalid as error:
            findings.add("PR-F116", table=table, value=str(error)[:80])
            return empty, np.arange(0)
    for number, n_found, text in ragged:
        code = "PR-F116" if text.count('"') % 2 else "PR-F115"
        findings.add(code, table=table, row=number + 1, value=text[:80], n_found=n_found, n_expected=len(columns))
    is_sound = np.ones(len(frame) + len(ragged), bool)
    is_sound[[number - 1 for number, _, _ in ragged]] = False
    rows = np.flatnonzero(is_sound) + FIRST_ROW
    is_blank = frame.select(pl.all_horizontal(pl.all().str.strip_chars() == ""))[:, 0].to_numpy()
    for row in rows[is_blank]:
        findings.add("PR-F125", table=table, row=int(row))
    return frame.filter(~is_blank), rows[~is_blank]


def _parse(body: bytes, columns: list[str], ragged: list | None) -> pl.DataFrame:
    """Parse rows as text; with a list given, ragged rows go there as (number, columns found, text), in one thread."""

    def put_aside(row: pa_csv.InvalidRow) -> str:
        ragged.append((row.number, row.actual_columns, row.text))
        return "skip"

    table = pa_csv.read_csv(
        io.BytesIO(body),
        read_options=pa_csv.ReadOptions(
            column_names=columns, use_threads=ragged is None, block_size=max(1 << 24, len(body) // 4 + 1)
        ),
        parse_options=pa_csv.ParseOptions(
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=None if ragged is None else put_aside,
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.large_string()), strings_can_be_null=False
        ),
    )
    return pl.DataFrame(pl.from_arrow(table)).cast(pl.String)
