"""Single items: the demand of item mode."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Items"]


@dataclass(frozen=True, slots=True)
class Items:
    """Single items, each with its own weight and volume; all arrays have shape (n_item,).

    Attributes
    ----------
    origin, destination: int32, facility index of the endpoints.
    product: int8.
    accepted_min: int32, minute from the epoch.
    promise_day: int16, day from the epoch on which the promise ends.
    g, cm3: int32, weight and loaded volume.
    traced: whether the twin keeps the full history of every item.
    """

    origin: np.ndarray
    destination: np.ndarray
    product: np.ndarray
    accepted_min: np.ndarray
    promise_day: np.ndarray
    g: np.ndarray
    cm3: np.ndarray
    traced: bool = True
