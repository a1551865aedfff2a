"""The command line run as a process, and trial verbs that fail in every way."""

import errno
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from postroad.cli.main import main
from postroad.cli.options import Seed
from postroad.cli.shell import Shell
from postroad.cli.verbs import Verb
from postroad.core.errors import InfeasibleError, LimitReached
from postroad.core.findings import Findings

TESTS = Path(__file__).parents[1]
TRIALS = tuple(Verb(name, "kit.cli", f"Trial {name}.") for name in ("fail", "show", "work", "wait", "pour"))


def run_cli(*words, trial=False, columns=100, cwd=None, **environment):
    """Run the command line in a process of its own and give what it did."""
    settings = {"PATH": os.environ["PATH"], "PYTHONPATH": str(TESTS), "COLUMNS": str(columns), "PYTHONUTF8": "1"}
    line = command_line(*words, trial=trial)
    return subprocess.run(line, capture_output=True, text=True, env=settings | environment, cwd=cwd)


def command_line(*words, trial=False):
    """Give the words that start the process."""
    start = ["-c", "from kit.cli import start_trial; start_trial()"] if trial else ["-m", "postroad"]
    return [sys.executable, *start, *words]


def start_trial():
    """Obey the process's words with the trial verbs."""
    sys.exit(main(verbs=TRIALS))


def fail(shell: Shell, how: str) -> None:
    """Fail as told."""
    findings = Findings()
    for row in range(2, 62):
        findings.add("PR-C020", table="trips", row=row, column="arrive", value="25:61")
    failures = {
        "findings": lambda: findings.raise_on_errors(),
        "infeasible": lambda: _raise(InfeasibleError("PR-C022", at="feed.toml", value="Asia/Atlantis")),
        "limit": lambda: _raise(LimitReached("PR-C050", value=-1)),
        "fault": lambda: {}["missing"],
        "disk": lambda: _raise(OSError(errno.ENOSPC, "No space left on device", "runs/peak")),
        "file": lambda: Path("/nowhere/at/all").read_text(),
        "memory": lambda: _raise(MemoryError()),
        "interrupt": lambda: _raise(KeyboardInterrupt()),
    }
    failures[how]()


def show(
    shell: Shell,
    title: Annotated[str, typer.Option("--title", help="The title.")] = "",
    seed: Seed = 7,
) -> int:
    """Show a table and end with exit code 3."""
    rows = [("杭州", np.int64(seed).item(), 1234567, 0.123456, None), ("Wuhan", 1, 2, 12345.6, True)]
    names = {"facility_id": "facility", "seed": "seed", "n_items": "items", "share": "share", "is_hub": "hub"}
    shell.write_table(names, rows, title=title)
    return 3


def work(shell: Shell) -> None:
    """Work through two stages."""
    with shell.progress() as progress:
        progress.stage("compile [network]", 3)
        for done in range(1, 4):
            progress.step(done, f"{done} tables")
        progress.stage("run")
        progress.step(5)
    shell.say("done")
    shell.write_json({"n": np.int32(3), "shares": np.array([0.5, 1.0])})


def wait(shell: Shell) -> None:
    """Work until interrupted."""
    with shell.progress() as progress:
        progress.stage("waiting")
        for done in range(3000):
            progress.step(done)
            time.sleep(0.01)


def pour(shell: Shell) -> None:
    """Write more than a reader wants."""
    for line in range(200_000):
        shell.write(f"line {line}")


def _raise(error):
    raise error
