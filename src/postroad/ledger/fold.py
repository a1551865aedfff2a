"""The fold: what an item's events say about where it stands.

The kinds of events have a partial order. Missing scans are normal; what cannot have happened is told and changes
nothing. Events may come in any order and more than once: the fold sorts them by the instant they occurred, then by
causal rank, then by id, and the answer is the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from postroad.core.findings import Findings
from postroad.events.kinds import CORRECTION, UNKNOWN, Kind, kinds
from postroad.ledger.carriage import Look, Row, carriers_now, inherit

__all__ = ["Happening", "ItemState", "fold_item"]

ANNOUNCED = "announced"
RETURNING = "returning"
FLOATING_PHASE = 2


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of an item as the fold took it.

    ``is_void``: a correction declares it void. ``is_odd``: it cannot have happened after what came before and changed
    nothing. ``next_facility_id``: where a departure went, from the event itself or from the arrival that follows.
    ``carrier``: subject and id of the unit or trip that carried the item, when the event is about that; else None.
    """

    event_id: bytes
    kind: str
    occurred_at: datetime
    facility_id: str | None
    trip_id: str | None
    next_facility_id: str | None
    reason: str | None
    is_void: bool
    is_odd: bool
    carrier: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class ItemState:
    """Where an item stands.

    Attributes
    ----------
    state: one of :func:`postroad.events.kinds.states`. is_ended: whether nothing more is to come.
    accepted_at, delivered_at, ended_at: aware instants; None where not reached.
    facility_id: where it was seen last; None in transit or when never seen.
    n_attempts: attempts at delivery, the successful one included.
    carriers: what carries it now, subject and id, from the innermost unit to the trip; none once it has ended.
    happenings: its events and those it inherits in order, void and odd ones among them, corrections not.
    findings: PR-L303..PR-L309, warnings all.
    """

    state: str
    is_ended: bool
    accepted_at: datetime | None
    delivered_at: datetime | None
    ended_at: datetime | None
    facility_id: str | None
    n_attempts: int
    carriers: tuple[tuple[str, str], ...]
    happenings: tuple[Happening, ...]
    findings: Findings


@dataclass
class _Walk:
    """What is known while the events of an item go by."""

    findings: Findings = field(default_factory=Findings)
    state: str = ""
    phase: int = 0
    phase_kind: str = ""
    ended: Kind | None = None
    ended_at: datetime | None = None
    is_returning: bool = False
    accepted_at: datetime | None = None
    delivered_at: datetime | None = None
    facility_id: str | None = None
    n_attempts: int = 0
    last: Mapping[str, object] | None = None


def fold_item(events: pl.DataFrame | Sequence[Row], look: Look | None = None) -> ItemState:
    """Fold the events of one item to its state.

    Parameters
    ----------
    events: of one item, columns of ``events``, in any order, repeats allowed.
    look: the events about what has an id and is a ``unit`` or a ``trip``, in any order; with it the item is where its
        carriers are, without it what carries the item is not followed.

    Source: partial order of UPU EMSEVT V3 (M40): EMA < EMB < (EXA < EXB < EXC) < EMC < (EMJ < EMK)* < EMD <
    (EDB < EME < EDC) < EMF < (EDD < EDE)* < EMG < EDG < (EMH)* < EMI; EDH may stand for EDG.
    """
    rows = events.to_dicts() if isinstance(events, pl.DataFrame) else events
    walk = _Walk()
    rows, void = _settle(rows, walk.findings)
    own = [row for row in rows if row["event_id"] not in void]
    carriers: tuple[tuple[str, str], ...] = ()
    if look is not None and any(row["related"] or row["trip_id"] for row in own):
        look = _looking(look)
        inherited = inherit(own, look, walk.findings)
        rows = _ordered([*rows, *inherited]) if inherited else rows
        carriers = carriers_now(own, look)
    closed = kinds()
    odd = {
        row["event_id"] for row in rows if row["event_id"] not in void and _take_event(walk, row, closed[row["kind"]])
    }
    following = _find_next([row for row in rows if row["event_id"] not in void])
    return ItemState(
        state=_name_state(walk, bool(own)),
        is_ended=walk.ended is not None,
        accepted_at=walk.accepted_at,
        delivered_at=walk.delivered_at,
        ended_at=walk.ended_at,
        facility_id=walk.facility_id,
        n_attempts=walk.n_attempts,
        carriers=() if walk.ended is not None else carriers,
        happenings=tuple(_happening(row, following, void, odd) for row in rows),
        findings=walk.findings,
    )


def _happening(row: Row, following: Mapping[bytes, str], void: set[bytes], odd: set[bytes]) -> Happening:
    """An event as the fold took it."""
    return Happening(
        event_id=row["event_id"],
        kind=row["kind"],
        occurred_at=row["occurred_at"],
        facility_id=row["facility_id"],
        trip_id=row["trip_id"],
        next_facility_id=following.get(row["event_id"]),
        reason=row["reason"],
        is_void=row["event_id"] in void,
        is_odd=row["event_id"] in odd,
        carrier=row.get("carrier"),
    )


def _ordered(rows: Iterable[Row]) -> list[Row]:
    """Events by the instant they occurred, then causal rank, then id; of one id the first."""
    closed = kinds()
    unique = {row["event_id"]: row for row in reversed(list(rows))}
    return sorted(unique.values(), key=lambda row: (row["occurred_at"], closed[row["kind"]].rank, row["event_id"]))


def _settle(rows: Iterable[Row], findings: Findings) -> tuple[list[Row], set[bytes]]:
    """The events of a thing in order, without the corrections; and the ids of those that are void."""
    ordered = _ordered(rows)
    if all(row["kind"] != CORRECTION for row in ordered):
        return ordered, set()
    void = _find_void(ordered, findings)
    return [row for row in ordered if row["kind"] != CORRECTION], void


