"""Runs: simulate a scenario, keep it in a folder, open it again."""

from __future__ import annotations

import json
import os
import shlex
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path

import polars as pl

from postroad.core.errors import InputError, NotFound
from postroad.core.files import writing_folder
from postroad.core.findings import Findings
from postroad.core.progress import Progress, Silent
from postroad.core.version import release
from postroad.ledger.tracking import Tracking, frame_names, track
from postroad.measure.record import Record, measure_record
from postroad.measure.registry import STANDARD
from postroad.measure.validation import PeakCounts, compare_published
from postroad.network.compile import compile_network
from postroad.network.feed import read, write
from postroad.network.instance import Instance
from postroad.network.overlay import Disruption
from postroad.network.scenario import Scenario
from postroad.network.scenariofile import load_scenario, shipped_scenarios
from postroad.report.basemap import BaseMap
from postroad.report.run import write_report
from postroad.study.archive import read_findings, read_result, write_findings, write_ledger, write_result
from postroad.study.execution import Execution, execute, make_run_record, released_by_day
from postroad.study.folders import check_folder
from postroad.study.planning import open_routes
from postroad.study.reporting import describe_run
from postroad.study.seeds import measure_seeds
from postroad.twin.result import TwinResult

__all__ = ["Run", "open_or_simulate", "open_run", "simulate", "track_item"]

FACTS = "run.toml"
WALL = "wall.toml"
SEEDS = "seeds.parquet"
NETWORK = "network"
BESIDE = "beside"
KEYS = (
    "scenario", "name_en", "name_zh", "description", "description_zh", "base", "level", "day", "days_before",
    "days_after", "days_by", "to_items", "by", "beta", "beside", "seed", "sample", "sample_pairs", "know_overlay",
    "n_hours", "input_digest", "result_digest", "release", "command",
)  # fmt: skip
"""What the facts of a run must hold for it to be opened."""

PEAK_OVER_MEAN = 1.1
"""A day is a peak when it has so many times the items of a mean day of its run."""


@dataclass(frozen=True)
class Run:
    """A scenario that was run.

    Attributes
    ----------
    scenario, instance, result, record: what was run and what came of it.
    result_digest: of everything computed; equal for equal input and seed, whatever the number of threads.
    command: what repeats it; empty for a scenario made by a program and not kept.
    know_overlay: whether routes were chosen knowing the disruptions.
    seeds: measures of this run and of others that differ in their seed only, with a column ``seed``; None for one run.
    undisturbed, other: runs that stand beside this one in its report: the same without the scenario's disruptions, and
        of the scenario named as ``beside``; see :func:`postroad.study.beside.simulate_beside`.
    folder: where it is kept; None when it is only in memory.
    wall_s: seconds by step.
    """

    scenario: Scenario
    instance: Instance
    result: TwinResult
    record: Record
    findings: Findings
    result_digest: str
    command: str = ""
    know_overlay: bool = False
    seeds: pl.DataFrame | None = None
    undisturbed: Run | None = None
    other: Run | None = None
    folder: Path | None = None
    wall_s: dict[str, float] = field(default_factory=dict)

    @property
    def is_peak(self) -> bool:
        """Whether the scenario's day stands out of its week."""
        released = released_by_day(self.scenario)
        return bool(released[self.scenario.days_before] >= PEAK_OVER_MEAN * released.mean())

    def measure(self, names: Iterable[str] = STANDARD, by: str | Iterable[str] = ()) -> pl.DataFrame:
        """Measure anything registered, by groups; see :func:`postroad.measure.record.measure_record`."""
        return measure_record(self.record, names, by)

    @cached_property
    def validation(self) -> pl.DataFrame:
        """Modelled beside published; see :func:`postroad.measure.validation.compare_published`."""
        return compare_published(self.record.tally, peak=_peak_counts(self.scenario, self.result))

    def track(self, item_id: str) -> Tracking:
        """The history of one of the sampled items.

        Raises
        ------
        NotFound: PR-S104 when the run is not kept in a folder, PR-L301 when the item is not among the sampled.
        """
        if self.folder is None:
            raise NotFound("PR-S104", path=self.scenario.name, missing="a folder")
        return track_item(self.folder, item_id, self.scenario)

    def to_html(self, path: Path | str, *, language: str = "auto", base_map: BaseMap | None = None) -> Path:
        """Write the report of the run as one self-contained page.

        Parameters
        ----------
        path: the file. language: shown first, ``en``, ``zh`` or ``auto``; both are always inside.
        base_map: instead of the shipped one; see :func:`postroad.report.basemap.read_base_map`.
        """
        return write_report(describe_run(self, base_map=base_map), path, language)


