"""The report of a drill: its grade, what is cut off, when relief arrives, which reserve to call on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from postroad.report.blocks import Block, Card, Cards, Chart, Column, Facts, Page, Prose, Section, Table
from postroad.report.evidence import source_table
from postroad.report.page import render_page
from postroad.report.text import Text, format_value

__all__ = [
    "CLASS_TEXTS",
    "COLOUR_TEXTS",
    "CRITERION_TEXTS",
    "REASON_TEXTS",
    "STATUS_TEXTS",
    "DrillData",
    "render_drill",
]

REASON_TEXTS = {
    "lost": Text("an end is lost", "一端处于损失范围"),
    "nothing_in": Text("nothing leads there", "无路可达"),
    "nothing_out": Text("nothing leads out", "无路可出"),
    "apart": Text("nothing leads from one to the other", "两地之间无路"),
    "": Text("what lies at the other end", "对端原因"),
}
CLASS_TEXTS = {
    "untouched": Text("cheapest way untouched", "最省路由未受影响"),
    "other_way": Text("has another way", "另有路由"),
    "cut_off": Text("cut off", "中断"),
    "no_way_before": Text("had no way before", "原本无路由"),
}
STATUS_TEXTS = {
    "complete": Text("all arrived", "全部送达"),
    "partly": Text("part arrived", "部分送达"),
    "none": Text("nothing arrived", "未送达"),
}
COLOUR_TEXTS = {
    "red": Text("red", "红色"),
    "orange": Text("orange", "橙色"),
    "yellow": Text("yellow", "黄色"),
    "blue": Text("blue", "蓝色"),
}
CRITERION_TEXTS = {
    "deaths": Text("deaths", "死亡人数"),
    "serious_injuries": Text("seriously injured", "重伤人数"),
    "loss_yuan": Text("direct economic loss", "直接经济损失"),
    "blocked": Text("network blocked (1 city, 2 province, 3 nation)", "网络阻断（1 市、2 省、3 全国）"),
    "leaked_records": Text("users' records leaked", "泄露用户信息条数"),
    "backlog_h": Text("backlog in hours of handling", "积压折合处理小时数"),
}
_SCHEMES = {
    "order-493": Text("State Council order 493", "国务院令第 493 号"),
    "postal-plan-2019": Text("national postal emergency plan, 2019", "国家邮政业突发事件应急预案（2019）"),
}
_STATES = {
    "verified": Text("verified", "已核实"),
    "unverified": Text("unverified: from memory", "未核实：凭记忆"),
}
KIND_TEXTS = {
    "vehicles": Text("freed vehicles", "腾出的车辆"),
    "centre": Text("room at a centre", "分拨中心余力"),
    "mode": Text("mode of transport", "运输方式"),
}
MAX_ROWS = 1000
"""Rows of a table on the page; the drill's folder keeps all of them as Parquet."""


@dataclass(frozen=True, slots=True)
class DrillData:
    """What the report of a drill shows: texts, figures told first, and frames by name; the study makes them."""

    name_en: str
    name_zh: str
    description_en: str
    description_zh: str
    facts: Mapping[str, object]
    names: Mapping[str, tuple[str, str]]
    sources: pl.DataFrame
    epoch: datetime
    frames: Mapping[str, pl.DataFrame]


def render_drill(data: DrillData, language: str = "auto") -> str:
    """The report of a drill as one self-contained HTML text; the same bytes for the same data."""
    sections = [
        _summary(data),
        _grade(data),
        _cut_off(data),
        _relief(data),
        _reserves(data),
        _still(data),
        _evidence(data),
    ]
    facts = data.facts
    stamp = tuple(
        (title, Text(str(facts[key]), str(facts[key])))
        for key, title in (
            ("drill", Text("drill", "演练")),
            ("scenario", Text("scenario", "方案")),
            ("day", Text("day", "考察日")),
            ("seed", Text("seed", "随机种子")),
        )
    )
    at = data.epoch
    shared = {"epoch": [at.year, at.month, at.day, at.hour], "centres": []}
    title = Text(f"Drill: {data.name_en}", f"演练：{data.name_zh}")
    description = Text(data.description_en, data.description_zh)
    page = Page(title, description, tuple(one for one in sections if one is not None), stamp, shared)
    return render_page(page, language)


