"""The way that routing tables lead items from where they are: the facilities on it and the waits for their trips."""

from __future__ import annotations

import numpy as np

from postroad.network.instance import Instance
from postroad.routing.departures import build_timeline
from postroad.routing.tables import RoutingTables

__all__ = ["MOST_HOPS", "Ways"]

MOST_HOPS = 5
"""Hops that are followed; few ways have more."""


class Ways:
    """Ways of a plan, by a typical day of its timetable."""

    def __init__(self, instance: Instance, tables: RoutingTables) -> None:
        self.instance, self.tables = instance, tables
        per_day = instance.slots_per_day
        timeline = build_timeline(instance, know_overlay=False)
        never = np.int32(1 << 20)
        step = np.full((len(instance.lane_from), per_day), never, np.int32)
        np.minimum.at(step, (timeline.lane, timeline.slot % per_day), timeline.n_step)
        leaves = step < never
        wait = np.where(leaves, 0, never)
        for moment in range(2 * per_day - 1, -1, -1):
            now, later = moment % per_day, (moment + 1) % per_day
            longer = ~leaves[:, now]
            wait[longer, now] = np.minimum(wait[longer, later] + 1, never)
            step[longer, now] = step[longer, later]
        self._wait, self._step = wait, step
        self._never = never

    def follow(
        self, facility: np.ndarray, slot: np.ndarray, destination: np.ndarray, product: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Follow the tables from being sorted at core facilities in slots of the horizon.

        Returns
        -------
        int32 (n_row, MOST_HOPS): the facility that each hop leads to, the anchor of the destination the last; -1 beyond
        it. And int32, same shape: slots that it waits for the hop's trip when all is as planned; -1 likewise.
        """
        instance, tables, per_day = self.instance, self.tables, self.instance.slots_per_day
        hubs, waits = np.full((2, len(facility), MOST_HOPS), -1, np.int32)
        goal, table = instance.fac_td[destination], tables.table_of_product[product]
        rows = np.flatnonzero((slot >= 0) & (goal >= 0) & (instance.fac_parent[facility] < 0))
        here, now = facility[rows].astype(np.int64), slot[rows].astype(np.int64)
        n_known = len(tables.block_of_day)
        for hop in range(MOST_HOPS):
            block = tables.block_of_day[np.minimum(now // per_day, n_known - 1)]
            out = tables.next_out[table[rows], block, here, now % per_day, goal[rows]]
            lane = instance.out_ptr[here] + np.maximum(out, 0)
            wait = self._wait[np.minimum(lane, len(self._wait) - 1), now % per_day]
            goes = (out >= 0) & (wait < self._never)
            rows, lane, wait, now = rows[goes], lane[goes], wait[goes], now[goes]
            if not len(rows):
                break
            here = instance.lane_to[lane].astype(np.int64)
            hubs[rows, hop], waits[rows, hop] = here, wait
            now = now + wait + self._step[lane, now % per_day]
        return hubs, waits
