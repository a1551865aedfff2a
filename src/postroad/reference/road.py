"""The domestic road network: lanes between centres and hubs with their trips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from postroad.reference.design import Homes, LineHaul
from postroad.reference.sources import Cities, Rules
from postroad.reference.timetable import LaneSet, timetable

__all__ = ["RoadNetwork", "build_road", "node_ids"]


@dataclass(frozen=True, slots=True)
class RoadNetwork:
    """Rows of ``lanes`` and ``trips`` with the loads that the lanes were designed for.

    ``lanes`` has the feed's columns; ``load`` and ``surge_load`` (items a day) are in its row order.
    """

    lanes: pl.DataFrame
    trips: pl.DataFrame
    load: np.ndarray
    surge_load: np.ndarray


def node_ids(centres: Sequence[str], homes: Homes) -> np.ndarray:
    """Facility ids of the road nodes: the centres in order of city, then the hubs (``<centre>-H``)."""
    return np.array(list(centres) + [f"{centres[city]}-H" for city in homes.hub_city], dtype=object)


def build_road(
    cities: Cities, centres: Sequence[str], homes: Homes, mean: LineHaul, surge: LineHaul, rules: Rules
) -> RoadNetwork:
    """Make the road lanes of a size and their timetable.

    Lanes that always exist: every centre to and from its home hub and its second hub, and every hub to every other.
    The others are those that carry load on the mean day or on the surge day.
    """
    least = _least_departures(cities, homes, mean, rules)
    first, second = np.nonzero((least > 0) | (surge.load > 0))
    ids = node_ids(centres, homes)
    km, waits = _distances(cities, homes, rules)
    shortest = km[first, second]
    lane_id = np.array([f"{a}-{b}" for a, b in zip(ids[first], ids[second], strict=True)], dtype=object)
    load, surge_load = mean.load[first, second], surge.load[first, second]
    lanes = LaneSet(
        lane_id=lane_id,
        driven_km=shortest * rules.driven_over_shortest,
        extra_min=waits[first, second],
        load=load,
        surge_load=surge_load,
        min_departures=least[first, second],
        from_hub=first >= len(cities.codes),
    )
    frame = pl.DataFrame(
        {
            "lane_id": lane_id,
            "from_facility": ids[first],
            "to_facility": ids[second],
            "mode": np.full(len(first), "road"),
            "distance_km": np.round(lanes.driven_km, 1),
            "activity_km": np.round(shortest, 1),
        }
    )
    return RoadNetwork(frame, timetable(lanes, rules), load, surge_load)


def _least_departures(cities: Cities, homes: Homes, mean: LineHaul, rules: Rules) -> np.ndarray:
    """Fewest daily departures of every pair of nodes; int64 (n_node, n_node), 0 where the mean day needs no lane."""
    n = len(cities.codes)
    least = np.where(mean.load > 0, int(rules.min_direct_departures), 0)
    least[n:, n:] = int(rules.trunk_departures)
    np.fill_diagonal(least, 0)
    served = np.flatnonzero(homes.home >= 0)
    for hub, departures in ((homes.second, rules.second_hub_departures), (homes.home, rules.hub_lane_departures)):
        node = n + hub[served]
        least[served, node] = np.maximum(least[served, node], int(departures))
        least[node, served] = np.maximum(least[node, served], int(departures))
    return least


def _distances(cities: Cities, homes: Homes, rules: Rules) -> tuple[np.ndarray, np.ndarray]:
    """Shortest road km between all nodes, and minutes of waiting for the strait."""
    node_city = np.r_[np.arange(len(cities.codes)), homes.hub_city]
    km = cities.road_km[np.ix_(node_city, node_city)].copy()
    same = node_city[:, None] == node_city[None, :]
    km[same] = rules.hub_site_km
    on_island = (cities.frame["province_code"].to_numpy() == "46")[node_city]
    waits = np.where(on_island[:, None] != on_island[None, :], int(rules.strait_wait_min), 0)
    return km, waits
