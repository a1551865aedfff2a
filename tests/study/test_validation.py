"""Which published figures a run can be held against."""

from dataclasses import replace
from types import SimpleNamespace

import polars as pl
import pytest

from kit.studies import tiny_run
from postroad.core.errors import InputError
from postroad.network.feed import read
from postroad.network.scenario import Scenario
from postroad.study.validation import PEAK_CHECK, published_checks, validate, write_page

CHECKS = pl.DataFrame({"check_id": ["total_h", PEAK_CHECK], "verdict": ["met", "not_decidable"]})


def made_up(name="normal-2023", to_items=361_835_616, *, is_peak=False, checks=CHECKS, feed="china-2023"):
    """A run that knows its scenario and its checks only."""
    network = read(feed)
    scenario = Scenario(name, network, days_before=3, days_after=3, to_items=to_items, days_by="calendar")
    return SimpleNamespace(
        scenario=scenario, is_peak=is_peak, validation=checks, result_digest="f" * 32, command=f"postroad run {name}"
    )


def test_a_normal_day_is_held_against_everything():
    assert published_checks(made_up()).equals(CHECKS)


def test_a_surge_that_was_seen_is_held_against_the_peak():
    surge = made_up("surge-2023", 639_000_000, is_peak=True)
    assert published_checks(surge)["check_id"].to_list() == [PEAK_CHECK]


@pytest.mark.parametrize(
    "run",
    [
        made_up("peak-on-2023", 1_200_000_000, is_peak=True),
        made_up("half", 180_000_000),
        made_up("later", 361_835_616, feed="china-2025"),
    ],
    ids=lambda run: run.scenario.name,
)
def test_other_days_are_held_against_nothing(run):
    assert published_checks(run).is_empty()


def test_another_network_is_held_against_nothing():
    assert published_checks(tiny_run()).is_empty()


def test_the_check_around_the_peak_comes_from_the_surge():
    surge = made_up("surge-2023", 639_000_000, is_peak=True, checks=CHECKS.with_columns(verdict=pl.lit("met")))
    frame = validate(made_up(), surge)
    assert dict(frame.iter_rows()) == {"total_h": "met", PEAK_CHECK: "met"}
    assert dict(validate(made_up()).iter_rows()) == {"total_h": "met", PEAK_CHECK: "not_decidable"}


def test_runs_of_other_days_are_refused():
    surge = made_up("surge-2023", 639_000_000, is_peak=True)
    for normal, peak in ((surge, None), (made_up(), made_up()), (tiny_run(), None)):
        with pytest.raises(InputError) as raised:
            validate(normal, peak)
        assert raised.value.code == "PR-S108"


def test_the_page_says_which_runs(tmp_path):
    page = tmp_path / "validation.md"
    page.write_text(
        "before\n\n<!-- generated: validation -->\n\nold\n\n<!-- end of generated part -->\n\nafter\n", encoding="utf-8"
    )
    kinds = ["check_id", "place", "name_en", "name_zh", "period", "unit", "verdict", "kind", "reason_en", "reason_zh"]
    row = dict.fromkeys([*kinds, "label", "source"], "x") | dict.fromkeys(
        ["published", "modelled", "error", "tolerance"], 1.0
    )
    frame = pl.DataFrame([row | {"kind": "calibrated", "verdict": "met"}])
    write_page(frame, made_up(), None, page)
    text = page.read_text(encoding="utf-8")
    assert "`postroad run normal-2023`" in text
    assert text.startswith("before")
    assert text.rstrip().endswith("after")
    assert "old" not in text
    assert replace(tiny_run(), command="x").command == "x"
