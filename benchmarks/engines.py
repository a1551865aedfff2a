"""Every measure on DuckDB, PostgreSQL and Spark, over one ledger of simulated events: equal, and what each takes.

    python benchmarks/engines.py                     # 100 million events; two hours, 50 GB of disk
    python benchmarks/engines.py --events 4e6        # a few minutes
    python benchmarks/engines.py --engines duckdb,spark

Items travel through 3,350 facilities in 372 cities with about eleven events each; the ledger holds their events, their
records, and a flow record for each, from which journeys are read. DuckDB and Spark read the ledger's segments;
PostgreSQL is loaded by the same append first. Spark runs on two executors of their own (``local-cluster[2,1,2048]``).
Each engine answers in a process of its own; memory is the most that it and what it started held at one instant (shared
pages counted once). Prints JSON lines with ``figure``, ``value``, ``unit``, ``bar`` and ``holds``. Run it alone on the
machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from kit.postgres import make_database, running_postgres
from kit.spark import MASTER, running_spark
from ledger import N_FAC, make_names, make_trace
from measure import N_CITY, make_tables
from postroad.events.journeys import Journeys
from postroad.ledger import Ledger, events_from_trace, flows_from_journeys, items_from_trace
from postroad.measure import Dims, build_dims, measure, measures
from postroad.measure.engines import DuckEngine
from postroad.twin.result import TRACE_KINDS

ENGINES = ("duckdb", "postgres", "spark")
EVENTS_AN_ITEM = 11.24
PART_ITEMS = 1_000_000
LOAD_ROWS = 1_000_000
GROUPS = ((), ("product", "scope"), ("destination_region", "release_day"), ("pair",), ("origin_facility",))
OF_JOURNEYS = [one.name for one in measures().values() if one.is_of_journeys]
OF_EVENTS = (
    "SELECT kind, COUNT(*) AS n, COUNT(DISTINCT item_id) AS n_items FROM events GROUP BY kind",
    "SELECT facility_id, kind, COUNT(*) AS n FROM events WHERE trip_id IS NOT NULL GROUP BY facility_id, kind",
    "SELECT k.stage, COUNT(*) AS n FROM events AS e JOIN kinds AS k ON k.kind = e.kind GROUP BY k.stage",
)


def tell(figure: str, value: float, unit: str, bar: float | None = None, holds: bool | None = None, **rest) -> None:
    """Print one figure."""
    line = {"figure": figure, "value": round(value, 3), "unit": unit, "bar": bar, "holds": holds}
    print(json.dumps(line | {"command": "python benchmarks/engines.py"} | rest), flush=True)


def make_dims() -> Dims:
    """The made-up nation: facilities spread over cities in turn."""
    places = make_tables()["places"]
    cities = [f"C{number % N_CITY:03}" for number in range(N_FAC)]
    facilities = pl.DataFrame({"facility_id": make_names().facility_ids, "place_id": cities})
    return build_dims(
        facilities["facility_id"].to_list(), make_names().product_ids, {"places": places, "facilities": facilities}
    )


def journeys_of(trace: SimpleNamespace) -> Journeys:
    """A journey of each item, from its history."""
    n_items = len(trace.item)

    def last(kind: str) -> np.ndarray:
        minutes = np.full(n_items, -1, np.int32)
        chosen = trace.row_kind == TRACE_KINDS.index(kind)
        np.maximum.at(minutes, trace.row_item[chosen], trace.row_min[chosen])
        return minutes

    left = np.full(n_items, np.iinfo(np.int32).max, np.int32)
    departed = trace.row_kind == TRACE_KINDS.index("departed")
    np.minimum.at(left, trace.row_item[departed], trace.row_min[departed])
    failed = np.bincount(trace.row_item[trace.row_kind == TRACE_KINDS.index("attempt_failed")], minlength=n_items)
    return Journeys(
        origin_idx=trace.item_origin, destination_idx=trace.item_destination, product_idx=trace.item_product,
        n_items=np.ones(n_items, np.int32), accepted_min=trace.item_accepted_min, left_origin_min=left,
        reached_dest_min=last("arrived"), out_min=last("out_for_delivery"), ended_min=last("delivered"),
        promise_min=trace.item_promise_min, outcome=np.zeros(n_items, np.int8), n_attempts=(1 + failed).astype(np.int8),
    )  # fmt: skip


def fill(folder: Path, n_items: int) -> int:
    """Make the ledger, part by part; the events it holds."""
    names = make_names()
    with Ledger.create(folder, timezone="Asia/Shanghai", epoch=names.epoch) as ledger:
        for number, start in enumerate(range(0, n_items, PART_ITEMS)):
            trace = make_trace(min(PART_ITEMS, n_items - start), seed=number)
            trace.item = start + np.arange(len(trace.item), dtype=np.int64)
            shift = 1440 * (number % 3)  # days on which items are released
            for instants in (trace.item_accepted_min, trace.item_promise_min, trace.row_min):
                instants += np.int32(shift)
            ledger.append(events_from_trace(trace, names))
            ledger.append_items(items_from_trace(trace, names))
            ledger.append_flows(flows_from_journeys(journeys_of(trace), names.facility_ids, names.product_ids))
        ledger.seal()
        return len(ledger)


def load_postgres(folder: Path, text: str) -> float:
    """Append what the folder holds to PostgreSQL; seconds."""
    from postroad.ledger.postgres.store import PostgresLedger

    source = Ledger(folder)
    seen, start = source.snapshot(), time.perf_counter()
    with PostgresLedger.create(text, timezone="Asia/Shanghai", epoch=source.about.epoch) as ledger:
        for stream, append in (
            ("events", ledger.append),
            ("items", ledger.append_items),
            ("flows", ledger.append_flows),
        ):
            for path in seen.paths(stream):
                table = pl.read_parquet(path).to_arrow(compat_level=pl.CompatLevel.oldest())
                for first in range(0, table.num_rows, LOAD_ROWS):
                    append(table.slice(first, LOAD_ROWS))
        spent = time.perf_counter() - start
        size = ledger.query("SELECT pg_database_size(current_database()) AS n")["n"].item()
        tell("bytes an event in PostgreSQL, items and flows with it", size / len(ledger), "bytes")
    return spent


def answer(engine_name: str, folder: Path, text: str, to: Path) -> None:
    """Ask one engine everything, keep what it says, print how long it took."""
    dims, ledger = make_dims(), Ledger(folder)
    with ExitStack() as stack:
        if engine_name == "duckdb":
            store, engine = ledger, stack.enter_context(DuckEngine(ledger, dims))
        elif engine_name == "postgres":
            from postroad.ledger.postgres.store import PostgresLedger
            from postroad.measure.postgres import PostgresEngine

            store = stack.enter_context(PostgresLedger(text))
            engine = stack.enter_context(PostgresEngine(store, dims))
        else:
            from postroad.ledger.spark.store import SparkLedger
            from postroad.measure.spark import SparkEngine

            plain = {"spark__driver__extraJavaOptions": "", "spark__executor__extraJavaOptions": "",
                     "spark__sql__adaptive__enabled": "true", "spark__sql__shuffle__partitions": "16"}  # fmt: skip
            session = stack.enter_context(running_spark(MASTER, **plain))
            store = stack.enter_context(SparkLedger(folder, session))
            engine = stack.enter_context(SparkEngine(store, dims))
        start = time.perf_counter()
        for number, by in enumerate(GROUPS):
            measure(engine, dims, OF_JOURNEYS, by).write_ipc(to / f"measures{number}.arrow")
        measured = time.perf_counter() - start
        start = time.perf_counter()
        for number, sql in enumerate(OF_EVENTS):
            found = store.query(sql)
            found.sort(found.columns).write_ipc(to / f"events{number}.arrow")
        counted = time.perf_counter() - start
    print(json.dumps({"measures_s": measured, "events_s": counted}))


class Memory(threading.Thread):
    """Watches how much memory processes and all that they start hold, by their share of what is shared."""

    def __init__(self, roots: list[int]) -> None:
        super().__init__(daemon=True)
        self._roots, self._done, self.most_gib = roots, threading.Event(), 0.0

    def run(self) -> None:
        """Look twice a second."""
        while not self._done.wait(0.5):
            total = sum(held_kib(pid) for pid in family(self._roots))
            self.most_gib = max(self.most_gib, total / 2**20)

    def stop(self) -> float:
        """The most that was held, GiB."""
        self._done.set()
        self.join()
        return self.most_gib


def family(roots: list[int]) -> set[int]:
    """Processes and all that descend from them."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found, n_before = set(roots), -1
    while len(found) > n_before:
        n_before = len(found)
        found |= {pid for pid, parent in parents.items() if parent in found}
    return found


