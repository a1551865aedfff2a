"""Air, rail and water terminals: their size, and the shuttles that tie them to sorting centres."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from postroad.reference.capacity import hourly_capacity
from postroad.reference.draft import Draft
from postroad.reference.fleet import feeder_min, item_capacity, line_haul_trucks
from postroad.reference.sources import Rules, read_source
from postroad.reference.timetable import DAILY, number_trips

__all__ = [
    "Offer",
    "Terminal",
    "add_runs",
    "add_terminals",
    "even_minutes",
    "lane_row",
    "shuttle_trips",
    "throughput",
    "trip_frame",
]

_CAPACITY = "Items that its trips can load and unload in a day x margin / effective hours; the work includes screening"


@dataclass(frozen=True, slots=True)
class Terminal:
    """A site where items change mode."""

    facility_id: str
    kind: str
    name: str
    name_en: str
    place_id: str
    lon: float
    lat: float
    site_label: str
    source: str


@dataclass(slots=True)
class Offer:
    """What one mode adds: terminals, lanes by id, single-leg trips (still without ids) and trips with calls."""

    terminals: list[Terminal] = field(default_factory=list)
    lanes: dict[str, dict] = field(default_factory=dict)
    trips: list[pl.DataFrame] = field(default_factory=list)
    long_trips: list[dict] = field(default_factory=list)
    calls: list[dict] = field(default_factory=list)

    def run(self, lane: dict, trips: pl.DataFrame) -> None:
        """Add trips on a lane, and the lane when it is new."""
        self.lanes.setdefault(lane["lane_id"], lane)
        self.trips.append(trips)


def lane_row(start: str, end: str, mode: str, distance_km: float, activity_km: float | None = None) -> dict:
    """One row of ``lanes``; a lane off the road says its mode in its id (``PEK-A-URC-A.air``)."""
    suffix = "" if mode == "road" else f".{mode}"
    return {
        "lane_id": f"{start}-{end}{suffix}",
        "from_facility": start,
        "to_facility": end,
        "mode": mode,
        "distance_km": round(distance_km, 1),
        "activity_km": round(distance_km if activity_km is None else activity_km, 1),
    }


def trip_frame(
    lane_id: str, vehicle_id: str, departs: Iterable[int], duration_min: int, service: str = DAILY
) -> pl.DataFrame:
    """Single-leg trips of one lane; minutes below zero mean the evening before and are moved to the next evening."""
    depart = np.asarray(list(departs), np.int64) % 1440
    count = len(depart)
    return pl.DataFrame(
        {
            "lane_id": pl.Series([lane_id] * count, dtype=pl.String),
            "vehicle_id": pl.Series([vehicle_id] * count, dtype=pl.String),
            "service_id": pl.Series([service] * count, dtype=pl.String),
            "depart": depart.astype(np.int32),
            "arrive": (depart + duration_min).astype(np.int32),
            "n_vehicles": np.ones(count, np.int64),
        }
    )


def even_minutes(count: int, start_min: int, end_min: int, phase: float = 0.5) -> list[int]:
    """Minutes spread evenly over a window, in steps of five."""
    step = (end_min - start_min) / max(count, 1)
    return [int(round((start_min + (number + phase) * step) / 5) * 5) for number in range(count)]


def throughput(offer: Offer, rules: Rules) -> Mapping[str, tuple[float, float]]:
    """Items that can be loaded and unloaded at each terminal in a day; shuttles by road are left out.

    A trip with calls counts its full capacity at its ends and half of it at the calls between.

    Returns
    -------
    mapping facility id to (loaded, unloaded); items of the design mix.
    """
    seats = {
        row["vehicle_id"]: item_capacity(row["payload_kg"], row["volume_m3"], rules)
        for row in read_source("rules/vehicles.csv").iter_rows(named=True)
    }
    loaded: dict[str, float] = defaultdict(float)
    unloaded: dict[str, float] = defaultdict(float)
    if offer.trips:
        counted = pl.concat(offer.trips).group_by("lane_id", "vehicle_id").agg(pl.col("n_vehicles").sum())
        for lane_id, vehicle, count in counted.sort("lane_id", "vehicle_id").iter_rows():
            lane = offer.lanes[lane_id]
            if lane["mode"] != "road":
                loaded[lane["from_facility"]] += seats[vehicle] * count
                unloaded[lane["to_facility"]] += seats[vehicle] * count
    vehicle_of = {trip["trip_id"]: trip["vehicle_id"] for trip in offer.long_trips}
    last = {call["trip_id"]: call["seq"] for call in offer.calls}
    for call in offer.calls:
        end = last[call["trip_id"]]
        items = (1.0 if call["seq"] in (0, end) else 0.5) * seats[vehicle_of[call["trip_id"]]]
        if call["seq"] < end:
            loaded[call["facility_id"]] += items
        if call["seq"] > 0:
            unloaded[call["facility_id"]] += items
    return {facility: (loaded[facility], unloaded[facility]) for facility in sorted(set(loaded) | set(unloaded))}


def shuttle_trips(
    start: str,
    end: str,
    km: float,
    items: float,
    least: int,
    rules: Rules,
    services: Sequence[str] = (DAILY,),
) -> tuple[dict, pl.DataFrame]:
    """A road lane between a centre and a terminal with evenly spread trips.

    The smallest truck that carries the items in the least number of trips; with the largest, as many trips as needed.

    Parameters
    ----------
    km: kilometres driven.
    items: items a day that the lane must carry.
    least: fewest trips a day.

    Returns
    -------
    (row of lanes, trips)
    """
    trucks = line_haul_trucks(rules)
    fitting = [truck for truck in trucks if truck.n_items * rules.planned_fill * least >= items]
    truck = fitting[0] if fitting else trucks[-1]
    count = max(least, int(np.ceil(items / (truck.n_items * rules.planned_fill))))
    row = lane_row(start, end, "road", km, km / rules.driven_over_shortest)
    phase = (len(start) + 3 * len(end) + sum(map(ord, start + end))) % 10 / 10
    duration = int(feeder_min(np.array([km]), rules)[0])
    frames = [
        trip_frame(row["lane_id"], truck.vehicle_id, even_minutes(count, 0, 1440, phase), duration, s) for s in services
    ]
    return row, pl.concat(frames)


def add_terminals(draft: Draft, offer: Offer, rules: Rules, fixed: Mapping[str, tuple[int, str]] | None = None) -> None:
    """Add the terminals of an offer, each with a capacity that matches the trips that call there.

    Parameters
    ----------
    fixed: published sorting capacities (items an hour, source) by facility.
    """
    fixed = fixed or {}
    able = throughput(offer, rules)
    rows = []
    for terminal in offer.terminals:
        loaded, unloaded = able.get(terminal.facility_id, (0.0, 0.0))
        capacity = hourly_capacity(loaded + unloaded, rules.effective_terminal_h, rules, rules.min_sort)
        source = f"{terminal.source}. Capacity: {_CAPACITY}"
        if terminal.facility_id in fixed:
            capacity, cited = fixed[terminal.facility_id]
            source = f"{terminal.source}. Capacity: {cited}"
        rows.append(
            {
                "facility_id": terminal.facility_id,
                "kind": terminal.kind,
                "name": terminal.name,
                "name_en": terminal.name_en,
                "place_id": terminal.place_id,
                "operator_id": "net",
                "lon": terminal.lon,
                "lat": terminal.lat,
                "sort_items_per_h": capacity,
                "handling_min": int(
                    rules.rail_handover_min if terminal.kind == "railhead" else rules.terminal_handling_min
                ),
                "cost_yuan_per_item": rules.terminal_cost_yuan,
                "kwh_per_item": rules.terminal_kwh,
                "label": terminal.site_label,
                "source": source,
            }
        )
    draft.add("facilities", rows)


def add_runs(draft: Draft, offer: Offer, source: str, lane_label: str = "derived") -> None:
    """Add the lanes, trips and calls of an offer."""
    if offer.lanes:
        draft.add("lanes", list(offer.lanes.values()), label=lane_label, source=source)
    if offer.trips:
        draft.add("trips", number_trips(pl.concat(offer.trips)), label="modelled", source=source)
    if offer.long_trips:
        draft.add("trips", offer.long_trips, source=source)
        draft.add("calls", offer.calls, source=source)