def _texts(frame: pl.DataFrame, column: str, texts: Mapping[str, Text], key: str = "") -> pl.DataFrame:
    """The frame with a column of closed words in both languages."""
    return frame.with_columns(
        pl.Series(f"{key or column}_{lang}", [getattr(texts[value], lang) for value in frame[column]], dtype=pl.String)
        for lang in ("en", "zh")
    )


def _summary(data: DrillData) -> Section:
    facts = data.facts
    n = max(int(facts["n_items"]), 1)

    def card(name: Text, value: float, unit: str, label: str, detail: Text | None = None) -> Card:
        shown = Text(*(format_value(value, unit, lang) for lang in ("en", "zh")))
        return Card(name, shown, Text("", ""), label, "drill", detail)

    cut, other = int(facts["n_items_cut_off"]), int(facts["n_items_other_way"])
    lost = str(facts["n_lost_facilities"])
    cards = [
        card(Text("Items a day cut off", "日中断件量"), cut, "items", "modelled", _share(cut / n)),
        card(Text("Items a day with another way", "日改道件量"), other, "items", "modelled", _share(other / n)),
        Card(Text("Facilities lost", "损失设施"), Text(lost, lost), Text("", ""), "modelled", "drill"),
    ]
    if facts["n_units"]:
        share = int(facts["n_units_arrived"]) / int(facts["n_units"])
        cards.append(
            card(
                Text("Relief units arrived", "救援物资送达件数"),
                int(facts["n_units_arrived"]),
                "items",
                "modelled",
                _share(share),
            )
        )
    lines = [
        Text(
            "Everything here is modelled on the network of the scenario unless a column says otherwise. Items cut off, "
            "and the ways of the others, are counted as if the loss lasted; relief follows the loss's hours.",
            "除另有标注外，本页数字均为按所选情景网络建模所得。中断与改道按损失持续存在计算；救援物资按损失的起止时刻计算。",
        )
    ]
    return Section("summary", Text("Summary", "摘要"), (Cards(tuple(cards)), Prose(tuple(lines))))


def _share(share: float) -> Text:
    return Text(*(format_value(share, "share", lang) for lang in ("en", "zh")))


def _grade(data: DrillData) -> Section | None:
    frame = data.frames["grades"]
    if frame.is_empty():
        return None
    first = frame.row(0, named=True)
    named = _texts(frame, "scheme", _SCHEMES)
    for column, texts in (("criterion", CRITERION_TEXTS), ("colour", COLOUR_TEXTS), ("status", _STATES)):
        named = _texts(named, column, texts)
    named = named.with_columns(
        label=pl.when(pl.col("status") == "verified").then(pl.lit("measured")).otherwise(pl.lit("unverified"))
    )
    columns = (
        _told("criterion", "criterion", "标准", "name"),
        _told("grade", "grade", "等级", "text"),
        _told("colour", "colour", "预警颜色", "name"),
        _count("value", "of the event", "事件数值", 0),
        Column("at_least", Text("at least", "不低于"), decimals=0),
        Column("below", Text("below", "低于"), decimals=0),
        _told("scheme", "scheme", "依据", "name"),
        _told("status", "threshold", "阈值", "name"),
        _told("label", "label", "性质", "label"),
        _told("basis", "basis", "出处", "text"),
    )
    colour = COLOUR_TEXTS[first["colour"]]
    lead = Text(f"Grade {first['grade']} ({colour.en})", f"{first['grade']} 级（{colour.zh}）")
    told = Text(
        f"{lead.en}, by: {CRITERION_TEXTS[first['criterion']].en} ({_SCHEMES[first['scheme']].en}; threshold "
        f"{_STATES[first['status']].en}). The colours are those of the Emergency Response Law, unverified.",
        f"{lead.zh}，依据：{CRITERION_TEXTS[first['criterion']].zh}（{_SCHEMES[first['scheme']].zh}；阈值"
        f"{_STATES[first['status']].zh}）。颜色依《突发事件应对法》，未核实。",
    )
    table = Table("grades", Text("Criteria that are met", "达到的标准"), columns, named)
    return Section("grade", Text("The event's grade", "事件等级"), (Prose((told,), tone="lead"), table))


