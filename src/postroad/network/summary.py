"""What a network holds, in figures: for the terminal and the first page of a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from postroad.network.schema import FACILITY_KINDS, LABELS, tables

__all__ = ["ModeSummary", "NetworkSummary", "services_on", "summarise"]

_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class ModeSummary:
    """The trips of one mode on the base date.

    Attributes
    ----------
    n_lanes: pairs of facilities that a trip joins without a stop between.
    n_trips: trips that run on the base date.
    n_vehicles: vehicles that run under them.
    payload_kg, volume_m3: what those vehicles can carry at once; volume counts stated volumes only.
    distance_km: vehicle kilometres.
    """

    n_lanes: int
    n_trips: int
    n_vehicles: int
    payload_kg: float
    volume_m3: float
    distance_km: float


@dataclass(frozen=True, slots=True)
class NetworkSummary:
    """A network in figures.

    Attributes
    ----------
    name, name_zh, level, timezone, version, licence: as ``feed.toml`` says.
    base_date: the day that trips are counted on.
    digest: of the network.
    n_rows: rows by table, tables of no rows left out.
    n_facilities: facilities by kind, in the order of the format.
    n_places: places by kind.
    n_endpoints: facilities that collect or deliver.
    modes: by mode, in order of trips.
    sort_items_per_h, screen_items_per_h: stated capacity of all facilities together.
    n_unlimited_sort: facilities that sort without a stated limit.
    wave_items: what all delivery waves of a day can take; those without a limit are not in it.
    demand_items: items of the mean day that the feed lists; 0 when it lists none.
    label_share: share of all rows by label.
    """

    name: str
    name_zh: str
    level: str
    timezone: str
    version: str
    licence: str
    base_date: date
    digest: str
    n_rows: Mapping[str, int]
    n_facilities: Mapping[str, int]
    n_places: Mapping[str, int]
    n_endpoints: int
    modes: Mapping[str, ModeSummary]
    sort_items_per_h: int
    screen_items_per_h: int
    n_unlimited_sort: int
    wave_items: int
    demand_items: int
    label_share: Mapping[str, float]


def services_on(network, day: date) -> pl.Series:
    """The services that run on a day: by weekday, dates and exceptions."""
    calendar = network.tables["calendar"]
    planned = calendar.filter(pl.col(_WEEK[day.weekday()]) & pl.lit(day).is_between("start_date", "end_date"))
    exceptions = network.tables["calendar_dates"].filter(pl.col("date") == day)
    added = exceptions.filter(pl.col("runs"))["service_id"]
    removed = exceptions.filter(~pl.col("runs"))["service_id"]
    every = pl.concat([planned["service_id"], added]).unique(maintain_order=True)
    return every.filter(~every.is_in(removed.implode()))


def summarise(network) -> NetworkSummary:
    """Count what a network holds.

    Parameters
    ----------
    network: a :class:`~postroad.network.frames.Network`.
    """
    frames, meta = network.tables, network.meta
    facilities = frames["facilities"]
    kinds = dict(facilities["kind"].value_counts().iter_rows())
    areas = frames["service_areas"].filter(pl.col("collects") | pl.col("delivers"))
    return NetworkSummary(
        name=meta.name, name_zh=meta.name_zh, level=meta.level, timezone=meta.timezone, version=meta.version,
        licence=meta.licence, base_date=meta.base_date, digest=network.digest,
        n_rows={name: len(frames[name]) for name in tables() if len(frames[name])},
        n_facilities={kind: kinds[kind] for kind in FACILITY_KINDS if kind in kinds},
        n_places=dict(frames["places"].group_by("kind", maintain_order=True).len().iter_rows()),
        n_endpoints=areas["facility_id"].n_unique(),
        modes=_modes(network),
        sort_items_per_h=int(facilities["sort_items_per_h"].sum()),
        screen_items_per_h=int(facilities["screen_items_per_h"].sum()),
        n_unlimited_sort=facilities["sort_items_per_h"].null_count(),
        wave_items=_wave_items(network), demand_items=int(frames["demand"]["n_items"].sum()),
        label_share=_label_share(network),
    )  # fmt: skip


def _modes(network) -> dict[str, ModeSummary]:
    frames = network.tables
    trips = frames["trips"].filter(pl.col("service_id").is_in(services_on(network, network.meta.base_date).implode()))
    called = frames["calls"].group_by("trip_id").agg(called_km=pl.col("distance_km").sum())
    joined = (
        trips.select("trip_id", "lane_id", "vehicle_id", "n_vehicles")
        .join(frames["vehicles"].select("vehicle_id", "mode", "payload_kg", "volume_m3"), on="vehicle_id")
        .join(frames["lanes"].select("lane_id", "distance_km"), on="lane_id", how="left")
        .join(called, on="trip_id", how="left")
    )
    count = pl.col("n_vehicles")
    rows = joined.group_by("mode").agg(
        n_lanes=pl.col("lane_id").drop_nulls().n_unique(),
        n_trips=pl.len(),
        n_vehicles=count.sum(),
        payload_kg=(count * pl.col("payload_kg")).sum(),
        volume_m3=(count * pl.col("volume_m3")).sum(),
        distance_km=(count * pl.coalesce("distance_km", "called_km")).sum(),
    )
    ordered = rows.sort("n_trips", "mode", descending=[True, False])
    return {row.pop("mode"): ModeSummary(**row) for row in ordered.iter_rows(named=True)}


def _wave_items(network) -> int:
    """Items that the delivery waves of the base date can take."""
    running = services_on(network, network.meta.base_date)
    waves = network.tables["windows"].filter(pl.col("kind") == "delivery_wave")
    holding = waves.filter(pl.col("service_id").is_null() | pl.col("service_id").is_in(running.implode()))
    return int(holding["n_items"].sum())


def _label_share(network) -> dict[str, float]:
    labels = pl.concat([frame["label"] for frame in network.tables.values()])
    counts = dict(labels.value_counts().iter_rows())
    return {label: counts.get(label, 0) / max(1, len(labels)) for label in LABELS}
