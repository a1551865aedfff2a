"""Lessons: what the events of a ledger teach, and how things stand at its end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from postroad.routing.outlook import Outlook
from postroad.watch.conditions import Conditions
from postroad.watch.features import Standing, observe, stand
from postroad.watch.histories import Histories, read_histories
from postroad.watch.trips import Connections

__all__ = ["Lesson", "read_lesson"]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is learned from, or asked about.

    Attributes
    ----------
    histories, standing: of the items, and where each stood after each of its events.
    means: of the conditions, hour by hour from the epoch of the outlook's plan.
    """

    histories: Histories
    standing: Standing
    means: np.ndarray

    def last_rows(self) -> np.ndarray:
        """The row of ``standing`` after the last event of each item."""
        return self.standing.last_rows()


def read_lesson(events: pl.DataFrame, items: pl.DataFrame, outlook: Outlook) -> Lesson:
    """Read what events and item records teach; as :func:`postroad.watch.histories.read_histories` takes them."""
    instance = outlook.instance
    histories = read_histories(events, items, instance)
    standing, rows = stand(histories, outlook, Connections(instance))
    n_hours = 24 * instance.n_days
    conditions = Conditions(instance.fac_province, n_hours)
    observe(standing, rows, histories, outlook, conditions)
    return Lesson(histories, standing, conditions.means(0, n_hours))
