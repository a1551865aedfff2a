"""Feeds for tests: the tiny one as a folder to break, and networks written inline."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import polars as pl

import postroad.network
from postroad.network.feed import read
from postroad.network.frames import Network

TINY = Path(postroad.network.__file__).parent.parent / "data" / "feeds" / "tiny"


@cache
def tiny() -> Network:
    """The tiny feed, read once."""
    return read("tiny")


class FeedFolder:
    """A copy of the tiny feed whose cells, rows, columns and files can be spoilt; rows count from 2 as in an editor."""

    def __init__(self, path: Path) -> None:
        shutil.copytree(TINY, path)
        self.path = path

    def file(self, table: str) -> Path:
        return self.path / f"{table}.csv"

    def rows(self, table: str) -> list[list[str]]:
        with self.file(table).open(encoding="utf-8", newline="") as handle:
            return list(csv.reader(handle))

    def put(self, table: str, rows: list[list[str]]) -> None:
        with self.file(table).open("w", encoding="utf-8", newline="") as handle:
            csv.writer(handle, lineterminator="\n").writerows(rows)

    def set(self, table: str, row: int, **values: object) -> None:
        rows = self.rows(table)
        for column, value in values.items():
            rows[row - 1][rows[0].index(column)] = str(value)
        self.put(table, rows)

    def set_all(self, table: str, column: str, value: object) -> None:
        rows = self.rows(table)
        position = rows[0].index(column)
        self.put(table, [rows[0], *([*row[:position], str(value), *row[position + 1 :]] for row in rows[1:])])

    def add(self, table: str, **values: object) -> int:
        """Add a row; gives its number."""
        rows = self.rows(table)
        rows.append([str(values.get(column, "")) for column in rows[0]])
        self.put(table, rows)
        return len(rows)

    def remove(self, table: str, keep: Callable[[dict[str, str]], bool]) -> None:
        rows = self.rows(table)
        kept = [row for row in rows[1:] if keep(dict(zip(rows[0], row, strict=True)))]
        self.put(table, [rows[0], *kept])

    def drop_column(self, table: str, column: str) -> None:
        rows = self.rows(table)
        position = rows[0].index(column)
        self.put(table, [[*row[:position], *row[position + 1 :]] for row in rows])

    def rename_column(self, table: str, column: str, name: str) -> None:
        rows = self.rows(table)
        rows[0][rows[0].index(column)] = name
        self.put(table, rows)

    def edit_meta(self, old: str, new: str) -> None:
        meta = self.path / "feed.toml"
        text = meta.read_text(encoding="utf-8")
        assert old in text
        meta.write_text(text.replace(old, new), encoding="utf-8")

    def row_where(self, table: str, **values: str) -> int:
        """Number of the first row with the given values."""
        rows = self.rows(table)
        for number, row in enumerate(rows[1:], 2):
            cells = dict(zip(rows[0], row, strict=True))
            if all(cells[column] == value for column, value in values.items()):
                return number
        raise LookupError(values)


def frame(text: str) -> pl.DataFrame:
    """A frame written inline: a header and rows, columns apart by spaces, ``-`` for null."""
    lines = [line.split() for line in text.strip().splitlines()]
    columns = {
        name: [None if row[number] == "-" else row[number] for row in lines[1:]] for number, name in enumerate(lines[0])
    }
    return pl.DataFrame(columns, schema=dict.fromkeys(lines[0], pl.String))