def _looking(look: Look) -> Look:
    """Each carrier looked up once, its void events left out; what is odd with its corrections is not the item's."""
    held: dict[tuple[str, str], list[Row]] = {}

    def looked(name: str, subject: str) -> list[Row]:
        if (name, subject) not in held:
            rows, void = _settle(look(name, subject), Findings())
            held[name, subject] = [row for row in rows if row["event_id"] not in void]
        return held[name, subject]

    return looked


def _name_state(walk: _Walk, is_known: bool) -> str:
    """The state that is shown: what happens on the way back is a return."""
    if walk.is_returning and walk.ended is None:
        return RETURNING
    return walk.state or (UNKNOWN if is_known else "")


def _find_void(rows: Sequence[Mapping[str, object]], findings: Findings) -> set[bytes]:
    """Ids of events that a correction declares void, and of no correction that is void itself."""
    followers: dict[bytes, list[bytes]] = defaultdict(list)
    target_of = {row["event_id"]: row["follows"] for row in rows if row["kind"] == CORRECTION}
    present = {row["event_id"] for row in rows}
    for correction, target in target_of.items():
        followers[target].append(correction)
        if target not in present:
            findings.add("PR-L307", value=correction.hex(), follows=target.hex())
    # A correction's own standing is settled when that of all that follow it is.
    waiting = {correction: len(followers[correction]) for correction in target_of}
    settled = [correction for correction, n in waiting.items() if n == 0]
    void: set[bytes] = set()
    for correction in settled:
        target = target_of[correction]
        if correction not in void:
            void.add(target)
        if target in waiting:
            waiting[target] -= 1
            if waiting[target] == 0:
                settled.append(target)
    circling = sorted(set(target_of) - set(settled))
    if circling:
        findings.add("PR-L308", value=circling[0].hex())
    return void & present


def _take_event(walk: _Walk, row: Mapping[str, object], kind: Kind) -> bool:
    """Let one event go by; True when it cannot have happened and changes nothing."""
    if "carrier" in row:
        return _take_inherited(walk, row, kind)
    _check_place(walk, row)
    if kind.kind == "accepted" and walk.accepted_at is None:
        walk.accepted_at = row["occurred_at"]
    if not kind.state or (kind.kind == ANNOUNCED and walk.state):
        return False
    if _comes_too_late(walk, row, kind) or _goes_back(walk, row, kind):
        return True
    walk.ended = kind if kind.is_terminal else None
    walk.ended_at = row["occurred_at"] if kind.is_terminal else None
    if kind.state == RETURNING:
        walk.is_returning, walk.phase, walk.phase_kind = True, FLOATING_PHASE, kind.kind
    elif kind.phase is not None and (kind.order == "resetting" or kind.phase > walk.phase):
        walk.phase, walk.phase_kind = kind.phase, kind.kind
    walk.state = kind.state
    walk.facility_id = None if kind.state == "in_transit" else row["facility_id"] or walk.facility_id
    walk.n_attempts += kind.kind in ("attempt_failed", "delivered")
    if kind.kind == "delivered":
        walk.delivered_at = row["occurred_at"]
    return False


def _take_inherited(walk: _Walk, row: Mapping[str, object], kind: Kind) -> bool:
    """Let an event of a carrier go by: it moves the item and says nothing of its phase."""
    if walk.ended is not None:
        return True
    if kind.state:
        walk.state = kind.state
        walk.facility_id = None if kind.state == "in_transit" else row["facility_id"] or walk.facility_id
    return False


def _check_place(walk: _Walk, row: Mapping[str, object]) -> None:
    """An item is not at two facilities at one instant."""
    if row["facility_id"] is None:
        return
    last = walk.last
    if last is not None and last["occurred_at"] == row["occurred_at"] and last["facility_id"] != row["facility_id"]:
        params = {"value": row["facility_id"], "other": last["facility_id"], "at_time": _time(row)}
        walk.findings.add("PR-L305", **params)
    walk.last = row


def _comes_too_late(walk: _Walk, row: Mapping[str, object], kind: Kind) -> bool:
    """Whether the item had ended for good; an end that was only declared, or of a leg, gives way."""
    if walk.ended is None:
        return False
    if walk.ended.ends == "life":
        walk.findings.add("PR-L303", value=kind.kind, at_time=_time(row), state=walk.ended.state)
        return True
    if walk.ended.ends == "declared" and kind.kind != "found":
        walk.findings.add("PR-L306", value=kind.kind, at_time=_time(row))
    return False


def _goes_back(walk: _Walk, row: Mapping[str, object], kind: Kind) -> bool:
    """Whether the event belongs to an earlier phase than one that was seen, with no return in between."""
    if kind.order != "fixed" or walk.is_returning or kind.phase >= walk.phase:
        return False
    walk.findings.add("PR-L304", value=kind.kind, at_time=_time(row), earlier=walk.phase_kind)
    return True


def _find_next(rows: Sequence[Mapping[str, object]]) -> dict[bytes, str]:
    """Where each departure went: what the event relates by the role ``to``, else the next facility that was seen."""
    following: dict[bytes, str] = {}
    ahead: str | None = None
    for row in reversed(rows):
        if row["kind"].startswith("departed"):
            told = next((pair["id"] for pair in row["related"] or () if pair["role"] == "to"), None)
            if told or (ahead and ahead != row["facility_id"]):
                following[row["event_id"]] = told or ahead
        ahead = row["facility_id"] or ahead
    return following


def _time(row: Mapping[str, object]) -> str:
    """The instant of an event as a finding tells it."""
    return row["occurred_at"].isoformat(timespec="minutes")
