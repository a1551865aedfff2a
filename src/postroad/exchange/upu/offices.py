"""Offices of exchange by their IMPC codes, and the UPU's short lists of mail categories and sub-classes."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from postroad.core.countries import COUNTRIES
from postroad.core.findings import Finding

__all__ = ["Office", "Term", "check_office", "offices", "terms"]

SHAPE = re.compile(r"[A-Z]{6}")


@dataclass(frozen=True, slots=True)
class Office:
    """One office of exchange: IMPC code, country, name, operator (UPU S31 code and name), mark and source."""

    impc: str
    country: str
    name: str
    operator_code: str
    operator: str
    mark: str
    source: str


@dataclass(frozen=True, slots=True)
class Term:
    """One code of UPU list 115 or 117; ``code`` may end in ``*``, for all codes that begin with its letter."""

    list: str
    code: str
    meaning_en: str
    meaning_zh: str
    mark: str
    source: str


@cache
def offices() -> Mapping[str, Office]:
    """The offices that are shipped, by IMPC code: 168 of China.

    **Source** a public snapshot of the UPU's list of offices of exchange (list 108); its age is not known, so every
    row is marked ``unverified``.

    >>> offices()["CNBJSA"].name
    'BEIJING'
    """
    return {row["impc"]: Office(**row) for row in _rows("offices.csv")}


@cache
def terms(number: str) -> Mapping[str, Term]:
    """The codes of a UPU list: ``115`` mail categories, ``117`` mail sub-classes (as far as our sources give them).

    >>> terms("115")["A"].meaning_en
    'Airmail or priority'
    """
    return {row["code"]: Term(**row) for row in _rows("categories.csv") if row["list"] == number}


def check_office(text: str) -> Finding | None:
    """Say what is wrong or odd about the code of an office of exchange.

    Parameters
    ----------
    text: two letters of the country, three of the place, one of the office.

    Returns
    -------
    A finding PR-C010 (form), PR-C012 (no such country), PR-E301 (a warning: the country's offices are shipped and this
    one is not among them), or None.

    >>> check_office("CNBJSA") is None, check_office("CNBJS1").code
    (True, 'PR-C010')
    """
    if SHAPE.fullmatch(text) is None:
        params = {"kind": "Office of exchange", "kind_zh": "互换局代码", "form": "AAAAAA"}
        return Finding("PR-C010", value=text, params=params)
    if text[:2] not in COUNTRIES:
        return Finding("PR-C012", value=text, params={"country": text[:2]})
    if text not in offices() and any(office.country == text[:2] for office in offices().values()):
        return Finding("PR-E301", value=text, params={"country": text[:2]})
    return None


def _rows(name: str) -> list[dict[str, str]]:
    """Rows of one of this package's tables."""
    with files("postroad.exchange.upu").joinpath(name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))
