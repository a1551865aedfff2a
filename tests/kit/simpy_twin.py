"""A reference of the twin, parcel by parcel, as a model in SimPy: every parcel is a process that waits for its turns.

It shares no code with the twin but the network and the routing tables that both are given. Time runs in ticks of a
hundredth of a minute, so that what happens at one minute has its order: parcels join, facilities work, vehicles leave,
and at the end of the slot what is ready for delivery joins and waves go out.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field

import numpy as np
import simpy

from postroad.demand.items import Items
from postroad.network.instance import Instance
from postroad.routing.tables import RoutingTables
from postroad.twin.parameters import TwinParameters

TICKS = 100
WORK, LEAVE, READY, WAVE = 10, 20, -60, -50
DAY_MIN = 1440


@dataclass
class Parcel:
    """One parcel: what it is, where it is bound for and what happened to it."""

    number: int
    origin: int
    destination: int
    product: int
    promise_day: int
    accepted: int
    g: int
    cm3: int
    bound_for: int
    left: int = -1
    reached: int = -1
    out: int = -1
    ended: int = -1
    outcome: str = ""
    attempts: int = 0
    is_returning: bool = False
    has_diverted: bool = False
    is_grounded: bool = False
    log: list[tuple[str, int, int, int]] = field(default_factory=list)  # kind, minute, facility, departure

    @property
    def rank(self) -> tuple[int, int]:
        """Its class: lower ranks are served first."""
        return self.product, self.promise_day

    def end(self, outcome: str, minute: int) -> None:
        """The journey is over."""
        self.outcome, self.ended = outcome, minute


class Waiting:
    """Parcels that wait in one place, each with the event that ends its wait; served by class, then as they came."""

    def __init__(self) -> None:
        self.queues: dict[tuple[int, int], deque] = defaultdict(deque)
        self.n = 0

    def join(self, parcel: Parcel, turn: simpy.Event) -> None:
        """Come last in one's class."""
        self.queues[parcel.rank].append((parcel, turn))
        self.n += 1

    def first(self) -> Parcel | None:
        """Who is served next."""
        ranks = [rank for rank, queue in self.queues.items() if queue]
        return self.queues[min(ranks)][0][0] if ranks else None

    def take(self) -> tuple[Parcel, simpy.Event]:
        """Serve the next."""
        rank = min(rank for rank, queue in self.queues.items() if queue)
        self.n -= 1
        return self.queues[rank].popleft()


