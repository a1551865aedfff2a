"""Checks of what is sold and used up: products, promises, demand, profiles, vehicles, factors, parameters."""

from __future__ import annotations

import polars as pl

from postroad.core.findings import Findings
from postroad.network.rows import report_rows
from postroad.network.schema import known_parameters

__all__ = [
    "check_demand",
    "check_factors",
    "check_parameters",
    "check_products",
    "check_profiles",
    "check_promises",
    "check_restrictions",
    "check_vehicles",
]

MIN_DENSITY_KG_M3 = 2.0
"""A vehicle with less payload per cubic metre was most likely given in tonnes (box trucks carry 100 and more)."""
MAX_MEAN_KG = 150.0
MAX_MEAN_M3 = 2.0
SHARE_SLACK = 1e-6
FACTOR_SLACK = 0.01
TRANSPORT_UOM = "kgCO2e/t-km"
_TOUR = "tour_share_"
_PROFILE_KEYS = {
    "hour": r"^([0-9]|1[0-9]|2[0-3])$",
    "weekday": r"^[1-7]$",
    "month": r"^([1-9]|1[0-2])$",
    "day": r"^[+-]?\d{1,3}$",
}


def check_vehicles(network, findings: Findings) -> None:
    """Payloads that look like tonnes (PR-T151), no factor (T152) or with one in another unit (T153)."""
    vehicles = network.tables["vehicles"]
    light = pl.col("payload_kg") < MIN_DENSITY_KG_M3 * pl.col("volume_m3")
    report_rows(findings, "PR-T151", "vehicles", vehicles, light, "payload_kg", volume=pl.col("volume_m3"))
    report_rows(
        findings,
        "PR-T152",
        "vehicles",
        vehicles,
        pl.col("factor_id").is_null(),
        "factor_id",
        vehicle=pl.col("vehicle_id"),
    )
    factors = network.tables["factors"].unique("factor_id", keep="first").select("factor_id", "uom")
    rows = vehicles.join(factors, on="factor_id", how="left", maintain_order="left")
    report_rows(
        findings, "PR-T153", "vehicles", rows, pl.col("uom") != TRANSPORT_UOM, "factor_id",
        uom=pl.col("uom"), expected=TRANSPORT_UOM,
    )  # fmt: skip


def check_factors(network, findings: Findings) -> None:
    """Factors that are not the sum of their parts (PR-T154)."""
    whole, parts = pl.col("value"), pl.col("ttw") + pl.col("wtt")
    differs = (whole - parts).abs() > FACTOR_SLACK * pl.max_horizontal(whole, parts)
    report_rows(findings, "PR-T154", "factors", network.tables["factors"], differs, "value", total=parts.round(6))


def check_products(network, findings: Findings) -> None:
    """Weights that look like grams (PR-T155), volumes like litres (T157), shares that do not sum to 1 (T156)."""
    products = network.tables["products"]
    product = pl.col("product_id")
    report_rows(findings, "PR-T155", "products", products, pl.col("mean_kg") > MAX_MEAN_KG, "mean_kg", product=product)
    report_rows(
        findings,
        "PR-T157",
        "products",
        products,
        pl.col("mean_volume_m3") > MAX_MEAN_M3,
        "mean_volume_m3",
        product=product,
    )
    total = products["share"].sum()
    if len(products) and abs(total - 1.0) > SHARE_SLACK:
        findings.add("PR-T156", table="products", row=2, column="share", value=f"{total:.6g}")


def check_promises(network, findings: Findings) -> None:
    """Products that promise nothing (PR-T158), and promises of fewer days at most than at least (T159)."""
    promises = network.tables["promises"]
    products = network.tables["products"]
    silent = ~pl.col("product_id").is_in(promises["product_id"].implode())
    report_rows(findings, "PR-T158", "products", products, silent, "product_id")
    crossed = pl.col("min_days") > pl.col("max_days")
    report_rows(findings, "PR-T159", "promises", promises, crossed, "max_days", low=pl.col("min_days"))


