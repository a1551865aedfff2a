"""The registry: every measure declared once, with its formula, unit, titles and source.

A measure over journeys is a ratio of two exact integer sums, or an exact weighted quantile, or a share of city pairs.
The sums (*components*) are declared as SQL over the columns of ``journeys`` in ``tables/components.csv``, so that the
same definition runs on any engine; :mod:`postroad.kernels.tally` computes the same sums in one pass, and a test holds
the two equal.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from postroad.core.errors import NotFound

__all__ = ["STANDARD", "Component", "Measure", "components", "find", "measures"]

STANDARD = (
    "n_items",
    "n_delivered",
    "total_h",
    "origin_handling_h",
    "transport_h",
    "destination_handling_h",
    "delivery_h",
    "on_time_48h_share",
    "on_time_72h_share",
    "on_time_share",
)
"""The measures that are taken when none is named."""

# What counts as delivered with usable instants: all five known and none before the one it follows.
_CLAUSES = {
    "timed": (
        "outcome = 0 AND accepted_min >= 0 AND accepted_min <= left_origin_min AND left_origin_min <= reached_dest_min"
        " AND reached_dest_min <= out_min AND out_min <= ended_min"
    ),
    "took_within": "outcome = 0 AND ended_min >= accepted_min AND ended_min - accepted_min <=",
    "promised_and_delivered": "outcome = 0 AND promise_min >= 0",
}
TIMED = _CLAUSES["timed"]


@dataclass(frozen=True, slots=True)
class Component:
    """An integer that each row of ``journeys`` contributes; measures are made of its sums."""

    name: str
    sql: str
    description: str
    description_zh: str


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure.

    Attributes
    ----------
    name: with its unit as suffix; ``n_`` for counts.
    kind: count, ratio, quantile or reach (over journeys); loads, hours or account (over a run's arrays).
    numerator, denominator: components (journeys), or sums of :mod:`postroad.measure.loads` and
        :mod:`postroad.measure.hours`.
    divisor: turns the ratio into the unit, such as 60 for minutes to hours.
    parameter: the percentage of a quantile, the days of a reach; 0 otherwise.
    items: the component that counts the items a value stands for; empty where none does.
    better: whether a lower or a higher value is better, or none.
    """

    name: str
    kind: str
    numerator: str
    denominator: str
    divisor: int
    parameter: int
    items: str
    unit: str
    title_en: str
    title_zh: str
    definition_en: str
    definition_zh: str
    source: str
    better: str

    @property
    def is_of_journeys(self) -> bool:
        """Whether the measure reads journeys (and not loads, hours or accounts)."""
        return self.kind in ("count", "ratio", "quantile", "reach")

    @property
    def formula(self) -> str:
        """The formula in words of the components.

        >>> find(["total_h"])[0].formula
        'SUM(total_item_min) / SUM(n_timed) / 60'
        """
        scale = f" / {self.divisor}" if self.divisor > 1 else ""
        if self.kind == "quantile":
            return f"least t with {self.parameter} % of SUM(n_timed) taking at most t minutes{scale}"
        if self.kind == "reach":
            weight = "population of the destination" if self.denominator == "persons" else "1"
            which = "international" if self.denominator == "pairs_abroad" else "domestic"
            bound = f"SUM(total_item_min) <= {self.parameter * self.divisor} * SUM(n_timed)"
            return f"over {which} city pairs: sum of ({weight} if {bound}) / sum of ({weight} if SUM(n_timed) > 0)"
        over = f" / SUM({self.denominator})" if self.denominator else ""
        return f"SUM({self.numerator}){over}{scale}"


@cache
def components() -> Mapping[str, Component]:
    """All components by name."""
    return {
        row["component"]: Component(
            row["component"], row["sql"].format(**_CLAUSES), row["description"], row["description_zh"]
        )
        for row in _rows("components")
    }


@cache
def measures() -> Mapping[str, Measure]:
    """All measures by name, in the order of the reference page."""
    return {
        row["name"]: Measure(**{**row, "divisor": int(row["divisor"] or 1), "parameter": int(row["parameter"] or 0)})
        for row in _rows("measures")
    }


def find(names: Iterable[str]) -> tuple[Measure, ...]:
    """The measures of these names, in the order given, each once.

    Raises
    ------
    NotFound: PR-M001, with the nearest names.
    """
    found = []
    for name in dict.fromkeys(names):
        if name not in measures():
            near = get_close_matches(name, measures(), n=3, cutoff=0.5)
            raise NotFound("PR-M001", name=name, near=", ".join(near) or "-")
        found.append(measures()[name])
    return tuple(found)


def _rows(table: str) -> list[dict[str, str]]:
    with files("postroad.measure").joinpath("tables", f"{table}.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))
