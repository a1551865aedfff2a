"""``postroad serve`` and ``postroad key`` as processes."""

import json
import signal

import pytest

from kit.cli import run_cli
from kit.ledger import ITEM
from kit.service import running
from postroad.cli import serving
from postroad.core.errors import InputError


def test_a_service_from_nothing(tmp_path):
    folder = tmp_path / "service"
    made = json.loads(run_cli("key", "make", str(folder), "--role", "operator", "--label", "test", "--json").stdout)
    event = {
        "kind": "accepted",
        "occurred_at": "2025-11-11T09:30:00+08:00",
        "recorded_at": "2025-11-11T09:30:00+08:00",
        "item_id": ITEM,
        "facility_id": "HGH1",
        "label": "measured",
    }
    with running(folder, "--feed", "tiny") as (client, process):
        headers = {"Authorization": f"Bearer {made['key']}"}
        assert client.get("/health").json()["status"] == "ok"
        assert client.post("/events", json=[event], headers=headers).json()["n_appended"] == 1
        assert client.get(f"/items/{ITEM}", headers=headers).json()["state"] == "accepted"
        # Withdrawn by another process, it is void at once.
        withdrawn = run_cli("key", "withdraw", str(folder), "--key-id", made["key_id"])
        assert withdrawn.returncode == 0, withdrawn.stderr
        assert client.get(f"/items/{ITEM}", headers=headers).status_code == 401
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    lines = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    assert {"method", "route", "status", "ms"} == set(lines[0])
    assert ITEM not in told
    assert made["key"] not in told
    listed = run_cli("key", "list", str(folder), "--lang", "en").stdout
    assert "withdrawn" in listed
    assert "test" in listed


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["serve", "x", "--host", "0.0.0.0"], "PR-H121"),
        (["serve", "x", "--certificate", "c.pem"], "PR-H122"),
        (["key", "make", "x"], "PR-X001"),
        (["key", "make", "x", "--role", "king"], "PR-K110"),
        (["key", "withdraw", "x", "--key-id", "y"], "PR-K122"),
        (["serve", "x", "--cipher", "rot13"], "PR-K101"),
    ],
)
def test_refusals(tmp_path, words, code):
    done = run_cli(*words, "--lang", "en", cwd=tmp_path)
    assert code in done.stderr
    assert done.returncode in (2, 3)


def test_without_the_extra(monkeypatch):
    def no_module(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(serving, "import_module", no_module)
    with pytest.raises(InputError) as refusal:
        serving._server()
    assert refusal.value.code == "PR-H120"
