"""Check a network: everything that is wrong or odd about it, found at once."""

from __future__ import annotations

from collections.abc import Callable, Collection

from postroad.core.findings import Findings
from postroad.network.check.declared import check_declared
from postroad.network.check.geography import check_coordinates, check_lane_lengths, check_place_tree
from postroad.network.check.reach import check_access, check_reach
from postroad.network.check.sales import (
    check_demand,
    check_factors,
    check_parameters,
    check_products,
    check_profiles,
    check_promises,
    check_restrictions,
    check_vehicles,
)
from postroad.network.check.timetable import (
    check_calendar,
    check_calls,
    check_lanes,
    check_speeds,
    check_trips,
)
from postroad.network.check.work import check_disruptions, check_service, check_sorting, check_windows

__all__ = ["check_network"]

_CHECKS: tuple[tuple[Callable, tuple[str, ...]], ...] = (
    (check_place_tree, ("places",)),
    (check_coordinates, ("places", "facilities")),
    (check_lane_lengths, ("lanes", "facilities")),
    (check_lanes, ("lanes",)),
    (check_calendar, ("calendar", "calendar_dates")),
    (check_trips, ("trips", "calls", "lanes", "vehicles")),
    (check_calls, ("trips", "calls")),
    (check_speeds, ("trips", "calls", "lanes", "vehicles")),
    (check_windows, ("windows",)),
    (check_sorting, ("facilities", "windows", "service_areas")),
    (check_service, ("facilities", "windows", "service_areas")),
    (check_disruptions, ("disruptions",)),
    (check_vehicles, ("vehicles", "factors")),
    (check_factors, ("factors",)),
    (check_products, ("products",)),
    (check_promises, ("products", "promises")),
    (check_restrictions, ("products", "restrictions", "trips", "vehicles")),
    (check_demand, ("demand", "service_areas")),
    (check_profiles, ("profiles", "products")),
    (check_parameters, ("parameters",)),
    (check_access, ("facilities", "lanes", "trips")),
    (check_reach, ("facilities", "service_areas", "lanes", "trips", "calls", "calendar", "calendar_dates")),
)


def check_network(network, without: Collection[str] = ()) -> Findings:
    """Look for everything that is wrong or odd about a network.

    Parameters
    ----------
    network: a :class:`~postroad.network.frames.Network`.
    without: tables that could not be read; checks that need them are left out.

    Returns
    -------
    Findings: PR-T1xx for tables, PR-N2xx for the network as a whole; errors and warnings together.
    """
    findings = Findings()
    check_declared(network, findings, without)
    for check, needs in _CHECKS:
        if not any(table in without for table in needs):
            check(network, findings)
    return findings
