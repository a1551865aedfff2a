"""The map of a feed: lanes of the base date, multi-stop trips included, as page and as picture."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import polars as pl
import pytest

from kit.feeds import tiny
from kit.report_data import report_data
from postroad.network.feed import read
from postroad.report.networkmap import daily_lanes, network_facilities
from postroad.report.picture import draw_map_svg
from postroad.report.text import Text

SVG = "{http://www.w3.org/2000/svg}"


def test_vehicles_of_multi_stop_trips_ride_between_their_calls():
    network = tiny()
    lanes = daily_lanes(network)
    calls = network.tables["calls"].sort("trip_id", "seq")
    trip = calls["trip_id"][0]
    stops = calls.filter(trip_id=trip)["facility_id"].to_list()
    pairs = set(lanes.select("from_facility", "to_facility").iter_rows())
    assert set(pairwise(stops)) <= pairs


def test_only_trips_of_the_base_date_are_counted():
    network = tiny()
    lanes = daily_lanes(network)
    assert lanes["items_per_day"].min() >= 1
    direct = network.tables["trips"].filter(pl.col("lane_id").is_not_null())
    assert lanes["items_per_day"].sum() >= direct.height


def test_centres_are_called_after_their_place_on_the_map():
    facilities = network_facilities(tiny(), daily_lanes(tiny()))
    hub = facilities.filter(kind="hub").row(0, named=True)
    assert hub["short_zh"] == "武汉"
    assert hub["name_zh"] != hub["short_zh"]


@pytest.mark.parametrize("name", ["tiny", "japan"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_picture_is_well_formed_and_shows_what_there_is(name, language):
    network = read(name)
    lanes = daily_lanes(network)
    facilities = network_facilities(network, lanes)
    text = draw_map_svg(facilities, lanes, Text("A <map>", "地图"), language=language)
    root = ElementTree.fromstring(text)
    assert root.find(f"{SVG}title").text == ("A <map>" if language == "en" else "地图")
    assert len(list(root.iter(f"{SVG}circle"))) == facilities.height
    assert text == draw_map_svg(facilities, lanes, Text("A <map>", "地图"), language=language)


def test_a_run_can_be_drawn_as_a_picture():
    data = report_data()
    root = ElementTree.fromstring(draw_map_svg(data.facilities, data.lanes, data.title))
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert "Guangzhou" in texts
    assert any("review number" in text for text in texts)
