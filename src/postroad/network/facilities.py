"""Compile facilities: order, place in the tree of areas, endpoints and tree destinations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from postroad.network.areas import ancestry, customs_territories, region_of
from postroad.network.schema import FACILITY_KINDS

__all__ = ["OUTLET_KINDS", "REGIONS", "FacilityArrays", "compile_facilities"]

OUTLET_KINDS = ("outlet", "station", "locker")
REGIONS = ("east", "centre", "west", "other")


@dataclass(frozen=True, slots=True)
class FacilityArrays:
    """The facility part of an Instance; see there."""

    index: dict[str, int]
    fac_id: tuple[str, ...]
    n_core: int
    kind: np.ndarray
    parent: np.ndarray
    place: np.ndarray
    region: np.ndarray
    province: np.ndarray
    territory: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    is_endpoint: np.ndarray
    td: np.ndarray
    td_fac: np.ndarray
    cost: np.ndarray
    wh: np.ndarray
    origin_min: np.ndarray
    dest_min: np.ndarray
    handling_min: np.ndarray
    sort_items_per_h: np.ndarray
    screen_items_per_h: np.ndarray


def compile_facilities(network) -> FacilityArrays:
    """Order the facilities, cores first, and resolve places, parents and endpoints.

    Parameters
    ----------
    network: the feed, checked.

    Returns
    -------
    FacilityArrays: capacities are items per hour, -1 where the feed gives none (not limited).
    """
    table = network.tables["facilities"]
    rows = sorted(table.iter_rows(named=True), key=lambda row: (row["kind"] in OUTLET_KINDS, row["facility_id"]))
    ids = tuple(row["facility_id"] for row in rows)
    index = {facility: number for number, facility in enumerate(ids)}
    n_core = sum(row["kind"] not in OUTLET_KINDS for row in rows)
    parent = np.array(
        [index.get(row["parent_id"] or "", -1) if row["kind"] in OUTLET_KINDS else -1 for row in rows], np.int32
    )
    city, province, region, territory = _areas(network, [row["place_id"] for row in rows])
    endpoints = {
        row["facility_id"]
        for row in network.tables["service_areas"].iter_rows(named=True)
        if row["collects"] or row["delivers"]
    }
    is_endpoint = np.array([facility in endpoints for facility in ids])
    anchor = np.where(parent >= 0, parent, np.arange(len(ids)))
    td_fac = np.unique(anchor[is_endpoint]).astype(np.int32)
    td_of_core = np.full(len(ids), -1, np.int32)
    td_of_core[td_fac] = np.arange(len(td_fac), dtype=np.int32)

    def integers(column: str, scale: float = 1.0, missing: int = 0) -> np.ndarray:
        return np.array([missing if row[column] is None else round(row[column] * scale) for row in rows], np.int32)

    return FacilityArrays(
        index=index,
        fac_id=ids,
        n_core=n_core,
        kind=np.array([FACILITY_KINDS.index(row["kind"]) for row in rows], np.int8),
        parent=parent,
        place=city,
        region=region,
        province=province,
        territory=territory,
        lon=np.array([row["lon"] for row in rows], float),
        lat=np.array([row["lat"] for row in rows], float),
        is_endpoint=is_endpoint,
        td=td_of_core[anchor],
        td_fac=td_fac,
        cost=integers("cost_yuan_per_item", 1000),
        wh=integers("kwh_per_item", 1000),
        origin_min=integers("origin_min"),
        dest_min=integers("dest_min"),
        handling_min=integers("handling_min"),
        sort_items_per_h=integers("sort_items_per_h", missing=-1),
        screen_items_per_h=integers("screen_items_per_h", missing=-1),
    )


def _areas(network, place_ids: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """City, province, region and customs territory of each place, as indices: its nearest ancestor of that kind, or
    itself."""
    places = {row["place_id"]: row for row in network.tables["places"].iter_rows(named=True)}
    cities: dict[str, int] = {}
    provinces: dict[str, int] = {}
    territories: dict[str, int] = {}
    territory_of = customs_territories(places)
    out = np.zeros((4, len(place_ids)), np.int32)
    for number, place_id in enumerate(place_ids):
        chain = ancestry(places, place_id)
        by_kind = {row["kind"]: row["place_id"] for row in reversed(chain)}
        city = by_kind.get("city", place_id)
        out[0, number] = cities.setdefault(city, len(cities))
        out[1, number] = provinces.setdefault(by_kind.get("province", city), len(provinces))
        out[2, number] = REGIONS.index(region_of(chain))
        out[3, number] = territories.setdefault(territory_of[place_id], len(territories))
    return out[0], out[1].astype(np.int16), out[2].astype(np.int8), out[3].astype(np.int16)
