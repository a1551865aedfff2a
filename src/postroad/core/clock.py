"""Time: aware UTC at the edges, minutes from an epoch inside, times of day that may run beyond midnight.

Assumes: within a run a day has 1,440 minutes. Where a clock is put forward or back on a day of the run, times of day
after the change are one hour off the wall clock; instants at the edges stay exact.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from postroad.core.errors import InputError

__all__ = [
    "DAY_MIN",
    "at_or_after",
    "format_day_time",
    "format_hhmm",
    "instant_at",
    "local_midnight",
    "minutes_since",
    "parse_day_time",
    "parse_hhmm",
    "parse_instant",
    "split_day",
    "time_zone",
]

DAY_MIN = 1440
HHMM = re.compile(r"([0-9]{1,3}):([0-5][0-9])")
DAY_TIME = re.compile(r"D([+-][0-9]{1,3})[ T]([0-9]{1,3}:[0-5][0-9])")


def parse_hhmm(text: str) -> int:
    """Read a time of day as minutes after midnight of the service day; ``26:15`` is 02:15 of the next day.

    Raises
    ------
    InputError: PR-C020 when the text is not ``HH:MM``.

    >>> parse_hhmm("26:15")
    1575
    """
    match = HHMM.fullmatch(text)
    if match is None:
        raise InputError("PR-C020", value=text)
    return int(match[1]) * 60 + int(match[2])


def format_hhmm(minutes: int) -> str:
    """Write minutes after midnight (0 or more) as ``HH:MM``, hours running beyond 24 on later days.

    >>> format_hhmm(1575)
    '26:15'
    """
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def parse_day_time(text: str) -> int:
    """Read ``D+1 06:00`` as minutes from midnight of day D; ``D-1 23:30`` is negative.

    Raises
    ------
    InputError: PR-C023 when the text has another form.

    >>> parse_day_time("D+1 06:00"), parse_day_time("D-1 23:30")
    (1800, -30)
    """
    match = DAY_TIME.fullmatch(text)
    if match is None:
        raise InputError("PR-C023", value=text)
    return int(match[1]) * DAY_MIN + parse_hhmm(match[2])


def format_day_time(minutes: int) -> str:
    """Write minutes from midnight of day D as ``D+1 06:00``.

    >>> format_day_time(1800), format_day_time(-30)
    ('D+1 06:00', 'D-1 23:30')
    """
    day, minute = divmod(minutes, DAY_MIN)
    return f"D{day:+d} {format_hhmm(minute)}"


def split_day(minutes):
    """Split minutes from the epoch into service day and minute of the day; works on integers and integer arrays.

    >>> split_day(1575)
    (1, 135)
    """
    day = minutes // DAY_MIN
    return day, minutes - day * DAY_MIN


def at_or_after(minutes, minute_of_day):
    """Give the first instant at or after ``minutes`` whose time of day is ``minute_of_day``; integers or arrays.

    >>> at_or_after(600, 480), at_or_after(480, 480)
    (1920, 480)
    """
    return minutes + (minute_of_day - minutes) % DAY_MIN


def time_zone(name: str) -> ZoneInfo:
    """Find a time zone by its IANA name.

    Raises
    ------
    InputError: PR-C022 when there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError("PR-C022", value=name) from error


def parse_instant(text: str, timezone: str | None = None) -> datetime:
    """Read an ISO 8601 instant as aware UTC.

    Parameters
    ----------
    text: such as ``2025-11-11T08:00+08:00``, or without an offset when ``timezone`` is given.
    timezone: IANA name of the zone in which an instant without an offset is meant.

    Raises
    ------
    InputError: PR-C021 when the text is no instant or names no offset; PR-C022 for an unknown zone.

    >>> parse_instant("2025-11-11T08:00+08:00").isoformat()
    '2025-11-11T00:00:00+00:00'
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError("PR-C021", value=text) from error
    if instant.tzinfo is None:
        if timezone is None:
            raise InputError("PR-C021", value=text)
        instant = instant.replace(tzinfo=time_zone(timezone))
    return instant.astimezone(UTC)


def local_midnight(day: date, timezone: str) -> datetime:
    """Give the instant, in UTC, at which a local day begins.

    Raises
    ------
    InputError: PR-C022 for an unknown zone.

    >>> local_midnight(date(2025, 11, 11), "Asia/Shanghai").isoformat()
    '2025-11-10T16:00:00+00:00'
    """
    return datetime.combine(day, time(), tzinfo=time_zone(timezone)).astimezone(UTC)


def minutes_since(epoch: datetime, instant: datetime) -> int:
    """Count whole minutes from the epoch to an instant, both aware; a started minute is not counted."""
    return (instant.astimezone(UTC) - epoch.astimezone(UTC)) // timedelta(minutes=1)


def instant_at(epoch: datetime, minutes: int) -> datetime:
    """Give the aware UTC instant that lies ``minutes`` after the epoch."""
    return epoch.astimezone(UTC) + timedelta(minutes=int(minutes))
