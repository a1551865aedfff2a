"""The line-haul timetable: how many vehicles of which type leave each lane, and when.

One rule in any size: see :func:`timetable`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from postroad.reference.fleet import choose_trucks, trip_min
from postroad.reference.sources import Rules, read_source

__all__ = ["DAILY", "SURGE", "LaneSet", "departure_minutes", "number_trips", "ready_profile", "timetable"]

DAILY, SURGE = "daily", "surge"
_STEP_MIN = 5
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True, slots=True)
class LaneSet:
    """Road lanes to be served, one row each.

    Attributes
    ----------
    lane_id: text ids.
    km: float64, shortest road kilometres.
    extra_min: int64, minutes added to driving and rests (a ferry).
    load: float64 (n_lane,), items of the mean day to be carried.
    surge_load: float64 (n_lane,), items of the surge day to be carried.
    min_departures: int64 (n_lane,), fewest daily departures; 0 for a lane that only the surge opens.
    headroom: float64 (n_lane,), capacity over load.
    from_hub: bool (n_lane,), whether the lane leaves a hub, where items are ready later and more evenly.
    """

    lane_id: np.ndarray
    km: np.ndarray
    extra_min: np.ndarray
    load: np.ndarray
    surge_load: np.ndarray
    min_departures: np.ndarray
    headroom: np.ndarray
    from_hub: np.ndarray


def ready_profile(rules: Rules, from_hub: bool) -> tuple[np.ndarray, np.ndarray]:
    """When items are ready to leave: cumulative share by minute of the service day.

    A centre's items are ready ``origin_min`` plus an hour of screening and sorting after acceptance. A hub's come half
    from that evening wave, eight hours on, and half evenly from all round the clock.

    Returns
    -------
    (minute, share): float64; ``minute`` starts at the quietest hour and spans 24 hours, ``share`` runs from 0 to 1.
    """
    weights = read_source("rules/profile_hour.csv").sort("hour")["accept_weight"].to_numpy().astype(float)
    weights = weights / weights.sum()
    shift = rules.origin_min + 60.0
    if from_hub:
        weights = 0.5 * weights + 0.5 / 24
        shift += 480.0
    start = 4
    rolled = np.roll(weights, -start)
    minute = start * 60.0 + shift + 60.0 * np.arange(25)
    return minute, np.r_[0.0, np.cumsum(rolled)]


def departure_minutes(
    counts: np.ndarray, phase: float, from_hub: np.ndarray, rules: Rules
) -> tuple[np.ndarray, np.ndarray]:
    """Spread departures so that each vehicle of a lane takes an equal share of what becomes ready.

    Parameters
    ----------
    counts: int64 (n_lane,), departures a day.
    phase: where in its share of the load a vehicle leaves, 0..1; a small lane-dependent part staggers the lanes.
    from_hub: bool (n_lane,).

    Returns
    -------
    (lane, minute): int64, one row a departure in order of lane; minutes of the day in steps of five.
    """
    lane = np.repeat(np.arange(len(counts)), counts)
    order = np.arange(len(lane)) - np.repeat(np.cumsum(counts) - counts, counts)
    stagger = 0.09 * ((lane * _GOLDEN) % 1.0)
    share = (order + phase + stagger) / counts[lane]
    minutes = np.zeros(len(lane))
    for is_hub in (False, True):
        mask = from_hub[lane] == is_hub
        at, cumulative = ready_profile(rules, is_hub)
        minutes[mask] = np.interp(share[mask], cumulative, at)
    return lane, (np.rint(minutes / _STEP_MIN) * _STEP_MIN).astype(np.int64) % 1440


def timetable(lanes: LaneSet, rules: Rules) -> pl.DataFrame:
    """Make the trips of the line-haul: daily ones for the mean day, and surge ones that add what the surge day needs.

    The daily vehicle of a lane is the largest that the design load, with headroom and at the planned fill, fills at
    least as often as the lane must leave; the surge vehicle is the largest that the remaining load fills twice.

    Returns
    -------
    DataFrame: trip_id, lane_id, vehicle_id, service_id, depart, arrive (Int32 minutes), n_vehicles.
    """
    vehicle, seats, _ = choose_trucks(lanes.load * lanes.headroom, lanes.km, np.maximum(lanes.min_departures, 1), rules)
    counts = np.maximum(lanes.min_departures, np.ceil(lanes.load * lanes.headroom / seats).astype(np.int64))
    missing = np.maximum(0.0, lanes.surge_load * lanes.headroom - counts * seats)
    extra_vehicle, extra_seats, _ = choose_trucks(missing, lanes.km, np.full(len(counts), 2), rules)
    extra = np.ceil(missing / extra_seats).astype(np.int64)
    duration = trip_min(lanes.km * rules.driven_over_shortest, rules) + lanes.extra_min
    frames = []
    for service, number, kind, phase in ((DAILY, counts, vehicle, 0.9), (SURGE, extra, extra_vehicle, 0.4)):
        lane, depart = departure_minutes(number, phase, lanes.from_hub, rules)
        frames.append(
            pl.DataFrame(
                {
                    "lane_id": pl.Series(lanes.lane_id[lane].tolist(), dtype=pl.String),
                    "vehicle_id": pl.Series(kind[lane].tolist(), dtype=pl.String),
                    "service_id": pl.Series([service] * len(lane), dtype=pl.String),
                    "depart": depart.astype(np.int32),
                    "arrive": (depart + duration[lane]).astype(np.int32),
                    "n_vehicles": np.ones(len(lane), np.int64),
                }
            )
        )
    return number_trips(pl.concat(frames))


def number_trips(trips: pl.DataFrame) -> pl.DataFrame:
    """Give trips their ids, ``LANE-HHMM`` with ``-2``, ``-3`` for further ones at the same minute, and sort by them."""
    ordered = trips.sort("lane_id", "depart", "service_id", "vehicle_id", maintain_order=True)
    clock = pl.format(
        "{}{}",
        (pl.col("depart") // 60).cast(pl.String).str.zfill(2),
        (pl.col("depart") % 60).cast(pl.String).str.zfill(2),
    )
    rank = pl.int_range(pl.len()).over("lane_id", "depart")
    suffix = pl.when(rank == 0).then(pl.lit("")).otherwise(pl.format("-{}", rank + 1))
    return ordered.with_columns(trip_id=pl.format("{}-{}{}", "lane_id", clock, suffix)).select(
        "trip_id", "lane_id", "vehicle_id", "service_id", "depart", "arrive", "n_vehicles"
    )
