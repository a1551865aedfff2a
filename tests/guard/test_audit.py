"""The audit log: complete, in order, and broken visibly."""

from datetime import UTC, datetime, timedelta

import pytest

from postroad.core.errors import InputError
from postroad.guard.audit import AuditLog, Entry
from postroad.guard.patterns import Patterns, Rule

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
SHOWN = Entry("track", "k1", "addressee", ("RR123456785CN",), "shown")
UNMASKED = Entry("read_party", "k2", "operator", ("p1",), "shown", ("name", "phone"), "wrong address")


@pytest.fixture(params=["sha256", "sm3"])
def log(request, tmp_path):
    log = AuditLog(tmp_path / "audit", digest=request.param)
    yield log
    log.close()


def write_three(log):
    log.note(SHOWN, now=NOW)
    log.note(UNMASKED, now=NOW + timedelta(seconds=1))
    log.note(SHOWN, now=NOW + timedelta(days=1))


def test_what_is_noted_can_be_read(log):
    write_three(log)
    first, second, third = log.entries()
    assert first | {"chain": ""} == {
        "at": NOW.isoformat(),
        "action": "track",
        "key_id": "k1",
        "role": "addressee",
        "subjects": ["RR123456785CN"],
        "outcome": "shown",
        "chain": "",
    }
    assert second["unmasked"] == ["name", "phone"]
    assert second["purpose"] == "wrong address"
    assert [entry["chain"] for entry in log.entries("2024-05-02")] == [third["chain"]]
    assert not log.verify()


def test_it_goes_on_after_a_stop(log):
    write_three(log)
    log.close()
    path = sorted(log.folder.glob("*.jsonl"))[-1]
    with path.open("ab") as torn:
        torn.write(b'{"at": "20')
    again = AuditLog(log.folder, digest=log._digest)
    again.note(SHOWN, now=NOW)  # a clock that went back writes on where it was
    again.close()
    assert len(list(again.entries())) == 4
    assert not again.verify()


@pytest.mark.parametrize("change", ["edit", "drop", "swap", "tear", "drop_file"])
def test_a_change_is_found_and_located(log, change):
    for second in range(4):
        log.note(SHOWN, now=NOW + timedelta(seconds=second))
    log.note(SHOWN, now=NOW + timedelta(days=1))
    log.note(SHOWN, now=NOW + timedelta(days=2))
    log.close()
    first, second, _ = sorted(log.folder.glob("*.jsonl"))
    lines = first.read_bytes().split(b"\n")
    if change == "edit":
        lines[2] = lines[2].replace(b"k1", b"k9")
    elif change == "drop":
        del lines[2]
    elif change == "swap":
        lines[2], lines[3] = lines[3], lines[2]
    elif change == "tear":
        lines[2] = lines[2][:20]
    first.write_bytes(b"\n".join(lines))
    if change == "drop_file":
        second.unlink()
    [finding] = [one for one in log.verify() if one.table == first.name or change == "drop_file"]
    assert finding.code == "PR-K131"
    assert finding.row == (1 if change == "drop_file" else 3)


def test_an_unknown_digest(tmp_path):
    with pytest.raises(InputError) as refusal:
        AuditLog(tmp_path, digest="crc32")
    assert refusal.value.code == "PR-K130"


def noted(patterns, entry, n, start=NOW, step_s=1):
    return [one for k in range(n) for one in patterns.note(entry, start + timedelta(seconds=step_s * k))]


def test_unusual_reading_is_told_once_and_again_after_calm():
    rule = Rule("many", frozenset("*"), "unmasked", 3600, 5, 0, 24, "Many", "多")
    patterns = Patterns((rule,))
    [told] = noted(patterns, UNMASKED, 20)
    assert (told.key_id, told.n_seen, told.rule) == ("k2", 6, rule)
    assert not noted(patterns, UNMASKED, 5, NOW + timedelta(minutes=30))
    assert len(noted(patterns, UNMASKED, 6, NOW + timedelta(hours=3))) == 1


def test_each_rule_counts_what_it_says():
    patterns = Patterns()
    assert not noted(patterns, SHOWN, 250)
    missing = Entry("track", "k1", "addressee", ("x",), "not_found")
    assert [one.rule.rule for one in noted(patterns, missing, 40)] == ["guessing"]
    assert not noted(patterns, Entry("track", "k3", "operator", ("x",), "not_found"), 40)
    refused = Entry("track", "", "", (), "refused")
    assert [one.rule.rule for one in noted(patterns, refused, 40)] == ["reaching"]
    night = NOW.replace(hour=2)
    assert [one.rule.rule for one in noted(patterns, UNMASKED, 30, night)] == ["unmasked_at_night"]
