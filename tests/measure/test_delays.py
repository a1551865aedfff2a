"""Delays between two runs: against a slow pairing of single items, and invariants."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.journeys import random_journeys, small_dims
from postroad.core.errors import InputError, NotFound
from postroad.events.journeys import Journeys
from postroad.measure.delays import sum_delays

DIMS = small_dims()


def few_groups(seed: int, n_rows: int = 60) -> Journeys:
    """Journeys of few groups, so that both runs have several rows of each."""
    journeys = random_journeys(seed, n_rows, n_fac=2)
    return replace(journeys, accepted_min=(journeys.accepted_min // 1440 * 1440).astype(np.int32))


def pair_slowly(base: Journeys, other: Journeys) -> dict[str, list[int]]:
    """Single items paired in order of arrival: by product, items, delayed, minutes, most minutes."""
    groups: list[dict] = []
    for journeys in (base, other):
        found = defaultdict(list)
        for row in range(len(journeys)):
            key = tuple(int(getattr(journeys, name)[row]) for name in ("product_idx", "origin_idx", "destination_idx", "accepted_min"))  # fmt: skip  # noqa: E501
            arrival = int(journeys.ended_min[row]) if journeys.outcome[row] == 0 else None
            found[key] += [arrival] * int(journeys.n_items[row])
        groups.append({key: sorted(items, key=lambda at: (at is None, at)) for key, items in found.items()})
    told: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for key, arrivals in groups[0].items():
        for first, second in zip(arrivals, groups[1].get(key, []), strict=False):
            if first is None or second is None:
                continue
            cell = told[("express", "economy")[key[0]]]
            cell[0] += 1
            if second > first:
                cell[1] += 1
                cell[2] += second - first
                cell[3] = max(cell[3], second - first)
    return told


@given(seed=st.integers(0, 5000))
@settings(max_examples=25, deadline=None)
def test_pairing_agrees_with_single_items(seed):
    base, other = few_groups(seed), few_groups(seed + 1)
    slow = pair_slowly(base, other)
    told = sum_delays(base, other, DIMS)
    assert set(told["key"]) == {key for key, cell in slow.items() if cell[0]}
    for row in told.iter_rows(named=True):
        n_items, n_delayed, minutes, most = slow[row["key"]]
        assert (row["n_items"], row["n_delayed"]) == (n_items, n_delayed)
        assert row["max_delay_h"] == pytest.approx(most / 60)
        assert row["mean_delay_h"] == (pytest.approx(minutes / 60 / n_delayed) if n_delayed else None)


@given(seed=st.integers(0, 5000))
@settings(max_examples=10, deadline=None)
def test_order_and_splits_of_rows_change_nothing(seed):
    base, other = few_groups(seed), few_groups(seed + 1)
    shuffle = np.random.default_rng(seed).permutation(len(other))
    halves = [(other.n_items // 2).astype(np.int32), (other.n_items - other.n_items // 2).astype(np.int32)]
    parts = {name: np.concatenate([getattr(other, name)[shuffle]] * 2) for name in other.__slots__}
    split = Journeys(**parts | {"n_items": np.concatenate([half[shuffle] for half in halves])})
    groupings = ["product", "destination_region"]
    assert sum_delays(base, other, DIMS, groupings).equals(sum_delays(base, split, DIMS, groupings))


def test_a_run_is_not_late_against_itself():
    journeys = random_journeys(3, 500)
    told = sum_delays(journeys, journeys, DIMS, ["product", "origin_city"])
    assert told["n_delayed"].sum() == 0
    assert told["mean_delay_h"].null_count() == told.height
    assert told.filter(by="product")["n_items"].sum() == journeys.n_items[journeys.outcome == 0].sum()


def test_a_day_later_is_a_day_late():
    journeys = random_journeys(3, 500)
    later = replace(journeys, ended_min=np.where(journeys.outcome == 0, journeys.ended_min + 1440, journeys.ended_min))
    told = sum_delays(journeys, later, DIMS, "destination_province")
    assert told["mean_delay_h"].to_list() == [24.0] * told.height
    assert told["delayed_share"].to_list() == [1.0] * told.height


def test_refusals():
    journeys = random_journeys(3, 50)
    with pytest.raises(NotFound) as caught:
        sum_delays(journeys, journeys, DIMS, "release_hour")
    assert caught.value.code == "PR-M002"
    strange = random_journeys(3, 50, n_fac=9)
    with pytest.raises(InputError) as caught:
        sum_delays(strange, strange, DIMS)
    assert caught.value.code == "PR-M003"
