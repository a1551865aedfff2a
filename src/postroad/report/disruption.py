"""The disruption section: what was delayed, where the backlog stood, when it cleared."""

from __future__ import annotations

import polars as pl

from postroad.report.blocks import Block, Card, Cards, Chart, Column, Prose, Section, Table
from postroad.report.data import Disruption, RunFacts
from postroad.report.horizon import day_text, end_text, measured_bands
from postroad.report.labelling import with_labels
from postroad.report.summary import disruption_sentences, here_cleared, most_extra, place_hit
from postroad.report.text import Text, format_value, unit_of
from postroad.report.timing import by_text

__all__ = ["disruption_section"]

CITIES = ("destination", "origin")
MAX_ROWS, MAX_CITIES = 400, 60
HEAT_ROWS = 25
TAIL_H = 12
"""Hours that the charts go on after the backlog cleared."""

DELAY_NOTE = Text(
    "Delayed and earlier count single items held against the undisturbed run. A few per cent arrive later and as many "
    "earlier by chance alone, also far from the disruption: the net change shows what the disruption did.",
    "延误与提前均为逐件对照无扰动运行所得。即使远离扰动，也有百分之几的件纯属随机地变晚或变早；扰动本身的作用看净变化。",
)


def disruption_section(disruption: Disruption, facts: RunFacts) -> Section:
    """What was delayed, where the backlog stood, when it cleared."""
    blocks: list[Block] = [_answers(disruption, facts)]
    blocks.append(Prose(tuple(disruption_sentences(disruption, facts)), is_list=True))
    if not disruption.totals.is_empty():
        blocks.append(_excess_chart(disruption, facts))
    if not disruption.backlogs.is_empty():
        blocks += [_heat(disruption, facts), _place_chart(disruption, facts)]
    if not disruption.centres.is_empty():
        blocks.append(_centre_table(disruption))
    if not disruption.delays.is_empty():
        blocks.extend(_delay_tables(disruption))
    title = Text("What the disruption did", "扰动影响")
    return Section("disruption", title, tuple(blocks), short=Text("Disruption", "扰动"))


_Figure = tuple[Text, float | None, str, Text | None]
"""Name, value, unit and detail of a card."""


def _answers(disruption: Disruption, facts: RunFacts) -> Cards:
    """The three answers as figures."""
    mean_h = disruption.extra_item_h / max(disruption.n_delayed, 1)
    each = Text(f"{mean_h:.1f} h each on average", f"平均每件 {mean_h:.1f} 小时")
    figures: list[_Figure | None] = [
        (Text("Delayed", "延误件数"), disruption.n_delayed, "items", _share_of_day(disruption, facts)),
        (Text("Delay in all", "延误总时长"), disruption.extra_item_h, "item_h", each),
        _most_extra(disruption, facts),
        _most_here(disruption, facts),
    ]
    if not disruption.centres.is_empty():
        figures.append(_gone(Text("Gone where it struck", "受扰处消化"), here_cleared(disruption), disruption, facts))
    figures.append(_gone(Text("Gone everywhere", "全网消化"), disruption.cleared_hour, disruption, facts))
    return Cards(tuple(_card(disruption, *figure) for figure in figures if figure is not None))


def _card(disruption: Disruption, name: Text, value: float | None, unit: str, detail: Text | None) -> Card:
    unit_text = unit_of(unit).text
    numbers = [format_value(value, unit, lang).removesuffix(unit_text.get(lang)).rstrip() for lang in ("en", "zh")]
    return Card(name, Text(*numbers), unit_text, disruption.label, disruption.source, detail)


def _share_of_day(disruption: Disruption, facts: RunFacts) -> Text | None:
    if not disruption.n_items:
        return None
    share, day = disruption.n_delayed / disruption.n_items * 100, day_text(facts, facts.measured_from_h)
    return Text(f"{share:.1f} % of the items of {day.en}", f"占{day.zh}收寄量的 {share:.1f} %")


def _most_extra(disruption: Disruption, facts: RunFacts) -> _Figure | None:
    """How many more items waited in the whole network than without the disruption, at most."""
    top = most_extra(disruption)
    if top is None:
        return None
    at = end_text(facts, top[0])
    return (
        Text("Most extra waiting at once", "最大新增滞留"),
        top[1],
        "items",
        Text(f"{at.en}, whole network", f"{at.zh}，全网"),
    )


def _most_here(disruption: Disruption, facts: RunFacts) -> _Figure | None:
    """How many items waited where the disruption struck, at most."""
    here = place_hit(disruption)
    if here is None:
        return None
    at = end_text(facts, here["hour"])
    calm = [format_value(here["undisturbed"], "items", lang) for lang in ("en", "zh")]
    detail = Text(f"{at.en}; without it at most {calm[0]}", f"{at.zh}；无扰动时最多 {calm[1]}")
    return Text("Most waiting where it struck", "受扰处最大滞留"), here["disrupted"], "items", detail


