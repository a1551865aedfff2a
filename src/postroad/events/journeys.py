"""Journeys: one row an item or flow group, with the instants between its segments. The one shape that measures read."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa

__all__ = ["CUSTODY", "DELIVERED", "LOST", "OUTCOMES", "RETURNED", "Journeys"]

OUTCOMES = ("delivered", "returned", "lost", "custody")
DELIVERED, RETURNED, LOST, CUSTODY = range(4)


@dataclass(frozen=True, slots=True)
class Journeys:
    """Columns of equal length; instants are int32 minutes from the run's epoch, -1 where not reached.

    Attributes
    ----------
    origin_idx, destination_idx: int16, facility index of the accepting and the delivering endpoint.
    product_idx: int8.
    n_items: int32, how many items the row stands for.
    accepted_min: acceptance (收寄).
    left_origin_min: departure from the origin city; equals ``sorted at origin`` for same-city items.
    reached_dest_min: arrival in the destination city.
    out_min: out for (the last attempt at) delivery.
    ended_min: first successful delivery, return to the sender, or declaration of loss.
    promise_min: the latest delivery instant sold.
    outcome: int8, index into OUTCOMES.
    n_attempts: int8, delivery attempts made.
    """

    origin_idx: np.ndarray
    destination_idx: np.ndarray
    product_idx: np.ndarray
    n_items: np.ndarray
    accepted_min: np.ndarray
    left_origin_min: np.ndarray
    reached_dest_min: np.ndarray
    out_min: np.ndarray
    ended_min: np.ndarray
    promise_min: np.ndarray
    outcome: np.ndarray
    n_attempts: np.ndarray

    def __len__(self) -> int:
        return len(self.n_items)

    def arrow(self) -> pa.Table:
        """The columns as an Arrow table, without copying."""
        return pa.table({field.name: getattr(self, field.name) for field in fields(self)})
