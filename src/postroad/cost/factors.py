"""Emission factors: the feed's, the shipped ones that stand in for what a feed leaves out, and grid electricity.

**Source** UK Government GHG conversion factors for company reporting 2025 (DESNZ/DEFRA, Open Government Licence v3.0);
Ministry of Ecology and Environment of China, CO2 emission factors of electricity, 2021-2023.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import polars as pl

from postroad.core.errors import InputError

__all__ = [
    "Factor",
    "choose_among",
    "choose_energy_factor",
    "choose_vehicle_factor",
    "name_grid",
    "read_energy_factors",
    "shipped_grid_factors",
    "stand_in_factor",
]

UK_SOURCE = "UK Government GHG conversion factors 2025 (DESNZ/DEFRA, OGL v3.0): UK fleet"
GRID_SOURCE = "Ministry of Ecology and Environment: CO2 emission factors of electricity"


@dataclass(frozen=True, slots=True)
class Factor:
    """One emission factor.

    ``ttw`` (vehicle or hub operation) and ``wtt`` (energy provision) sum to ``wtw``, all in ``uom``. ``label`` is that
    of the factor, ``unverified`` when it stands in for one that is not known.
    """

    factor_id: str
    ttw: float
    wtt: float
    uom: str
    gas_basis: str
    label: str
    source: str
    year: int
    region: str

    @property
    def wtw(self) -> float:
        """Well-to-wheel: operation and energy provision together."""
        return self.ttw + self.wtt


def choose_vehicle_factor(tables: Mapping[str, pl.DataFrame], vehicle: Mapping[str, object]) -> Factor:
    """The factor of a kind of vehicle: the feed's, or a stand-in for its mode labelled ``unverified``.

    Raises
    ------
    InputError: PR-M104 when the feed's factor is in a unit that no vehicle's activity is counted in.
    """
    rows = tables["factors"].filter(pl.col("factor_id") == (vehicle["factor_id"] or ""))
    if not rows.height:
        return stand_in_factor(str(vehicle["mode"]))
    factor = _of_row(rows.row(0, named=True), is_energy=False)
    if factor.uom not in ("kgCO2e/t-km", "kgCO2e/km"):
        raise InputError("PR-M104", factor=factor.factor_id, vehicle=vehicle["vehicle_id"], uom=factor.uom)
    return factor


@cache
def stand_in_factor(mode: str) -> Factor:
    """The shipped factor of a usual vehicle of a mode (``van`` for rounds), as it stands for one that is not known."""
    with files("postroad.cost").joinpath("tables", "stand_ins.csv").open(encoding="utf-8", newline="") as handle:
        chosen = {row["mode"]: row for row in csv.DictReader(handle)}[mode]
    key = (chosen["family"], chosen["class"], chosen["size"], chosen["fuel_or_load"])
    rows = _read_data("freight_factors_uk2025_wtw.csv")
    row = {(row["mode"], row["class"], row["size"], row["fuel_or_load"]): row for row in rows}[key]
    return Factor(
        f"stand-in-{mode}", float(row["ttw_kgco2e_per_tkm"]), float(row["wtt_kgco2e_per_tkm"]), "kgCO2e/t-km",
        "CO2e, GWP100 AR5", "unverified", f"{UK_SOURCE}; {chosen['description']}; stands in", 2025, "GB",
    )  # fmt: skip


def choose_energy_factor(
    tables: Mapping[str, pl.DataFrame], chain: list[str], year: int, *, facility: str = ""
) -> Factor:
    """The electricity factor of a place, of the latest year up to ``year``.

    Parameters
    ----------
    tables: the feed's; its ``energy`` factors come before the shipped ones.
    chain: ids of the place and its ancestors, nearest first.
    facility: whose electricity it is; named in the refusal.

    Returns
    -------
    Factor: all of it energy provision (``wtt``), as ISO 14083 counts electricity. In order: a factor of the feed for
        one of the places; for China, the shipped grid factor of the province, its grid area or the nation, the latest
        year first and then the smallest area; else the feed's latest of elsewhere, labelled ``unverified``.

    Raises
    ------
    InputError: PR-M103 when none of these exists.
    """
    return choose_among(read_energy_factors(tables, year), chain, year, facility=facility)


def read_energy_factors(tables: Mapping[str, pl.DataFrame], year: int) -> list[Factor]:
    """The feed's electricity factors of years up to ``year``, the latest first."""
    rows = tables["factors"].filter(kind="energy", uom="kgCO2e/kWh").iter_rows(named=True)
    known = [_of_row(row, is_energy=True) for row in rows if (row["year"] or 0) <= year]
    return sorted(known, key=lambda factor: -factor.year)


