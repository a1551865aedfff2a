"""Units of measure: their names, how they convert, and the suffixes that public numbers carry.

The suffix of a name is its unit: ``total_h`` is in hours, ``gco2e_per_item`` in grams of CO2 equivalent an item,
``n_items`` a count, ``on_time_share`` a share of 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from postroad.core.errors import InputError

__all__ = ["COUNT", "SHARE", "UOMS", "Uom", "convert", "factor", "label", "uom_of"]

SHARE = "share"
COUNT = "count"


@dataclass(frozen=True, slots=True)
class Uom:
    """A unit: the suffix that names it, its dimension, its size in the dimension's base unit, and its signs."""

    suffix: str
    dimension: str
    size: Fraction
    sign_en: str
    sign_zh: str


def _table(*rows: tuple[str, str, str | int, str, str]) -> dict[str, Uom]:
    return {row[0]: Uom(row[0], row[1], Fraction(row[2]), row[3], row[4]) for row in rows}


UOMS = _table(
    ("s", "time", 1, "s", "秒"),
    ("min", "time", 60, "min", "分钟"),
    ("h", "time", 3600, "h", "小时"),
    ("day", "time", 86400, "days", "天"),
    ("m", "length", 1, "m", "米"),
    ("km", "length", 1000, "km", "公里"),
    ("g", "mass", 1, "g", "克"),
    ("kg", "mass", 1000, "kg", "千克"),
    ("t", "mass", 1_000_000, "t", "吨"),
    ("cm3", "volume", 1, "cm³", "立方厘米"),
    ("m3", "volume", 1_000_000, "m³", "立方米"),
    ("yuan", "money", 1, "yuan", "元"),
    ("gco2e", "carbon", 1, "g CO₂e", "克二氧化碳当量"),
    ("kgco2e", "carbon", 1000, "kg CO₂e", "千克二氧化碳当量"),
    ("tco2e", "carbon", 1_000_000, "t CO₂e", "吨二氧化碳当量"),
    ("wh", "energy", 1, "Wh", "瓦时"),
    ("kwh", "energy", 1000, "kWh", "千瓦时"),
    ("mj", "energy", "2500/9", "MJ", "兆焦"),
    ("kmh", "speed", 1, "km/h", "公里/小时"),
    ("deg", "angle", 1, "°", "度"),
    ("item", "items", 1, "item", "件"),
    ("items", "items", 1, "items", "件"),
    ("tkm", "activity", 1, "t·km", "吨公里"),
    (SHARE, "share", 1, "", ""),
    (COUNT, "count", 1, "", ""),
)


def uom_of(name: str) -> str:
    """Read the unit from the suffix of a public name; empty when the name carries none.

    >>> uom_of("total_h"), uom_of("gco2e_per_item"), uom_of("n_items"), uom_of("on_time_72h_share")
    ('h', 'gco2e_per_item', 'count', 'share')
    """
    words = name.split("_")
    if len(words) >= 3 and words[-2] == "per" and words[-3] in UOMS and words[-1] in UOMS:
        return "_".join(words[-3:])
    if words[0] == "n" and len(words) > 1:
        return COUNT
    return words[-1] if words[-1] in UOMS else ""


def factor(from_uom: str, to_uom: str) -> Fraction:
    """Give the exact number of ``to_uom`` in one ``from_uom``; ``a_per_b`` is understood.

    Raises
    ------
    InputError: PR-C040 for an unknown unit, PR-C041 when the two measure different things.

    >>> factor("km_per_h", "m_per_s")
    Fraction(5, 18)
    """
    size, dimension = _size(from_uom)
    to_size, to_dimension = _size(to_uom)
    if dimension != to_dimension:
        raise InputError("PR-C041", value=from_uom, dimension=dimension, other=to_uom, other_dimension=to_dimension)
    return size / to_size


def convert(value, from_uom: str, to_uom: str):
    """Convert a number or an array between units of one dimension; the result is floating.

    Raises
    ------
    InputError: PR-C040 for an unknown unit, PR-C041 when the two measure different things.

    >>> convert(90, "min", "h")
    1.5
    """
    ratio = factor(from_uom, to_uom)
    return value * ratio.numerator / ratio.denominator


def label(uom: str, language: str = "en") -> str:
    """Write a unit as a reader wants it: ``g CO₂e/item``, ``元/件``; empty for counts and shares.

    Raises
    ------
    InputError: PR-C040 for an unknown unit.
    """
    parts = [_find(part) for part in uom.split("_per_")]
    return "/".join(part.sign_zh if language == "zh" else part.sign_en for part in parts)


def _find(suffix: str) -> Uom:
    """Look one unit up."""
    if suffix not in UOMS:
        raise InputError("PR-C040", value=suffix, known=", ".join(sorted(UOMS)))
    return UOMS[suffix]


def _size(uom: str) -> tuple[Fraction, str]:
    """Give the size and the dimension of a unit or of a quotient of two."""
    parts = [_find(part) for part in uom.split("_per_")]
    if len(parts) == 1:
        return parts[0].size, parts[0].dimension
    if len(parts) > 2:
        raise InputError("PR-C040", value=uom, known=", ".join(sorted(UOMS)))
    return parts[0].size / parts[1].size, f"{parts[0].dimension} per {parts[1].dimension}"
