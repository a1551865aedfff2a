"""UPU S10 item identifiers: two letters, eight digits, a check digit and the country of the issuing post.

Source: UPU standard S10-12 (2017).
"""

from __future__ import annotations

import re

import numpy as np

from postroad.core.countries import COUNTRIES
from postroad.core.errors import InputError
from postroad.core.findings import Finding

__all__ = [
    "DOMESTIC_INDICATORS",
    "N_DOMESTIC",
    "check_s10",
    "domestic_s10",
    "normalise_s10",
    "s10_digits",
    "s10_from_serial",
]

N_SERIALS = 10**8
WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
SHAPE = re.compile(r"[A-Z]{2}[0-9]{9}[A-Z]{2}")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

# Indicators for domestic, bilateral or multilateral use only: an identifier that begins with one of them can never be
# mistaken for an item of the international mail. Z comes first.
DOMESTIC_INDICATORS = (*(first + second for first in "ZBDNP" for second in LETTERS), "GA", "GD")
N_DOMESTIC = len(DOMESTIC_INDICATORS) * N_SERIALS


def s10_digits(serials: np.ndarray | int) -> np.ndarray:
    """Give the check digits of serial numbers.

    Parameters
    ----------
    serials: integers in 0..99,999,999, any shape.

    Returns
    -------
    int64 of the same shape, 0..9: ``11 - (weighted sum mod 11)``, where 10 becomes 0 and 11 becomes 5.

    >>> int(s10_digits(47312482))
    9
    """
    rest = np.asarray(serials, dtype=np.int64)
    total = np.zeros(rest.shape, dtype=np.int64)
    for weight in reversed(WEIGHTS):
        rest, digit = np.divmod(rest, 10)
        total += weight * digit
    digits = 11 - total % 11
    return np.where(digits == 10, 0, np.where(digits == 11, 5, digits))


def s10_from_serial(indicator: str, serials: np.ndarray, country: str = "CN") -> np.ndarray:
    """Compose valid identifiers from serial numbers.

    Parameters
    ----------
    indicator: service indicator, two capital letters.
    serials: integers in 0..99,999,999, shape (n,).
    country: country of the issuing post, ISO 3166-1 alpha-2.

    Returns
    -------
    Text of 13 characters, shape (n,), dtype ``<U13``.

    Raises
    ------
    InputError: PR-C010 for a bad indicator, PR-C012 for an unknown country, PR-C015 for a serial out of range.

    >>> s10_from_serial("RB", np.array([12345678]), "GB").tolist()
    ['RB123456785GB']
    """
    if re.fullmatch(r"[A-Z]{2}", indicator) is None:
        raise InputError("PR-C010", kind="S10 indicator", kind_zh="S10 业务标识", value=indicator, form="AA")
    if country not in COUNTRIES:
        raise InputError("PR-C012", value=indicator, country=country)
    serials = np.asarray(serials, dtype=np.int64)
    if serials.size and (serials.min() < 0 or serials.max() >= N_SERIALS):
        worst = serials.min() if serials.min() < 0 else serials.max()
        raise InputError("PR-C015", value=int(worst), limit=N_SERIALS - 1)
    return _write(np.full(serials.shape, indicator), serials, country)


def domestic_s10(numbers: np.ndarray, country: str = "CN") -> np.ndarray:
    """Give running numbers valid identifiers that are reserved for domestic use.

    Parameters
    ----------
    numbers: integers in 0..13,199,999,999 (``N_DOMESTIC - 1``), shape (n,); equal numbers give equal identifiers.
    country: country of the issuing post.

    Returns
    -------
    Text of 13 characters, shape (n,), dtype ``<U13``.

    Raises
    ------
    InputError: PR-C015 for a number out of range.

    >>> domestic_s10(np.array([0, 100_000_001])).tolist()
    ['ZA000000005CN', 'ZB000000014CN']
    """
    numbers = np.asarray(numbers, dtype=np.int64)
    if numbers.size and (numbers.min() < 0 or numbers.max() >= N_DOMESTIC):
        worst = numbers.min() if numbers.min() < 0 else numbers.max()
        raise InputError("PR-C015", value=int(worst), limit=N_DOMESTIC - 1)
    indicators, serials = np.divmod(numbers, N_SERIALS)
    return _write(np.array(DOMESTIC_INDICATORS)[indicators], serials, country)


def normalise_s10(text: str) -> str:
    """Write an identifier as the standard does: capitals, no spaces.

    >>> normalise_s10("rb 123 456 785 gb")
    'RB123456785GB'
    """
    return "".join(text.split()).upper()


def check_s10(text: str) -> Finding | None:
    """Say what is wrong with an identifier in its normal form; None when nothing is.

    Returns
    -------
    A finding PR-C010 (shape), PR-C011 (check digit) or PR-C012 (no such country), or None.

    Assumes: the issuing post is of a country of ISO 3166-1; the service indicator may be any two letters.

    >>> check_s10("RB123456785GB") is None
    True
    >>> check_s10("RB123456786US").code
    'PR-C011'
    """
    if SHAPE.fullmatch(text) is None:
        params = {"kind": "S10 identifier", "kind_zh": "S10 邮件号码", "form": "AA999999999AA"}
        return Finding("PR-C010", value=text, params=params)
    expected = int(s10_digits(int(text[2:10])))
    if int(text[10]) != expected:
        params = {"kind": "S10 identifier", "kind_zh": "S10 邮件号码", "got": text[10], "expected": expected}
        return Finding("PR-C011", value=text, params=params)
    if text[11:] not in COUNTRIES:
        return Finding("PR-C012", value=text, params={"country": text[11:]})
    return None


def _write(indicators: np.ndarray, serials: np.ndarray, country: str) -> np.ndarray:
    """Put the characters of identifiers side by side, one code point a column."""
    points = np.empty((serials.size, 13), dtype=np.uint32)
    points[:, :2] = np.ascontiguousarray(indicators.ravel(), dtype="<U2").view(np.uint32).reshape(-1, 2)
    rest = serials.ravel().copy()
    for column in range(9, 1, -1):
        rest, digit = np.divmod(rest, 10)
        points[:, column] = digit + ord("0")
    points[:, 10] = s10_digits(serials.ravel()) + ord("0")
    points[:, 11:] = np.array([ord(letter) for letter in country], dtype=np.uint32)
    return points.view("<U13").reshape(serials.shape)
