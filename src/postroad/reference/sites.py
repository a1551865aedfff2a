"""Sorting centres, some of them hubs: where they collect and deliver, and when couriers leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from postroad.reference.capacity import hourly_capacity, wave_capacities
from postroad.reference.codes import centre_codes
from postroad.reference.draft import Draft
from postroad.reference.sources import HMT, SANSHA, Cities, Rules, read_source

__all__ = ["OPERATOR", "CentreLoad", "add_centres", "centre_load", "delivery_waves"]

OPERATOR = "net"
_SITE = (
    "Site at the city point: real sites are private. Capacity: design load of the surge day x margin / effective hours"
)
_WAVE = "Design deliveries of the surge day x margin; hours modelled, none between 22:00 and 07:00"
_FAR_PROVINCES = frozenset({"54", "63", "65"})


@dataclass(frozen=True, slots=True)
class CentreLoad:
    """Items of the surge day at each centre, float64 (n,): accepted, sorted (each item once) and delivered."""

    accepted: np.ndarray
    sorted: np.ndarray
    delivered: np.ndarray


def centre_load(
    domestic: np.ndarray, feeders: np.ndarray, delivered_hmt: np.ndarray, transit: np.ndarray
) -> CentreLoad:
    """Loads from the domestic origin-destination matrix and the items on their way to exchange offices.

    Parameters
    ----------
    domestic, feeders: float64 (n, n), items a day; feeders end at the city of an exchange office.
    delivered_hmt: float64 (n,), items a day delivered in Hong Kong, Macao and Taiwan.
    transit: float64 (n,), items a day that change lanes at each centre.
    """
    both = domestic + feeders
    delivered = domestic.sum(axis=0) + delivered_hmt
    through = both.sum(axis=1) + both.sum(axis=0) - np.diag(both) + delivered_hmt + transit
    return CentreLoad(both.sum(axis=1), through, delivered)


def add_centres(draft: Draft, cities: Cities, load: CentreLoad, rules: Rules) -> None:
    """Add the sorting centre of each city, a hub where the policy lists say so, with its service area and waves."""
    codes = centre_codes()
    reasons = dict(read_source("rules/hubs.csv").select("city_code", "reason").iter_rows())
    rows, areas, windows = [], [], []
    for row, city in enumerate(cities.frame.iter_rows(named=True)):
        code = codes[city["city_code"]]
        hub = city["city_code"] in reasons
        kind = "hub" if hub else "centre"
        handling_min = rules.hmt_handling_min if city["city_code"] in HMT else rules.values[f"{kind}_handling_min"]
        rows.append(
            {
                "facility_id": code,
                "kind": "hub" if hub else "sorting",
                "name": f"{_short(city['name'])}{'枢纽' if hub else ''}分拨中心",
                "name_en": f"{city['name_en']} {'hub and ' if hub else ''}sorting centre",
                "place_id": city["city_code"],
                "operator_id": OPERATOR,
                "lon": city["lon"],
                "lat": city["lat"],
                "sort_items_per_h": hourly_capacity(load.sorted[row], rules.effective_sort_h, rules, rules.min_sort),
                "screen_items_per_h": hourly_capacity(
                    load.accepted[row], rules.effective_screen_h, rules, rules.min_sort
                ),
                "origin_min": int(rules.origin_min),
                "handling_min": int(handling_min),
                "dest_min": int(rules.values[f"{kind}_dest_min"]),
                "cost_yuan_per_item": rules.values[f"{kind}_cost_yuan"],
                "kwh_per_item": rules.sort_kwh,
                "source": f"{_SITE}. Hub: {reasons[city['city_code']]}" if hub else _SITE,
            }
        )
        waves = delivery_waves(city)
        areas.append({"facility_id": code, "place_id": city["city_code"], "deliveries_per_week": 7.0 * len(waves)})
        for start, n_items in zip(waves, wave_capacities(load.delivered[row], len(waves), rules), strict=True):
            windows.append({"facility_id": code, "kind": "delivery_wave", "start": start, "n_items": n_items})
    draft.add("facilities", rows, label="modelled")
    draft.add("service_areas", areas, label="modelled", source="One centre serves its city; waves by rule")
    draft.add("windows", windows, label="modelled", source=_WAVE)


def delivery_waves(city: Mapping[str, object]) -> list[str]:
    """When couriers leave: three times a day, once in thinly settled cities, two hours later in the far west.

    Thinly settled: western cities of fewer than a million people, and the islands of Sansha.
    """
    start = 10 if city["province_code"] in _FAR_PROVINCES and city["province_code"] != "63" else 8
    thin = city["city_code"] == SANSHA or (
        city["region"] == "west" and city["city_code"] not in HMT and (city["pop_2020"] or 0) < 1_000_000
    )
    return [f"{start + wait:02d}:00" for wait in ((0,) if thin else (0, 4, 8))]


def _short(name: str) -> str:
    """A city's name without its rank."""
    for ending in ("特别行政区", "市", "地区", "盟", "林区"):
        if name.endswith(ending) and len(name) - len(ending) >= 2:
            return name[: -len(ending)]
    return name
