"""What one departure of a trip costs."""

from __future__ import annotations

import numpy as np
import polars as pl

from postroad.cost.activity import trip_hours
from postroad.network.instance import Instance

__all__ = ["trip_yuan"]


def trip_yuan(instance: Instance, vehicles: pl.DataFrame) -> np.ndarray:
    """Yuan for running each trip once, float64 (n_trip,): distance, hours and departure of all its vehicles.

    Parameters
    ----------
    vehicles: the feed's table, in the order that ``leg_vehicle`` counts; a rate that is missing is nought.
    """
    rates = {
        name: vehicles[name].fill_null(0.0).to_numpy()[instance.leg_vehicle]
        for name in ("cost_yuan_per_km", "cost_yuan_per_h", "cost_yuan_per_trip")
    }
    hours = trip_hours(instance)
    by_distance = rates["cost_yuan_per_km"] * instance.leg_km * instance.leg_n_vehicles
    yuan = np.bincount(instance.leg_trip, by_distance, len(hours))
    trips, first = np.unique(instance.leg_trip, return_index=True)
    fixed = rates["cost_yuan_per_h"][first] * hours[trips] + rates["cost_yuan_per_trip"][first]
    yuan[trips] += fixed * instance.leg_n_vehicles[first]
    return yuan
