"""``postroad new``, ``check`` and ``show``: what a feed is made from, what is wrong with it, what is in it."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from postroad.cli.options import BaseMapFile, Level, MapNotice
from postroad.cli.refusal import describe_findings
from postroad.cli.shell import Shell
from postroad.core.errors import InputError
from postroad.network.summary import NetworkSummary
from postroad.report.basemap import read_base_map
from postroad.report.text import LABEL_TEXTS, TERMS, Text
from postroad.study.feeds import create_feed, draw_feed, examine_feed, read_feed, summarise_feed

__all__ = ["check", "new", "show"]

Feed = Annotated[str, typer.Argument(help="A folder or zip archive, or a shipped feed (china, china-2023, tiny …).")]

PLACES = {
    "country": Text("countries", "国家"), "province": Text("provinces", "省"), "city": Text("cities", "市"),
    "county": Text("counties", "县"), "town": Text("towns", "乡镇"), "village": Text("villages", "村"),
}  # fmt: skip


def new(
    shell: Shell,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make; its name becomes the feed's.")],
    example: Annotated[bool, typer.Option("--example", help="Copy the tiny example instead of empty tables.")] = False,
) -> None:
    """Start a feed of your own: one CSV file a table, its settings, and a page that explains every column."""
    made = create_feed(folder, example=example)
    if shell.json:
        shell.write_json({"folder": made, "files": sorted(path.name for path in made.iterdir())})
        return
    shell.write(str(made))
    command = f"postroad check {shlex.quote(str(made))}"
    shell.say(shell.pick(f"Next: fill the tables, then {command}", f"下一步：填表，然后 {command}"))


def check(shell: Shell, feed: Feed, level: Level = None) -> int:
    """Look a feed over and tell everything that is wrong with it at once; the exit code is 3 when there is an error."""
    survey = examine_feed(feed, level=level)
    findings, kinds = survey.findings, Counter()
    severity = {finding.code: finding.severity for finding in findings}
    for code, n in findings.counts.items():
        kinds[severity[code]] += n
    is_sound = not findings.errors
    if shell.json:
        found = [
            {
                "code": finding.code,
                "severity": finding.severity,
                "table": finding.table,
                "row": finding.row,
                "column": finding.column,
                "value": finding.value,
                "message": finding.message(shell.language),
                "fix": finding.fix(shell.language),
            }
            for finding in findings
        ]
        shell.write_json({"feed": feed, "is_sound": is_sound, "counts": findings.counts, "findings": found})
    else:
        if len(findings):
            shell.write(describe_findings(findings, findings.counts, shell.language))
        name, n, warnings = survey.network.meta.name, kinds["error"], kinds["warning"]
        errors = shell.pick(f"{n:,} error{'' if n == 1 else 's'}", f"{n:,} 个错误")
        rest = shell.pick(f"{warnings:,} warning{'' if warnings == 1 else 's'}", f"{warnings:,} 个警告")
        shell.write(f"{name}: {errors}, {rest}" if shell.language == "en" else f"{name}：{errors}，{rest}")
    return 0 if is_sound else InputError.exit_code


def show(
    shell: Shell,
    feed: Feed,
    level: Level = None,
    map: Annotated[Path | None, typer.Option("--map", metavar="FILE", help="Write a map, an HTML page.")] = None,
    base_map: BaseMapFile = None,
    map_notice: MapNotice = "",
) -> None:
    """Show what is in a feed, in figures, and as a map."""
    outlines = read_base_map(base_map, map_notice) if base_map is not None else None
    network = read_feed(feed, level=level)
    summary = summarise_feed(network)
    page = None if map is None else draw_feed(network, map, base_map=outlines)
    if shell.json:
        shell.write_json({**asdict(summary), "map": page})
        return
    title = shell.pick(summary.name, summary.name_zh or summary.name)
    shell.write(f"{title} · {summary.level} · {summary.version} · {summary.timezone} · {summary.base_date}")
    shell.write(shell.pick(network.meta.description, network.meta.description_zh or network.meta.description))
    shell.write_table(
        {"what": shell.pick("what", "内容"), "n": shell.pick("number", "数量")},
        [(name.get(shell.language), n) for name, n in _holdings(summary)],
    )
    heads = (
        ("mode", "方式"), ("lanes", "线路"), ("trips a day", "日班次"), ("vehicles", "车次"), ("payload t", "载重 吨"),
        ("volume m³", "容积 m³"), ("vehicle km", "车公里"),
    )  # fmt: skip
    rows = [
        (TERMS[mode].get(shell.language), one.n_lanes, one.n_trips, one.n_vehicles, one.payload_kg / 1000,
         one.volume_m3, one.distance_km)
        for mode, one in summary.modes.items()
    ]  # fmt: skip
    shell.write_table({english: shell.pick(english, chinese) for english, chinese in heads}, rows)
    shares = " · ".join(
        f"{LABEL_TEXTS[label][0].get(shell.language)} {share:.0%}" for label, share in summary.label_share.items()
    )
    shell.write(shell.pick("rows: ", "数据行：") + shares)
    if page is not None:
        shell.write(shell.pick("map: ", "地图：") + str(page))


def _holdings(summary: NetworkSummary) -> Iterator[tuple[Text, int]]:
    """What a network holds, line by line."""
    for kind, n in summary.n_places.items():
        yield PLACES[kind], n
    for kind, n in summary.n_facilities.items():
        yield TERMS[kind], n
    yield Text("endpoints that collect or deliver", "揽收或投递的端点"), summary.n_endpoints
    yield Text("items sorted an hour, stated limits", "每小时分拣能力（有限值者）"), summary.sort_items_per_h
    yield Text("items screened an hour, stated limits", "每小时安检能力（有限值者）"), summary.screen_items_per_h
    yield Text("facilities that sort without a limit", "分拣无限值的设施"), summary.n_unlimited_sort
    if summary.wave_items:
        yield Text("items that the delivery waves of a day take", "日派送频次可承接件数"), summary.wave_items
    if summary.demand_items:
        yield Text("items of a mean day", "平均日件数"), summary.demand_items
