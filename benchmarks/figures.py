"""Show the figures that must hold: each is measured by its own command, and one that does not hold fails the whole.

    python benchmarks/figures.py                  # all, about an hour
    python benchmarks/figures.py --only twin      # all figures of one group
    python benchmarks/figures.py --list

A command prints JSON lines with ``figure``, ``value``, ``unit``, ``bar`` and ``holds`` (null: shown for comparison).
Run it alone on the machine: other work shows in the times.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent

FIGURES = {
    "routing": [[f"{HERE}/routing.py"]],
    "twin": [[f"{HERE}/twin.py", "--only", part] for part in ("items", "day", "week", "county", "threads")],
    "demand": [[f"{HERE}/demand.py"], [f"{HERE}/demand.py", "--level", "county"]],
    "measure": [[f"{HERE}/measure.py"], [f"{HERE}/measure.py", "--rows", "7e7"]],
    "ledger": [[f"{HERE}/ledger.py"], [f"{HERE}/ledger_store.py", "--peers"]],
    "server": [[f"{HERE}/server.py"]],
    "engines": [[f"{HERE}/engines.py"]],
    "watch": [[f"{HERE}/watch.py", "--reruns", "200"], [f"{HERE}/board.py"]],
    "flow": [[f"{HERE}/flow.py"], [f"{HERE}/flow.py", "--limit", "900"], [f"{HERE}/reroute.py"], [f"{HERE}/surge.py"]],
    "peak": [[__file__, "--run-peak"]],
    "validation": [[__file__, "--validate"]],
}

RUN_BAR_S = 300.0


def tell(figure: str, value: float, unit: str, bar: float, holds: bool) -> None:
    """Print one figure."""
    print(json.dumps({"figure": figure, "value": value, "unit": unit, "bar": bar, "holds": holds}), flush=True)


def run_peak() -> None:
    """The main job, with the other network beside it and its report."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        command = [sys.executable, "-m", "postroad", "run", "peak", "--to", f"{folder}/peak"]
        subprocess.run(command, check=True, capture_output=True)
        wall = time.perf_counter() - start
        has_report = (Path(folder) / "peak" / "report.html").stat().st_size > 0
    tell("postroad run peak, report written", round(wall, 1), "s", RUN_BAR_S, wall <= RUN_BAR_S and has_report)


def validate() -> None:
    """The judged checks of the normal day of 2023."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "postroad", "validate", "--no-surge", "--json"]
        answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder)
    for row in json.loads(answer.stdout):
        if row["kind"] == "calibrated":
            tell(row["check_id"], row["modelled"], row["unit"], row["published"], row["verdict"] == "met")


def _cell(value: object) -> str:
    """A number in five digits; a text as it is; nothing for what is not said."""
    return f"{value:.5g}" if isinstance(value, int | float) else str(value or "")


def show(command: list[str]) -> bool:
    """Run one command, print its figures as a table; whether all of them hold."""
    good = True
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if not line.startswith("{"):
                continue
            row = json.loads(line)
            mark = {True: "holds", False: "FAILS", None: ""}[row.get("holds")]
            value = next((row[name] for name in ("value", "wall_s", "cpu_s") if name in row), None)
            bar, unit = row.get("bar"), row.get("unit", "s")
            print(f"{row['figure']:58} {_cell(value):>12} {unit:10} {_cell(bar):>10} {mark}", flush=True)
            good &= row.get("holds") is not False
    return good and process.returncode == 0


def main() -> None:
    """Run the groups asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=list(FIGURES))
    parser.add_argument("--list", action="store_true", help="print the commands")
    parser.add_argument("--run-peak", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--validate", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run_peak or options.validate:
        run_peak() if options.run_peak else validate()
        return
    commands = [command for name, group in FIGURES.items() if options.only in (None, name) for command in group]
    if options.list:
        print("\n".join("python " + " ".join(command).replace(f"{HERE}", "benchmarks") for command in commands))
        return
    print(f"{'figure':58} {'value':>12} {'unit':10} {'bar':>10}")
    n_bad = sum(not show(command) for command in commands)
    if n_bad:
        sys.exit(f"Not all figures hold: {n_bad} of {len(commands)} commands.")


if __name__ == "__main__":
    main()
