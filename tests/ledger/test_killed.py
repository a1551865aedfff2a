"""A writer that is killed at any moment, under load: nothing acknowledged is lost, nothing doubled."""

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from postroad.ledger.store import Ledger

WRITER = """
import sys
sys.path.insert(0, sys.argv[2])
from datetime import timedelta
from threading import Lock, Thread
from kit.ledger import NOW, START, make_event, make_frame, make_id
from postroad.ledger.store import Ledger

sitting, told = int(sys.argv[3]), Lock()
base = make_frame(*[make_event(row, "sorted", row) for row in range(50)])

def write(ledger, thread):
    import polars as pl
    for number in range(100_000):
        first = ((sitting * 4 + thread) * 100_000 + number) * 50
        ids = pl.Series("event_id", [make_id(first + row) for row in range(50)], dtype=pl.Binary)
        ledger.append(base.with_columns(ids), now=NOW)
        with told:
            print(first, flush=True)

with Ledger(sys.argv[1], segment_rows=2000, threads=1) as ledger:
    threads = [Thread(target=write, args=(ledger, number), daemon=True) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def run_and_kill(folder, sitting, seconds):
    """Have a process append as fast as it can, kill it after a while; the batches it had acknowledged."""
    tests = str(Path(__file__).parents[1])
    command = [sys.executable, "-c", WRITER, str(folder), tests, str(sitting)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        first = process.stdout.readline()
        time.sleep(seconds)
        process.kill()
        lines = [first, *process.stdout.read().splitlines(keepends=True)]
    return [int(line) for line in lines if line.endswith("\n")]


@pytest.mark.parametrize(
    "n_kills", [pytest.param(4, id="few"), pytest.param(200, id="two hundred", marks=pytest.mark.slow)]
)
def test_a_killed_writer_loses_nothing_acknowledged(tmp_path, n_kills):
    chance = random.Random(n_kills)
    folder = tmp_path / "ledger"
    Ledger.create(folder)
    wanted = set()
    for sitting in range(n_kills):
        told = run_and_kill(folder, sitting, chance.uniform(0, 0.5))
        assert told
        wanted |= {first + row for first in told for row in range(50)}
        reader = Ledger(folder)
        assert not reader.verify().errors
    with Ledger(folder) as ledger:
        ledger.seal()
        ids = ledger.query("SELECT event_id FROM events")["event_id"]
        assert not ledger.verify().errors
    with Ledger(folder) as ledger:
        ledger.seal()
        ids = ledger.query("SELECT event_id FROM events")["event_id"]
        assert not ledger.verify().errors
    found = Counter(int.from_bytes(name, "big") for name in ids)
    lost, doubled = wanted - set(found), [number for number, count in found.items() if count > 1]
    assert (len(lost), len(doubled)) == (0, 0)
    # What was written and not acknowledged is there as a whole batch or not at all.
    assert set(Counter(number // 50 for number in found).values()) == {50}
    print(f"{n_kills} kills, {len(wanted)} events acknowledged, {len(found)} kept")
