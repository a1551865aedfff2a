"""A plan from prices: items are loaded on what room there is, and what they cost is counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from postroad.flow.problem import CLOSED, FlowProblem
from postroad.flow.sweeps import Sweeper, make_graph
from postroad.kernels.flowloads import least_waiting, load_within
from postroad.kernels.flowvalues import FAR

__all__ = ["Loading", "load_at"]

KEPT_BACK = 1e-6
"""Part of every capacity left empty, for the rounding of what is added up."""

ROUNDS = 6
"""Rounds of the ring on prices: as many days as nearly all items travel."""

LATER_ROUNDS = 4
ATTEMPTS = 12
"""Times that what has found no way on is given new values on the rides with room left."""

FEW = 1e-7
"""Part of all items that may be given up without another attempt."""

WORTHWHILE = 0.02
"""Part of a capacity that must be left for such a ride to be counted on."""


@dataclass(frozen=True, slots=True)
class Loading:
    """Flows that can be carried out every day, and what they cost.

    Attributes
    ----------
    ride_flow: float32 (n_prod, n_ride, n_td), items; sort_flow: float32 (n_prod, n_core, n_slots, n_td).
    given_up: float32 (n_prod, n_core, n_td), items that got no further than a facility.
    waited: float64 (n_prod,), item-slots of waiting between release and arrival.
    cost_yuan: all costs of the problem; refusal_yuan: the part for items given up.
    """

    ride_flow: np.ndarray
    sort_flow: np.ndarray
    given_up: np.ndarray
    waited: np.ndarray
    cost_yuan: float
    refusal_yuan: float

    @property
    def n_given_up(self) -> float:
        """Items that are not carried to their destination."""
        return float(self.given_up.sum(dtype=np.float64))


def load_at(sweeper: Sweeper, prices: np.ndarray, warmth: float) -> Loading:
    """Load all items along the soft values at prices, and what is left over along the room that is left."""
    problem, order = sweeper.problem, sweeper.order
    n_prod, *_, n_td = problem.shape
    sweeper.settle(prices, warmth)
    carried = _carried(sweeper, warmth)
    queue = np.ascontiguousarray(carried[..., order])
    out = np.zeros_like(queue)
    flows = np.zeros((n_prod, problem.rides.n, n_td), np.float32), np.zeros_like(queue)
    rooms = np.full(problem.resources.n, 1 - KEPT_BACK), problem.sort_cap * (1 - KEPT_BACK)

    def travel(n_rounds: int, slots: float, ride: np.ndarray, sort: np.ndarray) -> float:
        values = sweeper.gather("soft_in"), sweeper.gather("soft_out")
        some = queue.any(axis=(0, 3)), out.any(axis=(0, 3))
        group = problem.group_of_td[order]
        resources = problem.resources
        return load_within(
            queue, out, *some, *values, make_graph(problem, order),
            np.searchsorted(group, np.arange(len(problem.closed_ride) + 1)), problem.closed_ride,
            resources.ride_ptr, resources.of_use, resources.share, *rooms, ride.astype(np.float32),
            np.repeat(sort[None], n_prod, axis=0).astype(np.float32), (problem.wait_cost / 1e6).astype(np.float32),
            sweeper.warmth(slots), *flows, n_rounds,
        )  # fmt: skip

    market = sweeper.market
    base = np.where(problem.ride_cost >= CLOSED, FAR, problem.ride_cost / 1e6)
    sort = np.where(problem.sort_cap > 0, problem.handling_cost[:, None] / 1e6, FAR)
    left = travel(ROUNDS, warmth, base + market.ride_prices(prices), sort + market.sort_prices(prices))
    for _ in range(ATTEMPTS):
        if left < max(1.0, FEW * problem.n_items):
            break
        ride = np.where(_has_room(problem, rooms[0]), base, FAR)
        open_sort = np.where(rooms[1] > WORTHWHILE * problem.sort_cap, sort, FAR)
        sweeper.reset()
        sweeper.settle_at(ride.astype(np.float32), open_sort.astype(np.float32), warmth, 9)
        before = left
        left = travel(LATER_ROUNDS, warmth, ride, open_sort)
        if left > 0.999 * before:
            break
    back = np.argsort(order)
    given_up = (queue + out).sum(axis=2)[..., back] + (problem.released - carried).sum(axis=2)
    ride_flow, sort_flow, waited = flows[0][..., back], flows[1][..., back], np.zeros(n_prod)
    least_waiting(carried, ride_flow, sort_flow, make_graph(problem, np.arange(n_td)), waited)
    return _account(problem, ride_flow, sort_flow, given_up, waited)


def _carried(sweeper: Sweeper, slots: float) -> np.ndarray:
    """Released items that are carried at all at the present soft values, float32 (n_prod, n_core, n_slots, n_td)."""
    carried = sweeper.problem.released.copy()
    for block in sweeper.blocks:
        carried[block.product][:, :, block.columns] *= sweeper.carried_share(
            block, sweeper.warmth(slots)[block.product]
        )
    return carried


def _has_room(problem: FlowProblem, room: np.ndarray) -> np.ndarray:
    """Rides of which every resource has a worthwhile part left, bool (n_ride,)."""
    enough = np.append(room[problem.resources.of_use] > WORTHWHILE, True)
    first = problem.resources.ride_ptr[:-1]
    return np.logical_and.reduceat(enough, first)


def _account(
    problem: FlowProblem, ride_flow: np.ndarray, sort_flow: np.ndarray, given_up: np.ndarray, waited: np.ndarray
) -> Loading:
    """Add up what flows cost."""
    goal = problem.instance.td_fac
    arrived = sort_flow[:, goal, :, np.arange(len(goal))]  # destination, product, slot
    yuan = (ride_flow.sum(axis=2, dtype=np.float64) * np.where(problem.ride_cost >= CLOSED, 0, problem.ride_cost)).sum()
    yuan += (sort_flow.sum(axis=(0, 2, 3), dtype=np.float64) * problem.handling_cost).sum()
    yuan += (waited * problem.wait_cost).sum()
    yuan += (arrived.transpose(1, 0, 2) * problem.end_cost.astype(np.float64)).sum()
    refusal = float((given_up.sum(axis=(1, 2), dtype=np.float64) * problem.refusal_cost).sum())
    return Loading(ride_flow, sort_flow, given_up, waited, (float(yuan) + refusal) / 1e6, refusal / 1e6)
