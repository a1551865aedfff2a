"""Load a day's demand on the lanes that routing tables choose, as if nothing were ever full."""

from __future__ import annotations

import numpy as np

from postroad.kernels import njit

__all__ = ["load_lanes"]


@njit
def load_lanes(next_out, out_ptr, lane_to, hop_slots, released, td_fac, n_sweeps):
    """Sweep a repeating day until it is steady and add up its last pass.

    Correct for a timetable that repeats every day and for items that follow ``next_out``; an item whose way takes
    longer than ``n_sweeps`` days is not followed to its end.

    Parameters
    ----------
    next_out: int16 (n_core, per_day, n_td), lane to join; -1 where there is none.
    lane_to: int32 (n_lane,), receiving facility.
    hop_slots: int32 (n_lane, per_day), slots from joining the lane's queue to being ready at the receiving facility.
    released: float64 (per_day, n_core, n_td), items ready at their origin in each slot.
    td_fac: int32 (n_td,), facility of each destination.

    Returns
    -------
    float64 (n_lane,): items a day on each lane.
    """
    per_day, n_core, n_td = released.shape
    ready = np.zeros((per_day, n_core, n_td))
    lanes = np.zeros(len(lane_to))
    for _ in range(n_sweeps):
        lanes[:] = 0.0
        for s in range(per_day):
            for f in range(n_core):
                for d in range(n_td):
                    items = ready[s, f, d] + released[s, f, d]
                    ready[s, f, d] = 0.0
                    out = next_out[f, s, d]
                    if items <= 0.0 or out < 0 or td_fac[d] == f:
                        continue
                    lane = out_ptr[f] + out
                    lanes[lane] += items
                    ready[(s + hop_slots[lane, s]) % per_day, lane_to[lane], d] += items
    return lanes
