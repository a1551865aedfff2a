"""Another run beside this one, measure by measure."""

from __future__ import annotations

import polars as pl

from postroad.report.blocks import Block, Chart, Column, Prose, Row, Section, Table
from postroad.report.data import Comparison, RunFacts
from postroad.report.horizon import measured_bands, shown_hours
from postroad.report.labelling import common_label, with_labels
from postroad.report.summary import comparison_sentences
from postroad.report.text import Text, source_text
from postroad.report.timing import hours_chart

__all__ = ["comparison_section"]


def comparison_section(
    comparison: Comparison, name: Text, hourly: pl.DataFrame, hours: pl.DataFrame, facts: RunFacts
) -> Section:
    """The other run beside this one.

    Parameters
    ----------
    name: what this run is called beside the other.
    hourly, hours: frames of this run, drawn over the other's where both are known.
    """
    blocks: list[Block] = [Prose((comparison.note, *comparison_sentences(comparison)))]
    blocks.append(_difference_chart(comparison, name))
    blocks.append(_difference_table(comparison, name))
    pair: list[Chart] = []
    if not hourly.is_empty() and not comparison.hourly_other.is_empty():
        pair.append(_backlog_overlay(comparison, name, hourly, facts))
    if not hours.is_empty() and not comparison.hours_other.is_empty():
        pair.append(hours_chart("hours_both", ((name, hours), (comparison.name, comparison.hours_other)), facts.label))
    if pair:
        blocks.append(Row(tuple(pair)))
    title = Text(f"Beside it: {comparison.name.en}", f"对照：{comparison.name.zh}")
    return Section("comparison", title, tuple(blocks), short=Text("Comparison", "对照"))


def _difference_chart(comparison: Comparison, name: Text) -> Chart:
    rows = [
        {
            "name": {"en": row["name_en"], "zh": row["name_zh"]},
            "unit": row["unit"],
            "base": row["base"],
            "other": row["other"],
            "difference": row["difference"],
            "low": row.get("low"),
            "high": row.get("high"),
            "better": row["better"],
        }
        for row in comparison.differences.iter_rows(named=True)
    ]
    note = Text(
        "Change of each measure relative to this run; whiskers are the interval over paired seeds.",
        "各指标相对本次运行的变化；误差线为成对随机种子的区间。",
    )
    title = Text(f"{comparison.name.en} against {name.en}", f"{comparison.name.zh}与{name.zh}之差")
    spec = {"kind": "differences", "rows": rows}
    return Chart("differences", title, spec, common_label(comparison.differences), note, 40 + 34 * len(rows))


def _difference_table(comparison: Comparison, name: Text) -> Table:
    """The differences; intervals only where several seeds were run."""
    frame = comparison.differences
    columns = [
        Column("name", Text("measure", "指标"), "name"),
        Column("unit", Text("unit", "单位"), "uom"),
        Column("base", name, unit="@unit", decimals=2),
        Column("other", comparison.name, unit="@unit", decimals=2),
        Column("difference", Text("difference", "差值"), unit="@unit", decimals=2),
        Column("low", Text("from", "下限"), unit="@unit", decimals=2),
        Column("high", Text("to", "上限"), unit="@unit", decimals=2),
        Column("n_pairs", Text("pairs", "对数"), decimals=0),
        Column("better", Text("better", "优向"), "term"),
    ]
    if "low" not in frame.columns or frame["low"].null_count() == len(frame):
        columns = [column for column in columns if column.key not in ("low", "high", "n_pairs")]
    sources = [source_text(source) for source in frame["source"].unique(maintain_order=True)]
    note = Text(
        f"Difference: the other less this one; of shares, in percentage points. "
        f"Source: {', '.join(text.en for text in sources)}.",
        f"差值为对照减本次；占比之差以百分点计。来源：{'、'.join(text.zh for text in sources)}。",
    )
    title = Text("Paired differences", "成对差值")
    return Table("differences", title, with_labels(columns, frame), frame, note, n_shown=40)


def _backlog_overlay(comparison: Comparison, name: Text, hourly: pl.DataFrame, facts: RunFacts) -> Chart:
    waiting = {}
    for key, frame in (("this", hourly), ("other", comparison.hourly_other)):
        waiting[key] = dict(frame.select("hour", n=pl.col("backlog_in") + pl.col("backlog_out")).iter_rows())
    shown = shown_hours(facts, hourly, comparison.hourly_other)
    hours = sorted(hour for hour in waiting["this"].keys() | waiting["other"].keys() if hour < shown)
    series = [
        {"name": name.as_dict(), "values": [waiting["this"].get(hour) for hour in hours], "tone": "accent"},
        {"name": comparison.name.as_dict(), "values": [waiting["other"].get(hour) for hour in hours], "tone": "alert"},
    ]
    spec = {
        "kind": "line",
        "x_unit": "hour",
        "unit": "items",
        "x": hours,
        "series": series,
        "bands": measured_bands(facts),
    }
    return Chart("backlog_both", Text("Items waiting in the whole network", "全网滞留量"), spec, facts.label, None, 340)
