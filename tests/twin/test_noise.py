"""Chance on the timetable: the same seed gives the same course, and a turn changes only what begins after it."""

import numpy as np
import pytest

from kit.twin import DAY_MIN, random_case
from postroad.twin.noise import Turn, day_factors, draw_course, standard_noise

FROZEN = "703a6035806256c2fa73c900fb18d21a"
"""Forecasts are judged on this set of chance: to change it is to judge anew."""


@pytest.fixture(scope="module")
def plan():
    return random_case(3).instance


def departures(instance, below):
    """Connection, service day, departure and arrival of what leaves before a minute."""
    rows = instance.dp_dep_min < below
    columns = ("dp_cn", "dp_day", "dp_dep_min", "dp_arr_min")
    return np.stack([getattr(instance, name)[rows] for name in columns])


def test_the_set_of_chance_is_frozen():
    assert standard_noise().digest == FROZEN


def test_a_seed_gives_one_course(plan):
    noise = standard_noise()
    one, same, other = (draw_course(plan, noise, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(departures(one, 1 << 30), departures(same, 1 << 30))
    assert departures(one, 1 << 30).shape != departures(other, 1 << 30).shape or not np.array_equal(
        departures(one, 1 << 30), departures(other, 1 << 30)
    )
    assert one.digest == same.digest != other.digest != plan.digest


def test_departures_stay_in_order_and_never_arrive_before_they_leave(plan):
    course = draw_course(plan, standard_noise(), 1)
    order = np.lexsort((course.dp_cn, course.dp_dep_min))
    np.testing.assert_array_equal(order, np.arange(len(order)))
    assert (course.dp_arr_min > course.dp_dep_min).all()
    assert (course.dp_ready_slot > course.dp_dep_min // course.slot_min).all()
    slot = np.repeat(np.arange(course.n_slots), np.diff(course.dp_ptr))
    np.testing.assert_array_equal(slot, course.dp_dep_min // course.slot_min)
    assert (course.sort_cap[plan.sort_cap == 0] == 0).all()


def test_a_turn_keeps_what_had_begun(plan):
    noise, at = standard_noise(), DAY_MIN + 13 * 60
    base, turned = draw_course(plan, noise, 1), draw_course(plan, noise, 1, Turn(at, 9))
    np.testing.assert_array_equal(departures(base, at), departures(turned, at))
    assert not np.array_equal(base.dp_dep_min, turned.dp_dep_min)
    slot = at // plan.slot_min
    np.testing.assert_array_equal(base.sort_cap[:, :slot], turned.sort_cap[:, :slot])
    assert not np.array_equal(base.wave_cap, turned.wave_cap)


def test_the_demand_of_a_day_has_mean_one():
    factors = day_factors(standard_noise(), 5, 400)
    assert abs(factors.mean() - 1) < 0.02
    np.testing.assert_array_equal(factors[:3], day_factors(standard_noise(), 5, 3))
