"""The builder of the shipped reference network: open data and stated rules in, feeds out.

``python -m postroad.reference`` rebuilds every shipped feed; the rules stand in
``docs/explanation/reference-network.md``.
Nothing here is read when a network is planned or run.
"""

# from postroad.reference.build import FEEDS, build

__all__ = []
