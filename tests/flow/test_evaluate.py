"""The second account of a plan agrees with an exact solver, and finds what is wrong with a plan that is spoilt."""

from dataclasses import replace

import numpy as np
import pytest

from kit.flow import PROBLEMS, solved, tight_tiny
from postroad.flow.evaluate import evaluate, lower_bound
from postroad.flow.prices import make_market
from postroad.flow.problem import CLOSED
from postroad.flow.sweeps import Sweeper


@pytest.fixture(params=list(PROBLEMS))
def case(request):
    """A problem and its optimum."""
    return PROBLEMS[request.param](), solved(request.param)


@pytest.fixture
def plan():
    """The optimum's flows, to be spoilt."""
    answer = solved("tight_tiny")
    return answer.ride_flow.copy(), answer.sort_flow.copy(), answer.given_up.copy()


def most_used(ride_flow: np.ndarray) -> tuple[int, ...]:
    return np.unravel_index(ride_flow.argmax(), ride_flow.shape)


def test_optimum_costs_what_the_solver_says(case):
    problem, answer = case
    score = evaluate(problem, answer.ride_flow, answer.sort_flow, answer.given_up)
    assert answer.status == "Optimal"
    assert score.faults == ()
    assert score.cost_yuan == pytest.approx(answer.objective, rel=1e-6)
    assert score.bound_yuan is None
    assert score.gap is None


def test_every_part_of_the_cost_is_there():
    problem, answer = tight_tiny(), solved("tight_tiny")
    score = evaluate(problem, answer.ride_flow, answer.sort_flow, answer.given_up)
    parts = ("ride_time_yuan", "carbon_yuan", "handling_yuan", "waiting_yuan", "wave_yuan", "refusal_yuan")
    assert min(getattr(score, name) for name in parts) > 0
    assert score.n_given_up == pytest.approx(answer.given_up.sum(dtype=np.float64))


def test_duals_prove_the_optimum(case):
    problem, answer = case
    score = evaluate(
        problem, answer.ride_flow, answer.sort_flow, answer.given_up, answer.leg_prices, answer.sort_prices
    )
    assert answer.leg_prices.max() > 1
    assert score.bound_yuan == pytest.approx(answer.objective, rel=1e-6)
    assert score.gap == pytest.approx(0, abs=1e-6)


def test_optimum_of_the_tight_case_pays_for_sorting_too():
    assert solved("tight_tiny").sort_prices.max() > 0.01


def test_no_prices_prove_more_than_the_optimum(case):
    problem, answer = case
    rng = np.random.default_rng(5)
    bounds = []
    for scale in (0.0, 0.5, 1.0, 2.0):
        leg = answer.leg_prices * scale * rng.uniform(0.5, 1.5, len(answer.leg_prices))
        sort = answer.sort_prices * scale * rng.uniform(0.5, 1.5, answer.sort_prices.shape)
        bounds.append(lower_bound(problem, leg, sort))
    assert max(bounds) < answer.objective
    assert lower_bound(problem, -answer.leg_prices, -answer.sort_prices) == pytest.approx(bounds[0])


def test_one_kind_of_price_leaves_the_other_at_nought(case):
    problem, answer = case
    flows = answer.ride_flow, answer.sort_flow, answer.given_up
    none = np.zeros_like(answer.leg_prices), np.zeros_like(answer.sort_prices)
    by_leg = evaluate(problem, *flows, leg_prices=answer.leg_prices)
    by_sort = evaluate(problem, *flows, sort_prices=answer.sort_prices)
    assert by_leg.bound_yuan == lower_bound(problem, answer.leg_prices, none[1])
    assert by_sort.bound_yuan == lower_bound(problem, none[0], answer.sort_prices)


def test_planner_finds_the_same_bound(case):
    problem, answer = case
    market = make_market(problem)
    prices = np.concatenate([answer.leg_prices, answer.sort_prices.ravel()[market.sort_place]])
    prices = np.maximum(prices, 0)
    prices[market.n_ride :] *= problem.sort_cap.ravel()[market.sort_place]
    with Sweeper(market) as sweeper:
        assert sweeper.bound(prices / market.yuan) == pytest.approx(answer.objective, rel=1e-5)


def test_to_carry_nothing_costs_the_refusals():
    problem = tight_tiny()
    n_prod, n_core, n_slots, n_td = problem.shape
    given_up = problem.released.sum(axis=2)
    nothing = np.zeros((n_prod, problem.rides.n, n_td)), np.zeros((n_prod, n_core, n_slots, n_td))
    score = evaluate(problem, *nothing, given_up)
    expected = sum(float(given_up[p].sum()) * int(problem.refusal_cost[p]) for p in range(n_prod)) / 1e6
    assert score.is_feasible
    assert score.cost_yuan == pytest.approx(score.refusal_yuan) == pytest.approx(expected)
    assert score.n_given_up == pytest.approx(problem.n_items)


