"""The road line-haul: which lanes there are and what each carries on a design day.

A pair of cities that fills vehicles has a direct lane; every city has lanes to and from its home hub and second hub; a
lane between a city and another hub is kept when enough items are consolidated on it. Items are split over the direct
lane and paths over one or two hubs by generalised cost, as routing prices it, with mean waits for the next departure.
Frequencies follow from loads and waits from frequencies: a few rounds settle both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from postroad.demand.gravity import fit_gravity
from postroad.demand.marginals import read_marginals
from postroad.reference.fleet import choose_trucks, smallest_capacity, trip_min
from postroad.reference.sizes import Size
from postroad.reference.sources import Cities, Rules

__all__ = ["Homes", "LineHaul", "assign_homes", "design_shape", "lane_headroom", "plan_line_haul"]


@dataclass(frozen=True, slots=True)
class Homes:
    """Hubs and the hubs that each city hangs on.

    Attributes
    ----------
    hub_city: int64 (n_hub,), city row of each hub.
    home, second: int64 (n,), city row of the hub of each city and of its second hub; -1 for none.
    """

    hub_city: np.ndarray
    home: np.ndarray
    second: np.ndarray


@dataclass(frozen=True, slots=True)
class LineHaul:
    """Road lanes between cities and their design load.

    Attributes
    ----------
    load: float64 (n, n), items a day on each lane.
    departures: int64 (n, n), fewest departures a day on each lane; 0 where there is no lane.
    transit: float64 (n,), items a day that change lanes in each city.
    """

    load: np.ndarray
    departures: np.ndarray
    transit: np.ndarray


def assign_homes(cities: Cities, hubs: Sequence[str], rules: Rules) -> Homes:
    """Give every city on the road network its home hub and its second hub.

    The home hub is the nearest by road, hubs of the own province counting as nearer by ``in_province_preference``; a
    city with a hub is its own home and has the nearest other hub as second.

    Parameters
    ----------
    hubs: codes of the cities that have one.
    """
    hub_city = np.array([cities.index[code] for code in hubs])
    province = cities.frame["province_code"].to_numpy()
    same = province[:, None] == province[hub_city][None, :]
    km = cities.road_km[:, hub_city] * np.where(same, rules.in_province_preference, 1.0)
    order = np.argsort(km, axis=1, kind="stable")
    home, second = hub_city[order[:, 0]], hub_city[order[:, min(1, len(hubs) - 1)]]
    home[~cities.on_road] = second[~cities.on_road] = -1
    return Homes(hub_city, home, second)


def plan_line_haul(od: np.ndarray, cities: Cities, homes: Homes, rules: Rules) -> LineHaul:
    """Assign a design day to lanes.

    Parameters
    ----------
    od: float64 (n, n), items a day between cities; the diagonal (same city) stays off the line-haul.

    Returns
    -------
    LineHaul
    """
    flow = np.where(cities.on_road[:, None] & cities.on_road[None, :], od, 0.0)
    np.fill_diagonal(flow, 0.0)
    km = cities.road_km
    fills = rules.min_direct_departures * rules.planned_fill * smallest_capacity(km, rules)
    always = _always(cities, homes, rules)
    is_hub = np.zeros(len(km), bool)
    is_hub[homes.hub_city] = True
    headroom = lane_headroom(is_hub[:, None] | is_hub[None, :], rules)
    pair = cities.on_road[:, None] & cities.on_road[None, :] & ~np.eye(len(km), dtype=bool)
    is_open = ((flow >= fills) | is_hub[:, None] | is_hub[None, :]) & pair
    departures = np.where(is_open, 6.0, 0.0)
    vehicle_cost = np.full(km.shape, 8e-4)
    for step in range(int(rules.design_rounds)):
        load, transit = _assign(flow, km, is_open, departures, vehicle_cost, homes.hub_city, rules)
        if step + 1 < rules.design_rounds:
            is_open &= (load >= fills) | (always > 0)
        least = np.where(always > 0, always, np.where(is_open, int(rules.min_direct_departures), 0))
        _, seats, vehicle_cost = choose_trucks(load * headroom, km, np.maximum(least, 1), rules)
        departures = np.where(is_open, np.maximum(least, load * headroom / seats), 0.0)
    return LineHaul(np.where(is_open, load, 0.0), least, transit)


def lane_headroom(at_hub: np.ndarray, rules: Rules) -> np.ndarray:
    """Capacity over load: more on lanes from or to a hub, where paths compete."""
    return np.where(at_hub, rules.hub_headroom, rules.headroom)


def _always(cities: Cities, homes: Homes, rules: Rules) -> np.ndarray:
    """Fewest departures a day on the lanes that exist whatever they carry; int64 (n, n)."""
    always = np.zeros(cities.road_km.shape, np.int64)
    always[np.ix_(homes.hub_city, homes.hub_city)] = int(rules.trunk_departures)
    served = np.flatnonzero(homes.home >= 0)
    for hub, departures in ((homes.second, rules.second_hub_departures), (homes.home, rules.hub_lane_departures)):
        for start, end in ((served, hub[served]), (hub[served], served)):
            always[start, end] = np.maximum(always[start, end], int(departures))
    np.fill_diagonal(always, 0)
    return always


def _assign(
    flow: np.ndarray,
    km: np.ndarray,
    is_open: np.ndarray,
    departures: np.ndarray,
    yuan_per_km: np.ndarray,
    hubs: np.ndarray,
    rules: Rules,
) -> tuple[np.ndarray, np.ndarray]:
    """Split the flow of every pair over its paths: loads by lane (n, n) and transit by city (n,), items a day."""
    driven = km * rules.driven_over_shortest
    hours = trip_min(driven, rules) / 60.0 + rules.wait_factor * 12.0 / np.maximum(departures, 1.0)
    load, transit = np.zeros_like(flow), np.zeros(len(flow))
    classes = (
        (rules.express_share, rules.express_yuan_per_h),
        (1.0 - rules.express_share, rules.standard_yuan_per_h),
    )
    for share, yuan_per_h in classes:
        cost = np.where(is_open, driven * yuan_per_km + yuan_per_h * hours, np.inf)
        change = rules.hub_cost_yuan + yuan_per_h * (rules.hub_handling_min / 60.0 + 0.75)
        paths = _paths(cost, change, hubs)
        least = np.min([path_cost for path_cost, _ in paths], axis=0)
        scale = rules.choice_spread_h * yuan_per_h
        reached = np.isfinite(least)
        gaps = [np.subtract(path_cost, least, out=np.full_like(least, np.inf), where=reached) for path_cost, _ in paths]
        weights = [np.exp(-gap / scale) for gap in gaps]
        total = np.sum(weights, axis=0)
        for (_, stops), weight in zip(paths, weights, strict=True):
            _ride(
                load, transit, share * flow * np.divide(weight, total, out=np.zeros_like(total), where=reached), stops
            )
    return load, transit


def _paths(cost: np.ndarray, change: float, hubs: np.ndarray) -> list[tuple[np.ndarray, list[np.ndarray]]]:
    """The paths of every pair: direct, over each of its two best hubs, over its best two hubs in a row.

    Returns
    -------
    list of (cost of the path (n, n), cities at which it changes: int64 (n, n) each)
    """
    into, out = cost[:, hubs], cost[hubs, :]
    trunk = cost[np.ix_(hubs, hubs)]
    over_one = into[:, None, :] + out.T[None, :, :] + change
    best = np.argmin(over_one, axis=2)
    first = np.take_along_axis(over_one, best[:, :, None], axis=2)[:, :, 0]
    np.put_along_axis(over_one, best[:, :, None], np.inf, axis=2)
    next_best = np.argmin(over_one, axis=2)
    second = np.take_along_axis(over_one, next_best[:, :, None], axis=2)[:, :, 0]
    to_last = into[:, :, None] + trunk[None, :, :] + change
    before = np.argmin(to_last, axis=1)
    reach = np.take_along_axis(to_last, before[:, None, :], axis=1)[:, 0, :]
    over_two = reach[:, None, :] + out.T[None, :, :] + change
    last = np.argmin(over_two, axis=2)
    both = np.take_along_axis(over_two, last[:, :, None], axis=2)[:, :, 0]
    entry = np.take_along_axis(before, last, axis=1)
    return [(cost, []), (first, [hubs[best]]), (second, [hubs[next_best]]), (both, [hubs[entry], hubs[last]])]


def _ride(load: np.ndarray, transit: np.ndarray, items: np.ndarray, stops: list[np.ndarray]) -> None:
    """Add items to the lanes of their path and to the cities where they change."""
    rows, columns = np.nonzero(items > 0)
    amount = items[rows, columns]
    here = rows
    for stop in stops:
        there = stop[rows, columns]
        np.add.at(load, (here, there), amount)
        np.add.at(transit, there, amount)
        here = there
    np.add.at(load, (here, columns), amount)


def design_shape(cities: Cities, size: Size) -> np.ndarray:
    """Share of each pair of cities in the design day, float64 (n, n): the gravity model on the volumes of the year.

    Cities that the model does not know (Hong Kong, Macao, Taiwan) have no share.
    """
    known = [cities.index[code] for code in read_marginals(size.year).city_code]
    items = np.zeros((len(cities.codes), len(cities.codes)))
    items[np.ix_(known, known)] = fit_gravity(year=size.year).items
    return items / items.sum()
