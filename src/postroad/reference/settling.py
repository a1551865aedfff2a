"""Size the road line-haul and the flights abroad on the routes that the timetable offers.

Loads decide how often trucks leave, and when trucks leave decides which way is best. A few rounds of routing the design
day over the timetable and sizing the lanes anew settle both. No run is needed: the design day is routed as if nothing
were ever full.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np

from postroad.network.compile import compile_network
from postroad.network.feed import Network
from postroad.network.instance import MODES, Instance
from postroad.reference.abroad import Abroad
from postroad.reference.design import LineHaul
from postroad.reference.sources import read_source
from postroad.routing.loading import load_tables
from postroad.routing.tables import build_tables

__all__ = ["route_design_day"]


def route_design_day(
    network: Network, centres: list[str], od: np.ndarray, abroad: Abroad, day: date, plan: LineHaul, kept_load: float
) -> tuple[LineHaul, np.ndarray]:
    """The plan with the loads that routing puts on its lanes, and those that it puts on the ways abroad.

    Parameters
    ----------
    network: the feed with the timetable of the plan.
    centres: facility ids of the sorting centres in order of city.
    od: float64 (n_city, n_city), items of the design day.
    abroad: international items of the design day.
    day: a day on which the trips of the plan run.
    kept_load: share of a lane's load in the plan that it keeps at least.

    Returns
    -------
    (plan, float64 (n_exchange, n_gateway)): the latter without what goes by train.
    """
    instance = compile_network(network, day=day, n_days=1)
    tables = build_tables(instance)
    number = {facility: index for index, facility in enumerate(instance.fac_id)}
    city_fac = np.array([number[code] for code in centres])
    items = np.zeros((instance.n_core, len(instance.td_fac)))
    reached = instance.fac_td[city_fac] >= 0
    between = od * ~np.eye(len(od), dtype=bool)
    items[np.ix_(city_fac, instance.fac_td[city_fac[reached]])] = between[:, reached]
    gateway_fac = np.array([number[code] for code in abroad.gateways["facility_id"]])
    sent = abroad.items.sum(axis=1)
    items[np.ix_(city_fac[abroad.origin], instance.fac_td[gateway_fac])] += sent
    share = dict(network.tables["products"].select("product_id", "share").iter_rows())
    shares = np.array([share[product] for product in instance.prod_id])
    lanes = load_tables(instance, tables, items, shares, _release(instance, city_fac))
    city_of = np.full(instance.n_core, -1)
    city_of[city_fac] = np.arange(len(city_fac))
    start, end = city_of[instance.lane_from], city_of[instance.lane_to]
    road = (start >= 0) & (end >= 0) & (instance.lane_mode == 0)
    load = np.zeros_like(plan.load)
    load[start[road], end[road]] = lanes[road]
    transit = load.sum(axis=1) - between.sum(axis=1)
    transit[abroad.origin] -= sent.sum(axis=1)
    plan = replace(plan, load=np.maximum(load, kept_load * plan.load), transit=np.maximum(transit, 0.0))
    offices = [number[f"{centres[row]}-X"] for row in abroad.exchange_city]
    return plan, _between(instance, lanes, offices, gateway_fac)


def _between(instance: Instance, lanes: np.ndarray, starts: list[int], ends: np.ndarray) -> np.ndarray:
    """Load of the lanes from some facilities to others, trains left out: float64 (n_start, n_end)."""
    row, column = np.full((2, instance.n_fac), -1)
    row[starts], column[ends] = np.arange(len(starts)), np.arange(len(ends))
    start, end = row[instance.lane_from], column[instance.lane_to]
    wanted = (start >= 0) & (end >= 0) & (instance.lane_mode != MODES.index("rail"))
    total = np.zeros((len(starts), len(ends)))
    np.add.at(total, (start[wanted], end[wanted]), lanes[wanted])
    return total


def _release(instance: Instance, city_fac: np.ndarray) -> np.ndarray:
    """Share of a day's items that is sorted at its origin in each slot: hours of acceptance plus ``origin_min``."""
    hours = read_source("rules/profile_hour.csv")
    weight = hours.sort("hour")["accept_weight"].to_numpy()
    slots = np.zeros(instance.slots_per_day)
    delay = int(np.median(instance.origin_min[city_fac]))
    for hour in range(24):
        slot = -(-(hour * 60 + 30 + delay) // instance.slot_min)
        slots[slot % instance.slots_per_day] += weight[hour]
    return slots / slots.sum()
