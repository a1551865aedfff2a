"""Kilometres by road over the lanes of a network."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

import numpy as np
import polars as pl

from postroad.network.instance import Instance
from postroad.network.loss import Loss

__all__ = ["RoadMap"]


class RoadMap:
    """The road lanes of a feed, without any loss or less what some losses take.

    **Assumes** that a lane is as long one way as the other, and that what a loss leaves is open at all times.
    """

    def __init__(self, network, instance: Instance, losses: Iterable[Loss] = ()) -> None:
        lost, cut = np.zeros(instance.n_fac, bool), set()
        for loss in losses:
            lost |= loss.facilities
            cut |= set(zip(instance.leg_from[loss.legs].tolist(), instance.leg_to[loss.legs].tolist(), strict=True))
        index = {facility: number for number, facility in enumerate(instance.fac_id)}
        lanes = network.tables["lanes"].filter((pl.col("mode") == "road") & pl.col("distance_km").is_not_null())
        self._next: list[list[tuple[int, float]]] = [[] for _ in index]
        for one, other, km in lanes.select("from_facility", "to_facility", "distance_km").iter_rows():
            ends = index[one], index[other]
            if ends not in cut and not lost[list(ends)].any():
                self._next[ends[0]].append((ends[1], km))
                self._next[ends[1]].append((ends[0], km))

    def km_from(self, sources: np.ndarray | list[int]) -> np.ndarray:
        """Kilometres by road from the nearest of some facilities to each, float64 (n_fac,); infinite: no road lanes."""
        km = np.full(len(self._next), np.inf)
        queue = [(0.0, int(source)) for source in sources]
        km[[source for _, source in queue]] = 0.0
        while queue:
            far, here = heapq.heappop(queue)
            if far > km[here]:
                continue
            for there, length in self._next[here]:
                if far + length < km[there]:
                    km[there] = far + length
                    heapq.heappush(queue, (km[there], there))
        return km
