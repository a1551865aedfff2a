"""Schedules of standing questions, as EPCIS writes them: seconds, minutes, hours, days, months, weekdays."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from postroad.core.errors import InputError

__all__ = ["Schedule"]

RANGES = {
    "second": (0, 59),
    "minute": (0, 59),
    "hour": (0, 23),
    "dayOfMonth": (1, 31),
    "month": (1, 12),
    "dayOfWeek": (1, 7),
}
_PART = re.compile(r"(\d+)|\[(\d+)-(\d+)\]")
LONGEST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a question is asked: each field allows some values; one that is left out allows any.

    Source: EPCIS 2.0 (GS1, 2022), 8.2.5.3, query schedules; here in UTC.
    """

    allowed: Mapping[str, frozenset[int]]

    @classmethod
    def read(cls, text: str) -> Schedule:
        """Read a schedule, a JSON object; InputError PR-H116.

        >>> sorted(Schedule.read('{"hour": "1,[3-5]"}').allowed["hour"])
        [1, 3, 4, 5]
        """
        fields = json.loads(text)
        if not fields or set(fields) - set(RANGES):
            raise InputError("PR-H116", value=f"schedule: {', '.join(sorted(set(fields) - set(RANGES))) or text}")
        return cls({name: _read_field(name, str(value)) for name, value in fields.items()})

    def is_due(self, after: datetime, until: datetime) -> bool:
        """Whether it falls due later than one aware instant and not later than another; at most a day is looked at."""
        at = max(after, until - LONGEST).replace(microsecond=0) + timedelta(seconds=1)
        while at <= until:
            if self._holds(at):
                return True
            at += timedelta(seconds=1)
        return False

    def _holds(self, at: datetime) -> bool:
        """Whether it falls due in the second of an instant; without seconds at the full minute, and so on."""
        values = {
            "second": at.second, "minute": at.minute, "hour": at.hour,
            "dayOfMonth": at.day, "month": at.month, "dayOfWeek": at.isoweekday(),
        }  # fmt: skip
        finest = next(name for name in (*RANGES,) if name in self.allowed)
        for name in RANGES:
            if name == finest:
                break
            if name in ("second", "minute", "hour") and values[name] != 0:
                return False
        return all(values[name] in allowed for name, allowed in self.allowed.items())


def _read_field(name: str, text: str) -> frozenset[int]:
    """The values that a field allows."""
    low, high = RANGES[name]
    values: set[int] = set()
    for part in text.split(","):
        found = _PART.fullmatch(part.strip())
        if found is None:
            raise InputError("PR-H116", value=f"{name}: {text}")
        first, last = (int(found[1]), int(found[1])) if found[1] else (int(found[2]), int(found[3]))
        if not low <= first <= last <= high:
            raise InputError("PR-H116", value=f"{name}: {text}")
        values |= set(range(first, last + 1))
    return frozenset(values)
