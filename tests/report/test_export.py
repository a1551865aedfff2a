"""CSV files and the workbook: every table, with its provenance, the same from run to run."""

from __future__ import annotations

import re
import zipfile

import polars as pl
import pytest

from kit.report_data import compare_data, facts, report_data, sweep_data
from postroad.report import export
from postroad.report.export import page_of, write_tables


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    target = tmp_path_factory.mktemp("tables")
    write_tables(report_data(), target)
    return target


def sheets(path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return re.findall(r'<sheet name="(.*?)"', archive.read("xl/workbook.xml").decode())


def test_every_table_of_the_page_is_a_file_and_a_sheet(folder):
    ids = [table.table_id for table in page_of(report_data()).tables()]
    assert {f"{name}.csv" for name in ids} <= {path.name for path in folder.iterdir()}
    assert sheets(folder / "report.xlsx") == ["Provenance 来源", *ids]


def test_all_rows_are_exported_also_those_the_page_leaves_out(folder):
    lanes = pl.read_csv(folder / "lanes.csv")
    assert lanes.height == report_data().lanes.height > 400
    assert lanes["items_per_day"].sum() == pytest.approx(report_data().lanes["items_per_day"].sum())
    assert lanes["label"].unique().to_list() == ["modelled"]


def test_columns_are_explained_with_unit_and_label(folder):
    columns = pl.read_csv(folder / "columns.csv")
    row = columns.filter((pl.col("table") == "worst_pairs") & (pl.col("column") == "total_h")).row(0, named=True)
    assert (row["unit"], row["label"]) == ("h", "modelled")
    assert row["title_zh"] == "全程"
    for name, part in columns.group_by("table"):
        found = pl.read_csv(folder / f"{name[0]}.csv", n_rows=0).columns
        assert set(part["column"]) <= set(found)


def test_the_workbook_says_where_its_numbers_come_from(folder):
    with zipfile.ZipFile(folder / "report.xlsx") as archive:
        texts = archive.read("xl/sharedStrings.xml").decode()
    for text in (facts().input_digest, facts().command, "Published by a public body", "由公共机构发布", "审图号"):
        assert text in texts


def test_exports_are_the_same_from_run_to_run(folder, tmp_path):
    for path in write_tables(report_data(), tmp_path):
        assert path.read_bytes() == (folder / path.name).read_bytes(), path.name


@pytest.mark.parametrize("make", [compare_data, sweep_data])
def test_comparisons_and_sweeps_are_exported_too(make, tmp_path):
    data = make()
    paths = write_tables(data, tmp_path)
    ids = [table.table_id for table in page_of(data).tables()]
    assert [path.stem for path in paths[: len(ids)]] == ids
    assert sheets(tmp_path / "report.xlsx")[1:] == ids


def test_no_text_is_taken_for_a_formula():
    frame = pl.DataFrame({"name": ["=cmd|calc", "+1", "@x", "-y", "杭州", None], "n": [-1, 2, 3, 4, 5, 6]})
    harmless = export._without_formulas(frame)
    assert harmless["name"].to_list() == ["'=cmd|calc", "'+1", "'@x", "'-y", "杭州", None]
    assert harmless["n"].to_list() == frame["n"].to_list()
