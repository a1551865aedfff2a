"""Scenarios change nothing of what they come from, and refuse what does not fit."""

import re
from datetime import UTC, date, datetime

import polars as pl
import pytest

from kit.feeds import tiny
from postroad.core.errors import InputError
from postroad.network.scenario import Scenario

BASE = Scenario("base", tiny())


def codes_of(raised):
    findings = raised.value.findings
    for finding in findings:
        for language in ("en", "zh"):
            assert not re.search(r"\{\w+\}", finding.message(language) + finding.fix(language))
    return [finding.code for finding in findings] or [raised.value.code]


def test_defaults_come_from_the_feed():
    assert (BASE.day, BASE.base, BASE.level) == (date(2025, 11, 11), "tiny", "county")
    assert (BASE.n_days, BASE.to_items, BASE.by, BASE.seed, BASE.sample) == (1, None, 1.0, 1, 1000)


def test_horizon():
    wide = BASE.on_day(date(2025, 11, 20)).days(3, 2)
    assert wide.n_days == 6
    assert wide.epoch == datetime(2025, 11, 16, 16, tzinfo=UTC)
    assert BASE.n_days == 1
    with pytest.raises(InputError, match="PR-F204"):
        BASE.days(-1, 0)


def test_demand_is_scaled():
    assert BASE.scale_demand(by=2).scale_demand(by=1.5).by == 3
    assert BASE.scale_demand(by=2).scale_demand(to_items=900).by == 1
    assert BASE.scale_demand(to_items=900).scale_demand(by=2).to_items == 1800


@pytest.mark.parametrize(
    "values", [{}, {"to_items": 1, "by": 1.0}, {"to_items": 0}, {"by": -1.0}, {"by": float("nan")}]
)
def test_demand_that_cannot_be_scaled(values):
    with pytest.raises(InputError, match="PR-F210"):
        BASE.scale_demand(**values)


def test_closing_a_facility():
    closed = BASE.days(1, 0).close("H-WUH", "D+0 06:00", "D+0 18:00")
    row = next(row for row in closed.overlay if row.facility_id == "H-WUH")
    assert (row.kind, row.from_min, row.to_min) == ("closure", 1440 + 360, 1440 + 1080)
    assert len(closed.overlay) == len(BASE.overlay) + 1
    assert BASE.disruptions == ()
    with pytest.raises(InputError) as raised:
        BASE.close("H-WUX")
    assert codes_of(raised) == ["PR-F208"]
    assert raised.value.findings[0].params["near"] == "H-WUH"


def test_disruptions_move_with_the_day():
    closed = BASE.close("H-WUH", "2025-11-12T06:00", "2025-11-12T18:00")
    assert next(iter(closed.days(1, 0).overlay)).from_min - 1440 == next(iter(closed.overlay)).from_min
    assert closed.on_day(date(2025, 11, 12)).overlay.rows[0].from_min == 360


def test_change_sets_values():
    halved = BASE.change(
        "facilities", {"kind": ["sorting", "hub"]}, {"sort_items_per_h": {"times": 0.5}, "dest_min": 90}
    )
    before, after = tiny().tables["facilities"], halved.network.tables["facilities"]
    hit = before["kind"].is_in(["sorting", "hub"])
    assert after.filter(hit)["sort_items_per_h"].to_list() == [1000, 800, 1200, 250]
    assert after.filter(hit)["dest_min"].to_list() == [90] * 4
    assert after.filter(~hit).equals(before.filter(~hit))
    assert halved.digest != BASE.digest
    assert BASE.network is tiny()


@pytest.mark.parametrize(
    ("table", "where", "values", "expected"),
    [
        ("trips", {"trip_id": "S-HGH-H-WUH-2200"}, {"depart": "23:00", "arrive": "32:00"}, (1380, 1920)),
        ("windows", {"facility_id": "S-EZH", "kind": "sort_wave", "start": "03:30"}, {"start": "4:00"}, ("04:00",)),
        ("calendar", {"service_id": "six_days"}, {"end_date": date(2025, 12, 31)}, (date(2025, 12, 31),)),
        ("calendar", {"service_id": "six_days"}, {"monday": True}, (True,)),
        ("facilities", {"facility_id": "S-HGH"}, {"sort_items_per_h": None}, (None,)),
        ("lanes", {"lane_id": "S-HGH>S-NGB"}, {"distance_km": {"times": 2}}, (326.0,)),
        ("facilities", {"parent_id": None, "facility_id": "S-HGH"}, {"name": "x"}, ("x",)),
    ],
)
def test_change_takes_the_types_of_the_column(table, where, values, expected):
    changed = BASE.change(table, where, values).network.tables[table]
    before = BASE.network.tables[table]
    differing = pl.any_horizontal(pl.col(name).ne_missing(before[name]) for name in before.columns)
    row = changed.filter(changed.select(differing)[:, 0])
    assert row.select(list(values)).rows() == [expected]


@pytest.mark.parametrize(
    ("table", "where", "values", "code"),
    [
        ("facilties", {}, {"kind": "hub"}, "PR-F206"),
        ("facilities", {"knd": "hub"}, {"dest_min": 1}, "PR-F206"),
        ("facilities", {}, {"dest": 1}, "PR-F206"),
        ("trips", {"trip_id": "x"}, {"arrive_day": 1}, "PR-F206"),
        ("facilities", {"facility_id": "X"}, {"dest_min": 1}, "PR-F207"),
        ("transfers", {"from_mode": "water"}, {"min_min": 1}, "PR-F207"),
        ("facilities", {"sort_items_per_h": "many"}, {"dest_min": 1}, "PR-F212"),
        ("facilities", {}, {"dest_min": "soon"}, "PR-F212"),
        ("facilities", {}, {"dest_min": 1.5}, "PR-F212"),
        ("facilities", {}, {"dest_min": -1}, "PR-F212"),
        ("facilities", {}, {"kind": "factory"}, "PR-F212"),
        ("facilities", {}, {"name": None}, "PR-F212"),
        ("facilities", {}, {"name": {"times": 2}}, "PR-F212"),
        ("facilities", {}, {"dest_min": {"plus": 2}}, "PR-F212"),
        ("facilities", {}, {"sort_items_per_h": {"times": -1}}, "PR-F212"),
        ("windows", {}, {"start": "late"}, "PR-F212"),
    ],
)
def test_change_that_does_not_fit(table, where, values, code):
    with pytest.raises(InputError) as raised:
        BASE.change(table, where, values)
    assert set(codes_of(raised)) == {code}


def test_digest_tells_all_that_decides_a_run():
    others = [
        BASE.days(1, 0),
        BASE.on_day(date(2025, 11, 12)),
        BASE.scale_demand(by=2),
        BASE.scale_demand(to_items=5),
        BASE.close("H-WUH"),
        BASE.change("facilities", {}, {"dest_min": 5}),
        Scenario("base", tiny(), seed=2),
        Scenario("base", tiny(), sample=1),
    ]
    assert len({scenario.digest for scenario in [BASE, *others]}) == len(others) + 1
    assert Scenario("other", tiny(), description="x").digest == BASE.digest
