"""Exact integer sums over journeys, in one pass: by city pair and product, by release hour, and by minutes taken."""

from __future__ import annotations

import numpy as np

from postroad.kernels import njit

__all__ = ["COMPONENTS", "N_COMPONENTS", "SCOPES", "measure_extent", "tally_rows"]

SCOPES = ("same_city", "intercity", "international")

# The order of the last axis of the sums. measure/tables/components.csv declares the same names with their SQL.
COMPONENTS = (
    "n_items",
    "n_delivered",
    "n_returned",
    "n_lost",
    "n_custody",
    "n_untimed",
    "n_timed",
    "total_item_min",
    "origin_handling_item_min",
    "transport_item_min",
    "destination_handling_item_min",
    "delivery_item_min",
    "n_24h",
    "n_48h",
    "n_72h",
    "n_120h",
    "n_promised",
    "n_on_time",
    "late_item_min",
    "n_late",
    "n_attempted",
    "n_first_attempt",
    "n_attempts",
    "promised_item_min",
)
N_COMPONENTS = len(COMPONENTS)


@njit
def _add(
    sums,
    base,
    n,
    outcome,
    timed,
    origin_min,
    transport_min,
    dest_min,
    delivery_min,
    took_min,
    late_min,
    tries,
    promised_min,
):
    """Add one row of ``n`` items to the cell that starts at ``base``; minutes as :func:`_judge` gives them."""
    sums[base] += n
    sums[base + 1 + outcome] += n
    if timed:
        sums[base + 6] += n
        sums[base + 7] += n * (origin_min + transport_min + dest_min + delivery_min)
        sums[base + 8] += n * origin_min
        sums[base + 9] += n * transport_min
        sums[base + 10] += n * dest_min
        sums[base + 11] += n * delivery_min
    elif outcome == 0:
        sums[base + 5] += n
    if took_min >= 0:
        if took_min <= 1440:
            sums[base + 12] += n
        if took_min <= 2880:
            sums[base + 13] += n
        if took_min <= 4320:
            sums[base + 14] += n
        if took_min <= 7200:
            sums[base + 15] += n
    if late_min != -2:
        sums[base + 16] += n
        sums[base + 23] += n * promised_min
        if late_min == 0:
            sums[base + 17] += n
        elif late_min > 0:
            sums[base + 18] += n * late_min
            sums[base + 19] += n
    if tries > 0:
        sums[base + 20] += n
        sums[base + 22] += n * tries
        if tries == 1 and outcome == 0:
            sums[base + 21] += n


@njit
def _judge(accepted, left, reached, out, ended, promise, outcome):
    """Whether the row is timed; minutes taken (-1: not delivered); minutes late (-1: not delivered, -2: no promise)."""
    delivered = outcome == 0
    in_order = accepted <= left and left <= reached and reached <= out and out <= ended
    timed = delivered and accepted >= 0 and in_order
    took = np.int64(-1)
    if delivered and ended >= accepted:
        took = ended - accepted
    late = np.int64(-2)
    if promise >= 0:
        late = np.int64(-1)
        if delivered:
            late = max(np.int64(0), ended - promise)
    return timed, took, late


@njit
def measure_extent(origin, destination, product, accepted, ended, outcome):
    """Least and greatest acceptance, most minutes taken, and the bounds of every index.

    Returns
    -------
    int64 (8,): least and greatest ``accepted``, most minutes taken by a delivered row (0 when none), greatest facility,
    greatest product, greatest outcome, least of all indices, rows.
    """
    found = np.array([2**62, -(2**62), 0, -1, -1, -1, 0, len(accepted)], np.int64)
    for row in range(len(accepted)):
        found[0] = min(found[0], accepted[row])
        found[1] = max(found[1], accepted[row])
        if outcome[row] == 0:
            found[2] = max(found[2], ended[row] - accepted[row])
        found[3] = max(found[3], origin[row], destination[row])
        found[4] = max(found[4], product[row])
        found[5] = max(found[5], outcome[row])
        found[6] = min(found[6], origin[row], destination[row], product[row], outcome[row])
    return found


@njit
def tally_rows(
    origin, destination, product, n_items, accepted, left, reached, out, ended, promise, outcome, attempts,
    first, last, fac_city, city_region, city_territory, n_city, n_region, n_prod, first_day,
    pair_sums, clock_sums, took_items, collected, attempted,
):  # fmt: skip
    """Add the rows ``first .. last - 1`` of the journeys to arrays of exact integer sums.

    Parameters
    ----------
    origin .. attempts: the columns of :class:`postroad.events.journeys.Journeys`.
    fac_city: int32 (n_fac,), city of each facility.
    city_region, city_territory: int32 (n_city,), statistical region and customs territory.
    pair_sums: int64 flat (n_prod, n_city, n_city, N_COMPONENTS); left alone when empty.
    clock_sums: int64 flat (n_day, 24, n_prod, 3, n_region, n_region, N_COMPONENTS): release day counted from
        ``first_day``, release hour, product, scope, origin region, destination region.
    took_items: int64 (n_prod * 3 * n_region, n_minute): timed items by product, scope and destination region, and by
        minutes from acceptance to delivery; left alone when empty.
    collected, attempted: int64 (n_fac, n_prod): items accepted at, and delivery attempts made from, each facility.

    Correct for indices in range and minutes taken below ``n_minute``, which the caller checks (:func:`measure_extent`),
    and for sums below 2**63: 10**12 items that take a hundred days each stay below it.
    """
    has_pairs, has_took = pair_sums.size > 0, took_items.size > 0
    for row in range(first, last):
        n, p, tries = np.int64(n_items[row]), np.int64(product[row]), np.int64(attempts[row])
        o, d = np.int64(fac_city[origin[row]]), np.int64(fac_city[destination[row]])
        t0, t1, t2 = np.int64(accepted[row]), np.int64(left[row]), np.int64(reached[row])
        t3, t4, end = np.int64(out[row]), np.int64(ended[row]), np.int64(outcome[row])
        promised = np.int64(promise[row]) - t0
        timed, took, late = _judge(t0, t1, t2, t3, t4, promised + t0, end)
        scope = 0 if o == d else 1 if city_territory[o] == city_territory[d] else 2
        day = t0 // 1440
        key = (((day - first_day) * 24 + (t0 - day * 1440) // 60) * n_prod + p) * 3 + scope
        base = ((key * n_region + city_region[o]) * n_region + city_region[d]) * N_COMPONENTS
        _add(clock_sums, base, n, end, timed, t1 - t0, t2 - t1, t3 - t2, t4 - t3, took, late, tries, promised)
        if has_pairs:
            base = ((p * n_city + o) * n_city + d) * N_COMPONENTS
            _add(pair_sums, base, n, end, timed, t1 - t0, t2 - t1, t3 - t2, t4 - t3, took, late, tries, promised)
        collected[origin[row], p] += n
        attempted[destination[row], p] += n * max(tries, 0)
        if timed and has_took:
            took_items[(p * 3 + scope) * n_region + city_region[d], took] += n
