"""Whose number is this: carriers and shapes of waybill numbers.

Shapes of private carriers are what public code bases agree on, not what carriers promise: they change, and several
carriers share one. So every shape that fits is a candidate, with a strength, and a wrong check digit makes a candidate
weak but never removes it. Where a standard gives a check digit (UPU S10, GS1 SSCC), it is looked at.

**Source** the table ``waybills.csv``, row by row with source and mark.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import polars as pl

from postroad.core.checkdigits import gs1_digit
from postroad.core.countries import COUNTRIES
from postroad.core.s10 import check_s10, s10_digits

__all__ = [
    "UNCLEAN",
    "Candidate",
    "Pattern",
    "is_s10",
    "normal_number",
    "normalise_number",
    "patterns",
    "recognise_column",
    "recognise_number",
]

STRENGTHS = ("strong", "fair", "weak")
# Spaces, hyphens and dashes of any kind, and characters that nobody sees.
IGNORED = "[\x00-\x20\x7f-\xa0\u00ad\u1680\u2000-\u2015\u2028\u2029\u202f\u205f\u2060\u2212\u3000\ufeff\\-]"
UNCLEAN = "[^0-9A-Z]"
"""What a number in its normal form does not hold."""

FEDEX_WEIGHTS = (3, 1, 7) * 3 + (3, 1)


@dataclass(frozen=True, slots=True)
class Pattern:
    """One shape of a carrier's numbers.

    Attributes
    ----------
    pattern_id: its name.
    carrier: short code of the carrier, ``S10`` or ``SSCC`` where the number names none.
    name_en, name_zh: name of the carrier.
    pattern: regular expression over the number in its normal form.
    strength: ``strong``, ``fair`` or ``weak``; holds when the check digit, if there is one, is right.
    check: ``s10``, ``gs1``, ``fedex12``, ``dhl7``, or empty when there is no public check digit.
    mark: ``sourced`` or ``unverified``.
    note, source: what else is known, and where it comes from.
    """

    pattern_id: str
    carrier: str
    name_en: str
    name_zh: str
    pattern: str
    strength: str
    check: str
    mark: str
    note: str
    source: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A shape that a number has; ``check`` is ``passed``, ``failed`` or empty, a failed one makes it ``weak``."""

    pattern: Pattern
    strength: str
    check: str

    @property
    def carrier(self) -> str:
        """Short code of the carrier."""
        return self.pattern.carrier


@cache
def patterns() -> Mapping[str, Pattern]:
    """All shapes by id, in the order in which equally strong ones are preferred.

    >>> patterns()["sf"].name_en
    'SF Express'
    """
    with files("postroad.exchange").joinpath("waybills.csv").open(encoding="utf-8", newline="") as handle:
        return {row["pattern_id"]: Pattern(**row) for row in csv.DictReader(handle)}


def normalise_number(text: str) -> str:
    """Write a number as its carrier does: half-width, capitals, no spaces, no dashes.

    **Assumes** dashes separate groups for the eye; a piece number after a dash becomes part of the number.

    >>> normalise_number(" ｓｆ 1234-5678-90123 ")
    'SF1234567890123'
    """
    return re.sub(IGNORED, "", unicodedata.normalize("NFKC", text)).upper()


def normal_number(numbers: pl.Series) -> pl.Series:
    """Write a column of numbers as :func:`normalise_number` does; null stays null.

    Only those that hold something else than capitals and digits are worked on.

    Parameters
    ----------
    numbers: text (n,).
    """
    unclean = numbers.str.contains(UNCLEAN).fill_null(False)
    if not unclean.any():
        return numbers
    cleaned = numbers.filter(unclean).str.normalize("NFKC").str.replace_all(IGNORED, "").str.to_uppercase()
    return numbers.scatter(unclean.arg_true(), cleaned)


def is_s10(numbers: pl.Series) -> pl.Series:
    """Which numbers are S10 identifiers with the right check digit and a country that exists: bool (n,).

    Parameters
    ----------
    numbers: text (n,) in its normal form.

    >>> is_s10(pl.Series(["RB123456785GB", "RB123456786GB", None])).to_list()
    [True, False, False]
    """
    hits = numbers.str.contains("^[A-Z]{2}[0-9]{9}[A-Z]{2}$").fill_null(False)
    return pl.Series(_check_column("s10", numbers, hits) == PASSED)


def recognise_number(text: str) -> list[Candidate]:
    """Say whose number this may be.

    Parameters
    ----------
    text: a number as somebody wrote it.

    Returns
    -------
    All shapes that fit, strongest first, those equally strong in the order of the table; empty when none fits.

    >>> [(found.carrier, found.strength, found.check) for found in recognise_number("rb 123 456 785 gb")]
    [('S10', 'strong', 'passed')]
    """
    number = normalise_number(text)
    found = [_candidate(pattern, number) for pattern in patterns().values() if re.search(pattern.pattern, number)]
    return sorted(found, key=lambda candidate: STRENGTHS.index(candidate.strength))


