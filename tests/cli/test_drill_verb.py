"""``postroad drill``, as a process."""

import json

import pytest

from kit.cli import run_cli
from kit.drills import WUHAN


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a drill file and what the command line made of it."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "wuhan.toml").write_text(WUHAN, encoding="utf-8")
    done = run_cli("drill", "wuhan.toml", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    (folder / "told.json").write_text(done.stdout, encoding="utf-8")
    return folder


def test_drill_is_told_and_kept(place):
    told = json.loads((place / "told.json").read_text(encoding="utf-8"))
    assert told["folder"] == "drills/wuhan"
    assert (told["grade"], told["n_units_missing"], told["n_overdrawn"]) == ("II", 0, 0)
    assert told["arrivals"][0]["gate_id"] == "S-EZH"
    kept = {path.name for path in (place / told["folder"]).iterdir()}
    assert {"drill.toml", "report.html", "arrivals.parquet", "cut_off.parquet", "reserves.parquet"} <= kept


def test_drill_speaks_chinese_and_replaces_only_when_told(place):
    refused = run_cli("drill", "wuhan.toml", cwd=place)
    assert refused.returncode == 3
    assert refused.stderr.startswith("PR-S105")
    done = run_cli("drill", "wuhan.toml", "--replace", "--lang", "zh", cwd=place)
    assert done.returncode == 0, done.stderr
    for text in ("事件等级", "救援物资到达", "仍在流动", "可调用的后备"):
        assert text in done.stdout
    assert "调运救援物资" in done.stderr


def test_a_folder_of_something_else_stays(place):
    (place / "letters").mkdir()
    (place / "letters" / "mine.txt").write_text("mine")
    done = run_cli("drill", "wuhan.toml", "--to", "letters", "--replace", cwd=place)
    assert done.returncode == 3
    assert done.stderr.startswith("PR-S111")
    assert (place / "letters" / "mine.txt").read_text() == "mine"


def test_an_unknown_drill_names_the_known(place):
    done = run_cli("drill", "nowhere", cwd=place)
    assert done.returncode == 3
    assert done.stderr.startswith("PR-S130")
    assert "sichuan-lost" in done.stderr
