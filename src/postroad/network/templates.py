"""Starter feeds: an empty one with its explanation beside it, or a copy of the tiny example."""

from __future__ import annotations

import csv
import io
from importlib.resources import files
from pathlib import Path

from postroad.core.files import writing_folder
from postroad.network.metadata import FEED_FILE
from postroad.network.schema import Column, known_parameters, tables

__all__ = ["create_template"]

_EXAMPLE = "tiny"
_SHARED = ("label", "source")
_META = """\
# What the feed says about itself. Lines that begin with # are comments; remove the # to use a key.
# 数据包的自我说明。以 # 开头的行为注释；去掉 # 即启用该键。

format_version = 1
name = "{name}"
# name_zh = ""
version = "1"
timezone = "Asia/Shanghai"    # IANA name; every time of day in the tables is meant in it
level = "city"                # city, county or outlet
# description = ""
# description_zh = ""
# licence = "CC-BY-4.0"       # SPDX expression
# attribution = ["..."]
# default_scenario = ""
slot_min = 30                 # minutes of a slot of the simulation; divides 60
base_date = 2025-11-11        # day on which a run is set when no scenario names one
# demand_model = ""           # makes the demand when the table demand does not list it
# base = ""                   # feed that this one is laid over
# extends = []                # tables appended to the base's instead of replacing them
"""


def create_template(path: str | Path, *, example: bool = False) -> Path:
    """Write a starter feed, whole or not at all.

    Parameters
    ----------
    path: the folder to make; its name becomes the feed's.
    example: whether to copy the tiny example instead of writing empty tables.

    Returns
    -------
    Path: the folder. It holds ``feed.toml``, one CSV file for each table with its header row, the modelled parameters
    at their defaults, and ``README.md`` with every column explained; it checks without findings.

    Raises
    ------
    InputError: PR-C030 when something stands there.
    """
    target = Path(path)
    with writing_folder(target) as draft:
        for name, content in (_example() if example else _empty(target.name)).items():
            (draft / name).write_bytes(content)
    return target


def _example() -> dict[str, bytes]:
    folder = files("postroad").joinpath("data", "feeds", _EXAMPLE)
    return {item.name: item.read_bytes() for item in folder.iterdir() if item.is_file()}


def _empty(name: str) -> dict[str, bytes]:
    sound = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_.") else "-" for letter in name)
    contents = {FEED_FILE: _META.format(name=sound or "feed").encode(), "README.md": _guide().encode()}
    for table in tables().values():
        rows = _parameter_rows() if table.name == "parameters" else []
        buffer = io.StringIO(newline="")
        csv.writer(buffer, lineterminator="\n").writerows([table.column_names, *rows])
        contents[f"{table.name}.csv"] = buffer.getvalue().encode()
    return contents


def _parameter_rows() -> list[tuple[object, ...]]:
    return [
        (name, f"{known.default:g}", known.uom, known.description, "modelled", "default of the format")
        for name, known in known_parameters().items()
    ]


def _guide() -> str:
    """Every table and column in two languages."""
    lines = [
        "# A parcel network feed · 寄递网络数据包\n",
        "Fill the tables, then run `postroad check` on this folder. Tables marked with * are needed; columns marked",
        "with * must be filled in every row. An empty cell takes the default. 填表后对本文件夹运行 `postroad check`。",
        "带 * 的表与列为必填；空单元格取默认值。\n",
        *(_column_line(column) for column in tables()["places"].columns if column.name in _SHARED),
        "\nThe two columns above belong to every table. 以上两列属于每个表。\n",
    ]
    for table in tables().values():
        mark = "*" if table.is_required else ""
        lines += [f"## {table.name}{mark}\n", f"{table.description} {table.description_zh}\n"]
        lines += [_column_line(column) for column in table.declared if column.name not in _SHARED]
        lines.append("")
    return "\n".join(lines)


def _column_line(column: Column) -> str:
    facts = [column.type_text, column.unit, f"default {column.default}" if column.default else ""]
    if column.reference:
        facts.append(f"one of {'.'.join(column.reference)}")
    if column.interval:
        facts.append(column.interval.text)
    shown = "; ".join(fact for fact in facts if fact)
    return (
        f"- `{column.name}`{'*' if column.is_required else ''} ({shown}): {column.description} {column.description_zh}"
    )
