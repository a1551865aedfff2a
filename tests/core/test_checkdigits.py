"""Check digits of GS1 keys, citizen ids and credit codes: published vectors and single slips."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.core.checkdigits import (
    CREDIT_ALPHABET,
    check_citizen_id,
    check_credit_code,
    check_gln,
    check_gsin,
    check_gtin,
    check_sscc,
    citizen_digit,
    credit_digit,
    gs1_digit,
)

CHECKS = {
    "GS1 SSCC (AI 00, 18 digits)": [check_sscc],
    "GS1 GSIN (AI 402, 17 digits)": [check_gsin],
    "GS1 GLN/GTIN-13": [check_gln, check_gtin],
    "GB 11643 citizen id": [check_citizen_id],
    "GB 32100 unified social credit code": [check_credit_code],
}


def vectors():
    with (Path(__file__).parent / "data" / "check_digit_vectors.csv").open(encoding="utf-8") as handle:
        return [
            pytest.param(check, row["value"], row["validity"], id=f"{check.__name__}-{row['value']}")
            for row in csv.DictReader(handle)
            for check in CHECKS.get(row["scheme"], [])
        ]


@pytest.mark.parametrize(("check", "value", "validity"), vectors())
def test_published_vectors(check, value, validity):
    assert (check(value) is None) == (validity == "valid")


def test_there_are_vectors():
    assert {vector.values[0] for vector in vectors()} == {check for checks in CHECKS.values() for check in checks}


@given(st.text("0123456789", min_size=17, max_size=17), st.integers(0, 17), st.integers(1, 9))
def test_every_single_wrong_digit_of_an_sscc_is_noticed(body, place, shift):
    text = body + gs1_digit(body)
    assert check_sscc(text) is None
    wrong = text[:place] + str((int(text[place]) + shift) % 10) + text[place + 1 :]
    assert check_sscc(wrong).code == "PR-C011"


@given(st.dates(), st.integers(0, 999), st.integers(0, 16), st.integers(1, 9))
def test_every_single_wrong_digit_of_a_citizen_id_is_noticed(birth, order, place, shift):
    body = f"110105{birth.year:04d}{birth.month:02d}{birth.day:02d}{order:03d}"
    text = body + citizen_digit(body)
    assert check_citizen_id(text) is None
    wrong = text[:place] + str((int(text[place]) + shift) % 10) + text[place + 1 :]
    assert check_citizen_id(wrong).code in ("PR-C011", "PR-C014")


@given(
    st.text(CREDIT_ALPHABET, min_size=9, max_size=9),
    st.text("0123456789", min_size=6, max_size=6),
    st.integers(8, 16),
    st.integers(1, 30),
)
def test_every_single_wrong_sign_of_a_credit_code_is_noticed(signs, area, place, shift):
    body = "91" + area + signs
    text = body + credit_digit(body)
    assert check_credit_code(text) is None
    other = CREDIT_ALPHABET[(CREDIT_ALPHABET.index(text[place]) + shift) % 31]
    assert check_credit_code(text[:place] + other + text[place + 1 :]).code == "PR-C011"


@pytest.mark.parametrize(
    ("check", "value", "code"),
    [
        (check_sscc, "10614141234567890", "PR-C010"),
        (check_sscc, "1061414123456789０8", "PR-C010"),
        (check_gtin, "123456789012345", "PR-C010"),
        (check_citizen_id, "11010519491231002x", "PR-C010"),
        (check_citizen_id, "110105194902310021", "PR-C014"),
        (check_citizen_id, "110105194912310021", "PR-C011"),
        (check_credit_code, "91350100I000100Y43", "PR-C010"),
        (check_credit_code, "91350100M000100Y44", "PR-C011"),
    ],
)
def test_reasons(check, value, code):
    finding = check(value)
    assert finding.code == code
    for language in ("en", "zh"):
        assert "{" not in finding.message(language) + finding.fix(language)