def recognise_column(numbers: pl.Series) -> pl.DataFrame:
    """Say whose numbers these may be, a column at a time.

    Parameters
    ----------
    numbers: text (n,), as somebody wrote them.

    Returns
    -------
    Frame of n rows: ``number`` in its normal form, the best candidate's ``carrier``, ``pattern_id``, ``strength`` and
    ``check`` (null when no shape fits), ``n_candidates`` (int32), and ``candidates``, the ids of all shapes that fit,
    in the order of the table.

    >>> recognise_column(pl.Series(["SF1234567890123", "?"]))["carrier"].to_list()
    ['SF', None]
    """
    number = normal_number(numbers.cast(pl.String)).alias("number")
    table = list(patterns().values())
    hits = number.to_frame().select(
        pl.col("number").str.contains(pattern.pattern).fill_null(False).alias(pattern.pattern_id) for pattern in table
    )
    checks = {pattern.pattern_id: _check_column(pattern.check, number, hits[pattern.pattern_id]) for pattern in table}
    scores = np.zeros((len(table), len(number)), dtype=np.int8)
    for place, pattern in enumerate(table):
        grade = np.where(checks[pattern.pattern_id] == FAILED, 2, STRENGTHS.index(pattern.strength))
        scores[place] = np.where(hits[pattern.pattern_id].to_numpy(), 3 - grade, 0)
    best = scores.argmax(axis=0) if len(number) else np.zeros(0, dtype=np.int64)
    top = scores.max(axis=0) if len(number) else np.zeros(0, dtype=np.int8)
    verdicts = np.array([checks[pattern.pattern_id] for pattern in table])[best, np.arange(len(number))]
    is_found = pl.Series(top > 0)
    chosen = pl.DataFrame(
        {
            "carrier": pl.Series([pattern.carrier for pattern in table])[best],
            "pattern_id": pl.Series([pattern.pattern_id for pattern in table])[best],
            "strength": pl.Series(["", *reversed(STRENGTHS)])[top.astype(np.int64)],
            "check": pl.Series(["", "passed", "failed"])[verdicts.astype(np.int64)],
        }
    )
    chosen = chosen.select(pl.when(is_found).then(pl.all()))
    n_candidates = pl.Series("n_candidates", (scores > 0).sum(axis=0, dtype=np.int32))
    return pl.DataFrame([number, *chosen, n_candidates, _list_candidates(scores > 0, table)])


NO_CHECK, PASSED, FAILED = 0, 1, 2


def _list_candidates(hits: np.ndarray, table: list[Pattern]) -> pl.Series:
    """The ids of the shapes that fit each number; a set of shapes is spelt out once."""
    bits = (np.int64(1) << np.arange(len(table), dtype=np.int64)) @ hits.astype(np.int64)
    sets = np.unique(bits)
    spelt = [[pattern.pattern_id for place, pattern in enumerate(table) if mask >> place & 1] for mask in sets.tolist()]
    return pl.Series("candidates", spelt, dtype=pl.List(pl.String))[np.searchsorted(sets, bits)]


def _candidate(pattern: Pattern, number: str) -> Candidate:
    """One shape that fits, with what its check digit says."""
    if not pattern.check:
        return Candidate(pattern, pattern.strength, "")
    is_right = CHECKS[pattern.check](number)
    return Candidate(pattern, pattern.strength if is_right else "weak", "passed" if is_right else "failed")


def _is_gs1(number: str) -> bool:
    """Whether the check digit of an SSCC is right, with or without its application identifier."""
    return gs1_digit(number[-18:-1]) == number[-1]


def _is_fedex(number: str) -> bool:
    """Whether the last digit is the weighted sum of the others modulo 11, modulo 10."""
    total = sum(int(digit) * weight for digit, weight in zip(number[:11], FEDEX_WEIGHTS, strict=True))
    return total % 11 % 10 == int(number[11])


CHECKS: Mapping[str, Callable[[str], bool]] = {
    "s10": lambda number: check_s10(number) is None,
    "gs1": _is_gs1,
    "fedex12": _is_fedex,
    "dhl7": lambda number: int(number[:9]) % 7 == int(number[9]),
}


def _check_column(check: str, numbers: pl.Series, hits: pl.Series) -> np.ndarray:
    """What the check digits of the numbers that have a shape say: int8 (n,), NO_CHECK, PASSED or FAILED."""
    verdicts = np.zeros(len(numbers), dtype=np.int8)
    if not check or not hits.any():
        return verdicts
    texts = numbers.filter(hits)
    signs = np.array(texts.to_list(), dtype="S").view(np.uint8).reshape(len(texts), -1).astype(np.int64) - ord("0")
    if check == "s10":
        serials = signs[:, 2:10] @ (10 ** np.arange(7, -1, -1))
        is_right = (s10_digits(serials) == signs[:, 10]) & texts.str.slice(11).is_in(list(COUNTRIES)).to_numpy()
    elif check == "gs1":
        weights = np.where(np.arange(17) % 2 == 0, 3, 1)
        is_right = -(signs[:, -18:-1] @ weights) % 10 == signs[:, -1]
    elif check == "fedex12":
        is_right = signs[:, :11] @ np.array(FEDEX_WEIGHTS) % 11 % 10 == signs[:, 11]
    else:
        is_right = signs[:, :9] @ (10 ** np.arange(8, -1, -1)) % 7 == signs[:, 9]
    verdicts[hits.to_numpy()] = np.where(is_right, PASSED, FAILED)
    return verdicts
