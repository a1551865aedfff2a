"""Flows: every margin exact, the same for a seed and a day, refusals in the user's words."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.demand import make_instance, make_network
from postroad.core.errors import InputError
from postroad.demand.build import flows_for, mean_day_items, model_year
from postroad.demand.marginals import read_marginals
from postroad.demand.sources import read_source
from postroad.network.feed import read

AREAS = [("A", "a", True, True), ("B", "b", True, True), ("B2", "b", False, True), ("C", "c", False, True)]
DEMAND = [
    ("a", "a", "express", 70),
    ("a", "b", "standard", 41),
    ("b", "a", "express", 0),
    ("b", "c", "express", 9),
    ("b", "c", "standard", 333),
]


def inline(**changes):
    network = make_network(changes.pop("areas", AREAS), demand=changes.pop("demand", DEMAND), **changes)
    return make_instance(network), network


def table_of(flows, day):
    """Items by origin and destination."""
    n = int(max(flows.origin.max(), flows.destination.max())) + 1
    table = np.zeros((n, n), np.int64)
    np.add.at(table, (flows.origin, flows.destination), flows.day_counts(day).sum(axis=(0, 1)))
    return table


@settings(max_examples=40)
@given(st.lists(st.integers(0, 5000), min_size=1, max_size=4), st.integers(0, 2**40))
def test_listed_demand_is_scaled_exactly(totals, seed):
    instance, network = inline()
    flows = flows_for(instance, network, np.array(totals), seed=seed)
    assert flows.n_days == len(totals)
    weights = {(0, 0, 0): 70, (0, 1, 1): 20.5, (0, 2, 1): 20.5, (1, 3, 0): 9, (1, 3, 1): 333}
    for day, total in enumerate(totals):
        counts = flows.day_counts(day)
        assert counts.dtype == np.int32
        assert counts.shape == (24, 2, flows.n_pair)
        assert counts.min() >= 0
        assert counts.sum() == total == flows.total_by_day[day]
        by_cell = counts.sum(axis=0)
        for pair, (origin, destination) in enumerate(zip(flows.origin, flows.destination, strict=True)):
            for product in range(2):
                target = weights.get((int(origin), int(destination), product), 0) * total / 453
                assert abs(by_cell[product, pair] - target) < 1 + 1e-9


def test_pairs_are_sorted_and_what_weighs_nothing_is_left_out():
    instance, network = inline()
    flows = flows_for(instance, network, np.array([100]))
    assert list(zip(flows.origin.tolist(), flows.destination.tolist(), strict=True)) == [(0, 0), (0, 1), (0, 2), (1, 3)]
    assert instance.fac_id == ("A", "B", "B2", "C")


def test_the_table_itself_comes_out_at_its_own_total():
    instance, network = inline(areas=[("A", "a", True, True), ("B", "b", True, True), ("C", "c", False, True)])
    flows = flows_for(instance, network, np.array([453]))
    counts = flows.day_counts(0).sum(axis=0)
    assert counts.tolist() == [[70, 0, 9], [0, 41, 333]]


def test_hours_are_exact_for_each_product():
    hours = [("all", "hour", str(hour), weight) for hour, weight in ((9, 1), (15, 2), (20, 1))]
    instance, network = inline(profiles=hours)
    counts = flows_for(instance, network, np.array([45300])).day_counts(0)
    express, standard = counts.sum(axis=2).T
    assert [express[hour] for hour in (9, 15, 20)] == [1975, 3950, 1975]
    assert [standard[hour] for hour in (9, 15, 20)] == [9350, 18700, 9350]
    assert counts.sum() == express[[9, 15, 20]].sum() + standard[[9, 15, 20]].sum()


def test_a_day_depends_on_the_seed_and_its_number_only():
    instance, network = inline()
    long = flows_for(instance, network, np.array([500, 77, 500]), seed=4)
    short = flows_for(instance, network, np.array([9, 77]), seed=4)
    assert (long.day_counts(1) == short.day_counts(1)).all()
    assert (long.day_counts(0) != long.day_counts(2)).any()
    other = flows_for(instance, network, np.array([500, 77, 500]), seed=5)
    assert (long.day_counts(0) != other.day_counts(0)).any()


def test_reordering_the_rows_of_a_feed_changes_nothing():
    instance, network = inline()
    shuffled = replace(
        network,
        tables={
            **network.tables,
            "demand": network.tables["demand"].reverse(),
            "service_areas": network.tables["service_areas"].sample(fraction=1.0, shuffle=True, seed=2),
        },
    )
    one, other = (flows_for(instance, feed, np.array([321]), seed=8) for feed in (network, shuffled))
    assert (one.origin == other.origin).all()
    assert (one.day_counts(0) == other.day_counts(0)).all()


def test_the_tiny_feed_has_demand():
    network = read("tiny")
    assert mean_day_items(network) == network.tables["demand"]["n_items"].sum()
    flows = flows_for(make_instance(network), network, np.array([20_000]))
    assert flows.day_counts(0).sum() == 20_000


@pytest.fixture(scope="module")
def cities():
    """Every mainland city by a facility of its own, Hong Kong and two countries abroad."""
    codes = read_source("admin/cities.csv").filter(pl.col("region") != "hmt")["city_code"].to_list()
    areas = [(f"F{code}", code, True, True) for code in codes]
    areas += [("HKG", "810000", False, True), ("ICN", "KR", False, True), ("NRT", "JP", False, True)]
    places = [
        ("810000", "CN", "city", 7_474_200),
        ("KR", None, "country", 50_000_000),
        ("JP", None, "country", 125_000_000),
    ]
    network = make_network(areas, places=places, model="gravity-cn")
    return make_instance(network), network


def test_national_margins_are_exact(cities):
    instance, network = cities
    total = 1_200_000_000
    flows = flows_for(instance, network, np.array([total, 12_345]), seed=1)
    marginals = read_marginals(2023)
    assert model_year(network) == 2023
    assert mean_day_items(network) == pytest.approx(1320.7e8 / 365, rel=1e-4)
    counts = flows.day_counts(0)
    assert counts.sum(dtype=np.int64) == total
    assert flows.n_pair == 366 * 370
    shares = counts.sum(axis=(0, 2), dtype=np.int64) / total
    assert shares == pytest.approx([0.25, 0.75], abs=1e-8)
    table = table_of(flows, 0)
    sent = {instance.fac_id[row]: table[row].sum() for row in range(len(table)) if table[row].any()}
    abroad = total * 30.7 / 1320.7
    expected = marginals.origin_items / marginals.origin_items.sum() * (total - round(abroad))
    for code, domestic, exported in zip(marginals.city_code, expected, marginals.international_items, strict=True):
        target = domestic + exported / marginals.international_items.sum() * round(abroad)
        assert abs(sent.get(f"F{code}", 0) - target) < 2
    received = {instance.fac_id[column]: table[:, column].sum() for column in range(table.shape[1])}
    assert received["HKG"] == pytest.approx(0.2 * abroad, abs=2)
    assert received["NRT"] == pytest.approx(0.8 * abroad * 125 / 175, abs=2)
    assert received["F110100"] == pytest.approx(
        marginals.destination_items[0] / marginals.destination_items.sum() * (total - abroad), abs=2
    )
    assert flows.day_counts(1).sum() == 12_345


def test_counties_add_up_to_their_cities(cities):
    city_instance, city_network = cities
    marginals = read_marginals(2023)
    codes = set(marginals.city_code)
    in_province = [code for code in marginals.city_code if code[:2] in ("33", "41")]
    split = {
        (f"{county}-C" if county in codes else county): marginals.city_code[city]
        for county, city in zip(marginals.county_code, marginals.county_city, strict=True)
        if marginals.city_code[city] in in_province and county[:4] != "3301"
    }
    areas = city_network.tables["service_areas"].select("facility_id", "place_id", "collects", "delivers").rows()
    areas += [(f"Z{place}", place, True, True) for place in split]
    places = [
        ("810000", "CN", "city", 7_474_200),
        ("KR", None, "country", 50_000_000),
        ("JP", None, "country", 125_000_000),
    ]
    places += [(place, city, "county", None) for place, city in split.items()]
    places += [(code, "CN", "city", None) for code in in_province]
    network = make_network(areas, places=places, model="gravity-cn", level="county")
    instance = make_instance(network)
    totals = np.array([50_000_000])
    by_city = flows_for(city_instance, city_network, totals, seed=6)
    by_county = flows_for(instance, network, totals, seed=6)
    # the shipped hours before 14:00 sum to 33.8 of 100.2 and to 21,396 minutes: a mean of 633
    assert by_county.release_min.tolist() == [633, 1072]
    assert by_county.day_counts(0).sum() == totals[0]
    table = pl.DataFrame(
        {
            "origin": [city_of(instance.fac_id[number], split) for number in by_county.origin],
            "destination": [city_of(instance.fac_id[number], split) for number in by_county.destination],
            "items": by_county.day_counts(0).sum(axis=(0, 1)),
        }
    )
    summed = table.group_by("origin", "destination").agg(pl.sum("items")).sort("origin", "destination")
    wanted = pl.DataFrame(
        {
            "origin": [city_instance.fac_id[number] for number in by_city.origin],
            "destination": [city_instance.fac_id[number] for number in by_city.destination],
            "items": by_city.day_counts(0).sum(axis=(0, 1)),
        }
    ).sort("origin", "destination")
    assert (summed["items"] == wanted["items"]).all()
    yiwu = table.filter(pl.col("origin") == "F330700")["items"].sum()
    outlets = np.array([instance.fac_id[number] == "Z330782" for number in by_county.origin])
    share = by_county.day_counts(0)[:, :, outlets].sum() / yiwu
    assert share == pytest.approx(marginals.county_origin_share[marginals.county_code.index("330782")], abs=1e-5)


def city_of(facility, split):
    """The city facility that an outlet's county belongs to."""
    return f"F{split[facility[1:]]}" if facility[0] == "Z" else facility


