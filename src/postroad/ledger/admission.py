"""Admission: which rows of a batch are new, which were there before, and in what order the new ones are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from postroad.core.findings import MAX_PER_CODE, Findings
from postroad.events.check import Screened
from postroad.events.kinds import kind_ranks
from postroad.kernels.eventids import find_first, find_known, group_rows, is_ordered, order_groups
from postroad.ledger.segments import SEGMENT_ROWS, complete, id_words, take_rows

__all__ = ["APPENDED", "DUPLICATE", "REFUSED", "STATUSES", "Earlier", "Receipt", "admit"]

STATUSES = ("appended", "duplicate", "refused")
APPENDED, DUPLICATE, REFUSED = range(3)
# Sent again, an event may well be recorded again; what it says must be the same.
NOT_COMPARED = ("event_id", "recorded_at")


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


@dataclass(frozen=True, slots=True)
class Earlier:
    """One published segment, as admission needs it: ``ids()`` its event ids, ``rows(places)`` whole rows of it."""

    ids: Callable[[], pa.Array]
    rows: Callable[[np.ndarray], pa.Table]


def admit(screened: Screened, earlier: Iterable[Earlier]) -> tuple[np.ndarray, np.ndarray, Findings]:
    """Choose and order the rows of a batch that are to be added.

    Parameters
    ----------
    screened: the batch. earlier: published segments that may hold ids of it.

    Returns
    -------
    int8 (n_rows,): status of each row; int64 (n_new,): rows to be added, by item, instant, causal rank and id; and
    findings: PR-L115 an id that is used already for another content (the row is refused).
    """
    findings = Findings()
    status = np.where(screened.is_kept, APPENDED, REFUSED).astype(np.int8)
    rows = np.flatnonzero(screened.is_kept)
    is_whole = len(rows) == len(status)
    table = screened.table if is_whole else screened.table.take(pa.array(rows))
    if not len(rows):
        return status, rows, findings
    words = id_words(table["event_id"].combine_chunks())
    first, slots = find_first(words)
    is_repeat = first != np.arange(len(first))
    settled = np.where(is_repeat, DUPLICATE, APPENDED).astype(np.int8)
    repeats = np.flatnonzero(is_repeat)
    for start in range(0, len(repeats), SEGMENT_ROWS):
        part = repeats[start : start + SEGMENT_ROWS]
        _compare(table, part, take_rows(table, first[part]), rows, settled, findings)
    for segment in earlier:
        known = np.full(len(rows), -1, dtype=np.int64)
        find_known(slots, words, id_words(segment.ids()), known)
        found = np.flatnonzero(known >= 0)
        if len(found):
            _compare(table, found, segment.rows(known[found]), rows, settled, findings)
            settled[found[settled[found] != REFUSED]] = DUPLICATE
    # What repeats a row that was refused says the same as that row, and is refused with it.
    repeats = repeats[(settled[repeats] == DUPLICATE) & (settled[first[repeats]] == REFUSED)]
    settled[repeats] = REFUSED
    for repeat in repeats[:MAX_PER_CODE].tolist():
        where = {"table": "events", "row": int(rows[repeat]) + 2, "column": "event_id"}
        findings.add("PR-L115", value=table["event_id"][repeat].as_py().hex(), **where)
    findings.count("PR-L115", len(repeats) - MAX_PER_CODE)
    status[rows] = settled
    new = np.flatnonzero(settled == APPENDED)
    order = _order(table, screened.kind_idx if is_whole else screened.kind_idx[rows], new)
    return status, order if is_whole else rows[order], findings


def _compare(
    table: pa.Table,
    places: np.ndarray,
    others: pa.Table,
    rows: np.ndarray,
    settled: np.ndarray,
    findings: Findings,
) -> None:
    """Refuse rows whose id is used already by a row of another content."""
    ours = complete(take_rows(table, places), "events")
    theirs = complete(others, "events")
    odd = np.full(len(places), "", dtype=object)
    for name in ours.column_names:
        if name not in NOT_COMPARED:
            odd[~_same(ours[name], theirs[name]) & (odd == "")] = name
    clashes = np.flatnonzero(odd != "")
    settled[places[clashes]] = REFUSED
    ids = ours["event_id"]
    for clash in clashes[:MAX_PER_CODE]:
        where = {"table": "events", "row": int(rows[places[clash]]) + 2, "column": odd[clash]}
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


def _order(table: pa.Table, kind_idx: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Rows to be added, by item, instant, causal rank and id; rows of no item come last."""
    if not len(new):
        return new
    is_whole = len(new) == table.num_rows
    part = table.select([name for name in ("event_id", "item_id", "occurred_at") if name in table.column_names])
    part = part if is_whole else part.take(pa.array(new))
    groups, n_groups = _item_ranks(part)
    instants = part["occurred_at"].combine_chunks().cast(pa.int64()).to_numpy()
    ids = id_words(part["event_id"].combine_chunks()).view(np.uint8)
    ranks = kind_ranks()[kind_idx if is_whole else kind_idx[new]]
    if is_ordered(groups, instants, ranks, ids):
        return new
    order, starts = group_rows(groups, n_groups)
    order_groups(order, starts, instants, ranks, ids)
    return new[order]


def _item_ranks(table: pa.Table) -> tuple[np.ndarray, int]:
    """The rank of each row's item in the order of their texts, int32 (n_rows,), and how many ranks there are."""
    if "item_id" not in table.column_names:
        return np.zeros(table.num_rows, dtype=np.int32), 1
    values = table["item_id"].combine_chunks()
    if not pa.types.is_dictionary(values.type):
        values = values.dictionary_encode()
    texts = values.dictionary
    by_text = pc.sort_indices(texts)
    ordered = texts.take(by_text)
    is_new = pc.not_equal(ordered[1:], ordered[:-1]).to_numpy(zero_copy_only=False)
    ranks = np.empty(len(texts) + 1, dtype=np.int32)
    # A dictionary may name a text twice; it is one item.
    ranks[by_text.to_numpy()] = np.append(0, np.cumsum(is_new))[: len(texts)]
    ranks[len(texts)] = len(texts)
    indices = values.indices
    if indices.null_count:
        indices = pc.fill_null(indices.cast(pa.int64()), len(texts))
    return ranks[indices.to_numpy()], len(texts) + 1
