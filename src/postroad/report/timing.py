"""The time section: how long items took, by segment, product, region and hour of acceptance."""

from __future__ import annotations

from itertools import pairwise

import polars as pl

from postroad.report.blocks import Block, Chart, Column, Row, Section, Table
from postroad.report.data import ReportData
from postroad.report.labelling import common_label, with_labels
from postroad.report.text import Text

__all__ = ["hours_chart", "place_table", "time_section"]

SEGMENTS = (
    ("origin_handling_h", Text("origin handling", "寄出地处理")),
    ("transport_h", Text("transport", "运输")),
    ("destination_handling_h", Text("destination handling", "寄达地处理")),
    ("delivery_h", Text("delivery", "投递")),
)
MAX_ROWS = 400

_BY_TEXTS = {
    "product": Text("product", "产品"),
    "destination_region": Text("region of destination", "寄达区域"),
    "origin_region": Text("region of origin", "寄出区域"),
    "release_hour": Text("hour of acceptance", "收寄时刻"),
    "release_day": Text("day of acceptance", "收寄日"),
    "distance": Text("distance", "距离"),
    "destination": Text("destination", "寄达地"),
    "origin": Text("origin", "寄出地"),
    "region": Text("region", "区域"),
    "scope": Text("scope", "范围"),
    "mode": Text("mode", "运输方式"),
    "destination_province": Text("province of destination", "寄达省份"),
    "origin_province": Text("province of origin", "寄出省份"),
    "all": Text("all", "合计"),
}


def by_text(by: str) -> Text:
    """How a breakdown is called; an unknown one keeps the user's word."""
    return _BY_TEXTS.get(by, Text(by, by))


def time_section(data: ReportData) -> Section | None:
    """Distribution, segments, breakdowns, pairs and destinations; None when nothing is known about hours."""
    blocks: list[Block] = []
    if not data.hours.is_empty():
        blocks.append(hours_chart("hours", ((Text("", ""), data.hours),), data.facts.label))
    blocks.extend(_segment_rows(data.measures))
    blocks.extend(_breakdown_tables(data.measures))
    if not data.pairs.is_empty():
        blocks.append(_pair_table(data.pairs))
    if not data.places.is_empty():
        blocks.append(place_table(data.places))
    if not blocks:
        return None
    return Section("time", Text("How long it took", "全程时限"), tuple(blocks), short=Text("Time", "时限"))


def hours_chart(chart_id: str, runs: tuple[tuple[Text, pl.DataFrame], ...], label: str) -> Chart:
    """The distribution of total hours by product; several runs are drawn over one another, all products together."""
    frames = [frame for _, frame in runs]
    edges = sorted({hour for frame in frames for hour in frame["hour"].to_list()})
    step = min((b - a for a, b in pairwise(edges)), default=1)
    grid = list(range(edges[0], edges[-1] + step, step))
    series = []
    for name, frame in runs:
        if len(runs) > 1:
            series.append({"name": name.as_dict(), "values": _on_grid(frame, grid)})
            continue
        for product in frame["product_id"].unique(maintain_order=True).to_list():
            part = frame.filter(pl.col("product_id") == product)
            text = Text(part["name_en"][0], part["name_zh"][0])
            series.append({"name": text.as_dict(), "values": _on_grid(part, grid)})
    spec = {"kind": "hist", "from": grid[0], "step": step, "unit": "h", "series": series, "marks": [24, 48, 72]}
    return Chart(
        chart_id,
        Text("Hours from acceptance to delivery", "收寄至妥投小时数分布"),
        spec,
        label,
        Text(
            "Share of the items in each class of hours (columns) and share that had arrived by then (line).",
            "各时长区间的件数占比（柱）与累计妥投占比（线）。",
        ),
        340,
    )


def _on_grid(frame: pl.DataFrame, grid: list[int]) -> list[int]:
    counts = dict(frame.group_by("hour").agg(pl.col("n_items").sum()).iter_rows())
    return [counts.get(hour, 0) for hour in grid]


