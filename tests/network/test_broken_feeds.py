"""Each way of breaking the tiny feed gives its finding, with place and mend in two languages, and never a traceback."""

import zipfile

import polars as pl
import pyarrow.parquet as pa_parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.feeds import FeedFolder
from postroad.core.errors import InputError
from postroad.network.feed import examine, read
from postroad.network.rows import near_name

SPLINTERS = (
    b"",
    b",",
    b"\n",
    b"\r",
    b'"',
    b"\x00",
    b"\xff",
    b"\xe5\xb7",
    b"nan",
    b"5 t",
    b"26:99",
    b"99999999999999999999",
    b"-",
)
READING = []
CHECKING = []


def breakage(register, code, table="", row=0, column=""):
    """Register a function that spoils a feed folder; it may give another row, or a path to read instead."""

    def add(function):
        register.append(pytest.param(function, code, table, row, column, id=function.__name__))
        return function

    return add


# --- files, encodings, headers -------------------------------------------------------------------------------------


@breakage(READING, "PR-F102", "feed.toml")
def feed_toml_missing(feed):
    (feed.path / "feed.toml").unlink()


@breakage(READING, "PR-F103", "feed.toml", 3)
def feed_toml_no_toml(feed):
    feed.edit_meta('name = "tiny"', "name = tiny")


@breakage(READING, "PR-F103", "feed.toml", 4)
def feed_toml_in_gbk(feed):
    meta = feed.path / "feed.toml"
    meta.write_bytes(meta.read_text(encoding="utf-8").encode("gb18030"))


@breakage(READING, "PR-F104", "feed.toml", 0, "time_zone")
def feed_toml_unknown_key(feed):
    feed.edit_meta("timezone =", "time_zone =")


@breakage(READING, "PR-F105", "feed.toml", 0, "timezone")
def feed_toml_key_missing(feed):
    feed.edit_meta('timezone = "Asia/Shanghai"\n', "")


@breakage(READING, "PR-F106", "feed.toml", 0, "level")
def feed_toml_bad_level(feed):
    feed.edit_meta('level = "county"', 'level = "street"')


@breakage(READING, "PR-F106", "feed.toml", 0, "base_date")
def feed_toml_bad_date(feed):
    feed.edit_meta("base_date = 2025-11-11", 'base_date = "11 November"')


@breakage(READING, "PR-F106", "feed.toml", 0, "extends")
def feed_toml_extends_unknown_table(feed):
    feed.edit_meta('level = "county"', 'level = "county"\nextends = ["trucks"]')


@breakage(READING, "PR-F107", "feed.toml", 0, "format_version")
def format_of_the_future(feed):
    feed.edit_meta("format_version = 1", "format_version = 9")


@breakage(READING, "PR-F108", "feed.toml", 0, "timezone")
def unknown_time_zone(feed):
    feed.edit_meta("Asia/Shanghai", "Asia/Wuhan")


@breakage(READING, "PR-F109", "feed.toml", 0, "slot_min")
def slot_does_not_divide_the_hour(feed):
    feed.edit_meta("slot_min = 30", "slot_min = 25")


@breakage(READING, "PR-F126", "feed.toml", 0, "base")
def laid_over_itself(feed):
    feed.edit_meta('level = "county"', f'level = "county"\nbase = "{feed.path.name}"')


@breakage(READING, "PR-F130", "feed.toml", 0, "base")
def laid_over_nothing(feed):
    feed.edit_meta('level = "county"', 'level = "county"\nbase = "nowhere"')


@breakage(READING, "PR-F110", "feed.zip")
def zip_cut_short(feed):
    archive = _zipped(feed)
    archive.write_bytes(archive.read_bytes()[:-300])
    return archive


@breakage(READING, "PR-F110", "feed.zip")
def zip_with_flipped_bytes(feed):
    archive = _zipped(feed)
    content = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as opened:
        start = opened.getinfo("trips.csv").header_offset + 80
    content[start : start + 40] = bytes(40)
    archive.write_bytes(content)
    return archive


@breakage(READING, "PR-F110", "feed.zip")
def zip_that_is_no_zip(feed):
    archive = feed.path.parent / "feed.zip"
    archive.write_text("a folder of tables")
    return archive


@breakage(READING, "PR-F112", "trips")
def parquet_cut_short(feed):
    target = _as_parquet(feed, "trips")
    target.write_bytes(target.read_bytes()[:-20])


