"""Gateways abroad: countries with an office in each."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

from postroad.reference.abroad import Abroad
from postroad.reference.capacity import hourly_capacity, wave_capacities
from postroad.reference.draft import Draft
from postroad.reference.sizes import Size
from postroad.reference.sources import Rules, read_source

__all__ = ["add_gateways"]


def add_gateways(draft: Draft, abroad: Abroad, size: Size, ratio: float, rules: Rules) -> None:
    """Countries abroad and one office in each; Hong Kong, Macao and Taiwan are centres of China already."""
    airports = {row["iata"]: row for row in read_source("network/airports_foreign.csv").iter_rows(named=True)}
    countries = {row["iso2"]: row for row in read_source("international/countries.csv").iter_rows(named=True)}
    received = abroad.received * ratio
    places, rows, areas, windows = [], [], [], []
    for number, gateway in enumerate(abroad.gateways.iter_rows(named=True)):
        code = gateway["facility_id"]
        if code not in airports:
            continue
        airport, country = airports[code], countries[gateway["country"]]
        places.append(_country_place(gateway["country"], country))
        rows.append(
            {
                "facility_id": code,
                "kind": "exchange",
                "name": f"{country['name_zh']}互换局（{code}）",
                "name_en": f"{country['name_en']} office of exchange, {airport['name']}",
                "place_id": gateway["country"],
                "operator_id": "net",
                "lon": airport["lon"],
                "lat": airport["lat"],
                "sort_items_per_h": hourly_capacity(
                    received[number], rules.effective_terminal_h, rules, rules.min_sort
                ),
                "handling_min": int(rules.abroad_handling_min),
                "dest_min": int(rules.abroad_dest_min),
                "cost_yuan_per_item": rules.exchange_cost_yuan,
                "kwh_per_item": rules.sort_kwh,
            }
        )
        areas.append(
            {
                "facility_id": code,
                "place_id": gateway["country"],
                "collects": False,
                "delivers": True,
                "deliveries_per_week": 7.0,
            }
        )
        windows.append(
            {
                "facility_id": code,
                "kind": "delivery_wave",
                "start": _local_start(airport["tz"], size),
                "n_items": wave_capacities(received[number], 1, rules)[0],
            }
        )
    draft.add("places", places, label="measured", source="datasets/country-codes, GeoNames")
    draft.add(
        "facilities",
        rows,
        label="modelled",
        source="One office a country at a large airport (airportsdata); capacity by rule",
    )
    draft.add("service_areas", areas, label="modelled", source="One office delivers to its country")
    draft.add("windows", windows, label="modelled", source="09:00 local standard time, written in the feed's time zone")


def _country_place(iso2: str, country: dict) -> dict:
    """The row of ``places`` of a country abroad."""
    return {
        "place_id": iso2,
        "kind": "country",
        "name": country["name_zh"],
        "name_en": country["name_en"],
        "region": "other",
        "lon": country["lon"],
        "lat": country["lat"],
        "population": country["population"],
    }


def _local_start(zone: str, size: Size) -> str:
    """09:00 local on the feed's base date as a time of day in Shanghai."""
    local = datetime.combine(size.base_date, time(9), ZoneInfo(zone))
    return local.astimezone(ZoneInfo("Asia/Shanghai")).strftime("%H:%M")
