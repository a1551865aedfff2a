"""The clock of the destination leg, and what a sender of EMSEVT events has to report.

The clock runs from the arrival at the inward office of exchange to the first attempted or final delivery. It stands
still while import customs hold the item, if the post says why and says when they gave it back:

    clock time = (EMI | EMH) - EMD - sum of the intervals from EME with a reason to EDC | EMF

**Source** PRIME operations FAQ, on EMSEVT V3 events.
"""

from __future__ import annotations

from datetime import datetime

import polars as pl

from postroad.core.findings import MAX_PER_CODE, Findings
from postroad.events.envelope import order_events

__all__ = ["check_reports", "count_clock", "count_item_clock"]

START = "arrived_inward_office"
ENDS = ("delivered", "attempt_failed")
HOLD = "import_customs_held"
RELEASES = ("import_customs_released", "departed_inward_office")
ATTEMPT = "attempt_failed"


def count_item_clock(events: list[tuple[datetime, str, str | None]]) -> tuple[float | None, float, int]:
    """Count the clock of one item, event by event.

    Parameters
    ----------
    events: instant, kind and reason of each event of the item, in their order.

    Returns
    -------
    Clock time in minutes (None when the item did not arrive or was not attempted), minutes that the clock stood, and
    how many customs intervals are open (held with a reason, not given back) and so do not count.

    >>> from datetime import UTC
    >>> day = [datetime(2025, 11, 11, hour, tzinfo=UTC) for hour in (8, 9, 12, 18)]
    >>> kinds = ["arrived_inward_office", "import_customs_held", "import_customs_released", "delivered"]
    >>> count_item_clock(list(zip(day, kinds, [None, "10", None, None])))
    (420.0, 180.0, 0)
    """
    start = next((at for at, kind, _ in events if kind == START), None)
    end = next((at for at, kind, _ in events if kind in ENDS and start is not None and at >= start), None)
    stood, n_open, since = 0.0, 0, None
    for at, kind, reason in events:
        if kind == HOLD and reason and since is None:
            since = at
        elif kind in RELEASES and since is not None:
            if start is not None and end is not None:
                stood += max(0.0, (min(at, end) - max(since, start)).total_seconds() / 60)
            since = None
    if since is not None:
        n_open = 1
    if start is None or end is None:
        return None, 0.0, n_open
    return (end - start).total_seconds() / 60 - stood, stood, n_open


def count_clock(events: pl.DataFrame) -> pl.DataFrame:
    """Count the clock of every item of a frame.

    Parameters
    ----------
    events: frame of events with ``item_id``, ``kind``, ``occurred_at``, ``reason`` and ``event_id``.

    Returns
    -------
    Frame, one row an item that arrived at an inward office, by item: ``item_id``, ``started_at``, ``ended_at`` (null
    when nobody tried to deliver), ``stood_min`` and ``clock_min`` (float64; clock null without an end), ``n_open``
    (int64, customs intervals that were not closed and are not deducted).

    **Assumes** events that a correction declares void were taken out before; an item that arrives at several inward
    offices starts at the first. Time in customs outside the start and the end does not count.
    """
    frame = order_events(events.filter(pl.col("item_id").is_not_null())).with_columns(pl.col("kind").cast(pl.String))
    start = pl.col("occurred_at").filter(pl.col("kind") == START).min()
    bounds = frame.group_by("item_id").agg(start.alias("started_at")).filter(pl.col("started_at").is_not_null())
    frame = frame.join(bounds, on="item_id", maintain_order="left")
    is_end = pl.col("kind").is_in(ENDS) & (pl.col("occurred_at") >= pl.col("started_at"))
    ends = frame.filter(is_end).group_by("item_id").agg(pl.col("occurred_at").min().alias("ended_at"))
    bounds = bounds.join(ends, on="item_id", how="left").sort("item_id")
    told = pl.col("reason").is_not_null() & (pl.col("reason") != "")
    is_hold, is_release = (pl.col("kind") == HOLD) & told, pl.col("kind").is_in(RELEASES)
    customs = frame.filter(is_hold | is_release).with_columns(is_release.alias("__release"))
    number = (pl.col("__release").cum_sum() - pl.col("__release").cast(pl.UInt32)).over("item_id")
    intervals = (
        customs.with_columns(number.alias("__number"))
        .group_by("item_id", "__number")
        .agg(
            pl.col("occurred_at").filter(~pl.col("__release")).min().alias("__from"),
            pl.col("occurred_at").filter(pl.col("__release")).min().alias("__to"),
        )
    )
    intervals = intervals.filter(pl.col("__from").is_not_null()).join(bounds, on="item_id")
    inside = pl.min_horizontal("__to", "ended_at") - pl.max_horizontal("__from", "started_at")
    is_closed = pl.col("__to").is_not_null() & pl.col("ended_at").is_not_null()
    minutes = pl.when(is_closed).then(inside.dt.total_microseconds() / 60e6).otherwise(0.0).clip(lower_bound=0)
    stood = intervals.group_by("item_id").agg(
        minutes.sum().alias("stood_min"), pl.col("__to").is_null().sum().cast(pl.Int64).alias("n_open")
    )
    total = (pl.col("ended_at") - pl.col("started_at")).dt.total_microseconds() / 60e6
    return (
        bounds.join(stood, on="item_id", how="left", maintain_order="left")
        .with_columns(pl.col("stood_min").fill_null(0.0), pl.col("n_open").fill_null(0))
        .with_columns((total - pl.col("stood_min")).alias("clock_min"))
        .select("item_id", "started_at", "ended_at", "stood_min", "clock_min", "n_open")
    )


def check_reports(events: pl.DataFrame) -> Findings:
    """Say what a post failed to report of items, so that it counts against it.

    Parameters
    ----------
    events: frame of events, as :func:`postroad.exchange.upu.emsevt.events_from_records` gives it.

    Returns
    -------
    Findings, all warnings: PR-E313 an attempt (EMH) without a reason or an action, PR-E314 held by customs (EME)
    without a retention reason, PR-E315 a customs interval that neither EDC nor EMF closes. The value is the item.
    """
    findings = Findings()
    frame = events.with_row_index("__row", offset=2).with_columns(pl.col("kind").cast(pl.String))
    has_reason = pl.col("reason").is_not_null() & (pl.col("reason") != "")
    action = pl.col("payload").str.json_path_match("$.action")
    silent = frame.filter((pl.col("kind") == ATTEMPT) & ~(has_reason & action.is_not_null()))
    for row in silent.head(MAX_PER_CODE).iter_rows(named=True):
        lacks = ("reason", "原因代码") if not row["reason"] else ("action taken", "处理措施")
        place = {"table": "events", "row": row["__row"], "column": "reason", "value": row["item_id"]}
        findings.add("PR-E313", **place, lacks=lacks[0], lacks_zh=lacks[1])
    findings.count("PR-E313", silent.height - MAX_PER_CODE)
    unsaid = frame.filter((pl.col("kind") == HOLD) & ~has_reason)
    for row in unsaid.head(MAX_PER_CODE).iter_rows(named=True):
        findings.add("PR-E314", table="events", row=row["__row"], column="reason", value=row["item_id"])
    findings.count("PR-E314", unsaid.height - MAX_PER_CODE)
    still_open = count_clock(events).filter(pl.col("n_open") > 0)
    for item_id in still_open["item_id"].head(MAX_PER_CODE).to_list():
        findings.add("PR-E315", table="events", value=item_id)
    findings.count("PR-E315", still_open.height - MAX_PER_CODE)
    return findings
