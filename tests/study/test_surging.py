"""Surge plans on ``tiny``: the cheapest that reaches the share, the lists, and what cannot be reached."""

import tomllib

import polars as pl
import pytest

from postroad.core.errors import InfeasibleError, InputError, LimitReached
from postroad.network.scenariofile import load_scenario
from postroad.study.surging import plan_surge_day


def busy(times: float):
    """``tiny`` with so many times its items."""
    return load_scenario("tiny").scale_demand(by=times)


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """A surge plan that needs extra trips too, kept in a folder."""
    folder = tmp_path_factory.mktemp("surge") / "plan"
    return plan_surge_day(busy(8), target=0.6, work_limit=20, to=folder)


def test_the_share_is_reached_in_the_twin_and_costs_no_less_than_the_bound(planned):
    assert planned.share >= 0.6
    assert 0 < planned.bound_yuan <= planned.yuan
    assert 0 <= planned.gap < 0.1
    tries = planned.tries.filter(pl.col("case") == "haste")
    reached = tries.filter(pl.col("share") >= 0.6, pl.col("carries"))
    assert planned.yuan == reached["yuan"].min()
    stands = planned.tries.filter(pl.col("case") == "as it stands")["share"].item()
    most = planned.tries.filter(pl.col("case") == "as much as wanted")["share"].item()
    assert stands < planned.share <= most


def test_the_lists_say_what_is_called_up_and_what_it_costs(planned):
    reserves = planned.follow.reserves
    assert planned.lists["trips"]["n_trips"].sum() == sum(reserve.n_trips for reserve in reserves)
    assert planned.lists["sorting"]["n_items"].sum() == sum(int(reserve.sort_extra.sum()) for reserve in reserves)
    assert planned.lists["couriers"]["n_items"].sum() == sum(int(reserve.wave_extra.sum()) for reserve in reserves)
    listed = sum(frame["yuan"].sum() for frame in planned.lists.values())
    assert listed == pytest.approx(planned.week_yuan, rel=1e-9)
    day = sum(
        frame.filter(pl.col("date") == planned.scenario.day)["yuan"].sum() for frame in planned.lists.values()
    )  # fmt: skip
    assert day == pytest.approx(planned.yuan, rel=1e-9)


def test_the_folder_holds_the_lists_and_the_proof(planned):
    facts = tomllib.loads((planned.folder / "surge.toml").read_text(encoding="utf-8"))
    assert facts["share_72h"] == planned.share
    assert facts["bound_yuan"] == planned.bound_yuan
    trips = pl.read_csv(planned.folder / "trips.csv")
    assert set(trips.columns) == {"date", "from_facility", "to_facility", "departs_at", "n_trips", "yuan"}
    assert trips["departs_at"].str.contains(r"^[0-2]\d:[0-5]\d$").all()
    with pytest.raises(InputError, match="PR-S105"):
        plan_surge_day(busy(8), target=0.6, to=planned.folder)


def test_couriers_alone_are_the_cheapest_where_they_do():
    plan = plan_surge_day(busy(2.5), target=0.9, of="all", work_limit=40)
    assert plan.tries["haste"].to_list() == [None, None, 0.0]
    assert plan.lists["trips"].is_empty()
    assert plan.lists["couriers"]["n_items"].sum() > 0
    assert plan.gap < 0.001


def test_what_no_room_can_reach_is_refused():
    with pytest.raises(InfeasibleError, match="PR-S150") as refused:
        plan_surge_day(busy(8), target=0.999, of="all", work_limit=5)
    assert refused.value.exit_code == 4


def test_what_no_try_reached_is_told():
    with pytest.raises(LimitReached, match="PR-S151"):
        plan_surge_day(busy(4), target=0.985, of="all", work_limit=20, time_limit=0.001)
