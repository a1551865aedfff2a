"""Sweeps: a scenario run over the values of one number."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from postroad.core.clock import time_zone
from postroad.core.errors import InputError
from postroad.core.files import write_text
from postroad.core.progress import Progress, Silent
from postroad.measure.paired import summarise_seeds
from postroad.measure.record import measure_record
from postroad.measure.registry import find
from postroad.network.scenario import Scenario
from postroad.network.scenariofile import load_scenario
from postroad.report.data import RunFacts, SweepData
from postroad.report.run import render_sweep
from postroad.report.text import Text, format_number
from postroad.study.execution import Execution, execute
from postroad.study.pairing import COMPARED
from postroad.study.provenance import source_frame, versions
from postroad.study.settings import Setting, apply_setting, find_setting, parse_values

__all__ = ["Sweep", "sweep"]


@dataclass(frozen=True)
class Sweep:
    """What measures became over the values of one number.

    Attributes
    ----------
    scenario: what was varied; setting, values: the number and what it was set to.
    n_seeds: runs behind each value.
    points: ``x``, ``measure``, ``value`` (mean over the seeds), ``low``, ``high`` (null for one seed), ``n_items``,
        ``unit``, ``label``, one row a value and measure.
    digests: result digest of the first run of each value.
    n_hours: of the longest run.
    command: what repeats the sweep.
    """

    scenario: Scenario
    setting: Setting
    values: tuple[float, ...]
    n_seeds: int
    points: pl.DataFrame
    digests: tuple[str, ...]
    n_hours: int
    command: str = ""

    def data(self) -> SweepData:
        """What the page shows."""
        scenario = self.scenario
        known = find(dict.fromkeys(self.points["measure"]))
        frame = self.points.filter(pl.col("value").is_not_null()).rename({"measure": "measure_id"}).with_columns(
            name_en=pl.col("measure_id").replace_strict({one.name: one.title_en for one in known}),
            name_zh=pl.col("measure_id").replace_strict({one.name: one.title_zh for one in known}),
            source=pl.lit("runs of the sweep"),
        )  # fmt: skip
        names = (scenario.name_en or scenario.name, scenario.name_zh or scenario.name)
        name, ends = self.setting.name, [format_number(value, 3) for value in (self.values[0], self.values[-1])]
        n = len(self.values)
        return SweepData(
            title=Text(f"{names[0]}: {name.en}", f"{names[1]}：{name.zh}"),
            subtitle=Text(f"{n} values from {ends[0]} to {ends[1]}", f"{n} 个取值，{ends[0]} 至 {ends[1]}"),
            facts=self._facts(),
            parameter=name,
            unit=self.setting.unit,
            n_seeds=self.n_seeds,
            sweep=frame,
            sources=source_frame([scenario.network.meta]),
        )

    def to_html(self, path: Path | str, *, language: str = "auto") -> Path:
        """Write the sweep as one self-contained page: a chart a measure, and the table.

        Parameters
        ----------
        path: the file. language: shown first, ``en``, ``zh`` or ``auto``; both are always inside.
        """
        write_text(path, render_sweep(self.data(), language))
        return Path(path)

    def _facts(self) -> RunFacts:
        scenario, from_h = self.scenario, 24 * self.scenario.days_before
        return RunFacts(
            run_id=self.digests[0][:12],
            scenario=scenario.name,
            network=scenario.network.meta.name,
            level=scenario.level,
            epoch=scenario.epoch.astimezone(time_zone(scenario.network.meta.timezone)),
            timezone=scenario.network.meta.timezone,
            n_hours=self.n_hours,
            measured_from_h=from_h,
            measured_to_h=from_h + 24,
            seed=scenario.seed,
            input_digest=scenario.digest,
            result_digest=" ".join(digest[:12] for digest in self.digests),
            versions=versions(),
            command=self.command,
        )


def sweep(
    scenario: Scenario | Path | str,
    path: str,
    values: Sequence[float] | str,
    *,
    names: Iterable[str] = COMPARED,
    seed: int | None = None,
    seeds: int = 1,
    level: str | None = None,
    know_overlay: bool = False,
    threads: int = 2,
    progress: Progress | None = None,
) -> Sweep:
    """Run a scenario over the values of one number.

    Parameters
    ----------
    scenario: a scenario, the name of a shipped one, or a scenario file.
    path: the number; see :class:`postroad.study.settings.Setting`.
    values: what it is set to, or ``from:to:step`` or ``a,b,c`` as text.
    names: registered measures.
    seed, seeds, level, know_overlay, threads: as for :func:`postroad.study.run.simulate`.

    Raises
    ------
    NotFound: PR-S109 no such number, PR-M001 no such measure.
    InputError: PR-S106, PR-S107, PR-S110, the codes of :func:`postroad.study.settings.apply_setting` and of
        :func:`postroad.study.execution.execute`.

    >>> made = sweep("tiny", "demand.by", [1.0], names=["total_h"])
    >>> made.points.columns
    ['x', 'measure', 'value', 'low', 'high', 'n_items', 'unit', 'label']
    """
    progress, threads = progress or Silent(), threads or os.cpu_count() or 1
    if seeds < 1:
        raise InputError("PR-S107", value=seeds)
    if isinstance(scenario, Scenario) and level is not None:
        raise InputError("PR-S106", value=level)
    setting, names = find_setting(path), tuple(names)
    find(names)
    numbers = parse_values(values) if isinstance(values, str) else [float(value) for value in values]
    base = scenario if isinstance(scenario, Scenario) else load_scenario(scenario, level=level)
    base = replace(base, seed=base.seed if seed is None else seed, sample=0, sample_pairs=())
    # Every value is tried on the scenario before the first run, so that a bad one costs nothing.
    made = [apply_setting(base, setting, value) for value in numbers]
    frames, digests, n_hours = [], [], 0
    for value, one in zip(numbers, made, strict=True):
        done = []
        for number in range(seeds):
            progress.stage(f"{path} = {value:g}" + (f", seed {base.seed + number}" if seeds > 1 else ""))
            changed = replace(one, seed=base.seed + number)
            done.append(execute(changed, know_overlay=know_overlay, threads=threads, progress=progress))
        frames.append(_summary(done, names).select(pl.lit(value).alias("x"), pl.all()))
        digests.append(done[0].result_digest)
        n_hours = max(n_hours, *(run.result.n_hours for run in done))
    command = "" if isinstance(scenario, Scenario) else _command(scenario, base, setting, numbers, seeds, level)
    return Sweep(base, setting, tuple(numbers), seeds, pl.concat(frames), tuple(digests), n_hours, command)


def _command(
    given: Path | str, base: Scenario, setting: Setting, numbers: list[float], seeds: int, level: str | None
) -> str:
    """The command that repeats a sweep."""
    values = ",".join(f"{value:g}" for value in numbers)
    words = ["postroad", "sweep", str(given), "--set", f"{setting.path}={values}", "--seed", str(base.seed)]
    return shlex.join(words + (["--seeds", str(seeds)] if seeds > 1 else []) + (["--level", level] if level else []))


def _summary(done: list[Execution], names: tuple[str, ...]) -> pl.DataFrame:
    """The measures of runs that differ in their seed, as means with intervals when there are several."""
    frames = [measure_record(run.record, names) for run in done]
    if len(frames) == 1:
        none = pl.lit(None, dtype=pl.Float64)
        summed = frames[0].with_columns(low=none, high=none)
    else:
        summed = summarise_seeds(frames)
    order = {name: place for place, name in enumerate(names)}
    summed = summed.sort(pl.col("measure").replace_strict(order, return_dtype=pl.Int64))
    return summed.select("measure", "value", "low", "high", "n_items", "unit", "label")
