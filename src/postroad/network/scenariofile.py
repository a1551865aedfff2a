"""Scenarios as TOML files: what a run is made from, and the ones shipped with the package."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from postroad.core.errors import InputError, NotFound
from postroad.core.findings import Findings
from postroad.network.feed import read
from postroad.network.frames import Network
from postroad.network.metadata import FEED_FILE, keyed
from postroad.network.rows import near_name
from postroad.network.scenario import Scenario

__all__ = ["ChangeSection", "DemandSection", "DisruptionSection", "ScenarioFile", "load_scenario", "shipped_scenarios"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class DemandSection(_Section):
    """``[demand]``: how much is sent on the day, by to_items or by, not both; and how far."""

    to_items: int | None = keyed(None, "Items accepted on the scenario's day.", "情景日的收寄件数。", gt=0)
    by: float | None = keyed(None, "Factor on the feed's demand.", "数据包业务量的倍数。", gt=0)
    beta: float | None = keyed(
        None, "Exponent of distance of the feed's demand model.", "数据包需求模型的距离指数。", gt=0
    )


class ChangeSection(_Section):
    """``[[changes]]``: columns of some rows of a table set to other values."""

    table: str = keyed(..., "Table of the feed.", "数据包的表。")
    where: dict[str, object] = keyed(
        {}, "Conditions, column = value or list of values; empty: every row.", "条件：列 = 值或值的列表；留空为全部行。"
    )
    set: dict[str, object] = keyed(
        ..., "New values, column = value or { times = factor }.", "新值：列 = 值，或 { times = 倍数 }。"
    )


class DisruptionSection(_Section):
    """``[[disruptions]]``: the columns of the feed's disruptions table."""

    disruption_id: str = keyed("", "Name of the disruption.", "扰动名称。")
    kind: str = keyed(..., "closure, capacity, delay or cancel.", "closure、capacity、delay 或 cancel。")
    facility_id: str = keyed(
        "", "The facility that is hit; exactly one target is given.", "受影响的设施；三个对象须且只能给出一个。"
    )
    lane_id: str = keyed("", "The lane that is hit.", "受影响的邮路。")
    trip_id: str = keyed("", "The trip that is hit.", "受影响的班次。")
    from_at: str = keyed(..., "Start: D+0 06:00 or an ISO 8601 instant.", "开始：D+0 06:00 或 ISO 8601 时刻。")
    to_at: str = keyed(..., "End, in the same forms.", "结束，写法相同。")
    factor: float | None = keyed(
        None, "Capacity left, 0 to 1, for kind capacity.", "剩余能力比例 0 至 1，capacity 类用。"
    )
    delay_min: int | None = keyed(None, "Minutes, for kind delay.", "分钟数，delay 类用。")


class ScenarioFile(_Section):
    """The keys of a scenario file; each description is also its line in the specification."""

    name: str = keyed("", "Name of the scenario; the file's name when not given.", "情景名称；未给出则取文件名。")
    name_en: str = keyed("", "Name in English, as a heading.", "英文名称，用作标题。")
    name_zh: str = keyed("", "Name in Chinese, as a heading.", "中文名称，用作标题。")
    description: str = keyed("", "What it is about, in a sentence or two.", "内容简介（英文）。")
    description_zh: str = keyed("", "The same in Chinese.", "内容简介（中文）。")
    base: str = keyed(
        ...,
        "Feed: a path, from the file's folder, or the name of a shipped feed.",
        "数据包：相对本文件所在文件夹的路径，或随附数据包的名称。",
        min_length=1,
    )
    level: str | None = keyed(
        None,
        "Level of the feed, city or county; the feed's own when not given.",
        "数据包层级 city 或 county；未给出则取其自身层级。",
    )
    date: dt.date | None = keyed(
        None,
        "The day D; the feed's base_date when not given.",
        "情景日 D；未给出则取数据包的 base_date。",
        strict=False,
    )
    days_before: int = keyed(0, "Days of release before D.", "D 之前的收寄天数。", ge=0, le=60)
    days_after: int = keyed(0, "Days of release after D.", "D 之后的收寄天数。", ge=0, le=60)
    days_by: Literal["profile", "calendar"] = keyed(
        "profile",
        "How the days around D follow from it: profile, the feed's profile of days around a named day such as a peak; "
        "calendar, their weekday and month.",
        "D 前后各日的业务量：profile 按数据包中围绕指定日（如高峰日）的日间分布；calendar 按星期与月份。",
    )
    seed: int = keyed(1, "Seed of everything random.", "一切随机过程的种子。", ge=0)
    sample: int = keyed(
        1000, "One item in so many gets its full history; 0: none.", "每多少件记录一件的完整轨迹；0 为不记录。", ge=0
    )
    sample_pairs: list[list[str]] = keyed(
        [],
        "Pairs of origin and destination place of which every item gets its history.",
        "每件都记录轨迹的寄出地与寄达地对。",
    )
    beside: str = keyed(
        "",
        "Scenario that a report shows beside this one: a path, from the file's folder, or a shipped name.",
        "报告中与本情景对照的情景：相对本文件所在文件夹的路径，或随附情景的名称。",
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
        network = read(_from_folder(given.base, folder), level or given.level)
    scenario = Scenario(
        name=given.name or name, network=network, day=given.date, days_before=given.days_before,
        days_after=given.days_after, days_by=given.days_by, seed=given.seed, sample=given.sample,
        sample_pairs=_sample_pairs(given, network, table), base=given.base,
        beta=given.demand.beta, beside=str(_from_folder(given.beside, folder)), name_en=given.name_en,
        name_zh=given.name_zh, description=given.description, description_zh=given.description_zh,
    )  # fmt: skip
    if given.demand.to_items is not None or given.demand.by is not None:
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


def _from_folder(name: str, folder: Path | None) -> str | Path:
    """A file or feed from the scenario's folder when there is one, else the name as it stands.

    Another folder of that name, such as that of a run, is not meant.
    """
    path = folder / name if folder is not None and name else None
    return path if path is not None and (path.is_file() or (path / FEED_FILE).is_file()) else name


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
