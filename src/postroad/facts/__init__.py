"""Published figures with what they are worth: value, unit, period, label, source, precision; vintages kept apart.

``series`` gives the rows of a family, ``figure`` one of them, ``interval`` what a rounded text can mean, ``verdict`` a
three-valued comparison with a target, ``table`` the structured tables (calendar, programme indicators, provinces).
"""

from postroad.facts.intervals import Interval, Verdict, interval, verdict
from postroad.facts.published import Figure, families, figure, series
from postroad.facts.tables import table, table_names

__all__ = [
    "Figure",
    "Interval",
    "Verdict",
    "families",
    "figure",
    "interval",
    "series",
    "table",
    "table_names",
    "verdict",
]
