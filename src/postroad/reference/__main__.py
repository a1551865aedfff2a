"""``python -m postroad.reference``: rebuild the shipped feeds, or some of them, into a folder."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from postroad.core.errors import PostroadError
from postroad.network.feed import write
from postroad.reference.build import FEEDS, build
from postroad.reference.sources import Rules

SHIPPED = Path(__file__).resolve().parent.parent / "data" / "feeds"


def main(arguments: list[str] | None = None) -> int:
    """Build and write; the exit code is 0, or that of the error."""
    parser = argparse.ArgumentParser(prog="python -m postroad.reference", description=__doc__)
    parser.add_argument("feeds", nargs="*", default=FEEDS, help=f"which to build; all when none: {' '.join(FEEDS)}")
    parser.add_argument("--to", type=Path, default=SHIPPED, help="folder to write into; the package's own by default")
    parser.add_argument("--set", action="append", default=[], metavar="RULE=NUMBER", help="change one rule number")
    options = parser.parse_args(arguments)
    try:
        rules = Rules.read(**dict(_setting(text) for text in options.set))
        for name in options.feeds:
            started = time.perf_counter()
            network = build(name, rules)
            folder = write(network, options.to / name, format="parquet", replace=True)
            rows = {table: frame.height for table, frame in network.tables.items() if frame.height}
            print(f"{name}: {folder}", file=sys.stderr)
            print(f"  {rows}, {time.perf_counter() - started:.1f} s", file=sys.stderr)
    except PostroadError as error:
        print(f"{error}\n  {error.fix()}", file=sys.stderr)
        return error.exit_code
    return 0


def _setting(text: str) -> tuple[str, float]:
    """A changed rule number, ``NAME=NUMBER``."""
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise SystemExit(f"--set {text}: expected RULE=NUMBER") from None


if __name__ == "__main__":
    sys.exit(main())
