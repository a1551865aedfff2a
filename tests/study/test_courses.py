"""Courses of a plan: one seed, one course; run again from a state, what was settled stays."""

import numpy as np
import polars as pl

from postroad.network.scenariofile import load_scenario
from postroad.study.courses import Course, begin, course_tables, finish, make_plan, rerun
from postroad.twin.noise import standard_noise


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
    assert set(events["item_id"].cast(pl.String)) == set(items["item_id"].cast(pl.String))
    assert len(items) == len(traces[1].item) > 0
