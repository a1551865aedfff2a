"""The generated page of the demand model: the fit beside the record, the sensitivity, and every number it rests on."""

from __future__ import annotations

import polars as pl

from postroad.demand.comparison import fit_report, sensitivity_report
from postroad.demand.profiles import shopping_days
from postroad.demand.sources import read_demand

__all__ = ["write_page"]

_INTRODUCTION = """# Demand of China: fit and inputs

What the [demand model](../explanation/demand.md) gives beside what was published, misses included, and the numbers that
it rests on. *Used* marks what beta was fitted on; such a row proves nothing. Labels: measured, derived, modelled,
unverified.
"""


def write_page() -> str:
    """The page as Markdown; the same text for the same data."""
    report = fit_report()
    unfitted = report.filter(~pl.col("is_used_in_fit"))
    shares = unfitted.filter(pl.col("figure") == "intracity_share")["error"]
    summary = (
        f"Over the {len(shares)} provinces that publish a same-city share the model misses by "
        f"{shares.abs().mean():.3f} on average (mean error {shares.mean():+.3f}).\n"
    )
    parts = [
        _INTRODUCTION,
        "## Beside the published record\n",
        _table(_fit_rows(report)),
        summary,
        "## Sensitivity to beta\n",
        _table(_sensitivity_rows()),
        "## Parameters\n",
        _table(read_demand("parameters").fill_null("").rows(named=True)),
        "## Shares of cities in what their province sends\n",
        "What remains of a province goes to its other cities by workers in manufacturing and trade.\n",
        _table(_share_rows()),
        "## Shopping days\n",
        _table(shopping_days().rows(named=True)),
    ]
    return "\n".join(parts)


def _fit_rows(report: pl.DataFrame) -> list[dict]:
    rows = []
    for row in report.iter_rows(named=True):
        digits = {"share": 4, "km": 0}.get(row["uom"], 2)
        is_known = row["published"] is not None
        rows.append(
            {
                "figure": row["figure"],
                "place": row["place"],
                "period": row["period"],
                "published": f"{row['published']:.{digits}f}" if is_known else "",
                "modelled": f"{row['modelled']:.{digits}f}",
                "error": f"{row['relative_error']:+.1%}" if is_known and not row["is_used_in_fit"] else "",
                "used": "used" if row["is_used_in_fit"] else "",
                "label": row["published_label"] if is_known else "",
                "source": "; ".join(part for part in (row["source"], row["note"]) if part),
            }
        )
    return rows


def _sensitivity_rows() -> list[dict]:
    return [
        {
            "beta": f"{row['beta']:.4f}" + (" (fitted)" if row["is_fitted"] else ""),
            "same-city share": f"{row['intracity_share']:.4f}",
            "mean haul, km": f"{row['mean_haul_km']:.0f}",
            "mean absolute error of provincial same-city shares": f"{row['intracity_error']:.3f}",
        }
        for row in sensitivity_report().iter_rows(named=True)
    ]


def _share_rows() -> list[dict]:
    return [
        {
            "province": row["province_code"],
            "places": row["places"],
            "share": f"{row['part'] / row['whole']:.4f}",
            "period": row["period"],
            "label": row["label"],
            "source": row["source"],
        }
        for row in read_demand("city_shares").iter_rows(named=True)
    ]


def _table(rows: list[dict]) -> str:
    """Rows as a Markdown table."""
    heads = list(rows[0])
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(str(row[head]).replace("|", "\\|") for head in heads) + " |" for row in rows]
    return "\n".join(lines) + "\n"
