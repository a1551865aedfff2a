"""Abroad: exchange offices, flights to other countries, China-Europe trains and roads to Hong Kong and Macao."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from postroad.reference.capacity import hourly_capacity
from postroad.reference.codes import airports_by_city, centre_codes
from postroad.reference.draft import Draft
from postroad.reference.fleet import item_capacity
from postroad.reference.geometry import great_circle_km
from postroad.reference.sizes import Size
from postroad.reference.sources import Cities, Rules, read_source
from postroad.reference.terminals import (
    Offer,
    Terminal,
    add_runs,
    even_minutes,
    lane_row,
    shuttle_trips,
    trip_frame,
)
from postroad.reference.timetable import SURGE

__all__ = ["Abroad", "add_abroad", "plan_abroad"]

HMT_PLACE = {"HK": "810000", "MO": "820000", "TW": "710000"}
"""Places of China that are reached across a border."""

_RETURN_SHARE = 0.02
"""Items that come back across the border, per item sent: undeliverable ones (modelled)."""


@dataclass(frozen=True)
class Abroad:
    """International traffic of the mean day.

    Attributes
    ----------
    gateways: rows of the gateway table with the share of each in the items.
    exchange_city: int64 (n_exchange,), city rows of the exchange offices.
    origin: int64 (n_origin,), city rows.
    items: float64 (n_origin, n_exchange, n_gateway), items a day from each origin through each office to each gateway.
    flights: passenger flights a day in 2014 by (exchange, gateway); 0 for links that are not flown by them.
    office_load: float64 (n_exchange, n_gateway), items a day for which the ways abroad are sized.
    """

    gateways: pl.DataFrame
    exchange_city: np.ndarray
    origin: np.ndarray
    items: np.ndarray
    flights: Mapping[tuple[int, int], int]
    office_load: np.ndarray

    def times(self, ratio: float) -> Abroad:
        """The traffic of a day with so many times the items."""
        return replace(self, items=self.items * ratio, office_load=self.office_load * ratio)

    @property
    def received(self) -> np.ndarray:
        """Items a day by gateway, float64 (n_gateway,)."""
        return self.items.sum(axis=(0, 1))

    def feeder_od(self, n: int) -> np.ndarray:
        """Items a day from each city to the city of its exchange offices, float64 (n, n)."""
        od = np.zeros((n, n))
        od[np.ix_(self.origin, self.exchange_city)] = self.items.sum(axis=2)
        return od

    def delivered_hmt(self, cities: Cities) -> np.ndarray:
        """Items a day delivered by the centres of Hong Kong, Macao and Taiwan, float64 (n,)."""
        delivered = np.zeros(len(cities.codes))
        for country, items in zip(self.gateways["country"], self.received, strict=True):
            if country in HMT_PLACE:
                delivered[cities.index[HMT_PLACE[country]]] = items
        return delivered


def plan_abroad(cities: Cities, size: Size, rules: Rules) -> Abroad:
    """Split the published international volume over origins, exchange offices and gateways.

    Origins send in proportion to their domestic items. Hong Kong, Macao and Taiwan share ``hmt_share`` by people, the
    countries abroad the rest by people (the rule of the demand model). The offices linked to a gateway share the items
    of an origin by a logit on the cost of the way, kilometres by mode.
    """
    gateways = read_source("rules/gateways.csv").with_columns(share=_shares(cities, rules))
    exchange_city = np.array([cities.index[code] for code in read_source("rules/exchanges.csv")["city_code"]])
    flights = _links(cities, exchange_city, gateways)
    origin = np.flatnonzero(cities.on_road)
    weight = cities.od_items.sum(axis=1)[origin]
    sent = size.international_items(rules) * weight / weight.sum()
    onward = _onward_cost(cities, exchange_city, gateways, flights, rules)
    inland = cities.road_km[np.ix_(origin, exchange_city)] * rules.abroad_road_yuan_per_km
    cost = inland[:, :, None] + onward[None, :, :]
    split = np.exp(-(cost - cost.min(axis=1, keepdims=True)) / rules.abroad_spread_yuan)
    split /= split.sum(axis=1, keepdims=True)
    items = sent[:, None, None] * split * gateways["share"].to_numpy()
    return Abroad(gateways, exchange_city, origin, items, flights, items.sum(axis=0))


def _onward_cost(
    cities: Cities,
    exchange_city: np.ndarray,
    gateways: pl.DataFrame,
    flights: Mapping[tuple[int, int], int],
    rules: Rules,
) -> np.ndarray:
    """Yuan an item from an exchange office to a gateway, float64 (n_exchange, n_gateway); inf without a link."""
    cost = np.full((len(exchange_city), gateways.height), np.inf)
    codes = gateways["facility_id"].to_list()
    points = gateway_points()
    lon, lat = cities.frame["lon"].to_numpy()[exchange_city], cities.frame["lat"].to_numpy()[exchange_city]
    for exchange, gateway in flights:
        km = float(great_circle_km(lon[exchange], lat[exchange], *points[codes[gateway]]))
        by_road = codes[gateway] in ("HKG", "MFM")
        cost[exchange, gateway] = km * (rules.abroad_road_yuan_per_km if by_road else rules.abroad_air_yuan_per_km)
    for row, km in _train_km(rules):
        exchange = np.flatnonzero(exchange_city == cities.index[row["origin_code"]])[0]
        gateway = codes.index(row["facility_id"])
        cost[exchange, gateway] = min(cost[exchange, gateway], km * rules.abroad_rail_yuan_per_km)
    return cost


def gateway_points() -> dict[str, tuple[float, float]]:
    """Longitude and latitude of the airports abroad and of those of Hong Kong, Macao and Taiwan."""
    points = {}
    for table in ("network/airports_cn.csv", "network/airports_foreign.csv"):
        points |= {iata: (lon, lat) for iata, lon, lat in read_source(table).select("iata", "lon", "lat").iter_rows()}
    return points


def _train_km(rules: Rules) -> list[tuple[dict, float]]:
    """The China-Europe services with their kilometres."""
    paths = dict(read_source("international_osm/china_europe_rail.csv").select("service", "km_total").iter_rows())
    rows = read_source("rules/rail_gateways.csv").iter_rows(named=True)
    return [(row, paths[row["service"]] * rules.china_europe_scale) for row in rows]


def _shares(cities: Cities, rules: Rules) -> pl.Series:
    """Share of each gateway in the international items, by people within the two groups."""
    people = dict(read_source("international/countries.csv").select("iso2", "population").iter_rows())
    people |= {iso: cities.frame["pop_2020"][cities.index[city]] for iso, city in HMT_PLACE.items()}
    countries = read_source("rules/gateways.csv")["country"].to_list()
    weight = np.array([people[iso] for iso in countries], float)
    is_hmt = np.array([iso in HMT_PLACE for iso in countries])
    share = np.zeros(len(weight))
    for group, part in ((is_hmt, rules.hmt_share), (~is_hmt, 1.0 - rules.hmt_share)):
        share[group] = part * weight[group] / weight[group].sum()
    return pl.Series("share", share)


def _links(cities: Cities, exchange_city: np.ndarray, gateways: pl.DataFrame) -> dict[tuple[int, int], int]:
    """Daily flights of 2014 between exchange cities and gateways; a gateway without any is linked from Shanghai.

    Hong Kong and Macao are linked by road from Shenzhen and Guangzhou, and from Zhuhai.
    """
    exchange_of = {
        airport: number
        for number, row in enumerate(exchange_city)
        for airport in airports_by_city().get(cities.codes[row], ())
    }
    number_of = {code: number for number, code in enumerate(gateways["facility_id"])}
    shanghai = exchange_of["PVG"]
    links: dict[tuple[int, int], int] = {}
    for row in read_source("network_osm/air_routes_international_2014.csv").iter_rows(named=True):
        for start, end in ((row["src"], row["dst"]), (row["dst"], row["src"])):
            if start in exchange_of and end in number_of and end not in ("HKG", "MFM"):
                key = (exchange_of[start], number_of[end])
                links[key] = max(links.get(key, 0), int(row["n_airlines"]))
    for code, number in number_of.items():
        if code == "HKG":
            links |= {(exchange_of["SZX"], number): 0, (exchange_of["CAN"], number): 0}
        elif code == "MFM":
            links[(exchange_of["ZUH"], number)] = 0
        elif not any(key[1] == number for key in links):
            links[(shanghai, number)] = 0
    return links


def add_abroad(draft: Draft, cities: Cities, abroad: Abroad, size: Size, rules: Rules) -> None:
    """Add the exchange offices with the lanes and trips to the gateways."""
    offer = Offer()
    codes = [centre_codes()[city] for city in cities.codes]
    _add_offices(offer, cities, abroad, codes)
    ratio = size.surge_items(rules) / size.mean_items(rules)
    load = abroad.office_load
    _fly_abroad(offer, cities, abroad, codes, load, ratio, rules)
    _add_trains(offer, cities, codes, rules)
    _add_border_roads(offer, abroad, codes, cities, load, ratio, rules)
    for number, row in enumerate(abroad.exchange_city):
        items = load[number].sum() * ratio * rules.headroom
        for start, end, carried in (
            (codes[row], f"{codes[row]}-X", items),
            (f"{codes[row]}-X", codes[row], items * _RETURN_SHARE),
        ):
            offer.run(*shuttle_trips(start, end, rules.exchange_site_km, carried, int(rules.shuttle_trips), rules))
    _add_office_rows(draft, offer, load, ratio, rules)
    add_runs(
        draft, offer, "Routes of June 2014 (OpenFlights, ODbL), freighters and trains by rule; times and space modelled"
    )


def _add_offices(offer: Offer, cities: Cities, abroad: Abroad, codes: list[str]) -> None:
    for row in abroad.exchange_city:
        city = cities.frame.row(int(row), named=True)
        offer.terminals.append(
            Terminal(
                f"{codes[row]}-X",
                "exchange",
                f"{city['name'].removesuffix('市')}国际邮件互换局",
                f"{city['name_en']} exchange office",
                city["city_code"],
                city["lon"],
                city["lat"],
                "modelled",
                "Exchange office of the policy lists or at a gateway (rules/exchanges.csv); site at the city point",
            )
        )


def _add_office_rows(draft: Draft, offer: Offer, load: np.ndarray, ratio: float, rules: Rules) -> None:
    """The offices: customs dwell as handling time, capacity by the surge load."""
    rows = []
    for number, terminal in enumerate(offer.terminals):
        items = load[number].sum() * ratio
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
                "sort_items_per_h": hourly_capacity(items, rules.effective_terminal_h, rules, rules.min_sort),
                "handling_min": int(rules.customs_min),
                "cost_yuan_per_item": rules.exchange_cost_yuan,
                "kwh_per_item": rules.sort_kwh,
                "label": "modelled",
                "source": terminal.source,
            }
        )
    draft.add("facilities", rows)


def _fly_abroad(
    offer: Offer, cities: Cities, abroad: Abroad, codes: list[str], load: np.ndarray, ratio: float, rules: Rules
) -> None:
    """Passenger flights of 2014, and freighters until the load with headroom is carried; surge freighters on top."""
    points = gateway_points()
    seats = _seats(rules)
    for (exchange, gateway), airlines in sorted(abroad.flights.items()):
        code = abroad.gateways["facility_id"][gateway]
        if code in ("HKG", "MFM"):
            continue
        row = abroad.exchange_city[exchange]
        km = float(great_circle_km(cities.frame["lon"][int(row)], cities.frame["lat"][int(row)], *points[code]))
        belly = min(airlines, 3)
        vehicle = "belly-wide"
        needed = load[exchange, gateway] * rules.headroom
        freight, extra = (_freighters(needed * scale, belly * seats[vehicle], seats, rules) for scale in (1.0, ratio))
        freight = max(freight, int(belly == 0))
        for start, end in ((f"{codes[row]}-X", code), (code, f"{codes[row]}-X")):
            lane = lane_row(start, end, "air", km + 95.0, km)
            block = int(np.ceil(km / 860 * 60 + rules.block_extra_min + 15))
            phase = ((exchange * 7 + gateway * 3) % 10) / 10
            if belly:
                offer.run(lane, trip_frame(lane["lane_id"], vehicle, even_minutes(belly, 480, 1380, phase), block))
            if freight:
                offer.run(
                    lane, trip_frame(lane["lane_id"], "freighter-wide", even_minutes(freight, 60, 1440, phase), block)
                )
            if start != code and extra > freight:
                minutes = even_minutes(extra - freight, 90, 1470, phase)
                offer.run(lane, trip_frame(lane["lane_id"], "freighter-wide", minutes, block, SURGE))


def _seats(rules: Rules) -> dict[str, float]:
    """Items of the design mix that each vehicle holds."""
    return {
        row["vehicle_id"]: item_capacity(row["payload_kg"], row["volume_m3"], rules)
        for row in read_source("rules/vehicles.csv").iter_rows(named=True)
    }


def _freighters(items: float, carried: float, seats: Mapping[str, float], rules: Rules) -> int:
    """Freighter flights that carry what the passenger flights leave."""
    return int(np.ceil(max(0.0, items / rules.planned_fill - carried) / seats["freighter-wide"]))


def _add_trains(offer: Offer, cities: Cities, codes: list[str], rules: Rules) -> None:
    """China-Europe trains, one a day on each service (real ones run several times a week)."""
    for row, km in _train_km(rules):
        duration = int(km / rules.china_europe_km_per_day * 1440)
        office = f"{codes[cities.index[row['origin_code']]]}-X"
        for start, end in ((office, row["facility_id"]), (row["facility_id"], office)):
            lane = lane_row(start, end, "rail", km)
            offer.run(lane, trip_frame(lane["lane_id"], "block-train", [600], duration))


def _add_border_roads(
    offer: Offer, abroad: Abroad, codes: list[str], cities: Cities, load: np.ndarray, ratio: float, rules: Rules
) -> None:
    """Roads from Shenzhen and Guangzhou to Hong Kong and from Zhuhai to Macao, sized on the surge."""
    names = abroad.gateways["facility_id"].to_list()
    target = {"HKG": cities.index["810000"], "MFM": cities.index["820000"]}
    for exchange, gateway in sorted(abroad.flights):
        if names[gateway] not in target:
            continue
        row = int(abroad.exchange_city[exchange])
        km = (
            max(rules.exchange_site_km, float(cities.road_km[row, target[names[gateway]]])) * rules.driven_over_shortest
        )
        items = load[exchange, gateway] * ratio * rules.headroom
        for start, end, carried in (
            (f"{codes[row]}-X", names[gateway], items),
            (names[gateway], f"{codes[row]}-X", items * _RETURN_SHARE),
        ):
            offer.run(*shuttle_trips(start, end, km, carried, int(rules.shuttle_trips), rules))
