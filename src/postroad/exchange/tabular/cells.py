"""Cells of text as what they mean: instants, numbers, kinds, facilities."""

from __future__ import annotations

import re

import polars as pl

from postroad.exchange.waybills import UNCLEAN, normal_number

__all__ = ["EATEN", "PERSONAL", "clean_numbers", "is_eaten", "read_instants", "trim_cells"]

EATEN = r"^[0-9](?:[.,][0-9]+)?[Ee][+]?[0-9]+$"
"""How a spreadsheet shows a long number that it took for a quantity."""

PERSONAL = re.compile(
    r"收件人|寄件人|收方|寄方|收货人|发货人|签收人|姓名|联系人|电话|手机|地址|身份证|证件|邮箱|(?:快递|业务|派件|收件|派送|扫描|操作|录单)员"
    r"|\b(?:name|phone|mobile|tel|address|e-?mail|recipient|sender|consignee|consignor|addressee|signatory|courier)\b",
    re.IGNORECASE,
)
"""Headings of columns that name, number or locate a person."""

AUTO = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y.%m.%d %H:%M:%S",
    "%Y%m%d%H%M%S",
    "%Y%m%d %H:%M:%S",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日 %H:%M",
    "%Y年%m月%d日%H时%M分%S秒",
    "%Y年%m月%d日%H时%M分",
)
"""Forms that begin with the year, so that day and month cannot be taken for one another."""
WITH_OFFSET = ("%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%dT%H:%M%z", "%Y-%m-%d %H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f %z")
EXCEL_EPOCH_DAYS = 25_569
"""Days from 1899-12-30, where the serial days of workbooks begin, to 1970-01-01."""
DAY_S = 86_400
SAMPLE = 200


def trim_cells(frame: pl.DataFrame) -> pl.DataFrame:
    """Cells without the space around them; an empty text becomes null."""
    trimmed = pl.col(pl.String).str.strip_chars()
    return frame.with_columns(pl.when(trimmed != "").then(trimmed))


def is_eaten(texts: pl.Series) -> pl.Series:
    """Which cells are numbers that a spreadsheet wrote with an exponent: bool (n,).

    >>> is_eaten(pl.Series(["1.23E+12", "SF1", "1E12"])).to_list()
    [True, False, True]
    """
    return texts.str.contains(EATEN).fill_null(False)


def clean_numbers(texts: pl.Series, *, normalise: bool) -> pl.Series:
    """Numbers of items without what programs put around them to save their digits.

    Parameters
    ----------
    texts: trimmed text (n,); ``'123``, ``="123"`` and ``123.0`` all mean ``123``.
    normalise: whether to write them as :func:`postroad.exchange.waybills.normalise_number` does.

    >>> clean_numbers(pl.Series(['="773123"', "'77-31", "7731.0"]), normalise=True).to_list()
    ['773123', '7731', '7731']
    """
    if not texts.str.contains(UNCLEAN).any():
        return texts
    dressed = texts.str.contains(r"^[='\"]|['\"]$|^[0-9]+\.0+$").fill_null(False)
    if dressed.any():
        bare = texts.filter(dressed).str.replace_all(r"^=?['\"]+|['\"]+$", "")
        texts = texts.scatter(dressed.arg_true(), bare.str.replace(r"^([0-9]+)\.0+$", "$1"))
    return normal_number(texts) if normalise else texts


