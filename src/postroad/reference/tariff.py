"""Vehicles, emission factors, products, promises, profiles, parameters and operators."""

from __future__ import annotations

import polars as pl

from postroad.reference.draft import Draft
from postroad.reference.sources import Rules, read_source

__all__ = ["add_tariff", "add_vehicles"]

_UK = "UK Government GHG conversion factors 2025 (DESNZ/DEFRA, OGL v3.0): UK fleet, a stand-in for China"


def add_vehicles(draft: Draft) -> None:
    """Add vehicles and factors; transport factors are well-to-wheel kg CO2e per tonne-km."""
    chosen = read_source("rules/factors.csv").with_columns(pl.col(pl.String).fill_null(""))
    values = read_source("reference/freight_factors_uk2025_wtw.csv").with_columns(pl.col(pl.String).fill_null(""))
    keys = ["mode", "class", "size", "fuel_or_load"]
    transport = chosen.join(values, on=keys, how="left", maintain_order="left").select(
        factor_id="factor_id",
        kind=pl.lit("transport"),
        gas_basis=pl.lit("CO2e, GWP100 AR5"),
        ttw="ttw_kgco2e_per_tkm",
        wtt="wtt_kgco2e_per_tkm",
        value="wtw_kgco2e_per_tkm",
        uom=pl.lit("kgCO2e/t-km"),
        year=pl.lit(2025),
        region=pl.lit("GB"),
    )
    draft.add("factors", transport, label="measured", source=_UK)
    grid = read_source("reference/grid_factors_cn.csv").filter(area="national", kind="avg").sort("year")
    draft.add(
        "factors",
        grid.select(
            factor_id=pl.format("grid-cn-{}", "year"),
            kind=pl.lit("energy"),
            gas_basis=pl.lit("CO2"),
            value="kgco2_per_kwh",
            uom=pl.lit("kgCO2e/kWh"),
            year=pl.col("year").cast(pl.Int64),
            region=pl.lit("CN"),
        ),
        label="measured",
        source="Ministry of Ecology and Environment, national average grid factor",
    )
    vehicles = read_source("rules/vehicles.csv").drop("lane_km_from", "lane_km_to")
    draft.add("vehicles", vehicles)


def add_tariff(draft: Draft, rules: Rules, day_profile: str) -> None:
    """Add products, promises, restrictions, parameters, operators and profiles.

    Parameters
    ----------
    day_profile: name of the rule file with the weights of the days around the peak.
    """
    draft.add(
        "operators",
        [{"operator_id": "net", "name": "全国合网（模型）", "name_en": "Merged national network (modelled)"}],
        label="modelled",
        source="All firms as one: no single firm's network",
    )
    draft.add(
        "products",
        [
            {
                "product_id": "express",
                "priority": 0,
                "name": "时效件",
                "name_en": "Time-definite express",
                "mean_kg": rules.express_kg,
                "mean_volume_m3": rules.express_m3,
                "yuan_per_h": rules.express_yuan_per_h,
                "share": rules.express_share,
            },
            {
                "product_id": "standard",
                "priority": 1,
                "name": "普通快件",
                "name_en": "Economy express",
                "mean_kg": rules.standard_kg,
                "mean_volume_m3": rules.standard_m3,
                "yuan_per_h": rules.standard_yuan_per_h,
                "share": 1.0 - rules.express_share,
            },
        ],
        label="modelled",
        source="No official mix or mean weight exists; see rules/numbers.csv",
    )
    for name in ("promises", "restrictions", "parameters"):
        draft.add(name, read_source(f"rules/{name}.csv"))
    hours = read_source("rules/profile_hour.csv").select(
        profile_id=pl.lit("release"), kind=pl.lit("hour"), key=pl.col("hour").cast(pl.String), weight="accept_weight"
    )
    draft.add("profiles", hours, label="modelled", source="Hour of acceptance: not public; collection rounds to 20:00")
    for name in ("profile_weekday", "profile_month", day_profile):
        draft.add("profiles", read_source(f"rules/{name}.csv"))
