"""Runs compared group by group and over seeds: oracle for the t-quantile, pairing, intervals, refusals."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from kit.journeys import random_journeys, small_dims
from postroad.core.errors import InputError
from postroad.measure import measure
from postroad.measure.paired import pair_measures, pair_over_seeds, summarise_seeds, t_quantile

DIMS = small_dims()


def frame_of(seed: int, by=("product",)) -> pl.DataFrame:
    return measure(random_journeys(seed, 300), DIMS, by=by)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 9, 10, 29, 120])
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999])
def test_t_quantile_agrees_with_scipy(degrees, confidence):
    assert t_quantile(confidence, degrees) == pytest.approx(stats.t.ppf((1 + confidence) / 2, degrees), rel=1e-9)


def test_differences_are_of_the_same_groups():
    base, other = frame_of(1), frame_of(2)
    paired = pair_measures(base, other)
    assert paired.height == base.height
    row = paired.filter(product="express", measure="total_h").row(0, named=True)
    values = [frame.filter(product="express", measure="total_h")["value"].item() for frame in (base, other)]
    assert row["difference"] == values[1] - values[0]
    assert row["change_share"] == pytest.approx(values[1] / values[0] - 1)
    assert row["better"] == "lower"
    assert paired.filter(measure="on_time_share")["better"].unique().to_list() == ["higher"]


def test_a_group_of_one_run_only_stands_with_null():
    base = frame_of(1)
    other = base.filter(pl.col("product") == "express")
    paired = pair_measures(base, other).filter(product="economy")
    assert paired["other"].null_count() == paired.height > 0
    assert paired["unit"].null_count() == 0


def test_a_run_compared_with_itself_differs_by_nothing():
    paired = pair_measures(frame_of(3, ("pair",)), frame_of(3, ("pair",)))
    assert paired["difference"].drop_nulls().abs().max() == 0


@given(seed=st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_swapping_the_runs_changes_the_sign(seed):
    there, back = (pair_measures(frame_of(a), frame_of(b)) for a, b in ((seed, seed + 1), (seed + 1, seed)))
    assert (there["difference"] + back["difference"]).abs().max() == 0


def test_means_and_intervals_over_seeds():
    frames = [frame_of(seed) for seed in range(5)]
    summed = summarise_seeds(frames).filter(product="express", measure="total_h").row(0, named=True)
    values = [frame.filter(product="express", measure="total_h")["value"].item() for frame in frames]
    low, high = stats.t.interval(0.95, 4, loc=np.mean(values), scale=stats.sem(values))
    assert summed["value"] == pytest.approx(np.mean(values))
    assert (summed["low"], summed["high"]) == (pytest.approx(low), pytest.approx(high))
    assert summed["n_runs"] == 5


def test_paired_intervals_are_of_the_differences():
    bases = [frame_of(seed) for seed in range(4)]
    others = [frame.with_columns(pl.col("value") + 1.0) for frame in bases]
    paired = pair_over_seeds(bases, others).filter(measure="total_h")
    assert paired["difference"].to_list() == pytest.approx([1.0, 1.0])
    assert (paired["high"] - paired["low"]).max() < 1e-9  # what the seeds do to both cancels out
    single = pair_over_seeds(bases[:1], others[:1])
    assert single["low"].null_count() == single.height
    assert single["n_pairs"].max() == 1


def test_refusals():
    by_product, by_scope = frame_of(1), frame_of(1, ("scope",))
    with pytest.raises(InputError) as caught:
        pair_measures(by_product, by_scope)
    assert caught.value.code == "PR-M009"
    assert "scope" in caught.value.message("zh")
    for call in (lambda: summarise_seeds([by_product]), lambda: pair_over_seeds([by_product], [])):
        with pytest.raises(InputError) as caught:
            call()
        assert caught.value.code == "PR-M010"
