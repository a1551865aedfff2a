"""Checks of a frame of events: each row on its own, all findings at once.

A row that cannot be kept is refused and found; the others are not affected. What can be kept but is odd is kept and
found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from postroad.core.findings import MAX_PER_CODE, Findings
from postroad.events.columns import conform
from postroad.events.kinds import CORRECTION, LABELS, SUBJECTS, UNKNOWN, kinds
from postroad.events.screening import clean_kinds

__all__ = ["CLOCK_TOLERANCE_MIN", "Screened", "check_events", "present", "screen_events"]

CLOCK_TOLERANCE_MIN = 5
CLOCK_TOLERANCE = timedelta(minutes=CLOCK_TOLERANCE_MIN)
TABLE = "events"


@dataclass(frozen=True, slots=True)
class Screened:
    """A frame that was looked through.

    Attributes
    ----------
    table: the rows in their order, their kinds of the closed list, ids of 16 bytes or null.
    is_kept: bool (n_rows,), False where the row was refused.
    kind_idx: int8 (n_rows,), index into :func:`postroad.events.kinds.kinds`.
    """

    table: pa.Table
    is_kept: np.ndarray
    kind_idx: np.ndarray


def check_events(frame: pl.DataFrame | pa.Table, now: datetime | None = None) -> Findings:
    """Say everything that is wrong or odd about a frame of events.

    Parameters
    ----------
    frame: Polars or Arrow, columns as declared for ``events``.
    now: aware instant against which the future is judged; the clock's when left out.

    Returns
    -------
    Findings: PR-L101..PR-L104 of columns, PR-L105..PR-L113 of rows.

    >>> check_events(pl.DataFrame({"kind": ["accepted"]})).counts["PR-L102"]
    4
    """
    table, findings = conform(frame, TABLE)
    if not findings.errors:
        findings.extend(screen_events(table, now)[1])
    return findings


def screen_events(table: pa.Table, now: datetime | None = None) -> tuple[Screened, Findings]:
    """Look through the rows of a frame whose columns are as declared.

    Parameters
    ----------
    table: as :func:`postroad.events.columns.conform` gives it, required columns present.
    now: as in :func:`check_events`.
    """
    findings = Findings()
    is_kept = np.ones(table.num_rows, dtype=bool)
    now = now or datetime.now(UTC)
    for name in ("event_id", "follows"):
        place = table.schema.get_field_index(name)
        if place >= 0 and not pa.types.is_fixed_size_binary(table.schema.field(place).type):
            table = table.set_column(table.column_names.index(name), name, _read_ids(_column(table, name)))
    if table.num_rows:
        kind_idx = clean_kinds(table, now.astimezone(UTC) + CLOCK_TOLERANCE, CLOCK_TOLERANCE_MIN * 60)
        if kind_idx is not None:
            return Screened(table, is_kept, kind_idx), findings
    _refuse(is_kept, ~_valid(_column(table, "event_id")), findings, "PR-L105", "event_id")
    table, kind_idx = _read_kinds(table, findings)
    _check_subjects(table, kind_idx, is_kept, findings)
    _check_labels(table, is_kept, findings)
    _check_times(table, is_kept, now, findings)
    _check_follows(table, kind_idx, is_kept, findings)
    _check_reasons(table, kind_idx, is_kept, findings)
    return Screened(table, is_kept, kind_idx), findings


def present(table: pa.Table, name: str) -> np.ndarray:
    """Which rows have a text in a column: bool (n_rows,); a null, an empty text and a column left out count as none."""
    if name not in table.column_names:
        return np.zeros(table.num_rows, dtype=bool)
    return _judge(_column(table, name), lambda texts: pc.greater(pc.binary_length(texts), 0))


def _judge(values: pa.Array, test: Callable[[pa.Array], pa.Array]) -> np.ndarray:
    """Which texts pass a test, bool (n_rows,), False where null; of encoded texts each different one is tested once."""
    if pa.types.is_dictionary(values.type):
        return np.append(_judge(values.dictionary, test), False)[_codes(values)]
    return pc.fill_null(test(values), False).to_numpy(zero_copy_only=False)


def _codes(values: pa.DictionaryArray) -> np.ndarray:
    """Indices of a dictionary array; -1 where null."""
    if values.indices.null_count == 0:
        return values.indices.to_numpy()
    return pc.fill_null(values.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)


def _column(table: pa.Table, name: str) -> pa.Array:
    """The one chunk of a column."""
    column = table[name]
    return column.chunk(0) if column.num_chunks == 1 else pa.array([], type=column.type)


def _valid(values: pa.Array) -> np.ndarray:
    """Which values are not null: bool (n_rows,)."""
    if values.null_count == 0:
        return np.ones(len(values), dtype=bool)
    return values.is_valid().to_numpy(zero_copy_only=False)


def _read_ids(values: pa.Array) -> pa.Array:
    """Ids as 16 bytes; null where they have another length."""
    is_id = pc.equal(pc.binary_length(values), 16)
    return pc.if_else(is_id, values, pa.scalar(None, values.type)).cast(pa.binary(16))


def _read_kinds(table: pa.Table, findings: Findings) -> tuple[pa.Table, np.ndarray]:
    """Encode the kinds over the closed list; what is not in it becomes ``unknown``, its code kept in raw."""
    values = _column(table, "kind")
    if not pa.types.is_dictionary(values.type):
        values = values.dictionary_encode()
    names = list(kinds())
    place = {name: idx for idx, name in enumerate(names)}
    unknown = place[UNKNOWN]
    texts = values.dictionary.to_pylist()
    lookup = np.array([place.get(text, -1) for text in texts] + [-1], dtype=np.int8)
    codes = _codes(values)
    kind_idx = lookup[codes]
    foreign = np.flatnonzero(kind_idx < 0)
    if len(foreign):
        kind_idx[foreign] = unknown
        sent = {int(row): (texts[codes[row]] if codes[row] >= 0 else "") for row in foreign}
        for row, text in list(sent.items())[:MAX_PER_CODE]:
            findings.add("PR-L106", table=TABLE, row=row + 2, column="kind", value=text)
        findings.count("PR-L106", len(foreign) - MAX_PER_CODE)
        table = _keep_raw(table, sent)
    encoded = pa.DictionaryArray.from_arrays(pa.array(kind_idx), pa.array(names))
    return table.set_column(table.column_names.index("kind"), "kind", encoded), kind_idx


def _keep_raw(table: pa.Table, sent: dict[int, str]) -> pa.Table:
    """Keep the codes that were sent in ``raw``; where the sender filled it, the code joins its text."""
    raws = table["raw"].to_pylist() if "raw" in table.column_names else [None] * table.num_rows
    for row, code in sent.items():
        old = raws[row]
        if old is None or not old["code"]:
            raws[row] = {"code": code, "text": old["text"] if old else None}
        elif old["code"] != code:
            raws[row] = {"code": old["code"], "text": " ".join(filter(None, [old["text"], f"[kind {code}]"]))}
    column = pa.array(raws, type=pa.struct([("code", pa.string()), ("text", pa.string())]))
    if "raw" in table.column_names:
        return table.set_column(table.column_names.index("raw"), "raw", column)
    return table.append_column("raw", column)


def _check_subjects(table: pa.Table, kind_idx: np.ndarray, is_kept: np.ndarray, findings: Findings) -> None:
    """Every event names something of its kind's subjects."""
    found = np.zeros(table.num_rows, dtype=np.uint8)
    for bit, subject in enumerate(SUBJECTS):
        found |= present(table, f"{subject}_id").astype(np.uint8) << bit
    wanted = [sum(1 << SUBJECTS.index(subject) for subject in kind.subjects) for kind in kinds().values()]
    is_missing = (np.array(wanted, dtype=np.uint8)[kind_idx] & found) == 0
    closed = list(kinds().values())
    _refuse(
        is_kept,
        is_missing,
        findings,
        "PR-L107",
        "item_id",
        value=lambda row: closed[kind_idx[row]].kind,
        subjects=lambda row: ", ".join(f"{subject}_id" for subject in closed[kind_idx[row]].subjects),
    )


