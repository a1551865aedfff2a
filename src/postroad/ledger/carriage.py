"""Carriage: what a thing was inside of or aboard, and what happened to it there.

A thing that is put into a unit, or on a trip, is where the unit or the trip is until it is taken out; units nest to any
depth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from postroad.core.findings import Findings
from postroad.events.kinds import kinds

__all__ = ["Look", "Row", "Stay", "carriers_now", "find_stays", "inherit", "unit_of"]

Row = Mapping[str, object]
Look = Callable[[str, str], Sequence[Row]]

PUT_IN = ("bagged", "loaded")
TAKEN_OUT = "unbagged"
BOARDING = ("loaded", "handed_over")
DELIVERY_PHASE = 9
INHERITED = ("loaded", "unloaded", "sorted", "handed_over", "delayed", "cancelled")
SAME_CALL = timedelta(hours=12)
"""Own and inherited scans of one kind at one facility within this time tell one thing; ours."""


@dataclass(frozen=True, slots=True)
class Stay:
    """A time inside a unit or aboard a trip. ``subject``: unit or trip; ``until``: None while it lasts."""

    subject: str
    name: str
    begin: datetime
    until: datetime | None
    by_loading: bool = False

    def holds(self, at: datetime) -> bool:
        """Whether an instant is within it, its ends included."""
        return self.begin <= at and (self.until is None or at <= self.until)


def unit_of(row: Row) -> str | None:
    """The unit that an event relates."""
    return next((pair["id"] for pair in row["related"] or () if pair["role"] == "unit"), None)


def find_stays(rows: Iterable[Row]) -> list[Stay]:
    """What a thing was inside of and aboard.

    Parameters
    ----------
    rows: its own events that are not void, in order.

    Being put into a unit ends an earlier stay; so do unbagging, and whatever belongs to delivery. Unloading, an arrival
    or another trip ends that aboard a trip. An ``unbagged`` event about a unit that relates no other unit tells that it
    was emptied, which leaves it where it is.
    """
    stays: list[Stay] = []
    inside: Stay | None = None
    aboard: Stay | None = None

    def end(stay: Stay | None, at: datetime) -> None:
        if stay is not None:
            stays.append(Stay(stay.subject, stay.name, stay.begin, at))

    for row in rows:
        kind, at, unit = kinds()[row["kind"]], row["occurred_at"], unit_of(row)
        leaves_unit, leaves_trip = _leaves(row, unit, inside)
        if leaves_unit:
            end(inside, at)
            inside = None
        if leaves_trip or (row["trip_id"] and aboard is not None and aboard.name != row["trip_id"]):
            end(aboard, at)
            aboard = None
        if kind.kind in PUT_IN and unit:
            inside = Stay("unit", unit, at, None, kind.kind == "loaded")
        boards = kind.kind in BOARDING or kind.kind.startswith("departed")
        if boards and row["trip_id"] and aboard is None:
            aboard = Stay("trip", row["trip_id"], at, None)
    stays += [stay for stay in (inside, aboard) if stay is not None]
    return sorted(stays, key=lambda stay: (stay.begin, stay.subject))


def _leaves(row: Row, unit: str | None, inside: Stay | None) -> tuple[bool, bool]:
    """Whether an event ends a stay inside a unit, and one aboard a trip."""
    kind = kinds()[row["kind"]]
    if kind.kind == TAKEN_OUT:
        is_emptied = row["item_id"] is None and unit is None
        return not is_emptied, not is_emptied
    if kind.ends or (kind.phase is not None and kind.phase >= DELIVERY_PHASE):
        return True, True
    if kind.kind in PUT_IN and unit:
        return True, inside is not None and inside.name != unit
    is_unloaded = kind.kind == "unloaded"
    is_there = kind.state not in ("", "in_transit") and kind.kind not in PUT_IN
    return is_unloaded and inside is not None and inside.by_loading, is_unloaded or is_there


def inherit(rows: Sequence[Row], look: Look, findings: Findings) -> list[Row]:
    """What happened to what carried a thing, while it did.

    Parameters
    ----------
    rows: the thing's own events that are not void, in order.
    look: the events, not void and in order, about what has an id and is a ``unit`` or a ``trip``.
    findings: gets PR-L309 where a unit is inside itself.

    Returns
    -------
    Events with one more key: ``carrier``, the subject and the id of what they are about. Those that the thing's own
    events tell too are left out.
    """
    own = [(row["kind"], row["facility_id"], row["occurred_at"]) for row in rows]
    found: list[Row] = []
    for stay in find_stays(rows):
        found += _inherit_stay(stay, look, findings, ())
    return [row for row in found if not _is_told(row, own)]


def carriers_now(rows: Sequence[Row], look: Look) -> tuple[tuple[str, str], ...]:
    """What carries a thing now, from the innermost unit to the trip: the subject and the id of each."""
    chain: list[tuple[str, str]] = []
    since: datetime | None = None
    while True:
        lasting = [stay for stay in find_stays(rows) if stay.until is None]
        # The unit tells more than a trip that was scanned before.
        stay = min(lasting, key=lambda stay: stay.subject != "unit", default=None)
        if stay is None or (stay.subject, stay.name) in chain:
            return tuple(chain)
        since = stay.begin if since is None else max(since, stay.begin)
        held = look(stay.name, stay.subject)
        if any(_is_emptied(row) and row["occurred_at"] > since for row in held if stay.subject == "unit"):
            return tuple(chain)
        chain.append((stay.subject, stay.name))
        if stay.subject == "trip":
            return tuple(chain)
        rows = held


def _inherit_stay(stay: Stay, look: Look, findings: Findings, within: tuple[str, ...]) -> list[Row]:
    """What a thing inherits in one stay, and from what carries its carrier."""
    if stay.name in within:
        findings.add("PR-L309", value=stay.name)
        return []
    rows = look(stay.name, stay.subject)
    if stay.subject == "unit":
        emptied = (row["occurred_at"] for row in rows if _is_emptied(row) and row["occurred_at"] > stay.begin)
        stay = _clip(stay, stay.begin, next(emptied, None))
    carrier = (stay.subject, stay.name)
    found = [{**row, "carrier": carrier} for row in rows if stay.holds(row["occurred_at"]) and _is_inherited(row)]
    if stay.subject == "unit":
        for outer in find_stays(rows):
            if (stay.until is None or outer.begin <= stay.until) and (outer.until is None or outer.until >= stay.begin):
                clipped = _clip(outer, stay.begin, stay.until)
                found += _inherit_stay(clipped, look, findings, (*within, stay.name))
    return found


def _clip(stay: Stay, begin: datetime, until: datetime | None) -> Stay:
    """The part of a stay between two instants."""
    ends = [end for end in (stay.until, until) if end is not None]
    return Stay(stay.subject, stay.name, max(stay.begin, begin), min(ends, default=None))


def _is_emptied(row: Row) -> bool:
    """Whether an event about a unit tells that all was taken out of it."""
    return row["kind"] == TAKEN_OUT and row["item_id"] is None and unit_of(row) is None


def _is_inherited(row: Row) -> bool:
    """Whether what happened to a carrier happened to what it carries."""
    return row["kind"] in INHERITED or row["kind"].startswith(("arrived", "departed"))


def _is_told(row: Row, own: Sequence[tuple[object, ...]]) -> bool:
    """Whether one of the thing's own events tells the same."""
    at = row["occurred_at"]
    return any(
        kind == row["kind"] and place == row["facility_id"] and abs(at - when) < SAME_CALL for kind, place, when in own
    )
