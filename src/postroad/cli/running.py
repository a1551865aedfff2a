"""``postroad run``: run a scenario, tell what came of it, draw its report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from postroad.cli.options import BaseMapFile, Level, MapNotice, Seed, Seeds, Threads
from postroad.cli.outcome import outcome_data, write_outcome
from postroad.cli.shell import Shell
from postroad.core.errors import UsageError
from postroad.report.basemap import read_base_map
from postroad.report.run import write_report
from postroad.study.beside import simulate_beside
from postroad.study.reporting import describe_run
from postroad.study.run import simulate

__all__ = ["run"]

RUNS = Path("runs")
REPORT = "report.html"


def run(
    shell: Shell,
    scenario: Annotated[
        str, typer.Argument(help="A shipped scenario (peak, normal-2023, tiny …), a TOML file, or a run's folder.")
    ],
    seed: Seed = None,
    seeds: Seeds = 1,
    sample: Annotated[
        int | None, typer.Option("--sample", min=0, help="One item in so many gets its full history; 0: none.")
    ] = None,
    sample_pair: Annotated[
        list[str] | None,
        typer.Option("--sample-pair", metavar="A:B", help="Places between which every item gets its history."),
    ] = None,
    level: Level = None,
    to: Annotated[Path | None, typer.Option("--to", help="Folder of the run; runs/<scenario> when left out.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a folder that is there.")] = False,
    know_overlay: Annotated[
        bool, typer.Option("--know-overlay", help="Choose routes knowing the disruptions.")
    ] = False,
    plan: Annotated[
        Path | None, typer.Option("--plan", metavar="FOLDER", help="Follow a plan that postroad plan flow has made.")
    ] = None,
    threads: Threads = 2,
    base_map: BaseMapFile = None,
    map_notice: MapNotice = "",
    no_beside: Annotated[
        bool, typer.Option("--no-beside", help="Do not run what the report would show beside it.")
    ] = False,
    no_report: Annotated[bool, typer.Option("--no-report", help="Do not draw the report.")] = False,
) -> None:
    """Run a scenario until every item is delivered, returned or lost, and draw its report.

    The run is kept in a folder with its network, tables and ledger; track, measure, report and compare read it.
    """
    pairs = [_pair(text) for text in sample_pair or ()]
    outlines = read_base_map(base_map, map_notice) if base_map is not None else None
    folder = to or RUNS / Path(scenario).stem
    with shell.progress() as progress:
        made = simulate(
            scenario, seed=seed, seeds=seeds, sample=sample, sample_pairs=pairs, level=level, to=folder,
            replace_folder=replace, know_overlay=know_overlay, plan=plan, threads=threads, progress=progress,
        )  # fmt: skip
        if not no_beside:
            made = simulate_beside(made, threads=threads, progress=progress)
        progress.stage("report")
        data = describe_run(made, base_map=outlines)
        page = None if no_report else write_report(data, folder / REPORT)
    if shell.json:
        shell.write_json(outcome_data(made, data, page))
    else:
        write_outcome(shell, made, data, page)


def _pair(text: str) -> tuple[str, str]:
    """Two places with a colon between them."""
    origin, colon, destination = text.partition(":")
    if not (origin and colon and destination) or ":" in destination:
        raise UsageError("PR-X010", value=text)
    return origin, destination