@breakage(READING, "PR-F112", "trips")
def parquet_that_is_text(feed):
    feed.file("trips").rename(feed.path / "trips.parquet")


@breakage(READING, "PR-F113", "places", 5, "name")
def table_in_gbk(feed):
    text = feed.file("places").read_text(encoding="utf-8")
    lines = text.split("\n")
    content = b"\n".join(line.encode("gb18030" if n == 4 else "ascii", "replace") for n, line in enumerate(lines))
    feed.file("places").write_bytes(content)


@breakage(READING, "PR-F113", "places", 1)
def table_in_utf16(feed):
    feed.file("places").write_text(feed.file("places").read_text(encoding="utf-8"), encoding="utf-16")


@breakage(READING, "PR-F114", "windows")
def table_empty(feed):
    feed.file("windows").write_text("")


@breakage(READING, "PR-F114", "windows")
def parquet_empty(feed):
    feed.file("windows").unlink()
    (feed.path / "windows.parquet").write_bytes(b"")


@breakage(READING, "PR-F115", "lanes", 4)
def row_too_short(feed):
    rows = feed.rows("lanes")
    rows[3] = rows[3][:-2]
    feed.put("lanes", rows)


@breakage(READING, "PR-F115", "lanes", 6)
def row_too_long(feed):
    rows = feed.rows("lanes")
    rows[5] = [*rows[5], "more"]
    feed.put("lanes", rows)


@breakage(READING, "PR-F116", "products", 3)
def quote_not_closed(feed):
    text = feed.file("products").read_text(encoding="utf-8")
    feed.file("products").write_text(text.replace("standard,1,", 'standard,"1,'), encoding="utf-8")


@breakage(READING, "PR-F117", "vehicles", 1, "mode")
def column_twice(feed):
    feed.rename_column("vehicles", "name_en", "mode")


@breakage(READING, "PR-F117", "transfers", 1, "min_min")
def parquet_column_twice(feed):
    feed.file("transfers").unlink()
    columns = pl.DataFrame({"facility_id": ["A-HGH"], "min_min": [1]}).to_arrow()
    columns = columns.append_column("min_min", columns["min_min"])
    pa_parquet.write_table(columns, feed.path / "transfers.parquet")


@breakage(READING, "PR-F118", "facilties")
def unknown_table(feed):
    feed.file("facilities").rename(feed.path / "facilties.csv")


@breakage(READING, "PR-F119", "trips", 1, "departure")
def unknown_column(feed):
    feed.rename_column("trips", "depart", "departure")


@breakage(READING, "PR-F120", "lanes", 1, "distance_km")
def required_column_missing(feed):
    feed.drop_column("lanes", "distance_km")


@breakage(READING, "PR-F121", "calendar")
def required_table_missing(feed):
    feed.file("calendar").unlink()


@breakage(READING, "PR-F122", "trips")
def table_in_two_formats(feed):
    text = feed.file("trips").read_text(encoding="utf-8")
    _as_parquet(feed, "trips")
    feed.file("trips").write_text(text, encoding="utf-8")


@breakage(READING, "PR-F123", "operators", 1)
def separated_by_semicolons(feed):
    text = feed.file("operators").read_text(encoding="utf-8")
    feed.file("operators").write_text(text.replace(",", ";"), encoding="utf-8")


@breakage(READING, "PR-F124", "factors", 1)
def column_without_a_name(feed):
    rows = feed.rows("factors")
    feed.put("factors", [[*row, ""] for row in rows])


@breakage(READING, "PR-F124", "factors", 1)
def header_blank(feed):
    text = feed.file("factors").read_text(encoding="utf-8")
    feed.file("factors").write_text("\n" + text, encoding="utf-8")


@breakage(READING, "PR-F112", "vehicles")
def parquet_with_bytes_that_are_no_text(feed):
    target = _as_parquet(feed, "vehicles")
    content = target.read_bytes()
    assert content.count(b"truck-4m2") > 0
    target.write_bytes(content.replace(b"truck-4m2", b"truck\xff\xfe\xfa2"))


@breakage(READING, "PR-F125", "calls", 3)
def blank_row(feed):
    rows = feed.rows("calls")
    feed.put("calls", [*rows[:2], [""] * len(rows[0]), *rows[2:]])


