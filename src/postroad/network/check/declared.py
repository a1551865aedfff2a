"""Checks that the schema declares: values that must be there, ranges, keys and references."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from postroad.core.findings import Findings
from postroad.network.rows import report_rows
from postroad.network.schema import Column, Table, tables

__all__ = ["check_declared"]

_OWN_CHECK = ("lon", "lat")
"""Columns whose range is judged in :mod:`postroad.network.check.geography`, which can tell what went wrong."""


def check_declared(network, findings: Findings, without: Collection[str]) -> None:
    """Missing values (PR-T101), values out of range (T110), repeated keys (T114), missing references (T115)."""
    for name, table in tables().items():
        frame = network.tables[name]
        if name in without or not len(frame):
            continue
        for column in table.columns:
            _check_column(frame, name, column, findings)
            if column.reference and column.reference[0] not in without:
                _check_reference(network, frame, name, column, findings)
        _check_key(frame, table, findings)


def _check_column(frame: pl.DataFrame, name: str, column: Column, findings: Findings) -> None:
    if column.is_required:
        report_rows(
            findings, "PR-T101", name, frame, pl.col(column.name).is_null(), column.name, expected=column.type_text
        )
    if column.interval and column.name not in _OWN_CHECK:
        outside = column.interval.outside(pl.col(column.name))
        report_rows(
            findings, "PR-T110", name, frame, outside, column.name, range=column.interval.text, unit=column.unit or "-"
        )


def _check_reference(network, frame: pl.DataFrame, name: str, column: Column, findings: Findings) -> None:
    target, target_column = column.reference
    known = network.tables[target][target_column]
    missing = ~frame[column.name].is_in(known.implode())
    report_rows(
        findings,
        "PR-T115",
        name,
        frame,
        missing,
        column.name,
        near=known.drop_nulls(),
        target=f"{target}.{target_column}",
    )


def _check_key(frame: pl.DataFrame, table: Table, findings: Findings) -> None:
    if not table.key:
        return
    key = list(table.key)
    has_key = ~pl.all_horizontal(pl.col(key).is_null())
    again = frame.select(~pl.struct(key).is_first_distinct() & has_key)[:, 0]
    if again.any():
        text = pl.concat_str([pl.col(name).cast(pl.String).fill_null("-") for name in key], separator=" / ")
        rows = frame.with_row_index("__row", offset=2)
        first = pl.col("__row").first().over(key)
        report_rows(
            findings, "PR-T114", table.name, rows, again, key[0], key=", ".join(key), shown=text, first_row=first
        )
