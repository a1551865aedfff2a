"""A quiet network and its histories, as the twin leaves them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from kit.instances import Draft, make_instance
from kit.twin import DAY_MIN, Case, make_flows, make_parameters, random_connections
from postroad.ledger.simulated import RunNames, events_from_trace, items_from_trace
from postroad.routing.tables import build_tables
from postroad.twin.result import TRACE_KINDS
from postroad.watch.histories import read_histories

__all__ = ["histories_of", "quiet_case", "tables_of"]


def quiet_case(seed: int) -> Case:
    """A small network in which nothing is ever full and every first attempt succeeds."""
    rng = np.random.default_rng(seed)
    parents = [int(core) for core in rng.integers(0, 5, 3)]
    rows = random_connections(rng, 5, parents)
    instance = make_instance(Draft(5, rows, n_days=30, parents=parents, vots=[5000, 1000]))
    trips = tuple(f"T{number}" for number in range(int(instance.cn_trip.max()) + 1))
    instance = replace(instance, trip_id=trips)
    n_fac = instance.n_fac
    origin, destination = (grid.ravel() for grid in np.meshgrid(np.arange(n_fac), np.arange(n_fac), indexing="ij"))
    release_min = np.sort(rng.choice(DAY_MIN, 4, replace=False))
    counts = rng.integers(0, 2, (2, 4, 2, n_fac * n_fac)).astype(np.int32)
    promise_k = np.full((2, 4, n_fac * n_fac), 3, np.int8)
    parameters = make_parameters(first_attempt_success_share=1.0, lost_per_million=0)
    flows = make_flows(counts, origin, destination, release_min)
    return Case(instance, build_tables(instance), flows, promise_k, parameters, counts)


def tables_of(case: Case, result) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The events and item records of a run."""
    instance = case.instance
    names = RunNames(
        "run", instance.epoch, "CN", TRACE_KINDS, instance.fac_id, instance.prod_id,
        trip_of_departure=instance.cn_trip[instance.dp_cn], trip_ids=instance.trip_id,
    )  # fmt: skip
    events, items = events_from_trace(result.trace, names), items_from_trace(result.trace, names)
    return pl.from_arrow(events), pl.from_arrow(items)


def histories_of(case: Case, result):
    """The histories of a run, by way of its events."""
    return read_histories(*tables_of(case, result), case.instance)
