"""Measures over journeys: the fast path against the SQL definitions, invariants, refusals."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from kit.journeys import random_journeys, small_dims
from postroad.core.errors import InputError, NotFound
from postroad.kernels.tally import COMPONENTS
from postroad.measure import sql
from postroad.measure.engines import DuckEngine
from postroad.measure.evaluation import expand_by, measure, measure_sql
from postroad.measure.registry import STANDARD, components, measures
from postroad.measure.tallies import tally

DIMS = small_dims()
OF_JOURNEYS = [one.name for one in measures().values() if one.is_of_journeys]
FAST_GROUPS = [
    (),
    ("product",),
    ("scope",),
    ("pair",),
    ("release_hour",),
    ("release_day", "product"),
    ("destination_region", "product"),
    ("origin_province", "destination_province"),
    ("origin_city", "scope"),
]
SLOW_GROUPS = [("origin_facility",), ("pair", "release_hour")]
WITHIN = sql.Within(
    origin_cities=frozenset(["310100", "420100"]),
    destination_cities=frozenset(["310100", "650100", "810100"]),
    scopes=frozenset(["intercity"]),
)


def test_components_of_the_kernel_are_those_declared():
    assert tuple(components()) == COMPONENTS


@pytest.mark.parametrize("by", [*FAST_GROUPS, *SLOW_GROUPS])
@pytest.mark.parametrize("within", [sql.EVERYTHING, WITHIN])
def test_fast_path_equals_the_sql_definitions(by, within):
    journeys = random_journeys(3, 4000)
    fast = measure(journeys, DIMS, OF_JOURNEYS, by, within=within)
    slow = measure_sql(journeys, DIMS, OF_JOURNEYS, by, within=within)
    assert_frame_equal(fast, slow, check_exact=True)


@given(seed=st.integers(0, 10_000), n_rows=st.integers(0, 300))
@settings(max_examples=25, deadline=None)
def test_every_component_of_the_tally_equals_its_sql(seed, n_rows):
    journeys = random_journeys(seed, n_rows)
    by = ["product", "origin_city", "destination_city"]
    fast = tally(journeys, DIMS).sums(by)
    with DuckEngine(journeys, DIMS) as engine:
        slow = engine.query_sums(COMPONENTS, by).filter(pl.col("n_items") > 0).sort(by)
    assert_frame_equal(fast, slow, check_exact=True)


@given(seed=st.integers(0, 10_000), gaps=st.booleans())
@settings(max_examples=25, deadline=None)
def test_segments_sum_to_the_total_and_every_item_is_somewhere(seed, gaps):
    sums = tally(random_journeys(seed, 500, gaps=gaps), DIMS).sums(["release_hour", "product"])
    segments = pl.sum_horizontal(name for name in COMPONENTS if name.endswith("item_min") and name[0] in "otd")
    checked = sums.select(
        segments=(segments - pl.col("total_item_min")) == pl.col("total_item_min"),
        outcomes=pl.sum_horizontal("n_delivered", "n_returned", "n_lost", "n_custody") == pl.col("n_items"),
        timed=pl.col("n_timed") + pl.col("n_untimed") == pl.col("n_delivered"),
        promised=pl.col("n_on_time") + pl.col("n_late") <= pl.col("n_promised"),
        nested_early=(pl.col("n_24h") <= pl.col("n_48h")) & (pl.col("n_48h") <= pl.col("n_72h")),
        nested_late=(pl.col("n_72h") <= pl.col("n_120h")) & (pl.col("n_120h") <= pl.col("n_delivered")),
        attempts=(pl.col("n_first_attempt") <= pl.col("n_attempted")) & (pl.col("n_attempted") <= pl.col("n_attempts")),
    )  # fmt: skip
    assert all(checked.select(pl.all().all()).row(0))
    assert gaps or sums["n_untimed"].sum() == 0


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_shares_lie_between_nought_and_one_and_quantiles_rise(seed):
    frame = measure(random_journeys(seed, 200), DIMS, OF_JOURNEYS, ["product"])
    shares = frame.filter(pl.col("measure").str.ends_with("_share"))["value"].drop_nulls()
    assert shares.is_between(0.0, 1.0).all()
    wide = frame.pivot("measure", index="product", values="value")
    assert (wide["total_p50_h"] <= wide["total_p90_h"]).all()
    assert (wide["total_p90_h"] <= wide["total_p95_h"]).all()


def test_quantiles_are_exact_weighted_order_statistics():
    journeys = random_journeys(11, 600, gaps=False)
    took = np.repeat(journeys.ended_min - journeys.accepted_min, journeys.n_items)
    delivered = np.repeat(journeys.outcome == 0, journeys.n_items)
    ordered = np.sort(took[delivered])
    frame = measure(journeys, DIMS, ["total_p50_h", "total_p90_h"])
    for value, percent in zip(frame["value"], (50, 90), strict=True):
        position = -(-len(ordered) * percent // 100) - 1
        assert value == ordered[position] / 60


def test_values_by_hand():
    journeys = random_journeys(0, 3, gaps=False)
    made = {name: np.zeros(3, getattr(journeys, name).dtype) for name in type(journeys).__slots__}
    made["n_items"] += np.array([10, 30, 60], np.int32)
    made["accepted_min"] += 60
    for name, step in (("left_origin_min", 60), ("reached_dest_min", 660), ("out_min", 1260), ("ended_min", 1320)):
        made[name] += np.int32(60 + step)
    made["ended_min"][1] += 4320
    made["outcome"][2] = 2
    made["promise_min"] += np.array([1380, 1380, -1], np.int32)
    made["n_attempts"] += np.array([1, 2, 0], np.int8)
    frame = measure(type(journeys)(**made), DIMS, [*STANDARD, "late_h", "lost_share", "attempts_per_item"])
    values = dict(frame.select("measure", "value").iter_rows())
    assert values["total_h"] == (10 * 22 + 30 * 94) / 40
    assert values["origin_handling_h"] == 1
    assert values["transport_h"] == 10
    assert values["delivery_h"] == (10 * 1 + 30 * 73) / 40
    assert values["on_time_48h_share"] == 0.1
    assert values["on_time_share"] == 0.25
    assert values["late_h"] == 72
    assert values["lost_share"] == 0.6
    assert values["attempts_per_item"] == 70 / 40


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_any_number_of_threads_gives_the_same(monkeypatch, threads):
    journeys = random_journeys(13, 1000)
    once = tally(journeys, DIMS, threads=1)
    monkeypatch.setattr("postroad.measure.tallies.MIN_PART_ROWS", 100)
    parts = tally(journeys, DIMS, threads=threads)
    for name in ("pair_sums", "clock_sums", "took_items", "collected", "attempted"):
        assert np.array_equal(getattr(parts, name), getattr(once, name))


def test_tallies_of_parts_add_up_to_the_tally_of_the_whole():
    whole = random_journeys(5, 1000, n_days=3)
    cut = [
        type(whole)(**{name: getattr(whole, name)[part] for name in whole.__slots__})
        for part in (slice(0, 400), slice(400, 1000))
    ]
    summed = tally(cut[1], DIMS) + tally(cut[0], DIMS)
    once = tally(whole, DIMS)
    assert summed.first_day == once.first_day
    for name in ("pair_sums", "clock_sums", "took_items", "collected", "attempted"):
        assert np.array_equal(getattr(summed, name), getattr(once, name))
    assert once.n_items == whole.n_items.sum()


def test_sql_answers_when_a_tally_would_be_too_large(monkeypatch):
    journeys = random_journeys(9, 500)
    full = measure(journeys, DIMS, OF_JOURNEYS, ["pair"])
    median = measure(journeys, DIMS, ["total_p50_h"])
    monkeypatch.setattr("postroad.measure.tallies.MAX_PAIR_CELLS", 10)
    monkeypatch.setattr("postroad.measure.tallies.MAX_TOOK_CELLS", 10)
    small = tally(journeys, DIMS)
    assert small.pair_sums.size == 0
    assert small.took_items.size == 0
    assert_frame_equal(measure(journeys, DIMS, OF_JOURNEYS, ["pair"]), full, check_exact=True)
    assert_frame_equal(measure(journeys, DIMS, ["total_p50_h"]), median, check_exact=True)


def test_parquet_and_arrow_give_the_same(tmp_path):
    journeys = random_journeys(2, 300)
    pl.from_arrow(journeys.arrow()).write_parquet(tmp_path / "day=0.parquet")
    expected = measure(journeys, DIMS, by="scope")
    assert_frame_equal(measure(tmp_path, DIMS, by="scope"), expected, check_exact=True)
    assert_frame_equal(measure(journeys.arrow(), DIMS, by="scope"), expected, check_exact=True)


def test_renaming_facilities_of_a_city_changes_nothing():
    journeys = random_journeys(4, 400)
    swapped = np.array([0, 6, 2, 3, 4, 5, 1], np.int32)  # the outlet and the hub of Wuhan
    columns = {name: getattr(journeys, name) for name in journeys.__slots__}
    columns |= {name: swapped[columns[name]] for name in ("origin_idx", "destination_idx")}
    assert_frame_equal(
        measure(journeys, DIMS, STANDARD, "pair"),
        measure(type(journeys)(**columns), DIMS, STANDARD, "pair"),
        check_exact=True,
    )


def test_scopes_follow_cities_and_customs_territories():
    city = {row["city"]: row["territory"] for row in DIMS.cities.iter_rows(named=True)}
    assert city == {"310100": "CN", "420100": "CN", "420500": "CN", "650100": "CN", "810100": "81", "DUI": "DE"}
    assert DIMS.facilities.filter(facility="WUC")["city"].item() == "420100"
    assert DIMS.regions == ("east", "centre", "west", "other")


@pytest.mark.parametrize(
    ("call", "error", "code"),
    [
        (lambda j: measure(j, DIMS, ["totl_h"]), NotFound, "PR-M001"),
        (lambda j: measure(j, DIMS, by="produkt"), NotFound, "PR-M002"),
        (lambda j: tally(random_journeys(0, 50, n_fac=9), DIMS), InputError, "PR-M003"),
        (lambda j: measure(tally(j, DIMS), DIMS, by="origin_facility"), InputError, "PR-M004"),
        (lambda j: measure(j, DIMS, ["fill_share"]), InputError, "PR-M005"),
    ],
)
def test_refusals(call, error, code):
    with pytest.raises(error) as caught:
        call(random_journeys(0, 50))
    assert caught.value.code == code
    assert "{" not in caught.value.message("en") + caught.value.message("zh") + caught.value.fix("zh")


def test_a_near_name_is_suggested():
    with pytest.raises(NotFound, match="total_h"):
        measure(random_journeys(0, 5), DIMS, ["totl_h"])
    assert expand_by("pair") == ("origin_city", "destination_city")