def simulate(
    scenario: Scenario | str | Path,
    *,
    seed: int | None = None,
    seeds: int = 1,
    sample: int | None = None,
    sample_pairs: Sequence[tuple[str, str]] = (),
    level: str | None = None,
    to: Path | str | None = None,
    replace_folder: bool = False,
    know_overlay: bool = False,
    plan: Path | str | None = None,
    threads: int = 2,
    progress: Progress | None = None,
) -> Run:
    """Run a scenario until every item is delivered, returned or lost.

    Parameters
    ----------
    scenario: a scenario, the name of a shipped one, a scenario file, or the folder of a run to be repeated.
    seed: instead of the scenario's own.
    seeds: runs that differ in their seed only, from ``seed`` on; the first is given back, with the measures of all.
    sample: one item in so many gets its full history, instead of the scenario's own; 0: none.
    sample_pairs: pairs of (origin, destination) place ids of which every item gets its history, besides the scenario's.
    level: level of the feed, ``city`` or ``county``, for a scenario that is read.
    to: folder in which the run is kept, written whole or not at all; None keeps it in memory only.
    replace_folder: whether a folder that is there is replaced.
    know_overlay: whether routes are chosen knowing the disruptions.
    plan: folder of a plan whose routes items follow and whose cancelled trips do not run; see
        :func:`postroad.study.planning.plan_day`.
    threads: worker threads, 0 for as many as there are cores; the result is the same for any number.

    Raises
    ------
    InputError: PR-S105 when the folder is there, PR-S111 when it is to be replaced and holds no run; PR-S106 for a
        level of a scenario that is made already; PR-S107 for less than one seed; the codes of
        :func:`postroad.study.execution.execute`.

    >>> run = simulate("tiny")
    >>> int(run.result.counts.in_custody[-1])
    0
    """
    progress, threads = progress or Silent(), threads or os.cpu_count() or 1
    if seeds < 1:
        raise InputError("PR-S107", value=seeds)
    if to is not None:
        check_folder(Path(to), FACTS, replace=replace_folder)
    made = _prepare(scenario, level)
    changes = {"seed": seed, "sample": sample, "sample_pairs": (*made.sample_pairs, *sample_pairs)}
    made = replace(made, **{name: value for name, value in changes.items() if value is not None})
    follow = None if plan is None else open_routes(plan, made)
    options = {"know_overlay": know_overlay, "follow": follow, "threads": threads, "progress": progress}
    done = execute(made, **options)
    run = Run(
        made, done.instance, done.result, done.record, done.findings, done.result_digest,
        _command(scenario, made, level, know_overlay, to, plan), know_overlay,
        measure_seeds(made, done.record, seeds, **options), wall_s=done.wall_s,
    )  # fmt: skip
    return run if to is None else _keep(run, done, Path(to), replace_folder, progress)


def _prepare(scenario: Scenario | str | Path, level: str | None) -> Scenario:
    """The scenario that is meant, read when it is not made yet."""
    if isinstance(scenario, Scenario):
        if level is not None:
            raise InputError("PR-S106", value=level)
        return scenario
    if str(scenario) not in shipped_scenarios() and (Path(scenario) / FACTS).is_file():
        return _scenario_of(_read_facts(Path(scenario)), Path(scenario))
    return load_scenario(scenario, level=level)


