"""Every table of a report as CSV files and as one formatted workbook with its provenance."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import xlsxwriter

from postroad.core.files import writing_file
from postroad.report.blocks import Chart, Column, Page, Table
from postroad.report.data import CompareData, ReportData, SweepData
from postroad.report.evidence import facts_of
from postroad.report.run import compare_page, run_page, sweep_page
from postroad.report.text import LABEL_TEXTS, TERMS, Text, unit_of

__all__ = ["page_of", "write_page_tables", "write_tables", "write_workbook"]

_SERIES = ("headline", "measures", "hours", "hourly", "centre_hourly", "label_counts")
_NAME_WIDTH, _NUMBER_WIDTH, _TEXT_WIDTH = 22, 15, 34


def write_tables(data: ReportData | CompareData | SweepData, folder: str | Path) -> list[Path]:
    """Write every table of the report: one CSV file each, ``columns.csv`` that says what the columns are, and
    ``report.xlsx`` with a sheet a table and a sheet of provenance.

    Parameters
    ----------
    data: what the report is drawn from.
    folder: made when missing; files of the same names are replaced.

    Returns
    -------
    list[Path]: the files written. The same data gives the same bytes of CSV.
    """
    page = page_of(data)
    paths = write_page_tables(page, folder, data.facts.epoch.replace(tzinfo=None), facts_of(data.facts))
    if isinstance(data, ReportData):
        for name in _SERIES:
            frame = getattr(data, name)
            if not frame.is_empty():
                target = Path(folder) / f"series_{name}.csv"
                with writing_file(target) as draft:
                    frame.write_csv(draft)
                paths.append(target)
    return paths


def write_workbook(data: ReportData | CompareData | SweepData, path: str | Path) -> Path:
    """Write every table of the report as one workbook: a sheet a table and a sheet of provenance."""
    page = page_of(data)
    with writing_file(path) as draft:
        _write_workbook(draft, page, page.tables(), data.facts.epoch.replace(tzinfo=None), facts_of(data.facts))
    return Path(path)


def page_of(data: ReportData | CompareData | SweepData) -> Page:
    """The page that the data makes."""
    if isinstance(data, ReportData):
        return run_page(data)
    return compare_page(data) if isinstance(data, CompareData) else sweep_page(data)


def write_page_tables(
    page: Page, folder: str | Path, created: datetime, facts: tuple[tuple[Text, str, bool], ...] = ()
) -> list[Path]:
    """Write the tables of a page; ``created`` is hour 0 of the run and dates the workbook, which so stays
    the same from run to run."""
    target = Path(folder)
    tables = page.tables()
    paths = []
    for table in tables:
        path = target / f"{table.table_id}.csv"
        with writing_file(path) as draft:
            _without_formulas(_all_rows(table)).write_csv(draft, include_bom=True)
        paths.append(path)
    columns = target / "columns.csv"
    with writing_file(columns) as draft, draft.open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(["table", "column", "title_en", "title_zh", "unit", "label"])
        writer.writerows(_column_rows(tables))
    workbook = target / "report.xlsx"
    with writing_file(workbook) as draft:
        _write_workbook(draft, page, tables, created, facts)
    return [*paths, columns, workbook]


def _frame_columns(column: Column) -> list[str]:
    """The columns of the frame that a column of the table reads."""
    return [f"{column.key}_en", f"{column.key}_zh"] if column.kind == "name" else [column.key]


def _all_rows(table: Table) -> pl.DataFrame:
    """The rows of the export with all columns of the frame, those that the page does not show included."""
    return table.frame if table.full is None else table.full


def _without_formulas(frame: pl.DataFrame) -> pl.DataFrame:
    """Texts that a spreadsheet would take for a formula begin with an apostrophe, as it writes them itself."""
    text = pl.col(pl.String)
    return frame.with_columns(
        pl.when(text.str.contains(r"^[=+\-@\t\r]")).then(pl.lit("'") + text).otherwise(text).name.keep()
    )


def _column_rows(tables: list[Table]) -> list[tuple[str, ...]]:
    return [
        (table.table_id, name, column.title.en, column.title.zh, column.unit, column.label)
        for table in tables
        for column in table.columns
        for name in _frame_columns(column)
    ]


class _Formats:
    """The formats of the workbook."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self._book = book
        base = {"font_name": "Arial", "font_size": 10, "valign": "top"}
        self._base = base
        self.title = book.add_format(base | {"bold": True, "font_size": 14, "font_color": "#0A6847"})
        self.note = book.add_format(base | {"font_color": "#4F5B55", "italic": True})
        head = {"bold": True, "bg_color": "#0B5A3E", "font_color": "#FFFFFF", "text_wrap": True, "border": 1}
        self.head = book.add_format(base | head | {"border_color": "#FFFFFF"})
        self.text = book.add_format(base | {"text_wrap": True})
        self.bold = book.add_format(base | {"bold": True})
        colours = {"measured": "#DFF0E7", "derived": "#E1EBF6", "modelled": "#FBECD0", "unverified": "#EBE7F0"}
        self.labels = {name: book.add_format(base | {"bg_color": colour}) for name, colour in colours.items()}
        self.instant = book.add_format(base | {"num_format": "yyyy-mm-dd hh:mm"})
        self._numbers: dict[str, object] = {}

    def number(self, column: Column):
        """The format of a number column: share as per cent, else thousands and decimals."""
        unit = unit_of(column.unit)
        decimals = unit.decimals if column.decimals is None else column.decimals
        code = "0" if column.kind == "year" else "#,##0" + ("." + "0" * decimals if decimals else "")
        if column.unit == "share":
            code = "0.0%"
        if code not in self._numbers:
            self._numbers[code] = self._book.add_format(self._base | {"num_format": code})
        return self._numbers[code]


