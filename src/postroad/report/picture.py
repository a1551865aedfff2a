"""The map as one picture (SVG), for documents."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from xml.sax.saxutils import escape

import numpy as np
import polars as pl

from postroad.report.atlas import base_layers, choose_base_map, map_spec
from postroad.report.basemap import BaseMap, frame_of
from postroad.report.text import Text

__all__ = ["draw_map_svg"]

WIDTH_PX = 1200
MAX_LANES = 800
MAX_NAMES = 18
_MODES = {"road": "#2f6fb3", "rail": "#c77f0a", "air": "#b0388a", "water": "#0f8f86"}
_OTHER = "#6f7a75"
_FONT = "'Noto Sans CJK SC','Microsoft YaHei','PingFang SC',sans-serif"


def draw_map_svg(
    facilities: pl.DataFrame, lanes: pl.DataFrame, title: Text, base_map: BaseMap | None = None, language: str = "en"
) -> str:
    """The map of a network or of a run as one SVG text.

    Parameters
    ----------
    facilities, lanes: frames as declared in ``report/frames.csv``; circles by ``sorted_items``, lanes by
        ``items_per_day``.
    title: what the picture shows, for those who cannot see it.
    base_map: what stands in the place of the shipped outlines.
    language: of the names on the map.
    """
    base = base_map or choose_base_map(facilities)
    frame = frame_of(base, facilities["lon"].to_numpy(), facilities["lat"].to_numpy())
    layers = base_layers(base, frame)
    spec = map_spec(base, facilities, lanes, pl.DataFrame(), {})
    x0, y0, x1, y1 = spec["focus"] or (0, 0, layers["w"], layers["h"])
    scale = (x1 - x0) / layers["w"]
    height = y1 - y0 + 560 * scale
    view = f"{x0} {y0} {x1 - x0} {height:.0f}"
    size = f'width="{WIDTH_PX}" height="{WIDTH_PX * height / (x1 - x0):.0f}"'
    border = "#d5d3c8" if layers["borders"] else "none"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}" {size} role="img" font-family="{_FONT}">',
        f"<title>{escape(title.get(language))}</title>",
        f'<rect x="{x0}" y="{y0}" width="100%" height="100%" fill="#eef1ee"/>',
        f'<g fill="#fbfaf6" fill-rule="evenodd" stroke="{border}" stroke-width="{9 * scale:.1f}">',
        f'<path d="{layers["land"]}"/></g>',
        f'<path d="{layers["lines"]}" fill="none" stroke="#c4d7e4" stroke-width="{10 * scale:.1f}"/>',
        '<g fill="none" stroke-linecap="round">',
        *_draw_lanes(spec, scale),
        f'</g><g fill="#0a6847" stroke="#fff" stroke-width="{8 * scale:.1f}">',
        *(f'<circle cx="{x}" cy="{y}" r="{radius:.1f}"/>' for x, y, radius, _ in _circles(spec, scale)),
        f'</g><g font-size="{125 * scale:.1f}" font-weight="600" fill="#27332d"',
        f' stroke="#fbfaf6" stroke-width="{26 * scale:.1f}" paint-order="stroke">',
        *_draw_names(spec, scale, language),
        f'</g><g font-size="{118 * scale:.1f}" fill="#4f5b55">',
        *_draw_notice(base.notice.get(language), x0, y1, scale),
        "</g></svg>",
    ]
    return "\n".join(parts) + "\n"


def _draw_lanes(spec: Mapping[str, object], scale: float) -> list[str]:
    """The busiest lanes as bent lines, the busiest last."""
    lanes, points = spec["lanes"][:MAX_LANES], spec["facilities"]
    most = max((lane[3] for lane in lanes), default=1) or 1
    paths = []
    for start, end, mode, amount, _ in reversed(lanes):
        (x0, y0), (x1, y1) = points[start][:2], points[end][:2]
        cx, cy = (x0 + x1) / 2 - (y1 - y0) * 0.13, (y0 + y1) / 2 + (x1 - x0) * 0.13
        size = float(np.sqrt(amount / most))
        paths.append(
            f'<path d="M{x0} {y0}Q{cx:.0f} {cy:.0f} {x1} {y1}" stroke="{_MODES.get(mode, _OTHER)}"'
            f' stroke-width="{(6 + 50 * size) * scale:.1f}" stroke-opacity="{0.15 + 0.6 * size:.2f}"/>'
        )
    return paths


def _circles(spec: Mapping[str, object], scale: float) -> list[tuple[int, int, float, list[object]]]:
    """Place, radius and facility of each circle, the largest first."""
    shown = sorted((point for point in spec["facilities"] if point), key=lambda point: (-point[5], point[8]))
    most = max((point[5] for point in shown), default=1) or 1
    return [(p[0], p[1], max(14.0, float(np.sqrt(p[5] / most)) * 105) * scale, p) for p in shown]


def _draw_names(spec: Mapping[str, object], scale: float, language: str) -> list[str]:
    """Names of the largest facilities, those left out that would cover another."""
    names: list[str] = []
    taken: list[tuple[float, ...]] = []
    for x, y, radius, point in _circles(spec, scale):
        name = point[10] if language == "zh" else point[9]
        left = x + radius + 30 * scale
        width = scale * sum(130 if ord(letter) > 0x2E80 else 72 for letter in name)
        box = (left - 20 * scale, y - 90 * scale, left + width, y + 70 * scale)
        if len(taken) < MAX_NAMES and not any(_overlaps(box, other) for other in taken):
            taken.append(box)
            names.append(f'<text x="{left:.0f}" y="{y + 45 * scale:.0f}">{escape(name)}</text>')
    return names


def _overlaps(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether two boxes (left, top, right, bottom) share an area."""
    return one[0] < other[2] and one[2] > other[0] and one[1] < other[3] and one[3] > other[1]


def _draw_notice(notice: str, x0: float, y1: float, scale: float) -> list[str]:
    """The notice of the base map in lines that fit the width."""
    lines = textwrap.wrap(notice, 120 if notice.isascii() else 62)
    left = f"{x0 + 160 * scale:.0f}"
    return [
        f'<text x="{left}" y="{y1 + (150 + 170 * number) * scale:.0f}">{escape(line)}</text>'
        for number, line in enumerate(lines)
    ]