@breakage(READING, "PR-F125", "calls", 4)
def empty_line(feed):
    lines = feed.file("calls").read_text(encoding="utf-8").split("\n")
    feed.file("calls").write_text("\n".join([*lines[:3], "", *lines[3:]]), encoding="utf-8")


@breakage(READING, "PR-F127", "trips")
def spreadsheet(feed):
    feed.file("trips").rename(feed.path / "trips.xlsx")


@breakage(READING, "PR-F129", "trips")
def file_that_cannot_be_read(feed):
    feed.file("trips").unlink()
    feed.file("trips").symlink_to(feed.path / "gone" / "trips.csv")


# --- cells ---------------------------------------------------------------------------------------------------------


@breakage(READING, "PR-T102", "demand", 7, "n_items")
def demand_fractional(feed):
    feed.set("demand", 7, n_items="12.5")


@breakage(READING, "PR-T102", "demand", 3, "n_items")
def demand_fractional_in_parquet(feed):
    feed.set("demand", 3, n_items="12.5")
    _as_parquet(feed, "demand", n_items=pl.Float64)


@breakage(READING, "PR-T103", "lanes", 2, "distance_km")
def number_is_a_word(feed):
    feed.set("lanes", 2, distance_km="far")


@breakage(READING, "PR-T103", "lanes", 2, "distance_km")
def number_is_not_finite(feed):
    feed.set("lanes", 2, distance_km="nan")


@breakage(READING, "PR-T103", "lanes", 3, "distance_km")
def number_is_infinite_in_parquet(feed):
    feed.set("lanes", 3, distance_km="inf")
    _as_parquet(feed, "lanes", distance_km=pl.Float64)


@breakage(READING, "PR-T105", "calendar", 3, "sunday")
def weekday_is_a_word(feed):
    feed.set("calendar", 3, sunday="maybe")


@breakage(READING, "PR-T105", "calendar", 3, "sunday")
def weekday_is_two_in_parquet(feed):
    feed.set("calendar", 3, sunday="2")
    _as_parquet(feed, "calendar", sunday=pl.Int64)


@breakage(READING, "PR-T106", "lanes", 2, "mode")
def unknown_mode(feed):
    feed.set("lanes", 2, mode="raod")


@breakage(READING, "PR-T107", "trips", 2, "depart")
def time_malformed(feed):
    feed.set("trips", 2, depart="2 am")


@breakage(READING, "PR-T107", "windows", 2, "start")
def time_with_61_minutes(feed):
    feed.set("windows", 2, start="08:61")


@breakage(READING, "PR-T108", "calendar", 2, "start_date")
def date_malformed(feed):
    feed.set("calendar", 2, start_date="01/01/2023")


@breakage(READING, "PR-T108", "calendar", 2, "end_date")
def date_that_does_not_exist(feed):
    feed.set("calendar", 2, end_date="2026-02-30")


@breakage(READING, "PR-T109", "disruptions", 2, "from_at")
def instant_malformed(feed):
    feed.set("disruptions", 2, from_at="tomorrow")


@breakage(READING, "PR-T111", "vehicles", 2, "payload_kg")
def payload_with_a_unit(feed):
    feed.set("vehicles", 2, payload_kg="5 t")


@breakage(READING, "PR-T111", "facilities", 2, "sort_items_per_h")
def capacity_in_wan(feed):
    feed.set("facilities", 2, sort_items_per_h="2万")


@breakage(READING, "PR-T112", "facilities", 3, "sort_items_per_h")
def thousands_separated(feed):
    feed.set("facilities", 3, sort_items_per_h="1,600")


@breakage(READING, "PR-T112", "lanes", 5, "distance_km")
def decimal_comma(feed):
    feed.set("lanes", 5, distance_km="163,5")


@breakage(READING, "PR-T113", "trips", 0, "vehicle_id")
def parquet_column_of_lists(feed):
    target = _as_parquet(feed, "trips")
    pl.read_parquet(target).with_columns(pl.concat_list("vehicle_id")).write_parquet(target)


# --- what the schema declares --------------------------------------------------------------------------------------


@breakage(CHECKING, "PR-T101", "facilities", 4, "place_id")
def value_missing(feed):
    feed.set("facilities", 4, place_id="")


@breakage(CHECKING, "PR-T101", "trips", 3, "arrive")
def trip_without_arrival(feed):
    feed.set("trips", 3, arrive="")


