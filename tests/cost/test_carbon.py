"""The carbon account: published vectors, lines by hand, the choice of factors, refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from kit.runs import run_instance, run_loads, run_tables
from postroad.core.errors import InputError
from postroad.cost import (
    Activity,
    account_carbon,
    chain_of_item,
    choose_energy_factor,
    choose_vehicle_factor,
    set_rates,
)
from postroad.cost.factors import Factor, shipped_grid_factors, stand_in_factor

SORTED = np.array([20000, 16000, 1500, 0], np.int64)
COLLECTED = np.array([[9000, 8000], [0, 0], [0, 0], [1000, 2000]], np.int64)
ATTEMPTED = np.array([[0, 0], [5000, 4000], [1000, 600], [4500, 6000]], np.int64)


def make_activity(tables=None, **changes) -> Activity:
    load, run = run_loads()
    arrays = {
        "load_items": load,
        "run_legs": run,
        "sorted_items": SORTED,
        "collected": COLLECTED,
        "attempted": ATTEMPTED,
    }
    return Activity(changes.pop("instance", run_instance()), tables or run_tables(), **(arrays | changes))


# 1 kg over 1500 km by artic, rail and domestic air, and 10 km by van: UK factors 2025.
@pytest.mark.parametrize(
    ("mode", "km", "expected", "digits"),
    [("road", 1500, 0.1425, 4), ("rail", 1500, 0.052, 3), ("van", 10, 0.0078, 4)],
)
def test_published_chains_of_one_kilogram(mode, km, expected, digits):
    chain = chain_of_item(1.0, [("leg", mode, km, stand_in_factor(mode))])
    assert round(chain["value"].item(), digits) == expected


def test_published_chain_by_domestic_air_is_thirty_five_times_the_lorry():
    air = choose_vehicle_factor(run_tables(), {"factor_id": "air-domestic", "vehicle_id": "x", "mode": "air"})
    by_air = chain_of_item(1.0, [("leg", "air", 1500, air)])
    assert round(by_air["value"].item(), 2) == 4.94
    assert by_air["distance_basis"].item() == "GCD"
    by_road = chain_of_item(1.0, [("leg", "road", 1500, stand_in_factor("road"))])
    assert round(by_air["value"].item() / by_road["value"].item()) == 35


def test_electric_van_on_the_national_grid():
    grid = next(factor for factor in shipped_grid_factors() if factor.region == "national" and factor.year == 2023)
    assert round(1.125 * grid.wtw, 3) == 0.597


def test_lines_by_hand():
    account = account_carbon(make_activity(), year=2025)
    lines = {row["element_id"]: row for row in account.lines.iter_rows(named=True)}
    artic = lines["line_haul-artic"]
    assert artic["activity"] == pytest.approx((16000 * 1 + 9000 * 2) / 1000 * 800)
    assert artic["value"] == pytest.approx(artic["activity"] * 0.09502)
    assert artic["ttw_kgco2e"] == pytest.approx(artic["activity"] * 0.07703)
    assert artic["distance_basis"] == "SFD"
    assert lines["line_haul-freighter"]["activity"] == pytest.approx(2.0 * 850)
    assert lines["line_haul-freighter"]["distance_basis"] == "GCD"
    # a factor of the vehicle itself responds to runs, not to what they carry
    assert lines["feeder-van"]["activity"] == 60
    assert lines["feeder-van"]["activity_uom"] == "km"
    # Shanghai on the East China grid, Wuhan on the Central China grid; electricity is energy provision
    assert lines["hub-grid-华东-2023"]["value"] == pytest.approx(20000 * 0.02 * 0.55)
    assert lines["hub-grid-华中-2023"]["value"] == pytest.approx(16000 * 0.02 * 0.5271)
    assert lines["hub-grid-华中-2023"]["ttw_kgco2e"] == 0
    # no grid factor of Hong Kong is known: the feed's own stands in and says so
    assert lines["hub-grid-cn-2023-elsewhere"]["label"] == "unverified"
    assert lines["hub-grid-cn-2023-elsewhere"]["value"] == pytest.approx(1500 * 0.03 * 0.5306)
    tkm = (9000 + 2 * 8000) / 1000 * 10 + (1000 + 2 * 2000) / 1000 * 3
    assert lines["first_mile-van"]["value"] == pytest.approx(tkm * 0.78225)


def test_totals_close_over_parts_products_and_elements():
    account = account_carbon(make_activity(), year=2025)
    parts = account.lines["ttw_kgco2e"].sum() + account.lines["wtt_kgco2e"].sum()
    assert parts * 1000 == pytest.approx(account.total_gco2e)
    assert account.by_product["value"].sum() * 1000 == pytest.approx(account.total_gco2e)
    assert account.by_element()["gco2e_per_item"].sum() == pytest.approx(account.gco2e_per_item)
    assert account.by_element()["element"].to_list() == ["first_mile", "line_haul", "feeder", "hub", "last_mile"]
    lines = account.lines
    assert (lines["activity"] * lines["factor"] - lines["value"]).abs().max() < 1e-6
    assert lines["source"].str.len_chars().min() > 0
    assert lines["element_id"].is_unique().all()


def test_electric_rounds_move_from_diesel_to_the_grid():
    diesel = account_carbon(make_activity(), year=2025)
    half = account_carbon(make_activity(), year=2025, rates=set_rates(electric_share=0.5))
    of_rounds = half.lines.filter(pl.col("element") == "last_mile")
    assert of_rounds["element_id"].to_list() == ["last_mile-van", "last_mile-grid-cn-2023", "last_mile-grid-华中-2023"]
    assert half.total_gco2e < diesel.total_gco2e
    assert half.by_product["value"].sum() * 1000 == pytest.approx(half.total_gco2e)


def test_a_vehicle_without_a_factor_gets_a_stand_in_that_says_so():
    tables = run_tables()
    tables["vehicles"] = tables["vehicles"].with_columns(factor_id=pl.lit(None, pl.String))
    lines = account_carbon(make_activity(tables), year=2025).lines.filter(pl.col("element") == "line_haul")
    assert set(lines["label"]) == {"unverified"}
    assert lines["factor_id"].to_list() == ["stand-in-road", "stand-in-air"]


@pytest.mark.parametrize(
    ("chain", "year", "factor_id"),
    [
        (["420100", "42", "CN"], 2025, "grid-华中-2023"),
        (["420100", "42", "CN"], 2022, "grid-华中-2022"),
        (["130100", "13", "CN"], 2022, "grid-河北-2022"),  # a province of the same year is smaller than its grid
        (["130100", "13", "CN"], 2023, "grid-华北-2023"),  # a later year comes before a smaller area
        (["130100", "13", "CN"], 2021, "grid-national-2021"),
    ],
)
def test_grid_factor_is_of_the_latest_year_then_of_the_smallest_area(chain, year, factor_id):
    assert choose_energy_factor(run_tables(), chain, year).factor_id == factor_id


def test_the_feeds_own_energy_factor_comes_first():
    tables = run_tables()
    own = {"factor_id": "own", "kind": "energy", "ttw": None, "wtt": None, "value": 0.1, "uom": "kgCO2e/kWh", "year": 2020, "region": "42", "gas_basis": "CO2", "label": "measured", "source": "meter"}  # fmt: skip  # noqa: E501
    tables["factors"] = pl.concat([tables["factors"], pl.DataFrame([own])], how="diagonal_relaxed")
    assert choose_energy_factor(tables, ["420100", "42", "CN"], 2025).factor_id == "own"


def test_refusals():
    tables = run_tables()
    bare = tables | {"factors": tables["factors"].filter(pl.col("kind") != "energy")}
    with pytest.raises(InputError) as caught:
        account_carbon(make_activity(bare), year=2025)
    assert caught.value.code == "PR-M103"
    assert "F2" in caught.value.message()
    energy = tables | {"vehicles": tables["vehicles"].with_columns(factor_id=pl.lit("grid-cn-2023"))}
    with pytest.raises(InputError) as caught:
        account_carbon(make_activity(energy), year=2025)
    assert caught.value.code == "PR-M104"
    assert caught.value.fix("zh")


def test_twice_the_mass_is_twice_the_emission_of_a_tonne_kilometre():
    instance = run_instance()
    heavy = replace(instance, prod_g=instance.prod_g * 2)
    once, twice = (account_carbon(make_activity(instance=one), year=2025).lines for one in (instance, heavy))
    chosen = pl.col("element_id") == "line_haul-artic"
    assert twice.filter(chosen)["value"].item() == pytest.approx(2 * once.filter(chosen)["value"].item())
    assert isinstance(stand_in_factor("water"), Factor)
