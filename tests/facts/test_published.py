"""The fact tables: labels, sources, identities that the published figures must close, and look-ups."""

import polars as pl
import pytest

from postroad import facts
from postroad.core.errors import InputError, NotFound

LABELS = {"measured", "derived", "modelled", "unverified"}


@pytest.mark.parametrize("family", facts.families())
def test_every_figure_has_a_label_a_source_a_unit_and_a_sound_interval(family):
    frame = facts.series(family)
    assert frame.height > 0
    assert set(frame["label"]) <= LABELS
    for column in ("figure", "place_code", "period", "uom", "source"):
        assert (frame[column] != "").all(), column
    assert (frame["low"] <= frame["value"]).all()
    assert (frame["value"] <= frame["high"]).all()
    assert frame.select("figure", "place_code", "period", "vintage", "text").is_duplicated().sum() == 0


def value(name, period, family="national", **where):
    return facts.figure(family, name, period, vintage="", **where).value


def test_the_parts_of_2023_sum_to_the_national_volume():
    total = value("express_volume", "2023")
    assert value("intracity_volume", "2023") + value("intercity_volume", "2023") + value(
        "international_volume", "2023"
    ) == pytest.approx(total, abs=0.05)
    regions = [value(f"express_volume_{name}", "2023") for name in ("east", "centre", "west")]
    assert sum(regions) == pytest.approx(total, abs=0.05)


def test_provinces_sum_to_the_nation_and_to_their_regions():
    provinces = facts.series("province_volumes", "express_volume", period="2023").filter(pl.col("vintage") == "")
    assert provinces.height == 31
    regions = facts.table("provinces").select("province_code", "region")
    sums = (
        provinces.join(regions, left_on="place_code", right_on="province_code").group_by("region").agg(pl.sum("value"))
    )
    by_region = dict(sums.iter_rows())
    for region, total in by_region.items():
        assert total == pytest.approx(value(f"express_volume_{region}", "2023"), abs=0.1)


def test_the_segments_of_the_time_limit_test_sum_to_its_total():
    parts = ("origin_h", "transport_h", "destination_h", "delivery_h")
    for period in ("2021Q1", "2022Q1"):
        total = sum(value(part, period, "time_limits") for part in parts)
        assert total == pytest.approx(value("total_h", period, "time_limits"), abs=0.005)
    year = sum(value(part, "2022", "time_limits") for part in ("origin_h", "destination_h", "transport_and_delivery_h"))
    assert year == pytest.approx(value("total_h", "2022", "time_limits"), abs=0.005)


def test_the_development_index_is_its_published_formula():
    frame = facts.series("development_index").pivot("figure", index="period", values="value")
    formula = 0.3 * (pl.col("index_scale") + pl.col("index_quality") + pl.col("index_capability")) + 0.1 * pl.col(
        "index_trend"
    )
    off = frame.select((formula - pl.col("development_index")).abs().max()).item()
    assert frame.height == 9
    assert off <= 0.05 + 1e-9


def test_a_series_break_stays_two_vintages():
    with pytest.raises(InputError) as caught:
        facts.figure("national", "express_volume", "2023")
    assert caught.value.code == "PR-M502"
    assert facts.figure("national", "express_volume", "2023", vintage="basis of 2024").value == 1441.0


def test_stated_bounds_decide_what_rounding_cannot():
    revenue = facts.figure("national", "postal_revenue", "2025")
    assert facts.verdict(revenue.interval, "ge", 18000).state == "not decidable"
    target = facts.table("programme_indicators").row(8, named=True)
    rate = facts.figure("time_limits", "on_time_72h_share", "2023")
    assert facts.verdict(rate.interval, target["operator"], target["target_2025"]).state == "met"


def test_what_is_not_there_is_refused_with_a_near_name():
    with pytest.raises(NotFound) as caught:
        facts.series("nationl")
    assert caught.value.code == "PR-M501"
    assert "national" in caught.value.fix()
    with pytest.raises(NotFound) as caught:
        facts.figure("national", "expres_volume", "2023")
    assert "express_volume" in caught.value.fix()
    with pytest.raises(NotFound):
        facts.table("calender")


def test_the_calendar_is_whole():
    calendar = facts.table("calendar")
    assert calendar["date"].is_sorted()
    assert calendar.height == (calendar["date"][-1] - calendar["date"][0]).days + 1
    assert (calendar["date"].dt.weekday() == calendar["weekday"]).all()
    assert facts.table("provinces")["population_2020"].sum() > 1.4e9
    assert facts.table_names() == ("calendar", "incident_grades", "programme_indicators", "provinces")
