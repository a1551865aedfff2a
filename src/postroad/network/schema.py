"""The declaration of the feed: which tables there are, which columns they have, and what each may hold.

Everything that reads, checks, writes or documents a feed reads this declaration (the files in ``schema/``) and
nothing else, so that a column is declared once.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import polars as pl

__all__ = [
    "ACCESS_KINDS",
    "CORE_KINDS",
    "FACILITY_KINDS",
    "FORMAT_VERSION",
    "LABELS",
    "REGIONS",
    "Column",
    "Interval",
    "Parameter",
    "Table",
    "known_parameters",
    "table",
    "tables",
]

FORMAT_VERSION = 1
FACILITY_KINDS = (
    "outlet",
    "station",
    "locker",
    "sorting",
    "hub",
    "airport",
    "railhead",
    "port",
    "exchange",
    "warehouse",
)
ACCESS_KINDS = ("outlet", "station", "locker")
CORE_KINDS = tuple(kind for kind in FACILITY_KINDS if kind not in ACCESS_KINDS)
REGIONS = ("east", "centre", "west", "other")
LABELS = ("measured", "derived", "modelled", "unverified")

_DTYPES: Mapping[str, pl.DataType] = {
    "text": pl.String(),
    "enum": pl.String(),
    "time": pl.String(),
    "instant": pl.String(),
    "int": pl.Int64(),
    "number": pl.Float64(),
    "bool": pl.Boolean(),
    "date": pl.Date(),
    "clock": pl.Int32(),
}


@dataclass(frozen=True, slots=True)
class Interval:
    """A range of numbers written as in mathematics: ``[0,1]``, ``(0,)``, ``[0,20160)``."""

    low: float | None
    high: float | None
    is_low_open: bool
    is_high_open: bool
    text: str

    @classmethod
    def parse(cls, text: str) -> Interval:
        """Read an interval; an empty side is unbounded."""
        low, high = text[1:-1].split(",")
        return cls(float(low) if low else None, float(high) if high else None, text[0] == "(", text[-1] == ")", text)

    def outside(self, expression: pl.Expr) -> pl.Expr:
        """An expression that is true where the value lies outside; null stays null."""
        tests = []
        if self.low is not None:
            tests.append(expression <= self.low if self.is_low_open else expression < self.low)
        if self.high is not None:
            tests.append(expression >= self.high if self.is_high_open else expression > self.high)
        return pl.any_horizontal(tests) if tests else pl.lit(False)

    def contains(self, value: float) -> bool:
        """Whether one value lies inside."""
        low_ok = self.low is None or (value > self.low if self.is_low_open else value >= self.low)
        high_ok = self.high is None or (value < self.high if self.is_high_open else value <= self.high)
        return low_ok and high_ok


@dataclass(frozen=True, slots=True)
class Column:
    """One declared column.

    Attributes
    ----------
    kind: text, int, number, bool, time (``HH:MM``), clock (minutes after midnight, written ``HH:MM`` in CSV), date,
        instant or enum; ``choices`` holds the words of an enum.
    default: the text of the default value; ``=other`` takes the value of another column of the row; empty: none.
    is_required: whether every row must hold a value.
    reference: ``(table, column)`` that the value must be found in, or None.
    is_key: whether the column is part of the table's key.
    is_input: whether the column is read and folded into another, and not kept.
    """

    name: str
    kind: str
    choices: tuple[str, ...]
    unit: str
    default: str
    is_required: bool
    interval: Interval | None
    reference: tuple[str, str] | None
    is_key: bool
    is_input: bool
    description: str
    description_zh: str
    source: str

    @property
    def dtype(self) -> pl.DataType:
        """The Polars type of the column in a frame."""
        return _DTYPES[self.kind]

    @property
    def type_text(self) -> str:
        """The declared type as written in the schema, choices included."""
        return f"enum({'|'.join(self.choices)})" if self.kind == "enum" else self.kind


@dataclass(frozen=True, slots=True)
class Table:
    """One declared table: its columns in order, and whether a feed must have it."""

    name: str
    is_required: bool
    description: str
    description_zh: str
    declared: tuple[Column, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of a frame, in order (without those that are only read)."""
        return tuple(column for column in self.declared if not column.is_input)

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the frame's columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def key(self) -> tuple[str, ...]:
        """Names of the columns that identify a row together."""
        return tuple(column.name for column in self.declared if column.is_key)

    @property
    def dtypes(self) -> dict[str, pl.DataType]:
        """Polars types of the frame's columns by name, in order."""
        return {column.name: column.dtype for column in self.columns}

    def column(self, name: str) -> Column:
        """One declared column by name.

        Raises
        ------
        KeyError: there is no such column.
        """
        for column in self.declared:
            if column.name == name:
                return column
        raise KeyError(name)

    def empty(self) -> pl.DataFrame:
        """A frame of no rows with all columns.

        >>> table("transfers").empty().columns
        ['facility_id', 'from_mode', 'to_mode', 'min_min', 'label', 'source']
        """
        return pl.DataFrame(schema=self.dtypes)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One modelled parameter that a feed may set; the default holds when it does not."""

    name: str
    uom: str
    default: float
    interval: Interval
    description: str
    description_zh: str


@cache
def tables() -> Mapping[str, Table]:
    """All tables by name, in the order of the specification."""
    return {
        row["table"]: Table(
            row["table"],
            row["required"] == "1",
            row["description"],
            row["description_zh"],
            tuple(_column(entry) for entry in _rows(row["table"])),
        )
        for row in _rows("_tables")
    }


def table(name: str) -> Table:
    """One table by name.

    Raises
    ------
    KeyError: there is no such table.
    """
    return tables()[name]


@cache
def known_parameters() -> Mapping[str, Parameter]:
    """The parameters that the ``parameters`` table may set, by name."""
    return {
        row["parameter_id"]: Parameter(
            row["parameter_id"],
            row["uom"],
            float(row["default"]),
            Interval.parse(row["range"]),
            row["description"],
            row["description_zh"],
        )
        for row in _rows("_parameters")
    }


def _rows(name: str) -> Iterator[dict[str, str]]:
    with files("postroad.network").joinpath("schema", f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        yield from csv.DictReader(handle)


def _column(row: Mapping[str, str]) -> Column:
    kind, _, words = row["type"].partition("(")
    target, _, column = row["reference"].partition(".")
    return Column(
        name=row["attribute"],
        kind=kind,
        choices=tuple(words.rstrip(")").split("|")) if words else (),
        unit=row["unit"],
        default=row["default"],
        is_required=row["required"] == "1",
        interval=Interval.parse(row["range"]) if row["range"] else None,
        reference=(target, column) if target else None,
        is_key=row["key"] == "1",
        is_input=row["key"] == "input",
        description=row["description"],
        description_zh=row["description_zh"],
        source=row["source"],
    )
