"""What a surge plan asks someone to sign: extra trips, extra hands by shift, couriers by wave, each day."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl

from postroad.flow.reserve import HANDS
from postroad.network.instance import Instance
from postroad.network.reserve import Reserve
from postroad.network.scenario import Scenario

__all__ = ["LISTS", "surge_lists"]

LISTS = ("trips", "sorting", "couriers")

SHIFT_H = 8


def surge_lists(
    instance: Instance,
    reserves: tuple[Reserve, ...],
    scenario: Scenario,
    trip_yuan: np.ndarray,
    handling_cost: np.ndarray,
    courier_yuan: float,
) -> dict[str, pl.DataFrame]:
    """The lists, dearest first within each day.

    Parameters
    ----------
    reserves: one for each day of the scenario's horizon, from its first.
    handling_cost: int32 (n_core,), micro-yuan for an item. courier_yuan: for an attempt.

    Returns
    -------
    ``trips``: ``date``, ``from_facility``, ``to_facility``, ``departs_at`` (HH:MM), ``n_trips``, ``yuan``.
    ``sorting``: ``date``, ``facility``, ``shift_from``, ``shift_to``, ``n_items``, ``yuan``.
    ``couriers``: ``date``, ``facility``, ``wave_at``, ``n_items``, ``yuan``. All modelled.
    """
    first = scenario.day - timedelta(days=scenario.days_before)
    parts: dict[str, list[pl.DataFrame]] = {name: [] for name in LISTS}
    for number, reserve in enumerate(reserves):
        date = pl.lit(first + timedelta(days=number)).alias("date")
        frames = (
            _trips(instance, reserve, trip_yuan),
            _sorting(instance, reserve, handling_cost),
            _couriers(instance, reserve, courier_yuan),
        )
        for name, frame in zip(LISTS, frames, strict=True):
            parts[name].append(frame.sort("yuan", descending=True, maintain_order=True).select(date, pl.all()))
    return {name: pl.concat(frames) for name, frames in parts.items()}


def _trips(instance: Instance, reserve: Reserve, trip_yuan: np.ndarray) -> pl.DataFrame:
    """Extra trips of a day; parallel ones of a slot together, as they were called up."""
    names, lane = np.array(instance.fac_id), instance.cn_lane[reserve.connections]
    part = reserve.extra_pm / 1000
    frame = pl.DataFrame(
        {
            "from_facility": names[instance.lane_from[lane]],
            "to_facility": names[instance.lane_to[lane]],
            "slot": instance.cn_dep_min[reserve.connections] % 1440 // instance.slot_min,
            "departs_min": instance.cn_dep_min[reserve.connections] % 1440,
            "n_trips": part,
            "yuan": part * trip_yuan[instance.cn_trip[reserve.connections]],
        }
    )
    together = frame.group_by("from_facility", "to_facility", "slot", maintain_order=True).agg(
        pl.col("departs_min").min(), pl.col("n_trips").sum().round().cast(pl.Int64), pl.col("yuan").sum()
    )
    return together.select(
        "from_facility", "to_facility", _clock(pl.col("departs_min")).alias("departs_at"), "n_trips", "yuan"
    )


def _sorting(instance: Instance, reserve: Reserve, handling_cost: np.ndarray) -> pl.DataFrame:
    """Items sorted beyond capacity, by facility and shift."""
    per_shift = SHIFT_H * 60 // instance.slot_min
    items = reserve.sort_extra.reshape(instance.n_core, -1, per_shift).sum(axis=2)
    fac, shift = np.nonzero(items)
    frame = _hours(instance, fac, items[fac, shift], HANDS * handling_cost[fac] / 1e6)
    return frame.select(
        "facility", _clock(pl.Series(shift * SHIFT_H * 60)).alias("shift_from"),
        _clock(pl.Series((shift + 1) * SHIFT_H * 60)).alias("shift_to"), "n_items", "yuan",
    )  # fmt: skip


def _couriers(instance: Instance, reserve: Reserve, courier_yuan: float) -> pl.DataFrame:
    """Items that delivery waves take beyond their capacity."""
    extra = np.zeros((1, 1), np.int32) if reserve.wave_extra is None else reserve.wave_extra
    fac, slot = np.nonzero(extra)
    frame = _hours(instance, fac, extra[fac, slot], np.full(len(fac), courier_yuan))
    return frame.select("facility", _clock(pl.Series(slot * instance.slot_min)).alias("wave_at"), "n_items", "yuan")


def _hours(instance: Instance, fac: np.ndarray, items: np.ndarray, yuan: np.ndarray) -> pl.DataFrame:
    names = np.array(instance.fac_id)
    return pl.DataFrame({"facility": names[fac], "n_items": items.astype(np.int64), "yuan": items * yuan})


def _clock(minutes: pl.Expr | pl.Series) -> pl.Expr:
    """HH:MM of minutes from midnight."""
    told = pl.lit(minutes) if isinstance(minutes, pl.Series) else minutes
    hours, rest = (told // 60).cast(pl.String).str.zfill(2), (told % 60).cast(pl.String).str.zfill(2)
    return hours + ":" + rest
