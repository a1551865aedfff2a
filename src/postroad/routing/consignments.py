"""Send consignments one after another by the earliest arrival, each using up room on legs and in sorting.

A consignment is a number of equal units for one facility, from one or more depots. The earliest way that still has room
takes as many units as fit through its narrowest leg or sorting slot; what is left looks for the next way. Who is sent
first is served first; nothing that was sent is moved again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from postroad.kernels.scan import scan_forward
from postroad.network.instance import Instance
from postroad.routing.departures import lanes_out_of
from postroad.routing.timetable import NEVER, Timetable, build_timetable, when_open

__all__ = [
    "Consignment",
    "Depot",
    "Rooms",
    "Shipment",
    "bound_last_arrival",
    "earliest_arrivals",
    "earliest_way",
    "make_rooms",
    "send",
]


@dataclass(slots=True)
class Depot:
    """Where units wait to be sent.

    Attributes
    ----------
    fac: facility. ready_min: minute from which units can leave. n_left: units still there; sending takes from it.
    """

    fac: int
    ready_min: int
    n_left: int


@dataclass(frozen=True, slots=True)
class Consignment:
    """Units for one facility.

    Attributes
    ----------
    goal: facility at which they are to arrive.
    n_units: how many.
    size: of one unit: pieces, grams, cubic centimetres.
    modes: bool (len(MODES),), modes that it may ride.
    depots: where it may come from.
    """

    goal: int
    n_units: int
    size: tuple[int, int, int]
    modes: np.ndarray
    depots: tuple[Depot, ...]


@dataclass(frozen=True, slots=True)
class Shipment:
    """Units that went one way together.

    Attributes
    ----------
    consignment: number of it. fac: depot's facility. n_units: how many.
    ready_min: when they were ready at the depot; arr_min: when they arrive.
    rows: departures of the instance, in order; empty where the depot is the goal.
    ready_after: minute at which they can leave again after each of them.
    """

    consignment: int
    fac: int
    n_units: int
    ready_min: int
    arr_min: int
    rows: tuple[int, ...]
    ready_after: tuple[int, ...]


@dataclass(slots=True)
class Rooms:
    """What room is left on a timetable; sending takes from it.

    Attributes
    ----------
    timetable: of everything that any mode offers; ``ready`` holds while nothing is full.
    queued: int32 (n_departure,), minute at which an item that came with the departure joins the sorting queue.
    leg_left: int64 (n_leg, n_day, 3), pieces, grams and cubic centimetres by leg and service day.
    sort_left: int32 (n_fac, n_slots), pieces.
    by_trip, trip_ptr: departures of the timetable in order of trip and service day; by_target, target_ptr: of target.
    openings: what is open to units of the kind asked for last, so that it is not worked out again for the next of them.
    """

    instance: Instance
    timetable: Timetable
    queued: np.ndarray
    leg_left: np.ndarray
    sort_left: np.ndarray
    by_trip: np.ndarray
    trip_ptr: np.ndarray
    by_target: np.ndarray
    target_ptr: np.ndarray
    openings: dict[tuple, _Openings] = field(default_factory=dict)


def make_rooms(instance: Instance, from_min: int) -> Rooms:
    """The full room of an instance's departures from a minute on.

    **Assumes** that nothing else has a claim on it: what is sent with it goes ahead of everything else.
    """
    every = replace(instance, prod_mode_ok=np.ones_like(instance.prod_mode_ok))
    timetable = build_timetable(every, 0, from_min=from_min)
    cn, day = instance.dp_cn[timetable.row], instance.dp_day[timetable.row]
    queued = np.maximum(timetable.arr + instance.cn_ready_min[cn], timetable.dep + 1)
    caps = np.stack([instance.leg_cap_items, instance.leg_cap_g, instance.leg_cap_cm3], axis=1)
    left = np.repeat(caps[:, None], instance.n_days, axis=1)
    for row in np.flatnonzero(instance.dp_capf < 1000):
        legs = slice(instance.cn_leg_first[instance.dp_cn[row]], instance.cn_leg_last[instance.dp_cn[row]] + 1)
        part = left[legs, instance.dp_day[row]]
        np.minimum(part, caps[legs] * int(instance.dp_capf[row]) // 1000, out=part)
    n_trip = int(instance.cn_trip.max(initial=-1)) + 1
    by_trip, trip_ptr = _index(instance.cn_trip[cn].astype(np.int64) * instance.n_days + day, n_trip * instance.n_days)
    by_target, target_ptr = _index(timetable.target, instance.n_fac)
    return Rooms(instance, timetable, queued, left, instance.sort_cap.copy(), by_trip, trip_ptr, by_target, target_ptr)


def _index(keys: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows in order of their key, and where each key's begin."""
    order = np.argsort(keys, kind="stable")
    return order, np.concatenate([[0], np.cumsum(np.bincount(keys, minlength=n))])


