"""The two sizes that the line-haul and the facilities are built for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from postroad.reference.sources import Rules

__all__ = ["SIZES", "Size"]


@dataclass(frozen=True, slots=True)
class Size:
    """One size of the reference network.

    Attributes
    ----------
    year: the year it stands for.
    base_date: an ordinary day of that year (no holiday, no shopping festival).
    seasons: first and last day of the surge service.
    """

    year: int
    base_date: date
    seasons: tuple[tuple[date, date], ...]

    def mean_items(self, rules: Rules) -> float:
        """Items of the mean day that the daily service is sized for."""
        return rules.values[f"mean_day_{self.year}_items"]

    def surge_items(self, rules: Rules) -> float:
        """Items of the surge day that daily and surge services together are sized for."""
        return rules.values[f"surge_{self.year}_items"]

    def international_items(self, rules: Rules) -> float:
        """Items to other countries, Hong Kong, Macao and Taiwan on the mean day."""
        return rules.values[f"international_{self.year}_items"]


SIZES = {
    2023: Size(
        2023,
        date(2023, 9, 13),
        ((date(2022, 11, 1), date(2023, 1, 21)), (date(2023, 11, 1), date(2024, 2, 9))),
    ),
    2025: Size(
        2025,
        date(2025, 11, 11),
        ((date(2024, 10, 21), date(2025, 1, 28)), (date(2025, 10, 21), date(2026, 2, 16))),
    ),
}
"""Seasons: from 1 November to the eve of the Spring Festival, since 2024 from 21 October (State Post Bureau)."""
