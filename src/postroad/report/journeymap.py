"""A journey on the map: the places that an item passed, in order, over the shipped outlines."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from markupsafe import escape

from postroad.report.atlas import base_layers
from postroad.report.basemap import BaseMap, china_map, frame_of, world_map

__all__ = ["Stop", "draw_journey_svg"]

Stop = tuple[str, float, float]
"""Name, longitude and latitude of a place, in degrees."""

CHINA = ((73.0, 17.0), (136.0, 54.5))
"""Corners of the box of degrees in which the map of China is drawn."""
FONT = "'Noto Sans SC','PingFang SC','Microsoft YaHei',sans-serif"
LEAST_SHARE = 0.12
"""Part of the map that is shown at least, so that a short journey still tells where it is."""


def draw_journey_svg(stops: Sequence[Stop], title: str, language: str = "en") -> str:
    """Draw a journey.

    Parameters
    ----------
    stops: the places in order, at least one. title: for those who cannot see it. language: of the map's notice.
    """
    points = np.array([stop[1:] for stop in stops])
    low, high = CHINA
    base, layers = _shipped(bool(np.all((points > low) & (points < high))))
    frame = frame_of(base)
    plane = frame.project(points[:, 0], points[:, 1])
    x0, y0, width, height = _view(plane, layers["w"], layers["h"])
    unit = width / 1000
    way = " ".join(f"{x},{y}" for x, y in plane.tolist())
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{x0} {y0} {width} {height}"',
        f' role="img" font-family="{FONT}">',
        f"<title>{escape(title)}</title>",
        f'<rect x="{x0}" y="{y0}" width="{width}" height="{height}" fill="#eef1ee"/>',
        f'<path d="{layers["land"]}" fill="#fbfaf6" fill-rule="evenodd" stroke="#d5d3c8" stroke-width="{unit:.1f}"/>',
        f'<path d="{layers["lines"]}" fill="none" stroke="#c4d7e4" stroke-width="{unit:.1f}"/>',
        f'<polyline points="{way}" fill="none" stroke="#0a6847" stroke-width="{4 * unit:.1f}"/>',
        *_marks(stops, plane, unit),
        f'<text x="{x0 + 12 * unit:.0f}" y="{y0 + height - 12 * unit:.0f}" font-size="{15 * unit:.1f}" fill="#4f5b55">',
        f"{escape(base.notice.get(language))}</text></svg>",
    ]
    return "\n".join(parts)


@lru_cache(maxsize=2)
def _shipped(is_china: bool) -> tuple[BaseMap, dict[str, object]]:
    """The map that holds a journey, and its layers."""
    base = china_map() if is_china else world_map()
    return base, base_layers(base, frame_of(base))


def _view(plane: np.ndarray, width: int, height: int) -> tuple[int, int, int, int]:
    """The part of the map that shows a journey, with room about it: left, top, width, height; four to three."""
    low, high = plane.min(axis=0), plane.max(axis=0)
    span = max((high[0] - low[0]) * 1.4, (high[1] - low[1]) * 1.4 * 4 / 3, LEAST_SHARE * width)
    span = min(span, width)
    centre = (low + high) / 2
    return int(centre[0] - span / 2), int(centre[1] - span * 3 / 8), int(span), int(span * 3 / 4)


def _marks(stops: Sequence[Stop], plane: np.ndarray, unit: float) -> list[str]:
    """A dot and a name for each place; the last is where it was seen last."""
    marks, named = [], set()
    for number, ((name, _, _), (x, y)) in enumerate(zip(stops, plane.tolist(), strict=True)):
        is_last = number == len(stops) - 1
        colour, radius = ("#c8501e", 11) if is_last else ("#0a6847", 7)
        stroke = f'stroke="#fff" stroke-width="{2 * unit:.1f}"'
        marks.append(f'<circle cx="{x}" cy="{y}" r="{radius * unit:.1f}" fill="{colour}" {stroke}/>')
        if name not in named:
            named.add(name)
            halo = f'stroke="#fbfaf6" stroke-width="{5 * unit:.1f}" paint-order="stroke"'
            place = f'x="{x + 14 * unit:.0f}" y="{y + 7 * unit:.0f}" font-size="{21 * unit:.1f}"'
            marks.append(f'<text {place} fill="#27332d" {halo}>{escape(name)}</text>')
    return marks
