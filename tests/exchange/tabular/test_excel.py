"""Workbooks: dates, long numbers, sheets. Without the extra one test remains: what to install."""

import importlib.util
import sys
from datetime import UTC, datetime

import pytest
import xlsxwriter

from postroad.core.errors import InputError
from postroad.exchange.tabular.scans import read_scans

MAPPING = {
    "time": {"zone": "Asia/Shanghai", "formats": ["auto", "excel"]},
    "columns": {"item_id": "运单号", "kind": "操作类型", "occurred_at": "扫描时间"},
    "kinds": {"收件": "accepted"},
}
needs_excel = pytest.mark.skipif(importlib.util.find_spec("fastexcel") is None, reason="needs postroad[excel]")


def write(path, rows, sheet="scans", skip=0):
    """A workbook of one sheet."""
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet(sheet)
        day = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for number, row in enumerate([["运单号", "扫描时间", "操作类型"], *rows], start=skip):
            for column, value in enumerate(row):
                if isinstance(value, datetime):
                    page.write_datetime(number, column, value, day)
                else:
                    page.write(number, column, value)
    return path


@needs_excel
def test_dates_texts_and_numbers(tmp_path):
    at = datetime(2025, 11, 11, 9, 30)
    rows = [
        ["SF1234567890123", at, "收件"],
        [773123456789012, "2025-11-11 09:30:00", "收件"],
        ["x", 45972.395833333336, "收件"],
    ]
    frame, findings = read_scans(write(tmp_path / "a.xlsx", rows), MAPPING)
    assert len(findings) == 0
    assert frame["item_id"].to_list() == ["SF1234567890123", "773123456789012", "X"]
    assert frame["occurred_at"].unique().to_list() == [datetime(2025, 11, 11, 1, 30, tzinfo=UTC)]


@needs_excel
def test_numbers_that_lost_their_last_digits(tmp_path):
    at = datetime(2025, 11, 11, 9, 30)
    rows = [[106141412345678908, at, "收件"], [773123456789012, at, "收件"]]
    frame, findings = read_scans(write(tmp_path / "a.xlsx", rows), MAPPING)
    assert frame["item_id"].to_list() == ["773123456789012"]
    assert [(finding.code, finding.row) for finding in findings] == [("PR-E328", 2)]
    texts = [["106141412345678908", at, "收件"]]
    assert read_scans(write(tmp_path / "b.xlsx", texts), MAPPING)[0].height == 1


@needs_excel
def test_sheets_and_header_rows(tmp_path):
    path = write(
        tmp_path / "a.xlsx", [["SF1", "2025-11-11 09:30:00", "收件"], ["SF2", "never", "收件"]], "十一月", skip=2
    )
    frame, findings = read_scans(path, MAPPING | {"file": {"sheet": "十一月", "header_row": 3}})
    assert frame.height == 1
    assert [(finding.code, finding.row) for finding in findings] == [("PR-E327", 5)]
    with pytest.raises(InputError) as caught:
        read_scans(path, MAPPING | {"file": {"sheet": "十二月"}})
    assert caught.value.code == "PR-E335"


@needs_excel
@pytest.mark.parametrize("content", [b"", b"no workbook"])
def test_no_workbook(tmp_path, content):
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_scans(path, MAPPING)
    assert caught.value.code == "PR-E339"


@needs_excel
def test_an_empty_sheet(tmp_path):
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        book.add_worksheet("empty")
    with pytest.raises(InputError) as caught:
        read_scans(tmp_path / "a.xlsx", MAPPING)
    assert caught.value.code in ("PR-E325", "PR-E335")


def test_without_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    with pytest.raises(InputError) as caught:
        read_scans(write(tmp_path / "a.xlsx", []), MAPPING)
    assert caught.value.code == "PR-E334"
    assert "postroad[excel]" in caught.value.fix()
