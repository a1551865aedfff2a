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
NOTICE_LETTERS = {"zh": 64, "en": 120}
LEAST_SHARE = 0.12
"""Part of the map that is shown at least, so that a short journey still tells where it is."""


def draw_journey_svg(stops: Sequence[Stop], title: str, language: str = "en", base_map: BaseMap | None = None) -> str:
    """Draw a journey.

    Parameters
    ----------
    stops: the places in order, at least one. title: for those who cannot see it. language: of the map's notice.
    base_map: what stands in the place of the shipped outlines.
    """
    points = np.array([stop[1:] for stop in stops])
    low, high = CHINA
    base = base_map or _shipped(bool(np.all((points > low) & (points < high))))
    layers = _layers(base)
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
        *_notice(base.notice.get(language), x0, y0 + height, unit, NOTICE_LETTERS[language]),
        "</svg>",
    ]
    return "\n".join(parts)


@lru_cache(maxsize=2)
def _shipped(is_china: bool) -> BaseMap:
    """The shipped map that holds a journey."""
    return china_map() if is_china else world_map()


_DRAWN: list[tuple[BaseMap, dict[str, object]]] = []


def _layers(base: BaseMap) -> dict[str, object]:
    """The layers of a map, which are drawn once."""
    for other, layers in _DRAWN:
        if other is base:
            return layers
    _DRAWN[:] = [*_DRAWN[-2:], (base, base_layers(base, frame_of(base)))]
    return _DRAWN[-1][1]


def _notice(text: str, x0: int, bottom: int, unit: float, n_letters: int) -> list[str]:
    """The notice at the foot of the map, in lines that fit."""
    lines = [text[start : start + n_letters] for start in range(0, len(text), n_letters)]
    size = f'font-size="{15 * unit:.1f}" fill="#4f5b55"'
    foot = [bottom - (12 + 19 * (len(lines) - 1 - place)) * unit for place in range(len(lines))]
    pairs = zip(lines, foot, strict=True)
    return [f'<text x="{x0 + 12 * unit:.0f}" y="{y:.0f}" {size}>{escape(line)}</text>' for line, y in pairs]


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
