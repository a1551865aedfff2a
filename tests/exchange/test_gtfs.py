"""GTFS to tables of the feed: days, times beyond midnight, platforms, loops, headways, zones, and what is left out."""

import zipfile
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.feeds import tiny
from postroad.core.errors import InputError
from postroad.exchange.gtfs.convert import read_gtfs
from postroad.exchange.gtfs.timetable import read_seconds
from postroad.network.frames import Network

FILES = {
    "agency": "agency_id,agency_name,agency_timezone\nX,Exact Rail,Asia/Shanghai\n",
    "stops": """stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station
H,Hangzhou,30.25,120.17,1,
H1,Hangzhou 1,30.25,120.17,0,H
H2,Hangzhou 2,30.25,120.17,0,H
S,Shanghai,31.23,121.47,,
N,Nanjing,32.06,118.80,,
""",
    "routes": "route_id,route_type,agency_id\nR,2,X\nB,3,X\n",
    "trips": "route_id,service_id,trip_id\nR,daily,T1\nB,daily,T2\nR,once,T3\n",
    "stop_times": """trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type,drop_off_type
T1,22:00:00,22:00:30,H1,1,0,1
T1,24:10:10,24:12:50,S,5,0,0
T1,25:59:01,25:59:01,N,9,1,0
T2,08:00:00,08:00:00,H2,1,,
T2,10:30:00,10:30:00,S,2,,
T3,6:00:00,6:00:00,S,1,,
T3,7:00:00,7:05:00,H1,2,,
T3,7:06:00,7:10:00,H2,3,,
T3,8:00:00,8:00:00,S,4,,
""",
    "calendar": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
    "daily,1,1,1,1,1,0,0,20251101,20251130\n",
    "calendar_dates": "service_id,date,exception_type\ndaily,20251103,2\nonce,20251111,1\n",
}


