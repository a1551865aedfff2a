"""The quick look passes a batch just when the slow one has nothing to say."""

import random
from datetime import timedelta

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit.ledger import NOW, make_event, make_frame, make_id
from postroad.events import check
from postroad.events.columns import conform
from postroad.events.kinds import LABELS, SUBJECTS, kinds

TEXTS = (None, "", "x", "杭州")


def make_rows(chance, n_rows):
    rows = []
    for number in range(n_rows):
        row = make_event(number, chance.choice(["accepted", "sorted", "delivered"]), chance.randrange(100))
        if chance.random() < 0.1:
            row["kind"] = chance.choice([*kinds(), "EMX", ""])
            row["follows"] = make_id(7) if chance.random() < 0.5 else None
            row |= {name: chance.choice(TEXTS) for name in ("reason", *(f"{subject}_id" for subject in SUBJECTS))}
            row["label"] = chance.choice([*LABELS, "guessed"])
            row["recorded_at"] += timedelta(minutes=chance.choice([-9, -4, 0, 4, 9, 10**6]))
        rows.append(row)
    return rows


def screened_ids(table):
    """The table as the looks take it: declared columns, ids of 16 bytes."""
    return check.screen_events(conform(table, "events")[0], NOW)[0].table


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6), st.integers(1, 30), st.integers(0, 3))
def test_both_looks_agree(monkeypatch, seed, n_rows, n_coded):
    chance = random.Random(seed)
    table = make_frame(*make_rows(chance, n_rows)).to_arrow()
    for name in chance.sample(["kind", "label", "item_id", "trip_id", "reason"], n_coded):
        place = table.column_names.index(name)
        table = table.set_column(place, name, table[name].dictionary_encode())
    table, _ = conform(table, "events")
    table = table.set_column(0, "event_id", table["event_id"].cast(pa.binary(16)))
    place = table.column_names.index("follows")
    table = table.set_column(place, "follows", table["follows"].cast(pa.binary(16)))
    quick = check.clean_kinds(table, NOW + check.CLOCK_TOLERANCE, check.CLOCK_TOLERANCE_MIN * 60)
    with monkeypatch.context() as patch:
        patch.setattr(check, "clean_kinds", lambda *_: None)
        screened, findings = check.screen_events(table, NOW)
    assert (quick is not None) == (len(findings) == 0 and bool(screened.is_kept.all()))
    if quick is not None:
        assert quick.tolist() == screened.kind_idx.tolist()


@pytest.mark.parametrize("start", [1, 7, 8, 9])
def test_a_slice_is_looked_at_from_its_own_beginning(start):
    rows = [make_event(number, "sorted", item_id=None if number % 2 else f"i{number}") for number in range(30)]
    for number in range(1, 30, 2):
        rows[number] |= {"kind": "cancelled", "trip_id": "T"}
    table = make_frame(*rows).to_arrow()
    coded = table.set_column(4, "item_id", table["item_id"].dictionary_encode())
    for whole in (table, coded):
        part = screened_ids(whole.slice(start))
        assert check.clean_kinds(part, NOW, 0) is not None


def test_a_dictionary_of_any_width_is_read():
    frame = make_frame(*[make_event(number, "sorted") for number in range(5)]).to_arrow()
    for width in (pa.int8(), pa.int16(), pa.int32()):
        coded = frame["kind"].dictionary_encode().cast(pa.dictionary(width, pa.string()))
        table = screened_ids(frame.set_column(1, "kind", coded))
        assert check.clean_kinds(table, NOW, 0) is not None