def test_waiting_goes_round_the_ring():
    """One item released late in the evening and sorted in the small hours waits through midnight, no longer."""
    problem = tight_tiny()
    n_prod, n_core, n_slots, n_td = problem.shape
    goal = int(problem.instance.td_fac[0])
    released = np.zeros(problem.shape, np.float32)
    released[0, goal, n_slots - 2, 0] = 1
    sort_flow = np.zeros(problem.shape, np.float32)
    sort_flow[0, goal, 3, 0] = 1
    rides, given_up = np.zeros((n_prod, problem.rides.n, n_td)), np.zeros((n_prod, n_core, n_td))
    open_cap = np.maximum(problem.sort_cap, 1)
    score = evaluate(replace(problem, released=released, sort_cap=open_cap), rides, sort_flow, given_up)
    assert score.faults == ()
    assert score.waiting_yuan == pytest.approx(5 * int(problem.wait_cost[0]) / 1e6)
    assert score.wave_yuan == pytest.approx(int(problem.end_cost[0, 0, 3]) / 1e6)
    assert score.handling_yuan == pytest.approx(int(problem.handling_cost[goal]) / 1e6)


def test_ride_time_and_carbon_are_told_apart(plan):
    problem = tight_tiny()
    score = evaluate(problem, *plan)
    load = plan[0].sum(axis=2, dtype=np.float64)
    tonne = load * problem.instance.prod_g[:, None] / 1e6
    carbon = float((tonne * problem.rides.gco2e_per_t).sum()) / 1e6 * problem.carbon_yuan_per_t
    assert score.carbon_yuan == pytest.approx(carbon, rel=0.01)  # ride costs are whole micro-yuan
    time = (load * problem.rides.step * problem.wait_cost[:, None]).sum() / 1e6
    assert score.ride_time_yuan == pytest.approx(time)


@pytest.mark.parametrize(
    ("cap", "room", "faults"),
    [
        (3, 1, ("leg_overload",)),
        (1, 3, ("sort_overload",)),
        (1, 1, ("leg_overload", "sort_overload")),
    ],
)
def test_too_much_is_found(plan, cap, room, faults):
    problem = tight_tiny()
    resources = replace(problem.resources, share=problem.resources.share / room)
    many = replace(problem, released=problem.released * 3, sort_cap=problem.sort_cap * cap, resources=resources)
    score = evaluate(many, *(3 * flow for flow in plan))
    assert score.faults == faults
    for name in faults:
        assert getattr(score, name) == pytest.approx(2, rel=1e-4)  # what was full is now three times full


def test_sorting_in_a_closed_centre_is_found(plan):
    problem = tight_tiny()
    cap = problem.sort_cap.copy()
    cap[tuple(np.argwhere(plan[1].sum(axis=(0, 3)) > 0)[0])] = 0
    score = evaluate(replace(problem, sort_cap=cap), *plan)
    assert score.faults == ("sort_overload",)
    assert score.sort_overload == np.inf


@pytest.mark.parametrize("which", [0, 1, 2], ids=["ride_flow", "sort_flow", "given_up"])
def test_imbalance_is_found(plan, which):
    where = most_used(plan[which])
    lost = float(plan[which][where])
    plan[which][where] = 0
    score = evaluate(tight_tiny(), *plan)
    assert score.faults == ("imbalance_share",)
    assert score.imbalance == pytest.approx(lost, rel=1e-4)


def test_items_from_nowhere_are_found(plan):
    plan[0][most_used(plan[0])] += 1
    score = evaluate(tight_tiny(), *plan)
    assert "imbalance_share" in score.faults
    assert score.imbalance == pytest.approx(1, rel=1e-3)


def test_what_has_arrived_does_not_leave(plan):
    problem = tight_tiny()
    goal = problem.instance.td_fac[0]
    plan[0][0, np.flatnonzero(problem.rides.fac == goal)[0], 0] += 2
    score = evaluate(problem, *plan)
    assert "imbalance_share" in score.faults
    assert score.imbalance == pytest.approx(2, rel=1e-3)


@pytest.mark.parametrize("which", [0, 1, 2], ids=["ride_flow", "sort_flow", "given_up"])
def test_negative_flow_is_found(plan, which):
    plan[which][most_used(-plan[which])] = -1
    score = evaluate(tight_tiny(), *plan)
    assert "negative" in score.faults
    assert score.negative == 1


def test_barred_rides_are_found(plan):
    problem = tight_tiny()
    product, ride, td = most_used(plan[0])
    closed = problem.closed_ride.copy()
    closed[problem.group_of_td[td], ride] = True
    cost = problem.ride_cost.copy()
    cost[product, ride] = CLOSED
    for barred in (replace(problem, closed_ride=closed), replace(problem, ride_cost=cost)):
        score = evaluate(barred, *plan)
        assert score.faults == ("barred",)
        assert score.barred >= plan[0][product, ride, td]


@pytest.mark.parametrize("which", [0, 1, 2], ids=["ride_flow", "sort_flow", "given_up"])
def test_what_is_no_number_is_no_plan(plan, which):
    plan[which][most_used(plan[which])] = np.nan
    assert not evaluate(tight_tiny(), *plan).is_feasible


def test_tolerance_is_what_the_caller_allows(plan):
    plan[0][most_used(plan[0])] *= 1.01
    assert not evaluate(tight_tiny(), *plan).is_feasible
    assert evaluate(tight_tiny(), *plan, tolerance=0.05).is_feasible


def test_wrong_shape_is_refused(plan):
    with pytest.raises(ValueError, match="sort_flow has the shape"):
        evaluate(tight_tiny(), plan[0], plan[1][:, :, :-1], plan[2])
