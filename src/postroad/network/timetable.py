"""Compile trips: legs with their capacities, and the connections that ride them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from postroad.network.facilities import FacilityArrays
from postroad.network.instance import MODES

__all__ = ["PLANNING_FILL", "ConnectionArrays", "compile_connections"]

PLANNING_FILL = 0.7
"""Share of a vehicle's capacity over which routing spreads a trip's cost (modelled)."""

UNLIMITED = 2**40


@dataclass(frozen=True, slots=True)
class ConnectionArrays:
    """Lanes, legs and connections of an Instance; see there. ``lane_of_id`` maps lane ids of the feed to lanes."""

    lane_from: np.ndarray
    lane_to: np.ndarray
    lane_mode: np.ndarray
    out_ptr: np.ndarray
    feeder_lane: np.ndarray
    collect_lane: np.ndarray
    lane_of_id: dict[str, int]
    trip_id: tuple[str, ...]
    trip_index: dict[str, int]
    lane: np.ndarray
    trip: np.ndarray
    leg_first: np.ndarray
    leg_last: np.ndarray
    dep_min: np.ndarray
    dur_min: np.ndarray
    ready_min: np.ndarray
    cost: np.ndarray
    g: np.ndarray
    service: np.ndarray
    leg_trip: np.ndarray
    leg_from: np.ndarray
    leg_to: np.ndarray
    leg_km: np.ndarray
    leg_activity_km: np.ndarray
    leg_vehicle: np.ndarray
    leg_n_vehicles: np.ndarray
    leg_cap_items: np.ndarray
    leg_cap_g: np.ndarray
    leg_cap_cm3: np.ndarray


def compile_connections(
    network, fac: FacilityArrays, services: dict[str, int], mean_kg, mean_m3, share
) -> ConnectionArrays:
    """Turn trips and calls into legs and connections.

    Parameters
    ----------
    network: the feed, checked.
    fac: its compiled facilities.
    services: service index by id ("" runs daily).
    mean_kg, mean_m3, share: per product; the mix that turns a vehicle's capacity into items for the routing cost.

    Returns
    -------
    ConnectionArrays: legs in order of trip id and call; connections in the same order.
    """
    tables = network.tables
    trips = tables["trips"].sort("trip_id")
    trip_ids = tuple(trips["trip_id"])
    vehicles = tables["vehicles"].with_row_index("vehicle")
    factors = tables["factors"].select(pl.col("factor_id"), pl.col("value").alias("kg_per_tkm"))
    vehicles = vehicles.join(factors, on="factor_id", how="left", maintain_order="left")
    trips = (
        trips.with_row_index("trip")
        .join(
            vehicles.select("vehicle_id", "vehicle", pl.col("mode").alias("vehicle_mode")),
            on="vehicle_id",
            how="left",
            maintain_order="left",
        )
        .with_columns(
            service=pl.col("service_id").fill_null("").replace_strict(services, return_dtype=pl.Int32),
            n_vehicles=pl.col("n_vehicles").fill_null(1),
        )
    )
    legs, connections = _single_leg(trips, tables["lanes"], fac)
    multi = _multi_leg(trips, tables["calls"], fac, len(legs))
    if multi is not None:
        legs = pl.concat([legs, multi[0]])
        connections = pl.concat([connections, multi[1]])
    return _connection_arrays(network, fac, trip_ids, vehicles, legs, connections, mean_kg, mean_m3, share)


_LEG = {
    "trip": pl.Int32,
    "from": pl.Int32,
    "to": pl.Int32,
    "km": pl.Float64,
    "activity_km": pl.Float64,
    "vehicle": pl.Int32,
    "n_vehicles": pl.Int32,
}
_CONNECTION = {
    "trip": pl.Int32,
    "from": pl.Int32,
    "to": pl.Int32,
    "mode": pl.Int32,
    "leg_first": pl.Int32,
    "leg_last": pl.Int32,
    "depart": pl.Int32,
    "arrive": pl.Int32,
    "service": pl.Int32,
}


def _single_leg(trips: pl.DataFrame, lanes: pl.DataFrame, fac: FacilityArrays) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Legs and connections of the trips that run on one lane."""
    lanes = lanes.select(
        "lane_id",
        "distance_km",
        "activity_km",
        pl.col("mode").replace_strict({mode: number for number, mode in enumerate(MODES)}, return_dtype=pl.Int32),
        pl.col("from_facility").replace_strict(fac.index, return_dtype=pl.Int32).alias("from"),
        pl.col("to_facility").replace_strict(fac.index, return_dtype=pl.Int32).alias("to"),
    )
    rows = trips.filter(pl.col("lane_id").is_not_null() & (pl.col("lane_id") != "")).join(
        lanes, on="lane_id", how="left", maintain_order="left"
    )
    rows = rows.with_row_index("leg_first").with_columns(leg_last=pl.col("leg_first"))
    legs = rows.select(
        "trip",
        "from",
        "to",
        pl.col("distance_km").alias("km"),
        pl.col("activity_km").fill_null(pl.col("distance_km")),
        "vehicle",
        "n_vehicles",
    ).cast(_LEG)
    return legs, rows.select(*_CONNECTION).cast(_CONNECTION)