def send(rooms: Rooms, consignments: Sequence[Consignment]) -> list[Shipment]:
    """Send consignments in their order; depots and rooms are used up.

    Returns
    -------
    list of Shipment; the units that it does not hold find no way, or no stock, within the horizon.
    """
    shipments = []
    timetable = rooms.timetable
    for number, consignment in enumerate(consignments):
        opening = _open_for(rooms, consignment)
        n_left = consignment.n_units
        while n_left and (way := _find(rooms, opening, consignment)) is not None:
            depot, journey = way
            n = min(n_left, depot.n_left, opening.narrowest(journey))
            ready = tuple(int(minute) for minute in opening.ready[journey])
            arr = int(timetable.arr[journey[-1]]) if journey else depot.ready_min
            rows = tuple(int(row) for row in timetable.row[journey])
            shipments.append(Shipment(number, depot.fac, n, depot.ready_min, arr, rows, ready))
            depot.n_left -= n
            n_left -= n
            opening.take(journey, n)
    return shipments


def earliest_way(rooms: Rooms, consignment: Consignment) -> tuple[int, list[int]] | None:
    """The earliest arrival of one unit over the room that is left, and the departures that it takes; None: no way."""
    way = _find(rooms, _open_for(rooms, consignment), consignment)
    if way is None:
        return None
    depot, journey = way
    return (int(rooms.timetable.arr[journey[-1]]) if journey else depot.ready_min), journey


def earliest_arrivals(rooms: Rooms, consignment: Consignment) -> np.ndarray:
    """When a unit can be at each facility at the earliest, handled and sorted there, int32 (n_fac,); ``NEVER``: not."""
    return _scan(rooms, _open_for(rooms, consignment), consignment)[0]


def bound_last_arrival(rooms: Rooms, consignment: Consignment) -> int:
    """A minute before which the last unit cannot arrive, were the consignment alone; ``NEVER`` where it cannot.

    Only the last leg into the goal is counted: what can be reached in time and has room, added up in order of arrival.
    """
    opening = _open_for(rooms, consignment)
    n = consignment.n_units
    here = [depot for depot in consignment.depots if depot.fac == consignment.goal]
    instance = rooms.instance
    rows = _into_goal(rooms, opening, consignment, _scan(rooms, opening, consignment)[0])
    dp = rooms.timetable.row[rows]
    leg, day = instance.cn_leg_last[instance.dp_cn[dp]], instance.dp_day[dp]
    _, first = np.unique(leg.astype(np.int64) * instance.n_days + day, return_index=True)
    room = _units(rooms.leg_left[leg[first], day[first]], consignment.size)
    units = np.concatenate([np.minimum(room, n), [min(depot.n_left, n) for depot in here]])
    minute = np.concatenate([rooms.timetable.arr[rows[first]], [depot.ready_min for depot in here]])
    order = np.argsort(minute, kind="stable")
    place = int(np.searchsorted(np.cumsum(units[order]), n))
    return int(minute[order[place]]) if place < len(order) else NEVER


def _find(rooms: Rooms, opening: _Openings, consignment: Consignment) -> tuple[Depot, list[int]] | None:
    """The depot and departures of the earliest arrival; None when nothing leads there any more."""
    timetable = rooms.timetable
    reach, via = _scan(rooms, opening, consignment)
    rows = _into_goal(rooms, opening, consignment, reach)
    here = [depot for depot in consignment.depots if depot.fac == consignment.goal and depot.n_left]
    at_goal = min(here, key=lambda depot: depot.ready_min, default=None)
    if at_goal is not None and at_goal.ready_min <= timetable.arr[rows].min(initial=NEVER):
        return at_goal, []
    if not len(rows):
        return None
    journey = [int(rows[np.argmin(timetable.arr[rows])])]
    while via[fac := timetable.origin[journey[0]]] >= 0:
        journey.insert(0, int(via[fac]))
    start = int(timetable.origin[journey[0]])
    depots = [depot for depot in consignment.depots if depot.fac == start and depot.n_left]
    return min(depots, key=lambda depot: depot.ready_min), journey


def _scan(rooms: Rooms, opening: _Openings, consignment: Consignment) -> tuple[np.ndarray, np.ndarray]:
    """Earliest ready minutes at all facilities from all depots with stock, and what brings units there."""
    timetable = rooms.timetable
    reach, via = np.full(timetable.n_fac, NEVER, np.int32), np.full(timetable.n_fac, -1, np.int32)
    for depot in consignment.depots:
        if depot.n_left:
            reach[depot.fac] = min(reach[depot.fac], depot.ready_min)
    scan_forward(reach, via, timetable.origin, timetable.target, timetable.dep, opening.ready)
    return reach, via


def _into_goal(rooms: Rooms, opening: _Openings, consignment: Consignment, reach: np.ndarray) -> np.ndarray:
    """Departures into the goal that have room and can be caught."""
    goal = consignment.goal
    rows = rooms.by_target[rooms.target_ptr[goal] : rooms.target_ptr[goal + 1]]
    caught = opening.is_open[rows] & (reach[rooms.timetable.origin[rows]] <= rooms.timetable.dep[rows])
    return rows[caught]