def _segment_rows(measures: pl.DataFrame) -> list[Block]:
    """Segments stacked for each product, region and for all, where they are known."""
    ids = [name for name, _ in SEGMENTS]
    known = measures.filter(
        pl.col("measure_id").is_in(ids) & pl.col("by").is_in(["all", "product", "destination_region"])
    )
    if known.is_empty():
        return []
    rows = []
    for (_, key), part in known.group_by("by", "key", maintain_order=True):
        values = dict(part.select("measure_id", "value").iter_rows())
        if all(name in values for name in ids):
            text = Text(part["key_en"][0], part["key_zh"][0])
            rows.append({"name": text.as_dict(), "id": str(key), "values": [round(values[name], 3) for name in ids]})
    spec = {"kind": "stack", "unit": "h", "parts": [text.as_dict() for _, text in SEGMENTS], "rows": rows}
    note = Text("Four consecutive segments; they sum to the total.", "四个连续环节，合计等于全程。")
    chart = Chart(
        "segments", Text("Where the hours go", "时间花在哪里"), spec, common_label(known), note, 60 + 38 * len(rows)
    )
    by_hour = measures.filter((pl.col("by") == "release_hour") & (pl.col("measure_id") == "total_h"))
    if by_hour.is_empty():
        return [chart]
    return [Row((chart, _hour_chart(by_hour)))]


def _hour_chart(frame: pl.DataFrame) -> Chart:
    rows = sorted((int(key), round(value, 3)) for key, value in frame.select("key", "value").iter_rows())
    spec = {
        "kind": "line",
        "x_unit": "clock",
        "unit": "h",
        "x": [hour for hour, _ in rows],
        "series": [{"name": Text("mean hours", "平均小时").as_dict(), "values": [value for _, value in rows]}],
    }
    title = Text("Mean hours by hour of acceptance", "按收寄时刻的平均小时数")
    return Chart("hours_by_acceptance", title, spec, common_label(frame), None, 280)


def _breakdown_tables(measures: pl.DataFrame) -> list[Block]:
    """One wide table for each breakdown: classes down, measures across."""
    blocks: list[Block] = []
    for by in measures["by"].unique(maintain_order=True).to_list():
        part = measures.filter(pl.col("by") == by)
        keys = part.select("key", "key_en", "key_zh").unique(maintain_order=True)
        columns = [Column("key", by_text(by), "name")]
        if "n_items" in part.columns and part["n_items"].drop_nulls().len():
            counts = part.group_by("key", maintain_order=True).agg(pl.col("n_items").max())
            keys = keys.join(counts, on="key", how="left", maintain_order="left")
            columns.append(Column("n_items", Text("items", "件数"), unit="items", label=common_label(part)))
        for measure in part["measure_id"].unique(maintain_order=True).to_list():
            rows = part.filter(pl.col("measure_id") == measure)
            keys = keys.join(
                rows.select("key", pl.col("value").alias(measure)), on="key", how="left", maintain_order="left"
            )
            name = Text(rows["name_en"][0], rows["name_zh"][0])
            columns.append(Column(measure, name, unit=rows["unit"][0], label=rows["label"][0]))
        if by == "all":
            blocks.append(Table("measures", Text("All measures", "全部指标"), tuple(columns), keys))
            continue
        title = Text(f"Measures by {by_text(by).en}", f"指标：按{by_text(by).zh}")
        blocks.append(Table(f"measures_by_{by}", title, tuple(columns), keys, n_shown=8))
    return blocks


def _pair_table(pairs: pl.DataFrame) -> Table:
    columns = [
        Column("origin", Text("origin", "寄出地"), "name"),
        Column("destination", Text("destination", "寄达地"), "name"),
        Column("n_items", Text("items", "件数"), unit="items"),
        Column("distance_km", Text("distance", "距离"), unit="km"),
        Column("total_h", Text("total", "全程"), unit="h", is_bar=True),
        Column("promise_h", Text("promised", "承诺"), unit="h"),
        Column("on_time_share", Text("on time", "准时率"), unit="share"),
    ]
    return Table(
        "worst_pairs",
        Text("Slowest pairs", "最慢的城市对"),
        with_labels(columns, pairs),
        pairs.head(MAX_ROWS),
        Text(
            "City pairs, the longest mean hours first.",
            "城市对按平均全程小时由长到短排列。",
        ),
        full=pairs,
    )


def place_table(places: pl.DataFrame) -> Table:
    """Hours by place of destination, slowest first."""
    ordered = places.sort("total_h", "place_id", descending=[True, False], nulls_last=True)
    columns = [
        Column("name", Text("destination", "寄达地"), "name"),
        Column("region", Text("region", "区域"), "term"),
        Column("n_items", Text("items", "件数"), unit="items"),
        Column("total_h", Text("mean hours", "平均全程"), unit="h", is_bar=True),
        Column("on_time_share", Text("on time", "准时率"), unit="share"),
    ]
    title = Text("Hours by destination", "按寄达地的全程时限")
    return Table("destinations", title, with_labels(columns, places), ordered.head(MAX_ROWS), full=ordered)
