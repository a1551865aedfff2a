"""Which reserve to call on: freed vehicles, room at neighbouring centres, other modes; each alone, ranked.

What a reserve brings forward is counted in tonne-hours: the tonnes of relief that come earlier times the hours. What
has not arrived at the end of the horizon counts as arriving then. The figures of several reserves do not add up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from postroad.network.instance import MODES, Instance
from postroad.network.loss import Loss
from postroad.network.schema import FACILITY_KINDS
from postroad.routing.loading import load_tables
from postroad.routing.tables import RoutingTables
from postroad.study.drills.relief import Relief, modes_of, send_relief
from postroad.study.drills.resolve import Goods
from postroad.study.drills.roads import RoadMap
from postroad.study.drills.ways import CUT_OFF, NO_WAY_BEFORE, Ways

__all__ = ["Reserves", "find_reserves"]

_CENTRES = [FACILITY_KINDS.index(kind) for kind in ("sorting", "hub")]
_SCHEMA = {
    "kind": pl.String, "facility_id": pl.String, "mode": pl.String, "vehicle_id": pl.String, "n": pl.Int64,
    "room_t_per_day": pl.Float64, "carried_t": pl.Float64, "room_items_per_day": pl.Int64,
    "used_share": pl.Float64, "km": pl.Float64, "relief_tonne_h": pl.Float64, "carries_items_per_day": pl.Int64,
    "label": pl.String,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reserves:
    """What could be called on.

    Attributes
    ----------
    ranked: one row a reserve, the one that brings relief forward most first, then the one that carries most of what is
        cut off or has to be sorted elsewhere. ``kind``: vehicles, centre or mode; ``n``: vehicle runs a day, or places.
    centres: core centres near the loss: sorted a day before and after on the cheapest ways, capacity, room.
    n_stuck: vehicle runs a day whose vehicles stand in what is lost.
    """

    ranked: pl.DataFrame
    centres: pl.DataFrame
    n_stuck: int


@dataclass(frozen=True, slots=True)
class _Scene:
    """All that the reserves are worked out from."""

    ways: Ways
    losses: tuple[Loss, ...]
    after: Instance
    goods: tuple[Goods, ...]
    relief: Relief
    from_min: int
    roads: RoadMap
    open_roads: RoadMap
    vehicles: pl.DataFrame
    nearby_km: float

    @property
    def n_islanded(self) -> int:
        """Items a day that are cut off although neither end is lost."""
        gone = self.ways.lost_facilities | self.ways.lost_facilities[self.ways.anchor]
        flows = self.ways.flows
        return int(self.ways.items[CUT_OFF, ~gone[flows.origin] & ~gone[flows.destination]].sum())


def find_reserves(
    ways: Ways, losses: tuple[Loss, ...], after: Instance, goods: tuple[Goods, ...], relief: Relief, from_min: int,
    roads: RoadMap, open_roads: RoadMap, vehicles: pl.DataFrame, nearby_km: float,
) -> Reserves:  # fmt: skip
    """Find and rank the reserves of a drill.

    Parameters
    ----------
    after: the degraded horizon over which the relief was sent, from ``from_min`` on.
    roads, open_roads: all road lanes, and those that the losses leave.
    vehicles: the feed's table. nearby_km: how far by road a centre may lie from what is lost, or from a gate.

    **Assumes** that freed vehicles leave when the loss begins, go by road to a depot and straight on to the place's
    facility at the speed of their kind, once, without rest; each reserve is called on alone.
    """
    scene = _Scene(ways, losses, after, goods, relief, from_min, roads, open_roads, vehicles, nearby_km)
    freed, n_stuck = _free_vehicles(scene)
    centres = _centres(scene)
    ranked = pl.concat([_rank_vehicles(scene, freed), _rank_centres(centres), _rank_modes(scene)])
    order = ["relief_tonne_h", "carries_items_per_day", "room_t_per_day", "room_items_per_day"]
    ranked = ranked.sort([*order, "kind", "facility_id"], descending=[True] * 4 + [False] * 2, nulls_last=True)
    return Reserves(ranked, centres, n_stuck)


def _free_vehicles(scene: _Scene) -> tuple[pl.DataFrame, int]:
    """Vehicle runs a day that the loss frees, by facility and vehicle; and how many stand in what is lost."""
    instance = scene.ways.before
    runs = np.zeros(int(instance.cn_trip.max(initial=-1)) + 1, bool)
    kept = runs.copy()
    running = np.unique(instance.dp_cn)
    runs[instance.cn_trip[running]] = True
    kept[instance.cn_trip[running[~scene.ways.lost_rides[running]]]] = True
    trip, first = np.unique(instance.leg_trip, return_index=True)
    is_idle = runs[trip] & ~kept[trip]
    leg = first[is_idle]
    start = instance.leg_from[leg]
    stuck = scene.ways.lost_facilities[start]
    frame = pl.DataFrame(
        {"fac": start[~stuck], "vehicle": instance.leg_vehicle[leg[~stuck]], "n": instance.leg_n_vehicles[leg[~stuck]]}
    )
    frame = frame.group_by("fac", "vehicle").agg(pl.col("n").sum().cast(pl.Int64)).sort("fac", "vehicle")
    return frame, int(instance.leg_n_vehicles[leg[stuck]].sum())


def _rank_vehicles(scene: _Scene, freed: pl.DataFrame) -> pl.DataFrame:
    """Freed vehicles with what one run of them would bring forward."""
    depots = {stock.fac for one in scene.goods for stock in one.stocks}
    km_of_depot = {fac: scene.open_roads.km_from([fac]) for fac in depots}
    late = [_late(scene, number) for number in range(len(scene.relief.needs))]
    grams = float((scene.ways.before.prod_g * scene.ways.counts.sum(axis=(0, 2))).sum())
    grams = max(1.0, grams / max(int(scene.ways.counts.sum()), 1))
    rows = []
    for fac, vehicle, n in freed.iter_rows():
        kind = scene.vehicles.row(vehicle, named=True)
        room = n * (kind["payload_kg"] or 0) / 1000
        gain = None
        if kind["mode"] == "road":
            gain = max(
                (_gain(scene, number, units, km_of_depot, fac, n, kind) for number, units in enumerate(late)),
                default=0.0,
            )
        carries = min(scene.n_islanded, int(room * 1e6 / grams))
        rows.append(
            ("vehicles", scene.after.fac_id[fac], kind["mode"], kind["vehicle_id"], n, room, None,
             int(room * 1e6 / grams), None, None, gain, carries, "modelled")
        )  # fmt: skip
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _late(scene: _Scene, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Arrival minutes and units of a need, the latest first; what has not arrived counts at the end of the horizon."""
    end = scene.after.n_days * 1440
    mine = [one for one in scene.relief.shipments if one.consignment == number]
    minutes = [min(one.arr_min, end) for one in mine] + [end]
    units = [one.n_units for one in mine] + [int(scene.relief.n_waiting[number])]
    order = np.argsort(-np.array(minutes), kind="stable")
    return np.array(minutes)[order], np.array(units)[order]


