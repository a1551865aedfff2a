"""How the cities of the demand model hang on the facilities of a network, and what lies outside mainland China.

A facility that serves a city takes what its counties leave: when county outlets serve some counties, each takes its
county's share and the city's own facility the rest. Facilities that serve the same place share it alike. Places go by
their code of 2023; where a city without counties and its only county have the same code, the county is the code with
``-C`` behind it.

Places outside mainland China only receive. Hong Kong, Macao and Taiwan share the part that ``hmt_share`` gives them by
people; other places share the rest by people, or alike when one of them has no people in the feed. When a network has
only one of the two groups, the other's part is not sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from postroad.core.findings import Findings
from postroad.demand.marginals import Marginals
from postroad.demand.service import facilities_by_place
from postroad.demand.sources import parameters
from postroad.network.areas import ancestry
from postroad.network.instance import Instance

__all__ = ["Foreign", "Parts", "foreign_places", "parts_of_cities"]

HMT = ("710000", "810000", "820000")
_COUNTRY = "CN"


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts into which the cities (and then the foreign places) are split, in order of zone.

    Attributes
    ----------
    facility: int32 (n_part,), facility index of each part.
    starts: int64 (n_zone + 1,), first part of each zone.
    weight: float64 (n_part,), share of the part in its zone, up to a common factor.
    """

    facility: np.ndarray
    starts: np.ndarray
    weight: np.ndarray

    @property
    def is_whole(self) -> bool:
        """Whether each zone is one part."""
        return bool((np.diff(self.starts) == 1).all())


@dataclass(frozen=True, slots=True)
class Foreign:
    """Places outside mainland China: their facilities and their shares in the international items, at most 1 in all."""

    facilities: tuple[tuple[int, ...], ...]
    share: np.ndarray


def foreign_places(instance: Instance, tables: Mapping[str, pl.DataFrame], marginals: Marginals) -> Foreign:
    """Find the places outside mainland China to which the network delivers.

    Raises
    ------
    InputError: PR-C001 with findings PR-D106 for a place of mainland China that is neither a city nor a county.
    """
    delivers = facilities_by_place(instance, tables["service_areas"], "delivers")
    places = {row["place_id"]: row for row in tables["places"].iter_rows(named=True)}
    domestic = {*marginals.city_code, *_county_places(marginals)}
    abroad: list[str] = []
    findings = Findings()
    for place in sorted(delivers):
        if place in domestic:
            continue
        if place in HMT or ancestry(places, place)[-1]["place_id"] != _COUNTRY:
            abroad.append(place)
        else:
            findings.add("PR-D106", table="service_areas", column="place_id", value=place)
    findings.raise_on_errors()
    people = [places[place]["population"] or 0 for place in abroad]
    is_hmt = np.array([place in HMT for place in abroad], bool)
    share = np.zeros(len(abroad))
    hmt_share = parameters()["hmt_share"]
    for group, part in ((is_hmt, hmt_share), (~is_hmt, 1.0 - hmt_share)):
        weights = np.array(people, float)[group]
        if not weights.all():
            weights = np.ones(len(weights))
        if len(weights):
            share[group] = part * weights / weights.sum()
    return Foreign(tuple(tuple(delivers[place]) for place in abroad), share)


def _county_places(marginals: Marginals) -> list[str]:
    """Place ids of the counties: their code, with ``-C`` behind it where a city without counties has the same."""
    cities = set(marginals.city_code)
    return [f"{code}-C" if code in cities else code for code in marginals.county_code]


def parts_of_cities(
    instance: Instance,
    tables: Mapping[str, pl.DataFrame],
    marginals: Marginals,
    column: str,
    foreign: Foreign | None = None,
) -> Parts:
    """Split the cities over the facilities that collect from them, or deliver to them.

    Parameters
    ----------
    column: ``collects`` or ``delivers``.
    foreign: places that follow the cities as further zones, for deliveries.

    Raises
    ------
    InputError: PR-C001 with findings PR-D104 for a place that has demand and no facility.
    """
    served = facilities_by_place(instance, tables["service_areas"], column)
    is_origin = column == "collects"
    county_share = marginals.county_origin_share if is_origin else marginals.county_destination_share
    city_items = marginals.origin_items if is_origin else marginals.destination_items
    facility: list[int] = []
    weight: list[float] = []
    starts = [0]
    findings = Findings()
    county_places = _county_places(marginals)
    for city, code in enumerate(marginals.city_code):
        own = served.get(code, [])
        left = 0.0
        parts: list[tuple[int, float]] = []
        for county in np.flatnonzero(marginals.county_city == city):
            outlets = served.get(county_places[county], [])
            share = float(county_share[county])
            parts.extend((outlet, share / len(outlets)) for outlet in outlets)
            if not outlets:
                left += share
                if share > 0 and not own:
                    findings.add("PR-D104", table="service_areas", value=county_places[county], service=column)
        parts.extend((centre, left / len(own)) for centre in own)
        if city_items[city] > 0:
            facility.extend(number for number, share in parts if share > 0)
            weight.extend(share for _, share in parts if share > 0)
        starts.append(len(facility))
    findings.raise_on_errors()
    for facilities in foreign.facilities if foreign else ():
        facility.extend(facilities)
        weight.extend([1.0] * len(facilities))
        starts.append(len(facility))
    return Parts(np.array(facility, np.int32), np.array(starts, np.int64), np.array(weight))
