"""Measure the service over HTTP on loopback, server and client on one machine: appends, look-ups, both at once.

    python benchmarks/server.py                       # about four minutes; needs wrk (Debian: apt-get install wrk)
    python benchmarks/server.py --minutes 10          # both at once for ten minutes: is memory flat?

The client is wrk: one thread that sends batches of events that are all new, one that asks for random items. Prints JSON
lines with ``figure``, ``value``, ``unit``, ``bar`` and ``holds``. Run it alone on the machine.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from postroad.events.columns import schema
from postroad.guard.grants import Grant
from postroad.guard.keys import KeyRing
from postroad.ledger.store import Ledger
from postroad.service.desk import access_path

ROWS = 1000
N_ITEMS, EVENTS_AN_ITEM = 100_000, 11
LOOKUP_BAR, LATENCY_BAR_MS = 1000.0, 25.0
APPEND_BARS = {"arrow": 100_000.0, "json": 40_000.0}
CONTENT_TYPES = {"arrow": "application/vnd.apache.arrow.stream", "json": "application/json"}
KINDS = ("accepted", "screened", "sorted", "departed", "arrived", "sorted", "departed", "arrived", "sorted",
         "out_for_delivery", "delivered")  # fmt: skip
# What makes a request's events new stands in the template as a mark of eight characters.
MARK = "~~MARK~~"

APPEND_LUA = """
local file = assert(io.open("%(template)s", "rb"))
local parts, mark, n = {}, "%(mark)s", 0
local text = file:read("*a")
local start = 1
while true do
  local first, last = text:find(mark, start, true)
  if not first then break end
  parts[#parts + 1] = text:sub(start, first - 1)
  start = last + 1
end
parts[#parts + 1] = text:sub(start)
wrk.method = "POST"
wrk.headers["Content-Type"] = "%(content_type)s"
wrk.headers["Authorization"] = "Bearer %(key)s"
request = function()
  n = n + 1
  return wrk.format(nil, nil, nil, table.concat(parts, string.format("%%02x%%06x", %(run)d, n)))
end
%(delay)s
response = function(status, headers, body)
  local is_good = status == 200 and body:find('"n_appended":%(rows)d', 1, true)
  if not is_good then print("bad " .. status .. body:sub(1, 300)) end
end
"""
LOOKUP_LUA = """
wrk.headers["Authorization"] = "Bearer %(key)s"
math.randomseed(%(run)d)
request = function() return wrk.format("GET", string.format("/items/SF%%013d", math.random(0, %(items)d - 1))) end
"""


def tell(figure: str, value: float, unit: str, bar: float | None = None, holds: bool | None = None) -> None:
    """Print one figure."""
    line = {"figure": figure, "value": round(value, 4), "unit": unit, "bar": bar, "holds": holds}
    print(json.dumps(line | {"command": "python benchmarks/server.py"}), flush=True)


def make_events(first: int, names: list[str], ids: list[bytes]) -> pa.Table:
    """Events of items, as scanners send them."""
    begin = datetime(2025, 11, 10, tzinfo=UTC)
    rows = [
        {
            "event_id": event_id,
            "kind": KINDS[(first + place) % len(KINDS)],
            "occurred_at": begin + timedelta(hours=4 * ((first + place) % len(KINDS))),
            "recorded_at": begin + timedelta(hours=4 * ((first + place) % len(KINDS)), seconds=3),
            "item_id": name,
            "facility_id": f"F{(first + place) % 400:04d}",
            "operator_id": f"OP{place % 8}",
            "label": "measured",
        }
        for place, (name, event_id) in enumerate(zip(names, ids, strict=True))
    ]
    return pa.Table.from_pylist(rows, schema=schema("events"))


def fill(folder: Path) -> None:
    """A ledger of items with their whole history."""
    with Ledger.create(folder / "ledger") as ledger:
        for item in range(0, N_ITEMS, 10_000):
            names = [f"SF{item + k // EVENTS_AN_ITEM:013d}" for k in range(10_000 * EVENTS_AN_ITEM)]
            first = item * EVENTS_AN_ITEM
            ids = [(1 << 100 | first + k).to_bytes(16, "big") for k in range(len(names))]
            ledger.append(make_events(first, names, ids))
        ledger.seal()


def write_template(way: str, path: Path) -> None:
    """A request of ROWS events in which MARK stands where each must be new."""
    names = [f"ZT{MARK}{place:04d}" for place in range(ROWS)]
    table = make_events(0, names, [MARK.encode() + place.to_bytes(8, "big") for place in range(ROWS)])
    if way == "arrow":
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        path.write_bytes(sink.getvalue().to_pybytes())
        return
    rows = table.drop_columns(["event_id"]).to_pylist()
    records = []
    for place, row in enumerate(rows):
        record = {name: value for name, value in row.items() if value is not None}
        record |= {name: row[name].isoformat() for name in ("occurred_at", "recorded_at")}
        records.append(record | {"event_id": f"{MARK}-0000-4000-8000-{place:012x}"})
    path.write_text(json.dumps(records))


class Client:
    """wrk against one server."""

    def __init__(self, url: str, key: str, work: Path) -> None:
        self._url, self._key, self._work = url, key, work
        self._n = 0

    def start(self, script: str, path: str, seconds: float, connections: int) -> subprocess.Popen:
        """Send for some seconds."""
        self._n += 1
        file = self._work / f"{self._n}.lua"
        file.write_text(script)
        command = [
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{int(seconds)}s",
            "--latency",
            "-s",
            str(file),
            self._url + path,
        ]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def append(self, way: str, seconds: float, *, connections: int = 2, pause_ms: int = 0) -> subprocess.Popen:
        """Send batches, with a pause before each when asked."""
        template = self._work / f"{way}.template"
        if not template.exists():
            write_template(way, template)
        delay = f"delay = function() return {pause_ms} end" if pause_ms else ""
        script = APPEND_LUA % {
            "template": template, "mark": MARK, "content_type": CONTENT_TYPES[way], "key": self._key, "rows": ROWS,
            "run": self._n + 1, "delay": delay,
        }  # fmt: skip
        return self.start(script, "/events?brief=true" if way == "arrow" else "/events", seconds, connections)

    def look_up(self, seconds: float, connections: int = 8) -> subprocess.Popen:
        """Ask for random items."""
        return self.start(LOOKUP_LUA % {"key": self._key, "run": self._n, "items": N_ITEMS}, "", seconds, connections)


def read(process: subprocess.Popen) -> tuple[float, float, str]:
    """Requests a second, the 99th percentile in ms, and all that wrk said."""
    told, _ = process.communicate()
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", told)[1])
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", told).groups()
    if "bad " in told or "Non-2xx" in told:
        raise SystemExit(told)
    return rate, float(value) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[unit], told


def resident_mib(process: subprocess.Popen) -> float:
    """Memory of a process."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def measure(client: Client, server: subprocess.Popen, minutes: float) -> None:
    """Each alone, then both at once."""
    for way, bar in APPEND_BARS.items():
        read(client.append(way, 3))
        rate, p99, _ = read(client.append(way, 30))
        tell(f"append over HTTP, {way}, batches of {ROWS}", rate * ROWS, "events/s", bar, rate * ROWS >= bar)
        tell(f"append over HTTP, {way}, p99", p99, "ms")
    rate, p99, _ = read(client.look_up(20))
    tell("look-ups over HTTP alone", rate, "1/s")
    tell("look-ups over HTTP alone, p99", p99, "ms")
    memory = []
    begin = time.perf_counter()
    while not memory or time.perf_counter() - begin < 60 * minutes:
        # One batch of 1,000 each 20 ms, less what a batch takes: half the rate asked of appends alone.
        appending, asking = client.append("arrow", 30, connections=1, pause_ms=13), client.look_up(30, connections=8)
        (written, _, _), (rate, p99, _) = read(appending), read(asking)
        memory.append(resident_mib(server))
        tell("appends beside look-ups, arrow", written * ROWS, "events/s", 50_000.0, written * ROWS >= 50_000)
        tell("look-ups beside appends", rate, "1/s", LOOKUP_BAR, rate >= LOOKUP_BAR)
        tell("look-ups beside appends, p99", p99, "ms", LATENCY_BAR_MS, p99 <= LATENCY_BAR_MS)
        tell("memory of the server", memory[-1], "MiB")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=0.5, help="how long both go on at once")
    minutes = parser.parse_args().minutes
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing; on Debian: apt-get install wrk")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        fill(work / "service")
        ring = KeyRing(access_path(work / "service"))
        key = ring.make(Grant(role="operator"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "postroad", "serve", str(work / "service"), "--port", str(port), "--quiet"]
        url = f"http://127.0.0.1:{port}"
        with subprocess.Popen(command) as server:
            try:
                for _ in range(300):
                    time.sleep(0.1)
                    try:
                        urllib.request.urlopen(f"{url}/health").read()
                        break
                    except OSError:
                        continue
                measure(Client(url, key, work), server, minutes)
            finally:
                server.terminate()


if __name__ == "__main__":
    main()
