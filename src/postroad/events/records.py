"""Many events as they are sent: records of a JSON text to a frame, whole columns at a time where all is in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain

import numpy as np
import polars as pl
import pyarrow as pa

from postroad.core.findings import Findings
from postroad.events.columns import schema
from postroad.events.envelope import Event, read_records
from postroad.events.kinds import CORRECTION, LABELS, SUBJECTS, kinds

__all__ = ["frame_records"]

ALWAYS = ("event_id", "kind", "occurred_at", "recorded_at", "label")
ONE_BY_ONE = ("related", "raw", "payload", "follows")
UUID_LENGTH, UUID_HEX = 36, 32


class _Uneven(Exception):
    """Some record is not plain; they are read one by one."""


def frame_records(records: Sequence[object]) -> tuple[pa.Table, np.ndarray, Findings]:
    """Put records into a table; one that does not fit is left out and found.

    Parameters
    ----------
    records: as a JSON text gives them; each an object with fields of :class:`postroad.events.envelope.Event`.

    Returns
    -------
    The events that fit, in the schema of ``events``; the place of each among the records, int64 (n_rows,); and findings
    as of :func:`postroad.events.envelope.frame_events`.
    """
    try:
        return _frame_columns(records), np.arange(len(records)), Findings()
    except (_Uneven, TypeError, ValueError, pa.ArrowException, pl.exceptions.PolarsError):
        # Whatever is odd about one record is told by reading each on its own.
        rows, places, findings = read_records(records)
        return pa.Table.from_pylist(rows, schema=schema("events")), np.array(places, np.int64), findings


def _frame_columns(records: Sequence[object]) -> pa.Table:
    """Records that are all in order, column by column."""
    if not records or not all(type(record) is dict for record in records):
        raise _Uneven
    names = schema("events").names
    if not set(chain.from_iterable(records)) <= set(names):
        raise _Uneven
    columns = {name: [record.get(name) for record in records] for name in names}
    _check_columns(columns)
    read: dict[str, Callable[[list], pa.Array]] = {
        "event_id": _read_ids,
        "occurred_at": _read_instants,
        "recorded_at": _read_instants,
    }
    arrays = []
    for field in schema("events"):
        values = columns[field.name]
        if field.name in ONE_BY_ONE:
            arrays.append(_read_sparse(field, columns[field.name], records))
        else:
            arrays.append(read[field.name](values) if field.name in read else pa.array(values, pa.string()))
    cast = [array.cast(field.type) for array, field in zip(arrays, schema("events"), strict=True)]
    return pa.Table.from_arrays(cast, schema=schema("events"))


def _check_columns(columns: Mapping[str, list]) -> None:
    """Stop where a record needs a look of its own."""
    closed = kinds()
    seen = set(columns["kind"])
    if not seen <= closed.keys() or CORRECTION in seen or not set(columns["label"]) <= set(LABELS):
        raise _Uneven
    if any("" in columns[f"{name}_id"] for name in SUBJECTS) or any(None in columns[name] for name in ALWAYS):
        raise _Uneven
    named = {name: np.array([value is not None for value in columns[f"{name}_id"]]) for name in SUBJECTS}
    told = np.array(columns["kind"])
    for kind in seen:
        is_named = np.logical_or.reduce([named[subject] for subject in closed[kind].subjects])
        if not is_named[told == kind].all():
            raise _Uneven


def _read_ids(values: list[str]) -> pa.Array:
    """UUIDs as text to 16 bytes each."""
    if any(len(value) != UUID_LENGTH for value in values):
        raise _Uneven
    joined = "".join(values).replace("-", "")
    if len(joined) != UUID_HEX * len(values):
        raise _Uneven
    content = pa.py_buffer(bytes.fromhex(joined))
    return pa.Array.from_buffers(pa.binary(16), len(values), [None, content])


def _read_instants(values: list[str]) -> pa.Array:
    """Instants of ISO 8601 with an offset."""
    texts = pl.Series(values, dtype=pl.String)
    found = texts.str.replace("Z$", "+00:00").str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="us", strict=False)
    if found.null_count():
        raise _Uneven
    return found.dt.convert_time_zone("UTC").to_arrow()


def _read_sparse(field: pa.Field, values: list, records: Sequence[Mapping[str, object]]) -> pa.Array:
    """A column that few records fill."""
    if not any(value is not None for value in values):
        return pa.nulls(len(values), field.type)
    pairs = zip(records, values, strict=True)
    rows = [None if value is None else Event.model_validate(record).row()[field.name] for record, value in pairs]
    return pa.array(rows, field.type)
