"""The executive summary: what happened, in plain words made from the numbers."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from postroad.report.blocks import Card, Cards, Prose, Section
from postroad.report.data import Comparison, Disruption, ReportData, RunFacts
from postroad.report.horizon import day_text, end_text, hour_text
from postroad.report.text import Text, format_value, unit_of

__all__ = [
    "comparison_sentences",
    "disruption_sentences",
    "headline_cards",
    "here_cleared",
    "most_extra",
    "place_hit",
    "summarise_run",
    "summary_section",
]

CARD_MEASURES = ("n_items", "total_h", "on_time_72h_share", "on_time_share", "cost_yuan_per_item", "gco2e_per_item")
"""Which headline measures become cards, in this order; the others stand in the table of measures."""


def _value(frame: pl.DataFrame, measure_id: str) -> float | None:
    rows = frame.filter(pl.col("measure_id") == measure_id)
    return None if rows.is_empty() else rows["value"][0]


def _both(value: float | None, unit: str) -> Text:
    return Text(format_value(value, unit, "en", words=True), format_value(value, unit, "zh", words=True))


def headline_cards(frame: pl.DataFrame, measures: tuple[str, ...] = CARD_MEASURES) -> Cards:
    """The headline measures as cards, those in ``measures`` first, six at most."""
    rows = {row["measure_id"]: row for row in frame.iter_rows(named=True)}
    order = [name for name in measures if name in rows] + [name for name in rows if name not in measures]
    return Cards(tuple(_card(rows[name]) for name in order[:6]))


def _card(row: dict[str, object]) -> Card:
    unit = str(row["unit"])
    texts = {language: format_value(row["value"], unit, language) for language in ("en", "zh")}
    unit_text = unit_of(unit).text
    numbers = {language: text.removesuffix(unit_text.get(language)).rstrip() for language, text in texts.items()}
    low, high = row.get("low"), row.get("high")
    detail = None
    if low is not None and high is not None:
        detail = Text(*(f"{format_value(low, unit, lang)} – {format_value(high, unit, lang)}" for lang in ("en", "zh")))
    source = f"{row['source']}, {row['year']}" if row.get("year") else str(row["source"])
    return Card(
        Text(row["name_en"], row["name_zh"]),
        Text(numbers["en"], numbers["zh"]),
        unit_text,
        row["label"],
        source,
        detail,
    )


def summary_section(data: ReportData) -> Section:
    """The first section: one lead sentence, the headline figures, and what happened point by point."""
    lead, *points = summarise_run(data)
    blocks = (Prose((lead,), tone="lead"), headline_cards(data.headline), Prose(tuple(points), is_list=True))
    heading = Prose((Text("What the scenario sets", "方案设定"),), tone="head")
    changes = (heading, Prose(data.changes, is_list=True, tone="changes")) if data.changes else ()
    return Section("summary", Text("Summary", "摘要"), (*blocks, *changes))


def summarise_run(data: ReportData) -> tuple[Text, ...]:
    """What happened, sentence by sentence, in both languages: the summary of the report and of the terminal."""
    return tuple(_sentences(data))


def _sentences(data: ReportData) -> Iterator[Text]:
    yield _outcome_sentence(data)
    if data.disruption is not None:
        yield from disruption_sentences(data.disruption, data.facts)
    yield from _time_sentences(data)
    yield from _backlog_sentences(data)
    yield from _account_sentences(data)
    if data.comparison is not None:
        yield from comparison_sentences(data.comparison)
    yield from _evidence_sentences(data)


def _outcome_sentence(data: ReportData) -> Text:
    n_items, delivered = _value(data.headline, "n_items"), _value(data.headline, "delivered_share")
    day = day_text(data.facts, data.facts.measured_from_h)
    if n_items is None:
        return Text(
            f"Run of the scenario “{data.facts.scenario}” for {day.en}.", f"方案“{data.facts.scenario}”，{day.zh}。"
        )
    count = _both(n_items, "items")
    end = Text("", "")
    if delivered is not None:
        share = Text(*(f"{delivered * 100:.2f} %" if delivered < 1 else t for t in ("every one of them", "全部")))
        end = Text(f"; by the end of the run {share.en} had been delivered", f"，到运行结束时{share.zh}已妥投")
    return Text(f"{count.en} were accepted on {day.en}{end.en}.", f"{day.zh}共收寄 {count.zh}{end.zh}。")


def _time_sentences(data: ReportData) -> Iterator[Text]:
    total = _value(data.headline, "total_h")
    if total is None:
        return
    en, zh = f"From acceptance to delivery took {total:.1f} h on average", f"从收寄到妥投平均 {total:.1f} 小时"
    parts = (
        ("on_time_48h_share", "within 48 h", "48 小时妥投率"),
        ("on_time_72h_share", "within 72 h", "72 小时妥投率"),
    )
    shares = [(_value(data.headline, name), text_en, text_zh) for name, text_en, text_zh in parts]
    shares = [(share, text_en, text_zh) for share, text_en, text_zh in shares if share is not None]
    if shares:
        en += "; " + " and ".join(f"{share * 100:.1f} % arrived {text}" for share, text, _ in shares)
        zh += "；" + "，".join(f"{text} {share * 100:.1f} %" for share, _, text in shares)
    yield Text(en + ".", zh + "。")
    ranked = data.measures.filter(by="destination_region", measure_id="total_h")
    regions = ranked.filter(pl.col("key") != "other").sort("value")
    if len(regions) > 1:
        fast, slow = regions.row(0, named=True), regions.row(-1, named=True)
        gap = slow["value"] - fast["value"]
        yield Text(
            f"Items for {slow['key_en']} took longest, {slow['value']:.1f} h, which is {gap:.1f} h more than "
            f"for {fast['key_en']} ({fast['value']:.1f} h).",
            f"寄往{slow['key_zh']}的邮件快件最慢，平均 {slow['value']:.1f} 小时，"
            f"比{fast['key_zh']}（{fast['value']:.1f} 小时）多 {gap:.1f} 小时。",
        )


def _backlog_sentences(data: ReportData) -> Iterator[Text]:
    if not data.hourly.is_empty():
        unsorted, ready = (_peak(data, column) for column in ("backlog_in", "backlog_out"))
        yield Text(
            f"The most items waiting to be sorted at once in the whole network: {unsorted[0].en}, at {unsorted[1].en}. "
            f"The most items sorted and waiting for a departure or a delivery wave: {ready[0].en}, at {ready[1].en}.",
            f"全网同时等待分拣最多 {unsorted[0].zh}（{unsorted[1].zh}）；"
            f"已分拣、等待发运或派送频次最多 {ready[0].zh}（{ready[1].zh}）。",
        )
    if not data.facilities.is_empty():
        worst = data.facilities.sort("peak_backlog_items", "facility_id", descending=[True, False]).row(0, named=True)
        limited = data.facilities.filter(pl.col("use_share").is_not_null())
        n_full = limited.filter(pl.col("use_share") > 0.95).height
        count = _both(worst["peak_backlog_items"], "items")
        yield Text(
            f"The largest backlog before sorting in one centre stood at {worst['name_en']}: {count.en}. "
            f"{n_full} of {len(limited)} centres used more than 95 % of their sorting capacity of the day.",
            f"单个中心待分拣量最高出现在{worst['name_zh']}：{count.zh}。"
            f"{len(limited)} 个中心中有 {n_full} 个当日用满 95 % 以上的分拣能力。",
        )


def _peak(data: ReportData, column: str) -> tuple[Text, Text]:
    """The largest value of an hourly column and when it was."""
    top = data.hourly.sort(column, "hour", descending=[True, False]).row(0, named=True)
    return _both(top[column], "items"), end_text(data.facts, top["hour"])


def _account_sentences(data: ReportData) -> Iterator[Text]:
    cost, carbon = _value(data.headline, "cost_yuan_per_item"), _value(data.headline, "gco2e_per_item")
    if cost is not None and carbon is not None:
        yield Text(
            f"Moving an item cost {cost:.2f} yuan and {carbon:,.0f} g of CO₂ equivalent on average.",
            f"平均每件成本 {cost:.2f} 元，排放 {carbon:,.0f} 克二氧化碳当量。",
        )


def most_extra(disruption: Disruption) -> tuple[int, int] | None:
    """The hour at which most more items waited in the whole network than undisturbed, and how many; None: never."""
    extra = disruption.totals.select("hour", n=pl.col("disrupted") - pl.col("undisturbed"))
    top = extra.filter(pl.col("n") > 0).sort("n", "hour", descending=[True, False])
    return None if top.is_empty() else (top["hour"][0], top["n"][0])


def place_hit(disruption: Disruption) -> dict[str, object] | None:
    """The row of the place hit at its largest backlog, with the largest it has undisturbed; None when not known."""
    here = disruption.backlogs.filter(facility_id=disruption.facility_id)
    if here.is_empty():
        return None
    top = here.sort("disrupted", "hour", descending=[True, False]).row(0, named=True)
    return top | {"undisturbed": here["undisturbed"].max()}


def here_cleared(disruption: Disruption) -> int | None:
    """The hour from whose end on the place hit held no more than undisturbed; None when that did not come."""
    rows = disruption.centres.filter(facility_id=disruption.facility_id)
    return disruption.from_hour if rows.is_empty() else rows["clear_hour"][0]


def disruption_sentences(disruption: Disruption, facts: RunFacts) -> Iterator[Text]:
    """What a disruption delayed, where the backlog stood, and when it was gone."""
    yield _delay_sentence(disruption, facts)
    backlog = _place_sentence(disruption, facts)
    if backlog is not None:
        yield backlog
    yield _cleared_sentence(disruption, facts)


def _delay_sentence(disruption: Disruption, facts: RunFacts) -> Text:
    start, end = hour_text(facts, disruption.from_hour), hour_text(facts, disruption.to_hour)
    count, extra = _both(disruption.n_delayed, "items"), _both(disruption.extra_item_h, "item_h")
    day = day_text(facts, facts.measured_from_h)
    en = f"{disruption.name.en} ({start.en} to {end.en}) delayed {count.en} accepted on {day.en}, by {extra.en} in all"
    zh = f"{disruption.name.zh}（{start.zh}至{end.zh}）使{day.zh}收寄的邮件快件中 {count.zh}延误，合计 {extra.zh}"
    if disruption.n_earlier:
        sooner, saved = _both(disruption.n_earlier, "items"), _both(disruption.earlier_item_h, "item_h")
        net = (disruption.extra_item_h - disruption.earlier_item_h) / max(disruption.n_items, 1)
        en += f"; {sooner.en} arrived earlier, by {saved.en}, so that the mean item lost {net:.1f} h"
        zh += f"；另有 {sooner.zh}提前，合计 {saved.zh}，平均每件净延误 {net:.1f} 小时"
    return Text(en + ".", zh + "。")


def _place_sentence(disruption: Disruption, facts: RunFacts) -> Text | None:
    top, here = most_extra(disruption), place_hit(disruption)
    if top is None or here is None:
        return None
    count, peak, calm = (_both(value, "items") for value in (top[1], here["disrupted"], here["undisturbed"]))
    at, then = end_text(facts, top[0]), end_text(facts, here["hour"])
    early = Text("", "")
    if top[0] < disruption.from_hour:
        early = Text(
            " (before it began: vehicles that would arrive in those hours do not leave)",
            "（尚未开始，因将在此期间到达的车辆不发车）",
        )
    return Text(
        f"At {at.en}{early.en} {count.en} more were waiting in the whole network than without it. {here['name_en']} "
        f"held most at {then.en}: {peak.en}, against at most {calm.en} without it.",
        f"全网滞留在{at.zh}{early.zh}比无扰动时多 {count.zh}；{here['name_zh']}在{then.zh}滞留最多，达 {peak.zh}"
        f"（无扰动时最多 {calm.zh}）。",
    )


def _cleared_sentence(disruption: Disruption, facts: RunFacts) -> Text:
    if disruption.cleared_hour is None:
        return Text("The backlog had not cleared when the run ended.", "至运行结束滞留仍未消化。")
    at, after = end_text(facts, disruption.cleared_hour), disruption.cleared_hour + 1 - disruption.to_hour
    en, zh = "The extra backlog was gone", "新增滞留"
    here, place = here_cleared(disruption), place_hit(disruption)
    if place is not None and here is not None:
        there, later = end_text(facts, here), here + 1 - disruption.to_hour
        en += f" at {place['name_en']} by {there.en}, {later} h after the disruption ended, and"
        zh += f"在{place['name_zh']}于{there.zh}（扰动结束后 {later} 小时）消化完毕，"
    if disruption.eased_hour is not None and disruption.eased_hour != disruption.cleared_hour:
        eased = end_text(facts, disruption.eased_hour)
        tenth = Text(f" (nine tenths of it by {eased.en})", f"（九成于{eased.zh}前消化）")
    else:
        tenth = Text("", "")
    return Text(
        f"{en} in the whole network by {at.en}, {after} h after it ended{tenth.en}.",
        f"{zh}全网于{at.zh}（结束后 {after} 小时）消化完毕{tenth.zh}。",
    )


def comparison_sentences(comparison: Comparison) -> Iterator[Text]:
    """How the other run does on the first four measures that differ."""
    parts_en, parts_zh = [], []
    for row in comparison.differences.filter(pl.col("difference") != 0).head(4).iter_rows(named=True):
        texts = {
            lang: [format_value(row[side], row["unit"], lang) for side in ("other", "base")] for lang in ("en", "zh")
        }
        parts_en.append(
            f"{row['name_en'][:1].lower()}{row['name_en'][1:]} {texts['en'][0]} instead of {texts['en'][1]}"
        )
        parts_zh.append(f"{row['name_zh']} {texts['zh'][0]}（本次 {texts['zh'][1]}）")
    if parts_en:
        yield Text(
            f"{comparison.name.en[:1].upper()}{comparison.name.en[1:]}: {'; '.join(parts_en)}.",
            f"{comparison.name.zh}：{'；'.join(parts_zh)}。",
        )
    else:
        yield Text(f"{comparison.name.en} gives the same measures.", f"{comparison.name.zh}的各项指标相同。")


def _evidence_sentences(data: ReportData) -> Iterator[Text]:
    judged = data.validation.filter(pl.col("verdict").is_in(["met", "not_met"]))
    if not judged.is_empty():
        met = judged.filter(pl.col("verdict") == "met").height
        missed = judged.filter(pl.col("verdict") == "not_met")
        en, zh = (
            f"Validation: {met} of {len(judged)} judged checks were met",
            f"验证：{len(judged)} 项可判定检验中 {met} 项符合",
        )
        if len(missed):
            en += "; missed: " + ", ".join(missed["name_en"].to_list())
            zh += "；未符合：" + "、".join(missed["name_zh"].to_list())
        yield Text(en + ".", zh + "。")
    if not data.label_counts.is_empty():
        total = data.label_counts["n_values"].sum()
        modelled = data.label_counts.filter(pl.col("label") == "modelled")["n_values"].sum()
        yield Text(
            f"{modelled / total * 100:.0f} % of the network's rows are modelled, not measured. "
            "Every figure below says what it is.",
            f"网络数据中 {modelled / total * 100:.0f} % 为建模值而非实测。下文每个数字均注明其性质。",
        )
