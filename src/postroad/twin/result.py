"""What a simulated run leaves behind, in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from postroad.events.journeys import Journeys

__all__ = ["Counts", "Trace", "TwinResult"]


@dataclass(frozen=True, slots=True)
class Counts:
    """Items by hour of the horizon, int64 (n_hours,), cumulative at the end of the hour; they conserve every item:
    ``created = delivered + returned + lost + in_custody``."""

    created: np.ndarray
    delivered: np.ndarray
    returned: np.ndarray
    lost: np.ndarray
    in_custody: np.ndarray


@dataclass(frozen=True, slots=True)
class Trace:
    """The histories of the sampled items: one row a happening, in order of time.

    Attributes
    ----------
    item: int64 (n_sampled,), global ordinal of each sampled item in its run (0-based over all released items).
    item_origin, item_destination, item_product, item_accepted_min, item_promise_min: (n_sampled,).
    row_item: int32 (n_row,), index into ``item``.
    row_kind: int8, index into TRACE_KINDS.
    row_min: int32, minute from the epoch.
    row_facility: int32, facility index.
    row_departure: int32, index into the departures of the instance for departed and arrived; -1 otherwise.
    """

    item: np.ndarray
    item_origin: np.ndarray
    item_destination: np.ndarray
    item_product: np.ndarray
    item_accepted_min: np.ndarray
    item_promise_min: np.ndarray
    row_item: np.ndarray
    row_kind: np.ndarray
    row_min: np.ndarray
    row_facility: np.ndarray
    row_departure: np.ndarray


TRACE_KINDS = (
    "accepted", "screened", "sorted", "departed", "arrived", "out_for_delivery", "attempt_failed", "delivered",
    "return_started", "returned", "lost",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TwinResult:
    """A run: journeys of the measured days, loads, work and backlog by hour, counts, and sampled histories.

    Attributes
    ----------
    journeys: of items released on the measured days.
    load_items: int32 (n_days, n_leg, n_prod), items carried by each leg of each service day's trips.
    run_legs: bool (n_days, n_leg), whether the leg ran (not cancelled) on the service day.
    sorted_items: int64 (n_fac, n_hours), items sorted in the hour.
    screened_items: int64 (n_fac, n_hours).
    backlog_in: int64 (n_fac, n_hours), items waiting to be screened or sorted at the end of the hour.
    backlog_out: int64 (n_fac, n_hours), items sorted and waiting for a departure or a delivery wave.
    delivered_items: int64 (n_fac, n_hours), items delivered from the endpoint in the hour.
    n_hours: hours simulated.
    """

    journeys: Journeys
    load_items: np.ndarray
    run_legs: np.ndarray
    sorted_items: np.ndarray
    screened_items: np.ndarray
    backlog_in: np.ndarray
    backlog_out: np.ndarray
    delivered_items: np.ndarray
    counts: Counts
    trace: Trace
    n_hours: int
    n_moves: int
