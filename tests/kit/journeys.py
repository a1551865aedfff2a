"""Journeys made up for tests: random but consistent, over a small country with two neighbours."""

from __future__ import annotations

import numpy as np
import polars as pl

from postroad import facts
from postroad.events.journeys import Journeys
from postroad.measure.dims import Dims, build_dims

PLACES = """
place_id parent_id kind     name   name_en    region population
CN       -         country  中国   China      other  0
31       CN        province 上海   Shanghai   east   0
310100   31        city     上海市 Shanghai   -      24870000
42       CN        province 湖北   Hubei      centre 0
420100   42        city     武汉市 Wuhan      -      12440000
420106   420100    county   武昌区 Wuchang    -      1270000
420500   42        city     宜昌市 Yichang    -      4010000
65       CN        province 新疆   Xinjiang   west   0
650100   65        city     乌鲁木齐市 Urumqi -      4050000
81       CN        province 香港   Hong_Kong  other  7470000
810100   81        city     香港   Hong_Kong  -      7470000
DE       -         country  德国   Germany    other  0
DUI      DE        city     杜伊斯堡 Duisburg -      500000
"""

FACILITIES = """
facility_id place_id kind    parent_id
SHA         310100   hub     -
WUH         420100   hub     -
YIH         420500   sorting -
URC         650100   sorting -
HKG         810100   exchange -
DUI         DUI      exchange -
WUC         420106   outlet  WUH
"""

PRODUCT_IDS = ("express", "economy")


def read_text(text: str) -> pl.DataFrame:
    """A frame from columns set out with blanks; ``-`` is null, whole numbers become integers."""
    lines = [line.split() for line in text.strip().splitlines()]
    frame = pl.DataFrame(lines[1:], schema=lines[0], orient="row").with_columns(pl.all().replace("-", None))
    whole = [name for name in frame.columns if name in ("population",)]
    return frame.with_columns(pl.col(whole).cast(pl.Int64))


def small_tables() -> dict[str, pl.DataFrame]:
    """The tables of the feed that dimensions are made of."""
    return {"places": read_text(PLACES), "facilities": read_text(FACILITIES)}


def small_dims() -> Dims:
    """Dimensions of seven facilities in six cities, three customs territories and two products."""
    tables = small_tables()
    return build_dims(tuple(tables["facilities"]["facility_id"]), PRODUCT_IDS, tables)


def random_journeys(
    seed: int, n_rows: int, *, n_fac: int = 7, n_prod: int = 2, n_days: int = 2, gaps: bool = True
) -> Journeys:
    """Journeys whose segments follow one another; some returned, lost, in custody, unpromised.

    ``gaps`` leaves an instant of some delivered rows unknown, as real scans do.
    """
    rng = np.random.default_rng(seed)

    def whole(low: int, high: int) -> np.ndarray:
        return rng.integers(low, high, n_rows).astype(np.int32)

    outcome = rng.choice(4, n_rows, p=[0.85, 0.07, 0.02, 0.06]).astype(np.int8)
    accepted = whole(0, n_days * 1440)
    left = accepted + whole(0, 900)
    reached = left + whole(0, 3000)
    out = reached + whole(0, 900)
    ended = out + whole(0, 400)
    promise = np.where(rng.random(n_rows) < 0.9, accepted + whole(600, 5000), -1).astype(np.int32)
    ended = np.where(outcome == 3, -1, ended).astype(np.int32)
    out = np.where(outcome >= 2, -1, out).astype(np.int32)
    if gaps:
        left = np.where(rng.random(n_rows) < 0.03, -1, left).astype(np.int32)
    return Journeys(
        origin_idx=whole(0, n_fac),
        destination_idx=whole(0, n_fac),
        product_idx=rng.integers(0, n_prod, n_rows).astype(np.int8),
        n_items=whole(0, 50),
        accepted_min=accepted,
        left_origin_min=left,
        reached_dest_min=reached,
        out_min=out,
        ended_min=ended,
        promise_min=promise,
        outcome=outcome,
        n_attempts=np.where(outcome < 2, rng.integers(1, 4, n_rows), 0).astype(np.int8),
    )


def china_tables() -> dict[str, pl.DataFrame]:
    """One facility in each of 31 capitals, in 25 further cities and in Hong Kong."""
    provinces = facts.table("provinces")
    rows = [("CN", None, "country", "中国", "China", "other", 0)]
    for row in provinces.iter_rows(named=True):
        rows.append((row["province_code"], "CN", "province", row["name"], row["name_en"], row["region"], 0))
    for row in provinces.filter(pl.col("region") != "other").iter_rows(named=True):
        rows.append((row["capital_city_code"], row["province_code"], "city", row["capital"], "", None, 1_000_000))
    for code in OTHER_CITIES:
        rows.append((code, code[:2], "city", code, code, None, 500_000))
    rows.append(("810000", "81", "city", "香港", "Hong Kong", None, 7_000_000))
    columns = ["place_id", "parent_id", "kind", "name", "name_en", "region", "population"]
    places = pl.DataFrame(rows, schema=columns, orient="row")
    cities = places.filter(kind="city")
    return {"places": places, "facilities": cities.select(facility_id="place_id", place_id="place_id")}


OTHER_CITIES = tuple(f"4403{k:02}" for k in range(5)) + tuple(f"3302{k:02}" for k in range(20))


def china_dims() -> Dims:
    """Dimensions of :func:`china_tables`."""
    tables = china_tables()
    return build_dims(tuple(tables["facilities"]["facility_id"]), ("standard",), tables)


def steady_journeys(
    dims: Dims, segments_min: tuple[int, int, int, int], *, west_min: int = 0, n_items: int = 10
) -> Journeys:
    """One row for each pair of facilities, all of the same segments, ``west_min`` longer to western destinations.

    Items of the k-th facility are ``n_items + k``, so that facilities rank by their number.
    """
    n_fac = len(dims.fac_city)
    origin, destination = (part.reshape(-1).astype(np.int32) for part in np.indices((n_fac, n_fac)))
    west = dims.city_region[dims.fac_city[destination]] == dims.regions.index("west")
    ends = np.cumsum(segments_min)[:, None] + np.zeros(len(origin), np.int64)
    ends[1:] += np.where(west, west_min, 0)
    left, reached, out, ended = (row.astype(np.int32) for row in ends)
    return Journeys(
        origin_idx=origin,
        destination_idx=destination,
        product_idx=np.zeros(len(origin), np.int8),
        n_items=(n_items + origin).astype(np.int32),
        accepted_min=np.zeros(len(origin), np.int32),
        left_origin_min=left,
        reached_dest_min=reached,
        out_min=out,
        ended_min=ended,
        promise_min=np.full(len(origin), 4320, np.int32),
        outcome=np.zeros(len(origin), np.int8),
        n_attempts=np.ones(len(origin), np.int8),
    )
