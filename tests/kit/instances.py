"""Instances made directly from arrays: small random networks, and large ones for benchmarks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from postroad.network.instance import MODES, Instance, freeze

UNLIMITED = 2**30


@dataclass
class Draft:
    """What :func:`make_instance` needs: facilities, connections (tuples) and what is not the usual.

    ``connections`` rows are (from, to, mode, dep_min, dur_min, ready_min, cost, g per tonne, service).
    """

    n_core: int
    connections: list[tuple[int, ...]]
    n_days: int = 2
    slot_min: int = 30
    parents: list[int] = field(default_factory=list)  # of the outlets, which follow the cores
    endpoints: list[int] | None = None  # facilities that collect and deliver; all when None
    runs: list[list[bool]] = field(default_factory=list)  # by service; daily when empty
    fac_cost: list[int] | None = None
    closed: list[tuple[int, int, int]] = field(default_factory=list)  # (facility, first slot of day, last slot of day)
    waves: list[int] = field(default_factory=lambda: [18, 28])  # slots of the day
    origin_min: int = 0
    dest_min: int = 60
    vots: list[int] = field(default_factory=lambda: [1000])
    mode_ok: list[list[bool]] | None = None


def make_instance(draft: Draft) -> Instance:
    """Freeze a draft; one trip and one leg for each connection."""
    n_fac = draft.n_core + len(draft.parents)
    per_day = 1440 // draft.slot_min
    n_slots = draft.n_days * per_day
    parent = np.r_[np.full(draft.n_core, -1), np.array(draft.parents, int)].astype(np.int32)
    rows = np.array(draft.connections, np.int64).reshape(-1, 9)
    source, target, mode, dep, dur, ready, cost, g, service = rows.T
    codes, lane = np.unique((source * n_fac + target) * len(MODES) + mode, return_inverse=True)
    lane_from, lane_to = codes // (n_fac * len(MODES)), codes // len(MODES) % n_fac
    is_endpoint = np.ones(n_fac, bool)
    if draft.endpoints is not None:
        is_endpoint[:] = False
        is_endpoint[draft.endpoints] = True
    anchor = np.where(parent < 0, np.arange(n_fac), parent)
    td_fac = np.unique(anchor[is_endpoint])
    fac_td = np.full(n_fac, -1)
    td_of_core = np.full(n_fac, -1)
    td_of_core[td_fac] = np.arange(len(td_fac))
    fac_td[is_endpoint] = td_of_core[anchor[is_endpoint]]
    fac_td[td_fac] = np.arange(len(td_fac))
    sort_cap = np.full((n_fac, n_slots), UNLIMITED, np.int32)
    for fac, first, last in draft.closed:
        for day in range(draft.n_days):
            sort_cap[fac, day * per_day + first : day * per_day + last] = 0
    wave_cap = np.zeros((n_fac, n_slots), np.int32)
    for wave in draft.waves:
        wave_cap[is_endpoint, wave::per_day] = UNLIMITED
    runs = np.array(draft.runs or [[True] * draft.n_days], bool)
    n_prod = len(draft.vots)
    ints = {"dtype": np.int32}
    feeder, collect = np.full(n_fac, -1, **ints), np.full(n_fac, -1, **ints)
    for number in range(len(codes) - 1, -1, -1):
        if parent[lane_to[number]] == lane_from[number]:
            feeder[lane_to[number]] = number
        if parent[lane_from[number]] == lane_to[number]:
            collect[lane_from[number]] = number
    n_leg = len(rows)
    caps = np.full(n_leg, 2**40, np.int64)
    return freeze(
        Instance(
            digest="draft",
            level="city",
            timezone="Asia/Shanghai",
            epoch=datetime(2026, 3, 2, tzinfo=ZoneInfo("Asia/Shanghai")),
            n_days=draft.n_days,
            slot_min=draft.slot_min,
            fac_id=tuple(f"F{i}" for i in range(n_fac)),
            fac_kind=np.zeros(n_fac, np.int8),
            fac_parent=parent,
            fac_place=anchor.astype(np.int32),
            fac_region=np.zeros(n_fac, np.int8),
            fac_province=np.zeros(n_fac, np.int16),
            fac_territory=np.zeros(n_fac, np.int16),
            fac_lon=np.zeros(n_fac),
            fac_lat=np.zeros(n_fac),
            fac_is_endpoint=is_endpoint,
            fac_td=fac_td.astype(np.int32),
            fac_cost=np.array(draft.fac_cost or [0] * n_fac, **ints),
            fac_wh=np.zeros(n_fac, **ints),
            td_fac=td_fac.astype(np.int32),
            n_core=draft.n_core,
            sort_cap=sort_cap,
            screen_cap=np.full((n_fac, n_slots), UNLIMITED, np.int32),
            wave_cap=wave_cap,
            origin_min=np.full(n_fac, draft.origin_min, **ints),
            dest_min=np.full(n_fac, draft.dest_min, **ints),
            wave_delay=np.full((n_fac, per_day), -(-draft.dest_min // draft.slot_min), **ints),
            lane_from=lane_from.astype(np.int32),
            lane_to=lane_to.astype(np.int32),
            lane_mode=(codes % len(MODES)).astype(np.int8),
            out_ptr=np.searchsorted(lane_from, np.arange(n_fac + 1)).astype(np.int32),
            feeder_lane=feeder,
            collect_lane=collect,
            cn_lane=lane.astype(np.int32),
            cn_trip=np.arange(n_leg, **ints),
            cn_leg_first=np.arange(n_leg, **ints),
            cn_leg_last=np.arange(n_leg, **ints),
            cn_dep_min=dep.astype(np.int32),
            cn_dur_min=dur.astype(np.int32),
            cn_ready_min=ready.astype(np.int32),
            cn_cost=cost.astype(np.int32),
            cn_g=g.astype(np.int32),
            cn_service=service.astype(np.int32),
            leg_trip=np.arange(n_leg, **ints),
            leg_from=source.astype(np.int32),
            leg_to=target.astype(np.int32),
            leg_km=dur.astype(float),
            leg_activity_km=dur.astype(float),
            leg_vehicle=np.zeros(n_leg, **ints),
            leg_n_vehicles=np.ones(n_leg, **ints),
            leg_cap_items=caps,
            leg_cap_g=caps.copy(),
            leg_cap_cm3=caps.copy(),
            service_runs=runs,
            trip_id=tuple(f"T{i}" for i in range(n_leg)),
            **_departures(dep, dur, ready, service, runs, draft.n_days, draft.slot_min),
            prod_id=tuple(f"P{i}" for i in range(n_prod)),
            prod_priority=np.arange(n_prod, dtype=np.int8),
            prod_g=np.full(n_prod, 1000, **ints),
            prod_cm3=np.full(n_prod, 5000, **ints),
            prod_vot=np.array(draft.vots, **ints),
            prod_mode_ok=np.array(draft.mode_ok or [[True] * len(MODES)] * n_prod, bool),
        )
    )


def _departures(dep, dur, ready, service, runs, n_days, slot_min) -> dict[str, np.ndarray]:
    """One row per connection and service day that leaves within the horizon, in order of (minute, connection)."""
    day = np.repeat(np.arange(n_days), len(dep))
    cn = np.tile(np.arange(len(dep)), n_days)
    leaves = day * 1440 + dep[cn]
    kept = runs[service[cn], day] & (leaves < n_days * 1440)
    cn, day, leaves = cn[kept], day[kept], leaves[kept]
    order = np.lexsort((cn, leaves))
    cn, day, leaves = cn[order], day[order], leaves[order]
    arr = leaves + dur[cn]
    columns = {
        "dp_cn": cn,
        "dp_dep_min": leaves,
        "dp_arr_min": arr,
        "dp_ready_slot": -(-(arr + ready[cn]) // slot_min),
        "dp_day": day,
    }
    ptr = np.searchsorted(leaves, np.arange(0, n_days * 1440 + 1, slot_min)).astype(np.int64)
    return {name: column.astype(np.int32) for name, column in columns.items()} | {
        "dp_capf": np.full(len(cn), 1000, np.int32),
        "dp_ptr": ptr,
    }


def random_draft(
    seed: int,
    *,
    n_core: int = 6,
    n_connections: int = 60,
    n_days: int = 2,
    n_modes: int = 2,
    overnight: bool = False,
    **settings,
) -> Draft:
    """A random network of cores: connections at random minutes, overtaking and dear earlier departures included."""
    rng = np.random.default_rng(seed)
    source = rng.integers(0, n_core, n_connections)
    target = (source + rng.integers(1, n_core, n_connections)) % n_core
    connections = np.stack(
        [
            source,
            target,
            rng.integers(0, n_modes, n_connections),
            rng.integers(0, 2000 if overnight else 1440, n_connections),
            rng.integers(20, 900, n_connections),
            rng.integers(0, 90, n_connections),
            rng.integers(0, 5000, n_connections),
            rng.integers(0, 100_000, n_connections),
            rng.integers(0, len(settings.get("runs") or [0]), n_connections),
        ],
        axis=1,
    )
    return Draft(n_core, [tuple(int(v) for v in row) for row in connections], n_days=n_days, **settings)


def national_draft(
    seed: int,
    *,
    n_core: int = 700,
    n_td: int = 372,
    n_connections: int = 200_000,
    n_lanes: int = 50_000,
    n_days: int = 1,
) -> Instance:
    """A network of national size whose lanes mostly lead to and from the larger centres."""
    rng = np.random.default_rng(seed)
    weight = 1.0 / np.arange(1, n_core + 1) ** 0.7
    weight /= weight.sum()
    source, target = rng.choice(n_core, n_lanes, p=weight), rng.choice(n_core, n_lanes, p=weight)
    lane = np.r_[np.arange(n_lanes), rng.integers(0, n_lanes, n_connections - n_lanes)]
    source, target = source[lane], target[lane]
    keep = source != target
    x, y = rng.random(n_core) * 4000, rng.random(n_core) * 3000
    km = 1.3 * np.hypot(x[source] - x[target], y[source] - y[target])
    mode = np.where(km > 1500, lane % 3, 0) % 4
    minutes = np.where(mode == 2, 120 + km / 12, 60 + km * 60 / np.where(mode == 1, 90, 75))
    dep = rng.integers(0, 1440, len(lane))
    cost = np.where(mode == 2, km * 2, km * 0.5) + rng.integers(0, 200, len(lane))
    rows = np.stack(
        [source, target, mode, dep, minutes, np.full(len(lane), 90), cost, km * 60, np.zeros(len(lane))], axis=1
    ).astype(int)[keep]
    draft = Draft(
        n_core,
        [],
        n_days=n_days,
        endpoints=list(range(n_td)),
        vots=[300, 900],
        mode_ok=[[True, True, False, True], [True] * 4],
    )
    draft.connections = rows  # type: ignore[assignment]
    return make_instance(draft)
