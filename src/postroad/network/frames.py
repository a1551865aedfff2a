"""A network as tables: what a feed is once it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
import polars as pl

from postroad.core.digests import digest_bytes, digest_frame
from postroad.core.findings import Findings
from postroad.network.cells import convert_table
from postroad.network.check import check_network
from postroad.network.metadata import FeedMeta
from postroad.network.rows import FIRST_ROW, near_name
from postroad.network.schema import known_parameters, tables
from postroad.network.textfile import RawTable

__all__ = ["Network"]

_DIGESTED_META = ("format_version", "timezone", "level", "slot_min", "base_date", "demand_model")


@dataclass(frozen=True, eq=False)
class Network:
    """The tables of a feed and what it says about itself; nothing in it changes.

    Attributes
    ----------
    meta: the keys of ``feed.toml``.
    tables: every declared table by name, each with all declared columns in declared order and its defaults filled;
        a table that the feed does not have is empty.
    """

    meta: FeedMeta
    tables: Mapping[str, pl.DataFrame]

    @classmethod
    def from_tables(cls, meta: FeedMeta, frames: Mapping[str, pl.DataFrame]) -> Network:
        """Make a network of frames that may lack optional columns and tables.

        Parameters
        ----------
        meta: what ``feed.toml`` would say.
        frames: frames by table name; times of trips and calls as minutes or as ``HH:MM``.

        Raises
        ------
        InputError: PR-C001 with findings PR-F118 (unknown table), PR-F119, F120 (columns) and PR-T1xx (cells).
        """
        findings = Findings()
        network = cls.assemble(meta, frames, findings)
        findings.raise_on_errors()
        return network

    @classmethod
    def assemble(cls, meta: FeedMeta, frames: Mapping[str, pl.DataFrame], findings: Findings) -> Network:
        """Make a network of frames, what is wrong with them going to ``findings``."""
        complete = {name: table.empty() for name, table in tables().items()}
        for name, frame in frames.items():
            if name not in complete:
                findings.add(
                    "PR-F118", table=name, value=name, near=near_name(name, complete), known=", ".join(complete)
                )
                continue
            declared = tables()[name]
            if frame.schema == pl.Schema(declared.dtypes) and _is_filled(frame, declared.column_names):
                complete[name] = frame
            else:
                raw = RawTable(frame, np.arange(len(frame)) + FIRST_ROW)
                complete[name] = convert_table(raw, declared, findings)
        complete["calls"] = _complete_calls(complete["calls"])
        complete["trips"] = _complete_trips(complete["trips"], complete["calls"])
        return cls(meta, MappingProxyType(complete))

    def with_tables(self, **frames: pl.DataFrame) -> Network:
        """A network in which the named tables are replaced.

        Raises
        ------
        InputError: as :meth:`from_tables`.
        """
        return Network.from_tables(self.meta, {**self.tables, **frames})

    def with_meta(self, **values: object) -> Network:
        """A network whose ``feed.toml`` has other values for the named keys."""
        return Network(FeedMeta(**{**self.meta.model_dump(), **values}), self.tables)

    @property
    def level(self) -> str:
        """Finest level at which items are accepted and delivered: ``city``, ``county`` or ``outlet``."""
        return self.meta.level

    @cached_property
    def digest(self) -> str:
        """Digest of what the network means; order of rows, names of feed and files, and format do not matter."""
        essence = "|".join(str(getattr(self.meta, key)) for key in _DIGESTED_META)
        parts = [essence, *(name + _digest_rows(name, frame) for name, frame in self.tables.items())]
        return digest_bytes(*(part.encode() for part in parts))

    @cached_property
    def parameters(self) -> Mapping[str, float]:
        """Every known parameter's value; the documented default where the feed sets none."""
        given = dict(self.tables["parameters"].select("parameter_id", "value").iter_rows())
        return MappingProxyType({name: given.get(name, known.default) for name, known in known_parameters().items()})

    def check(self) -> Findings:
        """Look for everything that is wrong or odd about the network.

        Returns
        -------
        Findings: codes PR-T1xx (tables) and PR-N2xx (the network as a whole).
        """
        return check_network(self)

    def __repr__(self) -> str:
        n_trips, n_facilities = len(self.tables["trips"]), len(self.tables["facilities"])
        return f"<Network {self.meta.name!r} ({self.level}): {n_facilities} facilities, {n_trips} trips>"


def _digest_rows(name: str, frame: pl.DataFrame) -> str:
    """Digest of the rows in any order; sorted by key where that decides the order, which is faster."""
    key = list(tables()[name].key)
    if key and not frame.select(pl.struct(key).is_duplicated().any()).item():
        return digest_frame(frame.sort(key))
    return digest_frame(frame, ordered=False)


def _is_filled(frame: pl.DataFrame, names: tuple[str, ...]) -> bool:
    """Whether a frame came out of :meth:`Network.assemble` already: its label column holds no null."""
    return "label" not in names or frame["label"].null_count() == 0


def _complete_calls(calls: pl.DataFrame) -> pl.DataFrame:
    """Give the ends of a trip the time that they may leave out."""
    return calls.with_columns(
        arrive=pl.coalesce("arrive", "depart"),
        depart=pl.coalesce("depart", "arrive"),
    )


def _complete_trips(trips: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Give trips with calls the departure of their first call and the arrival of their last."""
    if not len(calls):
        return trips
    ends = (
        calls.sort("trip_id", "seq")
        .group_by("trip_id", maintain_order=True)
        .agg(pl.col("depart").first().alias("__depart"), pl.col("arrive").last().alias("__arrive"))
    )
    return (
        trips.join(ends, on="trip_id", how="left", maintain_order="left")
        .with_columns(depart=pl.coalesce("__depart", "depart"), arrive=pl.coalesce("__arrive", "arrive"))
        .drop("__depart", "__arrive")
    )
