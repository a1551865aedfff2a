"""The map of a network as its feed says it: facilities by kind, lanes by mode, as a page."""

from __future__ import annotations

import polars as pl

from postroad.network.frames import Network
from postroad.network.summary import services_on
from postroad.report.atlas import choose_base_map, map_spec, short_names, world_spec
from postroad.report.basemap import BaseMap
from postroad.report.blocks import Block, Chart, Column, Page, Row, Section, Table
from postroad.report.labelling import common_label, with_labels
from postroad.report.page import render_page
from postroad.report.text import Text

__all__ = ["daily_lanes", "network_facilities", "render_network"]

MAX_ROWS = 400


def render_network(network: Network, language: str = "auto", base_map: BaseMap | None = None) -> str:
    """The map of a network with its facilities and lanes, as one self-contained HTML text.

    Parameters
    ----------
    network: a feed as read.
    language: ``en``, ``zh`` or ``auto``.
    base_map: what stands in the place of the shipped outlines.
    """
    lanes = daily_lanes(network)
    facilities = network_facilities(network, lanes)
    base = base_map or choose_base_map(facilities)
    spec = {"kind": "map", "is_plan": True, **map_spec(base, facilities, lanes, pl.DataFrame(), {})}
    label = common_label(facilities)
    title = Text("Facilities and lanes", "设施与线路")
    blocks: list[Block] = [Chart("map", title, spec, label, None, 640)]
    world = world_spec(base, facilities, lanes)
    if world is not None:
        world_chart = {"kind": "map", "is_plan": True, "is_small": True, **world}
        blocks.append(Chart("world", Text("Gateways abroad", "境外通道"), world_chart, label, None, 360))
    blocks.append(Row((_count_table(facilities), _mode_table(lanes))))
    blocks += [_facility_table(facilities), _lane_table(facilities, lanes)]
    meta = network.meta
    stamp = (
        (Text("level", "层级"), Text(meta.level, meta.level)),
        (Text("version", "版本"), Text(meta.version, meta.version)),
        (Text("day", "基准日"), Text(str(meta.base_date), str(meta.base_date))),
        (Text("licence", "许可"), Text(meta.licence, meta.licence)),
        (Text("digest", "摘要"), Text(network.digest[:12], network.digest[:12])),
    )
    section = Section("map", Text("The network", "网络"), tuple(blocks), short=Text("Map", "地图"))
    page = Page(Text(meta.name, meta.name_zh or meta.name), Text(meta.description, meta.description), (section,), stamp)
    return render_page(page, language)


def daily_lanes(network: Network) -> pl.DataFrame:
    """Vehicles a day by (from, to, mode) on the base date of the feed, stops of multi-stop trips included.

    Returns
    -------
    pl.DataFrame: ``from_facility``, ``to_facility``, ``mode``, ``items_per_day`` (vehicles a day, what the map draws
        as width), ``fill_share`` (null), ``label``.
    """
    tables = network.tables
    running = services_on(network, network.meta.base_date)
    trips = tables["trips"].filter(pl.col("service_id").is_in(running.implode()) | pl.col("service_id").is_null())
    trips = trips.with_columns(n=pl.col("n_vehicles").fill_null(1))
    lanes = tables["lanes"].select("lane_id", "from_facility", "to_facility", "mode", lane_label="label")
    direct = trips.join(lanes, on="lane_id").select("from_facility", "to_facility", "mode", "n", label="lane_label")
    modes = tables["vehicles"].select("vehicle_id", "mode")
    following = pl.col("facility_id").shift(-1).over("trip_id", order_by="seq")
    stops = tables["calls"].select("trip_id", from_facility="facility_id", to_facility=following).drop_nulls()
    called = stops.join(trips.select("trip_id", "vehicle_id", "n", "label"), on="trip_id").join(modes, on="vehicle_id")
    both = pl.concat([direct, called.select("from_facility", "to_facility", "mode", "n", "label")])
    return (
        both.group_by("from_facility", "to_facility", "mode", maintain_order=True)
        .agg(items_per_day=pl.col("n").sum().cast(pl.Float64), label=pl.col("label").first())
        .with_columns(fill_share=pl.lit(None, dtype=pl.Float64), label=pl.col("label").fill_null("unverified"))
        .sort("from_facility", "to_facility", "mode")
    )