def _cut_off(data: DrillData) -> Section:
    reasons = _texts(data.frames["reasons"], "reason", REASON_TEXTS)
    places = _texts(data.frames["cut_off"], "reason", REASON_TEXTS).rename(
        {"name_en": "place_en", "name_zh": "place_zh"}
    )
    why = (
        _told("reason", "why", "原因", "name"),
        _items("n_items", "items a day", "日件量"),
        _count("n_pairs", "pairs", "流向数", 0),
        _count("n_places", "places", "地区数", 0),
    )
    columns = (
        _told("place", "place", "地区", "name"),
        _told("reason", "its own reason", "自身原因", "name"),
        _items("n_sent_cut", "sent, cut off", "寄出中断", is_bar=True),
        _items("n_sent", "sent", "寄出"),
        _items("n_received_cut", "for it, cut off", "寄达中断", is_bar=True),
        _items("n_received", "for it", "寄达"),
    )
    blocks = (
        Table("reasons", Text("Items a day without any way, by reason", "无任何路由的日件量（按原因）"), why, reasons),
        _long("cut_off", Text("By place", "按地区"), columns, places),
    )
    return Section("cut-off", Text("What is cut off", "中断情况"), blocks)


def _told(key: str, english: str, chinese: str, kind: str) -> Column:
    """A column of texts."""
    return Column(key, Text(english, chinese), kind)


def _items(key: str, english: str, chinese: str, is_bar: bool = False) -> Column:
    """A column of modelled items."""
    return Column(key, Text(english, chinese), unit="items", label="modelled", is_bar=is_bar)


def _count(key: str, english: str, chinese: str, decimals: int, is_bar: bool = False) -> Column:
    """A column of modelled numbers without a unit of measure."""
    return Column(key, Text(english, chinese), decimals=decimals, label="modelled", is_bar=is_bar)


def _hours(key: str, english: str, chinese: str) -> Column:
    """A column of modelled hours."""
    return Column(key, Text(english, chinese), unit="h", label="modelled")


def _long(
    table_id: str, title: Text, columns: tuple[Column, ...], frame: pl.DataFrame, note: Text | None = None
) -> Table:
    """A table that may be long: where it is cut, its note names the file that holds all of it."""
    if len(frame) > MAX_ROWS:
        told = note or Text("", "")
        note = Text(
            f"{told.en} The first {MAX_ROWS} of {len(frame)} rows; all are in {table_id}.parquet.".strip(),
            f"{told.zh}仅列前 {MAX_ROWS} 行，共 {len(frame)} 行；全部见 {table_id}.parquet。",
        )
    return Table(table_id, title, columns, frame.head(MAX_ROWS), note)


_ARRIVAL_NOTE = Text(
    "Relief rides ahead of all other items, consignment by consignment in the order of the file, each by the earliest "
    "arrival with room left. Bounds: no unit can be earlier with nothing in the way; the last not earlier than the "
    "last legs into the facility have room for, were the consignment alone. Where a place's own facility is lost, "
    "goods are brought to the nearest working one by road; what remains is kilometres over road lanes as they were.",
    "救援物资优先于一切普通邮件快件，按文件顺序逐批装运，每批取尚有余力的最早到达。下限：无任何阻碍时最早可达时刻；"
    "末件下限按仅此一批时进入该设施的末段能力计算。地区自身设施受损时送至公路里程最近的可用设施，"
    "其余里程按原有公路邮路推算。",
)


def _relief(data: DrillData) -> Section | None:
    frame = data.frames["arrivals"]
    if frame.is_empty():
        return None
    frame = _texts(frame, "status", STATUS_TEXTS).with_columns(
        modes_en=pl.col("modes"),
        modes_zh=pl.col("modes").replace_strict(_modes(frame), default=""),
        first_text=pl.col("first_at").dt.strftime("%m-%d %H:%M"),
        last_text=pl.col("last_at").dt.strftime("%m-%d %H:%M"),
    )
    columns = (
        _told("place", "place", "地区", "name"),
        _told("goods", "goods", "物资", "name"),
        _count("n_units", "units", "件数", 0),
        _count("t", "tonnes", "吨数", 1),
        _told("status", "state", "状态", "name"),
        _told("first_text", "first unit", "首件到达", "text"),
        _told("last_text", "last unit", "末件到达", "text"),
        _hours("first_h", "first after", "首件用时"),
        _hours("bound_first_h", "not before", "首件下限"),
        _hours("last_h", "last after", "末件用时"),
        _hours("bound_last_h", "last not before", "末件下限"),
        _hours("undisturbed_h", "without the loss", "无损失时"),
        _told("gate", "brought to", "送达设施", "name"),
        Column("remaining_km", Text("still to go by road", "余下公路里程"), unit="km", label="derived"),
        _told("modes", "modes", "运输方式", "name"),
        _count("n_under_way", "under way", "在途", 0),
        _count("n_waiting", "no way in time", "时限内无路", 0),
        _count("n_short", "no stock", "无储备", 0),
    )
    blocks: list[Block] = [
        _hour_chart(data.frames["hours"]),
        _long("arrivals", Text("Arrival by place", "各地到达"), columns, frame, _ARRIVAL_NOTE),
    ]
    hops = data.frames["hops"]
    if not hops.is_empty():
        blocks.append(_ways_table(hops, data.names))
    missing = int(data.facts["n_units_missing"]) + int(data.facts["n_overdrawn"])
    told = Text(
        f"At every hour units ready = waiting + under way + arrived, counted facility by facility; off by {missing}.",
        f"每小时核对：备妥件数 = 等待 + 在途 + 送达，逐设施计数；相差 {missing}。",
    )
    blocks.append(Prose((told,)))
    return Section("relief", Text("When relief arrives", "救援物资到达"), tuple(blocks))


