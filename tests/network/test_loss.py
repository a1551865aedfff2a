"""Losses on an instance, and the ways that they touch."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.instances import make_instance, random_draft
from postroad.kernels.trees import NO_ROUTE
from postroad.network.loss import Loss, degrade, degrade_for_good, find_lost_rides
from postroad.routing.departures import build_timeline
from postroad.routing.following import touched_ways
from postroad.routing.tables import build_tables


def lose(instance, facility, from_min=0, to_min=10**6):
    """The loss of one facility."""
    facilities = np.arange(instance.n_fac) == facility
    return Loss(facilities, np.zeros(len(instance.leg_from), bool), from_min, to_min)


def test_a_loss_lasts_from_its_start_to_its_end():
    instance = make_instance(random_draft(3, n_days=3))
    loss = lose(instance, 2, 600, 1800)
    after = degrade(instance, [loss])
    lost = find_lost_rides(instance, loss)[instance.dp_cn]
    during = (instance.dp_dep_min >= 600) & (instance.dp_dep_min < 1800)
    assert (lost & during).any()
    assert len(after.dp_cn) == len(instance.dp_cn) - (lost & during).sum()
    assert after.sort_cap[2, 20:60].max() == 0
    assert after.sort_cap[2, 19] == instance.sort_cap[2, 19] > 0
    assert after.sort_cap[2, 60] > 0
    assert after.digest != instance.digest
    slots = after.dp_dep_min // after.slot_min
    assert (np.diff(after.dp_ptr) == np.bincount(slots, minlength=after.n_slots)).all()


def test_what_is_lost_for_good_is_on_no_way():
    instance = make_instance(random_draft(4, n_days=1))
    after = degrade_for_good(instance, [lose(instance, 2)])
    lost = find_lost_rides(instance, lose(instance, 2))
    assert not lost[build_timeline(after, know_overlay=False).cn].any()
    tables = build_tables(after)
    column = int(np.flatnonzero(after.td_fac == 2)[0])
    others = np.arange(instance.n_core) != 2
    assert (tables.slots_to_go[0, 0, others, :, column] == NO_ROUTE).all()


@settings(max_examples=30)
@given(seed=st.integers(0, 100_000))
def test_touched_ways_are_those_that_a_walk_finds(seed):
    instance = make_instance(random_draft(seed, n_days=1))
    tables, timeline = build_tables(instance), build_timeline(instance, know_overlay=False)
    lost = find_lost_rides(instance, lose(instance, 2))
    touched = touched_ways(instance, tables, lost)
    per_day = instance.slots_per_day
    for start in range(instance.n_core):
        for column in range(len(instance.td_fac)):
            fac, slot, found = start, 17, False
            while (out := tables.next_out[0, 0, fac, slot, column]) >= 0:
                edges = np.flatnonzero(timeline.lane == instance.out_ptr[fac] + out)
                edge = edges[np.argmin((timeline.slot[edges] - slot) % per_day)]
                found |= bool(lost[timeline.cn[edge]])
                fac, slot = divmod(int(timeline.row[edge]), timeline.n_slots)
            assert touched[0, start, 17, column] == found
