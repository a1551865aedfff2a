"""Write the golden screens anew and show what changed: ``python tests/cli/regenerate.py`` from the repository."""

from __future__ import annotations

import difflib
import io
import sys
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace

FOLDER = Path(__file__).parent / "golden"
sys.path.insert(0, str(FOLDER.parents[1]))

from kit.cli import run_cli  # noqa: E402
from kit.report_data import report_data  # noqa: E402
from postroad.cli.outcome import write_outcome  # noqa: E402
from postroad.cli.shell import Shell  # noqa: E402

WORDS = {
    "check-tiny": ("check", "tiny"),
    "show-tiny": ("show", "tiny"),
    "route-tiny": ("route", "Hangzhou", "武汉市", "--feed", "tiny", "--depart", "2025-11-11T20:00"),
    "route-tiny-pareto": ("route", "O-TLU", "Ezhou", "--feed", "tiny", "--depart", "2025-11-11T08:00", "--pareto"),
}
"""Screens that depend on the tiny feed only, by name: the words that make them."""

LANGUAGES = ("en", "zh")


def screen(name: str, language: str) -> str:
    """What a command prints on standard output."""
    return run_cli(*WORDS[name], "--lang", language).stdout


def outcome(language: str) -> str:
    """The screen after a run, of the made-up national run."""
    data = report_data()
    counts = {name: data.hourly[name].to_numpy() for name in ("created", "delivered", "returned", "lost", "in_custody")}
    run = SimpleNamespace(
        result=SimpleNamespace(counts=SimpleNamespace(**counts), n_hours=data.facts.n_hours),
        wall_s={"route": 10.4, "simulate": 21.0}, folder=Path("runs/peak"), scenario=None,
    )  # fmt: skip
    out = io.StringIO()
    with redirect_stdout(out):
        write_outcome(Shell(language=language), run, data, Path("runs/peak/report.html"))
    return out.getvalue()


def screens() -> dict[str, str]:
    """Every golden screen by the name of its file."""
    made = {f"{name}.{language}": screen(name, language) for name in WORDS for language in LANGUAGES}
    return made | {f"outcome.{language}": outcome(language) for language in LANGUAGES}


def main() -> None:
    """Write all screens and print the differences."""
    FOLDER.mkdir(exist_ok=True)
    for name, after in screens().items():
        path = FOLDER / f"{name}.txt"
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        sys.stdout.writelines(
            difflib.unified_diff(before.splitlines(True), after.splitlines(True), f"{name} before", f"{name} after")
        )
        path.write_text(after, encoding="utf-8")


if __name__ == "__main__":
    main()