def _gain(scene: _Scene, number: int, late, km_of_depot, fac: int, n: int, kind: dict) -> float:
    """Tonne-hours that so many vehicles bring one need forward, from the best of its depots."""
    need = scene.relief.needs[number]
    goods = scene.goods[need.goods]
    if need.gate < 0 or not goods.modes[0] or not kind["speed_kmh"]:
        return 0.0
    _, grams, cubic = goods.size
    fits = [kind["payload_kg"] * 1000 // max(grams, 1)] if kind["payload_kg"] else []
    fits += [kind["volume_m3"] * 1e6 // max(cubic, 1)] if kind["volume_m3"] else []
    room = n * int(min(fits, default=0))
    begin = min(loss.from_min for loss in scene.losses)
    best = 0.0
    minutes, units = late
    taken = np.diff(np.minimum(np.cumsum(units), room), prepend=0)
    for stock in goods.stocks:
        km = km_of_depot[stock.fac]
        if not np.isfinite(km[fac] + km[need.gate]):
            continue
        leave = max(stock.ready_min, begin + km[fac] * 60 / kind["speed_kmh"])
        there = leave + km[need.gate] * 60 / kind["speed_kmh"]
        best = max(best, float((np.maximum(minutes - there, 0) * taken).sum()) / 60 * grams / 1e6)
    return best


def _centres(scene: _Scene) -> pl.DataFrame:
    """Working centres near the loss or a gate, with what they sort before and after on the cheapest ways."""
    ways, instance = scene.ways, scene.ways.before
    lost = ways.lost_facilities
    gates = [need.gate for need in scene.relief.needs if need.gate >= 0]
    struck = np.unique(np.concatenate([loss.legs.nonzero()[0] for loss in scene.losses]))
    ends = np.concatenate([instance.leg_from[struck], instance.leg_to[struck]])
    sources = np.unique(np.concatenate([lost.nonzero()[0], ends, gates]).astype(int))
    km = scene.roads.km_from(sources)
    loads = [_sorted_a_day(ways, tables, kept) for tables, kept in (
        (ways.tables_before, np.delete(ways.items, NO_WAY_BEFORE, axis=0).sum(axis=0)),
        (ways.tables_after, ways.items[:CUT_OFF].sum(axis=0)))]  # fmt: skip
    cap = instance.sort_cap.sum(axis=1, dtype=np.int64)
    fac = np.flatnonzero(np.isin(instance.fac_kind, _CENTRES) & ~lost & (km <= scene.nearby_km))
    before, after = (np.rint(load[fac]).astype(np.int64) for load in loads)
    frame = pl.DataFrame(
        {
            "facility_id": [instance.fac_id[number] for number in fac], "km": km[fac],
            "sorted_before": before, "sorted_after": after, "capacity": cap[fac], "room": cap[fac] - after,
            "km_label": ["derived"] * len(fac), "label": ["modelled"] * len(fac),
        }
    )  # fmt: skip
    return frame.sort(["room", "facility_id"], descending=[True, False])


def _sorted_a_day(ways: Ways, tables: RoutingTables, items: np.ndarray) -> np.ndarray:
    """Items sorted a day at each core facility when all take the cheapest way, float64 (n_core,)."""
    instance, flows, counts = ways.before, ways.flows, ways.counts
    matrix = np.zeros((instance.n_core, len(instance.td_fac)))
    goes = instance.fac_td[flows.destination] >= 0
    place = ways.anchor[flows.origin[goes]], instance.fac_td[flows.destination[goes]]
    np.add.at(matrix, place, items[goes].astype(float))
    by_product = counts.sum(axis=(0, 2)).astype(float)
    release = np.zeros(instance.slots_per_day)
    for number in range(len(flows.release_min)):
        slot = ways.sorted_slot[flows.origin, number]
        kept = slot >= 0
        release += np.bincount(slot[kept], counts[number].sum(axis=0)[kept], minlength=len(release))
    release /= max(release.sum(), 1.0)
    network = instance if tables is ways.tables_before else ways.after
    lanes = load_tables(network, tables, matrix, by_product / max(by_product.sum(), 1.0), release)
    return np.bincount(network.lane_to, lanes, minlength=instance.n_fac)[: instance.n_core] + matrix.sum(axis=1)


def _rank_centres(centres: pl.DataFrame) -> pl.DataFrame:
    """Centres with room, with what they could take over from those that the loss leaves short."""
    short = int((-centres["room"]).clip(lower_bound=0).sum() or 0)
    none = pl.lit(None)
    return centres.filter(pl.col("room") > 0).select(
        kind=pl.lit("centre"), facility_id="facility_id", mode=pl.lit(""), vehicle_id=pl.lit(""),
        n=pl.lit(1, pl.Int64), room_t_per_day=none.cast(pl.Float64),
        carried_t=none.cast(pl.Float64), room_items_per_day=pl.col("room"),
        used_share=pl.col("sorted_after") / pl.col("capacity"), km="km", relief_tonne_h=none.cast(pl.Float64),
        carries_items_per_day=pl.min_horizontal("room", pl.lit(short, pl.Int64)), label=pl.lit("modelled"),
    )  # fmt: skip


def _rank_modes(scene: _Scene) -> pl.DataFrame:
    """What each mode brings relief forward: against doing without it, or by allowing it where it is not allowed."""
    rows = []
    base = _lateness(scene, scene.relief)
    offered = np.unique(scene.after.lane_mode)
    for mode in offered if scene.relief.needs else []:
        is_allowed = all(one.modes[mode] for one in scene.goods)
        goods = tuple(replace(one, modes=np.where(np.arange(len(MODES)) == mode, not is_allowed, one.modes))
                      for one in scene.goods)  # fmt: skip
        other = send_relief(scene.after, None, goods, scene.relief.needs, scene.from_min)
        gain = _lateness(scene, other) - base if is_allowed else base - _lateness(scene, other)
        carried = sum(
            one.n_units * scene.goods[scene.relief.needs[one.consignment].goods].size[1] / 1e6
            for one in scene.relief.shipments if MODES[mode] in modes_of(scene.after, one)
        )  # fmt: skip
        if not gain and not carried:
            continue
        rows.append(("mode", "", MODES[mode], "", None, None, carried, None, None, None, gain, 0, "modelled"))
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _lateness(scene: _Scene, relief: Relief) -> float:
    """Tonne-hours from the goods' readiness to their arrival, what has not arrived at the end of the horizon."""
    end, total = scene.after.n_days * 1440, 0.0
    left = np.array([need.n_units for need in relief.needs], np.int64) - relief.n_short
    for one in relief.shipments:
        left[one.consignment] -= one.n_units
        total += one.n_units * scene.goods[relief.needs[one.consignment].goods].size[1] * min(one.arr_min, end)
    for number, need in enumerate(relief.needs):
        total += int(left[number]) * scene.goods[need.goods].size[1] * end
    return total / 60 / 1e6
