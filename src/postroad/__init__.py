"""Postroad plans, runs and watches over a postal and express network.

>>> import postroad as pr

Nothing is loaded before it is used: a public name imports its module when it is first asked for (PEP 562).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from postroad.core.errors import (
        InfeasibleError,
        InputError,
        InternalError,
        LedgerError,
        LimitReached,
        NotFound,
        PostroadError,
        UsageError,
    )
    from postroad.network.feed import read
    from postroad.network.scenario import Scenario
    from postroad.study.comparison import compare
    from postroad.study.run import simulate

    __version__: str

__all__ = [
    "InfeasibleError",
    "InputError",
    "InternalError",
    "LedgerError",
    "LimitReached",
    "NotFound",
    "PostroadError",
    "Scenario",
    "UsageError",
    "__version__",
    "compare",
    "read",
    "simulate",
]

_HOMES = {
    "InfeasibleError": "postroad.core.errors",
    "InputError": "postroad.core.errors",
    "InternalError": "postroad.core.errors",
    "LedgerError": "postroad.core.errors",
    "LimitReached": "postroad.core.errors",
    "NotFound": "postroad.core.errors",
    "PostroadError": "postroad.core.errors",
    "Scenario": "postroad.network.scenario",
    "UsageError": "postroad.core.errors",
    "compare": "postroad.study.comparison",
    "read": "postroad.network.feed",
    "simulate": "postroad.study.run",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used."""
    if name == "__version__":
        return import_module("postroad.core.version").release()
    if name not in _HOMES:
        raise AttributeError(f"module 'postroad' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted(__all__)
