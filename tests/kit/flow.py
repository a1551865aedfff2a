"""Flow problems of shipped scenarios, and the exact solver for them that the benchmark has too."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from postroad.flow.cutting import cut_down
from postroad.flow.problem import FlowProblem

__all__ = ["FEASIBLE", "PROBLEMS", "flow_lp", "solved", "tight_tiny", "tighten", "town"]


def _load(name: str) -> ModuleType:
    """A module of ``benchmarks``, which is no package."""
    spec = spec_from_file_location(name, Path(__file__).parents[2] / "benchmarks" / f"{name}.py")
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


flow_lp = _load("flow_lp")


def tighten(problem: FlowProblem, legs: float, sorting: float) -> FlowProblem:
    """The problem with so much of every leg's room and of all sorting."""
    resources = problem.resources
    resources = replace(resources, share=resources.share / legs, items=resources.items * legs)
    return replace(problem, resources=resources, sort_cap=problem.sort_cap * sorting)


@cache
def tight_tiny() -> FlowProblem:
    """The day of ``tiny`` with a twentieth of its room and a quarter of its sorting: too little for all items."""
    return tighten(flow_lp.scenario_problem("tiny"), 0.05, 0.25)


@cache
def town() -> FlowProblem:
    """The busiest three destinations and twelve facilities of ``normal-2023``, with room for most items."""
    return cut_down(flow_lp.scenario_problem("normal-2023"), 3, 12, room=2.0)


@cache
def solved(name: str):
    """The optimum of ``tight_tiny`` or ``town``, by the simplex method."""
    return flow_lp.solve_lp(flow_lp.build_lp(PROBLEMS[name]()), "simplex")


PROBLEMS = {"tight_tiny": tight_tiny, "town": town}


FEASIBLE = {
    "roomy_town": lambda: tighten(town(), 2, 2),
    "snug_tiny": lambda: tighten(flow_lp.scenario_problem("tiny"), 0.15, 0.5),
}
"""Problems whose items can all be carried, though capacities bind."""
