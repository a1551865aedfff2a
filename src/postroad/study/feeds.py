"""Feeds as jobs: start one, look one over, show one."""

from __future__ import annotations

from pathlib import Path

from postroad.core.files import write_text
from postroad.network.feed import Survey, examine, read
from postroad.network.frames import Network
from postroad.network.summary import NetworkSummary, summarise
from postroad.network.templates import create_template
from postroad.report.basemap import BaseMap
from postroad.report.networkmap import render_network

__all__ = ["create_feed", "draw_feed", "examine_feed", "read_feed", "summarise_feed"]


def create_feed(folder: Path | str, *, example: bool = False) -> Path:
    """Write a starter feed; see :func:`postroad.network.templates.create_template`.

    Raises
    ------
    InputError: PR-C030 when something stands there.
    """
    return create_template(folder, example=example)


def examine_feed(feed: Path | str, *, level: str | None = None) -> Survey:
    """Read what can be read of a feed and check it; see :func:`postroad.network.feed.examine`.

    Raises
    ------
    NotFound: PR-F101, PR-F128.
    """
    return examine(feed, level)


def read_feed(feed: Path | str, *, level: str | None = None) -> Network:
    """Read a feed; see :func:`postroad.network.feed.read`."""
    return read(feed, level)


def summarise_feed(network: Network) -> NetworkSummary:
    """Count what a network holds."""
    return summarise(network)


def draw_feed(network: Network, path: Path | str, *, language: str = "auto", base_map: BaseMap | None = None) -> Path:
    """Write the map of a network as one self-contained page.

    Parameters
    ----------
    path: the file. language: shown first, ``en``, ``zh`` or ``auto``. base_map: instead of the shipped one.
    """
    write_text(path, render_network(network, language, base_map))
    return Path(path)
