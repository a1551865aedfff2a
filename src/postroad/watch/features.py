"""Features: what is known of an item at each of its events, and what the timetable makes of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from postroad.core.clock import DAY_MIN
from postroad.routing.outlook import FAILED, OUT, SORTED, UNDERWAY, WAITING, Outlook
from postroad.watch.conditions import (
    ARRIVAL_LATE,
    CONDITIONS,
    DEPARTURE_LATE,
    LANE_WAIT,
    SLIP,
    SORT_WAIT,
    TOUR,
    WAVE_WAIT,
    Conditions,
)
from postroad.watch.histories import DELIVERED, Histories
from postroad.watch.trips import Connections

__all__ = ["FEATURES", "Standing", "assemble", "observe", "stand"]

OF_ITEM = (
    *("stage", "to_go_min", "wave_minute", "slack_min", "minute", "weekday", "product", "since_accepted_min"),
    *("moved_min", "moved_since_min", "promise_slack_min", "promise_days_left", "attempts", "since_last_min"),
    *("trip_late_min", "queue_share", "facility", "destination", "province", "destination_province"),
)
OF_WAY = ("departure_late_3h", "province_departure_late_3h", "lane_wait_3h", "slip_3h", "province_slip_3h")
"""Conditions that are summed over the facilities on the way."""

FEATURES = (
    *OF_ITEM,
    *("way_hops", "way_least_wait_min", "way_next"),
    *(f"way_{name}" for name in OF_WAY),
    *CONDITIONS,
    *(f"destination_{name}" for name in CONDITIONS),
)
LARGE = 30 * DAY_MIN


@dataclass(frozen=True, slots=True)
class Standing:
    """Where items stand after events, and what the timetable lets expect; one row an event that leaves a forecast open.

    Attributes
    ----------
    item: int32, index into the histories. stage: int8. minute: int64, of the event. facility: int32, where it is or
        goes. ready: int64, minute from which it is there.
    destination, product: of its item. accepted, promise: minutes from the epoch, -1 where not known.
    reached_slot, wave_slot: see Expectation. door: float64, minute of the expected delivery; NaN where none is.
    first_door, last_door: float64, the same as it was at the item's first event and at the one before this.
    last_minute: int64, of the event before; its own where there is none. attempts: int8. trip_late: float32, minutes.
    told: bool, the vehicle tells how late it is.
    """

    item: np.ndarray
    stage: np.ndarray
    minute: np.ndarray
    facility: np.ndarray
    ready: np.ndarray
    destination: np.ndarray
    product: np.ndarray
    accepted: np.ndarray
    promise: np.ndarray
    reached_slot: np.ndarray
    wave_slot: np.ndarray
    door: np.ndarray
    first_door: np.ndarray
    last_door: np.ndarray
    last_minute: np.ndarray
    attempts: np.ndarray
    trip_late: np.ndarray
    told: np.ndarray

    def last_rows(self) -> np.ndarray:
        """The row after the last event of each item, int64."""
        item = self.item
        return np.flatnonzero(np.r_[item[1:] != item[:-1], True]) if len(item) else np.zeros(0, np.int64)


def stand(histories: Histories, outlook: Outlook, connections: Connections) -> tuple[Standing, np.ndarray]:
    """Work out where each item stands after each event, and which rows of the histories those are."""
    item = histories.row_item
    known = (histories.destination[item] >= 0) & (histories.product[item] >= 0)
    rows = np.flatnonzero(known & (histories.row_stage >= 0) & (histories.row_stage < DELIVERED))
    rows = rows[histories.row_facility[rows] >= 0]
    item, stage = histories.row_item[rows], histories.row_stage[rows]
    minute, facility = histories.row_min[rows], histories.row_facility[rows]
    destination, product = histories.destination[item], histories.product[item]
    trip, told = histories.row_trip[rows], histories.row_late[rows]
    sails = _sails(rows, histories, connections)
    way = connections.choose(stage, trip, facility, sails, destination, product, outlook)
    ready = minute.copy()
    leaves = stage == UNDERWAY
    ready[leaves] = np.maximum(way.ready[leaves], minute[leaves])
    waits = stage == WAITING
    handling = connections.handling(trip[waits], facility[waits])
    ready[waits] += np.where(handling >= 0, handling, outlook.handling_min[facility[waits]])
    place = np.where(leaves, way.to, facility)
    expected = outlook.expect(stage, place, ready, destination, product)
    is_first = np.r_[True, item[1:] != item[:-1]] if len(item) else np.zeros(0, bool)
    begins = np.maximum.accumulate(np.where(is_first, np.arange(len(item)), 0))
    before = np.where(is_first, np.arange(len(item)), np.arange(len(item)) - 1)
    door = expected.door_min
    attempts = np.cumsum(stage == FAILED)
    attempts -= attempts[begins] - (stage == FAILED)[begins]
    return Standing(
        item, stage, minute, place, ready, destination, product,
        histories.accepted_min[item], histories.promise_min[item],
        expected.reached_slot, expected.wave_slot, door, door[begins], door[before], minute[before],
        attempts.astype(np.int8), _lateness(stage, trip, facility, sails, connections), np.isfinite(told),
    ), rows  # fmt: skip


def _sails(rows: np.ndarray, histories: Histories, connections: Connections) -> np.ndarray:
    """The minute in which a vehicle that keeps to the timetable from now on would have left, to arrive when this one
    does; of all else the minute of the event. Int64 (n_row,)."""
    sails = histories.row_min[rows].astype(np.int64).copy()
    told = np.flatnonzero(np.isfinite(histories.row_late[rows]))
    own = np.where(np.isfinite(histories.row_late), 0, np.arange(len(histories.row_late)))
    left = histories.row_min[np.maximum.accumulate(own)[rows[told]]].astype(np.int64)
    trip, facility = histories.row_trip[rows[told]], histories.row_facility[rows[told]]
    late = histories.row_late[rows[told]].astype(float)
    arrives = connections.arrives_late(trip, facility, left, sails[told], late)
    sails[told] = np.rint(connections.planned(trip, facility, left) + arrives).astype(np.int64)
    return sails


def _lateness(stage, trip, facility, minute, connections: Connections) -> np.ndarray:
    """Minutes by which the trip of an event left or arrived after the timetable; NaN where no trip is told."""
    late = np.full(len(stage), np.nan, np.float32)
    for kind, planned in ((UNDERWAY, connections.departs), (WAITING, connections.arrives)):
        rows = np.flatnonzero((stage == kind) & (trip >= 0))
        plan = planned(trip[rows], facility[rows])
        off = (minute[rows] - plan + DAY_MIN // 2) % DAY_MIN - DAY_MIN // 2
        late[rows] = np.where(plan >= 0, off, np.nan)
    return late


def observe(standing: Standing, rows: np.ndarray, histories: Histories, outlook: Outlook, into: Conditions) -> None:
    """Add what the events show of the facilities to the conditions: each fact at the minute at which it was known."""
    slot_min = outlook.instance.slot_min
    follows = np.flatnonzero(standing.item[1:] == standing.item[:-1]) + 1
    last = follows - 1
    stage, before, minute = standing.stage[follows], standing.stage[last], standing.minute[follows]
    here = standing.facility[last]

    def see(measure: int, chosen: np.ndarray, value: np.ndarray, facility: np.ndarray = here) -> None:
        into.observe(measure, facility[chosen], minute[chosen], value[chosen].astype(float))

    see(SORT_WAIT, (stage == SORTED) & (before == WAITING), minute - standing.ready[last])
    see(LANE_WAIT, (stage == UNDERWAY) & (before == SORTED), minute - standing.minute[last])
    late, departs = standing.trip_late[follows], (stage == UNDERWAY) & ~standing.told[follows]
    see(DEPARTURE_LATE, departs & np.isfinite(late), late)
    arrives = (stage == WAITING) & np.isfinite(late)
    see(ARRIVAL_LATE, arrives, late, standing.facility[follows])
    wave = minute - standing.wave_slot[last] * slot_min
    see(WAVE_WAIT, (stage == OUT) & (before == SORTED) & (standing.wave_slot[last] >= 0), wave)
    moved = np.clip(standing.door[follows] - standing.door[last], -LARGE, LARGE)
    see(SLIP, np.isfinite(moved), moved)
    _follow_presence(standing, into)
    out = rows[standing.stage == OUT]
    ends = np.minimum(out + 1, len(histories.row_item) - 1)
    done = (histories.row_stage[ends] == DELIVERED) & (histories.row_item[ends] == histories.row_item[out])
    out, ends = out[done], ends[done]
    tour = histories.row_min[ends] - histories.row_min[out]
    into.observe(TOUR, histories.row_facility[out], histories.row_min[ends], tour.astype(float))


def _follow_presence(standing: Standing, into: Conditions) -> None:
    """Who comes to stand where, and who leaves: in the facility in which it waits, or out of it."""
    is_first = np.r_[True, standing.item[1:] != standing.item[:-1]] if len(standing.item) else np.zeros(0, bool)
    stands = (standing.stage != UNDERWAY) & (standing.stage != OUT)
    before = np.where(is_first, -1, np.r_[-1, standing.facility[:-1]])
    stood = np.where(is_first, False, np.r_[False, stands[:-1]])
    moved = (before != standing.facility) | (stood != stands)
    for kind in range(2):
        comes, leaves = stands & moved, stood & moved
        if kind:
            final = standing.facility == standing.destination
            comes, leaves = comes & final, leaves & (before == standing.destination)
        into.move(kind, standing.facility[comes], standing.minute[comes], 1)
        into.move(kind, before[leaves], standing.minute[leaves], -1)


def assemble(
    standing: Standing, chosen: np.ndarray, means: np.ndarray, first_hour: int, outlook: Outlook
) -> np.ndarray:
    """The features of chosen rows, float32 (n_chosen, len(FEATURES)).

    Parameters
    ----------
    means: of the conditions, from hour ``first_hour`` on; an hour beyond them has the last.
    """
    instance = outlook.instance
    out = np.empty((len(chosen), len(FEATURES)), np.float32)
    take = {name: getattr(standing, name)[chosen] for name in Standing.__slots__}
    minute, door, destination, facility = take["minute"], take["door"], take["destination"], take["facility"]
    wave_min = take["wave_slot"] * instance.slot_min
    columns = (
        take["stage"],
        door - minute,
        wave_min % DAY_MIN,
        (take["wave_slot"] - take["reached_slot"]) * instance.slot_min,
        minute % DAY_MIN,
        (minute // DAY_MIN + instance.epoch.toordinal()) % 7,
        take["product"],
        minute - take["accepted"],
        door - take["first_door"],
        door - take["last_door"],
        take["promise"] - door,
        take["promise"] // DAY_MIN - wave_min // DAY_MIN,
        take["attempts"],
        minute - take["last_minute"],
        take["trip_late"],
        _queue_shares(standing)[chosen],
        facility,
        destination,
        instance.fac_province[facility],
        instance.fac_province[destination],
    )
    for place, column in enumerate(columns):
        out[:, place] = column
    hour = np.clip(minute // 60 - first_hour, 0, len(means) - 1)
    n = len(OF_ITEM)
    way = _way_features(take, outlook, means, hour)
    out[:, n : n + way.shape[1]] = way
    n += way.shape[1]
    out[:, n : n + len(CONDITIONS)] = means[hour, facility]
    out[:, n + len(CONDITIONS) :] = means[hour, destination]
    return out


def _way_features(take: dict[str, np.ndarray], outlook: Outlook, means: np.ndarray, hour: np.ndarray) -> np.ndarray:
    """Features of the way that lies ahead: hops, the shortest wait for a trip, where it goes next, conditions on it."""
    slot_min = outlook.instance.slot_min
    slot = outlook.sorted_slot(take["stage"], take["facility"], take["ready"])
    moves = (take["stage"] != OUT) & (take["stage"] != FAILED) & (take["facility"] != take["destination"])
    hubs, waits = outlook.ways.follow(take["facility"], np.where(moves, slot, -1), take["destination"], take["product"])
    there = hubs >= 0
    names = [CONDITIONS.index(name) for name in OF_WAY]
    seen = np.zeros((len(hubs), len(names)), np.float32)
    for hop in range(hubs.shape[1]):
        rows = np.flatnonzero(there[:, hop])
        seen[rows] += means[hour[rows], hubs[rows, hop]][:, names]
    least = np.where(there, waits, 1 << 14).min(axis=1) * slot_min
    return np.column_stack([there.sum(axis=1), np.where(there[:, 0], least, np.nan), hubs[:, 0], seen])


def _queue_shares(standing: Standing) -> np.ndarray:
    """Of what went out with a wave, the share that was served before each item: product first, then promise, then who
    came first. NaN for what is not out."""
    share = np.full(len(standing.item), np.nan, np.float32)
    out = np.flatnonzero(standing.stage == OUT)
    if not len(out):
        return share
    keys = (standing.last_minute[out], standing.promise[out], standing.product[out])
    wave = (standing.facility[out].astype(np.int64) << 32) + standing.minute[out]
    order = np.lexsort((*keys, wave))
    begins = np.r_[True, np.diff(wave[order]) != 0]
    first = np.maximum.accumulate(np.where(begins, np.arange(len(out)), 0))
    size = np.bincount(np.cumsum(begins) - 1)[np.cumsum(begins) - 1]
    share[out[order]] = (np.arange(len(out)) - first + 0.5) / size
    return share