def network_facilities(network: Network, lanes: pl.DataFrame) -> pl.DataFrame:
    """Facilities as the map reads them; ``sorted_items`` is the number of vehicles that leave a day.

    Facilities without a point take that of their place.
    """
    places = network.tables["places"].select("place_id", place_lon="lon", place_lat="lat")
    leaving = lanes.group_by(facility_id="from_facility").agg(sorted_items=pl.col("items_per_day").sum())
    frame = network.tables["facilities"].join(places, on="place_id", how="left", maintain_order="left")
    frame = frame.join(leaving, on="facility_id", how="left", maintain_order="left")
    named = frame.select(
        "facility_id",
        "kind",
        "place_id",
        name_en=pl.coalesce("name_en", "name", "facility_id"),
        name_zh=pl.coalesce("name", "facility_id"),
        lon=pl.coalesce("lon", "place_lon"),
        lat=pl.coalesce("lat", "place_lat"),
        sorted_items=pl.col("sorted_items").fill_null(0.0),
        sort_items_per_h=pl.col("sort_items_per_h"),
        use_share=pl.lit(None, dtype=pl.Float64),
        peak_backlog_items=pl.lit(0),
        label=pl.col("label").fill_null("unverified"),
    ).filter(pl.col("lon").is_not_null() & pl.col("lat").is_not_null())
    return short_names(named, network.tables["places"])


def _count_table(facilities: pl.DataFrame) -> Table:
    counts = facilities.group_by("kind", maintain_order=True).agg(n=pl.len(), leaving=pl.col("sorted_items").sum())
    columns = (
        Column("kind", Text("kind", "类型"), "term"),
        Column("n", Text("facilities", "设施数"), decimals=0, label="derived"),
        Column("leaving", Text("vehicles leaving a day", "日发车数"), decimals=0, label="derived"),
    )
    return Table("facility_kinds", Text("Facilities by kind", "设施类型"), columns, counts)


def _mode_table(lanes: pl.DataFrame) -> Table:
    counts = lanes.group_by("mode", maintain_order=True).agg(n=pl.len(), vehicles=pl.col("items_per_day").sum())
    columns = (
        Column("mode", Text("mode", "方式"), "term"),
        Column("n", Text("lanes", "线路数"), decimals=0, label="derived"),
        Column("vehicles", Text("vehicles a day", "日车次"), decimals=0, label="derived"),
    )
    return Table("lane_modes", Text("Lanes by mode", "线路方式"), columns, counts)


def _facility_table(facilities: pl.DataFrame) -> Table:
    ordered = facilities.sort("sorted_items", "facility_id", descending=[True, False])
    columns = [
        Column("name", Text("facility", "设施"), "name"),
        Column("kind", Text("kind", "类型"), "term"),
        Column("sorted_items", Text("vehicles leaving a day", "日发车数"), decimals=0, is_bar=True),
        Column("sort_items_per_h", Text("sorting capacity", "分拣能力"), unit="items_per_h"),
        Column("lon", Text("longitude", "经度"), decimals=3),
        Column("lat", Text("latitude", "纬度"), decimals=3),
    ]
    title = Text("Facilities", "设施")
    return Table("facilities", title, with_labels(columns, facilities), ordered.head(MAX_ROWS), full=ordered)


def _lane_table(facilities: pl.DataFrame, lanes: pl.DataFrame) -> Table:
    names = facilities.select("facility_id", "name_en", "name_zh")
    frame = lanes
    for side in ("from", "to"):
        columns = {"facility_id": f"{side}_facility", "name_en": f"{side}_en", "name_zh": f"{side}_zh"}
        frame = frame.join(names.rename(columns), on=f"{side}_facility", how="left", maintain_order="left")
    frame = frame.sort("items_per_day", "from_facility", "to_facility", descending=[True, False, False])
    shown = [
        Column("from", Text("from", "起点"), "name"),
        Column("to", Text("to", "终点"), "name"),
        Column("mode", Text("mode", "方式"), "term"),
        Column("items_per_day", Text("vehicles a day", "日车次"), decimals=0, is_bar=True),
    ]
    return Table("lanes", Text("Lanes", "线路"), with_labels(shown, lanes), frame.head(MAX_ROWS), full=frame)
