"""The overlay: what differs from the plan, resolved to facilities, lanes, trips and minutes of a horizon.

The plan stays untouched. Disruptions come from the feed's table and from the scenario; both become rows of one overlay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import date, timedelta
from functools import cached_property

from postroad.core.clock import DAY_MIN, DAY_TIME, local_midnight, minutes_since, parse_day_time, parse_instant
from postroad.core.digests import digest_mapping
from postroad.core.errors import InputError
from postroad.core.findings import Findings
from postroad.network.rows import near_name

__all__ = ["Disruption", "Overlay", "OverlayRow", "disruptions_of", "resolve_overlay"]

_TARGETS = {
    "facility_id": ("facilities", "facility", "设施"),
    "lane_id": ("lanes", "lane", "邮路"),
    "trip_id": ("trips", "trip", "班次"),
}
KINDS = ("closure", "capacity", "delay", "cancel")


@dataclass(frozen=True, slots=True)
class Disruption:
    """One disruption in the user's words; the columns of the feed's ``disruptions`` table.

    Attributes
    ----------
    kind: closure, capacity, delay or cancel.
    from_at, to_at: ``D+0 06:00`` relative to the scenario's day, or an ISO 8601 instant.
    facility_id, lane_id, trip_id: exactly one is not empty.
    factor: capacity left, 0..1, for kind capacity.
    delay_min: for kind delay.
    """

    disruption_id: str
    kind: str
    from_at: str
    to_at: str
    facility_id: str = ""
    lane_id: str = ""
    trip_id: str = ""
    factor: float | None = None
    delay_min: int | None = None


@dataclass(frozen=True, slots=True)
class OverlayRow:
    """One disruption on the minutes of a horizon.

    Attributes
    ----------
    kind: closure, capacity, delay or cancel.
    facility_id, lane_id, trip_id: the target; empty where it is another kind of target.
    from_min, to_min: minutes from the epoch of the horizon; ``from_min`` is inside, ``to_min`` is not. They may lie
        before the epoch or beyond the horizon.
    factor: capacity left, 0..1; 0 for a closure or cancellation, 1 for a delay.
    delay_min: minutes by which trips that depart in the window are late; 0 but for a delay.
    """

    disruption_id: str
    kind: str
    facility_id: str
    lane_id: str
    trip_id: str
    from_min: int
    to_min: int
    factor: float
    delay_min: int


@dataclass(frozen=True)
class Overlay:
    """The rows of an overlay, in order of start, then id."""

    rows: tuple[OverlayRow, ...] = ()

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    def __iter__(self) -> Iterator[OverlayRow]:
        """Go through the rows in order."""
        return iter(self.rows)

    @cached_property
    def digest(self) -> str:
        """Digest of what the rows do; their ids do not matter."""
        names = [field.name for field in fields(OverlayRow) if field.name != "disruption_id"]
        return digest_mapping({"rows": sorted([str(getattr(row, name)) for name in names] for row in self.rows)})


def disruptions_of(network) -> tuple[Disruption, ...]:
    """The disruptions that a feed itself declares."""
    names = [field.name for field in fields(Disruption)]
    found = []
    for row in network.tables["disruptions"].select(names).iter_rows(named=True):
        texts = {name: row[name] or "" for name in names if name not in ("factor", "delay_min")}
        found.append(Disruption(**texts, factor=row["factor"], delay_min=row["delay_min"]))
    return tuple(found)


def resolve_overlay(network, disruptions: Iterable[Disruption], *, day: date, days_before: int = 0) -> Overlay:
    """Place disruptions on the minutes of a horizon.

    Parameters
    ----------
    network: where their targets are looked up.
    disruptions: in any order.
    day: the scenario's day D.
    days_before: days of the horizon before D; the epoch is local midnight that many days earlier.

    Returns
    -------
    Overlay

    Raises
    ------
    InputError: PR-C001 with findings PR-F204 (kind, factor or delay does not fit), PR-F208 (no such target), PR-F209
        (ends before it starts), PR-F211 (no such time).

    **Assumes** a day of 1,440 minutes within the horizon.
    """
    findings = Findings()
    rows = []
    for number, disruption in enumerate(disruptions):
        row = _resolve(network, disruption, number, day, days_before, findings)
        if row is not None:
            rows.append(row)
    findings.raise_on_errors()
    return Overlay(tuple(sorted(rows, key=lambda row: (row.from_min, row.disruption_id))))


def _resolve(
    network, disruption: Disruption, number: int, day: date, days_before: int, findings: Findings
) -> OverlayRow | None:
    """One row, or None when a finding was added."""
    before = len(findings)
    place = {"table": "disruptions", "row": number + 2}
    _check_target(network, disruption, place, findings)
    _check_size(disruption, place, findings)
    start, end = (
        _minutes(getattr(disruption, column), network.meta.timezone, day, days_before, column, place, findings)
        for column in ("from_at", "to_at")
    )
    if start is not None and end is not None and end <= start:
        findings.add("PR-F209", **place, column="to_at", value=disruption.to_at, start=disruption.from_at)
    if len(findings) > before:
        return None
    left = {"capacity": disruption.factor, "delay": 1.0}.get(disruption.kind, 0.0)
    return OverlayRow(
        disruption_id=disruption.disruption_id, kind=disruption.kind,
        facility_id=disruption.facility_id, lane_id=disruption.lane_id, trip_id=disruption.trip_id,
        from_min=start, to_min=end, factor=float(left),
        delay_min=int(disruption.delay_min) if disruption.kind == "delay" else 0,
    )  # fmt: skip


def _check_target(network, disruption: Disruption, place: dict, findings: Findings) -> None:
    given = [column for column in _TARGETS if getattr(disruption, column)]
    if len(given) != 1:
        expected = "exactly one of facility_id, lane_id, trip_id"
        findings.add("PR-F204", **place, column="facility_id", value=", ".join(given), expected=expected)
        return
    column = given[0]
    table, kind, kind_zh = _TARGETS[column]
    target = getattr(disruption, column)
    known = network.tables[table][column]
    if not (known == target).any():
        near = near_name(target, known)
        findings.add("PR-F208", **place, column=column, value=target, kind=kind, kind_zh=kind_zh, near=near)


def _check_size(disruption: Disruption, place: dict, findings: Findings) -> None:
    factor, delay = disruption.factor, disruption.delay_min
    if disruption.kind not in KINDS:
        findings.add("PR-F204", **place, column="kind", value=disruption.kind, expected=", ".join(KINDS))
    elif disruption.kind == "capacity" and (factor is None or not 0 <= factor <= 1):
        findings.add("PR-F204", **place, column="factor", value=factor, expected="0 to 1")
    elif disruption.kind == "delay" and (delay is None or delay < 0):
        findings.add("PR-F204", **place, column="delay_min", value=delay, expected="minutes, 0 or more")


def _minutes(
    text: str, timezone: str, day: date, days_before: int, column: str, place: dict, findings: Findings
) -> int | None:
    """Minutes from the epoch, or None and a finding."""
    try:
        if DAY_TIME.fullmatch(text):
            return parse_day_time(text) + days_before * DAY_MIN
        epoch = local_midnight(day - timedelta(days=days_before), timezone)
        return minutes_since(epoch, parse_instant(text, timezone))
    except InputError:
        findings.add("PR-F211", **place, column=column, value=text)
        return None
