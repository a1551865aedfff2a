"""How fast scans, waybill numbers and postal events are read.

    python benchmarks/intake.py                  # a million rows
    python benchmarks/intake.py --rows 1e5

Prints one JSON line per figure. Beside reading scans stands a bare read of the same file by Polars, every cell as text,
in the same process. CPU seconds stand beside wall seconds, because other work on the machine shows in the latter only.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from postroad.core.s10 import s10_from_serial
from postroad.exchange.tabular.mapping import load_mapping
from postroad.exchange.tabular.planning import plan_import
from postroad.exchange.tabular.scans import read_scans
from postroad.exchange.upu.emsevt import events_from_records
from postroad.exchange.waybills import recognise_column

CODES = {"收件": "accepted", "发件": "departed", "到件": "arrived", "派件": "out_for_delivery", "签收": "delivered"}
MAPPING = {
    "name": "bench",
    "time": {"zone": "Asia/Shanghai"},
    "columns": {"item_id": "运单号", "occurred_at": "扫描时间", "facility_id": "网点", "kind": "操作类型"},
    "kinds": CODES,
    "payload": ["重量"],
}


def make_scans(n_rows: int, seed: int = 7) -> pl.DataFrame:
    """Scans as a firm's system would export them, all cells text."""
    rng = np.random.default_rng(seed)
    seconds = pl.Series(rng.integers(0, 86_400, n_rows) + 1_762_790_400).cast(pl.Int64)
    return pl.DataFrame(
        {
            "运单号": [f"SF{number}" for number in rng.integers(10**12, 10**13, n_rows).tolist()],
            "扫描时间": (seconds * 1_000_000).cast(pl.Datetime("us")).dt.strftime("%Y-%m-%d %H:%M:%S"),
            "网点": [f"杭州{number}部" for number in rng.integers(0, 500, n_rows).tolist()],
            "操作类型": pl.Series(list(CODES)).gather(rng.integers(0, len(CODES), n_rows)),
            "重量": (rng.integers(1, 300, n_rows) / 10).astype(str),
        }
    )


def seconds_of(work: Callable[[], object], n_runs: int = 3) -> tuple[float, float]:
    """Median wall and CPU seconds."""
    wall, cpu = [], []
    for _ in range(n_runs):
        start, start_cpu = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - start_cpu)
    return statistics.median(wall), statistics.median(cpu)


def tell(what: str, n_rows: int, ours: tuple[float, float], peer: str = "", theirs: tuple | None = None) -> None:
    """Print one figure."""
    line = {"what": what, "rows": n_rows, "ours_s": round(ours[0], 3), "ours_cpu_s": round(ours[1], 3)}
    line["rows_per_s"] = round(n_rows / ours[0])
    if theirs is not None:
        line |= {"peer": peer, "peer_s": round(theirs[0], 3), "ratio": round(ours[0] / theirs[0], 2)}
    print(json.dumps(line), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=float, default=1e6)
    n_rows = int(parser.parse_args().rows)
    scans, mapping = make_scans(n_rows), load_mapping(MAPPING)
    with tempfile.TemporaryDirectory() as folder:
        for name, write in (("csv", scans.write_csv), ("parquet", scans.write_parquet)):
            path = Path(folder) / f"scans.{name}"
            write(path)
            peer = {"csv": lambda path=path: pl.read_csv(path, infer_schema=False)}.get(name)
            bare = ("polars.read_csv", seconds_of(peer)) if peer else ("", None)
            tell(f"scans from {name}", n_rows, seconds_of(lambda path=path: read_scans(path, mapping)), *bare)
        wide = Path(folder) / "gb.csv"
        wide.write_bytes(scans.write_csv().encode("gb18030"))
        tell("scans from csv in GB18030", n_rows, seconds_of(lambda: read_scans(wide, mapping)))
        csv = Path(folder) / "scans.csv"
        tell("dry run of csv", n_rows, seconds_of(lambda: plan_import(csv, mapping)))
    numbers = scans["运单号"]
    tell("waybill numbers", n_rows, seconds_of(lambda: recognise_column(numbers)))
    serials = np.arange(n_rows) % 10**8
    records = pl.DataFrame({"item_id": s10_from_serial("RB", serials)}).with_columns(
        pl.lit("EMD").alias("event"),
        (scans["扫描时间"].str.replace(" ", "T") + "+08:00").alias("event_at"),
        pl.lit("CNBJSA").alias("office"),
    )
    tell("postal events", n_rows, seconds_of(lambda: events_from_records(records)))


if __name__ == "__main__":
    main()
