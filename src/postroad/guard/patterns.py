"""Patterns: reading that is not usual for a key, told while it goes on."""

from __future__ import annotations

import csv
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files

from postroad.guard.audit import Entry

__all__ = ["Patterns", "Rule", "Unusual", "pattern_rules"]

BUCKETS = 60
CALM_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Rule:
    """More than ``limit`` of what it ``counts`` within ``window_s`` is unusual, from and to hours of the day (local).

    ``counts``: an outcome of :class:`postroad.guard.audit.Entry`, or ``unmasked``: persons shown whole.
    """

    rule: str
    roles: frozenset[str]
    counts: str
    window_s: int
    limit: int
    from_h: int
    to_h: int
    name_en: str
    name_zh: str


@dataclass(frozen=True, slots=True)
class Unusual:
    """A key that does what a rule calls unusual: so many within the rule's window."""

    rule: Rule
    key_id: str
    n_seen: int
    at: datetime


@cache
def pattern_rules() -> tuple[Rule, ...]:
    """The rules that are shipped; their limits are ours, not of a published source."""
    with files("postroad.guard").joinpath("patterns.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    numbers = ("window_s", "limit", "from_h", "to_h")
    return tuple(
        Rule(**row | {"roles": frozenset(row["roles"].split())} | {name: int(row[name]) for name in numbers})
        for row in rows
    )


class Patterns:
    """Counts what each key does, in sixtieths of each rule's window.

    A rule is told once for a key, and again only after its count fell under half its limit.
    """

    def __init__(self, rules: tuple[Rule, ...] | None = None) -> None:
        self.rules = pattern_rules() if rules is None else rules
        self._counts: dict[tuple[str, str], deque[list[int]]] = defaultdict(deque)
        self._told: set[tuple[str, str]] = set()

    def note(self, entry: Entry, at: datetime) -> list[Unusual]:
        """Take up an entry and tell what it makes unusual. ``at``: aware, in the zone in which nights are meant."""
        return [found for rule in self.rules if (found := self._take(rule, entry, at)) is not None]

    def _take(self, rule: Rule, entry: Entry, at: datetime) -> Unusual | None:
        """Count for one rule."""
        n_new = len(entry.subjects) if rule.counts == "unmasked" else int(entry.outcome == rule.counts)
        if rule.counts == "unmasked" and not entry.unmasked:
            return None
        if not n_new or not ({"*", entry.role} & rule.roles) or not rule.from_h <= at.hour < rule.to_h:
            return None
        key = (rule.rule, entry.key_id)
        counts = self._counts[key]
        bucket = int(at.timestamp() * BUCKETS // rule.window_s)
        while counts and counts[0][0] <= bucket - BUCKETS:
            counts.popleft()
        if sum(n for _, n in counts) < CALM_SHARE * rule.limit:
            self._told.discard(key)
        if counts and counts[-1][0] >= bucket:
            counts[-1][1] += n_new
        else:
            counts.append([bucket, n_new])
        n_seen = sum(n for _, n in counts)
        if n_seen <= rule.limit or key in self._told:
            return None
        self._told.add(key)
        return Unusual(rule, entry.key_id, n_seen, at)
