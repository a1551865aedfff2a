"""Road vehicles: what each carries of the design mix of items, and which lanes it may serve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from postroad.network.timetable import PLANNING_FILL
from postroad.reference.sources import Rules, read_source, road_circuity

__all__ = [
    "Truck",
    "choose_trucks",
    "feeder_min",
    "item_capacity",
    "line_haul_trucks",
    "local_km",
    "smallest_capacity",
    "trip_min",
]


@dataclass(frozen=True, slots=True)
class Truck:
    """A road vehicle as the timetable sees it.

    Attributes
    ----------
    n_items: items of the design mix that fill it completely (volume or payload, whichever binds).
    km_from, km_to: lane lengths (shortest road km) that it may serve.
    yuan_per_km: cost of a kilometre, driver's time at the long-haul speed included.
    """

    vehicle_id: str
    n_items: float
    km_from: float
    km_to: float
    yuan_per_km: float


def item_capacity(payload_kg: float, volume_m3: float, rules: Rules) -> float:
    """Items of the design mix that fill a vehicle completely."""
    return min(payload_kg / rules.mean_kg, volume_m3 / rules.mean_m3)


def line_haul_trucks(rules: Rules) -> list[Truck]:
    """The road vehicles of the line-haul, smallest first."""
    rows = read_source("rules/vehicles.csv").filter(mode="road").iter_rows(named=True)
    trucks = [
        Truck(
            row["vehicle_id"],
            item_capacity(row["payload_kg"], row["volume_m3"], rules),
            row["lane_km_from"],
            row["lane_km_to"],
            row["cost_yuan_per_km"] + row["cost_yuan_per_h"] / rules.long_speed_kmh,
        )
        for row in rows
    ]
    return sorted(trucks, key=lambda truck: truck.n_items)


def choose_trucks(
    load: np.ndarray, km: np.ndarray, times: np.ndarray, rules: Rules
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The vehicle of each lane: the largest that the load fills at least so many times a day.

    Parameters
    ----------
    load: float64, items a day, headroom included.
    km: float64, shortest road kilometres.
    times: departures a day that a vehicle must be filled for.

    Returns
    -------
    (vehicle ids, items each is planned to carry, yuan an item and km at the fill that routing reckons with (0.7));
    the smallest vehicle allowed where none is filled.
    """
    vehicle = np.full(load.shape, "", dtype=object)
    seats, cost = np.zeros(load.shape), np.zeros(load.shape)
    for truck in line_haul_trucks(rules):
        planned = truck.n_items * rules.planned_fill
        allowed = (km >= truck.km_from) & (km <= truck.km_to)
        chosen = allowed & ((load >= times * planned) | (seats == 0.0))
        vehicle[chosen] = truck.vehicle_id
        seats[chosen] = planned
        cost[chosen] = truck.yuan_per_km / (PLANNING_FILL * truck.n_items)
    return vehicle, seats, cost


def smallest_capacity(km: np.ndarray, rules: Rules) -> np.ndarray:
    """Items that fill the smallest truck a direct lane of that length may use: 6.8 m, 9.6 m over 300, 13 m over 800 km.

    The blue-plate truck is left to short connections between a centre and a hub.
    """
    by_id = {truck.vehicle_id: truck.n_items for truck in line_haul_trucks(rules)}
    return np.where(km < 300, by_id["truck-6m8"], np.where(km < 800, by_id["truck-9m6"], by_id["truck-13m"]))


def local_km(gc_km: float, rules: Rules) -> float:
    """Kilometres driven between two points of a city region: the usual detour, at least ``terminal_km``."""
    return max(rules.terminal_km, float(gc_km * road_circuity(np.array([gc_km]))[0]) * rules.driven_over_shortest)


def feeder_min(driven_km: np.ndarray, rules: Rules) -> np.ndarray:
    """Minutes from gate to gate of a feeder inside a city, int64: driving and the statutory rests, no dwell.

    Source: as for :func:`trip_min`.
    """
    return np.maximum(np.ceil(_drive_min(driven_km, rules)), 10).astype(np.int64)


def _drive_min(driven_km: np.ndarray, rules: Rules) -> np.ndarray:
    """Driving at the effective speed with 20 minutes of rest after every four hours."""
    driven_km = np.asarray(driven_km, float)
    speed = np.where(driven_km > rules.short_trip_km, rules.long_speed_kmh, rules.short_speed_kmh)
    drive = driven_km / speed * 60.0
    return drive + np.ceil(np.maximum(drive / rules.rest_every_min - 1.0, 0.0)) * rules.rest_min


def trip_min(driven_km: np.ndarray, rules: Rules) -> np.ndarray:
    """Minutes from gate to gate for road trips between cities, int64: driving at the effective speed, the statutory
    rests and the time that items stand in the transfer centres of their operators.

    The merged network has one centre a city and no transfer centres on the way, so their dwell stands on the trip.

    Source: rest after 4 hours of driving, Regulation on the Implementation of the Road Traffic Safety Law, art. 62;
    speeds modelled; dwell calibrated on the transport segment of the published time-limit tests (see numbers.csv).
    """
    return np.maximum(np.ceil(_drive_min(driven_km, rules) + rules.consolidation_min), 10).astype(np.int64)
