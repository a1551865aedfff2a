"""The files of a GTFS feed as frames of text: a folder or a zip archive."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from postroad.core.errors import InputError
from postroad.core.findings import Findings
from postroad.network.textfile import read_text_table

__all__ = ["COLUMNS", "REQUIRED", "read_files"]

# Source: GTFS Schedule reference (2025). Columns that are read; those of the first tuple have to be there.
COLUMNS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "agency": (("agency_name", "agency_timezone"), ("agency_id",)),
    "stops": (("stop_id",), ("stop_name", "stop_lon", "stop_lat", "location_type", "parent_station")),
    "routes": (("route_id", "route_type"), ("agency_id",)),
    "trips": (("route_id", "service_id", "trip_id"), ()),
    "stop_times": (
        ("trip_id", "stop_id", "stop_sequence", "arrival_time", "departure_time"),
        ("pickup_type", "drop_off_type"),
    ),
    "calendar": (
        (
            "service_id",
            "monday",
            "tuesday",
            "wednesday",
            "thursday",
            "friday",
            "saturday",
            "sunday",
            "start_date",
            "end_date",
        ),
        (),
    ),
    "calendar_dates": (("service_id", "date", "exception_type"), ()),
    "frequencies": (("trip_id", "start_time", "end_time", "headway_secs"), ("exact_times",)),
}
REQUIRED = ("agency", "stops", "routes", "trips", "stop_times")
ROW = "__row"


def read_files(path: Path | str, findings: Findings) -> dict[str, pl.DataFrame]:
    """Read the files that matter.

    Parameters
    ----------
    path: folder or zip archive with ``agency.txt``, ``stops.txt`` and so on.
    findings: PR-F113..F125 of the files, PR-E351 of columns are added here.

    Returns
    -------
    Frames of trimmed text by name, with all columns of COLUMNS (null where empty or left out) and ``__row``, the row
    in the file; a file that is not there is an empty frame.

    Raises
    ------
    InputError: PR-E350 when it is no GTFS feed.
    """
    contents = _contents(Path(path))
    lacking = [name for name in REQUIRED if name not in contents]
    if lacking or not {"calendar", "calendar_dates"} & contents.keys():
        missing = lacking or ["calendar"]
        raise InputError("PR-E350", path=Path(path).name, missing=", ".join(f"{name}.txt" for name in missing))
    return {name: _read_file(contents.get(name), name, findings) for name in COLUMNS}


def _contents(path: Path) -> dict[str, bytes]:
    """The bytes of the files, by name without ending; an archive may hold them in one folder."""
    if path.is_dir():
        return {name: file.read_bytes() for name in COLUMNS if (file := path / f"{name}.txt").is_file()}
    if not zipfile.is_zipfile(path):
        raise InputError("PR-E350", path=path.name, missing="agency.txt")
    with zipfile.ZipFile(path) as archive:
        places = {Path(name).name: name for name in sorted(archive.namelist(), key=len, reverse=True)}
        return {name: archive.read(places[f"{name}.txt"]) for name in COLUMNS if f"{name}.txt" in places}


def _read_file(content: bytes | None, name: str, findings: Findings) -> pl.DataFrame:
    """One file."""
    required, optional = COLUMNS[name]
    empty = pl.DataFrame(schema={**dict.fromkeys([*required, *optional], pl.String), ROW: pl.Int64})
    raw = read_text_table(content, f"{name}.txt", findings) if content is not None else None
    if raw is None:
        return empty
    for column in required:
        if column not in raw.frame.columns:
            findings.add("PR-E351", table=f"{name}.txt", column=column)
    texts = [
        (pl.col(column).str.strip_chars() if column in raw.frame.columns else pl.lit(None, dtype=pl.String)).alias(
            column
        )
        for column in (*required, *optional)
    ]
    frame = raw.frame.select(texts).with_columns(pl.Series(ROW, raw.rows, dtype=pl.Int64))
    return frame.with_columns(pl.when(pl.col(pl.String) != "").then(pl.col(pl.String)))
