"""Ids of events."""

import time
from uuid import RFC_4122, UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from postroad.core.ids import digest_id, uuid7

PARTS = st.lists(st.one_of(st.text(), st.integers(), st.binary()), max_size=4)


def test_published_example():
    """RFC 9562, appendix A.6."""
    entropy = (0xCC3 << 64 | 0x18C4DC0C0C07398F).to_bytes(10, "big")
    assert uuid7(0x017F22E279B0, entropy) == UUID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")


def test_ids_of_now_are_unique_and_of_now():
    before = time.time_ns() // 10**6
    ids = [uuid7() for _ in range(1000)]
    after = time.time_ns() // 10**6
    assert len(set(ids)) == 1000
    assert all(before <= item.int >> 80 <= after for item in ids)
    assert all(item.version == 7 and item.variant == RFC_4122 for item in ids)


@given(st.integers(0, 2**48 - 2), st.binary(min_size=10, max_size=10), st.binary(min_size=10, max_size=10))
def test_later_sorts_later(unix_ms, one, other):
    assert uuid7(unix_ms, one) < uuid7(unix_ms + 1, other)


@given(PARTS, PARTS)
def test_equal_content_equal_id(one, other):
    same = [(type(a), a) for a in one] == [(type(b), b) for b in other]
    assert (digest_id(*one) == digest_id(*other)) == same
    assert digest_id(*one).version == 8 and digest_id(*one).variant == RFC_4122


def test_pinned_digest():
    """Ids already written to ledgers must never change."""
    assert str(digest_id("run", 7, b"x")) == "adaf9a33-70f4-805b-987c-b37782e48274"


def test_numpy_integers_count_as_integers():
    assert digest_id(np.int32(7)) == digest_id(7) != digest_id("7")
