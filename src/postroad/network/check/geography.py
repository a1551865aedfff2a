"""Checks of where things are: the tree of places, coordinates, lengths of lanes."""

from __future__ import annotations

import numpy as np
import polars as pl

from postroad.core.findings import Findings
from postroad.network.rows import report_rows

__all__ = ["check_coordinates", "check_lane_lengths", "check_place_tree", "great_circle_km"]

EARTH_RADIUS_KM = 6371.0088
"""Mean Earth radius. Source: IUGG, 1980."""
SWAPPED_NEAR_KM = 200.0
SWAPPED_FAR_KM = 1000.0
SHORT_SHARE = 0.95
SHORT_SLACK_KM = 2.0
METRES_RATIO = 50.0
METRES_SLACK_KM = 500.0


def great_circle_km(lon_a: np.ndarray, lat_a: np.ndarray, lon_b: np.ndarray, lat_b: np.ndarray) -> np.ndarray:
    """Great-circle distance between points in degrees, by the haversine formula.

    Source: R. W. Sinnott, Virtues of the Haversine, Sky and Telescope 68 (1984).

    >>> round(float(great_circle_km(120.2, 30.3, 113.3, 23.1)))
    1053
    """
    lon_a, lat_a, lon_b, lat_b = (np.radians(np.asarray(value, float)) for value in (lon_a, lat_a, lon_b, lat_b))
    half = np.sin((lat_b - lat_a) / 2) ** 2 + np.cos(lat_a) * np.cos(lat_b) * np.sin((lon_b - lon_a) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0)))


def check_place_tree(network, findings: Findings) -> None:
    """Places that lie in themselves, directly or through others (PR-T124)."""
    places = network.tables["places"]
    ids = places["place_id"]
    index = pl.DataFrame({"place_id": ids, "n": np.arange(len(ids))}).unique("place_id", keep="first")
    parents = places.select(pl.col("parent_id").alias("place_id")).join(
        index, on="place_id", how="left", maintain_order="left"
    )
    step = np.r_[parents["n"].fill_null(len(ids)).to_numpy(), len(ids)].astype(np.int64)
    reached = step.copy()
    for _ in range(max(1, len(ids)).bit_length()):
        reached = reached[reached]
    on_cycle = np.zeros(len(ids) + 1, bool)
    on_cycle[reached[:-1]] = True
    report_rows(findings, "PR-T124", "places", places, pl.Series(on_cycle[:-1]), "parent_id", place=pl.col("place_id"))


def check_coordinates(network, findings: Findings) -> None:
    """Coordinates off the globe (PR-T110), exchanged (T122), or at zero north, zero east (T123)."""
    places = network.tables["places"].unique("place_id", keep="first")
    for name in ("places", "facilities"):
        frame = network.tables[name].with_row_index("__row", offset=2)
        lon, lat = pl.col("lon"), pl.col("lat")
        off_globe = (lon.abs() > 180) | (lat.abs() > 90)
        exchanged = off_globe & (lon.abs() <= 90) & (lat.abs() <= 180)
        if name == "facilities":
            exchanged = exchanged | _far_unless_exchanged(frame, places)
        frame = frame.with_columns(exchanged.fill_null(False).alias("__exchanged"))
        report_rows(findings, "PR-T122", name, frame, pl.col("__exchanged"), "lat", lon=lon, lat=lat)
        for column, limit in (("lon", 180), ("lat", 90)):
            outside = (pl.col(column).abs() > limit) & ~pl.col("__exchanged")
            report_rows(findings, "PR-T110", name, frame, outside, column, range=f"[-{limit},{limit}]", unit="degrees")
        report_rows(findings, "PR-T123", name, frame, (lon == 0) & (lat == 0), "lon")


def _far_unless_exchanged(frame: pl.DataFrame, places: pl.DataFrame) -> pl.Expr:
    """True where a facility is far from its place, but near it once its coordinates are exchanged."""
    homes = places.select("place_id", pl.col("lon").alias("p_lon"), pl.col("lat").alias("p_lat"))
    both = frame.join(homes, on="place_id", how="left", maintain_order="left")
    lon, lat, p_lon, p_lat = (
        both[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in ("lon", "lat", "p_lon", "p_lat")
    )
    far = great_circle_km(lon, lat, p_lon, p_lat) > SWAPPED_FAR_KM
    near = great_circle_km(lat, lon, p_lon, p_lat) < SWAPPED_NEAR_KM
    return pl.lit(pl.Series(far & near))


def check_lane_lengths(network, findings: Findings) -> None:
    """Lanes shorter than the straight line (PR-T149), or so long that metres were meant (T150)."""
    points = network.tables["facilities"].unique("facility_id", keep="first").select("facility_id", "lon", "lat")
    lanes = network.tables["lanes"]
    ends = []
    for side in ("from_facility", "to_facility"):
        joined = lanes.select(pl.col(side).alias("facility_id")).join(
            points, on="facility_id", how="left", maintain_order="left"
        )
        ends += [joined["lon"].fill_null(np.nan).to_numpy(), joined["lat"].fill_null(np.nan).to_numpy()]
    straight = pl.Series("__straight", great_circle_km(*ends)).fill_nan(None)
    frame = lanes.with_columns(straight)
    metres = pl.col("distance_km") > METRES_RATIO * pl.col("__straight") + METRES_SLACK_KM
    short = (pl.col("distance_km") > 0) & (pl.col("distance_km") < SHORT_SHARE * pl.col("__straight") - SHORT_SLACK_KM)
    for code, test in (("PR-T149", short), ("PR-T150", metres)):
        own = pl.col("__straight").round(0)
        report_rows(findings, code, "lanes", frame, test, "distance_km", lane=pl.col("lane_id"), straight_km=own)
