"""Loads and hours of a run: sums by hand, groupings, backlogs, refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from kit.journeys import small_tables
from kit.runs import run_instance, run_loads, run_tables
from postroad.core.errors import InputError
from postroad.measure.dims import build_dims
from postroad.measure.hours import Hours, find_clear_hour, hourly_capacity, measure_hours, track_backlog
from postroad.measure.loads import Loads, measure_loads, sum_loads
from postroad.measure.registry import find

INSTANCE = run_instance()
DIMS = build_dims(INSTANCE.fac_id, INSTANCE.prod_id, run_tables())
VEHICLE_IDS = ("artic", "freighter", "van")


def make_loads(load=None) -> Loads:
    carried, run = run_loads()
    return Loads(INSTANCE, VEHICLE_IDS, carried if load is None else load, run)


def make_hours(**changes) -> Hours:
    rng = np.random.default_rng(1)
    work = {name: rng.integers(0, 100, (4, 48)) for name in ("sorted_items", "screened_items", "delivered_items")}
    work |= {name: rng.integers(0, 500, (4, 48)) for name in ("backlog_in", "backlog_out")}
    return Hours(INSTANCE, **(work | changes))


def measure_one(name: str, by=(), loads: Loads | None = None) -> pl.DataFrame:
    return measure_loads(loads or make_loads(), find([name]), by)[name]


def value_of(frame: pl.DataFrame, **group) -> float:
    return frame.filter(**group)["value"].item()


def test_fill_by_hand():
    by_mode = {name: measure_one(name, ["vehicle"]) for name in ("kg_fill_share", "m3_fill_share", "fill_share", "items_fill_share", "empty_km_share")}  # fmt: skip  # noqa: E501
    kg = (22000 + 12000) * 840 / (2 * 60000 * 840)
    assert value_of(by_mode["kg_fill_share"], vehicle="artic") == pytest.approx(kg)
    # 5 l a kilogram: 16 000 items are 110 and 60 m3 of 240; weight is fuller than volume
    assert value_of(by_mode["m3_fill_share"], vehicle="artic") == pytest.approx((110 + 60) / 480)
    assert value_of(by_mode["fill_share"], vehicle="artic") == pytest.approx((110 / 240 + 60 / 240) / 2)
    assert value_of(by_mode["items_fill_share"], vehicle="artic") is None  # no limit of pieces is stated
    assert value_of(by_mode["items_fill_share"], vehicle="van") == pytest.approx(150 / 800)
    assert value_of(by_mode["empty_km_share"], vehicle="van") == 0.5
    assert value_of(by_mode["empty_km_share"], vehicle="artic") == 0


def test_legs_that_did_not_run_count_for_nothing():
    runs = measure_one("n_vehicle_runs", ["mode", "service_day"])
    assert value_of(runs, mode="air", service_day=0) == 1
    assert runs.filter(mode="air", service_day=1).height == 0
    assert value_of(measure_one("vehicle_km")) == 2 * 2 * 840 + 900 + 2 * 30


@pytest.mark.parametrize("by", [["lane"], ["tier", "mode"], ["from_facility"], ["to_facility", "service_day"]])
def test_groups_add_up_to_the_whole(by):
    whole, parts = sum_loads(make_loads()), sum_loads(make_loads(), by)
    for name in ("vehicle_km", "items_km", "kg_km", "activity_tkm", "full_km", "items", "vehicles"):
        assert parts[name].sum() == pytest.approx(whole[name].item())
    assert parts.columns[: len(parts.columns) - len(whole.columns)] == (["from_facility", "to_facility", "mode"] if by == ["lane"] else by)  # fmt: skip  # noqa: E501


def test_days_limit_what_is_summed():
    day = sum_loads(make_loads(), ["service_day"], days=slice(1, 2))
    assert day["service_day"].to_list() == [1]
    assert day["items"].item() == 9000


@given(load=arrays.arrays(np.int32, (2, 3, 2), elements=st.integers(0, 5)))
@settings(max_examples=20, deadline=None)
def test_fill_is_a_share_while_nothing_is_over_capacity(load):
    carried, run = run_loads()
    load = np.where(run[:, :, None], load, 0).astype(np.int32)
    for name in ("fill_share", "kg_fill_share", "m3_fill_share", "empty_km_share"):
        share = measure_one(name, ["mode"], make_loads(load))["value"].drop_nulls()
        assert share.is_between(0, 1).all()
    assert carried.shape == load.shape


def test_sorting_use_by_hand():
    hours = make_hours()
    use = measure_hours(hours, DIMS, find(["sort_use_share"])[0], ["facility"])
    assert value_of(use, facility="F0") == pytest.approx(hours.sorted_items[0].sum() / 4800)
    assert value_of(use, facility="F3") is None  # no capacity is stated
    whole = measure_hours(hours, DIMS, find(["sort_use_share"])[0])
    assert value_of(whole) == pytest.approx(hours.sorted_items[:3].sum() / 14400)
    assert whole["n_items"].item() == hours.sorted_items.sum()


@pytest.mark.parametrize("by", [["hour"], ["hour_of_day"], ["region", "day"], ["facility", "hour_of_day"], ["city"]])
def test_work_by_groups_adds_up(by):
    hours = make_hours()
    frame = measure_hours(hours, DIMS, find(["n_sorted"])[0], by)
    assert frame["value"].sum() == hours.sorted_items.sum()
    assert frame.columns == [*by, "value", "n_items"]


def test_the_peak_is_of_the_group_in_one_hour():
    backlog = np.zeros((4, 48), np.int64)
    backlog[0, 5], backlog[1, 6], backlog[3, 6] = 70, 50, 30
    hours = make_hours(backlog_in=backlog)
    peak = find(["n_peak_backlog"])[0]
    assert value_of(measure_hours(hours, DIMS, peak)) == 80
    assert value_of(measure_hours(hours, DIMS, peak, ["facility"]), facility="F0") == 70
    assert value_of(measure_hours(hours, DIMS, peak, ["city"], window=slice(0, 6)), city="420100") == 0


def test_a_backlog_peaks_and_clears():
    backlog = np.zeros((4, 48), np.int64)
    backlog[0, 3:8] = [10, 900, 400, 9, 0]
    backlog[1, 40:] = 5
    tracked = track_backlog(make_hours(backlog_in=backlog))
    assert tracked.row(0) == ("F0", 900, 4, 6)
    assert tracked.row(1) == ("F1", 5, 40, None)
    assert tracked.row(2) == ("F2", 0, None, None)


def test_a_disruption_is_tracked_in_excess_of_the_undisturbed_run():
    usual = np.full((4, 48), 100, np.int64)
    cut = usual.copy()
    cut[1, 10:20] = [300, 600, 900, 1100, 800, 500, 250, 130, 108, 100]
    tracked = track_backlog(make_hours(backlog_in=cut), base=make_hours(backlog_in=usual))
    assert tracked.row(1) == ("F1", 1000, 13, 18)
    assert tracked.row(0) == ("F0", 0, None, None)
    assert find_clear_hour(np.zeros(4), 0) is None


def test_capacity_by_hour_follows_the_slots():
    cap = np.tile(np.array([[10, 20]], np.int32), (4, 48))
    cap[2, :2] = 2**30
    by_hour = hourly_capacity(INSTANCE, cap, 30)
    assert by_hour.shape == (4, 30)
    assert by_hour[0].tolist() == [30] * 30
    assert by_hour[2, :2].tolist() == [-1, 30]


def test_refusals():
    load, run = run_loads()
    cases = [
        lambda: Loads(INSTANCE, VEHICLE_IDS, load[:, :2], run),
        lambda: make_hours(backlog_in=np.zeros((3, 48), np.int64)),
        lambda: hourly_capacity(INSTANCE, INSTANCE.sort_cap, 49),
    ]
    for call in cases:
        with pytest.raises(InputError) as caught:
            call()
        assert caught.value.code == "PR-M006"
    for call in (
        lambda: sum_loads(make_loads(), ["product"]),
        lambda: measure_hours(make_hours(), DIMS, find(["n_sorted"])[0], ["product"]),
    ):
        with pytest.raises(InputError) as caught:
            call()
        assert caught.value.code == "PR-M007"


def test_renaming_vehicles_changes_only_names():
    loads = make_loads()
    renamed = replace(loads, vehicle_ids=("a", "b", "c"))
    first, second = (sum_loads(one, ["vehicle"]).drop("vehicle") for one in (loads, renamed))
    assert first.equals(second)
    assert set(small_tables()) == {"places", "facilities"}
