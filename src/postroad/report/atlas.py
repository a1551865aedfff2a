"""Maps: facilities and lanes on the base map, as the page's script and the SVG writer read them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from postroad.report.basemap import CELLS_NOTICE, BaseMap, china_map, frame_of, path_of_lines, path_of_rings, world_map
from postroad.report.projection import PLANE_WIDTH, Frame

__all__ = ["MAX_LANES", "base_layers", "choose_base_map", "map_spec", "world_spec"]

MAX_LANES = 1500
"""Lanes drawn at most, the busiest first: more cannot be told apart."""

_CHINA_BOUNDS = (73.0, 136.0, 3.0, 54.0)


def choose_base_map(facilities: pl.DataFrame) -> BaseMap:
    """The shipped map of China when at least half of the facilities lie in its bounds, else the world's outline
    around the facilities.

    Assumes: the shipped outlines cover China in detail and the rest of the world coarsely.
    """
    west, east, south, north = _CHINA_BOUNDS
    inside = facilities.select(
        (pl.col("lon").is_between(west, east) & pl.col("lat").is_between(south, north)).mean()
    ).item()
    return china_map() if inside is not None and inside >= 0.5 else _land_around(facilities)


def _land_around(facilities: pl.DataFrame) -> BaseMap:
    """World land near the facilities, projected for them."""
    lon, lat = facilities["lon"].to_numpy(), facilities["lat"].to_numpy()
    world = world_map()
    if lon.max() - lon.min() > 140:
        return world
    pad_lon, pad_lat = max(1.0, 0.25 * np.ptp(lon)), max(0.8, 0.25 * np.ptp(lat))
    box = (lon.min() - pad_lon, lon.max() + pad_lon, lat.min() - pad_lat, lat.max() + pad_lat)
    rings = tuple(part for ring in world.rings if len(part := _clip_box(ring, box)) >= 3)
    corners = np.array([(box[0], box[2]), (box[1], box[2]), (box[1], box[3]), (box[0], box[3])])
    return BaseMap(world.notice, rings or (corners,), has_borders=False)


def _clip_box(ring: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """A ring cut to a box of degrees (Sutherland and Hodgman)."""
    for axis, bound, sign in ((0, box[0], 1), (0, box[1], -1), (1, box[2], 1), (1, box[3], -1)):
        kept = []
        for start, end in zip(ring, np.roll(ring, -1, axis=0), strict=True):
            is_in = [sign * (point[axis] - bound) >= 0 for point in (start, end)]
            if is_in[0]:
                kept.append(start)
            if is_in[0] != is_in[1]:
                kept.append(start + (end - start) * (bound - start[axis]) / (end[axis] - start[axis]))
        if not kept:
            return np.empty((0, 2))
        ring = np.array(kept)
    return ring


def base_layers(base: BaseMap, frame: Frame) -> dict[str, object]:
    """Paths of the base map in plane units."""
    return {
        "w": PLANE_WIDTH,
        "h": frame.height,
        "land": path_of_rings(base.rings, frame),
        "borders": base.has_borders,
        "lines": path_of_lines(base.lines, frame),
        "lines_are_borders": base.is_line_border,
        "notice": base.notice.as_dict(),
    }


def map_spec(
    base: BaseMap, facilities: pl.DataFrame, lanes: pl.DataFrame, places: pl.DataFrame, waiting: Mapping[str, list[int]]
) -> dict[str, object]:
    """The interactive map of a run.

    Parameters
    ----------
    facilities, lanes, places: frames as declared in ``report/frames.csv``.
    waiting: items waiting by hour of the horizon, for each facility that has any.
    """
    lon, lat = facilities["lon"].to_numpy(), facilities["lat"].to_numpy()
    frame = frame_of(base, lon, lat)
    plane = frame.project(lon, lat)
    is_home = frame.contains(plane)
    spec = base_layers(base, frame)
    spec["facilities"] = _facilities(facilities, plane, is_home)
    spec["lanes"] = _lanes(facilities, lanes, is_home, both_ends=True)
    spec["waiting"] = {
        str(index): waiting[name]
        for index, name in enumerate(facilities["facility_id"].to_list())
        if is_home[index] and waiting.get(name)
    }
    if base.cells and not places.is_empty():
        spec["cells_notice"] = CELLS_NOTICE.as_dict()
        spec["cells"] = _cells(base, frame, places)
    return spec


def world_spec(base: BaseMap, facilities: pl.DataFrame, lanes: pl.DataFrame) -> dict[str, object] | None:
    """The small map of the world with the lanes to facilities beyond the home map; None when there are none."""
    lon, lat = facilities["lon"].to_numpy(), facilities["lat"].to_numpy()
    home = frame_of(base, lon, lat)
    is_home = home.contains(home.project(lon, lat))
    if is_home.all():
        return None
    world = world_map()
    frame = frame_of(world)
    plane = frame.project(lon, lat)
    abroad = _lanes(facilities, lanes, is_home, both_ends=False)
    ends = np.zeros(len(facilities), dtype=bool)
    for lane in abroad:
        ends[[lane[0], lane[1]]] = True
    spec = base_layers(world, frame)
    spec["facilities"] = _facilities(facilities, plane, ends | ~is_home)
    spec["lanes"] = abroad
    spec["waiting"] = {}
    return spec


def _facilities(facilities: pl.DataFrame, plane: np.ndarray, is_shown: np.ndarray) -> list[list[object] | None]:
    columns = ["name_en", "name_zh", "kind", "sorted_items", "use_share", "peak_backlog_items", "facility_id"]
    rows = facilities.select(columns).rows()
    return [
        [int(x), int(y), en, zh, kind, int(items or 0), _rounded(use, 4), int(backlog or 0), name] if shown else None
        for (x, y), (en, zh, kind, items, use, backlog, name), shown in zip(plane, rows, is_shown, strict=True)
    ]


def _lanes(
    facilities: pl.DataFrame, lanes: pl.DataFrame, is_home: np.ndarray, *, both_ends: bool
) -> list[list[object]]:
    index_of = {name: index for index, name in enumerate(facilities["facility_id"].to_list())}
    busiest = lanes.sort(
        "items_per_day", "from_facility", "to_facility", "mode", descending=[True, False, False, False]
    )
    rows: list[list[object]] = []
    for origin, destination, mode, items, fill in busiest.select(
        "from_facility", "to_facility", "mode", "items_per_day", "fill_share"
    ).iter_rows():
        start, end = index_of.get(origin), index_of.get(destination)
        if start is None or end is None or start == end or not items:
            continue
        if bool(is_home[start] and is_home[end]) == both_ends:
            rows.append([start, end, mode, round(items), _rounded(fill, 3)])
        if len(rows) == MAX_LANES:
            break
    return rows


def _cells(base: BaseMap, frame: Frame, places: pl.DataFrame) -> list[list[object]]:
    rows = []
    for place_id, en, zh, n_items, total_h in places.select(
        "place_id", "name_en", "name_zh", "n_items", "total_h"
    ).iter_rows():
        rings = base.cells.get(place_id)
        if rings is not None and total_h is not None:
            rows.append([path_of_rings(rings, frame), _rounded(total_h, 2), en, zh, n_items])
    return rows


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(float(value), digits)
