"""Surges: the bound on what must be added, and what a day calls for."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import coo_array

from kit.flow import flow_lp
from postroad.cost.trips import trip_yuan
from postroad.flow.coarse import bound_room, coarse_problem, lane_yuan
from postroad.flow.problem import CLOSED
from postroad.flow.reserve import HANDS, open_up
from postroad.flow.surge import Couriers, plan_surge
from postroad.network.reserve import with_reserve
from postroad.network.scenariofile import load_scenario
from postroad.routing.tables import build_tables


def tiny(times: float):
    """The day of ``tiny`` with so many times its items, and what a departure of each trip costs."""
    problem = flow_lp.scenario_problem("tiny")
    costs = trip_yuan(problem.instance, load_scenario("tiny").network.tables["vehicles"])
    return replace(problem, released=problem.released * np.float32(times)), costs


def cheapest_room(problem, costs) -> float:
    """The least that extra room costs when a day without its clock is to be carried, by HiGHS."""
    coarse = coarse_problem(problem)
    lanes = lane_yuan(problem, coarse, costs)
    n_prod, n_core, _, n_td = coarse.shape
    rides, n = coarse.rides, coarse.rides.n
    n_flow = n_prod * n_td * n
    goal = problem.instance.td_fac
    rows, columns, values = [], [], []

    def put(row, column, value):
        rows.append(row), columns.append(column), values.append(value)

    balance = np.zeros(n_prod * n_td * n_core)
    ends = np.zeros(len(balance), bool)
    for product in range(n_prod):
        for td in range(n_td):
            first = (product * n_td + td) * n_core
            balance[first : first + n_core] = coarse.released[product, :, 0, td]
            ends[first + goal[td]] = True
            for ride in range(n):
                column = (product * n_td + td) * n + ride
                put(first + rides.fac[ride], column, 1.0)
                put(first + rides.head[ride], column, -1.0)
    n_rows = len(balance)
    equal = coo_array((values, (rows, columns)), shape=(n_rows, n_flow + n + n_core)).tocsr()[~ends]
    rows, columns, values = [], [], []
    upper = np.concatenate([np.ones(n), coarse.sort_cap[:, 0]])
    for product in range(n_prod):
        for td in range(n_td):
            for ride in range(n):
                column = (product * n_td + td) * n + ride
                put(ride, column, coarse.resources.share[product, ride])
                put(n + rides.head[ride], column, 1.0)
            np.add.at(upper, n + np.arange(n_core), -coarse.released[product, :, 0, td].astype(float))
    for ride in range(n):
        put(ride, n_flow + ride, -1.0)
    for place in range(n_core):
        put(n + place, n_flow + n + place, -1.0)
    within = coo_array((values, (rows, columns)), shape=(n + n_core, n_flow + n + n_core)).tocsr()
    closed = np.repeat(coarse.ride_cost[:, None, :] >= CLOSED, n_td, axis=1)
    for td in range(n_td):
        closed[:, td] |= coarse.closed_ride[coarse.group_of_td[td]]
    most = np.concatenate(
        [np.where(closed.ravel(), 0.0, np.inf), np.where(np.isfinite(lanes), np.inf, 0), np.full(n_core, np.inf)]
    )
    cost = np.concatenate(
        [np.zeros(n_flow), np.where(np.isfinite(lanes), lanes, 0), HANDS * problem.handling_cost / 1e6]
    )
    answer = linprog(
        cost,
        A_ub=within,
        b_ub=upper,
        A_eq=equal,
        b_eq=balance[~ends],
        bounds=np.stack([np.zeros(len(most)), most], axis=1),
    )
    assert answer.status == 0, answer.message
    return float(answer.fun)


@pytest.mark.parametrize("times", [1, 20, 60])
def test_no_room_costs_less_than_its_bound_and_the_bound_is_near(times):
    problem, costs = tiny(times)
    bound, least = bound_room(problem, costs), cheapest_room(problem, costs)
    assert bound <= least * (1 + 1e-6) + 1e-3
    assert bound >= 0.9 * least


def test_more_items_never_lower_the_bound():
    bounds = [bound_room(*tiny(times)) for times in (1, 30, 60)]
    assert bounds == sorted(bounds)


def couriers(instance, attempts):
    """Waves as the instance has them on its eighth day."""
    per_day = instance.slots_per_day
    return Couriers(instance.wave_cap[:, 7 * per_day : 8 * per_day].astype(float), attempts, 2.0)


def test_couriers_make_up_what_the_waves_cannot_take():
    problem, costs = tiny(1)
    instance = problem.instance
    cap = couriers(instance, np.zeros(instance.n_fac)).wave_cap.sum(axis=1)
    hands = couriers(instance, cap + 10.0)
    assert hands.least_yuan == pytest.approx(2.0 * 10 * (cap > 0).sum())
    surge = plan_surge(problem, build_tables(instance), haste=0.0, trip_yuan=costs, couriers=hands, work_limit=4)
    reserve = surge.reserve(1.0, (1440, 2880))
    assert reserve.n_trips == 0 and not reserve.sort_extra.any()
    assert (reserve.wave_extra.sum(axis=1)[cap > 0] >= 10).all()
    assert surge.reserve(0.5, (0, 1440)).yuan_per_day == 0.0
    more = with_reserve(instance, reserve).wave_cap - instance.wave_cap
    day = instance.slots_per_day
    np.testing.assert_array_equal(more[:, day : 2 * day], reserve.wave_extra)
    assert not more[:, :day].any() and not more[:, 2 * day :].any()


def test_in_haste_more_room_is_called_up():
    problem, costs = tiny(30)
    instance, base = problem.instance, build_tables(problem.instance)
    none = couriers(instance, np.zeros(instance.n_fac))
    yuan = [
        plan_surge(problem, base, haste=haste, trip_yuan=costs, couriers=none, work_limit=60)
        .reserve(1.0, (0, 1440))
        .yuan_per_day
        for haste in (0.0, 1.0)
    ]
    assert yuan[0] == 0.0 < yuan[1]


def test_opened_up_has_room_for_everything_where_there_is_any():
    instance = tiny(1)[0].instance
    wide = with_reserve(instance, open_up(instance))
    for name in ("sort_cap", "wave_cap", "dp_capf"):
        before, after = getattr(instance, name), getattr(wide, name)
        np.testing.assert_array_equal(after > 0, before > 0)
        assert (after[before > 0] >= np.minimum(before[before > 0].astype(np.int64) * 50, 2**30)).all()
