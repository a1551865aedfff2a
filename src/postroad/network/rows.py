"""Turn a test over the rows of a frame into findings, without a loop over rows."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from functools import partial
from heapq import nlargest

import polars as pl

from postroad.core.findings import MAX_PER_CODE, Findings

__all__ = ["near_name", "report_rows"]

FIRST_ROW = 2
_ROW = "__row"
_HIT = "__hit"
_MANY_WORDS = 400
_NEAR_LENGTH = 3
_MAX_NEAR = 5
"""Findings of one test that are offered a near word; finding it takes a search through all words."""


def report_rows(
    findings: Findings,
    code: str,
    table: str,
    frame: pl.DataFrame,
    test: pl.Expr | pl.Series,
    column: str = "",
    *,
    value: str | None = None,
    near: Iterable[str] | None = None,
    **params: str | pl.Expr | int | float,
) -> None:
    """Add one finding for each row where the test holds.

    Parameters
    ----------
    findings: where to add.
    code: the code of the finding.
    table: name of the table that the frame holds.
    frame: rows in the order of the file; the first one is row 2. A column ``__row`` overrides the numbering.
    test: true where there is something to find; null counts as false.
    column: the column that is meant.
    value: the column whose value is shown; the one that is meant when None.
    near: words among which a near one is offered as the parameter ``near``.
    params: values for the texts; an expression gives each row's own and sees all rows of the frame.
    """
    mask = test if isinstance(test, pl.Series) else frame.select(test.alias(_HIT))[_HIT]
    if not mask.any():
        return
    shown = value if value is not None else column
    own = {name: given for name, given in params.items() if isinstance(given, pl.Expr)}
    fixed = {name: given for name, given in params.items() if name not in own}
    rows = frame if _ROW in frame.columns else frame.with_row_index(_ROW, offset=FIRST_ROW)
    hits = rows.with_columns(**{f"__{name}": given for name, given in own.items()}).filter(mask)
    kept = hits.head(MAX_PER_CODE)
    words = list(near) if near is not None else []
    for number, row in enumerate(kept.iter_rows(named=True)):
        text = _plain(row[shown]) if shown else ""
        extra = {"near": near_name(text, words) if number < _MAX_NEAR else "-"} if near is not None else {}
        own_values = {name: _plain(row[f"__{name}"]) for name in own}
        findings.add(code, table=table, row=row[_ROW], column=column, value=text, **fixed, **own_values, **extra)
    findings.count(code, len(hits) - len(kept))


def near_name(text: str, words: Iterable[str]) -> str:
    """The word most like the text; ``-`` when none is near.

    Among very many words only those of about the same length that share most at their ends are looked at.

    >>> near_name("facilties", ["facilities", "trips"])
    'facilities'
    """
    wanted = text.lower()
    lowered = {word.lower(): word for word in words}
    if len(lowered) > _MANY_WORDS:
        long = (word for word in lowered if abs(len(word) - len(wanted)) <= _NEAR_LENGTH)
        lowered = {word: lowered[word] for word in nlargest(_MANY_WORDS, long, key=partial(_shared_ends, wanted))}
    found = get_close_matches(wanted, list(lowered), n=1, cutoff=0.6)
    return lowered[found[0]] if found else "-"


def _shared_ends(wanted: str, word: str) -> int:
    """How many letters two words share at their beginning and their end."""
    return _shared_beginning(wanted, word) + _shared_beginning(wanted[::-1], word[::-1])


def _shared_beginning(one: str, other: str) -> int:
    for number, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return number
    return min(len(one), len(other))


def _plain(value: object) -> str:
    """A value as a person would write it in the table."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)
