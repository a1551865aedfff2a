"""Water: liners on the Yangtze and the ferries over the straits."""

from __future__ import annotations

from postroad.reference.codes import centre_codes
from postroad.reference.fleet import local_km
from postroad.reference.geometry import great_circle_km
from postroad.reference.sources import SANSHA, Cities, Rules, read_source
from postroad.reference.terminals import Offer, Terminal, even_minutes, lane_row, shuttle_trips, throughput, trip_frame

__all__ = ["build_water"]

_HAIKOU = (110.15, 20.05)
"""Xiuying and Xinhai ferry harbours of Haikou, to about 0.02 degrees (no row in ports_cn)."""

_ISLAND_KM = 450.0


def build_water(cities: Cities, rules: Rules) -> Offer:
    """Ports, liners and ferries with their shuttles, and the two ways to the islands of Sansha."""
    offer = Offer()
    lines = read_source("rules/waterways.csv")
    _add_ports(offer, cities, lines)
    for (line,), stops in lines.sort("line_id", "seq").group_by("line_id", maintain_order=True):
        _add_line(offer, line, stops.rows(named=True))
    _add_sansha(offer, cities, rules)
    able = throughput(offer, rules)
    point = {terminal.facility_id: (terminal.lon, terminal.lat) for terminal in offer.terminals}
    for city in sorted(set(lines["city_code"])):
        code, port = centre_codes()[city], f"{centre_codes()[city]}-P"
        frame = cities.frame.row(cities.index[city], named=True)
        km = local_km(float(great_circle_km(frame["lon"], frame["lat"], *point[port])), rules)
        loaded, unloaded = able[port]
        for start, end, items in ((code, port, loaded), (port, code, unloaded)):
            offer.run(*shuttle_trips(start, end, km, items, int(rules.shuttle_port_trips), rules))
    return offer


def _add_ports(offer: Offer, cities: Cities, lines) -> None:
    """The ports at which the lines call."""
    ports = {row["unlocode"]: row for row in read_source("network/ports_cn.csv").iter_rows(named=True)}
    for city, code in sorted(set(lines.select("city_code", "unlocode").iter_rows())):
        frame = cities.frame.row(cities.index[city], named=True)
        port = ports.get(code)
        lon, lat = (port["lon"], port["lat"]) if port else _HAIKOU
        offer.terminals.append(
            Terminal(
                f"{centre_codes()[city]}-P",
                "port",
                f"{frame['name'].removesuffix('市')}港",
                f"{frame['name_en']} port",
                city,
                lon,
                lat,
                "measured" if port else "modelled",
                f"Port {code} (searoute 1.6.0, sea-ports 0.0.9)"
                if port
                else "Ferry harbour placed by hand to about 0.02 degrees",
            )
        )


def _add_line(offer: Offer, line: str, stops: list[dict]) -> None:
    """The daily departures of one line, each a trip with calls."""
    for number, start in enumerate(even_minutes(stops[0]["departures"], 0, 1440)):
        trip_id = f"{line}.{number + 1}"
        clock = start
        arrivals = []
        for seq, stop in enumerate(stops):
            arrive = clock + round(stop["hours_from_previous"] * 60)
            clock = arrive + round(stop["stay_h"] * 60)
            arrivals.append(arrive)
            offer.calls.append(
                {
                    "trip_id": trip_id,
                    "seq": seq,
                    "facility_id": f"{centre_codes()[stop['city_code']]}-P",
                    "arrive": arrive,
                    "depart": clock,
                    "distance_km": float(stop["km_from_previous"]),
                    "label": stop["label"],
                    "source": stop["source"],
                }
            )
        offer.long_trips.append(
            {
                "trip_id": trip_id,
                "lane_id": None,
                "vehicle_id": stops[0]["vehicle_id"],
                "service_id": "daily",
                "n_vehicles": 1,
                "depart": start,
                "arrive": arrivals[-1],
                "label": stops[0]["label"],
                "source": stops[0]["source"],
            }
        )


def _add_sansha(offer: Offer, cities: Cities, rules: Rules) -> None:
    """Sansha is reached from Haikou: by a daily charter flight and by supply ship (both modelled)."""
    haikou, island = centre_codes()["460100"], centre_codes()[SANSHA]
    for start, end in ((haikou, island), (island, haikou)):
        air = lane_row(start, end, "air", _ISLAND_KM)
        offer.run(air, trip_frame(air["lane_id"], "belly", [570 if start == haikou else 720], 80))
        ship = lane_row(start, end, "water", _ISLAND_KM)
        offer.run(ship, trip_frame(ship["lane_id"], "island-ship", [1080 if start == haikou else 1020], 900))
