"""Digests are over content and nothing else."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.core.digests import (
    digest_arrays,
    digest_bytes,
    digest_file,
    digest_folder,
    digest_frame,
    digest_mapping,
)

ROWS = st.lists(
    st.tuples(st.one_of(st.none(), st.text(max_size=3)), st.one_of(st.none(), st.integers(-5, 5)), st.booleans()),
    max_size=6,
)
SCHEMA = {"name": pl.String, "n": pl.Int64, "open": pl.Boolean}


def frame_of(rows):
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def test_where_a_part_ends_matters():
    assert digest_bytes(b"ab", b"c") != digest_bytes(b"a", b"bc") != digest_bytes(b"abc")
    assert len(digest_bytes()) == 32


@given(ROWS, ROWS)
def test_frames_are_equal_when_their_digests_are(one, other):
    assert (digest_frame(frame_of(one)) == digest_frame(frame_of(other))) == (one == other)


@given(ROWS, st.randoms(use_true_random=False))
def test_order_of_rows_matters_only_where_stated(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert digest_frame(frame_of(rows), ordered=False) == digest_frame(frame_of(shuffled), ordered=False)
    assert (digest_frame(frame_of(rows)) == digest_frame(frame_of(shuffled))) == (rows == shuffled)


def test_representation_does_not_matter():
    frame = frame_of([("杭州", 1, True), (None, None, False), ("", 0, True)])
    chunks = pl.concat([frame.head(1), frame.tail(2)], rechunk=False)
    assert digest_frame(chunks) == digest_frame(frame)
    assert digest_frame(frame.select("open", "n", "name")) == digest_frame(frame)
    assert digest_frame(frame.cast({"n": pl.Int8})) == digest_frame(frame)
    assert digest_frame(frame.cast({"name": pl.Categorical})) == digest_frame(frame)


def test_content_matters():
    frame = frame_of([("a", 1, True)])
    others = [
        frame.rename({"n": "m"}),
        frame.cast({"n": pl.Float64}),
        frame.with_columns(n=pl.lit(None, pl.Int64)),
        frame.with_columns(name=pl.lit("")),
        frame.with_columns(name=pl.lit(None, pl.String)),
        frame.head(0),
        frame.drop("open"),
    ]
    assert len({digest_frame(other) for other in [frame, *others]}) == len(others) + 1


def test_days_and_no_columns():
    days = pl.DataFrame({"day": [date(2025, 11, 11), None]})
    assert digest_frame(days) != digest_frame(days.reverse())
    assert digest_frame(pl.DataFrame(), ordered=False) == digest_frame(pl.DataFrame())


def test_arrays():
    values = np.arange(6, dtype=np.int32).reshape(2, 3)
    digest = digest_arrays({"a": values, "b": values})
    assert digest_arrays({"b": np.asfortranarray(values), "a": values.astype(">i4")}) == digest
    assert digest_arrays({"a": values, "b": values.reshape(3, 2)}) != digest
    assert digest_arrays({"a": values, "b": values.astype(np.int64)}) != digest
    assert digest_arrays({"a": values, "c": values}) != digest


def test_files_and_folders(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder / "sub").mkdir(parents=True)
        (tmp_path / folder / "b.txt").write_bytes(b"b" * 3_000_000)
        (tmp_path / folder / "sub" / "a.txt").write_bytes(b"a")
    assert digest_folder(tmp_path / "one") == digest_folder(tmp_path / "two")
    assert digest_folder(tmp_path / "one", ["sub/a.txt", "b.txt"]) == digest_folder(tmp_path / "one")
    assert digest_folder(tmp_path / "one", ["b.txt"]) != digest_folder(tmp_path / "one")
    before = digest_file(tmp_path / "one" / "b.txt")
    (tmp_path / "one" / "b.txt").write_bytes(b"b" * 2_999_999 + b"c")
    assert digest_file(tmp_path / "one" / "b.txt") != before
    assert digest_folder(tmp_path / "one") != digest_folder(tmp_path / "two")


@pytest.mark.parametrize("other", [{"a": 2}, {"b": 1}, {"a": "1"}, {}])
def test_mappings(other):
    assert digest_mapping({"a": 1}) != digest_mapping(other)
