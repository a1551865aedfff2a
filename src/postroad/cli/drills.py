"""``postroad drill``: the same network after the loss of a hub, a corridor or a province."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from postroad.cli.options import Seed, Threads
from postroad.cli.shell import Shell
from postroad.report.drill import (
    CLASS_TEXTS,
    COLOUR_TEXTS,
    CRITERION_TEXTS,
    KIND_TEXTS,
    REASON_TEXTS,
    STATUS_TEXTS,
)
from postroad.study.drills.arrivals import names_of
from postroad.study.drills.run import Drilled, run_drill

__all__ = ["drill"]

DRILLS = Path("drills")
MAX_ROWS = 15
MAX_KIND = 5


def drill(
    shell: Shell,
    file: Annotated[str, typer.Argument(help="A shipped drill (sichuan-lost, zhengzhou-lost …) or a TOML file.")],
    seed: Seed = None,
    to: Annotated[Path | None, typer.Option("--to", help="Folder of the drill; drills/<name> when left out.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a drill that is there.")] = False,
    threads: Threads = 2,
) -> None:
    """Say what a loss cuts off, when relief reaches which place, which reserve to call on, and what still flows.

    The answer is kept in a folder: drill.toml, tables as Parquet, and report.html in Chinese and English.
    """
    with shell.progress() as progress:
        made = run_drill(
            file, seed=seed, to=to or DRILLS / Path(file).stem, replace_folder=replace, threads=threads,
            progress=progress,
        )  # fmt: skip
    if shell.json:
        frames = {name: frame.head(200).to_dicts() for name, frame in made.frames().items() if name not in _LONG}
        shell.write_json({**made.facts, "folder": made.folder, "wall_s": made.wall_s, **frames})
    else:
        _write(shell, made)


_LONG = ("hours", "hops")
"""Tables that are only kept, not printed as JSON."""


def _write(shell: Shell, made: Drilled) -> None:
    """The figures told first, then the tables cut short."""
    facts, language = made.facts, shell.language
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    table.add_row(shell.pick("Event's grade", "事件等级"), _grade(shell, made))
    for key, english, chinese in (
        ("n_lost_facilities", "Facilities lost", "损失设施"),
        ("n_items", "Items a day", "日件量"),
        ("n_units", "Relief units", "救援物资件数"),
        ("n_units_arrived", "… arrived", "…送达"),
        ("n_units_under_way", "… under way at the end", "…期末在途"),
        ("n_units_waiting", "… without a way in time", "…时限内无路"),
        ("n_units_without_stock", "… without stock", "…无储备"),
        ("n_units_missing", "… off the hourly account", "…逐小时核对差额"),
    ):
        table.add_row(shell.pick(english, chinese), f"{facts[key]:,}")
    shell.write_styled(table)
    classes = {"class": shell.pick("Items", "件量"), "n": shell.pick("a day", "每日"),
               "share": shell.pick("share", "占比"), "extra": shell.pick("extra h", "增加小时")}  # fmt: skip
    rows = [
        (CLASS_TEXTS[name].get(language), n, share, extra)
        for name, n, share, extra in made.still.classes.select("class", "n_items", "share", "extra_h").iter_rows()
    ]
    shell.write_table(
        classes, rows, shell.pick("What still flows (modelled, nothing full)", "仍在流动（模型值，不计拥堵）")
    )
    reasons = {"why": shell.pick("Why cut off", "中断原因"), "n": shell.pick("items a day", "日件量"),
               "pairs": shell.pick("pairs", "流向数"), "places": shell.pick("places", "地区数")}  # fmt: skip
    rows = [
        (REASON_TEXTS[why].get(language), n, pairs, places)
        for why, n, pairs, places in made.cut_off.reasons.select("reason", "n_items", "n_pairs", "n_places").iter_rows()
    ]
    shell.write_table(reasons, rows)
    _write_arrivals(shell, made)
    _write_reserves(shell, made)
    if made.folder is not None:
        shell.say(shell.pick(f"Report: {made.folder}/report.html", f"报告：{made.folder}/report.html"))


def _grade(shell: Shell, made: Drilled) -> str:
    """The grade with its colour, the criterion that gave it, and whether the threshold is verified."""
    if made.grades.is_empty():
        return shell.pick("no threshold met", "未达到任何标准")
    row = made.grades.row(0, named=True)
    colour, criterion = (texts[row[key]].get(shell.language) for key, texts in (
        ("colour", COLOUR_TEXTS), ("criterion", CRITERION_TEXTS)))  # fmt: skip
    is_verified = row["status"] == "verified"
    state = shell.pick("threshold verified", "阈值已核实") if is_verified else shell.pick("unverified", "阈值未核实")
    return f"{row['grade']} ({colour}): {criterion}, {state}"


def _write_arrivals(shell: Shell, made: Drilled) -> None:
    """When relief arrives, place by place."""
    if made.arrivals.is_empty():
        return
    lang = shell.language
    columns = {
        "place": shell.pick("Relief for", "救援地区"), "goods": shell.pick("goods", "物资"),
        "units": shell.pick("units", "件数"), "first": shell.pick("first after h", "首件（小时）"),
        "last": shell.pick("last after h", "末件（小时）"), "bound": shell.pick("not before h", "下限（小时）"),
        "gate": shell.pick("brought to", "送达设施"), "km": shell.pick("km left", "余下公里"),
        "modes": shell.pick("modes", "方式"), "state": shell.pick("state", "状态"),
    }  # fmt: skip
    keys = ("n_units", "first_h", "last_h", "bound_first_h", f"gate_{lang}", "remaining_km", "modes")
    rows = [
        (row[f"place_{lang}"], row[f"goods_{lang}"], *(row[key] for key in keys), STATUS_TEXTS[row["status"]].get(lang))
        for row in made.arrivals.head(MAX_ROWS).iter_rows(named=True)
    ]
    shell.write_table(columns, rows, shell.pick("When relief arrives (modelled)", "救援物资到达（模型值）"))


def _write_reserves(shell: Shell, made: Drilled) -> None:
    """The first reserves of the ranking."""
    names = names_of(made.scenario.network.tables)
    columns = {
        "kind": shell.pick("Reserve", "后备"), "where": shell.pick("where", "何处"), "mode": shell.pick("mode", "方式"),
        "vehicle": shell.pick("vehicle", "车型"), "n": shell.pick("a day", "每日数量"),
        "room": shell.pick("room, items a day", "余力（件/日）"),
        "tonne_h": shell.pick("relief forward, t·h", "提前吨小时"),
        "items": shell.pick("items a day carried or sorted", "可承运或分拣件/日"),
    }  # fmt: skip
    shown = made.reserves.ranked.group_by("kind", maintain_order=True).head(MAX_KIND)
    rows = [
        (KIND_TEXTS[row["kind"]].get(shell.language), names.get(row["facility_id"], ("", ""))[shell.language == "zh"],
         row["mode"], row["vehicle_id"],
         row["n"], row["room_items_per_day"], row["relief_tonne_h"], row["carries_items_per_day"])
        for row in shown.iter_rows(named=True)
    ]  # fmt: skip
    shell.write_table(columns, rows, shell.pick("Reserves, each alone (modelled)", "可调用的后备（各自单独，模型值）"))