def read_instants(cells: pl.Series, formats: list[str], zone: str) -> tuple[pl.Series, pl.Series]:
    """Read instants.

    Parameters
    ----------
    cells: trimmed text, or instants or dates (n,).
    formats: as in a mapping's ``[time]``, tried in order on what the ones before could not read.
    zone: IANA name, for times without an offset.

    Returns
    -------
    Instants in UTC to the microsecond, null where they cannot be read; and which of those are times that the zone's
    clocks did not show or showed twice: bool (n,).

    >>> read_instants(pl.Series(["2025-11-11 09:30:00"]), ["auto"], "Asia/Shanghai")[0].dt.to_string().to_list()
    ['2025-11-11 01:30:00.000000+00:00']
    """
    if cells.dtype.is_temporal():
        aware = isinstance(cells.dtype, pl.Datetime) and cells.dtype.time_zone is not None
        if aware:
            return cells.dt.convert_time_zone("UTC").cast(pl.Datetime("us", "UTC")), cells.is_null() & False
        return _place(cells.cast(pl.Datetime("us")), zone)
    texts = _plain(cells.cast(pl.String))
    instants = pl.Series(cells.name, [None], dtype=pl.Datetime("us", "UTC")).new_from_index(0, len(cells))
    odd = pl.Series([False]).new_from_index(0, len(cells))
    for form in _ordered(texts, formats):
        open_at = (instants.is_null() & texts.is_not_null() & ~odd).arg_true()
        if len(open_at) == 0:
            break
        is_whole = len(open_at) == len(texts)
        found, found_odd = _try(texts if is_whole else texts.gather(open_at), form, zone)
        if is_whole:
            instants, odd = found, found_odd
        elif found.null_count() < len(found) or found_odd.any():
            instants, odd = instants.scatter(open_at, found), odd.scatter(open_at, found_odd)
    return instants.alias(cells.name), odd


def _plain(texts: pl.Series) -> pl.Series:
    """Texts with half-width signs."""
    wide = (texts.str.len_bytes() != texts.str.len_chars()).fill_null(False)
    if not wide.any():
        return texts
    return texts.scatter(wide.arg_true(), texts.filter(wide).str.normalize("NFKC"))


def _ordered(texts: pl.Series, formats: list[str]) -> list[str]:
    """Every single form to try; of those that ``auto`` and ``iso`` stand for, the ones that read a sample first."""
    forms: list[str] = []
    sample = texts.drop_nulls().head(SAMPLE)
    for form in formats:
        if form not in ("auto", "iso"):
            forms.append(form)
            continue
        known = [*WITH_OFFSET, *(AUTO if form == "auto" else [one for one in AUTO if one.startswith("%Y-%m-%dT")])]
        n_read = {one: len(sample) - _try(sample, one, "UTC")[0].null_count() for one in known}
        forms += sorted(known, key=lambda one: -n_read[one])
    return forms


def _try(texts: pl.Series, form: str, zone: str) -> tuple[pl.Series, pl.Series]:
    """Read texts in one form: instants, and which are no time of the zone."""
    if form in ("excel", "epoch_s", "epoch_ms"):
        numbers = texts.cast(pl.Float64, strict=False)
        if form == "excel":
            numbers = pl.select(pl.when((numbers >= 1) & (numbers < 2_958_466)).then(numbers)).to_series()
            seconds = ((numbers - EXCEL_EPOCH_DAYS) * DAY_S).round(0)
            return _place((seconds * 1_000_000).cast(pl.Int64).cast(pl.Datetime("us")), zone)
        micros = (numbers * (1_000_000 if form == "epoch_s" else 1_000)).cast(pl.Int64, strict=False)
        return micros.cast(pl.Datetime("us", "UTC")), numbers.is_null() & False
    if "%z" in form:
        stamped = texts.str.replace("[zZ]$", "+00:00")
        found = stamped.str.to_datetime(form, time_unit="us", strict=False)
        return found.dt.convert_time_zone("UTC"), found.is_null() & False
    try:
        return _place(texts.str.to_datetime(form, time_unit="us", strict=False), zone)
    except pl.exceptions.PolarsError:
        return _place(texts.cast(pl.Datetime("us"), strict=False).clear(len(texts)), zone)


def _place(local: pl.Series, zone: str) -> tuple[pl.Series, pl.Series]:
    """Local times as instants in UTC, and which of them the zone does not have exactly once."""
    instants = local.dt.replace_time_zone(zone, ambiguous="null", non_existent="null").dt.convert_time_zone("UTC")
    return instants, instants.is_null() & local.is_not_null()
