"""Measure the embedded ledger with many events in it: durable appends, sealing, look-ups, bytes a row.

    python benchmarks/ledger_store.py                    # 100 million events, about ten minutes, 6 GB of disk
    python benchmarks/ledger_store.py --events 4e6

Events have 16 columns with what scanners send: random ids, items of eleven events over three periods, bags, trips,
facilities, operators, a sender's code on a third of them. Appends stand beside a bare log: the same batches as Arrow
streams written to one file and synced one by one, and, with ``--peers``, beside DuckDB's own table with a primary key
and beside PostgreSQL: by plain COPY into one table with a primary key, and by our store in it, each batch committed.
Prints JSON lines with ``figure``, ``value``, ``unit``, ``bar`` and ``holds``. Run it alone on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from kit.postgres import make_database, running_postgres
from postroad.events.columns import schema
from postroad.events.kinds import kinds
from postroad.ledger.store import Ledger

PART = 4_000_000
"""Events of one period. An item has its events in three periods that follow one another."""
EVENTS_AN_ITEM, PERIODS = 11, 3
START_US = 1_762_819_200_000_000
PERIOD_US = 3_600_000_000
COMMON = [
    "accepted",
    "screened",
    "sorted",
    "bagged",
    "loaded",
    "departed",
    "arrived",
    "unloaded",
    "unbagged",
    "out_for_delivery",
    "delivered",
]
BARS = {1000: 0.6, 100_000: 0.4}
N_LOOKUPS = 3000


def tell(figure: str, value: float, unit: str, bar: float | None = None, holds: bool | None = None, **rest) -> None:
    """Print one figure."""
    line = {"figure": figure, "value": round(value, 4), "unit": unit, "bar": bar, "holds": holds}
    print(json.dumps(line | {"command": "python benchmarks/ledger_store.py"} | rest), flush=True)


def item_names(numbers: np.ndarray) -> pa.Array:
    """Carrier numbers of 15 digits."""
    return pa.array(771_000_000_000_000 + numbers * 997).cast(pa.string())


def make_batch(n_rows: int, period: int, rng: np.random.Generator, is_coded: bool = False) -> pa.Table:
    """Events of one period; texts dictionary-encoded or plain."""
    a_period = PART // EVENTS_AN_ITEM
    item = np.maximum(period - rng.integers(0, PERIODS, n_rows), 0) * a_period + rng.integers(0, a_period, n_rows)
    occurred = START_US + period * PERIOD_US + rng.integers(0, PERIOD_US, n_rows)
    words = {
        "kind": (rng.integers(0, len(COMMON), n_rows), pa.array(COMMON), None),
        "unit_id": (rng.integers(0, 8000, n_rows), pa.array([f"BAG{period:05}{n:07}" for n in range(8000)]), 0.5),
        "trip_id": (rng.integers(0, 20_000, n_rows), pa.array([f"T{n:06}-{period:04}" for n in range(20_000)]), 0.4),
        "facility_id": (rng.integers(0, 3350, n_rows), pa.array([f"{100_000 + 7 * n}-C" for n in range(3350)]), None),
        "operator_id": (
            rng.integers(0, 8, n_rows),
            pa.array(["SF", "ZTO", "YTO", "STO", "YD", "JTSD", "JD", "EMS"]),
            None,
        ),
        "label": (np.zeros(n_rows, np.int64), pa.array(["measured"]), None),
    }
    columns = {
        "event_id": pa.array(rng.integers(0, 256, 16 * n_rows, np.uint8)).buffers()[1],
        "occurred_at": pa.array(occurred).cast(pa.timestamp("us", tz="UTC")),
        "recorded_at": pa.array(occurred + rng.integers(10**5, 6 * 10**7, n_rows)).cast(pa.timestamp("us", tz="UTC")),
        "item_id": item_names(item),
    }
    columns["event_id"] = pa.Array.from_buffers(pa.binary(16), n_rows, [None, columns["event_id"]])
    for name, (codes, texts, share) in words.items():
        mask = None if share is None else rng.random(n_rows) >= share
        coded = pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32), mask=mask), texts)
        columns[name] = coded if is_coded else coded.cast(pa.string())
    codes = pa.array(rng.integers(100, 130, n_rows)).cast(pa.string())
    kind = schema("events").field("raw").type
    texts = [codes, pa.nulls(n_rows, pa.string())]
    columns["raw"] = pa.StructArray.from_arrays(texts, fields=list(kind), mask=pa.array(rng.random(n_rows) >= 0.33))
    for field in schema("events"):
        columns.setdefault(field.name, pa.nulls(n_rows, field.type))
    return pa.table({name: columns[name] for name in schema("events").names})


def check_kinds() -> None:
    """The kinds used are of the closed list."""
    assert set(COMMON) <= set(kinds())


def fill(ledger: Ledger, n_events: int, rng: np.random.Generator) -> float:
    """Append so many events in large batches; the rows a second."""
    spent = 0.0
    for period in range(n_events // PART):
        table = make_batch(PART, period, rng, is_coded=True)
        start = time.perf_counter()
        receipt, _ = ledger.append(table)
        spent += time.perf_counter() - start
        assert receipt.n_appended == PART
    return n_events / spent


def append_bare(batches: list[pa.Table], path: Path) -> float:
    """Seconds to write each batch as an Arrow stream to one file and sync it."""
    handle = os.open(path, os.O_CREAT | os.O_WRONLY)
    start = time.perf_counter()
    for table in batches:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        os.write(handle, sink.getvalue())
        os.fsync(handle)
    spent = time.perf_counter() - start
    os.close(handle)
    path.unlink()
    return spent


def append_duckdb(batches: list[pa.Table], path: Path) -> float:
    """Seconds to insert each batch, in a transaction of its own, into a table with a primary key."""
    with duckdb.connect(str(path)) as database:
        database.register("batch", batches[0])
        database.execute("CREATE TABLE events AS SELECT * FROM batch LIMIT 0")
        database.execute("ALTER TABLE events ADD PRIMARY KEY (event_id)")
        start = time.perf_counter()
        for table in batches:
            database.register("batch", table)
            database.execute("INSERT INTO events SELECT * FROM batch")
        spent = time.perf_counter() - start
    path.unlink()
    return spent


def append_postgres(batches: list[pa.Table], text: str) -> dict[str, float]:
    """Seconds to commit each batch to PostgreSQL: by COPY into a table with a primary key, and to a ledger there."""
    from postroad.ledger.postgres.copying import copy_pieces, copy_statement
    from postroad.ledger.postgres.driver import psycopg
    from postroad.ledger.postgres.store import PostgresLedger

    with PostgresLedger.create(text) as ledger:
        ledger.append(batches[0])  # makes the partition of the day
        start = time.perf_counter()
        for table in batches[1:]:
            ledger.append(table)
        ours = (time.perf_counter() - start) * len(batches) / (len(batches) - 1)
    with psycopg.connect(text, autocommit=True) as connection:
        connection.execute("SET search_path TO postroad")
        connection.execute("CREATE TABLE peer (LIKE events, PRIMARY KEY (event_id))")
        start = time.perf_counter()
        for table in batches:
            with connection.cursor().copy(copy_statement("events").replace("COPY events", "COPY peer")) as copy:
                for piece in copy_pieces(table, "events"):
                    copy.write(piece)
        bare = time.perf_counter() - start
        connection.execute("DROP SCHEMA postroad CASCADE")
    return {"postgres_copy": bare, "postgres_ledger": ours}


def measure_appends(ledger: Ledger, folder: Path, period: int, rng: np.random.Generator, text: str) -> None:
    """Durable appends beside the bare log, turn by turn."""
    for n_rows, n_batches, n_turns in ((1000, 200, 7), (100_000, 6, 5)):
        ours, bare, peers = [], [], {}
        for turn in range(n_turns + 1):
            batches = [make_batch(n_rows, period, rng).combine_chunks() for _ in range(n_batches)]
            spent = append_bare(batches, folder / "bare.log")
            start = time.perf_counter()
            for table in batches:
                ledger.append(table)
            if turn:  # the first turn warms up
                ours.append(time.perf_counter() - start)
                bare.append(spent)
        if text:
            peers = {"duckdb": append_duckdb(batches, folder / "peer.duckdb"), **append_postgres(batches, text)}
        share = statistics.median(b / o for b, o in zip(bare, ours, strict=True))
        n_all = n_rows * n_batches
        rest = {"rows_per_s": round(n_all / statistics.median(ours)), "bare": round(n_all / statistics.median(bare))}
        rest |= {name: round(n_all / spent) for name, spent in peers.items()}
        tell(f"append of {n_rows} rows over a bare log", share, "share", BARS[n_rows], share >= BARS[n_rows], **rest)


def measure_lookups(ledger: Ledger, n_events: int, rng: np.random.Generator) -> None:
    """Full histories of items that have all their periods behind them."""
    last = (n_events // PART - PERIODS + 1) * (PART // EVENTS_AN_ITEM)
    names = item_names(rng.integers(0, max(last, 1), N_LOOKUPS)).to_pylist()
    times, n_found = [], 0
    for turn in range(2):
        for name in names:
            start = time.perf_counter()
            found = ledger.history(name)
            times.append(1000 * (time.perf_counter() - start))
            n_found += found.height
        if turn == 0:
            tell("look-up, first time, p99", float(np.quantile(times, 0.99)), "ms")
            times.clear()
    p50, p99 = statistics.median(times), float(np.quantile(times, 0.99))
    tell("look-up p50", p50, "ms", 1.0, p50 <= 1.0, events_an_item=round(n_found / N_LOOKUPS / 2, 1))
    tell("look-up p99", p99, "ms", 5.0, p99 <= 5.0)


def measure_sealing(folder: Path, rng: np.random.Generator) -> None:
    """Appends of 100,000 rows with sealing beside them, until all is sealed."""
    with Ledger.create(folder / "sealing") as ledger:
        ledger.append(make_batch(1000, 0, rng))
        ledger.seal()
        batches = [make_batch(100_000, n // 40, rng).combine_chunks() for n in range(80)]
        start = time.perf_counter()
        for table in batches:
            ledger.append(table)
        appended = time.perf_counter() - start
        ledger.seal()
        spent = time.perf_counter() - start
    rate = 8e6 / spent
    tell("append and seal, until all is sealed", rate, "rows/s", 1e6, rate >= 1e6, append_alone=round(8e6 / appended))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=float, default=1e8)
    parser.add_argument("--peers", action="store_true")
    options = parser.parse_args()
    check_kinds()
    n_events = max(int(options.events) // PART, 1) * PART
    rng = np.random.default_rng(7)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        text = ""
        if options.peers:
            text = make_database(stack.enter_context(running_postgres(buffers="1GB")).owner)
        with Ledger.create(folder / "ledger") as ledger:
            tell("large batches", fill(ledger, n_events, rng), "rows/s", events=n_events)
        size = sum(path.stat().st_size for path in (folder / "ledger").rglob("*")) / n_events
        tell("bytes a row, every file", size, "bytes", 64, size <= 64)
        with Ledger(folder / "ledger") as ledger:
            start = time.perf_counter()
            ledger.append(make_batch(1000, n_events // PART, rng))
            tell("open for writing", time.perf_counter() - start, "s")
            measure_lookups(ledger, n_events, rng)
            measure_appends(ledger, folder, n_events // PART, rng, text)
            tell("memory at most", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, "GiB")
        start = time.perf_counter()
        findings = Ledger(folder / "ledger").verify()
        tell("verify", time.perf_counter() - start, "s", holds=not findings.errors)
        measure_sealing(folder, rng)


if __name__ == "__main__":
    main()
