"""Activity: what a run did on the days accounted, in the terms that both accounts multiply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from postroad.core.errors import InputError
from postroad.network.instance import Instance

__all__ = ["Activity", "VehicleWork", "sum_vehicle_work", "trip_hours"]


@dataclass(frozen=True, slots=True)
class Activity:
    """What a run did, and which part of it the items accounted answer for.

    Attributes
    ----------
    instance: the network that ran.
    tables: the feed's tables; ``vehicles``, ``factors``, ``facilities`` and ``places`` are read.
    load_items: int32 (n_days, n_leg, n_prod), items carried on each service day.
    run_legs: bool (n_days, n_leg), whether the leg ran on the service day.
    sorted_items: int64 (n_fac,), items sorted in the whole run, each time.
    collected: int64 (n_fac, n_prod), items accounted, by accepting facility.
    attempted: int64 (n_fac, n_prod), delivery attempts for those items.
    share: items accounted over all items that the run released: the part of transport and handling they answer for.
    n_paid_days: the first service days, whose trips are paid for: those on which items were released, without the days
        at the end on which the last of them are only brought home; all when None.

    **Assumes**, where ``share`` is below 1, that the items accounted travel like those of the other days. A run carries
    every item to its end, so that tonne-kilometres and handlings of the whole run are those of all its items, exactly.
    """

    instance: Instance
    tables: Mapping[str, pl.DataFrame]
    load_items: np.ndarray
    run_legs: np.ndarray
    sorted_items: np.ndarray
    collected: np.ndarray
    attempted: np.ndarray
    share: float = 1.0
    n_paid_days: int | None = None

    def __post_init__(self) -> None:
        """Refuse arrays that are not of this network.

        Raises
        ------
        InputError: PR-M102.
        """
        n_leg, n_prod, n_fac = len(self.instance.leg_from), len(self.instance.prod_id), self.instance.n_fac
        for name, array, wanted in (
            ("load_items", self.load_items, (len(self.run_legs), n_leg, n_prod)),
            ("run_legs", self.run_legs, (len(self.load_items), n_leg)),
            ("sorted_items", self.sorted_items, (n_fac,)),
            ("collected", self.collected, (n_fac, n_prod)),
            ("attempted", self.attempted, (n_fac, n_prod)),
        ):
            if array.shape != wanted:
                raise InputError("PR-M102", array=name, found=str(array.shape), wanted=str(wanted))

    @property
    def n_items(self) -> int:
        """Items accounted: what totals are divided by."""
        return int(self.collected.sum())


@dataclass(frozen=True, slots=True)
class VehicleWork:
    """Work of one kind of vehicle in one tier, for the share accounted: departures, distance, time and what it carried.

    ``activity_tkm`` is float64 (n_prod,), tonne-kilometres over the activity distance.
    """

    vehicle_idx: int
    tier: str
    n_departures: float
    vehicle_km: float
    vehicle_h: float
    activity_tkm: np.ndarray


def sum_vehicle_work(activity: Activity) -> list[VehicleWork]:
    """The work of vehicles by kind and tier: line-haul before feeders, each in the order of the vehicles table.

    A trip departs once however many legs it has; its hours are from its first departure to its last arrival.
    Departures, distance and time are of the days paid for, tonne-kilometres of all days.
    """
    instance, share = activity.instance, activity.share
    legs = np.flatnonzero(activity.run_legs.any(axis=0))
    legs = legs[np.argsort(instance.leg_trip[legs], kind="stable")]
    if not len(legs):
        return []
    paid = activity.run_legs[: activity.n_paid_days, legs]
    count = instance.leg_n_vehicles[legs]
    feeder = (instance.leg_from[legs] >= instance.n_core) | (instance.leg_to[legs] >= instance.n_core)
    group = instance.leg_vehicle[legs].astype(np.int64) * 2 + feeder
    trips, first = np.unique(instance.leg_trip[legs], return_index=True)
    runs = np.logical_or.reduceat(paid, first, axis=1).sum(axis=0) * count[first]
    hours = runs * trip_hours(instance)[trips]
    carried = activity.load_items[:, legs].sum(axis=0, dtype=np.int64)
    tonnes_km = carried * instance.prod_g / 1e6 * instance.leg_activity_km[legs, None]

    def total(of: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return share * np.bincount(of, weights=weights, minlength=int(group.max()) + 1)

    departures, vehicle_h = total(group[first], runs), total(group[first], hours)
    vehicle_km = total(group, instance.leg_km[legs] * paid.sum(axis=0) * count)
    tkm = np.stack([total(group, column) for column in tonnes_km.T], axis=1)
    return [
        VehicleWork(
            vehicle_idx=number // 2,
            tier=("line_haul", "feeder")[number % 2],
            n_departures=float(departures[number]),
            vehicle_km=float(vehicle_km[number]),
            vehicle_h=float(vehicle_h[number]),
            activity_tkm=tkm[number],
        )
        for number in sorted(np.unique(group).tolist(), key=lambda number: (number % 2, number))
    ]


def trip_hours(instance: Instance) -> np.ndarray:
    """Hours of each trip from its first departure to its last arrival, float64."""
    n_trip = int(max(instance.cn_trip.max(initial=-1), instance.leg_trip.max(initial=-1))) + 1
    first = np.full(n_trip, 2**31 - 1, np.int64)
    last = np.full(n_trip, -1, np.int64)
    np.minimum.at(first, instance.cn_trip, instance.cn_dep_min)
    np.maximum.at(last, instance.cn_trip, instance.cn_dep_min.astype(np.int64) + instance.cn_dur_min)
    return np.where(last >= 0, last - first, 0) / 60.0
