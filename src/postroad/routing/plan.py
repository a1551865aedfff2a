"""Plan and Policy: how what should happen is handed from planners to the twin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from postroad.core.errors import InputError
from postroad.network.compile import without_trips
from postroad.network.instance import Instance
from postroad.network.reserve import Reserve, with_reserve
from postroad.routing.tables import RoutingTables, build_tables

__all__ = ["Plan", "PlannedRoutes", "Policy", "TableRouted", "plan_tables"]


class Policy(Protocol):
    """Who decides which lane an item takes.

    Every policy answers with tables, which the twin's kernels look up for each facility, slot, destination and product.
    Planners that know loads (a rerouter, a flow plan) give other tables through the same call.
    """

    name: str

    def tables(self, instance: Instance) -> RoutingTables:
        """The routing tables to follow on an instance."""


@dataclass(frozen=True, slots=True)
class TableRouted:
    """The policy that follows fixed tables, whatever happens: least generalised cost on the uncongested timetable."""

    fixed: RoutingTables
    name: str = "table-routed"

    def tables(self, instance: Instance) -> RoutingTables:
        """The fixed tables."""
        return self.fixed


@dataclass(frozen=True, slots=True)
class PlannedRoutes:
    """The policy that follows a flow plan.

    Attributes
    ----------
    routes: the plan's tables, with shares.
    cancelled: int32, indices of trips (``cn_trip``) that the plan has no use for.
    network_digest: of the network that was planned.
    reserves: what is called up, each for a time.
    """

    routes: RoutingTables
    cancelled: np.ndarray
    network_digest: str = ""
    reserves: tuple[Reserve, ...] = ()
    name: str = "flow plan"

    def apply(self, instance: Instance) -> Instance:
        """The network as the plan runs it: without the trips that it cancels, with what it calls up."""
        running = without_trips(instance, self.cancelled)
        for reserve in self.reserves:
            running = with_reserve(running, reserve)
        return running

    def tables(self, instance: Instance) -> RoutingTables:
        """The plan's tables.

        Raises
        ------
        InputError: PR-G102 when the plan was made for a network of another shape.
        """
        _, _, *planned = self.routes.next_out.shape
        found = [instance.n_core, instance.slots_per_day, len(instance.td_fac)]
        if planned != found:
            raise InputError("PR-G102", planned=str(planned), found=str(found))
        return self.routes


@dataclass(frozen=True, slots=True)
class Plan:
    """What should happen: the compiled plan, without any overlay, and the policy that routes items on it."""

    instance: Instance
    policy: Policy


def plan_tables(instance: Instance, **settings: object) -> Plan:
    """The plan that routes by least generalised cost; ``settings`` are those of :func:`build_tables`."""
    return Plan(instance, TableRouted(build_tables(instance, **settings)))
