"""A GTFS feed as tables of the Parcel Network Feed: what a public timetable could carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from postroad.core.findings import Findings
from postroad.exchange.gtfs.files import read_files
from postroad.exchange.gtfs.services import move_services, read_services, zone_shift_min
from postroad.exchange.gtfs.timetable import expand_headways, merge_calls, read_stop_times
from postroad.network.check.geography import great_circle_km
from postroad.network.rows import report_rows

__all__ = ["KIND_BY_MODE", "MODES", "TransitTables", "read_gtfs"]

# Source: GTFS Schedule reference (2025), routes.txt, and the extended route types; cable cars carry no parcels here.
MODES = (
    (0, 2, "rail"),
    (3, 3, "road"),
    (4, 4, "water"),
    (7, 7, "rail"),
    (11, 11, "road"),
    (12, 12, "rail"),
    (100, 199, "rail"),
    (200, 299, "road"),
    (400, 499, "rail"),
    (700, 899, "road"),
    (900, 999, "rail"),
    (1000, 1099, "water"),
    (1100, 1199, "air"),
    (1200, 1299, "water"),
    (1400, 1499, "rail"),
    (1500, 1599, "road"),
)
KIND_BY_MODE = {"air": "airport", "water": "port", "rail": "railhead", "road": "hub"}
"""Kind of the facility that a stop becomes, by the mode that calls there; of several the first."""
DAY_MIN = 1440


@dataclass(frozen=True, slots=True)
class TransitTables:
    """What a timetable became.

    Attributes
    ----------
    timezone: IANA name of the zone that the times are in.
    tables: ``operators``, ``facilities``, ``lanes``, ``trips``, ``calls``, ``calendar`` and ``calendar_dates`` of the
        feed, ready to be joined with places, vehicles and products (``Network.from_tables``); times in minutes.
    """

    timezone: str
    tables: Mapping[str, pl.DataFrame]


def read_gtfs(
    path: Path | str,
    *,
    places: str | Mapping[str, str],
    vehicles: Mapping[str, str] | None = None,
    prefix: str = "",
    timezone: str | None = None,
    detour: float = 1.0,
) -> tuple[TransitTables, Findings]:
    """Read a GTFS feed as tables of the Parcel Network Feed.

    Parameters
    ----------
    path: folder or zip archive.
    places: ``place_id`` of all facilities, or by ``stop_id`` of the station.
    vehicles: ``vehicle_id`` by mode (road, rail, air, water); the mode itself when left out.
    prefix: put before every id.
    timezone: IANA name of the zone to tell times in; the agency's when left out. Trips that then begin before midnight
        move to a copy of their service a day earlier.
    detour: distance that a vehicle runs over the great-circle distance.

    Returns
    -------
    The tables, and findings: PR-F113..F125 of the files, PR-E351 a column is missing, PR-E352 a reference to nothing,
    PR-E353 a cell that cannot be read, PR-E354 and PR-E355 trips of fewer than two places or whose times go back,
    PR-E356 agencies in several zones (the first holds), PR-E357 calls without a time, PR-E358 a route type that is not
    carried over, PR-E359 a station without coordinates or place, PR-E361 a zone difference that changes.

    Raises
    ------
    InputError: PR-E350 when it is no GTFS feed, PR-C022 for an unknown time zone.

    **Assumes** platforms are one facility with their station. A trip of two calls runs on a lane; a longer one has
    calls. Distances are great-circle distances times ``detour`` and marked ``derived``: ``shape_dist_traveled`` has no
    unit of its own. A stop says nothing about handling or sorting of parcels: those columns keep their defaults.

    **Source** GTFS Schedule reference (2025).
    """
    findings = Findings()
    files = read_files(path, findings)
    source = f"GTFS {Path(path).name}"
    zone = _one_zone(files["agency"], findings)
    calls, trips, stations, calendar, dates = _read_timetable(files, places, findings)
    if timezone is not None and timezone != zone:
        shifts = zone_shift_min(calendar, zone, timezone, findings)
        calls, trips, calendar, dates = _shift(calls, trips, calendar, dates, shifts)
    facilities = _facilities(stations, calls, trips, source)
    tables = _lay_out(calls, trips, facilities, vehicles or {}, detour, source)
    tables |= {
        "operators": _operators(files["agency"], source),
        "facilities": facilities,
        "calendar": calendar.with_columns(_marks(source)),
        "calendar_dates": dates.with_columns(_marks(source)),
    }
    return TransitTables(timezone or zone, {name: _prefixed(frame, prefix) for name, frame in tables.items()}), findings


def _read_timetable(
    files: Mapping[str, pl.DataFrame], places: str | Mapping[str, str], findings: Findings
) -> tuple[pl.DataFrame, ...]:
    """Calls, trips and stations, as far as they hold together, and both calendars."""
    calendar, dates = read_services(files["calendar"], files["calendar_dates"], findings)
    trips = _read_trips(files["trips"], files["routes"], calendar, findings)
    stations = _read_stations(files["stops"], places, findings)
    calls = read_stop_times(files["stop_times"], trips, stations.select("stop_id", "facility_id"), findings)
    calls, trips = expand_headways(calls, trips, files["frequencies"], findings)
    calls = merge_calls(calls, findings)
    trips = trips.join(calls, on="trip_id", how="semi", maintain_order="left")
    return calls, trips, stations, calendar, dates


def _operators(agency: pl.DataFrame, source: str) -> pl.DataFrame:
    """The agencies; one alone may go without an id."""
    named = agency.with_columns(pl.col("agency_id").fill_null("agency"))
    named = named.unique("agency_id", keep="first", maintain_order=True)
    return named.select(operator_id="agency_id", name="agency_name").with_columns(_marks(source))


def _one_zone(agency: pl.DataFrame, findings: Findings) -> str:
    """The zone of all agencies; the first one's when they differ."""
    zones = agency["agency_timezone"].drop_nulls().unique(maintain_order=True).to_list()
    if len(zones) > 1:
        findings.add("PR-E356", table="agency.txt", column="agency_timezone", value=", ".join(zones), zone=zones[0])
    return zones[0] if zones else "UTC"


