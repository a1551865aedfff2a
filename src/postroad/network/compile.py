"""Compile: freeze the tables of a feed and an overlay into an :class:`~postroad.network.instance.Instance`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from postroad.core.digests import digest_bytes
from postroad.core.findings import Findings
from postroad.network.facilities import FacilityArrays, compile_facilities
from postroad.network.instance import MODES, Instance, freeze
from postroad.network.overlay import Overlay
from postroad.network.timetable import ConnectionArrays, compile_connections
from postroad.network.windows import compile_windows

__all__ = ["compile_network", "without_trips"]

NEEDED = ("facilities", "service_areas", "products", "trips")
"""Tables without which nothing can be carried."""

MAX_SLOT = 2**30


def compile_network(
    network,
    *,
    day: date,
    days_before: int = 0,
    n_days: int,
    overlay: Overlay | None = None,
    slot_min: int | None = None,
) -> Instance:
    """Freeze a feed for a horizon of days.

    Parameters
    ----------
    network: the feed, checked.
    day: the named day (D) of the scenario; the epoch is local midnight ``days_before`` days earlier.
    n_days: length of the horizon in days.
    overlay: what differs from the plan (closures, cuts, delays, cancellations), in minutes from the epoch; None for
        the plan itself.
    slot_min: minutes of a slot, a divisor of 60; the feed's when None.

    Returns
    -------
    Instance: read-only arrays.

    Raises
    ------
    InputError: PR-C001 with findings PR-N101 (no trip runs on a day of the horizon), PR-N102 (slot length does not
        divide the hour), PR-N103 (a table that every network needs is empty).
    """
    slot = slot_min or network.meta.slot_min
    findings = Findings()
    if slot <= 0 or 60 % slot:
        findings.add("PR-N102", table="feed.toml", column="slot_min", value=slot)
        findings.raise_on_errors()
    for name in NEEDED:
        if not len(network.tables[name]):
            findings.add("PR-N103", table=name)
    findings.raise_on_errors()
    epoch_day = day - timedelta(days=days_before)
    epoch = datetime.combine(epoch_day, time(0), ZoneInfo(network.meta.timezone))
    fac = compile_facilities(network)
    services, runs = _service_days(network, epoch_day, n_days)
    products = _products(network)
    cn = compile_connections(network, fac, services, products["mean_kg"], products["mean_volume_m3"], products["share"])
    work = compile_windows(network, fac, services, runs, n_days, slot)
    departures = _departures(cn, runs[:, _LEAD:], runs, n_days, slot)
    work_caps = {"sort_cap": work.sort_cap, "screen_cap": work.screen_cap, "wave_cap": work.wave_cap}
    if overlay is not None and len(overlay):
        departures = overlay_departures(departures, overlay, cn, fac, n_days, slot)
        overlay_work(work_caps, overlay, fac, n_days, slot)
    if not len(departures.cn):
        findings.add("PR-N101", table="trips", value=epoch_day.isoformat(), n_days=n_days)
        findings.raise_on_errors()
    return freeze(
        _assemble(network, epoch, n_days, slot, fac, cn, work, work_caps, departures, products, runs, overlay)
    )


_LEAD = 8
"""Service days before the epoch whose multi-day trips may still be under way on the first day."""


@dataclass(frozen=True, slots=True)
class Departures:
    """The departures over the horizon in order of (slot, minute, connection); see Instance."""

    cn: np.ndarray
    dep_min: np.ndarray
    arr_min: np.ndarray
    ready_slot: np.ndarray
    day: np.ndarray
    capf: np.ndarray
    ptr: np.ndarray


def _service_days(network, epoch_day: date, n_days: int) -> tuple[dict[str, int], np.ndarray]:
    """Services by id and whether each runs on each day, from ``_LEAD`` days before the epoch; row 0 runs daily."""
    calendar, exceptions = network.tables["calendar"], network.tables["calendar_dates"]
    ids = sorted(set(calendar["service_id"]) | set(exceptions["service_id"]))
    services = {"": 0} | {service: index for index, service in enumerate(ids, 1)}
    runs = np.zeros((len(services), n_days + _LEAD), bool)
    runs[0] = True
    dates = [epoch_day + timedelta(days=offset) for offset in range(-_LEAD, n_days)]
    weekdays = np.array([value.weekday() for value in dates])
    ordinals = np.array([value.toordinal() for value in dates])
    names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    for row in calendar.iter_rows(named=True):
        week = np.array([bool(row[name]) for name in names])
        inside = (ordinals >= row["start_date"].toordinal()) & (ordinals <= row["end_date"].toordinal())
        runs[services[row["service_id"]]] |= week[weekdays] & inside
    for row in exceptions.iter_rows(named=True):
        column = row["date"].toordinal() - ordinals[0]
        if 0 <= column < len(ordinals):
            runs[services[row["service_id"]], column] = bool(row["runs"])
    return services, runs


def _products(network) -> pl.DataFrame:
    """The products in order of priority, then id."""
    return network.tables["products"].sort("priority", "product_id")


def _departures(cn: ConnectionArrays, runs: np.ndarray, runs_lead: np.ndarray, n_days: int, slot: int) -> Departures:
    """Repeat the connections over the horizon: one row per connection and service day that departs in it."""
    minute, offset = cn.dep_min % 1440, cn.dep_min // 1440
    order = np.lexsort((np.arange(len(minute)), minute))
    minute, offset, service = minute[order], offset[order], cn.service[order]
    parts_cn, parts_day, parts_dep = [], [], []
    for day in range(n_days):
        active = runs_lead[service, np.maximum(_LEAD + day - offset, 0)]
        chosen = np.flatnonzero(active)
        parts_cn.append(order[chosen].astype(np.int32))
        parts_day.append((day - offset[chosen]).astype(np.int32))
        parts_dep.append((minute[chosen] + 1440 * day).astype(np.int32))
    index, day_of, dep = (np.concatenate(parts) for parts in (parts_cn, parts_day, parts_dep))
    kept = day_of >= 0
    if not kept.all():
        index, day_of, dep = index[kept], day_of[kept], dep[kept]
    return _index_departures(cn, index, day_of, dep, dep + cn.dur_min[index], None, n_days, slot)


def _index_departures(cn, index, day_of, dep, arr, capf, n_days, slot) -> Departures:
    """Derive ready slots and the pointer by slot from departures that are already in order."""
    # what leaves in a slot is never ready in the same one, however short the way
    ready = np.maximum(-(-(arr + cn.ready_min[index]) // slot), dep // slot + 1)
    ptr = np.searchsorted(dep, np.arange(0, n_days * 1440 + 1, slot)).astype(np.int64)
    capacity = np.full(len(index), 1000, np.int32) if capf is None else capf
    return Departures(index, dep, arr.astype(np.int32), ready.astype(np.int32), day_of, capacity, ptr)


def overlay_departures(
    plan: Departures, overlay: Overlay, cn: ConnectionArrays, fac: FacilityArrays, n_days: int, slot: int
) -> Departures:
    """Apply cancellations, closures, capacity cuts and delays to the departures of the plan.

    A closure stops what would leave the facility within the window, and what would leave for it from then on and reach
    it within the window: nobody knows of a closure before it begins. What is under way then arrives and waits. A trip
    that is delayed keeps its running time. A capacity cut on a lane or trip scales what its vehicles may carry.
    """
    keep = np.ones(len(plan.cn), bool)
    delay = np.zeros(len(plan.cn), np.int64)
    capf = plan.capf.copy()
    lane_from, lane_to = cn.lane_from[cn.lane[plan.cn]], cn.lane_to[cn.lane[plan.cn]]
    for row in overlay.rows:
        if row.kind == "closure" and row.facility_id:
            closed = fac.index[row.facility_id]
            leaves = (lane_from == closed) & (plan.dep_min >= row.from_min) & (plan.dep_min < row.to_min)
            reaches = (lane_to == closed) & (plan.dep_min >= row.from_min) & (plan.arr_min < row.to_min)
            keep &= ~(leaves | reaches)
            continue
        touched = _touched(row, plan, cn, fac, lane_from)
        if row.kind in ("cancel", "closure"):
            keep &= ~touched
        elif row.kind == "delay":
            delay[touched] += row.delay_min
        elif row.kind == "capacity" and not row.facility_id:
            capf[touched] = np.floor(capf[touched] * row.factor).astype(np.int32)
    dep, arr = plan.dep_min + delay, plan.arr_min + delay
    keep &= dep < n_days * 1440
    chosen = np.flatnonzero(keep)
    order = chosen[np.lexsort((plan.cn[chosen], dep[chosen]))] if delay.any() else chosen
    return _index_departures(
        cn, plan.cn[order], plan.day[order], dep[order].astype(np.int32), arr[order], capf[order], n_days, slot
    )


def _touched(row, plan: Departures, cn: ConnectionArrays, fac: FacilityArrays, lane_from: np.ndarray) -> np.ndarray:
    """Which departures a disruption of a lane, a trip or a facility's departures touches."""
    inside = (plan.dep_min >= row.from_min) & (plan.dep_min < row.to_min)
    if row.trip_id:
        return inside & (cn.trip[plan.cn] == cn.trip_index.get(row.trip_id, -1))
    if row.lane_id:
        return inside & (cn.lane[plan.cn] == cn.lane_of_id.get(row.lane_id, -1))
    return inside & (lane_from == fac.index[row.facility_id])


