"""Which Postroad this is."""

from __future__ import annotations

from importlib.metadata import version

__all__ = ["release"]


def release() -> str:
    """Give the version of the installed package, as its metadata has it."""
    return version("postroad")
