"""Relief goods over a degraded timetable: ahead of everything else, consignment by consignment, with exact accounts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from postroad.core.clock import time_zone
from postroad.network.instance import MODES, Instance
from postroad.network.loss import Loss
from postroad.routing.consignments import (
    Consignment,
    Depot,
    Rooms,
    Shipment,
    bound_last_arrival,
    earliest_arrivals,
    earliest_way,
    make_rooms,
    send,
)
from postroad.routing.timetable import NEVER
from postroad.study.drills.resolve import Gazetteer, Goods
from postroad.study.drills.roads import RoadMap

__all__ = ["Need", "Relief", "account_hours", "find_needs", "instants", "modes_of", "send_relief"]


@dataclass(frozen=True, slots=True)
class Need:
    """What a place is to get of some goods.

    Attributes
    ----------
    goods: number of the goods. place_id: the place (or facility). n_units: how many.
    own: facility that serves the place. gate: where the goods are brought: ``own``, or the nearest working facility by
        road when that is lost; -1 when there is none.
    remaining_km: by road from the gate to ``own``; 0 where they are one.
    """

    goods: int
    place_id: str
    n_units: int
    own: int
    gate: int
    remaining_km: float


@dataclass(frozen=True, slots=True)
class Relief:
    """What came of sending.

    Attributes
    ----------
    needs: what was wanted; shipments: what went, ``consignment`` is the number of the need.
    n_short: int64 (n_need,), units for which no depot had stock; n_waiting: units left at a depot for want of a way.
    bound_first, bound_last: int64 (n_need,), minutes before which the first and the last unit cannot arrive, with
        nothing in the way; ``NEVER``: they cannot. undisturbed: first arrival at ``own`` on the whole network.
    """

    needs: tuple[Need, ...]
    shipments: tuple[Shipment, ...]
    n_short: np.ndarray
    n_waiting: np.ndarray
    bound_first: np.ndarray
    bound_last: np.ndarray
    undisturbed: np.ndarray


def find_needs(
    goods: tuple[Goods, ...], losses: tuple[Loss, ...], rooms: Rooms, roads: RoadMap, gazetteer: Gazetteer
) -> tuple[Need, ...]:
    """Name the facility to which each need is brought.

    Parameters
    ----------
    losses: whose facilities count as lost, whenever they are. rooms: of the degraded network.
    """
    lost = np.logical_or.reduce([loss.facilities for loss in losses])
    needs = []
    for number, one in enumerate(goods):
        probe = Consignment(-1, 1, one.size, one.modes, _depots(one))
        reached = None
        for place_id, n_units in one.needs:
            own = gazetteer.serving(place_id)
            gate, km = own, 0.0
            if lost[own]:
                if reached is None:
                    reached = earliest_arrivals(rooms, probe) < NEVER
                far = roads.km_from([own])
                far = np.where(gazetteer.is_centre & ~lost & reached, far, np.inf)
                gate = int(np.argmin(far))
                km = float(far[gate])
                gate = gate if np.isfinite(km) else -1
            needs.append(Need(number, place_id, n_units, own, gate, km))
    return tuple(needs)


def _depots(goods: Goods) -> tuple[Depot, ...]:
    """The depots of some goods, full."""
    return tuple(Depot(stock.fac, stock.ready_min, stock.n_units) for stock in goods.stocks)


def send_relief(
    after: Instance, before: Instance | None, goods: tuple[Goods, ...], needs: tuple[Need, ...], from_min: int
) -> Relief:
    """Send all needs in their order.

    Parameters
    ----------
    after, before: the horizon with and without the loss; bounds are left out when ``before`` is None.
    from_min: minute from which departures are looked at.
    """
    rooms = make_rooms(after, from_min)
    n = len(needs)
    first, last, whole = (np.full(n, NEVER, np.int64) for _ in range(3))
    if before is not None:
        intact = make_rooms(before, from_min)
        for number, need in enumerate(needs):
            alone = _consignment(need, goods[need.goods], _depots(goods[need.goods]))
            whole[number] = (earliest_way(intact, replace(alone, goal=need.own)) or (NEVER,))[0]
            if need.gate >= 0:
                first[number] = (earliest_way(rooms, alone) or (NEVER,))[0]
                last[number] = bound_last_arrival(rooms, alone)
    depots = [_depots(one) for one in goods]
    meant = [number for number, need in enumerate(needs) if need.gate >= 0]
    sent = send(rooms, [_consignment(needs[k], goods[needs[k].goods], depots[needs[k].goods]) for k in meant])
    shipments = tuple(replace(one, consignment=meant[one.consignment]) for one in sent)
    left = np.array([need.n_units for need in needs], np.int64)
    np.subtract.at(left, [one.consignment for one in shipments], [one.n_units for one in shipments])
    waiting = np.zeros(n, np.int64)
    for number, need in enumerate(needs):
        for depot in depots[need.goods]:
            held = min(int(left[number] - waiting[number]), depot.n_left)
            waiting[number] += held
            depot.n_left -= held
    return Relief(needs, shipments, left - waiting, waiting, first, last, whole)


def _consignment(need: Need, goods: Goods, depots: tuple[Depot, ...]) -> Consignment:
    return Consignment(need.gate, need.n_units, goods.size, goods.modes, depots)


def account_hours(after: Instance, goods: tuple[Goods, ...], relief: Relief, from_min: int) -> pl.DataFrame:
    """Units at the end of every hour: ready, waiting, under way, arrived, by goods.

    They are counted from what happens (ready, boarding, alighting) at each facility on its own: ``n_missing`` is what
    does not add up, ``n_overdrawn`` how often a facility would have sent away what it did not hold. Both are 0.
    """
    hours = np.arange(from_min // 60, after.n_days * 24)
    frames = []
    for number, one in enumerate(goods):
        ready, stock, ride, arrived = _happenings(after, one, number, relief)
        at_end = 60 * (hours + 1)
        sums = [_sum_until(events, at_end) for events in (ready, stock, ride, arrived)]
        frames.append(
            pl.DataFrame(
                {
                    "goods_id": [one.section.goods_id] * len(hours), "hour": hours, "n_ready": sums[0],
                    "n_waiting": sums[1], "n_under_way": sums[2], "n_arrived": sums[3],
                    "n_missing": sums[0] - sums[1] - sums[2] - sums[3],
                    "n_overdrawn": [_overdrawn(stock)] * len(hours), "label": ["modelled"] * len(hours),
                }
            )
        )  # fmt: skip
    return pl.concat(frames) if frames else pl.DataFrame(schema={"goods_id": pl.String, "hour": pl.Int64})


def _happenings(after: Instance, goods: Goods, number: int, relief: Relief):
    """Events as (minute, facility, units): made ready, in stock, on board, arrived."""
    ready, stock, ride, arrived = [], [], [], []
    held = sum(int(relief.n_waiting[k]) for k, need in enumerate(relief.needs) if need.goods == number)
    mine = [one for one in relief.shipments if relief.needs[one.consignment].goods == number]
    shipped = [0] * len(goods.stocks)
    for one in mine:
        place = next(k for k, s in enumerate(goods.stocks) if s.fac == one.fac and s.ready_min == one.ready_min)
        shipped[place] += one.n_units
        ready.append((one.ready_min, one.fac, one.n_units))
        stock.append((one.ready_min, one.fac, one.n_units))
        here = one.fac
        for row in one.rows:
            lane = after.cn_lane[after.dp_cn[row]]
            dep, arr, there = int(after.dp_dep_min[row]), int(after.dp_arr_min[row]), int(after.lane_to[lane])
            stock += [(dep, int(after.lane_from[lane]), -one.n_units), (arr, there, one.n_units)]
            ride += [(dep, 0, one.n_units), (arr, 0, -one.n_units)]
            here = there
        stock.append((one.arr_min, here, -one.n_units))
        arrived.append((one.arr_min, here, one.n_units))
    for place, one in enumerate(goods.stocks):
        rest = min(held, one.n_units - shipped[place])
        held -= rest
        if rest:
            ready.append((one.ready_min, one.fac, rest))
            stock.append((one.ready_min, one.fac, rest))
    return ready, stock, ride, arrived


def _sum_until(events: list[tuple[int, int, int]], minutes: np.ndarray) -> np.ndarray:
    """Sum of units of the events before each minute, int64."""
    if not events:
        return np.zeros(len(minutes), np.int64)
    at, _, units = np.array(sorted(events), np.int64).T
    return np.concatenate([[0], np.cumsum(units)])[np.searchsorted(at, minutes)]


def _overdrawn(events: list[tuple[int, int, int]]) -> int:
    """How often the units at a facility fall below nought; what comes in a minute is there for what leaves in it."""
    held: dict[int, int] = {}
    n = 0
    for _, fac, units in sorted(events, key=lambda event: (event[0], -event[2])):
        held[fac] = held.get(fac, 0) + units
        n += held[fac] < 0
    return n


def instants(instance: Instance, minutes) -> pl.Series:
    """Minutes of the horizon as instants in the feed's zone; null for ``NEVER`` and None."""
    zone = time_zone(instance.timezone)
    start = instance.epoch.astimezone(zone).replace(tzinfo=None)
    values: list[datetime | None] = [
        None if minute is None or minute >= NEVER else start + timedelta(minutes=int(minute)) for minute in minutes
    ]
    return pl.Series(values, dtype=pl.Datetime("us"))


def modes_of(instance: Instance, shipment: Shipment) -> list[str]:
    """The modes of a shipment's rides, in order."""
    return [MODES[instance.lane_mode[instance.cn_lane[instance.dp_cn[row]]]] for row in shipment.rows]
