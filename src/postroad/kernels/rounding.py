"""Controlled rounding: whole numbers in place of fractions, with the margins kept exactly.

``apportion``       a vector to a given total (systematic sampling); ``apportion_blocks`` many at once.
``round_table``     a table whose row and column sums are whole.
``split_blocks``,   tables of the form rows x columns / total, many at once, each with a seed of its own, so that the
``split_origins``   answer is the same for any number of threads.

Each rounded cell is the floor or the ceiling of its target and every margin is exact. Such a rounding always exists,
because the margins of a table form a totally unimodular system.

*By the forest* (any table). The fractional cells are the edges of a bipartite graph of rows and columns. They are added
one by one to a forest; an edge that closes a cycle is cancelled by moving the same amount around the cycle, up on every
other edge and down on the rest, until one of them is whole; up or down is drawn so that the mean stays. In the end a
forest remains; a forest whose margins are whole is whole itself. Over the seeds the mean of each cell is its target. A
cycle has fewer than five edges on average, so a cell takes about 50 ns at any shape.

*By halving* (tables of rank one). The columns are halved again and again. If what a row has in a range of columns is
the floor or the ceiling of its target, it can be shared between the halves so that both are: at most one item may go to
either. Among the rows with such an item, those that give it to the first half are drawn by systematic sampling, as many
as make the sum of the half right. A cell takes about 10 ns. Margins and floors are as exact as by the forest; the mean
of a cell over the seeds is its target but for a few thousandths of an item. Should the counts of a range leave no such
choice, which hardly any but tables of few rows do, the forest takes over.

Sources: Cox (1987), A constructive procedure for unbiased controlled rounding, JASA 82; Gandhi, Khuller, Parthasarathy
and Srinivasan (2006), Dependent rounding and its applications to approximation algorithms, JACM 53; Madow (1949) for
systematic sampling; Steele, Lea and Flood (2014), Fast splittable pseudorandom number generators (the mixing function).
"""

from __future__ import annotations

import numpy as np

from postroad.kernels import njit, prange

__all__ = ["apportion", "apportion_blocks", "draw", "round_table", "split_blocks", "split_origins"]

# A fraction this near to 0 or 1 counts as whole: far below the tolerance of one half of a margin.
EPS = 1e-9

SCALE = 1 << 30
"""Weight of a row that is certain."""

SMALL = 128
"""Tables with fewer rows are split by the forest, which has no bias at all; larger ones by halving, which is faster."""


@njit
def draw(seed, counter):
    """Uniform 64-bit number of a seed and a counter (SplitMix64): uint64."""
    z = np.uint64(seed) + np.uint64(counter) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit
