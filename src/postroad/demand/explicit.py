"""Demand that a feed lists row by row: its ``demand`` table, scaled to the total of each day.

The items of a day go to the rows in proportion (each the floor or the ceiling of its share, the day's total exact), and
then, for each product and origin, to hours with both margins exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from postroad.core.errors import InputError
from postroad.core.findings import Findings
from postroad.core.seeds import seed64
from postroad.demand.profiles import Acceptance
from postroad.demand.service import facilities_by_place
from postroad.kernels.rounding import apportion, round_table, split_origins
from postroad.network.instance import Instance

__all__ = ["ExplicitDays", "explicit_days"]

_FIRST_ROW = 2
"""Number of the first data row, as an editor shows it."""


@dataclass(frozen=True, slots=True)
class ExplicitDays:
    """The counts of each day of listed demand; call it with the day.

    Attributes
    ----------
    origin, destination: int32 (n_pair,), sorted.
    starts: int64 (n_origin + 1,), first pair of each origin.
    weights: float64 (n_prod, n_pair), items of the mean day.
    acceptance: spread over the day.
    totals: int64 (n_days,).
    seed: the user's seed.
    """

    origin: np.ndarray
    destination: np.ndarray
    starts: np.ndarray
    weights: np.ndarray
    acceptance: Acceptance
    totals: np.ndarray
    seed: int

    def __call__(self, day: int) -> np.ndarray:
        """Items accepted on a day: int32 (n_rel, n_prod, n_pair)."""
        n_prod, n_pair = self.weights.shape
        n_rel = len(self.acceptance.release_min)
        out = np.zeros((n_rel, n_prod, n_pair), np.int32)
        rows = apportion(self.weights.ravel(), int(self.totals[day]), self._seed(day, "rows")).reshape(n_prod, n_pair)
        for product in range(n_prod):
            counts = rows[product]
            total = int(counts.sum())
            if total == 0:
                continue
            sent = np.add.reduceat(counts, self.starts[:-1])
            by_release = apportion(self.acceptance.weights[:, product], total, self._seed(day, f"hours {product}"))
            margins = round_table(np.outer(sent, by_release) / total, self._seed(day, f"origins {product}"))
            split_origins(counts, self.starts, margins, self._seed(day, f"pairs {product}"), out[:, product, :])
        return out

    def _seed(self, day: int, stage: str) -> np.uint64:
        return np.uint64(seed64(self.seed, "demand", day, stage))


def explicit_days(
    instance: Instance, tables: dict[str, pl.DataFrame], acceptance: Acceptance, totals: np.ndarray, seed: int
) -> ExplicitDays:
    """Make the days of the demand that a feed lists.

    Parameters
    ----------
    instance: the compiled network.
    tables: the feed's tables; a place that several facilities serve is shared among them alike.
    acceptance, totals, seed: see :class:`ExplicitDays`.

    Raises
    ------
    InputError: PR-C001 with findings PR-D103 (a place that no facility serves); PR-D108 when all rows are zero.
    """
    demand = tables["demand"]
    collects = facilities_by_place(instance, tables["service_areas"], "collects")
    delivers = facilities_by_place(instance, tables["service_areas"], "delivers")
    product_index = {product: number for number, product in enumerate(instance.prod_id)}
    findings = Findings()
    cells: dict[tuple[int, int, int], float] = {}
    columns = demand.select("origin_place", "destination_place", "product_id", "n_items").iter_rows()
    for number, (origin_place, destination_place, product_id, n_items) in enumerate(columns, _FIRST_ROW):
        origins = collects.get(origin_place, [])
        destinations = delivers.get(destination_place, [])
        for column, place, found in (
            ("origin_place", origin_place, origins),
            ("destination_place", destination_place, destinations),
        ):
            if not found:
                findings.add("PR-D103", table="demand", row=number, column=column, value=place)
        for origin in origins:
            for destination in destinations:
                cell = (origin, destination, product_index[product_id])
                cells[cell] = cells.get(cell, 0.0) + n_items / (len(origins) * len(destinations))
    findings.raise_on_errors()
    keys = np.array([cell for cell, weight in cells.items() if weight > 0], np.int64).reshape(-1, 3)
    if not len(keys):
        raise InputError("PR-D108", table="demand")
    pairs, pair_of = np.unique(keys[:, :2], axis=0, return_inverse=True)
    weights = np.zeros((len(instance.prod_id), len(pairs)))
    weights[keys[:, 2], pair_of.ravel()] = [weight for weight in cells.values() if weight > 0]
    origin = pairs[:, 0].astype(np.int32)
    starts = np.append(np.flatnonzero(np.diff(origin, prepend=-1)), len(origin)).astype(np.int64)
    return ExplicitDays(origin, pairs[:, 1].astype(np.int32), starts, weights, acceptance, totals, seed)
