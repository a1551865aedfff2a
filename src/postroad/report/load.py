"""The load section: what was sorted, what waited where and when, and how full the vehicles were."""

from __future__ import annotations

import polars as pl

from postroad.report.blocks import Block, Chart, Column, Section, Table
from postroad.report.data import ReportData
from postroad.report.horizon import measured_bands, shown_hours
from postroad.report.labelling import common_label, with_labels
from postroad.report.text import TERMS, Text

__all__ = ["centre_series", "load_section", "waiting_by_facility"]

MAX_CENTRES = 60
"""Centres whose full hourly series are embedded (the explorer and the heat map)."""
MAX_ROWS = 400
HEAT_ROWS = 30

MODES = ("road", "rail", "air", "water")


def load_section(data: ReportData) -> Section | None:
    """National hours, centres by hour, worst centres and lanes; None when there is none of it."""
    blocks: list[Block] = []
    if not data.hourly.is_empty():
        blocks.extend(_national_charts(data))
    if not data.centre_hourly.is_empty():
        blocks.extend(_centre_charts(data))
    if not data.facilities.is_empty():
        blocks.append(_centre_table(data.facilities))
    if not data.lanes.is_empty():
        blocks.extend([_fill_chart(data.lanes), _lane_table(data)])
    if not blocks:
        return None
    return Section("load", Text("Load and backlog", "负荷与滞留"), tuple(blocks), short=Text("Load", "负荷"))


def waiting_by_facility(centre_hourly: pl.DataFrame, n_hours: int) -> dict[str, dict[str, list[int]]]:
    """Items waiting to be sorted (``in``) and to leave (``out``) by hour and facility, zeros at the end trimmed."""
    series: dict[str, dict[str, list[int]]] = {"in": {}, "out": {}}
    if centre_hourly.is_empty():
        return series
    for side, waiting in series.items():
        column = f"backlog_{side}"
        largest = centre_hourly.group_by("facility_id").agg(n=pl.col(column).max()).filter(pl.col("n") > 0)
        kept = largest.sort("n", "facility_id", descending=[True, False]).head(MAX_ROWS).select("facility_id")
        rows = centre_hourly.join(kept, on="facility_id", how="semi").sort("facility_id", "hour")
        for (name,), part in rows.group_by("facility_id", maintain_order=True):
            waiting[str(name)] = _dense(part, column, n_hours)
    return series


def _dense(part: pl.DataFrame, column: str, n_hours: int) -> list[int]:
    """Values on hours 0..n-1; hours without a row are zero; zeros at the end are cut off."""
    values = [0] * n_hours
    for hour, value in part.select("hour", column).iter_rows():
        if value is not None and 0 <= hour < n_hours:
            values[hour] = int(value)
    while values and values[-1] == 0:
        values.pop()
    return values


def centre_series(data: ReportData, n_hours: int) -> list[dict[str, object]]:
    """Hourly series of the centres with the largest backlogs, worst first."""
    texts = [f"short_{lang}" if f"short_{lang}" in data.facilities.columns else f"name_{lang}" for lang in ("en", "zh")]
    largest = data.centre_hourly.group_by("facility_id").agg(
        first=pl.col("backlog_in").max(), second=pl.col("backlog_out").max()
    )
    named = data.facilities.select("facility_id", en=texts[0], zh=texts[1])
    order = largest.join(named, on="facility_id").sort("first", "second", "facility_id", descending=[True, True, False])
    kept = order.head(MAX_CENTRES)
    parts = data.centre_hourly.join(kept.select("facility_id"), on="facility_id", how="semi")
    by_name = parts.partition_by("facility_id", as_dict=True)
    columns = [name for name in ("sorted", "backlog_in", "backlog_out", "capacity") if name in parts.columns]
    return [
        {"id": name, "name": {"en": en, "zh": zh}} | {c: _dense(by_name[(name,)], c, n_hours) for c in columns}
        for name, en, zh in kept.select("facility_id", "en", "zh").iter_rows()
    ]


def _national_charts(data: ReportData) -> list[Block]:
    shown = shown_hours(data.facts, data.hourly)
    hourly = data.hourly.sort("hour").filter(pl.col("hour") < shown)
    bands = measured_bands(data.facts)
    if data.disruption is not None:
        bands.append(
            {
                "from": data.disruption.from_hour,
                "to": data.disruption.to_hour,
                "name": data.disruption.name.as_dict(),
                "tone": "alert",
            }
        )

    def series(column: str, en: str, zh: str, **style: object) -> dict[str, object]:
        return {"name": {"en": en, "zh": zh}, "values": hourly[column].to_list(), **style}

    work = {
        "kind": "line",
        "x_unit": "hour",
        "unit": "items",
        "x": hourly["hour"].to_list(),
        "bands": bands,
        "series": [
            series("backlog_in", "waiting to be sorted", "等待分拣", is_area=True, tone="alert"),
            series("backlog_out", "sorted, waiting to leave", "已分拣待发", is_area=True, tone="warm"),
            series("sorted", "sorted in the hour", "当小时分拣量", tone="accent"),
        ],
    }
    custody = {
        "kind": "line",
        "x_unit": "hour",
        "unit": "items",
        "x": hourly["hour"].to_list(),
        "bands": bands,
        "series": [
            series("created", "accepted so far", "累计收寄", tone="muted"),
            series("delivered", "delivered so far", "累计妥投", tone="accent"),
            series("in_custody", "under way", "在途", is_area=True, tone="cool"),
        ],
    }
    returned, lost = (int(data.hourly[column].max()) for column in ("returned", "lost"))
    kept = Text(
        f"Accepted = delivered + under way + returned ({returned:,}) + lost ({lost:,}), checked exactly at every hour.",
        f"收寄 = 妥投 + 在途 + 退回（{returned:,}）+ 丢失（{lost:,}），逐小时严格核对。",
    )
    label = data.facts.label
    return [
        Chart(
            "national_load", Text("Sorting and backlog of the whole network", "全网分拣与滞留"), work, label, None, 340
        ),
        Chart(
            "national_custody", Text("Accepted, under way, delivered", "收寄、在途、妥投"), custody, label, kept, 300
        ),
    ]


