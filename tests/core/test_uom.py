"""Units of measure."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.core.errors import InputError
from postroad.core.uom import UOMS, convert, factor, label, uom_of


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("total_h", "h"),
        ("gco2e_per_item", "gco2e_per_item"),
        ("cost_yuan_per_item", "yuan_per_item"),
        ("sort_items_per_h", "items_per_h"),
        ("n_items", "count"),
        ("on_time_72h_share", "share"),
        ("speed_kmh", "kmh"),
        ("activity_km", "km"),
        ("name", ""),
        ("n", ""),
    ],
)
def test_units_of_names(name, expected):
    assert uom_of(name) == expected


@pytest.mark.parametrize(
    ("value", "from_uom", "to_uom", "expected"),
    [
        (90, "min", "h", 1.5),
        (1, "day", "min", 1440),
        (2.5, "t", "kg", 2500),
        (1, "m3", "cm3", 1_000_000),
        (1, "kwh", "mj", 3.6),
        (36, "km_per_h", "m_per_s", 10),
        (5, "kgco2e_per_tkm", "gco2e_per_tkm", 5000),
        (1, "yuan_per_h", "yuan_per_min", 1 / 60),
    ],
)
def test_conversions(value, from_uom, to_uom, expected):
    assert convert(value, from_uom, to_uom) == pytest.approx(expected, rel=1e-15)


def test_arrays_convert():
    assert convert(np.array([0, 30, 90]), "min", "h").tolist() == [0.0, 0.5, 1.5]


@given(st.sampled_from(sorted(UOMS)), st.sampled_from(sorted(UOMS)))
def test_there_and_back_is_exact(one, other):
    if UOMS[one].dimension == UOMS[other].dimension:
        assert factor(one, other) * factor(other, one) == Fraction(1)
    else:
        with pytest.raises(InputError) as caught:
            factor(one, other)
        assert caught.value.code == "PR-C041"


@pytest.mark.parametrize("uom", ["furlong", "km_per_furlong", "km_per_h_per_s", ""])
def test_unknown_units(uom):
    with pytest.raises(InputError) as caught:
        factor(uom, "km")
    assert caught.value.code == "PR-C040"


def test_labels():
    assert label("gco2e_per_item") == "g CO₂e/item"
    assert label("yuan_per_item", "zh") == "元/件"
    assert label("count") == ""
