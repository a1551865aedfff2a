"""Backups: the same content by digest, taken beside a writer, and again a ledger."""

import pytest

from kit.ledger import NOW, make_event, make_frame
from postroad.core.errors import InputError, LedgerError
from postroad.ledger.store import Ledger

BATCHES = [make_frame(*[make_event(10 * number + row, "sorted", number) for row in range(5)]) for number in range(30)]


def ids(ledger):
    return sorted(ledger.query("SELECT event_id FROM events")["event_id"].to_list())


def test_a_copy_taken_at_any_time_is_a_ledger_of_the_same_digest(tmp_path):
    seen = set()
    with Ledger.create(tmp_path / "ledger", segment_rows=20) as ledger:
        for number, batch in enumerate(BATCHES):
            ledger.append(batch, now=NOW)
            digest = ledger.backup(tmp_path / str(number))
            copy = Ledger(tmp_path / str(number))
            assert copy.digest() == digest
            assert len(ids(copy)) == 5 * (number + 1)
            assert not copy.verify().errors
            seen.add(digest)
    assert len(seen) == len(BATCHES)


def test_a_restored_ledger_goes_on(tmp_path):
    with Ledger.create(tmp_path / "ledger") as ledger:
        for batch in BATCHES[:4]:
            ledger.append(batch, now=NOW)
        ledger.seal()
        ledger.append(BATCHES[4], now=NOW)
        digest = ledger.backup(tmp_path / "copy")
    assert Ledger(tmp_path / "ledger").digest() == digest
    with Ledger(tmp_path / "copy") as copy:
        assert copy.append(BATCHES[4], now=NOW)[0].n_duplicate == 5
        assert copy.append(BATCHES[5], now=NOW)[0].n_appended == 5
        assert copy.digest() != digest
        assert not copy.verify().errors


def test_nothing_is_written_over(tmp_path):
    ledger = Ledger.create(tmp_path / "ledger")
    with pytest.raises(InputError) as caught:
        ledger.backup(tmp_path)
    assert caught.value.code == "PR-C030"


def test_a_ledger_with_a_missing_file_is_not_copied(tmp_path):
    with Ledger.create(tmp_path / "ledger") as ledger:
        ledger.append(BATCHES[0], now=NOW)
        ledger.seal()
    (ledger.folder / ledger.manifest.segments("events")[0].name).unlink()
    with pytest.raises(LedgerError) as caught:
        ledger.backup(tmp_path / "copy")
    assert caught.value.code == "PR-L203"
    assert not (tmp_path / "copy").exists()
