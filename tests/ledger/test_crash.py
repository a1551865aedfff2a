"""What an interrupted or damaged ledger does: nothing half-visible, and what is broken is named."""

import json
import random
from collections import Counter
from datetime import timedelta

import pytest

from kit.disk import FullDisk, RecordingDisk, after_power_loss
from kit.ledger import ITEM, NOW, make_event, make_frame, make_life
from postroad.core.digests import digest_mapping
from postroad.core.errors import LedgerError
from postroad.ledger.disk import writer_lock
from postroad.ledger.log import list_logs, log_path
from postroad.ledger.manifest import MANIFEST_NAME
from postroad.ledger.store import Ledger

FRAME = make_frame(*make_life())
MORE = make_frame(*make_life(first=100))
BATCHES = [make_frame(*[make_event(10 * number + row, "sorted", number) for row in range(5)]) for number in range(30)]


@pytest.fixture
def ledger(tmp_path):
    """A ledger with one sealed segment."""
    with Ledger.create(tmp_path / "ledger") as made:
        made.append(FRAME, now=NOW)
        made.seal()
        made.append_items(make_items())
    return Ledger(tmp_path / "ledger")


@pytest.fixture
def logged(tmp_path):
    """A ledger whose events are in the log, in three frames."""
    with Ledger.create(tmp_path / "ledger") as made:
        for number in range(3):
            made.append(BATCHES[number], now=NOW)
    return Ledger(tmp_path / "ledger")


def make_items():
    return make_frame(make_event(1, "accepted")).select("item_id", "label")


def all_ids(ledger):
    return Counter(ledger.query("SELECT event_id FROM events")["event_id"].to_list())


def ids_of(batches):
    return {name for batch in batches for name in batch["event_id"].to_list()}


def work(folder, disk):
    """Append in three sittings, with segments of ten events; every acknowledgement is noted."""
    Ledger.create(folder, segment_rows=10, disk=disk)
    for sitting in range(3):
        with Ledger(folder, segment_rows=10, disk=disk, threads=1) as ledger:
            for number in range(5 * sitting, 5 * sitting + 5):
                ledger.append(BATCHES[number], now=NOW)
                disk.note(number)
            if sitting == 1:
                ledger.seal()
        disk.note("closed")


def check_after(folder, acknowledged, n_sent):
    """Nothing acknowledged is lost, nothing is doubled, the ledger opens by itself, and goes on."""
    with Ledger(folder, segment_rows=10) as ledger:
        found = all_ids(ledger)
        assert not ids_of(BATCHES[number] for number in acknowledged) - set(found)
        assert set(found) <= ids_of(BATCHES[:n_sent])
        for number in range(15):
            receipt, _ = ledger.append(BATCHES[number], now=NOW)
            assert receipt.n_refused == 0
        assert sorted(all_ids(ledger).elements()) == sorted(ids_of(BATCHES[:15]))
        assert not ledger.verify().errors
        ledger.seal()
        assert sorted(all_ids(ledger).elements()) == sorted(ids_of(BATCHES[:15]))
    assert not Ledger(folder).verify().errors


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work") / "ledger"
    disk = RecordingDisk(folder)
    work(folder, disk)
    return disk.calls


def first_made(calls):
    """The call after which there is a ledger for certain."""
    names = [call[:2] for call in calls]
    return names.index(("sync_folder", "."), names.index(("rename", ".manifest.json.draft"))) + 1


@pytest.mark.parametrize("part", range(8))
def test_a_loss_of_power_at_any_write_loses_nothing_acknowledged(calls, tmp_path, part):
    for cut in range(first_made(calls) + part, len(calls) + 1, 8):
        folder = tmp_path / str(cut)
        after_power_loss(calls[:cut], folder)
        notes = [call[1] for call in calls[:cut] if call[0] == "note" and call[1] != "closed"]
        check_after(folder, notes, len(notes) + 1)


@pytest.mark.parametrize("part", range(8))
def test_what_was_not_synced_may_have_reached_the_disk_in_any_part(calls, tmp_path, part):
    print(f"seed {part}")
    chance = random.Random(part)
    for number in range(25):
        cut = chance.randrange(first_made(calls), len(calls) + 1)
        folder = tmp_path / str(number)
        after_power_loss(calls[:cut], folder, chance)
        notes = [call[1] for call in calls[:cut] if call[0] == "note" and call[1] != "closed"]
        check_after(folder, notes, len(notes) + 1)


