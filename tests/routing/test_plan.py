"""A plan hands its tables to whoever follows them."""

import numpy as np

from kit.instances import make_instance, random_draft
from postroad.routing.plan import Plan, plan_tables
from postroad.routing.tables import build_tables


def test_the_table_routed_plan_gives_the_tables_of_its_instance():
    instance = make_instance(random_draft(1))
    plan = plan_tables(instance, divert_max_extra_h=1.0, threads=1)
    tables = plan.policy.tables(instance)
    assert isinstance(plan, Plan)
    assert plan.instance is instance
    assert plan.policy.name == "table-routed"
    expected = build_tables(instance, divert_max_extra_h=1.0)
    assert np.array_equal(tables.alt_out, expected.alt_out)
    assert not np.array_equal(tables.alt_out, build_tables(instance, divert_max_extra_h=100.0).alt_out)
