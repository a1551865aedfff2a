"""The gravity model: balancing, the fit of beta, marginals and distances."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad import facts
from postroad.core.errors import InputError, LimitReached
from postroad.demand import gravity
from postroad.demand.distances import read_distances
from postroad.demand.gravity import SENSITIVITY_BETAS, fit_gravity, published_intracity_share
from postroad.demand.marginals import YEARS, city_frame, read_marginals
from postroad.demand.sources import read_demand, read_source
from postroad.kernels.gravity import balance, fill_table


def slow_furness(table, rows, columns, n_rounds=3000):
    """The obvious oracle: scale the table itself, row by row and column by column."""
    table = table.copy()
    for _ in range(n_rounds):
        for i, wanted in enumerate(rows):
            table[i] *= wanted / table[i].sum() if wanted else 0.0
        for j, wanted in enumerate(columns):
            table[:, j] *= wanted / table[:, j].sum() if wanted else 0.0
    return table


@given(st.integers(0, 2**32), st.integers(1, 6), st.integers(1, 6))
def test_balancing_agrees_with_the_slow_version(seed, n, m):
    rng = np.random.default_rng(seed)
    table = rng.random((n, m)) + 0.05
    flows = rng.integers(0, 50, (n, m)).astype(float)
    rows, columns = flows.sum(axis=1), flows.sum(axis=0)
    row_factor, column_factor, _, error = balance(table, rows, columns, 1e-12, 5000)
    made = fill_table(table, row_factor, column_factor)
    assert error <= 1e-12
    assert made.sum(axis=1) == pytest.approx(rows, rel=1e-9, abs=1e-9)
    assert made.sum(axis=0) == pytest.approx(columns, rel=1e-9, abs=1e-9)
    if flows.all():
        assert made == pytest.approx(slow_furness(table, rows, columns, 300), rel=1e-6)


def test_a_balanced_table_stays_as_it_is():
    table = np.array([[3.0, 1.0], [2.0, 6.0]])
    row_factor, column_factor, rounds, _ = balance(table, table.sum(axis=1), table.sum(axis=0), 1e-14, 10)
    assert rounds == 1
    assert fill_table(table, row_factor, column_factor) == pytest.approx(table)


@pytest.mark.parametrize("year", YEARS)
def test_marginals_keep_the_published_totals(year):
    marginals = read_marginals(year)
    basis = "" if year == 2023 else "basis of 2024"
    parts = {
        name: facts.figure("national", f"{name}_volume", str(year), vintage=basis).value * 1e8
        for name in ("intracity", "intercity", "international")
    }
    domestic = parts["intracity"] + parts["intercity"]
    assert marginals.origin_items.sum() == pytest.approx(domestic, rel=1e-4)
    assert marginals.destination_items.sum() == pytest.approx(marginals.origin_items.sum(), rel=1e-12)
    assert marginals.international_items.sum() == pytest.approx(parts["international"], rel=1e-9)
    assert len(marginals.city_code) == 369
    assert len(marginals.county_code) == 2978


def test_provinces_and_published_cities_keep_their_volumes():
    marginals = read_marginals(2023)
    sent = marginals.origin_items + marginals.international_items
    by_province = {}
    for province, items in zip(marginals.city_province, sent, strict=True):
        by_province[province] = by_province.get(province, 0.0) + items
    published = facts.series("province_volumes", "express_volume", period="2023").filter(pl.col("vintage") == "")
    for place, volume in published.select("place_code", "value").iter_rows():
        assert by_province[place] == pytest.approx(volume * 1e8, rel=1e-4)
    city = dict(zip(marginals.city_code, sent, strict=True))
    assert city["440100"] / by_province["44"] == pytest.approx(30.9 / 91.4)
    assert city["430100"] / by_province["43"] == pytest.approx(0.6149)
    yiwu = marginals.county_code.index("330782")
    jinhua = marginals.city_code.index("330700")
    assert marginals.county_origin_share[yiwu] * sent[jinhua] / by_province["33"] == pytest.approx(0.4)


def test_shares_of_groups_fit_in_their_provinces():
    shares = read_demand("city_shares").with_columns(share=pl.col("part") / pl.col("whole"))
    assert shares.group_by("province_code").agg(pl.sum("share"))["share"].max() <= 1 + 1e-9
    places = " ".join(shares["places"]).split(" ")
    known = {*read_marginals().city_code, *read_marginals().county_code}
    assert len(places) == len(set(places))
    assert set(places) <= known
    assert set(shares["label"]) <= {"measured", "derived", "modelled"}


def test_counties_share_out_their_cities():
    marginals = read_marginals()
    n_city = len(marginals.city_code)
    for shares, items in (
        (marginals.county_origin_share, marginals.origin_items),
        (marginals.county_destination_share, marginals.destination_items),
    ):
        sums = np.bincount(marginals.county_city, shares, n_city)
        assert sums[items > 0] == pytest.approx(1.0)
        assert (sums[items == 0] == 0).all()


def test_cities_without_people_or_workers_are_handled_openly():
    frame = city_frame(read_marginals())
    silent = frame.filter(pl.col("origin_items") == 0)
    assert silent["city_code"].to_list() == ["460300", "659011", "659012"]
    assert silent.filter(pl.col("destination_items") > 0)["city_code"].to_list() == ["460300"]
    assert set(frame["label"]) == {"modelled"}
    assert set(frame["method"]) == {"published", "modelled", "activity"}


def test_marginals_agree_with_an_independent_model_of_the_same_year():
    """Another hand's model of 2023: destinations by the same rule, origins alike where no better share was found."""
    other = read_source("modelled/city_express_2023_modelled.csv")
    both = (
        city_frame(read_marginals())
        .join(other, on="city_code")
        .with_columns(
            sent=pl.col("origin_items") / 1e8 / pl.col("origin_yi_2023"),
            received=pl.col("destination_items") / 1e8 / pl.col("dest_yi_2023"),
        )
    )
    assert both.height == 369
    received = both.filter(pl.col("dest_yi_2023") > 0.01)["received"].to_numpy()
    assert received == pytest.approx(1.0, abs=0.006)
    sent = both.filter(pl.col("origin_yi_2023") > 0.1)["sent"].to_numpy()
    assert np.median(np.abs(sent - 1)) < 0.01
    assert np.mean(np.abs(sent - 1) < 0.06) > 0.9


