"""Intervals of printed figures and three-valued verdicts."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.core.errors import InputError
from postroad.facts import Verdict, interval, verdict


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("80.97", 80.965, 80.975),
        ("80.0", 79.95, 80.05),
        ("1.8万亿", 1.75e12, 1.85e12),
        ("52.64亿", 52.635e8, 52.645e8),
        ("~12500", 12450, 12550),
        ("近12500", 12450, 12550),
        ("约0.4", 0.35, 0.45),
        ("1,320.7", 1320.65, 1320.75),
        ("77.1%", 77.05, 77.15),
    ],
)
def test_a_printed_figure_stands_for_what_rounds_to_it(text, low, high):
    found = interval(text)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-12)
    assert found.low in found
    assert found.high not in found


def test_one_sided_figures_leave_out_the_bound_when_strict():
    assert 80 not in interval(">80")
    assert 80.001 in interval("超80")
    assert 80 in interval("≥80")
    assert 80 not in interval("<80")
    assert 80 in interval("<=80")
    assert -1e9 in interval("≤80")


@given(st.decimals(min_value=-(10**6), max_value=10**6, places=6), st.integers(0, 4))
def test_the_interval_of_a_rounded_number_holds_the_number(number, digits):
    printed = number.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    found = interval(str(printed))
    assert found.low - 1e-9 <= float(number) <= found.high + 1e-9
    assert found.high - found.low == pytest.approx(10.0**-digits)


@pytest.mark.parametrize(
    ("text", "operator", "target", "state"),
    [
        ("80.97", "ge", 80, "met"),
        ("77.82", "ge", 80, "not met"),
        ("1.8万亿", "ge", 1.8e12, "not decidable"),
        (">80", "gt", 90, "not decidable"),
        (">90", "gt", 90, "met"),
        ("≥90", "gt", 90, "not decidable"),
        ("≥90", "ge", 90, "met"),
        ("<3", "lt", 3, "met"),
        ("≤3", "lt", 3, "not decidable"),
        ("3", "lt", 3, "not decidable"),
        ("2.4", "le", 3, "met"),
        ("3.6", "lt", 3, "not met"),
        ("3", "lt", 2.5, "not met"),
        ("3", "ge", 3.5, "not met"),
        ("<3", "ge", 3, "not met"),
    ],
)
def test_verdicts_follow_from_the_whole_interval(text, operator, target, state):
    found = verdict(interval(text), operator, target)
    assert found.state == state
    assert found.reason == ("precision" if state == "not decidable" else "")


def test_what_is_not_published_or_differently_defined_is_not_decided():
    assert verdict(None, "ge", 80) == Verdict("not decidable", "not published")
    assert verdict(interval("84.3"), "ge", 80, is_same_definition=False) == Verdict(
        "not decidable", "definition changed"
    )


@given(st.floats(-100, 100), st.sampled_from(["ge", "gt", "le", "lt"]), st.floats(-100, 100), st.integers(0, 3))
def test_a_decided_verdict_agrees_with_every_number_of_the_interval(number, operator, target, digits):
    found = interval(f"{number:.{digits}f}")
    state = verdict(found, operator, target).state
    inside = [found.low, (found.low + found.high) / 2, found.low + 0.999 * (found.high - found.low)]
    compare = {"ge": float.__ge__, "gt": float.__gt__, "le": float.__le__, "lt": float.__lt__}[operator]
    answers = {compare(float(value), float(target)) for value in inside}
    if state != "not decidable":
        assert answers == {state == "met"}
    if len(answers) == 2:
        assert state == "not decidable"


def test_what_is_no_figure_is_refused():
    with pytest.raises(InputError) as caught:
        interval("about forty")
    assert caught.value.code == "PR-M510"
    with pytest.raises(InputError) as caught:
        verdict(interval("3"), "eq", 3)
    assert caught.value.code == "PR-M511"
