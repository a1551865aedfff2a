"""Named streams of random numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.core.errors import InputError
from postroad.core.seeds import seed64, stream

NAMES = st.lists(st.one_of(st.text(max_size=5), st.integers(-3, 3)), max_size=3)


@given(st.integers(0, 2**70), NAMES)
def test_same_name_same_stream(seed, names):
    assert stream(seed, *names).bytes(32) == stream(seed, *names).bytes(32)
    assert seed64(seed, *names) == seed64(seed, *names)


@given(st.integers(0, 3), NAMES, st.integers(0, 3), NAMES)
def test_other_name_other_stream(seed, names, other_seed, other_names):
    same = (seed, names) == (other_seed, other_names)
    assert (seed64(seed, *names) == seed64(other_seed, *other_names)) == same


def test_pinned_bits():
    """A seed written in a report must give the same run for ever."""
    assert seed64(7, "twin", 3) == 10085255627017082063
    assert stream(7, "twin", 3).bytes(8).hex() == "a1238a5295229dee"


def test_a_stream_does_not_feel_its_neighbours():
    alone = stream(1, "demand").integers(0, 2**62, 5)
    stream(1, "twin").integers(0, 2**62, 1000)
    assert np.array_equal(stream(1, "demand").integers(0, 2**62, 5), alone)


def test_streams_are_uncorrelated():
    draws = np.array([stream(1, "worker", n).random(2000) for n in range(20)])
    between = np.corrcoef(draws)[~np.eye(20, dtype=bool)]
    assert np.abs(between).max() < 0.12  # 5.4 standard errors of 1/sqrt(2000)


def test_numpy_integers_count_as_integers():
    assert seed64(np.int64(7), np.int32(3)) == seed64(7, 3)


def test_negative_seed():
    with pytest.raises(InputError) as caught:
        stream(-1, "twin")
    assert caught.value.code == "PR-C050"
