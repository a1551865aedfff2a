"""What is PostgreSQL's own: connections, migrations, partitions, crashes. What every store does: test_conformance."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import numpy as np
import pyarrow as pa
import pytest

from kit.ledger import ITEM, NOW, START, make_event, make_frame, make_id, make_life
from kit.postgres import make_database, running_postgres
from kit.stores import ITEMS, make_flows
from postroad.core.errors import InputError, LedgerError, NotFound
from postroad.events.columns import schema
from postroad.ledger import Ledger

if "POSTROAD_ENGINES" not in os.environ:
    pytest.importorskip("psycopg")

import psycopg

from postroad.ledger.postgres.content import digest_events
from postroad.ledger.postgres.copying import copy_pieces
from postroad.ledger.postgres.schema import Migration, migrate, migrations
from postroad.ledger.postgres.store import PostgresLedger

NUMBERS = count()


@pytest.fixture
def name():
    return f"own{next(NUMBERS)}"


@pytest.fixture
def store(postgres, name):
    with PostgresLedger.create(postgres, schema=name, epoch=START) as made:
        yield made


@pytest.fixture
def database(postgres, name):
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("SELECT set_config('search_path', %s, false)", (name,))
        yield connection


def lives(n_items=40):
    return make_frame(*[row for number in range(n_items) for row in make_life(ITEMS[number], 1 + 10 * number)])


# -- connections


def test_the_text_comes_from_the_caller_or_the_environment(postgres, store, name, monkeypatch):
    monkeypatch.setenv("POSTROAD_POSTGRES", postgres)
    with PostgresLedger(schema=name) as found:
        assert found.about == store.about
    monkeypatch.delenv("POSTROAD_POSTGRES")
    with pytest.raises(InputError) as caught:
        PostgresLedger(schema=name)
    assert caught.value.code == "PR-L502"


@pytest.mark.parametrize(
    "text",
    [
        "host=/nowhere dbname=post user=clerk password=sesame",
        "postgresql://clerk:sesame@127.0.0.1:1/post",
        "password=sesame nonsense",
        "host=127.0.0.1 sesame",
    ],
)
def test_a_database_that_cannot_be_reached_is_named_without_the_password(text):
    with pytest.raises((InputError, LedgerError)) as caught:
        PostgresLedger(text)
    assert caught.value.code == "PR-L503"
    shown = f"{caught.value} {caught.value.fix()} {caught.value.params} {caught.value.__cause__}"
    assert "sesame" not in shown
    assert caught.value.__suppress_context__


def test_a_schema_has_a_plain_name(postgres):
    with pytest.raises(InputError) as caught:
        PostgresLedger.create(postgres, schema='a"; DROP SCHEMA public; --')
    assert caught.value.code == "PR-L504"


def test_there_must_be_a_ledger_to_open(postgres, name):
    with pytest.raises(NotFound) as caught:
        PostgresLedger(postgres, schema=name)
    assert caught.value.code == "PR-L201"
    assert name in str(caught.value)
    assert "sesame" not in str(caught.value)


def test_without_the_extra_it_is_said_what_to_install():
    probe = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from postroad.core.errors import InputError\n"
        "try:\n    import postroad.ledger.postgres.store\n"
        "except InputError as error:\n    print(error.code, error.fix())"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout == "PR-L501 Install it: pip install postroad[postgres].\n"


def test_commits_wait_for_the_disk_even_where_the_database_would_not(postgres, store, database):
    database.execute("ALTER ROLE clerk SET synchronous_commit = off")
    try:
        store.close()
        found = store.query("SELECT current_setting('synchronous_commit') AS s, current_setting('TimeZone') AS z")
        assert found.rows() == [("on", "UTC")]
    finally:
        database.execute("ALTER ROLE clerk RESET synchronous_commit")
        store.close()


# -- tables


def test_migrations_are_applied_once_and_in_order(store, name, database):
    versions = database.execute("SELECT version, name FROM schema_versions ORDER BY 1").fetchall()
    assert versions == [(step.version, step.name) for step in migrations()]
    assert [step.version for step in migrations()] == list(range(1, len(migrations()) + 1))
    newer = (*migrations(), Migration(len(migrations()) + 1, "notes", "CREATE TABLE notes (note text)"))
    for _ in range(2):
        migrate(database, name, "here", newer)
    assert database.execute("SELECT max(version) FROM schema_versions").fetchone() == (newer[-1].version,)
    assert database.execute("SELECT count(*) FROM notes").fetchone() == (0,)


def test_newer_tables_are_refused(postgres, store, name, database):
    database.execute("INSERT INTO schema_versions (version, name) VALUES (99, 'tomorrow')")
    with pytest.raises(LedgerError) as caught:
        PostgresLedger(postgres, schema=name)
    assert caught.value.code == "PR-L505"
    assert "99" in str(caught.value)


def test_a_migration_that_fails_leaves_nothing(store, name, database):
    broken = (*migrations(), Migration(50, "broken", "CREATE TABLE half (a int); SELECT 1 / 0"))
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(database, name, "here", broken)
    assert database.execute("SELECT to_regclass('half')").fetchone() == (None,)
    assert database.execute("SELECT count(*) FROM schema_versions WHERE version = 50").fetchone() == (0,)


def test_many_make_the_same_ledger_at_once(postgres, name):
    def make(_):
        with PostgresLedger.create(postgres, schema=name, timezone="Asia/Shanghai") as made:
            return made.append(lives(3), now=NOW)[0].n_appended

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(make, range(8))) == 30


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM events",
        "UPDATE flows SET n_items = 0",
        "TRUNCATE items",
        "DELETE FROM event_ids",
        "DELETE FROM batches",
    ],
)
def test_tables_take_no_change(store, database, change):
    store.append(lives(1), now=NOW)
    with pytest.raises(psycopg.errors.RaiseException, match="never changed"):
        database.execute(change)


# -- partitions and look-ups


def test_events_lie_in_a_partition_a_day(store, database):
    rows = [make_event(number, "sorted", 1440 * number) for number in range(5)]
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda row: store.append(make_frame(row), now=NOW), rows))
    parts = database.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'events'::regclass")
    assert sorted(part for (part,) in parts) == [f"events_202511{day}" for day in range(11, 16)]
    assert database.execute("SELECT count(*) FROM ONLY events_20251113").fetchone() == (1,)


def test_a_day_that_was_taken_away_is_made_again(store, database):
    store.append(make_frame(make_event(1, "sorted")), now=NOW)
    database.execute("DROP TABLE events_20251111")
    store.append(make_frame(make_event(2, "sorted")), now=NOW)
    assert store.history(ITEM)["event_id"].to_list() == [make_id(2)]
    findings = store.verify()
    assert set(findings.counts) == {"PR-L508"}
    assert {finding.table for finding in findings} == {"events", "event_ids"}


def test_an_id_is_used_once_whatever_the_day(store):
    store.append(make_frame(make_event(1, "sorted")), now=NOW)
    receipt, findings = store.append(make_frame(make_event(1, "sorted", 3 * 1440)), now=NOW)
    assert (receipt.n_refused, findings.counts) == (1, {"PR-L115": 1})
    assert (len(store), store.history(ITEM).height) == (1, 1)


@pytest.mark.parametrize("subject", ["item", "unit", "trip", "facility"])
def test_a_history_is_read_by_one_index(store, database, subject):
    store.append(lives(), now=NOW)
    before = {"item": "", "unit": "item", "trip": "item unit", "facility": "item unit trip"}[subject].split()
    none = "".join(f" AND coalesce({other}_id, '') = ''" for other in before)
    database.execute("SET enable_seqscan = off")
    plan = database.execute(f"EXPLAIN SELECT * FROM events WHERE {subject}_id = 'x'{none}").fetchall()
    lines = [line.strip() for (line,) in plan]
    days = [line for line in lines if "Scan" in line and " on events_2025" in line]
    assert len(days) == 3  # the days on which something occurred
    assert lines.count(f"Index Cond: ({subject}_id = 'x'::text)") == 3
    assert not any(line.startswith("Filter") for line in lines)


# -- values


def test_what_postgresql_cannot_keep_is_refused_row_by_row(store):
    rows = [
        make_event(1, "sorted", reason="a\0b"),
        make_event(2, "sorted", raw={"code": "a\0", "text": None}),
        make_event(3, "sorted", related=[{"role": "to", "id": "\0"}]),
        make_event(4, "sorted", item_id="x" * 1001),
        make_event(5, "sorted", payload="\\u0000"),
        make_event(6, "sorted", item_id="x" * 1000, raw={"code": "\\u0000", "text": None}),
    ]
    table = make_frame(*rows).to_arrow()
    receipt, findings = store.append(table, now=NOW)
    assert receipt.frame()["status"].to_list() == ["refused"] * 4 + ["appended"] * 2
    assert [(finding.code, finding.column) for finding in findings] == [
        ("PR-L506", "item_id"),
        ("PR-L506", "related"),
        ("PR-L506", "reason"),
        ("PR-L506", "raw"),
    ]
    assert store.events("event_id = ?", (make_id(6).hex(),))["raw"].to_list() == [{"code": "\\u0000", "text": None}]


def test_instants_of_no_calendar_are_refused(store):
    table = make_frame(*[make_event(number, "sorted", label="simulated") for number in range(4)]).to_arrow()
    low, high = -62_135_596_800_000_000, 253_402_300_800_000_000
    micros = pa.array([low - 1, low, high - 1, high]).cast(pa.timestamp("us", tz="UTC"))
    receipt, findings = store.append(table.set_column(2, "occurred_at", micros), now=NOW)
    assert receipt.frame()["status"].to_list() == ["refused", "appended", "appended", "refused"]
    assert findings.counts == {"PR-L506": 2}
    assert store.history(ITEM)["occurred_at"].dt.year().to_list() == [1, 9999]


def test_a_record_that_cannot_be_kept_refuses_its_batch(store):
    with pytest.raises(InputError) as caught:
        store.append_items(pa.table({"item_id": ["a", "b\0"], "label": ["measured"] * 2}))
    assert [(finding.code, finding.row) for finding in caught.value.findings] == [("PR-L506", 3)]


def test_copied_bytes_are_what_the_driver_writes(store, database):
    """The kernel against the driver's own, row by row."""
    table = make_frame(*make_life()).to_arrow().select(["reason", "item_id"])
    rest = {name: pa.nulls(len(table), schema("events").field(name).type) for name in schema("events").names}
    whole = pa.table(rest | {name: table[name] for name in table.column_names}).select(schema("events").names)
    ours = b"".join(bytes(piece) for piece in copy_pieces(whole.cast(schema("events")), "events"))
    database.execute("CREATE TEMP TABLE copied AS SELECT * FROM events")
    with database.cursor().copy("COPY copied FROM STDIN (FORMAT binary)") as copy:
        copy.write(ours)
    with database.cursor().copy("COPY copied TO STDOUT (FORMAT binary)") as copy:
        theirs = b"".join(bytes(piece) for piece in copy)
    assert ours == theirs


