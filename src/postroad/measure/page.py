"""Pages of the measures: the reference of all that is registered, and the generated part of the validation page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from postroad.core.errors import InputError
from postroad.measure.dims import GROUPINGS
from postroad.measure.hours import HOUR_GROUPINGS
from postroad.measure.loads import LOAD_GROUPINGS
from postroad.measure.record import ACCOUNT_GROUPINGS
from postroad.measure.registry import Measure, components, find, measures
from postroad.measure.sql import quantile_sql, reach_sql, sums_sql

__all__ = ["BEGIN", "END", "describe_validation", "write_page", "write_validation"]

BEGIN = "<!-- generated: validation -->"
END = "<!-- end of generated part -->"

_KINDS = {
    "journeys": ("Of journeys", "全程类", ("count", "ratio", "quantile", "reach"), (*GROUPINGS, "pair")),
    "loads": ("Of loads", "装载类", ("loads",), (*LOAD_GROUPINGS, "lane")),
    "hours": ("Of hours", "工时类", ("hours",), HOUR_GROUPINGS),
    "accounts": ("Of accounts", "核算类", ("account",), ACCOUNT_GROUPINGS),
}

_VERDICTS = {
    "met": "met 达到",
    "not_met": "not met 未达到",
    "not_decidable": "not decidable 无法判定",
    "shown": "shown 仅列示",
}

_KIND_TITLES = {
    "calibrated": "Calibrated on 标定所用",
    "kept_aside": "Kept aside 未参与标定",
    "shown": "Shown, not judged 仅列示",
}


def write_page() -> str:
    """The reference page of measures, in Markdown."""
    parts = [
        "# Measures 指标",
        "Generated from `postroad/measure/tables/*.csv`. What they mean: [Measures](../explanation/measures.md).",
        "Each is registered once. Values of a simulated run are labelled *modelled*, of a real ledger *measured*.",
    ]
    for title_en, title_zh, kinds, groupings in _KINDS.values():
        chosen = [one for one in measures().values() if one.kind in kinds]
        parts += [
            f"## {title_en} {title_zh}",
            "Group by 分组: " + ", ".join(f"`{name}`" for name in groupings) + ".",
            _table(
                ("measure", "unit", "title", "名称", "definition", "定义", "formula", "better", "source"),
                [_measure_row(one) for one in chosen],
            ),
        ]
    parts += [
        "## Components 合计项",
        "What each row of `journeys` adds to the sums that the formulas name.",
        _table(
            ("component", "SQL", "description", "说明"),
            [(f"`{one.name}`", f"`{one.sql}`", one.description, one.description_zh) for one in components().values()],
        ),
        "## Statements SQL 语句",
        "Over tables `journeys`, `facilities` and `products`, in what DuckDB, PostgreSQL and Spark have in common;"
        " tested on DuckDB and SQLite.",
        "The total time by product:",
        _fence(sums_sql(["total_item_min", "n_timed"], ["product"])),
        "The median by product, exact:",
        _fence(quantile_sql(50, ["product"])),
        "The share of city pairs within three days, by province of origin:",
        _fence(reach_sql(find(["reach_3d_share"])[0], ["origin_province"])),
    ]
    return "\n\n".join(parts) + "\n"


def describe_validation(frame: pl.DataFrame, run: Mapping[str, str]) -> str:
    """The comparison with published figures as Markdown, misses included.

    Parameters
    ----------
    frame: of :func:`postroad.measure.validation.compare_published`.
    run: what identifies the run, such as the feed, the day, the seed and the digest; printed above the tables.
    """
    parts = ["| | |\n| --- | --- |\n" + "\n".join(f"| {name} | {value} |" for name, value in run.items())]
    header = ("check", "校验", "period", "published", "modelled", "error", "allowed", "verdict", "remark", "source")
    for kind, title in _KIND_TITLES.items():
        rows = [_check_row(row) for row in frame.filter(kind=kind).iter_rows(named=True)]
        if rows:
            parts += [f"### {title}", _table(header, rows)]
    judged = frame.filter(pl.col("kind") == "calibrated")
    met = judged.filter(verdict="met").height
    parts.append(f"{met} of {judged.height} calibrated figures are met. 标定指标 {judged.height} 项，达到 {met} 项。")
    return "\n\n".join(parts) + "\n"


def write_validation(frame: pl.DataFrame, run: Mapping[str, str], page: Path) -> None:
    """Put the comparison into the generated part of a page; the rest of the page stays as it is.

    Raises
    ------
    InputError: PR-M012 when the page does not hold the two marks between which the generated part stands.
    """
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if BEGIN not in text or END not in rest:
        raise InputError("PR-M012", page=page.name, begin=BEGIN, end=END)
    made = f"{before}{BEGIN}\n\n{describe_validation(frame, run)}\n{END}{after}"
    page.write_text(made, encoding="utf-8", newline="\n")


def _measure_row(one: Measure) -> tuple[str, ...]:
    return (
        f"`{one.name}`", one.unit, one.title_en, one.title_zh, one.definition_en, one.definition_zh, f"`{one.formula}`",
        one.better, one.source,
    )  # fmt: skip


def _check_row(row: Mapping[str, object]) -> tuple[str, ...]:
    unit = str(row["unit"])
    place = f" ({row['place']})" if row["place"] and not str(row["place"]).startswith("CN-") else ""
    return (
        f"{row['name_en']}{place}",
        f"{row['name_zh']}{place}",
        str(row["period"]),
        _number(row["published"], unit),
        _number(row["modelled"], unit),
        _difference(row["error"], unit, "+"),
        "" if row["tolerance"] is None else f"± {_difference(row['tolerance'], unit)}",
        _VERDICTS[str(row["verdict"])],
        f"{row['reason_en']} {row['reason_zh']}".strip(),
        f"{row['source']} ({row['label']})",
    )


def _number(value: object, unit: str) -> str:
    """A value as people write it: shares in per cent, hours and ratios with two digits."""
    if value is None:
        return "—"
    if unit == "share":
        return f"{float(value) * 100:.2f} %"
    return f"{float(value):.2f}" + (" h" if unit == "h" else "")


def _difference(value: object, unit: str, sign: str = "") -> str:
    """The same for the difference of two values: that of shares is in points (pp)."""
    if value is not None and unit == "share":
        return f"{float(value) * 100:{sign}.2f} pp"
    return "—" if value is None else f"{float(value):{sign}.2f}" + (" h" if unit == "h" else "")


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _fence(statement: str) -> str:
    return f"```sql\n{statement}\n```"