@pytest.mark.parametrize("n_calls", range(0, 120, 3))
def test_a_full_disk_loses_nothing_acknowledged(tmp_path, n_calls):
    folder = tmp_path / "ledger"
    Ledger.create(folder)
    ledger = Ledger(folder, segment_rows=10, disk=FullDisk(n_calls), threads=1)
    acknowledged = []
    for number in range(15):
        try:
            ledger.append(BATCHES[number], now=NOW)
            acknowledged.append(number)
        except LedgerError as error:
            assert error.code == "PR-L211"
    assert ids_of(BATCHES[number] for number in acknowledged) <= set(all_ids(Ledger(folder)))
    try:
        ledger.close()
    except LedgerError as error:
        assert error.code == "PR-L211"
    check_after(folder, acknowledged, 15)


def test_a_disk_that_has_room_again_is_used_again(tmp_path):
    Ledger.create(tmp_path / "ledger")
    disk = FullDisk(1000)
    with Ledger(tmp_path / "ledger", disk=disk) as ledger:
        ledger.append(BATCHES[0], now=NOW)
        disk.left = 0
        for number in (0, 1, 1):
            if number == 0:
                assert ledger.append(BATCHES[number], now=NOW)[0].n_duplicate == 5
                continue
            with pytest.raises(LedgerError) as caught:
                ledger.append(BATCHES[number], now=NOW)
            assert caught.value.code == "PR-L211"
        disk.left = 1000
        assert ledger.append(BATCHES[1], now=NOW)[0].n_appended == 5
        assert all_ids(ledger) == dict.fromkeys(ids_of(BATCHES[:2]), 1)


def test_a_clock_that_jumps_back_changes_nothing(tmp_path):
    with Ledger.create(tmp_path / "ledger", segment_rows=10) as ledger:
        for number in range(6):
            ledger.append(BATCHES[number], now=NOW - timedelta(days=100 * (number % 2)))
        found = all_ids(ledger)
    early = ids_of(BATCHES[0:6:2])
    assert early <= set(found)
    assert set(found.values()) == {1}


def test_a_torn_last_write_is_cut_off(logged):
    path = log_path(logged.folder, list_logs(logged.folder)[0])
    whole = path.read_bytes()
    (logged.folder / "log" / "durable").unlink()
    for size in range(len(whole) - 200, len(whole), 13):
        path.write_bytes(whole[:size])
        with Ledger(logged.folder) as ledger:
            assert all_ids(ledger) == dict.fromkeys(ids_of(BATCHES[:2]), 1)
            assert ledger.append(BATCHES[2], now=NOW)[0].n_appended == 5
        for number in list_logs(logged.folder):
            log_path(logged.folder, number).unlink()
        (logged.folder / "log" / "durable").unlink()


@pytest.mark.parametrize("share", [0.001, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999])
def test_a_flipped_byte_in_the_log_is_found_and_located(logged, share):
    path = log_path(logged.folder, list_logs(logged.folder)[0])
    content = bytearray(path.read_bytes())
    content[int(len(content) * share)] ^= 16
    path.write_bytes(content)
    findings = Ledger(logged.folder).verify()
    assert findings.counts == {"PR-L216": 1}
    assert next(iter(findings)).params["number"] == 1 + int(3 * share)
    with pytest.raises(LedgerError) as caught:
        Ledger(logged.folder).append(BATCHES[5], now=NOW)
    assert caught.value.code == "PR-L216"
    assert path.read_bytes() == content


def test_left_over_and_half_written_files_are_never_read(ledger):
    whole = (ledger.folder / ledger.manifest.segments("events")[0].name).read_bytes()
    names = ("events/00000001-deadbeef.parquet", "events/.00000001-deadbeef.parquet.draft", ".manifest.json.draft")
    for name in names:
        (ledger.folder / name).write_bytes(whole[: len(whole) // 2])
    opened = Ledger(ledger.folder)
    assert opened.history(ITEM).equals(FRAME)
    findings = opened.verify()
    assert findings.counts == {"PR-L208": 2}
    assert not findings.errors
    with opened:
        opened.append(MORE, now=NOW)
        opened.seal()
    assert opened.history(ITEM).height == 20
    assert opened.verify().counts == {"PR-L208": 2}


def segment_of(ledger):
    return ledger.folder / ledger.manifest.segments("events")[0].name


def assert_refused(ledger, code, text):
    with pytest.raises(LedgerError) as caught:
        Ledger(ledger.folder)
    assert [finding.code for finding in caught.value.findings] == [code]
    assert text in caught.value.findings[0].message()


def test_a_missing_segment_is_named(ledger):
    segment_of(ledger).unlink()
    assert_refused(ledger, "PR-L203", segment_of(ledger).name)
    assert ledger.verify().counts == {"PR-L203": 1}
    with pytest.raises(LedgerError) as caught:
        ledger.history(ITEM)
    assert caught.value.code == "PR-L203"


def test_a_torn_segment_is_named(ledger):
    content = segment_of(ledger).read_bytes()
    segment_of(ledger).write_bytes(content[:-100])
    assert_refused(ledger, "PR-L204", segment_of(ledger).name)
    assert ledger.verify().counts == {"PR-L204": 1}
    with pytest.raises(LedgerError) as caught:
        ledger.history(ITEM)
    assert caught.value.code == "PR-L213"


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9])
def test_a_flipped_bit_is_found_wherever_it_is(ledger, share):
    content = bytearray(segment_of(ledger).read_bytes())
    content[int(len(content) * share)] ^= 4
    segment_of(ledger).write_bytes(content)
    findings = Ledger(ledger.folder).verify()
    assert findings.counts == {"PR-L205": 1}
    assert segment_of(ledger).name in next(iter(findings)).message()