def _gone(name: Text, hour: int | None, disruption: Disruption, facts: RunFacts) -> _Figure:
    """Hours from the end of the disruption to when the extra backlog was gone."""
    if hour is None:
        return name, None, "h", Text("not by the end of the run", "至运行结束仍未消化")
    at = end_text(facts, hour)
    after = max(0, hour + 1 - disruption.to_hour)
    return name, after, "hours", Text(f"after its end: by {at.en}", f"扰动结束后，至{at.zh}")


def _last_hour(disruption: Disruption) -> int:
    """Where the charts end: a while after the backlog cleared."""
    cleared = disruption.cleared_hour
    return int(disruption.backlogs["hour"].max() or 0) + 1 if cleared is None else cleared + TAIL_H


def _bands(disruption: Disruption, facts: RunFacts) -> list[dict[str, object]]:
    band = {"from": disruption.from_hour, "to": disruption.to_hour, "name": disruption.name.as_dict(), "tone": "alert"}
    return [*measured_bands(facts), band]


def _excess_chart(disruption: Disruption, facts: RunFacts) -> Chart:
    """How many more items waited than without the disruption, in the whole network and where it struck."""
    last, extra = _last_hour(disruption), pl.col("disrupted") - pl.col("undisturbed")
    frames = [(Text("whole network", "全网"), disruption.totals, {"tone": "cool"})]
    here = disruption.backlogs.filter(facility_id=disruption.facility_id)
    if not here.is_empty():
        name = Text(here["name_en"][0], here["name_zh"][0])
        frames.append((name, here, {"tone": "alert"}))
    hours = [hour for hour in disruption.totals["hour"].sort().to_list() if hour < last]
    series = []
    for name, frame, style in frames:
        values = dict(frame.select("hour", extra).iter_rows())
        series.append({"name": name.as_dict(), "values": [values.get(hour) for hour in hours], **style})
    marks = []
    if disruption.eased_hour is not None and disruption.eased_hour != disruption.cleared_hour:
        marks.append({"at": disruption.eased_hour, "name": Text("down to 10 %", "降至 10 %").as_dict()})
    if disruption.cleared_hour is not None:
        marks.append({"at": disruption.cleared_hour, "name": Text("gone (1 %)", "消化完毕（1 %）").as_dict()})
    spec = {
        "kind": "line", "x_unit": "hour", "unit": "items", "x": hours, "series": series,
        "bands": _bands(disruption, facts), "marks": marks,
    }  # fmt: skip
    note = Text(
        "Items waiting (to be screened, sorted, or taken away) less those that wait at the same hour without the "
        "disruption. Below zero: fewer wait, because items come later. Gone: never again more than 1 % of the largest. "
        "Vehicles under way to a place when it closes arrive and wait; later ones that would find it closed stay.",
        "等待安检、分拣或发运的件数，减去无扰动时同一小时的件数。低于零表示邮件晚到而等待较少。"
        "消化完毕：此后不再超过最大值的 1 %。关闭时已在途的车辆照常到达并等候；此后将在关闭期间到达的车辆不发车。",
    )
    title = Text("How many more items waited, and until when", "新增滞留及其消化")
    return Chart("disruption_excess", title, spec, disruption.label, note, 340)


def _heat(disruption: Disruption, facts: RunFacts) -> Chart:
    """Extra items by centre and hour."""
    last, extra = _last_hour(disruption), pl.col("disrupted") - pl.col("undisturbed")
    frame = disruption.backlogs.filter(pl.col("hour") < last).with_columns(extra=extra.clip(0)).sort("hour")
    rows, kind = [], "short" if "short_en" in frame.columns else "name"
    for (name,), part in frame.group_by("facility_id", maintain_order=False):
        rows.append({
            "id": name, "name": {lang: part[f"{kind}_{lang}"][0] for lang in ("en", "zh")},
            "extra": part["extra"].to_list(), "disrupted": part["disrupted"].to_list(),
        })  # fmt: skip
    order = {name: place for place, name in enumerate(disruption.backlogs["facility_id"].unique(maintain_order=True))}
    rows.sort(key=lambda row: order[row["id"]])
    spec = {
        "kind": "heat",
        "unit": "items",
        "centres": rows[:HEAT_ROWS],
        "rows": HEAT_ROWS,
        "bands": _bands(disruption, facts),
    }
    note = Text(
        "Items waiting beyond those that wait there at the same hour without the disruption; darker means more. "
        "Centres with the largest excess; the frame marks the hours of the disruption.",
        "各中心逐时超出无扰动运行的等待件数，颜色越深越多；列新增滞留最多的中心，框线为扰动时段。",
    )
    title = Text("Where the extra items stood, hour by hour", "新增滞留在哪里：逐中心逐时")
    return Chart("disruption_heat", title, spec, disruption.label, note, 40 + 19 * len(spec["centres"]))


