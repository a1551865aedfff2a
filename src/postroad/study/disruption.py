"""What a disruption did: who was delayed, where the backlog stood, when it cleared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from postroad.measure.delays import sum_delays
from postroad.report.atlas import short_names
from postroad.report.data import Disruption
from postroad.report.text import TERMS, Text
from postroad.study.pairing import are_same_items

if TYPE_CHECKING:
    from postroad.study.run import Run

__all__ = ["name_disruption", "tell_disruption"]

N_CENTRES = 24
"""Centres whose backlog is told hour by hour, besides the one that was hit."""

DELAYED = ("product", "destination_region", "origin_region", "destination_city", "origin_city")
CITIES = {"destination_city": "destination", "origin_city": "origin"}
CLEARED, EASED = 100, 10
"""A backlog has cleared, or eased, when no more than one part in so many of the largest excess is left."""


def tell_disruption(base: Run, other: Run) -> Disruption | None:
    """What the disruptions of the second run did to the items of the first.

    Parameters
    ----------
    base: undisturbed. other: the same scenario with disruptions of its own.

    Returns
    -------
    Disruption: of the report; None when the runs are not of the same items or the second has no disruption that the
        first does not have.

    **Assumes** that items of one origin, destination, product and acceptance are alike; see
    :func:`postroad.measure.delays.sum_delays`. The backlog counts what waits to be screened, sorted, or taken away.
    """
    calm = {row.disruption_id for row in base.scenario.overlay}
    rows = [row for row in other.scenario.overlay if row.disruption_id not in calm]
    if not rows or not are_same_items(base, other):
        return None
    delays = _changes_of(base, other)
    all_items = delays.filter(by="product").sum()
    hit = _facility_of(other, rows[0])
    from_hour, to_hour = min(row.from_min for row in rows) // 60, -(-max(row.to_min for row in rows) // 60)
    centres = _centres(base, other)
    touched = [hit, *(name for name in centres["facility_id"] if name != hit)][: N_CENTRES + 1]
    return Disruption(
        name=name_disruption(other, rows),
        facility_id=hit,
        from_hour=from_hour,
        to_hour=to_hour,
        cleared_hour=_cleared(base, other, from_hour, CLEARED),
        eased_hour=_cleared(base, other, from_hour, EASED),
        n_items=int(all_items["n_items"][0]),
        n_delayed=int(all_items["n_delayed"][0]),
        extra_item_h=float(all_items["later_item_h"][0]),
        n_earlier=int(all_items["n_earlier"][0]),
        earlier_item_h=float(all_items["earlier_item_h"][0]),
        label=other.record.label,
        source=f"runs {base.result_digest[:12]} and {other.result_digest[:12]}",
        delays=_delays(other, delays),
        backlogs=_backlogs(base, other, touched),
        centres=centres,
        totals=_totals(base, other),
    )


def _changes_of(base: Run, other: Run) -> pl.DataFrame:
    """What arrived later and what arrived earlier in the second run, by class."""
    one, two, dims = base.record.journeys, other.record.journeys, other.record.dims
    hours = (pl.col("n_delayed") * pl.col("mean_delay_h")).fill_null(0.0)
    later = sum_delays(one, two, dims, DELAYED).with_columns(later_item_h=hours)
    earlier = sum_delays(two, one, dims, DELAYED).select("by", "key", n_earlier="n_delayed", earlier_item_h=hours)
    both = later.join(earlier, on=["by", "key"], how="left", maintain_order="left")
    return both.with_columns(net_item_h=pl.col("later_item_h") - pl.col("earlier_item_h"))


def name_disruption(run: Run, rows: Iterable) -> Text:
    """The disruptions in words: what happened to what."""
    verbs = {
        "closure": ("closing", "关闭"), "capacity": ("less capacity of", "减能"), "delay": ("delays of", "延误"),
        "cancel": ("cancelling", "停运"),
    }  # fmt: skip
    names = {row[0]: row[1:] for row in _facility_names(run).select("facility_id", "name_en", "name_zh").iter_rows()}
    english, chinese = [], []
    for row in rows:
        target = row.facility_id or row.lane_id or row.trip_id
        name_en, name_zh = names.get(target, (target, target))
        english.append(f"{verbs[row.kind][0]} {name_en}")
        chinese.append(f"{name_zh}{verbs[row.kind][1]}")
    text = ", ".join(dict.fromkeys(english))
    return Text(text[:1].upper() + text[1:], "、".join(dict.fromkeys(chinese)))


def _facility_of(run: Run, row) -> str:
    """The facility that a disruption hits; of a lane or trip the one that it leaves from."""
    if row.facility_id:
        return row.facility_id
    tables = run.scenario.network.tables
    if row.trip_id:
        trip = tables["trips"].filter(pl.col("trip_id") == row.trip_id)
        if trip["lane_id"][0] is None:
            return tables["calls"].filter(pl.col("trip_id") == row.trip_id).sort("seq")["facility_id"][0]
        return _facility_of_lane(tables, trip["lane_id"][0])
    return _facility_of_lane(tables, row.lane_id)


def _facility_of_lane(tables, lane_id: str) -> str:
    return tables["lanes"].filter(pl.col("lane_id") == lane_id)["from_facility"][0]


def _facility_names(run: Run) -> pl.DataFrame:
    """``facility_id``, ``name_en``, ``name_zh``, and the names that a chart has room for."""
    tables = run.scenario.network.tables
    named = tables["facilities"].select(
        "facility_id",
        "kind",
        "place_id",
        name_en=pl.coalesce("name_en", "name", "facility_id"),
        name_zh=pl.coalesce("name", "facility_id"),
    )
    return short_names(named, tables["places"]).drop("kind", "place_id")


def _waiting(run: Run, n_hours: int) -> np.ndarray:
    """Items waiting at the end of each hour, int64 (n_fac, n_hours); nothing waits after the end of a run."""
    hours = run.record.hours
    waiting = (hours.backlog_in + hours.backlog_out)[:, :n_hours]
    return np.pad(waiting, ((0, 0), (0, n_hours - waiting.shape[1])))


def _both_waiting(base: Run, other: Run) -> tuple[np.ndarray, np.ndarray]:
    n_hours = max(base.record.hours.n_hours, other.record.hours.n_hours)
    return _waiting(base, n_hours), _waiting(other, n_hours)


def _cleared(base: Run, other: Run, from_hour: int, parts: int) -> int | None:
    """The first hour from which the whole network holds no more than one part in ``parts`` of the largest excess."""
    calm, hit = (waiting.sum(axis=0) for waiting in _both_waiting(base, other))
    excess = hit - calm
    if not len(excess) or excess.max() <= 0:
        return from_hour
    last = max(from_hour, _last_above(excess, parts) + 1)
    return last if last < len(excess) else None


def _last_above(excess: np.ndarray, parts: int) -> int:
    """The last hour with more than one part in ``parts`` of the largest excess."""
    return int(np.flatnonzero(excess > excess.max() / parts)[-1])


def _totals(base: Run, other: Run) -> pl.DataFrame:
    """Items waiting in the whole network by hour in both runs."""
    calm, hit = (waiting.sum(axis=0) for waiting in _both_waiting(base, other))
    return pl.DataFrame({"hour": np.arange(len(calm), dtype=np.int64), "disrupted": hit, "undisturbed": calm})


def _centres(base: Run, other: Run) -> pl.DataFrame:
    """Core facilities that held more because of the disruption, the largest excess first."""
    calm, hit = _both_waiting(base, other)
    n_core = other.instance.n_core
    excess = (hit - calm)[:n_core]
    rows = []
    for number in np.flatnonzero(excess.max(axis=1, initial=0) > 0).tolist():
        last = _last_above(excess[number], CLEARED) + 1
        clear = last if last < excess.shape[1] else None
        peaks = (int(hit[number].max()), int(calm[number].max()))
        hours = [int(one[number].argmax()) for one in (hit, excess)]
        rows.append((other.instance.fac_id[number], *peaks, *hours, clear, int(excess[number].max())))
    names = ("peak_disrupted", "peak_undisturbed", "peak_hour", "excess_hour", "clear_hour", "excess")
    counts = dict.fromkeys(names, pl.Int64)
    frame = pl.DataFrame(rows, schema={"facility_id": pl.String} | counts, orient="row")
    named = frame.join(_facility_names(other), on="facility_id", how="left", maintain_order="left")
    ordered = named.sort("excess", "facility_id", descending=[True, False])
    return ordered.with_columns(label=pl.lit(other.record.label))


def _backlogs(base: Run, other: Run, facilities: list[str]) -> pl.DataFrame:
    """Items waiting by hour in both runs, of the facilities named."""
    calm, hit = _both_waiting(base, other)
    index = {name: number for number, name in enumerate(other.instance.fac_id)}
    rows = np.array([index[name] for name in facilities], np.int64)
    n_hours = calm.shape[1]
    frame = pl.DataFrame(
        {
            "facility_id": np.repeat(np.array(facilities, dtype=object), n_hours).tolist(),
            "hour": np.tile(np.arange(n_hours, dtype=np.int64), len(rows)),
            "disrupted": hit[rows].reshape(-1),
            "undisturbed": calm[rows].reshape(-1),
        }
    )
    return frame.join(_facility_names(other), on="facility_id", how="left", maintain_order="left")


def _delays(run: Run, delays: pl.DataFrame) -> pl.DataFrame:
    """Delays by class with names, the largest net delay first."""
    dims, products = run.record.dims, run.scenario.network.tables["products"]
    cities = dims.cities.select(key="city", key_en="city_name_en", key_zh="city_name")
    goods = products.select(
        key="product_id", key_en=pl.coalesce("name_en", "product_id"), key_zh=pl.coalesce("name", "product_id")
    )
    regions = pl.DataFrame(
        [(name, text.en, text.zh) for name, text in TERMS.items() if name in dims.regions],
        schema={"key": pl.String, "key_en": pl.String, "key_zh": pl.String},
        orient="row",
    )
    names = pl.concat([goods, regions, cities]).unique("key", keep="first", maintain_order=True)
    told = delays.filter(pl.col("n_delayed") > 0).join(names, on="key", how="left", maintain_order="left")
    told = told.sort("net_item_h", "key", descending=[True, False])
    return told.select(
        pl.col("by").replace(CITIES),
        key_en=pl.coalesce("key_en", "key"),
        key_zh=pl.coalesce("key_zh", "key"),
        n_items="n_items",
        n_delayed="n_delayed",
        mean_delay_h="mean_delay_h",
        max_delay_h="max_delay_h",
        n_earlier="n_earlier",
        net_item_h="net_item_h",
        label=pl.lit(run.record.label),
    )