@breakage(CHECKING, "PR-T101", "calls", 3, "arrive")
def call_without_times(feed):
    feed.set("calls", 3, arrive="", depart="")


@breakage(CHECKING, "PR-T110", "facilities", 2, "sort_items_per_h")
def capacity_negative(feed):
    feed.set("facilities", 2, sort_items_per_h=-5)


@breakage(CHECKING, "PR-T110", "demand", 9, "n_items")
def demand_negative(feed):
    feed.set("demand", 9, n_items=-1)


@breakage(CHECKING, "PR-T110", "disruptions", 2, "factor")
def factor_above_one(feed):
    feed.set("disruptions", 2, kind="capacity", factor="1.5", delay_min="")


@breakage(CHECKING, "PR-T110", "facilities", 2, "lon")
def longitude_off_the_globe(feed):
    feed.set("facilities", 2, lon="1202.6")


@breakage(CHECKING, "PR-T114", "facilities", 13, "facility_id")
def facility_twice(feed):
    rows = feed.rows("facilities")
    feed.put("facilities", [*rows, rows[2]])


@breakage(CHECKING, "PR-T114", "calls", 4, "trip_id")
def call_number_twice(feed):
    feed.set("calls", 4, seq=2)


@breakage(CHECKING, "PR-T115", "trips", 2, "vehicle_id")
def vehicle_unknown(feed):
    feed.set("trips", 2, vehicle_id="truck-6m9")


@breakage(CHECKING, "PR-T115", "trips", 5, "lane_id")
def trip_on_a_missing_lane(feed):
    feed.set("trips", 5, lane_id="S-HGH>S-XYZ")


@breakage(CHECKING, "PR-T115", "disruptions", 2, "trip_id")
def disruption_of_an_unknown_trip(feed):
    feed.set("disruptions", 2, trip_id="S-HGH-H-WUH-2201")


# --- places and lanes ----------------------------------------------------------------------------------------------


@breakage(CHECKING, "PR-T122", "facilities", 2, "lat")
def coordinates_exchanged(feed):
    feed.set("facilities", 2, lon="30.31", lat="120.26")


@breakage(CHECKING, "PR-T122", "facilities", 2, "lat")
def coordinates_exchanged_within_range(feed):
    row = feed.row_where("places", place_id="330100")
    feed.set("places", row, lon="87.6", lat="43.8")
    feed.set("facilities", 2, lon="43.81", lat="87.61")


@breakage(CHECKING, "PR-T123", "places", 6, "lon")
def point_at_zero(feed):
    feed.set("places", 6, lon="0", lat="0")


@breakage(CHECKING, "PR-T124", "places", 3, "parent_id")
def place_in_itself(feed):
    feed.set("places", 3, parent_id="330122")


@breakage(CHECKING, "PR-T134", "lanes", 2, "distance_km")
def lane_without_length(feed):
    feed.set("lanes", 2, distance_km=0)


@breakage(CHECKING, "PR-T135", "lanes", 2, "to_facility")
def lane_to_itself(feed):
    feed.set("lanes", 2, to_facility="S-HGH")


@breakage(CHECKING, "PR-T136", "lanes", 26, "lane_id")
def lane_twice(feed):
    return feed.add("lanes", lane_id="again", from_facility="S-NGB", to_facility="S-HGH", mode="road", distance_km=163)


@breakage(CHECKING, "PR-T149", "lanes", 4, "distance_km")
def lane_shorter_than_the_straight_line(feed):
    feed.set("lanes", 4, distance_km=500)


@breakage(CHECKING, "PR-T115", "lanes", 4, "to_facility")
def lane_to_an_unknown_facility(feed):
    feed.set("lanes", 4, to_facility="S-XYZ")


@breakage(CHECKING, "PR-T150", "lanes", 16, "distance_km")
def lane_in_metres(feed):
    feed.set("lanes", 16, distance_km=18000)


@breakage(CHECKING, "PR-N209", "lanes", 26, "lane_id")
def lane_without_trips(feed):
    return feed.add("lanes", lane_id="idle", from_facility="S-EZH", to_facility="S-NGB", mode="road", distance_km=765)


# --- services, trips, calls ----------------------------------------------------------------------------------------


@breakage(CHECKING, "PR-T104", "trips", 2, "arrive")
def arrival_before_departure(feed):
    feed.set("trips", 2, depart="22:15", arrive="21:50")


