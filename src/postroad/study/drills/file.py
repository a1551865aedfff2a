"""Drills as TOML files: what is lost, what relief is sent, what happened; and the ones shipped with the package."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from postroad.core.errors import NotFound
from postroad.core.findings import Findings
from postroad.network.metadata import keyed
from postroad.network.rows import near_name

__all__ = [
    "DepotSection",
    "DrillFile",
    "EventSection",
    "GoodsSection",
    "LostSection",
    "NeedSection",
    "read_drill",
    "shipped_drills",
]

Mode = Literal["road", "rail", "air", "water"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class LostSection(_Section):
    """``[[lost]]``: one thing that is lost, for a time."""

    kind: Literal["hub", "corridor", "province"] = keyed(..., "What is lost.", "损失的对象。")
    at: list[str] = keyed(
        [],
        "hub: facilities, or places whose centres and hubs are meant; province: places with all their facilities.",
        "hub：设施，或其分拨中心与枢纽所在地；province：地区及其全部设施。",
    )
    between: list[list[str]] = keyed([], "corridor: two lists of places or facilities.", "corridor：两组地区或设施。")
    modes: list[Mode] = keyed([], "corridor: the modes lost; empty: all.", "corridor：中断的运输方式；留空为全部。")
    from_at: str = keyed(..., "Start: D+0 06:00 or an ISO 8601 instant.", "开始：D+0 06:00 或 ISO 8601 时刻。")
    to_at: str = keyed(..., "End, in the same forms.", "结束，写法相同。")


class DepotSection(_Section):
    """``[[goods.depots]]``: where goods wait, loaded and ready."""

    at: str = keyed(..., "Facility, or place that one serves.", "设施，或其服务的地区。")
    t: float | None = keyed(
        None, "Tonnes there; as many as are needed when not given.", "吨数；未给出则按需供应。", gt=0
    )
    ready_at: str = keyed(..., "From when they can leave.", "可发运时刻。")


class NeedSection(_Section):
    """``[[goods.needs]]``: how much is wanted where."""

    place: str = keyed(..., "Place, or facility.", "地区或设施。")
    t: float = keyed(..., "Tonnes wanted.", "需求吨数。", gt=0)
    by: Literal["", "population"] = keyed(
        "", "population: shared among the places in it that are served.", "population：按人口分给其下各受服务地区。"
    )


class GoodsSection(_Section):
    """``[[goods]]``: relief goods; those that stand first go first."""

    goods_id: str = keyed(..., "Short name.", "简称。", min_length=1)
    name_en: str = keyed("", "Name in English.", "英文名称。")
    name_zh: str = keyed("", "Name in Chinese.", "中文名称。")
    unit_kg: float = keyed(..., "Mass of one unit.", "单件质量。", gt=0)
    unit_m3: float = keyed(..., "Volume of one unit.", "单件体积。", gt=0)
    unit_items: int = keyed(
        1, "Items of sorting and of pieces that one unit takes up.", "单件占用的分拣与件数能力。", ge=0
    )
    modes: list[Mode] = keyed([], "Modes that it may ride; empty: all.", "允许的运输方式；留空为全部。")
    depots: list[DepotSection] = keyed(..., "Where it comes from.", "发出地。", min_length=1)
    needs: list[NeedSection] = keyed(..., "Where it is wanted.", "需求地。", min_length=1)


class EventSection(_Section):
    """``[event]``: what happened, for the event's grade."""

    blocked: Literal["", "city", "province", "nation"] = keyed(
        "", "How much of an enterprise's network is blocked.", "企业网络阻断的范围。"
    )
    leaked_records: int = keyed(0, "Users' records that leaked.", "泄露的用户信息条数。", ge=0)
    backlog_h: float = keyed(0, "Backlog, in hours of what the enterprise handles.", "积压量，折合处理小时数。", ge=0)
    deaths: int = keyed(0, "Deaths.", "死亡人数。", ge=0)
    serious_injuries: int = keyed(0, "Seriously injured.", "重伤人数。", ge=0)
    loss_yuan: float = keyed(0, "Direct economic loss.", "直接经济损失。", ge=0)


