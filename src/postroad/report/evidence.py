"""What the report rests on: validation, findings, sources, labels and how to repeat the run."""

from __future__ import annotations

import polars as pl

from postroad.report.blocks import Block, Chart, Column, Facts, Prose, Row, Section, Table
from postroad.report.data import ReportData, RunFacts
from postroad.report.text import LABEL_TEXTS, LABELS, Text

__all__ = [
    "facts_block",
    "facts_of",
    "findings_section",
    "provenance_section",
    "source_table",
    "validation_section",
]

VALIDATION_NOTE = Text(
    "A filled mark was used to fit the few parameters, a hollow one was kept aside. "
    "Bars show the tolerance where one was set. A verdict is met, not met or not decidable; misses stay in.",
    "实心点用于少数参数的标定，空心点为留出检验；灰条为事先设定的容差。结论为符合、不符合或无法判定；不符合项照列。",
)


_TABLES = {
    "places": "地区", "facilities": "设施", "windows": "作业窗口", "transfers": "中转", "restrictions": "限制",
    "service_areas": "服务区", "vehicles": "车辆", "lanes": "线路", "trips": "班次", "calls": "停靠",
    "calendar": "日历", "calendar_dates": "日历例外", "products": "产品", "promises": "承诺时限", "demand": "业务量",
    "profiles": "时间分布", "operators": "运营企业", "disruptions": "扰动", "factors": "因子", "parameters": "参数",
}  # fmt: skip


def validation_section(frame: pl.DataFrame) -> Section | None:
    """Published beside modelled, misses included; None when nothing was checked."""
    if frame.is_empty():
        return None
    rows = [
        {
            "name": {"en": row["name_en"], "zh": row["name_zh"]},
            "period": row["period"],
            "published": row["published"],
            "modelled": row["modelled"],
            "tolerance": row.get("tolerance"),
            "unit": row["unit"],
            "kind": row["kind"],
            "verdict": row["verdict"],
        }
        for row in frame.filter(pl.col("published").is_not_null() & pl.col("modelled").is_not_null()).iter_rows(
            named=True
        )
    ]
    chart = Chart(
        "validation_errors",
        Text("Modelled against published: relative difference", "模型与发布值的相对差"),
        {"kind": "misses", "rows": rows},
        "modelled",
        VALIDATION_NOTE,
        50 + 30 * len(rows),
    )
    return Section("validation", Text("Validation", "验证"), (chart, _validation_table(frame)))


def _validation_table(frame: pl.DataFrame) -> Table:
    with_error = frame.with_columns(
        error=pl.col("modelled") - pl.col("published"),
        relative=pl.when(pl.col("published") != 0).then(pl.col("modelled") / pl.col("published") - 1),
        published_label=pl.col("label"),
    )
    columns = (
        Column("name", Text("check", "检验项"), "name"),
        Column("period", Text("period", "时期"), "text"),
        Column("published", Text("published", "发布值"), unit="@unit", decimals=2),
        Column("published_label", Text("label", "性质"), "label"),
        Column("modelled", Text("modelled", "模型值"), unit="@unit", decimals=2, label="modelled"),
        Column("unit", Text("unit", "单位"), "uom"),
        Column("error", Text("difference", "差值"), unit="@unit", decimals=2, label="modelled"),
        Column("relative", Text("relative", "相对差"), unit="share", label="modelled"),
        Column("tolerance", Text("tolerance", "容差"), unit="@unit", decimals=2, label="derived"),
        Column("kind", Text("use", "用途"), "term"),
        Column("verdict", Text("verdict", "结论"), "verdict"),
        Column("reason", Text("why", "说明"), "name"),
        Column("source", Text("source", "来源"), "source"),
        Column("year", Text("year", "年份"), "year"),
    )
    kept = tuple(column for column in columns if column.key in with_error.columns or column.kind == "name")
    return Table("validation", Text("All checks", "全部检验"), kept, with_error, n_shown=40)


def findings_section(frame: pl.DataFrame) -> Section | None:
    """What the checks noticed; None when nothing."""
    if frame.is_empty():
        return None
    columns = (
        Column("code", Text("code", "代码"), "text"),
        Column("severity", Text("severity", "级别"), "term"),
        Column("n", Text("times", "次数"), decimals=0, label="derived"),
        Column("text", Text("first of them", "首例"), "name"),
    )
    table = Table("findings", Text("Findings", "问题清单"), columns, frame, n_shown=20)
    note = Prose(
        (
            Text(
                "`postroad explain CODE` says what a code means and how to mend it.",
                "用 `postroad explain 代码` 查看含义与修改方法。",
            ),
        )
    )
    return Section("findings", Text("Findings", "问题"), (table, note))


