"""Admission: which rows of a batch are new, which were there before, and which use an id that is taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from postroad.core.findings import MAX_PER_CODE, Findings
from postroad.events.check import Screened
from postroad.ledger.known import SEALED
from postroad.ledger.segments import complete, take_rows

__all__ = ["APPENDED", "DUPLICATE", "REFUSED", "STATUSES", "Receipt", "admit"]

STATUSES = ("appended", "duplicate", "refused")
APPENDED, DUPLICATE, REFUSED = range(3)
# Sent again, an event may well be recorded again; what it says must be the same.
NOT_COMPARED = ("event_id", "recorded_at")
COMPARED_AT_ONCE = 1 << 18


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of each row of a batch.

    Attributes
    ----------
    status: int8 (n_rows,), index into STATUSES, in the order of the batch. A duplicate is in the ledger already.
    """

    status: np.ndarray

    @property
    def n_appended(self) -> int:
        """Rows that are new."""
        return int(np.count_nonzero(self.status == APPENDED))

    @property
    def n_duplicate(self) -> int:
        """Rows that were there before, in the ledger or earlier in the batch."""
        return int(np.count_nonzero(self.status == DUPLICATE))

    @property
    def n_refused(self) -> int:
        """Rows that were refused; the findings say why."""
        return int(np.count_nonzero(self.status == REFUSED))

    def frame(self) -> pl.DataFrame:
        """One row a row of the batch: ``status`` as text."""
        return pl.DataFrame({"status": pl.Series(np.array(STATUSES)[self.status], dtype=pl.Enum(STATUSES))})


def admit(
    screened: Screened, known: np.ndarray, first: int, earlier: Callable[[np.ndarray], pa.Table]
) -> tuple[np.ndarray, Findings]:
    """Say what becomes of each row of a batch.

    Parameters
    ----------
    screened: the batch. known: int64 (n_kept,), for each row that was kept, where its id is held: -1 for a new one, or
        a place of :class:`postroad.ledger.known.KnownIds`. first: the row of the log that the first new row gets.
    earlier: gives the events at places that are held, in the schema of events.

    Returns
    -------
    int8 (n_rows,): index into STATUSES of each row; and findings: PR-L115 an id that is used already for another
    content (the row is refused).
    """
    findings = Findings()
    status = np.where(screened.is_kept, APPENDED, REFUSED).astype(np.int8)
    repeats = np.flatnonzero(known >= 0)
    if not len(repeats):
        return status, findings
    rows = np.flatnonzero(screened.is_kept)
    new = rows[known < 0]
    status[rows[repeats]] = DUPLICATE
    for start in range(0, len(repeats), COMPARED_AT_ONCE):
        part = repeats[start : start + COMPARED_AT_ONCE]
        places = known[part]
        is_here = (places >= first) & (places < SEALED)
        for chosen, give in (
            (part[is_here], lambda where: screened.table.take(pa.array(new[where - first]))),
            (part[~is_here], earlier),
        ):
            if len(chosen):
                _compare(screened.table, rows[chosen], give(known[chosen]), status, findings)
    return status, findings


def _compare(table: pa.Table, rows: np.ndarray, others: pa.Table, status: np.ndarray, findings: Findings) -> None:
    """Refuse rows whose id is used already by a row of another content."""
    ours = complete(take_rows(table, rows), "events")
    theirs = complete(others, "events")
    odd = np.full(len(rows), "", dtype=object)
    for name in ours.column_names:
        if name not in NOT_COMPARED:
            odd[~_same(ours[name], theirs[name]) & (odd == "")] = name
    clashes = np.flatnonzero(odd != "")
    status[rows[clashes]] = REFUSED
    ids = ours["event_id"]
    for clash in clashes[:MAX_PER_CODE]:
        where = {"table": "events", "row": int(rows[clash]) + 2, "column": odd[clash]}
        findings.add("PR-L115", value=ids[int(clash)].as_py().hex(), **where)
    findings.count("PR-L115", len(clashes) - MAX_PER_CODE)


def _same(ours: pa.ChunkedArray, theirs: pa.ChunkedArray) -> np.ndarray:
    """Where two columns hold the same, nulls among them: bool (n_rows,)."""
    if ours.null_count == theirs.null_count == len(ours):
        return np.ones(len(ours), dtype=bool)
    if pa.types.is_nested(ours.type):
        pair = pl.DataFrame({"ours": pl.from_arrow(ours), "theirs": pl.from_arrow(theirs)})
        return pair.select(pl.col("ours").eq_missing(pl.col("theirs")))["ours"].to_numpy()
    is_equal = pc.fill_null(pc.equal(ours, theirs), False)
    is_none = pc.and_(pc.is_null(ours), pc.is_null(theirs))
    return pc.or_(is_equal, is_none).to_numpy()
