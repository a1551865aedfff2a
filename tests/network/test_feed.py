"""Feeds are read, written, named and laid over one another."""

import datetime
import random
import zipfile
from dataclasses import replace
from datetime import date

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit.feeds import FeedFolder, frame, tiny
from postroad.core.errors import InputError, NotFound
from postroad.network.feed import examine, read, write
from postroad.network.frames import Network
from postroad.network.metadata import FeedMeta
from postroad.network.schema import known_parameters, table, tables
from postroad.network.summary import summarise

SLOW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1).map(str.strip).filter(bool)
NUMBER = st.floats(1e-6, 1e12, allow_nan=False)


def test_the_tiny_feed_is_clean():
    assert len(tiny().check()) == 0


def test_every_table_is_there_with_all_columns_and_types():
    for name, declared in tables().items():
        assert tiny().tables[name].schema == pl.Schema(declared.dtypes)


def test_defaults_are_filled():
    lanes = tiny().tables["lanes"]
    road = lanes.filter(pl.col("mode") == "road")
    assert road["activity_km"].equals(road["distance_km"], check_names=False)
    assert lanes.filter(pl.col("mode") == "air")["activity_km"].to_list() == [519.0, 519.0]
    assert tiny().tables["trips"]["n_vehicles"].to_list() == [1] * 42


def test_trips_with_calls_take_their_times():
    trips = tiny().tables["trips"].filter(pl.col("trip_id") == "X-NGB-WUH")
    assert trips.select("depart", "arrive").row(0) == (20 * 60 + 10, 26 * 60 + 55)
    calls = tiny().tables["calls"].filter(pl.col("trip_id") == "X-NGB-WUH")
    assert calls["arrive"].null_count() == calls["depart"].null_count() == 0


def test_parameters_fall_back_on_the_documented_defaults():
    bare = tiny().with_tables(parameters=table("parameters").empty())
    assert dict(bare.parameters) == {name: known.default for name, known in known_parameters().items()}
    assert tiny().parameters["max_attempts"] == 3


@pytest.mark.parametrize("format", ["csv", "parquet"])
@pytest.mark.parametrize("is_zip", [False, True])
def test_what_is_written_reads_the_same(tmp_path, format, is_zip):
    target = write(tiny(), tmp_path / "copy", format=format, zip=is_zip)
    again = read(target)
    assert again.digest == tiny().digest
    assert again.meta == tiny().meta
    for name, expected in tiny().tables.items():
        assert again.tables[name].equals(expected), name


@SLOW
@given(
    names=st.lists(TEXT, min_size=9, max_size=9),
    km=st.lists(NUMBER, min_size=24, max_size=24),
    departures=st.lists(st.integers(0, 20159), min_size=42, max_size=42),
    format=st.sampled_from(["csv", "parquet"]),
    is_zip=st.booleans(),
)
def test_any_values_survive_writing(tmp_path_factory, names, km, departures, format, is_zip):
    frames = tiny().tables
    network = tiny().with_tables(
        places=frames["places"].with_columns(pl.Series("name", names)),
        lanes=frames["lanes"].with_columns(pl.Series("distance_km", km)),
        trips=frames["trips"].with_columns(pl.Series("depart", departures, pl.Int32)),
    )
    again = read(write(network, tmp_path_factory.mktemp("feed") / "copy", format=format, zip=is_zip))
    assert again.digest == network.digest
    assert again.tables["places"]["name"].to_list() == names


@SLOW
@given(seed=st.integers(0, 2**16))
def test_the_order_of_rows_and_columns_changes_nothing(tmp_path_factory, seed):
    feed = FeedFolder(tmp_path_factory.mktemp("feed") / "shuffled")
    draw = random.Random(seed)
    for name in tables():
        header, *rows = feed.rows(name)
        draw.shuffle(rows)
        order = draw.sample(range(len(header)), len(header))
        feed.put(name, [[row[number] for number in order] for row in (header, *rows)])
    again = read(feed.path)
    assert again.digest == tiny().digest
    assert len(again.check()) == 0


@pytest.mark.parametrize(
    ("table_name", "column", "value"),
    [("trips", "depart", 125), ("demand", "n_items", 1), ("places", "name", "x"), ("factors", "label", "modelled")],
)
def test_any_value_changes_the_digest(table_name, column, value):
    changed = (
        tiny()
        .tables[table_name]
        .with_columns(pl.when(pl.int_range(pl.len()) == 0).then(pl.lit(value)).otherwise(pl.col(column)).alias(column))
    )
    assert tiny().with_tables(**{table_name: changed}).digest != tiny().digest