def _read_trips(trips: pl.DataFrame, routes: pl.DataFrame, calendar: pl.DataFrame, findings: Findings) -> pl.DataFrame:
    """Trips with their mode and operator; those of routes that carry nothing are left out."""
    number = pl.col("route_type").cast(pl.Int64, strict=False)
    mode = pl.coalesce([pl.when(number.is_between(low, high)).then(pl.lit(name)) for low, high, name in MODES])
    routes = routes.with_columns(mode.alias("mode"))
    report_rows(findings, "PR-E358", "routes.txt", routes, pl.col("mode").is_null(), "route_type")
    known = routes.unique("route_id", keep="first", maintain_order=True)
    frame = trips.join(
        known.select("route_id", "mode", pl.lit(True).alias("__route")),
        on="route_id",
        how="left",
        maintain_order="left",
    ).with_columns(pl.col("service_id").is_in(calendar["service_id"].implode()).alias("__service"))
    for column, test, file in (
        ("route_id", pl.col("__route").is_null(), "routes.txt"),
        ("service_id", ~pl.col("__service").fill_null(False), "calendar.txt"),
    ):
        report_rows(findings, "PR-E352", "trips.txt", frame, test, column, reference=file)
    kept = frame.filter(pl.col("mode").is_not_null() & pl.col("__service").fill_null(False))
    kept = kept.unique("trip_id", keep="first", maintain_order=True)
    return kept.select("trip_id", "service_id", "mode").with_columns(pl.lit("measured").alias("label"))


def _read_stations(stops: pl.DataFrame, places: str | Mapping[str, str], findings: Findings) -> pl.DataFrame:
    """Stops with the facility that they are part of, its name, coordinates and place; those without are left out."""
    known = stops.unique("stop_id", keep="first", maintain_order=True)
    heads = known.select(
        pl.col("stop_id").alias("facility_id"),
        pl.col("stop_name").alias("name"),
        pl.col("stop_lon").cast(pl.Float64, strict=False).alias("lon"),
        pl.col("stop_lat").cast(pl.Float64, strict=False).alias("lat"),
    )
    frame = known.select(
        "stop_id", pl.coalesce("parent_station", "stop_id").alias("facility_id"), pl.col("__row")
    ).join(heads, on="facility_id", how="left", maintain_order="left")
    place = pl.lit(places) if isinstance(places, str) else pl.col("facility_id").replace_strict(places, default=None)
    frame = frame.with_columns(place.cast(pl.String).alias("place_id"), pl.col("name").fill_null(pl.col("facility_id")))
    lacks = pl.any_horizontal(pl.col(name).is_null() for name in ("lon", "lat", "place_id"))
    report_rows(findings, "PR-E359", "stops.txt", frame, lacks, "stop_id")
    return frame.filter(~lacks).drop("__row")


def _facilities(stations: pl.DataFrame, calls: pl.DataFrame, trips: pl.DataFrame, source: str) -> pl.DataFrame:
    """The facilities at which something calls, their kind by what does."""
    modes = calls.join(trips.select("trip_id", "mode"), on="trip_id")
    ranks = {mode: rank for rank, mode in enumerate(KIND_BY_MODE)}
    rank = pl.col("mode").replace_strict(ranks, return_dtype=pl.Int64)
    kinds = dict(enumerate(KIND_BY_MODE.values()))
    kind = modes.group_by("facility_id").agg(rank.min().replace_strict(kinds, return_dtype=pl.String).alias("kind"))
    used = stations.unique("facility_id", keep="first", maintain_order=True)
    return used.join(kind, on="facility_id", maintain_order="left").select(
        "facility_id", "kind", "name", "place_id", "lon", "lat", *_marks(source)
    )


