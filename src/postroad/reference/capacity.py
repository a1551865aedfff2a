"""Capacities from design loads, in steps."""

from __future__ import annotations

import math

from postroad.reference.sources import Rules

__all__ = ["hourly_capacity", "wave_capacities"]

_COARSE_FROM = 100_000
_COARSE = 20


def hourly_capacity(items_per_day: float, effective_h: float, rules: Rules, least: float = 0.0) -> int:
    """Items an hour that a facility must be able to work: load times margin over effective hours, rounded up.

    Steps of ``sort_step``; of twenty of it from 100,000 items an hour (one cross-belt sorter).

    >>> rules = Rules.read(capacity_margin=1.15, sort_step=1000)
    >>> hourly_capacity(140_000, 14, rules)
    12000
    """
    needed = max(items_per_day * rules.capacity_margin / effective_h, least)
    step = rules.sort_step * (_COARSE if needed >= _COARSE_FROM else 1)
    return int(math.ceil(needed / step) * step)


def wave_capacities(items_per_day: float, n_waves: int, rules: Rules) -> list[int]:
    """Items that each delivery wave can take: the design day's deliveries times the margin, in hundreds.

    The first of several waves takes ``wave_share_1``, the others the rest evenly.
    """
    total = max(items_per_day * rules.wave_margin, 2000.0)
    shares = (
        [1.0] if n_waves == 1 else [rules.wave_share_1] + [(1 - rules.wave_share_1) / (n_waves - 1)] * (n_waves - 1)
    )
    return [int(math.ceil(total * share / 100.0) * 100) for share in shares]
