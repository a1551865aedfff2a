"""Promises: for every pair of endpoints, release time and product the number of days within which it is delivered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
import polars as pl

from postroad.core.clock import DAY_MIN, parse_hhmm
from postroad.core.errors import InputError
from postroad.core.findings import Findings
from postroad.kernels.promises import NEVER, count_days
from postroad.network.instance import Instance
from postroad.routing.departures import repeating_days
from postroad.routing.tables import RoutingTables
from postroad.routing.waits import Waits, after, plan_waits, slots_to_wave

__all__ = ["SCOPES", "Demand", "promise_days", "slots_at_ends"]

SCOPES = ("same_city", "intercity", "international")
CHUNK = 1 << 16


class Demand(Protocol):
    """What promises read of the flows."""

    origin: np.ndarray
    destination: np.ndarray
    release_min: np.ndarray


def promise_days(
    instance: Instance,
    tables: RoutingTables,
    flows: Demand,
    promises: pl.DataFrame,
    parameters: Mapping[str, float],
    *,
    day: int = 0,
    threads: int = 2,
) -> tuple[np.ndarray, Findings]:
    """Work out the promised days of every pair, release and product from the plan.

    The planned journey: acceptance, ``origin_min``, screening and sorting when the endpoint works, for an outlet the
    next trip to its parent, the routing table's slots to the anchor of the destination, for an outlet the next trip
    to it, ``wave_delay``, the next delivery wave, the end of its tour. With the margin added, the promise is the first
    day D + k whose ``deliver_by`` is not earlier, kept within ``min_days`` and ``max_days``.

    Parameters
    ----------
    instance: the compiled plan; closures that it contains count as plan.
    tables: its routing tables.
    flows: ``origin``, ``destination`` int32 (n_pair,), endpoints; ``release_min`` int32 (n_rel,), minutes of the day.
    promises: the feed's table.
    parameters: the feed's parameters by id; ``tour_share_1h`` .. ``tour_share_8h`` are read.
    day: day of the horizon on which the items are released.
    threads: worker threads; the answer is the same for any number.

    Returns
    -------
    int8 (n_prod, n_rel, n_pair), days from the day of release to the promised one, -1 where no route leads; and
    findings PR-R101, one for each product and origin without a route to some destinations.

    Raises
    ------
    InputError: PR-R100 when a product has no promise for a scope that the pairs need.

    **Assumes** no queues; days after the horizon repeat its last week.
    """
    axis = plan_waits(instance)
    here, at_parent = _sorted_slots(instance, axis, flows.release_min, day)
    at_door, at_anchor = slots_to_wave(instance, axis)
    anchor = np.where(instance.fac_parent < 0, np.arange(instance.n_fac), instance.fac_parent).astype(np.int32)
    scope = _scopes(instance, flows)
    terms = _terms(instance, promises, np.unique(scope))
    ring = repeating_days(instance.n_days) * instance.slots_per_day
    tour_min = 60 * max((hour for hour in range(1, 9) if parameters.get(f"tour_share_{hour}h", 0) > 0), default=0)
    n_pair = len(flows.origin)
    days = np.empty((len(terms), len(flows.release_min), n_pair), np.int8)

    def work(product: int, first: int) -> None:
        count_days(
            days[product], first, min(first + CHUNK, n_pair), flows.origin, flows.destination, anchor, instance.fac_td,
            here, at_parent, at_door, at_anchor, tables.slots_to_go[tables.table_of_product[product]],
            tables.block_of_day, day, instance.slot_min, tour_min, *terms[product], scope, ring,
        )  # fmt: skip

    _run_chunks(work, [(product, first) for product in range(len(terms)) for first in range(0, n_pair, CHUNK)], threads)
    return days, _name_unreached(instance, flows, days)


def slots_at_ends(instance: Instance, release_min: np.ndarray, day: int) -> tuple[np.ndarray, np.ndarray]:
    """When items are sorted at the anchor of where they were accepted, and how long they wait once sorted at the other.

    Parameters
    ----------
    release_min: int32 (n_rel,), minutes of the day at which items are accepted.
    day: day of the horizon on which they are.

    Returns
    -------
    int32 (n_fac, n_rel), slots of the horizon; and int32 (n_fac, n_slots), slots from being sorted at the anchor of
    each endpoint to its delivery wave. -1 where it does not happen.

    **Assumes** no queues; days after the horizon repeat its last week.
    """
    axis = plan_waits(instance)
    answers = _sorted_slots(instance, axis, release_min, day)[1], slots_to_wave(instance, axis)[1]
    return tuple(np.where(answer < NEVER, answer, -1).astype(np.int32) for answer in answers)


def _run_chunks(work: Callable[[int, int], None], chunks: list[tuple[int, int]], threads: int) -> None:
    """Do all chunks on some threads; the first failure is raised."""
    with ThreadPoolExecutor(max_workers=max(1, threads)) as pool:
        list(pool.map(lambda chunk: work(*chunk), chunks))


def _sorted_slots(instance: Instance, axis: Waits, release_min: np.ndarray, day: int) -> tuple[np.ndarray, np.ndarray]:
    """Slots in which items of each release are sorted at the accepting endpoint and at its anchor, (n_fac, n_rel)."""
    per_day = instance.slots_per_day
    fac = np.arange(instance.n_fac)[:, None]
    joins = -(-(day * DAY_MIN + release_min[None, :] + instance.origin_min[:, None]) // instance.slot_min)
    here = after(axis.sort, fac, after(axis.screen, fac, joins, per_day), per_day)
    parent = np.maximum(instance.fac_parent, 0)[:, None]
    at_parent = after(axis.sort, parent, after(axis.collect, fac, here, per_day), per_day)
    return here, np.where(instance.fac_parent[:, None] >= 0, at_parent, here).astype(np.int32)


def _scopes(instance: Instance, flows: Demand) -> np.ndarray:
    """Index into SCOPES of each pair, int8."""
    abroad = instance.fac_territory[flows.origin] != instance.fac_territory[flows.destination]
    same_city = instance.fac_place[flows.origin] == instance.fac_place[flows.destination]
    return np.where(abroad, 2, np.where(same_city, 0, 1)).astype(np.int8)


def _terms(instance: Instance, promises: pl.DataFrame, needed: np.ndarray) -> list[tuple[np.ndarray, ...]]:
    """Margin, deliver-by minute, fewest and most days of each product, int32 (3,) each, by scope."""
    rows = {(row["product_id"], row["scope"]): row for row in promises.iter_rows(named=True)}
    terms = []
    for product in instance.prod_id:
        columns = np.zeros((4, len(SCOPES)), np.int32)
        for kind in needed:
            row = rows.get((product, SCOPES[kind]))
            if row is None:
                raise InputError("PR-R100", at="promises", product_id=product, scope=SCOPES[kind])
            columns[:, kind] = row["margin_min"], parse_hhmm(row["deliver_by"]), row["min_days"], row["max_days"]
        terms.append(tuple(columns))
    return terms


def _name_unreached(instance: Instance, flows: Demand, days: np.ndarray) -> Findings:
    """One finding for each product and origin from which no route leads to some destinations."""
    findings = Findings()
    for product, by_release in enumerate(days):
        unreached = np.flatnonzero((by_release < 0).any(axis=0))
        for origin in np.unique(flows.origin[unreached]):
            goals = flows.destination[unreached[flows.origin[unreached] == origin]]
            findings.add(
                "PR-R101",
                value=instance.fac_id[origin],
                product_id=instance.prod_id[product],
                n_destinations=len(goals),
                examples=", ".join(instance.fac_id[goal] for goal in goals[:5]),
            )
    return findings
