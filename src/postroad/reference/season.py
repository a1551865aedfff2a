"""Services: what runs every day and what runs in the peak season only."""

from __future__ import annotations

from datetime import date, timedelta

from postroad.reference.draft import Draft
from postroad.reference.sizes import Size
from postroad.reference.timetable import DAILY, SURGE

__all__ = ["add_calendar"]

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def add_calendar(draft: Draft, size: Size) -> None:
    """Add the two services; the last season stands in ``calendar``, earlier ones date by date in ``calendar_dates``."""
    week = dict.fromkeys(_DAYS, True)
    *earlier, (first, last) = size.seasons
    draft.add(
        "calendar",
        [
            {
                "service_id": DAILY,
                **week,
                "start_date": date(size.year - 1, 1, 1),
                "end_date": date(size.year + 1, 12, 31),
            },
            {"service_id": SURGE, **week, "start_date": first, "end_date": last},
        ],
        label="derived",
        source="Peak season as the State Post Bureau defines it: to the eve of the Spring Festival",
    )
    for start, end in earlier:
        dates = [start + timedelta(days=step) for step in range((end - start).days + 1)]
        draft.add(
            "calendar_dates",
            [{"service_id": SURGE, "date": day, "runs": True} for day in dates],
            label="derived",
            source="Peak season of the year before",
        )
