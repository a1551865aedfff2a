"""Loading: a day's demand on the lanes that routing tables choose."""

from __future__ import annotations

import numpy as np
import pytest

from kit.instances import make_instance, random_draft
from postroad.routing.loading import load_tables
from postroad.routing.tables import build_tables


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_item_leaves_its_origin_and_reaches_its_destination(seed):
    """What leaves a facility is what is released there and what came by; nothing is made or lost on the way."""
    instance = make_instance(random_draft(seed, n_core=6, n_connections=80, n_days=2))
    tables = build_tables(instance)
    n_td = len(instance.td_fac)
    rng = np.random.default_rng(seed)
    items = rng.integers(1, 50, (instance.n_core, n_td)).astype(float)
    items[instance.td_fac, np.arange(n_td)] = 0.0
    reached = (tables.next_out[0, 0] >= 0).all(axis=1)
    items *= reached
    release = np.zeros(instance.slots_per_day)
    release[16:40] = 1 / 24
    lanes = load_tables(instance, tables, items, np.ones(len(instance.prod_id)) / len(instance.prod_id), release)
    out = np.bincount(instance.lane_from, lanes, instance.n_core)
    arrived = np.bincount(instance.lane_to, lanes, instance.n_core)
    kept = np.zeros(instance.n_core)
    kept[instance.td_fac] = items.sum(axis=0)
    np.testing.assert_allclose(items.sum(axis=1) + arrived, out + kept, rtol=1e-9)
    assert lanes.sum() >= items.sum() - 1e-6
