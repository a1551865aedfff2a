"""The tree of places: what lies in what, and which places lie in one customs territory."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["ancestry", "customs_territories", "region_of"]


def ancestry(places: Mapping[str, dict], place_id: str) -> list[dict]:
    """A place and its ancestors, nearest first; rows of ``places`` by id."""
    chain = []
    current = places.get(place_id)
    while current is not None:
        chain.append(current)
        current = places.get(current["parent_id"] or "")
    return chain


def region_of(chain: list[dict]) -> str:
    """The statistical region of a place: its own or that of its nearest ancestor with one; ``other`` without any."""
    return next((row["region"] for row in chain if row["region"]), "other")


def customs_territories(places: Mapping[str, dict]) -> dict[str, str]:
    """The customs territory of every place, named by its topmost place.

    A territory is a country or, in a country whose provinces are assigned to regions, a province assigned to none
    (``other``): for China, Hong Kong, Macao and Taiwan, which the bulletins count with the international items.

    **Source** State Post Bureau bulletins 2020-2023: same-city, inter-city, international and Hong Kong, Macao, Taiwan.
    """
    chains = {place_id: ancestry(places, place_id) for place_id in places}
    in_regions = {
        chains[place_id][-1]["place_id"]
        for place_id, row in places.items()
        if row["kind"] == "province" and row["region"] not in (None, "other")
    }
    territories = {}
    for place_id, chain in chains.items():
        root = chain[-1]["place_id"]
        apart = next((row for row in chain if row["kind"] == "province"), None)
        is_apart = apart is not None and region_of(chain) == "other" and root in in_regions
        territories[place_id] = apart["place_id"] if is_apart else root
    return territories
