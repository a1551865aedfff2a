"""What an interrupted or damaged ledger does: nothing half-visible, and what is broken is named."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kit.ledger import ITEM, NOW, make_event, make_frame, make_life
from postroad.core.digests import digest_mapping
from postroad.core.errors import LedgerError
from postroad.ledger.disk import writer_lock
from postroad.ledger.manifest import MANIFEST_NAME
from postroad.ledger.store import Ledger

FRAME = make_frame(*make_life())
MORE = make_frame(*make_life(first=100))


@pytest.fixture
def ledger(tmp_path):
    made = Ledger.create(tmp_path / "ledger")
    made.append(FRAME, now=NOW)
    return made


class Disk:
    """Fails for good at the n-th call of what changes the disk."""

    def __init__(self, monkeypatch, n_calls):
        self.left = n_calls
        for owner, name in ((os, "fsync"), (Path, "replace"), (Path, "write_bytes"), (Path, "write_text")):
            monkeypatch.setattr(owner, name, self.limit(getattr(owner, name)))

    def limit(self, call):
        def limited(*arguments, **options):
            self.left -= 1
            if self.left < 0:
                raise OSError(28, "No space left on device")
            return call(*arguments, **options)

        return limited


def test_a_disk_that_fails_anywhere_leaves_all_or_nothing(ledger, monkeypatch):
    monkeypatch.setattr("postroad.ledger.store.SEGMENT_ROWS", 4)
    outcomes = []
    for n_calls in range(40):
        with monkeypatch.context() as patch:
            disk = Disk(patch, n_calls)
            try:
                ledger.append(MORE, now=NOW)
                is_acknowledged = True
            except LedgerError as error:
                assert error.code == "PR-L211"
                is_acknowledged = False
        opened = Ledger(ledger.folder)
        assert opened.history(ITEM).height in ((20,) if is_acknowledged else (10, 20))
        assert not opened.verify().errors
        outcomes.append(is_acknowledged)
        if is_acknowledged:
            break
        if len(opened) == 20:  # the manifest took its place, only the folder could not be synced
            assert disk.left < 0
            break
    assert len(outcomes) > 8
    receipt, _ = ledger.append(MORE, now=NOW)
    assert receipt.n_appended + receipt.n_duplicate == 10
    assert Ledger(ledger.folder).history(ITEM).height == 20


def test_left_over_and_half_written_files_are_never_read(ledger):
    whole = (ledger.folder / ledger.manifest.segments("events")[0].name).read_bytes()
    names = ("events/00000001-deadbeef.parquet", "events/.00000001-deadbeef.parquet.ab12", ".manifest.json.ab12")
    for name in names:
        (ledger.folder / name).write_bytes(whole[: len(whole) // 2])
    opened = Ledger(ledger.folder)
    assert opened.history(ITEM).equals(FRAME)
    findings = opened.verify()
    assert findings.counts == {"PR-L208": 2}
    assert not findings.errors
    opened.append(MORE, now=NOW)
    assert opened.history(ITEM).height == 20
    assert opened.verify().counts == {"PR-L208": 2}


WRITER = """
import sys
sys.path.insert(0, sys.argv[2])
import os
from pathlib import Path
from kit.ledger import NOW, make_frame, make_life
from postroad.ledger import store
from postroad.ledger.store import Ledger

step = int(sys.argv[3])
store.SEGMENT_ROWS = 4
ledger = Ledger(sys.argv[1], threads=1)
calls = 0

def die(call):
    def wrapped(*arguments, **options):
        global calls
        calls += 1
        if calls == step:
            os.kill(os.getpid(), 9)
        return call(*arguments, **options)
    return wrapped

Path.replace = die(Path.replace)
ledger.append(make_frame(*make_life(first=100)), now=NOW)
"""


@pytest.mark.parametrize(("step", "n_rows"), [(2, 10), (4, 10), (5, 20)])
def test_a_killed_writer_leaves_all_or_nothing(ledger, step, n_rows):
    """Three segments and the manifest take their places one after another; the fourth step publishes."""
    tests = str(Path(__file__).parents[1])
    command = [sys.executable, "-c", WRITER, str(ledger.folder), tests, str(step)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == (0 if step == 5 else -9), done.stderr
    opened = Ledger(ledger.folder)
    assert opened.history(ITEM).height == n_rows
    assert not opened.verify().errors
    opened.append(MORE, now=NOW)
    assert opened.history(ITEM).height == 20


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


@pytest.mark.parametrize("content", ["{", "[]", "7", '{"version": 1}'])
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
    rewrite(ledger, lambda content: content.update(version=2))
    with pytest.raises(LedgerError) as caught:
        Ledger(ledger.folder)
    assert caught.value.code == "PR-L209"


@pytest.mark.parametrize("gone", [0, 1])
def test_a_batch_that_was_taken_out_breaks_the_chain(ledger, gone):
    ledger.append(MORE, now=NOW)
    ledger.append(make_frame(make_event(900, "sorted", 5)), now=NOW)
    rewrite(ledger, lambda content: content["batches"].pop(gone))
    findings = Ledger(ledger.folder).verify()
    assert findings.counts == {"PR-L206": 1, "PR-L208": 1}
    assert next(iter(findings)).value == str(gone + 1)


def test_one_writer_at_a_time(ledger):
    with writer_lock(ledger.folder), pytest.raises(LedgerError) as caught:
        ledger.append(MORE, now=NOW)
    assert caught.value.code == "PR-L207"
    assert ledger.append(MORE, now=NOW)[0].n_appended == 10


def test_readers_are_not_shut_out_by_a_writer(ledger):
    with writer_lock(ledger.folder):
        assert Ledger(ledger.folder).query("SELECT count(*) AS n FROM events")["n"].to_list() == [10]


def test_no_ledger_is_begun_over_the_remains_of_another(ledger):
    (ledger.folder / MANIFEST_NAME).unlink()
    with pytest.raises(LedgerError) as caught:
        Ledger.create(ledger.folder)
    assert caught.value.code == "PR-L215"
