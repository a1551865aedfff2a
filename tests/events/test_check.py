"""Each row is judged on its own; all findings come at once."""

from datetime import timedelta

import polars as pl
import pytest

from kit.ledger import NOW, make_event, make_frame
from postroad.events.check import check_events, screen_events
from postroad.events.columns import conform


def screen(*rows):
    table, _ = conform(make_frame(*rows), "events")
    return screen_events(table, NOW)


GOOD = make_event(1, "accepted")
BAD = {
    "PR-L105": make_event(2, "accepted", event_id=None),
    "PR-L107": make_event(2, "accepted", item_id=None),
    "PR-L108": make_event(2, "accepted", occurred_at=None),
    "PR-L109": make_event(2, "accepted", recorded_at=NOW + timedelta(minutes=6)),
    "PR-L111": make_event(2, "correction"),
    "PR-L112": make_event(2, "accepted", label="guessed"),
}
ODD = {
    "PR-L106": make_event(2, "EMX"),
    "PR-L110": make_event(2, "accepted", 100, recorded_at=GOOD["recorded_at"]),
    "PR-L113": make_event(2, "attempt_failed"),
}


@pytest.mark.parametrize("code", BAD)
def test_a_bad_row_is_refused_and_its_neighbours_are_not(code):
    screened, findings = screen(GOOD, BAD[code], make_event(3, "delivered"))
    assert screened.is_kept.tolist() == [True, False, True]
    assert [(finding.code, finding.row) for finding in findings] == [(code, 3)]
    assert all(finding.message() and finding.message("zh") for finding in findings)


@pytest.mark.parametrize("code", ODD)
def test_an_odd_row_is_kept_and_found(code):
    screened, findings = screen(GOOD, ODD[code])
    assert screened.is_kept.tolist() == [True, True]
    assert [(finding.code, finding.severity, finding.row) for finding in findings] == [(code, "warning", 3)]


def test_a_row_is_refused_once():
    screened, findings = screen(make_event(2, "accepted", event_id=None, occurred_at=None, label=None))
    assert not screened.is_kept.any()
    assert findings.counts == {"PR-L105": 1}


def test_a_unknown_code_is_kept_raw():
    given = make_event(3, "EMY", raw={"code": "77", "text": "held"})
    half = make_event(4, "EMZ", raw={"code": None, "text": "held"})
    screened, _ = screen(GOOD, make_event(2, "EMX"), given, half)
    assert screened.table["kind"].to_pylist() == ["accepted", "unknown", "unknown", "unknown"]
    assert screened.table["raw"].to_pylist() == [
        None,
        {"code": "EMX", "text": None},
        {"code": "77", "text": "held [kind EMY]"},
        {"code": "EMZ", "text": "held"},
    ]


def test_a_null_kind_is_unknown():
    screened, findings = screen(make_event(2, None))
    assert screened.table["kind"].to_pylist() == ["unknown"]
    assert findings.counts == {"PR-L106": 1}


@pytest.mark.parametrize(
    ("kind", "given", "is_kept"),
    [
        ("departed", {"item_id": None, "trip_id": "T1"}, True),
        ("departed", {"item_id": None, "trip_id": ""}, False),
        ("closed", {"item_id": None}, True),
        ("closed", {"facility_id": None}, False),
        ("delivered", {"item_id": None, "trip_id": "T1"}, False),
    ],
)
def test_an_event_happens_to_what_its_kind_may_happen_to(kind, given, is_kept):
    assert screen(make_event(1, kind, **given))[0].is_kept.tolist() == [is_kept]


def test_simulated_events_may_lie_in_the_future_and_give_no_reason():
    row = make_event(1, "attempt_failed", label="simulated", recorded_at=NOW + timedelta(days=9))
    screened, findings = screen(row | {"occurred_at": NOW + timedelta(days=9)})
    assert screened.is_kept.all()
    assert len(findings) == 0


def test_five_minutes_of_clock_difference_are_accepted():
    late = NOW + timedelta(minutes=5)
    screened, findings = screen(make_event(1, "accepted", recorded_at=late) | {"occurred_at": late})
    assert screened.is_kept.all()
    assert len(findings) == 0


def test_findings_are_counted_beyond_what_is_kept():
    frame = make_frame(*[make_event(number, "accepted", item_id=None) for number in range(120)])
    findings = check_events(frame, NOW)
    assert findings.counts == {"PR-L107": 120}
    assert len(list(findings)) == 50


def test_columns_are_judged_before_rows():
    findings = check_events(make_frame(BAD["PR-L105"]).drop("label"), NOW)
    assert findings.counts == {"PR-L102": 1}


def test_an_empty_frame_is_clean():
    assert len(check_events(make_frame(), NOW)) == 0


def test_ids_of_another_length_are_refused():
    frame = make_frame(GOOD, make_event(2, "accepted"))
    short = frame.with_columns(pl.Series("event_id", [b"x" * 16, b"x" * 15]))
    assert [(finding.code, finding.row) for finding in check_events(short, NOW)] == [("PR-L105", 3)]


def test_dictionary_encoded_columns_are_judged_alike():
    names = ("kind", "item_id", "label", "facility_id", "reason")
    rows = [GOOD, *BAD.values(), *ODD.values(), make_event(9, "departed", item_id="")]
    frame = make_frame(*rows)
    plain = check_events(frame, NOW)
    coded = check_events(frame.with_columns(pl.col(names).cast(pl.Categorical)), NOW)
    assert coded.counts == plain.counts
    assert [(finding.code, finding.row) for finding in coded] == [(finding.code, finding.row) for finding in plain]
