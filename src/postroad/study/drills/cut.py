"""What a loss cuts off: items a day that have no way left, by place and by reason."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from postroad.kernels.trees import NO_ROUTE
from postroad.study.drills.ways import CUT_OFF, Ways

__all__ = ["REASONS", "CutOff", "find_cut_off"]

REASONS = ("lost", "nothing_in", "nothing_out", "apart")
"""Why items have no way: an end is lost; nothing leads to the destination; nothing leads out of the origin; both are
linked with others, but not with one another."""


@dataclass(frozen=True, slots=True)
class CutOff:
    """What has no way left while the loss lasts.

    Attributes
    ----------
    reasons: one row a reason: ``reason``, ``n_pairs``, ``n_places``, ``n_items``.
    places: one row a place with items cut off: ``place_id``, names, ``reason`` (the place's own: lost, nothing_in,
        nothing_out; empty where only what lies at the other end is), ``n_sent_cut``, ``n_sent``, ``n_received_cut``,
        ``n_received``: items a day.
    n_items, n_all: items a day that are cut off, and all.
    """

    reasons: pl.DataFrame
    places: pl.DataFrame
    n_items: int
    n_all: int


def find_cut_off(ways: Ways, tables: dict[str, pl.DataFrame]) -> CutOff:
    """Find which pairs, places and items of a day have no way left, and why."""
    cut, total = ways.items[CUT_OFF], ways.items.sum(axis=0)
    flows, fac_id = ways.flows, np.array(ways.before.fac_id)
    place_of = dict(tables["facilities"].select("facility_id", "place_id").iter_rows())
    place = np.array([place_of[name] for name in fac_id])
    ends = {"origin": place[flows.origin], "destination": place[flows.destination]}
    pairs = pl.DataFrame({**ends, "cut": cut, "n": total})
    hit = pl.concat(
        pl.DataFrame({**ends, "reason": _reason_of_pairs(ways, product), "cut": part}).with_row_index("pair")
        for product, part in enumerate(ways.cut_off)
    ).filter(pl.col("cut") > 0)
    both = pl.concat([hit.select("reason", place="origin"), hit.select("reason", place="destination")])
    counts = both.group_by("reason").agg(n_places=pl.col("place").n_unique())
    reasons = (
        pl.DataFrame({"reason": np.arange(len(REASONS))})
        .join(
            hit.group_by("reason").agg(n_pairs=pl.col("pair").n_unique(), n_items=pl.sum("cut")),
            on="reason",
            how="left",
        )
        .join(counts, on="reason", how="left")
        .sort("reason")
        .select(
            pl.Series("reason", REASONS),
            *(pl.col(name).fill_null(0).cast(pl.Int64) for name in ("n_pairs", "n_places", "n_items")),
        )
    )
    sent = pairs.group_by(place_id="origin").agg(n_sent_cut=pl.sum("cut"), n_sent=pl.sum("n"))
    received = pairs.group_by(place_id="destination").agg(n_received_cut=pl.sum("cut"), n_received=pl.sum("n"))
    own = pl.DataFrame({"place_id": place, "why": _reason_of_facilities(ways)}).filter(
        pl.Series(ways.before.fac_is_endpoint)
    )
    own = own.group_by("place_id").agg(pl.min("why"))
    names = tables["places"].select("place_id", name_en=pl.coalesce("name_en", "name"), name_zh="name")
    places = (
        sent.join(received, on="place_id", how="full", coalesce=True)
        .with_columns(pl.exclude("place_id").fill_null(0))
        .filter(pl.col("n_sent_cut") + pl.col("n_received_cut") > 0)
        .join(own, on="place_id", how="left")
        .join(names, on="place_id", how="left")
        .with_columns(reason=pl.col("why").replace_strict(dict(enumerate((*REASONS[:3], ""))), default=""))
        .sort(["why", pl.col("n_sent_cut") + pl.col("n_received_cut"), "place_id"], descending=[False, True, False])
        .select("place_id", "name_en", "name_zh", "reason", "n_sent_cut", "n_sent", "n_received_cut", "n_received",
                label=pl.lit("modelled"))
    )  # fmt: skip
    return CutOff(reasons, places, int(cut.sum()), int(total.sum()))


def _links(ways: Ways, tables: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether a way leads from another destination to each facility, and out of it to another, two bool (n_fac,).

    Being there already is no way, and lost facilities have none. True for facilities that neither collect nor deliver.
    """
    goals = ways.after.td_fac
    linked = (ways.tables_after.slots_to_go[tables, 0][:, goals] < NO_ROUTE).any(axis=(0, 2))
    lost = ways.lost_facilities[goals]
    linked &= ~lost[:, None] & ~lost & ~np.eye(len(goals), dtype=bool)
    goal = ways.after.fac_td
    gets_in, gets_out = (np.where(goal >= 0, linked.any(axis=axis)[goal], True) for axis in (0, 1))
    return gets_in & ways.leads_in, gets_out & ways.leads_out


def _gone(ways: Ways) -> np.ndarray:
    """Facilities that are lost, or hang on a lost one."""
    return ways.lost_facilities | ways.lost_facilities[ways.anchor]


def _reason_of_facilities(ways: Ways) -> np.ndarray:
    """Reason of each facility's own, for every product, as an index of ``REASONS``; 3 where it has none."""
    gets_in, gets_out = _links(ways, np.unique(ways.tables_after.table_of_product))
    return np.select([_gone(ways), ~gets_in, ~gets_out], [0, 1, 2], 3)


def _reason_of_pairs(ways: Ways, product: int) -> np.ndarray:
    """Reason of each pair for a product, as an index of ``REASONS``; meant where its items are cut off."""
    gets_in, gets_out = _links(ways, ways.tables_after.table_of_product[[product]])
    gone = _gone(ways)
    origin, destination = ways.flows.origin, ways.flows.destination
    return np.select([gone[origin] | gone[destination], ~gets_in[destination], ~gets_out[origin]], [0, 1, 2], 3)
