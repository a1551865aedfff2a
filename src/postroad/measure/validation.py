"""Validation: what a run of the reference network says beside what was published, with a three-valued verdict.

The figures calibrated on and their tolerances, the figures kept aside and those only shown are declared in
``tables/checks.csv``; the published values come from :mod:`postroad.facts`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import polars as pl

from postroad import facts
from postroad.core.errors import InputError
from postroad.facts import Interval
from postroad.measure.evaluation import measure
from postroad.measure.sql import Within
from postroad.measure.tallies import Tally

__all__ = ["PeakCounts", "compare_published", "judge", "select_test_cities"]

TEST_YEAR = "2023"
SEGMENT_YEAR = "2022"
SPLIT_PERIOD = "2022Q1"
N_OTHERS = 19

_SCHEMA = {
    "check_id": pl.String,
    "place": pl.String,
    "name_en": pl.String,
    "name_zh": pl.String,
    "period": pl.String,
    "unit": pl.String,
    "published": pl.Float64,
    "published_low": pl.Float64,
    "published_high": pl.Float64,
    "modelled": pl.Float64,
    "error": pl.Float64,
    "error_share": pl.Float64,
    "tolerance": pl.Float64,
    "kind": pl.String,
    "verdict": pl.String,
    "reason_en": pl.String,
    "reason_zh": pl.String,
    "label": pl.String,
    "source": pl.String,
    "year": pl.Int64,
}


@dataclass(frozen=True, slots=True)
class PeakCounts:
    """Items by hour of the horizon, cumulative (n_hours,), and the day of the horizon that is the peak."""

    created: np.ndarray
    delivered: np.ndarray
    peak_day: int


@dataclass(frozen=True, slots=True)
class _Published:
    """A published value, what it can mean, and where it stands."""

    value: float
    interval: Interval
    period: str
    label: str
    source: str
    place: str = ""


def select_test_cities(tally: Tally) -> frozenset[str]:
    """The cities of the time-limit test: 4 municipalities, 27 capitals and the 19 others that send most.

    Returns
    -------
    frozenset[str]: ids of the cities; fewer when the network has fewer.

    Raises
    ------
    InputError: PR-M011 when the network has none of the capitals.

    **Source** State Post Bureau time-limit test notices: 50 cities; which 19, is not published.
    """
    provinces = facts.table("provinces").filter(pl.col("region") != "other")
    capitals = frozenset(provinces["capital_city_code"])
    sent = tally.sums(["origin_city"]).join(
        tally.dims.cities.select(origin_city="city", territory="territory"), on="origin_city", maintain_order="left"
    )
    present = capitals & set(tally.dims.cities["city"])
    if not present:
        raise InputError("PR-M011")
    others = sent.filter(~pl.col("origin_city").is_in(sorted(capitals)), pl.col("territory") == "CN")
    largest = others.sort(["n_items", "origin_city"], descending=[True, False]).head(N_OTHERS)
    return present | frozenset(largest["origin_city"])


def compare_published(tally: Tally, *, peak: PeakCounts | None = None) -> pl.DataFrame:
    """Compare a run of a normal day of 2023 with what was published.

    Parameters
    ----------
    tally: of the journeys of the day.
    peak: items by hour of a run through a peak; without it the check around the peak day is not decidable.

    Returns
    -------
    pl.DataFrame: one row a check: ``check_id``, ``place``, names, ``period``, ``unit``, ``published`` with the bounds
        of what the rounded figure can mean, ``modelled``, ``error`` (modelled minus published), ``error_share``,
        ``tolerance`` (absolute, null when none is set), ``kind`` (calibrated, kept_aside, shown), ``verdict`` (met,
        not_met, not_decidable, shown), reasons, and of the published figure ``label``, ``source``, ``year``.

    Raises
    ------
    InputError: PR-M011 when the network has none of the cities of the test, or no journey between them.
    """
    cities = select_test_cities(tally)
    within = Within(cities, cities, frozenset(["intercity"]))
    if not tally.sums([], within)["n_delivered"].item():
        raise InputError("PR-M011")
    rows = [
        *_time_limits(tally, within),
        *_regions(tally, within),
        *_demand(tally),
        *_peak(peak),
        _row(
            "on_time_48h_share",
            _figure("time_limits", "on_time_48h_share", "2021"),
            _value(tally, "on_time_48h_share", within),
        ),
    ]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def judge(modelled: float | None, published: Interval, tolerance: float) -> tuple[str, str, str]:
    """Whether a modelled value lies within a tolerance of a rounded figure, with reasons in English and Chinese.

    Met when it does for every number that the figure can mean, not met when for none, else not decidable.

    >>> judge(57.0, facts.interval("56.42"), 1.69)[0]
    'met'
    >>> judge(0.84, facts.interval("0.8"), 0.06)[0]
    'not_decidable'
    """
    if modelled is None:
        return "not_decidable", "nothing was modelled", "没有模拟值"
    nearest = min(max(modelled, published.low), published.high)
    farthest = max(published.low, published.high, key=lambda bound: abs(bound - modelled))
    if abs(modelled - farthest) <= tolerance:
        return "met", "", ""
    if abs(modelled - nearest) > tolerance:
        return "not_met", "", ""
    return "not_decidable", "the published figure is rounded too coarsely", "公布数据的精度不足以判定"


@cache
def _checks() -> Mapping[str, Mapping[str, str]]:
    with files("postroad.measure").joinpath("tables", "checks.csv").open(encoding="utf-8", newline="") as handle:
        return {row["check_id"]: row for row in csv.DictReader(handle)}


def _row(check_id: str, published: _Published, modelled: float | None, missing: tuple[str, str] = ("", "")) -> dict:
    """One row of the comparison."""
    check = _checks()[check_id]
    tolerance = None
    if check["tolerance"]:
        scale = abs(published.value) if check["tolerance_kind"] == "relative" else 1.0
        tolerance = float(check["tolerance"]) * scale
    if modelled is None:
        verdict, reason = "not_decidable", missing
    elif tolerance is None:
        verdict, reason = "shown", (check["note_en"], check["note_zh"])
    else:
        verdict, *told = judge(modelled, published.interval, tolerance)
        reason = tuple(told) if told[0] else (check["note_en"], check["note_zh"])
    error = None if modelled is None else modelled - published.value
    return {
        "check_id": check_id,
        "place": published.place,
        "name_en": check["name_en"],
        "name_zh": check["name_zh"],
        "period": published.period,
        "unit": check["unit"],
        "published": published.value,
        "published_low": published.interval.low,
        "published_high": published.interval.high,
        "modelled": modelled,
        "error": error,
        "error_share": error / published.value if error is not None and published.value else None,
        "tolerance": tolerance,
        "kind": check["kind"],
        "verdict": verdict,
        "reason_en": reason[0],
        "reason_zh": reason[1],
        "label": published.label,
        "source": published.source,
        "year": int(published.period[:4]),
    }


def _value(tally: Tally, name: str, within: Within) -> float | None:
    return measure(tally, tally.dims, [name], within=within)["value"].item()


def _figure(family: str, name: str, period: str, *, place_code: str | None = None) -> _Published:
    """A published figure; percentages become shares."""
    found = facts.figure(family, name, period, place_code=place_code)
    scale = 100.0 if found.uom == "percent" else 1.0
    bounds = Interval(found.interval.low / scale, found.interval.high / scale)
    return _Published(found.value / scale, bounds, found.period, found.label, found.source, found.place_code)


def _ratio(top: _Published, bottom: _Published, *, factor: float = 1.0) -> _Published:
    """The quotient of two published figures, with the bounds that rounding leaves it."""
    bounds = Interval(
        top.interval.low / bottom.interval.high * factor, top.interval.high / bottom.interval.low * factor
    )
    value = top.value / bottom.value * factor
    return _Published(value, bounds, top.period, "derived", top.source, top.place)


def _time_limits(tally: Tally, within: Within) -> Iterator[dict]:
    """The figures that the parameters are calibrated on."""
    for name in ("total_h", "on_time_72h_share"):
        yield _row(name, _figure("time_limits", name, TEST_YEAR), _value(tally, name, within))
    total = _figure("time_limits", "total_h", SEGMENT_YEAR)
    both = _figure("time_limits", "transport_and_delivery_h", SEGMENT_YEAR)
    split = [_figure("time_limits", name, SPLIT_PERIOD).value for name in ("transport_h", "delivery_h")]
    published = {
        "origin_handling_share": _ratio(_figure("time_limits", "origin_h", SEGMENT_YEAR), total),
        "transport_share": _ratio(both, total, factor=split[0] / sum(split)),
        "destination_handling_share": _ratio(_figure("time_limits", "destination_h", SEGMENT_YEAR), total),
        "delivery_share": _ratio(both, total, factor=split[1] / sum(split)),
    }
    for name, figure in published.items():
        yield _row(name, figure, _value(tally, name, within))


def _regions(tally: Tally, within: Within) -> Iterator[dict]:
    """By how much longer items take to the west and the centre than to the east."""
    means = measure(tally, tally.dims, ["total_h"], "destination_region", within=within)
    hours = dict(means.select("destination_region", "value").iter_rows())
    for period in ("2020", "2021"):
        of_region = {
            region: _figure("time_limits", "total_h_to_region", period, place_code=f"CN-{region}")
            for region in ("east", "centre", "west")
        }
        for region in ("west", "centre"):
            far, east = of_region[region], of_region["east"]
            bounds = Interval(far.interval.low - east.interval.high, far.interval.high - east.interval.low)
            published = _Published(far.value - east.value, bounds, period, "derived", far.source, far.place)
            known = hours.get(region) is not None and hours.get("east") is not None
            modelled = hours[region] - hours["east"] if known else None
            yield _row(f"{region}_penalty_h", published, modelled, ("no items to the region", "无寄往该区域的邮件"))


def _demand(tally: Tally) -> Iterator[dict]:
    """Received over sent, and the share that stays in its city, by province and city."""
    sums = tally.sums(["origin_province", "origin_city", "destination_province", "destination_city", "scope"])
    for name, modelled_of in (("delivered_per_sent", _received_per_sent), ("intracity_share", _intracity)):
        for row in facts.series("local", name).iter_rows(named=True):
            published = _figure("local", name, row["period"], place_code=row["place_code"])
            yield _row(name, published, modelled_of(sums, row["place_code"]), ("no items of the place", "该地无邮件"))
    for place, period in (("54", "2023"), ("45", "2023-01..2023-05")):
        received = _figure("local", "delivered_volume", period, place_code=place)
        family = "local" if place == "45" else "province_volumes"
        published = _ratio(received, _figure(family, "express_volume", period, place_code=place))
        modelled = _received_per_sent(sums, place)
        yield _row("delivered_per_sent", published, modelled, ("no items of the place", "该地无邮件"))


def _received_per_sent(sums: pl.DataFrame, place: str) -> float | None:
    """Domestic items that a province or city receives over all items that it sends."""
    level = "province" if len(place) == 2 else "city"
    domestic = sums.filter(pl.col("scope") != "international")
    received = domestic.filter(pl.col(f"destination_{level}") == place)["n_items"].sum()
    sent = sums.filter(pl.col(f"origin_{level}") == place)["n_items"].sum()
    return received / sent if sent else None


def _intracity(sums: pl.DataFrame, place: str) -> float | None:
    """Items that stay in their city over all items that a province or city sends."""
    sent = sums.filter(pl.col("origin_province" if len(place) == 2 else "origin_city") == place)
    total = sent["n_items"].sum()
    return sent.filter(pl.col("scope") == "same_city")["n_items"].sum() / total if total else None


def _peak(peak: PeakCounts | None) -> Iterator[dict]:
    """Delivered over collected on the three days around the peak."""
    period = "2024-10-21..2024-10-23"
    top, bottom = (_figure("peaks", name, period) for name in ("period_delivered", "period_volume"))
    modelled = None
    if peak is not None and peak.peak_day >= 1 and len(peak.created) >= 24 * (peak.peak_day + 2):
        first, last = 24 * (peak.peak_day - 1), 24 * (peak.peak_day + 2) - 1
        done, made = (
            int(counts[last]) - (int(counts[first - 1]) if first else 0) for counts in (peak.delivered, peak.created)
        )
        modelled = done / made if made else None
    missing = ("the run has no peak day with a day before and after", "该次运行不含高峰日及其前后各一天")
    yield _row("peak_delivered_per_collected", _ratio(top, bottom), modelled, missing)
