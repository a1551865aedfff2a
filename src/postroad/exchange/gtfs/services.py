"""The days on which trips run: calendars of GTFS as calendars of the feed, and their days moved."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import polars as pl

from postroad.core.clock import time_zone
from postroad.core.findings import Findings
from postroad.network.rows import report_rows

__all__ = ["DAYS", "move_services", "read_services", "zone_shift_min"]

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def read_services(calendar: pl.DataFrame, dates: pl.DataFrame, findings: Findings) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read calendars.

    Parameters
    ----------
    calendar, dates: as :func:`postroad.exchange.gtfs.files.read_files` gives ``calendar`` and ``calendar_dates``.
    findings: PR-E353 a date that cannot be read is added here; its row is left out.

    Returns
    -------
    ``calendar`` and ``calendar_dates`` of the feed. A service that only has dates gets a calendar without weekdays
    from its first date to its last.
    """
    calendar = calendar.with_columns(_date("start_date"), _date("end_date"))
    dates = dates.with_columns(_date("date"))
    for name, frame, column in (
        ("calendar.txt", calendar, "start_date"),
        ("calendar.txt", calendar, "end_date"),
        ("calendar_dates.txt", dates, "date"),
    ):
        report_rows(findings, "PR-E353", name, frame, pl.col(f"__{column}").is_null(), column)
    weekly = calendar.filter(pl.col("__start_date").is_not_null() & pl.col("__end_date").is_not_null()).select(
        "service_id",
        *((pl.col(day) == "1").fill_null(False).alias(day) for day in DAYS),
        start_date="__start_date",
        end_date="__end_date",
    )
    single = dates.filter(pl.col("__date").is_not_null()).select(
        "service_id", date="__date", runs=(pl.col("exception_type") == "1").fill_null(False)
    )
    single = single.unique(["service_id", "date"], keep="first", maintain_order=True)
    weekly = weekly.unique("service_id", keep="first", maintain_order=True)
    only = single.join(weekly, on="service_id", how="anti")
    only = only.group_by("service_id", maintain_order=True).agg(
        *(pl.lit(False).alias(day) for day in DAYS), start_date=pl.col("date").min(), end_date=pl.col("date").max()
    )
    return pl.concat([weekly, only.select(weekly.columns)]), single


def move_services(
    calendar: pl.DataFrame, dates: pl.DataFrame, services: list[str]
) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, str]]:
    """Add services that run a day earlier than others, for trips that begin before midnight in another time zone.

    Parameters
    ----------
    calendar, dates: of the feed.
    services: ids to copy.

    Returns
    -------
    Both tables with the copies, and the id of each copy by that of its service.
    """
    names = {service: f"{service}-1d" for service in services}
    copies = calendar.filter(pl.col("service_id").is_in(services)).with_columns(
        pl.col("service_id").replace(names),
        *(pl.col(DAYS[(number + 1) % 7]).alias(day) for number, day in enumerate(DAYS)),
        start_date=pl.col("start_date").dt.offset_by("-1d"),
        end_date=pl.col("end_date").dt.offset_by("-1d"),
    )
    copied = dates.filter(pl.col("service_id").is_in(services)).with_columns(
        pl.col("service_id").replace(names), date=pl.col("date").dt.offset_by("-1d")
    )
    return pl.concat([calendar, copies]), pl.concat([dates, copied]), names


def zone_shift_min(calendar: pl.DataFrame, zone: str, target: str, findings: Findings) -> dict[str, int]:
    """Minutes to add to a service's times to tell them in another time zone.

    Parameters
    ----------
    calendar: of the feed.
    zone, target: IANA names of the zone that times are in, and of the one that they shall be in.
    findings: PR-E361 a service over whose days the difference changes (that of its first day is taken).
    """
    shifts = {}
    for service, start, end in calendar.select("service_id", "start_date", "end_date").iter_rows():
        shifts[service] = _difference_min(start, zone, target)
        if shifts[service] != _difference_min(end, zone, target):
            findings.add("PR-E361", table="calendar.txt", column="service_id", value=service, zone=zone, target=target)
    return shifts


def _difference_min(day: date, zone: str, target: str) -> int:
    """How far the clocks of the target are ahead at noon of a day."""
    noon = datetime.combine(day, time(12), tzinfo=time_zone(zone))
    ahead = noon.astimezone(time_zone(target)).utcoffset() - noon.utcoffset()
    return ahead // timedelta(minutes=1)


def _date(column: str) -> pl.Expr:
    """A date of GTFS, ``YYYYMMDD``."""
    return pl.col(column).str.to_date("%Y%m%d", strict=False).alias(f"__{column}")
