"""The verbs of the ground: explain and version; and that every listed verb exists."""

import json
from importlib import import_module
from importlib.metadata import version
from inspect import getdoc, signature

import pytest

from kit.cli import run_cli
from postroad.cli.verbs import VERBS
from postroad.core.errors import registry


def test_explain_a_code():
    done = run_cli("explain", "PR-C020")
    assert done.returncode == 0
    assert done.stdout == (
        "PR-C020  '{value}' is no time of day.\n\n"
        "Times of day belong to a service day and may run beyond 24:00, as in GTFS.\n\n"
        "fix: Write hours and minutes as HH:MM, such as 06:30; 26:15 is 02:15 of the next day.\n"
    )


@pytest.mark.parametrize("spelling", ["pr-c020", "C020", "c020 "])
def test_explain_takes_any_spelling(spelling):
    assert run_cli("explain", spelling).stdout == run_cli("explain", "PR-C020").stdout


def test_explain_in_chinese_as_json():
    entry = json.loads(run_cli("explain", "C020", "--json", "--lang", "zh").stdout)
    assert entry["text"] == "“{value}”不是有效的时刻。"
    assert set(entry) == {"code", "severity", "text", "fix", "explain"}


def test_explain_lists_every_code():
    listed = json.loads(run_cli("explain", "--json").stdout)
    assert [row["code"] for row in listed] == sorted(registry())
    lines = run_cli("explain").stdout.splitlines()
    assert [line.split()[0] for line in lines[2:]] == sorted(registry())


def test_explain_an_unknown_code():
    done = run_cli("explain", "PR-C029")
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.startswith("PR-X002  There is no code 'PR-C029'. Did you mean PR-C02")


def test_version():
    versions = json.loads(run_cli("version", "--json").stdout)
    assert versions["postroad"] == version("postroad")
    assert versions["numba"] == version("numba")
    assert run_cli("--version").stdout == f"postroad {version('postroad')}\n"


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_listed_verb_is_a_documented_function(verb):
    function = getattr(import_module(verb.module), verb.name.replace("-", "_"))
    assert next(iter(signature(function).parameters)) == "shell"
    assert getdoc(function)
    assert verb.summary.endswith(".")