@breakage(CHECKING, "PR-T125", "calendar", 2, "end_date")
def service_ends_before_it_starts(feed):
    feed.set("calendar", 2, end_date="2022-12-31")


@breakage(CHECKING, "PR-T126", "calendar", 4, "service_id")
def service_never_runs(feed):
    week = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    return feed.add(
        "calendar", service_id="sleepy", start_date="2025-01-01", end_date="2025-12-31", **dict.fromkeys(week, 0)
    )


@breakage(CHECKING, "PR-T126", "calendar", 4, "service_id")
def service_runs_on_no_date_of_its_range(feed):
    week = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
    days = {**dict.fromkeys(week, 0), "sunday": 1}
    feed.add("calendar", service_id="sundays", start_date="2025-11-10", end_date="2025-11-16", **days)
    feed.add("calendar_dates", service_id="sundays", date="2025-11-16", runs=0)


@breakage(CHECKING, "PR-T127", "feed.toml", 0, "base_date")
def base_date_without_service(feed):
    feed.edit_meta("base_date = 2025-11-11", "base_date = 2035-11-11")


@breakage(CHECKING, "PR-T128", "calls", 5, "trip_id")
def trip_of_one_call(feed):
    feed.put("calls", feed.rows("calls")[:5])


@breakage(CHECKING, "PR-T129", "calls", 3, "arrive")
def call_before_the_one_before(feed):
    feed.set("calls", 3, arrive="19:25")


@breakage(CHECKING, "PR-T129", "calls", 3, "depart")
def call_leaves_before_it_arrives(feed):
    feed.set("calls", 3, depart="21:15")


@breakage(CHECKING, "PR-T130", "calls", 4, "facility_id")
def call_at_one_place_twice(feed):
    feed.set("calls", 4, facility_id="R-HGH")


@breakage(CHECKING, "PR-T133", "trips", 2, "arrive")
def truck_too_fast(feed):
    feed.set("trips", 2, depart="02:00", arrive="02:45")


@breakage(CHECKING, "PR-T133", "calls", 4, "arrive")
def train_too_fast(feed):
    feed.set("calls", 4, arrive="22:45")


@breakage(CHECKING, "PR-T137", "trips", 2, "lane_id")
def trip_without_a_way(feed):
    feed.set("trips", 2, lane_id="")


@breakage(CHECKING, "PR-T138", "trips", 42, "lane_id")
def trip_with_two_ways(feed):
    feed.set("trips", 42, lane_id="R-NGB>S-NGB")


@breakage(CHECKING, "PR-T139", "trips", 2, "vehicle_id")
def vehicle_of_another_mode(feed):
    feed.set("trips", 2, vehicle_id="freighter-b737")


# --- facilities at work --------------------------------------------------------------------------------------------


@breakage(CHECKING, "PR-T140", "windows", 2, "start")
def wave_without_a_start(feed):
    feed.set("windows", 2, start="")


@breakage(CHECKING, "PR-T140", "windows", 20, "end")
def cutoff_without_an_end(feed):
    feed.set("windows", 20, end="")


@breakage(CHECKING, "PR-T141", "windows", 17, "start")
def windows_overlap(feed):
    feed.set("windows", 17, start="07:00")


@breakage(CHECKING, "PR-T141", "windows", 18, "start")
def windows_overlap_past_midnight(feed):
    feed.set("windows", 18, start="18:30", end="28:30")


@breakage(CHECKING, "PR-T142", "windows", 16, "items_per_h")
def sort_wave_without_capacity(feed):
    feed.set("windows", 16, items_per_h="")
    feed.set("facilities", 5, sort_items_per_h="")


@breakage(CHECKING, "PR-T143", "disruptions", 2, "to_at")
def disruption_ends_before_it_starts(feed):
    feed.set("disruptions", 2, to_at="D+0 20:00")


@breakage(CHECKING, "PR-T143", "disruptions", 2, "to_at")
def disruption_of_no_length_by_instants(feed):
    feed.set("disruptions", 2, from_at="2025-11-11T20:00", to_at="2025-11-11 20:00")


@breakage(CHECKING, "PR-T144", "disruptions", 2, "facility_id")
def disruption_without_a_target(feed):
    feed.set("disruptions", 2, trip_id="")


