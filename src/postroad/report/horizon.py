"""Hours of a run's horizon as people write them."""

from __future__ import annotations

from datetime import datetime, timedelta

from postroad.report.data import RunFacts
from postroad.report.text import Text

__all__ = ["day_text", "hour_text", "measured_bands"]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _instant(facts: RunFacts, hour: int) -> datetime:
    return facts.epoch + timedelta(hours=int(hour))


def hour_text(facts: RunFacts, hour: int) -> Text:
    """The instant at which ``hour`` of the horizon begins: ``12 Nov 03:00`` and ``11月12日 03:00``."""
    at = _instant(facts, hour)
    return Text(f"{at.day} {_MONTHS[at.month - 1]} {at:%H}:00", f"{at.month}月{at.day}日 {at:%H}:00")


def day_text(facts: RunFacts, hour: int) -> Text:
    """The day on which ``hour`` lies, with its year."""
    at = _instant(facts, hour)
    return Text(f"{at.day} {_MONTHS[at.month - 1]} {at.year}", f"{at.year}年{at.month}月{at.day}日")


def measured_bands(facts: RunFacts) -> list[dict[str, object]]:
    """The hours in which the measured items were accepted, as a band of a chart."""
    name = Text("measured day", "考察日").as_dict()
    return [{"from": facts.measured_from_h, "to": facts.measured_to_h, "name": name, "tone": "day"}]
