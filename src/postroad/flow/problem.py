"""The flow problem: one day that repeats, its departures, capacities, costs and demand, as arrays.

The plan of a day is the plan of that day repeated for ever: slots form a ring, what leaves in the evening arrives in
the ring's next round, and the items of several days ride together. That is the hardest form of the day: a network that
carries it day after day carries it once.

What is decided
    An item enters the sort queue of its first core facility in the slot of its *release* and leaves the problem when it
    has been sorted at its tree destination. In every slot it is sorted or waits; once sorted it leaves with one of the
    slot's rides or waits. How many are sorted in a slot is limited by ``sort_cap``, what rides take by the legs.

What it costs, in whole micro-yuan
    The value of the product's time from release to the delivery wave after its arrival; handling, each time it is
    sorted; carbon of each ride at a price. A scheduled trip costs the same full or empty, so trips cost nothing here.
    An item that is not carried at all costs ``refusal_cost``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from postroad.core.errors import InputError
from postroad.demand.flows import Flows
from postroad.flow.departures import Resources, Rides, collect_rides
from postroad.flow.ends import arrival_waits, released_items
from postroad.network.instance import Instance
from postroad.routing.departures import lanes_out_of
from postroad.routing.tables import destination_groups

__all__ = ["CARBON_YUAN_PER_T", "CLOSED", "REFUSAL_DAYS", "FlowProblem", "build_problem"]

CARBON_YUAN_PER_T = 100.0
"""Price of a tonne of CO2e: ours, of the order of the national market's price at the end of 2024 (modelled)."""

REFUSAL_DAYS = 15
"""An item that is not carried costs as much as so many days of its time, and 50 yuan: more than any way it can take."""
REFUSAL_YUAN = 50

CLOSED = 1 << 29
"""Cost in micro-yuan of what must not be done; no way may cost as much."""


@dataclass(frozen=True, slots=True)
class FlowProblem:
    """One repeating day to be planned.

    Attributes
    ----------
    instance: the network; ``day`` is the day of its horizon whose departures and hours repeat.
    rides, resources: see :mod:`postroad.flow.departures`.
    ride_cost: int32 (n_prod, n_ride), micro-yuan for an item from leaving to joining the sort queue; ``CLOSED`` where
        the product may not ride.
    group_of_td: int32 (n_td,); closed_ride: bool (n_group, n_ride), rides barred to what is bound for the group's
        places: those that leave the customs territory of the places.
    sort_cap: float64 (n_core, n_slots), items; handling_cost: int32 (n_core,), micro-yuan.
    wait_cost: int32 (n_prod,), micro-yuan for a slot.
    end_cost: int32 (n_prod, n_td, n_slots), from being sorted at the destination to the delivery wave.
    refusal_cost: int32 (n_prod,).
    released: float32 (n_prod, n_core, n_slots, n_td), items; n_left_out: items that never reach a core facility.
    carbon_yuan_per_t: the price of carbon in ``ride_cost``.
    """

    instance: Instance
    day: int
    rides: Rides
    resources: Resources
    ride_cost: np.ndarray
    group_of_td: np.ndarray
    closed_ride: np.ndarray
    sort_cap: np.ndarray
    handling_cost: np.ndarray
    wait_cost: np.ndarray
    end_cost: np.ndarray
    refusal_cost: np.ndarray
    released: np.ndarray
    n_left_out: int
    carbon_yuan_per_t: float

    @property
    def n_items(self) -> float:
        """Items to be planned."""
        return float(self.released.sum(dtype=np.float64))

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Products, core facilities, slots of the ring and tree destinations."""
        return self.released.shape


def build_problem(
    instance: Instance,
    flows: Flows,
    *,
    day: int,
    flow_day: int,
    carbon_yuan_per_t: float = CARBON_YUAN_PER_T,
) -> FlowProblem:
    """Lay out the problem of a day.

    Parameters
    ----------
    instance: compiled with at least a week before ``day``, so that trips of several days are under way.
    flows: the demand; ``flow_day`` is its day that repeats.
    day: day of the instance's horizon whose departures and opening hours repeat.

    Raises
    ------
    InputError: PR-G101 when a cost does not fit the range in which sums are exact.
    """
    counts = flows.day_counts(flow_day)
    rides, resources = collect_rides(instance, day)
    core, per_day = instance.n_core, instance.slots_per_day
    wait = instance.prod_vot.astype(np.int64) * 1000 * instance.slot_min // 60
    carbon = rides.gco2e_per_t * instance.prod_g[:, None].astype(np.int64) * carbon_yuan_per_t / 1e6
    cost = wait[:, None] * rides.step + np.rint(carbon).astype(np.int64)
    handling = instance.fac_cost[:core].astype(np.int64) * 1000
    end_cost = np.rint(arrival_waits(instance, flows, counts, day) * wait[:, None, None]).astype(np.int64)
    refusal = wait * per_day * REFUSAL_DAYS + REFUSAL_YUAN * 1_000_000
    for name, values in (("ride", cost), ("handling", handling), ("wave", end_cost), ("refusal", refusal)):
        if values.max(initial=0) >= CLOSED // 2:
            raise InputError("PR-G101", what=name, yuan=values.max() / 1e6, limit=CLOSED // 2 / 1e6)
    cost[~instance.prod_mode_ok[:, instance.lane_mode[rides.lane]]] = CLOSED
    groups = destination_groups(instance)
    group_of_td = np.empty(len(instance.td_fac), np.int32)
    closed = np.zeros((len(groups), rides.n), bool)
    for number, (home, columns) in enumerate(groups.items()):
        group_of_td[columns] = number
        if home >= 0:
            closed[number] = lanes_out_of(instance, home)[rides.lane]
    released, n_left_out = released_items(instance, flows, counts, day)
    return FlowProblem(
        instance=instance,
        day=day,
        rides=rides,
        resources=resources,
        ride_cost=cost.astype(np.int32),
        group_of_td=group_of_td,
        closed_ride=closed,
        sort_cap=instance.sort_cap[:core, day * per_day : (day + 1) * per_day].astype(np.float64),
        handling_cost=handling.astype(np.int32),
        wait_cost=wait.astype(np.int32),
        end_cost=end_cost.astype(np.int32),
        refusal_cost=refusal.astype(np.int32),
        released=released,
        n_left_out=n_left_out,
        carbon_yuan_per_t=carbon_yuan_per_t,
    )
