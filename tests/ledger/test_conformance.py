"""What every store of a ledger has to do: the same tests for a folder and for PostgreSQL."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.ledger import ITEM, NOW, START, make_event, make_frame, make_id, make_life
from kit.stores import ITEMS, FolderStores, PostgresStores, make_flows
from postroad.core.errors import InputError, LedgerError
from postroad.events.columns import schema
from postroad.events.envelope import order_events
from postroad.ledger import fold_item

SETTINGS = {"timezone": "Asia/Shanghai", "epoch": START}


@pytest.fixture(scope="module", params=["folder", "postgres"])
def stores(request, tmp_path_factory):
    if request.param == "folder":
        made = FolderStores(tmp_path_factory.mktemp("stores"))
    else:
        made = PostgresStores(request.getfixturevalue("postgres"))
    yield made
    made.close()


@pytest.fixture
def store(stores):
    with stores.create(**SETTINGS) as made:
        yield made


def lives(n_items=40):
    return make_frame(*[row for number in range(n_items) for row in make_life(ITEMS[number], 1 + 10 * number)])


def all_events(store):
    return store.events().sort("event_id")


def statuses(answer):
    return answer[0].frame()["status"].to_list()


# -- appending


def test_what_is_appended_is_read_back(store):
    frame = lives()
    receipt, findings = store.append(frame, now=NOW)
    assert (receipt.n_appended, receipt.n_duplicate, receipt.n_refused) == (400, 0, 0)
    assert len(findings) == 0
    assert len(store) == 400
    assert all_events(store).equals(frame.sort("event_id"))
    for number, item in enumerate(ITEMS[:10]):
        assert store.history(item).equals(make_frame(*make_life(item, 1 + 10 * number)))


def test_all_columns_are_kept(store):
    rest = {
        "unit_id": "B1",
        "trip_id": "T1",
        "operator_id": "O",
        "party_id": "P",
        "reason": 'R "quoted"\n',
        "related": [{"role": "to", "id": "URC"}, {"role": "unit", "id": None}],
        "raw": {"code": None, "text": "袋 \\ 📦"},
        "payload": '{"a": 1}',
        "follows": make_id(9),
    }
    rows = [make_event(1, "sorted", **rest), make_event(2, "sorted"), make_event(3, "sorted", related=[])]
    store.append(make_frame(*rows), now=NOW)
    assert store.history(ITEM).sort("event_id").to_dicts() == rows


def test_texts_may_be_coded_large_or_left_out(store):
    table = make_frame(*make_life()).to_arrow()
    names = ["event_id", "kind", "occurred_at", "recorded_at", "item_id", "facility_id", "label"]
    table = table.select(names)
    table = table.set_column(1, "kind", table["kind"].combine_chunks().dictionary_encode())
    table = table.set_column(4, "item_id", table["item_id"].cast(pa.large_string()))
    store.append(table, now=NOW)
    expected = make_frame(*make_life()).with_columns(reason=pl.lit(None, pl.String))
    assert store.history(ITEM).equals(expected)


def test_instants_are_kept_to_the_microsecond(store):
    row = make_event(1, "sorted", 1 / 60_000_000)
    assert row["occurred_at"] - START == timedelta(microseconds=1)
    store.append(make_frame(row, make_event(2, "accepted", -1_000_000)), now=NOW)
    assert store.history(ITEM)["occurred_at"].to_list() == [START - timedelta(minutes=1_000_000), row["occurred_at"]]


def test_a_batch_of_nothing_adds_nothing(store):
    for frame in (make_frame(), make_frame(make_event(2, "accepted", item_id=None))):
        store.append(frame, now=NOW)
    assert len(store) == 0


def test_columns_that_cannot_be_read_refuse_the_batch(store):
    with pytest.raises(InputError) as caught:
        store.append(lives(1).with_columns(phone=pl.lit("1")), now=NOW)
    assert [finding.code for finding in caught.value.findings] == ["PR-L101"]
    assert len(store) == 0


def test_one_bad_event_does_not_lose_the_batch(store):
    rows = [make_event(1, "accepted"), make_event(2, "accepted", item_id=None), make_event(3, "EMX", 60)]
    answer = store.append(make_frame(*rows), now=NOW)
    assert statuses(answer) == ["appended", "refused", "appended"]
    assert answer[1].counts == {"PR-L107": 1, "PR-L106": 1}
    assert store.history(ITEM)["kind"].to_list() == ["accepted", "unknown"]
    assert store.history(ITEM)["raw"].to_list() == [None, {"code": "EMX", "text": None}]
    assert statuses(store.append(make_frame(*rows), now=NOW)) == ["duplicate", "refused", "duplicate"]


# -- duplicates and clashes


def test_append_twice_is_append_once(store):
    store.append(lives(), now=NOW)
    before = store.digest()
    receipt, findings = store.append(lives(), now=NOW)
    assert (receipt.n_appended, receipt.n_duplicate) == (0, 400)
    assert len(findings) == 0
    assert (len(store), store.digest()) == (400, before)


def test_an_event_recorded_again_is_the_same_event(store):
    row = make_event(1, "accepted")
    store.append(make_frame(row), now=NOW)
    answer = store.append(make_frame(row | {"recorded_at": NOW}), now=NOW)
    assert statuses(answer) == ["duplicate"]
    assert store.history(ITEM)["recorded_at"].to_list() == [row["recorded_at"]]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("kind", "delivered"),
        ("occurred_at", START - timedelta(days=3)),
        ("item_id", ITEMS[1]),
        ("facility_id", None),
        ("reason", "why"),
        ("raw", {"code": "x", "text": None}),
        ("related", [{"role": "to", "id": "URC"}]),
        ("follows", make_id(3)),
        ("payload", "{}"),
    ],
)
def test_a_used_id_with_other_content_is_refused(store, column, value):
    row = make_event(1, "accepted")
    store.append(make_frame(row), now=NOW)
    other = row | {column: value}
    answer = store.append(make_frame(make_event(2, "sorted", 5), other, row, other), now=NOW)
    assert statuses(answer) == ["appended", "refused", "duplicate", "refused"]
    found = [(finding.code, finding.row, finding.column) for finding in answer[1]]
    assert found == [("PR-L115", 3, column), ("PR-L115", 5, column)]
    assert all_events(store)["event_id"].to_list() == [make_id(1), make_id(2)]


def test_a_used_id_within_a_batch_is_refused(store):
    row = make_event(1, "accepted")
    answer = store.append(make_frame(row, row, row | {"kind": "delivered"}), now=NOW)
    assert statuses(answer) == ["appended", "duplicate", "refused"]
    assert answer[1].counts == {"PR-L115": 1}
    assert store.history(ITEM)["kind"].to_list() == ["accepted"]


# -- order, lateness, corrections


def test_late_events_stand_where_they_occurred(store):
    life = make_life()
    for row in random.Random(3).sample(life, len(life)):
        store.append(make_frame(row), now=NOW)
    assert store.history(ITEM).equals(make_frame(*life))
    years_late = make_event(99, "announced", -3 * 365 * 1440, recorded_at=NOW)
    store.append(make_frame(years_late), now=NOW)
    assert store.history(ITEM)["event_id"].to_list()[0] == make_id(99)


def test_events_of_one_instant_stand_by_causal_rank_then_id(store):
    rows = [make_event(4, "delivered"), make_event(3, "accepted"), make_event(2, "sorted"), make_event(1, "sorted")]
    store.append(make_frame(*rows), now=NOW)
    assert store.history(ITEM).equals(order_events(make_frame(*rows)))
    assert store.history(ITEM)["event_id"].to_list() == [make_id(number) for number in (3, 1, 2, 4)]


def test_a_correction_is_an_event_and_edits_nothing(store):
    store.append(make_frame(make_event(1, "accepted"), make_event(2, "delivered", 60)), now=NOW)
    store.append(make_frame(make_event(3, "correction", 90, follows=make_id(2))), now=NOW)
    history = store.history(ITEM)
    assert history["kind"].to_list() == ["accepted", "delivered", "correction"]
    assert fold_item(history).state == "accepted"
    lacking = store.append(make_frame(make_event(4, "correction", 91)), now=NOW)
    assert (statuses(lacking), lacking[1].counts) == (["refused"], {"PR-L111": 1})


def test_a_number_used_again_has_both_records(store):
    year = timedelta(days=400)
    records = {"item_id": [ITEM, ITEM, "other"], "accepted_at": [START + year, START, None], "label": ["measured"] * 3}
    frame = pl.DataFrame(records, schema_overrides={"accepted_at": pl.Datetime("us", "UTC")})
    assert store.append_items(frame) is True
    store.append(make_frame(make_event(1, "accepted"), make_event(2, "accepted", 400 * 1440)), now=NOW + year)
    assert store.item_records(ITEM)["accepted_at"].to_list() == [START, START + year]
    assert store.history(ITEM)["occurred_at"].to_list() == [START, START + year]
    assert store.item_records("nobody").height == store.history("nobody").height == 0
    assert store.history("nobody").columns == schema("events").names


# -- what events are about


def test_events_are_about_an_item_else_a_unit_a_trip_a_facility(store):
    rows = [
        make_event(1, "bagged", 1, unit_id="B1", trip_id="T1"),
        make_event(2, "arrived", 2, item_id=None, unit_id="B1", trip_id="T1"),
        make_event(3, "departed", 3, item_id="", unit_id="B1"),
        make_event(4, "departed", 4, item_id=None, trip_id="T1"),
        make_event(5, "departed", 5, item_id=None, unit_id="", trip_id="T1"),
        make_event(6, "closed", 6, item_id=None),
    ]
    assert statuses(store.append(make_frame(*rows), now=NOW)) == ["appended"] * 6
    found = {
        (subject, name): [int.from_bytes(one) for one in store.events_about(name, subject)["event_id"]]
        for subject, name in (("item", ITEM), ("unit", "B1"), ("trip", "T1"), ("facility", "HGH"), ("facility", "URC"))
    }
    assert found == {
        ("item", ITEM): [1],
        ("unit", "B1"): [2, 3],
        ("trip", "T1"): [4, 5],
        ("facility", "HGH"): [6],
        ("facility", "URC"): [],
    }


# -- items and flows


def test_item_records_are_added_once(store):
    records = {"item_id": ITEMS[:3], "accepted_at": [START, None, START], "label": ["measured"] * 3}
    frame = pl.DataFrame(records, schema_overrides={"accepted_at": pl.Datetime("us", "UTC")})
    assert store.append_items(frame) is True
    assert store.append_items(frame[[2, 0, 1]]) is False
    assert store.query("SELECT item_id FROM items ORDER BY 1")["item_id"].to_list() == sorted(ITEMS[:3])
    assert store.item_records(ITEMS[2]).row(0, named=True)["accepted_at"] == START


def test_a_record_without_a_required_value_refuses_the_batch(store):
    with pytest.raises(InputError) as caught:
        store.append_items(pl.DataFrame({"item_id": ["A", None], "label": ["measured"] * 2}))
    assert [(finding.code, finding.row) for finding in caught.value.findings] == [("PR-L116", 3)]
    assert store.query("SELECT count(*) AS n FROM items")["n"].to_list() == [0]


def test_flows_are_added_once_and_queried(store):
    assert store.append_flows(make_flows()) is True
    assert store.append_flows(make_flows()) is False
    assert store.append_flows(make_flows(5)) is True
    total = store.query("SELECT sum(n_items) AS n, max(ended_min) AS m FROM flows WHERE outcome = 'delivered'")
    assert total.rows() == [(6 + 10, 7)]


def test_flows_need_an_epoch(stores):
    with pytest.raises(LedgerError) as caught:
        stores.create().append_flows(make_flows())
    assert caught.value.code == "PR-L210"


# -- queries


def test_queries_see_events_items_flows_and_kinds(store):
    store.append(lives(2), now=NOW)
    store.append_items(pl.DataFrame({"item_id": ITEMS[:1], "label": ["measured"]}))
    store.append_flows(make_flows())
    found = store.query("SELECT emsevt, count(*) AS n FROM events JOIN kinds USING (kind) GROUP BY 1 ORDER BY 1")
    assert dict(found.rows())["EMI"] == 2
    assert found.schema == {"emsevt": pl.String, "n": pl.Int64}
    joined = store.query("SELECT count(*) AS n FROM events JOIN items USING (item_id)")
    assert joined["n"].to_list() == [10]
    one = store.query(
        "SELECT event_id, occurred_at, reason FROM events WHERE item_id = ? AND kind = ?", (ITEMS[0], "sorted")
    )
    assert one.schema == {"event_id": pl.Binary, "occurred_at": pl.Datetime("us", "UTC"), "reason": pl.String}
    assert set(one["event_id"]) == {make_id(3), make_id(6)}


def test_events_by_a_condition(store):
    rows = [make_event(1, "cancelled", item_id=None, trip_id="T1"), *make_life(first=10)]
    store.append(make_frame(*rows), now=NOW)
    assert store.events("trip_id = ?", ("T1",)).equals(make_frame(rows[0]))
    assert store.events("occurred_at < ? OR kind = ?", (START + timedelta(hours=1), "delivered")).height == 3
    assert store.events(limit=4).height == 4


@pytest.mark.parametrize("sql", ["SELECT * FROM nothing", "SELEC 1", "COPY kinds TO 'kinds.csv'", "SELECT ?"])
def test_a_query_that_cannot_run_says_why(store, sql):
    with pytest.raises(InputError) as caught:
        store.query(sql)
    assert caught.value.code == "PR-L212"
    assert store.query("SELECT 1 AS one")["one"].to_list() == [1]


# -- opening, many writers


def test_a_ledger_is_made_once_and_opened_again(stores, store):
    assert stores.again(store, **SETTINGS).about == store.about
    with pytest.raises(LedgerError) as caught:
        stores.again(store, timezone="UTC", epoch=START)
    assert caught.value.code == "PR-L214"
    assert "Asia/Shanghai" in str(caught.value)
    store.append(lives(3), now=NOW)
    again = stores.open(store)
    assert (again.about, len(again), again.digest()) == (store.about, 30, store.digest())
    assert all_events(again).equals(lives(3).sort("event_id"))
    assert len(again.verify()) == 0


def test_a_reader_sees_what_another_object_appends(stores, store):
    reader = stores.open(store)
    for number in range(3):
        store.append(make_frame(make_event(number, "sorted", number)), now=NOW)
        assert len(reader) == number + 1
        assert reader.history(ITEM).height == number + 1


def test_a_closed_store_works_on(store):
    store.append(lives(1), now=NOW)
    store.close()
    assert len(store) == 10
    assert store.append(lives(2), now=NOW)[0].n_appended == 10


def test_many_writers_with_the_same_events_keep_each_once(store):
    frame = lives()
    chance = random.Random(11)
    batches = [frame[chance.sample(range(frame.height), 150)] for _ in range(24)]
    with ThreadPoolExecutor(8) as pool:
        receipts = [receipt for receipt, _ in pool.map(lambda batch: store.append(batch, now=NOW), batches)]
    sent = pl.concat(batches).unique("event_id").sort("event_id")
    assert sum(one.n_appended for one in receipts) == sent.height
    assert sum(one.n_refused for one in receipts) == 0
    assert all_events(store).equals(sent)
    assert len(store) == sent.height
    assert len(store.verify()) == 0


def test_writers_that_disagree_about_an_event_leave_one_of_it(store):
    rows = [make_event(1, "sorted", number) for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda row: store.append(make_frame(row), now=NOW), rows))
    kept = [row for row, answer in zip(rows, answers, strict=True) if answer[0].n_appended]
    assert store.history(ITEM).to_dicts() == kept
    assert sum(answer[1].counts.get("PR-L115", 0) for answer in answers) == 15


@settings(max_examples=12)
@given(st.randoms(use_true_random=False), st.integers(1, 5))
def test_batches_in_any_order_and_overlapping_give_the_same_ledger(stores, chance, n_batches):
    frame = lives(6)
    with stores.create() as store:
        for _ in range(n_batches):
            some = chance.sample(range(frame.height), chance.randint(1, frame.height))
            store.append(frame[some], now=NOW)
        store.append(frame[chance.sample(range(frame.height), frame.height)], now=NOW)
        assert all_events(store).equals(frame.sort("event_id"))
        assert len(store.verify()) == 0


@settings(max_examples=15)
@given(st.randoms(use_true_random=False))
def test_every_store_says_the_same_of_the_same_batches(stores, tmp_path_factory, chance):
    """Rows of few ids and few contents, so that nearly all repeat or clash, against the folder."""
    plain = FolderStores(tmp_path_factory.mktemp("oracle"))
    with stores.create() as store, plain.create() as oracle:
        for _ in range(4):
            rows = [
                make_event(
                    chance.randint(1, 12),
                    chance.choice(["sorted", "arrived", "EMX", "correction"]),
                    chance.choice([0, 5000]),
                    item_id=chance.choice([ITEM, ITEMS[3], None]),
                    trip_id=chance.choice(["T1", None]),
                )
                for _ in range(chance.randint(1, 20))
            ]
            ours, theirs = (one.append(make_frame(*rows), now=NOW) for one in (store, oracle))
            assert statuses(ours) == statuses(theirs)
            assert list(ours[1]) == list(theirs[1])
        assert all_events(store).equals(all_events(oracle))