def _write_workbook(
    path: Path, page: Page, tables: list[Table], created: datetime, facts: tuple[tuple[Text, str, bool], ...]
) -> None:
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(path, options) as book:
        book.set_properties(
            {"title": page.title.en, "subject": page.title.zh, "author": "Postroad", "created": created}
        )
        formats = _Formats(book)
        _write_provenance(book.add_worksheet("Provenance 来源"), page, facts, formats)
        taken: set[str] = {"provenance 来源"}
        for table in tables:
            _write_sheet(book.add_worksheet(_sheet_name(table, taken)), table, formats, created)


def _sheet_name(table: Table, taken: set[str]) -> str:
    """The table's identifier, at most the 31 characters that a sheet may have, each name once."""
    name, number = table.table_id[:31], 1
    while name.lower() in taken:
        number += 1
        name = f"{table.table_id[:27]}~{number}"
    taken.add(name.lower())
    return name


def _write_provenance(sheet, page: Page, facts: tuple[tuple[Text, str, bool], ...], formats: _Formats) -> None:
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 70)
    sheet.set_column(2, 2, 70)
    sheet.write_string(0, 0, f"{page.title.en}  {page.title.zh}", formats.title)
    sheet.write_string(1, 0, f"{page.subtitle.en}  {page.subtitle.zh}", formats.note)
    row = 3
    for name, value, _ in facts:
        sheet.write_string(row, 0, f"{name.en} {name.zh}", formats.bold)
        sheet.write_string(row, 1, value, formats.text)
        row += 1
    row += 1
    for label, (name, meaning) in LABEL_TEXTS.items():
        sheet.write_string(row, 0, f"{name.en} {name.zh}", formats.labels[label])
        sheet.write_string(row, 1, meaning.en, formats.text)
        sheet.write_string(row, 2, meaning.zh, formats.text)
        row += 1
    for notice in _notices(page):
        row += 1
        sheet.write_string(row, 0, "map 地图", formats.bold)
        sheet.write_string(row, 1, notice["en"], formats.text)
        sheet.write_string(row, 2, notice["zh"], formats.text)


def _notices(page: Page) -> list[dict[str, str]]:
    charts = (block for block in page.blocks() if isinstance(block, Chart))
    return [chart.spec["notice"] for chart in charts if "notice" in chart.spec]


def _write_sheet(sheet, table: Table, formats: _Formats, epoch: datetime) -> None:
    frame = _all_rows(table)
    sheet.write_string(0, 0, f"{table.title.en}  {table.title.zh}", formats.title)
    if table.note is not None:
        sheet.write_string(1, 0, f"{table.note.en}  {table.note.zh}", formats.note)
    place = 0
    for column in table.columns:
        for language, name in zip(("en", "zh"), _frame_columns(column), strict=False):
            unit = "" if column.unit.startswith("@") else unit_of(column.unit).text.en
            head = [f"{column.title.en} {column.title.zh}"]
            head += [f"({language})"] if column.kind == "name" else [f"[{unit}]"] if unit and column.unit else []
            head += [column.label] if column.label else []
            sheet.write_string(3, place, "\n".join(head), formats.head)
            _write_column(sheet, place, column, frame[name].to_list(), formats, epoch)
            place += 1
    sheet.set_row(3, 46)
    sheet.freeze_panes(4, 1)
    if frame.height:
        sheet.autofilter(3, 0, 3 + frame.height, max(place - 1, 0))


def _write_column(sheet, place: int, column: Column, values: list[object], formats: _Formats, epoch: datetime) -> None:
    if column.kind in ("number", "hour", "year"):
        sheet.set_column(place, place, _NUMBER_WIDTH)
        number = formats.number(column)
        for row, value in enumerate(values, start=4):
            if value is None or value != value:
                continue
            if column.kind == "hour":
                sheet.write_datetime(row, place, epoch + timedelta(hours=int(value) + 1), formats.instant)
            else:
                sheet.write_number(row, place, float(value), number)
        return
    is_long = (
        column.kind in ("text", "source")
        or max((len(str(value)) for value in values if value), default=0) > _TEXT_WIDTH
    )
    sheet.set_column(place, place, _TEXT_WIDTH if is_long else _NAME_WIDTH)
    for row, value in enumerate(values, start=4):
        if value is None:
            continue
        text = str(value)
        if column.kind in ("term", "verdict") and text in TERMS:
            text = f"{TERMS[text].en} {TERMS[text].zh}"
        sheet.write_string(row, place, text, formats.labels.get(text, formats.text))