class Model:
    """The network as processes."""

    def __init__(self, instance: Instance, tables: RoutingTables, parameters: TwinParameters) -> None:
        self.net, self.tables, self.rules = instance, tables, parameters
        self.env = simpy.Environment()
        places = range(instance.n_fac)
        self.arrived = [deque() for _ in places]
        self.accepted = [deque() for _ in places]
        self.to_screen = [Waiting() for _ in places]
        self.to_sort = [Waiting() for _ in places]
        self.to_deliver = [Waiting() for _ in places]
        self.lanes = [Waiting() for _ in instance.lane_from]
        self.on_board: dict[tuple[int, int], np.ndarray] = defaultdict(lambda: np.zeros(3, np.int64))
        self.n_lost_seen, self.n_first_seen, self.n_later_seen = ([0 for _ in places] for _ in range(3))
        self.n_under_way = 0
        self.limit_by_day: dict[int, np.ndarray] = {}
        self.n_divided: dict[int, int] = defaultdict(int)

    def run(self, items: Items) -> list[Parcel]:
        """Let all parcels travel to their end."""
        parcels = [
            Parcel(k, *(int(column[k]) for column in (
                items.origin, items.destination, items.product, items.promise_day, items.accepted_min, items.g,
                items.cm3, items.destination,
            )))
            for k in range(len(items.origin))
        ]  # fmt: skip
        self.block = block_sizes(items, self.net.n_fac)
        self.n_under_way = len(parcels)
        for parcel in parcels:
            self.env.process(self.travel(parcel))
        for place in range(self.net.n_fac):
            self.env.process(self.work_at(place))
            self.env.process(self.deliver_from(place))
        for departure in range(len(self.net.dp_cn)):
            self.env.process(self.leave(departure))
        self.env.run()
        return parcels

    def until(self, slot: int, ticks: int = 0) -> simpy.Event:
        """Wait for a slot; negative ticks count from its end."""
        start = slot + 1 if ticks < 0 else slot
        return self.env.timeout(start * self.net.slot_min * TICKS + ticks - self.env.now)

    @property
    def minute(self) -> int:
        """The present minute."""
        return int(self.env.now) // TICKS

    @property
    def slot(self) -> int:
        """The present slot."""
        return self.minute // self.net.slot_min

    # the life of a parcel

    def travel(self, parcel: Parcel):
        """From acceptance to the end."""
        net, place = self.net, parcel.origin
        parcel.log.append(("accepted", parcel.accepted, place, -1))
        joins = parcel.accepted + int(net.origin_min[place])
        yield self.until(-(-joins // net.slot_min))
        queue = self.accepted[place]
        while True:
            turn = self.env.event()
            queue.append((parcel, turn))
            yield turn
            parcel.log.append(("sorted", self.minute, place, -1))
            anchor = net.fac_parent[parcel.bound_for] if net.fac_parent[parcel.bound_for] >= 0 else parcel.bound_for
            if parcel.left < 0 and place in (anchor, parcel.bound_for):
                parcel.left = parcel.reached = self.minute
            if place != parcel.bound_for:
                departure = yield from self.ride(parcel, place, anchor)
                place = int(net.lane_to[net.cn_lane[net.dp_cn[departure]]])
                yield self.until(int(net.dp_ready_slot[departure]))
            elif parcel.is_returning:
                parcel.out = self.minute
                parcel.log.append(("returned", self.minute, place, -1))
                parcel.end("returned", self.minute)
            else:
                yield from self.be_delivered(parcel, place)
            if parcel.outcome:
                self.n_under_way -= 1
                return
            queue = self.arrived[place]

    def ride(self, parcel: Parcel, place: int, anchor: int):
        """Wait on a lane and ride; gives the departure."""
        net, lane = self.net, self.choose_lane(parcel, place, anchor)
        turn = self.env.event()
        self.lanes[lane].join(parcel, turn)
        departure = yield turn
        start, end = net.lane_from[lane], net.lane_to[lane]
        leaves, comes = int(net.dp_dep_min[departure]), int(net.dp_arr_min[departure])
        parcel.log.append(("departed", leaves, int(start), departure))
        parcel.log.append(("arrived", comes, int(end), departure))
        if net.fac_place[start] != net.fac_place[end] and not parcel.is_returning:
            if parcel.left < 0:
                parcel.left = leaves
            if net.fac_place[end] == net.fac_place[parcel.bound_for]:
                parcel.reached = comes
        return departure

    def choose_lane(self, parcel: Parcel, place: int, anchor: int) -> int:
        """The planned lane; when it is overfull, once in a life the other one while that is not; by road for good when
        more waits than a day takes away."""
        net = self.net
        if place == anchor:
            return int(net.feeder_lane[parcel.bound_for])
        if net.fac_parent[place] >= 0:
            return int(net.collect_lane[place])
        day, moment = divmod(self.slot, net.slots_per_day)
        first, towards = int(net.out_ptr[place]), net.fac_td[parcel.bound_for]

        def lane_in(answers: np.ndarray, table: int) -> int:
            out = int(answers[table, self.tables.block_of_day[day], place, moment, towards]) if table >= 0 else -1
            return first + out if out >= 0 else -1

        table, last_resort = int(self.tables.table_of_product[parcel.product]), int(self.tables.by_road[parcel.product])
        road = lane_in(self.tables.next_out, last_resort)
        if parcel.is_grounded and road >= 0:
            table = last_resort
        planned, other = lane_in(self.tables.next_out, table), lane_in(self.tables.alt_out, table)
        if self.tables.splits is not None and not parcel.is_grounded:
            state = (table, self.tables.block_of_day[day], place, moment)
            shared = self.shared_lane(state, towards)
            if shared is not None:
                planned, other = first + shared, other if other != first + shared else planned
                other = other if other != planned else -1
        overfull, brim = self.limits(day)
        if self.lanes[planned].n < overfull[planned]:
            return planned
        if other >= 0 and not parcel.has_diverted and self.lanes[other].n < overfull[other]:
            parcel.has_diverted = True
            return other
        if not parcel.is_grounded and road not in (-1, planned) and self.lanes[planned].n >= brim[planned]:
            parcel.is_grounded = True
            return road
        return planned

    def shared_lane(self, state: tuple[int, ...], towards: int) -> int | None:
        """The outgoing lane of the parcel whose turn it is, where parcels divide over several lanes."""
        splits = self.tables.splits
        if splits.number[state][towards] < 0:
            return None
        split = int(splits.base[state] + splits.number[state][towards])
        position = (97 * split + self.n_divided[split]) % 256
        self.n_divided[split] += 1
        return int(
            next(lane for lane, end in zip(splits.lanes[split], splits.ends[split], strict=True) if position < end)
        )

    def limits(self, day: int) -> tuple[np.ndarray, np.ndarray]:
        """Queues above which each lane is overfull, and above which parcels go by road: the items of
        ``divert_queue_h`` hours and of a day, or of the largest vehicle."""
        net = self.net
        if day not in self.limit_by_day:
            mean_g, mean_cm3 = int(net.prod_g.mean()), int(net.prod_cm3.mean())
            total, largest = np.zeros(len(net.lane_from)), np.zeros(len(net.lane_from), np.int64)
            for cn in np.flatnonzero(net.service_runs[net.cn_service, day]):
                leg, lane = net.cn_leg_first[cn], net.cn_lane[cn]
                takes = min(net.leg_cap_items[leg], net.leg_cap_g[leg] // mean_g, net.leg_cap_cm3[leg] // mean_cm3)
                total[lane] += takes
                largest[lane] = max(largest[lane], takes)
            overfull = np.maximum(np.floor(total * self.rules.divert_queue_h / 24), largest)
            self.limit_by_day[day] = overfull, np.maximum(total, overfull)
        return self.limit_by_day[day]

    def be_delivered(self, parcel: Parcel, place: int):
        """Wait for a wave, go out, and so on until delivered, lost, or on the way back."""
        net = self.net
        delay = int(net.wave_delay[place, self.slot % net.slots_per_day])
        if delay:
            yield self.until(self.slot + delay, READY)
        while True:
            turn = self.env.event()
            self.to_deliver[place].join(parcel, turn)
            outcome, ended = yield turn
            wave = self.slot
            parcel.out = wave * net.slot_min
            parcel.log.append(("out_for_delivery", parcel.out, place, -1))
            if outcome == "lost":
                parcel.log.append(("lost", parcel.out, place, -1))
                parcel.end("lost", parcel.out)
                return
            parcel.attempts += 1
            if outcome == "delivered":
                parcel.log.append(("delivered", ended, place, -1))
                parcel.end("delivered", ended)
                return
            back = wave + 8 * 60 // net.slot_min
            parcel.log.append(("attempt_failed", back * net.slot_min, place, -1))
            if parcel.attempts == self.rules.max_attempts:
                parcel.log.append(("return_started", back * net.slot_min, place, -1))
                parcel.is_returning, parcel.is_grounded, parcel.bound_for = True, False, parcel.origin
                yield self.until(back + 1)
                return
            tomorrow = (wave // net.slots_per_day + 1) * net.slots_per_day
            yield self.until(max(back, tomorrow), READY)

    # what serves parcels

    def work_at(self, place: int):
        """Screen and sort, slot by slot."""
        slot = 0
        while self.n_under_way and slot < self.net.n_slots:
            yield self.until(slot, WORK)
            arrived, accepted = self.arrived[place], self.accepted[place]
            sort_cap, screen_cap = int(self.net.sort_cap[place, slot]), int(self.net.screen_cap[place, slot])
            nobody_waits = self.to_sort[place].n + self.to_screen[place].n == 0
            if nobody_waits and len(accepted) <= screen_cap and len(arrived) + len(accepted) <= sort_cap:
                for parcel, _ in accepted:
                    parcel.log.append(("screened", self.minute, place, -1))
                for _, turn in [*arrived, *accepted]:
                    turn.succeed()
            else:
                self.work_in_order(place, arrived, accepted, sort_cap, screen_cap)
            arrived.clear()
            accepted.clear()
            slot += 1

    def work_in_order(self, place: int, arrived: deque, accepted: deque, sort_cap: int, screen_cap: int) -> None:
        """When not all can be done in the slot, higher classes go first."""
        for parcel, turn in arrived:
            self.to_sort[place].join(parcel, turn)
        for parcel, turn in accepted:
            self.to_screen[place].join(parcel, turn)
        for _ in range(min(screen_cap, self.to_screen[place].n)):
            parcel, turn = self.to_screen[place].take()
            parcel.log.append(("screened", self.minute, place, -1))
            self.to_sort[place].join(parcel, turn)
        for _ in range(min(sort_cap, self.to_sort[place].n)):
            self.to_sort[place].take()[1].succeed()

    def leave(self, departure: int):
        """A vehicle leaves with the first in line, until one does not fit."""
        net, cn = self.net, self.net.dp_cn[departure]
        yield self.env.timeout(int(net.dp_dep_min[departure]) * TICKS + LEAVE)
        lane = self.lanes[net.cn_lane[cn]]
        legs = range(net.cn_leg_first[cn], net.cn_leg_last[cn] + 1)
        day, left = int(net.dp_day[departure]), int(net.dp_capf[departure])
        room = np.full(3, 2**60)
        for leg in legs:
            capacity = np.array([net.leg_cap_items[leg], net.leg_cap_g[leg], net.leg_cap_cm3[leg]])
            room = np.minimum(room, capacity * left // 1000 - self.on_board[day, leg])
        while lane.n:
            parcel = lane.first()
            size = np.array([1, parcel.g, parcel.cm3])
            if (size > room).any():
                break
            room = room - size
            for leg in legs:
                self.on_board[day, leg] += size
            lane.take()[1].succeed(departure)

    def deliver_from(self, place: int):
        """Delivery waves: some parcels are found missing, some doors stay shut, the others are reached one by one."""
        slots = np.flatnonzero(self.net.wave_cap[place])
        for slot in slots:
            yield self.until(int(slot), WAVE)
            n_out = min(int(self.net.wave_cap[place, slot]), self.to_deliver[place].n)
            n_expected = n_out * round(10_000 * self.rules.first_attempt_success_share) // 10_000
            hours = np.rint(np.cumsum(self.rules.tour_shares) * 10_000).astype(int)
            by_hour = n_expected * hours // 10_000
            n_delivered = 0
            for _ in range(n_out):
                parcel, turn = self.to_deliver[place].take()
                outcome = self.draw(parcel, place)
                hour = 0
                if outcome == "delivered":
                    hour = min(int(np.searchsorted(by_hour, n_delivered, side="right")), len(by_hour) - 1)
                    n_delivered += 1
                turn.succeed((outcome, int(slot) * self.net.slot_min + 60 * hour + 30))

    def draw(self, parcel: Parcel, place: int) -> str:
        """What becomes of the next parcel that goes out, by its place in the facility's series."""
        number = self.n_lost_seen[place]
        self.n_lost_seen[place] += 1
        if is_hit(number, self.rules.lost_per_million, 1_000_000, 1):
            return "lost"
        is_first = parcel.attempts == 0
        series = self.n_first_seen if is_first else self.n_later_seen
        share = self.rules.first_attempt_success_share if is_first else self.rules.later_attempt_success_share
        number = series[place]
        series[place] += 1
        return "failed" if is_hit(number, round(10_000 * (1 - share)), 10_000, int(self.block[place])) else "delivered"


def is_hit(number: int, share: int, whole: int, block: int) -> bool:
    """Whether the item of that number (0-based) is hit: of each block the first ones, as many as are due by its end."""
    first = number - number % block
    due = (first + block) * share // whole - first * share // whole
    return number - first < due


def block_sizes(items: Items, n_fac: int) -> np.ndarray:
    """About two hundred blocks a facility and day."""
    daily = np.bincount(items.destination[items.accepted_min < DAY_MIN], minlength=n_fac)
    return np.clip(daily // 200, 1, 4000)
