"""Events, item records and flow records of a simulated run, from its arrays.

A simulated event has no sender: its id is a digest of (run, item, sequence), what it is recorded at is what it occurred
at, and its label says ``simulated``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from postroad.core.errors import InternalError
from postroad.core.s10 import domestic_s10
from postroad.events.journeys import OUTCOMES, Journeys
from postroad.events.kinds import kind_ranks, kinds
from postroad.kernels.eventids import N_KEYS, group_rows, name_events, time_rows

__all__ = ["History", "RunNames", "events_from_trace", "flows_from_journeys", "item_ids", "items_from_trace"]

EPOCH_1970 = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE_US = 60_000_000
LABEL = "simulated"


class History(Protocol):
    """The histories of sampled items, as a simulation leaves them: whatever has these plain arrays.

    Attributes
    ----------
    item: int64 (n_item,), ordinal of each sampled item in its run, no two equal.
    item_origin, item_destination: int32 (n_item,), facility index of the endpoints. item_product: int8 (n_item,).
    item_accepted_min, item_promise_min: int32 (n_item,), minutes from the epoch.
    row_item: int32 (n_row,), index into ``item``. row_kind: int8 (n_row,), index into the trace kinds.
    row_min: int32 (n_row,), minutes from the epoch; the rows of one item in order of time.
    row_facility: int32 (n_row,), facility index. row_departure: int32 (n_row,), departure index or -1.
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


@dataclass(frozen=True, slots=True)
class RunNames:
    """What turns a run's indices into ids.

    Attributes
    ----------
    run_digest: text that names the run; the same run gives the same event ids.
    epoch: aware instant of minute 0.
    country: ISO 3166-1 alpha-2 code of the issuing post, for the item ids.
    trace_kinds: names of the trace kinds, which are kinds of the closed list.
    facility_ids, product_ids: ids by index.
    delivery_offices: bool (n_fac,), facilities that only deliver: an arrival there at the item's destination is an
        arrival at the delivery office. None: there are none.
    trip_of_departure: int32 (n_departure,), trip index of each departure; None when trips are not told.
    trip_ids: ids by trip index; None likewise.
    """

    run_digest: str
    epoch: datetime
    country: str
    trace_kinds: Sequence[str]
    facility_ids: Sequence[str]
    product_ids: Sequence[str]
    delivery_offices: np.ndarray | None = None
    trip_of_departure: np.ndarray | None = None
    trip_ids: Sequence[str] | None = None


def item_ids(ordinals: np.ndarray, country: str) -> pa.Array:
    """Item ids of a run: valid S10 numbers with a service indicator for domestic use, Arrow text (n,).

    Equal ordinals give equal ids, in every run; a ledger keeps one run.

    >>> item_ids(np.array([0]), "CN").to_pylist()
    ['ZA000000005CN']
    """
    return pa.array(domestic_s10(ordinals, country))


def events_from_trace(history: History, names: RunNames) -> pa.Table:
    """The events of sampled items, by item and in order, texts dictionary-encoded; columns that are null are left out.

    Parameters
    ----------
    history: the trace. names: what its indices mean.

    Returns
    -------
    Columns of ``events``: event_id, kind, occurred_at, recorded_at, item_id, trip_id, facility_id, label.

    Raises
    ------
    InternalError: PR-L401 when rows point nowhere or run back in time, PR-L402 for a kind outside the closed list.
    InputError: PR-C015 for more items than there are numbers, PR-C012 for an unknown country.

    Assumes: minutes are the finest the simulation knows. Rows of one item in the same minute whose order their kinds'
    causal ranks do not give are put one microsecond apart, so that the order is kept.
    """
    kind_of_trace = _kinds_of(names.trace_kinds)
    _check_rows(history, names)
    texts = item_ids(history.item, names.country)
    by_text = pc.sort_indices(texts).to_numpy().astype(np.int64)
    rank_of_item = np.empty(len(texts), dtype=np.int32)
    rank_of_item[by_text] = np.arange(len(texts), dtype=np.int32)
    order, starts = group_rows(rank_of_item[history.row_item], len(texts))
    kind_idx = _kinds_of_rows(history, names, kind_of_trace)
    epoch_us = (names.epoch - EPOCH_1970) // timedelta(microseconds=1)
    ranks = kind_ranks()[kind_idx]
    instants, sequences, bad = time_rows(order, starts, history.row_min, ranks, epoch_us)
    if bad >= 0:
        raise InternalError("PR-L401", value=f"row {order[bad]} is before the row of the same item that precedes it")
    groups = np.repeat(np.arange(len(texts), dtype=np.int32), np.diff(starts))
    ids = name_events(history.item[by_text][groups], sequences, _keys(names.run_digest))
    occurred = pa.array(instants).cast(pa.timestamp("us", tz="UTC"))
    kept = {
        "event_id": pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(order), [None, pa.py_buffer(ids)]),
        "kind": _words(kind_idx[order], list(kinds())),
        "occurred_at": occurred,
        "recorded_at": occurred,
        "item_id": pa.DictionaryArray.from_arrays(pa.array(groups), texts.take(pa.array(by_text))),
        "facility_id": _words(history.row_facility[order], names.facility_ids),
    }
    if names.trip_ids is not None and names.trip_of_departure is not None:
        departures = history.row_departure[order]
        trips = np.append(names.trip_of_departure, -1)[departures].astype(np.int32)
        kept["trip_id"] = _words(trips, names.trip_ids)
    kept["label"] = _words(np.zeros(len(order), dtype=np.int8), (LABEL,))
    return pa.table(kept)


