"""Which facilities of an instance accept items from a place and deliver to it."""

from __future__ import annotations

from typing import Literal

import polars as pl

from postroad.network.instance import Instance

__all__ = ["facilities_by_place"]


def facilities_by_place(
    instance: Instance, service_areas: pl.DataFrame, column: Literal["collects", "delivers"]
) -> dict[str, list[int]]:
    """Facility indices by place, for collecting from it or delivering to it; each list ascends.

    Parameters
    ----------
    instance: the compiled network.
    service_areas: the feed's table.
    column: which of the two services.
    """
    index = {facility: number for number, facility in enumerate(instance.fac_id)}
    found: dict[str, set[int]] = {}
    rows = service_areas.filter(pl.col(column)).select("place_id", "facility_id")
    for place, facility in rows.iter_rows():
        found.setdefault(place, set()).add(index[facility])
    return {place: sorted(facilities) for place, facilities in found.items()}