def _shift(
    calls: pl.DataFrame, trips: pl.DataFrame, calendar: pl.DataFrame, dates: pl.DataFrame, shifts: Mapping[str, int]
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Tell times in another zone; a trip that then begins before midnight runs on the day before."""
    by_trip = trips.select("trip_id", pl.col("service_id").replace_strict(shifts, return_dtype=pl.Int64).alias("__by"))
    calls = calls.join(by_trip, on="trip_id", maintain_order="left")
    begins = (pl.col("depart") + pl.col("__by")).first().over("trip_id")
    calls = calls.with_columns((begins < 0).alias("__before"))
    total = pl.col("__by") + pl.when("__before").then(DAY_MIN).otherwise(0)
    # A trip may wait at its first stop; an arrival there before midnight means nothing.
    calls = calls.with_columns(arrive=(pl.col("arrive") + total).clip(lower_bound=0), depart=pl.col("depart") + total)
    before = calls.filter("__before").select("trip_id").unique()
    moved = trips.join(before, on="trip_id", how="semi")["service_id"].unique().sort().to_list()
    calendar, dates, names = move_services(calendar, dates, moved)
    is_before = pl.col("trip_id").is_in(before["trip_id"].implode())
    trips = trips.with_columns(
        service_id=pl.when(is_before).then(pl.col("service_id").replace(names)).otherwise("service_id")
    )
    return calls.drop("__by", "__before"), trips, calendar, dates


def _lay_out(
    calls: pl.DataFrame,
    trips: pl.DataFrame,
    facilities: pl.DataFrame,
    vehicles: Mapping[str, str],
    detour: float,
    source: str,
) -> dict[str, pl.DataFrame]:
    """Lanes, trips and calls: a trip of two calls goes on a lane, a longer one has calls."""
    places = facilities.select("facility_id", "lon", "lat")
    calls = calls.join(places, on="facility_id", maintain_order="left")
    ends = [pl.col(name).shift(1).over("trip_id") for name in ("lon", "lat")]
    legs = calls.select(ends[0].alias("lon_a"), ends[1].alias("lat_a"), "lon", "lat").fill_null(0.0)
    km = great_circle_km(*(legs[name].to_numpy() for name in ("lon_a", "lat_a", "lon", "lat"))) * detour
    first = calls["seq"] == 0
    calls = calls.with_columns(pl.Series("distance_km", km).round(3).set(first, 0.0))
    ways = calls.group_by("trip_id", maintain_order=True).agg(
        pl.len().alias("n"),
        (pl.col("can_board").first() & pl.col("can_alight").last()).alias("is_open"),
        pl.col("facility_id").first().alias("from_facility"),
        pl.col("facility_id").last().alias("to_facility"),
        pl.col("distance_km").last(),
        pl.col("depart").first(),
        pl.col("arrive").last(),
    )
    frame = trips.join(ways, on="trip_id", maintain_order="left")
    is_direct = (pl.col("n") == 2) & pl.col("is_open")
    lane_id = pl.concat_str("from_facility", pl.lit(">"), "to_facility", pl.lit(" "), "mode")
    frame = frame.with_columns(pl.when(is_direct).then(lane_id).alias("lane_id"))
    lanes = frame.filter(pl.col("lane_id").is_not_null()).unique("lane_id", keep="first", maintain_order=True)
    longer = frame.filter(pl.col("lane_id").is_null())
    marks = [pl.lit("derived").alias("label"), pl.lit(source).alias("source")]
    vehicle = pl.col("mode").replace(dict(vehicles)) if vehicles else pl.col("mode")
    alone = pl.col("lane_id").is_not_null()
    return {
        "lanes": lanes.select("lane_id", "from_facility", "to_facility", "mode", "distance_km", *marks),
        "trips": frame.select(
            "trip_id",
            "lane_id",
            vehicle.alias("vehicle_id"),
            "service_id",
            pl.when(alone).then("depart").alias("depart"),
            pl.when(alone).then("arrive").alias("arrive"),
            "label",
            pl.lit(source).alias("source"),
        ),
        "calls": calls.join(longer.select("trip_id"), on="trip_id", how="semi", maintain_order="left").select(
            "trip_id",
            "seq",
            "facility_id",
            "arrive",
            "depart",
            "distance_km",
            "can_board",
            "can_alight",
            *marks,
        ),
    }


def _marks(source: str) -> list[pl.Expr]:
    """Label and source of rows that stand in the feed as published."""
    return [pl.lit("measured").alias("label"), pl.lit(source).alias("source")]


def _prefixed(frame: pl.DataFrame, prefix: str) -> pl.DataFrame:
    """A table with the prefix before the ids that are of this feed."""
    ids = ("operator_id", "facility_id", "lane_id", "trip_id", "service_id", "from_facility", "to_facility")
    named = [name for name in ids if name in frame.columns]
    return frame.with_columns(pl.concat_str(pl.lit(prefix), name).alias(name) for name in named) if prefix else frame
