"""The base map: what is shipped, what replaces it, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from kit.report_data import cities
from postroad.core.errors import InputError
from postroad.report.atlas import base_layers, choose_base_map
from postroad.report.basemap import CHINA_NOTICE, NO_NOTICE, WORLD_NOTICE, china_map, frame_of, read_base_map, world_map
from postroad.report.projection import PLANE_WIDTH

SQUARE = [[100.0, 20.0], [120.0, 20.0], [120.0, 40.0], [100.0, 40.0], [100.0, 20.0]]


def write_map(path, *geometries):
    features = [{"type": "Feature", "properties": {}, "geometry": one} for one in geometries]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def test_the_map_of_china_has_a_cell_for_every_city_and_holds_every_city():
    base = china_map()
    assert set(base.cells) == set(cities()["city_code"])
    lon, lat = cities()["lon"].to_numpy(), cities()["lat"].to_numpy()
    frame = frame_of(base, lon, lat)
    assert frame.contains(frame.project(lon, lat)).all()


def test_the_world_is_cut_so_that_no_outline_crosses_it():
    base = world_map()
    frame = frame_of(base)
    for ring in base.rings:
        steps = np.abs(np.diff(frame.project(ring[:, 0], ring[:, 1])[:, 0]))
        assert steps.max() < PLANE_WIDTH / 2


def test_a_users_map_takes_the_place_of_the_shipped_one_with_its_notice(tmp_path):
    line = {"type": "LineString", "coordinates": [[105.0, 10.0], [115.0, 12.0]]}
    path = write_map(tmp_path / "map.geojson", {"type": "Polygon", "coordinates": [SQUARE]}, line)
    base = read_base_map(path, "审图号：GS(2024)0000号")
    assert base.notice.zh == "审图号：GS(2024)0000号"
    assert base.is_line_border
    layers = base_layers(base, frame_of(base))
    assert layers["land"].count("M") == 1
    assert layers["lines"].count("M") == 1
    assert read_base_map(path).notice == NO_NOTICE


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("not json", "PR-P003"),
        ('{"type": "Topology"}', "PR-P003"),
        ('{"features": [{"geometry": {"type": "Polygon", "coordinates": [[1, 2]]}}]}', "PR-P003"),
        ('{"features": []}', "PR-P004"),
        (json.dumps({"features": [{"geometry": {"type": "Point", "coordinates": [1, 2]}}]}), "PR-P004"),
        (
            json.dumps({"features": [{"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [5e5, 0], [5, 5]]]}}]}),
            "PR-P005",
        ),
        (
            json.dumps({"features": [{"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [9, 95], [5, 5]]]}}]}),
            "PR-P005",
        ),
    ],
)
def test_a_map_that_is_none_is_refused(tmp_path, text, code):
    path = tmp_path / "map.geojson"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as refusal:
        read_base_map(path)
    assert refusal.value.code == code
    assert str(path) in refusal.value.message()
    assert refusal.value.message("zh")


def test_a_map_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError) as refusal:
        read_base_map(tmp_path / "none.geojson")
    assert refusal.value.code == "PR-P003"


def points(*rows: tuple[float, float]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["lon", "lat"], orient="row")


@pytest.mark.parametrize(
    ("rows", "notice"),
    [
        ([(116.4, 39.9), (121.4, 31.2), (113.2, 23.1)], CHINA_NOTICE),
        ([(139.7, 35.7), (135.5, 34.7), (130.4, 33.6)], WORLD_NOTICE),
        ([(116.4, 39.9), (104.0, 30.6), (8.5, 50.0)], CHINA_NOTICE),
        ([(8.5, 50.0), (-118.4, 33.9), (151.2, -33.9)], WORLD_NOTICE),
        ([(36.8, -1.3), (39.7, -4.0)], WORLD_NOTICE),
    ],
)
def test_the_map_is_chosen_by_where_the_facilities_are(rows, notice):
    frame = points(*rows)
    base = choose_base_map(frame)
    assert base.notice == notice
    where = frame_of(base, frame["lon"].to_numpy(), frame["lat"].to_numpy())
    inside = where.contains(where.project(frame["lon"].to_numpy(), frame["lat"].to_numpy()))
    assert inside.mean() > 0.5
