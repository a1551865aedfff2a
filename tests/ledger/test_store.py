"""What is the folder's own. What every store does: test_conformance."""

import random

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from kit.ledger import ITEM, NOW, START, make_event, make_frame, make_id, make_life
from postroad.core.errors import InputError, NotFound
from postroad.core.s10 import domestic_s10
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


def test_append_twice_is_append_once(ledger):
    ledger.append(lives(), now=NOW)
    before = ledger.manifest
    receipt, findings = ledger.append(lives(), now=NOW)
    assert (receipt.n_appended, receipt.n_duplicate) == (0, 400)
    assert len(findings) == 0
    assert ledger.manifest == before


def test_a_batch_of_nothing_leaves_the_ledger_as_it_was(ledger):
    before = ledger.manifest
    for frame in (make_frame(), make_frame(make_event(2, "accepted", item_id=None))):
        ledger.append(frame, now=NOW)
    assert ledger.manifest == before


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


def test_sums_are_whole_numbers(ledger):
    found = ledger.query("SELECT sum(x) AS n, sum(x)::HUGEINT * 1000000000000000000000000 AS m FROM (SELECT 7 AS x)")
    assert found["n"].dtype == pl.Int64
    assert found.rows() == [(7, 7 * 10**24)]


@pytest.mark.parametrize(
    "sql",
    ["SELECT * FROM nothing", "SELEC 1", "SELECT * FROM read_text('/etc/hostname')", "COPY kinds TO 'kinds.csv'"],
)
def test_a_query_that_cannot_run_says_why(ledger, sql):
    with pytest.raises(InputError) as caught:
        ledger.query(sql)
    assert caught.value.code == "PR-L212"


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
