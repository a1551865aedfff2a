"""What a run leaves behind, made up for tests: loads and hours over a network of three cities and an outlet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from kit.instances import Draft, make_instance
from kit.journeys import PLACES, read_text
from postroad.network.instance import Instance

ROAD, RAIL, AIR = 0, 1, 2

FACILITIES = """
facility_id place_id kind    parent_id
F0          310100   hub     -
F1          420100   sorting -
F2          810100   sorting -
F3          420106   outlet  F1
"""

VEHICLE_COLUMNS = (
    "vehicle_id", "mode", "name", "name_en", "payload_kg", "volume_m3", "max_items",
    "cost_yuan_per_km", "cost_yuan_per_h", "cost_yuan_per_trip", "factor_id",
)  # fmt: skip
VEHICLES = [
    ("artic", "road", "半挂车", "Semitrailer", 30000.0, 120.0, None, 6.0, 40.0, 100.0, "artic-over33t"),
    ("freighter", "air", "货机", "Freighter", 14000.0, 110.0, None, 26.0, 0.0, 6000.0, "air-domestic"),
    ("van", "road", "厢式车", "Van", 1500.0, 9.0, 400, 2.0, 30.0, 0.0, "van-per-km"),
]

FACTORS = [
    ("artic-over33t", "transport", 0.07703, 0.01799, 0.09502, "kgCO2e/t-km", 2025, "GB"),
    ("air-domestic", "transport", 2.71931, 0.57429, 3.2936, "kgCO2e/t-km", 2025, "GB"),
    ("van-diesel", "transport", 0.6313, 0.15095, 0.78225, "kgCO2e/t-km", 2025, "GB"),
    ("van-per-km", "transport", 0.2, 0.05, 0.25, "kgCO2e/km", 2025, "GB"),
    ("grid-cn-2023", "energy", None, None, 0.5306, "kgCO2e/kWh", 2023, "CN"),
]


def run_tables() -> dict[str, pl.DataFrame]:
    """The tables of the feed that accounts and dimensions read."""
    columns = ["factor_id", "kind", "ttw", "wtt", "value", "uom", "year", "region"]
    factors = pl.DataFrame(FACTORS, schema=columns, orient="row").with_columns(
        gas_basis=pl.lit("CO2e, GWP100 AR5"), label=pl.lit("measured"), source=pl.lit("DEFRA 2025")
    )
    return {
        "places": read_text(PLACES),
        "facilities": read_text(FACILITIES),
        "vehicles": pl.DataFrame(VEHICLES, schema=VEHICLE_COLUMNS, orient="row").with_columns(
            label=pl.lit("modelled"), source=pl.lit("ours")
        ),
        "factors": factors,
    }


def run_instance() -> Instance:
    """Two days; three cores and an outlet; an artic F0-F1, a freighter F1-F2, a van F1-F3; hubs sort 100 an hour."""
    connections = [
        (0, 1, ROAD, 480, 600, 0, 0, 0, 0),
        (1, 2, AIR, 1200, 120, 0, 0, 0, 0),
        (1, 3, ROAD, 360, 60, 0, 0, 0, 0),
    ]
    made = make_instance(Draft(3, connections, parents=[1], vots=[500, 60]))
    sort_cap = np.full((4, 96), 50, np.int32)
    sort_cap[3] = 2**30
    return replace(
        made,
        sort_cap=sort_cap,
        fac_kind=np.array([4, 3, 3, 0], np.int8),
        fac_cost=np.array([120, 120, 250, 0], np.int32),
        fac_wh=np.array([20, 20, 30, 0], np.int32),
        leg_km=np.array([840.0, 900.0, 30.0]),
        leg_activity_km=np.array([800.0, 850.0, 28.0]),
        leg_vehicle=np.array([0, 1, 2], np.int32),
        leg_n_vehicles=np.array([2, 1, 1], np.int32),
        leg_cap_items=np.array([2**41, 2**40, 400]),
        leg_cap_g=np.array([60_000_000, 14_000_000, 1_500_000]),
        leg_cap_cm3=np.array([240_000_000, 110_000_000, 9_000_000]),
        prod_g=np.array([1000, 2000], np.int32),
        prod_cm3=np.array([5000, 10000], np.int32),
    )


def run_loads() -> tuple[np.ndarray, np.ndarray]:
    """Items by service day, leg and product, and which legs ran: the freighter does not fly on the second day."""
    load = np.zeros((2, 3, 2), np.int32)
    load[0] = [[10000, 6000], [1000, 500], [100, 50]]
    load[1] = [[6000, 3000], [0, 0], [0, 0]]
    run = np.array([[True, True, True], [True, False, True]])
    return load, run
