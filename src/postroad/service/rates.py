"""Rates: how often one key, or one stranger, may call."""

from __future__ import annotations

from collections import OrderedDict
from time import monotonic

from postroad.core.errors import LimitReached

__all__ = ["Rates"]

BURST_S = 2.0
HELD = 10_000


class Rates:
    """A bucket of tokens for each caller, which fills at its rate and holds two seconds' worth.

    Only the callers of late are held; one that is forgotten begins with a full bucket.
    """

    def __init__(self) -> None:
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str, per_s: float, *, now: float | None = None) -> None:
        """Count a call.

        Parameters
        ----------
        caller: an id. per_s: calls a second it may make; 0 for any number. now: seconds of a clock that only runs on.

        Raises
        ------
        LimitReached: PR-H103 with the seconds to wait.
        """
        if not per_s:
            return
        now = monotonic() if now is None else now
        full = max(BURST_S * per_s, 1.0)
        tokens, since = self._buckets.pop(caller, (full, now))
        tokens = min(full, tokens + (now - since) * per_s)
        self._buckets[caller] = (tokens - 1.0 if tokens >= 1.0 else tokens, now)
        if len(self._buckets) > HELD:
            self._buckets.popitem(last=False)
        if tokens < 1.0:
            raise LimitReached("PR-H103", value=f"{per_s:g}", wait_s=round((1.0 - tokens) / per_s, 3))
