"""The domestic road network: lanes between sorting centres with their trips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from postroad.reference.design import Homes, LineHaul, lane_headroom
from postroad.reference.sources import Cities, Rules
from postroad.reference.terminals import lane_row
from postroad.reference.timetable import LaneSet, timetable

__all__ = ["RoadNetwork", "build_road"]


@dataclass(frozen=True, slots=True)
class RoadNetwork:
    """Rows of ``lanes`` and ``trips`` with the loads that the lanes were designed for.

    ``lanes`` and ``trips`` have the feed's columns; ``load`` and ``surge_load`` (items a day) are in the row order of
    ``lanes``.
    """

    lanes: pl.DataFrame
    trips: pl.DataFrame
    load: np.ndarray
    surge_load: np.ndarray


def build_road(
    cities: Cities, centres: Sequence[str], homes: Homes, mean: LineHaul, surge: LineHaul, rules: Rules
) -> RoadNetwork:
    """Make the road lanes of a size and their timetable.

    Parameters
    ----------
    centres: facility ids of the sorting centres in order of city.
    mean, surge: the plans of the mean day and of the surge day; lanes that only the surge needs have surge trips only.
    """
    start, end = np.nonzero((mean.departures > 0) | (surge.departures > 0))
    km = cities.road_km[start, end]
    island = cities.frame["province_code"].to_numpy() == "46"
    is_hub = np.zeros(len(centres), bool)
    is_hub[homes.hub_city] = True
    rows = [
        lane_row(centres[a], centres[b], "road", length * rules.driven_over_shortest, length)
        for a, b, length in zip(start, end, km.tolist(), strict=True)
    ]
    lanes = LaneSet(
        lane_id=np.array([row["lane_id"] for row in rows], dtype=object),
        km=km,
        extra_min=np.where(island[start] != island[end], int(rules.strait_wait_min), 0),
        load=mean.load[start, end],
        surge_load=surge.load[start, end],
        min_departures=mean.departures[start, end],
        headroom=lane_headroom(is_hub[start] | is_hub[end], rules),
        from_hub=is_hub[start],
    )
    return RoadNetwork(pl.DataFrame(rows), timetable(lanes, rules), lanes.load, lanes.surge_load)
