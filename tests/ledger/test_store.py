"""Appending and reading."""

import random

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.ledger import ITEM, NOW, START, make_event, make_frame, make_id, make_life
from postroad.core.errors import InputError, LedgerError, NotFound
from postroad.core.s10 import domestic_s10
from postroad.events.columns import schema
from postroad.events.envelope import order_events
from postroad.ledger import segments
from postroad.ledger.store import Ledger

ITEMS = domestic_s10(np.arange(40) * 977_131).tolist()


@pytest.fixture
def ledger(tmp_path):
    return Ledger.create(tmp_path / "ledger", timezone="Asia/Shanghai", epoch=START)


def lives(n_items=40):
    return make_frame(*[row for number in range(n_items) for row in make_life(ITEMS[number], 1 + 10 * number)])


def all_events(ledger):
    return ledger.query("SELECT * FROM events").sort("event_id")


def test_what_is_appended_is_read_back(ledger):
    frame = lives()
    receipt, findings = ledger.append(frame, now=NOW)
    assert (receipt.n_appended, receipt.n_duplicate, receipt.n_refused) == (400, 0, 0)
    assert len(findings) == 0
    assert len(ledger) == 400
    assert all_events(ledger).equals(frame.sort("event_id"))
    for number, item in enumerate(ITEMS):
        assert ledger.history(item).equals(make_frame(*make_life(item, 1 + 10 * number)))


def test_all_columns_are_kept(ledger):
    rest = {
        "unit_id": "B1",
        "trip_id": "T1",
        "operator_id": "O",
        "party_id": "P",
        "reason": "R",
        "related": [{"role": "to", "id": "URC"}, {"role": "unit", "id": "B1"}],
        "raw": {"code": "A", "text": "袋"},
        "payload": '{"a": 1}',
        "follows": make_id(9),
    }
    row = make_event(1, "sorted", **rest)
    ledger.append(make_frame(row, make_event(2, "sorted")), now=NOW)
    assert ledger.history(ITEM).to_dicts()[0] == row


def test_append_twice_is_append_once(ledger):
    ledger.append(lives(), now=NOW)
    before = ledger.manifest
    receipt, findings = ledger.append(lives(), now=NOW)
    assert (receipt.n_appended, receipt.n_duplicate) == (0, 400)
    assert len(findings) == 0
    assert ledger.manifest == before


def test_an_event_recorded_again_is_the_same_event(ledger):
    row = make_event(1, "accepted")
    ledger.append(make_frame(row), now=NOW)
    receipt, findings = ledger.append(make_frame(row | {"recorded_at": NOW}), now=NOW)
    assert receipt.frame()["status"].to_list() == ["duplicate"]
    assert len(findings) == 0
    assert ledger.history(ITEM)["recorded_at"].to_list() == [row["recorded_at"]]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("kind", "delivered"),
        ("item_id", ITEMS[1]),
        ("facility_id", None),
        ("reason", "why"),
        ("raw", {"code": "x", "text": None}),
        ("related", [{"role": "to", "id": "URC"}]),
        ("follows", make_id(3)),
    ],
)
def test_a_used_id_with_other_content_is_refused(ledger, column, value):
    row = make_event(1, "accepted")
    ledger.append(make_frame(row), now=NOW)
    other = row | {column: value}
    receipt, findings = ledger.append(make_frame(make_event(2, "sorted", 5), other, other), now=NOW)
    assert receipt.frame()["status"].to_list() == ["appended", "refused", "refused"]
    assert [(finding.code, finding.row) for finding in findings] == [("PR-L115", 3), ("PR-L115", 4)]
    assert next(iter(findings)).column == column
    assert all_events(ledger)["event_id"].to_list() == [make_id(1), make_id(2)]


def test_a_used_id_within_a_batch_is_refused(ledger):
    row = make_event(1, "accepted")
    frame = make_frame(row, row, row | {"kind": "delivered"})
    receipt, findings = ledger.append(frame, now=NOW)
    assert receipt.frame()["status"].to_list() == ["appended", "duplicate", "refused"]
    assert findings.counts == {"PR-L115": 1}
    assert ledger.history(ITEM)["kind"].to_list() == ["accepted"]


