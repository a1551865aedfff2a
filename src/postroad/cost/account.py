"""The cost account: every line an activity times a rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from postroad.cost.activity import Activity, VehicleWork, sum_vehicle_work
from postroad.cost.rates import Rate, default_rates
from postroad.network.schema import FACILITY_KINDS

__all__ = ["CostAccount", "account_cost"]

_SCHEMA = {
    "element_id": pl.String,
    "element": pl.String,
    "name_en": pl.String,
    "name_zh": pl.String,
    "mode": pl.String,
    "activity": pl.Float64,
    "activity_uom": pl.String,
    "factor": pl.Float64,
    "factor_uom": pl.String,
    "value": pl.Float64,
    "unit": pl.String,
    "label": pl.String,
    "source": pl.String,
    "year": pl.Int64,
}

_PARTS = (
    ("km", "vehicle_km", "km", "cost_yuan_per_km", "yuan/km", "distance", "里程"),
    ("h", "vehicle_h", "h", "cost_yuan_per_h", "yuan/h", "time", "工时"),
    ("trip", "n_departures", "departures", "cost_yuan_per_trip", "yuan/departure", "departures", "发车"),
)


@dataclass(frozen=True, slots=True)
class CostAccount:
    """What the items accounted cost.

    Attributes
    ----------
    lines: one row a line: ``element_id``, ``element`` (collection, line_haul, feeder, handling, delivery), names,
        ``mode``, ``activity`` times ``factor`` = ``value`` in yuan, with units, ``label``, ``source``, ``year``.
    n_items: items accounted.
    """

    lines: pl.DataFrame
    n_items: int

    @property
    def total_yuan(self) -> float:
        """The sum of all lines."""
        return float(self.lines["value"].sum())

    @property
    def yuan_per_item(self) -> float:
        """Cost per item; 0 when there is none."""
        return self.total_yuan / self.n_items if self.n_items else 0.0

    def by_element(self) -> pl.DataFrame:
        """``element``, ``value`` in yuan and ``yuan_per_item``, in the order of an item's way."""
        sums = self.lines.group_by("element", maintain_order=True).agg(pl.col("value").sum())
        return sums.with_columns(yuan_per_item=pl.col("value") / max(self.n_items, 1))


def account_cost(
    activity: Activity,
    *,
    year: int,
    rates: Mapping[str, Rate] | None = None,
    label: str = "modelled",
    work: Sequence[VehicleWork] | None = None,
) -> CostAccount:
    """Account what the items of a run cost.

    A scheduled trip costs the same full or empty: distance, time and a fixed part, by kind of vehicle. Every time an
    item is sorted costs the handling rate of the facility. Collection is paid by item, delivery by attempt.

    Parameters
    ----------
    activity: what the run did.
    year: the year whose prices the feed's rates are in; stands on the lines that come from the feed.
    rates: collection and delivery rates; the shipped ones when None.
    label: of the lines whose rate is not better than modelled.
    work: of the vehicles, when it was summed before.

    Returns
    -------
    CostAccount: lines in order of collection, line-haul, feeder, handling, delivery.

    **Assumes** no overhead, rent, packaging, tax or compensation: the account is of operations.
    """
    rates = rates or default_rates()
    lines = [
        _rate_line(
            "collection",
            "Collection",
            "揽收",
            int(activity.collected.sum()),
            "items",
            rates["collection_yuan_per_item"],
        )
    ]
    vehicles = activity.tables["vehicles"].rows(named=True)
    for one in sum_vehicle_work(activity) if work is None else work:
        lines += _vehicle_lines(one, vehicles[one.vehicle_idx], year, label)
    lines += _handling_lines(activity, year, label)
    attempts = int(activity.attempted.sum())
    lines.append(_rate_line("delivery", "Delivery", "投递", attempts, "attempts", rates["delivery_yuan_per_attempt"]))
    return CostAccount(pl.DataFrame(lines, schema=_SCHEMA, orient="row"), activity.n_items)


def _rate_line(element: str, name_en: str, name_zh: str, amount: int, uom: str, rate: Rate) -> dict[str, object]:
    return {
        "element_id": element,
        "element": element,
        "name_en": name_en,
        "name_zh": name_zh,
        "mode": "road",
        "activity": float(amount),
        "activity_uom": uom,
        "factor": rate.value,
        "factor_uom": rate.uom,
        "value": amount * rate.value,
        "unit": "yuan",
        "label": rate.label,
        "source": rate.source,
        "year": rate.year,
    }


def _vehicle_lines(work: VehicleWork, vehicle: Mapping[str, object], year: int, label: str) -> list[dict[str, object]]:
    """Distance, time and departures of one kind of vehicle in one tier; parts without a rate are left out."""
    tier_en, tier_zh = {"line_haul": ("Line-haul", "干线"), "feeder": ("Feeder", "支线")}[work.tier]
    lines = []
    for part, of_work, uom, column, rate_uom, part_en, part_zh in _PARTS:
        rate, amount = vehicle[column] or 0.0, float(getattr(work, of_work))
        if rate == 0:
            continue
        lines.append(
            {
                "element_id": f"{work.tier}-{vehicle['vehicle_id']}-{part}",
                "element": work.tier,
                "name_en": f"{tier_en}, {vehicle['name_en'] or vehicle['name']}: {part_en}",
                "name_zh": f"{tier_zh}，{vehicle['name']}：{part_zh}",
                "mode": vehicle["mode"],
                "activity": amount,
                "activity_uom": uom,
                "factor": rate,
                "factor_uom": rate_uom,
                "value": amount * rate,
                "unit": "yuan",
                "label": vehicle["label"] if vehicle["label"] in ("modelled", "unverified") else label,
                "source": vehicle["source"] or "the feed",
                "year": year,
            }
        )
    return lines


def _handling_lines(activity: Activity, year: int, label: str) -> list[dict[str, object]]:
    """Handling by kind of facility and rate."""
    instance = activity.instance
    pairs, group = np.unique(np.stack([instance.fac_kind, instance.fac_cost]), axis=1, return_inverse=True)
    items = np.zeros(pairs.shape[1], np.int64)
    np.add.at(items, group.reshape(-1), activity.sorted_items)
    amounts = items * activity.share
    lines = []
    for (kind, milli_yuan), amount in zip(pairs.T.tolist(), amounts.tolist(), strict=True):
        if not amount or not milli_yuan:
            continue
        name = FACILITY_KINDS[kind]
        lines.append(
            {
                "element_id": f"handling-{name}-{milli_yuan}",
                "element": "handling",
                "name_en": f"Handling, {name}",
                "name_zh": f"处理，{_KIND_ZH[name]}",
                "mode": "hub",
                "activity": amount,
                "activity_uom": "items",
                "factor": milli_yuan / 1000,
                "factor_uom": "yuan/item",
                "value": amount * milli_yuan / 1000,
                "unit": "yuan",
                "label": label,
                "source": "cost_yuan_per_item of the feed's facilities",
                "year": year,
            }
        )
    return lines


_KIND_ZH = {
    "outlet": "网点",
    "station": "驿站",
    "locker": "快件箱",
    "sorting": "分拨中心",
    "hub": "枢纽",
    "airport": "机场",
    "railhead": "铁路站",
    "port": "港口",
    "exchange": "互换局",
    "warehouse": "仓库",
}
