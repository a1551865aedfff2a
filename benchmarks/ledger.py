"""How fast a run's events become a ledger, how large it is, and how fast one item is found in it.

    python benchmarks/ledger.py                  # 1.245 million items, 14 million events
    python benchmarks/ledger.py --items 1e5

Prints one JSON line per figure. Beside ours stand a bare Parquet file of the same rows, written in the same process,
and DuckDB's look-up of the same item in the same segments. CPU seconds stand beside wall seconds, because other work on
the machine shows in the latter only.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from postroad.ledger import Ledger, RunNames, events_from_trace, items_from_trace
from postroad.twin.result import TRACE_KINDS

N_FAC, N_TRIP, N_DAYS = 3350, 120_000, 10
N_LOOKUPS = 300


def make_trace(n_items: int, seed: int = 7) -> SimpleNamespace:
    """Histories of about eleven rows: accepted, screened, sorted, one to three hops, one or two attempts to deliver."""
    rng = np.random.default_rng(seed)
    n_hops = rng.integers(1, 4, n_items)
    has_failed = rng.random(n_items) < 0.12
    lengths = 3 + 3 * n_hops + 2 + 2 * has_failed
    starts = np.cumsum(lengths) - lengths
    item = np.repeat(np.arange(n_items, dtype=np.int32), lengths)
    step = np.arange(len(item)) - starts[item]
    last = 3 + 3 * n_hops[item]
    names = {name: place for place, name in enumerate(TRACE_KINDS)}
    head = [names[name] for name in ("accepted", "screened", "sorted")]
    hop = [names[name] for name in ("departed", "arrived", "sorted")]
    tail = [names[name] for name in ("out_for_delivery", "attempt_failed", "out_for_delivery", "delivered")]
    ends = np.where(has_failed[item], 0, 2) + step - last
    kind = np.where(step < 3, np.array(head)[step % 3], np.array(hop)[step % 3])
    kind = np.where(step >= last, np.array(tail)[np.clip(ends, 0, 3)], kind).astype(np.int8)
    gaps = rng.integers(0, 300, len(item))
    gaps[starts] = 0
    passed = np.cumsum(gaps)
    accepted = rng.integers(0, 1440, n_items).astype(np.int32)
    minute = (accepted[item] + passed - passed[starts][item]).astype(np.int32)
    visited = rng.integers(0, N_FAC, (n_items, 4)).astype(np.int32)
    facility = visited[item, np.clip((step - 1) // 3, 0, n_hops[item])]
    is_move = (kind == hop[0]) | (kind == hop[1])
    departure = np.where(is_move, rng.integers(0, N_TRIP * N_DAYS, len(item)), -1).astype(np.int32)
    order = np.argsort(minute, kind="stable")
    return SimpleNamespace(
        item=np.sort(rng.choice(1_200_000_000, n_items, replace=False)).astype(np.int64),
        item_origin=visited[:, 0],
        item_destination=visited[np.arange(n_items), n_hops],
        item_product=rng.integers(0, 2, n_items).astype(np.int8),
        item_accepted_min=accepted,
        item_promise_min=accepted + np.int32(4320),
        row_item=item[order],
        row_kind=kind[order],
        row_min=minute[order],
        row_facility=facility[order],
        row_departure=departure[order],
    )


def make_names() -> RunNames:
    """A made-up nation's ids."""
    return RunNames(
        run_digest="benchmark",
        epoch=datetime(2025, 11, 10, 16, tzinfo=UTC),
        country="CN",
        trace_kinds=TRACE_KINDS,
        facility_ids=[f"{100000 + 7 * number}-C" for number in range(N_FAC)],
        product_ids=["express", "standard"],
        trip_of_departure=np.tile(np.arange(N_TRIP, dtype=np.int32), N_DAYS),
        trip_ids=[f"T{number % 40_000:06}-{number // 40_000:02}" for number in range(N_TRIP)],
    )


def clock(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def tell(figure: str, value: float, unit: str, bar: str = "", holds: bool | None = None, **rest: object) -> None:
    """Print one figure."""
    line = {"figure": figure, "value": round(value, 2), "unit": unit, "bar": bar, "holds": holds}
    print(json.dumps(line | {"command": "python benchmarks/ledger.py"} | rest), flush=True)


def write_bare(table: pa.Table, path: Path) -> None:
    """The same rows as one Parquet file with pyarrow's defaults, no ids checked, nothing sorted."""
    pq.write_table(table, path)


def measure_lookups(ledger: Ledger, items: list[str]) -> tuple[list[float], list[float], float]:
    """Milliseconds of each look-up, with footers unread and read before; and DuckDB's median over the same files."""
    ledger.query("SELECT 1")
    runs = []
    for _ in range(2):
        times = []
        for item in items:
            start = time.perf_counter()
            ledger.history(item)
            times.append(1000 * (time.perf_counter() - start))
        runs.append(times)
    peer = [1000 * clock(lambda item=item: ledger.events("item_id = ?", (item,)))[0] for item in items[:20]]
    return runs[0], runs[1], statistics.median(peer)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=float, default=1_245_000)
    options = parser.parse_args()
    names = make_names()
    with tempfile.TemporaryDirectory() as folder:
        # The kernels are compiled by a small run first.
        warm = Ledger.create(Path(folder) / "warm")
        warm.append(events_from_trace(make_trace(100), names))
        trace = make_trace(int(options.items))
        base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        kept = {}
        convert, convert_cpu = clock(lambda: kept.update(events=events_from_trace(trace, names)))
        events = kept["events"]
        ledger = Ledger.create(Path(folder) / "ledger", timezone="Asia/Shanghai", epoch=names.epoch)
        append, append_cpu = clock(lambda: ledger.append(events))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        bare, _ = clock(lambda: write_bare(events, Path(folder) / "bare.parquet"))
        n_rows, is_full = len(ledger), options.items >= 1_245_000
        cpu = {"rows": n_rows, "cpu_s": round(convert_cpu + append_cpu, 2)}
        total = convert + append
        tell("ledger_convert_and_append_s", total, "s", "<= 12", total <= 12 if is_full else None, **cpu)
        tell("ledger_append_rows_per_s", n_rows / append, "rows/s", peer_bare_parquet=round(n_rows / bare))
        tell("ledger_peak_gib", peak / 2**20, "GiB", "<= 4", peak / 2**20 <= 4, before_gib=round(base / 2**20, 2))
        size = sum(path.stat().st_size for path in ledger.folder.rglob("*"))
        peer_size = (Path(folder) / "bare.parquet").stat().st_size / n_rows
        per_row = size / n_rows
        tell("ledger_bytes_per_row", per_row, "bytes", "<= 64", per_row <= 64, peer_bare_parquet=round(peer_size, 2))
        again, _ = clock(lambda: ledger.append(events))
        tell("ledger_append_again_s", again, "s", rows=n_rows)
        records = items_from_trace(trace, names)
        ledger.append_items(records)
        chosen = np.random.default_rng(1).choice(len(records), N_LOOKUPS)
        cold, read, peer = measure_lookups(ledger, records["item_id"].take(pa.array(chosen)).to_pylist())
        p50, p99 = statistics.median(read), float(np.quantile(read, 0.99))
        tell("ledger_lookup_p50_ms", p50, "ms", "<= 20", p50 <= 20, p99=round(p99, 2), peer_duckdb=round(peer, 2))
        tell("ledger_lookup_first_p99_ms", float(np.quantile(cold, 0.99)), "ms", rows=n_rows)
        verify, _ = clock(ledger.verify)
        tell("ledger_verify_s", verify, "s", rows=n_rows)


if __name__ == "__main__":
    main()
