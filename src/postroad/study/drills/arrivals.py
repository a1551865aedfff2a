"""When relief reaches which place and how: frames of what was sent."""

from __future__ import annotations

import polars as pl

from postroad.network.instance import MODES, Instance
from postroad.routing.timetable import NEVER
from postroad.study.drills.relief import Relief, instants, modes_of
from postroad.study.drills.resolve import Goods

__all__ = ["arrival_frame", "hop_frame", "names_of"]


def names_of(tables: dict[str, pl.DataFrame]) -> dict[str, tuple[str, str]]:
    """English and Chinese names of places and facilities by id; a missing one is the other, or the id."""
    names = {}
    for table, key in (("places", "place_id"), ("facilities", "facility_id")):
        for code, english, chinese in tables[table].select(key, "name_en", "name").iter_rows():
            names[code] = (english or chinese or code, chinese or english or code)
    return names


def arrival_frame(
    instance: Instance, goods: tuple[Goods, ...], relief: Relief, names: dict[str, tuple[str, str]]
) -> pl.DataFrame:
    """One row a need: what arrived where and when, beside the bounds.

    ``status``: complete, partly, none. ``first_h`` and ``last_h``: hours from the goods' earliest readiness.
    ``n_under_way``: sent, but not there at the end of the horizon.
    """
    end = instance.n_days * 1440
    rows = []
    for number, need in enumerate(relief.needs):
        section = goods[need.goods].section
        start = min(stock.ready_min for stock in goods[need.goods].stocks)
        mine = [one for one in relief.shipments if one.consignment == number]
        there = [one for one in mine if one.arr_min < end]
        n_there = sum(one.n_units for one in there)
        first, last = (min(x), max(x)) if (x := [one.arr_min for one in there]) else (None, None)
        used = {mode for one in mine for mode in modes_of(instance, one)}
        gate = instance.fac_id[need.gate] if need.gate >= 0 else ""
        rows.append(
            {
                "goods_id": section.goods_id, "goods_en": section.name_en or section.goods_id,
                "goods_zh": section.name_zh or section.name_en or section.goods_id,
                "place_id": need.place_id, **_named("place", need.place_id, names),
                "gate_id": gate, **_named("gate", gate, names),
                "remaining_km": need.remaining_km if need.gate >= 0 else None, "km_label": "derived",
                "n_units": need.n_units, "t": need.n_units * section.unit_kg / 1000, "n_arrived": n_there,
                "n_under_way": sum(one.n_units for one in mine) - n_there,
                "n_waiting": int(relief.n_waiting[number]), "n_short": int(relief.n_short[number]),
                "status": "complete" if n_there == need.n_units else "partly" if n_there else "none",
                "depots": "+".join(sorted({instance.fac_id[one.fac] for one in mine})),
                "modes": "+".join(mode for mode in MODES if mode in used), "n_ways": len(mine),
                "first_min": first, "last_min": last, "bound_first_min": _known(relief.bound_first[number]),
                "bound_last_min": _known(relief.bound_last[number]),
                "undisturbed_min": _known(relief.undisturbed[number]), "start_min": start, "label": "modelled",
            }
        )  # fmt: skip
    frame = pl.DataFrame(rows, schema_overrides=_MINUTES | {"remaining_km": pl.Float64}, infer_schema_length=None)
    if frame.is_empty():
        return frame
    at = [instants(instance, frame[name]).alias(name.replace("_min", "_at")) for name in _MINUTES]
    hours = [((pl.col(name) - pl.col("start_min")) / 60).alias(name.replace("_min", "_h")) for name in _MINUTES]
    return frame.with_columns(*at, *hours).drop(*_MINUTES, "start_min")


_MINUTES = dict.fromkeys(("first_min", "last_min", "bound_first_min", "bound_last_min", "undisturbed_min"), pl.Int64)


def _known(minute: int) -> int | None:
    return None if minute >= NEVER else int(minute)


def _named(key: str, code: str, names: dict[str, tuple[str, str]]) -> dict[str, str]:
    english, chinese = names.get(code, (code, code))
    return {f"{key}_en": english, f"{key}_zh": chinese}


def hop_frame(
    instance: Instance, goods: tuple[Goods, ...], relief: Relief, names: dict[str, tuple[str, str]]
) -> pl.DataFrame:
    """One row a ride of a shipment: units, trip, mode, ends, instants."""
    rows = []
    for number, one in enumerate(relief.shipments):
        need = relief.needs[one.consignment]
        for seq, row in enumerate(one.rows):
            cn = instance.dp_cn[row]
            lane = instance.cn_lane[cn]
            start, end = (instance.fac_id[ends[lane]] for ends in (instance.lane_from, instance.lane_to))
            rows.append(
                {
                    "shipment": number, "goods_id": goods[need.goods].section.goods_id, "place_id": need.place_id,
                    "n_units": one.n_units, "seq": seq, "mode": MODES[instance.lane_mode[lane]],
                    "trip_id": instance.trip_id[instance.cn_trip[cn]] if instance.trip_id is not None else "",
                    "from_id": start, **_named("from", start, names), "to_id": end, **_named("to", end, names),
                    "depart_min": int(instance.dp_dep_min[row]), "arrive_min": int(instance.dp_arr_min[row]),
                    "label": "modelled",
                }
            )  # fmt: skip
    frame = pl.DataFrame(rows, infer_schema_length=None)
    if frame.is_empty():
        return frame
    return frame.with_columns(
        instants(instance, frame["depart_min"]).alias("depart_at"),
        instants(instance, frame["arrive_min"]).alias("arrive_at"),
    ).drop("depart_min", "arrive_min")
