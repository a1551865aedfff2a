"""The carbon account: transport chain elements of ISO 14083, each an activity times a factor.

A transport chain is cut at every change of vehicle and at every hub. Here one line stands for all elements of one kind
(a transport or hub operation category): a kind of vehicle in the line-haul or the feeders, the hubs of one grid, the
rounds of the first and the last mile. Transport activity is mass times the *activity distance*, the shortest feasible
(SFD) or great-circle distance (GCD) of the leg, never the distance driven.

**Source** ISO 14083:2023; GLEC Framework v3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from postroad.cost.activity import Activity, VehicleWork, sum_vehicle_work
from postroad.cost.factors import Factor, choose_among, choose_vehicle_factor, name_grid, read_energy_factors
from postroad.cost.rates import Rate, default_rates

__all__ = ["CarbonAccount", "account_carbon", "chain_of_item", "make_line", "place_chain"]

_SCHEMA = {
    "element_id": pl.String,
    "element": pl.String,
    "name_en": pl.String,
    "name_zh": pl.String,
    "mode": pl.String,
    "activity": pl.Float64,
    "activity_uom": pl.String,
    "distance_basis": pl.String,
    "factor_id": pl.String,
    "factor": pl.Float64,
    "factor_ttw": pl.Float64,
    "factor_wtt": pl.Float64,
    "factor_uom": pl.String,
    "gas_basis": pl.String,
    "ttw_kgco2e": pl.Float64,
    "wtt_kgco2e": pl.Float64,
    "value": pl.Float64,
    "unit": pl.String,
    "label": pl.String,
    "factor_label": pl.String,
    "source": pl.String,
    "year": pl.Int64,
}


@dataclass(frozen=True, slots=True)
class CarbonAccount:
    """What the items accounted emitted.

    Attributes
    ----------
    lines: one row a kind of transport chain element: ``element`` (first_mile, line_haul, feeder, hub, last_mile),
        ``activity`` times ``factor`` = ``value`` in kgCO2e well-to-wheel, its parts ``ttw_kgco2e`` (operation) and
        ``wtt_kgco2e`` (energy provision), the factor with its gases, label, source and year.
    by_product: ``product``, ``n_items``, ``value`` in kgCO2e, ``gco2e_per_item``.
    n_items: items accounted.
    """

    lines: pl.DataFrame
    by_product: pl.DataFrame
    n_items: int

    @property
    def total_gco2e(self) -> float:
        """Well-to-wheel emissions of all lines."""
        return 1000 * float(self.lines["value"].sum())

    @property
    def gco2e_per_item(self) -> float:
        """Well-to-wheel emissions per item; 0 when there is none."""
        return self.total_gco2e / self.n_items if self.n_items else 0.0

    def by_element(self) -> pl.DataFrame:
        """``element``, ``ttw_kgco2e``, ``wtt_kgco2e``, ``value`` and ``gco2e_per_item``, in the order of the chain."""
        columns = ("ttw_kgco2e", "wtt_kgco2e", "value")
        sums = self.lines.group_by("element", maintain_order=True).agg(pl.col(name).sum() for name in columns)
        return sums.with_columns(gco2e_per_item=pl.col("value") * 1000 / max(self.n_items, 1))


def account_carbon(
    activity: Activity,
    *,
    year: int,
    rates: Mapping[str, Rate] | None = None,
    label: str = "modelled",
    work: Sequence[VehicleWork] | None = None,
) -> CarbonAccount:
    """Account what the items of a run emitted, as transport chain elements.

    Parameters
    ----------
    activity: what the run did.
    year: the reporting year; grid factors are of the latest year published up to it.
    rates: distances of the first and last mile and the electric share; the shipped ones when None.
    label: of the activity: ``modelled`` for a simulated run, ``derived`` for a real ledger. A line whose factor is
        ``unverified`` is unverified.
    work: of the vehicles, when it was summed before.

    Returns
    -------
    CarbonAccount: lines in order of first mile, line-haul, feeder, hub, last mile.

    **Assumes** that factors per tonne-kilometre are averages of their fleet, empty running and usual loads included, so
    that these lines do not respond to how full this network's vehicles are; a factor in kgCO2e/km does. Hub operations
    are electricity by item handled; heat, refrigerants, packaging and buildings are left out. Failed delivery attempts
    are transport; items that go back count as what they are, items in vehicles.

    Raises
    ------
    InputError: PR-M103 no electricity factor, PR-M104 a vehicle's factor in a unit that cannot be used.
    """
    rates = rates or default_rates()
    parts = _Parts(activity, label, year)
    _add_rounds(parts, "first_mile", activity.collected, rates)
    vehicles = activity.tables["vehicles"].rows(named=True)
    for one in sum_vehicle_work(activity) if work is None else work:
        _add_vehicle(parts, one, vehicles[one.vehicle_idx])
    _add_hubs(parts)
    _add_rounds(parts, "last_mile", activity.attempted, rates)
    by_product = pl.DataFrame(
        {
            "product": list(activity.instance.prod_id),
            "n_items": activity.collected.sum(axis=0),
            "value": parts.of_product,
        }
    ).with_columns(gco2e_per_item=pl.when(pl.col("n_items") > 0).then(pl.col("value") * 1000 / pl.col("n_items")))
    return CarbonAccount(pl.DataFrame(parts.lines, schema=_SCHEMA, orient="row"), by_product, activity.n_items)


def make_line(
    element: str,
    suffix: str,
    names: tuple[str, str],
    mode: str,
    amount: float,
    factor: Factor,
    label: str,
    basis: str = "",
) -> dict[str, object]:
    """One line of a carbon account: an activity times a factor.

    Parameters
    ----------
    suffix: completes the identifier of the line.
    names: in English and Chinese.
    amount: the activity in the unit that ``factor`` is per.
    basis: SFD or GCD for transport.
    """
    uom = factor.uom.partition("/")[2]
    return {
        "element_id": f"{element}-{suffix}",
        "element": element,
        "name_en": names[0],
        "name_zh": names[1],
        "mode": mode,
        "activity": amount,
        "activity_uom": uom,
        "distance_basis": basis,
        "factor_id": factor.factor_id,
        "factor": factor.wtw,
        "factor_ttw": factor.ttw,
        "factor_wtt": factor.wtt,
        "factor_uom": factor.uom,
        "gas_basis": factor.gas_basis,
        "ttw_kgco2e": amount * factor.ttw,
        "wtt_kgco2e": amount * factor.wtt,
        "value": amount * factor.wtw,
        "unit": "kgCO2e",
        "label": "unverified" if factor.label == "unverified" else label,
        "factor_label": factor.label,
        "source": factor.source,
        "year": factor.year,
    }


def place_chain(places: Mapping[str, str | None], place: str) -> list[str]:
    """Ids of a place and its ancestors, nearest first; ``places`` gives the parent of each."""
    chain = [place]
    while parent := places.get(chain[-1]):
        chain.append(parent)
    return chain


class _Parts:
    """Lines in the making, and the share of each product in them."""

    def __init__(self, activity: Activity, label: str, year: int) -> None:
        self.activity = activity
        self.label = label
        self.year = year
        self.known = read_energy_factors(activity.tables, year)
        self.lines: list[dict[str, object]] = []
        self.of_product = np.zeros(len(activity.instance.prod_id))
        self.parents = dict(activity.tables["places"].select("place_id", "parent_id").iter_rows())
        self.place_of = dict(activity.tables["facilities"].select("facility_id", "place_id").iter_rows())
        self.of_place: dict[str, Factor] = {}

    def add(self, line: dict[str, object], weights: np.ndarray) -> None:
        """Keep a line and share its value among the products by weight."""
        self.lines.append(line)
        total = weights.sum()
        if total > 0:
            self.of_product += float(line["value"]) * weights / total

    def energy_factor(self, facility_idx: int) -> Factor:
        """The electricity factor of a facility."""
        facility = self.activity.instance.fac_id[facility_idx]
        place = self.place_of[facility]
        if place not in self.of_place:
            chain = place_chain(self.parents, place)
            self.of_place[place] = choose_among(self.known, chain, self.year, facility=facility)
        return self.of_place[place]


def _add_vehicle(parts: _Parts, work: VehicleWork, vehicle: Mapping[str, object]) -> None:
    """The line of one kind of vehicle in one tier."""
    factor = choose_vehicle_factor(parts.activity.tables, vehicle)
    amount = work.vehicle_km if factor.uom == "kgCO2e/km" else float(work.activity_tkm.sum())
    tier_en, tier_zh = {"line_haul": ("Line-haul", "干线"), "feeder": ("Feeder", "支线")}[work.tier]
    names = (f"{tier_en}, {vehicle['name_en'] or vehicle['name']}", f"{tier_zh}，{vehicle['name']}")
    basis = "GCD" if vehicle["mode"] == "air" else "SFD"
    line = make_line(
        work.tier, str(vehicle["vehicle_id"]), names, str(vehicle["mode"]), amount, factor, parts.label, basis
    )
    parts.add(line, work.activity_tkm)


def _add_hubs(parts: _Parts) -> None:
    """One line for the hubs of each grid: electricity by item handled times the grid factor."""
    instance = parts.activity.instance
    kwh = parts.activity.sorted_items * instance.fac_wh / 1000 * parts.activity.share
    by_grid: dict[tuple[str, str], tuple[Factor, float]] = {}
    for number in np.flatnonzero(kwh):
        factor = parts.energy_factor(int(number))
        key = (factor.factor_id, factor.label)
        by_grid[key] = (factor, by_grid.get(key, (factor, 0.0))[1] + float(kwh[number]))
    items = parts.activity.collected.sum(axis=0).astype(float)
    for (factor_id, label), (factor, amount) in sorted(by_grid.items()):
        grid_en, grid_zh = name_grid(factor.region)
        names = (f"Sorting and handling, {grid_en} grid", f"分拣与处理，{grid_zh}电网")
        suffix = factor_id if label != "unverified" else f"{factor_id}-elsewhere"
        parts.add(make_line("hub", suffix, names, "hub", amount, factor, parts.label), items)


def _add_rounds(parts: _Parts, element: str, items: np.ndarray, rates: Mapping[str, Rate]) -> None:
    """The lines of collection or delivery rounds, by facilities' electricity where they are electric.

    ``items`` int64 (n_fac, n_prod): items collected, or delivery attempts.
    """
    instance = parts.activity.instance
    is_core = np.arange(instance.n_fac) < instance.n_core
    km = np.where(is_core, rates[f"{element}_core_km"].value, rates[f"{element}_outlet_km"].value)
    tkm = items * instance.prod_g / 1e6 * km[:, None]
    electric = rates["electric_share"].value
    name_en, name_zh = {"first_mile": ("Collection rounds", "揽收"), "last_mile": ("Delivery rounds", "投递")}[element]
    van = _round_factor(parts.activity.tables)
    weights = tkm.sum(axis=0)
    if electric < 1:
        names = (f"{name_en}, vans", f"{name_zh}，厢式车")
        amount = float(tkm.sum()) * (1 - electric)
        parts.add(make_line(element, "van", names, "road", amount, van, parts.label, "SFD"), weights * (1 - electric))
    if electric > 0:
        by_grid: dict[str, tuple[Factor, float]] = {}
        for number in np.flatnonzero(tkm.sum(axis=1)):
            factor = parts.energy_factor(int(number))
            kwh = float(tkm[number].sum()) * electric * rates["electric_kwh_per_tkm"].value
            by_grid[factor.factor_id] = (factor, by_grid.get(factor.factor_id, (factor, 0.0))[1] + kwh)
        for factor_id, (factor, amount) in sorted(by_grid.items()):
            grid_en, grid_zh = name_grid(factor.region)
            names = (f"{name_en}, electric, {grid_en} grid", f"{name_zh}，电动车，{grid_zh}电网")
            parts.add(make_line(element, factor_id, names, "road", amount, factor, parts.label), weights)


def _round_factor(tables: Mapping[str, pl.DataFrame]) -> Factor:
    """The factor of the vans of the rounds: the feed's ``van-diesel``, else the shipped diesel van."""
    return choose_vehicle_factor(tables, {"factor_id": "van-diesel", "vehicle_id": "van", "mode": "van"})


def chain_of_item(kg: float, legs: Sequence[tuple[str, str, float, Factor]], label: str = "modelled") -> pl.DataFrame:
    """The transport chain of one item: a line for each element.

    Parameters
    ----------
    kg: mass of the item, its packaging included.
    legs: for each element the name, the mode, and either the activity distance in km with a factor per tonne-kilometre
        or the electricity in kWh with a factor per kilowatt-hour.

    >>> artic = Factor("artic", 0.07703, 0.01799, "kgCO2e/t-km", "CO2e", "measured", "DEFRA 2025", 2025, "GB")
    >>> round(chain_of_item(1.0, [("Line-haul", "road", 1500.0, artic)])["value"].item(), 4)
    0.1425
    """
    lines = []
    for number, (name, mode, amount, factor) in enumerate(legs, 1):
        is_transport = factor.uom == "kgCO2e/t-km"
        basis = ("GCD" if mode == "air" else "SFD") if is_transport else ""
        activity = amount * kg / 1000 if is_transport else amount
        lines.append(make_line("chain", str(number), (name, name), mode, activity, factor, label, basis))
    return pl.DataFrame(lines, schema=_SCHEMA, orient="row")
