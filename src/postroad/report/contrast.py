"""Runs against one another: another run beside this one, and a run with and without its disruption."""

from __future__ import annotations

import polars as pl

from postroad.report.blocks import Block, Chart, Column, Prose, Row, Section, Table
from postroad.report.data import Comparison, Disruption, RunFacts
from postroad.report.horizon import measured_bands, shown_hours
from postroad.report.labelling import common_label, with_labels
from postroad.report.summary import comparison_sentences, disruption_sentences
from postroad.report.text import Text
from postroad.report.timing import by_text, hours_chart

__all__ = ["comparison_section", "disruption_section"]


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
        Column("label", Text("label", "性质"), "label"),
        Column("source", Text("source", "来源"), "text"),
    ]
    frame = comparison.differences
    return Table("differences", Text("Paired differences", "成对差值"), with_labels(columns, frame), frame, n_shown=40)


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


def disruption_section(disruption: Disruption, facts: RunFacts) -> Section:
    """What was delayed, where the backlog stood, when it cleared."""
    blocks: list[Block] = [Prose(tuple(disruption_sentences(disruption, facts)), tone="lead")]
    if not disruption.backlogs.is_empty():
        blocks.append(_disrupted_backlog(disruption, facts))
    if not disruption.centres.is_empty():
        blocks.append(_centre_table(disruption))
    if not disruption.delays.is_empty():
        blocks.append(Row(tuple(_delay_tables(disruption))))
    return Section("disruption", Text("Disruption", "中断影响"), tuple(blocks))


def _last_hour(disruption: Disruption, facts: RunFacts) -> int:
    """Where the chart ends: a day after the backlog cleared or was last more than the undisturbed run's."""
    more = disruption.backlogs.filter(pl.col("disrupted") > pl.col("undisturbed") * 1.01 + 1)
    ends = [disruption.to_hour, disruption.cleared_hour or 0, facts.measured_to_h, int(more["hour"].max() or 0)]
    return max(ends) + 24


def _disrupted_backlog(disruption: Disruption, facts: RunFacts) -> Chart:
    """The backlog of the centre that was hit and, as a sum, of all others named."""
    band = {"from": disruption.from_hour, "to": disruption.to_hour, "name": disruption.name.as_dict(), "tone": "alert"}
    marks = []
    if disruption.cleared_hour is not None:
        marks.append({"at": disruption.cleared_hour, "name": Text("cleared", "消化完毕").as_dict()})
    here = disruption.backlogs.filter(pl.col("facility_id") == disruption.facility_id).sort("hour")
    rest = (
        disruption.backlogs.filter(pl.col("facility_id") != disruption.facility_id)
        .group_by("hour")
        .agg(pl.col("disrupted").sum(), pl.col("undisturbed").sum())
        .sort("hour")
    )
    last = _last_hour(disruption, facts)
    hours = sorted(hour for hour in set(disruption.backlogs["hour"].to_list()) if hour < last)
    series = []
    for frame, names, tones in (
        (here, (Text("here", "本中心"), Text("here, undisturbed", "本中心（无中断）")), ("alert", "muted")),
        (
            rest,
            (Text("other centres", "其他中心"), Text("others, undisturbed", "其他中心（无中断）")),
            ("cool", "faint"),
        ),
    ):
        if frame.is_empty():
            continue
        for column, name, tone in zip(("disrupted", "undisturbed"), names, tones, strict=True):
            values = dict(frame.select("hour", column).iter_rows())
            style = (
                {"is_area": True}
                if column == "disrupted" and tone == "alert"
                else {"is_dashed": column == "undisturbed"}
            )
            series.append(
                {"name": name.as_dict(), "values": [values.get(hour) for hour in hours], "tone": tone, **style}
            )
    spec = {
        "kind": "line",
        "x_unit": "hour",
        "unit": "items",
        "x": hours,
        "series": series,
        "bands": [*measured_bands(facts), band],
        "marks": marks,
    }
    title = Text("Where the backlog stood and when it cleared", "滞留位置与消化时间")
    return Chart("disruption_backlog", title, spec, disruption.label, None, 340)


def _centre_table(disruption: Disruption) -> Table:
    frame = disruption.centres.with_columns(more=pl.col("peak_disrupted") - pl.col("peak_undisturbed"))
    ordered = frame.sort("more", "facility_id", descending=[True, False])
    columns = [
        Column("name", Text("centre", "中心"), "name"),
        Column("peak_disrupted", Text("peak backlog", "最大滞留"), unit="items", is_bar=True),
        Column("peak_undisturbed", Text("without it", "无中断时"), unit="items"),
        Column("more", Text("more", "增加"), unit="items"),
        Column("clear_hour", Text("cleared at", "消化时刻"), "hour"),
    ]
    title = Text("Where it waited because of it", "受影响中心的滞留")
    return Table("disrupted_centres", title, with_labels(columns, frame), ordered.head(400), full=ordered)


def _delay_tables(disruption: Disruption) -> list[Table]:
    tables = []
    for by in disruption.delays["by"].unique(maintain_order=True).to_list():
        part = disruption.delays.filter(pl.col("by") == by)
        with_share = part.with_columns(delayed_share=pl.col("n_delayed") / pl.col("n_items"))
        columns = [
            Column("key", by_text(by), "name"),
            Column("n_items", Text("items", "件数"), unit="items"),
            Column("n_delayed", Text("delayed", "延误件数"), unit="items"),
            Column("delayed_share", Text("share delayed", "延误占比"), unit="share", is_bar=True),
            Column("mean_delay_h", Text("mean delay", "平均延误"), unit="h"),
            Column("max_delay_h", Text("longest", "最长"), unit="h"),
        ]
        title = Text(f"What was delayed, by {by_text(by).en}", f"延误情况：按{by_text(by).zh}")
        tables.append(Table(f"delays_by_{by}", title, with_labels(columns, with_share), with_share))
    return tables
