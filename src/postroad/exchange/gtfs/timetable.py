"""Stop times of GTFS as calls of trips at facilities: seconds to minutes, platforms to stations, headways to trips."""

from __future__ import annotations

import polars as pl

from postroad.core.findings import Findings
from postroad.network.rows import report_rows

__all__ = ["expand_headways", "merge_calls", "read_seconds", "read_stop_times"]

CLOCK = r"^([0-9]{1,3}):([0-5][0-9]):([0-5][0-9])$"
MAX_S = 14 * 86_400


def read_seconds(column: str) -> pl.Expr:
    """A time of GTFS as seconds after midnight of the service day; beyond 24:00 on later days, null when it is none.

    >>> pl.DataFrame({"t": ["25:10:30", "8:00:00", "8:00"]}).select(read_seconds("t"))["t"].to_list()
    [90630, 28800, None]
    """
    parts = [pl.col(column).str.extract(CLOCK, number).cast(pl.Int32) for number in (1, 2, 3)]
    return (parts[0] * 3600 + parts[1] * 60 + parts[2]).alias(column)


def read_stop_times(
    stop_times: pl.DataFrame, trips: pl.DataFrame, facilities: pl.DataFrame, findings: Findings
) -> pl.DataFrame:
    """Read stop times.

    Parameters
    ----------
    stop_times: as in the file.
    trips: ``trip_id`` of the trips that are kept.
    facilities: ``stop_id`` and ``facility_id``.
    findings: PR-E352 a trip or stop that does not exist, PR-E353 a time or sequence that cannot be read, PR-E357 how
        many calls have no time; those rows are left out.

    Returns
    -------
    Frame sorted by trip and sequence: ``trip_id``, ``facility_id``, ``arrive_s``, ``depart_s``, ``can_board``,
    ``can_alight``.
    """
    frame = stop_times.join(facilities, on="stop_id", how="left", maintain_order="left").with_columns(
        read_seconds("arrival_time").alias("arrive_s"),
        read_seconds("departure_time").alias("depart_s"),
        pl.col("stop_sequence").cast(pl.Int64, strict=False).alias("seq"),
        pl.col("trip_id").is_in(trips["trip_id"].implode()).alias("__known"),
    )
    table = "stop_times.txt"
    report_rows(findings, "PR-E352", table, frame, pl.col("facility_id").is_null(), "stop_id", reference="stops.txt")
    report_rows(findings, "PR-E353", table, frame, pl.col("seq").is_null(), "stop_sequence")
    for text, seconds in (("arrival_time", "arrive_s"), ("departure_time", "depart_s")):
        beyond = pl.col(seconds).is_null() | (pl.col(seconds) >= MAX_S)
        report_rows(findings, "PR-E353", table, frame, pl.col(text).is_not_null() & beyond, text)
        frame = frame.with_columns(pl.when(pl.col(seconds) < MAX_S).then(pl.col(seconds)).alias(seconds))
    sound = frame.filter(pl.col("__known") & pl.col("facility_id").is_not_null() & pl.col("seq").is_not_null())
    timed = sound.with_columns(
        arrive_s=pl.coalesce("arrive_s", "depart_s"), depart_s=pl.coalesce("depart_s", "arrive_s")
    ).filter(pl.col("arrive_s").is_not_null())
    if timed.height < sound.height:
        findings.add("PR-E357", table=table, value=sound.height - timed.height, n=sound.height - timed.height)
    return timed.sort("trip_id", "seq").select(
        "trip_id",
        "facility_id",
        "arrive_s",
        "depart_s",
        can_board=pl.col("pickup_type").ne_missing("1"),
        can_alight=pl.col("drop_off_type").ne_missing("1"),
    )


