"""Times of day, days and instants."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.core.clock import (
    at_or_after,
    format_day_time,
    format_hhmm,
    instant_at,
    local_midnight,
    minutes_since,
    parse_day_time,
    parse_hhmm,
    parse_instant,
    split_day,
)
from postroad.core.errors import InputError

MINUTES = st.integers(-(2**31), 2**31 - 1)


@given(st.integers(0, 99 * 60 + 59))
def test_times_of_day_read_back(minutes):
    assert parse_hhmm(format_hhmm(minutes)) == minutes


@given(st.integers(-999 * 1440, 1000 * 1440 - 1))
def test_day_times_read_back(minutes):
    assert parse_day_time(format_day_time(minutes)) == minutes


@pytest.mark.parametrize("text", ["", "6", "6:5", "06:60", "-1:00", "06:30:00", "0６:30", "6.30", " 06:30"])
def test_what_is_no_time_of_day(text):
    with pytest.raises(InputError) as caught:
        parse_hhmm(text)
    assert caught.value.code == "PR-C020"


@pytest.mark.parametrize("text", ["", "D0 06:00", "D+0", "06:00", "D+0 06:60", "d+0 06:00"])
def test_what_is_no_day_time(text):
    with pytest.raises(InputError) as caught:
        parse_day_time(text)
    assert caught.value.code == "PR-C023"


@given(MINUTES)
def test_split_day_agrees_with_divmod(minutes):
    assert split_day(minutes) == divmod(minutes, 1440)
    days, rest = split_day(np.array([minutes]))
    assert (int(days[0]), int(rest[0])) == divmod(minutes, 1440)


@given(MINUTES, st.integers(0, 1439))
def test_at_or_after_is_the_first(minutes, of_day):
    found = at_or_after(minutes, of_day)
    assert minutes <= found < minutes + 1440
    assert found % 1440 == of_day


def test_instants_become_utc():
    assert parse_instant("2025-11-11T08:00+08:00") == datetime(2025, 11, 11, 0, 0, tzinfo=UTC)
    assert parse_instant("2025-11-11 08:00", "Asia/Shanghai") == datetime(2025, 11, 11, 0, 0, tzinfo=UTC)
    assert parse_instant("2025-11-11T00:00Z", "Asia/Shanghai") == datetime(2025, 11, 11, 0, 0, tzinfo=UTC)
    assert parse_instant("2025-11-11T08:00+08:00").tzinfo is UTC


@pytest.mark.parametrize("text", ["2025-11-11T08:00", "yesterday", "2025-13-01T00:00Z", "2025-02-30T00:00Z"])
def test_what_is_no_instant(text):
    with pytest.raises(InputError) as caught:
        parse_instant(text)
    assert caught.value.code == "PR-C021"


@pytest.mark.parametrize("name", ["Asia/Atlantis", "", "../etc/passwd", "/etc"])
def test_unknown_time_zone(name):
    with pytest.raises(InputError) as caught:
        local_midnight(date(2025, 11, 11), name)
    assert caught.value.code == "PR-C022"


@given(st.integers(-(10**6), 10**6))
def test_minutes_and_instants_are_inverse(minutes):
    epoch = local_midnight(date(2025, 11, 11), "Asia/Shanghai")
    assert minutes_since(epoch, instant_at(epoch, minutes)) == minutes
    assert minutes_since(epoch, instant_at(epoch, minutes) + timedelta(seconds=59)) == minutes


def test_elapsed_minutes_are_counted_across_a_clock_change():
    zone = ZoneInfo("Europe/Paris")
    before, after = datetime(2025, 3, 30, 1, 0, tzinfo=zone), datetime(2025, 3, 30, 4, 0, tzinfo=zone)
    assert minutes_since(before, after) == 120
    assert instant_at(before, 120) == after


def test_epoch_may_be_in_any_zone():
    epoch = datetime(2025, 11, 11, tzinfo=timezone(timedelta(hours=8)))
    assert minutes_since(epoch, datetime(2025, 11, 10, 17, 0, tzinfo=UTC)) == 60
