"""A drill on the tiny feed, run once for all tests of a process."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from postroad.study.drills.run import Drilled, run_drill

WUHAN = """
name_en = "Wuhan lost"
name_zh = "武汉中断"
scenario = "tiny"
days = 4

[[lost]]
kind = "hub"
at = ["H-WUH"]
from_at = "D+0 00:00"
to_at = "D+2 00:00"

[[goods]]
goods_id = "blankets"
name_en = "Blankets"
name_zh = "毛毯"
unit_kg = 400.0
unit_m3 = 2.0
unit_items = 30
depots = [{ at = "S-NGB", t = 40.0, ready_at = "D+0 01:00" }, { at = "Hangzhou", t = 20.0, ready_at = "D+0 05:00" }]
needs = [{ place = "420100", t = 30.0 }, { place = "Ezhou", t = 50.0 }]

[event]
blocked = "city"
deaths = 10
leaked_records = 500
"""


@cache
def _place() -> TemporaryDirectory:
    """A folder that goes when the process ends."""
    return TemporaryDirectory(prefix="postroad-drills-")


def write_drill(text: str = WUHAN, name: str = "wuhan") -> Path:
    """Write a drill file."""
    path = Path(_place().name) / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


@cache
def tiny_drill() -> Drilled:
    """Tiny without Wuhan, kept."""
    return run_drill(write_drill(), to=Path(_place().name) / "kept", threads=1)
