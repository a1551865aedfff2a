"""What a verb speaks through: data to standard output, talk to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from postroad.cli.bar import Bar
from postroad.core.language import pick
from postroad.core.progress import Progress
from postroad.study.stages import stage_text

__all__ = ["Shell"]

# A pipe has no width: tables keep their natural one there instead of being folded.
PIPE_WIDTH = 1000


class _Stream(Console):
    """A console that leaves it to the outermost frame to deal with a reader that is gone."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


class _Stages:
    """Progress whose stages are told in the chosen language."""

    def __init__(self, bar: Bar, language: str) -> None:
        self._bar = bar
        self._language = language

    def stage(self, name: str, total: int = 0) -> None:
        self._bar.stage(stage_text(name).get(self._language), total)

    def step(self, done: int, note: str = "") -> None:
        self._bar.step(done, note)


class Shell:
    """Where a verb's data and talk go.

    Attributes
    ----------
    json: whether data is wanted as JSON.
    language: ``en`` or ``zh``.
    out, talk: consoles of standard output and standard error.
    """

    def __init__(self, *, json: bool = False, language: str = "en") -> None:
        self.json = json
        self.language = language
        self.out = _Stream(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
        self.talk = _Stream(file=sys.stderr, highlight=False, width=None if sys.stderr.isatty() else PIPE_WIDTH)

    def pick(self, english: str, chinese: str) -> str:
        """Take the text of the chosen language."""
        return pick(self.language, english, chinese)

    def say(self, text: str) -> None:
        """Tell the person something, on standard error."""
        self.talk.print(Text(text))

    def write(self, text: str) -> None:
        """Write one line or more of data as text, on standard output."""
        self.out.print(Text(text))

    def write_json(self, value: object) -> None:
        """Write data as JSON on standard output.

        Parameters
        ----------
        value: made of mappings, sequences, text, numbers (those of numpy too), booleans, None, paths, days, instants.
        """
        is_plain = not (sys.stdout.encoding or "").lower().startswith("utf")
        print(json.dumps(value, ensure_ascii=is_plain, indent=2, default=_plain), file=sys.stdout)

    def write_table(self, columns: Mapping[str, str], rows: Iterable[Sequence[object]], title: str = "") -> None:
        """Write rows as a table for people, or as JSON objects when JSON is wanted.

        Parameters
        ----------
        columns: heading by name; the names are the keys in JSON. Numbers stand to the right.
        rows: one value a column; None shows as nothing.
        """
        rows = [tuple(row) for row in rows]
        if self.json:
            self.write_json([dict(zip(columns, row, strict=True)) for row in rows])
            return
        table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        for place, heading in enumerate(columns.values()):
            is_number = bool(rows) and all(_is_number(row[place]) for row in rows)
            table.add_column(Text(heading), justify="right" if is_number else "left")
        for row in rows:
            table.add_row(*(Text(_shown(value)) for value in row))
        self.write_styled(table, is_dense=True)

    def write_styled(self, renderable: RenderableType, *, is_dense: bool = False) -> None:
        """Write a table or styled text on standard output, without blanks at the ends of lines.

        Parameters
        ----------
        is_dense: whether empty lines are left out.
        """
        with self.out.capture() as capture:
            self.out.print(renderable)
        lines = [line.rstrip() for line in capture.get().splitlines()]
        print("\n".join(line for line in lines if line or not is_dense), file=sys.stdout)

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """Show on standard error where a long job is, for as long as the block lasts."""
        with Bar(self.talk) as bar:
            yield _Stages(bar, self.language)


def _plain(value: object) -> object:
    """Turn what JSON does not know into what it knows."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"no JSON for {type(value).__name__}")


def _is_number(value: object) -> bool:
    """Say whether a value is a number or missing."""
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _shown(value: object) -> str:
    """Write a value of a table: numbers with thousands apart, floats to four figures or whole."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return str(value)