def test_results_have_plain_types(store):
    sql = (
        "SELECT 7::numeric AS whole, 7.5::numeric AS part, sum(x) AS huge, '{a}'::text[] AS other, true AS yes,"
        " 1.5::float8 AS real, DATE '2025-11-11' AS day FROM (VALUES (1e20::numeric)) AS v (x)"
    )
    found = store.query(sql)
    assert [str(kind) for kind in found.dtypes[:3]] == ["Int64", "Float64", "Decimal(precision=38, scale=0)"]
    assert found.row(0)[3:6] == ("['a']", True, 1.5)


@pytest.mark.parametrize("sql", ["SELECT 1; SELECT 2", "DELETE FROM events", "CREATE TABLE x (a int)", "END; SELECT 1"])
def test_a_query_changes_nothing(store, sql):
    store.append(lives(1), now=NOW)
    with pytest.raises(InputError) as caught:
        store.query(sql)
    assert caught.value.code == "PR-L212"
    assert len(store) == store.events().height == 10


# -- what was acknowledged stays


def test_a_batch_that_was_not_confirmed_is_sent_again(store, database, monkeypatch):
    from postroad.ledger.postgres import appending

    def cut(table, stream):
        yield from copy_pieces(table, stream)
        database.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY events%'")

    with monkeypatch.context() as patch:
        patch.setattr(appending, "copy_pieces", cut)
        with pytest.raises(LedgerError) as caught:
            store.append(lives(), now=NOW)
    assert caught.value.code == "PR-L507"
    assert len(store) == store.events().height == 0
    assert store.append(lives(), now=NOW)[0].n_appended == 400
    assert len(store.verify()) == 0


