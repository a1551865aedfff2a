"""Check digits of GS1 keys, citizen ids and unified credit codes. S10 identifiers have their own module."""

from __future__ import annotations

import re
from datetime import date

from postroad.core.findings import Finding

__all__ = [
    "check_citizen_id",
    "check_credit_code",
    "check_gln",
    "check_gsin",
    "check_gtin",
    "check_sscc",
    "citizen_digit",
    "credit_digit",
    "gs1_digit",
]

# GB 32100-2015: no I, O, S, V, Z.
CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CREDIT_WEIGHTS = tuple(3**place % 31 for place in range(17))
CREDIT_SHAPE = re.compile(f"[{CREDIT_ALPHABET}]{{2}}[0-9]{{6}}[{CREDIT_ALPHABET}]{{10}}")

CITIZEN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CITIZEN_DIGITS = "10X98765432"
CITIZEN_SHAPE = re.compile(r"[0-9]{17}[0-9X]")


def gs1_digit(body: str) -> str:
    """Give the check digit that follows the digits of a GS1 key: weights 3, 1, 3, 1 ... from the right, modulo 10.

    Source: GS1 General Specifications, section 7.9 (2024).

    >>> gs1_digit("690123456789")
    '2'
    """
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return str(-total % 10)


def citizen_digit(body: str) -> str:
    """Give the last character of a citizen id from its first 17 digits.

    Source: GB 11643-1999, after ISO 7064 MOD 11-2.

    >>> citizen_digit("11010519491231002")
    'X'
    """
    return CITIZEN_DIGITS[sum(weight * int(digit) for weight, digit in zip(CITIZEN_WEIGHTS, body, strict=True)) % 11]


def credit_digit(body: str) -> str:
    """Give the last character of a unified social credit code from its first 17.

    Source: GB 32100-2015, after ISO 7064 MOD 31-3.

    >>> credit_digit("91350100M000100Y4")
    '3'
    """
    values = (CREDIT_ALPHABET.index(sign) for sign in body)
    return CREDIT_ALPHABET[-sum(weight * value for weight, value in zip(CREDIT_WEIGHTS, values, strict=True)) % 31]


def check_sscc(text: str) -> Finding | None:
    """Say what is wrong with a Serial Shipping Container Code (18 digits): PR-C010, PR-C011 or None."""
    return _check_gs1(text, "SSCC", (18,))


def check_gsin(text: str) -> Finding | None:
    """Say what is wrong with a Global Shipment Identification Number (17 digits): PR-C010, PR-C011 or None."""
    return _check_gs1(text, "GSIN", (17,))


def check_gln(text: str) -> Finding | None:
    """Say what is wrong with a Global Location Number (13 digits): PR-C010, PR-C011 or None."""
    return _check_gs1(text, "GLN", (13,))


def check_gtin(text: str) -> Finding | None:
    """Say what is wrong with a Global Trade Item Number (8, 12, 13 or 14 digits): PR-C010, PR-C011 or None."""
    return _check_gs1(text, "GTIN", (8, 12, 13, 14))


def check_citizen_id(text: str) -> Finding | None:
    """Say what is wrong with a citizen id (18 characters): PR-C010, PR-C011, PR-C014 (birth date) or None.

    Assumes: the first six digits are not looked up; districts come and go, and an old id keeps its old one.

    >>> check_citizen_id("440524188001010014") is None
    True
    """
    kind = {"kind": "Citizen id", "kind_zh": "公民身份号码"}
    if CITIZEN_SHAPE.fullmatch(text) is None:
        return Finding("PR-C010", value=text, params={**kind, "form": "99999919491231999X"})
    try:
        date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return Finding("PR-C014", value=text, params={"birth": text[6:14]})
    return _compare(text, citizen_digit(text[:-1]), kind)


def check_credit_code(text: str) -> Finding | None:
    """Say what is wrong with a unified social credit code (18 characters): PR-C010, PR-C011 or None.

    >>> check_credit_code("91350100M000100Y43") is None
    True
    """
    kind = {"kind": "Unified social credit code", "kind_zh": "统一社会信用代码"}
    if CREDIT_SHAPE.fullmatch(text) is None:
        return Finding("PR-C010", value=text, params={**kind, "form": "AA999999AAAAAAAAAA"})
    return _compare(text, credit_digit(text[:-1]), kind)


def _check_gs1(text: str, kind: str, lengths: tuple[int, ...]) -> Finding | None:
    """Check one GS1 key of digits."""
    params = {"kind": kind, "kind_zh": kind}
    if len(text) not in lengths or re.fullmatch(r"[0-9]+", text) is None:
        return Finding("PR-C010", value=text, params={**params, "form": " / ".join("9" * n for n in lengths)})
    return _compare(text, gs1_digit(text[:-1]), params)


def _compare(text: str, expected: str, kind: dict[str, object]) -> Finding | None:
    """Compare the last character with what it should be."""
    if text[-1] == expected:
        return None
    return Finding("PR-C011", value=text, params={**kind, "got": text[-1], "expected": expected})
