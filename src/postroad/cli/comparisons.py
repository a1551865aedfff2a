"""``postroad compare`` and ``sweep``: what a change did, and what a number does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from postroad.cli.options import By, Level, Seed, Seeds, Threads
from postroad.cli.shell import Shell
from postroad.core.errors import UsageError
from postroad.measure.registry import measures
from postroad.report.text import format_value
from postroad.study.comparison import compare as compare_runs
from postroad.study.pairing import COMPARED
from postroad.study.sweeps import sweep as sweep_number

__all__ = ["compare", "sweep"]

Measures = Annotated[
    list[str] | None, typer.Option("--measure", help="A registered measure; may be given more than once.")
]
Page = Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Write a page with charts as well.")]


def compare(
    shell: Shell,
    base: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run.")],
    other: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of the run held against it.")],
    measure: Measures = None,
    by: By = None,
    to: Page = None,
) -> None:
    """Hold two runs against one another: paired differences, the second minus the first."""
    comparison = compare_runs(base, other, measure or COMPARED)
    frame = comparison.differences(by or ())
    page = None if to is None else comparison.to_html(to)
    if shell.json:
        shell.write_json({"page": page, "differences": frame.to_dicts()})
        return
    shell.say(shell.pick(comparison.note.en, comparison.note.zh))
    groups = frame.columns[: frame.columns.index("measure")] if by else []
    columns = {name: name for name in groups} | {
        "measure": shell.pick("measure", "指标"),
        "base": str(base),
        "other": str(other),
        "difference": shell.pick("difference", "差值"),
        "interval": shell.pick("95 % interval", "95 % 区间"),
        "is_better": shell.pick("", ""),
    }
    if "low" not in frame.columns or frame["low"].null_count() == len(frame):
        del columns["interval"]
    shell.write_table(columns, [tuple(_row(shell, row, groups)[name] for name in columns) for row in frame.to_dicts()])
    if page is not None:
        shell.write(str(page))


def _row(shell: Shell, row: dict[str, object], groups: list[str]) -> dict[str, object]:
    """One difference as it is shown."""
    one, unit, language = measures()[str(row["measure"])], str(row["unit"]), shell.language
    difference = row["difference"]
    shown = {name: row[name] for name in groups} | {"measure": shell.pick(one.title_en, one.title_zh)}
    shown |= {name: format_value(row[name], unit, language) for name in ("base", "other")}
    span = "points" if unit == "share" else unit
    text = format_value(difference, span, language)
    shown["difference"] = f"+{text}" if difference is not None and difference > 0 else text
    bounds = [format_value(row.get(name), span, language) for name in ("low", "high")]
    shown["interval"] = "" if row.get("low") is None else " … ".join(bounds)
    shown["is_better"] = ""
    if row["better"] in ("lower", "higher") and any(digit in shown["difference"] for digit in "123456789"):
        is_better = (difference < 0) == (row["better"] == "lower")
        shown["is_better"] = shell.pick("better", "改善") if is_better else shell.pick("worse", "变差")
    return shown


def sweep(
    shell: Shell,
    scenario: Annotated[str, typer.Argument(help="A shipped scenario or a TOML file.")],
    set: Annotated[
        str,
        typer.Option(
            "--set",
            metavar="PATH=FROM:TO:STEP",
            help="The number and its values: demand.by, demand.to_items, beta, parameters.<id>, or <table>.<column> as "
            "a factor on every row; the values also as a,b,c.",
        ),
    ],
    measure: Measures = None,
    seed: Seed = None,
    seeds: Seeds = 1,
    level: Level = None,
    know_overlay: Annotated[
        bool, typer.Option("--know-overlay", help="Choose routes knowing the disruptions.")
    ] = False,
    threads: Threads = 2,
    to: Page = None,
) -> None:
    """Run a scenario over the values of one number: a table, and a page with a chart for each measure."""
    path, equals, values = set.partition("=")
    if not (path and equals and values):
        raise UsageError("PR-X011", value=set)
    with shell.progress() as progress:
        made = sweep_number(
            scenario, path, values, names=measure or COMPARED, seed=seed, seeds=seeds, level=level,
            know_overlay=know_overlay, threads=threads, progress=progress,
        )  # fmt: skip
    page = None if to is None else made.to_html(to)
    if shell.json:
        shell.write_json({"page": page, "path": made.setting.path, "points": made.points.to_dicts()})
        return
    titles = {name: shell.pick(one.title_en, one.title_zh) for name, one in measures().items()}
    shown = list(dict.fromkeys(made.points["measure"]))
    rows = [
        (x, *(_point(part, name, shell.language) for name in shown))
        for (x,), part in made.points.group_by("x", maintain_order=True)
    ]
    shell.write_table({"x": made.setting.path} | {name: titles[name] for name in shown}, rows)
    if page is not None:
        shell.write(str(page))


def _point(part: pl.DataFrame, name: str, language: str) -> str:
    """The value of a measure at one point, with half the width of its interval when there is one."""
    row = part.row(by_predicate=pl.col("measure") == name, named=True)
    value = format_value(row["value"], row["unit"], language)
    if row["low"] is None:
        return value
    return f"{value} ± {format_value(row['value'] - row['low'], row['unit'], language)}"
