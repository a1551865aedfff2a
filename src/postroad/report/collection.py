"""Frames of a report from the record of a run: what a study hands over without knowing how a page is drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import polars as pl

from postroad.kernels.tally import SCOPES
from postroad.measure.dims import Dims
from postroad.measure.hours import Hours, hourly_capacity
from postroad.measure.rankings import (
    distribute_hours,
    tabulate_centres,
    tabulate_destinations,
    tabulate_lanes,
    tabulate_pairs,
)
from postroad.measure.record import Record, measure_record
from postroad.measure.registry import find
from postroad.network.schema import REGIONS
from postroad.report.atlas import short_names
from postroad.report.text import TERMS, Text
from postroad.twin.result import Counts

__all__ = [
    "centre_hourly_frame",
    "difference_frame",
    "facility_frame",
    "headline_frame",
    "hour_frame",
    "hourly_frame",
    "label_frame",
    "measure_frame",
    "pair_frame",
    "place_frame",
    "record_frames",
]

HEADLINE = (
    "n_items", "delivered_share", "total_h", "total_p90_h", "on_time_48h_share", "on_time_72h_share", "on_time_share",
    "first_attempt_share", "reach_1d_share", "reach_3d_share", "fill_share", "sort_use_share", "n_peak_backlog",
    "cost_yuan", "cost_yuan_per_item", "gco2e", "gco2e_per_item",
)  # fmt: skip
"""The measures that a run's report gives as one figure."""

BROKEN_DOWN = (
    "total_h", "origin_handling_h", "transport_h", "destination_handling_h", "delivery_h", "on_time_72h_share",
    "on_time_share",
)  # fmt: skip
BREAKDOWNS = ("product", "destination_region", "scope", "release_hour")
HOUR_STEP = 2
MAX_PAIRS = 1000
_SCOPES = {
    "same_city": Text("same city", "同城"),
    "intercity": Text("inter-city", "异地"),
    "international": Text("international", "国际及港澳台"),
}


def record_frames(
    record: Record, tables: Mapping[str, pl.DataFrame], counts: Counts, source: str
) -> dict[str, pl.DataFrame]:
    """All frames that follow from the record of a simulated run, by the names of :class:`postroad.report.ReportData`.

    Parameters
    ----------
    record: with loads, hours and accounts.
    tables: the tables of the network that ran.
    counts: cumulative items by hour.
    source: what the figures are taken from, such as the run's name.
    """
    return {
        "headline": headline_frame(record, source),
        "measures": measure_frame(record, tables, source),
        "facilities": facility_frame(record, tables),
        "lanes": tabulate_lanes(record),
        "hours": hour_frame(record, tables),
        "hourly": hourly_frame(record.hours, counts),
        "centre_hourly": centre_hourly_frame(record.hours),
        "pairs": pair_frame(record),
        "places": place_frame(record),
        "cost": record.cost.lines,
        "carbon": record.carbon.lines,
        "label_counts": label_frame(tables),
    }


def headline_frame(record: Record, source: str, names: Iterable[str] = HEADLINE) -> pl.DataFrame:
    """One row a measure of the whole record; measures without a value are left out."""
    rows = []
    for one in find(names):
        values = measure_record(record, [one.name])
        if values["value"][0] is not None:
            label = values["label"][0]
            rows.append((one.name, one.title_en, one.title_zh, values["value"][0], one.unit, label, source))
    schema = ["measure_id", "name_en", "name_zh", "value", "unit", "label", "source"]
    return pl.DataFrame(rows, schema=schema, orient="row")


