"""The national demand of a day: from the gravity model to whole items by pair, hour and product.

Each step is a controlled rounding, so all margins are exact and each number is the floor or the ceiling of its target:

1. the day's total to cities, sent and received apart; the model balanced to these whole margins; its table rounded;
2. items to places outside mainland China, if the network has any, in a table of their own beside it;
3. each city row split over the places where it is accepted, then each column over the places where it is delivered, so
   that county flows sum to the city flows exactly;
4. for each accepting facility, destination by hour and product, exact on both margins; over the nation the items of
   each hour and product are exact too.

The draws depend on (seed, day) only; over the seeds the mean of every cell is the model's value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from postroad.core.seeds import seed64
from postroad.demand.endpoints import Parts, foreign_places, parts_of_cities
from postroad.demand.gravity import TOLERANCE, GravityModel
from postroad.demand.profiles import Acceptance
from postroad.kernels.gravity import balance, fill_table
from postroad.kernels.rounding import apportion, apportion_blocks, round_table, split_blocks, split_origins
from postroad.network.instance import Instance

__all__ = ["NationalDays", "national_days"]

_MAX_ROUNDS = 5000


@dataclass(frozen=True, slots=True)
class NationalDays:
    """The counts of each day of the national demand; call it with the day.

    Attributes
    ----------
    model: the balanced gravity model.
    foreign_share: float64 (n_foreign,), share of each place outside mainland China in the international items.
    origins, destinations: how the cities hang on facilities.
    acceptance, shares: spread of a day over releases, and of items over products.
    totals: int64 (n_days,), international items included.
    seed: the user's seed.
    """

    model: GravityModel
    foreign_share: np.ndarray
    origins: Parts
    destinations: Parts
    acceptance: Acceptance
    shares: np.ndarray
    totals: np.ndarray
    seed: int

    def city_table(self, day: int) -> np.ndarray:
        """Items of a day between cities, then to places abroad: int64 (n_city, n_city + n_foreign)."""
        total = int(self.totals[day])
        abroad = round(total * self.international_share)
        marginals = self.model.marginals
        sent = apportion(marginals.origin_items, total - abroad, self._seed(day, "sent"))
        received = apportion(marginals.destination_items, total - abroad, self._seed(day, "received"))
        rows, columns, _, _ = balance(
            self.model.items, sent.astype(float), received.astype(float), TOLERANCE, _MAX_ROUNDS
        )
        table = round_table(fill_table(self.model.items, rows, columns), self._seed(day, "cities"))
        if not len(self.foreign_share):
            return table
        exported = apportion(marginals.international_items, abroad, self._seed(day, "exported"))
        imported = apportion(self.foreign_share, abroad, self._seed(day, "imported"))
        targets = np.outer(exported, imported / max(abroad, 1))
        return np.hstack([table, round_table(targets, self._seed(day, "abroad"))])

    @property
    def international_share(self) -> float:
        """Share of a day's items that goes to the places abroad that the network has."""
        marginals = self.model.marginals
        published = marginals.international_items.sum()
        return float(published / (published + marginals.origin_items.sum()) * self.foreign_share.sum())

    def pair_table(self, day: int) -> np.ndarray:
        """Items of a day between accepting and delivering facilities, both ascending: int64 (n_from, n_to)."""
        table = self.city_table(day)
        if not self.origins.is_whole:
            table = self._split(table.T, self.origins, day, "collects").T
        if not self.destinations.is_whole:
            table = self._split(table, self.destinations, day, "delivers")
        table = _merge(table, self.origins.facility)
        return _merge(table.T, self.destinations.facility).T

    def _split(self, table: np.ndarray, parts: Parts, day: int, stage: str) -> np.ndarray:
        """Split the columns of a table over the parts of their zones: int64 (n, n_part)."""
        table = np.ascontiguousarray(table)
        margins = apportion_blocks(parts.weight, parts.starts, table.sum(axis=0), self._seed(day, f"{stage} margins"))
        cells = np.zeros((len(table), len(parts.facility)), np.int64)
        split_blocks(table, parts.starts, margins, self._seed(day, stage), cells)
        return cells

    def __call__(self, day: int) -> np.ndarray:
        """Items accepted on a day: int32 (n_rel, n_prod, n_pair); pairs are all origins by all destinations."""
        pairs = self.pair_table(day)
        n_from, n_to = pairs.shape
        weights = self.acceptance.weights * self.shares
        total = int(self.totals[day])
        columns = apportion(weights.ravel(), total, self._seed(day, "columns"))
        margins = round_table(np.outer(pairs.sum(axis=1), columns / max(total, 1)), self._seed(day, "origins"))
        out = np.empty((weights.size, n_from * n_to), np.int32)
        starts = np.arange(n_from + 1, dtype=np.int64) * n_to
        split_origins(np.ascontiguousarray(pairs).ravel(), starts, margins, self._seed(day, "pairs"), out)
        return out.reshape(*weights.shape, n_from * n_to)

    def _seed(self, day: int, stage: str) -> np.uint64:
        return np.uint64(seed64(self.seed, "demand", day, stage))


def _merge(table: np.ndarray, facility: np.ndarray) -> np.ndarray:
    """Rows in ascending order of facility, rows of one facility summed."""
    order = np.argsort(facility, kind="stable")
    first = np.flatnonzero(np.diff(facility[order], prepend=-1))
    if len(first) == len(facility):
        return table if (order == np.arange(len(order))).all() else table[order]
    return np.add.reduceat(table[order], first, axis=0)


def national_days(
    instance: Instance,
    tables: Mapping[str, pl.DataFrame],
    model: GravityModel,
    acceptance: Acceptance,
    shares: np.ndarray,
    totals: np.ndarray,
    seed: int,
) -> NationalDays:
    """Hang the gravity model on the facilities of a network.

    Raises
    ------
    InputError: PR-C001 with findings PR-D104 (a place with demand and no facility), PR-D106 (a place that is neither
        city nor county).
    """
    foreign = foreign_places(instance, tables, model.marginals)
    origins = parts_of_cities(instance, tables, model.marginals, "collects")
    destinations = parts_of_cities(instance, tables, model.marginals, "delivers", foreign)
    return NationalDays(model, foreign.share, origins, destinations, acceptance, shares, totals, seed)
