"""The Pareto set of journeys between two facilities over arrival, cost and carbon."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from postroad.core.errors import LimitReached
from postroad.kernels.pareto import CARBON, COST, DEPARTURE, NEXT, PARENT, TIME, bound_remaining, search_pareto
from postroad.network.instance import Instance
from postroad.routing.timetable import Timetable, build_timetable

__all__ = ["Journey", "find_journeys", "pick_spread"]


@dataclass(frozen=True, slots=True)
class Journey:
    """One way of getting from a facility to another.

    Attributes
    ----------
    arr_min: arrival at the destination, minutes from the epoch.
    cost: milli-yuan per item: vehicles at the planning fill, and handling at every facility that it is brought to.
    carbon: micrograms of CO2e per item of the product's mean weight, transport only.
    departures: rows of the timetable, in order.
    """

    arr_min: int
    cost: int
    carbon: int
    departures: tuple[int, ...]


def find_journeys(
    instance: Instance,
    product: int,
    source: int,
    destination: int,
    at_min: int,
    *,
    slack_min: float = 0.0,
    slack_share: float = 0.0,
    max_labels: int = 4_000_000,
) -> tuple[list[Journey], Timetable]:
    """Find the journeys of which none is better in arrival, cost and carbon at once.

    Parameters
    ----------
    instance: the compiled network; its departures as overlaid are used.
    product: index of the product; modes barred for it are not used.
    source, destination: facility indices.
    at_min: minute from the epoch at which the item is ready (sorted) at the source.
    slack_min, slack_share: leave out a journey when another one arrives at most ``slack_min`` later and costs and emits
        at most ``slack_share`` more. With both zero the set is exact.
    max_labels: give up beyond so many partial journeys.

    Returns
    -------
    list of Journey, by arrival, then cost; empty when the destination is not reached within the horizon. One journey a
    vector of (arrival, cost, carbon). And the timetable that they refer to.

    Raises
    ------
    LimitReached: PR-R110 when there are more than ``max_labels`` partial journeys.

    **Assumes** departures are never full; an item may wait for a later departure that is cheaper.
    """
    timetable = build_timetable(instance, product, from_min=at_min, bound_for=destination)
    if source == destination:
        return [Journey(at_min, 0, 0, ())], timetable
    cn = instance.dp_cn[timetable.row]
    cost = instance.cn_cost[cn].astype(np.int64) + instance.fac_cost[timetable.target]
    carbon = instance.cn_g[cn].astype(np.int64) * int(instance.prod_g[product])
    bounds = _bounds(timetable, destination, cost, carbon)
    labels = np.empty((max_labels, 6), np.int64)
    slack = np.array([slack_min, slack_share, slack_share], np.float64)
    columns = (timetable.origin, timetable.target, timetable.dep, timetable.arr, timetable.ready)
    found, n_label = search_pareto(labels, source, destination, at_min, *columns, cost, carbon, bounds, slack)
    if n_label < 0:
        raise LimitReached(
            "PR-R110", n_labels=max_labels, origin=instance.fac_id[source], destination=instance.fac_id[destination]
        )
    journeys = []
    while found >= 0:
        row = labels[found]
        journeys.append(Journey(int(row[TIME]), int(row[COST]), int(row[CARBON]), _trace(labels, found)))
        found = int(row[NEXT])
    return sorted(journeys, key=lambda journey: (journey.arr_min, journey.cost, journey.carbon)), timetable


def pick_spread(journeys: list[Journey], most: int) -> list[Journey]:
    """Pick the few of many journeys that show the choice: the first, the cheapest, the cleanest, then what is farthest.

    Parameters
    ----------
    journeys: of one pair, by arrival. most: how many to keep, at least 1.

    Returns
    -------
    list of Journey, by arrival. Each further journey is the one farthest from all picked, where each of the three aims
    counts from its least to its largest value over all journeys; of equals the earlier one.
    """
    if len(journeys) <= most:
        return journeys
    vectors = np.array([(j.arr_min, j.cost, j.carbon) for j in journeys], np.float64)
    vectors -= vectors.min(axis=0)
    vectors /= np.maximum(vectors.max(axis=0), 1.0)
    picked = list(dict.fromkeys([0, *(int(column.argmin()) for column in vectors.T)]))[:most]
    while len(picked) < most:
        distance = np.linalg.norm(vectors[:, None, :] - vectors[None, picked, :], axis=2).min(axis=1)
        picked.append(int(distance.argmax()))
    return [journeys[number] for number in sorted(picked)]


def _trace(labels: np.ndarray, label: int) -> tuple[int, ...]:
    """The departures that lead to a label, in order."""
    departures = []
    while labels[label, PARENT] >= 0:
        departures.append(int(labels[label, DEPARTURE]))
        label = int(labels[label, PARENT])
    return tuple(departures[::-1])


def _bounds(timetable: Timetable, destination: int, cost: np.ndarray, carbon: np.ndarray) -> np.ndarray:
    """Lower bounds of the minutes, cost and carbon from each facility to the destination, int64 (3, n_fac)."""
    end = np.where(timetable.target == destination, timetable.arr, timetable.ready)
    minutes = (end - timetable.dep).astype(np.int64)
    pair = timetable.origin.astype(np.int64) * timetable.n_fac + timetable.target
    pairs, edge = np.unique(pair, return_inverse=True)
    origin, target = (side.astype(np.int32) for side in np.divmod(pairs, timetable.n_fac))
    bounds = np.empty((3, timetable.n_fac), np.int64)
    for row, values in enumerate((minutes, cost, carbon)):
        least = np.full(len(pairs), np.iinfo(np.int64).max)
        np.minimum.at(least, edge, values)
        bounds[row] = bound_remaining(destination, origin, target, least, timetable.n_fac)
    return bounds
