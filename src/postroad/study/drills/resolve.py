"""From the words of a drill file to facilities, legs, minutes and whole units."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from postroad.core.clock import DAY_MIN, DAY_TIME, local_midnight, minutes_since, parse_day_time, parse_instant
from postroad.core.errors import InputError
from postroad.core.findings import Findings
from postroad.network.areas import ancestry
from postroad.network.instance import MODES, Instance
from postroad.network.loss import Loss
from postroad.network.rows import near_name
from postroad.network.scenario import Scenario
from postroad.network.schema import FACILITY_KINDS
from postroad.study.drills.file import DrillFile, GoodsSection, LostSection, NeedSection

__all__ = ["LEAD_DAYS", "Gazetteer", "Goods", "Stock", "resolve_goods", "resolve_losses"]

LEAD_DAYS = 3
"""Days compiled before D, so that trips of several days are under way."""

_CENTRES = [FACILITY_KINDS.index(kind) for kind in ("sorting", "hub")]


@dataclass(frozen=True, slots=True)
class Stock:
    """Goods at a depot: its facility, the minute from which they can leave, how many units."""

    fac: int
    ready_min: int
    n_units: int


@dataclass(frozen=True, slots=True)
class Goods:
    """Relief goods in whole units; ``needs`` holds place and units in the order in which they are sent."""

    section: GoodsSection
    size: tuple[int, int, int]
    modes: np.ndarray
    stocks: tuple[Stock, ...]
    needs: tuple[tuple[str, int], ...]


class Gazetteer:
    """Looks up places and facilities by id or name."""

    def __init__(self, network, instance: Instance) -> None:
        self.places = {row["place_id"]: row for row in network.tables["places"].iter_rows(named=True)}
        self.index = {facility: number for number, facility in enumerate(instance.fac_id)}
        self.place_of = dict(network.tables["facilities"].select("facility_id", "place_id").iter_rows())
        self.is_centre = np.isin(instance.fac_kind, _CENTRES)
        self.served: dict[str, list[int]] = {}
        for row in network.tables["service_areas"].iter_rows(named=True):
            if row["delivers"] or row["collects"]:
                self.served.setdefault(row["place_id"], []).append(self.index[row["facility_id"]])
        names: dict[str, str] = {}
        for key, row in self.places.items():
            for name in (row["name_en"], row["name"]):
                names.setdefault((name or "").casefold(), key)
        self._names = {name: key for name, key in names.items() if name}
        self._above = {key: {row["place_id"] for row in ancestry(self.places, key)} for key in self.places}
        self._within: dict[str, np.ndarray] = {}

    def place(self, text: str) -> str:
        """The place of that id or name; empty when there is none."""
        return text if text in self.places else self._names.get(text.strip().casefold(), "")

    def serving(self, text: str) -> int:
        """The facility of that id, or the one that serves the place of that id or name; -1 when there is none."""
        if text in self.index:
            return self.index[text]
        return min(self.served.get(self.place(text), []), default=-1)

    def within(self, place: str) -> np.ndarray:
        """Facilities in a place or below it, bool (n_fac,)."""
        if place not in self._within:
            self._within[place] = np.array([place in self._above[self.place_of[name]] for name in self.index], bool)
        return self._within[place]

    def served_below(self, place: str) -> list[tuple[str, int]]:
        """Served places in a place, itself included, with their people; the finest are left out below one that is
        served itself."""
        found = [key for key in self.served if place in self._above[key]]
        top = [key for key in found if not any(key != other and other in self._above[key] for other in found)]
        return [(key, int(self.places[key]["population"] or 0)) for key in top]

    def near(self, text: str) -> str:
        """Ids or names like a text."""
        return near_name(text, [*self.index, *self.places, *self._names])


def resolve_losses(
    given: DrillFile, scenario: Scenario, instance: Instance, gazetteer: Gazetteer, findings: Findings
) -> tuple[Loss, ...]:
    """The losses of a drill on the minutes of an instance compiled ``LEAD_DAYS`` before D; all findings are added."""
    table = f"{given.name}.toml"
    losses = []
    for number, section in enumerate(given.lost, 1):
        place = {"table": table, "column": f"lost.{number}"}
        start, end = (_minute(getattr(section, key), scenario, f"{place['column']}.{key}", table, findings)
                      for key in ("from_at", "to_at"))  # fmt: skip
        if start is not None and end is not None and end <= start:
            findings.add("PR-S140", **place, value=section.to_at, start=section.from_at)
        facilities = np.zeros(instance.n_fac, bool)
        legs = np.zeros(len(instance.leg_from), bool)
        before = len(findings)
        if section.kind == "corridor":
            legs = _corridor(section, instance, gazetteer, place, findings)
        else:
            facilities = _facilities(section.at, section.kind == "hub", gazetteer, place, findings)
        if len(findings) == before and not (facilities.any() or legs.any()):
            findings.add("PR-S136", **place, value=section.kind)
        losses.append(Loss(facilities, legs, start or 0, end or 0))
    return tuple(losses)


def _facilities(names: list[str], only_centres: bool, gazetteer: Gazetteer, place: dict, findings: Findings):
    """Facilities named, or in places named, bool (n_fac,)."""
    found = np.zeros(len(gazetteer.index), bool)
    for text in names:
        if text in gazetteer.index:
            found[gazetteer.index[text]] = True
        elif key := gazetteer.place(text):
            found |= gazetteer.within(key) & (gazetteer.is_centre if only_centres else True)
        else:
            findings.add("PR-S135", **place, value=text, near=gazetteer.near(text))
    return found


def _corridor(section: LostSection, instance: Instance, gazetteer: Gazetteer, place: dict, findings: Findings):
    """Legs between two groups of places, either way, bool (n_leg,)."""
    if len(section.between) != 2:
        findings.add("PR-S133", **place, value=section.between, expected="between = [[places], [places]]")
        return np.zeros(len(instance.leg_from), bool)
    one, other = (_facilities(names, False, gazetteer, place, findings) for names in section.between)
    ends = (one[instance.leg_from] & other[instance.leg_to]) | (other[instance.leg_from] & one[instance.leg_to])
    mode_of_trip = np.zeros(int(instance.leg_trip.max(initial=-1)) + 1, np.int8)
    mode_of_trip[instance.cn_trip] = instance.lane_mode[instance.cn_lane]
    modes = [MODES.index(mode) for mode in section.modes or MODES]
    return ends & np.isin(mode_of_trip[instance.leg_trip], modes)


def resolve_goods(
    given: DrillFile, scenario: Scenario, losses: tuple[Loss, ...], gazetteer: Gazetteer, findings: Findings
) -> tuple[Goods, ...]:
    """The relief goods of a drill; all findings are added."""
    table = f"{given.name}.toml"
    lost = np.logical_or.reduce([loss.facilities for loss in losses])
    made = []
    for number, section in enumerate(given.goods, 1):
        place = {"table": table, "column": f"goods.{number}"}
        needs = [pair for need in section.needs for pair in _share(need, section, gazetteer, place, findings)]
        wanted = sum(n for _, n in needs)
        stocks = []
        for depot in section.depots:
            fac = gazetteer.serving(depot.at)
            ready = _minute(depot.ready_at, scenario, f"{place['column']}.ready_at", table, findings)
            if fac < 0:
                findings.add("PR-S135", **place, value=depot.at, near=gazetteer.near(depot.at))
            elif lost[fac]:
                findings.add("PR-S137", **place, value=depot.at)
            n = wanted if depot.t is None else int(depot.t * 1000 / section.unit_kg + 1e-9)
            stocks.append(Stock(fac, ready or 0, n))
        size = (section.unit_items, round(section.unit_kg * 1000), round(section.unit_m3 * 1e6))
        modes = np.array([mode in (section.modes or MODES) for mode in MODES])
        made.append(Goods(section, size, modes, tuple(stocks), tuple(needs)))
    return tuple(made)


def _share(
    need: NeedSection, section: GoodsSection, gazetteer: Gazetteer, place: dict, findings: Findings
) -> list[tuple[str, int]]:
    """Places and whole units of a need; by population with the largest remainders."""
    n_units = int(np.ceil(need.t * 1000 / section.unit_kg - 1e-9))
    if need.by != "population":
        if gazetteer.serving(need.place) < 0:
            findings.add("PR-S135", **place, value=need.place, near=gazetteer.near(need.place))
        return [(gazetteer.place(need.place) or need.place, n_units)]
    key = gazetteer.place(need.place)
    if not key:
        findings.add("PR-S135", **place, value=need.place, near=gazetteer.near(need.place))
        return []
    below = gazetteer.served_below(key)
    people = np.array([n for _, n in below], float)
    if not people.sum() > 0:
        findings.add("PR-S138", **place, value=need.place)
        return []
    exact = n_units * people / people.sum()
    units = np.floor(exact).astype(int)
    units[np.argsort(units - exact, kind="stable")[: n_units - units.sum()]] += 1
    order = np.argsort(-people, kind="stable")
    return [(below[k][0], int(units[k])) for k in order if units[k]]


def _minute(text: str, scenario: Scenario, column: str, table: str, findings: Findings) -> int | None:
    """Minutes from the epoch ``LEAD_DAYS`` before D, or None and a finding."""
    try:
        if DAY_TIME.fullmatch(text):
            return parse_day_time(text) + LEAD_DAYS * DAY_MIN
        zone = scenario.network.meta.timezone
        epoch = local_midnight(scenario.day - timedelta(days=LEAD_DAYS), zone)
        return minutes_since(epoch, parse_instant(text, zone))
    except InputError:
        findings.add("PR-S139", table=table, column=column, value=text)
        return None