def _modes(frame: pl.DataFrame) -> dict[str, str]:
    chinese = {"road": "公路", "rail": "铁路", "air": "航空", "water": "水运", "": ""}
    return {text: "+".join(chinese[mode] for mode in text.split("+")) for text in frame["modes"].unique()}


def _hour_chart(hours: pl.DataFrame) -> Chart:
    sums = hours.group_by("hour").agg(pl.sum("n_waiting", "n_under_way", "n_arrived")).sort("hour")
    series = [
        {"name": name.as_dict(), "values": sums[key].to_list(), "is_area": True}
        for key, name in (
            ("n_arrived", Text("arrived", "送达")),
            ("n_under_way", Text("under way", "在途")),
            ("n_waiting", Text("waiting", "等待")),
        )
    ]
    spec = {"kind": "line", "x_unit": "hour", "unit": "items", "x": sums["hour"].to_list(), "series": series}
    return Chart(
        "relief_hours", Text("Relief units at the end of each hour", "每小时末的救援物资件数"), spec, "modelled"
    )


def _ways_table(hops: pl.DataFrame, names: Mapping[str, tuple[str, str]]) -> Table:
    place = hops["place_id"]
    frame = hops.with_columns(
        pl.Series("place_en", [names.get(code, (code, code))[0] for code in place]),
        pl.Series("place_zh", [names.get(code, (code, code))[1] for code in place]),
        depart_text=pl.col("depart_at").dt.strftime("%m-%d %H:%M"),
        arrive_text=pl.col("arrive_at").dt.strftime("%m-%d %H:%M"),
    )
    columns = (
        _told("place", "for", "寄达", "name"),
        _told("goods_id", "goods", "物资", "text"),
        _count("shipment", "way", "路径", 0),
        _count("seq", "ride", "段", 0),
        _count("n_units", "units", "件数", 0),
        _told("from", "from", "自", "name"),
        _told("to", "to", "至", "name"),
        _told("mode", "mode", "方式", "term"),
        _told("trip_id", "trip", "班次", "text"),
        _told("depart_text", "departs", "发车", "text"),
        _told("arrive_text", "arrives", "到达", "text"),
    )
    return _long("hops", Text("The ways it went", "所经路径"), columns, frame)


_RESERVE_NOTE = Text(
    "Each reserve is called on alone; figures do not add up. Tonne-hours: tonnes of relief that come earlier times the "
    "hours. Freed vehicles leave when the loss begins, go by open roads to a depot and on, once, without rest. A mode: "
    "what would be late without it, or come earlier were it allowed. Items: of what is cut off with neither end lost "
    "(vehicles), or of what other centres have no room to sort (centres).",
    "各项后备单独动用，数字不可相加。吨小时＝提前到达的吨数×小时。腾出的车辆自损失开始时出发，赴储备库后直达，一趟，不计休息。"
    "运输方式：没有它将推迟多少，或放开后可提前多少。件数：车辆为两端均未受损却中断的件量，中心为其他中心无力分拣的件量。",
)