def overlay_work(caps: dict[str, np.ndarray], overlay: Overlay, fac: FacilityArrays, n_days: int, slot: int) -> None:
    """Scale the sorting, screening and delivery capacity of facilities in the windows of the overlay, in place."""
    n_slots = n_days * 1440 // slot
    for row in overlay.rows:
        if not row.facility_id or row.kind not in ("closure", "capacity"):
            continue
        first, last = max(0, row.from_min // slot), min(n_slots, -(-row.to_min // slot))
        factor = 0.0 if row.kind == "closure" else row.factor
        for array in caps.values():
            cut = array[fac.index[row.facility_id], first:last]
            cut[:] = np.floor(cut * factor).astype(np.int32)


def _assemble(network, epoch, n_days, slot, fac, cn, work, caps, dp, products, runs, overlay) -> Instance:
    """Put the arrays together."""
    key = f"{network.digest}|{epoch.isoformat()}|{n_days}|{slot}|{overlay.digest if overlay is not None else ''}"
    return Instance(
        digest=digest_bytes(key.encode()),
        level=network.level,
        timezone=network.meta.timezone,
        epoch=epoch,
        n_days=n_days,
        slot_min=slot,
        fac_id=fac.fac_id,
        n_core=fac.n_core,
        td_fac=fac.td_fac,
        origin_min=fac.origin_min,
        dest_min=fac.dest_min,
        wave_delay=work.wave_delay,
        trip_id=cn.trip_id,
        service_runs=np.ascontiguousarray(runs[:, _LEAD:]),
        **{f"fac_{name}": getattr(fac, name) for name in _OF_FACILITIES},
        **{name: getattr(cn, name) for name in _OF_LANES_AND_LEGS},
        **{f"cn_{name}": getattr(cn, name) for name in _OF_CONNECTIONS},
        **{f"dp_{name}": getattr(dp, name) for name in Departures.__slots__},
        **caps,
        **_product_fields(network, products),
    )


def without_trips(instance: Instance, trips: np.ndarray) -> Instance:
    """The same network without some trips, int32 indices as in ``cn_trip``; its digest tells the two apart."""
    if not len(trips):
        return instance
    cancelled = np.zeros(int(instance.cn_trip.max(initial=-1)) + 1, bool)
    cancelled[trips] = True
    kept = ~cancelled[instance.cn_trip[instance.dp_cn]]
    columns = {name: getattr(instance, name)[kept] for name in _OF_DEPARTURES}
    ptr = np.concatenate([[0], np.cumsum(kept)])[instance.dp_ptr].astype(np.int64)
    digest = digest_bytes(f"{instance.digest}|without|".encode() + np.flatnonzero(cancelled).tobytes())
    return freeze(replace(instance, digest=digest, dp_ptr=ptr, **columns))


_OF_DEPARTURES = ("dp_cn", "dp_dep_min", "dp_arr_min", "dp_ready_slot", "dp_day", "dp_capf")
_OF_FACILITIES = (
    *("kind", "parent", "place", "region", "province", "territory", "lon", "lat"),
    *("is_endpoint", "td", "cost", "wh"),
)
_OF_LANES_AND_LEGS = (
    *("lane_from", "lane_to", "lane_mode", "out_ptr", "feeder_lane", "collect_lane"),
    *("leg_trip", "leg_from", "leg_to", "leg_km", "leg_activity_km", "leg_vehicle", "leg_n_vehicles"),
    *("leg_cap_items", "leg_cap_g", "leg_cap_cm3"),
)
_OF_CONNECTIONS = (
    *("lane", "trip", "leg_first", "leg_last", "dep_min", "dur_min", "ready_min"),
    *("cost", "g", "service"),
)


def _product_fields(network, products: pl.DataFrame) -> dict[str, object]:
    """The product part of an Instance, in the order of ``products``."""

    def integers(column: str, scale: float, dtype: type) -> np.ndarray:
        return (products[column] * scale).round().to_numpy().astype(dtype)

    restrictions = network.tables["restrictions"].filter(pl.col("rule") == "barred")
    barred = set(restrictions.select("product_id", "mode").iter_rows())
    return {
        "prod_id": tuple(products["product_id"]),
        "prod_priority": products["priority"].to_numpy().astype(np.int8),
        "prod_g": integers("mean_kg", 1e3, np.int32),
        "prod_cm3": integers("mean_volume_m3", 1e6, np.int32),
        "prod_vot": integers("yuan_per_h", 1e3, np.int32),
        "prod_mode_ok": np.array(
            [[(product, mode) not in barred for mode in MODES] for product in products["product_id"]]
        ),
    }
