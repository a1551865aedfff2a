"""What stands beside a run in its report: the same without its disruptions, and the scenario that it names."""

from __future__ import annotations

from dataclasses import replace

from postroad.core.progress import Progress, Silent
from postroad.network.scenario import Scenario
from postroad.network.scenariofile import load_scenario
from postroad.study.run import BESIDE, Run, simulate

__all__ = ["scenarios_beside", "simulate_beside"]


def scenarios_beside(run: Run) -> dict[str, Scenario]:
    """The scenarios that stand beside a run: ``undisturbed`` and ``other``, those that there are.

    No histories are kept of them, and they are run with the seed of the run.
    """
    own, found = run.scenario, {}
    if own.disruptions:
        names = {
            "name": f"{own.name}-undisturbed",
            "name_en": "The same without the disruption",
            "name_zh": "无扰动的同一方案",
        }
        found["undisturbed"] = replace(own, **names, disruptions=(), beside="")
    if own.beside:
        found["other"] = load_scenario(own.beside)
    return {name: replace(made, seed=own.seed, sample=0, sample_pairs=()) for name, made in found.items()}


def simulate_beside(run: Run, *, threads: int = 2, progress: Progress | None = None) -> Run:
    """Run what stands beside a run, with as many seeds, and keep it in the run's folder when it has one.

    Parameters
    ----------
    run: just made, or opened.
    threads: as for :func:`postroad.study.run.simulate`.

    Returns
    -------
    Run: the same, with ``undisturbed`` and ``other``.

    Raises
    ------
    NotFound: PR-F201 when there is no scenario of the name given as ``beside``; the codes of
        :func:`postroad.study.run.simulate`.
    """
    progress = progress or Silent()
    n_seeds = 1 if run.seeds is None else run.seeds["seed"].n_unique()
    made = {}
    for role, scenario in scenarios_beside(run).items():
        progress.stage(f"{scenario.name}:")
        made[role] = simulate(
            scenario, seeds=n_seeds, to=None if run.folder is None else run.folder / BESIDE / role, replace_folder=True,
            threads=threads, progress=progress,
        )  # fmt: skip
    return replace(run, **made)
