"""Scenarios as TOML files: what a run is made from, and the ones shipped with the package."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from postroad.core.errors import InputError, NotFound
from postroad.core.findings import Findings
from postroad.network.feed import read
from postroad.network.frames import Network
from postroad.network.rows import near_name
from postroad.network.scenario import Scenario

__all__ = ["ChangeSection", "DemandSection", "DisruptionSection", "ScenarioFile", "load_scenario", "shipped_scenarios"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class DemandSection(_Section):
    """``[demand]``: how much is sent on the day; at most one key."""

    to_items: int | None = Field(None, gt=0, description="Items accepted on the scenario's day.")
    by: float | None = Field(None, gt=0, description="Factor on the feed's demand.")


class ChangeSection(_Section):
    """``[[changes]]``: columns of some rows of a table set to other values."""

    table: str = Field(description="Table of the feed.")
    where: dict[str, object] = Field({}, description="Conditions, column = value or list of values; empty: every row.")
    set: dict[str, object] = Field(description="New values, column = value or { times = factor }.")


class DisruptionSection(_Section):
    """``[[disruptions]]``: the columns of the feed's disruptions table."""

    disruption_id: str = Field("", description="Name of the disruption.")
    kind: str = Field(description="closure, capacity, delay or cancel.")
    facility_id: str = Field("", description="The facility that is hit; exactly one target is given.")
    lane_id: str = Field("", description="The lane that is hit.")
    trip_id: str = Field("", description="The trip that is hit.")
    from_at: str = Field(description="Start: D+0 06:00 or an ISO 8601 instant.")
    to_at: str = Field(description="End, in the same forms.")
    factor: float | None = Field(None, description="Capacity left, 0 to 1, for kind capacity.")
    delay_min: int | None = Field(None, description="Minutes, for kind delay.")


class ScenarioFile(_Section):
    """The keys of a scenario file; each description is also its line in the specification."""

    name: str = Field("", description="Name of the scenario; the file's name when not given.")
    name_zh: str = Field("", description="Name in Chinese.")
    description: str = Field("", description="What it is about, in a sentence or two.")
    description_zh: str = Field("", description="The same in Chinese.")
    base: str = Field(min_length=1, description="Feed: a path, from the file's folder, or the name of a shipped feed.")
    level: str | None = Field(None, description="Level of the feed, city or county; the feed's own when not given.")
    date: dt.date | None = Field(None, strict=False, description="The day D; the feed's base_date when not given.")
    days_before: int = Field(0, ge=0, le=60, description="Days of release before D.")
    days_after: int = Field(0, ge=0, le=60, description="Days of release after D.")
    seed: int = Field(1, ge=0, description="Seed of everything random.")
    sample: int = Field(1000, ge=0, description="One item in so many gets its full history; 0: none.")
    sample_pairs: list[list[str]] = Field(
        [], description="Pairs of origin and destination place of which every item gets its history."
    )
    demand: DemandSection = DemandSection()
    changes: list[ChangeSection] = []
    disruptions: list[DisruptionSection] = []


def shipped_scenarios() -> tuple[str, ...]:
    """Names of the scenarios shipped with the package."""
    root = files("postroad").joinpath("data", "scenarios")
    return tuple(sorted(item.name.removesuffix(".toml") for item in root.iterdir() if item.name.endswith(".toml")))


