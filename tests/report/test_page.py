"""The page as HTML: complete in itself, in both languages, every number labelled, every table exported."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from importlib.resources import files

import polars as pl
import pytest

from kit.feeds import tiny
from kit.report_data import compare_data, report_data, sweep_data
from postroad.report.networkmap import render_network
from postroad.report.page import SCRIPTS
from postroad.report.run import render_comparison, render_report, render_sweep, run_page, write_report
from postroad.report.text import LABELS

LIMIT_BYTES = 4_000_000


@cache
def page(name: str) -> str:
    makers = {
        "run": lambda: render_report(report_data()),
        "comparison": lambda: render_comparison(compare_data()),
        "sweep": lambda: render_sweep(sweep_data()),
        "network": lambda: render_network(tiny()),
    }
    return makers[name]()


class Reader(HTMLParser):
    """Collects elements with their attributes, the texts by language, and the children of what is looked for."""

    VOID = frozenset(("meta", "link", "input", "br", "path", "circle"))

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.languages: list[tuple[str, str]] = []
        self.stack: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[list[tuple[str, dict[str, str | None]]]] = []
        self.json: dict[str, str] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = (tag, dict(attrs))
        self.elements.append(element)
        self.inside.append(list(self.stack))
        if tag not in self.VOID:
            self.stack.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.VOID:
            return
        assert self.stack[-1][0] == tag, f"<{self.stack[-1][0]}> closed by </{tag}>"
        self.stack.pop()

    def handle_data(self, data: str) -> None:
        tag, attributes = self.stack[-1] if self.stack else ("", {})
        if tag == "span" and attributes.get("lang"):
            self.languages.append((attributes["lang"] or "", data))
        if tag == "script" and attributes.get("type") == "application/json":
            self.json[attributes["id"] or ""] = self.json.get(attributes["id"] or "", "") + data

    def having(self, tag: str, name: str = "") -> list[dict[str, str | None]]:
        return [attributes for found, attributes in self.elements if found == tag and (not name or name in attributes)]


@cache
def read(name: str) -> Reader:
    return Reader(page(name))


PAGES = ("run", "comparison", "sweep", "network")


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_fetched(name):
    for tag, attributes in read(name).elements:
        for key in ("src", "href", "srcset", "action", "poster", "xlink:href"):
            target = attributes.get(key)
            assert target is None or target.startswith("#") or target == "data:,", (tag, key, target)
    policy = [a["content"] for a in read(name).having("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert len(policy) == 1
    assert policy[0].startswith("default-src 'none'")
    assert "http" not in policy[0]
    for word in (
        "fetch(",
        "XMLHttpRequest",
        "importScripts",
        "import(",
        "WebSocket",
        "@import",
        "url(http",
        "sendBeacon",
    ):
        assert word not in page(name), word


@pytest.mark.parametrize("name", PAGES)
def test_every_text_stands_in_both_languages_side_by_side(name):
    texts = read(name).languages
    counts = Counter(language for language, _ in texts)
    assert set(counts) == {"en", "zh"}
    spans = [a["lang"] for tag, a in read(name).elements if tag == "span" and "lang" in a]
    assert spans[::2] == ["en"] * (len(spans) // 2)
    assert spans[1::2] == ["zh"] * (len(spans) // 2)
    chinese = [text for language, text in texts if language == "zh"]
    assert sum(any("\u4e00" <= letter <= "\u9fff" for letter in text) for text in chinese) > 0.5 * len(chinese)


@pytest.mark.parametrize("name", PAGES)
def test_every_table_can_be_sorted_saved_and_read_aloud(name):
    reader = read(name)
    tables = [a["data-table"] for a in reader.having("table", "data-table")]
    assert tables
    assert len(set(tables)) == len(tables)
    assert sorted(tables) == sorted(a["data-csv"] for a in reader.having("button", "data-csv"))
    assert len(reader.having("caption")) == len(tables)
    assert all(a["scope"] in ("col", "row") for a in reader.having("th"))
    sorters = [a for a in reader.having("button", "class") if a["class"] == "sort"]
    assert len(sorters) == sum(a["scope"] == "col" for a in reader.having("th"))


@pytest.mark.parametrize("name", PAGES)
def test_every_number_says_what_it_is(name):
    """A number column carries a label in its head, or its table has a column of labels."""
    body = page(name)
    for table in re.findall(r"<table .*?</table>", body, flags=re.DOTALL):
        heads = re.findall(r'<th scope="col" class="n"(.*?)>', table)
        first = re.findall(r"<tr.*?</tr>", table.split("<tbody>")[1], flags=re.DOTALL)
        has_labels = bool(first) and "badge b-" in first[0]
        exempt = {"hour", "year"}
        unlabelled = [head for head in heads if "data-label" not in head]
        assert has_labels or len(unlabelled) <= len(exempt), table[:300]
    for part in ("figure", "li"):
        blocks = re.findall(rf"<{part}[ >].*?</{part}>", body, flags=re.DOTALL)
        for block in blocks:
            if part == "figure" or 'class="figure"' in block:
                assert re.search(rf"badge b-({'|'.join(LABELS)})", block), block[:200]


@pytest.mark.parametrize("name", PAGES)
def test_every_chart_has_a_renderer_and_readable_data(name):
    kinds = set()
    for script in SCRIPTS:
        text = files("postroad.report").joinpath("page", script).read_text(encoding="utf-8")
        kinds |= set(re.findall(r"PR\.renderers\.(\w+) =", text))
    reader = read(name)
    charts = [a["data-chart"] for a in reader.having("div", "data-chart")]
    assert charts
    assert len(set(charts)) == len(charts)
    for chart in charts:
        assert json.loads(reader.json[f"spec-{chart}"])["kind"] in kinds
    assert all(a.get("aria-label") for a in reader.having("div", "data-chart"))


@pytest.mark.parametrize("name", PAGES)
def test_the_same_data_gives_the_same_bytes(name):
    before = page(name)
    page.cache_clear()
    assert page(name) == before
    assert len(before.encode()) < LIMIT_BYTES


def test_identifiers_of_the_page_are_unique():
    ids = [a["id"] for name in PAGES for _, a in read(name).elements if "id" in a and name == "run"]
    assert [one for one, n in Counter(ids).items() if n > 1] == []


def test_sections_stand_in_the_order_a_reader_needs_them():
    order = [section.section_id for section in run_page(report_data()).sections]
    assert order == [
        "summary", "map", "time", "load", "disruption", "comparison", "cost", "carbon",
        "validation", "findings", "provenance",
    ]  # fmt: skip


def test_parts_without_data_are_left_out():
    bare = replace(
        report_data(),
        comparison=None,
        disruption=None,
        carbon=report_data().carbon.head(0),
        lanes=report_data().lanes.head(0),
    )
    order = [section.section_id for section in run_page(bare).sections]
    assert "comparison" not in order
    assert "disruption" not in order
    assert "carbon" not in order
    assert 'data-table="lanes"' not in render_report(bare)


def test_misses_stay_in_the_validation_table():
    text = page("run")
    assert text.count('class="verdict v-not_met"') == 2
    assert 'class="verdict v-not_decidable"' in text


def test_names_cannot_break_out_of_the_page():
    evil = '</script><script>alert("x")</script>'
    facilities = report_data().facilities.with_columns(
        name_en=pl.when(pl.col("facility_id") == "C-440100").then(pl.lit(evil)).otherwise("name_en")
    )
    text = render_report(replace(report_data(), facilities=facilities))
    assert "<script>alert" not in text
    assert "&lt;/script&gt;" in text
    Reader(text)


def test_the_map_notice_stands_under_the_map():
    assert "审图号" in page("run")
    assert "--base-map FILE" in page("run")


def test_the_language_that_is_asked_for_is_shown_first():
    assert '<html lang="en" data-lang="en" data-first="en">' in render_sweep(sweep_data(), "en")
    assert '<html lang="zh-CN" data-lang="zh" data-first="zh">' in render_sweep(sweep_data(), "zh")


def test_a_report_is_written_whole(tmp_path):
    path = write_report(report_data(), tmp_path / "out" / "report.html")
    assert path.read_text(encoding="utf-8") == page("run")
