"""The twin's item mode beside a model of the same rules in SimPy, parcel by parcel."""

from dataclasses import replace

import numpy as np
import pytest

from kit.simpy_twin import Model
from kit.splits import random_splits
from kit.twin import items_of, make_parameters, random_case, run_items
from postroad.events.journeys import OUTCOMES
from postroad.twin.result import TRACE_KINDS

FIND_ROOM = {100, 101, 104, 108}
"""Seeds whose parcels always find room without taking to the road."""


@pytest.mark.parametrize("seed", range(100, 110))
def test_every_parcel_as_in_simpy(seed):
    parameters = make_parameters(
        max_attempts=1 + seed % 3, divert_queue_h=[0.5, 2.0, 4.0][seed % 3], lost_per_million=20_000
    )
    case = random_case(seed, horizon=40, n_outlets=seed % 4, most=6, parameters=parameters)
    check_every_parcel(case, seed)


@pytest.mark.parametrize("seed", [100, 102, 105, 107])
def test_every_parcel_as_in_simpy_where_items_divide(seed):
    parameters = make_parameters(divert_queue_h=[0.5, 2.0, 4.0][seed % 3], lost_per_million=20_000)
    case = random_case(seed, n_outlets=seed % 4, most=6, parameters=parameters)
    check_every_parcel(replace(case, tables=random_splits(case.instance, case.tables, seed)), seed)


def check_every_parcel(case, seed):
    """Both models tell the same history and journey of every parcel, and everything that can happen happens."""
    result, _ = run_items(case)
    parcels = Model(case.instance, case.tables, case.parameters).run(items_of(case))
    trace = result.trace
    rows = np.split(np.arange(len(trace.row_item)), np.flatnonzero(np.diff(trace.row_item)) + 1)
    assert len(rows) == len(parcels)
    for parcel, mine in zip(parcels, rows, strict=True):
        kinds = [TRACE_KINDS[kind] for kind in trace.row_kind[mine]]
        columns = (trace.row_min[mine].tolist(), trace.row_facility[mine].tolist(), trace.row_departure[mine].tolist())
        assert list(zip(kinds, *columns, strict=True)) == parcel.log
    journeys = result.journeys
    names = ("origin_idx", "destination_idx", "product_idx", "accepted_min", "left_origin_min", "reached_dest_min")
    names += ("out_min", "ended_min", "outcome", "n_attempts")
    theirs = [
        (p.origin, p.destination, p.product, p.accepted, p.left, p.reached, p.out, p.ended, OUTCOMES.index(p.outcome),
         p.attempts) for p in parcels
    ]  # fmt: skip
    ours = np.stack([getattr(journeys, name).astype(int) for name in names], axis=1)
    theirs = np.array(theirs)
    np.testing.assert_array_equal(ours[np.lexsort(ours.T)], theirs[np.lexsort(theirs.T)])
    assert {parcel.outcome for parcel in parcels} == {"delivered", "returned", "lost"}
    assert any(p.has_diverted for p in parcels)
    assert any(p.is_grounded for p in parcels) or seed in FIND_ROOM