def _multi_leg(
    trips: pl.DataFrame, calls: pl.DataFrame, fac: FacilityArrays, n_before: int
) -> tuple[pl.DataFrame, pl.DataFrame] | None:
    """Legs and connections (every boarding call with every later alighting call) of the trips that have calls."""
    if not len(calls):
        return None
    rows = calls.sort("trip_id", "seq").join(
        trips.select("trip_id", "trip", "vehicle", "n_vehicles", "service", "vehicle_mode"),
        on="trip_id",
        how="inner",
        maintain_order="left",
    )
    facility = rows["facility_id"].replace_strict(fac.index, return_dtype=pl.Int32).to_numpy()
    trip = rows["trip"].to_numpy()
    depart, arrive = rows["depart"].to_numpy(), rows["arrive"].to_numpy()
    board, alight = rows["can_board"].to_numpy(), rows["can_alight"].to_numpy()
    inner = np.flatnonzero(trip[1:] == trip[:-1])
    leg_of_call = np.full(len(trip), -1, np.int64)
    leg_of_call[inner] = n_before + np.arange(len(inner))
    km = rows["distance_km"].to_numpy()[inner + 1]
    constants = {name: rows[name].to_numpy()[inner] for name in ("vehicle", "n_vehicles")}
    legs = pl.DataFrame(
        {
            "trip": trip[inner],
            "from": facility[inner],
            "to": facility[inner + 1],
            "km": km,
            "activity_km": km,
            **constants,
        }
    )
    starts = np.flatnonzero(np.r_[True, trip[1:] != trip[:-1]])
    first, last = [], []
    for start, stop in zip(starts, np.r_[starts[1:], len(trip)], strict=True):
        begin, end = np.triu_indices(stop - start, 1)
        first.append(start + begin)
        last.append(start + end)
    a, b = np.concatenate(first), np.concatenate(last)
    usable = board[a] & alight[b] & (facility[a] != facility[b])
    a, b = a[usable], b[usable]
    modes = (
        rows["vehicle_mode"]
        .replace_strict({mode: number for number, mode in enumerate(MODES)}, return_dtype=pl.Int32)
        .to_numpy()
    )
    connections = pl.DataFrame(
        {
            "trip": trip[a],
            "from": facility[a],
            "to": facility[b],
            "mode": modes[a],
            "leg_first": leg_of_call[a],
            "leg_last": leg_of_call[b - 1],
            "depart": depart[a],
            "arrive": arrive[b],
            "service": rows["service"].to_numpy()[a],
        }
    )
    return legs.select(*_LEG).cast(_LEG), connections.select(*_CONNECTION).cast(_CONNECTION)


