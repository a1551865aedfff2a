"""A scenario: a network, a day within days, a demand, and named changes and disruptions laid over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property

import polars as pl

from postroad.core.clock import local_midnight
from postroad.core.digests import digest_mapping
from postroad.core.errors import InputError
from postroad.core.findings import Findings
from postroad.network.cells import convert_value
from postroad.network.frames import Network
from postroad.network.overlay import Disruption, Overlay, disruptions_of, resolve_overlay
from postroad.network.rows import near_name
from postroad.network.schema import Column, Table, tables

__all__ = ["Scenario"]

TIMES = "times"
"""The key of a change that multiplies: ``{"sort_items_per_h": {"times": 0.8}}``."""


@dataclass(frozen=True, eq=False)
class Scenario:
    """What is to be run; nothing in it changes, each method gives another scenario.

    Attributes
    ----------
    name: short, for commands and folders.
    network: the plan, with the changes of the scenario made.
    day: the day D whose items are measured; the feed's ``base_date`` when not given.
    days_before, days_after: days of release before and after D, so that D stands in its week.
    days_by: what those days are like: ``profile``, the feed's profile of days around a named day such as a peak;
        ``calendar``, their weekday and month.
    to_items: items accepted on D; None: as the feed's demand and profiles say.
    by: factor on the demand; 1 when not given.
    beta: exponent of distance of a demand model; None for the model's own.
    disruptions: of the scenario, besides the feed's own.
    seed: of everything random.
    sample: one item in so many gets its full history; 0: none.
    sample_pairs: pairs of (origin, destination) place ids of which every item gets its history.
    base, level: the feed that the scenario was made from, for provenance.
    beside: scenario that a report shows beside this one; a shipped name or a file.
    name_en, name_zh, description, description_zh: for people.
    """

    name: str
    network: Network
    day: date | None = None
    days_before: int = 0
    days_after: int = 0
    days_by: str = "profile"
    to_items: int | None = None
    by: float = 1.0
    beta: float | None = None
    disruptions: tuple[Disruption, ...] = ()
    seed: int = 1
    sample: int = 1000
    sample_pairs: tuple[tuple[str, str], ...] = ()
    base: str = ""
    level: str = ""
    beside: str = ""
    description: str = ""
    name_en: str = ""
    name_zh: str = ""
    description_zh: str = ""

    def __post_init__(self) -> None:
        """Take the day, base and level from the network where they are not given."""
        given = {"day": self.network.meta.base_date, "base": self.network.meta.name, "level": self.network.level}
        for name, value in given.items():
            if not getattr(self, name):
                object.__setattr__(self, name, value)

    @property
    def n_days(self) -> int:
        """Days on which items are released."""
        return self.days_before + 1 + self.days_after

    @property
    def epoch(self) -> datetime:
        """Local midnight, as aware UTC, of the first day of release."""
        return local_midnight(self.day - timedelta(days=self.days_before), self.network.meta.timezone)

    @cached_property
    def overlay(self) -> Overlay:
        """The disruptions of feed and scenario on the minutes of the horizon.

        Raises
        ------
        InputError: as :func:`postroad.network.overlay.resolve_overlay`.
        """
        every = (*disruptions_of(self.network), *self.disruptions)
        return resolve_overlay(self.network, every, day=self.day, days_before=self.days_before)

    @cached_property
    def digest(self) -> str:
        """Digest of all that decides a run of the scenario: names and descriptions do not matter."""
        return digest_mapping(
            {
                "network": self.network.digest,
                "overlay": self.overlay.digest,
                "day": self.day.isoformat(),
                "days": [self.days_before, self.days_after, self.days_by],
                "demand": [self.to_items, self.by, *([] if self.beta is None else [self.beta])],
                "seed": self.seed,
                "sample": [self.sample, [list(pair) for pair in self.sample_pairs]],
            }
        )

    def on_day(self, day: date) -> Scenario:
        """The scenario on another day."""
        return replace(self, day=day)

    def days(self, before: int, after: int) -> Scenario:
        """The scenario within so many days before and after its day.

        Raises
        ------
        InputError: PR-F204 when one is negative.
        """
        for column, value in (("days_before", before), ("days_after", after)):
            if value < 0:
                raise InputError("PR-F204", table=self.name, column=column, value=value, expected="0 or more")
        return replace(self, days_before=before, days_after=after)

    def scale_demand(self, to_items: int | None = None, by: float | None = None) -> Scenario:
        """The scenario with so many items on its day, or with its demand multiplied.

        Parameters
        ----------
        to_items: items accepted on the day; replaces what was set before.
        by: factor; multiplies what was set before.

        Raises
        ------
        InputError: PR-F210 when both or neither are given, or one is not above 0.
        """
        if (to_items is None) == (by is None):
            raise InputError("PR-F210", problem="to_items and by: one of them is needed")
        value = to_items if by is None else by
        if not value > 0:
            raise InputError("PR-F210", problem=f"{value} is not above 0")
        if by is None:
            return replace(self, to_items=int(to_items), by=1.0)
        if self.to_items is not None:
            return replace(self, to_items=round(self.to_items * by))
        return replace(self, by=self.by * by)

    def close(self, facility_id: str, from_at: str = "D+0 00:00", to_at: str = "D+1 00:00") -> Scenario:
        """The scenario with a facility closed.

        Parameters
        ----------
        facility_id: which.
        from_at, to_at: ``D+0 06:00`` relative to the day, or an ISO 8601 instant.

        Raises
        ------
        InputError: as :meth:`disrupt`.
        """
        return self.disrupt("closure", facility_id=facility_id, from_at=from_at, to_at=to_at)

    def disrupt(
        self,
        kind: str,
        *,
        from_at: str,
        to_at: str,
        facility_id: str = "",
        lane_id: str = "",
        trip_id: str = "",
        factor: float | None = None,
        delay_min: int | None = None,
        disruption_id: str = "",
    ) -> Scenario:
        """The scenario with one more disruption; the parameters are the columns of the feed's table.

        Raises
        ------
        InputError: PR-C001 with findings PR-F204, F208, F209, F211.
        """
        name = disruption_id or f"{self.name}-{len(self.disruptions) + 1}"
        added = Disruption(name, kind, from_at, to_at, facility_id, lane_id, trip_id, factor, delay_min)
        resolve_overlay(self.network, [added], day=self.day, days_before=self.days_before)
        return replace(self, disruptions=(*self.disruptions, added))

    def change(self, table: str, where: Mapping[str, object], set: Mapping[str, object]) -> Scenario:
        """The scenario with columns of some rows of a table set to other values.

        Parameters
        ----------
        table: name of the table.
        where: column to value, or to a list of values; all must hold. Empty: every row.
        set: column to its new value, or to ``{"times": factor}``.

        Raises
        ------
        InputError: PR-C001 with findings PR-F206 (no such table or column), F207 (matches no row), F212 (value does
            not fit the column).
        """
        findings = Findings()
        frame = _changed(self.network, table, where, set, findings)
        findings.raise_on_errors()
        return replace(self, network=self.network.with_tables(**{table: frame}))


def _changed(
    network: Network, name: str, where: Mapping[str, object], values: Mapping[str, object], findings: Findings
) -> pl.DataFrame | None:
    """The frame of a table after a change, or None and findings."""
    if name not in tables():
        _report_unknown(findings, name, "table", "表", tables())
        return None
    declared = tables()[name]
    for column in (*where, *values):
        if column not in declared.column_names:
            _report_unknown(findings, column, "column", "列", declared.column_names)
    if len(findings):
        return None
    frame = network.tables[name]
    hits = _matching(frame, declared, where, findings)
    if len(findings):
        return None
    if not hits.any():
        shown = ", ".join(f"{column} = {value}" for column, value in where.items()) or "the table is empty"
        findings.add("PR-F207", table=name, value=shown)
    changed = []
    for column, value in values.items():
        new = _new_value(declared.column(column), value, name, findings)
        changed.append(pl.when(hits).then(new).otherwise(pl.col(column)).cast(frame.schema[column]).alias(column))
    if len(findings):
        return None
    made = frame.with_columns(changed)
    for column in values:
        _check_range(made.filter(hits), declared.column(column), name, findings)
    return made


def _matching(frame: pl.DataFrame, declared: Table, where: Mapping[str, object], findings: Findings) -> pl.Series:
    """Which rows meet all conditions."""
    hits = pl.Series([True] * len(frame), dtype=pl.Boolean)
    for name, value in where.items():
        column = declared.column(name)
        wanted = []
        for one in value if isinstance(value, list | tuple) else [value]:
            made, fits = convert_value(one, column)
            wanted.append(made)
            if not fits:
                findings.add("PR-F212", table=declared.name, column=name, value=one, expected=column.type_text)
        known = pl.Series(wanted, dtype=column.dtype)
        hits &= frame[name].is_in(known.implode(), nulls_equal=True)
    return hits


def _new_value(column: Column, value: object, table: str, findings: Findings) -> pl.Expr:
    """The new value as an expression; a finding when it does not fit the column."""
    if isinstance(value, Mapping):
        factor = value.get(TIMES)
        if set(value) == {TIMES} and isinstance(factor, int | float) and column.kind in ("int", "number"):
            product = pl.col(column.name) * float(factor)
            return product.round(0) if column.kind == "int" else product
        expected = f"{column.type_text}, or times = factor for a number"
        findings.add("PR-F212", table=table, column=column.name, value=dict(value), expected=expected)
        return pl.lit(None)
    made, fits = convert_value(value, column)
    if not fits:
        findings.add("PR-F212", table=table, column=column.name, value=value, expected=column.type_text)
    return pl.lit(made, dtype=column.dtype)


def _check_range(hit: pl.DataFrame, column: Column, table: str, findings: Findings) -> None:
    if column.interval is None:
        return
    outside = hit.filter(column.interval.outside(pl.col(column.name)))
    if len(outside):
        value = outside[column.name][0]
        findings.add("PR-F212", table=table, column=column.name, value=value, expected=column.interval.text)


def _report_unknown(findings: Findings, name: str, kind: str, kind_zh: str, known) -> None:
    findings.add("PR-F206", value=name, kind=kind, kind_zh=kind_zh, near=near_name(name, known), known=", ".join(known))
