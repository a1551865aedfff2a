"""The cost account: lines by hand, invariants, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.runs import run_instance, run_loads, run_tables
from postroad.core.errors import InputError
from postroad.cost import Activity, account_cost, default_rates, set_rates

SORTED = np.array([20000, 16000, 1500, 0], np.int64)
COLLECTED = np.array([[9000, 8000], [0, 0], [0, 0], [1000, 2000]], np.int64)
ATTEMPTED = np.array([[0, 0], [5000, 4000], [1000, 600], [4500, 6000]], np.int64)


def make_activity(**changes) -> Activity:
    load, run = run_loads()
    arrays = {
        "load_items": load,
        "run_legs": run,
        "sorted_items": SORTED,
        "collected": COLLECTED,
        "attempted": ATTEMPTED,
    }
    return Activity(run_instance(), run_tables(), **(arrays | changes))


def test_lines_by_hand():
    account = account_cost(make_activity(), year=2025)
    value = dict(account.lines.select("element_id", "value").iter_rows())
    assert value["line_haul-artic-km"] == 2 * 2 * 840 * 6
    assert value["line_haul-artic-h"] == 2 * 2 * 10 * 40
    assert value["line_haul-artic-trip"] == 2 * 2 * 100
    assert value["line_haul-freighter-km"] == 900 * 26
    assert value["line_haul-freighter-trip"] == 6000
    assert "line_haul-freighter-h" not in value
    assert value["feeder-van-km"] == 2 * 30 * 2
    assert value["feeder-van-h"] == 2 * 1 * 30
    assert value["handling-hub-120"] == pytest.approx(20000 * 0.12)
    assert value["handling-sorting-120"] == pytest.approx(16000 * 0.12)
    assert value["handling-sorting-250"] == pytest.approx(1500 * 0.25)
    assert value["collection"] == 20000 * 0.5
    assert value["delivery"] == pytest.approx(21100 * 1.2)
    assert account.n_items == 20000
    assert account.yuan_per_item == pytest.approx(sum(value.values()) / 20000)
    assert account.by_element()["element"].to_list() == ["collection", "line_haul", "feeder", "handling", "delivery"]
    assert account.by_element()["value"].sum() == pytest.approx(account.total_yuan)


def test_every_line_is_an_activity_times_a_rate_with_its_source():
    lines = account_cost(make_activity(), year=2025).lines
    assert (lines["activity"] * lines["factor"] - lines["value"]).abs().max() < 1e-6
    assert lines["source"].str.len_chars().min() > 0
    assert set(lines["label"]) <= {"modelled", "unverified", "derived", "measured"}
    assert lines["year"].min() > 2000


@given(scale=st.integers(0, 3))
@settings(max_examples=4, deadline=None)
def test_a_scheduled_trip_costs_the_same_full_or_empty(scale):
    load, _ = run_loads()
    full, other = (account_cost(make_activity(load_items=part), year=2025) for part in (load, load * scale))
    assert other.total_yuan == full.total_yuan


def test_a_trip_of_several_legs_departs_once():
    instance = run_instance()
    joined = type(instance)(**{name: getattr(instance, name) for name in instance.__slots__} | {"leg_trip": np.array([0, 2, 0], np.int32), "cn_trip": np.array([0, 2, 0], np.int32), "leg_vehicle": np.array([0, 1, 0], np.int32), "leg_n_vehicles": np.array([2, 1, 2], np.int32)})  # fmt: skip  # noqa: E501
    load, run = run_loads()
    account = account_cost(Activity(joined, run_tables(), load, run, SORTED, COLLECTED, ATTEMPTED), year=2025)
    lines = {row["element_id"]: row["activity"] for row in account.lines.iter_rows(named=True)}
    assert lines["line_haul-artic-trip"] + lines.get("feeder-artic-trip", 0) == 4


def test_rates_can_be_set_and_say_so():
    rates = set_rates(delivery_yuan_per_attempt=2.0)
    line = account_cost(make_activity(), year=2025, rates=rates).lines.row(-1, named=True)
    assert line["value"] == 42200
    assert (line["label"], line["source"]) == ("unverified", "the user")
    assert default_rates()["delivery_yuan_per_attempt"].value == 1.2


def test_nothing_done_costs_nothing_per_item():
    load, run = run_loads()
    nil = np.zeros((4, 2), np.int64)
    account = account_cost(
        make_activity(load_items=load * 0, run_legs=run & False, sorted_items=SORTED * 0, collected=nil, attempted=nil),
        year=2025,
    )
    assert account.total_yuan == 0
    assert account.yuan_per_item == 0


def test_refusals():
    with pytest.raises(InputError) as caught:
        set_rates(delivery_yuan=1.0)
    assert caught.value.code == "PR-M101"
    assert "delivery_yuan_per_attempt" in caught.value.message("zh")
    with pytest.raises(InputError) as caught:
        make_activity(sorted_items=SORTED[:3])
    assert caught.value.code == "PR-M102"


def test_items_accounted_answer_for_their_share_and_for_paid_days_only():
    whole = account_cost(make_activity(), year=2025)
    half = account_cost(make_activity(share=0.5), year=2025)
    shared = whole.lines["element"].is_in(["line_haul", "feeder", "handling"])
    assert half.lines.filter(shared)["value"].sum() == pytest.approx(whole.lines.filter(shared)["value"].sum() / 2)
    assert half.lines.filter(~shared)["value"].sum() == whole.lines.filter(~shared)["value"].sum()
    first = account_cost(make_activity(n_paid_days=1), year=2025)
    departures = {row["element_id"]: row["activity"] for row in first.lines.iter_rows(named=True)}
    assert departures["line_haul-artic-trip"] == 2