def _reserves(data: DrillData) -> Section | None:
    frame = data.frames["reserves"]
    if frame.is_empty():
        return None
    ids = frame["facility_id"]
    frame = _texts(frame, "kind", KIND_TEXTS).with_columns(
        pl.Series("where_en", [data.names.get(code, (code, code))[0] for code in ids]),
        pl.Series("where_zh", [data.names.get(code, (code, code))[1] for code in ids]),
        mode=pl.when(pl.col("mode") != "").then("mode"),
    )
    columns = (
        _told("kind", "reserve", "后备", "name"),
        _told("where", "where", "何处", "name"),
        _told("mode", "mode", "方式", "term"),
        _told("vehicle_id", "vehicle", "车型", "text"),
        _count("n", "a day", "每日数量", 0),
        _count("relief_tonne_h", "relief forward, t·h", "提前吨小时", 0, is_bar=True),
        _items("carries_items_per_day", "carries or sorts, items a day", "可承运或分拣件/日"),
        _count("room_t_per_day", "room, t a day", "余力（吨/日）", 0),
        _items("room_items_per_day", "room, items a day", "余力（件/日）"),
        _count("carried_t", "relief carried, t", "已承运救援（吨）", 1),
        Column("km", Text("by road from the loss", "距损失公路里程"), unit="km", label="derived"),
    )
    blocks: list[Block] = [_long("reserves", Text("Reserves, ranked", "后备排序"), columns, frame, _RESERVE_NOTE)]
    centres = data.frames["centres"]
    if not centres.is_empty():
        blocks.append(_centre_table(centres, data.names))
    return Section("reserves", Text("Which reserve to call on", "可调用的后备"), tuple(blocks))


def _centre_table(frame: pl.DataFrame, names: Mapping[str, tuple[str, str]]) -> Table:
    frame = frame.with_columns(
        pl.Series("name_en", [names[code][0] for code in frame["facility_id"]]),
        pl.Series("name_zh", [names[code][1] for code in frame["facility_id"]]),
    ).rename({"name_en": "centre_en", "name_zh": "centre_zh"})
    columns = (
        _told("centre", "centre", "中心", "name"),
        Column("km", Text("by road", "公路里程"), unit="km", label="derived"),
        _items("sorted_before", "sorted a day before", "原日分拣"),
        _items("sorted_after", "after", "现日分拣"),
        _items("capacity", "can sort", "分拣能力"),
        _items("room", "room", "余力"),
    )
    note = Text(
        "Cheapest ways, nothing full; a negative room is what is too much.",
        "按最省路由、不计拥堵；负值为超出能力的件量。",
    )
    return _long("centres", Text("Centres near the loss", "邻近分拨中心"), columns, frame, note)


def _still(data: DrillData) -> Section:
    classes = _texts(data.frames["classes"], "class", CLASS_TEXTS)
    columns = (
        _told("class", "items", "件量分类", "name"),
        _items("n_items", "a day", "每日", is_bar=True),
        Column("share", Text("share", "占比"), unit="share", label="modelled"),
        Column("extra_h", Text("extra hours, mean", "平均增加小时"), unit="h", label="modelled"),
    )
    places = data.frames["still"].rename({"name_en": "place_en", "name_zh": "place_zh"})
    by_place = (
        _told("place", "for", "寄达地", "name"),
        _items("n_items", "items a day", "日件量"),
        _items("n_untouched", "untouched", "未受影响"),
        _items("n_other_way", "another way", "改道"),
        _items("n_cut_off", "cut off", "中断"),
        Column(
            "extra_h", Text("extra hours of those with another way", "改道件平均增加小时"), unit="h", label="modelled"
        ),
    )
    note = Text(
        "Cheapest ways on the timetable when nothing is full. Another way may be quicker and dearer.",
        "按班期、不计拥堵的最省路由。另一路由可能更快但更贵，故小时数可为负。",
    )
    blocks = (
        Table("classes", Text("A day's items after the loss", "损失后的一日件量"), columns, classes, note),
        _long("still", Text("By place of destination", "按寄达地"), by_place, places),
    )
    return Section("still", Text("What still flows", "仍在流动"), blocks)


def _evidence(data: DrillData) -> Section:
    facts = data.facts
    rows = tuple(
        (title, str(facts[key]), is_code)
        for key, title, is_code in (
            ("scenario", Text("scenario", "方案"), False),
            ("seed", Text("seed", "随机种子"), False),
            ("input_digest", Text("input digest", "输入摘要"), True),
            ("network_digest", Text("network digest", "网络摘要"), True),
            ("release", Text("version", "版本"), False),
            ("command", Text("repeat with", "复现命令"), True),
        )
    )
    blocks: list[Block] = [Facts(rows)]
    if not data.sources.is_empty():
        blocks.append(source_table(data.sources))
    return Section("provenance", Text("Provenance", "来源与复现"), tuple(blocks))