def test_two_facilities_of_a_place_share_it_alike(cities):
    _, network = cities
    rows = network.tables["service_areas"].select("facility_id", "place_id", "collects", "delivers").rows()
    doubled = make_network([*rows, ("E110100", "110100", True, True)], model="gravity-cn", places=[
        ("810000", "CN", "city", None), ("KR", None, "country", None), ("JP", None, "country", 5)])  # fmt: skip
    instance = make_instance(doubled)
    flows = flows_for(instance, doubled, np.array([1_000_000]))
    table = table_of(flows, 0)
    first, second = instance.fac_id.index("E110100"), instance.fac_id.index("F110100")
    assert abs(table[first].sum() - table[second].sum()) <= 1
    assert abs(table[:, first].sum() - table[:, second].sum()) <= 1
    korea, japan = instance.fac_id.index("ICN"), instance.fac_id.index("NRT")
    assert abs(table[:, korea].sum() - table[:, japan].sum()) <= 1  # people of one are not known: alike


def test_a_facility_of_two_cities_carries_both(cities):
    _, network = cities
    rows = [
        ("F110100" if place == "120100" else facility, place, collects, delivers)
        for facility, place, collects, delivers in network.tables["service_areas"]
        .select("facility_id", "place_id", "collects", "delivers")
        .iter_rows()
        if place not in ("KR", "JP", "810000")
    ]
    merged = make_network(rows, model="gravity-cn")
    flows = flows_for(make_instance(merged), merged, np.array([1_000_000]))
    marginals = read_marginals(2023)
    assert flows.day_counts(0).sum() == 1_000_000
    share = marginals.origin_items[:2].sum() / marginals.origin_items.sum()
    assert table_of(flows, 0)[0].sum() == pytest.approx(1_000_000 * share, abs=2)


