"""Ids of rows: the same content is the same id, and nothing else is."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from postroad.exchange.rowids import digest_rows

CELLS = st.one_of(st.none(), st.text("a\x1e\x1f01", max_size=4))


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=12))
def test_equal_rows_and_no_others_share_an_id(rows):
    frame = pl.DataFrame(rows, schema={"a": pl.String, "b": pl.String}, orient="row")
    ids = digest_rows(frame, ["a", "b"], "test").to_list()
    plain = [(a or "", b or "") for a, b in rows]
    assert len(set(ids)) == len(set(plain))
    assert len(set(zip(ids, plain, strict=True))) == len(set(ids))
    alone = [digest_rows(frame[n], ["a", "b"], "test")[0] for n in range(len(rows))]
    assert alone == ids  # whatever stands beside it


def test_an_id_has_the_layout_of_a_uuid_of_version_8():
    (made,) = digest_rows(pl.DataFrame({"a": ["x"]}), ["a"], "test")
    assert (len(made), made[6] >> 4, made[8] >> 6) == (16, 8, 0b10)
    assert made.hex() == digest_rows(pl.DataFrame({"a": ["x"]}), ["a"], "test")[0].hex()
    assert made != digest_rows(pl.DataFrame({"a": ["x"]}), ["a"], "other")[0]
    assert len(digest_rows(pl.DataFrame({"a": []}, schema={"a": pl.String}), ["a"], "test")) == 0


def test_ids_stay_what_they_are():
    """A file that was imported is known again by the next version; change this only with a new scheme."""
    frame = pl.DataFrame({"a": ["SF1"], "b": [None]}, schema={"a": pl.String, "b": pl.String})
    assert digest_rows(frame, ["a", "b"], "scan ")[0].hex() == "8a161c204cb88465b1d6cd187bc59786"
