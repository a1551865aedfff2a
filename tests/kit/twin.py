"""Small random networks whose every limit binds, with demand, promises and parameters for the twin."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from kit.instances import Draft, make_instance
from postroad.core.findings import Findings
from postroad.demand.flows import Flows
from postroad.demand.items import Items
from postroad.network.instance import Instance, freeze
from postroad.routing.tables import RoutingTables, build_tables
from postroad.twin.parameters import TwinParameters
from postroad.twin.result import TwinResult
from postroad.twin.simulation import Sample, simulate

N_PROD = 2
DAY_MIN = 1440
TOUR = (0.3, 0.2, 0.15, 0.1, 0.1, 0.05, 0.05, 0.05)


@dataclass(frozen=True)
class Case:
    """What a run of the twin needs."""

    instance: Instance
    tables: RoutingTables
    flows: Flows
    promise_k: np.ndarray
    parameters: TwinParameters
    counts: np.ndarray  # int32 (n_days, n_rel, n_prod, n_pair)

    @property
    def days(self) -> tuple[int, ...]:
        """All days of acceptance."""
        return tuple(range(self.flows.n_days))


def make_parameters(n_prod: int = N_PROD, **changes: object) -> TwinParameters:
    """Parameters under which every outcome happens."""
    usual = {
        "first_attempt_success_share": 0.8, "later_attempt_success_share": 0.6, "max_attempts": 2,
        "lost_per_million": 4000, "divert_queue_h": 6.0, "tour_shares": np.array(TOUR),
        "deliver_by_min": np.full(n_prod, 1320, np.int32),
    }  # fmt: skip
    return TwinParameters(**(usual | changes))


def make_flows(counts: np.ndarray, origin: np.ndarray, destination: np.ndarray, release_min: np.ndarray) -> Flows:
    """Flows of the given counts, int32 (n_days, n_rel, n_prod, n_pair)."""
    return Flows(
        origin=origin.astype(np.int32), destination=destination.astype(np.int32),
        release_min=release_min.astype(np.int32),
        n_days=len(counts), n_prod=counts.shape[2], day_counts=lambda day: counts[day],
        total_by_day=counts.sum((1, 2, 3), dtype=np.int64),
    )  # fmt: skip


def random_connections(rng: np.random.Generator, n_core: int, parents: list[int]) -> list[tuple[int, ...]]:
    """Daily connections: a ring both ways so that all is connected, chords, lanes to and from outlets; chains last.

    A chain is three rows: two legs of one trip, and the ride over both. It begins at a multiple of three.
    """
    rows = []

    def add(start: int, end: int, dep: int, dur: int, ready: int, mode: int = 0) -> None:
        rows.append((start, end, mode, dep, dur, ready, int(rng.integers(0, 3000)), 1000, 0))

    def draw() -> tuple[int, int, int]:
        return int(rng.integers(0, DAY_MIN)), int(rng.integers(40, 700)), int(rng.integers(0, 70))

    for core in range(n_core):
        for step in (1, n_core - 1):
            add(core, (core + step) % n_core, *draw())
    for _ in range(3 * n_core):
        start = int(rng.integers(0, n_core))
        add(start, (start + int(rng.integers(1, n_core))) % n_core, *draw(), mode=int(rng.integers(0, 2)))
    for outlet, parent in enumerate(parents, n_core):
        for _ in range(2):
            add(outlet, parent, *draw())
            add(parent, outlet, *draw())
    while len(rows) % 3:
        add(0, 1, *draw())
    for _ in range(n_core):
        first = int(rng.integers(0, n_core))
        middle, last = (first + 1) % n_core, (first + 2) % n_core
        dep, dur, ready = draw()
        stop, onward = int(rng.integers(0, 60)), int(rng.integers(40, 400))
        add(first, middle, dep, dur, ready)
        add(middle, last, dep + dur + stop, onward, ready)
        add(first, last, dep, dur + stop + onward, ready)
    return rows


def bind_limits(instance: Instance, rng: np.random.Generator, n_chain: int, largest: int) -> Instance:
    """Limits small enough to bind at many hours: pieces, weight, volume, sorting, screening, waves, cut capacity."""
    n_fac, n_slots, per_day, n_leg = instance.n_fac, instance.n_slots, instance.slots_per_day, len(instance.leg_trip)
    first, last = np.arange(n_leg, dtype=np.int32), np.arange(n_leg, dtype=np.int32)
    chains = np.arange(n_leg - 3 * n_chain, n_leg, 3)
    first[chains + 2], last[chains + 2] = chains, chains + 1
    outlet = instance.fac_parent >= 0
    sort_cap = rng.integers(largest // 3, largest, (n_fac, 1)) * np.ones((1, n_slots), int)
    closed = rng.random((n_fac, per_day)) < 0.25
    sort_cap[np.tile(closed, instance.n_days)] = 0
    screen_cap = rng.integers(largest // 4, largest // 2, (n_fac, 1)) * np.ones((1, n_slots), int)
    sort_cap[outlet] = screen_cap[outlet] = 2**30
    wave_cap = np.where(instance.wave_cap > 0, rng.integers(largest // 3, 2 * largest, (n_fac, n_slots)), 0)
    capf = rng.choice([1000, 1000, 1000, 700, 0], len(instance.dp_cn))
    place = instance.fac_place.copy()
    place[1] = place[0]
    place[instance.fac_parent == 1] = place[0]
    arrays = {
        "cn_leg_first": first, "cn_leg_last": last, "sort_cap": sort_cap.astype(np.int32), "fac_place": place,
        "screen_cap": screen_cap.astype(np.int32), "wave_cap": wave_cap.astype(np.int32),
        "leg_cap_items": rng.integers(largest // 2, 3 * largest, n_leg),
        "leg_cap_g": rng.integers(largest // 2, 3 * largest, n_leg) * 1000,
        "leg_cap_cm3": rng.integers(largest // 2, 3 * largest, n_leg) * 5000,
        "prod_g": np.array([700, 1300], np.int32), "prod_cm3": np.array([6500, 3500], np.int32),
        "dp_capf": capf.astype(np.int32), "origin_min": rng.integers(0, 200, n_fac).astype(np.int32),
        "wave_delay": rng.integers(0, 6, instance.wave_delay.shape).astype(np.int32),
    }  # fmt: skip
    return freeze(replace(instance, **arrays))


def random_case(
    seed: int,
    *,
    n_core: int = 5,
    n_outlets: int = 3,
    n_days: int = 2,
    horizon: int = 45,
    most: int = 4,
    largest: int = 60,
    parameters: TwinParameters | None = None,
) -> Case:
    """A network of a few cores and outlets, with up to ``most - 1`` items a pair, product and release."""
    rng = np.random.default_rng(seed)
    parents = [int(core) for core in rng.integers(0, n_core, n_outlets)]
    rows = random_connections(rng, n_core, parents)
    plain = make_instance(Draft(n_core, rows, n_days=horizon, parents=parents, vots=[5000, 1000]))
    instance = bind_limits(plain, rng, n_core, largest)
    n_fac = instance.n_fac
    origin, destination = (grid.ravel() for grid in np.meshgrid(np.arange(n_fac), np.arange(n_fac), indexing="ij"))
    release_min = np.sort(rng.choice(DAY_MIN, 6, replace=False))
    counts = rng.integers(0, most, (n_days, 6, N_PROD, n_fac * n_fac)).astype(np.int32)
    promise_k = rng.integers(1, 5, (N_PROD, 6, n_fac * n_fac)).astype(np.int8)
    flows = make_flows(counts, origin, destination, release_min)
    return Case(instance, build_tables(instance), flows, promise_k, parameters or make_parameters(), counts)


def run_flows(case: Case, sample: Sample | None = None, **changes) -> tuple[TwinResult, Findings]:
    """Run a case in flows mode."""
    arguments = {"measured_days": case.days, "sample": sample, **changes}
    return simulate(case.instance, case.tables, case.flows, case.promise_k, case.parameters, **arguments)


def run_items(case: Case, **changes) -> tuple[TwinResult, Findings]:
    """Run a case item by item."""
    items = items_of(case)
    return simulate(case.instance, case.tables, items, None, case.parameters, measured_days=case.days, **changes)


def items_of(case: Case, *, traced: bool = True) -> Items:
    """The items of a case, numbered as the flows number them: by day, release, product and pair."""
    day, release, product, pair = np.nonzero(case.counts)
    n = case.counts[day, release, product, pair]
    day, release, product, pair = (np.repeat(column, n) for column in (day, release, product, pair))
    return Items(
        origin=case.flows.origin[pair],
        destination=case.flows.destination[pair],
        product=product.astype(np.int8),
        accepted_min=(day * DAY_MIN + case.flows.release_min[release]).astype(np.int32),
        promise_day=(day + case.promise_k[product, release, pair]).astype(np.int16),
        g=case.instance.prod_g[product],
        cm3=case.instance.prod_cm3[product],
        traced=traced,
    )


ARRAYS = (
    "load_items", "run_legs", "sorted_items", "screened_items", "backlog_in", "backlog_out", "delivered_items",
)  # fmt: skip


def assert_same_counts(one: TwinResult, other: TwinResult) -> None:
    """Both runs have the same counts at every hour, in every array."""
    assert one.n_hours == other.n_hours
    for field in fields(one.counts):
        np.testing.assert_array_equal(getattr(one.counts, field.name), getattr(other.counts, field.name), field.name)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), name)


def journey_table(result: TwinResult) -> np.ndarray:
    """The journeys as sorted rows, one an item: int64 (n_item, 11)."""
    journeys = result.journeys
    names = [field.name for field in fields(journeys) if field.name != "n_items"]
    table = np.stack([getattr(journeys, name).astype(np.int64) for name in names], axis=1)
    table = np.repeat(table, journeys.n_items, axis=0)
    return table[np.lexsort(table.T[::-1])]
