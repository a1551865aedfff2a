"""Segments: what the few-rows reader takes from a file is what the file holds."""

import random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.ledger import make_event, make_frame
from postroad.core.errors import InternalError, LedgerError
from postroad.events.columns import schema
from postroad.ledger import segments
from postroad.ledger.disk import Disk, Writing
from postroad.ledger.index import pack, unpack
from postroad.ledger.ordering import SUBJECT_COLUMNS
from postroad.ledger.reading import SegmentReader, rows_batch
from postroad.ledger.sealing import seal_events, seal_rows
from postroad.ledger.segments import complete

WRITING = Writing(Disk(), 1, 1 << 20)
TEXTS = ("", "a", "杭州", "x" * 300)


def make_rows(chance, n_rows, n_names):
    """Events whose columns hold all that they may: nulls, empty lists, missing roles, long texts, extreme instants."""

    def maybe(value):
        return value if chance.random() < 0.5 else None

    def pairs():
        roles = [(maybe("to"), maybe(chance.choice(TEXTS))) for _ in range(chance.randrange(4))]
        return [{"role": role, "id": name} for role, name in roles]

    rows = []
    for number in range(n_rows):
        row = make_event(number, chance.choice(["sorted", "departed", "arrived"]), chance.randrange(-(10**6), 10**6))
        row |= {name: maybe(f"{name[0]}{chance.randrange(n_names)}") for name in SUBJECT_COLUMNS}
        row["facility_id"] = row["facility_id"] or "f"
        row |= {name: maybe(chance.choice(TEXTS)) for name in ("operator_id", "party_id", "reason", "payload")}
        row |= {"related": maybe(pairs()), "follows": maybe(chance.randbytes(16))}
        row["raw"] = maybe({"code": maybe(chance.choice(TEXTS)), "text": maybe("袋" * chance.randrange(3))})
        rows.append(row)
    return rows


def make_table(rows):
    return complete(pa.Table.from_pylist(rows, schema("events")), "events")


def plain(table):
    """Rows as plain values: what lies within a null struct is not told apart from a struct of nulls."""
    rows = table.to_pylist()
    for row in rows:
        if row["raw"] == {"code": None, "text": None}:
            row["raw"] = None
    return rows


def seal(folder, table):
    (folder / "events").mkdir(parents=True, exist_ok=True)
    (segment,) = seal_events(folder, WRITING, 0, [table])
    return SegmentReader(folder, "events", segment)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 400), st.sampled_from([1, 3, 200]))
def test_rows_are_what_the_file_holds(tmp_path_factory, seed, n_rows, n_names):
    chance = random.Random(seed)
    reader = seal(tmp_path_factory.mktemp("ledger"), make_table(make_rows(chance, n_rows, n_names)))
    whole = complete(pq.read_table(reader.path), "events")
    first = chance.randrange(n_rows)
    count = chance.randrange(1, n_rows - first + 1)
    assert plain(rows_batch(reader.rows(first, count), "events")) == plain(whole.slice(first, count))
    assert reader.ids().tobytes() == b"".join(whole["event_id"].to_pylist())


def test_rows_are_found_over_many_pages_and_groups(tmp_path, monkeypatch):
    monkeypatch.setattr(segments, "GROUP_ROWS", 4096)
    rows = make_rows(random.Random(3), 10_000, 900)
    reader = seal(tmp_path, make_table(rows))
    whole = complete(pq.read_table(reader.path), "events")
    assert plain(rows_batch(reader.rows(0, len(rows)), "events")) == plain(whole)
    chosen = np.array([9999, 0, 4096, 4095])
    assert plain(reader.take(chosen)) == plain(whole.take(pa.array(chosen)))
    assert plain(reader.take(np.arange(len(rows))[::-1])) == plain(whole)[::-1]


def test_everything_is_found_by_what_it_is_about(tmp_path):
    rows = make_rows(random.Random(4), 3000, 40)
    reader = seal(tmp_path, make_table(rows))
    wanted = {}
    for row in rows:
        name = next(name for name in SUBJECT_COLUMNS if row[name])
        wanted.setdefault((SUBJECT_COLUMNS.index(name), row[name]), set()).add(row["event_id"])
    for (seed, name), ids in wanted.items():
        found = reader.about(name, seed)
        assert set(found["event_id"]) == ids
        assert found["occurred_at"] == sorted(found["occurred_at"])
    assert reader.about("i40", 0) is None
    assert reader.about("", 0) is None