def _units(room: np.ndarray, size: tuple[int, int, int]) -> np.ndarray:
    """How many units fit a room of pieces, grams and cubic centimetres."""
    return (room // np.maximum(np.array(size, np.int64), 1)).min(axis=-1)


def _open_for(rooms: Rooms, consignment: Consignment) -> _Openings:
    """What is open to a consignment's units; rooms keep it for the next of the same kind."""
    home = int(rooms.instance.fac_territory[consignment.goal])
    key = (consignment.size, tuple(consignment.modes.tolist()), home)
    if key not in rooms.openings:
        rooms.openings.clear()
        rooms.openings[key] = _Openings(rooms, consignment.size, consignment.modes, home)
    return rooms.openings[key]


class _Openings:
    """The departures that units of one kind can still take, and when they can go on after each.

    Attributes
    ----------
    is_open: bool (n_departure,), whether a unit fits. ready: int32 (n_departure,), ``NEVER`` where it does not.
    """

    def __init__(self, rooms: Rooms, size: tuple[int, int, int], modes: np.ndarray, home: int) -> None:
        self.rooms, self.size = rooms, size
        instance, timetable = rooms.instance, rooms.timetable
        cn, self.day = instance.dp_cn[timetable.row], instance.dp_day[timetable.row]
        self.first, self.last = instance.cn_leg_first[cn], instance.cn_leg_last[cn]
        too_small = (rooms.leg_left < np.array(size, np.int64)).any(axis=2)
        full = np.concatenate(
            [np.zeros((1, too_small.shape[1]), np.int32), np.cumsum(too_small, axis=0, dtype=np.int32)]
        )
        lane = instance.cn_lane[cn]
        self.is_open = (full[self.last + 1, self.day] == full[self.first, self.day]) & modes[instance.lane_mode[lane]]
        self.is_open &= ~lanes_out_of(instance, home)[lane]
        self.ready = self._ready(np.arange(len(timetable.row)))

    def _ready(self, rows: np.ndarray) -> np.ndarray:
        """Minutes from which units that came with departures can go on; ``NEVER`` where they find no room."""
        rooms = self.rooms
        room = rooms.sort_left // max(1, self.size[0])
        ready = when_open(rooms.instance, room, rooms.timetable.target[rows], rooms.queued[rows])
        return np.where(self.is_open[rows], ready, NEVER).astype(np.int32)

    def narrowest(self, journey: list[int]) -> int:
        """Units that fit through every leg and every sorting slot of a journey."""
        rooms = self.rooms
        n = NEVER
        for c in journey:
            room = rooms.leg_left[self.first[c] : self.last[c] + 1, self.day[c]]
            n = min(n, int(_units(room, self.size).min()))
        for fac, slot in self._sorted_at(journey):
            n = min(n, int(rooms.sort_left[fac, slot]) // max(1, self.size[0]))
        return n

    def take(self, journey: list[int], n: int) -> None:
        """Use up the room of a journey, and shut what is full."""
        rooms, size = self.rooms, np.array(self.size, np.int64)
        places = self._sorted_at(journey)  # before shutting a departure hides when its units go on
        for c in journey:
            legs = slice(self.first[c], self.last[c] + 1)
            rooms.leg_left[legs, self.day[c]] -= n * size
            if (rooms.leg_left[legs, self.day[c]] < size).any():
                self._shut(c)
        for fac, slot in places:
            rooms.sort_left[fac, slot] -= n * self.size[0]
            if rooms.sort_left[fac, slot] < max(1, self.size[0]):
                rows = rooms.by_target[rooms.target_ptr[fac] : rooms.target_ptr[fac + 1]]
                self.ready[rows] = self._ready(rows)

    def _sorted_at(self, journey: list[int]) -> list[tuple[int, int]]:
        """Facility and slot of the horizon in which units are sorted between two departures of a journey."""
        instance, target = self.rooms.instance, self.rooms.timetable.target
        places = ((int(target[c]), int(self.ready[c]) // instance.slot_min) for c in journey[:-1])
        return [(fac, slot) for fac, slot in places if slot < instance.n_slots]

    def _shut(self, c: int) -> None:
        """Shut the departures of a trip's day whose legs are full."""
        rooms, instance = self.rooms, self.rooms.instance
        key = int(instance.cn_trip[instance.dp_cn[rooms.timetable.row[c]]]) * instance.n_days + int(self.day[c])
        for row in rooms.by_trip[rooms.trip_ptr[key] : rooms.trip_ptr[key + 1]]:
            room = rooms.leg_left[self.first[row] : self.last[row] + 1, self.day[row]]
            if (room < np.array(self.size, np.int64)).any():
                self.is_open[row] = False
                self.ready[row] = NEVER
