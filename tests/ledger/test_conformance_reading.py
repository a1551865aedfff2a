"""What every reader of a ledger has to say: a folder sealed and logged, PostgreSQL, and Spark over the same folder."""

from datetime import timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from kit.ledger import ITEM, NOW, START, make_event, make_frame, make_id, make_life
from kit.stores import ITEMS, make_flows
from postroad.core.errors import InputError, NotFound
from postroad.events.columns import schema
from postroad.ledger import Ledger, track

SETTINGS = {"timezone": "Asia/Shanghai", "epoch": START}
LATER = timedelta(days=400)
SEALED = [row for number in range(8) for row in make_life(ITEMS[number], 1 + 10 * number)]
LOGGED = [
    make_event(201, "bagged", 1, unit_id="B1", raw={"code": "袋", "text": None}),
    make_event(202, "arrived", 2, item_id=None, unit_id="B1", trip_id="T1", payload='{"a": 1}'),
    make_event(203, "departed", 4, item_id=None, trip_id="T1", related=[{"role": "to", "id": "URC"}]),
    make_event(204, "closed", 6, item_id=None),
    make_event(205, "correction", 7, follows=make_id(201)),
    make_event(206, "EMX", 8),
    make_event(207, "accepted", 400 * 1440),
]
RECORDS = pl.DataFrame(
    {"item_id": [ITEM, ITEM, ITEMS[1]], "accepted_at": [START + LATER, START, None], "label": ["measured"] * 3},
    schema_overrides={"accepted_at": pl.Datetime("us", "UTC")},
)


def fill(store):
    store.append(make_frame(*SEALED), now=NOW)
    if isinstance(store, Ledger):
        store.seal()
    for row in LOGGED:
        store.append(make_frame(row), now=NOW + LATER)
    store.append_items(RECORDS)
    store.append_flows(make_flows())
    store.append_flows(make_flows(6))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    with Ledger.create(tmp_path_factory.mktemp("reading") / "ledger", **SETTINGS) as store:
        fill(store)
    return store


@pytest.fixture(scope="module", params=["folder", "postgres", "spark"])
def store(request, folder):
    if request.param == "folder":
        yield Ledger(folder.folder)
    elif request.param == "postgres":
        from postroad.ledger.postgres.store import PostgresLedger

        with PostgresLedger.create(request.getfixturevalue("postgres"), schema="reading", **SETTINGS) as made:
            fill(made)
            yield made
    else:
        from postroad.ledger.spark.store import SparkLedger

        with SparkLedger(folder.folder, request.getfixturevalue("spark")) as opened:
            yield opened


def test_what_is_set_and_how_many_there_are(store, folder):
    assert store.about == folder.about
    assert len(store) == len(SEALED) + len(LOGGED)


def test_all_events_with_all_columns(store, folder):
    found = store.events().sort("event_id")
    assert found.schema == make_frame().schema
    assert_frame_equal(found, folder.events().sort("event_id"))
    assert found.height == len(store)


def test_histories(store):
    assert store.history(ITEMS[3]).equals(make_frame(*make_life(ITEMS[3], 31)))
    history = store.history(ITEM)
    assert history["event_id"].to_list() == [make_id(number) for number in (201, 205, 206, 207)]
    assert history["kind"].to_list() == ["bagged", "correction", "unknown", "accepted"]
    assert history["raw"].to_list() == [{"code": "袋", "text": None}, None, {"code": "EMX", "text": None}, None]
    assert store.history("nobody").columns == schema("events").names


@pytest.mark.parametrize(
    ("subject", "name", "number"), [("unit", "B1", 202), ("trip", "T1", 203), ("facility", "HGH", 204)]
)
def test_events_about_units_trips_and_facilities(store, subject, name, number):
    assert store.events_about(name, subject).equals(make_frame(LOGGED[number - 201]))


def test_records_of_a_number_used_again(store):
    assert store.item_records(ITEM)["accepted_at"].to_list() == [START, START + LATER]
    assert store.item_records(ITEMS[1])["accepted_at"].to_list() == [None]
    assert store.item_records("nobody").columns == schema("items").names


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        ("SELECT sum(n_items) AS n, max(ended_min) AS m FROM flows WHERE outcome = 'delivered'", [(6 + 15, 7)]),
        ("SELECT count(*) AS n FROM events JOIN items USING (item_id)", [(10 + 2 * 4,)]),
        (
            "SELECT emsevt, count(*) AS n FROM events JOIN kinds USING (kind) WHERE phase >= 9 GROUP BY 1 ORDER BY 1",
            [("EDG", 16), ("EMH", 8), ("EMI", 8)],
        ),
        ("SELECT (raw).code AS code FROM events WHERE unit_id = 'B1' AND item_id IS NOT NULL", [("袋",)]),
        (
            "WITH days AS (SELECT CAST(occurred_at AS DATE) AS day FROM events)"
            " SELECT count(DISTINCT day) AS n FROM days -- in UTC",
            [(4,)],
        ),
    ],
)
def test_queries(store, sql, answer):
    if "(raw)" in sql and "Postgres" in type(store).__name__:
        sql = sql.replace("(raw).code", "raw ->> 'code'")  # JSON there
    assert store.query(sql).rows() == answer


def test_tracking(store, folder):
    found = track(store, ITEMS[3])
    assert (found.state, len(found.steps)) == ("delivered", 10)
    assert found.record() == track(folder.folder, ITEMS[3]).record()
    with pytest.raises(NotFound) as caught:
        track(store, "nobody")
    assert caught.value.code == "PR-L301"


def test_parameters(store):
    found = store.query("SELECT event_id, kind FROM events WHERE trip_id = ? AND occurred_at > ?", ("T1", START))
    assert found.schema == {"event_id": pl.Binary, "kind": pl.String}
    assert sorted(found.rows()) == [(make_id(202), "arrived"), (make_id(203), "departed")]
    assert store.events("kind = ?", ("closed",)).equals(make_frame(LOGGED[3]))
    assert store.events(limit=4).height == 4


@pytest.mark.parametrize(
    "sql", ["SELECT * FROM nothing", "SELEC 1", "DROP TABLE flows", "INSERT INTO items SELECT * FROM items"]
)
def test_a_query_that_cannot_run_says_why(store, sql):
    with pytest.raises(InputError) as caught:
        store.query(sql)
    assert caught.value.code == "PR-L212"
    assert store.query("SELECT count(*) AS n FROM items")["n"].to_list() == [3]


def test_spark_sees_what_is_appended_when_it_looks_again(spark, tmp_path):
    from postroad.ledger.spark.store import SparkLedger

    with Ledger.create(tmp_path / "ledger") as plain, SparkLedger(plain.folder, spark) as opened:
        assert len(opened) == opened.events().height == 0
        assert opened.query("SELECT count(*) AS n FROM flows")["n"].to_list() == [0]
        plain.append(make_frame(*make_life()), now=NOW)
        assert len(opened) == 0
        opened.refresh()
        assert len(opened) == opened.events().height == 10
        with pytest.raises(InputError) as caught:
            opened.query("SELECT * FROM csv.`/etc/hostname`")
        assert caught.value.code == "PR-L212"
        assert not hasattr(opened, "append")


def test_there_must_be_a_ledger_for_spark(spark, tmp_path):
    from postroad.ledger.spark.store import SparkLedger

    with pytest.raises(NotFound) as caught:
        SparkLedger(tmp_path, spark)
    assert caught.value.code == "PR-L201"
