"""The progress bar: stages one below the other on a terminal, one line a stage elsewhere."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress
from rich.text import Text

__all__ = ["Bar"]


class Bar:
    """Progress that a person watches on a console; a context manager, so that the terminal is always restored."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._task: TaskID | None = None
        self._live = RichProgress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}", style="dim", markup=False),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Bar:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            self._finish()
        self._live.stop()

    def stage(self, name: str, total: int = 0) -> None:
        """Begin a stage of ``total`` steps (0: not known); the one before it is done."""
        self._finish()
        self._task = self._live.add_task(name, total=total or None, note="")
        if not self._console.is_terminal:
            self._console.print(Text(name))

    def step(self, done: int, note: str = "") -> None:
        """Move the stage to ``done`` steps."""
        if self._task is not None:
            self._live.update(self._task, completed=done, note=note)

    def _finish(self) -> None:
        """Fill the bar of the stage that is under way."""
        if self._task is None:
            return
        total = self._live.tasks[self._task].total or 1
        self._live.update(self._task, total=total, completed=total)
        self._task = None
