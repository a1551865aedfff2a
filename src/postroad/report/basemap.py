"""The base map: outlines, lines and cells in degrees, replaceable, with the notice that must stand under it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.resources import files
from pathlib import Path

import numpy as np

from postroad.core.errors import InputError
from postroad.report.projection import (
    WORLD_CENTRE_LON,
    Forward,
    Frame,
    albers,
    clip_meridian,
    equal_earth,
    fit_frame,
    select_projection,
)
from postroad.report.text import Text

__all__ = ["BaseMap", "china_map", "frame_of", "path_of_lines", "path_of_rings", "read_base_map", "world_map"]

CHINA_NOTICE = Text(
    "Base map: Natural Earth (public domain), simplified, for internal analysis; not a standard map. "
    "A map published in China must use an approved standard map and show its review number: "
    "pass one with --base-map FILE --map-notice TEXT.",
    "底图：Natural Earth（公有领域），经简化，仅供内部分析，非标准地图。"
    "在中国公开登载须使用经审核批准的标准地图并标注审图号，可用 --base-map 文件 --map-notice 文字 替换。",
)
WORLD_NOTICE = Text(
    "World outline: Natural Earth 1:110 m (public domain), land only, without borders.",
    "世界轮廓：Natural Earth 1:1.1 亿（公有领域），仅示陆地，不表示国界。",
)
NO_NOTICE = Text(
    "Base map supplied by the user; no review number was given.",
    "底图由用户提供，未注明审图号。",
)
CELLS_NOTICE = Text(
    "City areas are Voronoi cells (modelled; GeoNames, CC BY 4.0), not administrative borders.",
    "城市区域为泰森多边形示意（建模；GeoNames，CC BY 4.0），非行政区划界线。",
)
NEAR_DEGREES = 4.0


@dataclass(frozen=True, slots=True)
class BaseMap:
    """Outlines in degrees.

    Attributes
    ----------
    rings: float64 arrays (n, 2) of (lon, lat), closed or open, filled as land.
    lines: float64 arrays (n, 2), drawn as borders where ``is_line_border`` else as rivers.
    cells: rings by place, for shading; empty when there are none.
    projection: degrees to plane; chosen from the outlines when None.
    bounds: west, east, south, north of what is shown; all outlines when None.
    """

    notice: Text
    rings: tuple[np.ndarray, ...]
    lines: tuple[np.ndarray, ...] = ()
    is_line_border: bool = False
    has_borders: bool = True
    cells: Mapping[str, tuple[np.ndarray, ...]] = field(default_factory=dict)
    projection: Forward | None = None
    bounds: tuple[float, float, float, float] | None = None


def china_map() -> BaseMap:
    """The shipped map of China: provinces, main rivers, city cells; Albers, 25° N and 47° N, 105° E."""
    provinces, rivers, cells = (_read_shipped(name) for name in ("provinces", "rivers", "city_cells"))
    return BaseMap(
        notice=CHINA_NOTICE,
        rings=tuple(_rings(provinces)),
        lines=tuple(_lines(rivers)),
        cells={feature["properties"]["place_id"]: tuple(_rings([feature])) for feature in cells},
        projection=partial(albers, lon0=105.0, lat1=25.0, lat2=47.0),
    )


def world_map() -> BaseMap:
    """The shipped outline of the world's land, cut in the Atlantic."""
    rings = (part for ring in _rings(_read_shipped("world")) for part in clip_meridian(ring))
    projection = partial(equal_earth, lon0=WORLD_CENTRE_LON)
    return BaseMap(notice=WORLD_NOTICE, rings=tuple(rings), has_borders=False, projection=projection)