def items_from_trace(history: History, names: RunNames) -> pa.Table:
    """The records of sampled items: product, endpoints, acceptance and promise; columns of ``items``."""
    label = np.zeros(len(history.item), dtype=np.int8)
    return pa.table(
        {
            "item_id": item_ids(history.item, names.country),
            "product_id": _words(history.item_product, names.product_ids),
            "origin_id": _words(history.item_origin, names.facility_ids),
            "destination_id": _words(history.item_destination, names.facility_ids),
            "accepted_at": _instants(history.item_accepted_min, names.epoch),
            "promise_at": _instants(history.item_promise_min, names.epoch),
            "label": _words(label, (LABEL,)),
        }
    )


def flows_from_journeys(journeys: Journeys, facility_ids: Sequence[str], product_ids: Sequence[str]) -> pa.Table:
    """Flow records of a run's journeys, texts dictionary-encoded; columns of ``flows``."""
    columns = journeys.arrow()
    named = {
        "origin_id": _words(journeys.origin_idx, facility_ids),
        "destination_id": _words(journeys.destination_idx, facility_ids),
        "product_id": _words(journeys.product_idx, product_ids),
    }
    plain = [name for name in columns.column_names if not name.endswith("_idx") and name != "outcome"]
    return pa.table({**named, **{name: columns[name] for name in plain}, "outcome": _words(journeys.outcome, OUTCOMES)})


def _kinds_of(trace_kinds: Sequence[str]) -> np.ndarray:
    """Index into the closed list of each trace kind, int8."""
    places = {name: place for place, name in enumerate(kinds())}
    for name in trace_kinds:
        if name not in places:
            raise InternalError("PR-L402", value=name)
    return np.array([places[name] for name in trace_kinds], dtype=np.int8)


def _kinds_of_rows(history: History, names: RunNames, kind_of_trace: np.ndarray) -> np.ndarray:
    """Index into the closed list of each row; an arrival at the office that delivers the item has its own kind."""
    kind_idx = kind_of_trace[history.row_kind]
    if names.delivery_offices is None or not names.delivery_offices.any():
        return kind_idx
    places = list(kinds())
    is_last = (
        (kind_idx == places.index("arrived"))
        & names.delivery_offices[history.row_facility]
        & (history.row_facility == history.item_destination[history.row_item])
    )
    return np.where(is_last, np.int8(places.index("arrived_delivery_office")), kind_idx)


def _check_rows(history: History, names: RunNames) -> None:
    """Every row points at an item, a kind, a facility and a departure that exist."""
    n_departures = 0 if names.trip_of_departure is None else len(names.trip_of_departure)
    limits = (
        ("row_item", history.row_item, 0, len(history.item)),
        ("row_kind", history.row_kind, 0, len(names.trace_kinds)),
        ("row_facility", history.row_facility, -1, len(names.facility_ids)),
        ("row_departure", history.row_departure, -1, n_departures if names.trip_ids is not None else 1 << 31),
    )
    for name, values, low, high in limits:
        if len(values) != len(history.row_min):
            raise InternalError("PR-L401", value=f"{name} has {len(values)} rows, row_min {len(history.row_min)}")
        if len(values) and (values.min() < low or values.max() >= high):
            raise InternalError("PR-L401", value=f"{name} holds {values.min()}..{values.max()}, not {low}..{high - 1}")


def _keys(run_digest: str) -> np.ndarray:
    """The keys of a run's event ids, uint64 (N_KEYS,)."""
    digest = hashlib.blake2b(run_digest.encode(), digest_size=8 * N_KEYS, person=b"postroad-events").digest()
    return np.frombuffer(digest, dtype="<u8").astype(np.uint64)


def _words(codes: np.ndarray, texts: Sequence[str]) -> pa.DictionaryArray:
    """Texts by code, dictionary-encoded; -1 is null."""
    mask = codes < 0
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=mask if mask.any() else None), pa.array(texts))


def _instants(minutes: np.ndarray, epoch: datetime) -> pa.Array:
    """Instants of minutes from the epoch; -1 is null."""
    epoch_us = (epoch - EPOCH_1970) // timedelta(microseconds=1)
    micros = epoch_us + minutes.astype(np.int64) * MINUTE_US
    return pa.array(micros, mask=minutes < 0).cast(pa.timestamp("us", tz="UTC"))