def test_the_digest_tells_the_base_date_but_not_the_name():
    assert tiny().with_meta(name="other", description="x").digest == tiny().digest
    assert tiny().with_meta(base_date=date(2025, 11, 12)).digest != tiny().digest


def test_repeated_keys_still_give_one_digest():
    trips = tiny().tables["trips"]
    twice = pl.concat([trips, trips.head(1).with_columns(depart=pl.lit(7, pl.Int32))])
    one, other = (tiny().with_tables(trips=rows) for rows in (twice, twice.reverse()))
    assert one.digest == other.digest


def test_byte_order_mark_and_crlf(tmp_path):
    feed = FeedFolder(tmp_path / "feed")
    for file in feed.path.iterdir():
        text = file.read_text(encoding="utf-8")
        file.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert read(feed.path).digest == tiny().digest


def test_zip_of_a_folder_and_other_files(tmp_path):
    feed = FeedFolder(tmp_path / "feed")
    archive = tmp_path / "feed.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for file in feed.path.iterdir():
            opened.write(file, f"my feed/{file.name}")
        opened.writestr("my feed/README.md", "hello")
        opened.writestr("my feed/.hidden.csv", "a,b")
        opened.writestr("__MACOSX/my feed/trips.csv", "a,b")
    assert read(archive).digest == tiny().digest


def test_zip_without_metadata(tmp_path):
    feed = FeedFolder(tmp_path / "feed")
    archive = tmp_path / "feed.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for file in feed.path.iterdir():
            if file.suffix == ".csv":
                opened.write(file, f"inner/{file.name}")
    with pytest.raises(InputError) as raised:
        read(archive)
    assert [finding.code for finding in raised.value.findings] == ["PR-F102"]


def test_optional_columns_and_tables_may_be_left_out(tmp_path):
    feed = FeedFolder(tmp_path / "feed")
    feed.drop_column("lanes", "activity_km")
    feed.drop_column("lanes", "label")
    feed.file("disruptions").unlink()
    network = read(feed.path)
    assert network.tables["disruptions"].is_empty()
    assert network.tables["lanes"]["label"].unique().to_list() == ["unverified"]
    assert network.tables["lanes"]["activity_km"].equals(network.tables["lanes"]["distance_km"], check_names=False)


def test_header_alone_is_a_table_of_no_rows(tmp_path):
    feed = FeedFolder(tmp_path / "feed")
    feed.put("disruptions", feed.rows("disruptions")[:1])
    assert read(feed.path).tables["disruptions"].is_empty()


def test_arrival_on_the_next_day(tmp_path):
    feed = FeedFolder(tmp_path / "feed")
    rows = feed.rows("trips")
    feed.put("trips", [[*row, day] for row, day in zip(rows, ["arrive_day", "1", *["0"] * 41], strict=True)])
    feed.set("trips", 2, depart="22:00", arrive="02:15")
    feed.set("trips", 3, depart="22:00", arrive="26:15")
    trips = read(feed.path).tables["trips"]
    assert trips["arrive"].to_list()[:2] == [26 * 60 + 15] * 2
    assert "arrive_day" not in trips.columns


def test_writing_does_not_overwrite(tmp_path):
    for is_zip in (False, True):
        target = write(tiny(), tmp_path / "feed", zip=is_zip)
        before = target.read_bytes() if is_zip else (target / "trips.csv").read_bytes()
        with pytest.raises(InputError, match="PR-C030"):
            write(tiny(), tmp_path / "feed", zip=is_zip)
        write(tiny(), tmp_path / "feed", zip=is_zip, replace=True)
        assert before == (target.read_bytes() if is_zip else (target / "trips.csv").read_bytes())


def test_shipped_and_missing_feeds(tmp_path):
    assert read("tiny").meta.name == "tiny"
    with pytest.raises(NotFound, match="PR-F101") as raised:
        read("tinny")
    assert raised.value.params["near"] == "tiny"
    assert "tiny" in raised.value.fix() and "tiny" in raised.value.fix("zh")
    with pytest.raises(InputError, match="PR-F100"):
        read(FeedFolder(tmp_path / "feed").file("trips"))
    with pytest.raises(NotFound, match="PR-F128"):
        read("tiny", level="city")