@breakage(CHECKING, "PR-T144", "disruptions", 2, "facility_id")
def disruption_of_two_targets(feed):
    feed.set("disruptions", 2, facility_id="H-WUH")


@breakage(CHECKING, "PR-T145", "disruptions", 2, "delay_min")
def delay_of_no_minutes(feed):
    feed.set("disruptions", 2, delay_min="")


@breakage(CHECKING, "PR-N204", "facilities", 11, "parent_id")
def outlet_without_a_parent(feed):
    feed.set("facilities", 11, parent_id="")


@breakage(CHECKING, "PR-N205", "facilities", 11, "parent_id")
def outlet_under_an_outlet(feed):
    feed.set("facilities", 11, parent_id="O-YYO")


@breakage(CHECKING, "PR-N206", "facilities", 11, "facility_id")
def outlet_without_a_way_back(feed):
    feed.remove("trips", lambda row: row["lane_id"] != "O-TLU>S-HGH")


@breakage(CHECKING, "PR-N211", "service_areas", 5, "facility_id")
def endpoint_without_a_wave(feed):
    feed.remove("windows", lambda row: (row["facility_id"], row["kind"]) != ("S-EZH", "delivery_wave"))


@breakage(CHECKING, "PR-N212", "facilities", 3, "sort_items_per_h")
def centre_that_sorts_nothing(feed):
    feed.set("facilities", 3, sort_items_per_h=0)


@breakage(CHECKING, "PR-N213", "facilities", 3, "screen_items_per_h")
def centre_that_screens_nothing(feed):
    feed.set("facilities", 3, screen_items_per_h=0)


# --- the network as a whole ----------------------------------------------------------------------------------------


@breakage(CHECKING, "PR-N201", "facilities", 13, "facility_id")
def facility_without_lanes(feed):
    return feed.add(
        "facilities", facility_id="P-NGB", kind="port", name="宁波港", place_id="330200", lon=121.8, lat=29.9
    )


@breakage(CHECKING, "PR-N202", "facilities", 5, "facility_id")
def island_that_nothing_reaches(feed):
    feed.remove("trips", lambda row: not row["lane_id"].endswith(">S-EZH"))


@breakage(CHECKING, "PR-N203", "facilities", 5, "facility_id")
def island_that_nothing_leaves(feed):
    feed.remove("trips", lambda row: not row["lane_id"].startswith("S-EZH>"))


@breakage(CHECKING, "PR-N207", "demand", 2, "origin_place")
def demand_from_where_nobody_collects(feed):
    feed.set("service_areas", 2, collects=0)


@breakage(CHECKING, "PR-N207", "demand", 2, "destination_place")
def demand_for_where_nobody_delivers(feed):
    feed.set("service_areas", 2, delivers=0)


@breakage(CHECKING, "PR-N208", "service_areas", 8, "place_id")
def place_delivered_twice(feed):
    return feed.add("service_areas", facility_id="S-HGH", place_id="330122", collects=0, delivers=1)


@breakage(CHECKING, "PR-N210", "service_areas", 0, "delivers")
def nobody_delivers(feed):
    feed.set_all("service_areas", "delivers", 0)


@breakage(CHECKING, "PR-N210", "service_areas", 0, "collects")
def nobody_collects(feed):
    feed.set_all("service_areas", "collects", 0)


# --- what is sold and used up --------------------------------------------------------------------------------------


@breakage(CHECKING, "PR-T151", "vehicles", 4, "payload_kg")
def payload_in_tonnes(feed):
    feed.set("vehicles", 4, payload_kg=16)


@breakage(CHECKING, "PR-T152", "vehicles", 2, "factor_id")
def vehicle_without_a_factor(feed):
    feed.set("vehicles", 2, factor_id="")


@breakage(CHECKING, "PR-T153", "vehicles", 2, "factor_id")
def factor_in_another_unit(feed):
    feed.set("vehicles", 2, factor_id="grid-east")


@breakage(CHECKING, "PR-T154", "factors", 2, "value")
def factor_is_not_its_sum(feed):
    feed.set("factors", 2, value=0.5)


@breakage(CHECKING, "PR-T155", "products", 2, "mean_kg")
def weight_in_grams(feed):
    feed.set("products", 2, mean_kg=1200)


@breakage(CHECKING, "PR-T156", "products", 2, "share")
def shares_do_not_sum_to_one(feed):
    feed.set("products", 2, share=0.4)