def test_what_was_acknowledged_survives_a_crash():
    with running_postgres() as cluster:
        text = make_database(cluster.owner)
        with PostgresLedger.create(text) as store:
            for number in range(4):
                store.append(make_frame(*make_life(ITEMS[number], 1 + 10 * number)), now=NOW)
        cluster.crash()
        with pytest.raises(LedgerError) as caught:
            PostgresLedger(text)
        assert caught.value.code == "PR-L503"
        cluster.start()
        with PostgresLedger(text) as store:
            assert len(store.verify()) == 0
            assert store.events().sort("event_id").equals(lives(4).sort("event_id"))


def test_a_server_that_may_lose_data_is_told(store, database, monkeypatch):
    assert len(store.verify()) == 0
    from postroad.ledger.postgres import content

    monkeypatch.setattr(content, "DURABLE", ("log_duration",))  # a setting that is off
    assert store.verify().counts == {"PR-L509": 1}


# -- digests


def test_equal_content_has_an_equal_digest_in_whatever_order_it_came(postgres, store, name):
    frame = lives()
    order = np.random.default_rng(3).permutation(frame.height)
    with PostgresLedger.create(postgres, schema=f"{name}_other", epoch=START) as other:
        store.append(frame, now=NOW)
        for part in np.array_split(order, 7):
            other.append(frame[part], now=NOW)
        for one in (store, other):
            one.append_flows(make_flows())
        assert other.digest() == store.digest()
        other.append_flows(make_flows(5))
        assert other.digest() != store.digest()


def test_events_have_one_digest_in_a_folder_and_in_a_database(store, tmp_path):
    rest = {"related": [{"role": "to", "id": None}], "raw": {"code": "A", "text": None}, "follows": make_id(4)}
    frame = make_frame(*make_life(), make_event(99, "sorted", **rest), make_event(98, "sorted", related=[]))
    with Ledger.create(tmp_path / "ledger") as folder:
        for one in (folder, store):
            one.append(frame, now=NOW)
        digests = {
            digest_events([one.events().sort("event_id").to_arrow().cast(schema("events"))]) for one in (folder, store)
        }
    assert len(digests) == 1