def test_distances_are_whole_and_symmetric():
    distances = read_distances()
    off_diagonal = ~np.eye(len(distances.road_km), dtype=bool)
    assert (distances.road_km == distances.road_km.T).all()
    assert (distances.road_km[off_diagonal] >= 5).all()
    codes = read_marginals().city_code
    sansha, haikou = codes.index("460300"), codes.index("460100")
    assert 400 < distances.road_km[sansha, haikou] < 700  # no road: great circle times circuity
    within = np.bincount(distances.within_city, distances.within_share)
    assert within == pytest.approx(1.0)
    own = np.diag(distances.haul_km(0.8))
    assert own.min() >= 3
    assert np.median(own) < 40


def test_the_fit_reproduces_the_published_intracity_share():
    model = fit_gravity()
    assert model.is_fitted
    assert published_intracity_share() == pytest.approx(136.4 / 1290.0)
    assert model.intracity_share == pytest.approx(published_intracity_share(), abs=1e-10)
    assert model.error <= 1e-12
    assert model.items.sum(axis=1) == pytest.approx(model.marginals.origin_items, rel=1e-10)
    assert model.items.sum(axis=0) == pytest.approx(model.marginals.destination_items, rel=1e-10)


def test_a_larger_beta_keeps_mail_nearer():
    models = [fit_gravity(beta) for beta in SENSITIVITY_BETAS]
    shares = [model.intracity_share for model in models]
    hauls = [model.mean_haul_km for model in models]
    assert shares == sorted(shares)
    assert hauls == sorted(hauls, reverse=True)
    assert not models[0].is_fitted


def test_what_cannot_be_modelled_is_refused(monkeypatch):
    with pytest.raises(InputError) as caught:
        read_marginals(2019)
    assert caught.value.code == "PR-D110"
    with pytest.raises(InputError) as caught:
        fit_gravity(7.5)
    assert caught.value.code == "PR-D111"
    monkeypatch.setattr(gravity, "_MAX_ROUNDS", 2)
    with pytest.raises(LimitReached) as caught:
        fit_gravity(0.911)
    assert caught.value.code == "PR-D112"