def test_one_bad_event_does_not_lose_the_batch(ledger):
    rows = [make_event(1, "accepted"), make_event(2, "accepted", item_id=None), make_event(3, "EMX", 60)]
    receipt, findings = ledger.append(make_frame(*rows), now=NOW)
    assert receipt.frame()["status"].to_list() == ["appended", "refused", "appended"]
    assert findings.counts == {"PR-L107": 1, "PR-L106": 1}
    assert ledger.history(ITEM)["kind"].to_list() == ["accepted", "unknown"]
    again, _ = ledger.append(make_frame(*rows), now=NOW)
    assert again.frame()["status"].to_list() == ["duplicate", "refused", "duplicate"]


def test_a_batch_of_nothing_leaves_the_ledger_as_it_was(ledger):
    before = ledger.manifest
    for frame in (make_frame(), make_frame(make_event(2, "accepted", item_id=None))):
        ledger.append(frame, now=NOW)
    assert ledger.manifest == before


def test_columns_that_cannot_be_read_refuse_the_batch(ledger):
    with pytest.raises(InputError) as caught:
        ledger.append(lives().with_columns(phone=pl.lit("1")), now=NOW)
    assert [finding.code for finding in caught.value.findings] == ["PR-L101"]
    assert len(ledger) == 0


def test_events_of_no_item_are_kept(ledger):
    rows = [make_event(1, "cancelled", item_id=None, trip_id="T1"), *make_life(first=10)]
    ledger.append(make_frame(*rows), now=NOW)
    assert ledger.events("trip_id = ?", ("T1",))["kind"].to_list() == ["cancelled"]
    assert ledger.history(ITEM).height == 10


@settings(max_examples=15)
@given(st.randoms(use_true_random=False), st.integers(1, 5))
def test_batches_in_any_order_and_overlapping_give_the_same_ledger(tmp_path_factory, chance, n_batches):
    frame = lives(6)
    ledger = Ledger.create(tmp_path_factory.mktemp("ledger"))
    for _ in range(n_batches):
        some = chance.sample(range(frame.height), chance.randint(1, frame.height))
        ledger.append(frame[some], now=NOW)
    ledger.append(frame[chance.sample(range(frame.height), frame.height)], now=NOW)
    assert all_events(ledger).equals(frame.sort("event_id"))
    assert ledger.history(ITEMS[2]).equals(make_frame(*make_life(ITEMS[2], 21)))
    assert len(ledger.verify()) == 0


def test_the_bytes_do_not_depend_on_threads_or_on_the_order_of_the_batch(tmp_path):
    frame = lives()
    shuffled = frame[random.Random(5).sample(range(frame.height), frame.height)]
    manifests = []
    for number, (threads, batch) in enumerate([(1, frame), (2, frame), (2, shuffled)]):
        ledger = Ledger.create(tmp_path / str(number), threads=threads, segment_rows=64)
        ledger.append(batch, now=NOW)
        manifests.append(ledger.manifest)
    assert manifests[0] == manifests[1] == manifests[2]
    assert len(manifests[0].segments("events")) == 7


def test_rows_stand_by_item(tmp_path, monkeypatch):
    monkeypatch.setattr(segments, "GROUP_ROWS", 32)
    ledger = Ledger.create(tmp_path / "ledger", segment_rows=150)
    ledger.append(lives(), now=NOW)
    stored = pl.concat([pl.read_parquet(ledger.folder / part.name) for part in ledger.manifest.segments("events")])
    assert stored["item_id"].is_sorted()
    assert stored.group_by("item_id", maintain_order=True).map_groups(order_events).equals(stored)
    for number, item in enumerate(ITEMS):
        assert ledger.history(item)["event_id"].to_list() == [make_id(1 + 10 * number + step) for step in range(10)]


def test_a_reader_sees_what_another_object_appends(ledger):
    reader = Ledger(ledger.folder)
    for number in range(3):
        ledger.append(make_frame(make_event(number, "sorted", number)), now=NOW)
        assert len(reader) == number + 1
        assert reader.history(ITEM).height == number + 1


def test_an_item_that_is_not_there_has_no_history(ledger):
    ledger.append(lives(3), now=NOW)
    found = ledger.history("ZA999999999CN")
    assert found.height == 0
    assert found.columns == schema("events").names
    assert ledger.item_records("ZA999999999CN").height == 0


