"""``postroad version``: what runs here."""

from __future__ import annotations

import platform
from importlib.metadata import version as installed

from postroad.cli.shell import Shell
from postroad.core.version import release

__all__ = ["version"]

FOUNDATIONS = ("numpy", "numba", "polars", "pyarrow", "duckdb")


def version(shell: Shell) -> None:
    """Show the versions of Postroad and of what it stands on."""
    versions = {"postroad": release(), "python": platform.python_version()}
    versions |= {name: installed(name) for name in FOUNDATIONS}
    if shell.json:
        shell.write_json(versions)
    else:
        shell.write("\n".join(f"{name} {number}" for name, number in versions.items()))