def test_level_is_laid_over_its_neighbour(tmp_path):
    base = FeedFolder(tmp_path / "net")
    base.edit_meta('level = "county"', 'level = "city"')
    finer = tmp_path / "net-county"
    finer.mkdir()
    (finer / "feed.toml").write_text(
        'name = "net-county"\ntimezone = "Asia/Shanghai"\nlevel = "county"\n'
        'base_date = 2025-11-11\nextends = ["places"]\n'
    )
    (finer / "places.csv").write_text("place_id,parent_id,kind,name\n330127,330100,county,淳安县\n", encoding="utf-8")
    (finer / "operators.csv").write_text("operator_id,name\nMERGED,合并网络\n", encoding="utf-8")
    city, county = read(base.path), read(base.path, level="county")
    assert (city.level, county.level) == ("city", "county")
    assert len(county.tables["places"]) == len(city.tables["places"]) + 1
    assert county.tables["operators"]["label"].to_list() == ["unverified"]
    assert county.tables["trips"].equals(city.tables["trips"])
    assert read(base.path, level="city").digest == city.digest
    with pytest.raises(NotFound, match="PR-F128"):
        read(base.path, level="outlet")


def test_base_may_be_a_shipped_feed_and_its_level_asked_for(tmp_path):
    over = tmp_path / "over"
    over.mkdir()
    (over / "feed.toml").write_text(
        'name = "over"\ntimezone = "Asia/Shanghai"\nlevel = "outlet"\nbase_date = 2025-11-11\nbase = "tiny"\n'
    )
    (over / "restrictions.csv").write_text("product_id,mode\n")
    network = read(over)
    assert network.tables["restrictions"].is_empty()
    assert network.tables["trips"].equals(tiny().tables["trips"])
    assert network.meta.base == ""
    assert read(over, level="county").digest == tiny().digest


def test_findings_name_the_layer_and_its_own_row(tmp_path):
    base = FeedFolder(tmp_path / "net")
    base.edit_meta('level = "county"', 'level = "city"')
    base.set("places", 3, population=-1)
    base.set("lanes", 2, distance_km="far")
    finer = tmp_path / "net-county"
    finer.mkdir()
    (finer / "feed.toml").write_text(
        'name = "net-county"\ntimezone = "Asia/Shanghai"\nlevel = "county"\n'
        'base_date = 2025-11-11\nextends = ["places", "trips"]\n'
    )
    (finer / "places.csv").write_text("place_id,kind,name\nX,county,X\n330100,county,Y\n")
    (finer / "operators.csv").write_text("operator_id,name\nMERGED,M\nMERGED,M\n")
    (finer / "trips.csv").write_text("trip_id,vehicle_id,service_id\nt,truck-4m2,daily,1\n")
    places = {(finding.code, finding.table, finding.row) for finding in examine(base.path, level="county").findings}
    assert {
        ("PR-T110", "net/places", 3),
        ("PR-T103", "net/lanes", 2),
        ("PR-T114", "net-county/places", 3),
        ("PR-T114", "net-county/operators", 3),
        ("PR-F115", "net-county/trips", 2),
    } == places


@pytest.mark.parametrize("prefix", ["z-", "0 ", "甲"])
def test_renaming_changes_nothing_but_names(prefix):
    renamed = {}
    for name, declared in tables().items():
        columns = [
            column.name for column in declared.columns if column.reference or (column.is_key and column.kind == "text")
        ]
        columns = [
            column for column in columns if (name, column) not in {("profiles", "key"), ("parameters", "parameter_id")}
        ]
        renamed[name] = (
            tiny().tables[name].with_columns(pl.concat_str(pl.lit(prefix), column).alias(column) for column in columns)
        )
    network = tiny().with_tables(**renamed)
    assert list(network.check()) == []
    before, after = summarise(tiny()), summarise(network)
    assert replace(after, digest="") == replace(before, digest="")
    assert after.digest != before.digest


META = FeedMeta(name="made", timezone="UTC", base_date=date(2025, 6, 2))


def test_network_from_frames_of_text():
    trips = frame("trip_id vehicle_id service_id depart arrive\n t1 v s 22:00 26:15\n t2 v s 7:05 -")
    network = Network.from_tables(META, {"trips": trips})
    assert network.tables["trips"].select("depart", "arrive", "n_vehicles").rows() == [(1320, 1575, 1), (425, None, 1)]
    assert network.tables["places"].is_empty()


