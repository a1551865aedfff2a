"""Checks of lanes, services, trips and calls."""

from __future__ import annotations

import polars as pl

from postroad.core.findings import Findings
from postroad.network.rows import report_rows

__all__ = [
    "SPEED_LIMITS_KMH",
    "check_calendar",
    "check_calls",
    "check_lanes",
    "check_speeds",
    "check_trips",
    "running_days",
]

SPEED_LIMITS_KMH = {"road": 130.0, "rail": 400.0, "air": 1000.0, "water": 80.0}
"""No parcel vehicle of the mode averages more between two facilities (above the speed limit of Chinese motorways, of
the fastest trains in service, of subsonic freighters and of fast ferries)."""
_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def check_lanes(network, findings: Findings) -> None:
    """Lanes to themselves (PR-T135), of no length (T134), or declared twice (T136)."""
    lanes = network.tables["lanes"]
    same = pl.col("from_facility") == pl.col("to_facility")
    report_rows(findings, "PR-T135", "lanes", lanes, same, "to_facility", lane=pl.col("lane_id"))
    report_rows(
        findings, "PR-T134", "lanes", lanes, (pl.col("distance_km") == 0) & ~same, "distance_km", lane=pl.col("lane_id")
    )
    ends = ["from_facility", "to_facility", "mode"]
    again = ~pl.struct(ends).is_first_distinct() & pl.all_horizontal(pl.col(ends).is_not_null())
    first = pl.col("lane_id").first().over(ends)
    report_rows(findings, "PR-T136", "lanes", lanes, again, "lane_id", first=first, mode=pl.col("mode"))


