"""Sweeps: one number, its values, and what measures become over them."""

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.studies import closed_run, tiny, tiny_run
from postroad.core.errors import InputError, NotFound
from postroad.study.execution import execute
from postroad.study.settings import apply_setting, find_setting, parse_values
from postroad.study.sweeps import sweep


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.5:1.5:0.25", [0.5, 0.75, 1.0, 1.25, 1.5]),
        ("1:2:0.4", [1.0, 1.4, 1.8]),
        ("3:3:1", [3.0]),
        ("1.05, 0.6,0.83,0.6", [0.6, 0.83, 1.05]),
        ("1e9", [1e9]),
    ],
)
def test_values(text, values):
    assert parse_values(text) == values


@given(st.integers(-50, 50), st.integers(0, 60), st.sampled_from([1, 2, 0.5, 0.1]))
def test_a_range_is_what_a_person_counts(first, n_steps, step):
    values = parse_values(f"{first}:{first + n_steps * step:.6f}:{step}")
    assert len(values) == n_steps + 1
    assert values == pytest.approx([first + step * place for place in range(n_steps + 1)])


@pytest.mark.parametrize("text", ["", "a", "1:2", "1:2:0", "2:1:1", "1:2:-1", "0:1000:1", "1:2:3:4", "nan", "inf,1"])
def test_other_texts_are_no_values(text):
    with pytest.raises(InputError) as raised:
        parse_values(text)
    assert raised.value.code == "PR-S110"


@pytest.mark.parametrize("path", ["demand", "demand.of", "parameters.x", "trips.lane_id", "facility.kwh_per_item", ""])
def test_unknown_numbers(path):
    with pytest.raises(NotFound) as raised:
        find_setting(path)
    assert raised.value.code == "PR-S109"


def test_the_nearest_number_is_named():
    with pytest.raises(NotFound) as raised:
        find_setting("parameters.max_attempt")
    assert "parameters.max_attempts" in raised.value.message()


def test_a_parameter_that_the_feed_leaves_to_its_default_can_be_set():
    network = tiny().network
    without = network.tables["parameters"].filter(pl.col("parameter_id") != "max_attempts")
    bare = replace(tiny(), network=network.with_tables(parameters=without))
    made = apply_setting(bare, find_setting("parameters.max_attempts"), 2)
    assert made.network.parameters["max_attempts"] == 2
    assert len(made.network.tables["parameters"]) == len(without) + 1
    assert len(made.network.check()) == 0


def test_the_exponent_of_distance_reaches_the_demand():
    """Listed demand has none: the tiny feed refuses it."""
    with pytest.raises(InputError) as raised:
        execute(replace(tiny(), beta=0.7))
    assert raised.value.code == "PR-D102"


def test_numbers_are_set_where_they_belong():
    assert apply_setting(tiny(), find_setting("demand.to_items"), 9.6).to_items == 10
    assert apply_setting(tiny(), find_setting("beta"), 0.7).beta == 0.7
    assert apply_setting(tiny().scale_demand(by=2), find_setting("demand.by"), 1.5).by == 3
    made = apply_setting(tiny(), find_setting("facilities.sort_items_per_h"), 0.5)
    before, after = (one.network.tables["facilities"]["sort_items_per_h"] for one in (tiny(), made))
    assert after.drop_nulls().to_list() == [round(value / 2) for value in before.drop_nulls()]


@pytest.fixture(scope="module")
def less_sorting():
    return sweep("tiny", "facilities.sort_items_per_h", "0.05,1", names=["total_h", "n_peak_backlog"])


def test_less_sorting_takes_longer(less_sorting):
    points = less_sorting.points
    hours = dict(points.filter(measure="total_h").select("x", "value").iter_rows())
    assert hours[0.05] > 2 * hours[1.0]
    assert points["measure"].to_list() == ["total_h", "n_peak_backlog"] * 2
    assert points["low"].null_count() == len(points)


def test_a_factor_of_one_is_the_scenario_itself(less_sorting):
    own = tiny_run().measure(["total_h"])["value"][0]
    assert less_sorting.points.filter(measure="total_h", x=1.0)["value"][0] == own


def test_intervals_over_seeds():
    points = sweep("tiny", "demand.by", [1.0], names=["total_h"], seeds=2).points
    row = points.row(0, named=True)
    seeds = closed_run().undisturbed.seeds.filter(measure="total_h")["value"]
    assert row["value"] == pytest.approx(seeds.mean())
    assert row["low"] < row["value"] < row["high"]


def test_the_page_of_a_sweep(less_sorting, tmp_path):
    text = less_sorting.to_html(tmp_path / "sweep.html").read_text(encoding="utf-8")
    assert "A small example: factor on sort_items_per_h of all facilities" in text
    assert "postroad sweep tiny --set facilities.sort_items_per_h=0.05,1 --seed 1" in text


def test_a_bad_value_costs_no_run():
    with pytest.raises(InputError) as raised:
        sweep("tiny", "demand.by", [1.0, -1.0], names=["total_h"])
    assert raised.value.code == "PR-F210"
    with pytest.raises(NotFound, match="PR-M001"):
        sweep("tiny", "demand.by", [1.0], names=["guess"])
    with pytest.raises(InputError, match="PR-S107"):
        sweep("tiny", "demand.by", [1.0], seeds=0)
    with pytest.raises(InputError, match="PR-S106"):
        sweep(tiny(), "demand.by", [1.0], level="county")
