"""Map projections: degrees to a plane, for charts only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np

__all__ = ["PLANE_WIDTH", "Frame", "albers", "clip_meridian", "equal_earth", "fit_frame", "select_projection"]

PLANE_WIDTH = 10_000
WORLD_CENTRE_LON = 150.0

Forward = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def albers(lon: np.ndarray, lat: np.ndarray, *, lon0: float, lat1: float, lat2: float) -> tuple[np.ndarray, np.ndarray]:
    """Albers equal-area conic on the sphere, in radians of the unit sphere.

    Parameters
    ----------
    lon, lat: degrees.
    lon0: central meridian; lat1, lat2: standard parallels, not symmetric about the equator.

    Source: Snyder, Map Projections: A Working Manual, USGS Professional Paper 1395 (1987), p. 100.
    """
    phi, lam = np.radians(lat), np.radians((np.asarray(lon) - lon0 + 540.0) % 360.0 - 180.0)
    sin1, sin2 = np.sin(np.radians(lat1)), np.sin(np.radians(lat2))
    n = (sin1 + sin2) / 2
    c = np.cos(np.radians(lat1)) ** 2 + 2 * n * sin1
    rho = np.sqrt(np.maximum(c - 2 * n * np.sin(phi), 0.0)) / n
    return rho * np.sin(n * lam), -rho * np.cos(n * lam)


def equal_earth(lon: np.ndarray, lat: np.ndarray, *, lon0: float) -> tuple[np.ndarray, np.ndarray]:
    """Equal Earth projection of the world, in radians of the unit sphere.

    Source: Šavrič, Patterson and Jenny, The Equal Earth map projection, IJGIS 33 (2019), eq. 6-7.
    """
    a1, a2, a3, a4 = 1.340264, -0.081106, 0.000893, 0.003796
    theta = np.arcsin(np.sqrt(3) / 2 * np.sin(np.radians(lat)))
    away = np.asarray(lon) - lon0
    lam = np.radians(np.where(np.abs(away) > 180.0 + 1e-6, (away + 180.0) % 360.0 - 180.0, away))
    t2, t6 = theta**2, theta**6
    x = 2 * np.sqrt(3) * lam * np.cos(theta) / (3 * (9 * a4 * theta**8 + 7 * a3 * t6 + 3 * a2 * t2 + a1))
    return x, theta * (a1 + a2 * t2 + t6 * (a3 + a4 * t2))


def _plate(lon: np.ndarray, lat: np.ndarray, *, lon0: float, lat0: float) -> tuple[np.ndarray, np.ndarray]:
    """Equirectangular with its true scale at ``lat0``: for small areas about the equator."""
    return np.radians(np.asarray(lon) - lon0) * np.cos(np.radians(lat0)), np.radians(lat)


def select_projection(lon: np.ndarray, lat: np.ndarray) -> Forward:
    """A projection fit for points: Equal Earth for the world, Albers for a land, equirectangular at the equator."""
    west, east, south, north = lon.min(), lon.max(), lat.min(), lat.max()
    if east - west > 140:
        return partial(equal_earth, lon0=WORLD_CENTRE_LON)
    span, lon0 = north - south, (west + east) / 2
    lat1, lat2 = south + span / 6, north - span / 6
    if abs(lat1 + lat2) < 10 or lat1 * lat2 < 0:
        return partial(_plate, lon0=lon0, lat0=(south + north) / 2)
    return partial(albers, lon0=lon0, lat1=lat1, lat2=lat2)


@dataclass(frozen=True, slots=True)
class Frame:
    """A projected rectangle scaled to ``PLANE_WIDTH`` units, y downwards."""

    forward: Forward
    x0: float
    y1: float
    scale: float
    height: int

    def project(self, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        """Integer plane coordinates, shape (n, 2)."""
        x, y = self.forward(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float))
        plane = np.column_stack([(x - self.x0) * self.scale, (self.y1 - y) * self.scale])
        return np.rint(plane).astype(np.int64)

    def contains(self, plane: np.ndarray) -> np.ndarray:
        """Which projected points lie inside the frame."""
        x, y = plane[:, 0], plane[:, 1]
        return (x >= 0) & (x <= PLANE_WIDTH) & (y >= 0) & (y <= self.height)


def fit_frame(forward: Forward, lon: np.ndarray, lat: np.ndarray, margin: float = 0.025) -> Frame:
    """The frame that holds the points with a margin (share of its longer side)."""
    x, y = forward(lon, lat)
    pad = margin * max(x.max() - x.min(), y.max() - y.min(), 1e-4)
    x0, x1, y0, y1 = x.min() - pad, x.max() + pad, y.min() - pad, y.max() + pad
    scale = PLANE_WIDTH / (x1 - x0)
    return Frame(forward, float(x0), float(y1), float(scale), int(np.ceil((y1 - y0) * scale)))


def clip_meridian(ring: np.ndarray, lon0: float = WORLD_CENTRE_LON) -> Iterable[np.ndarray]:
    """Cut a ring of (lon, lat) at the map's edge, ``lon0`` ± 180°, so that no outline crosses the whole map."""
    lon = ring[:, 0].copy()
    lon[1:] = lon[0] + np.cumsum((np.diff(lon) + 180.0) % 360.0 - 180.0)
    low, high = lon0 - 180.0, lon0 + 180.0
    for shift in (-360.0, 0.0, 360.0):
        moved = np.column_stack([lon + shift, ring[:, 1]])
        if moved[:, 0].max() <= low or moved[:, 0].min() >= high:
            continue
        part = _clip_side(_clip_side(moved, low, 1.0), high, -1.0)
        if len(part) >= 3:
            yield part


def _clip_side(ring: np.ndarray, bound: float, sign: float) -> np.ndarray:
    """Keep the part of a ring with ``sign * (lon - bound) >= 0`` (Sutherland and Hodgman's half-plane step)."""
    kept: list[tuple[float, float]] = []
    for (x0, y0), (x1, y1) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        in0, in1 = sign * (x0 - bound) >= 0, sign * (x1 - bound) >= 0
        if in0:
            kept.append((x0, y0))
        if in0 != in1:
            kept.append((bound, y0 + (y1 - y0) * (bound - x0) / (x1 - x0)))
    return np.array(kept) if kept else np.empty((0, 2))
