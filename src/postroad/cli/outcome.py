"""What came of a run, as a screen and as data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich import box
from rich.table import Table
from rich.text import Text as Styled

from postroad.cli.shell import Shell
from postroad.report.data import ReportData
from postroad.report.horizon import day_text, hour_text
from postroad.report.summary import comparison_sentences, disruption_sentences
from postroad.report.text import LABEL_TEXTS, Text, format_value
from postroad.study.run import Run

__all__ = ["outcome_data", "write_outcome"]

COUNTS = ("created", "delivered", "returned", "lost", "in_custody")
SHOWN = (
    "n_items", "delivered_share", "total_h", "total_p90_h", "on_time_48h_share", "on_time_72h_share", "on_time_share",
    "reach_3d_share", "fill_share", "sort_use_share", "cost_yuan_per_item", "gco2e_per_item",
)  # fmt: skip
"""Headline measures of the screen; all of them stand in the data and in the report."""

LABEL_STYLES = {"measured": "green", "derived": "cyan", "modelled": "yellow", "unverified": "magenta"}


def outcome_data(run: Run, data: ReportData, page: Path | None) -> dict[str, object]:
    """What came of a run as data for JSON."""
    scenario, facts = run.scenario, data.facts
    headline = data.headline.drop("name_en", "name_zh").rename({"measure_id": "measure"})
    worst = data.facilities.row(0, named=True) if len(data.facilities) else None
    comparison, disruption = data.comparison, data.disruption
    return {
        "scenario": scenario.name,
        "network": facts.network,
        "level": facts.level,
        "day": scenario.day,
        "seed": scenario.seed,
        "folder": run.folder,
        "report": page,
        "input_digest": facts.input_digest,
        "result_digest": facts.result_digest,
        "command": facts.command,
        "headline": headline.to_dicts(),
        "conservation": {**_last_counts(run), "n_hours": facts.n_hours, "holds": _is_conserved(run)},
        "worst_backlog": worst and {name: worst[name] for name in ("facility_id", *_BACKLOG)},
        "beside": comparison and {"name": comparison.name.en, "differences": comparison.differences.to_dicts()},
        "disruption": disruption and {name: getattr(disruption, name) for name in _DISRUPTION},
        "findings": data.findings.to_dicts(),
        "wall_s": run.wall_s,
    }


_BACKLOG = ("name_en", "name_zh", "peak_backlog_items", "peak_hour", "clear_hour", "label")
_DISRUPTION = ("facility_id", "from_hour", "to_hour", "cleared_hour", "n_delayed", "extra_item_h", "label")


def write_outcome(shell: Shell, run: Run, data: ReportData, page: Path | None) -> None:
    """Write what came of a run on a screen: measures, conservation, backlog, what stands beside it, where it is."""
    facts = data.facts
    day, seed = day_text(facts, facts.measured_from_h), Text(f"seed {facts.seed}", f"种子 {facts.seed}")
    title, network = data.title, Text(*[f"{facts.network} ({facts.level})"] * 2)
    head = " · ".join(text.get(shell.language) for text in (title, network, day, seed))
    shell.write_styled(Styled(head, style="bold"))
    shell.write_styled(_headline(shell, data))
    lines = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    lines.add_column(no_wrap=True, style="dim")
    lines.add_column(overflow="fold")
    for name, text in _lines(run, data, page):
        lines.add_row(name.get(shell.language), Styled(text.get(shell.language)))
    shell.write_styled(lines)


def _headline(shell: Shell, data: ReportData) -> Table:
    """The headline measures with their labels, and intervals where there are several seeds."""
    rows = {row["measure_id"]: row for row in data.headline.iter_rows(named=True)}
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False, padding=(0, 2, 0, 0), show_edge=True)
    has_intervals = any(row.get("low") is not None for row in rows.values())
    for side in ("left", "right", *(["left"] if has_intervals else []), "left"):
        table.add_column(justify=side)
    for row in (rows[name] for name in SHOWN if name in rows):
        value = format_value(row["value"], row["unit"], shell.language)
        if row["measure_id"] == "delivered_share":
            value = f"{row['value']:.2%}".replace("%", " %")  # one digit would call 99.95 % all of them
        half = None if row.get("low") is None else row["value"] - row["low"]
        interval = "" if half is None else f"± {format_value(half, row['unit'], shell.language)}"
        label = Styled(LABEL_TEXTS[row["label"]][0].get(shell.language), style=LABEL_STYLES[row["label"]])
        name = shell.pick(row["name_en"], row["name_zh"])
        table.add_row(name, Styled(value, style="bold"), *([interval] if has_intervals else []), label)
    return table


def _lines(run: Run, data: ReportData, page: Path | None) -> Iterator[tuple[Text, Text]]:
    """The lines under the measures: name and text."""
    yield Text("Conservation", "守恒"), _conservation(run)
    if len(data.facilities):
        yield Text("Worst backlog", "最高积压"), _worst(data)
    if data.disruption is not None:
        for sentence in disruption_sentences(data.disruption, data.facts):
            yield Text("Disruption", "扰动"), sentence
    if data.comparison is not None:
        for sentence in comparison_sentences(data.comparison):
            yield Text("Beside it", "对照"), sentence
    judged = data.validation.filter(data.validation["verdict"].is_in(["met", "not_met"]))
    if len(judged):
        met = int((judged["verdict"] == "met").sum())
        told = f"{met} of {len(judged)} judged checks met", f"{len(judged)} 项可判定检验中 {met} 项符合"
        yield Text("Validation", "验证"), Text(*told)
    for row in data.findings.iter_rows(named=True):
        yield (
            Text(row["code"], row["code"]),
            Text(f"{row['n']:,} × {row['text_en']}", f"{row['n']:,} × {row['text_zh']}"),
        )
    wall_s = sum(run.wall_s.values())
    yield Text("Took", "用时"), Text(f"{wall_s:.0f} s, this run alone", f"{wall_s:.0f} 秒（仅本次运行）")
    if run.folder is not None:
        yield Text("Run", "运行结果"), Text(str(run.folder), str(run.folder))
    if page is not None:
        yield Text("Report", "报告"), Text(str(page), str(page))


def _last_counts(run: Run) -> dict[str, int]:
    return {name: int(getattr(run.result.counts, name)[-1]) for name in COUNTS}


def _is_conserved(run: Run) -> bool:
    """Whether at every hour what was accepted is accounted for."""
    counts = run.result.counts
    return bool((counts.created == counts.delivered + counts.returned + counts.lost + counts.in_custody).all())


def _conservation(run: Run) -> Text:
    n, n_hours = _last_counts(run), run.result.n_hours
    held = ("exact at each of", "逐时严格平衡，共") if _is_conserved(run) else ("BROKEN within", "不平衡，共")
    return Text(
        f"{n['created']:,} accepted = {n['delivered']:,} delivered + {n['returned']:,} returned + {n['lost']:,} lost + "
        f"{n['in_custody']:,} under way; {held[0]} {n_hours:,} hours",
        f"收寄 {n['created']:,} = 妥投 {n['delivered']:,} + 退回 {n['returned']:,} + 丢失 {n['lost']:,} + "
        f"在途 {n['in_custody']:,}；{held[1]} {n_hours:,} 小时",
    )


def _worst(data: ReportData) -> Text:
    """The centre that held most before sorting, when, and until when."""
    row = data.facilities.row(0, named=True)
    count = {lang: format_value(row["peak_backlog_items"], "items", lang) for lang in ("en", "zh")}
    if row["peak_hour"] is None:
        return Text("nothing waited to be sorted", "无待分拣积压")
    peak = hour_text(data.facts, row["peak_hour"] + 1)
    if row["clear_hour"] is None:
        end = Text("never cleared", "至结束未消化")
    else:
        clear = hour_text(data.facts, row["clear_hour"] + 1)
        end = Text(f"cleared by {clear.en}", f"{clear.zh}消化")
    return Text(
        f"{row['name_en']}: {count['en']} waiting to be sorted at {peak.en}, {end.en}",
        f"{row['name_zh']}：{peak.zh}待分拣 {count['zh']}，{end.zh}",
    )
