"""Digests of what a run reads and writes: 32 hexadecimal digits of BLAKE2b.

A digest is over content, not over representation: chunks, memory order, byte order and the time a file was written do
not matter. The width of an integer does not matter in a frame either, since CSV knows none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path

import numpy as np
import polars as pl

__all__ = ["digest_arrays", "digest_bytes", "digest_file", "digest_folder", "digest_frame", "digest_mapping"]

SIZE = 16
BLOCK = 1 << 20


def digest_bytes(*parts: bytes) -> str:
    """Digest pieces of bytes in order; where one ends and the next begins matters."""
    digest = hashlib.blake2b(digest_size=SIZE)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def digest_mapping(values: Mapping[str, object]) -> str:
    """Digest a mapping of JSON values; the order of its keys does not matter.

    >>> digest_mapping({"a": 1, "b": [2]}) == digest_mapping({"b": [2], "a": 1})
    True
    """
    return digest_bytes(json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode())


def digest_file(path: Path | str) -> str:
    """Digest the bytes of one file."""
    digest = hashlib.blake2b(digest_size=SIZE)
    with Path(path).open("rb") as handle:
        while block := handle.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def digest_folder(folder: Path | str, names: Iterable[str] | None = None) -> str:
    """Digest the files of a folder by their relative names and bytes.

    Parameters
    ----------
    folder: the folder; everything below it counts.
    names: relative names with ``/`` to count instead of everything, in any order.
    """
    root = Path(folder)
    if names is None:
        names = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    pairs = ((name.encode(), digest_file(root / name).encode()) for name in sorted(names))
    return digest_bytes(*chain.from_iterable(pairs))


def digest_arrays(arrays: Mapping[str, np.ndarray]) -> str:
    """Digest named arrays; the order of the names does not matter, values, shapes and types do."""
    parts = []
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        parts += [name.encode(), little.dtype.str.encode(), str(array.shape).encode(), little.tobytes("C")]
    return digest_bytes(*parts)


def digest_frame(frame: pl.DataFrame, *, ordered: bool = True) -> str:
    """Digest a frame by its column names and values; the order of its columns does not matter.

    Parameters
    ----------
    frame: columns of text, numbers, booleans, dates or instants.
    ordered: whether the order of the rows matters; when not, the frame is sorted by all its columns first.
    """
    frame = frame.select(sorted(frame.columns))
    if not ordered and frame.width:
        frame = frame.sort(frame.columns, nulls_last=True)
    parts = [str(frame.height).encode()]
    for column in frame.iter_columns():
        parts += [column.name.encode(), *_column_parts(column)]
    return digest_bytes(*parts)


def _column_parts(column: pl.Series) -> list[bytes]:
    """Lay one column out as bytes: kind, which values are missing, values."""
    missing = np.packbits(column.is_null().to_numpy()).tobytes()
    kind = column.dtype
    if kind == pl.String or isinstance(kind, pl.Categorical | pl.Enum):
        texts = column.cast(pl.String).fill_null("")
        lengths = texts.str.len_bytes().cast(pl.Int64).to_numpy()
        return [b"text", missing, lengths.astype("<i8").tobytes(), "".join(texts.to_list()).encode()]
    if kind.is_float():
        return [b"float", missing, column.cast(pl.Float64).fill_null(0.0).to_numpy().astype("<f8").tobytes()]
    if kind.is_integer() or kind == pl.Boolean:
        name = b"flag" if kind == pl.Boolean else b"integer"
        return [name, missing, column.cast(pl.Int64).fill_null(0).to_numpy().astype("<i8").tobytes()]
    return [str(kind).encode(), missing, column.to_physical().cast(pl.Int64).fill_null(0).to_numpy().tobytes()]