def test_ids_are_found_and_no_others(tmp_path):
    reader = seal(tmp_path, make_table(make_rows(random.Random(5), 3000, 40)))
    words = reader.ids()
    wanted = np.concatenate([words, words + np.uint64(1 << 40)])
    known = np.full(len(wanted), -1, np.int64)
    reader.find_ids(wanted, np.arange(len(wanted)), known, 7 << 32)
    assert known[:3000].tolist() == [(7 << 32) + row for row in range(3000)]
    assert set(known[3000:].tolist()) == {-1}


def test_batches_of_other_encodings_and_fewer_columns_become_one_segment(tmp_path):
    rows = make_rows(random.Random(6), 300, 7)
    table = make_table(rows)
    coded = table.set_column(1, "kind", table["kind"].dictionary_encode())
    coded = coded.set_column(4, "item_id", coded["item_id"].dictionary_encode())
    bare = make_table([row | {"payload": None} for row in rows[200:]]).drop_columns(["payload"])
    (tmp_path / "events").mkdir()
    (mixed,) = seal_events(tmp_path, WRITING, 0, [coded.slice(0, 100), table.slice(100, 100), bare])
    whole = pa.concat_tables([table.slice(0, 200), complete(bare, "events")])
    (plain_one,) = seal_events(tmp_path, WRITING, 1, [whole])
    assert mixed.digest == plain_one.digest
    assert mixed.index_digest == plain_one.index_digest


def test_item_records_are_found_by_their_number(tmp_path):
    (tmp_path / "items").mkdir()
    names = [f"Z{number % 50:04}" for number in range(200)]
    table = pa.table({"item_id": names, "label": ["measured"] * 200, "product_id": [f"p{n}" for n in range(200)]})
    (segment,) = seal_rows(tmp_path, WRITING, "items", 0, table)
    found = SegmentReader(tmp_path, "items", segment).about("Z0007", 0)
    assert sorted(found["product_id"]) == ["p107", "p157", "p57", "p7"]
    assert found["accepted_at"] == [None] * 4


def test_pages_of_another_size_are_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(segments, "PAGE_ROWS", 100)
    with pytest.raises(InternalError) as caught:
        seal(tmp_path, make_table(make_rows(random.Random(7), 2000, 9)))
    assert caught.value.code == "PR-L403"


def test_a_damaged_index_is_not_followed(tmp_path):
    path = tmp_path / "one.index"
    content = bytearray(pack({"numbers": np.arange(100), "none": np.zeros((0, 2), np.int8)}))
    path.write_bytes(content)
    found = unpack(path)
    assert found["numbers"].tolist() == list(range(100))
    assert found["none"].shape == (0, 2)
    for place in (2, len(content) - 3):
        bad = bytearray(content)
        bad[place] ^= 1
        path.write_bytes(bad)
        with pytest.raises(LedgerError) as caught:
            unpack(path)
        assert caught.value.code == "PR-L213"


@pytest.mark.parametrize("column", ["raw", "related", "payload", "item_id", "occurred_at", "event_id", "party_id"])
def test_a_flipped_bit_in_any_column_is_noticed_when_it_is_read(tmp_path, column):
    rows = make_rows(random.Random(8), 900, 9)
    reader = seal(tmp_path, make_table(rows))
    metadata = pq.read_metadata(reader.path).row_group(0)
    chunks = [metadata.column(place) for place in range(metadata.num_columns)]
    chunk = next(chunk for chunk in chunks if chunk.path_in_schema.split(".")[0] == column)
    content = bytearray(reader.path.read_bytes())
    content[chunk.data_page_offset + chunk.total_compressed_size * 2 // 3] ^= 8
    reader.path.write_bytes(content)
    again = SegmentReader(tmp_path, "events", reader.segment)
    with pytest.raises(LedgerError) as caught:
        again.rows(0, 900)
    assert caught.value.code == "PR-L213"


def test_make_frame_keeps_the_schema():
    assert make_frame(make_event(1, "sorted")).to_arrow().column_names == schema("events").names
