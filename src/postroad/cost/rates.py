"""Rates that accounts need and no table of the feed holds, each with label, source and year."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from postroad.core.errors import InputError

__all__ = ["Rate", "default_rates", "set_rates"]


@dataclass(frozen=True, slots=True)
class Rate:
    """One rate: its value in ``uom``, and what the value rests on."""

    name: str
    value: float
    uom: str
    year: int
    label: str
    source: str
    description: str
    description_zh: str


@cache
def default_rates() -> Mapping[str, Rate]:
    """The shipped rates by name."""
    with files("postroad.cost").joinpath("tables", "rates.csv").open(encoding="utf-8", newline="") as handle:
        return {
            row["rate_id"]: Rate(
                row["rate_id"], float(row["value"]), row["uom"], int(row["year"]), row["label"], row["source"],
                row["description"], row["description_zh"],
            )
            for row in csv.DictReader(handle)
        }  # fmt: skip


def set_rates(**values: float) -> Mapping[str, Rate]:
    """The shipped rates with some values replaced; the replaced ones are labelled ``unverified``, source ``the user``.

    >>> set_rates(electric_share=0.5)["electric_share"].value
    0.5

    Raises
    ------
    InputError: PR-M101 for a name that is no rate.
    """
    rates = dict(default_rates())
    for name, value in values.items():
        if name not in rates:
            near = ", ".join(get_close_matches(name, rates, 3, 0.4)) or "-"
            raise InputError("PR-M101", name=name, near=near, known=", ".join(rates))
        rates[name] = replace(rates[name], value=float(value), label="unverified", source="the user")
    return rates
