"""Two runs compared: paired differences, and the page that shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from postroad.core.files import write_text
from postroad.report.data import CompareData
from postroad.report.run import render_comparison
from postroad.report.text import Text
from postroad.study.pairing import COMPARED, pair_runs
from postroad.study.reporting import compare_data, pairing_note
from postroad.study.run import Run, open_run

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True)
class Comparison:
    """Two runs held against one another.

    Attributes
    ----------
    base, other: the runs; a difference is other minus base.
    names: the measures compared.
    """

    base: Run
    other: Run
    names: tuple[str, ...] = COMPARED

    def differences(self, by: str | Iterable[str] = ()) -> pl.DataFrame:
        """The paired differences, by groups; see :func:`postroad.study.pairing.pair_runs`."""
        return pair_runs(self.base, self.other, self.names, by)

    @property
    def note(self) -> Text:
        """Whether the runs can be paired item by item, in words."""
        return pairing_note(self.base, self.other)

    def data(self) -> CompareData:
        """What the page shows."""
        return compare_data(self.base, self.other, self.names)

    def to_html(self, path: Path | str, *, language: str = "auto") -> Path:
        """Write the comparison as one self-contained page.

        Parameters
        ----------
        path: the file. language: shown first, ``en``, ``zh`` or ``auto``; both are always inside.
        """
        write_text(path, render_comparison(self.data(), language))
        return Path(path)


def compare(base: Run | Path | str, other: Run | Path | str, names: Iterable[str] = COMPARED) -> Comparison:
    """Hold two runs against one another.

    Parameters
    ----------
    base, other: runs, or the folders they are kept in.
    names: registered measures.

    Raises
    ------
    NotFound: PR-S104 when a folder holds no run.
    """
    runs = [run if isinstance(run, Run) else open_run(run) for run in (base, other)]
    return Comparison(*runs, tuple(names))
