"""A tally: the exact integer sums of a set of journeys, small enough to keep; most measures follow from it at once."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import polars as pl

from postroad.core.errors import InputError
from postroad.events.journeys import OUTCOMES, Journeys
from postroad.kernels.tally import COMPONENTS, N_COMPONENTS, SCOPES, measure_extent, tally_rows
from postroad.measure.dims import Dims
from postroad.measure.sql import EVERYTHING, Within

__all__ = ["MAX_PAIR_CELLS", "Tally", "tally"]

MAX_PAIR_CELLS = 2_000_000
"""Products times pairs of cities above which pairs are not tallied (about 370 MB); SQL answers then."""

MAX_TOOK_CELLS = 32_000_000
"""Cells of the table of minutes above which it is not kept (about 256 MB); SQL answers quantiles then."""

MIN_PART_ROWS = 1_000_000
"""Fewest rows that are worth a thread of their own."""

_COLUMNS = (
    "origin_idx", "destination_idx", "product_idx", "n_items", "accepted_min", "left_origin_min", "reached_dest_min",
    "out_min", "ended_min", "promise_min", "outcome", "n_attempts",
)  # fmt: skip

_PAIR_KEYS = frozenset(
    [
        "product",
        "scope",
        *(f"{end}_{level}" for end in ("origin", "destination") for level in ("city", "province", "region")),
    ]
)
_CLOCK_KEYS = frozenset(["release_day", "release_hour", "product", "scope", "origin_region", "destination_region"])
_TOOK_KEYS = frozenset(["product", "scope", "destination_region"])


@dataclass(frozen=True, slots=True)
class Tally:
    """Exact sums of journeys; see :data:`postroad.kernels.tally.COMPONENTS` for the last axis.

    Attributes
    ----------
    pair_sums: int64 (n_prod, n_city, n_city, n_component) by product, origin and destination city; first axis 0 long
        when the network has too many cities.
    clock_sums: int64 (n_day, 24, n_prod, 3, n_region, n_region, n_component) by release day from ``first_day``,
        release hour, product, scope, origin and destination region.
    took_items: int64 (n_prod, 3, n_region, n_minute) timed items by product, scope, destination region and minutes;
        last axis 0 long when journeys are too long to keep it.
    collected, attempted: int64 (n_fac, n_prod), items accepted at and delivery attempts made from each facility.
    """

    dims: Dims
    first_day: int
    pair_sums: np.ndarray
    clock_sums: np.ndarray
    took_items: np.ndarray
    collected: np.ndarray
    attempted: np.ndarray

    @property
    def n_items(self) -> int:
        """Items tallied."""
        return int(self.clock_sums[..., 0].sum())

    def answers(self, by: Sequence[str], within: Within = EVERYTHING) -> bool:
        """Whether :meth:`sums` can group by these at once and limit to that."""
        return self._source(by, within) != ""

    def answers_took(self, by: Sequence[str], within: Within = EVERYTHING) -> bool:
        """Whether :meth:`took` can group by these and limit to that."""
        keys = {*by, *within.conditions()}
        return keys <= _TOOK_KEYS and self.took_items.shape[-1] > 0

    def sums(self, by: Sequence[str], within: Within = EVERYTHING) -> pl.DataFrame:
        """The sums of all components by groups that hold an item; one row when ``by`` is empty.

        Parameters
        ----------
        by: names of :data:`postroad.measure.dims.GROUPINGS` that :meth:`answers`.

        Returns
        -------
        pl.DataFrame: the groups, then one Int64 column a component.
        """
        frame = self._pair_frame(by, within) if self._source(by, within) == "pair" else self._clock_frame(by, within)
        if not by:
            return frame.select(pl.col(name).sum() for name in COMPONENTS)
        return frame.group_by(by).agg(pl.col(name).sum() for name in COMPONENTS).sort(by)

    def took(self, by: Sequence[str], within: Within = EVERYTHING) -> pl.DataFrame:
        """Timed items by groups and by minutes from acceptance to delivery.

        Returns
        -------
        pl.DataFrame: the groups, ``took_min`` (Int64) and ``n_took`` (Int64), sorted.
        """
        product, scope, region, minute = np.nonzero(self.took_items)
        frame = pl.DataFrame(
            {
                "product": _pick(self.dims.products["product"], product),
                "scope": _pick(pl.Series(SCOPES), scope),
                "destination_region": _pick(pl.Series(self.dims.regions), region),
                "took_min": minute.astype(np.int64),
                "n_took": self.took_items[product, scope, region, minute],
            }
        )
        keys = [*by, "took_min"]
        return _limit(frame, within).group_by(keys).agg(pl.col("n_took").sum()).sort(keys)

    def __add__(self, other: Tally) -> Tally:
        """The tally of both sets of journeys; both must be of the same network."""
        first = min(self.first_day, other.first_day)
        n_day = max(self.first_day + len(self.clock_sums), other.first_day + len(other.clock_sums)) - first
        clock = np.zeros((n_day, *self.clock_sums.shape[1:]), np.int64)
        n_minute = max(self.took_items.shape[-1], other.took_items.shape[-1])
        if not (self.took_items.shape[-1] and other.took_items.shape[-1]):
            n_minute = 0
        took = np.zeros((*self.took_items.shape[:-1], n_minute), np.int64)
        for part in (self, other):
            clock[part.first_day - first :][: len(part.clock_sums)] += part.clock_sums
            if n_minute:
                took[..., : part.took_items.shape[-1]] += part.took_items
        collected, attempted = self.collected + other.collected, self.attempted + other.attempted
        return Tally(self.dims, first, self.pair_sums + other.pair_sums, clock, took, collected, attempted)

    def _source(self, by: Sequence[str], within: Within) -> str:
        """Which of the arrays answers: pair, clock or neither (empty)."""
        keys = {*by, *within.conditions()}
        if keys <= _CLOCK_KEYS:
            return "clock"
        return "pair" if keys <= _PAIR_KEYS and len(self.pair_sums) else ""

    def _pair_frame(self, by: Sequence[str], within: Within) -> pl.DataFrame:
        """One row a product and pair of cities with items, with the columns asked for."""
        cities = self.dims.cities
        product, origin, destination = np.nonzero(self.pair_sums[..., 0])
        columns: dict[str, object] = {}
        for name in dict.fromkeys([*by, *within.conditions()]):
            end, _, level = name.partition("_")
            if name == "product":
                columns[name] = _pick(self.dims.products["product"], product)
            elif name == "scope":
                territory = self.dims.city_territory
                scope = np.where(origin == destination, 0, np.where(territory[origin] == territory[destination], 1, 2))
                columns[name] = _pick(pl.Series(SCOPES), scope)
            else:
                columns[name] = _pick(cities[level], origin if end == "origin" else destination)
        sums = self.pair_sums[product, origin, destination]
        return _limit(pl.DataFrame(columns | {name: sums[:, k] for k, name in enumerate(COMPONENTS)}), within)

    def _clock_frame(self, by: Sequence[str], within: Within) -> pl.DataFrame:
        """One row a cell of the clock sums with items, with the columns asked for."""
        day, hour, product, scope, origin, destination = np.nonzero(self.clock_sums[..., 0])
        regions = pl.Series(self.dims.regions)
        every = {
            "release_day": pl.Series((day + self.first_day).astype(np.int32)),
            "release_hour": pl.Series(hour.astype(np.int32)),
            "product": _pick(self.dims.products["product"], product),
            "scope": _pick(pl.Series(SCOPES), scope),
            "origin_region": _pick(regions, origin),
            "destination_region": _pick(regions, destination),
        }
        sums = self.clock_sums[day, hour, product, scope, origin, destination]
        wanted = dict.fromkeys([*by, *within.conditions()])
        columns = {name: every[name] for name in wanted} | {name: sums[:, k] for k, name in enumerate(COMPONENTS)}
        return _limit(pl.DataFrame(columns), within)


def tally(journeys: Journeys, dims: Dims, *, threads: int = 2) -> Tally:
    """Tally journeys in one pass.

    Parameters
    ----------
    journeys: of any number of days.
    dims: of the network that the journeys' indices refer to.
    threads: parts of the rows tallied at once; the sums are the same for any number.

    Raises
    ------
    InputError: PR-M003, when an index of a row lies outside the dimension tables.
    """
    columns = [np.ascontiguousarray(getattr(journeys, name)) for name in _COLUMNS]
    origin, destination, product, _, accepted, _, _, _, ended, _, outcome, _ = columns
    extent = measure_extent(origin, destination, product, accepted, ended, outcome)
    low, high, longest, top_facility, top_product, top_outcome, least = (int(value) for value in extent[:7])
    n_facility = len(dims.fac_city)
    if least < 0 or top_facility >= n_facility or top_product >= dims.n_prod or top_outcome >= len(OUTCOMES):
        raise InputError(
            "PR-M003", facility=top_facility, product=top_product, outcome=top_outcome, least=least,
            n_facilities=n_facility, n_products=dims.n_prod,
        )  # fmt: skip
    first_day = low // 1440 if len(journeys) else 0
    n_day = high // 1440 - first_day + 1 if len(journeys) else 0
    n_region = len(dims.regions)
    pair_cells = dims.n_prod * dims.n_city**2
    took_cells = dims.n_prod * len(SCOPES) * n_region * (longest + 1)
    shapes = (
        (dims.n_prod if pair_cells <= MAX_PAIR_CELLS else 0, dims.n_city, dims.n_city, N_COMPONENTS),
        (n_day, 24, dims.n_prod, len(SCOPES), n_region, n_region, N_COMPONENTS),
        (dims.n_prod * len(SCOPES) * n_region, longest + 1 if took_cells <= MAX_TOOK_CELLS else 0),
        (n_facility, dims.n_prod),
        (n_facility, dims.n_prod),
    )

    def work(bounds: tuple[int, int]) -> list[np.ndarray]:
        parts = [np.zeros(shape, np.int64) for shape in shapes]
        tally_rows(
            *columns, *bounds, dims.fac_city, dims.city_region, dims.city_territory, dims.n_city, n_region, dims.n_prod,
            first_day, parts[0].reshape(-1), parts[1].reshape(-1), *parts[2:],
        )  # fmt: skip
        return parts

    pair, clock, took, collected, attempted = _add_up(work, len(journeys), threads)
    took = took.reshape(dims.n_prod, len(SCOPES), n_region, shapes[2][1])
    return Tally(dims, first_day, pair, clock, took, collected, attempted)


def _add_up(work, n_rows: int, threads: int) -> list[np.ndarray]:
    """Do the work on equal parts of the rows and add the results."""
    n_parts = max(1, min(threads, n_rows // MIN_PART_ROWS))
    edges = np.linspace(0, n_rows, n_parts + 1).astype(np.int64)
    bounds = list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
    if n_parts == 1:
        return work(bounds[0])
    with ThreadPoolExecutor(n_parts) as pool:
        results = list(pool.map(work, bounds))
    for other in results[1:]:
        for total, part in zip(results[0], other, strict=True):
            total += part
    return results[0]


def _pick(values: pl.Series, index: np.ndarray) -> pl.Series:
    """``values[index]`` as a series."""
    return values.gather(index.astype(np.uint32))


def _limit(frame: pl.DataFrame, within: Within) -> pl.DataFrame:
    """The rows of the frame that lie within the limits."""
    for name, values in within.conditions().items():
        frame = frame.filter(pl.col(name).is_in(pl.Series(sorted(values), dtype=pl.String).implode()))
    return frame
