"""The parameters of the end of a journey, read from the feed's ``parameters`` table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from postroad.core.clock import parse_hhmm
from postroad.core.findings import Findings
from postroad.network.instance import Instance

__all__ = ["TwinParameters", "read_parameters"]

TOUR_HOURS = 8
MOST_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class TwinParameters:
    """What happens at the door, and when a lane counts as overfull.

    Attributes
    ----------
    first_attempt_success_share, later_attempt_success_share: of the items out for delivery, 0..1.
    max_attempts: attempts before an item goes back to its sender, 1..3.
    lost_per_million: items found missing when a delivery wave is loaded.
    divert_queue_h: a lane is overfull when its queue exceeds what leaves on it within so many hours.
    tour_shares: float64 (n_hour,), share of a wave's deliveries in each hour after it leaves; they sum to 1, and the
        last is not zero: couriers are back at its end.
    deliver_by_min: int32 (n_prod,), minute of the day at which promises end.
    """

    first_attempt_success_share: float
    later_attempt_success_share: float
    max_attempts: int
    lost_per_million: int
    divert_queue_h: float
    tour_shares: np.ndarray
    deliver_by_min: np.ndarray


def read_parameters(network, instance: Instance) -> TwinParameters:
    """Read and check the twin's parameters; those that the feed does not set have their documented defaults.

    Raises
    ------
    InputError: PR-C001 with findings PR-W102 (a parameter is out of its range), PR-W103 (the tour
        shares do not sum to 1).
    """
    values = network.parameters
    findings = Findings()

    def read(name: str, low: float, high: float) -> float:
        value = values[name]
        if not low <= float(value) <= high:
            findings.add("PR-W102", table="parameters", column="value", value=value, name=name, low=low, high=high)
        return float(value)

    shares = np.array([read(f"tour_share_{hour}h", 0, 1) for hour in range(1, TOUR_HOURS + 1)])
    if abs(shares.sum() - 1) > 1e-6:
        findings.add("PR-W103", table="parameters", column="value", value=f"{shares.sum():.4f}")
    parameters = TwinParameters(
        first_attempt_success_share=read("first_attempt_success_share", 0, 1),
        later_attempt_success_share=read("later_attempt_success_share", 0, 1),
        max_attempts=int(read("max_attempts", 1, MOST_ATTEMPTS)),
        lost_per_million=int(read("lost_per_million", 0, 1_000_000)),
        divert_queue_h=read("divert_queue_h", 0, 24 * 14),
        tour_shares=np.trim_zeros(shares, "b"),
        deliver_by_min=_deliver_by(network, instance),
    )
    findings.raise_on_errors()
    return parameters


def _deliver_by(network, instance: Instance) -> np.ndarray:
    """The latest end of a promise day by product; the end of the day where the feed promises nothing."""
    latest = dict.fromkeys(instance.prod_id, 0)
    for row in network.tables["promises"].iter_rows(named=True):
        latest[row["product_id"]] = max(latest[row["product_id"]], parse_hhmm(row["deliver_by"]))
    return np.array([latest[product] or 1440 for product in instance.prod_id], np.int32)
