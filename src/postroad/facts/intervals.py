"""What a rounded figure can mean, and what can be decided with it.

A figure printed as 80.97 stands for every number that rounds to it: [80.965, 80.975). A comparison with a target is met
when every number of the interval meets it, not met when none does, and else not decidable at the published precision.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from postroad.core.errors import InputError

__all__ = ["Interval", "Verdict", "interval", "verdict"]

_MAGNITUDES = {"": 1, "%": 1, "千": 10**3, "万": 10**4, "百万": 10**6, "亿": 10**8, "百亿": 10**10, "万亿": 10**12}
_SYNONYMS = {"超": ">", ">=": "≥", "<=": "≤", "约": "~", "近": "~"}
_PATTERN = re.compile(
    r"(?P<form>>=|<=|[>≥<≤~约近超]?)\s*(?P<number>[+-]?\d[\d,]*(?:\.\d+)?)\s*(?P<magnitude>千|百万|百亿|万亿|万|亿|%|)"
)


@dataclass(frozen=True, slots=True)
class Interval:
    """The numbers that a printed figure can stand for, from ``low`` to ``high``; an open end leaves its bound out."""

    low: float
    high: float
    is_low_open: bool = False
    is_high_open: bool = True

    def __contains__(self, value: float) -> bool:
        above = value > self.low if self.is_low_open else value >= self.low
        below = value < self.high if self.is_high_open else value <= self.high
        return above and below

    def __str__(self) -> str:
        return f"{'(' if self.is_low_open else '['}{self.low:g}, {self.high:g}{')' if self.is_high_open else ']'}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A three-valued answer and, when it is ``not decidable``, why: precision, definition changed or not published."""

    state: Literal["met", "not met", "not decidable"]
    reason: str = ""


def interval(text: str) -> Interval:
    """Read what a printed figure can mean.

    A bare number stands for what rounds to its last printed digit. ``~`` (约, 近) counts the last digit that is not
    zero instead. ``>`` and ``<`` (超) are one-sided. ``万``, ``亿``, ``万亿`` scale the number.

    Parameters
    ----------
    text: the figure as printed, such as ``80.97``, ``1.8万亿``, ``>80``, ``~12500``.

    Raises
    ------
    InputError: PR-M510 when the text is no figure.

    >>> str(interval("80.97"))
    '[80.965, 80.975)'
    >>> interval("1.8万亿").low == 1.75e12
    True
    """
    match = _PATTERN.fullmatch(text.strip())
    if match is None:
        raise InputError("PR-M510", value=text)
    number = Decimal(match["number"].replace(",", ""))
    scale = _MAGNITUDES[match["magnitude"]]
    value = float(number * scale)
    form = _SYNONYMS.get(match["form"], match["form"])
    if form in (">", "≥"):
        return Interval(value, math.inf, form == ">", True)
    if form in ("<", "≤"):
        return Interval(-math.inf, value, True, form == "<")
    exponent = number.normalize().as_tuple().exponent if form == "~" else number.as_tuple().exponent
    half = Decimal(scale) * Decimal(5) * Decimal(10) ** (int(exponent) - 1)
    return Interval(float(number * scale - half), float(number * scale + half))


def verdict(
    published: Interval | None,
    operator: Literal["ge", "gt", "le", "lt"],
    target: float,
    *,
    is_same_definition: bool = True,
) -> Verdict:
    """Compare a published figure with a target, three-valued.

    Parameters
    ----------
    published: what the figure can mean; None when there is none.
    operator: how the target is worded: at least, more than, at most, less than.
    target: the target, in the unit of the figure.
    is_same_definition: False when the figure no longer measures what the target was set for.

    Raises
    ------
    InputError: PR-M511 for another operator.

    >>> verdict(interval("1.8万亿"), "ge", 1.8e12)
    Verdict(state='not decidable', reason='precision')
    """
    if operator not in ("ge", "gt", "le", "lt"):
        raise InputError("PR-M511", value=operator)
    if published is None:
        return Verdict("not decidable", "not published")
    if not is_same_definition:
        return Verdict("not decidable", "definition changed")
    low_side = _compare(published.low, published.is_low_open, operator, target, is_low=True)
    high_side = _compare(published.high, published.is_high_open, operator, target, is_low=False)
    if low_side and high_side:
        return Verdict("met")
    if not low_side and not high_side:
        return Verdict("not met")
    return Verdict("not decidable", "precision")


def _compare(bound: float, is_open: bool, operator: str, target: float, *, is_low: bool) -> bool:
    """Whether the numbers of the interval next to one of its bounds meet the target."""
    if bound != target or not is_open:
        return {"ge": bound >= target, "gt": bound > target, "le": bound <= target, "lt": bound < target}[operator]
    return operator in ("ge", "gt") if is_low else operator in ("le", "lt")
