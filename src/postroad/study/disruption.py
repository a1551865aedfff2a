"""What a disruption did: who was delayed, where the backlog stood, when it cleared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from postroad.measure.delays import sum_delays
from postroad.report.data import Disruption
from postroad.report.text import TERMS, Text
from postroad.study.pairing import are_same_items

if TYPE_CHECKING:
    from postroad.study.run import Run

__all__ = ["tell_disruption"]

N_CENTRES = 12
"""Centres whose backlog a disruption's chart sums up, besides the one that was hit."""

DELAYED = ("product", "destination_region", "origin_region", "destination_city")
N_CITIES = 30


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
    delays = sum_delays(base.record.journeys, other.record.journeys, other.record.dims, DELAYED)
    by_product = delays.filter(by="product")
    hit = _facility_of(other, rows[0])
    from_hour, to_hour = min(row.from_min for row in rows) // 60, -(-max(row.to_min for row in rows) // 60)
    centres = _centres(base, other, from_hour)
    touched = [hit, *(name for name in centres["facility_id"] if name != hit)][: N_CENTRES + 1]
    return Disruption(
        name=_name(other, rows),
        facility_id=hit,
        from_hour=from_hour,
        to_hour=to_hour,
        cleared_hour=_cleared(base, other, from_hour),
        n_delayed=int(by_product["n_delayed"].sum()),
        extra_item_h=float((by_product["n_delayed"] * by_product["mean_delay_h"].fill_null(0.0)).sum()),
        delays=_delays(other, delays),
        backlogs=_backlogs(base, other, touched),
        centres=centres,
    )


def _name(run: Run, rows: list) -> Text:
    """The disruptions in words: what happened to what."""
    verbs = {
        "closure": ("closing", "关闭"), "capacity": ("less capacity of", "减能"), "delay": ("delays of", "延误"),
        "cancel": ("cancelling", "停运"),
    }  # fmt: skip
    names = {row[0]: row[1:] for row in _facility_names(run).iter_rows()}
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
    """``facility_id``, ``name_en``, ``name_zh``."""
    return run.scenario.network.tables["facilities"].select(
        "facility_id",
        name_en=pl.coalesce("name_en", "name", "facility_id"),
        name_zh=pl.coalesce("name", "facility_id"),
    )


def _waiting(run: Run, n_hours: int) -> np.ndarray:
    """Items waiting at the end of each hour, int64 (n_fac, n_hours); nothing waits after the end of a run."""
    hours = run.record.hours
    waiting = (hours.backlog_in + hours.backlog_out)[:, :n_hours]
    return np.pad(waiting, ((0, 0), (0, n_hours - waiting.shape[1])))


def _both_waiting(base: Run, other: Run) -> tuple[np.ndarray, np.ndarray]:
    n_hours = max(base.record.hours.n_hours, other.record.hours.n_hours)
    return _waiting(base, n_hours), _waiting(other, n_hours)


def _cleared(base: Run, other: Run, from_hour: int) -> int | None:
    """The first hour from which the whole network holds no more than one hundredth of the largest excess."""
    calm, hit = (waiting.sum(axis=0) for waiting in _both_waiting(base, other))
    excess = (hit - calm)[from_hour:]
    if not len(excess) or excess.max() <= 0:
        return from_hour
    above = np.flatnonzero(excess > excess.max() / 100)
    last = int(above[-1]) + 1
    return from_hour + last if last < len(excess) else None


def _centres(base: Run, other: Run, from_hour: int) -> pl.DataFrame:
    """Core facilities that held more because of the disruption, the largest excess first."""
    calm, hit = _both_waiting(base, other)
    n_core = other.instance.n_core
    excess = (hit - calm)[:n_core, from_hour:]
    rows = []
    for number in np.flatnonzero(excess.max(axis=1, initial=0) > 0).tolist():
        least = excess[number].max() / 100
        last = int(np.flatnonzero(excess[number] > least)[-1]) + 1
        clear = from_hour + last if last < excess.shape[1] else None
        peaks = (int(hit[number, from_hour:].max()), int(calm[number, from_hour:].max()))
        rows.append((other.instance.fac_id[number], *peaks, clear, int(excess[number].max())))
    counts = dict.fromkeys(("peak_disrupted", "peak_undisturbed", "clear_hour", "excess"), pl.Int64)
    frame = pl.DataFrame(rows, schema={"facility_id": pl.String} | counts, orient="row")
    named = frame.join(_facility_names(other), on="facility_id", how="left", maintain_order="left")
    ordered = named.sort("excess", "facility_id", descending=[True, False]).drop("excess")
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
    """Delays by class with names; of the cities the ones with most delayed items."""
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
    worst = told.filter(by="destination_city").sort("n_delayed", "key", descending=[True, False]).head(N_CITIES)
    rest = told.filter(pl.col("by") != "destination_city")
    return pl.concat([rest, worst]).select(
        pl.col("by").replace({"destination_city": "destination"}),
        key_en=pl.coalesce("key_en", "key"),
        key_zh=pl.coalesce("key_zh", "key"),
        n_items="n_items",
        n_delayed="n_delayed",
        mean_delay_h="mean_delay_h",
        max_delay_h="max_delay_h",
        label=pl.lit(run.record.label),
    )
