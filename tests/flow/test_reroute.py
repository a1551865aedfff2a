"""Rerouting: a plan's prices carried over, extra capacity at its cost, and tables that change with the day."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from kit.flow import flow_lp, tighten
from postroad.cost.trips import trip_yuan
from postroad.flow.prices import make_market
from postroad.flow.reroute import carry_prices, reroute
from postroad.flow.reserve import catch_up, price_limits
from postroad.network.compile import without_trips
from postroad.network.instance import MODES
from postroad.network.reserve import Reserve, with_reserve
from postroad.network.scenariofile import load_scenario
from postroad.routing.splicing import splice
from postroad.routing.tables import build_tables


@cache
def tiny():
    """The day of ``tiny``, what a departure of each trip costs, and its tables."""
    problem = flow_lp.scenario_problem("tiny")
    costs = trip_yuan(problem.instance, load_scenario("tiny").network.tables["vehicles"])
    return problem, costs, build_tables(problem.instance)


def test_prices_carried_to_the_same_market_stay_as_they_are():
    market = make_market(tiny()[0])
    prices = np.random.default_rng(3).random(market.n)
    np.testing.assert_array_equal(carry_prices(market, prices, market), prices)


def test_what_still_runs_keeps_its_price():
    problem = tiny()[0]
    market = make_market(problem)
    prices = np.arange(1.0, market.n + 1)
    lost = problem.instance.cn_trip[problem.instance.dp_cn[problem.rides.departures[:1]]]
    thinned = without_trips(problem.instance, lost)
    rides = replace(problem, instance=thinned)
    again = make_market(rides)
    np.testing.assert_array_equal(carry_prices(market, prices, again), prices)
    scarce = make_market(tighten(problem, 0.5, 0.5))
    np.testing.assert_array_equal(carry_prices(market, prices, scarce), prices)


def test_room_costs_no_more_than_another_trip():
    problem, costs, tables = tiny()
    market = make_market(tighten(problem, 0.02, 1.0))
    limits = price_limits(market, costs)
    by_road = problem.instance.lane_mode[problem.rides.lane[market.ride_of_use]] == MODES.index("road")
    assert not np.isfinite(limits[problem.resources.of_use[~by_road]]).any()
    assert np.isfinite(limits[problem.resources.of_use[by_road]]).any()
    done = reroute(
        market.problem, market, np.zeros(market.n), tables, trip_yuan=costs, time_limit=None, work_limit=60,
        window=(0, 1440),
    )  # fmt: skip
    assert (done.prices <= limits).all()
    assert done.reserve.n_trips > 0
    assert done.reserve.yuan_per_day > 0
    none = reroute(market.problem, market, np.zeros(market.n), tables, time_limit=None, work_limit=60)
    assert none.reserve is None
    assert none.overload > done.overload


def test_the_same_work_gives_the_same_routes():
    problem, costs, tables = tiny()
    market = make_market(problem)
    one, two = (
        reroute(problem, market, np.zeros(market.n), tables, trip_yuan=costs, time_limit=None, work_limit=5, threads=n)
        for n in (1, 2)
    )
    np.testing.assert_array_equal(one.tables.next_out, two.tables.next_out)
    np.testing.assert_array_equal(one.tables.splits.ends, two.tables.splits.ends)


def test_what_is_called_up_runs_within_its_time_only():
    instance = tiny()[0].instance
    sort_extra = np.full((instance.n_core, instance.slots_per_day), 7, np.int32)
    reserve = Reserve(1440, 2 * 1440, np.array([0], np.int32), np.array([1500], np.int32), sort_extra, 1, 10.0)
    more = with_reserve(instance, reserve)
    inside = (instance.dp_cn == 0) & (instance.dp_dep_min >= 1440) & (instance.dp_dep_min < 2880)
    assert inside.any()
    np.testing.assert_array_equal(more.dp_capf - instance.dp_capf, np.where(inside, 1500, 0))
    day = slice(instance.slots_per_day, 2 * instance.slots_per_day)
    gained = (more.sort_cap - instance.sort_cap)[: instance.n_core]
    np.testing.assert_array_equal(gained[:, day], np.where(instance.sort_cap[: instance.n_core, day] > 0, 7, 0))
    assert gained.sum() == gained[:, day].sum()
    assert more.digest != instance.digest


def test_lorries_that_stood_still_catch_up_by_road():
    problem, costs, _ = tiny()
    instance = problem.instance
    place = list(instance.fac_id).index("H-WUH")
    reserve = catch_up(instance, np.array([place]), costs, problem.day, (1440, 2880))
    lane = instance.cn_lane[reserve.connections]
    assert ((instance.lane_from[lane] == place) | (instance.lane_to[lane] == place)).all()
    assert (instance.lane_mode[lane] == MODES.index("road")).all()
    assert 0 < reserve.n_trips <= len(reserve.connections)
    assert reserve.yuan_per_day > 0


def test_spliced_tables_say_what_either_says_where_it_holds():
    problem, _, tables = tiny()
    market = make_market(tighten(problem, 0.1, 0.5))
    other = reroute(market.problem, market, np.zeros(market.n), tables, time_limit=None, work_limit=30).tables
    assert len(other.splits.lanes)
    n_core, per_day = problem.shape[1:3]
    takes_over = np.random.default_rng(5).random((3, n_core, per_day)) < 0.5
    takes_over[2] = False
    mixed = splice(tables, other, takes_over)
    assert len(mixed.block_of_day) == 3 + 7
    for day in range(3):
        block, use = mixed.block_of_day[day], takes_over[day]
        for name in ("next_out", "alt_out"):
            ours = getattr(tables, name)[:, tables.block_of_day[day]]
            theirs = getattr(other, name)[:, 0]
            np.testing.assert_array_equal(getattr(mixed, name)[:, block], np.where(use[..., None], theirs, ours))
        number = mixed.splits.number[:, block]
        assert (number[:, ~use] == -1).all()
        table, core, slot, td = np.nonzero(number >= 0)
        row = mixed.splits.base[table, block, core, slot] + number[table, core, slot, td]
        own = other.splits.base[table, 0, core, slot] + other.splits.number[table, 0, core, slot, td]
        np.testing.assert_array_equal(mixed.splits.lanes[row], other.splits.lanes[own])


def test_trips_cost_what_the_accounts_say():
    problem, costs, _ = tiny()
    instance = problem.instance
    vehicles = load_scenario("tiny").network.tables["vehicles"]
    leg = int(np.flatnonzero(np.bincount(instance.leg_trip)[instance.leg_trip] == 1)[0])
    rate = vehicles.row(int(instance.leg_vehicle[leg]), named=True)
    cn = int(np.flatnonzero(instance.cn_trip == instance.leg_trip[leg])[0])
    one = (
        (rate["cost_yuan_per_km"] or 0) * instance.leg_km[leg]
        + (rate["cost_yuan_per_h"] or 0) * instance.cn_dur_min[cn] / 60
        + (rate["cost_yuan_per_trip"] or 0)
    )
    assert costs[instance.leg_trip[leg]] == pytest.approx(one * instance.leg_n_vehicles[leg])
