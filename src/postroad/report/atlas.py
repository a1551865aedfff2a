"""Maps: facilities and lanes on the base map, as the page's script and the SVG writer read them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from postroad.report.basemap import CELLS_NOTICE, BaseMap, china_map, frame_of, path_of_lines, path_of_rings, world_map
from postroad.report.projection import PLANE_WIDTH, Frame

__all__ = ["MAX_LANES", "base_layers", "choose_base_map", "map_spec", "short_names", "world_spec"]

MAX_LANES = 1500
"""Lanes drawn at most, the busiest first: more cannot be told apart."""

MIN_FOCUS = 250
FOCUS_SHARE = 0.6
"""A map opens on its facilities when they take up less than this share of it."""


def choose_base_map(facilities: pl.DataFrame) -> BaseMap:
    """The shipped map of China when at least half of the facilities lie on its land, else the world's outline around
    the facilities.

    Assumes: the shipped outlines show China in detail and the rest of the world coarsely; five hundred facilities,
    evenly taken, stand for all.
    """
    china = china_map()
    taken = facilities.gather_every(max(1, len(facilities) // 500)).select("lon", "lat").to_numpy()
    return china if _is_inside(taken, china.rings).mean() >= 0.5 else _land_around(facilities)


def _is_inside(points: np.ndarray, rings: tuple[np.ndarray, ...]) -> np.ndarray:
    """Which points (lon, lat) lie on the land, by the even-odd rule; bool (n,)."""
    x, y = points[:, 0], points[:, 1]
    is_inside = np.zeros(len(points), dtype=bool)
    for ring in rings:
        x0, y0 = ring[:, :1], ring[:, 1:]
        x1, y1 = np.roll(x0, -1, axis=0), np.roll(y0, -1, axis=0)
        is_across = (y0 > y) != (y1 > y)
        run = np.divide(y - y0, y1 - y0, out=np.zeros(is_across.shape), where=is_across)
        is_inside ^= np.bitwise_xor.reduce(is_across & (x < x0 + (x1 - x0) * run), axis=0)
    return is_inside


def _land_around(facilities: pl.DataFrame) -> BaseMap:
    """World land near the facilities, projected for them."""
    lon, lat = facilities["lon"].to_numpy(), facilities["lat"].to_numpy()
    world = world_map()
    if lon.max() - lon.min() > 140:
        return world
    pad_lon, pad_lat = max(1.0, 0.2 * np.ptp(lon)), max(0.8, 0.2 * np.ptp(lat))
    bounds = (lon.min() - pad_lon, lon.max() + pad_lon, lat.min() - pad_lat, lat.max() + pad_lat)
    wide, high = np.ptp(bounds[:2]), np.ptp(bounds[2:])
    box = (bounds[0] - wide, bounds[1] + wide, max(bounds[2] - high, -89.0), min(bounds[3] + high, 89.0))
    rings = tuple(part for ring in world.rings if len(part := _clip_box(ring, box)) >= 3)
    return BaseMap(world.notice, rings, has_borders=False, bounds=tuple(float(edge) for edge in bounds))


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
    base: BaseMap,
    facilities: pl.DataFrame,
    lanes: pl.DataFrame,
    places: pl.DataFrame,
    waiting: Mapping[str, Mapping[str, list[int]]],
) -> dict[str, object]:
    """The interactive map of a run.

    Parameters
    ----------
    facilities, lanes, places: frames as declared in ``report/frames.csv``.
    waiting: items waiting to be sorted (``in``) and to leave (``out``) by hour, for each facility that has any.
    """
    lon, lat = facilities["lon"].to_numpy(), facilities["lat"].to_numpy()
    frame = frame_of(base, lon, lat)
    plane = frame.project(lon, lat)
    is_home = frame.contains(plane)
    spec = base_layers(base, frame)
    spec["focus"] = _focus(plane[is_home], frame)
    spec["facilities"] = _facilities(facilities, plane, is_home)
    spec["lanes"] = _lanes(facilities, lanes, is_home, both_ends=True)
    ids = facilities["facility_id"].to_list()
    spec["waiting"] = {
        side: {str(k): series[name] for k, name in enumerate(ids) if is_home[k] and series.get(name)}
        for side, series in waiting.items()
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
    short = [
        pl.coalesce(f"short_{lang}", f"name_{lang}") for lang in ("en", "zh") if f"short_{lang}" in facilities.columns
    ]
    known = facilities.with_columns(short).select(
        "name_en", "name_zh", "kind", "sorted_items", "use_share", "peak_backlog_items", "facility_id",
        short_en="short_en" if short else "name_en", short_zh="short_zh" if short else "name_zh",
    )  # fmt: skip
    rows: list[list[object] | None] = []
    for (x, y), row, shown in zip(plane, known.iter_rows(), is_shown, strict=True):
        en, zh, kind, items, use, backlog, name, short_en, short_zh = row
        amounts = [int(items or 0), _rounded(use, 4), int(backlog or 0)]
        rows.append([int(x), int(y), en, zh, kind, *amounts, name, short_en, short_zh] if shown else None)
    return rows


def _focus(plane: np.ndarray, frame: Frame) -> list[int] | None:
    """The part of the map to open on, when the facilities lie in a small corner of it; None for the whole map."""
    if not len(plane):
        return None
    low, high = plane.min(axis=0), plane.max(axis=0)
    pad = max(0.12 * float((high - low).max()), MIN_FOCUS / 2)
    box = [*(low - pad).astype(int).tolist(), *(high + pad).astype(int).tolist()]
    is_small = max((box[2] - box[0]) / PLANE_WIDTH, (box[3] - box[1]) / frame.height) < FOCUS_SHARE
    return box if is_small else None


def short_names(facilities: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """Add ``short_en`` and ``short_zh``: the place's name for centres, hubs and exchanges, which are called after it.

    Parameters
    ----------
    facilities: with ``facility_id``, ``kind``, ``place_id``, ``name_en``, ``name_zh``.
    places: the table of the feed.
    """
    names = places.select("place_id", place_en="name_en", place_zh=pl.col("name").str.strip_suffix("市"))
    is_plain = pl.col("kind").is_in(["sorting", "hub", "exchange"])
    joined = facilities.join(names, on="place_id", how="left", maintain_order="left").with_columns(
        short_en=pl.when(is_plain).then(pl.coalesce("place_en", "name_en")).otherwise("name_en"),
        short_zh=pl.when(is_plain).then(pl.coalesce("place_zh", "name_zh")).otherwise("name_zh"),
    )
    return joined.drop("place_en", "place_zh")


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