def held_kib(pid: int) -> int:
    """Memory of a process, shared pages by its share; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def ask(engine: str, folder: Path, text: str, to: Path, roots: list[int]) -> None:
    """Have a process of its own ask an engine; print what it took."""
    to.mkdir()
    command = [sys.executable, __file__, "--answer", engine, "--folder", str(folder), "--to", str(to), "--text", text]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        memory = Memory([process.pid, *roots])
        memory.start()
        said, _ = process.communicate()
        most = memory.stop()
    if process.returncode:
        sys.exit(f"{engine} failed")
    took = json.loads(said.splitlines()[-1])
    tell(f"every measure by {len(GROUPS)} groupings, {engine}", took["measures_s"], "s", memory_gib=round(most, 2))
    tell(f"{len(OF_EVENTS)} counts over all events, {engine}", took["events_s"], "s")


def compare(root: Path, engines: list[str], n_events: int) -> bool:
    """Whether all answers are the same to the last digit."""
    n_values, n_odd = 0, 0
    for path in sorted((root / engines[0]).glob("*.arrow")):
        first = pl.read_ipc(path)
        n_values += first.height * sum(kind.is_numeric() for kind in first.dtypes)
        for other in engines[1:]:
            second = pl.read_ipc(root / other / path.name)
            if not second.equals(first):
                n_odd += 1
                print(f"{path.name}: {engines[0]} and {other} differ", file=sys.stderr)
    tell("answers that differ between engines", n_odd, "frames", 0, n_odd == 0,
         engines=engines, values=n_values, events=n_events)  # fmt: skip
    return n_odd == 0


def main() -> None:
    """Fill, load, ask, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=float, default=1e8)
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--parent", type=Path, help="where the ledger and the server lie; the temporary folder if not")
    for hidden in ("--answer", "--folder", "--to", "--text"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.answer:
        answer(options.answer, Path(options.folder), options.text, Path(options.to))
        return
    engines = options.engines.split(",")
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=options.parent)))
        start = time.perf_counter()
        n_events = fill(root / "ledger", max(int(options.events / EVENTS_AN_ITEM), 1000))
        tell("ledger of simulated events", time.perf_counter() - start, "s", events=n_events)
        text, roots = "-", {}
        if "postgres" in engines:
            cluster = stack.enter_context(running_postgres(buffers="2GB", parent=options.parent))
            text = make_database(cluster.owner)
            spent = load_postgres(root / "ledger", text)
            tell("load to PostgreSQL, with items and flows", n_events / spent, "events/s", seconds=round(spent, 1))
            roots["postgres"] = [int((cluster.folder / "data" / "postmaster.pid").read_text().split()[0])]
        for engine in engines:
            ask(engine, root / "ledger", text, root / engine, roots.get(engine, []))
        is_equal = compare(root, engines, n_events)
    sys.exit(0 if is_equal else 1)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONPATH", str(Path(__file__).parents[1] / "src"))
    main()
