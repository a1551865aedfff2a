"""``postroad track``, ``measure`` and ``report``: what a kept run can tell."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from postroad.cli.options import BaseMapFile, By, MapNotice
from postroad.cli.shell import Shell
from postroad.ledger.screen import write_screen
from postroad.ledger.tracking import newest_run
from postroad.measure.registry import STANDARD, measures
from postroad.report.basemap import read_base_map
from postroad.report.export import write_tables, write_workbook
from postroad.report.run import write_report
from postroad.report.text import LABEL_TEXTS, format_value
from postroad.study.reporting import describe_run
from postroad.study.run import open_run, track_item

__all__ = ["measure", "report", "track", "write_measures"]

RUNS = Path("runs")
REPORT = "report.html"

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run, such as runs/peak.")]


def track(
    shell: Shell,
    item_id: Annotated[str, typer.Argument(metavar="ID", help="Number of an item.")],
    run: Annotated[
        Path | None, typer.Option("--run", help="Folder of a run; the newest below runs when left out.")
    ] = None,
) -> None:
    """Show the history of one item as a tracking page does, the newest first."""
    tracking = track_item(run or newest_run(RUNS), item_id)
    if shell.json:
        shell.write_json(tracking.record())
    else:
        shell.write(write_screen(tracking, shell.language).rstrip("\n"))


def measure(
    shell: Shell,
    run: RunFolder,
    names: Annotated[
        list[str] | None, typer.Argument(help="Registered measures; the usual ones when left out.")
    ] = None,
    by: By = None,
) -> None:
    """Measure a run, by groups when asked: time, promises kept, load, cost, carbon.

    docs/reference/measures.md lists the measures and what each can be grouped by.
    """
    write_measures(shell, open_run(run).measure(names or STANDARD, by or ()))


def write_measures(shell: Shell, frame: pl.DataFrame) -> None:
    """Write a frame of measures: as it is in JSON, with titles and units on a screen."""
    if shell.json:
        shell.write_json(frame.to_dicts())
        return
    groups = [name for name in frame.columns if name not in ("measure", "value", "n_items", "unit", "label")]
    titles = {name: shell.pick(one.title_en, one.title_zh) for name, one in measures().items()}
    columns = {
        **{name: name for name in groups},
        "measure": shell.pick("measure", "指标"),
        "value": shell.pick("value", "数值"),
        "items": shell.pick("items behind it", "对应件数"),
        "label": shell.pick("label", "性质"),
    }
    shell.write_table(columns, _rows(shell, frame, groups, titles))


def _rows(shell: Shell, frame: pl.DataFrame, groups: list[str], titles: dict[str, str]) -> Iterable[tuple]:
    for row in frame.iter_rows(named=True):
        value = format_value(row["value"], row["unit"], shell.language)
        label = LABEL_TEXTS[row["label"]][0].get(shell.language)
        yield (*(row[name] for name in groups), titles[row["measure"]], value, row["n_items"], label)


def report(
    shell: Shell,
    run: RunFolder,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="The page; in the run's folder when left out.")
    ] = None,
    tables: Annotated[
        Path | None, typer.Option("--tables", metavar="DIR", help="Write every table as CSV, and all as one workbook.")
    ] = None,
    xlsx: Annotated[
        Path | None, typer.Option("--xlsx", metavar="FILE", help="Write all tables as one workbook.")
    ] = None,
    base_map: BaseMapFile = None,
    map_notice: MapNotice = "",
) -> None:
    """Draw the report of a run again: one self-contained page, and its tables as CSV and Excel when asked."""
    outlines = read_base_map(base_map, map_notice) if base_map is not None else None
    with shell.progress() as progress:
        progress.stage("open")
        opened = open_run(run, beside=True)
        progress.stage("report")
        data = describe_run(opened, base_map=outlines)
        page = write_report(data, to or run / REPORT)
        written = write_tables(data, tables) if tables is not None else []
        if xlsx is not None:
            written.append(write_workbook(data, xlsx))
    if shell.json:
        shell.write_json({"report": page, "tables": written})
    else:
        shell.write("\n".join(str(path) for path in (page, *written)))