def check_restrictions(network, findings: Findings) -> None:
    """Products barred from every mode that a trip of the network uses (PR-T160)."""
    used = network.tables["trips"]["vehicle_id"].unique()
    vehicles = network.tables["vehicles"].filter(pl.col("vehicle_id").is_in(used.implode()))
    modes = vehicles["mode"].drop_nulls().unique().sort()
    rows = (
        network.tables["restrictions"].with_row_index("__row", offset=2).filter(pl.col("mode").is_in(modes.implode()))
    )
    barred = rows.with_columns(pl.col("mode").n_unique().over("product_id").alias("__n"))
    last = pl.col("__row") == pl.col("__row").max().over("product_id")
    report_rows(
        findings, "PR-T160", "restrictions", barred, (pl.col("__n") == len(modes)) & last, "mode",
        product=pl.col("product_id"), modes=", ".join(modes),
    )  # fmt: skip


def check_demand(network, findings: Findings) -> None:
    """Demand from places where nobody collects, or for places where nobody delivers (PR-N207)."""
    demand, areas = network.tables["demand"], network.tables["service_areas"]
    for column, duty in (("origin_place", "collects"), ("destination_place", "delivers")):
        served = areas.filter(pl.col(duty))["place_id"]
        bare = (pl.col("n_items") > 0) & ~pl.col(column).is_in(served.implode())
        report_rows(findings, "PR-N207", "demand", demand, bare, column, duty=duty)


def check_profiles(network, findings: Findings) -> None:
    """Unknown keys (PR-T162), weights that are all zero (T161), kinds of several general profiles (T167)."""
    profiles = network.tables["profiles"].with_row_index("__row", offset=2)
    for kind, pattern in _PROFILE_KEYS.items():
        wrong = (pl.col("kind") == kind) & ~pl.col("key").str.contains(pattern)
        report_rows(findings, "PR-T162", "profiles", profiles, wrong, "key", kind=kind)
    group = ["profile_id", "kind"]
    empty = (pl.col("weight").sum().over(group) == 0) & (pl.col("__row") == pl.col("__row").min().over(group))
    report_rows(
        findings, "PR-T161", "profiles", profiles, empty, "weight", profile=pl.col("profile_id"), kind=pl.col("kind")
    )
    _check_general(profiles, network.tables["products"]["product_id"], findings)


def _check_general(profiles: pl.DataFrame, products: pl.Series, findings: Findings) -> None:
    general = profiles.filter(~pl.col("profile_id").is_in(products.implode()))
    first = pl.col("profile_id").first().over("kind")
    starts = pl.struct("profile_id", "kind").is_first_distinct()
    report_rows(
        findings, "PR-T167", "profiles", general, starts & (pl.col("profile_id") != first), "profile_id",
        kind=pl.col("kind"), first=first,
    )  # fmt: skip


def check_parameters(network, findings: Findings) -> None:
    """Parameters that nobody knows (PR-T163), out of range (T164), in another unit (T166), tour shares not 1 (T165)."""
    parameters = network.tables["parameters"].with_row_index("__row", offset=2)
    known = known_parameters()
    strange = ~pl.col("parameter_id").is_in(list(known))
    report_rows(
        findings, "PR-T163", "parameters", parameters, strange, "parameter_id", near=known, known=", ".join(known)
    )
    for name, parameter in known.items():
        own = parameters.filter(pl.col("parameter_id") == name)
        outside = parameter.interval.outside(pl.col("value"))
        report_rows(findings, "PR-T164", "parameters", own, outside, "value", name=name, range=parameter.interval.text)
        report_rows(
            findings,
            "PR-T166",
            "parameters",
            own,
            pl.col("uom") != parameter.uom,
            "uom",
            name=name,
            expected=parameter.uom,
        )
    tour = parameters.filter(pl.col("parameter_id").str.starts_with(_TOUR))
    total = sum(value for name, value in network.parameters.items() if name.startswith(_TOUR))
    if abs(total - 1.0) > SHARE_SLACK:
        row = tour["__row"][0] if len(tour) else 0
        findings.add("PR-T165", table="parameters", row=row, column="value", value=f"{total:.6g}")
