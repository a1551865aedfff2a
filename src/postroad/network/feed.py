"""The Parcel Network Feed on disk: read it, look everything over, write it, lay one feed over another."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from postroad.core.errors import InputError, NotFound
from postroad.core.files import writing_file, writing_folder
from postroad.core.findings import Finding, Findings
from postroad.network.cells import convert_table
from postroad.network.check import check_network
from postroad.network.frames import Network
from postroad.network.metadata import FEED_FILE, FeedMeta, format_metadata, missing_metadata, parse_metadata
from postroad.network.rows import FIRST_ROW, near_name
from postroad.network.schema import tables
from postroad.network.source import FeedSource, open_source
from postroad.network.textfile import RawTable, read_text_table

__all__ = ["Network", "Survey", "examine", "read", "write"]

_FORMATS = ("csv", "parquet")
_ARCHIVE_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Survey:
    """A feed that may be broken: what could be read of it, and everything found, checks included."""

    network: Network
    findings: Findings


@dataclass(frozen=True, slots=True)
class _Layer:
    """One feed of a pile: its metadata, frames that could be read, tables that could not, and what was found."""

    name: str
    meta: FeedMeta
    frames: dict[str, pl.DataFrame]
    doubtful: frozenset[str]
    findings: Findings


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A network as read, tables that could not be, and by table the layers its rows come from with their number."""

    network: Network
    doubtful: frozenset[str]
    parts: Mapping[str, list[tuple[str, int]]]


def read(path_or_name: str | Path, level: str | None = None) -> Network:
    """Read a feed.

    Parameters
    ----------
    path_or_name: a folder or zip archive, or the name of a shipped feed (``tiny``, ``china``, ``china-2023``).
    level: ``city`` or ``county``; the feed as it is when None. Another level than the feed's own is looked for beside
        it under ``<name>-<level>``.

    Returns
    -------
    Network: its cells are sound; whether it hangs together is what :meth:`Network.check` tells.

    Raises
    ------
    NotFound: PR-F101 (no such feed), PR-F128 (no such level).
    InputError: PR-C001 with every finding of the reading attached (PR-F1xx, PR-T1xx).
    """
    findings = Findings()
    loaded = _load(path_or_name, level, findings)
    findings.raise_on_errors()
    return loaded.network


def examine(path_or_name: str | Path, level: str | None = None) -> Survey:
    """Read what can be read of a feed and check it, so that everything wrong with it is known at once.

    Parameters
    ----------
    path_or_name, level: as for :func:`read`.

    Returns
    -------
    Survey: the findings of reading and of checking; checks that need a table that could not be read are left out.

    Raises
    ------
    NotFound: as :func:`read`.
    """
    findings = Findings()
    loaded = _load(path_or_name, level, findings)
    seen = {(finding.table, finding.row, finding.column) for finding in findings}
    absent = {(finding.table, finding.column) for finding in findings if finding.code == "PR-F120"}
    checked = check_network(loaded.network, without=loaded.doubtful)

    def place(finding: Finding) -> Finding | None:
        placed = _placed(finding, loaded.parts)
        is_seen = (placed.table, placed.row, placed.column) in seen or (placed.table, placed.column) in absent
        is_known = finding.code == "PR-T101" and is_seen
        return None if is_known else placed

    _merge(findings, checked, place)
    return Survey(loaded.network, findings)


def write(
    network: Network,
    path: str | Path,
    format: Literal["csv", "parquet"] = "csv",
    zip: bool = False,
    *,
    replace: bool = False,
) -> Path:
    """Write a feed, whole or not at all.

    Parameters
    ----------
    network: what to write; tables of no rows are left out unless a feed must have them.
    path: the folder or, with ``zip``, the archive (``.zip`` is added when it has no suffix).
    format: ``csv`` or ``parquet``.
    replace: whether what stands there gives way.

    Returns
    -------
    Path: what was written.

    Raises
    ------
    InputError: PR-C030 when something stands there that may not be replaced.
    """
    contents = _contents(network, format)
    if not zip:
        with writing_folder(path, replace=replace) as draft:
            for name, content in contents.items():
                (draft / name).write_bytes(content)
        return Path(path)
    target = Path(path) if Path(path).suffix else Path(path).with_suffix(".zip")
    if target.exists() and not replace:
        raise InputError("PR-C030", path=str(target))
    with writing_file(target) as draft, zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(zipfile.ZipInfo(name, _ARCHIVE_DATE), content, zipfile.ZIP_DEFLATED)
    return target


