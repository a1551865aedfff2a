"""The road line-haul: which lanes there are and what each carries on the design day.

One rule, for any load: an origin-destination pair that fills vehicles goes direct; otherwise its items are
consolidated towards the hub of the destination, then at the hub of the origin, then over both hubs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from postroad.reference.fleet import smallest_capacity
from postroad.reference.sizes import Size
from postroad.reference.sources import Cities, Rules

__all__ = ["Homes", "LineHaul", "assign_homes", "design_shape", "plan_line_haul"]


@dataclass(frozen=True, slots=True)
class Homes:
    """Hubs and the hubs that each city hangs on.

    Attributes
    ----------
    hub_city: int64 (n_hub,), city row of each hub.
    home, second: int64 (n,), hub of each city and its second nearest one; -1 off the road network.
    """

    hub_city: np.ndarray
    home: np.ndarray
    second: np.ndarray


@dataclass(frozen=True, slots=True)
class LineHaul:
    """Road lanes between nodes and their design load, items a day.

    Nodes ``0 .. n-1`` are the sorting centres in order of city, nodes ``n ..`` the hubs.

    Attributes
    ----------
    load: float64 (n_node, n_node), items a day on each road lane; 0 where there is none or nothing is planned.
    is_direct: bool (n, n), whether the pair of cities has a direct lane.
    transit: float64 (n_hub,), items a day sorted in each hub.
    """

    load: np.ndarray
    is_direct: np.ndarray
    transit: np.ndarray


def assign_homes(cities: Cities, hubs: Sequence[str], rules: Rules) -> Homes:
    """Give every city on the road network its home hub and its second hub.

    Parameters
    ----------
    hubs: codes of the cities that have one.

    The home hub is the nearest by road, hubs of the own province counting as nearer by ``in_province_preference``.
    """
    hub_city = np.array([cities.index[code] for code in hubs])
    province = cities.frame["province_code"].to_numpy()
    km = cities.road_km[:, hub_city] * np.where(
        province[:, None] == province[hub_city][None, :], rules.in_province_preference, 1.0
    )
    order = np.argsort(km, axis=1, kind="stable")
    off = ~cities.on_road
    home, second = order[:, 0].copy(), order[:, 1].copy()
    home[off] = second[off] = -1
    return Homes(hub_city, home, second)


def plan_line_haul(od: np.ndarray, cities: Cities, homes: Homes, rules: Rules) -> LineHaul:
    """Assign a design day to lanes by the consolidation rule.

    Parameters
    ----------
    od: float64 (n, n), items a day between cities; the diagonal (same city) stays off the line-haul.

    Returns
    -------
    LineHaul
    """
    n, n_hub = len(cities.codes), len(homes.hub_city)
    flow = np.where(cities.on_road[:, None] & cities.on_road[None, :], od, 0.0)
    np.fill_diagonal(flow, 0.0)
    departures = flow / (rules.planned_fill * smallest_capacity(cities.road_km, rules))
    direct = departures >= rules.min_direct_departures
    spill = np.where(direct & (departures < rules.spill_departures), rules.spill_share * flow, 0.0)
    rest = np.where(direct, 0.0, flow)

    member = np.zeros((n, n_hub))
    served = np.flatnonzero(homes.home >= 0)
    member[served, homes.home[served]] = 1.0
    hub_km = cities.road_km[:, homes.hub_city]
    fills = rules.min_direct_departures * rules.planned_fill * smallest_capacity(hub_km, rules)
    foreign = member == 0.0
    to_hub = rest @ member
    skips_origin_hub = foreign & (to_hub >= fills)
    by_pair = skips_origin_hub[:, np.clip(homes.home, 0, None)]
    held = np.where(by_pair, 0.0, rest)
    skips_last_hub = foreign & ((held.T @ member) >= fills)
    from_pair = skips_last_hub[:, np.clip(homes.home, 0, None)].T

    hubbed = rest + spill
    load = np.zeros((n + n_hub, n + n_hub))
    load[:n, :n] = np.where(direct, flow, 0.0)
    first = np.where(by_pair, hubbed, 0.0)
    middle = np.where(~by_pair & from_pair, hubbed, 0.0)
    last = np.where(~by_pair & ~from_pair, hubbed, 0.0)
    load[:n, n:] += first @ member + member * (middle + last).sum(axis=1)[:, None]
    load[n:, :n] += (middle.T @ member).T + member.T * (first + last).sum(axis=0)[None, :]
    trunk = member.T @ last @ member
    np.fill_diagonal(trunk, 0.0)
    load[n:, n:] += trunk
    transit = load[:, n:].sum(axis=0)
    return LineHaul(load, direct, transit)


def design_shape(cities: Cities, size: Size, rules: Rules) -> np.ndarray:
    """Share of each pair of cities in the design day, float64 (n, n).

    The modelled table of 2023 with its origins moved to the regional shares of the size's year.
    """
    shares = [rules.values[f"{name}_share_{size.year}"] for name in ("east", "centre", "west")]
    region = cities.frame["region"].replace_strict({"east": 0, "mid": 1, "west": 2, "hmt": 3}, return_dtype=pl.Int64)
    sent = np.bincount(region.to_numpy(), cities.od_items.sum(axis=1), minlength=4)
    factor = np.r_[np.array(shares) / sum(shares) / (sent[:3] / sent.sum()), 0.0]
    moved = cities.od_items * factor[region.to_numpy()][:, None]
    return moved / moved.sum()