def _command(
    given: Scenario | str | Path, made: Scenario, level: str | None, know_overlay: bool, to: Path | str | None,
    plan: Path | str | None,
) -> str:  # fmt: skip
    """The command that repeats a run: of the scenario that was named, else of the folder it is kept in."""
    if isinstance(given, Scenario):
        return f"postroad run {shlex.quote(str(to))} --to {shlex.quote(f'{to}-again')}" if to is not None else ""
    words = ["postroad", "run", str(given), "--seed", str(made.seed), "--sample", str(made.sample)]
    words += ["--level", level] if level else []
    words += ["--plan", str(plan)] if plan is not None else []
    for origin, destination in made.sample_pairs:
        words += ["--sample-pair", f"{origin}:{destination}"]
    return shlex.join(words + (["--know-overlay"] if know_overlay else []))


def _keep(run: Run, done: Execution, folder: Path, replace_folder: bool, progress: Progress) -> Run:
    """Write the run to its folder: facts, network, tables and ledger."""
    progress.stage("write")
    with writing_folder(folder, replace=replace_folder) as draft:
        write(run.scenario.network, draft / NETWORK, format="parquet")
        write_result(draft, run.result)
        write_ledger(draft, run.scenario, run.instance, run.result, run.result_digest)
        write_findings(draft, run.findings)
        run.measure().write_parquet(draft / "measures.parquet")
        if run.seeds is not None:
            run.seeds.write_parquet(draft / SEEDS)
        (draft / FACTS).write_text(_facts(run), encoding="utf-8")
        (draft / WALL).write_text(
            "".join(f"{step} = {seconds:.3f}\n" for step, seconds in done.wall_s.items()), encoding="utf-8"
        )
    return replace(run, folder=folder)


def _facts(run: Run) -> str:
    """What makes the run repeatable, as TOML; nothing in it depends on the clock."""
    scenario = run.scenario
    facts = {
        "scenario": scenario.name, "name_en": scenario.name_en, "name_zh": scenario.name_zh,
        "description": scenario.description, "description_zh": scenario.description_zh,
        "base": scenario.base, "level": scenario.level,
        "day": scenario.day.isoformat(), "days_before": scenario.days_before, "days_after": scenario.days_after,
        "days_by": scenario.days_by,
        "to_items": scenario.to_items or 0, "by": scenario.by, "beta": scenario.beta or 0.0,
        "beside": scenario.beside, "seed": scenario.seed, "sample": scenario.sample, "know_overlay": run.know_overlay,
        "sample_pairs": [list(pair) for pair in scenario.sample_pairs], "n_hours": run.result.n_hours,
        "input_digest": scenario.digest, "result_digest": run.result_digest, "release": release(),
        "command": run.command, "released_by_day": released_by_day(scenario).tolist(),
    }  # fmt: skip
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in facts.items()]
    for item in scenario.disruptions:
        lines += ["", "[[disruptions]]"]
        values = {name: getattr(item, name) for name in item.__slots__}
        given = {key: json.dumps(value, ensure_ascii=False) for key, value in values.items() if value is not None}
        lines += [f"{key} = {value}" for key, value in given.items()]
    return "\n".join(lines) + "\n"


