"""What still flows after a loss: whose way is untouched, who has another, and how much longer it takes.

:func:`tell_still_flowing` is the one place that answers it. It works on the uncongested timetable; a planner that knows
capacities can take ``ways.after`` and ``ways.flows`` and answer with loads in the same form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from postroad.study.drills.ways import CUT_OFF, NO_WAY_BEFORE, OTHER_WAY, UNTOUCHED, Ways

__all__ = ["CLASSES", "StillFlowing", "tell_still_flowing"]

CLASSES = {UNTOUCHED: "untouched", OTHER_WAY: "other_way", CUT_OFF: "cut_off", NO_WAY_BEFORE: "no_way_before"}


@dataclass(frozen=True, slots=True)
class StillFlowing:
    """A day's items after the loss.

    Attributes
    ----------
    classes: one row a class: ``class``, ``n_items``, ``share``, ``extra_h`` (mean hours that an item takes longer;
        null where that means nothing).
    places: by place of destination: ``n_items``, ``n_untouched``, ``n_other_way``, ``n_cut_off``, ``extra_h`` (mean
        over those with another way); most extra item-hours first.
    """

    classes: pl.DataFrame
    places: pl.DataFrame


def tell_still_flowing(ways: Ways, tables: dict[str, pl.DataFrame]) -> StillFlowing:
    """Say what of a day's items still flows, with the extra hours of the cheapest ways on the uncongested timetable.

    **Assumes** no congestion: what has another way may find it full.
    """
    hours = ways.before.slot_min / 60
    totals = ways.items.sum(axis=1)
    mean = float(ways.extra_slots.sum()) * hours / totals[OTHER_WAY] if totals[OTHER_WAY] else None
    classes = pl.DataFrame(
        {
            "class": list(CLASSES.values()),
            "n_items": totals,
            "share": totals / max(int(totals.sum()), 1),
            "extra_h": [0.0, mean, None, None],
            "label": ["modelled"] * len(CLASSES),
        }
    )
    place_of = dict(tables["facilities"].select("facility_id", "place_id").iter_rows())
    place = np.array([place_of[name] for name in ways.before.fac_id])[ways.flows.destination]
    names = tables["places"].select("place_id", name_en=pl.coalesce("name_en", "name"), name_zh="name")
    columns = {f"n_{CLASSES[kind]}": ways.items[kind] for kind in (UNTOUCHED, OTHER_WAY, CUT_OFF)}
    places = (
        pl.DataFrame({"place_id": place, "n_items": ways.items.sum(axis=0), **columns, "extra": ways.extra_slots})
        .group_by("place_id")
        .agg(pl.all().sum())
        .with_columns(
            extra_h=pl.when(pl.col("n_other_way") > 0).then(pl.col("extra") * hours / pl.col("n_other_way")),
            label=pl.lit("modelled"),
        )
        .filter(pl.col("n_other_way") + pl.col("n_cut_off") > 0)
        .sort(["extra", "place_id"], descending=[True, False])
        .join(names, on="place_id", how="left", maintain_order="left")
        .select("place_id", "name_en", "name_zh", "n_items", *columns, "extra_h", "label")
    )
    return StillFlowing(classes, places)
