"""Controlled rounding: exact margins, floor or ceiling, no bias, the same for any number of threads."""

from itertools import pairwise

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.demand import all_roundings
from postroad.kernels.rounding import (
    SMALL,
    _split_by_forest,
    _split_by_halving,
    apportion,
    apportion_blocks,
    draw,
    round_table,
    split_blocks,
    split_origins,
)

SEEDS = st.integers(0, 2**63 - 1).map(np.uint64)


@st.composite
def whole_margin_tables(draw_from, n_most=6, m_most=6):
    """A table of fractions whose margins are whole: a mean of whole tables with the same margins."""
    n, m = draw_from(st.integers(1, n_most)), draw_from(st.integers(1, m_most))
    rng = np.random.default_rng(draw_from(st.integers(0, 2**32)))
    base = rng.integers(0, draw_from(st.sampled_from([2, 3, 50, 10**6])), (n, m))
    total = np.zeros((n, m))
    n_tables = draw_from(st.integers(1, 5))
    for _ in range(n_tables):
        swapped = base.copy()
        for _ in range(n * m):
            i, k, j, h = *rng.integers(0, n, 2), *rng.integers(0, m, 2)
            if swapped[i, j] > 0 and swapped[k, h] > 0 and i != k and j != h:
                swapped[[i, k], [j, h]] -= 1
                swapped[[i, k], [h, j]] += 1
        total += swapped
    return total / n_tables


@given(whole_margin_tables(), SEEDS)
def test_a_table_keeps_its_margins_and_each_cell_is_floor_or_ceiling(targets, seed):
    cells = round_table(targets, seed)
    assert (cells.sum(axis=1) == np.rint(targets.sum(axis=1))).all()
    assert (cells.sum(axis=0) == np.rint(targets.sum(axis=0))).all()
    assert (np.abs(cells - targets) < 1).all()
    assert (cells >= 0).all()
    assert (cells == round_table(targets, seed)).all()


@settings(max_examples=30)
@given(whole_margin_tables(3, 3))
def test_the_mean_over_seeds_is_the_target_and_every_rounding_is_one_of_all(targets):
    possible = {table.tobytes() for table in all_roundings(targets)}
    drawn = [round_table(targets, np.uint64(seed)) for seed in range(400)]
    assert {cells.tobytes() for cells in drawn} <= possible
    # four standard errors of a share, plus one draw
    assert np.abs(np.mean(drawn, axis=0) - targets).max() <= 4 * 0.5 / 20 + 1 / 400


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=40), st.integers(0, 10**9), SEEDS)
def test_a_total_is_apportioned_whole(weights, total, seed):
    weights = np.array(weights)
    parts = apportion(weights, total, seed)
    if weights.sum() == 0:
        assert not parts.any()
        return
    exact = weights / weights.sum() * total
    assert parts.sum() == total
    assert (np.abs(parts - exact) < 1 + 1e-12 * total).all()
    assert (parts[weights == 0] == 0).all()


def test_apportioning_has_no_bias():
    weights = np.array([0.1, 0.25, 0.65, 1.0])
    mean = np.mean([apportion(weights, 3, np.uint64(seed)) for seed in range(4000)], axis=0)
    assert mean == pytest.approx(weights * 1.5, abs=4 * 0.5 / np.sqrt(4000))


def test_blocks_are_apportioned_one_by_one():
    weights, starts = np.array([1.0, 2.0, 0.0, 5.0, 5.0]), np.array([0, 2, 3, 5])
    parts = apportion_blocks(weights, starts, np.array([9, 4, 7]), np.uint64(5))
    assert parts[:2].tolist() == [3, 6]
    assert parts[2] == 0
    assert parts[3:].sum() == 7
    assert set(parts[3:]) == {3, 4}


def test_the_draws_are_splitmix64():
    # Reference outputs of SplitMix64 for seed 1234567, as published with the Java and C versions.
    seed = np.uint64(1234567)
    wanted = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821]
    assert [int(draw(seed, counter)) for counter in range(1, 6)] == wanted


@st.composite
def pair_rows(draw_from):
    """Items of the pairs of some origins, and the weights of the columns."""
    n_origin, n_column = draw_from(st.integers(1, 5)), draw_from(st.integers(1, 8))
    rng = np.random.default_rng(draw_from(st.integers(0, 2**32)))
    sizes = rng.integers(0, draw_from(st.sampled_from([9, 2 * SMALL])), n_origin)
    scale = draw_from(st.sampled_from([1, 3, 40, 10**7]))
    rows = rng.integers(0, scale + 1, sizes.sum())
    starts = np.concatenate([[0], np.cumsum(sizes)])
    sums = np.array([rows[a:b].sum() for a, b in pairwise(starts)])
    margins = np.stack([apportion(rng.random(n_column) + 0.01, int(total), np.uint64(1)) for total in sums])
    return rows.astype(np.int64), starts.astype(np.int64), margins.astype(np.int64)