def _unit(number):
    """Map a 64-bit number to [0, 1)."""
    return float(number >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@njit
def apportion(weights, total, seed):
    """Split a whole total in proportion to weights: int64 (n,), the floor or the ceiling of each exact share.

    Correct for non-negative weights with a positive sum and totals below 2**52; all zero when the weights are.
    """
    n = len(weights)
    out = np.zeros(n, np.int64)
    weight_sum = 0.0
    last = -1
    for i in range(n):
        weight_sum += weights[i]
        if weights[i] > 0.0:
            last = i
    if last < 0:
        return out
    offset = _unit(draw(seed, 1))
    cumulative = 0.0
    before = 0
    for i in range(last + 1):
        cumulative += weights[i]
        upto = total if i == last else min(total, int(np.floor(cumulative / weight_sum * total + offset)))
        out[i] = upto - before
        before = upto
    return out


@njit
def _settle(cells, value, child, above, n_columns):
    """Write the whole value of the edge between two nodes of the forest into its cell."""
    if value > 0.5:
        if child < n_columns:
            cells[above - n_columns, child] += 1
        else:
            cells[child - n_columns, above] += 1


@njit
def _meeting(parent, mark, stamp, a, b):
    """The lowest common ancestor of two nodes, or -1 when they stand in different trees; climbs both in turn."""
    mark[a] = stamp
    mark[b] = stamp
    while a >= 0 or b >= 0:
        if a >= 0:
            a = parent[a]
            if a >= 0:
                if mark[a] == stamp:
                    return a
                mark[a] = stamp
        if b >= 0:
            b = parent[b]
            if b >= 0:
                if mark[b] == stamp:
                    return b
                mark[b] = stamp
    return -1


@njit
def _hang(parent, value, node, onto, edge_value):
    """Make ``node`` the root of its tree and hang it onto a node of another tree."""
    above = onto
    carried = edge_value
    while node >= 0:
        next_node = parent[node]
        next_value = value[node]
        parent[node] = above
        value[node] = carried
        above = node
        carried = next_value
        node = next_node


@njit
def _slack(parent, value, node, meet, up, down):
    """Room to move around the cycle on the side from ``node`` to ``meet``; the first edge there goes down."""
    falls = True
    while node != meet:
        f = value[node]
        if falls:
            up = min(up, f)
            down = min(down, 1.0 - f)
        else:
            up = min(up, 1.0 - f)
            down = min(down, f)
        falls = not falls
        node = parent[node]
    return up, down


@njit
def _shift(parent, value, cells, node, meet, amount, n_columns):
    """Move an amount along one side of the cycle; edges that became whole leave the forest."""
    sign = -1.0
    while node != meet:
        above = parent[node]
        f = value[node] + sign * amount
        value[node] = f
        if f <= EPS or f >= 1.0 - EPS:
            _settle(cells, f, node, above, n_columns)
            parent[node] = -1
        sign = -sign
        node = above


@njit
def _add(parent, value, mark, stamp, row, j, f, number, cells):
    """Add the fractional cell (row, j) to the forest, cancelling the cycle that it may close."""
    n_columns = cells.shape[1]
    meet = _meeting(parent, mark, stamp, row, j)
    if meet >= 0:
        up, down = _slack(parent, value, row, meet, 1.0 - f, f)
        up, down = _slack(parent, value, j, meet, up, down)
        amount = up if _unit(number) * (up + down) < down else -down
        _shift(parent, value, cells, row, meet, amount, n_columns)
        _shift(parent, value, cells, j, meet, amount, n_columns)
        f += amount
        if f <= EPS or f >= 1.0 - EPS:
            _settle(cells, f, row, j, n_columns)
            return
    _hang(parent, value, row, j, f)


@njit
def _settle_forest(parent, value, cells):
    """Write what remains: the edges of a forest with whole margins are whole."""
    for node in range(len(parent)):
        if parent[node] >= 0:
            _settle(cells, value[node], node, parent[node], cells.shape[1])


@njit
def round_table(targets, seed):
    """Round a table with whole margins.

    Deterministic in (targets, seed). Not invariant to a permutation of rows or columns: the order decides which of the
    equally good roundings is drawn.

    Parameters
    ----------
    targets: float64 (n, m), non-negative; row and column sums whole but for floating-point error.
    seed: uint64.

    Returns
    -------
    int64 (n, m): floor or ceiling of each target; margins exact.
    """
    n_rows, n_columns = targets.shape
    cells = np.zeros((n_rows, n_columns), np.int64)
    parent = np.full(n_rows + n_columns, -1, np.int64)
    value = np.zeros(n_rows + n_columns)
    mark = np.zeros(n_rows + n_columns, np.int64)
    stamp = 0
    for i in range(n_rows):
        for j in range(n_columns):
            floor = np.floor(targets[i, j])
            f = targets[i, j] - floor
            cells[i, j] += int(floor)
            if f >= 1.0 - EPS:
                cells[i, j] += 1
            elif f > EPS:
                stamp += 1
                _add(parent, value, mark, stamp, n_columns + i, j, f, draw(seed, stamp), cells)
    _settle_forest(parent, value, cells)
    return cells


@njit
def _split_by_forest(rows, margins, seed, cells):
    """Fill ``cells`` with the controlled rounding of ``rows[i] * margins[j] / total``, in exact integers."""
    n_rows, n_columns = cells.shape
    total = 0
    for j in range(n_columns):
        total += margins[j]
    parent = np.full(n_rows + n_columns, -1, np.int64)
    value = np.zeros(n_rows + n_columns)
    mark = np.zeros(n_rows + n_columns, np.int64)
    stamp = 0
    for i in range(n_rows):
        for j in range(n_columns):
            cells[i, j] = 0
        if rows[i] == 0:
            continue
        for j in range(n_columns):
            product = rows[i] * margins[j]
            floor = product // total
            rest = product - floor * total
            cells[i, j] += floor
            if rest > 0:
                stamp += 1
                _add(parent, value, mark, stamp, n_columns + i, j, rest / total, draw(seed, stamp), cells)
    _settle_forest(parent, value, cells)


@njit
def _divide(product, total, inverse):
    """Floor and remainder of a division of non-negative whole numbers whose quotient is below 2**52."""
    floor = int(product * inverse)
    rest = product - floor * total
    if rest < 0:
        floor -= 1
        rest += total
    elif rest >= total:
        floor += 1
        rest -= total
    return floor, rest


@njit
def _give_to_first(columns, first, second, rows, weights, n_loose, n_first, start):
    """Let ``n_first`` of the loose rows have their odd item in the first half instead of the second.

    Systematic sampling in whole numbers: row by row, in proportion to its weight (out of ``SCALE``). Where the weights
    sum to less than ``n_first``, the rows that keep it in the second half are drawn by what is left of their weights.
    """
    weight_sum = 0
    for c in range(n_loose):
        weight_sum += weights[c]
    is_direct = weight_sum >= n_first * SCALE
    n_drawn = n_first if is_direct else n_loose - n_first
    modulus = weight_sum if is_direct else n_loose * SCALE - weight_sum
    gathered = int(start % np.uint64(max(modulus, 1)))
    for c in range(n_loose):
        gathered += (weights[c] if is_direct else SCALE - weights[c]) * n_drawn
        is_drawn = gathered >= modulus and n_drawn > 0
        if is_drawn:
            gathered -= modulus
        if is_drawn == is_direct:
            columns[first, rows[c]] += 1
            columns[second, rows[c]] -= 1


@njit
def _halve(rows, prefix, low, high, columns, loose, weights, start):
    """Share what each row has in the columns low..high among their two halves; False when the counts leave no choice.

    ``columns[low]`` holds the rows' items of the whole range, and then those of its first half; ``columns[mid]`` gets
    those of the second. Every count is the floor or the ceiling of its target, and stays so in each half: a row has an
    odd item at most, and where it may go to either half the choice makes the sum of the first half right.
    """
    mid = (low + high) // 2
    total, in_first, in_second = prefix[-1], prefix[mid] - prefix[low], prefix[high] - prefix[mid]
    inverse = 1.0 / total
    n_loose = 0
    left = in_first
    for i in range(len(rows)):
        items = columns[low, i]
        if items == 0:
            columns[mid, i] = 0
            continue
        floor, rest = _divide(rows[i] * in_first, total, inverse)
        second_floor, second_rest = _divide(rows[i] * in_second, total, inverse)
        n_odd = items - floor - second_floor
        if n_odd == 2 or (n_odd == 1 and second_rest == 0):
            floor += 1
        elif n_odd == 1 and rest > 0:
            both = rest + second_rest
            share = rest / both if both <= total else (total - second_rest) / (2 * total - both)
            loose[n_loose] = i
            weights[n_loose] = int(share * SCALE)
            n_loose += 1
        columns[low, i] = floor
        columns[mid, i] = items - floor
        left -= floor
    if left < 0 or left > n_loose:
        return False
    _give_to_first(columns, low, mid, loose, weights, n_loose, left, start)
    return True


@njit
def _split_by_halving(rows, margins, seed, cells):
    """The same as ``_split_by_forest`` by halving the columns; False when the counts leave no choice."""
    n_rows, n_columns = cells.shape
    prefix = np.zeros(n_columns + 1, np.int64)
    for j in range(n_columns):
        prefix[j + 1] = prefix[j] + margins[j]
    if prefix[n_columns] == 0:
        cells[:] = 0
        return True
    columns = cells.T
    for i in range(n_rows):
        columns[0, i] = rows[i]
    loose = np.empty(n_rows, np.int64)
    weights = np.empty(n_rows, np.int64)
    lows = np.empty(n_columns, np.int64)
    highs = np.empty(n_columns, np.int64)
    lows[0], highs[0] = 0, n_columns
    n_open = 1
    n_halved = 0
    while n_open > 0:
        n_open -= 1
        low, high = lows[n_open], highs[n_open]
        if high - low < 2:
            continue
        n_halved += 1
        if not _halve(rows, prefix, low, high, columns, loose, weights, draw(seed, n_halved)):
            return False
        mid = (low + high) // 2
        lows[n_open], highs[n_open] = low, mid
        lows[n_open + 1], highs[n_open + 1] = mid, high
        n_open += 2
    return True


@njit
def _split(rows, margins, seed, cells):
    """Fill ``cells`` with a controlled rounding of ``rows[i] * margins[j] / total``, in exact integers."""
    if len(rows) < SMALL or not _split_by_halving(rows, margins, seed, cells):
        _split_by_forest(rows, margins, seed, cells)


@njit(parallel=True)
def split_blocks(rows, starts, margins, seed, cells):
    """Split each column of a table over the columns of its block.

    Block ``b`` owns the columns ``starts[b] : starts[b + 1]`` of ``cells``; there ``rows[:, b]`` is split in proportion
    to the block's margins.

    Parameters
    ----------
    rows: int64 (n, n_block). Totals of a block below 3e9.
    starts: int64 (n_block + 1,).
    margins: int64 (m,), over each block the sum of ``rows[:, b]``.
    seed: uint64; block b draws from its own stream.
    cells: integer (n, m), overwritten: over each block the row sums are ``rows[:, b]``, the column sums ``margins``.
    """
    for b in prange(len(starts) - 1):
        first, last = starts[b], starts[b + 1]
        _split(rows[:, b], margins[first:last], draw(seed, b), cells[:, first:last])


@njit(parallel=True)
def split_origins(rows, starts, margins, seed, cells):
    """Split the pairs of each origin over columns (hours and products), both margins exact for each origin.

    Parameters
    ----------
    rows: int64 (n_pair,), items of each pair, sorted by origin.
    starts: int64 (n_origin + 1,), first pair of each origin.
    margins: int64 (n_origin, k), items of each origin by column; each row sums to the items of its origin.
    seed: uint64; origin o draws from its own stream.
    cells: integer (k, n_pair), overwritten: column sums are ``rows``; over the pairs of an origin, ``margins``.
    """
    for o in prange(len(starts) - 1):
        first, last = starts[o], starts[o + 1]
        _split(rows[first:last], margins[o], draw(seed, o), cells[:, first:last].T)


@njit
def apportion_blocks(weights, starts, totals, seed):
    """Split the whole total of each block in proportion to its weights; see ``apportion``: int64, like ``weights``.

    ``starts`` is int64 (n_block + 1,), ``totals`` int64 (n_block,). A block without weight keeps nothing of its total.
    """
    out = np.zeros(len(weights), np.int64)
    for b in range(len(totals)):
        first, last = starts[b], starts[b + 1]
        out[first:last] = apportion(weights[first:last], totals[b], draw(seed, b))
    return out
