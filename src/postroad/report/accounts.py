"""Cost and carbon: account lines with activity, factor and source."""

from __future__ import annotations

import polars as pl

from postroad.report.blocks import Chart, Column, Prose, Section, Table
from postroad.report.labelling import common_label, with_labels
from postroad.report.text import Text, format_value

__all__ = ["carbon_section", "cost_section"]


def cost_section(frame: pl.DataFrame) -> Section | None:
    """The cost of the run by account line; None when there are none."""
    if frame.is_empty():
        return None
    title = Text("What it cost", "成本")
    return Section(
        "cost", title, _account(frame, "cost", Text("Cost by element", "成本构成")), short=Text("Cost", "成本")
    )


def carbon_section(frame: pl.DataFrame) -> Section | None:
    """Emissions by transport-chain element; None when there are none."""
    if frame.is_empty():
        return None
    title = Text("Carbon", "碳排放")
    blocks = _account(
        frame, "carbon", Text("Emissions by transport-chain element (ISO 14083)", "按运输链要素的排放（ISO 14083）")
    )
    return Section("carbon", title, blocks)


def _account(frame: pl.DataFrame, account_id: str, title: Text) -> tuple[Prose, Chart, Table]:
    unit = frame["unit"][0]
    total = frame["value"].sum()
    ordered = frame.sort("value", "element_id", descending=[True, False])
    texts = {lang: format_value(total, unit, lang, words=True) for lang in ("en", "zh")}
    largest = ordered.row(0, named=True)
    share = largest["value"] / total * 100 if total else 0.0
    lead = Text(
        f"{texts['en']} in all; the largest part is {largest['name_en']} with {share:.0f} %.",
        f"合计 {texts['zh']}；其中{largest['name_zh']}占比最大，为 {share:.0f} %。",
    )
    rows = [
        {
            "name": {"en": row["name_en"], "zh": row["name_zh"]},
            "value": row["value"],
            "label": row["label"],
            "mode": row.get("mode"),
        }
        for row in ordered.head(16).iter_rows(named=True)
    ]
    spec = {"kind": "bars", "unit": unit, "rows": rows, "total": total}
    chart = Chart(f"{account_id}_elements", title, spec, common_label(frame), None, 30 + 30 * len(rows))
    columns = [
        Column("name", Text("element", "要素"), "name"),
        Column("activity", Text("activity", "活动量"), decimals=0),
        Column("activity_uom", Text("unit", "单位"), "uom"),
        Column("factor", Text("factor", "因子"), decimals=4),
        Column("factor_uom", Text("unit", "单位"), "uom"),
        Column("value", Text("amount", "数额"), unit=unit, decimals=0, is_bar=True),
        Column("share", Text("share", "占比"), unit="share"),
        Column("label", Text("label", "性质"), "label"),
        Column("source", Text("source", "来源"), "source"),
        Column("year", Text("year", "年份"), "year"),
    ]
    with_share = ordered.with_columns(share=pl.col("value") / (total or 1.0))
    name = {"cost": Text("Cost lines", "成本明细"), "carbon": Text("Carbon lines", "碳排放明细")}[account_id]
    return Prose((lead,)), chart, Table(account_id, name, with_labels(columns, with_share), with_share, n_shown=20)
