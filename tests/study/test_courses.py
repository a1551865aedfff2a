"""Courses of a plan: one seed, one course; run again from a state, what was settled stays."""

import numpy as np
import polars as pl

from postroad.network.scenariofile import load_scenario
from postroad.study.archive import run_names
from postroad.study.courses import Course, begin, course_tables, finish, make_plan, rerun
from postroad.study.delays import STEP_MIN, delay_events
from postroad.twin.noise import standard_noise
from postroad.watch.histories import read_delays
from postroad.watch.trips import LEAST_DONE, Connections


def test_a_course_is_run_again_from_where_it_stands():
    plan = make_plan(load_scenario("tiny"), standard_noise())
    course = begin(plan, 3, every=5)
    per_day = plan.instance.slots_per_day
    course.simulation.advance(per_day // 2)
    before = course.simulation.histories()
    n_known, n_rows = len(before.item), len(before.row_item)
    again = list(rerun(course, range(2), 6 * per_day))
    assert course.simulation.slot == per_day // 2
    for trace in again:
        np.testing.assert_array_equal(trace.item[:n_known], before.item)
    assert len(again[0].row_min) > n_rows
    assert len(again[0].row_min) != len(again[1].row_min) or (again[0].row_min != again[1].row_min).any()


def test_a_course_leaves_events_and_records():
    plan = make_plan(load_scenario("tiny"), standard_noise())
    traces = []
    for _ in range(2):
        course = begin(plan, 3, every=5)
        traces.append(finish(course))
    np.testing.assert_array_equal(traces[0].row_min, traces[1].row_min)
    events, items = (pl.from_arrow(table) for table in course_tables(Course(plan, 3, course.simulation), traces[1]))
    own = events.filter(pl.col("item_id").is_not_null())
    assert set(own["item_id"].cast(pl.String)) == set(items["item_id"].cast(pl.String))
    assert len(items) == len(traces[1].item) > 0


def test_vehicles_tell_how_late_they_are_each_quarter_of_an_hour():
    plan = make_plan(load_scenario("tiny"), standard_noise())
    course = begin(plan, 3, every=5)
    drawn = course.simulation.instance
    names = run_names(plan.scenario, drawn, "run")
    told = pl.from_arrow(delay_events(plan.instance, drawn, np.arange(len(drawn.dp_cn)), names))
    assert set(told["kind"].cast(pl.String)) == {"delayed"}
    assert told["event_id"].n_unique() == len(told) > 0
    delays = read_delays(
        told.with_columns(item_id=pl.lit(None, pl.String), facility_id=pl.lit(None, pl.String)), plan.instance
    )
    assert len(delays) == len(told)
    first = delays.drop("facility_id").group_by("trip", "day", maintain_order=True).first()
    for trip, day, _, minute, late in first.iter_rows():
        rides = np.flatnonzero((drawn.cn_trip[drawn.dp_cn] == trip) & (drawn.dp_day == day))
        ride = rides[np.argmax(drawn.dp_arr_min[rides] - drawn.dp_dep_min[rides])]
        cn, left, arrived = drawn.dp_cn[ride], drawn.dp_dep_min[ride], drawn.dp_arr_min[ride]
        planned = day * 1440 + plan.instance.cn_dep_min[cn]
        assert left < minute < arrived
        assert abs(abs(late - (left - planned)) - STEP_MIN) <= 1
        facility = drawn.lane_from[drawn.cn_lane[cn]]
        arrives = Connections(plan.instance).arrives_late(
            *(np.array([one]) for one in (trip, facility, left, minute, late))
        )
        done = (minute - left) / (arrived - left)
        if done > LEAST_DONE:
            assert abs(arrives[0] - (arrived - planned - plan.instance.cn_dur_min[cn])) <= 3 / done
