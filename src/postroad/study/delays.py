"""What vehicles tell while they are under way: the `delayed` events of the trips of one course."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

import numpy as np
import pyarrow as pa

from postroad.core.clock import DAY_MIN
from postroad.kernels.eventids import N_KEYS, name_events
from postroad.ledger.simulated import EPOCH_1970, LABEL, MINUTE_US, RunNames
from postroad.network.instance import Instance

__all__ = ["STEP_MIN", "delay_events"]

STEP_MIN = 15
"""A vehicle tells how late it is each time that this has changed by so many minutes; ours."""


def delay_events(plan: Instance, drawn: Instance, departures: np.ndarray, names: RunNames) -> pa.Table:
    """The `delayed` events of the trips that made some departures; columns of ``events``.

    Parameters
    ----------
    plan, drawn: the instance without chance, and as the course drew it. departures: rows of the drawn instance's
        departures. names: of the run.

    A vehicle keeps one pace on its way, so how late it is grows evenly from how late it left to how late it arrives.
    The payload holds ``minutes``, how late it is where it is, and ``service_date``, the day on which its trip began.
    A vehicle that gains or loses less than :data:`STEP_MIN` tells nothing.
    """
    departures = _longest_of_run(drawn, np.unique(departures))
    day, cn = drawn.dp_day[departures].astype(np.int64), drawn.dp_cn[departures]
    left, arrived = (part[departures].astype(float) for part in (drawn.dp_dep_min, drawn.dp_arr_min))
    planned = day * DAY_MIN + plan.cn_dep_min[cn]
    late_left, late_arrived = left - planned, arrived - planned - plan.cn_dur_min[cn]
    growth = late_arrived - late_left
    n_steps = np.floor(np.abs(growth) / STEP_MIN).astype(np.int64)
    row = np.repeat(np.arange(len(departures)), n_steps)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(n_steps) - n_steps, n_steps) + 1
    told = STEP_MIN * nth
    at = np.ceil(left[row] + (arrived - left)[row] * told / np.abs(growth[row])).astype(np.int64)
    minutes = np.rint(late_left[row] + np.sign(growth[row]) * told).astype(np.int64)
    before = at < arrived[row]
    row, nth, at, minutes = row[before], nth[before], at[before], minutes[before]
    first_date = plan.epoch.date()
    last_day = int(day.max(initial=0))
    dates = np.array([(first_date + timedelta(days=later)).isoformat() for later in range(last_day + 1)])
    payload = [
        json.dumps({"minutes": late, "service_date": date})
        for late, date in zip(minutes.tolist(), dates[day[row]].tolist(), strict=True)
    ]
    return _table(departures[row], nth, at, drawn.cn_trip[cn[row]], payload, names)


def _longest_of_run(instance: Instance, departures: np.ndarray) -> np.ndarray:
    """Of the departures of one trip and day the one that rides on it longest."""
    run = instance.dp_day[departures].astype(np.int64) << 32 | instance.cn_trip[instance.dp_cn[departures]]
    length = instance.dp_arr_min[departures] - instance.dp_dep_min[departures]
    order = np.lexsort((-length, run))
    return departures[order[np.r_[True, np.diff(run[order]) != 0]]] if len(order) else departures


def _table(departure, nth, at, trip, payload: list[str], names: RunNames) -> pa.Table:
    """The events; `departure` and `nth` name each."""
    digest = hashlib.blake2b(names.run_digest.encode(), digest_size=8 * N_KEYS, person=b"postroad-delays").digest()
    keys = np.frombuffer(digest, dtype="<u8").astype(np.uint64)
    ids = name_events(departure.astype(np.int64), nth, keys)
    epoch_us = (names.epoch - EPOCH_1970) // timedelta(microseconds=1)
    occurred = pa.array(epoch_us + at * MINUTE_US).cast(pa.timestamp("us", tz="UTC"))
    n = len(at)
    return pa.table(
        {
            "event_id": pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), n, [None, pa.py_buffer(ids)]),
            "kind": pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int8)), pa.array(["delayed"])),
            "occurred_at": occurred,
            "recorded_at": occurred,
            "trip_id": pa.DictionaryArray.from_arrays(pa.array(trip.astype(np.int32)), pa.array(names.trip_ids)),
            "payload": pa.array(payload, pa.string()),
            "label": pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int8)), pa.array([LABEL])),
        }
    )
