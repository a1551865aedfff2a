"""Despatches and receptacles: the constructed example, round trips, and completeness."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.core.errors import InputError
from postroad.exchange.upu.despatches import (
    Despatch,
    Receptacle,
    check_despatch_id,
    check_receptacle_id,
    check_receptacles,
    parse_despatch,
    parse_receptacle,
)
from postroad.exchange.upu.offices import check_office, offices, terms

EXAMPLE = "CNBJSAUSLAXAAUN30123001100155"
OFFICES = st.sampled_from(["CNBJSA", "CNCANA", "USLAXA", "DEFRAA", "JPKWSA"])
DESPATCHES = st.builds(
    Despatch,
    OFFICES,
    OFFICES,
    st.sampled_from("ABCD"),
    st.sampled_from(["UN", "CN", "EN", "TA"]),
    st.integers(0, 9),
    st.integers(0, 9999),
)
RECEPTACLES = st.builds(Receptacle, DESPATCHES, st.integers(1, 999), st.booleans(), st.booleans(), st.integers(0, 9999))


def bags(n, weight_hg=155, number=123):
    """Identifiers of a complete despatch of n receptacles."""
    despatch = Despatch("CNBJSA", "USLAXA", "A", "UN", 3, number)
    return [str(Receptacle(despatch, serial, serial == n, False, weight_hg)) for serial in range(1, n + 1)]


def test_the_example():
    receptacle = parse_receptacle(EXAMPLE)
    assert receptacle == Receptacle(Despatch("CNBJSA", "USLAXA", "A", "UN", 3, 123), 1, True, False, 155)
    assert receptacle.weight_kg == 15.5
    assert str(receptacle.despatch) == EXAMPLE[:20]
    assert check_receptacle_id(EXAMPLE) == []


@given(RECEPTACLES)
def test_what_is_written_is_read(receptacle):
    assert parse_receptacle(str(receptacle)) == receptacle
    assert parse_despatch(str(receptacle)[:20]) == receptacle.despatch
    assert len(str(receptacle)) == 29


@pytest.mark.parametrize(
    "text", ["", EXAMPLE[:28], EXAMPLE + "0", EXAMPLE.lower(), EXAMPLE[:23] + "2" + EXAMPLE[24:], "1" + EXAMPLE[1:]]
)
def test_another_form_is_refused(text):
    with pytest.raises(InputError) as caught:
        parse_receptacle(text)
    assert caught.value.code == "PR-C010"
    assert [finding.code for finding in check_receptacle_id(text)] == ["PR-C010"]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("CNBJSAUSLAXAAUN30123", []),
        ("CNBJSAUSLAXAXUN30123", ["PR-E302"]),
        ("CNBJSAUSLAXAAXN30123", ["PR-E303"]),
        ("CNQQQAUSLAXAACE30123", ["PR-E301"]),
        ("XXBJSAUSLAXAAUN30123", ["PR-C012"]),
        ("short", ["PR-C010"]),
    ],
)
def test_despatch_findings(text, codes):
    assert [finding.code for finding in check_despatch_id(text)] == codes


def test_parts_that_make_no_identifier():
    despatch = Despatch("CNBJSA", "USLAXA", "A", "UN", 3, 12345)
    with pytest.raises(InputError):
        str(despatch)
    with pytest.raises(InputError):
        str(Receptacle(parse_despatch(EXAMPLE[:20]), 1, True, False, 10000))


def test_serial_zero():
    assert [finding.code for finding in check_receptacle_id(EXAMPLE[:20] + "000100155")] == ["PR-C010"]


def test_offices():
    assert len(offices()) == 168
    assert all(check_office(impc) is None for impc in offices())
    assert check_office("CNZZZZ").code == "PR-E301"
    assert check_office("XXBJSA").code == "PR-C012"
    assert check_office("cnbjsa").code == "PR-C010"
    assert check_office("GBLALA") is None
    assert {term.code for term in terms("115").values()} == {"A", "B", "C", "D"}


@given(st.permutations(bags(4)))
def test_a_whole_despatch_in_any_order(texts):
    (state,), findings = check_receptacles(texts, {EXAMPLE[:20]: 4 * 155})
    assert state.is_complete and state.n_expected == state.n_seen == 4
    assert len(findings) == 0


def test_a_missing_receptacle():
    (state,), findings = check_receptacles([text for text in bags(4) if parse_receptacle(text).serial != 3])
    assert (state.missing, state.is_complete, state.weight_hg) == ((3,), False, 465)
    assert list(findings.counts) == ["PR-E304"]
    assert "3" in next(iter(findings)).message()


def test_the_last_is_not_known():
    (state,), findings = check_receptacles(bags(4)[:3])
    assert (state.n_expected, state.missing, state.is_complete) == (None, (), False)
    assert list(findings.counts) == ["PR-E305"]


def test_a_serial_beyond_the_last():
    beyond = EXAMPLE[:20] + "005000155"
    (state,), findings = check_receptacles([*bags(4), beyond])
    assert not state.is_complete
    assert set(findings.counts) == {"PR-E305"}


def test_weights_that_do_not_add_up():
    _, findings = check_receptacles(bags(2), {EXAMPLE[:20]: 300})
    assert list(findings.counts) == ["PR-E306"]
    assert "30.0 kg" in next(iter(findings)).message() and "31.0 kg" in next(iter(findings)).message()


def test_a_despatch_of_which_nothing_came():
    (state,), findings = check_receptacles([], {EXAMPLE[:20]: 300})
    assert (state.n_seen, state.is_complete) == (0, False)
    assert set(findings.counts) == {"PR-E305", "PR-E306"}


def test_the_same_serial_twice():
    _, same = check_receptacles([EXAMPLE, EXAMPLE])
    assert len(same) == 0
    _, other = check_receptacles([EXAMPLE, EXAMPLE[:25] + "0160"])
    assert list(other.counts) == ["PR-E307"]


def test_one_bad_identifier_loses_no_other():
    states, findings = check_receptacles(["nonsense", *bags(2), *bags(3, number=7)])
    assert [state.despatch.number for state in states] == [7, 123]
    assert all(state.is_complete for state in states)
    assert list(findings.counts) == ["PR-C010"]
    assert next(iter(findings)).row == 2
