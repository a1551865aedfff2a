"""Loads: what the legs of a run carried, against what they could carry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from postroad.core.errors import InputError
from postroad.measure.registry import Measure
from postroad.network.instance import MODES, Instance

__all__ = ["LOAD_GROUPINGS", "Loads", "leg_modes", "leg_tiers", "measure_loads", "sum_loads"]

LOAD_GROUPINGS = ("mode", "tier", "vehicle", "from_facility", "to_facility", "service_day")
"""What loads may be grouped by, besides ``lane``, which stands for from_facility, to_facility and mode."""

TIERS = ("line_haul", "feeder")

# A capacity at or above this many pieces (or grams, cubic centimetres) stands for one that the feed does not state.
_UNSTATED = 2**39

SUMS = (
    "vehicles", "vehicle_km", "km", "empty_km", "full_km", "items", "items_km", "items_cap_km", "kg_km", "kg_cap_km",
    "m3_km", "m3_cap_km", "activity_tkm",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Loads:
    """The loads of a run.

    Attributes
    ----------
    instance: the network that ran.
    vehicle_ids: ``vehicle_id`` of each row of the vehicles table, in order.
    load_items: int32 (n_days, n_leg, n_prod), items carried by each leg of each service day's trips.
    run_legs: bool (n_days, n_leg), whether the leg ran.
    """

    instance: Instance
    vehicle_ids: tuple[str, ...]
    load_items: np.ndarray
    run_legs: np.ndarray

    def __post_init__(self) -> None:
        """Refuse arrays that are not of this network.

        Raises
        ------
        InputError: PR-M006.
        """
        n_leg, n_prod = len(self.instance.leg_from), len(self.instance.prod_id)
        for name, array, wanted in (
            ("load_items", self.load_items, (len(self.run_legs), n_leg, n_prod)),
            ("run_legs", self.run_legs, (len(self.load_items), n_leg)),
        ):
            if array.shape != wanted:
                raise InputError("PR-M006", array=name, found=str(array.shape), wanted=str(wanted))


def leg_modes(instance: Instance) -> np.ndarray:
    """Mode of each leg, int8 index into MODES: that of its trip's connections."""
    trip_mode = np.zeros(int(instance.leg_trip.max(initial=-1)) + 1, np.int8)
    trip_mode[instance.cn_trip] = instance.lane_mode[instance.cn_lane]
    return trip_mode[instance.leg_trip]


def leg_tiers(instance: Instance) -> np.ndarray:
    """Tier of each leg, int8: 0 line-haul between core facilities, 1 feeder to or from an outlet."""
    return ((instance.leg_from >= instance.n_core) | (instance.leg_to >= instance.n_core)).astype(np.int8)


def sum_loads(loads: Loads, by: Iterable[str] = (), *, days: slice = slice(None)) -> pl.DataFrame:
    """Sums over the legs that ran, by groups.

    Parameters
    ----------
    by: of :data:`LOAD_GROUPINGS`, or ``lane``.
    days: the service days to take.

    Returns
    -------
    pl.DataFrame: the groups and the sums: ``vehicles``, ``vehicle_km``, ``km`` (the same, as a weight), ``empty_km``,
        ``full_km`` (vehicle-kilometres times the fullest of pieces, weight and volume), ``items``, ``items_km``,
        ``items_cap_km``, ``kg_km``, ``kg_cap_km``, ``m3_km``, ``m3_cap_km``, ``activity_tkm``. Pieces and volume are
        summed over legs that state a capacity only. Added in the order of days and legs, so the same on every machine.

    Raises
    ------
    InputError: PR-M007 for another grouping.
    """
    keys = _expand(by)
    day, leg = np.nonzero(loads.run_legs[days])
    service_day = day + (days.start or 0)
    codes, labels = _groups(loads, keys, service_day, leg)
    found, group = np.unique(codes, return_inverse=True)
    totals = {
        name: np.bincount(group, weights=values, minlength=len(found))
        for name, values in _terms(loads.instance, loads.load_items[days][day, leg], leg).items()
    }
    columns = {name: values.gather(_digit(found, keys, labels, name)) for name, values in labels.items()}
    if not keys:
        totals = {name: values if len(values) else np.zeros(1) for name, values in totals.items()}
    frame = pl.DataFrame(columns | totals)
    return frame.with_columns(pl.col("vehicles", "items").round().cast(pl.Int64)).sort(keys) if keys else frame