def measure_frame(
    record: Record,
    tables: Mapping[str, pl.DataFrame],
    source: str,
    names: Iterable[str] = BROKEN_DOWN,
    breakdowns: Iterable[str] = BREAKDOWNS,
) -> pl.DataFrame:
    """Measures of all and by each breakdown, in the long form of the report."""
    wanted = find(names)
    ids = [one.name for one in wanted]
    parts = [measure_record(record, ids).with_columns(by=pl.lit("all"), key=pl.lit("all"))]
    for by in breakdowns:
        part = _in_order(measure_record(record, ids, by=by), by)
        parts.append(part.with_columns(by=pl.lit(by), key=pl.col(by).cast(pl.String)))
    columns = ["by", "key", "measure", "value", "n_items", "unit", "label"]
    frame = pl.concat([part.select(columns) for part in parts]).filter(pl.col("value").is_not_null())
    texts = {pair: _key_text(*pair, record.dims, tables) for pair in frame.select("by", "key").unique().iter_rows()}
    keys = [texts[pair] for pair in frame.select("by", "key").iter_rows()]
    return frame.rename({"measure": "measure_id"}).with_columns(
        pl.Series("key_en", [text.en for text in keys], dtype=pl.String),
        pl.Series("key_zh", [text.zh for text in keys], dtype=pl.String),
        name_en=pl.col("measure_id").replace_strict({one.name: one.title_en for one in wanted}),
        name_zh=pl.col("measure_id").replace_strict({one.name: one.title_zh for one in wanted}),
        source=pl.lit(source),
    )


def _in_order(frame: pl.DataFrame, by: str) -> pl.DataFrame:
    """Regions and scopes in the order people name them; other classes as they come."""
    order = [*REGIONS, *SCOPES]
    if not by.endswith("region") and by != "scope":
        return frame
    rank = pl.col(by).replace_strict({name: k for k, name in enumerate(order)}, default=len(order))
    return frame.sort(rank, maintain_order=True)


def _key_text(by: str, key: str, dims: Dims, tables: Mapping[str, pl.DataFrame]) -> Text:
    """How a class of a breakdown is written."""
    if by == "product":
        row = tables["products"].filter(pl.col("product_id") == key)
        return Text(row["name_en"][0] or key, row["name"][0] or key) if len(row) else Text(key, key)
    if by.endswith("_region") and key in ("east", "centre", "west"):
        return Text(f"the {TERMS[key].en}", f"{TERMS[key].zh}地区")
    if by.endswith("_city"):
        row = dims.cities.filter(pl.col("city") == key)
        return Text(row["city_name_en"][0] or key, row["city_name"][0] or key) if len(row) else Text(key, key)
    if by == "release_hour":
        return Text(f"{int(key):02d}:00", f"{int(key):02d}:00")
    known = {"all": Text("all", "合计"), **_SCOPES, **TERMS}
    return known.get(key, Text(key, key))


