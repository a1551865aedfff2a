"""The frame of the command line: exit codes, refusals, streams, interruption."""

import json
import re
import signal
import subprocess
from pathlib import Path

import pytest

from kit.cli import TESTS, command_line, run_cli


@pytest.mark.parametrize(
    ("how", "exit_code", "code"),
    [
        ("findings", 3, "PR-C001"),
        ("infeasible", 4, "PR-C022"),
        ("limit", 5, "PR-C050"),
        ("memory", 5, "PR-X006"),
        ("disk", 3, "PR-X004"),
        ("file", 3, "PR-X004"),
        ("fault", 70, "PR-I002"),
        ("interrupt", 130, "PR-X005"),
    ],
)
def test_exit_codes(how, exit_code, code, tmp_path):
    done = run_cli("fail", how, trial=True, TMPDIR=str(tmp_path))
    assert done.returncode == exit_code
    assert done.stdout == ""
    assert done.stderr.splitlines()[-2 if how != "infeasible" else -3].startswith(code) or how == "fault"
    assert code in done.stderr
    assert "Traceback" not in done.stderr


def test_a_refusal_says_what_where_and_how_to_mend_it():
    done = run_cli("fail", "infeasible", trial=True)
    assert done.stderr == (
        "PR-C022  There is no time zone 'Asia/Atlantis'.\n"
        "         at   feed.toml\n"
        "         fix  Use a name of the IANA list, such as Asia/Shanghai.        postroad explain PR-C022\n"
    )


def test_a_refusal_in_chinese():
    done = run_cli("fail", "infeasible", "--lang", "zh", trial=True)
    assert done.stderr == (
        "PR-C022  没有名为“Asia/Atlantis”的时区。\n"
        "         位置  feed.toml\n"
        "         办法  请使用 IANA 时区名，例如 Asia/Shanghai。        postroad explain PR-C022\n"
    )


def test_all_findings_are_shown_at_once():
    done = run_cli("fail", "findings", trial=True)
    assert done.stderr.count("PR-C020  '25:61' is no time of day.") == 50
    assert "at   trips row 51, column arrive" in done.stderr
    assert "PR-C020  … and 10 more of these." in done.stderr
    assert "PR-C001  The input has 60 error(s); the first: '25:61' is no time of day." in done.stderr


def test_a_refusal_as_json():
    done = run_cli("--json", "fail", "findings", trial=True)
    error = json.loads(done.stderr)["error"]
    assert (error["code"], len(error["findings"]), error["counts"]) == ("PR-C001", 50, {"PR-C020": 60})
    assert error["findings"][0]["at"] == "trips row 2, column arrive"
    assert set(error["findings"][0]) == {"code", "severity", "message", "at", "fix"}


def test_our_fault_leaves_a_full_account(tmp_path):
    done = run_cli("fail", "fault", trial=True, TMPDIR=str(tmp_path))
    account = Path(re.search(r"account is in (\S+);", done.stderr)[1])
    assert account.parent == tmp_path
    assert "KeyError: 'missing'" in account.read_text()
    assert "kit" in account.read_text()


@pytest.mark.parametrize(
    "words",
    [
        ("fail",),
        ("fail", "fault", "more"),
        ("fly",),
        ("show", "--colour", "red"),
        ("show", "--seed", "-1"),
        ("show", "--seed", "many"),
        ("--lang",),
    ],
)
def test_usage(words):
    done = run_cli(*words, trial=True)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("PR-X001  ")


def test_a_near_verb_is_suggested():
    assert "Did you mean 'show'?" in run_cli("shw", trial=True).stderr


@pytest.mark.parametrize("words", [("show", "--lang", "fr"), ("--lang=fr", "show")])
def test_unknown_language(words):
    done = run_cli(*words, trial=True)
    assert (done.returncode, done.stderr[:7]) == (2, "PR-X003")


def test_a_table_for_people():
    done = run_cli("show", "--title", "Busiest centres", trial=True)
    assert done.returncode == 3
    lines = done.stdout.splitlines()
    assert lines[0] == "Busiest centres"
    assert lines[1].split() == ["facility", "seed", "items", "share", "hub"]
    assert lines[3].split() == ["杭州", "7", "1,234,567", "0.1235"]
    assert lines[4].split() == ["Wuhan", "1", "2", "12,346", "true"]
    assert done.stderr == ""


@pytest.mark.parametrize("words", [("show", "--json", "--seed", "9"), ("--json", "show", "--seed", "9")])
def test_a_table_as_json(words):
    rows = json.loads(run_cli(*words, trial=True).stdout)
    assert rows[0] == {"facility_id": "杭州", "seed": 9, "n_items": 1234567, "share": 0.123456, "is_hub": None}


def test_data_and_talk_go_apart():
    done = run_cli("work", trial=True)
    assert json.loads(done.stdout) == {"n": 3, "shares": [0.5, 1.0]}
    assert done.stderr == "compile [network]\nrun\ndone\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_at_once_and_it_says_so(number):
    environment = {"PATH": "/usr/bin", "PYTHONPATH": str(TESTS), "COLUMNS": "100"}
    process = subprocess.Popen(
        command_line("wait", trial=True), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    assert process.stderr.readline() == "waiting\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err.startswith("PR-X005  Interrupted.\n")
    assert out == ""


def test_a_reader_that_leaves_is_no_error():
    environment = {"PATH": "/usr/bin", "PYTHONPATH": str(TESTS)}
    process = subprocess.Popen(
        command_line("pour", trial=True), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout.readline() == "line 0\n"
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=20) == 141
    assert err == ""


def test_help_names_every_verb_and_every_verb_helps():
    done = run_cli(trial=True)
    assert done.returncode == 0
    for verb in ("fail", "show", "work", "wait", "pour"):
        assert f"Trial {verb}." in done.stdout
    help_of_show = run_cli("show", "--help", trial=True).stdout
    assert "Show a table and end with exit code 3." in help_of_show
    for option in ("--title", "--seed", "--json", "--lang"):
        assert option in help_of_show