def measure_loads(
    loads: Loads, measures: Sequence[Measure], by: Iterable[str] = (), *, days: slice = slice(None)
) -> dict[str, pl.DataFrame]:
    """Registered measures of kind ``loads``, by name: the groups, ``value`` and ``n_items`` (items carried, by leg)."""
    keys = _expand(by)
    sums = sum_loads(loads, keys, days=days)
    frames = {}
    for one in measures:
        value = pl.col(one.numerator).cast(pl.Float64)
        if one.denominator:
            value = pl.when(pl.col(one.denominator) > 0).then(value / pl.col(one.denominator) / one.divisor)
        frames[one.name] = sums.select(*keys, value=value, n_items=pl.col("items").cast(pl.Int64))
    return frames


def _expand(by: Iterable[str]) -> tuple[str, ...]:
    keys: list[str] = []
    for name in [by] if isinstance(by, str) else by:
        if name == "lane":
            keys += ["from_facility", "to_facility", "mode"]
        elif name in LOAD_GROUPINGS:
            keys.append(name)
        else:
            raise InputError("PR-M007", name="loads", by=name, known=", ".join([*LOAD_GROUPINGS, "lane"]))
    return tuple(dict.fromkeys(keys))


def _terms(instance: Instance, load: np.ndarray, leg: np.ndarray) -> dict[str, np.ndarray]:
    """What each run of a leg adds to the sums; float64 (n_run,), ``load`` int32 (n_run, n_prod)."""
    km, count = instance.leg_km[leg], instance.leg_n_vehicles[leg]
    items = load.sum(axis=1, dtype=np.int64)
    grams, volume = load @ instance.prod_g.astype(np.int64), load @ instance.prod_cm3.astype(np.int64)
    cap_items, cap_g, cap_cm3 = instance.leg_cap_items[leg], instance.leg_cap_g[leg], instance.leg_cap_cm3[leg]
    shares = [np.where(cap < _UNSTATED, used / cap, 0.0) for used, cap in ((items, cap_items), (volume, cap_cm3))]
    fullest = np.maximum.reduce([*shares, np.where(cap_g < _UNSTATED, grams / cap_g, 0.0)])
    counted_items, counted_cm3 = cap_items < _UNSTATED, cap_cm3 < _UNSTATED
    return {
        "vehicles": count.astype(float),
        "vehicle_km": km * count,
        "km": km * count,
        "empty_km": np.where(items == 0, km * count, 0.0),
        "full_km": fullest * km * count,
        "items": items.astype(float),
        "items_km": np.where(counted_items, items * km, 0.0),
        "items_cap_km": np.where(counted_items, cap_items * km, 0.0),
        "kg_km": grams / 1000 * km,
        "kg_cap_km": cap_g / 1000 * km,
        "m3_km": np.where(counted_cm3, volume / 1e6 * km, 0.0),
        "m3_cap_km": np.where(counted_cm3, cap_cm3 / 1e6 * km, 0.0),
        "activity_tkm": grams / 1e6 * instance.leg_activity_km[leg],
    }


def _groups(
    loads: Loads, keys: Sequence[str], service_day: np.ndarray, leg: np.ndarray
) -> tuple[np.ndarray, dict[str, pl.Series]]:
    """A number for the group of each run of a leg, and the labels that the digits of the number stand for."""
    instance = loads.instance
    facilities = pl.Series(instance.fac_id, dtype=pl.String)
    digits = {
        "mode": (lambda: leg_modes(instance)[leg], lambda: pl.Series(MODES)),
        "tier": (lambda: leg_tiers(instance)[leg], lambda: pl.Series(TIERS)),
        "vehicle": (lambda: instance.leg_vehicle[leg], lambda: pl.Series(loads.vehicle_ids, dtype=pl.String)),
        "from_facility": (lambda: instance.leg_from[leg], lambda: facilities),
        "to_facility": (lambda: instance.leg_to[leg], lambda: facilities),
        "service_day": (lambda: service_day, lambda: pl.Series(np.arange(len(loads.run_legs), dtype=np.int32))),
    }
    codes = np.zeros(len(leg), np.int64)
    labels: dict[str, pl.Series] = {}
    for name in keys:
        digit, values = digits[name]
        labels[name] = values()
        codes = codes * len(labels[name]) + digit()
    return codes, labels


def _digit(codes: np.ndarray, keys: Sequence[str], labels: dict[str, pl.Series], name: str) -> np.ndarray:
    """One digit of each group number, as an index into its labels."""
    for later in reversed(keys[keys.index(name) + 1 :]):
        codes = codes // len(labels[later])
    return (codes % len(labels[name])).astype(np.uint32)