@given(pair_rows(), SEEDS)
def test_pairs_are_split_with_both_margins_exact_for_each_origin(case, seed):
    rows, starts, margins = case
    cells = np.full((margins.shape[1], len(rows)), -1, np.int32)
    split_origins(rows, starts, margins, seed, cells)
    assert (cells.sum(axis=0) == rows).all()
    for origin, (first, last) in enumerate(pairwise(starts)):
        assert (cells[:, first:last].sum(axis=1) == margins[origin]).all()
        total = max(int(margins[origin].sum()), 1)
        # exact in integers: |cell - row x margin / total| < 1
        scaled = cells[:, first:last].T.astype(np.int64) * total
        assert (np.abs(scaled - np.outer(rows[first:last], margins[origin])) < total).all()


@given(pair_rows(), SEEDS)
def test_blocks_are_split_with_both_margins_exact(case, seed):
    rows, starts, margins = case
    n_block, n = margins.shape[0], int(np.diff(starts).max(initial=0))
    table = np.zeros((n, n_block), np.int64)
    for block, (first, last) in enumerate(pairwise(starts)):
        table[: last - first, block] = rows[first:last]
    columns = np.arange(n_block + 1, dtype=np.int64) * margins.shape[1]
    cells = np.full((n, margins.size), -1, np.int64)
    split_blocks(table, columns, margins.ravel(), seed, cells)
    assert (cells.sum(axis=0) == margins.ravel()).all()
    assert (np.add.reduceat(cells, columns[:-1], axis=1) == table).all()


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.sampled_from([1, 2, 5, 60, SMALL, 400]), st.integers(1, 50), SEEDS)
def test_halving_is_as_exact_as_the_forest(case, n_rows, n_columns, seed):
    rng = np.random.default_rng(case)
    rows = (rng.lognormal(0, 1.5, n_rows) * rng.choice([1, 30, 10**6])).astype(np.int64)
    margins = apportion(rng.random(n_columns) ** 2 + 0.01, int(rows.sum()), np.uint64(3))
    by_forest, by_halving = np.zeros((2, n_rows, n_columns), np.int64)
    _split_by_forest(rows, margins, seed, by_forest)
    made = [by_forest, by_halving] if _split_by_halving(rows, margins, seed, by_halving) else [by_forest]
    for cells in made:
        assert (cells.sum(axis=1) == rows).all()
        assert (cells.sum(axis=0) == margins).all()
        assert (np.abs(cells * margins.sum() - np.outer(rows, margins)) < max(margins.sum(), 1)).all()


def test_halving_gives_up_rather_than_break_a_margin():
    rng = np.random.default_rng(1)
    n_given_up = 0
    for seed in range(300):
        rows = (rng.lognormal(0, 1.5, 5) * 100).astype(np.int64)
        margins = apportion(rng.random(48) + 0.02, int(rows.sum()), np.uint64(seed))
        cells = np.zeros((5, 48), np.int64)
        if _split_by_halving(rows, margins, np.uint64(seed), cells):
            assert (cells.sum(axis=0) == margins).all()
        else:
            n_given_up += 1
    assert 0 < n_given_up < 30


def test_blocks_without_columns_are_passed_over():
    table = np.array([[5, 0, 3], [2, 0, 4]])
    cells = np.full((2, 3), -1)
    split_blocks(table, np.array([0, 2, 2, 3]), np.array([4, 3, 7]), np.uint64(1), cells)
    assert cells[:, :2].sum(axis=1).tolist() == [5, 2]
    assert cells[:, :2].sum(axis=0).tolist() == [4, 3]
    assert cells[:, 2].tolist() == [3, 4]


def test_splitting_is_the_same_for_any_number_of_threads():
    rng = np.random.default_rng(3)
    rows = rng.integers(0, 2000, 40 * 50)
    starts = np.arange(41) * 50
    margins = np.stack(
        [apportion(rng.random(12), int(rows[o * 50 : o * 50 + 50].sum()), np.uint64(o)) for o in range(40)]
    )
    before = numba.get_num_threads()
    made = []
    try:
        for n_threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
            numba.set_num_threads(n_threads)
            cells = np.zeros((12, len(rows)), np.int32)
            split_origins(rows, starts, margins, np.uint64(9), cells)
            made.append(cells)
    finally:
        numba.set_num_threads(before)
    assert (made[0] == made[1]).all()


def test_many_small_flows_are_split_without_bias_over_hours():
    """Most pairs have far less than an item an hour; over the table each hour still gets its share, at any place."""
    rng = np.random.default_rng(11)
    rows = rng.poisson(0.6, 300)
    hours = rng.random(24) + 0.1
    sums = np.zeros((24, 300))
    n_draws = 300
    for seed in range(n_draws):
        margins = apportion(hours, int(rows.sum()), np.uint64(seed))[None, :]
        cells = np.zeros((24, 300), np.int32)
        split_origins(rows, np.array([0, 300]), margins, np.uint64(seed), cells)
        sums += cells
    targets = np.outer(hours / hours.sum(), rows)
    error = (sums / n_draws - targets)[:, rows > 0]
    spread = np.sqrt(np.maximum(targets * (1 - targets), 0.01)[:, rows > 0] / n_draws)
    assert np.abs(error.mean(axis=0)).max() < 1e-12
    assert np.abs((error / spread).mean()) < 0.05
    assert (np.abs(error) < 5.5 * spread).all()
