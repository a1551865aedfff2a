"""A made-up run of the size of a nation, for the report alone: 372 real cities, plausible numbers, no simulation."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from postroad.report.data import CompareData, Comparison, Disruption, ReportData, RunFacts, SweepData, empty_frame
from postroad.report.text import Text

N_HOURS = 264
PEAK_DAY = 3
DAY_TOTALS = (610_000_000, 640_000_000, 850_000_000, 1_200_000_000, 980_000_000, 820_000_000, 700_000_000)
HOUR_SHAPE = np.array([9, 6, 4, 3, 2, 2, 3, 6, 14, 30, 44, 52, 50, 48, 56, 66, 78, 92, 110, 118, 96, 60, 34, 18], float)
ABROAD = (
    ("FRA", "法兰克福", "Frankfurt", 8.57, 50.03),
    ("LAX", "洛杉矶", "Los Angeles", -118.41, 33.94),
    ("SIN", "新加坡", "Singapore", 103.99, 1.36),
    ("NRT", "东京", "Tokyo", 140.39, 35.76),
    ("DME", "莫斯科", "Moscow", 37.9, 55.41),
    ("DXB", "迪拜", "Dubai", 55.36, 25.25),
)
PRODUCTS = (("express", "Express", "快递"), ("standard", "Standard parcel", "普通包裹"))
REGIONS = {"east": ("the east", "东部地区"), "centre": ("the centre", "中部地区"), "west": ("the west", "西部地区")}
TABLES = Path(__file__).with_name("report_tables")


def facts(seed: int = 7) -> RunFacts:
    """Facts of the made-up run."""
    return RunFacts(
        run_id="peak-7",
        scenario="peak-2025",
        network="china-2025",
        level="city",
        epoch=datetime(2025, 11, 8),
        timezone="Asia/Shanghai",
        n_hours=N_HOURS,
        measured_from_h=24 * PEAK_DAY,
        measured_to_h=24 * PEAK_DAY + 24,
        seed=seed,
        input_digest="b3:5f0c2a9be1d64c7a8f21b7c0d9e3a4415f0c2a9be1d64c7a8f21b7c0d9e3a441",
        result_digest="b3:91be07f3ad5528c0447de1a29f6b0c3391be07f3ad5528c0447de1a29f6b0c33",
        versions={"postroad": "0.1.0", "numpy": "2.4.0", "numba": "0.68.0", "polars": "2.1.0"},
        command=f"postroad run peak-2025 --seed {seed}",
    )


def table(name: str) -> pl.DataFrame:
    """A table written by hand, with the types that the report declares."""
    return pl.read_csv(TABLES / f"{name}.csv", schema_overrides=empty_frame(name).schema)


@cache
def cities() -> pl.DataFrame:
    """372 cities with their point, region and a modelled load."""
    return pl.read_csv(TABLES / "cities.csv", schema_overrides={"city_code": pl.String})


@cache
def _queues(capacity_share: float, closed: str = "") -> dict[str, np.ndarray]:
    """Hourly arrivals, sorting and waiting by centre, shape (n_centres, N_HOURS), by a plain queue."""
    rng = np.random.default_rng(20251111)
    load = cities()["items"].to_numpy() + 500.0
    share = load / load.sum()
    hourly = np.zeros(N_HOURS)
    for day, total in enumerate(DAY_TOTALS):
        hourly[24 * day : 24 * day + 24] += total * HOUR_SHAPE / HOUR_SHAPE.sum()
    arriving = share[:, None] * hourly[None, :] * 1.9
    for row, lag in enumerate(rng.integers(3, 30, len(share))):
        later = np.roll(arriving[row], lag)
        later[:lag] = 0
        arriving[row] = (0.5 * arriving[row] + 0.5 * later) * rng.uniform(0.97, 1.03)
    capacity = share * sum(DAY_TOTALS) / 7 * 1.9 / 24 * capacity_share * rng.uniform(0.95, 1.35, len(share))
    caps = np.repeat(capacity[:, None], N_HOURS, axis=1)
    if closed:
        caps[cities()["city_code"].to_list().index(closed), 24 * PEAK_DAY + 6 : 24 * PEAK_DAY + 30] = 0
    waiting = np.zeros(len(share))
    done, left = np.zeros_like(arriving), np.zeros_like(arriving)
    for hour in range(N_HOURS):
        waiting += arriving[:, hour]
        done[:, hour] = np.minimum(waiting, caps[:, hour])
        waiting -= done[:, hour]
        left[:, hour] = np.where(waiting < 50, 0, waiting)
    out = done * rng.uniform(1.2, 2.6, (len(share), 1))
    return {
        "sorted": done.astype(np.int64),
        "in": left.astype(np.int64),
        "out": out.astype(np.int64),
        "cap": caps.astype(np.int64),
    }


def _hourly(queue: dict[str, np.ndarray]) -> pl.DataFrame:
    created = np.zeros(N_HOURS)
    for day, total in enumerate(DAY_TOTALS):
        created[24 * day : 24 * day + 24] = total * HOUR_SHAPE / HOUR_SHAPE.sum()
    created = np.rint(created.cumsum()).astype(np.int64)
    lag = np.interp(np.arange(N_HOURS) - 54.0, np.arange(N_HOURS), created, left=0.0)
    total = int(created[-1])
    ended = np.minimum(np.rint(lag), created).astype(np.int64)
    ended[-12:] = total
    lost, returned = ended // 700_000, ended // 2_100
    delivered = ended - lost - returned
    return pl.DataFrame(
        {
            "hour": np.arange(N_HOURS),
            "created": created,
            "delivered": delivered,
            "returned": returned,
            "lost": lost,
            "in_custody": created - ended,
            "sorted": queue["sorted"].sum(axis=0),
            "backlog_in": queue["in"].sum(axis=0),
            "backlog_out": queue["out"].sum(axis=0),
        }
    )


def _facilities(queue: dict[str, np.ndarray]) -> pl.DataFrame:
    day = slice(24 * PEAK_DAY, 24 * PEAK_DAY + 24)
    waiting = queue["in"]
    peak_hour = waiting.argmax(axis=1)
    peak = waiting.max(axis=1)
    clear = [
        next((h for h in range(p, N_HOURS) if row[h] <= row[p] / 100), None)
        for row, p in zip(waiting, peak_hour, strict=True)
    ]
    use = queue["sorted"][:, day].sum(axis=1) / np.maximum(queue["cap"][:, day].sum(axis=1), 1)
    home = cities().select(
        facility_id=pl.lit("C-") + pl.col("city_code"),
        kind=pl.when(pl.col("tier") == "L3").then(pl.lit("sorting")).otherwise(pl.lit("hub")),
        name_en="name_en",
        name_zh="name",
        region="region",
        lon="lon",
        lat="lat",
        sorted_items=pl.Series(queue["sorted"][:, day].sum(axis=1)),
        capacity_items=pl.Series(queue["cap"][:, day].sum(axis=1)),
        use_share=pl.Series(use),
        peak_backlog_items=pl.Series(peak),
        peak_hour=pl.Series(peak_hour.astype(np.int64)),
        clear_hour=pl.Series(clear, dtype=pl.Int64),
        label=pl.lit("modelled"),
    )
    rest = (400_000, 0.3, 12_000, 90, 96, "modelled")
    rows = [(f"X-{code}", "exchange", en, zh, "other", lon, lat, 90_000 + 31_000 * k, *rest)
            for k, (code, zh, en, lon, lat) in enumerate(ABROAD)]  # fmt: skip
    return pl.concat([home, pl.DataFrame(rows, schema=home.schema, orient="row")])


def _km(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    lon1, lat1, lon2, lat2 = (np.radians(v) for v in (a[..., 0], a[..., 1], b[..., 0], b[..., 1]))
    h = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return 12_742 * np.arcsin(np.sqrt(h))


@cache
def lanes() -> pl.DataFrame:
    """About 3,000 lanes by gravity: road near, air far, some rail and the river."""
    rng = np.random.default_rng(5)
    table = cities()
    point, load = table.select("lon", "lat").to_numpy(), table["items"].to_numpy() + 2_000.0
    hub = (table["tier"] != "L3").to_numpy()
    river = {"310000", "310100", "320100", "420100", "500000", "500100", "340200", "420500"}
    rows = []
    km = _km(point[:, None], point[None, :])
    for i in range(len(point)):
        near = [j for j in np.argsort(km[i]) if j != i and hub[j]][:4]
        far = [j for j in range(len(point)) if hub[i] and hub[j] and j != i]
        for j in sorted(set(near) | set(far)):
            items = load[i] * load[j] / load.sum() / (km[i, j] + 60) ** 0.83 * 260
            codes = {table["city_code"][i], table["city_code"][int(j)]}
            mode = "road"
            if km[i, j] > 1400 and rng.random() < 0.45:
                mode, items = "air", items * 0.4
            elif km[i, j] > 500 and rng.random() < 0.22:
                mode = "rail"
            elif codes <= river:
                mode = "water"
            fill = float(np.clip(rng.beta(9, 2.4), 0.05, 1.0))
            left = int(items * max(0.0, fill - 0.93) * 1.4)
            for one, other in ((i, int(j)), (int(j), i)) if j in near and not hub[i] else ((i, int(j)),):
                rows.append(
                    (
                        f"C-{table['city_code'][one]}",
                        f"C-{table['city_code'][other]}",
                        mode,
                        items,
                        fill,
                        float(km[i, j] * 1.17),
                        items / 9_000 / fill,
                        left,
                        "modelled",
                    )
                )
    for k, (code, *_rest) in enumerate(ABROAD):
        for city in ("310100", "440100", "110100", "410100"):
            rows.append((f"C-{city}", f"X-{code}", "air", 30_000.0 + 9_000 * k, 0.8, 8_000.0, 2.0, 0, "modelled"))
    names = [
        "from_facility",
        "to_facility",
        "mode",
        "items_per_day",
        "fill_share",
        "distance_km",
        "trips_per_day",
        "left_items",
        "label",
    ]
    return pl.DataFrame(rows, schema=names, orient="row")


def hours(shift: float = 0.0) -> pl.DataFrame:
    """Total hours by product in classes of two hours."""
    edges = np.arange(0, 240, 2)
    parts = []
    for (name, en, zh), total, mean in zip(PRODUCTS, (420_000_000, 780_000_000), (38.0, 58.0), strict=True):
        x = edges + 1.0
        density = (
            np.exp(-((np.log(x) - np.log(mean + shift)) ** 2) / 0.19)
            / x
            * (1 + 0.55 * np.cos((x - 10) / 24 * 2 * np.pi))
        )
        counts = np.rint(total * density / density.sum()).astype(np.int64)
        parts.append(pl.DataFrame({"product_id": name, "name_en": en, "name_zh": zh, "hour": edges, "n_items": counts}))
    return pl.concat(parts)


def _measures() -> pl.DataFrame:
    rows = []

    def add(by: str, key: str, en: str, zh: str, total: float, n_items: int) -> None:
        parts = (0.135, 0.58, 0.205, 0.08)
        named = (("origin_handling_h", "Handling at origin", "寄出地处理"), ("transport_h", "Transport", "运输"),
                 ("destination_handling_h", "Handling at destination", "寄达地处理"),
                 ("delivery_h", "Delivery", "投递"))  # fmt: skip
        rows.append(("total_h", "Total time", "全程时限", "h", by, key, en, zh, n_items, total, "modelled", "this run"))
        for (name, name_en, name_zh), part in zip(named, parts, strict=True):
            rows.append((name, name_en, name_zh, "h", by, key, en, zh, n_items, total * part, "modelled", "this run"))
        for name, name_en, name_zh, value in (
            ("on_time_72h_share", "72 h rate", "72 小时妥投率", 1.26 - total / 125),
            ("on_time_share", "Promise kept", "承诺达成率", 1.12 - total / 290),
        ):
            rows.append(
                (name, name_en, name_zh, "share", by, key, en, zh, n_items, min(value, 0.999), "modelled", "this run")
            )

    add("all", "all", "All", "合计", 54.62, 1_200_000_000)
    for (name, en, zh), total, n in zip(PRODUCTS, (41.3, 61.8), (420_000_000, 780_000_000), strict=True):
        add("product", name, en, zh, total, n)
    for (name, (en, zh)), total, n in zip(
        REGIONS.items(), (51.4, 53.2, 67.9), (702_000_000, 288_000_000, 210_000_000), strict=True
    ):
        add("destination_region", name, en, zh, total, n)
    for hour in range(24):
        total = 54.6 + (5.2 if hour < 8 else 0) - 4.5 * np.exp(-(((hour - 17) / 3.5) ** 2)) + (6.5 if hour > 20 else 0)
        add(
            "release_hour",
            str(hour),
            f"{hour:02d}:00",
            f"{hour:02d}:00",
            float(total),
            int(1.2e9 * HOUR_SHAPE[hour] / HOUR_SHAPE.sum()),
        )
    names = [
        "measure_id",
        "name_en",
        "name_zh",
        "unit",
        "by",
        "key",
        "key_en",
        "key_zh",
        "n_items",
        "value",
        "label",
        "source",
    ]
    return pl.DataFrame(rows, schema=names, orient="row")


@cache
def places() -> pl.DataFrame:
    """Hours by city of destination: farther west, longer."""
    rng = np.random.default_rng(11)
    table = cities()
    point = table.select("lon", "lat").to_numpy()
    km = _km(point, np.array([114.5, 31.0]))
    west = (table["region"] == "west").to_numpy() * 7.0
    total = 40 + km / 95 + west + rng.normal(0, 2.2, len(km)) - 4 * (table["tier"] != "L3").to_numpy()
    return table.select(
        place_id="city_code", name_en="name_en", name_zh="name", region="region",
        n_items=(pl.col("items") * 3.3).cast(pl.Int64), total_h=pl.Series(total),
        on_time_share=pl.Series(np.clip(1.1 - total / 260, 0, 1)), label=pl.lit("modelled"),
    )  # fmt: skip


def _pairs() -> pl.DataFrame:
    slow = places().sort("total_h", descending=True).head(60)
    rows = []
    for k, row in enumerate(slow.iter_rows(named=True)):
        origin = cities().row((k * 37) % 200, named=True)
        total = row["total_h"] + 12 + k % 7
        rows.append(
            (
                origin["name_en"],
                origin["name"],
                row["name_en"],
                row["name_zh"],
                1_500 + 91 * k,
                2_400.0 + 11 * k,
                total,
                96.0,
                max(0.0, 0.35 + k * 0.006),
                "modelled",
            )
        )
    names = [
        "origin_en",
        "origin_zh",
        "destination_en",
        "destination_zh",
        "n_items",
        "distance_km",
        "total_h",
        "promise_h",
        "on_time_share",
        "label",
    ]
    return pl.DataFrame(rows, schema=names, orient="row")


def comparison() -> Comparison:
    """What the network of 2023 would do on the same day."""
    return Comparison(
        name=Text("the network of 2023", "2023 年网络"),
        note=Text(
            "The same parcels on the same day, taken through the smaller network.",
            "同一天的同一批邮件快件，改由规模较小的网络承运。",
        ),
        differences=table("differences"),
        hourly_other=_hourly(_queues(0.93)),
        hours_other=hours(26.0),
    )


def disruption() -> Disruption:
    """Wuhan closed for a day."""
    code = "420100"
    hit, calm = _queues(1.32, code), _queues(1.32)
    index = cities()["city_code"].to_list().index(code)
    rows = []
    for k in (index, index + 1, index + 2, index + 5):
        for hour in range(N_HOURS):
            extra = int(hit["in"][index, hour] * 0.04) if k != index else 0
            rows.append(
                (
                    f"C-{cities()['city_code'][k]}",
                    cities()["name_en"][k],
                    cities()["name"][k],
                    hour,
                    int(hit["in"][k, hour]) + extra,
                    int(calm["in"][k, hour]),
                )
            )
    backlogs = pl.DataFrame(
        rows, schema=["facility_id", "name_en", "name_zh", "hour", "disrupted", "undisturbed"], orient="row"
    )
    centres = backlogs.group_by("facility_id", "name_en", "name_zh", maintain_order=True).agg(
        peak_disrupted=pl.col("disrupted").max(),
        peak_undisturbed=pl.col("undisturbed").max(),
        peak_hour=pl.col("hour").sort_by("disrupted").last(),
        excess=(pl.col("disrupted") - pl.col("undisturbed")).max(),
        excess_hour=pl.col("hour").sort_by(pl.col("disrupted") - pl.col("undisturbed")).last(),
        clear_hour=pl.lit(24 * PEAK_DAY + 61),
        label=pl.lit("modelled"),
    )
    more = backlogs.filter(
        (pl.col("facility_id") == f"C-{code}") & (pl.col("disrupted") > pl.col("undisturbed") * 1.01 + 1)
    )
    return Disruption(
        name=Text("Closing the hub of Wuhan", "武汉枢纽关闭"),
        facility_id=f"C-{code}",
        from_hour=24 * PEAK_DAY + 6,
        to_hour=24 * PEAK_DAY + 30,
        cleared_hour=int(more["hour"].max()) + 1,
        eased_hour=int(more["hour"].max()) - 5,
        n_items=1_190_000_000,
        n_delayed=30_500_000,
        extra_item_h=706_000_000.0,
        n_earlier=4_000_000,
        earlier_item_h=20_000_000.0,
        source="runs 91be07f3ad55 and 5f0c2a9be1d6",
        delays=table("delays"),
        backlogs=backlogs,
        centres=centres,
        totals=backlogs.group_by("hour").agg(pl.col("disrupted", "undisturbed").sum()).sort("hour"),
    )


@cache
def report_data() -> ReportData:
    """The whole made-up run, with a comparison and a disruption."""
    queue = _queues(1.32)
    n = cities().height
    centre_hourly = pl.DataFrame(
        {
            "facility_id": np.repeat(("C-" + cities()["city_code"]).to_numpy(), N_HOURS),
            "hour": np.tile(np.arange(N_HOURS), n),
            "sorted": queue["sorted"].ravel(),
            "backlog_in": queue["in"].ravel(),
            "backlog_out": queue["out"].ravel(),
            "capacity": queue["cap"].ravel(),
        }
    )
    return ReportData(
        title=Text("The national peak day", "全国快递业务峰值日"),
        subtitle=Text(
            "1.2 billion parcels on one day, from acceptance to the last delivery, on the network sized for 2025.",
            "单日 12 亿件，从收寄到最后一件妥投，运行于 2025 年规模的网络。",
        ),
        facts=facts(),
        headline=table("headline"),
        changes=(
            Text("Demand of the day scaled to 1,200,000,000 items.", "当日业务量放大至 12 亿件。"),
            Text("The days before and after are loaded by the day profile.", "前后各日按日间分布加载。"),
        ),
        measures=_measures(),
        facilities=_facilities(queue),
        lanes=lanes(),
        hours=hours(),
        hourly=_hourly(queue),
        centre_hourly=centre_hourly,
        pairs=_pairs(),
        places=places(),
        cost=table("cost"),
        carbon=table("carbon"),
        validation=table("validation"),
        comparison=comparison(),
        disruption=disruption(),
        sources=table("sources"),
        label_counts=table("label_counts"),
        findings=table("findings"),
        timings=table("timings"),
    )  # fmt: skip


def compare_data() -> CompareData:
    """Two made-up runs compared."""
    return CompareData(
        title=Text("Two networks on one day", "同一天，两张网络"),
        subtitle=Text("china-2025 against china-2023", "china-2025 对 china-2023"),
        facts=facts(),
        facts_other=facts(8),
        name=Text("the network of 2025", "2025 年网络"),
        comparison=comparison(),
        hourly=_hourly(_queues(1.32)),
        hours=hours(),
        sources=table("sources"),
    )


def sweep_data() -> SweepData:
    """A made-up sweep over the day's items."""
    rows = []
    for name, en, zh, unit, base, slope in (
        ("total_h", "Total time", "全程时限", "h", 48.0, 6.0),
        ("on_time_72h_share", "72 h rate", "72 小时妥投率", "share", 0.95, -0.12),
        ("cost_yuan_per_item", "Cost per item", "件均成本", "yuan/item", 2.1, -0.2),
        ("gco2e_per_item", "Emissions per item", "件均碳排放", "gCO2e/item", 240.0, -20.0),
    ):  # fmt: skip
        for k in range(7):
            x = 0.6 + 0.15 * k
            value = base + slope * x**2
            rows.append(
                (
                    name,
                    en,
                    zh,
                    unit,
                    x * 1e9,
                    value,
                    value - abs(slope) * 0.08,
                    value + abs(slope) * 0.08,
                    "modelled",
                    "runs of the sweep",
                )
            )
    names = ["measure_id", "name_en", "name_zh", "unit", "x", "value", "low", "high", "label", "source"]
    return SweepData(
        title=Text("How much the network can take", "网络能承受多少"),
        subtitle=Text("Measures over the items of the day", "各指标随当日业务量变化"),
        facts=facts(),
        parameter=Text("items on the day", "当日件数"),
        unit="items",
        n_seeds=5,
        sweep=pl.DataFrame(rows, schema=names, orient="row"),
        sources=table("sources"),
    )
