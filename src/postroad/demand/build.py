"""From a network and the totals of its days to exact integer flows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from postroad.core.errors import InputError
from postroad.demand.explicit import explicit_days
from postroad.demand.flows import Flows
from postroad.demand.gravity import fit_gravity
from postroad.demand.marginals import YEARS, read_marginals
from postroad.demand.national import national_days
from postroad.demand.profiles import read_acceptance
from postroad.network.feed import Network
from postroad.network.instance import Instance

__all__ = ["GRAVITY_CN", "flows_for", "mean_day_items", "model_year"]

GRAVITY_CN = "gravity-cn"
"""Name under which a feed (``demand_model`` in ``feed.toml``) asks for the national demand of China."""

COUNTY_CUTS_MIN = (840,)
"""Releases of national demand at county level: before and after 14:00, which is what the two collection feeders of the
reference network (15:00 and 21:30) take. By the hour a day would have 426 million groups of fewer than three items."""

MAX_ITEMS = 2_000_000_000
"""Most items of a day: products of two counts must stay within 64 bits, a cell within 32."""


def flows_for(
    instance: Instance,
    network: Network,
    totals_by_day: np.ndarray,
    *,
    seed: int = 0,
    beta: float | None = None,
    year: int | None = None,
    cuts_min: Sequence[int] | None = None,
) -> Flows:
    """Make the flows of a run of days.

    They come from the feed's ``demand`` table or, when ``feed.toml`` says ``demand_model = "gravity-cn"``, from the
    gravity model of China on the cities or counties that its facilities serve.

    Parameters
    ----------
    instance: the compiled network.
    network: the feed it was compiled from.
    totals_by_day: int64 (n_days,), items accepted on each day from the epoch; international ones included.
    seed: the same seed and day give the same counts, whatever the number of threads or the other days.
    beta: exponent of distance for the gravity model; None for the fitted one.
    year: year of the published volumes for the gravity model; None for the one nearest to the feed's base date.
    cuts_min: minutes of the day at which one release ends and the next begins; None for releases by the hour (for the
        gravity model at county level: before and after 14:00).

    Returns
    -------
    Flows: exact in whole items; ``day_counts`` makes a day when it is called.

    Raises
    ------
    InputError: PR-D101 (a feed without demand), PR-D102 (beta or year for listed demand), PR-D105 and PR-D109
        (profiles), PR-D107 (totals), PR-D108 (no items in the table), PR-D110 and PR-D111 (year, beta), PR-C001 with
        findings PR-D103, PR-D104 or PR-D106 (places that no facility serves or that the model does not know).
    """
    totals = _checked(totals_by_day)
    is_national = _is_national(network)
    if not is_national and (beta is not None or year is not None):
        raise InputError("PR-D102", feed=network.meta.name)
    shares = _product_shares(instance, network)
    usual = COUNTY_CUTS_MIN if is_national and instance.level == "county" else None
    acceptance = read_acceptance(network.tables["profiles"], instance.prod_id, shares, cuts_min or usual)
    if is_national:
        model = fit_gravity(beta, model_year(network) if year is None else year)
        days = national_days(instance, network.tables, model, acceptance, shares, totals, seed)
        sources, sinks = np.unique(days.origins.facility), np.unique(days.destinations.facility)
        origin, destination = np.repeat(sources, len(sinks)), np.tile(sinks, len(sources))
    else:
        days = explicit_days(instance, network.tables, acceptance, totals, seed)
        origin, destination = days.origin, days.destination
    return Flows(
        origin=_frozen(origin),
        destination=_frozen(destination),
        release_min=_frozen(acceptance.release_min),
        n_days=len(totals),
        n_prod=len(instance.prod_id),
        day_counts=days,
        total_by_day=totals,
    )


def mean_day_items(network: Network, year: int | None = None) -> int:
    """Items of a mean day of the year: of the feed's ``demand`` table, or the published volume over 365.

    Raises
    ------
    InputError: PR-D101, PR-D102, PR-D110 as :func:`flows_for`.
    """
    if not _is_national(network):
        if year is not None:
            raise InputError("PR-D102", feed=network.meta.name)
        return int(network.tables["demand"]["n_items"].sum())
    marginals = read_marginals(model_year(network) if year is None else year)
    return round(float(marginals.origin_items.sum() + marginals.international_items.sum()) / 365)


def model_year(network: Network) -> int:
    """The year with published volumes that is nearest to the feed's base date."""
    return min(YEARS, key=lambda year: abs(year - network.meta.base_date.year))


def _is_national(network: Network) -> bool:
    """Whether the demand comes from the gravity model of China."""
    if network.meta.demand_model == GRAVITY_CN:
        return True
    if network.meta.demand_model or not network.tables["demand"].height:
        raise InputError("PR-D101", feed=network.meta.name, model=network.meta.demand_model)
    return False


def _frozen(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array


def _checked(totals_by_day: np.ndarray) -> np.ndarray:
    totals = np.asarray(totals_by_day)
    if totals.ndim != 1 or not len(totals) or not np.issubdtype(totals.dtype, np.integer):
        raise InputError("PR-D107", value=f"{totals.dtype} {totals.shape}")
    if totals.min() < 0 or totals.max() > MAX_ITEMS:
        raise InputError("PR-D107", value=int(totals.min() if totals.min() < 0 else totals.max()))
    return _frozen(totals.astype(np.int64))


def _product_shares(instance: Instance, network: Network) -> np.ndarray:
    """Share of each product of the instance in the items: float64 (n_prod,), sums to 1."""
    share = dict(network.tables["products"].select("product_id", "share").iter_rows())
    shares = np.array([share[product] for product in instance.prod_id], float)
    if not shares.sum() > 0:
        raise InputError("PR-D108", table="products")
    return shares / shares.sum()
