"""Distances on the sphere."""

from __future__ import annotations

import numpy as np

__all__ = ["EARTH_KM", "great_circle_km"]

EARTH_KM = 6371.0088
"""Mean radius of the earth (IUGG)."""


def great_circle_km(lon1, lat1, lon2, lat2) -> np.ndarray:
    """Great-circle distance in km between points in degrees; arrays broadcast.

    Source: haversine formula; IUGG mean radius.

    >>> round(float(great_circle_km(116.4, 39.9, 121.5, 31.2)))
    1071
    """
    lon1, lat1, lon2, lat2 = (np.radians(np.asarray(value, float)) for value in (lon1, lat1, lon2, lat2))
    half = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0)))
