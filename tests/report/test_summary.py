"""The executive summary says what the numbers say."""

from __future__ import annotations

import re
from dataclasses import replace

import polars as pl
import pytest

from kit.report_data import report_data
from postroad.report.data import empty_frame
from postroad.report.summary import headline_cards, summarise_run


@pytest.fixture(scope="module")
def sentences() -> tuple[str, str]:
    texts = summarise_run(report_data())
    return "\n".join(text.en for text in texts), "\n".join(text.zh for text in texts)


@pytest.mark.parametrize(
    ("en", "zh"),
    [
        ("1.20 billion items were accepted on 11 Nov 2025", "2025年11月11日共收寄 12.00 亿件"),
        ("99.95 % had been delivered", "99.95 %已妥投"),
        ("took 54.6 h on average; 59.3 % arrived within 48 h and 82.1 % arrived within 72 h", "平均 54.6 小时"),
        (
            "Items for the west took longest, 67.9 h, which is 16.5 h more than for the east",
            "比东部地区（51.4 小时）多 16.5",
        ),
        ("1.83 yuan and 214 g of CO₂", "1.83 元，排放 214 克"),
        ("Validation: 6 of 8 judged checks were met; missed: Destination handling", "8 项可判定检验中 6 项符合"),
        ("instead of 54.6 h", "全程时限 79.3 小时（本次 54.6 小时）"),
    ],
)
def test_a_sentence_stands_in_both_languages(sentences, en, zh):
    assert en in sentences[0]
    assert zh in sentences[1]


@pytest.mark.parametrize("column", ["backlog_in", "backlog_out"])
def test_the_largest_backlogs_and_their_hours_are_those_of_the_frame(sentences, column):
    top = report_data().hourly.sort(column, descending=True).row(0, named=True)
    day, hour = divmod(top["hour"] + 1, 24)  # what waits is counted at the end of the hour
    assert f"{top[column] / 1e6:.1f} million items, at {8 + day} Nov {hour:02d}:00" in sentences[0]


def test_regions_without_a_name_of_their_own_are_not_ranked():
    measures = report_data().measures.with_columns(
        key=pl.when(pl.col("key") == "west").then(pl.lit("other")).otherwise("key")
    )
    text = "\n".join(text.en for text in summarise_run(replace(report_data(), measures=measures)))
    assert "Items for the centre took longest" in text


def test_a_disruption_says_when_it_cleared(sentences):
    disruption = report_data().disruption
    after = disruption.cleared_hour + 1 - disruption.to_hour
    assert f", {after} h after it ended" in sentences[0]
    assert f"（结束后 {after} 小时）消化完毕" in sentences[1]
    never = replace(report_data(), disruption=replace(disruption, cleared_hour=None))
    assert any("had not cleared when the run ended" in text.en for text in summarise_run(never))


def test_a_disruption_says_what_came_late_and_what_came_early(sentences):
    assert re.search(
        r"Closing the hub of Wuhan \(11 Nov 06:00 to 12 Nov 06:00\) delayed 30\.5 million items accepted on "
        r"11 Nov 2025, by 706\.0 million item-hours in all; 4\.0 million items arrived earlier, .* "
        r"the mean item lost 0\.6 h",
        sentences[0],
    )
    assert "另有 400.0 万件提前" in sentences[1]


def test_a_disruption_says_where_the_backlog_stood_and_when(sentences):
    disruption = report_data().disruption
    here = disruption.backlogs.filter(facility_id=disruption.facility_id)
    top = here.sort("disrupted", descending=True).row(0, named=True)
    day, hour = divmod(top["hour"] + 1, 24)
    count = f"{top['disrupted'] / 1e6:.1f} million items"
    assert f"Wuhan held most at {8 + day} Nov {hour:02d}:00: {count}" in sentences[0]


def test_a_backlog_before_the_disruption_is_explained():
    disruption = report_data().disruption
    early = disruption.totals.with_columns(
        disrupted=pl.when(pl.col("hour") == disruption.from_hour - 6).then(10**9).otherwise("disrupted")
    )
    texts = summarise_run(replace(report_data(), disruption=replace(disruption, totals=early)))
    assert any("(before it began: vehicles that would arrive in those hours do not leave)" in text.en for text in texts)


def test_what_is_not_known_is_not_said():
    frames = ("measures", "hourly", "facilities", "validation", "label_counts", "centre_hourly")
    headline = empty_frame("headline")
    bare = replace(
        report_data(), headline=headline, comparison=None, disruption=None, **{n: empty_frame(n) for n in frames}
    )
    texts = summarise_run(bare)
    assert [text.en for text in texts] == ["Run of the scenario “peak-2025” for 11 Nov 2025."]


def test_cards_carry_label_source_and_interval():
    headline = report_data().headline.with_columns(low=pl.col("value") * 0.99, high=pl.col("value") * 1.01)
    cards = headline_cards(headline).cards
    assert len(cards) == 6
    assert cards[0].value.zh == "12.00 亿"
    assert cards[0].unit.zh == "件"
    assert cards[1].detail.en == "54.1 h – 55.2 h"
    assert all(card.label == "modelled" and card.source for card in cards)