@breakage(CHECKING, "PR-T157", "products", 2, "mean_volume_m3")
def volume_in_litres(feed):
    feed.set("products", 2, mean_volume_m3=6)


@breakage(CHECKING, "PR-T158", "products", 2, "product_id")
def product_without_a_promise(feed):
    feed.remove("promises", lambda row: row["product_id"] != "express")


@breakage(CHECKING, "PR-T159", "promises", 3, "max_days")
def promise_upside_down(feed):
    feed.set("promises", 3, min_days=4)


@breakage(CHECKING, "PR-T160", "restrictions", 4, "mode")
def product_barred_from_everything(feed):
    feed.add("restrictions", product_id="standard", mode="road", rule="barred")
    return feed.add("restrictions", product_id="standard", mode="rail", rule="barred")


@breakage(CHECKING, "PR-T161", "profiles", 26, "weight")
def profile_of_zeros(feed):
    for row in range(26, 33):
        feed.set("profiles", row, weight=0)


@breakage(CHECKING, "PR-T162", "profiles", 2, "key")
def hour_24(feed):
    feed.set("profiles", 2, key="24")


@breakage(CHECKING, "PR-T162", "profiles", 26, "key")
def weekday_as_a_word(feed):
    feed.set("profiles", 26, key="monday")


@breakage(CHECKING, "PR-T167", "profiles", 44, "profile_id")
def two_general_profiles(feed):
    feed.set("profiles", 44, profile_id="other")


@breakage(CHECKING, "PR-T163", "parameters", 2, "parameter_id")
def unknown_parameter(feed):
    feed.set("parameters", 2, parameter_id="first_success_share")


@breakage(CHECKING, "PR-T164", "parameters", 4, "value")
def parameter_out_of_range(feed):
    feed.set("parameters", 4, value=12)


@breakage(CHECKING, "PR-T165", "parameters", 8, "value")
def tour_shares_do_not_sum_to_one(feed):
    feed.set("parameters", 8, value=0.9)


@breakage(CHECKING, "PR-T166", "parameters", 5, "uom")
def parameter_in_another_unit(feed):
    feed.set("parameters", 5, uom="%")


def _zipped(feed):
    archive = feed.path.parent / "feed.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for file in sorted(feed.path.iterdir()):
            opened.write(file, file.name)
    return archive


def _as_parquet(feed, table, **dtypes):
    target = feed.path / f"{table}.parquet"
    frame = pl.read_csv(feed.file(table), infer_schema=False)
    frame.with_columns(pl.col(name).cast(dtype) for name, dtype in dtypes.items()).write_parquet(
        target, compression="uncompressed"
    )
    feed.file(table).unlink()
    return target


def found_in(findings, code, table, row, column):
    places = [(f.code, f.table, f.row, f.column) for f in findings]
    assert (code, table, row, column) in places
    return next(f for f in findings if (f.code, f.table, f.row, f.column) == (code, table, row, column))


def is_spoken(finding):
    for language in ("en", "zh"):
        for text in (finding.message(language), finding.fix(language)):
            assert text and "{" not in text and "None" not in text


@pytest.mark.parametrize(("spoil", "code", "table", "row", "column"), [*READING, *CHECKING])
def test_breakage_is_found(tmp_path, spoil, code, table, row, column):
    feed = FeedFolder(tmp_path / "feed")
    given = spoil(feed)
    path = feed.path if given is None or isinstance(given, int) else given
    survey = examine(path)
    is_spoken(found_in(survey.findings, code, table, row, column))


@pytest.mark.parametrize(("spoil", "code", "table", "row", "column"), READING)
def test_reading_raises_one_error_with_all_findings(tmp_path, spoil, code, table, row, column):
    feed = FeedFolder(tmp_path / "feed")
    given = spoil(feed)
    with pytest.raises(InputError) as raised:
        read(feed.path if given is None else given)
    assert raised.value.code == "PR-C001"
    found_in(raised.value.findings, code, table, row, column)


@pytest.mark.parametrize(("spoil", "code", "table", "row", "column"), CHECKING)
def test_checking_does_not_stop_the_reading(tmp_path, spoil, code, table, row, column):
    feed = FeedFolder(tmp_path / "feed")
    spoil(feed)
    found_in(read(feed.path).check(), code, table, row, column)


