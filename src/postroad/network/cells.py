"""Turn the columns of a file into the declared types; every cell that does not fit is reported."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from postroad.core.findings import Findings
from postroad.network.rows import near_name, report_rows
from postroad.network.schema import Column, Table
from postroad.network.textfile import RawTable

__all__ = ["convert_table", "convert_value", "fill_defaults"]

_CLOCK = r"^(\d{1,3}):([0-5]\d)(:00)?$"
_DATE = r"^\d{4}-\d{2}-\d{2}$"
_DAY_TIME = r"^D[+-]\d{1,3}[ T]\d{1,2}:[0-5]\d$"
_ISO_INSTANT = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?$"
_WITH_UNIT = r"^[-+]?\d[\d.,]*\s*[\p{L}%°/³²][^\d]*\d?$"
_GROUPED = r"^[-+]?(\d{1,3}([, ]\d{3})+(\.\d+)?|\d+,\d+)$"
_TRUE = ("1", "true")
_FALSE = ("0", "false")
_TEXTUAL = (pl.String, pl.Categorical, pl.Enum)
_MAX_WHOLE = 2.0**53


def convert_table(raw: RawTable, table: Table, findings: Findings) -> pl.DataFrame:
    """Give the frame of a table: all declared columns, in order, typed, defaults filled.

    Parameters
    ----------
    raw: the table as read.
    table: its declaration.
    findings: PR-F119 (unknown column), F120 (missing column) and T102, T103, T105 to T109, T111 to T113 (cells) are
        added here; a cell that cannot be read becomes null.

    Returns
    -------
    pl.DataFrame: the declared columns without those that are only read.
    """
    known = {column.name: column for column in table.declared}
    found = [name for name in raw.frame.columns if name in known]
    for name in raw.frame.columns:
        if name not in known:
            near = near_name(name, [other for other in known if other not in found])
            findings.add("PR-F119", table=table.name, row=1, column=name, value=name, near=near, known=", ".join(known))
    for column in table.columns:
        if column.is_required and not column.default and column.name not in found:
            findings.add("PR-F120", table=table.name, row=1, column=column.name, unit=column.unit or column.type_text)
    frame = raw.frame.with_columns(pl.Series("__row", raw.rows))
    typed = {name: _convert(frame, known[name], table.name, findings) for name in found}
    height = len(raw.rows)
    series = [
        typed.get(column.name, pl.repeat(None, height, dtype=column.dtype, eager=True)).alias(column.name)
        for column in table.declared
    ]
    return _fold_inputs(fill_defaults(pl.DataFrame(series), table), table)


def convert_value(value: object, column: Column) -> tuple[object, bool]:
    """One value as the column's type, and whether it fits; an empty text is null.

    >>> from postroad.network.schema import table
    >>> convert_value("26:15", table("trips").column("arrive"))
    (1575, True)
    """
    findings = Findings()
    frame = pl.DataFrame({"__row": [0], column.name: pl.Series([value], strict=False)})
    made = _convert(frame, column, "", findings)[0]
    return made, not len(findings) and not (made is None and column.is_required)


def fill_defaults(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Put the declared default where a value is missing."""
    fills = []
    for column in table.declared:
        if column.default and column.name in frame.columns:
            if column.default.startswith("="):
                default = pl.col(column.default[1:])
            else:
                default = pl.lit(_default_value(column), dtype=column.dtype)
            fills.append(pl.col(column.name).fill_null(default))
    return frame.with_columns(fills)


def _instant_is_sound(text: pl.Expr) -> pl.Expr:
    """Whether a text is ``D+1 06:00`` or an ISO 8601 instant that exists."""
    iso = text.str.contains(_ISO_INSTANT) & (
        text.str.slice(0, 16).str.replace("T", " ").str.to_datetime("%Y-%m-%d %H:%M", strict=False).is_not_null()
    )
    return text.str.contains(_DAY_TIME) | iso


