"""Follow the ways of routing tables: which of them lead over connections that are lost."""

from __future__ import annotations

import numpy as np

from postroad.network.instance import Instance
from postroad.routing.departures import Timeline, build_timeline
from postroad.routing.tables import RoutingTables

__all__ = ["touched_ways"]

BLOCK = 64
"""Destinations followed together, so that the rows of a step stay in the cache."""


def touched_ways(instance: Instance, tables: RoutingTables, lost: np.ndarray) -> np.ndarray:
    """Which states' planned ways lead over connections that are lost.

    Parameters
    ----------
    instance: of one day, which repeats; the one that the tables are of.
    tables: see :func:`postroad.routing.tables.build_tables`.
    lost: bool (n_cn,).

    Returns
    -------
    bool (n_table, n_core, slots_per_day, n_td): whether the way from being sorted there in that slot takes a lost
    connection, now or further on. What takes none can be followed as before when the lost ones are gone.
    """
    timeline = build_timeline(instance, know_overlay=False)
    edge_at = _next_edges(instance, timeline)
    is_lost = lost[timeline.cn]
    n_table, _, n_core, per_day, n_td = tables.next_out.shape
    touched = np.zeros((n_table, n_core, per_day, n_td), bool)
    first_lane = instance.out_ptr[:n_core, None, None]
    slots = np.arange(per_day)[None, :, None]
    for table in range(n_table):
        for first in range(0, n_td, BLOCK):
            out = tables.next_out[table, 0, :, :, first : first + BLOCK]
            goes = out >= 0
            edge = edge_at[np.where(goes, first_lane + out, 0), slots]
            state = np.where(goes, timeline.row[edge], 0)
            onward = state * out.shape[2] + np.arange(out.shape[2])
            part = goes & is_lost[edge]
            n_known = -1
            while n_known != (n_known := int(part.sum())):
                part = part | (goes & part.ravel()[onward])
            touched[table, :, :, first : first + BLOCK] = part
    return touched


def _next_edges(instance: Instance, timeline: Timeline) -> np.ndarray:
    """The departure that a lane's queue leaves with from each slot on, int32 (n_lane, slots_per_day); 0: none ever."""
    per_day = instance.slots_per_day
    edge_at = np.full((len(instance.lane_from), per_day), -1, np.int32)
    edge_at[timeline.lane, timeline.slot] = np.arange(len(timeline.slot))
    ahead = np.full(len(edge_at), -1, np.int32)
    for moment in range(2 * per_day - 1, -1, -1):
        column = edge_at[:, moment % per_day]
        ahead = np.where(column >= 0, column, ahead)
        edge_at[:, moment % per_day] = ahead
    return np.maximum(edge_at, 0)
