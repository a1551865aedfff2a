"""Plan and Policy: how what should happen is handed from planners to the twin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from postroad.network.instance import Instance
from postroad.routing.tables import RoutingTables, build_tables

__all__ = ["Plan", "Policy", "TableRouted", "plan_tables"]


class Policy(Protocol):
    """Who decides which lane an item takes.

    Today every policy answers with tables, which the twin's kernels look up for each facility, slot, destination and
    product. Planners that know loads (a rerouter, a flow plan) give other tables through the same call.
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
class Plan:
    """What should happen: the compiled plan, without any overlay, and the policy that routes items on it."""

    instance: Instance
    policy: Policy


def plan_tables(instance: Instance, **settings: object) -> Plan:
    """The plan that routes by least generalised cost; ``settings`` are those of :func:`build_tables`."""
    return Plan(instance, TableRouted(build_tables(instance, **settings)))
