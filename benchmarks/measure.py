"""How long the standard set of measures takes over a nation's journeys, and how that compares with plain SQL.

    python benchmarks/measure.py                 # 10 million rows, one peak day
    python benchmarks/measure.py --rows 7e7      # seven days

Prints one JSON line per figure. The standard set: ten measures in total, by product, by region of destination, by hour
of release and by city pair, medians and ninth deciles, from journeys in memory to frames. CPU seconds stand beside wall
seconds, because other work on the machine shows in the latter only.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time

import numpy as np
import polars as pl

from postroad.events.journeys import Journeys
from postroad.measure import STANDARD, build_dims, measure, measure_sql, tally

N_CITY, N_PAIR, N_PROD = 372, 133_150, 2
GROUPS = ((), ("product",), ("destination_region",), ("release_hour",), ("pair",))
QUANTILES = ("total_p50_h", "total_p90_h")


def make_tables() -> dict[str, pl.DataFrame]:
    """Places and facilities of a made-up nation of 372 cities."""
    regions = ("east", "centre", "west")
    provinces = [(f"P{k}", "CN", "province", regions[k % 3], 0) for k in range(31)]
    cities = [(f"C{k:03}", f"P{k % 31}", "city", None, 3_000_000) for k in range(N_CITY)]
    rows = [("CN", None, "country", "other", 0), *provinces, *cities]
    places = pl.DataFrame(rows, schema=["place_id", "parent_id", "kind", "region", "population"], orient="row")
    places = places.with_columns(name=pl.col("place_id"), name_en=pl.col("place_id"))
    return {
        "places": places,
        "facilities": pl.DataFrame({"facility_id": [row[0] for row in cities], "place_id": [row[0] for row in cities]}),
    }


def make_journeys(n_rows: int) -> Journeys:
    """Rows in the order of a flow run: by day, hour, product and pair."""
    rng = np.random.default_rng(7)
    pairs = np.sort(rng.choice(N_CITY**2, N_PAIR, replace=False)).astype(np.int32)
    block, pair = np.divmod(np.arange(n_rows, dtype=np.int32), N_PAIR)
    accepted = (block // N_PROD * 60).astype(np.int32)
    instants = [accepted]
    for low, high in ((120, 900), (200, 3600), (120, 900), (30, 400)):
        instants.append(instants[-1] + rng.integers(low, high, n_rows, dtype=np.int32))
    _, left, reached, out, ended = instants
    lost = rng.integers(0, 1000, n_rows, dtype=np.int16) > 995
    return Journeys(
        origin_idx=pairs[pair] // N_CITY,
        destination_idx=pairs[pair] % N_CITY,
        product_idx=(block % N_PROD).astype(np.int8),
        n_items=rng.integers(1, 400, n_rows, dtype=np.int32),
        accepted_min=accepted,
        left_origin_min=left,
        reached_dest_min=reached,
        out_min=out,
        ended_min=ended,
        promise_min=accepted + np.int32(4320),
        outcome=lost.astype(np.int8),
        n_attempts=np.ones(n_rows, np.int8),
    )


def clock(work, repeats: int = 3) -> tuple[float, float]:
    """Median wall seconds and median CPU seconds of several calls."""
    walls, cpus = [], []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return round(statistics.median(walls), 3), round(statistics.median(cpus), 3)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=float, default=1e7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-sql", action="store_true")
    options = parser.parse_args()
    tables = make_tables()
    dims = build_dims(tuple(tables["facilities"]["facility_id"]), ("express", "standard"), tables)
    tally(make_journeys(1000), dims)
    journeys = make_journeys(int(options.rows))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def standard() -> None:
        summary = tally(journeys, dims, threads=options.threads)
        for by in GROUPS:
            measure(summary, dims, STANDARD, by)
        measure(summary, dims, QUANTILES, "product")

    wall, cpu = clock(standard)
    tally_wall, tally_cpu = clock(lambda: tally(journeys, dims, threads=options.threads))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    figure = {"figure": "measures_standard_set", "rows": len(journeys), "threads": options.threads}
    figure |= {"wall_s": wall, "cpu_s": cpu, "tally_wall_s": tally_wall, "tally_cpu_s": tally_cpu}
    print(json.dumps(figure | {"extra_mib": round((peak - before) / 1024)}))
    if not options.no_sql:
        _, sql_cpu = clock(lambda: [measure_sql(journeys, dims, STANDARD, by) for by in GROUPS], 1)
        ratio = round(sql_cpu / cpu, 1)
        print(json.dumps({"figure": "measures_against_sql", "rows": len(journeys), "cpu_s": sql_cpu, "ratio": ratio}))


if __name__ == "__main__":
    main()
