"""What is cut out of a large flow problem is a flow problem of its own, as crowded as the large one."""

import numpy as np

from kit.flow import flow_lp, town
from postroad.flow.cutting import cut_down
from postroad.flow.problem import CLOSED


def test_shapes_and_numbers():
    problem = town()
    rides, resources = problem.rides, problem.resources
    assert problem.shape[3] == len(problem.instance.td_fac) == len(problem.group_of_td) == 3
    assert problem.ride_cost.shape == (problem.shape[0], rides.n)
    assert problem.closed_ride.shape == (problem.group_of_td.max() + 1, rides.n)
    assert problem.end_cost.shape == (problem.shape[0], 3, problem.shape[2])
    assert len(resources.ride_ptr) == rides.n + 1
    assert resources.share.shape == (problem.shape[0], resources.ride_ptr[-1])
    assert np.array_equal(np.unique(resources.of_use), np.arange(resources.n))
    assert np.allclose(resources.share, 1 / resources.items[:, resources.of_use])
    assert len(rides.departures) == rides.departure_ptr[-1]


def test_rides_stand_where_the_pointers_say():
    problem = town()
    place = np.repeat(np.arange(len(problem.rides.ptr) - 1), np.diff(problem.rides.ptr))
    assert np.array_equal(place, problem.rides.slot * problem.shape[1] + problem.rides.fac)


def test_little_happens_outside():
    problem = town()
    used = np.union1d(problem.rides.fac, problem.rides.head)
    assert 3 < len(used) <= 12
    released = np.flatnonzero(problem.released.any(axis=(0, 2, 3)))
    assert 3 < len(released) <= 12
    assert (problem.ride_cost < CLOSED).any(axis=1).all()


def test_instance_names_the_same_places():
    problem = town()
    instance = problem.instance
    assert np.array_equal(instance.fac_td[instance.td_fac], np.arange(3))
    assert np.array_equal(instance.lane_from[problem.rides.lane], problem.rides.fac)
    assert np.array_equal(instance.dp_cn[problem.rides.departures] >= 0, np.ones(len(problem.rides.departures), bool))


def test_to_keep_all_changes_nothing():
    problem = flow_lp.scenario_problem("tiny")
    whole = cut_down(problem, problem.shape[3])
    assert whole.n_items == problem.n_items
    assert np.array_equal(whole.sort_cap, problem.sort_cap)
    assert np.array_equal(whole.resources.items, problem.resources.items)
    assert np.array_equal(whole.rides.departures, problem.rides.departures)


def test_capacities_shrink_with_the_items():
    problem = flow_lp.scenario_problem("tiny")
    half = cut_down(problem, 2)
    assert 0 < half.n_items < problem.n_items
    assert (half.sort_cap <= problem.sort_cap).all()
    assert (half.sort_cap < problem.sort_cap).any()
    assert (half.sort_cap > 0)[problem.sort_cap > 0].all()
    assert half.resources.items.sum() < problem.resources.items.sum()