def _default_value(column: Column) -> object:
    if column.kind == "bool":
        return column.default == "1"
    if column.kind == "int":
        return int(column.default)
    return float(column.default) if column.kind == "number" else column.default


def _fold_inputs(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Add what is only read to what is kept (``arrive_day`` to ``arrive``) and drop it."""
    inputs = [column.name for column in table.declared if column.is_input]
    folds = []
    for name in inputs:
        target = name.removesuffix("_day")
        folds.append((pl.col(target) + 1440 * pl.col(name).fill_null(0)).cast(pl.Int32).alias(target))
    return frame.with_columns(folds).drop(inputs)


def _convert(frame: pl.DataFrame, column: Column, table: str, findings: Findings) -> pl.Series:
    """One column as its declared type; what does not fit is reported and becomes null."""
    dtype = frame.schema[column.name]
    if isinstance(dtype, pl.Null):
        return pl.repeat(None, len(frame), dtype=column.dtype, eager=True).alias(column.name)
    if dtype == column.dtype and not isinstance(dtype, pl.String):
        series = frame[column.name]
        if column.kind == "number":
            _report_cells(findings, "PR-T103", table, frame, ~series.is_finite(), column)
            return series.set(~series.is_finite().fill_null(True), None)
        return series
    if isinstance(dtype, _TEXTUAL):
        text = frame.select("__row", pl.col(column.name).cast(pl.String).str.strip_chars().replace("", None))
        return _PARSERS[column.kind](text, column, table, findings)
    return _convert_typed(frame, column, dtype, table, findings)


def _convert_typed(
    frame: pl.DataFrame, column: Column, dtype: pl.DataType, table: str, findings: Findings
) -> pl.Series:
    """A column that a Parquet file holds in another type than the declared one."""
    series = frame[column.name]
    kind = column.kind
    if kind in ("int", "clock") and (dtype.is_integer() or dtype.is_float()):
        whole = series.cast(pl.Float64)
        bad = ~(whole == whole.round(0)) | ~whole.is_finite()
        _report_cells(findings, "PR-T102", table, frame, bad, column)
        return whole.set(bad.fill_null(False), None).cast(column.dtype, strict=False)
    if kind == "number" and dtype.is_numeric():
        return _convert(frame.with_columns(series.cast(pl.Float64)), column, table, findings)
    if kind == "bool" and dtype.is_integer():
        _report_cells(findings, "PR-T105", table, frame, ~series.is_in([0, 1]), column)
        return (series == 1).set(~series.is_in([0, 1]).fill_null(True), None)
    if kind == "date" and isinstance(dtype, pl.Datetime):
        return series.cast(pl.Date)
    if kind in ("text", "enum", "instant") and (dtype.is_integer() or isinstance(dtype, pl.Datetime)):
        texts = series.cast(pl.String) if dtype.is_integer() else series.dt.strftime("%Y-%m-%dT%H:%M")
        return _convert(frame.with_columns(texts), column, table, findings)
    if kind == "time" and isinstance(dtype, pl.Time):
        return series.dt.strftime("%H:%M")
    findings.add(
        "PR-T113", table=table, column=column.name, value=str(dtype), found=str(dtype), expected=str(column.dtype)
    )
    return pl.repeat(None, len(frame), dtype=column.dtype, eager=True).alias(column.name)


def _report_cells(
    findings: Findings, code: str, table: str, frame: pl.DataFrame, bad: pl.Series, column: Column, **params: object
) -> None:
    report_rows(findings, code, table, frame, bad, column.name, unit=column.unit or "-", **params)


def _parse_text(text: pl.DataFrame, column: Column, table: str, findings: Findings) -> pl.Series:
    return text[column.name]


def _parse_number(text: pl.DataFrame, column: Column, table: str, findings: Findings) -> pl.Series:
    cell = text[column.name]
    value = cell.cast(pl.Float64, strict=False)
    value = value.set(~value.is_finite().fill_null(True), None)
    bad = cell.is_not_null() & value.is_null()
    if bad.any():
        has_unit = bad & cell.str.contains(_WITH_UNIT)
        is_grouped = bad & ~has_unit & cell.str.contains(_GROUPED)
        _report_cells(findings, "PR-T111", table, text, has_unit, column)
        _report_cells(findings, "PR-T112", table, text, is_grouped, column)
        _report_cells(findings, "PR-T103", table, text, bad & ~has_unit & ~is_grouped, column)
    return value


def _parse_int(text: pl.DataFrame, column: Column, table: str, findings: Findings) -> pl.Series:
    cell = text[column.name]
    whole = cell.cast(pl.Int64, strict=False)
    rest = cell.is_not_null() & whole.is_null()
    if not rest.any():
        return whole
    value = _parse_number(text.with_columns(cell.set(~rest, None)), column, table, findings)
    fits = (value == value.round(0)) & (value.abs() <= _MAX_WHOLE)
    _report_cells(findings, "PR-T102", table, text, value.is_not_null() & ~fits, column)
    return whole.zip_with(~(rest & fits.fill_null(False)), value.set(~fits.fill_null(False), 0).cast(pl.Int64))


def _parse_bool(text: pl.DataFrame, column: Column, table: str, findings: Findings) -> pl.Series:
    cell = text[column.name].str.to_lowercase()
    sound = cell.is_in([*_TRUE, *_FALSE])
    _report_cells(findings, "PR-T105", table, text, ~sound, column)
    return cell.is_in(list(_TRUE)).set(~sound.fill_null(False), None)


def _parse_enum(text: pl.DataFrame, column: Column, table: str, findings: Findings) -> pl.Series:
    cell = text[column.name]
    unknown = ~cell.is_in(list(column.choices))
    report_rows(
        findings, "PR-T106", table, text, unknown, column.name, near=column.choices, choices=", ".join(column.choices)
    )
    return cell.set(unknown.fill_null(False), None)


def _parse_clock(text: pl.DataFrame, column: Column, table: str, findings: Findings) -> pl.Series:
    cell = text[column.name]
    minutes = text.select(
        pl.col(column.name).str.extract(_CLOCK, 1).cast(pl.Int32) * 60
        + pl.col(column.name).str.extract(_CLOCK, 2).cast(pl.Int32)
    )[:, 0].alias(column.name)
    _report_cells(findings, "PR-T107", table, text, cell.is_not_null() & minutes.is_null(), column)
    return minutes


def _parse_time(text: pl.DataFrame, column: Column, table: str, findings: Findings) -> pl.Series:
    minutes = _parse_clock(text, column, table, findings)
    return minutes.to_frame().select(
        pl.format(
            "{}:{}",
            (pl.col(column.name) // 60).cast(pl.String).str.zfill(2),
            (pl.col(column.name) % 60).cast(pl.String).str.zfill(2),
        ).alias(column.name)
    )[:, 0]


def _parse_date(text: pl.DataFrame, column: Column, table: str, findings: Findings) -> pl.Series:
    cell = text[column.name]
    dates = cell.set(~cell.str.contains(_DATE).fill_null(False), None).str.to_date("%Y-%m-%d", strict=False)
    _report_cells(findings, "PR-T108", table, text, cell.is_not_null() & dates.is_null(), column)
    return dates


def _parse_instant(text: pl.DataFrame, column: Column, table: str, findings: Findings) -> pl.Series:
    cell = text[column.name]
    sound = text.select(_instant_is_sound(pl.col(column.name)))[:, 0]
    _report_cells(findings, "PR-T109", table, text, ~sound, column)
    return cell.set(~sound.fill_null(False), None)


_PARSERS: dict[str, Callable[[pl.DataFrame, Column, str, Findings], pl.Series]] = {
    "text": _parse_text,
    "number": _parse_number,
    "int": _parse_int,
    "bool": _parse_bool,
    "enum": _parse_enum,
    "clock": _parse_clock,
    "time": _parse_time,
    "date": _parse_date,
    "instant": _parse_instant,
}