RECORDS = {
    "item_id": ITEMS[:3],
    "product_id": ["express", None, "express"],
    "accepted_at": [START, None, START],
    "label": ["measured"] * 3,
}


def test_item_records_are_added_once(ledger):
    frame = pl.DataFrame(RECORDS, schema_overrides={"accepted_at": pl.Datetime("us", "UTC")})
    assert ledger.append_items(frame) is True
    assert ledger.append_items(frame[[2, 0, 1]]) is False
    assert ledger.query("SELECT item_id FROM items")["item_id"].to_list() == sorted(ITEMS[:3])
    assert ledger.item_records(ITEMS[2]).row(0, named=True)["accepted_at"] == START
    assert ledger.manifest.n_rows("items") == 3


def test_a_record_without_a_required_value_refuses_the_batch(ledger):
    frame = pl.DataFrame({"item_id": ["A", None], "label": ["measured"] * 2})
    with pytest.raises(InputError) as caught:
        ledger.append_items(frame)
    assert [(finding.code, finding.row) for finding in caught.value.findings] == [("PR-L116", 3)]


def flows(n_rows=4):
    numbers = {name: pl.Series([7] * n_rows, dtype=pl.Int32) for name in schema("flows").names if name.endswith("_min")}
    texts = {"origin_id": ["HGH"] * n_rows, "destination_id": ["URC"] * n_rows, "product_id": ["express"] * n_rows}
    rest = {"n_items": list(range(n_rows)), "outcome": ["delivered"] * n_rows, "n_attempts": [1] * n_rows}
    return pl.DataFrame(texts | numbers | rest)


def test_flows_are_added_once_and_queried(ledger):
    assert ledger.append_flows(flows()) is True
    assert ledger.append_flows(flows()) is False
    assert ledger.append_flows(flows(5)) is True
    total = ledger.query("SELECT sum(n_items) AS n FROM flows WHERE outcome = 'delivered'")
    assert total["n"].to_list() == [6 + 10]


def test_sums_are_whole_numbers(ledger):
    found = ledger.query("SELECT sum(x) AS n, sum(x)::HUGEINT * 1000000000000000000000000 AS m FROM (SELECT 7 AS x)")
    assert found["n"].dtype == pl.Int64
    assert found.rows() == [(7, 7 * 10**24)]


def test_flows_need_an_epoch(tmp_path):
    with pytest.raises(LedgerError) as caught:
        Ledger.create(tmp_path / "ledger").append_flows(flows())
    assert caught.value.code == "PR-L210"


def test_queries_join_the_closed_list(ledger):
    ledger.append(lives(2), now=NOW)
    found = ledger.query("SELECT emsevt, count(*) AS n FROM events JOIN kinds USING (kind) GROUP BY 1 ORDER BY 1")
    assert dict(found.rows())["EMI"] == 2


@pytest.mark.parametrize(
    "sql",
    ["SELECT * FROM nothing", "SELEC 1", "SELECT * FROM read_text('/etc/hostname')", "COPY kinds TO 'kinds.csv'"],
)
def test_a_query_that_cannot_run_says_why(ledger, sql):
    with pytest.raises(InputError) as caught:
        ledger.query(sql)
    assert caught.value.code == "PR-L212"


def test_a_ledger_is_made_once(ledger):
    again = Ledger.create(ledger.folder, timezone="Asia/Shanghai", epoch=START)
    assert again.about == ledger.about
    with pytest.raises(LedgerError) as caught:
        Ledger.create(ledger.folder, timezone="UTC", epoch=START)
    assert caught.value.code == "PR-L214"
    assert "Asia/Shanghai" in str(caught.value)


def test_there_must_be_a_ledger_to_open(tmp_path):
    with pytest.raises(NotFound) as caught:
        Ledger(tmp_path)
    assert caught.value.code == "PR-L201"


def test_a_dictionary_may_name_an_item_twice(tmp_path):
    table = make_frame(*[make_event(number, "sorted", -number) for number in range(4)]).to_arrow()
    coded = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0, 1]), pa.array([ITEM, ITEM]))
    ledger = Ledger.create(tmp_path / "ledger")
    ledger.append(table.set_column(table.column_names.index("item_id"), "item_id", coded), now=NOW)
    ledger.seal()
    assert ledger.query("SELECT event_id FROM events")["event_id"].to_list() == [make_id(n) for n in (3, 2, 1, 0)]
