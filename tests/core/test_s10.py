"""S10 identifiers: published vectors, the slow formula, and what is refused."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.core.countries import COUNTRIES
from postroad.core.errors import InputError
from postroad.core.s10 import (
    DOMESTIC_INDICATORS,
    N_DOMESTIC,
    check_s10,
    domestic_s10,
    normalise_s10,
    s10_digits,
    s10_from_serial,
)

VECTORS = Path(__file__).parent / "data" / "check_digit_vectors.csv"


def vectors(scheme):
    with VECTORS.open(encoding="utf-8") as handle:
        return [(row["value"], row["validity"]) for row in csv.DictReader(handle) if row["scheme"] == scheme]


def slow_digit(serial):
    """The formula as UPU S10 writes it."""
    total = sum(int(digit) * weight for digit, weight in zip(f"{serial:08d}", (8, 6, 4, 2, 3, 5, 9, 7), strict=True))
    digit = 11 - total % 11
    return {10: 0, 11: 5}.get(digit, digit)


@pytest.mark.parametrize(("value", "validity"), vectors("UPU S10"))
def test_published_vectors(value, validity):
    assert (check_s10(value) is None) == (validity == "valid")


def test_there_are_vectors():
    assert len(vectors("UPU S10")) == 8


@given(st.lists(st.integers(0, 10**8 - 1), min_size=1, max_size=20))
def test_digits_agree_with_the_formula(serials):
    assert s10_digits(np.array(serials)).tolist() == [slow_digit(serial) for serial in serials]


def test_special_cases():
    assert int(s10_digits(0)) == 5  # 11 becomes 5
    assert int(s10_digits(8)) == 0  # 56 mod 11 = 1, 10 becomes 0


@given(
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=2),
    st.lists(st.integers(0, 10**8 - 1), min_size=0, max_size=20),
    st.sampled_from(sorted(COUNTRIES)),
)
def test_composed_identifiers_are_valid(indicator, serials, country):
    texts = s10_from_serial(indicator, np.array(serials, dtype=np.int64), country)
    assert texts.dtype == np.dtype("<U13")
    for serial, text in zip(serials, texts.tolist(), strict=True):
        assert check_s10(text) is None
        assert text == f"{indicator}{serial:08d}{slow_digit(serial)}{country}"


@given(st.integers(0, N_DOMESTIC - 1), st.integers(0, N_DOMESTIC - 1))
def test_domestic_numbers_are_valid_and_distinct(one, other):
    first, second = domestic_s10(np.array([one, other])).tolist()
    assert check_s10(first) is None
    assert first[:2] in DOMESTIC_INDICATORS
    assert (first == second) == (one == other)


def test_domestic_indicators_are_never_international():
    assert len(set(DOMESTIC_INDICATORS)) == len(DOMESTIC_INDICATORS) == 132
    assert not {text[0] for text in DOMESTIC_INDICATORS} & set("ACEHLMQRUV")


@given(st.integers(0, 10**8 - 1), st.integers(2, 10), st.integers(1, 9))
def test_one_wrong_digit_is_noticed_unless_the_special_cases_hide_it(serial, place, shift):
    text = s10_from_serial("RR", np.array([serial]))[0]
    wrong = text[:place] + str((int(text[place]) + shift) % 10) + text[place + 1 :]
    expected = slow_digit(int(wrong[2:10]))
    finding = check_s10(wrong)
    assert (finding is None) == (int(wrong[10]) == expected)
    if place == 10:
        assert finding is not None


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("rb123456785gb", "PR-C010"),
        ("RB123456785GB\n", "PR-C010"),
        ("RB12345678５GB", "PR-C010"),
        ("", "PR-C010"),
        ("RB123456786US", "PR-C011"),
        ("RB123456785XX", "PR-C012"),
    ],
)
def test_reasons(value, code):
    finding = check_s10(value)
    assert finding.code == code
    assert value in finding.message()
    assert value in finding.message("zh")


def test_normal_form():
    assert check_s10(normalise_s10(" rb 123456785 gb")) is None


@pytest.mark.parametrize("serial", [-1, 10**8])
def test_serial_out_of_range(serial):
    with pytest.raises(InputError) as caught:
        s10_from_serial("RR", np.array([0, serial]))
    assert caught.value.code == "PR-C015"
    assert str(serial) in caught.value.message()


def test_other_refusals():
    with pytest.raises(InputError) as caught:
        s10_from_serial("R1", np.array([1]))
    assert caught.value.code == "PR-C010"
    with pytest.raises(InputError) as caught:
        s10_from_serial("RR", np.array([1]), "ZZ")
    assert caught.value.code == "PR-C012"
    with pytest.raises(InputError) as caught:
        domestic_s10(np.array([N_DOMESTIC]))
    assert caught.value.code == "PR-C015"
