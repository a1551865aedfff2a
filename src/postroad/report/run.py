"""The report of one run, of two runs compared, and of a sweep: sections put together into a page."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from postroad.core.files import write_text
from postroad.report.accounts import carbon_section, cost_section
from postroad.report.atlas import choose_base_map, map_spec, world_spec
from postroad.report.blocks import Block, Chart, Column, Page, Prose, Row, Section, Table
from postroad.report.contrast import comparison_section
from postroad.report.data import CompareData, ReportData, RunFacts, SweepData
from postroad.report.disruption import disruption_section
from postroad.report.evidence import facts_block, findings_section, provenance_section, source_table, validation_section
from postroad.report.horizon import day_text, shown_hours
from postroad.report.labelling import common_label, with_labels
from postroad.report.load import centre_series, load_section, waiting_by_facility
from postroad.report.page import render_page
from postroad.report.summary import summary_section
from postroad.report.text import Text
from postroad.report.timing import time_section

__all__ = [
    "compare_page",
    "render_comparison",
    "render_report",
    "render_sweep",
    "run_page",
    "sweep_page",
    "write_report",
]


def render_report(data: ReportData, language: str = "auto") -> str:
    """The report of one run as one self-contained HTML text.

    Parameters
    ----------
    data: checked frames and facts.
    language: ``en``, ``zh`` or ``auto`` (the browser's) for what is shown first; both are always inside.

    Returns the same bytes for the same data.
    """
    return render_page(run_page(data), language)


def write_report(data: ReportData, path: str | Path, language: str = "auto") -> Path:
    """Write :func:`render_report` to a file and return its path."""
    write_text(path, render_report(data, language))
    return Path(path)


def render_comparison(data: CompareData, language: str = "auto") -> str:
    """The report of two runs compared, as one self-contained HTML text."""
    return render_page(compare_page(data), language)


def render_sweep(data: SweepData, language: str = "auto") -> str:
    """The report of a sweep: one chart a measure over the swept number, as one self-contained HTML text."""
    return render_page(sweep_page(data), language)


def run_page(data: ReportData) -> Page:
    """The page of one run: summary, map, time, load, cost, carbon, comparison, disruption, evidence."""
    sections: list[Section | None] = [summary_section(data), _map_section(data), time_section(data), load_section(data)]
    if data.disruption is not None:
        sections.append(disruption_section(data.disruption, data.facts))
    if data.comparison is not None:
        name = Text("this run", "本次运行")
        sections.append(comparison_section(data.comparison, name, data.hourly, data.hours, data.facts))
    sections += [
        cost_section(data.cost),
        carbon_section(data.carbon),
        validation_section(data.validation),
        findings_section(data.findings),
        provenance_section(data),
    ]
    shared = {"epoch": _epoch(data.facts), "centres": []}
    if not data.centre_hourly.is_empty() and not data.facilities.is_empty():
        shared["centres"] = centre_series(data, shown_hours(data.facts, data.hourly))
    return Page(data.title, data.subtitle, tuple(s for s in sections if s is not None), _stamp(data.facts), shared)


def _epoch(facts: RunFacts) -> list[int]:
    at = facts.epoch
    return [at.year, at.month, at.day, at.hour]


def _stamp(facts: RunFacts) -> tuple[tuple[Text, Text], ...]:
    level = {"city": "市级", "county": "县级"}.get(facts.level, facts.level)
    return (
        (Text("scenario", "方案"), Text(facts.scenario, facts.scenario)),
        (Text("network", "网络"), Text(f"{facts.network} · {facts.level}", f"{facts.network} · {level}")),
        (Text("day", "考察日"), day_text(facts, facts.measured_from_h)),
        (Text("seed", "随机种子"), Text(str(facts.seed), str(facts.seed))),
        (Text("result", "结果摘要"), Text(facts.result_digest[:12], facts.result_digest[:12])),
    )


def _map_section(data: ReportData) -> Section | None:
    if data.facilities.is_empty():
        return None
    base = data.base_map or choose_base_map(data.facilities)
    n_hours = shown_hours(data.facts, data.hourly)
    waiting = waiting_by_facility(data.centre_hourly, n_hours)
    spec = {"kind": "map", **map_spec(base, data.facilities, data.lanes, data.places, waiting)}
    spec["n_hours"] = n_hours
    spec["peak_from"] = data.facts.measured_from_h
    title = Text("Flows, hubs and backlog", "流向、枢纽与滞留")
    blocks: list[Block] = [Chart("map", title, spec, common_label(data.facilities), None, 640)]
    world = world_spec(base, data.facilities, data.lanes)
    if world is not None:
        text = Text("Gateways abroad", "境外通道")
        blocks.append(
            Chart("world", text, {"kind": "map", "is_small": True, **world}, common_label(data.facilities), None, 360)
        )
    return Section("map", Text("The network", "网络"), tuple(blocks), short=Text("Map", "地图"))


def compare_page(data: CompareData) -> Page:
    """The page of two runs compared."""
    section = comparison_section(data.comparison, data.name, data.hourly, data.hours, data.facts)
    sections = [section]
    if data.disruption is not None:
        sections.append(disruption_section(data.disruption, data.facts))
    blocks: list[Block] = [Prose((data.name,), tone="head"), facts_block(data.facts)]
    blocks += [Prose((data.comparison.name,), tone="head"), facts_block(data.facts_other)]
    if not data.sources.is_empty():
        blocks.append(source_table(data.sources))
    sections.append(Section("provenance", Text("Provenance", "来源与复现"), tuple(blocks)))
    return Page(
        data.title, data.subtitle, tuple(sections), _stamp(data.facts), {"epoch": _epoch(data.facts), "centres": []}
    )


def sweep_page(data: SweepData) -> Page:
    """The page of a sweep."""
    charts: list[Chart] = []
    for measure in data.sweep["measure_id"].unique(maintain_order=True).to_list():
        part = data.sweep.filter(pl.col("measure_id") == measure).sort("x")
        low, high = (part[c].to_list() if c in part.columns else None for c in ("low", "high"))
        name = Text(part["name_en"][0], part["name_zh"][0])
        series = {
            "name": name.as_dict(),
            "values": part["value"].to_list(),
            "low": low,
            "high": high,
            "has_points": True,
        }
        spec = {
            "kind": "line",
            "x_unit": data.unit,
            "x_name": data.parameter.as_dict(),
            "unit": part["unit"][0],
            "x": part["x"].to_list(),
            "series": [series],
        }
        charts.append(Chart(f"sweep_{measure}", name, spec, common_label(part), None, 280))
    rows = tuple(Row(tuple(charts[k : k + 2])) for k in range(0, len(charts), 2))
    columns = [
        Column("name", Text("measure", "指标"), "name"),
        Column("x", data.parameter, unit=data.unit, decimals=3, label="derived"),
        Column("value", Text("value", "数值"), unit="@unit", decimals=2),
        Column("low", Text("from", "下限"), unit="@unit", decimals=2),
        Column("high", Text("to", "上限"), unit="@unit", decimals=2),
        Column("unit", Text("unit", "单位"), "uom"),
    ]
    table = Table("sweep", Text("All points", "全部数据点"), with_labels(columns, data.sweep), data.sweep, n_shown=40)
    lead = Text(
        f"Each point is the mean of {data.n_seeds} seed(s); the band is its interval.",
        f"每点为 {data.n_seeds} 个随机种子的均值，阴影为其区间。",
    )
    evidence: list[Block] = [facts_block(data.facts)]
    if not data.sources.is_empty():
        evidence.append(source_table(data.sources))
    sections = (
        Section(
            "sweep", Text(f"Over {data.parameter.en}", f"随{data.parameter.zh}变化"), (Prose((lead,)), *rows, table)
        ),
        Section("provenance", Text("Provenance", "来源与复现"), tuple(evidence)),
    )
    return Page(data.title, data.subtitle, sections, _stamp(data.facts), {"epoch": _epoch(data.facts), "centres": []})
