"""``postroad ledger`` as a process."""

import json

import pytest

from kit.cli import run_cli
from kit.ledger import NOW, make_frame, make_life
from postroad.ledger.store import Ledger


@pytest.fixture
def folder(tmp_path):
    with Ledger.create(tmp_path / "run" / "ledger") as ledger:
        ledger.append(make_frame(*make_life()), now=NOW)
    return tmp_path / "run"


def test_seal_verify_and_back_up(folder):
    assert run_cli("ledger", "seal", str(folder)).returncode == 0
    assert (
        not list((folder / "ledger" / "log").glob("*.log")) or Ledger(folder / "ledger").manifest.n_rows("events") == 10
    )
    verified = run_cli("ledger", "verify", str(folder), "--json")
    assert (verified.returncode, json.loads(verified.stdout)["n_events"]) == (0, 10)
    copied = json.loads(run_cli("ledger", "backup", str(folder), "--to", str(folder / "copy"), "--json").stdout)
    assert copied["digest"] == Ledger(folder / "copy").digest()


def test_damage_is_told(folder):
    run_cli("ledger", "seal", str(folder))
    [segment] = (folder / "ledger" / "events").glob("*.parquet")
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    done = run_cli("ledger", "verify", str(folder), "--lang", "en")
    assert done.returncode == 3
    assert "PR-L205" in done.stdout


def test_refusals(folder):
    assert run_cli("ledger", "backup", str(folder)).returncode == 2
    assert run_cli("ledger", "verify", str(folder / "nothing")).returncode == 3
