"""A second account of a plan: what its flows cost, whether they can be carried out, and how much better any could be.

Nothing here is shared with what makes plans. Flows are added up and compared with the problem's arrays, and the lower
bound that prices prove is found by plain value iteration. A plan that this module passes is one whatever made it.

A plan's certificate
    Its flows: items on each ride, sorted in each slot and given up at each facility, by product and tree destination.
    The waiting follows from them: round the ring, what stands in a queue is what has come and not gone.
    Its prices: yuan for the whole of each resource and for each item sorted. Whatever a plan does, it costs at least
    what every item's cheapest way costs at prices, less what the prices would earn if everything were full.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from postroad.flow.problem import CLOSED, FlowProblem

__all__ = ["TOLERANCE", "Score", "evaluate", "lower_bound"]

TOLERANCE = 1e-5
"""Part by which sums of float32 flows may miss what they should be."""

WIDTH = 64
"""Destinations worked on together: this bounds the memory, not the answer."""


@dataclass(frozen=True, slots=True)
class Score:
    """What a plan costs, in yuan, and what is wrong with it.

    Attributes
    ----------
    ride_time_yuan, carbon_yuan: of the rides; handling_yuan: of sorting; waiting_yuan: in queues, the least that
        the flows allow; wave_yuan: from being sorted at the destination to the delivery wave.
    refusal_yuan, n_given_up: of the items that are not carried.
    leg_overload, sort_overload: by how much the fullest resource and slot of sorting exceed their capacity, as a part
        of it; 0 when none does, infinite where a centre that is closed sorts.
    imbalance: items by which what comes and what goes differ most, over the ring, in one queue of a product, facility
        and destination; imbalance_share: the largest such difference as a part of what comes (at least 1 item).
    negative: the most negative flow, items, as a positive number.
    barred: items on rides that their product may not take or that leave their destination's customs territory.
    bound_yuan: the lower bound that the prices prove; None without prices.
    tolerance: what ``faults`` goes by.
    """

    ride_time_yuan: float
    carbon_yuan: float
    handling_yuan: float
    waiting_yuan: float
    wave_yuan: float
    refusal_yuan: float
    n_given_up: float
    leg_overload: float
    sort_overload: float
    imbalance: float
    imbalance_share: float
    negative: float
    barred: float
    bound_yuan: float | None
    tolerance: float

    @property
    def cost_yuan(self) -> float:
        """All costs of the plan."""
        rides = self.ride_time_yuan + self.carbon_yuan
        return rides + self.handling_yuan + self.waiting_yuan + self.wave_yuan + self.refusal_yuan

    @property
    def gap(self) -> float | None:
        """Cost above the bound, as a part of what carrying costs; None without prices.

        Refused items cost far more than others, so what they cost is left out of what the gap is measured against.
        """
        if self.bound_yuan is None:
            return None
        above, carrying = self.cost_yuan - self.bound_yuan, self.cost_yuan - self.refusal_yuan
        if carrying > 0:
            return above / carrying
        return 0.0 if above <= 0 else float("inf")

    @property
    def faults(self) -> tuple[str, ...]:
        """Names of the figures that exceed the tolerance; what is not a number exceeds it."""
        judged = ("leg_overload", "sort_overload", "imbalance_share", "negative", "barred")
        return tuple(name for name in judged if not getattr(self, name) <= self.tolerance)

    @property
    def is_feasible(self) -> bool:
        """Whether the plan can be carried out day after day."""
        return not self.faults


def evaluate(
    problem: FlowProblem,
    ride_flow: np.ndarray,
    sort_flow: np.ndarray,
    given_up: np.ndarray,
    leg_prices: np.ndarray | None = None,
    sort_prices: np.ndarray | None = None,
    *,
    tolerance: float = TOLERANCE,
) -> Score:
    """Recompute a plan's cost, look for what cannot be, and recompute the bound if there are prices.

    Parameters
    ----------
    ride_flow: float (n_prod, n_ride, n_td), items; sort_flow: float (n_prod, n_core, n_slots, n_td), items sorted.
    given_up: float (n_prod, n_core, n_td), items that are given up at a facility, sorted or not, in whatever slot.
    leg_prices: float64 (n_resource,), yuan for the whole resource; sort_prices: float64 (n_core, n_slots), yuan for an
        item. Where only one is given the other is nought.
    tolerance: part of a capacity or of what comes to a queue, and items on barred rides or below nought, up to which
        a difference is taken for rounding.

    **Assumes** that an item given up waits no longer than the balance of its queue demands.
    """
    n_prod, n_core, n_slots, n_td = problem.shape
    _check_shape("ride_flow", ride_flow, (n_prod, problem.rides.n, n_td))
    _check_shape("sort_flow", sort_flow, (n_prod, n_core, n_slots, n_td))
    _check_shape("given_up", given_up, (n_prod, n_core, n_td))
    sums = _add_up(problem, ride_flow, sort_flow, given_up)
    bound = None
    if leg_prices is not None or sort_prices is not None:
        none = np.zeros(problem.resources.n), np.zeros((n_core, n_slots))
        bound = lower_bound(
            problem, none[0] if leg_prices is None else leg_prices, none[1] if sort_prices is None else sort_prices
        )
    time, carbon = _ride_micro_yuan(problem, sums.ride_load)
    return Score(
        ride_time_yuan=time / 1e6,
        carbon_yuan=carbon / 1e6,
        handling_yuan=float(sums.sort_load.sum(axis=1) @ problem.handling_cost) / 1e6,
        waiting_yuan=sums.waiting / 1e6,
        wave_yuan=sums.wave / 1e6,
        refusal_yuan=float(given_up.sum(axis=(1, 2), dtype=np.float64) @ problem.refusal_cost) / 1e6,
        n_given_up=float(given_up.sum(dtype=np.float64)),
        leg_overload=_leg_overload(problem, sums.ride_load),
        sort_overload=_overload(sums.sort_load, problem.sort_cap),
        imbalance=float(sums.imbalance),
        imbalance_share=float(sums.imbalance_share),
        negative=float(np.max([np.maximum(-flow.min(initial=0), 0) for flow in (ride_flow, sort_flow, given_up)])),
        barred=sums.barred,
        bound_yuan=bound,
        tolerance=tolerance,
    )


def lower_bound(problem: FlowProblem, leg_prices: np.ndarray, sort_prices: np.ndarray) -> float:
    """A lower bound of every plan's cost, in yuan: the Lagrangean dual at prices.

    Parameters
    ----------
    leg_prices: float64 (n_resource,), yuan for the whole resource; sort_prices: float64 (n_core, n_slots), yuan for an
        item. Prices below nought, which would prove nothing, count as nought.
    """
    n_prod, n_core, n_slots, _ = problem.shape
    _check_shape("leg_prices", leg_prices, (problem.resources.n,))
    _check_shape("sort_prices", sort_prices, (n_core, n_slots))
    leg_prices, sort_prices = np.maximum(leg_prices, 0.0), np.maximum(sort_prices, 0.0)
    is_open = problem.sort_cap > 0
    sorting = np.where(is_open, problem.handling_cost[:, None] + 1e6 * sort_prices, np.inf)
    earned = 1e6 * (leg_prices.sum() + (sort_prices * problem.sort_cap)[is_open].sum())
    ways = 0.0
    for product in range(n_prod):
        price = leg_prices[problem.resources.of_use] * problem.resources.share[product]
        riding = problem.ride_cost[product] + 1e6 * np.bincount(_ride_of_use(problem), price, problem.rides.n)
        riding[problem.ride_cost[product] >= CLOSED] = np.inf
        for group in range(len(problem.closed_ride)):
            cost = np.where(problem.closed_ride[group], np.inf, riding)
            for columns in _blocks(np.flatnonzero(problem.group_of_td == group)):
                value = _values(problem, product, columns, cost, sorting)
                value = np.minimum(value, problem.refusal_cost[product]).transpose(1, 0, 2)
                ways += float((value * problem.released[product][:, :, columns]).sum())
    return float(ways - earned) / 1e6


def _values(
    problem: FlowProblem, product: int, columns: np.ndarray, ride_cost: np.ndarray, sort_cost: np.ndarray
) -> np.ndarray:
    """Least micro-yuan from each sort queue to some destinations, float64 (n_slots, n_core, width): value iteration."""
    _, n_core, n_slots, _ = problem.shape
    rides, goal, here = problem.rides, problem.instance.td_fac[columns], np.arange(len(columns))
    queue = np.full((n_slots, n_core, len(columns)), np.inf)
    ready = np.full_like(queue, np.inf)
    wait, end_cost = float(problem.wait_cost[product]), problem.end_cost[product, columns]
    usable = np.flatnonzero(np.isfinite(ride_cost))
    leaves = [usable[rides.slot[usable] == slot] for slot in range(n_slots)]
    changed = True
    while changed:
        changed = False
        for slot in range(n_slots - 1, -1, -1):
            later, ride = (slot + 1) % n_slots, leaves[slot]
            best = ready[later] + wait
            if len(ride):
                beyond = queue[(slot + rides.step[ride]) % n_slots, rides.head[ride]] + ride_cost[ride, None]
                fac, first = np.unique(rides.fac[ride], return_index=True)
                best[fac] = np.minimum(best[fac], np.minimum.reduceat(beyond, first, axis=0))
            best[goal, here] = end_cost[:, slot]
            least = np.minimum(queue[later] + wait, best + sort_cost[:, slot, None])
            changed = changed or not (np.array_equal(best, ready[slot]) and np.array_equal(least, queue[slot]))
            ready[slot], queue[slot] = best, least
    return queue


@dataclass(slots=True)
class _Sums:
    """What flows add up to: items on rides (n_prod, n_ride) and sorted (n_core, n_slots); micro-yuan; items astray."""

    ride_load: np.ndarray
    sort_load: np.ndarray
    waiting: float = 0.0
    wave: float = 0.0
    imbalance: float = 0.0
    imbalance_share: float = 0.0
    barred: float = 0.0


def _add_up(problem: FlowProblem, ride_flow: np.ndarray, sort_flow: np.ndarray, given_up: np.ndarray) -> _Sums:
    """Go through the flows, some destinations at a time."""
    n_prod, n_core, n_slots, n_td = problem.shape
    sums = _Sums(np.zeros((n_prod, problem.rides.n)), np.zeros((n_core, n_slots)))
    arrivals = _Arrivals(problem)
    for product in range(n_prod):
        for columns in _blocks(np.arange(n_td)):
            rides = ride_flow[product][:, columns].astype(np.float64)
            is_sorted = sort_flow[product][:, :, columns].astype(np.float64)
            sums.ride_load[product] += rides.sum(axis=1)
            sums.sort_load += is_sorted.sum(axis=2)
            closed = problem.closed_ride[problem.group_of_td[columns]].T
            sums.barred += float(np.abs(rides[closed | (problem.ride_cost[product] >= CLOSED)[:, None]]).sum())
            wave = is_sorted[problem.instance.td_fac[columns], :, np.arange(len(columns))]
            sums.wave += float((wave * problem.end_cost[product, columns]).sum())
            waited, most, share = _balance(problem, arrivals, product, columns, rides, is_sorted, given_up[product])
            sums.waiting += waited * float(problem.wait_cost[product])
            sums.imbalance = np.maximum(sums.imbalance, most)
            sums.imbalance_share = np.maximum(sums.imbalance_share, share)
    return sums


class _Arrivals:
    """Adds up what rides bring into the queue of each facility and slot, and what they take from there."""

    def __init__(self, problem: FlowProblem) -> None:
        rides, (_, n_core, n_slots, _) = problem.rides, problem.shape
        self.shape = n_core, n_slots
        self.sides = [
            _by_place(rides.head.astype(np.int64) * n_slots + (rides.slot + rides.step) % n_slots),
            _by_place(rides.fac.astype(np.int64) * n_slots + rides.slot),
        ]

    def come_and_gone(self, flow: np.ndarray) -> list[np.ndarray]:
        """Items that come into the sort queues and that leave, each float64 (n_core, n_slots, width)."""
        answer = []
        for order, place, first in self.sides:
            total = np.zeros((self.shape[0] * self.shape[1], flow.shape[1]))
            if len(first):
                total[place] = np.add.reduceat(flow[order], first, axis=0)
            answer.append(total.reshape(*self.shape, flow.shape[1]))
        return answer


def _by_place(place: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    order = np.argsort(place, kind="stable")
    places, first = np.unique(place[order], return_index=True)
    return order, places, first


def _balance(
    problem: FlowProblem,
    arrivals: _Arrivals,
    product: int,
    columns: np.ndarray,
    rides: np.ndarray,
    is_sorted: np.ndarray,
    given_up: np.ndarray,
) -> tuple[float, float, float]:
    """Item-slots of waiting, and the largest imbalance in items and as a part of what comes.

    What is left over in the sort queue and among the sorted must be nothing or more, and both what is given up.
    """
    come, gone = arrivals.come_and_gone(rides)
    come += problem.released[product][:, :, columns]
    through = is_sorted.copy()
    through[problem.instance.td_fac[columns], :, np.arange(len(columns))] = 0.0  # sorted there, it has arrived
    left_in, left_out = (come - is_sorted).sum(axis=1), (through - gone).sum(axis=1)
    scale_in, scale_out = (np.maximum(np.abs(flow).sum(axis=1), 1.0) for flow in (come, through))
    most = share = 0.0
    for miss, scale in (
        (np.maximum(-left_in, 0.0), scale_in),
        (np.maximum(-left_out, 0.0), scale_out),
        (np.abs(left_in + left_out - given_up[:, columns]), scale_in),
    ):
        most = np.maximum(most, miss.max())
        share = np.maximum(share, (miss / scale).max())
    return _least_waiting(come - is_sorted) + _least_waiting(through - gone), most, share


def _least_waiting(net: np.ndarray) -> float:
    """Least item-slots of waiting round the ring where ``net`` (n_core, n_slots, width) comes and is not taken.

    What must wait from one slot for the next is what later slots take beyond what they get; found backward, twice round
    because the first slots of the ring wait for the last. Where no more comes than is taken this is the running sum of
    ``net``, shifted to have 0 for its least; what comes beyond that is given up and need not wait.
    """
    n_slots = net.shape[1]
    stands, total = np.zeros((net.shape[0], net.shape[2])), 0.0
    for step in range(2 * n_slots):
        stands = np.maximum(stands - net[:, n_slots - 1 - step % n_slots], 0.0)
        if step >= n_slots:
            total += float(stands.sum())
    return total


def _ride_micro_yuan(problem: FlowProblem, load: np.ndarray) -> tuple[float, float]:
    """Time and carbon of the rides in micro-yuan; ``ride_cost`` is the sum of both."""
    time = problem.rides.step * problem.wait_cost[:, None].astype(np.float64)
    carbon = np.where(problem.ride_cost < CLOSED, problem.ride_cost - time, 0.0)
    return float((load * time).sum()), float((load * carbon).sum())


def _leg_overload(problem: FlowProblem, load: np.ndarray) -> float:
    taken = (load[:, _ride_of_use(problem)] * problem.resources.share).sum(axis=0)
    used = np.bincount(problem.resources.of_use, taken, problem.resources.n)
    return _overload(used, np.ones_like(used))


def _overload(load: np.ndarray, cap: np.ndarray) -> float:
    """The largest part by which a load exceeds its capacity; infinite where there is none."""
    over = np.where(load <= 0, 0.0, np.inf)
    np.divide(load, cap, out=over, where=cap > 0)
    return float((over - (cap > 0)).max(initial=0.0))


def _ride_of_use(problem: FlowProblem) -> np.ndarray:
    return np.repeat(np.arange(problem.rides.n), np.diff(problem.resources.ride_ptr))


def _blocks(columns: np.ndarray) -> Iterator[np.ndarray]:
    return (columns[at : at + WIDTH] for at in range(0, len(columns), WIDTH))


def _check_shape(name: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ValueError(f"{name} has the shape {array.shape}; expected {shape}")