def running_days(network) -> pl.DataFrame:
    """How many days each service runs: ``service_id``, ``n_days``; exceptions counted."""
    calendar = network.tables["calendar"].unique("service_id", keep="first")
    n_days = (pl.col("end_date") - pl.col("start_date")).dt.total_days() + 1
    first = pl.col("start_date").dt.weekday().cast(pl.Int64) - 1
    by_weekday = [
        pl.when(pl.col(name)).then((n_days - (number + 7 - first) % 7 + 6) // 7).otherwise(0).clip(lower_bound=0)
        for number, name in enumerate(_WEEK)
    ]
    counts = calendar.select("service_id", *_WEEK, "start_date", "end_date", n_days=pl.sum_horizontal(by_weekday))
    exceptions = network.tables["calendar_dates"].join(counts, on="service_id", how="inner")
    weekday = pl.col("date").dt.weekday()
    planned = pl.any_horizontal([pl.col(name) & (weekday == number) for number, name in enumerate(_WEEK, 1)]) & pl.col(
        "date"
    ).is_between(pl.col("start_date"), pl.col("end_date"))
    change = (
        pl.when(pl.col("runs") & ~planned).then(1).when(~pl.col("runs") & planned).then(-1).otherwise(0).alias("change")
    )
    changes = exceptions.with_columns(change).group_by("service_id").agg(pl.col("change").sum())
    joined = counts.join(changes, on="service_id", how="left")
    return joined.select("service_id", n_days=pl.col("n_days") + pl.col("change").fill_null(0))


def check_calendar(network, findings: Findings) -> None:
    """Services that end before they start (PR-T125), never run (T126), or leave the base date bare (T127)."""
    calendar = network.tables["calendar"]
    ends_early = pl.col("end_date") < pl.col("start_date")
    report_rows(
        findings, "PR-T125", "calendar", calendar, ends_early, "end_date",
        service=pl.col("service_id"), start=pl.col("start_date"),
    )  # fmt: skip
    idle = running_days(network).filter(pl.col("n_days") <= 0)["service_id"]
    never = pl.col("service_id").is_in(idle.implode()) & ~ends_early
    report_rows(findings, "PR-T126", "calendar", calendar, never, "service_id")
    base = network.meta.base_date
    covered = calendar.filter(pl.lit(base).is_between(pl.col("start_date"), pl.col("end_date")))
    if len(calendar) and not len(covered):
        findings.add("PR-T127", table="feed.toml", column="base_date", value=base)


def check_trips(network, findings: Findings) -> None:
    """Trips that arrive before they depart (PR-T104), without or with too many ways (T137, T138), of another mode
    than their lane (T139), or without times (T101)."""
    tables = network.tables
    called = pl.col("trip_id").is_in(tables["calls"]["trip_id"].unique().implode())
    trips = tables["trips"].with_row_index("__row", offset=2)
    has_lane = pl.col("lane_id").is_not_null()
    trip = pl.col("trip_id")
    early = pl.col("arrive") < pl.col("depart")
    report_rows(
        findings, "PR-T104", "trips", trips, early, "arrive",
        trip=trip, depart_text=_clock_text("depart"), arrive_text=_clock_text("arrive"),
    )  # fmt: skip
    report_rows(findings, "PR-T137", "trips", trips, ~has_lane & ~called, "lane_id", trip=trip)
    report_rows(findings, "PR-T138", "trips", trips, has_lane & called, "lane_id", trip=trip)
    for column in ("depart", "arrive"):
        missing = has_lane & ~called & pl.col(column).is_null()
        report_rows(findings, "PR-T101", "trips", trips, missing, column, expected="HH:MM")
    modes = _with_modes(trips, tables)
    differs = pl.col("lane_mode") != pl.col("vehicle_mode")
    report_rows(
        findings, "PR-T139", "trips", modes, differs, "vehicle_id",
        trip=trip, lane_mode=pl.col("lane_mode"), vehicle_mode=pl.col("vehicle_mode"),
    )  # fmt: skip


def check_calls(network, findings: Findings) -> None:
    """Trips of one call (PR-T128), calls out of order in time (T129), twice in a row (T130), without time (T101)."""
    calls = network.tables["calls"].with_row_index("__row", offset=2)
    trip = pl.col("trip_id")
    alone = pl.len().over("trip_id") < 2
    report_rows(findings, "PR-T128", "calls", calls, alone & trip.is_not_null(), "trip_id")
    for column in ("arrive", "depart"):
        report_rows(findings, "PR-T101", "calls", calls, pl.col(column).is_null(), column, expected="HH:MM")
    ordered = calls.sort("trip_id", "seq").with_columns(
        pl.col("depart").shift(1).over("trip_id").alias("__left"),
        pl.col("facility_id").shift(1).over("trip_id").alias("__before"),
    )
    leaves_early = pl.col("depart") < pl.col("arrive")
    report_rows(
        findings, "PR-T129", "calls", ordered, leaves_early, "depart",
        trip=trip, seq=pl.col("seq"), earlier=_clock_text("depart"), later=_clock_text("arrive"),
    )  # fmt: skip
    report_rows(
        findings, "PR-T129", "calls", ordered, pl.col("arrive") < pl.col("__left"), "arrive",
        trip=trip, seq=pl.col("seq"), earlier=_clock_text("arrive"), later=_clock_text("__left"),
    )  # fmt: skip
    again = pl.col("facility_id") == pl.col("__before")
    report_rows(findings, "PR-T130", "calls", ordered, again, "facility_id", trip=trip, seq=pl.col("seq"))


def check_speeds(network, findings: Findings) -> None:
    """Trips and legs that are faster than anything of their mode (PR-T133)."""
    tables = network.tables
    trips = _with_modes(tables["trips"].with_row_index("__row", offset=2), tables).join(
        tables["lanes"].unique("lane_id", keep="first").select("lane_id", "distance_km"),
        on="lane_id", how="left", maintain_order="left",
    )  # fmt: skip
    _report_speeds(trips, "trips", "arrive", pl.col("arrive") - pl.col("depart"), findings)
    called = trips.filter(pl.col("trip_id").is_in(tables["calls"]["trip_id"].unique().implode()))
    calls = tables["calls"].with_row_index("__row", offset=2).join(
        called.unique("trip_id", keep="first").select("trip_id", "vehicle_mode"),
        on="trip_id", how="left", maintain_order="left",
    )  # fmt: skip
    calls = calls.sort("trip_id", "seq").with_columns(pl.col("depart").shift(1).over("trip_id").alias("__left"))
    _report_speeds(calls, "calls", "arrive", pl.col("arrive") - pl.col("__left"), findings)


def _report_speeds(frame: pl.DataFrame, table: str, column: str, minutes: pl.Expr, findings: Findings) -> None:
    limit = pl.col("vehicle_mode").replace_strict(SPEED_LIMITS_KMH, default=None, return_dtype=pl.Float64)
    frame = frame.with_columns(minutes.alias("__min"), limit.alias("__limit"))
    too_fast = (pl.col("__min") >= 0) & (pl.col("distance_km") * 60 > pl.col("__limit") * pl.col("__min"))
    speed = (pl.col("distance_km") * 60 / pl.max_horizontal(pl.col("__min"), 1)).round(0)
    report_rows(
        findings, "PR-T133", table, frame, too_fast, column,
        trip=pl.col("trip_id"), km=pl.col("distance_km"), minutes=pl.col("__min"), speed=speed,
        mode=pl.col("vehicle_mode"), limit=pl.col("__limit"),
    )  # fmt: skip


def _with_modes(trips: pl.DataFrame, tables) -> pl.DataFrame:
    """Trips with ``lane_mode`` and ``vehicle_mode``, in the same order."""
    lanes = tables["lanes"].unique("lane_id", keep="first").select("lane_id", pl.col("mode").alias("lane_mode"))
    vehicles = (
        tables["vehicles"].unique("vehicle_id", keep="first").select("vehicle_id", pl.col("mode").alias("vehicle_mode"))
    )
    return trips.join(lanes, on="lane_id", how="left", maintain_order="left").join(
        vehicles, on="vehicle_id", how="left", maintain_order="left"
    )


def _clock_text(column: str) -> pl.Expr:
    hours, minutes = (pl.col(column) // 60).cast(pl.String), (pl.col(column) % 60).cast(pl.String)
    return pl.format("{}:{}", hours.str.zfill(2), minutes.str.zfill(2))
