"""Run a drill: what is cut off, when relief arrives, which reserve to call on, what still flows; and keep it."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter

import polars as pl

from postroad.core.digests import digest_mapping
from postroad.core.files import write_text, writing_folder
from postroad.core.findings import Findings
from postroad.core.progress import Progress, Silent
from postroad.core.version import release
from postroad.demand.build import flows_for
from postroad.demand.flows import Flows
from postroad.network.compile import compile_network
from postroad.network.instance import Instance
from postroad.network.loss import Loss, degrade
from postroad.network.overlay import disruptions_of, resolve_overlay
from postroad.network.scenario import Scenario
from postroad.network.scenariofile import load_scenario, shipped_scenarios
from postroad.report.drill import DrillData, render_drill
from postroad.routing.consignments import make_rooms
from postroad.study.drills.arrivals import arrival_frame, hop_frame, names_of
from postroad.study.drills.cut import CutOff, find_cut_off
from postroad.study.drills.file import DrillFile, read_drill
from postroad.study.drills.grade import grade_event
from postroad.study.drills.relief import Relief, account_hours, find_needs, send_relief
from postroad.study.drills.reserve import Reserves, find_reserves
from postroad.study.drills.resolve import LEAD_DAYS, Gazetteer, Goods, resolve_goods, resolve_losses
from postroad.study.drills.roads import RoadMap
from postroad.study.drills.still import StillFlowing, tell_still_flowing
from postroad.study.drills.ways import Ways, compare_ways
from postroad.study.execution import released_by_day
from postroad.study.folders import check_folder, write_facts
from postroad.study.provenance import source_frame

__all__ = ["Drilled", "run_drill"]

FACTS = "drill.toml"
REPORT = "report.html"


@dataclass(frozen=True)
class Drilled:
    """A drill that was run.

    Attributes
    ----------
    given, scenario: the file, and what it happens to.
    losses: what is lost, on the minutes of ``after``.
    after: the horizon of the relief without what is lost; ``ways.after`` is the day that repeats without it.
    ways, cut_off, still, reserves: see there.
    grades: criteria met, the worst first. arrivals, hops, hours: of the relief.
    facts: the figures told first. wall_s: seconds by step.
    folder: where it is kept; None when only in memory.
    """

    given: DrillFile
    scenario: Scenario
    losses: tuple[Loss, ...]
    after: Instance
    ways: Ways
    cut_off: CutOff
    still: StillFlowing
    reserves: Reserves
    grades: pl.DataFrame
    arrivals: pl.DataFrame
    hops: pl.DataFrame
    hours: pl.DataFrame
    facts: dict[str, object]
    wall_s: dict[str, float] = field(default_factory=dict)
    folder: Path | None = None

    def frames(self) -> dict[str, pl.DataFrame]:
        """Every table of the answer, by the name of its file."""
        return {
            "reasons": self.cut_off.reasons, "cut_off": self.cut_off.places, "classes": self.still.classes,
            "still": self.still.places, "arrivals": self.arrivals, "hops": self.hops, "hours": self.hours,
            "reserves": self.reserves.ranked, "centres": self.reserves.centres, "grades": self.grades,
        }  # fmt: skip

    def to_html(self, path: Path | str, *, language: str = "auto") -> Path:
        """Write the report as one self-contained page; both languages are always inside."""
        write_text(path, render_drill(_data(self), language))
        return Path(path)


def run_drill(
    path_or_name: str | Path,
    *,
    seed: int | None = None,
    to: Path | str | None = None,
    replace_folder: bool = False,
    threads: int = 2,
    progress: Progress | None = None,
) -> Drilled:
    """Run a drill.

    Parameters
    ----------
    path_or_name: a drill file, or the name of a shipped one.
    seed: of the demand, instead of the scenario's own.
    to: folder in which it is kept, written whole or not at all; None keeps it in memory only.
    replace_folder: whether a drill that is there is replaced.
    threads: worker threads, 0 for as many as there are cores; the answer is the same for any number.

    Raises
    ------
    NotFound: PR-S130, PR-F201. InputError: PR-C001 with findings PR-S131 to S140; PR-S105, PR-S111 for the folder.
    """
    watch = _Watch(progress or Silent())
    threads = threads or os.cpu_count() or 1
    if to is not None:
        check_folder(Path(to), FACTS, replace=replace_folder)
    given, home = read_drill(path_or_name)
    scenario = _scenario(given, home, seed)
    watch("check")
    network, findings = scenario.network, Findings()
    network.check().raise_on_errors()
    watch("compile")
    whole = _horizon(given, scenario)
    gazetteer = Gazetteer(network, whole)
    losses = resolve_losses(given, scenario, whole, gazetteer, findings)
    goods = resolve_goods(given, scenario, losses, gazetteer, findings)
    findings.raise_on_errors()
    after = degrade(whole, losses)
    watch("demand")
    day, flows = _day(scenario)
    watch("route")
    ways = compare_ways(day, losses, flows, scenario.days_before, threads=threads, progress=watch.progress)
    cut_off, still = (tell(ways, network.tables) for tell in (find_cut_off, tell_still_flowing))
    watch("relief")
    roads, open_roads = RoadMap(network, whole), RoadMap(network, whole, losses)
    from_min = min((stock.ready_min for one in goods for stock in one.stocks), default=LEAD_DAYS * 1440)
    needs = find_needs(goods, losses, make_rooms(after, from_min), roads, gazetteer)
    relief = send_relief(after, whole, goods, needs, from_min)
    sent = _describe(after, goods, relief, network, from_min)
    watch("reserves")
    reserves = find_reserves(
        ways, losses, after, goods, relief, from_min, roads, open_roads, network.tables["vehicles"], given.nearby_km
    )
    watch.end()
    told = cut_off, still, reserves, grade_event(given.event), *sent
    made = Drilled(given, scenario, losses, after, ways, *told, {}, watch.wall_s)
    command = shlex.join(["postroad", "drill", str(path_or_name), *([] if seed is None else ["--seed", str(seed)])])
    made = replace(made, facts=_facts(made, goods, command))
    return made if to is None else _keep(made, Path(to), replace_folder, watch.progress)


def _horizon(given: DrillFile, scenario: Scenario) -> Instance:
    """The days in which relief is followed, with the disruptions that the scenario has anyway."""
    network = scenario.network
    every = (*disruptions_of(network), *scenario.disruptions)
    overlay = resolve_overlay(network, every, day=scenario.day, days_before=LEAD_DAYS)
    n_days = LEAD_DAYS + given.days
    return compile_network(network, day=scenario.day, days_before=LEAD_DAYS, n_days=n_days, overlay=overlay)


def _day(scenario: Scenario) -> tuple[Instance, Flows]:
    """The scenario's day, which repeats, and the demand."""
    day = compile_network(scenario.network, day=scenario.day, n_days=1)
    totals = released_by_day(scenario)
    return day, flows_for(day, scenario.network, totals, seed=scenario.seed, beta=scenario.beta)


