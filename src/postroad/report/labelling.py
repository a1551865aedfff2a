"""Which label the numbers of a table carry: one for the whole column, or one a row where they are mixed."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from postroad.report.blocks import Column
from postroad.report.text import LABELS, Text

__all__ = ["common_label", "with_labels"]


def common_label(frame: pl.DataFrame) -> str:
    """All labels that the rows carry, joined by ``+``: a chart over mixed rows shows each of them."""
    found = set(frame["label"].to_list()) if "label" in frame.columns else set()
    return "+".join(label for label in LABELS if label in found) or "unverified"


def with_labels(columns: list[Column], frame: pl.DataFrame) -> tuple[Column, ...]:
    """Keep the columns that the frame has and say what their numbers are.

    Where all rows carry one label it stands in the head of each number column; where they differ a column of labels
    is added.
    """
    kept = [column for column in columns if column.kind == "name" or column.key in frame.columns]
    labels = frame["label"].unique().to_list() if "label" in frame.columns else []
    if len(labels) == 1:
        return tuple(
            replace(column, label=column.label or labels[0]) if column.kind in ("number", "hour") else column
            for column in kept
        )
    if not any(column.kind == "label" for column in kept):
        kept.append(Column("label", Text("label", "性质"), "label"))
    return tuple(kept)
