"""The parts of a page: sections that hold charts, tables, cards and prose. Pages are put together from these alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from postroad.report.text import Text

__all__ = ["Block", "Card", "Cards", "Chart", "Column", "Facts", "Page", "Prose", "Row", "Section", "Table"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    key: column of the frame; kind ``name`` reads ``<key>_en`` and ``<key>_zh``.
    kind: ``name`` (bilingual), ``text``, ``source`` (told in both
        languages where it is known in both), ``number``, ``year``, ``hour`` (hour of the horizon, shown as
        the instant at which it ends), ``label``, ``verdict``,
        ``term`` (a closed word such as a mode, translated by the page) or ``uom`` (a unit of measure as text).
    unit: unit of measure of a number; ``@column`` where another column of the frame says it row by row.
    decimals: digits after the point; the unit's own when None.
    label: what the numbers of the column are (several joined by ``+``), where no column of the table says so row by
        row.
    is_bar: whether a thin bar behind the number shows its size.
    """

    key: str
    title: Text
    kind: str = "number"
    unit: str = ""
    decimals: int | None = None
    label: str = ""
    is_bar: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table: exported in the page and by ``write_tables`` under ``table_id``.

    ``n_all`` rows exist; ``frame`` may hold fewer for the page, ``full`` then holds all for the export.
    """

    table_id: str
    title: Text
    columns: tuple[Column, ...]
    frame: pl.DataFrame
    note: Text | None = None
    n_shown: int = 12
    full: pl.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: ``spec`` is drawn by the page's script; ``label`` (several joined by ``+``) stands beside the title."""

    chart_id: str
    title: Text
    spec: Mapping[str, object]
    label: str
    note: Text | None = None
    height: int = 300


@dataclass(frozen=True, slots=True)
class Card:
    """One headline figure."""

    name: Text
    value: Text
    unit: Text
    label: str
    source: str
    detail: Text | None = None


@dataclass(frozen=True, slots=True)
class Cards:
    """A row of headline figures."""

    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Prose:
    """Sentences; ``is_list`` sets them as a list, ``tone`` is ``plain`` or ``lead`` or ``notice``."""

    sentences: tuple[Text, ...]
    is_list: bool = False
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values, such as the seed of a run; ``is_code`` shows the value as something to copy."""

    rows: tuple[tuple[Text, str, bool], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """Blocks side by side on a wide page."""

    blocks: tuple[Block, ...]


Block = Table | Chart | Cards | Prose | Facts | Row


@dataclass(frozen=True, slots=True)
class Section:
    """One section of the page with its entry in the contents."""

    section_id: str
    title: Text
    blocks: tuple[Block, ...]
    lead: Text | None = None
    short: Text | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A whole page."""

    title: Text
    subtitle: Text
    sections: tuple[Section, ...]
    stamp: tuple[tuple[Text, Text], ...] = ()
    shared: Mapping[str, object] = field(default_factory=dict)

    def blocks(self) -> list[Table | Chart | Cards | Prose | Facts]:
        """All blocks in reading order, rows opened."""
        flat: list[Table | Chart | Cards | Prose | Facts] = []
        for section in self.sections:
            for block in section.blocks:
                flat.extend(block.blocks if isinstance(block, Row) else (block,))
        return flat

    def tables(self) -> list[Table]:
        """All tables in reading order."""
        return [block for block in self.blocks() if isinstance(block, Table)]

    def charts(self) -> list[Chart]:
        """All charts in reading order."""
        return [block for block in self.blocks() if isinstance(block, Chart)]
