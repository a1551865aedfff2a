"""Projections against published examples and against what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.report.projection import (
    PLANE_WIDTH,
    WORLD_CENTRE_LON,
    albers,
    clip_meridian,
    equal_earth,
    fit_frame,
    select_projection,
)


def test_albers_meets_the_published_example():
    """Snyder, USGS Professional Paper 1395, p. 291: sphere, 35° N, 75° W."""
    forward = {"lon0": -96.0, "lat1": 29.5, "lat2": 45.5}
    x, y = albers(np.array([-75.0]), np.array([35.0]), **forward)
    _, origin = albers(np.array([-96.0]), np.array([23.0]), **forward)
    assert x[0] == pytest.approx(0.2952720, abs=5e-7)
    assert y[0] - origin[0] == pytest.approx(0.2416774, abs=5e-7)


def _area_factor(forward, lon: float, lat: float) -> float:
    """Plane area over area on the unit sphere of a very small cell."""
    d = 1e-4
    corners = np.array([(lon - d, lat), (lon + d, lat), (lon, lat - d), (lon, lat + d)])
    x, y = forward(corners[:, 0], corners[:, 1])
    jacobian = (x[1] - x[0]) * (y[3] - y[2]) - (x[3] - x[2]) * (y[1] - y[0])
    return jacobian / (np.radians(2 * d) ** 2 * np.cos(np.radians(lat)))


@given(st.floats(75, 134), st.floats(18, 53))
def test_albers_keeps_areas(lon, lat):
    def forward(x, y):
        return albers(x, y, lon0=105.0, lat1=25.0, lat2=47.0)

    assert _area_factor(forward, lon, lat) == pytest.approx(1.0, abs=1e-4)


@given(st.floats(-25, 320), st.floats(-80, 80))
def test_equal_earth_keeps_areas(lon, lat):
    def forward(x, y):
        return equal_earth(x, y, lon0=WORLD_CENTRE_LON)

    assert _area_factor(forward, lon, lat) == pytest.approx(1.0, abs=1e-3)


def test_points_beyond_the_edge_of_the_world_come_in_on_the_other_side():
    x, _ = equal_earth(np.array([-118.41, 241.59]), np.array([33.94, 33.94]), lon0=WORLD_CENTRE_LON)
    assert x[0] == pytest.approx(x[1])
    assert x[0] > 0


def _area(ring: np.ndarray) -> float:
    x, y = ring.T
    return abs(float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))) / 2


@given(st.floats(-180, 180), st.floats(2, 60), st.floats(-60, 40), st.floats(2, 40))
def test_clipping_at_the_meridian_keeps_all_of_the_land(west, width, south, height):
    east = west + width
    ring = np.array([(west, south), (east, south), (east, south + height), (west, south + height)])
    wrapped = np.column_stack([(ring[:, 0] + 180) % 360 - 180, ring[:, 1]])
    parts = list(clip_meridian(wrapped))
    assert sum(_area(part) for part in parts) == pytest.approx(width * height, rel=1e-6)
    for part in parts:
        assert part[:, 0].min() >= WORLD_CENTRE_LON - 180 - 1e-9
        assert part[:, 0].max() <= WORLD_CENTRE_LON + 180 + 1e-9


@given(
    st.lists(st.tuples(st.floats(-170, 170), st.floats(-70, 75)), min_size=2, max_size=30, unique=True),
)
def test_any_set_of_points_fits_its_own_frame(points):
    lon, lat = np.array(points).T
    frame = fit_frame(select_projection(lon, lat), lon, lat)
    plane = frame.project(lon, lat)
    assert frame.contains(plane).all()
    assert plane.max() <= max(PLANE_WIDTH, frame.height)
