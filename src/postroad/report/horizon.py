"""Hours of a run's horizon as people write them."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

from postroad.report.data import RunFacts
from postroad.report.text import Text, format_value

__all__ = ["cut_note", "day_text", "end_text", "hour_text", "measured_bands", "shown_hours"]

QUIET_SHARE = 0.002
"""Charts over the hours end when less than this share of the most items ever under way is still under way."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _instant(facts: RunFacts, hour: int) -> datetime:
    return facts.epoch + timedelta(hours=int(hour))


def hour_text(facts: RunFacts, hour: int) -> Text:
    """The instant at which ``hour`` of the horizon begins: ``12 Nov 03:00`` and ``11月12日 03:00``."""
    at = _instant(facts, hour)
    return Text(f"{at.day} {_MONTHS[at.month - 1]} {at:%H}:00", f"{at.month}月{at.day}日 {at:%H}:00")


def end_text(facts: RunFacts, hour: int) -> Text:
    """The instant at which ``hour`` of the horizon ends, when what waits at its end is counted."""
    return hour_text(facts, hour + 1)


def day_text(facts: RunFacts, hour: int) -> Text:
    """The day on which ``hour`` lies, with its year."""
    at = _instant(facts, hour)
    return Text(f"{at.day} {_MONTHS[at.month - 1]} {at.year}", f"{at.year}年{at.month}月{at.day}日")


def measured_bands(facts: RunFacts) -> list[dict[str, object]]:
    """The hours in which the measured items were accepted, as a band of a chart."""
    name = Text("measured day", "考察日").as_dict()
    return [{"from": facts.measured_from_h, "to": facts.measured_to_h, "name": name, "tone": "day"}]


def shown_hours(facts: RunFacts, *hourly: pl.DataFrame) -> int:
    """Hours that charts show: up to when almost nothing is under way any more, in any of the runs given.

    The few last items of a run may take weeks; drawn in full they would press the week that matters into a corner.
    """
    last = facts.measured_to_h + 24
    for frame in hourly:
        if frame.is_empty():
            continue
        busy = frame.filter(pl.col("in_custody") > QUIET_SHARE * pl.col("in_custody").max())
        last = max(last, int(busy["hour"].max() or 0) + 12)
    longest = max([facts.n_hours, *(int(frame["hour"].max()) + 1 for frame in hourly if len(frame))])
    return longest if longest - last < 24 else last


def cut_note(facts: RunFacts, hourly: pl.DataFrame, shown: int) -> Text | None:
    """What a chart that ends at ``shown`` leaves out; None when it shows all hours."""
    rest = hourly.filter(pl.col("hour") >= shown)
    if rest.is_empty():
        return None
    at, left = hour_text(facts, shown), int(hourly.filter(pl.col("hour") == shown - 1)["in_custody"][0])
    total = int(hourly["created"].max() or 0)
    share = f"{left / total * 100:.2f}" if total else "0"
    counts = {lang: format_value(left, "items", lang) for lang in ("en", "zh")}
    return Text(
        f"Shown until {at.en}; {counts['en']} ({share} %) were still under way then.",
        f"图示截至{at.zh}，其时尚有 {counts['zh']}（{share} %）在途。",
    )