def _contents(network: Network, format: str) -> dict[str, bytes]:
    """The bytes of each file of a feed by name."""
    contents = {FEED_FILE: format_metadata(network.meta).encode()}
    for name, table in tables().items():
        frame = network.tables[name]
        if not len(frame) and (network.meta.base or not table.is_required):
            continue
        buffer = io.BytesIO()
        if format == "parquet":
            frame.write_parquet(buffer, compression="zstd", statistics=False)
        else:
            _as_text(frame, name).write_csv(buffer)
        contents[f"{name}.{format}"] = buffer.getvalue()
    return contents


def _as_text(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """A frame as CSV shows it: minutes as ``HH:MM``, booleans as 1 and 0."""
    changes = []
    for column in tables()[name].columns:
        value = pl.col(column.name)
        if column.kind == "clock":
            hours, minutes = (value // 60).cast(pl.String), (value % 60).cast(pl.String)
            changes.append(pl.format("{}:{}", hours.str.zfill(2), minutes.str.zfill(2)).alias(column.name))
        elif column.kind == "bool":
            changes.append(value.cast(pl.Int8))
    return frame.with_columns(changes)


def _load(path_or_name: str | Path, level: str | None, findings: Findings) -> _Loaded:
    """Read the feed and those it is laid over."""
    source = open_source(path_or_name, findings)
    layers = _pile(source, level, findings)
    frames: dict[str, pl.DataFrame] = {}
    parts: dict[str, list[tuple[str, int]]] = {}
    doubtful: set[str] = set()
    for layer in reversed(layers):
        doubtful |= layer.doubtful
        for name, frame in layer.frames.items():
            is_appended = name in layer.meta.extends and name in frames
            frames[name] = pl.concat([frames[name], frame]) if is_appended else frame
            parts[name] = [*(parts[name] if is_appended else []), (layer.name, len(frame))]
        _merge(findings, layer.findings, partial(_within, layer.name) if len(layers) > 1 else None)
    for name, table in tables().items():
        if table.is_required and name not in frames and name not in doubtful:
            doubtful.add(name)
            if not {"PR-F110", "PR-F131"} & findings.counts.keys():
                findings.add("PR-F121", table=name)
    meta = layers[0].meta.model_copy(update={"base": "", "extends": ()})
    network = Network.assemble(meta, frames, findings)
    return _Loaded(network, frozenset(doubtful), parts if len(layers) > 1 else {})


def _merge(findings: Findings, more: Findings, place: Callable[[Finding], Finding | None] | None = None) -> None:
    """Add findings, each as ``place`` gives it (None: left out); those that were only counted are counted on."""
    for finding in more:
        placed = place(finding) if place else finding
        if placed is not None:
            findings.append(placed)
    for code, n_found in more.counts.items():
        findings.count(code, n_found - sum(finding.code == code for finding in more))


def _within(layer: str, finding: Finding) -> Finding:
    return replace(finding, table=f"{layer}/{finding.table}")


def _placed(finding: Finding, parts: Mapping[str, list[tuple[str, int]]]) -> Finding:
    """A finding about merged rows at its row of the layer that brought it."""
    row = finding.row
    for layer, height in parts.get(finding.table, []):
        if row < height + FIRST_ROW:
            return replace(finding, table=f"{layer}/{finding.table}", row=row)
        row -= height
    return finding


def _pile(source: FeedSource, level: str | None, findings: Findings) -> list[_Layer]:
    """The layers from the level asked for down to the one at the bottom."""
    layers = _chain(source, findings)
    if level is None:
        return layers
    for number, layer in enumerate(layers):
        if layer.meta.level == level:
            return layers[number:]
    finer = source.neighbour(f"{source.name}-{level}", findings)
    if finer is None:
        raise NotFound("PR-F128", feed=source.name, level=level, own=layers[0].meta.level)
    return [_read_layer(finer), *layers]


def _chain(source: FeedSource, findings: Findings) -> list[_Layer]:
    """A feed and those it is laid over, itself first."""
    layers = [_read_layer(source)]
    names = {source.name}
    while base := layers[-1].meta.base:
        if base in names:
            findings.add("PR-F126", table=FEED_FILE, column="base", value=base)
            break
        names.add(base)
        below = source.neighbour(base, findings) or _shipped(base, findings)
        if below is None:
            break
        layers.append(_read_layer(below))
    return layers


def _shipped(base: str, findings: Findings) -> FeedSource | None:
    try:
        return open_source(base, findings)
    except NotFound as error:
        findings.add("PR-F130", table=FEED_FILE, column="base", value=base, known=error.params["known"])
        return None


def _read_layer(source: FeedSource) -> _Layer:
    """Read one folder or archive, without the feed it may be laid over."""
    findings = Findings()
    content = _content(source, FEED_FILE, findings) if FEED_FILE in source.files else None
    if content is None:
        if source.files:
            findings.add("PR-F102", table=FEED_FILE, value=source.name)
        meta = missing_metadata()
    else:
        meta = parse_metadata(content, findings)
    frames: dict[str, pl.DataFrame] = {}
    doubtful: set[str] = set()
    for name, names in _table_files(source, findings).items():
        raw = _read_raw(source, name, names[0], findings)
        if raw is None:
            doubtful.add(name)
        else:
            frames[name] = convert_table(raw, tables()[name], findings)
    return _Layer(source.name, meta, frames, frozenset(doubtful), findings)


def _table_files(source: FeedSource, findings: Findings) -> Mapping[str, list[str]]:
    """The files of each table; unknown tables and formats are reported."""
    found: dict[str, list[str]] = {}
    for file in sorted(source.files):
        stem, _, suffix = file.rpartition(".")
        if file == FEED_FILE or file.startswith("."):
            continue
        if stem in tables() and suffix in _FORMATS:
            found.setdefault(stem, []).append(file)
        elif suffix in _FORMATS:
            findings.add("PR-F118", table=stem, value=file, near=near_name(stem, tables()), known=", ".join(tables()))
        elif stem in tables():
            findings.add("PR-F127", table=stem, value=file)
    for name, names in found.items():
        if len(names) > 1:
            findings.add("PR-F122", table=name, value=" ".join(names))
    return found


def _content(source: FeedSource, file: str, findings: Findings) -> bytes | None:
    """The bytes of one file, or None and a finding."""
    try:
        return source.files[file]()
    except (OSError, zipfile.BadZipFile, zlib.error) as error:
        findings.add("PR-F129", table=file.rpartition(".")[0], value=file, problem=str(error))
        return None


def _read_raw(source: FeedSource, table: str, file: str, findings: Findings) -> RawTable | None:
    """A table as it stands in its file, or None and a finding."""
    content = _content(source, file, findings)
    if content is None:
        return None
    if file.endswith(".csv"):
        return read_text_table(content, table, findings)
    if not content:
        findings.add("PR-F114", table=table)
        return None
    try:
        opened = pa_parquet.ParquetFile(io.BytesIO(content))
        names = opened.schema_arrow.names
        twice = sorted({name for name in names if names.count(name) > 1})
        for name in twice:
            findings.add("PR-F117", table=table, row=1, column=name, value=name)
        read_columns = opened.read()
        read_columns.validate(full=True)
        frame = pl.DataFrame(pl.from_arrow(read_columns)) if not twice else None
    except (pa.ArrowException, OSError, UnicodeDecodeError, pl.exceptions.PolarsError) as error:
        findings.add("PR-F112", table=table, value=file, problem=str(error).splitlines()[0].rstrip("."))
        return None
    return None if frame is None else RawTable(frame, np.arange(len(frame)) + FIRST_ROW)
