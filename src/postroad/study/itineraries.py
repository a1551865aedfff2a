"""Itineraries as a job: from a feed, two places and an hour to ways that a person can follow."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from postroad.core.clock import parse_instant, time_zone
from postroad.network.compile import compile_network
from postroad.network.feed import read
from postroad.network.frames import Network
from postroad.routing.itinerary import Itinerary, route

__all__ = ["find_itineraries"]

DAYS_BEFORE = 1
"""Service days before the day of acceptance: trips that began on them may still be under way."""


def find_itineraries(
    feed: Network | Path | str,
    origin: str,
    destination: str,
    depart: datetime | str,
    *,
    product: str | None = None,
    level: str | None = None,
    n_days: int = 9,
) -> list[Itinerary]:
    """Find the ways of an item from acceptance to the delivery wave.

    Parameters
    ----------
    feed: a network, or the folder, archive or shipped name of one.
    origin, destination: ids or names, Chinese or English, of facilities or places.
    depart: instant of acceptance; text in ISO 8601, in the feed's time zone when it names no offset.
    product: what is sent; the most urgent product when None.
    level: level of the feed.
    n_days: days after acceptance within which the destination is looked for.

    Returns
    -------
    list of Itinerary: of which none is better in arrival, cost and carbon at once, the earliest arrival first.

    Raises
    ------
    InputError: PR-C021 for an instant that is none, the feed's findings, PR-R121.
    NotFound: PR-F101, PR-R120, PR-R123.
    InfeasibleError: PR-R122.
    """
    network = feed if isinstance(feed, Network) else read(feed, level)
    zone = network.meta.timezone
    instant = parse_instant(depart, zone) if isinstance(depart, str) else depart
    network.check().raise_on_errors()
    day = instant.astimezone(time_zone(zone)).date()
    instance = compile_network(network, day=day, days_before=DAYS_BEFORE, n_days=DAYS_BEFORE + n_days)
    urgent = network.tables["products"].sort("priority", "product_id")["product_id"][0]
    return route(network, instance, origin, destination, instant, product or urgent)