def test_there_are_enough_kinds():
    assert len(READING) + len(CHECKING) >= 100
    assert len({parameter.values[1] for parameter in [*READING, *CHECKING]}) >= 80


def test_all_at_once(tmp_path):
    feed = FeedFolder(tmp_path / "feed")
    spoilt = (unknown_mode, payload_with_a_unit, arrival_before_departure, demand_negative, hour_24, row_too_short)
    for spoil in spoilt:
        spoil(feed)
    codes = set(examine(feed.path).findings.counts)
    assert {"PR-T106", "PR-T111", "PR-T104", "PR-T110", "PR-T162", "PR-F115"} <= codes


def test_a_cell_that_cannot_be_read_is_not_also_missing(tmp_path):
    feed = FeedFolder(tmp_path / "feed")
    number_is_a_word(feed)
    places = [(f.code, f.row, f.column) for f in examine(feed.path).findings if f.table == "lanes"]
    assert places == [("PR-T103", 2, "distance_km")]


def test_near_names_are_offered(tmp_path):
    feed = FeedFolder(tmp_path / "feed")
    unknown_column(feed)
    vehicle_unknown(feed)
    unknown_mode(feed)
    nears = {f.code: f.params["near"] for f in examine(feed.path).findings if "near" in f.params}
    assert nears == {"PR-F119": "depart", "PR-T115": "truck-6m8", "PR-T106": "road"}


@pytest.mark.parametrize(
    ("spoil", "code", "params"),
    [
        (facility_twice, "PR-T114", {"first_row": "3", "shown": "S-NGB"}),
        (lane_twice, "PR-T136", {"first": "S-NGB>S-HGH", "mode": "road"}),
        (place_delivered_twice, "PR-N208", {"first": "O-TLU", "facility": "S-HGH"}),
        (two_general_profiles, "PR-T167", {"first": "all", "kind": "month"}),
        (arrival_before_departure, "PR-T104", {"depart_text": "22:15", "arrive_text": "21:50"}),
        (truck_too_fast, "PR-T133", {"speed": "217", "minutes": "45", "limit": "130"}),
        (coordinates_exchanged, "PR-T122", {"lon": "30.31", "lat": "120.26"}),
        (call_before_the_one_before, "PR-T129", {"earlier": "19:25", "later": "20:10", "seq": "2"}),
        (demand_for_where_nobody_delivers, "PR-N207", {"duty": "delivers"}),
        (factor_is_not_its_sum, "PR-T154", {"total": "0.45608"}),
    ],
)
def test_findings_tell_the_facts(tmp_path, spoil, code, params):
    feed = FeedFolder(tmp_path / "feed")
    spoil(feed)
    finding = next(finding for finding in examine(feed.path).findings if finding.code == code)
    assert {name: finding.params[name] for name in params} == params


def test_near_words_among_very_many():
    words = [f"S-{number:05d}" for number in range(5000)]
    assert near_name("S-0123", words) in words
    assert near_name("S-01234x", words) == "S-01234"
    assert near_name("zzzz", words) == "-"


def test_at_most_fifty_of_a_code_are_kept_and_all_are_counted(tmp_path):
    feed = FeedFolder(tmp_path / "feed")
    feed.set_all("demand", "n_items", -1)
    findings = examine(feed.path).findings
    assert findings.counts["PR-T110"] == 72
    assert sum(f.code == "PR-T110" for f in findings) == 50


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_bytes_spoilt_anywhere_never_give_a_traceback(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("fuzz")
    feed = FeedFolder(folder / "feed")
    name = data.draw(st.sampled_from(sorted(file.name for file in feed.path.iterdir())))
    if name.endswith(".csv") and data.draw(st.booleans()):
        target = _as_parquet(feed, name.removesuffix(".csv"))
    else:
        target = feed.path / name
    path = feed.path
    if data.draw(st.booleans()):
        target = path = _zipped(feed)
    content = bytearray(target.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(content)))
        length = data.draw(st.integers(0, 12))
        content[start : start + length] = data.draw(st.sampled_from(SPLINTERS) | st.binary(max_size=4))
    target.write_bytes(content)
    survey = examine(path)
    for finding in survey.findings:
        is_spoken(finding)
    if any(finding.severity == "error" and finding.code.startswith("PR-F") for finding in survey.findings):
        with pytest.raises(InputError):
            read(path)
