"""Which ids are held: against a dictionary."""

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from postroad.ledger.known import SEALED, KnownIds


class Sealed:
    """Sealed ids in a plain list."""

    def __init__(self, words):
        self.words = words
        self.n_rows = len(words)

    def ids(self, first=0, count=None):
        return self.words[first:][:count]

    def find_ids(self, words, wanted, known, mark):
        rows = {tuple(word): row for row, word in enumerate(self.words.tolist())}
        for row in wanted.tolist():
            place = rows.get(tuple(words[row].tolist()))
            if place is not None and known[row] < 0:
                known[row] = mark + place


def words_of(numbers):
    return np.array([[number, number * 7 + 1] for number in numbers], np.uint64).reshape(-1, 2)


@given(st.integers(0, 10**6), st.integers(1, 30))
def test_ids_are_held_as_in_a_dictionary(seed, n_steps):
    chance = random.Random(seed)
    known, held, log, n_sealed = KnownIds([]), {}, [], 0
    for _ in range(n_steps):
        batch = [chance.randrange(300) for _ in range(chance.randrange(1, 40))]
        found = known.note(words_of(batch)).tolist()
        for number, place in zip(batch, found, strict=True):
            assert place == held.get(number, -1)
            if place < 0:
                held[number] = len(log)
                log.append(number)
        assert known.n_held == len(log)
        if chance.random() < 0.2 and log:
            n_rows = chance.randrange(1, len(log) + 1)
            n_sealed += 1
            known.seal(n_rows, [Sealed(words_of(log[:n_rows]))])
            held |= {number: n_sealed * SEALED + row for row, number in enumerate(log[:n_rows])}
            log = log[n_rows:]
            held |= {number: row for row, number in enumerate(log)}
        elif chance.random() < 0.2 and log:
            n_rows = chance.randrange(len(log))
            known.keep(n_rows)
            for number in log[n_rows:]:
                del held[number]
            log = log[:n_rows]


def test_a_large_filter_holds_all_that_is_sealed():
    words = np.random.default_rng(1).integers(0, 1 << 63, (200_000, 2)).astype(np.uint64)
    known = KnownIds([Sealed(words[:150_000])])
    known.add_sealed([Sealed(words[150_000:])])
    places = known.note(words[::1000])
    assert (places >= SEALED).all()
    assert (known.note(words[:100] + np.uint64(1)) == -1).all()
