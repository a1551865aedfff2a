"""Itineraries: the ways of one item from acceptance to the delivery wave, step by step, with time, cost and carbon."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

import numpy as np

from postroad.core.clock import DAY_MIN, instant_at, minutes_since, time_zone
from postroad.core.errors import InfeasibleError, InputError, NotFound
from postroad.network.instance import MODES, Instance
from postroad.network.rows import near_name
from postroad.routing.pareto import Journey, find_journeys, pick_spread
from postroad.routing.timetable import NEVER, Timetable, when_open

__all__ = ["Hop", "Itinerary", "Stop", "find_endpoint", "route"]


@dataclass(frozen=True, slots=True)
class Stop:
    """A facility (or product) by id and names."""

    id: str
    name: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Hop:
    """One ride: instants are aware, in the zone of the feed; money and carbon are per item and modelled."""

    start: Stop
    end: Stop
    mode: str
    trip_id: str
    departs_at: datetime
    arrives_at: datetime
    queued_at: datetime
    sorted_at: datetime
    km: float
    cost_yuan: float
    gco2e: float


@dataclass(frozen=True, slots=True)
class Itinerary:
    """One way of an item from acceptance to the delivery wave.

    Attributes
    ----------
    origin, destination: the endpoints. product_id, product_name, product_name_en: what is sent.
    accepted_at, joined_at, sorted_at: acceptance; joining the queue for screening; screened and sorted at the origin.
    arrives_at, ready_at: arrival and sorting at the destination (those of the origin when they are one).
    out_at: the delivery wave that takes it; None when none leaves within the horizon.
    hops: the rides. km: kilometres run.
    cost_yuan: rides at the vehicles' planning fill and handling at every facility, per item (modelled).
    gco2e: of the rides, per item of the product's mean weight (modelled).
    """

    origin: Stop
    destination: Stop
    product_id: str
    product_name: str
    product_name_en: str
    accepted_at: datetime
    joined_at: datetime
    sorted_at: datetime
    arrives_at: datetime
    ready_at: datetime
    out_at: datetime | None
    hops: tuple[Hop, ...]
    km: float
    cost_yuan: float
    gco2e: float

    def data(self) -> dict[str, object]:
        """The itinerary as plain data for JSON; instants in ISO 8601 with their offset."""
        return _plain(asdict(self)) | {"label": "modelled"}


def route(
    network,
    instance: Instance,
    origin: str,
    destination: str,
    depart: datetime,
    product_id: str,
    *,
    slack_min: float = 30.0,
    slack_share: float = 0.02,
    most: int | None = 5,
) -> list[Itinerary]:
    """Find the itineraries of which none is better in arrival, cost and carbon at once.

    Parameters
    ----------
    network: the feed. instance: compiled from it, with or without an overlay; ``depart`` lies in its horizon.
    origin, destination: ids or names of facilities or places (see :func:`find_endpoint`).
    depart: aware instant of acceptance.
    product_id: the product.
    slack_min, slack_share: an itinerary is left out when another arrives at most so many minutes later and costs and
        emits at most this share more; with both zero none is left out.
    most: show at most so many, spread over the choice (the earliest, the cheapest and the cleanest among them); all
        when None.

    Returns
    -------
    list of Itinerary, the earliest arrival first.

    Raises
    ------
    NotFound: PR-R120 for an unknown endpoint, PR-R123 for an unknown product.
    InputError: PR-R121 when ``depart`` lies outside the horizon.
    InfeasibleError: PR-R122 when nothing leads there within the horizon.
    LimitReached: PR-R110 when the search grows too large.

    **Assumes** nothing is full. To the minute: an item may leave in the minute in which it is sorted, where the twin
    works in slots and may take it a slot later.
    """
    start, end = (find_endpoint(network, instance, text) for text in (origin, destination))
    product, accepted = _product(instance, product_id), _accepted_min(instance, depart)
    joined = accepted + int(instance.origin_min[start])
    at_min = _work_off(instance, start, joined)
    journeys, timetable = [], None
    if at_min < NEVER:
        slack = {"slack_min": slack_min, "slack_share": slack_share}
        journeys, timetable = find_journeys(instance, product, start, end, at_min, **slack)
    if not journeys:
        ids = instance.fac_id[start], instance.fac_id[end]
        raise InfeasibleError(
            "PR-R122", origin=ids[0], destination=ids[1], product_id=product_id, n_days=instance.n_days
        )
    stops, names = _names(network, "facilities", "facility_id"), _names(network, "products", "product_id")[product_id]
    minutes = accepted, joined, at_min
    journeys = journeys if most is None else pick_spread(journeys, most)
    return [_describe(instance, timetable, stops, names, j, product, (start, end), minutes) for j in journeys]


def _product(instance: Instance, product_id: str) -> int:
    """The index of a product."""
    if product_id not in instance.prod_id:
        near = near_name(product_id, instance.prod_id)
        raise NotFound("PR-R123", value=product_id, near=near, known=", ".join(instance.prod_id))
    return instance.prod_id.index(product_id)


def _accepted_min(instance: Instance, depart: datetime) -> int:
    """The minute of acceptance, within the horizon."""
    accepted = minutes_since(instance.epoch, depart)
    if not 0 <= accepted < instance.n_days * DAY_MIN:
        zone = time_zone(instance.timezone)
        ends = (instance.epoch, instant_at(instance.epoch, instance.n_days * DAY_MIN))
        first, last = (end.astimezone(zone).isoformat() for end in ends)
        raise InputError("PR-R121", value=depart.isoformat(), first=first, last=last)
    return accepted


def find_endpoint(network, instance: Instance, text: str) -> int:
    """Find the facility that is meant: by its id, as the endpoint that serves a place id, or by a name of either.

    Letter case is ignored, and the beginning of a name is enough when just one served place bears such a name: 深圳 for
    深圳市. Of several facilities the one that serves a place comes first, then the lowest index.

    Raises
    ------
    NotFound: PR-R120, with the nearest id or name.
    """
    facilities = network.tables["facilities"]
    index = {facility_id: number for number, facility_id in enumerate(instance.fac_id)}
    wanted = text.strip().casefold()
    served: dict[str, list[str]] = {}
    for row in network.tables["service_areas"].iter_rows(named=True):
        served.setdefault(row["place_id"], []).append(row["facility_id"])
    known: dict[str, list[str]] = {}
    for row in facilities.iter_rows(named=True):
        known.setdefault(row["facility_id"].casefold(), []).insert(0, row["facility_id"])
        for name in (row["name"], row["name_en"]):
            known.setdefault((name or "").casefold(), []).append(row["facility_id"])
    beginnings: set[str] = set()
    for row in network.tables["places"].iter_rows(named=True):
        names = [(name or "").casefold() for name in (row["place_id"], row["name"], row["name_en"])]
        for name in names:
            known.setdefault(name, []).extend(served.get(row["place_id"], []))
        if row["place_id"] in served and any(name.startswith(wanted) for name in names[1:]):
            beginnings.add(row["place_id"])
    candidates = known.get(wanted, []) if wanted else []
    if not candidates and wanted and len(beginnings) == 1:
        candidates = served[beginnings.pop()]
    if not candidates:
        raise NotFound(
            "PR-R120", value=text, near=near_name(wanted, [name for name, ids in known.items() if name and ids])
        )
    if candidates[0].casefold() == wanted:
        return index[candidates[0]]
    return min(
        (index[facility] for facility in candidates), key=lambda number: (not instance.fac_is_endpoint[number], number)
    )


def _work_off(instance: Instance, fac: int, minute: int) -> int:
    """The minute at which what joins the screening queue of a facility is screened and sorted."""
    place = np.array([fac])
    screened = when_open(instance, instance.screen_cap, place, np.array([minute]))
    return int(when_open(instance, instance.sort_cap, place, screened)[0]) if screened[0] < NEVER else NEVER


def _wave_min(instance: Instance, fac: int, sorted_min: int) -> int:
    """The minute of the delivery wave that takes what is sorted at an endpoint by a minute; -1: none."""
    slot = -(-sorted_min // instance.slot_min)
    ready = slot + int(instance.wave_delay[fac, slot % instance.slots_per_day])
    waves = np.flatnonzero(instance.wave_cap[fac, ready:] > 0)
    return int(ready + waves[0]) * instance.slot_min if len(waves) else -1


def _names(network, table: str, key: str) -> dict[str, Stop]:
    """The rows of a table by id, with their names; a missing name is the other one, or the id."""
    rows = network.tables[table].select(key, "name", "name_en").iter_rows()
    return {code: Stop(code, name or name_en or code, name_en or name or code) for code, name, name_en in rows}


def _describe(
    instance: Instance,
    timetable: Timetable,
    stops: dict[str, Stop],
    names: Stop,
    journey: Journey,
    product: int,
    ends,
    minutes,
) -> Itinerary:
    """Put one journey into words and instants."""
    zone = time_zone(instance.timezone)

    def at(minute: int) -> datetime:
        return instant_at(instance.epoch, int(minute)).astimezone(zone)

    hops = tuple(_hop(instance, timetable, stops, c, product, at) for c in journey.departures)
    accepted, joined, sorted_min = minutes
    ready = int(timetable.ready[journey.departures[-1]]) if journey.departures else sorted_min
    out = _wave_min(instance, ends[1], ready)
    return Itinerary(
        origin=stops[instance.fac_id[ends[0]]],
        destination=stops[instance.fac_id[ends[1]]],
        product_id=instance.prod_id[product],
        product_name=names.name,
        product_name_en=names.name_en,
        accepted_at=at(accepted),
        joined_at=at(joined),
        sorted_at=at(sorted_min),
        arrives_at=at(journey.arr_min),
        ready_at=at(ready),
        out_at=at(out) if out >= 0 else None,
        hops=hops,
        km=round(sum(hop.km for hop in hops), 1),
        cost_yuan=(int(instance.fac_cost[ends[0]]) + journey.cost) / 1000,
        gco2e=round(journey.carbon / 1e6, 1),
    )


def _hop(instance: Instance, timetable: Timetable, stops: dict[str, Stop], c: int, product: int, at) -> Hop:
    """One departure of the timetable as a ride."""
    row = timetable.row[c]
    cn = instance.dp_cn[row]
    legs = slice(instance.cn_leg_first[cn], instance.cn_leg_last[cn] + 1)
    return Hop(
        start=stops[instance.fac_id[timetable.origin[c]]],
        end=stops[instance.fac_id[timetable.target[c]]],
        mode=MODES[instance.lane_mode[instance.cn_lane[cn]]],
        trip_id=instance.trip_id[instance.cn_trip[cn]] if instance.trip_id is not None else "",
        departs_at=at(timetable.dep[c]),
        arrives_at=at(timetable.arr[c]),
        queued_at=at(timetable.arr[c] + instance.cn_ready_min[cn]),
        sorted_at=at(timetable.ready[c]),
        km=round(float(instance.leg_km[legs].sum()), 1),
        cost_yuan=int(instance.cn_cost[cn]) / 1000,
        gco2e=round(int(instance.cn_g[cn]) * int(instance.prod_g[product]) / 1e6, 1),
    )


def _plain(value: object) -> object:
    """Tuples as lists and instants as text, all the way down."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value.isoformat() if isinstance(value, datetime) else value