def _place_chart(disruption: Disruption, facts: RunFacts) -> Chart:
    """The backlog where the disruption struck, with and without it."""
    here = disruption.backlogs.filter(facility_id=disruption.facility_id).sort("hour")
    shown = here.filter(pl.col("hour") < _last_hour(disruption))
    columns = (
        ("disrupted", Text("with the disruption", "有扰动"), {"tone": "alert", "is_area": True}),
        ("undisturbed", Text("without it", "无扰动"), {"tone": "muted", "is_dashed": True}),
    )
    spec = {
        "kind": "line", "x_unit": "hour", "unit": "items", "x": shown["hour"].to_list(),
        "series": [{"name": name.as_dict(), "values": shown[key].to_list(), **style} for key, name, style in columns],
        "bands": _bands(disruption, facts),
    }  # fmt: skip
    title = Text(f"Items waiting at {shown['name_en'][0]}", f"{shown['name_zh'][0]}的滞留")
    return Chart("disruption_backlog", title, spec, disruption.label, None, 280)


def _centre_table(disruption: Disruption) -> Table:
    frame = disruption.centres
    order = ["excess", "facility_id"] if "excess" in frame.columns else ["peak_disrupted", "facility_id"]
    ordered = frame.sort(order, descending=[True, False])
    columns = [
        Column("name", Text("centre", "中心"), "name"),
        Column("excess", Text("most extra at once", "最大新增滞留"), unit="items", is_bar=True),
        Column("excess_hour", Text("most extra at", "最大新增时刻"), "hour"),
        Column("peak_disrupted", Text("largest backlog", "最大滞留"), unit="items"),
        Column("peak_hour", Text("largest at", "最大滞留时刻"), "hour"),
        Column("peak_undisturbed", Text("largest without it", "无扰动时最大"), unit="items"),
        Column("clear_hour", Text("extra gone by", "新增消化时刻"), "hour"),
    ]
    title = Text("Where the backlog stood", "滞留在哪里")
    return Table("disrupted_centres", title, with_labels(columns, frame), ordered.head(MAX_ROWS), full=ordered)


def _delay_tables(disruption: Disruption) -> list[Table]:
    """What was delayed: by place of destination and origin, and by the few classes of product and region together."""
    frame = disruption.delays.with_columns(delayed_share=pl.col("n_delayed") / pl.col("n_items"))
    if "net_item_h" in frame.columns:
        frame = frame.with_columns(net_h=pl.col("net_item_h") / pl.col("n_items"))
    tables: list[Table] = []
    broad = frame.filter(~pl.col("by").is_in(CITIES))
    if not broad.is_empty():
        texts = {by: by_text(by) for by in broad["by"].unique().to_list()}
        named = broad.with_columns(
            pl.col("by").replace_strict({by: getattr(text, lang) for by, text in texts.items()}).alias(f"class_{lang}")
            for lang in ("en", "zh")
        )
        columns = [Column("key", Text("class", "类别"), "name"), Column("class", Text("by", "分类"), "name")]
        title = Text("What was delayed, by product and region", "延误了什么：按产品与区域")
        tables.append(_delay_table("delays_by_class", title, columns, named))
    for by in CITIES:
        part = frame.filter(by=by)
        if not part.is_empty():
            title = Text(
                f"What was delayed, by {by_text(by).en}, most first", f"延误了什么：按{by_text(by).zh}，多者在前"
            )
            tables.append(_delay_table(f"delays_by_{by}", title, [Column("key", by_text(by), "name")], part))
    return tables


def _delay_table(table_id: str, title: Text, heads: list[Column], frame: pl.DataFrame) -> Table:
    columns = [
        *heads,
        Column("n_items", Text("items", "件数"), unit="items"),
        Column("n_delayed", Text("delayed", "延误件数"), unit="items"),
        Column("delayed_share", Text("share delayed", "延误占比"), unit="share", is_bar=True),
        Column("mean_delay_h", Text("mean delay", "平均延误"), unit="h"),
        Column("max_delay_h", Text("longest", "最长"), unit="h"),
        Column("n_earlier", Text("earlier", "提前件数"), unit="items"),
        Column("net_item_h", Text("net delay", "净延误"), unit="item_h"),
        Column("net_h", Text("net per item", "每件净延误"), unit="h"),
    ]
    is_first = table_id == "delays_by_class"
    note = DELAY_NOTE if is_first and "n_earlier" in frame.columns else None
    return Table(table_id, title, with_labels(columns, frame), frame.head(MAX_CITIES), note, full=frame)