def _check_labels(table: pa.Table, is_kept: np.ndarray, findings: Findings) -> None:
    """Every event says what it is."""
    values = _column(table, "label")
    is_known = _judge(values, lambda texts: pc.is_in(texts, value_set=pa.array(LABELS, type=texts.type)))
    _refuse(
        is_kept,
        ~is_known,
        findings,
        "PR-L112",
        "label",
        value=lambda row: values[row].as_py() or "",
        expected=lambda row: ", ".join(LABELS),
    )


def _check_times(table: pa.Table, is_kept: np.ndarray, now: datetime, findings: Findings) -> None:
    """Both instants are there, nothing was recorded in the future, and what occurred after its record is odd."""
    instants = {}
    for name in ("occurred_at", "recorded_at"):
        values = _column(table, name)
        _refuse(is_kept, ~_valid(values), findings, "PR-L108", name)
        numbers = values.cast(pa.int64())
        instants[name] = (pc.fill_null(numbers, 0) if values.null_count else numbers).to_numpy()
    is_real = ~_is_simulated(table)
    if not is_real.any():
        return
    limit = now + CLOCK_TOLERANCE
    late = is_real & (instants["recorded_at"] > _micros(limit))
    _refuse(
        is_kept,
        late,
        findings,
        "PR-L109",
        "recorded_at",
        value=lambda row: _instant(instants["recorded_at"][row]),
        now=lambda row: now.astimezone(UTC).isoformat(timespec="seconds"),
    )
    odd = is_real & is_kept & (instants["occurred_at"] - instants["recorded_at"] > CLOCK_TOLERANCE_MIN * 60_000_000)
    rows = np.flatnonzero(odd)
    _tell(rows, findings, "PR-L110", "occurred_at", value=lambda row: _instant(instants["occurred_at"][row]))


