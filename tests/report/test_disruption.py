"""The disruption section answers three questions: what was delayed, where the backlog stood, when it cleared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kit.report_data import report_data
from postroad.report.blocks import Cards, Chart, Prose, Table
from postroad.report.data import empty_frame
from postroad.report.disruption import disruption_section


@pytest.fixture(scope="module")
def blocks() -> dict[str, object]:
    return named(report_data().disruption)


def named(disruption) -> dict[str, object]:
    section = disruption_section(disruption, report_data().facts)
    names = {Cards: lambda _: "cards", Prose: lambda _: "prose", Chart: lambda one: one.chart_id}
    return {names.get(type(block), lambda one: one.table_id)(block): block for block in section.blocks}


def test_the_answers_come_first_as_figures_with_label_and_source(blocks):
    assert list(blocks)[:2] == ["cards", "prose"]
    cards = {card.name.en: card for card in blocks["cards"].cards}
    assert (cards["Delayed"].value.en, cards["Delayed"].detail.en) == ("30.5 m", "2.6 % of the items of 11 Nov 2025")
    assert cards["Delay in all"].detail.zh == "平均每件 23.1 小时"
    gone = report_data().disruption.cleared_hour + 1 - report_data().disruption.to_hour
    assert cards["Gone everywhere"].value.en == str(gone)
    assert all(card.label == "modelled" and card.source.startswith("runs ") for card in cards.values())


def test_what_never_cleared_is_said_so():
    cards = named(replace(report_data().disruption, cleared_hour=None))["cards"].cards
    assert (cards[-1].value.en, cards[-1].detail.en) == ("–", "not by the end of the run")


def test_the_extra_backlog_is_the_difference_of_the_two_runs(blocks):
    spec, disruption = blocks["disruption_excess"].spec, report_data().disruption
    totals = disruption.totals.filter(hour=disruption.from_hour + 9).row(0, named=True)
    place = spec["x"].index(totals["hour"])
    assert spec["series"][0]["values"][place] == totals["disrupted"] - totals["undisturbed"]
    assert [mark["at"] for mark in spec["marks"]] == [disruption.eased_hour, disruption.cleared_hour]
    assert spec["x"][-1] < disruption.cleared_hour + 24


def test_the_heat_map_shows_the_place_hit_first_and_nothing_below_zero(blocks):
    centres = blocks["disruption_heat"].spec["centres"]
    assert centres[0]["id"] == report_data().disruption.facility_id
    assert len({len(centre["extra"]) for centre in centres}) == 1
    assert min(min(centre["extra"]) for centre in centres) >= 0


def test_what_was_delayed_is_told_by_class_and_by_place(blocks):
    tables = [block for block in blocks.values() if isinstance(block, Table)]
    ids = [table.table_id for table in tables]
    assert ids[:2] == ["disrupted_centres", "delays_by_class"]
    assert "delays_by_destination" in ids
    by_class = blocks["delays_by_class"].frame
    assert "产品" in by_class["class_zh"].to_list()
    assert (by_class["delayed_share"] * by_class["n_items"]).round().to_list() == by_class["n_delayed"].to_list()


def test_without_frames_the_figures_still_stand():
    empty = {name: empty_frame(name) for name in ("delays", "backlogs", "centres", "totals")}
    assert list(named(replace(report_data().disruption, **empty))) == ["cards", "prose"]
