"""The clock of the destination leg: the formula on small cases, and the frame against the loop."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.exchange.upu.clock import check_reports, count_clock, count_item_clock
from postroad.exchange.upu.emsevt import events_from_records

T0 = datetime(2025, 11, 11, tzinfo=UTC)
# In the order of their causal ranks, so that events of one instant stand in the order in which they count.
RANKED = ["EMD", "EME", "EDC", "EMF", "EMH", "EMI"]


def events(*rows, item="RB123456785GB"):
    """Events of (code, hour, reason, action)."""
    full = [(*row, None, None)[:4] for row in rows]
    frame = pl.DataFrame(
        {
            "item_id": [item] * len(full),
            "event": [row[0] for row in full],
            "event_at": [(T0 + timedelta(hours=row[1])).isoformat() for row in full],
            "reason": [row[2] for row in full],
            "action": [row[3] for row in full],
        },
        schema_overrides={"reason": pl.String, "action": pl.String},
    )
    return events_from_records(frame)[0]


@pytest.mark.parametrize(
    ("rows", "clock_h", "stood_h", "n_open"),
    [
        ([("EMD", 0), ("EMI", 30)], 30, 0, 0),
        ([("EMD", 0), ("EMH", 20, "1", "A"), ("EMI", 30)], 20, 0, 0),
        ([("EMD", 0), ("EME", 2, "10"), ("EDC", 10), ("EMI", 30)], 22, 8, 0),
        ([("EMD", 0), ("EME", 2, "10"), ("EMF", 10), ("EMI", 30)], 22, 8, 0),
        ([("EMD", 0), ("EME", 2), ("EDC", 10), ("EMI", 30)], 30, 0, 0),
        ([("EMD", 0), ("EME", 2, "10"), ("EMI", 30)], 30, 0, 1),
        ([("EMD", 0), ("EME", 2, "10"), ("EME", 4, "11"), ("EDC", 10), ("EMF", 12), ("EMI", 30)], 22, 8, 0),
        ([("EMD", 0), ("EME", 2, "1"), ("EDC", 4), ("EME", 5, "1"), ("EMF", 9), ("EMI", 30)], 24, 6, 0),
        ([("EMD", 0), ("EME", 20, "1"), ("EMI", 30), ("EDC", 40)], 20, 10, 0),
        ([("EMD", 0), ("EMD", 5), ("EMI", 30)], 30, 0, 0),
        ([("EMH", 1, "1", "A"), ("EMD", 2), ("EMI", 30)], 28, 0, 0),
        ([("EMD", 0), ("EMF", 5)], None, 0, 0),
    ],
)
def test_the_formula(rows, clock_h, stood_h, n_open):
    row = count_clock(events(*rows)).row(0, named=True)
    assert row["clock_min"] == (None if clock_h is None else clock_h * 60)
    assert (row["stood_min"], row["n_open"]) == (stood_h * 60, n_open)


def test_an_item_that_never_arrived_has_no_clock():
    assert count_clock(events(("EMC", 0), ("EMI", 30))).height == 0
    assert count_item_clock([(T0, "delivered", None)]) == (None, 0.0, 0)


EVENTS = st.lists(
    st.tuples(st.sampled_from(RANKED), st.integers(0, 40), st.sampled_from([None, "10"])), min_size=1, max_size=12
)


@given(st.lists(EVENTS, min_size=1, max_size=4))
def test_the_frame_agrees_with_the_loop(items):
    frames = [events(*rows, item=f"item {number}") for number, rows in enumerate(items)]
    clocks = {row["item_id"].lower(): row for row in count_clock(pl.concat(frames)).iter_rows(named=True)}
    for number, rows in enumerate(items):
        frame = events(*sorted(set(rows), key=lambda row: (row[1], RANKED.index(row[0]))))
        listed = frame.select("occurred_at", "kind", "reason").rows()
        clock_min, stood_min, n_open = count_item_clock(listed)
        row = clocks.get(f"item{number}")
        if row is None:
            assert clock_min is None
        else:
            assert (row["clock_min"], row["stood_min"], row["n_open"]) == (clock_min, stood_min, n_open)


def test_what_a_post_failed_to_report():
    frame = pl.concat(
        [
            events(("EMD", 0), ("EMH", 5, "1", "A"), ("EMI", 9), item="A"),
            events(("EMD", 0), ("EMH", 5, "1"), ("EMI", 9), item="B"),
            events(("EMD", 0), ("EMH", 5), item="C"),
            events(("EMD", 0), ("EME", 5), ("EDC", 9), item="D"),
            events(("EMD", 0), ("EME", 5, "10"), ("EMI", 9), item="E"),
        ]
    )
    findings = check_reports(frame)
    assert findings.errors == []
    assert [(finding.code, finding.value) for finding in findings] == [
        ("PR-E313", "B"),
        ("PR-E313", "C"),
        ("PR-E314", "D"),
        ("PR-E315", "E"),
    ]
    assert "action taken" in next(iter(findings)).message()