def merge_calls(calls: pl.DataFrame, findings: Findings) -> pl.DataFrame:
    """Bring calls to minutes, calls that follow one another at one facility together, and leave odd trips out.

    Parameters
    ----------
    calls: as :func:`read_stop_times` gives them.
    findings: PR-E354 a trip that calls at fewer than two facilities, PR-E355 one whose times go back; left out.

    Returns
    -------
    Frame: ``trip_id``, ``seq`` from 0, ``facility_id``, ``arrive`` and ``depart`` in minutes, ``can_board``,
    ``can_alight``.

    **Assumes** arrivals are rounded up to the minute, and departures down, but not before the arrival; nothing arrives
    earlier than the seconds say.
    """
    is_new = (pl.col("facility_id") != pl.col("facility_id").shift(1).over("trip_id")).fill_null(True)
    calls = calls.with_columns(is_new.cum_sum().over("trip_id").alias("__stay"))
    merged = calls.group_by("trip_id", "__stay", maintain_order=True).agg(
        pl.col("facility_id").first(),
        pl.col("arrive_s").first(),
        pl.col("depart_s").last(),
        pl.col("can_board").any(),
        pl.col("can_alight").any(),
    )
    left_s = pl.col("depart_s").shift(1).over("trip_id")
    goes_back = (pl.col("depart_s") < pl.col("arrive_s")) | (pl.col("arrive_s") < left_s).fill_null(False)
    trips = merged.group_by("trip_id", maintain_order=True).agg(pl.len().alias("n"), goes_back.any().alias("back"))
    for code, test in (("PR-E354", pl.col("n") < 2), ("PR-E355", pl.col("back"))):
        report_rows(findings, code, "stop_times.txt", trips.with_columns(pl.lit(0).alias("__row")), test, "trip_id")
    kept = trips.filter((pl.col("n") >= 2) & ~pl.col("back"))
    departs = pl.col("depart_s") // 60
    arrive = (pl.col("arrive_s") + 59) // 60
    arrive = pl.when(pl.col("__stay") == 1).then(pl.min_horizontal(arrive, departs)).otherwise(arrive)
    return merged.join(kept, on="trip_id", how="semi", maintain_order="left").select(
        "trip_id",
        (pl.col("__stay").cast(pl.Int64) - 1).alias("seq"),
        "facility_id",
        arrive.cast(pl.Int64).alias("arrive"),
        pl.max_horizontal(departs, arrive).cast(pl.Int64).alias("depart"),
        "can_board",
        "can_alight",
    )


def expand_headways(
    calls: pl.DataFrame, trips: pl.DataFrame, frequencies: pl.DataFrame, findings: Findings
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Write out trips that are given by a headway.

    Parameters
    ----------
    calls: as :func:`read_stop_times` gives them.
    trips: with ``trip_id`` and ``label``.
    frequencies: as in the file.
    findings: PR-E353 a time or headway that cannot be read; its row is left out.

    Returns
    -------
    Calls and trips, a trip with a headway replaced by one for each of its departures, named ``<trip>@HHMMSS``; its
    label is ``derived``, or ``modelled`` where the headway is not exact.
    """
    rows = frequencies.with_columns(
        read_seconds("start_time").alias("__from"),
        read_seconds("end_time").alias("__to"),
        pl.col("headway_secs").cast(pl.Int32, strict=False).alias("__headway"),
    )
    for column, number in (("start_time", "__from"), ("end_time", "__to"), ("headway_secs", "__headway")):
        is_bad = pl.col(number).is_null() | ((pl.col(number) < 1) if number == "__headway" else pl.lit(False))
        report_rows(findings, "PR-E353", "frequencies.txt", rows, is_bad, column)
    sound = pl.col("__from").is_not_null() & pl.col("__to").is_not_null() & (pl.col("__headway") > 0)
    rows = rows.filter(sound & (pl.col("__to") > pl.col("__from"))).join(trips.select("trip_id"), on="trip_id")
    if rows.height == 0:
        return calls, trips
    starts = rows.select(
        "trip_id",
        pl.int_ranges("__from", "__to", "__headway").alias("__start"),
        pl.when(pl.col("exact_times") == "1").then(pl.lit("derived")).otherwise(pl.lit("modelled")).alias("label"),
    ).explode("__start")
    clock = [pl.col("__start") // 3600, pl.col("__start") // 60 % 60, pl.col("__start") % 60]
    stamp = pl.concat_str([part.cast(pl.String).str.zfill(2) for part in clock])
    starts = starts.with_columns(pl.concat_str("trip_id", pl.lit("@"), stamp).alias("__name"))
    starts = starts.unique("__name", keep="first", maintain_order=True)
    first_s = pl.col("depart_s").first().over("trip_id")
    moved = calls.with_columns(first_s.alias("__first")).join(starts, on="trip_id", maintain_order="left")
    moved = moved.sort("__name", maintain_order=True)
    shift = (pl.col("__start") - pl.col("__first")).cast(pl.Int32)
    moved = moved.with_columns(
        trip_id=pl.col("__name"), arrive_s=pl.col("arrive_s") + shift, depart_s=pl.col("depart_s") + shift
    )
    written = trips.drop("label").join(starts, on="trip_id").with_columns(trip_id=pl.col("__name"))
    return (
        pl.concat([calls.join(starts, on="trip_id", how="anti", maintain_order="left"), moved.select(calls.columns)]),
        pl.concat([trips.join(starts, on="trip_id", how="anti", maintain_order="left"), written.select(trips.columns)]),
    )
