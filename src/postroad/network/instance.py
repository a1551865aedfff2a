"""The compiled network: integer-indexed, read-only arrays, validated once.

``compile_network`` (in :mod:`postroad.network.compile`) freezes the tables of a feed and an overlay into an
:class:`Instance`. Kernels read nothing else. All instants are int32 minutes from ``epoch`` (local midnight of the first
day of the horizon, in the feed's time zone); a *slot* is ``slot_min`` minutes (default 30), and every facility works in
slots: what arrives within a slot is taken up at its end.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime

import numpy as np

__all__ = ["MODES", "Instance", "freeze"]

MODES = ("road", "rail", "air", "water")


@dataclass(frozen=True, slots=True)
class Instance:
    """A network over a horizon of days, ready for kernels.

    Facilities
        Core facilities (sorting, hub, exchange, airport, railhead, port) have the indices ``0..n_core-1``; outlets
        follow. A parcel is routed between cores; an outlet hangs on its ``fac_parent``.
        An *endpoint* collects and delivers; its *anchor* is itself when it is a core and its parent when it is an
        outlet. The distinct anchors are the tree destinations ``td``.

    Connections
        A *connection* boards one trip at one call and alights at a later one. It rides the legs
        ``cn_leg_first .. cn_leg_last`` (one leg for a single-stop trip), whose capacities it shares with the other
        connections of the trip. ``cn_lane`` is its *lane* here: the triple (from, to, mode). Lanes are sorted by
        (from, to, mode); ``out_ptr[f] : out_ptr[f + 1]`` are the lanes that leave core facility ``f``.

    Departures
        One row per connection and service day, in order of (slot, departure minute, connection): ``dp_cn``,
        ``dp_dep_min``, ``dp_arr_min``, ``dp_ready_slot`` (the slot in which what it carries joins the queue of the
        receiving facility, unloading and handling included), ``dp_day`` (service day). ``dp_ptr[s] : dp_ptr[s + 1]``
        are the departures of slot ``s``.
    """

    digest: str
    level: str
    timezone: str
    epoch: datetime
    n_days: int
    slot_min: int

    # facilities, shape (n_fac,)
    fac_id: tuple[str, ...]
    fac_kind: np.ndarray  # int8, index into network.schema facility kinds
    fac_parent: np.ndarray  # int32, core facility of an outlet, -1 for a core
    fac_place: np.ndarray  # int32, city index: facilities of one city share it
    fac_region: np.ndarray  # int8: 0 east, 1 centre, 2 west, 3 other
    fac_province: np.ndarray  # int16, province index
    fac_territory: np.ndarray  # int16, customs territory index, see network.areas
    fac_lon: np.ndarray  # float64, degrees
    fac_lat: np.ndarray  # float64, degrees
    fac_is_endpoint: np.ndarray  # bool
    fac_td: np.ndarray  # int32, tree destination of the endpoint's anchor; of a core that is none: -1
    fac_cost: np.ndarray  # int32, milli-yuan for handling one item once
    fac_wh: np.ndarray  # int32, watt-hours for handling one item once
    td_fac: np.ndarray  # int32 (n_td,), core facility of each tree destination
    n_core: int

    # facility work by slot of the horizon, shape (n_fac, n_slots), int32
    sort_cap: np.ndarray  # items that can be sorted in the slot; 0 when closed
    screen_cap: np.ndarray  # items newly accepted that can be screened in the slot
    wave_cap: np.ndarray  # items that the delivery wave leaving at this slot can take; 0 when no wave
    origin_min: np.ndarray  # int32 (n_fac,): acceptance to joining the screening queue
    dest_min: np.ndarray  # int32 (n_fac,): sorted at the delivering facility to ready for a delivery wave
    wave_delay: np.ndarray  # int32 (n_fac, slots_per_day): the same in slots by slot of sorting, cut-offs included

    # lanes (from, to, mode), shape (n_lane,)
    lane_from: np.ndarray  # int32
    lane_to: np.ndarray  # int32
    lane_mode: np.ndarray  # int8, index into MODES
    out_ptr: np.ndarray  # int32 (n_fac + 1,)
    feeder_lane: np.ndarray  # int32 (n_fac,): lane parent -> outlet; -1 for a core
    collect_lane: np.ndarray  # int32 (n_fac,): lane outlet -> parent; -1 for a core

    # connections, shape (n_cn,)
    cn_lane: np.ndarray  # int32
    cn_trip: np.ndarray  # int32
    cn_leg_first: np.ndarray  # int32
    cn_leg_last: np.ndarray  # int32
    cn_dep_min: np.ndarray  # int32, from midnight of the service day
    cn_dur_min: np.ndarray  # int32
    cn_ready_min: np.ndarray  # int32, unloading and handling at the receiving facility after arrival
    cn_cost: np.ndarray  # int32, milli-yuan per item: what routing weighs
    cn_g: np.ndarray  # int32, g CO2e per tonne: what routing weighs
    cn_service: np.ndarray  # int32

    # legs, shape (n_leg,)
    leg_trip: np.ndarray  # int32
    leg_from: np.ndarray  # int32, facility
    leg_to: np.ndarray  # int32, facility
    leg_km: np.ndarray  # float64, distance run
    leg_activity_km: np.ndarray  # float64, shortest feasible or great-circle distance (ISO 14083)
    leg_vehicle: np.ndarray  # int32, row of the vehicles table
    leg_n_vehicles: np.ndarray  # int32
    leg_cap_items: np.ndarray  # int64
    leg_cap_g: np.ndarray  # int64, grams
    leg_cap_cm3: np.ndarray  # int64
    service_runs: np.ndarray  # bool (n_service, n_days)
    trip_id: tuple[str, ...] | None

    # departures over the horizon
    dp_cn: np.ndarray  # int32
    dp_dep_min: np.ndarray  # int32
    dp_arr_min: np.ndarray  # int32
    dp_ready_slot: np.ndarray  # int32
    dp_day: np.ndarray  # int32
    dp_capf: np.ndarray  # int32, capacity left by the overlay, per thousand
    dp_ptr: np.ndarray  # int64 (n_slots + 1,)

    # products, shape (n_prod,), in order of priority (0 is served first)
    prod_id: tuple[str, ...]
    prod_priority: np.ndarray  # int8
    prod_g: np.ndarray  # int32, mean grams per item
    prod_cm3: np.ndarray  # int32, mean loaded volume per item
    prod_vot: np.ndarray  # int32, milli-yuan per item and hour
    prod_mode_ok: np.ndarray  # bool (n_prod, len(MODES))

    @property
    def n_fac(self) -> int:
        """Number of facilities."""
        return len(self.fac_id)

    @property
    def n_slots(self) -> int:
        """Number of slots in the horizon."""
        return self.n_days * self.slots_per_day

    @property
    def slots_per_day(self) -> int:
        """Number of slots in a day."""
        return 1440 // self.slot_min


def freeze(instance: Instance) -> Instance:
    """Make every array of the instance read-only and return it."""
    for field in fields(instance):
        value = getattr(instance, field.name)
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
    return instance