def provenance_section(data: ReportData) -> Section:
    """Sources with licences, labels by table, and what repeats the run."""
    blocks: list[Block] = [facts_block(data.facts)]
    if not data.label_counts.is_empty():
        blocks.append(Row((_label_chart(data.label_counts), _label_table(data.label_counts))))
    if not data.sources.is_empty():
        blocks.append(source_table(data.sources))
    if not data.timings.is_empty():
        columns = (
            Column("step", Text("step", "步骤"), "name"),
            Column("wall_s", Text("wall time", "用时"), unit="s", label="measured", is_bar=True),
        )
        blocks.append(
            Table("timings", Text("Wall times of this run", "本次运行用时"), columns, data.timings, n_shown=20)
        )
    return Section("provenance", Text("Provenance", "来源与复现"), tuple(blocks))


def facts_block(facts: RunFacts) -> Facts:
    """The facts that make a run repeatable, its command included."""
    return Facts(facts_of(facts))


def facts_of(facts: RunFacts) -> tuple[tuple[Text, str, bool], ...]:
    """The facts of a run as rows: name, value, whether it is something to copy."""
    versions = ", ".join(f"{name} {version}" for name, version in sorted(facts.versions.items()))
    return (
        (Text("scenario", "方案"), facts.scenario, False),
        (Text("network", "网络"), f"{facts.network} ({facts.level})", False),
        (Text("hour 0", "起始时刻"), f"{facts.epoch:%Y-%m-%d %H:%M} {facts.timezone}", False),
        (Text("hours simulated", "模拟小时数"), str(facts.n_hours), False),
        (Text("seed", "随机种子"), str(facts.seed), False),
        (Text("input digest", "输入摘要"), facts.input_digest, True),
        (Text("result digest", "结果摘要"), facts.result_digest, True),
        (Text("versions", "版本"), versions, False),
        (Text("repeat with", "复现命令"), facts.command, True),
    )


def _label_rows(frame: pl.DataFrame) -> pl.DataFrame:
    sums = frame.group_by("table", "label", maintain_order=True).agg(pl.col("n_values").sum())
    wide = sums.pivot("label", index="table", values="n_values", maintain_order=True).fill_null(0)
    missing = [pl.lit(0, dtype=pl.Int64).alias(label) for label in LABELS if label not in wide.columns]
    return wide.with_columns(missing).select("table", *LABELS)


def _label_chart(frame: pl.DataFrame) -> Chart:
    wide = _label_rows(frame)
    rows = [{"name": _table_text(row[0]).as_dict(), "id": row[0], "values": list(row[1:])} for row in wide.rows()]
    parts = [LABEL_TEXTS[label][0].as_dict() for label in LABELS]
    spec = {
        "kind": "stack",
        "unit": "share",
        "parts": parts,
        "rows": rows,
        "is_normalised": True,
        "tones": list(LABELS),
    }
    note = Text("Share of the rows of each table of the network by what they are.", "网络各表中不同性质的行所占比例。")
    return Chart(
        "label_shares",
        Text("What the network is made of", "网络数据的构成"),
        spec,
        "derived",
        note,
        60 + 26 * len(rows),
    )


def _label_table(frame: pl.DataFrame) -> Table:
    columns = (
        Column("table", Text("table", "数据表"), "name"),
        *(Column(label, LABEL_TEXTS[label][0], decimals=0, label="derived") for label in LABELS),
    )
    wide = _label_rows(frame)
    texts = [_table_text(name) for name in wide["table"]]
    named = wide.with_columns(
        pl.Series("table_en", [text.en for text in texts], dtype=pl.String),
        pl.Series("table_zh", [text.zh for text in texts], dtype=pl.String),
    )
    return Table("labels", Text("Rows by label", "各性质行数"), columns, named, n_shown=24)


def _table_text(name: str) -> Text:
    """A table of the feed as people call it, with its own name."""
    chinese = _TABLES.get(name)
    return Text(name, name if chinese is None else f"{chinese} {name}")


def source_table(frame: pl.DataFrame) -> Table:
    """Sources with licence, year and what they are used for."""
    columns = (
        Column("title", Text("source", "来源"), "name"),
        Column("year", Text("year", "年份"), "text"),
        Column("licence", Text("licence", "许可"), "text"),
        Column("attribution", Text("attribution", "署名"), "text"),
        Column("used_for", Text("used for", "用途"), "name"),
    )
    return Table("sources", Text("Sources and licences", "数据来源与许可"), columns, frame, n_shown=40)
