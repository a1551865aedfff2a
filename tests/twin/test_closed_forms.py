"""The twin beside queues whose answer is known: D/D/1, M/D/1, bulk service, Little's law.

Time is in slots. What is accepted within a slot joins at its end, and a facility serves at the beginning of a slot, so
the number left behind follows Q' = max(Q + A - c, 0), with A the arrivals of a slot and c the most it can serve.
"""

from dataclasses import replace
from math import exp

import numpy as np
import pytest

from kit.instances import Draft, make_instance
from kit.twin import DAY_MIN, make_flows, make_parameters, random_case, run_flows
from postroad.demand.items import Items
from postroad.network.instance import freeze
from postroad.routing.tables import build_tables
from postroad.twin.simulation import simulate

SLOT = 5
DAYS = 50
FREE = 2**30


def make_stations(n: int, sort_cap: int = FREE, bus: int = 0):
    """Pairs of a station and a neighbour: what a station sorts in a slot, what an hourly bus between them takes."""
    rows = [(2 * i, 2 * i + 1, 0, 60 * hour, 20, 0, 0, 0, 0) for i in range(n) for hour in range(24)]
    draft = Draft(2 * n, rows, n_days=DAYS + 5, slot_min=SLOT, waves=list(range(0, DAY_MIN // SLOT, 12)), dest_min=0)
    instance = make_instance(draft)
    caps = {"sort_cap": np.full_like(instance.sort_cap, sort_cap)}
    if bus:
        caps["leg_cap_items"] = np.full(len(rows), bus)
    return freeze(replace(instance, **caps))


def make_items(origin: np.ndarray, destination: np.ndarray, accepted: np.ndarray, traced: bool = True) -> Items:
    """Items of one kind."""
    n = len(origin)
    zeros, ones = np.zeros(n, np.int8), np.ones(n, np.int32)
    ends = (origin.astype(np.int32), destination.astype(np.int32))
    return Items(*ends, zeros, accepted.astype(np.int32), np.full(n, 63, np.int16), ones, ones, traced)


def run(instance, items):
    """Run single items through stations."""
    parameters = make_parameters(1, first_attempt_success_share=1.0, lost_per_million=0)
    days = tuple(range(int(items.accepted_min.max()) // DAY_MIN + 1))
    return simulate(instance, build_tables(instance), items, None, parameters, measured_days=days)[0]


def stationary_left(rate: float, most: int, size: int = 400) -> float:
    """Mean number left behind by Q' = max(Q + A - c, 0) with Poisson arrivals, from the chain's stationary law."""
    arrivals = np.zeros(size)
    arrivals[0] = exp(-rate)
    for k in range(1, size):
        arrivals[k] = arrivals[k - 1] * rate / k
    step = np.zeros((size, size))
    for q in range(size):
        for k in range(size - q):
            step[q, max(q + k - most, 0)] += arrivals[k]
        step[q, size - 1] += 1 - step[q].sum()
    law = np.linalg.solve((step.T - np.eye(size) + np.ones((size, size))), np.ones(size))
    return float(law @ np.arange(size))


def poisson_times(rng, rate_by_slot: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Station and minute of Poisson arrivals at ``n`` stations; a minute is drawn evenly within each slot."""
    counts = rng.poisson(rate_by_slot, (n, DAYS * DAY_MIN // SLOT))
    station, slot = np.nonzero(counts)
    repeat = counts[station, slot]
    station, slot = np.repeat(station, repeat), np.repeat(slot, repeat)
    return station, slot * SLOT + rng.integers(1, SLOT + 1, len(slot))


def test_dd1():
    """Ten an hour more than can be served: the queue grows in a line, then shrinks in a line; every wait is exact."""
    served, coming, n_slots = 7, 9, 300
    accepted = np.repeat(np.arange(n_slots) * SLOT, coming)
    instance = make_stations(1, sort_cap=served)
    result = run(instance, make_items(np.zeros(len(accepted)), np.zeros(len(accepted)), accepted))
    trace = result.trace
    sorted_min = trace.row_min[trace.row_kind == 2]
    np.testing.assert_array_equal(sorted_min // SLOT, np.arange(len(accepted)) // served)
    at = np.arange(11, n_slots, 12)
    np.testing.assert_array_equal(result.backlog_in[0, : len(at)], (coming - served) * (at + 1))
    n_busy = -(-len(accepted) // served)
    assert result.backlog_in[0, n_busy // 12 - 1] > 0
    assert (result.backlog_in[0, n_busy // 12 + 1 :] == 0).all()
    assert result.sorted_items[0, : n_busy // 12].tolist() == [served * 12] * (n_busy // 12)


@pytest.mark.parametrize("load", [0.5, 0.8])
def test_md1(load):
    """Mean wait of M/D/1, load / (2 (1 - load)) services: within 4 %, over 40 stations and 50 days.

    Source: Pollaczek (1930), Khinchine (1932). Joining at the end of a slot adds its mean rest, which is known.
    """
    station, minute = poisson_times(np.random.default_rng(1), load, 40)
    result = run(make_stations(40, sort_cap=1), make_items(2 * station, 2 * station, minute))
    trace = result.trace
    sorted_min = trace.row_min[trace.row_kind == 2]
    joined = -(-trace.item_accepted_min[trace.row_item[trace.row_kind == 2]] // SLOT)
    wait = (sorted_min // SLOT - joined).mean()
    assert wait == pytest.approx(load / (2 * (1 - load)), rel=0.04)
    assert (joined * SLOT - trace.item_accepted_min).mean() == pytest.approx((SLOT - 1) / 2, rel=0.02)


def test_bulk_service_at_a_station():
    """Poisson arrivals, up to five served at once: the wait of the chain's stationary law within 4 %."""
    rate, most = 4.0, 5
    station, minute = poisson_times(np.random.default_rng(2), rate, 20)
    result = run(make_stations(20, sort_cap=most), make_items(2 * station, 2 * station, minute))
    trace = result.trace
    rows = trace.row_kind == 2
    wait = (trace.row_min[rows] // SLOT - -(-trace.item_accepted_min[trace.row_item[rows]] // SLOT)).mean()
    assert wait == pytest.approx(stationary_left(rate, most) / rate, rel=0.04)


def test_bulk_service_by_a_bus():
    """An hourly bus of ten seats: the mean number left behind is that of the chain's stationary law, within 5 %."""
    rate, seats = 8.0, 10
    station, minute = poisson_times(np.random.default_rng(3), rate / 12, 60)
    result = run(make_stations(60, bus=seats), make_items(2 * station, 2 * station + 1, minute, traced=False))
    # the bus leaves in the first slot of the hour, so what waits at its end has come since: take that off
    left = result.backlog_out[0::2, : DAYS * 24]
    since = np.zeros_like(left)
    joined = -(-minute // SLOT)
    fresh = joined % 12 > 0
    np.add.at(since, (station[fresh], joined[fresh] // 12), 1)
    assert (left - since)[:, 24:].mean() == pytest.approx(stationary_left(rate, seats), rel=0.05)


@pytest.mark.parametrize("seed", [1, 2])
def test_littles_law_holds_exactly_over_a_whole_run(seed):
    """Item hours in custody, summed over the hours, are the sojourns of all items; both are whole hours."""
    result, _ = run_flows(random_case(seed))
    journeys = result.journeys
    hours = journeys.ended_min // 60 - journeys.accepted_min // 60
    assert result.counts.in_custody.sum() == (hours * journeys.n_items.astype(np.int64)).sum()


def test_littles_law_in_a_steady_network():
    """L = lambda W within 2 %: mean number in custody, items accepted an hour, mean sojourn; days 10 to 20 of 25."""
    case = random_case(3, largest=600)
    counts = np.repeat(case.counts[:1], 25, axis=0)
    flows = make_flows(counts, case.flows.origin, case.flows.destination, case.flows.release_min)
    result, findings = run_flows(replace(case, flows=flows, counts=counts))
    assert len(findings) == 0
    number = result.counts.in_custody[10 * 24 : 20 * 24].mean()
    journeys = result.journeys
    mine = (journeys.accepted_min >= 10 * DAY_MIN) & (journeys.accepted_min < 20 * DAY_MIN)
    n = journeys.n_items[mine]
    sojourn_h = ((journeys.ended_min - journeys.accepted_min)[mine] * n).sum() / n.sum() / 60
    assert number == pytest.approx(n.sum() / 240 * sojourn_h, rel=0.02)
