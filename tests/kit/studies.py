"""Runs of the tiny feed, simulated once for all tests of a process."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from postroad.network.scenario import Scenario
from postroad.network.scenariofile import load_scenario
from postroad.study.beside import simulate_beside
from postroad.study.run import Run, simulate

CLOSED = """
name = "tiny-closed"
name_en = "Wuhan closed"
name_zh = "武汉关闭"
base = "tiny"
days_before = 1
days_after = 1
sample = 50
sample_pairs = [["330122", "420100"]]
beside = "tiny"

[[disruptions]]
disruption_id = "wuhan"
kind = "closure"
facility_id = "H-WUH"
from_at = "D+0 06:00"
to_at = "D+1 06:00"
"""


@cache
def _place() -> TemporaryDirectory:
    """A folder that goes when the process ends."""
    return TemporaryDirectory(prefix="postroad-tests-")


def folder() -> Path:
    """Where the runs are kept."""
    return Path(_place().name)


def tiny() -> Scenario:
    """The scenario ``tiny``."""
    return load_scenario("tiny")


@cache
def tiny_run() -> Run:
    """The run of ``tiny``, kept."""
    return simulate("tiny", to=folder() / "tiny")


@cache
def closed_run() -> Run:
    """Tiny with Wuhan closed, over two seeds, kept, with what stands beside it."""
    path = folder() / "tiny-closed.toml"
    path.write_text(CLOSED, encoding="utf-8")
    return simulate_beside(simulate(path, seeds=2, to=folder() / "closed"))
