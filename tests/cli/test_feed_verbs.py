"""Verbs over feeds, as processes: new, check, show, route."""

import json

import pytest

from kit.cli import run_cli
from kit.feeds import FeedFolder
from postroad.network.feed import read


def test_a_new_feed_checks_without_an_error(tmp_path):
    done = run_cli("new", "mine", "--example", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "mine\n")
    assert "postroad check mine" in done.stderr
    assert read(tmp_path / "mine").digest == read("tiny").digest
    assert run_cli("check", "mine", cwd=tmp_path).stdout == "tiny: 0 errors, 0 warnings\n"


def test_a_new_feed_of_ones_own_is_all_tables_and_a_guide(tmp_path):
    told = json.loads(run_cli("new", "mine", "--json", cwd=tmp_path).stdout)
    assert {"feed.toml", "README.md", "facilities.csv", "trips.csv"} <= set(told["files"])
    again = run_cli("new", "mine", cwd=tmp_path)
    assert again.returncode == 3
    assert again.stderr.startswith("PR-C030")


def test_everything_wrong_is_told_at_once(tmp_path):
    feed = FeedFolder(tmp_path / "mine")
    feed.set("facilities", 2, sort_items_per_h=-5)
    feed.set("trips", 3, vehicle_id="bicycle")
    done = run_cli("check", str(tmp_path / "mine"))
    assert done.returncode == 3
    assert done.stderr == ""
    assert "at   facilities row 2, column sort_items_per_h" in done.stdout
    assert "at   trips row 3, column vehicle_id" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("tiny: 2 errors, ")
    told = json.loads(run_cli("check", str(tmp_path / "mine"), "--json", "--lang", "zh").stdout)
    assert told["is_sound"] is False
    assert sum(told["counts"].values()) >= 2
    assert {finding["table"] for finding in told["findings"]} >= {"facilities", "trips"}


def test_a_feed_that_is_not_there():
    for words in (("check", "nowhere"), ("show", "nowhere"), ("route", "a", "b", "--feed", "nowhere", "--depart", "x")):
        done = run_cli(*words)
        assert done.returncode == 3
        assert "PR-F101" in done.stderr


def test_a_feed_is_shown_as_data_and_as_a_map(tmp_path):
    told = json.loads(run_cli("show", "tiny", "--map", "map.html", "--json", cwd=tmp_path).stdout)
    assert told["n_facilities"]["sorting"] == 3
    assert told["modes"]["road"]["n_trips"] > 0
    assert told["map"] == "map.html"
    assert "Wuhan hub" in (tmp_path / "map.html").read_text(encoding="utf-8")


def test_an_itinerary_as_data():
    words = ("route", "O-TLU", "Ezhou", "--feed", "tiny", "--depart", "2025-11-11T08:00", "--json")
    one, more = (json.loads(run_cli(*words, *extra).stdout) for extra in ((), ("--pareto",)))
    assert one == more[:1]
    assert len(more) > 1
    assert more[0]["hops"][0]["mode"] == "road"


@pytest.mark.parametrize(
    ("words", "exit_code", "code"),
    [
        (("S-HGH", "Atlantis", "--depart", "2025-11-11T08:00"), 3, "PR-R120"),
        (("S-HGH", "H-WUH", "--depart", "noon"), 3, "PR-C021"),
        (("S-HGH", "H-WUH", "--depart", "2025-11-11T08:00", "--product", "slow"), 3, "PR-R123"),
        (("S-HGH", "H-WUH"), 2, "PR-X001"),
    ],
)
def test_what_cannot_be_routed(words, exit_code, code):
    done = run_cli("route", *words, "--feed", "tiny")
    assert (done.returncode, done.stdout) == (exit_code, "")
    assert code in done.stderr


def test_a_feed_that_is_still_empty_is_not_routed_over(tmp_path):
    assert run_cli("new", "my feed", cwd=tmp_path).stderr.endswith("postroad check 'my feed'\n")
    told = run_cli("route", "A", "B", "--feed", "my feed", "--depart", "2025-11-11T20:00", cwd=tmp_path)
    assert told.returncode == 3
    assert "PR-N103" in told.stderr


@pytest.mark.parametrize("words", [("show", "tiny", "--lang", "zh"), ("show", "tiny", "--json")])
def test_a_terminal_that_knows_no_chinese_is_no_fault_of_ours(words):
    told = run_cli(*words, PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert told.returncode == 0
    assert told.stdout.isascii()
    assert "--json" not in words or json.loads(told.stdout)["name_zh"] == "小型示例网络"
