"""How long jobs tell where they are and how they are interrupted."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Progress", "Silent"]


class Progress(Protocol):
    """What a long job calls; the shell decides what is seen."""

    def stage(self, name: str, total: int = 0) -> None:
        """A new stage begins, of ``total`` steps (0: not known)."""

    def step(self, done: int, note: str = "") -> None:
        """``done`` steps of the stage are behind us; ``note`` is a short text such as ``1.1e9 delivered``."""


class Silent:
    """Progress that nobody watches."""

    def stage(self, name: str, total: int = 0) -> None:
        """Say nothing."""

    def step(self, done: int, note: str = "") -> None:
        """Say nothing."""