def _connection_arrays(
    network, fac, trip_ids, vehicles, legs, connections, mean_kg, mean_m3, share
) -> ConnectionArrays:
    """Index lanes, price connections and turn everything into arrays."""
    start, end, mode = (connections[name].to_numpy().astype(np.int64) for name in ("from", "to", "mode"))
    code = (start * len(fac.fac_id) + end) * len(MODES) + mode
    codes, lane = np.unique(code, return_inverse=True)
    lane_from = (codes // (len(fac.fac_id) * len(MODES))).astype(np.int32)
    lane_to = (codes // len(MODES) % len(fac.fac_id)).astype(np.int32)
    lane_mode = (codes % len(MODES)).astype(np.int8)
    out_ptr = np.searchsorted(lane_from, np.arange(len(fac.fac_id) + 1)).astype(np.int32)
    feeder, collect = _outlet_lanes(fac, lane_from, lane_to)
    caps = _leg_capacities(legs, vehicles)
    dep, arr = connections["depart"].to_numpy(), connections["arrive"].to_numpy()
    first, last = connections["leg_first"].to_numpy(), connections["leg_last"].to_numpy()
    cost, g = _price(
        legs,
        vehicles,
        caps,
        first,
        last,
        (arr - dep) / 60.0,
        float((mean_kg * share).sum() / share.sum()),
        float((mean_m3 * share).sum() / share.sum()),
    )
    ready = fac.handling_min[end] + _transfer_extra(network, fac)[end, mode]
    return ConnectionArrays(
        lane_from=lane_from,
        lane_to=lane_to,
        lane_mode=lane_mode,
        out_ptr=out_ptr,
        feeder_lane=feeder,
        collect_lane=collect,
        lane_of_id=_lane_ids(network, fac, codes),
        trip_id=trip_ids,
        trip_index={trip: number for number, trip in enumerate(trip_ids)},
        lane=lane.astype(np.int32),
        trip=connections["trip"].to_numpy(),
        leg_first=first,
        leg_last=last,
        dep_min=dep,
        dur_min=arr - dep,
        ready_min=ready.astype(np.int32),
        cost=cost,
        g=g,
        service=connections["service"].to_numpy(),
        leg_trip=legs["trip"].to_numpy(),
        leg_from=legs["from"].to_numpy(),
        leg_to=legs["to"].to_numpy(),
        leg_km=legs["km"].to_numpy(),
        leg_activity_km=legs["activity_km"].to_numpy(),
        leg_vehicle=legs["vehicle"].to_numpy(),
        leg_n_vehicles=legs["n_vehicles"].to_numpy(),
        leg_cap_items=caps[0],
        leg_cap_g=caps[1],
        leg_cap_cm3=caps[2],
    )


def _outlet_lanes(fac: FacilityArrays, lane_from: np.ndarray, lane_to: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lane from the parent to each outlet and back (-1 for cores); road first where there are several."""
    feeder = np.full(len(fac.fac_id), -1, np.int32)
    collect = feeder.copy()
    lanes = np.arange(len(lane_from) - 1, -1, -1)
    down = lanes[(fac.parent[lane_to[lanes]] == lane_from[lanes])]
    up = lanes[(fac.parent[lane_from[lanes]] == lane_to[lanes])]
    feeder[lane_to[down]] = down
    collect[lane_from[up]] = up
    return feeder, collect


def _lane_ids(network, fac: FacilityArrays, codes: np.ndarray) -> dict[str, int]:
    """Lane index by the feed's lane id, for lanes on which a trip runs."""
    found = {}
    for row in network.tables["lanes"].select("lane_id", "from_facility", "to_facility", "mode").iter_rows():
        code = (fac.index[row[1]] * len(fac.fac_id) + fac.index[row[2]]) * len(MODES) + MODES.index(row[3])
        position = int(np.searchsorted(codes, code))
        if position < len(codes) and codes[position] == code:
            found[row[0]] = position
    return found


def _transfer_extra(network, fac: FacilityArrays) -> np.ndarray:
    """Minutes added to the handling of what arrives by a mode, shape (n_fac, n_mode): the longest over onward modes."""
    extra = np.zeros((len(fac.fac_id), len(MODES)), np.int32)
    for row in network.tables["transfers"].iter_rows(named=True):
        facility, mode = fac.index[row["facility_id"]], MODES.index(row["from_mode"])
        extra[facility, mode] = max(extra[facility, mode], row["min_min"])
    return extra


def _leg_capacities(legs: pl.DataFrame, vehicles: pl.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Items, grams and cubic centimetres that each leg can carry, int64; what a vehicle does not state is unlimited."""
    vehicle, count = legs["vehicle"].to_numpy(), legs["n_vehicles"].to_numpy().astype(np.int64)

    def of(column: str, scale: int) -> np.ndarray:
        stated = np.array(
            [UNLIMITED if value is None else round(value * scale) for value in vehicles[column]], np.int64
        )
        return stated[vehicle] * count

    return of("max_items", 1), of("payload_kg", 1000), of("volume_m3", 1_000_000)


def _price(legs, vehicles, caps, first, last, hours, mean_kg: float, mean_m3: float) -> tuple[np.ndarray, np.ndarray]:
    """Cost (milli-yuan per item at the planning fill) and emissions (g CO2e per tonne) of each connection."""
    vehicle, count = legs["vehicle"].to_numpy(), legs["n_vehicles"].to_numpy()
    km, activity = legs["km"].to_numpy(), legs["activity_km"].to_numpy()
    per_km, per_h, per_trip = (
        vehicles[name].fill_null(0.0).to_numpy()
        for name in ("cost_yuan_per_km", "cost_yuan_per_h", "cost_yuan_per_trip")
    )
    factor = vehicles["kg_per_tkm"].fill_null(0.0).to_numpy()
    km_sum = np.r_[0.0, np.cumsum(km)]
    g_sum = np.r_[0.0, np.cumsum(activity * factor[vehicle] * 1000.0)]
    items = np.minimum(np.minimum(caps[0], caps[1] / (mean_kg * 1000)), caps[2] / (mean_m3 * 1e6))
    v = vehicle[first]
    yuan = (per_km[v] * (km_sum[last + 1] - km_sum[first]) + per_h[v] * hours + per_trip[v]) * count[first]
    cost = 1000.0 * yuan / np.maximum(items[first] * PLANNING_FILL, 1.0)
    return np.rint(cost).astype(np.int32), np.rint(g_sum[last + 1] - g_sum[first]).astype(np.int32)
