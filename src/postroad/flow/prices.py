"""Prices for room on legs and for sorting: what they are counted in, and what rides and sorting cost at them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from postroad.flow.problem import CLOSED, FlowProblem

__all__ = ["Market", "make_market"]

UNLIMITED = 1e9
"""Items a slot from which on a sorting capacity is taken for none."""


@dataclass(frozen=True, slots=True)
class Market:
    """What is priced: every resource of the rides, then every slot of sorting that has a limit.

    A price is counted in *slots of waiting*: at price 1 the room that an item takes costs as much as a slot of time of
    the product whose time is cheapest. ``yuan`` turns it into yuan for the whole capacity.

    Attributes
    ----------
    problem: the flow problem.
    n_ride: how many of the priced are resources of rides.
    sort_place: int64 (n_sort,), priced slots of sorting as ``facility * n_slots + slot``.
    ride_of_use: int64 (n_use,), ride of each use of a resource.
    yuan: float64 (n_priced,), yuan for the whole capacity at price 1.
    """

    problem: FlowProblem
    n_ride: int
    sort_place: np.ndarray
    ride_of_use: np.ndarray
    yuan: np.ndarray

    @property
    def n(self) -> int:
        """How many capacities are priced."""
        return len(self.yuan)

    def ride_prices(self, prices: np.ndarray) -> np.ndarray:
        """Yuan that an item pays for room on each ride, float64 (n_prod, n_ride)."""
        resources = self.problem.resources
        whole = (prices[: self.n_ride] * self.yuan[: self.n_ride])[resources.of_use]
        n_ride = self.problem.rides.n
        return np.stack([np.bincount(self.ride_of_use, whole * share, n_ride) for share in resources.share])

    def sort_prices(self, prices: np.ndarray) -> np.ndarray:
        """Yuan that an item pays for being sorted, float64 (n_core, n_slots)."""
        per_item = np.zeros(self.problem.sort_cap.shape)
        room = self.problem.sort_cap.ravel()[self.sort_place]
        per_item.ravel()[self.sort_place] = prices[self.n_ride :] * self.yuan[self.n_ride :] / room
        return per_item

    def used(self, ride_load: np.ndarray, sort_load: np.ndarray) -> np.ndarray:
        """The part of each priced capacity that loads take, float64 (n_priced,).

        Parameters
        ----------
        ride_load: float64 (n_prod, n_ride), sort_load: float64 (n_core, n_slots), items.
        """
        resources = self.problem.resources
        taken = (ride_load[:, self.ride_of_use] * resources.share).sum(axis=0)
        of_rides = np.bincount(resources.of_use, taken, self.n_ride)
        return np.concatenate([of_rides, sort_load.ravel()[self.sort_place] / self._sort_room()])

    def sort_costs(self, prices: np.ndarray) -> np.ndarray:
        """Micro-yuan for sorting an item at prices, int64 (n_core, n_slots); rounded down, ``CLOSED`` where none is."""
        cost = self.problem.handling_cost[:, None] + np.floor(self.sort_prices(prices) * 1e6)
        return np.where(self.problem.sort_cap > 0, np.minimum(cost, CLOSED), CLOSED).astype(np.int64)

    def ride_costs(self, prices: np.ndarray) -> np.ndarray:
        """Micro-yuan for a ride at prices, int64 (n_prod, n_ride); rounded down, so that bounds stay bounds."""
        cost = self.problem.ride_cost + np.floor(self.ride_prices(prices) * 1e6)
        return np.minimum(cost, CLOSED).astype(np.int64)

    def _sort_room(self) -> np.ndarray:
        return self.problem.sort_cap.ravel()[self.sort_place]


def make_market(problem: FlowProblem) -> Market:
    """Say what is priced, and in what."""
    cap = problem.sort_cap.ravel()
    place = np.flatnonzero((cap > 0) & (cap < UNLIMITED))
    reference = int(np.argmin(problem.wait_cost))
    slot_yuan = max(float(problem.wait_cost[reference]), 1000.0) / 1e6
    resources = problem.resources
    return Market(
        problem=problem,
        n_ride=resources.n,
        sort_place=place,
        ride_of_use=np.repeat(np.arange(problem.rides.n), np.diff(resources.ride_ptr)),
        yuan=slot_yuan * np.concatenate([resources.items[reference], cap[place]]),
    )
