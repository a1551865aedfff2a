"""Pair the items of two runs group by group and add up how much later those of the second arrived."""

from __future__ import annotations

import numpy as np

from postroad.kernels import njit

__all__ = ["N_DELAY_SUMS", "pair_groups"]

N_DELAY_SUMS = 4


@njit
def pair_groups(
    key_a, ended_a, items_a, key_b, ended_b, items_b, origin, destination, product, fac_city, sums, never
):  # fmt: skip
    """Pair items of equal key, the first to arrive with the first, and add up delays.

    Parameters
    ----------
    key_a, key_b: int64, sorted; the group of each row of the two runs.
    ended_a, ended_b: int64, ascending within a key; ``never`` for items that were not delivered.
    items_a, items_b: int32.
    origin, destination: int32, facility of each row of the first run; ``product`` int8.
    fac_city: int32 (n_fac,).
    sums: int64 (n_prod, n_city, n_city, 4): items delivered in both runs, of these later in the second, minutes later
        in all, most minutes later.

    Correct for any split of a group into rows: only the items and their order of arrival within the group matter.
    """
    a, b = 0, 0
    left_a = items_a[0] if len(items_a) else 0
    left_b = items_b[0] if len(items_b) else 0
    while a < len(key_a) and b < len(key_b):
        if key_a[a] == key_b[b]:
            n = np.int64(min(left_a, left_b))
            if n > 0 and ended_a[a] != never and ended_b[b] != never:
                o, d = fac_city[origin[a]], fac_city[destination[a]]
                cell = sums[product[a], o, d]
                later = ended_b[b] - ended_a[a]
                cell[0] += n
                if later > 0:
                    cell[1] += n
                    cell[2] += n * later
                    cell[3] = max(cell[3], later)
            left_a -= n
            left_b -= n
        elif key_a[a] < key_b[b]:
            left_a = 0
        else:
            left_b = 0
        if left_a <= 0:
            a += 1
            left_a = items_a[a] if a < len(items_a) else 0
        if left_b <= 0:
            b += 1
            left_b = items_b[b] if b < len(items_b) else 0