def open_run(folder: Path | str, *, beside: bool = False) -> Run:
    """Open a run that was kept; it measures and compares as it did when it was made.

    Parameters
    ----------
    folder: of the run.
    beside: whether the runs that stand beside it are opened too.

    Raises
    ------
    NotFound: PR-S104 when the folder holds no run.
    """
    folder = Path(folder)
    for needed in (FACTS, NETWORK, "journeys.parquet"):
        if not (folder / needed).exists():
            raise NotFound("PR-S104", path=str(folder), missing=needed)
    facts = _read_facts(folder)
    scenario = _scenario_of(facts, folder)
    n_days = max(facts["n_hours"] // 24, scenario.n_days)
    instance = compile_network(
        scenario.network, day=scenario.day, days_before=scenario.days_before, n_days=n_days, overlay=scenario.overlay
    )
    result = read_result(folder, instance, facts["n_hours"])
    wall_s = tomllib.loads((folder / WALL).read_text(encoding="utf-8")) if (folder / WALL).exists() else {}
    seeds = pl.read_parquet(folder / SEEDS) if (folder / SEEDS).exists() else None
    record = make_run_record(scenario, instance, result)
    kept = {name: folder / BESIDE / name for name in ("undisturbed", "other") if (folder / BESIDE / name).is_dir()}
    return Run(
        scenario, instance, result, record, read_findings(folder), facts["result_digest"], facts["command"],
        facts["know_overlay"], seeds, folder=folder, wall_s=wall_s,
        **{name: open_run(path) for name, path in kept.items() if beside},
    )  # fmt: skip


def open_or_simulate(
    folder: Path | str | None, scenario: str, root: Path | str, *, seed: int | None = None, threads: int = 2,
    progress: Progress | None = None,
) -> Run:  # fmt: skip
    """Open a run; without a folder the one of a shipped scenario below ``root``, which is made when it is not there.

    Parameters
    ----------
    folder: of the run that is meant, or None.
    seed: of the run that is made; one that is there with another seed is made again.
    """
    if folder is not None:
        return open_run(folder)
    kept = Path(root) / scenario
    if (kept / FACTS).is_file():
        facts = _read_facts(kept)
        wanted = _prepare(scenario, None)
        same = facts["input_digest"] == replace(wanted, seed=wanted.seed if seed is None else seed).digest
        if same and facts["release"] == release():
            return open_run(kept)
    return simulate(scenario, seed=seed, to=kept, replace_folder=True, threads=threads, progress=progress)


def _read_facts(folder: Path) -> dict:
    """The facts of a kept run; one of another release may lack some."""
    facts = tomllib.loads((folder / FACTS).read_text(encoding="utf-8"))
    for key in KEYS:
        if key not in facts:
            raise NotFound("PR-S104", path=str(folder), missing=f"{key} in {FACTS}")
    return facts


def _scenario_of(facts: dict, folder: Path) -> Scenario:
    """The scenario that a run's facts tell."""
    network = read(folder / NETWORK)
    return Scenario(
        name=facts["scenario"], network=network, day=date.fromisoformat(facts["day"]),
        days_before=facts["days_before"], days_after=facts["days_after"], days_by=facts["days_by"],
        to_items=facts["to_items"] or None, by=facts["by"], beta=facts["beta"] or None, beside=facts["beside"],
        disruptions=tuple(Disruption(**row) for row in facts.get("disruptions", [])), seed=facts["seed"],
        sample=facts["sample"], sample_pairs=tuple(tuple(pair) for pair in facts["sample_pairs"]), base=facts["base"],
        level=facts["level"], description=facts["description"], name_en=facts["name_en"],
        name_zh=facts["name_zh"], description_zh=facts["description_zh"],
    )  # fmt: skip


def track_item(folder: Path, item_id: str, scenario: Scenario | None = None) -> Tracking:
    """The history of an item of a kept run, with the names of the run's network.

    Raises
    ------
    NotFound: PR-S104 no run there, PR-L201 no ledger there, PR-L301 no such item.
    """
    if scenario is None and not (folder / NETWORK).exists():
        raise NotFound("PR-S104", path=str(folder), missing=NETWORK)
    network = scenario.network if scenario is not None else read(folder / NETWORK)
    places, products = frame_names(network)
    return track(folder, item_id, places=places, products=products)


def _peak_counts(scenario: Scenario, result: TwinResult) -> PeakCounts | None:
    """Counts around the scenario's day when it stands out of its week; None on an ordinary day."""
    released = released_by_day(scenario)
    if released[scenario.days_before] < PEAK_OVER_MEAN * released.mean():
        return None
    return PeakCounts(result.counts.created, result.counts.delivered, scenario.days_before)
