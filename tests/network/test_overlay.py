"""Disruptions are placed on the minutes of a horizon, or refused with their place."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.feeds import tiny
from postroad.core.errors import InputError
from postroad.network.overlay import Disruption, Overlay, disruptions_of, resolve_overlay

DAY = date(2025, 11, 11)


def closure(from_at="D+0 06:00", to_at="D+1 06:00", **values):
    return Disruption(
        **{
            "disruption_id": "d",
            "kind": "closure",
            "facility_id": "H-WUH",
            "from_at": from_at,
            "to_at": to_at,
            **values,
        }
    )


def resolved(*disruptions, days_before=0):
    return resolve_overlay(tiny(), disruptions, day=DAY, days_before=days_before)


@pytest.mark.parametrize(
    ("text", "minute"),
    [
        ("D+0 00:00", 0),
        ("D+1 02:30", 1590),
        ("D-1 23:30", -30),
        ("2025-11-11T06:00", 360),
        ("2025-11-11 06:00:00", 360),
        ("2025-11-10T22:00Z", 360),
        ("2025-11-11T08:00+10:00", 360),
    ],
)
@pytest.mark.parametrize("days_before", [0, 3])
def test_times(text, minute, days_before):
    row = resolved(closure(from_at=text, to_at="D+9 00:00"), days_before=days_before).rows[0]
    assert row.from_min == minute + 1440 * days_before
    assert row.to_min == (9 + days_before) * 1440


@given(days_before=st.integers(0, 30), day=st.integers(-30, 30), minute=st.integers(0, 1439))
def test_relative_and_absolute_times_agree(days_before, day, minute):
    when = date.fromordinal(DAY.toordinal() + day)
    clock = f"{minute // 60:02d}:{minute % 60:02d}"
    relative = resolved(closure(from_at=f"D{day:+d} {clock}", to_at="D+99 00:00"), days_before=days_before)
    absolute = resolved(closure(from_at=f"{when}T{clock}", to_at="D+99 00:00"), days_before=days_before)
    assert relative.rows == absolute.rows


def test_kinds():
    rows = resolved(
        closure(),
        closure(disruption_id="c", kind="capacity", factor=0.5),
        closure(disruption_id="b", kind="delay", facility_id="", lane_id="S-HGH>H-WUH", delay_min=90),
        closure(disruption_id="a", kind="cancel", facility_id="", trip_id="S-HGH-H-WUH-2200"),
    ).rows
    assert [(row.disruption_id, row.kind, row.factor, row.delay_min) for row in rows] == [
        ("a", "cancel", 0.0, 0),
        ("b", "delay", 1.0, 90),
        ("c", "capacity", 0.5, 0),
        ("d", "closure", 0.0, 0),
    ]
    assert [row.facility_id or row.lane_id or row.trip_id for row in rows] == [
        "S-HGH-H-WUH-2200",
        "S-HGH>H-WUH",
        "H-WUH",
        "H-WUH",
    ]


def test_the_feed_brings_its_own():
    overlay = resolve_overlay(tiny(), disruptions_of(tiny()), day=DAY, days_before=1)
    row = overlay.rows[0]
    assert (len(overlay), row.trip_id, row.from_min, row.to_min, row.delay_min) == (
        1,
        "S-HGH-H-WUH-2200",
        2700,
        3060,
        90,
    )


def test_the_digest_is_of_what_happens():
    one = resolved(closure(), closure(disruption_id="e", facility_id="S-EZH"))
    other = resolved(closure(disruption_id="x", facility_id="S-EZH"), closure(disruption_id="y"))
    assert one.digest == other.digest
    assert one.digest != resolved(closure()).digest != Overlay().digest
    assert list(one) == list(one.rows)


@pytest.mark.parametrize(
    ("values", "code", "column"),
    [
        ({"facility_id": "H-WUX"}, "PR-F208", "facility_id"),
        ({"facility_id": "", "lane_id": "no"}, "PR-F208", "lane_id"),
        ({"facility_id": "", "trip_id": "no"}, "PR-F208", "trip_id"),
        ({"facility_id": ""}, "PR-F204", "facility_id"),
        ({"trip_id": "S-HGH-H-WUH-2200"}, "PR-F204", "facility_id"),
        ({"kind": "strike"}, "PR-F204", "kind"),
        ({"kind": "capacity"}, "PR-F204", "factor"),
        ({"kind": "capacity", "factor": 1.5}, "PR-F204", "factor"),
        ({"kind": "delay"}, "PR-F204", "delay_min"),
        ({"kind": "delay", "delay_min": -5}, "PR-F204", "delay_min"),
        ({"to_at": "D+0 06:00"}, "PR-F209", "to_at"),
        ({"from_at": "yesterday"}, "PR-F211", "from_at"),
        ({"to_at": "2025-02-30T00:00"}, "PR-F211", "to_at"),
    ],
)
def test_refusals(values, code, column):
    with pytest.raises(InputError) as raised:
        resolved(closure(), closure(**values))
    finding = raised.value.findings[0]
    assert (finding.code, finding.column, finding.row) == (code, column, 3)
    for language in ("en", "zh"):
        assert "{" not in finding.message(language) + finding.fix(language)