def test_network_from_frames_of_other_types():
    frames = {
        "trips": pl.DataFrame(
            {
                "trip_id": [1, 2],
                "vehicle_id": pl.Series(["v", "w"], dtype=pl.Categorical),
                "service_id": ["s", "s"],
                "depart": [1320.0, 1330.0],
                "arrive": pl.Series([1400, None], dtype=pl.UInt16),
            }
        ),
        "calendar_dates": pl.DataFrame(
            {
                "service_id": ["s", "s"],
                "date": pl.Series(["2025-01-01 00:00", None]).str.to_datetime(),
                "runs": [1, 0],
            }
        ),
        "windows": pl.DataFrame({"facility_id": ["a"], "kind": ["open"], "start": pl.Series([datetime.time(8, 5)])}),
        "transfers": pl.DataFrame(
            {
                "facility_id": ["a"],
                "from_mode": ["road"],
                "to_mode": ["air"],
                "min_min": pl.Series([None], dtype=pl.Null),
            }
        ),
        "products": pl.DataFrame(
            {
                "product_id": ["p"],
                "priority": ["1.0"],
                "name": ["P"],
                "mean_kg": [2],
                "mean_volume_m3": ["1e-2"],
                "share": [1],
            }
        ),
        "disruptions": pl.DataFrame(
            {
                "disruption_id": ["d"],
                "kind": ["closure"],
                "from_at": [datetime.datetime(2025, 1, 1, 6)],
                "to_at": ["2025-01-01T07:00+08:00"],
            }
        ),
    }
    tables_made = Network.from_tables(META, frames).tables
    assert tables_made["trips"].select("trip_id", "vehicle_id", "depart", "arrive").rows() == [
        ("1", "v", 1320, 1400),
        ("2", "w", 1330, None),
    ]
    assert tables_made["calendar_dates"].select("date", "runs").rows() == [(date(2025, 1, 1), True), (None, False)]
    assert tables_made["windows"]["start"].to_list() == ["08:05"]
    assert tables_made["transfers"]["min_min"].to_list() == [None]
    assert tables_made["products"].select("priority", "mean_kg", "mean_volume_m3").row(0) == (1, 2.0, 0.01)
    assert tables_made["disruptions"].select("from_at", "to_at").row(0) == (
        "2025-01-01T06:00",
        "2025-01-01T07:00+08:00",
    )


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ({"trucks": pl.DataFrame()}, "PR-F118"),
        ({"operators": pl.DataFrame({"operator_id": ["a"], "name": ["A"], "nane_en": ["A"]})}, "PR-F119"),
        ({"operators": pl.DataFrame({"operator_id": ["a"]})}, "PR-F120"),
        ({"operators": pl.DataFrame({"operator_id": [1.5], "name": ["A"]})}, "PR-T113"),
    ],
)
def test_network_from_unsound_frames(frames, code):
    with pytest.raises(InputError) as raised:
        Network.from_tables(META, frames)
    assert code in [finding.code for finding in raised.value.findings]


def test_networks_print_shortly():
    assert repr(tiny()) == "<Network 'tiny' (county): 11 facilities, 42 trips>"


def test_a_column_that_is_missing_is_one_finding(tmp_path):
    feed = FeedFolder(tmp_path / "feed")
    feed.drop_column("trips", "vehicle_id")
    assert examine(feed.path).findings.counts == {"PR-F120": 1}


def test_an_archive_that_would_fill_the_memory_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("postroad.network.source.MAX_UNPACKED", 1_000_000)
    feed = FeedFolder(tmp_path / "feed")
    archive = tmp_path / "feed.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for file in feed.path.iterdir():
            opened.write(file, file.name)
        opened.writestr("demand.parquet", bytes(10_000_000))
    findings = examine(archive).findings
    assert [(finding.code, finding.value) for finding in findings] == [("PR-F131", "demand.parquet")]
    assert "10,000,000" in next(iter(findings)).message()


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-8"])
def test_a_table_with_zero_bytes_is_not_read(tmp_path, encoding):
    feed = FeedFolder(tmp_path / "feed")
    text = feed.file("operators").read_text(encoding="utf-8")
    content = (text if encoding == "utf-16-le" else text.replace("M", "\0", 1)).encode(encoding)
    feed.file("operators").write_bytes(content)
    found = next(iter(examine(feed.path).findings))
    assert (found.code, found.table) == ("PR-F113", "operators")


def test_a_number_that_no_machine_has_is_out_of_range(tmp_path):
    feed = FeedFolder(tmp_path / "feed")
    feed.set("trips", 2, n_vehicles=4_000_000_000)
    feed.set("facilities", 2, sort_items_per_h=4_000_000_000)
    found = [finding for finding in examine(feed.path).findings if finding.code == "PR-T110"]
    assert {(finding.table, finding.column) for finding in found} == {
        ("trips", "n_vehicles"),
        ("facilities", "sort_items_per_h"),
    }


def test_the_folder_one_stands_in_has_a_name(tmp_path, monkeypatch):
    feed = FeedFolder(tmp_path / "feed")
    monkeypatch.chdir(feed.path)
    (feed.path / "feed.toml").unlink()
    found = next(iter(examine(".").findings))
    assert found.code == "PR-F102"
    assert "'feed'" in found.message()
    with pytest.raises(NotFound, match="PR-F101"):
        examine("")
