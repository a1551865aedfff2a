"""Waybill numbers: published examples, one number against a column of them, and how they are written."""

import csv
import re
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.core.s10 import domestic_s10
from postroad.exchange.waybills import (
    STRENGTHS,
    normal_number,
    normalise_number,
    patterns,
    recognise_column,
    recognise_number,
)

DATA = Path(__file__).parent / "data"
VECTORS = Path(__file__).parents[1] / "core" / "data" / "check_digit_vectors.csv"


def vectors(scheme):
    with VECTORS.open(encoding="utf-8") as handle:
        return [(row["value"], row["validity"]) for row in csv.DictReader(handle) if row["scheme"].startswith(scheme)]


def best(text):
    """Pattern, strength and check of the best candidate."""
    found = recognise_number(text)
    return (found[0].pattern.pattern_id, found[0].strength, found[0].check) if found else None


@pytest.mark.parametrize(("value", "validity"), vectors("UPU S10"))
def test_s10_vectors(value, validity):
    (candidate,) = recognise_number(value)
    assert candidate.check == ("passed" if validity == "valid" else "failed")
    assert candidate.strength == ("strong" if validity == "valid" else "weak")


@pytest.mark.parametrize(("value", "validity"), vectors("GS1 SSCC"))
def test_sscc_vectors(value, validity):
    assert validity == "valid"
    assert best(value) == ("sscc", "fair", "passed")
    assert best("00" + value) == ("sscc-ai", "strong", "passed")
    assert best("(00)" + value) is None  # brackets belong to the human-readable line, not to the number


@pytest.mark.parametrize(("scheme", "pattern_id"), [("DHL Express", "dhl-10"), ("FedEx 12", "fedex-12")])
def test_vectors_of_carriers(scheme, pattern_id):
    pairs = vectors(scheme)
    assert {validity for _, validity in pairs} == {"valid", "invalid"}
    for value, validity in pairs:
        (candidate,) = (found for found in recognise_number(value) if found.pattern.pattern_id == pattern_id)
        assert candidate.check == ("passed" if validity == "valid" else "failed")


def test_yunexpress_is_not_yto():
    ((value, _),) = vectors("YunExpress")
    assert best(value) == ("yunexpress", "strong", "")
    assert best(value[:15]) == ("yto", "strong", "")


@pytest.mark.parametrize(
    ("text", "carrier", "strength"),
    [
        ("SF1234567890123", "SF", "strong"),
        ("ｓｆ１２３４５６７８９０１２３", "SF", "strong"),
        ("YT1234567890123", "YTO", "strong"),
        ("JT5123456789012", "JTSD", "strong"),
        ("JDVA00123456789", "JD", "fair"),
        ("75812345678901", "ZTO", "fair"),
        ("773123456789012", "STO", "fair"),
        ("431234567890123", "YD", "fair"),
        ("DPK123456789012", "DBL", "fair"),
        ("EE 000 000 005 CN", "EMS", "strong"),
        ("RR987654326CN", "YZPY", "strong"),
        ("1234567890123", "YZPY", "weak"),
    ],
)
def test_examples(text, carrier, strength):
    found = recognise_number(text)
    assert (found[0].carrier, found[0].strength) == (carrier, strength)


def test_twelve_digits_may_be_three_things():
    assert {found.carrier for found in recognise_number("986578788855")} == {"FEDEX", "SF", "STO"}


def test_what_fits_nothing():
    assert recognise_number("") == []
    assert recognise_number("运单") == []


def test_every_published_shape_is_a_pattern():
    """The shapes of the facts, taken over one by one."""
    rows = list(csv.DictReader((DATA / "waybill_patterns.csv").read_text(encoding="utf-8").splitlines()))
    ours = {pattern.pattern.replace("[0-9]", r"\d") for pattern in patterns().values()}
    assert len(rows) == 11
    assert {row["regex"] for row in rows} <= {text.replace("[0-9A-Z]", "[0-9A-Z]") for text in ours} | {r"^\d{12}$"}


def test_patterns_are_whole():
    assert all(pattern.source and pattern.mark in ("sourced", "unverified") for pattern in patterns().values())
    assert {pattern.strength for pattern in patterns().values()} == set(STRENGTHS)


NUMBERS = st.one_of(
    st.sampled_from(list(patterns().values())).flatmap(
        lambda pattern: st.from_regex(pattern.pattern.rstrip("$") + r"\Z")
    ),
    st.text(max_size=20),
    st.integers(0, 10**10).map(lambda number: domestic_s10([number])[0].item()),
)


@given(st.lists(NUMBERS, max_size=10))
def test_a_column_agrees_with_one_by_one(texts):
    frame = recognise_column(pl.Series(texts, dtype=pl.String))
    assert frame["number"].to_list() == [normalise_number(text) for text in texts]
    for text, row in zip(texts, frame.iter_rows(named=True), strict=True):
        found = recognise_number(text)
        assert row["n_candidates"] == len(found)
        assert set(row["candidates"]) == {candidate.pattern.pattern_id for candidate in found}
        got = (row["pattern_id"], row["carrier"], row["strength"], row["check"])
        first = found[0] if found else None
        wanted = (first.pattern.pattern_id, first.carrier, first.strength, first.check) if first else (None,) * 4
        assert got == wanted


@given(st.text("aZ09ｓＦ１２ \t-–　\u200b/运", max_size=30))
def test_normal_form_is_normal(text):
    number = normalise_number(text)
    assert normalise_number(number) == number
    assert not re.search(r"[\s-]", number)


def test_nulls_stay():
    assert normal_number(pl.Series([None, "a b"], dtype=pl.String)).to_list() == [None, "AB"]
    frame = recognise_column(pl.Series([None], dtype=pl.String))
    assert frame.row(0) == (None, None, None, None, None, 0, [])
