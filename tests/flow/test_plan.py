"""Plans: they bracket the optimum, can be carried out, repeat exactly and stop when told to."""

from dataclasses import replace

import numpy as np
import pytest

from kit.flow import FEASIBLE, PROBLEMS, flow_lp, solved, tighten, town
from postroad.core.errors import InputError
from postroad.flow.evaluate import evaluate
from postroad.flow.plan import plan_flow
from postroad.flow.problem import build_problem
from postroad.flow.report import centre_frame, leg_frame, worth_most
from postroad.flow.trips import departure_loads
from postroad.routing.plan import PlannedRoutes


@pytest.fixture(scope="module", params=list(PROBLEMS))
def planned(request):
    return plan_flow(PROBLEMS[request.param](), max_gap=0.003, work_limit=600, route=False), solved(request.param)


def scored(plan):
    market, prices = plan.market, plan.prices
    legs = prices[: market.n_ride] * market.yuan[: market.n_ride]
    loading = plan.loading
    flows = loading.ride_flow, loading.sort_flow, loading.given_up
    return evaluate(plan.problem, *flows, legs, market.sort_prices(prices))


def test_bound_and_cost_bracket_the_optimum(planned):
    plan, optimum = planned
    assert plan.bound_yuan <= optimum.objective * (1 + 1e-9)
    assert plan.cost_yuan >= optimum.objective * (1 - 1e-6)


@pytest.mark.parametrize("name", list(FEASIBLE))
def test_gap_closes_where_all_can_be_carried(name):
    problem = FEASIBLE[name]()
    plan = plan_flow(problem, max_gap=0.008, work_limit=600, route=False)
    optimum = flow_lp.solve_lp(flow_lp.build_lp(problem), "simplex")
    assert plan.gap <= 0.008 and plan.stop == "gap"
    assert plan.loading.n_given_up < 1
    assert plan.bound_yuan <= optimum.objective * (1 + 1e-9)
    assert plan.cost_yuan >= optimum.objective * (1 - 1e-6)


def test_the_second_account_agrees(planned):
    plan, _ = planned
    score = scored(plan)
    assert score.faults == ()
    assert score.cost_yuan == pytest.approx(plan.cost_yuan, rel=1e-4)
    assert score.bound_yuan == pytest.approx(plan.bound_yuan, rel=1e-6)


def test_same_work_same_plan_whatever_the_threads():
    one, two = (plan_flow(town(), max_gap=0, work_limit=110, threads=threads, route=False) for threads in (1, 2))
    assert (one.cost_yuan, one.bound_yuan, one.stop) == (two.cost_yuan, two.bound_yuan, "work")
    assert np.array_equal(one.loading.ride_flow, two.loading.ride_flow)
    assert np.array_equal(one.plan_prices, two.plan_prices)


def test_more_capacity_never_raises_the_least_cost():
    problem = town()
    roomier = tighten(problem, 1.2, 1.2)
    tight, loose = (plan_flow(each, max_gap=0, work_limit=150, route=False) for each in (problem, roomier))
    assert loose.bound_yuan <= tight.cost_yuan
    flows = tight.loading.ride_flow, tight.loading.sort_flow, tight.loading.given_up
    assert evaluate(roomier, *flows).faults == ()


def test_scaled_costs_scale_the_values():
    problem = FEASIBLE["roomy_town"]()
    names = ("ride_cost", "handling_cost", "wait_cost", "end_cost", "refusal_cost")
    half = replace(problem, **{name: getattr(problem, name) // 2 * 2 // 2 for name in names})
    whole = replace(problem, **{name: getattr(half, name) * 2 for name in names})
    small, large = (plan_flow(each, max_gap=0, work_limit=225, route=False) for each in (half, whole))
    assert large.bound_yuan == pytest.approx(2 * small.bound_yuan, rel=1e-3)
    assert large.cost_yuan == pytest.approx(2 * small.cost_yuan, rel=1e-2)


def test_names_change_nothing():
    problem = town()
    renamed = replace(
        problem, instance=replace(problem.instance, fac_id=tuple(f"x{k}" for k in range(problem.instance.n_fac)))
    )
    one, two = (plan_flow(each, max_gap=0, work_limit=60, route=False) for each in (problem, renamed))
    assert (one.cost_yuan, one.bound_yuan) == (two.cost_yuan, two.bound_yuan)


class Breaks:
    def __init__(self, at):
        self.at, self.notes = at, []

    def stage(self, name, total=0):
        pass

    def step(self, done, note=""):
        self.notes.append(note)
        if done == self.at:
            raise KeyboardInterrupt


def test_an_interrupt_gives_a_plan_with_its_bound():
    watched = Breaks(at=30)
    plan = plan_flow(town(), max_gap=0, route=False, progress=watched)
    assert (plan.stop, plan.n_iterations) == ("interrupted", 30)
    assert plan.bound_yuan <= plan.cost_yuan
    assert scored(plan).faults == ()
    assert "bound" in watched.notes[-1]


def test_progress_tells_bound_and_best():
    watched = Breaks(at=-1)
    plan_flow(town(), max_gap=0, work_limit=101, route=False, progress=watched)
    assert "best" in watched.notes[-1] and "bound" in watched.notes[-1] and "gap" in watched.notes[-1]


def test_a_time_limit_is_kept():
    plan_flow(town(), max_gap=0, work_limit=5, route=False)  # kernels are compiled
    plan = plan_flow(town(), max_gap=0, time_limit=6.0, route=False)
    assert plan.stop == "time"
    assert plan.history[-1][1] <= 6.0 * 1.05


def test_departures_carry_what_rides_carry(planned):
    plan, _ = planned
    load = plan.loading.ride_flow.sum(axis=2, dtype=float)
    assert departure_loads(plan.problem, load).sum() == pytest.approx(load.sum())


def test_frames_say_where_capacity_is_worth_something(planned):
    plan, _ = planned
    assert leg_frame(plan)["yuan_per_item"].max() > 0
    assert centre_frame(plan)["n_items"].sum() == pytest.approx(plan.loading.sort_flow.sum(dtype=float))
    worth = worth_most(plan)
    assert worth["yuan_per_day"].is_sorted(descending=True)


def test_costs_that_do_not_add_up_exactly_are_refused():
    problem = flow_lp.scenario_problem("tiny")
    instance = replace(problem.instance, fac_cost=problem.instance.fac_cost + 10_000_000)
    with pytest.raises(InputError) as refused:
        build_problem(instance, *demand_of(problem), day=problem.day, flow_day=0)
    assert refused.value.code == "PR-G101"


def demand_of(problem):
    from postroad.demand.flows import Flows

    none = np.zeros(0, np.int32)
    counts = np.zeros((1, len(problem.instance.prod_id), 0), np.int32)
    return (Flows(none, none, np.zeros(1, np.int32), 1, counts.shape[1], lambda day: counts, np.zeros(1)),)


def test_a_plan_fits_its_network_only():
    plan = plan_flow(flow_lp.scenario_problem("tiny"), max_gap=0.01)
    routes = PlannedRoutes(plan.tables, plan.cancelled)
    assert routes.tables(plan.problem.instance) is plan.tables
    with pytest.raises(InputError) as refused:
        routes.tables(replace(plan.problem.instance, n_core=3))
    assert refused.value.code == "PR-G102"
