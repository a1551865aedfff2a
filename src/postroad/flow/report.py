"""What a plan says of legs and centres: loads by hour, and what one more unit of capacity would be worth."""

from __future__ import annotations

import numpy as np
import polars as pl

from postroad.flow.plan import FlowPlan
from postroad.flow.trips import departure_loads
from postroad.network.instance import MODES

__all__ = ["centre_frame", "leg_frame", "worth_most"]


def leg_frame(plan: FlowPlan) -> pl.DataFrame:
    """One row a departure of the planned day that carries something or has a price, in order of time.

    Columns: ``from_facility``, ``to_facility``, ``mode``, ``trip_idx``, ``departs_min`` (minute of the day),
    ``n_items``, ``used_share`` of its room, ``yuan_per_item``: what the plan would save a day with room for one more
    item of the product whose time is cheapest (the dual price; modelled).
    """
    problem = plan.problem
    instance, rides = problem.instance, problem.rides
    ride = np.repeat(np.arange(rides.n), np.diff(rides.departure_ptr))
    dp = rides.departures
    load = departure_loads(problem, plan.loading.ride_flow.sum(axis=2, dtype=np.float64))
    leg = instance.cn_leg_first[instance.dp_cn[dp]]
    needs = np.stack([np.ones(len(load)), instance.prod_g, instance.prod_cm3]).astype(float)
    room = np.stack([instance.leg_cap_items[leg], instance.leg_cap_g[leg], instance.leg_cap_cm3[leg]]).astype(float)
    used = ((needs @ load) / np.maximum(room, 1)).max(axis=0)
    price = plan.market.ride_prices(plan.prices)[int(np.argmin(problem.wait_cost))][ride]
    names, lane = np.array(instance.fac_id), rides.lane[ride]
    frame = pl.DataFrame(
        {
            "from_facility": names[instance.lane_from[lane]],
            "to_facility": names[instance.lane_to[lane]],
            "mode": np.array(MODES)[instance.lane_mode[lane]],
            "trip_idx": instance.cn_trip[instance.dp_cn[dp]],
            "departs_min": instance.dp_dep_min[dp] - problem.day * 1440,
            "n_items": load.sum(axis=0),
            "used_share": used,
            "yuan_per_item": price,
        }
    )
    return frame.filter((pl.col("n_items") > 0) | (pl.col("yuan_per_item") > 0)).sort("departs_min", "trip_idx")


def centre_frame(plan: FlowPlan) -> pl.DataFrame:
    """One row a facility and slot in which items are sorted: ``n_items``, ``used_share``, ``yuan_per_item``."""
    problem = plan.problem
    sorted_items = plan.loading.sort_flow.sum(axis=(0, 3), dtype=np.float64)
    fac, slot = np.nonzero(sorted_items > 0)
    price = plan.market.sort_prices(plan.prices)
    return pl.DataFrame(
        {
            "facility": np.array(problem.instance.fac_id)[fac],
            "from_min": (slot * problem.instance.slot_min).astype(np.int32),
            "n_items": sorted_items[fac, slot],
            "used_share": sorted_items[fac, slot] / np.maximum(problem.sort_cap[fac, slot], 1),
            "yuan_per_item": price[fac, slot],
        }
    )


def worth_most(plan: FlowPlan, n: int = 10) -> pl.DataFrame:
    """Lanes and centres where more capacity is worth most: yuan a day for one per cent more of what is there.

    Columns: ``kind`` (lane or centre), ``from_facility``, ``to_facility``, ``mode``, ``yuan_per_day``.
    """
    problem, market = plan.problem, plan.market
    whole = plan.prices * market.yuan / 100
    lane = np.full(market.n_ride, -1)
    lane[problem.resources.of_use] = problem.rides.lane[market.ride_of_use]
    instance = problem.instance
    by_lane = np.bincount(lane, whole[: market.n_ride], len(instance.lane_from))
    by_centre = np.bincount(market.sort_place // problem.shape[2], whole[market.n_ride :], problem.shape[1])
    names = np.array(instance.fac_id)
    lanes, centres = np.argsort(-by_lane, kind="stable")[:n], np.argsort(-by_centre, kind="stable")[:n]
    frame = pl.DataFrame(
        {
            "kind": ["lane"] * len(lanes) + ["centre"] * len(centres),
            "from_facility": [*names[instance.lane_from[lanes]], *names[centres]],
            "to_facility": [*names[instance.lane_to[lanes]], *names[centres]],
            "mode": [*np.array(MODES)[instance.lane_mode[lanes]], *[""] * len(centres)],
            "yuan_per_day": np.concatenate([by_lane[lanes], by_centre[centres]]),
        }
    )
    return frame.filter(pl.col("yuan_per_day") > 0).sort("yuan_per_day", descending=True).head(n)
