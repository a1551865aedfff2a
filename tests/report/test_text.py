"""Numbers and units as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.network.feed import read
from postroad.report.text import (
    LABEL_TEXTS,
    LABELS,
    TERMS,
    UNITS,
    Text,
    format_number,
    format_value,
    source_text,
    unit_of,
)


@pytest.mark.parametrize(
    ("value", "unit", "language", "expected"),
    [
        (1_200_000_000, "items", "zh", "12.00 亿件"),
        (1_200_000_000, "items", "en", "1.20 bn items"),
        (41_335_048, "items", "zh", "4,133.5 万件"),
        (41_335_048, "items", "en", "41.3 m items"),
        (9_999, "items", "zh", "9,999 件"),
        (0.80974, "share", "zh", "81.0 %"),
        (54.62, "h", "en", "54.6 h"),
        (1.83, "yuan/item", "zh", "1.83 元/件"),
        (-0.5, "h", "en", "−0.5 h"),
        (None, "h", "en", "–"),
        (float("nan"), "items", "zh", "–"),
        (98_532_000, "kgCO2e", "en", "98,532 t CO₂e"),
        (98_532_000, "kgCO2e", "zh", "9.9 万吨 CO₂e"),
        (12.5, "bananas", "en", "12.50 bananas"),
        (3, "yuan/km", "zh", "3.00 元/公里"),
    ],
)
def test_values_are_written_as_people_write_them(value, unit, language, expected):
    assert format_value(value, unit, language) == expected


def test_words_are_written_out_in_sentences():
    assert format_value(1.2e9, "items", "en", words=True) == "1.20 billion items"


def test_zero_has_no_sign():
    assert format_number(-0.0001, 1) == "0.0"


@given(st.floats(-1e15, 1e15), st.sampled_from(sorted(UNITS)), st.sampled_from(["en", "zh"]))
def test_every_value_has_a_text_that_ends_with_its_unit(value, unit, language):
    text = format_value(value, unit, language)
    coarse = UNITS[unit].coarse
    names = [UNITS[unit].text.get(language)] + ([UNITS[coarse[0]].text.get(language)] if coarse else [])
    assert any(text.endswith(name) for name in names)
    assert "e+" not in text


def test_compound_units_are_put_together_from_their_parts():
    assert unit_of("kgCO2e/tkm").text == Text("kg CO₂e/t·km", "千克 CO₂e/吨公里")
    assert unit_of("yuan/attempt").text == Text("yuan/attempt", "元/次")


def test_labels_and_terms_exist_in_both_languages():
    assert set(LABEL_TEXTS) == set(LABELS)
    for text in [*TERMS.values(), *(part for pair in LABEL_TEXTS.values() for part in pair)]:
        assert text.en
        assert any("\u4e00" <= letter <= "\u9fff" for letter in text.zh), text


def test_sources_are_told_in_both_languages_where_they_are_known():
    assert source_text("run 91be07f3ad55").zh == "运行 91be07f3ad55"
    grid = source_text("Ministry of Ecology and Environment: CO2 emission factors of electricity 2023, 华东")
    assert (grid.en.rpartition(", ")[2], grid.zh.rpartition("，")[2]) == ("east China", "华东")
    assert source_text("A user's own survey") == Text("A user's own survey", "A user's own survey")


def test_sources_of_the_shipped_vehicles_have_a_chinese_text():
    vehicles = read("china-2025").tables["vehicles"]["source"].drop_nulls().unique()
    assert [source for source in vehicles if source_text(source).zh == source] == []