def _describe(
    after: Instance, goods: tuple[Goods, ...], relief: Relief, network, from_min: int
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The frames of the relief: arrivals, hops and hours."""
    names = names_of(network.tables)
    arrivals, hops = (frame(after, goods, relief, names) for frame in (arrival_frame, hop_frame))
    return arrivals, hops, account_hours(after, goods, relief, from_min)


class _Watch:
    """Times the steps, and tells the progress which one begins."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.wall_s: dict[str, float] = {}
        self._step, self._start = "", perf_counter()

    def __call__(self, step: str) -> None:
        self.end()
        self._step = step
        self.progress.stage(step)

    def end(self) -> None:
        """End the step under way."""
        if self._step:
            self.wall_s[self._step] = perf_counter() - self._start
        self._step, self._start = "", perf_counter()


def _scenario(given: DrillFile, home: Path | None, seed: int | None) -> Scenario:
    """The scenario that a drill names, looked for beside its file first."""
    beside = home / given.scenario if home is not None else None
    is_beside = beside is not None and given.scenario not in shipped_scenarios() and beside.is_file()
    scenario = load_scenario(beside if is_beside else given.scenario)
    return scenario if seed is None else replace(scenario, seed=seed)


def _facts(made: Drilled, goods: tuple[Goods, ...], command: str) -> dict[str, object]:
    """The figures told first, and what repeats the drill; nothing in it depends on the clock."""
    scenario, arrivals, hours = made.scenario, made.arrivals, made.hours
    content = made.given.model_dump(mode="json", exclude={"name_en", "name_zh", "description", "description_zh"})
    digest = digest_mapping({"drill": content, "scenario": scenario.digest})

    def total(column: str) -> int:
        return int(arrivals[column].sum()) if len(arrivals) else 0

    classes = dict(made.still.classes.select("class", "n_items").iter_rows())
    return {
        "drill": made.given.name, "scenario": scenario.name, "day": scenario.day.isoformat(), "seed": scenario.seed,
        "grade": made.grades["grade"][0] if len(made.grades) else "",
        "grade_status": made.grades["status"][0] if len(made.grades) else "",
        "n_lost_facilities": int(made.ways.lost_facilities.sum()),
        "n_items": made.cut_off.n_all, "n_items_cut_off": made.cut_off.n_items,
        "n_items_other_way": classes["other_way"], "n_items_untouched": classes["untouched"],
        "n_places_cut_off": len(made.cut_off.places),
        "n_goods": len(goods), "n_units": total("n_units"), "n_units_arrived": total("n_arrived"),
        "n_units_under_way": total("n_under_way"), "n_units_waiting": total("n_waiting"),
        "n_units_without_stock": total("n_short"),
        "n_units_missing": int(hours["n_missing"].abs().max() or 0) if len(hours) else 0,
        "n_overdrawn": int(hours["n_overdrawn"].max() or 0) if len(hours) else 0,
        "n_vehicle_runs_stuck": made.reserves.n_stuck, "input_digest": digest,
        "network_digest": scenario.network.digest, "release": release(), "command": command, "label": "modelled",
    }  # fmt: skip


def _keep(made: Drilled, folder: Path, replace_folder: bool, progress: Progress) -> Drilled:
    """Write the drill to its folder."""
    progress.stage("keep drill")
    with writing_folder(folder, replace=replace_folder) as draft:
        write_facts(draft / FACTS, made.facts)
        for name, frame in made.frames().items():
            frame.write_parquet(draft / f"{name}.parquet")
        made.to_html(draft / REPORT)
    return replace(made, folder=folder)


def _data(made: Drilled) -> DrillData:
    """What the report shows."""
    given, scenario = made.given, made.scenario
    return DrillData(
        name_en=given.name_en or given.name,
        name_zh=given.name_zh or given.name_en or given.name,
        description_en=given.description,
        description_zh=given.description_zh or given.description,
        facts=made.facts,
        names=names_of(scenario.network.tables),
        sources=source_frame([scenario.network.meta]),
        epoch=made.after.epoch,
        frames=made.frames(),
    )