def load_scenario(path_or_name: str | Path, *, network: Network | None = None, level: str | None = None) -> Scenario:
    """Read a scenario file, its feed, and make its changes.

    Parameters
    ----------
    path_or_name: a TOML file, or the name of a shipped scenario (``peak``, ``tiny``).
    network: the base, when it is already read; the file's ``base`` and ``level`` are then not looked at.
    level: takes the place of the file's ``level``.

    Returns
    -------
    Scenario: checked as far as the file goes; the network is not checked.

    Raises
    ------
    NotFound: PR-F201 (no such scenario), PR-F101, F128 (feed).
    InputError: PR-C001 with findings PR-F202 to F212 and those of reading the feed.
    """
    name, content, folder = _locate(path_or_name)
    table = f"{name}.toml"
    given = _parse(content, table)
    if network is None:
        network = read(_base_path(given.base, folder), level or given.level)
    scenario = Scenario(
        name=given.name or name, network=network, day=given.date, days_before=given.days_before,
        days_after=given.days_after, seed=given.seed, sample=given.sample,
        sample_pairs=_sample_pairs(given, network, table), base=given.base,
        description=given.description, name_zh=given.name_zh, description_zh=given.description_zh,
    )  # fmt: skip
    if given.demand != DemandSection():
        scenario = scenario.scale_demand(to_items=given.demand.to_items, by=given.demand.by)
    findings = Findings()
    for change in given.changes:
        try:
            scenario = scenario.change(change.table, change.where, change.set)
        except InputError as error:
            _collect(error, findings)
    for number, section in enumerate(given.disruptions, 1):
        values = section.model_dump()
        values["disruption_id"] = values["disruption_id"] or f"{name}-{number}"
        try:
            scenario = scenario.disrupt(**values)
        except InputError as error:
            _collect(error, findings)
    findings.raise_on_errors()
    return scenario


def _collect(error: InputError, findings: Findings) -> None:
    for finding in error.findings:
        findings.append(finding)


def _locate(path_or_name: str | Path) -> tuple[str, bytes, Path | None]:
    """Name, bytes and folder of a scenario; no folder for a shipped one."""
    path = Path(path_or_name)
    if path.suffix == ".toml" and path.is_file():
        return path.stem, path.read_bytes(), path.parent
    shipped = files("postroad").joinpath("data", "scenarios", f"{path_or_name}.toml")
    if str(path_or_name) in shipped_scenarios():
        return str(path_or_name), shipped.read_bytes(), None
    known = shipped_scenarios()
    near = near_name(str(path_or_name), known)
    raise NotFound("PR-F201", scenario=str(path_or_name), near=near, known=", ".join(known))


def _base_path(base: str, folder: Path | None) -> str | Path:
    """The base as a path from the scenario's folder when there is such a feed, else as it stands."""
    beside = folder / base if folder is not None else None
    return beside if beside is not None and beside.exists() else base


def _parse(content: bytes, table: str) -> ScenarioFile:
    """Validate the keys of a file, all findings at once."""
    findings = Findings()
    given = None
    try:
        values = tomllib.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        findings.add("PR-F202", table=table, problem=str(error))
        findings.raise_on_errors()
    try:
        given = ScenarioFile(**values)
    except ValidationError as error:
        for problem in error.errors():
            _report(findings, table, problem)
    findings.raise_on_errors()
    return given


def _report(findings: Findings, table: str, problem: Mapping) -> None:
    """One finding for one problem of validation; a key inside a list of sections carries its number."""
    column = ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        near = near_name(str(problem["loc"][-1]), _keys_at(problem["loc"][:-1]))
        findings.add("PR-F203", table=table, column=column, value=problem["input"], near=near)
    elif problem["type"] == "missing":
        findings.add("PR-F205", table=table, column=column)
    else:
        findings.add("PR-F204", table=table, column=column, value=problem["input"], expected=problem["msg"])


_SECTIONS: Mapping[str, type[_Section]] = {
    "demand": DemandSection,
    "changes": ChangeSection,
    "disruptions": DisruptionSection,
}


def _keys_at(place: tuple) -> tuple[str, ...]:
    """The keys that are allowed at a place of the file."""
    return tuple(_SECTIONS[place[0]].model_fields if place else ScenarioFile.model_fields)


def _sample_pairs(given: ScenarioFile, network: Network, table: str) -> tuple[tuple[str, str], ...]:
    """The sampled pairs; both ends must be places of the network."""
    findings = Findings()
    known = network.tables["places"]["place_id"]
    for pair in given.sample_pairs:
        if len(pair) != 2:
            findings.add("PR-F204", table=table, column="sample_pairs", value=pair, expected="two places")
        for place in pair:
            if not (known == place).any():
                near = near_name(place, known)
                findings.add(
                    "PR-F208", table=table, column="sample_pairs", value=place, kind="place", kind_zh="地区", near=near
                )
    findings.raise_on_errors()
    return tuple((pair[0], pair[1]) for pair in given.sample_pairs)