def choose_among(known: Sequence[Factor], chain: list[str], year: int, *, facility: str = "") -> Factor:
    """:func:`choose_energy_factor` among factors of the feed read before, the latest first."""
    is_china = chain[-1] == "CN"
    for place in chain[:-1] if is_china else chain:
        for factor in known:
            if factor.region == place:
                return factor
    shipped = _grid_factor(chain, year) if is_china else None
    if shipped is not None:
        return shipped
    if not known:
        raise InputError("PR-M103", year=year, facility=facility, place=chain[0])
    best = known[0]
    note = f"{best.source}; no factor of {chain[0]} is known, this one stands in"
    return Factor(best.factor_id, 0.0, best.wtt, best.uom, best.gas_basis, "unverified", note, best.year, best.region)


def _grid_factor(chain: list[str], year: int) -> Factor | None:
    """The shipped grid factor that holds for a place of China."""
    areas = _grid_areas()
    province = next((areas[place] for place in chain if place in areas), None)
    if province is None:
        return None
    order = (province["province"], province["area"], "national")
    usable = [factor for factor in shipped_grid_factors() if factor.region in order and factor.year <= year]
    return min(usable, key=lambda factor: (-factor.year, order.index(factor.region)), default=None)


@cache
def _grid_areas() -> Mapping[str, Mapping[str, str]]:
    """Name and grid area of the provinces of China by code."""
    with files("postroad.cost").joinpath("tables", "grid_areas.csv").open(encoding="utf-8", newline="") as handle:
        return {row["province_code"]: row for row in csv.DictReader(handle)}


@cache
def shipped_grid_factors() -> tuple[Factor, ...]:
    """The published average grid factors of China, by area (province, grid area or ``national``) and year.

    **Assumes** that generation is all there is to electricity: the published factors count the CO2 of power stations,
    not mining and transport of the fuel, other gases, or losses in the grid.
    """
    return tuple(
        Factor(
            f"grid-{row['area']}-{row['year']}", 0.0, float(row["kgco2_per_kwh"]), "kgCO2e/kWh", "CO2", "measured",
            f"{GRID_SOURCE} {row['year']}, {row['area']}", int(row["year"]), row["area"],
        )
        for row in _read_data("grid_factors_cn.csv")
        if row["kind"] == "avg" and row["status"] == "source"
    )  # fmt: skip


def _of_row(row: Mapping[str, object], *, is_energy: bool) -> Factor:
    """A row of the feed's factors table; electricity is energy provision throughout."""
    value = float(row["value"])
    ttw = 0.0 if is_energy else value if row["ttw"] is None else float(row["ttw"])
    return Factor(
        str(row["factor_id"]), ttw, value - ttw, str(row["uom"]), str(row["gas_basis"] or ""), str(row["label"]),
        str(row["source"] or ""), int(row["year"] or 0), str(row["region"] or ""),
    )  # fmt: skip


def _read_data(name: str) -> list[dict[str, str]]:
    """A shipped table of factors."""
    path = files("postroad").joinpath("data", "sources", "reference", name)
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


_GRIDS = {
    "national": ("national", "全国"), "华北": ("north China", "华北"), "东北": ("north-east China", "东北"),
    "华东": ("east China", "华东"), "华中": ("central China", "华中"), "西北": ("north-west China", "西北"),
    "西南": ("south-west China", "西南"), "南方": ("south China", "南方"), "内蒙古": ("Inner Mongolia", "内蒙古"),
    "天津": ("Tianjin", "天津"), "河北": ("Hebei", "河北"), "山西": ("Shanxi", "山西"), "安徽": ("Anhui", "安徽"),
    "福建": ("Fujian", "福建"), "广西": ("Guangxi", "广西"), "四川": ("Sichuan", "四川"), "云南": ("Yunnan", "云南"),
    "青海": ("Qinghai", "青海"),
}  # fmt: skip


def name_grid(region: str) -> tuple[str, str]:
    """A grid in English and Chinese, by the area that a factor holds for; one that is not known keeps its own name.

    >>> name_grid("华东")[0]
    'east China'
    """
    return _GRIDS.get(region, (region, region))
