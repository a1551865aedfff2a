"""Profiles: they go through every published point and are read from a feed as it says."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from postroad import facts
from postroad.core.errors import InputError
from postroad.demand.profiles import (
    calendar_weights,
    day_weights,
    read_acceptance,
    scale_days,
    shipped_profiles,
    shopping_days,
)
from postroad.demand.sources import read_demand

SHARES = np.array([0.25, 0.75])
PRODUCTS = ("express", "standard")


def rows(*cells):
    return pl.DataFrame(cells, schema=["profile_id", "kind", "key", "weight"], orient="row").with_columns(
        pl.col("weight").cast(pl.Float64)
    )


def days(peak):
    frame = read_demand("profiles").filter(pl.col("profile_id") == peak)
    return dict(frame.select(pl.col("key").cast(pl.Int64), "weight").iter_rows())


def peak(name, period):
    return facts.figure("peaks", name, period).value


def test_the_season_of_2023_goes_through_its_published_points():
    weights = days("peak-2023")
    highest = peak("peak_day_volume", "2023-11-11")
    assert sum(weights[day] for day in range(-10, 1)) * highest == pytest.approx(
        peak("period_volume", "2023-11-01..2023-11-11"), abs=0.005
    )
    assert 1 / weights[10] == pytest.approx(peak("peak_to_ordinary", "2023-11-11"), rel=0.01)


def test_the_season_of_2024_goes_through_its_published_points():
    weights = days("peak-2024")
    highest = peak("peak_day_volume", "2024-10-22")
    assert sum(weights[day] for day in range(-1, 2)) * highest == pytest.approx(
        peak("period_volume", "2024-10-21..2024-10-23"), abs=0.005
    )
    assert sum(weights[day] for day in range(-1, 21)) * highest == pytest.approx(
        peak("period_volume", "2024-10-21..2024-11-11"), abs=0.005
    )
    assert weights[20] * highest == pytest.approx(peak("peak_day_volume", "2024-11-11"), abs=0.005)


def test_months_sum_to_the_published_volumes_of_2023():
    weights = dict(
        read_demand("profiles").filter(pl.col("kind") == "month").select(pl.col("key").cast(int), "weight").iter_rows()
    )
    per_day = facts.figure("national", "express_volume", "2023", vintage="").value / 365
    volume = {}
    for offset in range(365):
        day = date(2023, 1, 1) + timedelta(offset)
        volume[day.month] = volume.get(day.month, 0.0) + weights[day.month] * per_day
    assert sum(volume.values()) == pytest.approx(365 * per_day, abs=0.05)
    for period, months in (("2023Q1", (1, 2, 3)), ("2023-04", (4,)), ("2023-01..2023-11", range(1, 12))):
        published = facts.figure("national", "express_volume", period).value
        assert sum(volume[month] for month in months) == pytest.approx(published, abs=0.1)


def test_every_shipped_weight_has_a_label_and_a_source():
    frame = read_demand("profiles")
    assert set(frame["label"]) <= {"measured", "derived", "modelled", "unverified"}
    assert frame["source"].str.len_chars().min() > 20
    assert (frame.filter(pl.col("kind") == "weekday")["weight"]).mean() == pytest.approx(1.0)
    assert shopping_days().filter(pl.col("day") == "11.11").height >= 3
    assert set(shopping_days()["day"]) == {"618", "11.11", "12.12"}


def test_the_shipped_profiles_are_rows_of_a_feed():
    frame = shipped_profiles("peak-2023")
    assert frame.columns == ["profile_id", "kind", "key", "weight", "label", "source"]
    assert not frame.select("profile_id", "kind", "key").is_duplicated().any()
    assert day_weights(frame, [-1, 0, 1]).tolist() == [0.798, 1.0, 0.92]


def test_hours_are_released_at_their_middle():
    acceptance = read_acceptance(shipped_profiles(), PRODUCTS, SHARES)
    assert acceptance.release_min.tolist() == [60 * hour + 30 for hour in range(24)]
    assert acceptance.weights.sum(axis=0) == pytest.approx([1, 1])
    assert acceptance.weights[17, 0] == acceptance.weights[:, 0].max()


def test_a_product_may_have_hours_of_its_own():
    profiles = rows(("all", "hour", "9", 1), ("all", "hour", "10", 3), ("express", "hour", "20", 2))
    weights = read_acceptance(profiles, PRODUCTS, SHARES).weights
    assert weights[20, 0] == 1
    assert weights[9:11, 1].tolist() == [0.25, 0.75]


def test_waves_keep_the_mean_minute_of_acceptance():
    profiles = rows(
        ("all", "hour", "8", 1), ("all", "hour", "10", 1), ("all", "hour", "15", 3), ("all", "hour", "20", 1)
    )
    acceptance = read_acceptance(profiles, PRODUCTS, SHARES, (720,))
    assert acceptance.release_min.tolist() == [570, round((3 * 930 + 1230) / 4)]
    assert acceptance.weights[:, 0].tolist() == pytest.approx([2 / 6, 4 / 6])


def test_without_hours_in_the_feed_the_shipped_ones_hold():
    empty = rows(("all", "weekday", "1", 1))
    assert (
        read_acceptance(empty, PRODUCTS, SHARES).weights
        == read_acceptance(shipped_profiles(), PRODUCTS, SHARES).weights
    ).all()


def test_days_around_the_named_one():
    profiles = rows(("all", "day", "-1", 0.5), ("all", "day", "0", 1), ("all", "day", "2", 0.8))
    assert day_weights(profiles, range(-3, 4)).tolist() == pytest.approx([0.5, 0.5, 0.5, 1, 0.9, 0.8, 0.8])
    assert day_weights(rows(("all", "hour", "3", 1)), [5, 6]).tolist() == [1, 1]
    assert scale_days(1_200_000_000, np.array([0.5, 1.0])).tolist() == [600_000_000, 1_200_000_000]


def test_calendar_days_combine_month_and_weekday():
    profiles = rows(("all", "month", "2", 0.5), ("all", "weekday", "1", 1.1), ("all", "weekday", "7", 0.9))
    monday, sunday, march = date(2023, 2, 6), date(2023, 2, 12), date(2023, 3, 8)
    assert calendar_weights(profiles, [monday, sunday, march]).tolist() == pytest.approx([0.55, 0.45, 1.0])


@pytest.mark.parametrize(
    ("profiles", "cuts", "code"),
    [
        (rows(("a", "hour", "1", 1), ("b", "hour", "2", 1)), None, "PR-D105"),
        (rows(("all", "hour", "1", 0)), None, "PR-D105"),
        (rows(("express", "hour", "1", 1)), None, "PR-D105"),
        (shipped_profiles(), (720, 600), "PR-D109"),
        (shipped_profiles(), (0,), "PR-D109"),
        (shipped_profiles(), (1440,), "PR-D109"),
    ],
)
def test_unclear_profiles_are_refused(profiles, cuts, code):
    with pytest.raises(InputError) as caught:
        read_acceptance(profiles, PRODUCTS, SHARES, cuts)
    assert caught.value.code == code


def test_an_unknown_peak_is_refused():
    with pytest.raises(InputError) as caught:
        shipped_profiles("peak-1999")
    assert caught.value.code == "PR-D105"
