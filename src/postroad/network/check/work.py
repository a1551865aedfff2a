"""Checks of what facilities do: windows, sorting capacity, delivery, and the disruptions laid over it."""

from __future__ import annotations

import polars as pl

from postroad.core.findings import Findings
from postroad.network.rows import report_rows

__all__ = ["check_disruptions", "check_service", "check_sorting", "check_windows"]

_TARGETS = ("facility_id", "lane_id", "trip_id")
_DAY_MIN = 1440


def check_windows(network, findings: Findings) -> None:
    """Windows without the times that their kind needs (PR-T140), and windows that overlap (T141)."""
    windows = network.tables["windows"].with_row_index("__row", offset=2)
    kind = pl.col("kind")
    for column, kinds in (("start", ("open", "sort_wave", "delivery_wave")), ("end", ("open", "sort_wave", "cutoff"))):
        missing = kind.is_in(kinds) & pl.col(column).is_null()
        report_rows(findings, "PR-T140", "windows", windows, missing, column, kind=kind)
    spans = windows.filter(kind.is_in(["open", "sort_wave"])).with_columns(
        _minutes("start").alias("__start"), _minutes("end").alias("__end")
    )
    spans = spans.with_columns(
        pl.when(pl.col("__end") <= pl.col("__start"))
        .then(pl.col("__end") + _DAY_MIN)
        .otherwise(pl.col("__end"))
        .alias("__end")
    )
    group = ["facility_id", "kind", "service_id"]
    spans = spans.sort("__start", "__row").with_columns(
        pl.col("__end").cum_max().shift(1).over(group).alias("__before"),
        pl.col("__start").min().over(group).alias("__first"),
    )
    overlaps = (pl.col("__start") < pl.col("__before")) | (pl.col("__end") > pl.col("__first") + _DAY_MIN)
    report_rows(
        findings, "PR-T141", "windows", spans, overlaps, "start", kind=kind, facility=pl.col("facility_id"),
        span=pl.format("{}-{}", pl.col("start"), pl.col("end")),
    )  # fmt: skip


def check_sorting(network, findings: Findings) -> None:
    """Sort waves without capacity (PR-T142), endpoints whose centre can sort (N212) or screen nothing (N213)."""
    tables = network.tables
    facilities = tables["facilities"].unique("facility_id", keep="first", maintain_order=True)
    rates = facilities.select("facility_id", "sort_items_per_h")
    windows = (
        tables["windows"]
        .with_row_index("__row", offset=2)
        .join(rates, on="facility_id", how="left", maintain_order="left")
    )
    rate = pl.coalesce("items_per_h", "sort_items_per_h").fill_null(0)
    report_rows(findings, "PR-T142", "windows", windows, (pl.col("kind") == "sort_wave") & (rate == 0), "items_per_h")
    waves = windows.filter((pl.col("kind") == "sort_wave") & (rate > 0))["facility_id"]
    areas = tables["service_areas"]
    rows = tables["facilities"].with_row_index("__row", offset=2)
    anchor = pl.coalesce("parent_id", "facility_id")
    serving = areas.filter(pl.col("collects") | pl.col("delivers"))["facility_id"]
    collecting = areas.filter(pl.col("collects"))["facility_id"]
    for code, column, users in (
        ("PR-N212", "sort_items_per_h", serving),
        ("PR-N213", "screen_items_per_h", collecting),
    ):
        anchors = rows.filter(pl.col("facility_id").is_in(users.implode())).select(anchor)[:, 0]
        idle = pl.col("facility_id").is_in(anchors.implode()) & (pl.col(column) == 0)
        if code == "PR-N212":
            idle = idle & ~pl.col("facility_id").is_in(waves.implode())
        report_rows(findings, code, "facilities", rows, idle, column, facility=pl.col("facility_id"))


def check_service(network, findings: Findings) -> None:
    """No endpoint at all (PR-N210), endpoints that never send couriers out (N211), places delivered twice (N208)."""
    tables = network.tables
    areas = tables["service_areas"].with_row_index("__row", offset=2)
    for duty in ("collects", "delivers"):
        if len(tables["facilities"]) and not len(areas.filter(pl.col(duty))):
            findings.add("PR-N210", table="service_areas", column=duty)
    waves = tables["windows"].filter(pl.col("kind") == "delivery_wave")["facility_id"]
    mute = pl.col("delivers") & ~pl.col("facility_id").is_in(waves.implode())
    once = areas.filter(mute).unique("facility_id", keep="first", maintain_order=True)
    report_rows(findings, "PR-N211", "service_areas", once, pl.lit(True), "facility_id")
    delivering = areas.filter(pl.col("delivers"))
    again = ~pl.col("place_id").is_first_distinct()
    first = pl.col("facility_id").first().over("place_id")
    report_rows(
        findings, "PR-N208", "service_areas", delivering, again, "place_id", facility=pl.col("facility_id"), first=first
    )


def check_disruptions(network, findings: Findings) -> None:
    """Disruptions that end before they start (PR-T143), without one target (T144), or without their size (T145)."""
    rows = network.tables["disruptions"].with_row_index("__row", offset=2)
    kind = pl.col("kind")
    for form in (r"^D", r"^\d"):
        both = pl.col("from_at").str.contains(form) & pl.col("to_at").str.contains(form)
        subset = rows.filter(both)
        order = _relative_minutes if form == "^D" else _instant_text
        report_rows(
            findings,
            "PR-T143",
            "disruptions",
            subset,
            order("to_at") <= order("from_at"),
            "to_at",
            start=pl.col("from_at"),
        )
    n_targets = pl.sum_horizontal(pl.col(name).is_not_null().cast(pl.Int32) for name in _TARGETS)
    report_rows(findings, "PR-T144", "disruptions", rows, n_targets != 1, "facility_id", n=n_targets)
    for needed, column in (("capacity", "factor"), ("delay", "delay_min")):
        missing = (kind == needed) & pl.col(column).is_null()
        report_rows(findings, "PR-T145", "disruptions", rows, missing, column, kind=kind)


def _minutes(column: str) -> pl.Expr:
    """``HH:MM`` as minutes."""
    parts = pl.col(column).str.split_exact(":", 1)
    return parts.struct.field("field_0").cast(pl.Int64) * 60 + parts.struct.field("field_1").cast(pl.Int64)


def _relative_minutes(column: str) -> pl.Expr:
    """``D+1 06:00`` as minutes from midnight of day D."""
    pattern = r"^D([+-]\d+)[ T](\d+):(\d+)$"
    day, hour, minute = (pl.col(column).str.extract(pattern, group).cast(pl.Int64) for group in (1, 2, 3))
    return day * _DAY_MIN + hour * 60 + minute


def _instant_text(column: str) -> pl.Expr:
    """An ISO instant by its local date and time; offsets are taken to be the same at both ends."""
    return pl.col(column).str.slice(0, 16).str.replace("T", " ")
