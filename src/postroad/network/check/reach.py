"""Checks of the network as a graph: what hangs on what, and what can be reached from where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from postroad.core.findings import Findings
from postroad.network.check.timetable import running_days
from postroad.network.rows import report_rows
from postroad.network.schema import ACCESS_KINDS

__all__ = ["check_access", "check_reach"]

_ENDS = ("from_facility", "to_facility")


@dataclass(frozen=True, slots=True)
class _Graph:
    """Directed links between facilities by number; ``ptr`` and ``head`` are the links out of each (CSR)."""

    ptr: np.ndarray
    head: np.ndarray

    @classmethod
    def of(cls, tail: np.ndarray, head: np.ndarray, n_nodes: int) -> _Graph:
        order = np.argsort(tail, kind="stable")
        return cls(np.searchsorted(tail[order], np.arange(n_nodes + 1)), head[order])

    def reached_from(self, start: int) -> np.ndarray:
        """Which nodes can be reached from one node, itself included; bool."""
        seen = np.zeros(len(self.ptr) - 1, bool)
        seen[start] = True
        front = np.array([start])
        while len(front):
            counts = self.ptr[front + 1] - self.ptr[front]
            offsets = np.repeat(self.ptr[front] - np.r_[0, np.cumsum(counts)[:-1]], counts) + np.arange(counts.sum())
            front = np.unique(self.head[offsets])
            front = front[~seen[front]]
            seen[front] = True
        return seen


def check_access(network, findings: Findings) -> None:
    """Outlets that hang on nothing (PR-N204), on something that is no core facility (N205), or without trips to and
    from what they hang on (N206)."""
    tables = network.tables
    facilities = tables["facilities"].with_row_index("__row", offset=2)
    outlets = facilities.filter(pl.col("kind").is_in(ACCESS_KINDS))
    report_rows(
        findings,
        "PR-N204",
        "facilities",
        outlets,
        pl.col("parent_id").is_null(),
        "parent_id",
        facility=pl.col("facility_id"),
        kind=pl.col("kind"),
    )
    others = facilities.filter(pl.col("kind").is_in(ACCESS_KINDS))["facility_id"]
    wrong = pl.col("parent_id").is_in(others.implode())
    report_rows(
        findings,
        "PR-N205",
        "facilities",
        outlets,
        wrong,
        "parent_id",
        facility=pl.col("facility_id"),
        kind=pl.col("kind"),
    )
    used = tables["lanes"].filter(pl.col("lane_id").is_in(tables["trips"]["lane_id"].drop_nulls().unique().implode()))
    pairs = used.select(
        pl.col("from_facility").alias("a"), pl.col("to_facility").alias("b"), found=pl.lit(True)
    ).unique()
    held = outlets.filter(pl.col("parent_id").is_not_null())
    for a, b, way in (("facility_id", "parent_id", "to"), ("parent_id", "facility_id", "from")):
        joined = held.join(pairs, left_on=[a, b], right_on=["a", "b"], how="left", maintain_order="left")
        report_rows(
            findings,
            "PR-N206",
            "facilities",
            joined,
            pl.col("found").is_null(),
            "facility_id",
            way=way,
            parent=pl.col("parent_id"),
        )


def check_reach(network, findings: Findings) -> None:
    """Lanes on which no trip ever runs (PR-N209), facilities that no lane touches (N201), and endpoints that cannot be
    reached from the others (N202) or cannot reach them (N203)."""
    tables = network.tables
    facilities = (
        tables["facilities"].with_row_index("__row", offset=2).unique("facility_id", keep="first", maintain_order=True)
    )
    numbers = pl.DataFrame({"facility_id": facilities["facility_id"], "n": np.arange(len(facilities))})
    links = _links(network)
    idle = tables["lanes"].join(links.with_columns(found=pl.lit(True)), on=_ENDS, how="left", maintain_order="left")
    report_rows(findings, "PR-N209", "lanes", idle, pl.col("found").is_null(), "lane_id")
    tail, head = (_numbered(links[side], numbers) for side in _ENDS)
    sound = (tail >= 0) & (head >= 0)
    tail, head = tail[sound], head[sound]
    areas = tables["service_areas"]
    serving = areas.filter(pl.col("collects") | pl.col("delivers"))["facility_id"]
    is_endpoint = facilities["facility_id"].is_in(serving.implode()).fill_null(False).to_numpy()
    touched = np.zeros(len(facilities), bool)
    for side in _ENDS:
        ends = _numbered(tables["lanes"][side], numbers)
        touched[ends[ends >= 0]] = True
    touched[tail] = touched[head] = True
    report_rows(
        findings,
        "PR-N201",
        "facilities",
        facilities,
        pl.Series(~touched & ~is_endpoint),
        "facility_id",
        kind=pl.col("kind"),
    )
    if not is_endpoint.any():
        return
    degree = np.bincount(tail, minlength=len(facilities)) + np.bincount(head, minlength=len(facilities))
    root = int(np.argmax(np.where(is_endpoint, degree, -1)))
    forward = _Graph.of(tail, head, len(facilities)).reached_from(root)
    backward = _Graph.of(head, tail, len(facilities)).reached_from(root)
    name = facilities["facility_id"][root]
    report_rows(
        findings, "PR-N202", "facilities", facilities, pl.Series(is_endpoint & ~forward), "facility_id", root=name
    )
    report_rows(
        findings, "PR-N203", "facilities", facilities, pl.Series(is_endpoint & ~backward), "facility_id", root=name
    )


def _links(network) -> pl.DataFrame:
    """Distinct ``from_facility``, ``to_facility`` between which a trip that ever runs can carry items."""
    tables = network.tables
    running = running_days(network).filter(pl.col("n_days") > 0)["service_id"]
    trips = tables["trips"].filter(pl.col("service_id").is_in(running.implode()))
    lanes = tables["lanes"].filter(pl.col("lane_id").is_in(trips["lane_id"].drop_nulls().unique().implode()))
    direct = lanes.select("from_facility", "to_facility")
    calls = tables["calls"].filter(pl.col("trip_id").is_in(trips["trip_id"].implode())).sort("trip_id", "seq")
    board = calls.filter(pl.col("can_board")).select("trip_id", "seq", pl.col("facility_id").alias("from_facility"))
    alight = calls.filter(pl.col("can_alight")).select(
        "trip_id", pl.col("seq").alias("to_seq"), pl.col("facility_id").alias("to_facility")
    )
    ridden = (
        board.join(alight, on="trip_id").filter(pl.col("seq") < pl.col("to_seq")).select("from_facility", "to_facility")
    )
    return pl.concat([direct, ridden]).drop_nulls().unique(maintain_order=True)


def _numbered(ids: pl.Series, numbers: pl.DataFrame) -> np.ndarray:
    """Numbers of facilities by id, -1 where unknown."""
    frame = pl.DataFrame({"facility_id": ids}).join(numbers, on="facility_id", how="left", maintain_order="left")
    return frame["n"].fill_null(-1).to_numpy()