def codes_of(caught):
    return {caught.value.code, *(finding.code for finding in caught.value.findings)}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"demand": []}, "PR-D101"),
        ({"model": "gravity-xx"}, "PR-D101"),
        ({"areas": AREAS[:3]}, "PR-D103"),
        ({"areas": AREAS[1:]}, "PR-D103"),
        ({"model": "gravity-cn", "areas": [("A", "110100", True, True)]}, "PR-D104"),
        ({"profiles": [("x", "hour", "1", 1), ("y", "hour", "2", 1)]}, "PR-D105"),
        ({"demand": [("a", "b", "express", 0)]}, "PR-D108"),
        ({"products": [("express", 0, 0.0), ("standard", 1, 0.0)]}, "PR-D108"),
    ],
)
def test_a_feed_that_makes_no_demand_is_refused(changes, code):
    instance, network = inline(**changes)
    with pytest.raises(InputError) as caught:
        flows_for(instance, network, np.array([10]))
    assert code in codes_of(caught)
    if code == "PR-D103":
        assert caught.value.findings[0].row > 1


def test_a_place_that_the_model_does_not_know_is_refused(cities):
    _, network = cities
    rows = network.tables["service_areas"].select("facility_id", "place_id", "collects", "delivers").rows()
    broken = make_network([*rows, ("T", "330106001", True, True)], model="gravity-cn")
    with pytest.raises(InputError) as caught:
        flows_for(make_instance(broken), broken, np.array([10]))
    assert "PR-D106" in codes_of(caught)


@pytest.mark.parametrize("totals", [[-1], [2_000_000_001], [], [1.5], [[1]]])
def test_totals_that_are_no_counts_are_refused(totals):
    instance, network = inline()
    with pytest.raises(InputError) as caught:
        flows_for(instance, network, np.array(totals))
    assert caught.value.code == "PR-D107"


def test_beta_belongs_to_the_model():
    instance, network = inline()
    for wrong in ({"beta": 0.8}, {"year": 2023}):
        with pytest.raises(InputError) as caught:
            flows_for(instance, network, np.array([10]), **wrong)
        assert caught.value.code == "PR-D102"
    with pytest.raises(InputError) as caught:
        mean_day_items(network, 2023)
    assert caught.value.code == "PR-D102"