def read_base_map(path: str | Path, notice: str = "") -> BaseMap:
    """Read a base map that replaces the shipped one.

    Parameters
    ----------
    path: a GeoJSON file; polygons are land, lines are drawn as borders. Degrees, WGS-84.
    notice: the text that must stand under the map (for China: the review number 审图号).

    Errors: PR-P003 not readable; PR-P004 no polygon; PR-P005 not in degrees.
    """
    try:
        features = json.loads(Path(path).read_text(encoding="utf-8"))["features"]
        rings, lines = tuple(_rings(features)), tuple(_lines(features))
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError, IndexError) as reason:
        raise InputError("PR-P003", path=str(path), reason=f"{type(reason).__name__}: {reason}") from reason
    if not rings:
        raise InputError("PR-P004", path=str(path))
    for part in (*rings, *lines):
        outside = (np.abs(part[:, 0]) > 180) | (np.abs(part[:, 1]) > 90)
        if outside.any():
            raise InputError("PR-P005", path=str(path), value=part[outside][0].tolist())
    return BaseMap(Text(notice, notice) if notice else NO_NOTICE, rings, lines, is_line_border=True)


def frame_of(base: BaseMap, lon: np.ndarray | None = None, lat: np.ndarray | None = None) -> Frame:
    """The frame that holds the outlines of the map, and the points given that lie within four degrees of them."""
    points = np.concatenate(base.rings) if base.bounds is None else _edge(base.bounds)
    if lon is not None and lat is not None:
        low, high = points.min(axis=0) - NEAR_DEGREES, points.max(axis=0) + NEAR_DEGREES
        is_near = (lon >= low[0]) & (lon <= high[0]) & (lat >= low[1]) & (lat <= high[1])
        points = np.concatenate([points, np.column_stack([lon[is_near], lat[is_near]])])
    return fit_frame(base.projection or select_projection(points[:, 0], points[:, 1]), points[:, 0], points[:, 1])


def _edge(bounds: tuple[float, float, float, float]) -> np.ndarray:
    """Points along the edge of a box of degrees, shape (n, 2)."""
    west, east, south, north = bounds
    along = np.linspace(0.0, 1.0, 21)
    lon, lat = west + (east - west) * along, south + (north - south) * along
    sides = [(lon, south), (lon, north), (west, lat), (east, lat)]
    return np.concatenate([np.column_stack(np.broadcast_arrays(*side)) for side in sides])


def path_of_rings(rings: tuple[np.ndarray, ...], frame: Frame) -> str:
    """Rings as one SVG path in plane units, relative moves."""
    return "".join(_path(ring, frame) + "z" for ring in rings if len(ring) >= 3)


def path_of_lines(lines: tuple[np.ndarray, ...], frame: Frame) -> str:
    """Lines as one SVG path in plane units."""
    return "".join(_path(line, frame) for line in lines if len(line) >= 2)


def _path(points: np.ndarray, frame: Frame) -> str:
    plane = frame.project(points[:, 0], points[:, 1])
    steps = np.diff(plane, axis=0)
    steps = steps[np.any(steps != 0, axis=1)]
    moves = " ".join(f"{x} {y}" for x, y in steps.tolist()).replace(" -", "-")
    return f"M{plane[0, 0]} {plane[0, 1]}l{moves or '0 0'}"


def _read_shipped(name: str) -> list[dict]:
    return json.loads(files("postroad").joinpath("data", "geo", f"{name}.geojson").read_text(encoding="utf-8"))[
        "features"
    ]


def _rings(features: list[dict]) -> Iterator[np.ndarray]:
    for feature in features:
        geometry = feature["geometry"]
        polygons = {"Polygon": lambda c: [c], "MultiPolygon": lambda c: c}.get(geometry["type"], lambda c: [])
        for polygon in polygons(geometry["coordinates"]):
            for ring in polygon:
                yield np.asarray(ring, dtype=float)[:, :2]


def _lines(features: list[dict]) -> Iterator[np.ndarray]:
    for feature in features:
        geometry = feature["geometry"]
        lines = {"LineString": lambda c: [c], "MultiLineString": lambda c: c}.get(geometry["type"], lambda c: [])
        for line in lines(geometry["coordinates"]):
            yield np.asarray(line, dtype=float)[:, :2]