def _centre_charts(data: ReportData) -> list[Block]:
    heat = {"kind": "heat", "rows": HEAT_ROWS, "unit": "items", "bands": measured_bands(data.facts)}
    explorer = {"kind": "explorer", "unit": "items", "bands": measured_bands(data.facts)}
    label = data.facts.label
    return [
        Chart(
            "centre_heat",
            Text("Where it waited, hour by hour", "各中心逐时滞留"),
            heat,
            label,
            Text("The centres with the largest backlogs; darker means more items waiting. Choose one to see its hours.",
                 "滞留最多的中心，颜色越深滞留越多；点击可查看该中心逐时情况。"),
            40 + 19 * min(HEAT_ROWS, data.centre_hourly["facility_id"].n_unique()),
        ),
        Chart(
            "centre_explorer",
            Text("One centre by hour", "单个中心逐时情况"),
            explorer,
            label,
            None,
            300,
        ),
    ]  # fmt: skip


def _centre_table(facilities: pl.DataFrame) -> Table:
    ordered = facilities.sort("peak_backlog_items", "facility_id", descending=[True, False])
    columns = [
        Column("name", Text("centre", "中心"), "name"),
        Column("kind", Text("kind", "类型"), "term"),
        Column("sorted_items", Text("sorted", "分拣量"), unit="items"),
        Column("use_share", Text("use", "利用率"), unit="share", is_bar=True),
        Column("peak_backlog_items", Text("most waiting to be sorted", "待分拣峰值"), unit="items", is_bar=True),
        Column("peak_hour", Text("peak at", "峰值时刻"), "hour"),
        Column("clear_hour", Text("cleared at", "消化时刻"), "hour"),
    ]
    return Table(
        "centres",
        Text("Centres, most waiting to be sorted first", "处理中心（按待分拣峰值排序）"),
        with_labels(columns, facilities),
        ordered.head(MAX_ROWS),
        full=ordered,
    )


def _fill_chart(lanes: pl.DataFrame) -> Chart:
    """Items by how full their vehicle was, by mode, in classes of five per cent."""
    known = lanes.filter(pl.col("fill_share").is_not_null())
    classes = known.with_columns(bin=(pl.col("fill_share").clip(0.0, 0.9999) * 20).cast(pl.Int64))
    series = []
    for mode in [mode for mode in MODES if mode in set(classes["mode"].to_list())]:
        sums = dict(
            classes.filter(pl.col("mode") == mode).group_by("bin").agg(pl.col("items_per_day").sum()).iter_rows()
        )
        series.append(
            {"name": TERMS[mode].as_dict(), "values": [round(sums.get(k, 0)) for k in range(20)], "mode": mode}
        )
    spec = {"kind": "hist", "from": 0, "step": 5, "unit": "percent", "series": series, "marks": [], "is_stacked": True}
    return Chart(
        "vehicle_fill",
        Text("How full the vehicles were", "车辆装载率"),
        spec,
        common_label(lanes),
        Text("Items by the fill of the lane that carried them: the tightest of pieces, weight and volume.",
             "按所乘线路的装载率统计件数，取件数、重量、体积三者中最紧者。"),
        280,
    )  # fmt: skip


def _lane_table(data: ReportData) -> Table:
    names = data.facilities.select("facility_id", "name_en", "name_zh")
    frame = data.lanes
    for side in ("from", "to"):
        named = names.rename({"facility_id": f"{side}_facility", "name_en": f"{side}_en", "name_zh": f"{side}_zh"})
        frame = frame.join(named, on=f"{side}_facility", how="left", maintain_order="left")
        frame = frame.with_columns(
            pl.col(f"{side}_{lang}").fill_null(pl.col(f"{side}_facility")) for lang in ("en", "zh")
        )
    worst = [name for name in ("left_items", "fill_share", "items_per_day") if name in frame.columns]
    frame = frame.sort(
        *worst, "from_facility", "to_facility", descending=[True] * len(worst) + [False] * 2, nulls_last=True
    )
    columns = [
        Column("from", Text("from", "起点"), "name"),
        Column("to", Text("to", "终点"), "name"),
        Column("mode", Text("mode", "方式"), "term"),
        Column("items_per_day", Text("carried", "运量"), unit="items_per_day"),
        Column("trips_per_day", Text("run", "开行"), unit="trips_per_day", decimals=1),
        Column("fill_share", Text("fill", "装载率"), unit="share", is_bar=True),
        Column("left_items", Text("left behind", "甩件"), unit="items"),
        Column("distance_km", Text("distance", "距离"), unit="km"),
    ]
    title, note = Text("Lanes, fullest first", "线路（按装载率排序）"), None
    if worst[0] == "left_items":
        title = Text("Lanes, most left behind first", "线路（按甩件排序）")
        note = Text(
            "An item counts as left behind each time a full departure leaves without it.",
            "每次因车满未能装运即计一次甩件。",
        )
    return Table("lanes", title, with_labels(columns, data.lanes), frame.head(MAX_ROWS), note, full=frame)