def write(folder, **files):
    """A folder of GTFS files; a file given as None is left out."""
    folder.mkdir(exist_ok=True)
    for name, text in {**FILES, **files}.items():
        if text is not None:
            (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return folder


def read(tmp_path, how=None, **files):
    return read_gtfs(write(tmp_path / "feed", **files), **{"places": "330100", **(how or {})})


def rows(frame, *names):
    return frame.select(names).rows()


def test_the_whole(tmp_path):
    made, findings = read(tmp_path)
    assert len(findings) == 0
    assert made.timezone == "Asia/Shanghai"
    tables = made.tables
    assert rows(tables["operators"], "operator_id", "name") == [("X", "Exact Rail")]
    assert rows(tables["facilities"], "facility_id", "kind", "name") == [
        ("H", "railhead", "Hangzhou"),
        ("S", "railhead", "Shanghai"),
        ("N", "railhead", "Nanjing"),
    ]
    assert rows(tables["lanes"], "lane_id", "mode") == [("H>S road", "road")]
    assert tables["lanes"]["distance_km"][0] == pytest.approx(165, abs=3)
    assert rows(tables["trips"], "trip_id", "lane_id", "vehicle_id", "service_id", "depart", "arrive") == [
        ("T1", None, "rail", "daily", None, None),
        ("T2", "H>S road", "road", "daily", 480, 630),
        ("T3", None, "rail", "once", None, None),
    ]
    assert rows(tables["calls"], "trip_id", "seq", "facility_id", "arrive", "depart", "can_board", "can_alight") == [
        ("T1", 0, "H", 1320, 1320, True, False),
        ("T1", 1, "S", 1451, 1452, True, True),
        ("T1", 2, "N", 1560, 1560, False, True),
        ("T3", 0, "S", 360, 360, True, True),
        ("T3", 1, "H", 420, 430, True, True),
        ("T3", 2, "S", 480, 480, True, True),
    ]
    assert rows(tables["calendar"], "service_id", "monday", "sunday", "start_date", "end_date") == [
        ("daily", True, False, date(2025, 11, 1), date(2025, 11, 30)),
        ("once", False, False, date(2025, 11, 11), date(2025, 11, 11)),
    ]
    assert rows(tables["calendar_dates"], "service_id", "date", "runs") == [
        ("daily", date(2025, 11, 3), False),
        ("once", date(2025, 11, 11), True),
    ]
    assert set(tables["lanes"]["label"]) == {"derived"}
    assert set(tables["trips"]["label"]) == {"measured"}


def test_a_network_takes_the_tables(tmp_path):
    base = tiny()
    place = base.tables["facilities"]["place_id"][0]
    vehicles = dict(base.tables["vehicles"].select("mode", "vehicle_id").iter_rows())
    how = {"places": place, "prefix": "x-", "vehicles": vehicles}
    made, _ = read(tmp_path, how)
    joined = {
        name: pl.concat(
            [base.tables[name], frame.cast(dict(base.tables[name].select(frame.columns).schema))], how="diagonal"
        )
        for name, frame in made.tables.items()
    }
    network = Network.from_tables(base.meta, {**base.tables, **joined})
    ours = network.tables["trips"].filter(pl.col("trip_id").str.starts_with("x-"))
    assert rows(ours, "trip_id", "depart", "arrive") == [
        ("x-T1", 1320, 1560),
        ("x-T2", 480, 630),
        ("x-T3", 360, 480),
    ]
    known = {finding.code for finding in base.check()}
    assert {finding.code for finding in network.check().errors} <= known


def test_an_archive_is_the_same_as_a_folder(tmp_path):
    folder = write(tmp_path / "feed")
    with zipfile.ZipFile(tmp_path / "feed.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"inside/{file.name}")
    made, _ = read_gtfs(folder, places="P")
    zipped, _ = read_gtfs(tmp_path / "feed.zip", places="P")
    for name, frame in made.tables.items():
        assert frame.drop("source").equals(zipped.tables[name].drop("source"), null_equal=True)


def test_headways(tmp_path):
    text = "trip_id,start_time,end_time,headway_secs,exact_times\n"
    text += "T2,08:00:00,09:00:00,1200,1\nT1,23:30:00,24:30:00,1800,\n"
    made, findings = read(tmp_path, frequencies=text)
    assert len(findings) == 0
    trips = made.tables["trips"].sort("trip_id")
    assert rows(trips, "trip_id", "depart", "arrive", "label") == [
        ("T1@233000", None, None, "modelled"),
        ("T1@240000", None, None, "modelled"),
        ("T2@080000", 480, 630, "derived"),
        ("T2@082000", 500, 650, "derived"),
        ("T2@084000", 520, 670, "derived"),
        ("T3", None, None, "measured"),
    ]
    calls = made.tables["calls"].filter(pl.col("trip_id") == "T1@233000")
    assert calls["depart"].to_list() == [1410, 1542, 1649]  # 22:00:30 becomes 23:30:00


def test_another_time_zone(tmp_path):
    made, findings = read(tmp_path, {"timezone": "UTC"})
    assert len(findings) == 0
    assert made.timezone == "UTC"
    trips = made.tables["trips"].filter(pl.col("trip_id") == "T2")
    assert rows(trips, "depart", "arrive", "service_id") == [(0, 150, "daily")]
    calls = made.tables["calls"].filter(pl.col("trip_id") == "T3")
    assert calls["depart"].to_list() == [1320, 1390, 1440]
    assert made.tables["trips"].filter(pl.col("trip_id") == "T3")["service_id"].to_list() == ["once-1d"]
    days = made.tables["calendar_dates"].filter(pl.col("service_id") == "once-1d")
    assert days["date"].to_list() == [date(2025, 11, 10)]


def test_weekdays_move_with_the_service(tmp_path):
    early = FILES["stop_times"].replace("08:00:00,08:00:00", "01:00:00,01:00:00")
    made, _ = read(tmp_path, {"timezone": "UTC"}, stop_times=early)
    copy = made.tables["calendar"].filter(pl.col("service_id") == "daily-1d").row(0, named=True)
    runs = [copy[day] for day in ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")]
    assert runs == [True] * 5 + [False] * 2
    assert (copy["start_date"], copy["end_date"]) == (date(2025, 10, 31), date(2025, 11, 29))


def test_a_difference_that_changes(tmp_path):
    agency = FILES["agency"].replace("Asia/Shanghai", "Europe/Berlin")
    calendar = FILES["calendar"].replace("20251101", "20251001")
    _, findings = read(tmp_path, {"timezone": "Asia/Shanghai"}, agency=agency, calendar=calendar)
    assert findings.counts == {"PR-E361": 1}


@pytest.mark.parametrize(
    ("file", "old", "new", "code"),
    [
        ("trips", "R,daily,T1", "Q,daily,T1", "PR-E352"),
        ("trips", "R,daily,T1", "R,never,T1", "PR-E352"),
        ("stop_times", "T1,22:00:00,22:00:30,H1", "T1,22:00:00,22:00:30,Z9", "PR-E352"),
        ("stop_times", "T1,24:10:10", "T1,24:70:10", "PR-E353"),
        ("stop_times", "T1,24:10:10", "T1,400:10:10", "PR-E353"),
        ("stop_times", "S,5,0,0", "S,five,0,0", "PR-E353"),
        ("calendar", "20251130", "2025-11-30", "PR-E353"),
        ("calendar_dates", "20251103", "soon", "PR-E353"),
        ("stop_times", "10:30:00,10:30:00,S,2", "10:30:00,10:30:00,H1,2", "PR-E354"),
        ("stop_times", "10:30:00,10:30:00,S,2", "07:30:00,07:30:00,S,2", "PR-E355"),
        ("agency", "Asia/Shanghai\n", "Asia/Shanghai\nY,Other,Asia/Tokyo\n", "PR-E356"),
        ("stop_times", "24:10:10,24:12:50", ",", "PR-E357"),
        ("routes", "B,3,X", "B,5,X", "PR-E358"),
        ("routes", "B,3,X", "B,bus,X", "PR-E358"),
        ("stops", "32.06", "north", "PR-E359"),
    ],
)
def test_what_is_off_is_left_out_and_found(tmp_path, file, old, new, code):
    assert old in FILES[file]
    made, findings = read(tmp_path, **{file: FILES[file].replace(old, new)})
    assert code in findings.counts
    assert findings.errors == []
    assert "T3" in made.tables["trips"]["trip_id"]


def test_a_bad_headway(tmp_path):
    text = "trip_id,start_time,end_time,headway_secs\nT2,8:00:00,9:00:00,0\nT2,8h,9:00:00,60\n"
    made, findings = read(tmp_path, frequencies=text)
    assert findings.counts == {"PR-E353": 2}
    assert "T2" in made.tables["trips"]["trip_id"]


def test_places_by_stop(tmp_path):
    made, findings = read(tmp_path, {"places": {"H": "330100", "S": "310000"}})
    assert rows(made.tables["facilities"], "facility_id", "place_id") == [("H", "330100"), ("S", "310000")]
    assert findings.counts["PR-E359"] == 1


def test_a_column_that_is_missing(tmp_path):
    _, findings = read(tmp_path, agency="agency_id,agency_name\nX,Exact Rail\n")
    assert [(finding.code, finding.column) for finding in findings] == [("PR-E351", "agency_timezone")]


@pytest.mark.parametrize("name", ["agency", "stops", "stop_times"])
def test_a_file_that_is_missing(tmp_path, name):
    with pytest.raises(InputError) as caught:
        read(tmp_path, **{name: None})
    assert caught.value.code == "PR-E350"
    assert f"{name}.txt" in caught.value.message()


def test_no_days_at_all(tmp_path):
    with pytest.raises(InputError) as caught:
        read(tmp_path, calendar=None, calendar_dates=None)
    assert caught.value.code == "PR-E350"
    (tmp_path / "x.zip").write_bytes(b"no archive")
    with pytest.raises(InputError):
        read_gtfs(tmp_path / "x.zip", places="P")


@given(st.lists(st.integers(0, 13 * 86_400), min_size=2, max_size=8, unique=True))
def test_minutes_never_go_back_and_promise_nothing_that_the_seconds_do_not_give(tmp_path_factory, seconds):
    seconds = sorted(seconds)
    clock = [f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in seconds]
    lines = [f"T2,{at},{at},{'HSN'[n % 3]},{n}" for n, at in enumerate(clock)]
    header = FILES["stop_times"].splitlines()[0].rsplit(",", 2)[0]
    made, findings = read(tmp_path_factory.mktemp("gtfs"), stop_times="\n".join([header, *lines, ""]))
    assert len(findings) == 0
    trip = made.tables["trips"].filter(pl.col("trip_id") == "T2").row(0, named=True)
    if len(seconds) == 2:
        pairs = [(trip["depart"], trip["arrive"])]
        assert pairs[0][0] * 60 <= seconds[0] and pairs[0][1] * 60 >= seconds[1]
        return
    calls = made.tables["calls"]
    assert calls["arrive"].is_sorted() and calls["depart"].is_sorted()
    assert (calls["arrive"] <= calls["depart"]).all()
    assert all(arrive * 60 >= at for arrive, at in zip(calls["arrive"][1:], seconds[1:], strict=True))
    assert calls["depart"][0] == seconds[0] // 60


def test_seconds():
    frame = pl.DataFrame({"t": ["00:00:00", "335:59:59", "1:2:3", "", None]})
    assert frame.select(read_seconds("t"))["t"].to_list() == [0, 1_209_599, None, None, None]