def facility_frame(record: Record, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Core facilities that sorted or held something, with their names; largest backlog first."""
    names = tables["facilities"].select(
        "facility_id",
        "place_id",
        name_en=pl.coalesce("name_en", "name", "facility_id"),
        name_zh=pl.coalesce("name", "facility_id"),
    )
    frame = tabulate_centres(record).join(names, on="facility_id", how="left", maintain_order="left")
    return short_names(
        frame.filter((pl.col("sorted_items") > 0) | (pl.col("peak_backlog_items") > 0)), tables["places"]
    )


def hour_frame(record: Record, tables: Mapping[str, pl.DataFrame], step: int = HOUR_STEP) -> pl.DataFrame:
    """Delivered items by product and class of total hours, ``step`` hours wide."""
    names = tables["products"].select(
        "product_id", name_en=pl.coalesce("name_en", "product_id"), name_zh=pl.coalesce("name", "product_id")
    )
    spread = distribute_hours(record.tally, "product", width_h=step).rename({"product": "product_id"})
    return spread.join(names, on="product_id", how="left", maintain_order="left").with_columns(
        pl.coalesce("name_en", "product_id"), pl.coalesce("name_zh", "product_id")
    )


def hourly_frame(hours: Hours, counts: Counts) -> pl.DataFrame:
    """The whole network hour by hour; counts are cumulative and conserve every item."""
    n = min(hours.n_hours, len(counts.created))
    columns = {name: getattr(counts, name) for name in ("created", "delivered", "returned", "lost", "in_custody")}
    columns["sorted"] = hours.sorted_items.sum(axis=0)
    columns |= {name: getattr(hours, name).sum(axis=0) for name in ("backlog_in", "backlog_out")}
    numbers = {name: values[:n].astype(np.int64) for name, values in columns.items()}
    return pl.DataFrame({"hour": np.arange(n, dtype=np.int64)} | numbers)


def centre_hourly_frame(hours: Hours) -> pl.DataFrame:
    """Core facilities hour by hour: sorted, waiting, and what could be sorted (null where there is no limit)."""
    instance = hours.instance
    n_core, n = instance.n_core, hours.n_hours
    room = hourly_capacity(instance, instance.sort_cap, n)[:n_core]
    columns = {
        name: values[:n_core].reshape(-1).astype(np.int64)
        for name, values in (
            ("sorted", hours.sorted_items),
            ("backlog_in", hours.backlog_in),
            ("backlog_out", hours.backlog_out),
            ("capacity", room),
        )
    }
    ids = pl.Series("facility_id", instance.fac_id[:n_core]).gather(np.repeat(np.arange(n_core), n))
    frame = pl.DataFrame({"hour": np.tile(np.arange(n, dtype=np.int64), n_core)} | columns).with_columns(ids)
    return frame.with_columns(capacity=pl.when(pl.col("capacity") >= 0).then(pl.col("capacity")))


def pair_frame(record: Record, n_pairs: int = MAX_PAIRS) -> pl.DataFrame:
    """City pairs with the longest hours, worst first."""
    return tabulate_pairs(record.tally, n=n_pairs).with_columns(
        *(pl.coalesce(f"{end}_en", f"{end}_zh", f"{end}_city") for end in ("origin", "destination")),
        *(pl.coalesce(f"{end}_zh", f"{end}_city") for end in ("origin", "destination")),
        label=pl.lit(record.label),
    )


def place_frame(record: Record) -> pl.DataFrame:
    """Hours and promises kept by city of destination."""
    frame = tabulate_destinations(record.tally).filter(pl.col("total_h").is_not_null())
    return frame.select(
        place_id="destination_city",
        name_en=pl.coalesce("destination_en", "destination_zh", "destination_city"),
        name_zh=pl.coalesce("destination_zh", "destination_city"),
        region="region",
        n_items="n_items",
        total_h="total_h",
        on_time_share="on_time_share",
        label=pl.lit(record.label),
    )


def label_frame(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """How many rows of each table of the network carry which label; rows without one are ``unverified``."""
    parts = [pl.DataFrame(schema={"table": pl.String, "label": pl.String, "n_values": pl.Int64})]
    for name, frame in tables.items():
        if "label" in frame.columns and len(frame):
            counted = frame.group_by(label=pl.col("label").fill_null("unverified")).agg(n_values=pl.len())
            part = counted.select(table=pl.lit(name), label="label", n_values=pl.col("n_values").cast(pl.Int64))
            parts.append(part.sort("label"))
    return pl.concat(parts)


def difference_frame(differences: pl.DataFrame, source: str) -> pl.DataFrame:
    """Paired differences of ungrouped measures with their titles.

    Parameters
    ----------
    differences: what :func:`postroad.measure.paired.pair_measures` or ``pair_over_seeds`` gives.
    source: the runs compared.
    """
    known = find(differences["measure"].to_list())
    frame = differences.filter(pl.col("difference").is_not_null()).rename({"measure": "measure_id"})
    if "low" not in frame.columns:
        none = pl.lit(None, dtype=pl.Float64)
        frame = frame.with_columns(low=none, high=none, n_pairs=pl.lit(1, dtype=pl.Int64))
    return frame.select(
        "measure_id",
        "unit", "base", "other", "difference", "low", "high", "n_pairs", "better", "label",
        name_en=pl.col("measure_id").replace_strict({one.name: one.title_en for one in known}),
        name_zh=pl.col("measure_id").replace_strict({one.name: one.title_zh for one in known}),
        source=pl.lit(source),
    )  # fmt: skip