def _check_follows(table: pa.Table, kind_idx: np.ndarray, is_kept: np.ndarray, findings: Findings) -> None:
    """A correction names the event that it declares void."""
    is_correction = kind_idx == list(kinds()).index(CORRECTION)
    if "follows" in table.column_names:
        is_correction &= ~_valid(_column(table, "follows"))
    _refuse(is_kept, is_correction, findings, "PR-L111", "follows")


def _check_reasons(table: pa.Table, kind_idx: np.ndarray, is_kept: np.ndarray, findings: Findings) -> None:
    """Kinds that need a reason have one; simulated events are exempt."""
    needs = np.array([kind.needs_reason for kind in kinds().values()])[kind_idx]
    is_asked = is_kept & needs & ~_is_simulated(table)
    if not is_asked.any():
        return
    rows = np.flatnonzero(is_asked & ~present(table, "reason"))
    names = list(kinds())
    _tell(rows, findings, "PR-L113", "reason", value=lambda row: names[kind_idx[row]])


def _is_simulated(table: pa.Table) -> np.ndarray:
    """Which rows are of a simulated run: bool (n_rows,)."""
    return _judge(_column(table, "label"), lambda texts: pc.equal(texts, "simulated"))


def _refuse(is_kept: np.ndarray, is_bad: np.ndarray, findings: Findings, code: str, column: str, **params) -> None:
    """Refuse rows that are not refused yet, and tell."""
    rows = np.flatnonzero(is_bad & is_kept)
    is_kept[rows] = False
    _tell(rows, findings, code, column, **params)


def _tell(rows: np.ndarray, findings: Findings, code: str, column: str, **params) -> None:
    """Add a finding for each row, the first fifty with their place; ``params`` give a value from a row."""
    for row in _first(rows):
        filled = {name: give(row) for name, give in params.items()}
        findings.add(code, table=TABLE, row=row + 2, column=column, **filled)
    findings.count(code, len(rows) - MAX_PER_CODE)


def _first(rows: np.ndarray) -> Iterable[int]:
    """The rows that are told one by one."""
    return rows[:MAX_PER_CODE].tolist()


def _micros(instant: datetime) -> int:
    """Microseconds from 1970-01-01 UTC."""
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _instant(micros: int) -> str:
    """Microseconds from 1970-01-01 UTC as text."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(micros))).isoformat(timespec="seconds")
