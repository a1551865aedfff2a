"""``postroad validate``: what the model says beside what was published."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from postroad.cli.options import Seed, Threads
from postroad.cli.shell import Shell
from postroad.report.text import TERMS
from postroad.study.run import open_or_simulate
from postroad.study.validation import NORMAL, SURGE, write_page
from postroad.study.validation import validate as compare_published

__all__ = ["validate"]

RUNS = Path("runs")


def validate(
    shell: Shell,
    run: Annotated[
        Path | None, typer.Argument(metavar="RUN", help=f"Run of {NORMAL}; made in runs/{NORMAL} when left out.")
    ] = None,
    surge: Annotated[
        Path | None, typer.Option("--surge", metavar="RUN", help=f"Run of {SURGE}; made in runs/{SURGE} when left out.")
    ] = None,
    no_surge: Annotated[bool, typer.Option("--no-surge", help="Leave the check around the peak out of it.")] = False,
    page: Annotated[
        Path | None, typer.Option("--page", metavar="FILE", help="Write the comparison into the marked part of a page.")
    ] = None,
    seed: Seed = None,
    threads: Threads = 2,
) -> None:
    """Hold the model against everything published about 2023, misses included."""
    with shell.progress() as progress:
        normal = open_or_simulate(run, NORMAL, RUNS, seed=seed, threads=threads, progress=progress)
        peak = None
        if not no_surge:
            peak = open_or_simulate(surge, SURGE, RUNS, seed=seed, threads=threads, progress=progress)
    frame = compare_published(normal, peak)
    if page is not None:
        write_page(frame, normal, peak, page)
    if shell.json:
        shell.write_json(frame.to_dicts())
        return
    heads = (
        ("check", "检验项"), ("place", "地区"), ("period", "时期"), ("published", "公布值"), ("modelled", "模型值"),
        ("error", "差值"), ("allowed", "容差"), ("use", "用途"), ("verdict", "结论"), ("why", "说明"),
    )  # fmt: skip
    shell.write_table(
        {english: shell.pick(english, chinese) for english, chinese in heads},
        [_row(shell, row) for row in frame.iter_rows(named=True)],
    )
    judged = frame.filter(frame["verdict"].is_in(["met", "not_met"]))
    met = int((judged["verdict"] == "met").sum())
    shell.write(shell.pick(f"{met} of {len(judged)} judged checks met", f"{len(judged)} 项可判定检验中 {met} 项符合"))
    if page is not None:
        shell.write(str(page))


def _row(shell: Shell, row: dict[str, object]) -> tuple[str, ...]:
    """One check as it is shown; two digits more than a report shows, as the published figures have them."""
    figures = [_figure(row[name], str(row["unit"])) for name in ("published", "modelled", "error", "tolerance")]
    terms = [TERMS[str(row[name])].get(shell.language) for name in ("kind", "verdict")]
    return (
        shell.pick(row["name_en"], row["name_zh"]), row["place"], row["period"], *figures, *terms,
        shell.pick(row["reason_en"], row["reason_zh"]),
    )  # fmt: skip


def _figure(value: float | None, unit: str) -> str:
    """Hours and ratios with two digits, shares in per cent with two."""
    if value is None:
        return ""
    if unit == "share":
        return f"{value * 100:.2f} %"
    return f"{value:.2f} h" if unit == "h" else f"{value:.2f}"
