"""The shipped feeds: what they hold, and that the builder makes them."""

from __future__ import annotations

import hashlib

import polars as pl
import pytest

from postroad.network.feed import read
from postroad.reference.__main__ import SHIPPED, main
from postroad.reference.build import FEEDS, build

LEVELS = [("china", None), ("china-2023", None), ("china", "county"), ("china-2023", "county"), ("japan", None)]


@pytest.mark.parametrize(("name", "level"), LEVELS)
def test_a_shipped_feed_has_no_findings(name, level):
    assert read(name, level=level).check().counts == {}


@pytest.mark.parametrize(("name", "level"), LEVELS)
def test_every_row_says_what_it_is_and_where_it_comes_from(name, level):
    for table, frame in read(name, level=level).tables.items():
        if frame.height:
            assert frame["label"].null_count() == 0, table
            assert frame["source"].null_count() == 0, table


def test_the_places_of_china_are_all_there():
    kinds = read("china").tables["places"].group_by("kind").len()
    counts = dict(kinds.iter_rows())
    assert (counts["province"], counts["city"], counts["county"]) == (34, 372, 2978)


def test_every_city_has_a_centre_and_a_third_of_the_hubs_are_named_by_the_plan():
    facilities = read("china").tables["facilities"]
    centres = facilities.filter(pl.col("kind").is_in(["sorting", "hub"]))
    assert centres.height == centres["place_id"].n_unique() == 372
    hubs = facilities.filter(kind="hub")
    assert 30 <= hubs.height <= 45
    named = {"北京", "天津", "上海", "南京", "杭州", "武汉", "郑州", "长沙", "广州", "深圳", "成都", "重庆", "西安"}
    assert named <= {name.split("枢纽")[0] for name in hubs["name"]}


def test_the_peak_timetable_of_2025_is_of_the_stated_size():
    tables = read("china").tables
    assert 100_000 <= tables["trips"].height <= 250_000
    calls = tables["calls"].group_by("trip_id").len()["len"].cast(pl.Int64)
    assert tables["trips"].height - len(calls) + (calls * (calls - 1) // 2).sum() <= 275_000
    lanes = tables["lanes"].group_by("mode").len()
    assert lanes["len"].max() <= 32_000
    assert tables["facilities"].filter(pl.col("kind") != "outlet").height <= 750


@pytest.mark.parametrize(("name", "least"), [("china", 1_200_000_000), ("china-2023", 639_000_000)])
def test_centres_can_sort_screen_and_deliver_the_surge_day(name, least):
    """Within the hours a day that the rule counts on: 14 for sorting, 12 for screening."""
    tables = read(name).tables
    centres = tables["facilities"].filter(pl.col("kind").is_in(["sorting", "hub"]))
    assert centres["sort_items_per_h"].sum() * 14 >= 1.8 * least  # most items are sorted at both ends
    assert centres["screen_items_per_h"].sum() * 12 >= least
    assert tables["windows"].filter(kind="delivery_wave")["n_items"].sum() >= least


def test_known_lanes_and_trains_are_as_they_are():
    tables = read("china").tables
    lane = tables["lanes"].filter(lane_id="PEK-PVG").row(0, named=True)
    assert lane["activity_km"] == pytest.approx(1213, rel=0.04)  # G2 Beijing-Shanghai
    calls = tables["calls"].filter(trip_id="G1.HSR").sort("seq")
    assert calls["facility_id"].to_list()[0] == "PEK-R"
    assert calls["facility_id"].to_list()[-1] == "PVG-R"
    assert calls["distance_km"].sum() == pytest.approx(1318, rel=0.03)  # Beijing-Shanghai high-speed railway
    assert calls["depart"][0] == 9 * 60  # G1 left Beijing South at 09:00 in 2016
    assert tables["trips"].filter(pl.col("vehicle_id") == "hsr-compartment").height > 1_500


def test_the_counties_hang_on_their_city():
    tables = read("china", level="county").tables
    outlets = tables["facilities"].filter(kind="outlet")
    assert outlets.height == 2978
    lanes = tables["lanes"]
    feeds = lanes.join(
        outlets.select(to_facility="facility_id", from_facility="parent_id"), on=["from_facility", "to_facility"]
    )
    collects = lanes.join(
        outlets.select(from_facility="facility_id", to_facility="parent_id"), on=["from_facility", "to_facility"]
    )
    assert feeds.height == collects.height == 2978
    served = tables["service_areas"]["place_id"]
    assert served.n_unique() == len(served) == 2978 + 3 + 35  # with Hong Kong, Macao, Taiwan and the countries abroad


def test_the_builder_makes_the_foreign_feed_that_is_shipped():
    shipped, made = read("japan"), build("japan")
    assert made.digest == shipped.digest
    assert made.meta == shipped.meta


def test_the_command_writes_a_feed_and_names_a_wrong_rule(tmp_path, capsys):
    plain, roomy = tmp_path / "plain", tmp_path / "roomy"
    assert main(["japan", "--to", str(plain)]) == 0
    assert main(["japan", "--to", str(roomy), "--set", "headroom=3", "--set", "hub_headroom=3"]) == 0
    assert read(roomy / "japan").tables["trips"].height > read(plain / "japan").tables["trips"].height
    assert main(["japan", "--to", str(plain), "--set", "nothing=3"]) == 3
    assert "PR-P102" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in FEEDS if name != "japan"])
def test_the_builder_makes_every_feed_that_is_shipped(name, tmp_path):
    """``python -m pytest -m slow tests/reference`` rebuilds all feeds and compares them byte by byte."""
    assert main([name, "--to", str(tmp_path)]) == 0
    for path in sorted((tmp_path / name).iterdir()):
        ours, theirs = (hashlib.sha256(file.read_bytes()).hexdigest() for file in (path, SHIPPED / name / path.name))
        assert ours == theirs, path.name