def test_a_flipped_bit_in_an_id_does_not_pass_as_another_id(ledger):
    """The pages carry checksums, so a look-up does not return rotten rows."""
    content = bytearray(segment_of(ledger).read_bytes())
    place = content.index(FRAME["event_id"][3])
    content[place] ^= 1
    segment_of(ledger).write_bytes(content)
    with pytest.raises(LedgerError) as caught:
        Ledger(ledger.folder).history(ITEM)
    assert caught.value.code == "PR-L213"


@pytest.mark.parametrize("content", ["{", "[]", "7", '{"version": 2}'])
def test_a_torn_manifest_is_named(ledger, content):
    (ledger.folder / MANIFEST_NAME).write_text(content)
    with pytest.raises(LedgerError) as caught:
        Ledger(ledger.folder)
    assert caught.value.code == "PR-L202"


def rewrite(ledger, change):
    """Change the manifest and make its own digest good again."""
    content = json.loads((ledger.folder / MANIFEST_NAME).read_text(encoding="utf-8"))
    content.pop("digest")
    change(content)
    content["digest"] = digest_mapping(content)
    (ledger.folder / MANIFEST_NAME).write_text(json.dumps(content), encoding="utf-8")


def test_a_changed_manifest_is_named(ledger):
    path = ledger.folder / MANIFEST_NAME
    path.write_text(path.read_text(encoding="utf-8").replace('"n_rows": 10', '"n_rows": 11', 1), encoding="utf-8")
    with pytest.raises(LedgerError) as caught:
        Ledger(ledger.folder)
    assert caught.value.code == "PR-L202"


def test_a_manifest_of_another_shape_is_named(ledger):
    rewrite(ledger, lambda content: content["batches"][0].pop("chain"))
    with pytest.raises(LedgerError) as caught:
        Ledger(ledger.folder)
    assert caught.value.code == "PR-L202"


def test_another_format_version_is_named(ledger):
    rewrite(ledger, lambda content: content.update(version=1))
    with pytest.raises(LedgerError) as caught:
        Ledger(ledger.folder)
    assert caught.value.code == "PR-L209"


@pytest.mark.parametrize("gone", [0, 1])
def test_a_batch_that_was_taken_out_breaks_the_chain(ledger, gone):
    for frame in (MORE, make_frame(make_event(900, "sorted", 5))):
        with ledger:
            ledger.append(frame, now=NOW)
            ledger.seal()
    rewrite(ledger, lambda content: content["batches"].pop(gone))
    findings = Ledger(ledger.folder).verify()
    assert findings.counts == {"PR-L206": 1, "PR-L208": 2}
    assert next(iter(findings)).value == str(gone + 1)


def test_one_writer_at_a_time(ledger):
    with writer_lock(ledger.folder), pytest.raises(LedgerError) as caught:
        ledger.append(MORE, now=NOW)
    assert caught.value.code == "PR-L207"
    with ledger, pytest.raises(LedgerError) as caught:
        assert ledger.append(MORE, now=NOW)[0].n_appended == 10
        Ledger(ledger.folder).append(MORE, now=NOW)
    assert caught.value.code == "PR-L207"
    with Ledger(ledger.folder) as other:
        assert other.append(MORE, now=NOW)[0].n_duplicate == 10


def test_readers_are_not_shut_out_by_a_writer(ledger):
    with writer_lock(ledger.folder):
        assert Ledger(ledger.folder).query("SELECT count(*) AS n FROM events")["n"].to_list() == [10]


def test_no_ledger_is_begun_over_the_remains_of_another(ledger):
    (ledger.folder / MANIFEST_NAME).unlink()
    with pytest.raises(LedgerError) as caught:
        Ledger.create(ledger.folder)
    assert caught.value.code == "PR-L215"