class DrillFile(_Section):
    """The keys of a drill file."""

    name: str = keyed("", "Name of the drill; the file's name when not given.", "演练名称；未给出则取文件名。")
    name_en: str = keyed("", "Name in English, as a heading.", "英文名称，用作标题。")
    name_zh: str = keyed("", "Name in Chinese, as a heading.", "中文名称，用作标题。")
    description: str = keyed("", "What it is about.", "内容简介（英文）。")
    description_zh: str = keyed("", "The same in Chinese.", "内容简介（中文）。")
    scenario: str = keyed(
        ..., "Scenario that it happens to: a shipped name or a file.", "所依据的情景：随附名称或文件。"
    )
    days: int = keyed(7, "Days from D in which relief is followed.", "自 D 起追踪救援物资的天数。", ge=1, le=30)
    nearby_km: float = keyed(
        600.0, "Kilometres by road within which reserve counts as near.", "视为邻近的公路里程。", gt=0
    )
    lost: list[LostSection] = keyed(..., "What is lost.", "损失。", min_length=1)
    goods: list[GoodsSection] = keyed([], "Relief goods.", "救援物资。")
    event: EventSection = EventSection()


def shipped_drills() -> tuple[str, ...]:
    """Names of the drills shipped with the package."""
    root = files("postroad").joinpath("data", "drills")
    return tuple(sorted(item.name.removesuffix(".toml") for item in root.iterdir() if item.name.endswith(".toml")))


def read_drill(path_or_name: str | Path) -> tuple[DrillFile, Path | None]:
    """Read a drill file.

    Parameters
    ----------
    path_or_name: a TOML file, or the name of a shipped drill.

    Returns
    -------
    The keys, with the name filled in; and the file's folder, None for a shipped one.

    Raises
    ------
    NotFound: PR-S130 when there is no such drill.
    InputError: PR-C001 with findings PR-S131 to S134.

    >>> read_drill("sichuan-lost")[0].scenario
    'normal-2023'
    """
    path = Path(path_or_name)
    if path.suffix == ".toml" and path.is_file():
        name, content, folder = path.stem, path.read_bytes(), path.parent
    elif str(path_or_name) in shipped_drills():
        name, folder = str(path_or_name), None
        content = files("postroad").joinpath("data", "drills", f"{name}.toml").read_bytes()
    else:
        known = shipped_drills()
        near = near_name(str(path_or_name), known)
        raise NotFound("PR-S130", value=str(path_or_name), near=near, known=", ".join(known))
    given = _parse(content, f"{name}.toml")
    return given.model_copy(update={"name": given.name or name}), folder


def _parse(content: bytes, table: str) -> DrillFile:
    """Validate the keys of a file, all findings at once."""
    findings = Findings()
    given = None
    try:
        given = DrillFile(**tomllib.loads(content.decode("utf-8-sig")))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        findings.add("PR-S131", table=table, problem=str(error))
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
        findings.add("PR-S132", table=table, column=column, value=problem["input"], near=near)
    elif problem["type"] == "missing":
        findings.add("PR-S134", table=table, column=column)
    else:
        findings.add("PR-S133", table=table, column=column, value=problem["input"], expected=problem["msg"])


_SECTIONS: Mapping[str, type[_Section]] = {
    "lost": LostSection,
    "goods": GoodsSection,
    "depots": DepotSection,
    "needs": NeedSection,
    "event": EventSection,
}


def _keys_at(place: tuple) -> tuple[str, ...]:
    """The keys that are allowed at a place of the file."""
    names = [part for part in place if isinstance(part, str)]
    return tuple((_SECTIONS[names[-1]] if names else DrillFile).model_fields)
