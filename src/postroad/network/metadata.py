"""``feed.toml``: what a feed says about itself."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from datetime import date
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from postroad.core.findings import Findings
from postroad.network.rows import near_name
from postroad.network.schema import FORMAT_VERSION, tables

__all__ = ["FEED_FILE", "META_KEYS", "FeedMeta", "format_metadata", "keyed", "missing_metadata", "parse_metadata"]

FEED_FILE = "feed.toml"


def keyed(default: object, description: str, description_zh: str, **limits: object) -> Any:
    """Declare a key of a TOML file with its line of the specification in two languages; ``...`` as default: needed."""
    return Field(default, description=description, json_schema_extra={"zh": description_zh}, **limits)


class FeedMeta(BaseModel):
    """The keys of ``feed.toml``; each description is also its line in the specification."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format_version: int = keyed(
        FORMAT_VERSION, "Version of this format that the feed is written in.", "数据包所用的格式版本。"
    )
    name: str = keyed(..., "Short ASCII name of the feed.", "数据包的 ASCII 简称。", min_length=1)
    name_zh: str = keyed("", "Name in Chinese.", "中文名称。")
    version: str = keyed("", "Version of the data, such as 2025.1.", "数据版本，如 2025.1。")
    timezone: str = keyed(
        ...,
        "IANA time zone in which all times of day are meant, such as Asia/Shanghai.",
        "所有时刻所用的 IANA 时区，如 Asia/Shanghai。",
    )
    level: Literal["city", "county", "outlet"] = keyed(
        "city", "Finest level at which items are accepted and delivered.", "收寄与投递的最细层级。"
    )
    description: str = keyed("", "What the feed covers, in a sentence or two.", "数据包内容简介（英文）。")
    description_zh: str = keyed("", "The same in Chinese.", "数据包内容简介（中文）。")
    licence: str = keyed(
        "", "Licence of the feed, as an SPDX expression where there is one.", "许可证，尽量用 SPDX 表达式。"
    )
    attribution: tuple[str, ...] = keyed(
        (), "Whom to name when the feed is used.", "使用时须署名的来源。", strict=False
    )
    default_scenario: str = keyed("", "Scenario that is run when none is named.", "未指定情景时运行的情景。")
    slot_min: int = keyed(30, "Minutes of a slot of the simulation; divides 60.", "仿真时段的分钟数，须整除 60。")
    base_date: date = keyed(
        ...,
        "Day on which a run is set when no scenario names one (YYYY-MM-DD).",
        "情景未指定日期时的运行日期（YYYY-MM-DD）。",
        strict=False,
    )
    demand_model: str = keyed(
        "",
        "Model that makes the demand instead of the table demand, such as gravity-cn; empty: the table.",
        "代替 demand 表生成业务量的模型，如 gravity-cn；留空则用 demand 表。",
    )
    base: str = keyed(
        "",
        "Feed that this one is laid over: a neighbour or a shipped feed; its tables hold unless replaced.",
        "本数据包所叠加的数据包：相邻的或随软件附带的；未被替换的表沿用其内容。",
    )
    extends: tuple[str, ...] = keyed(
        (),
        "Tables of this feed that are appended to the base's instead of replacing them.",
        "追加于 base 同名表之后、而非替换它的表。",
        strict=False,
    )

    @field_validator("format_version")
    @classmethod
    def _known_format(cls, value: int) -> int:
        if value != FORMAT_VERSION:
            raise PydanticCustomError("PR-F107", "unsupported format")
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise PydanticCustomError("PR-F108", "unknown time zone") from None
        return value

    @field_validator("slot_min")
    @classmethod
    def _divides_hour(cls, value: int) -> int:
        if value <= 0 or 60 % value:
            raise PydanticCustomError("PR-F109", "slot does not divide the hour")
        return value

    @field_validator("extends")
    @classmethod
    def _known_tables(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(name not in tables() for name in value):
            raise PydanticCustomError("PR-F106", "unknown table")
        return value


META_KEYS = tuple(FeedMeta.model_fields)

_FALLBACK = {"name": "feed", "timezone": "UTC", "base_date": date(2025, 1, 1)}
"""Stands in for unreadable metadata so that the tables can still be looked at; the findings refuse the feed."""


def parse_metadata(content: bytes, findings: Findings) -> FeedMeta:
    """Read ``feed.toml``.

    Parameters
    ----------
    content: the bytes of the file.
    findings: what is wrong is added here (PR-F103 to PR-F109); metadata with stand-ins is then returned.

    Returns
    -------
    FeedMeta
    """
    try:
        values = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        findings.add("PR-F103", table=FEED_FILE, row=row, problem="not UTF-8")
        return FeedMeta(**_FALLBACK)
    except tomllib.TOMLDecodeError as error:
        findings.add("PR-F103", table=FEED_FILE, row=_line_of(str(error)), problem=str(error))
        return FeedMeta(**_FALLBACK)
    try:
        return FeedMeta(**values)
    except ValidationError as error:
        wrong = set()
        for problem in error.errors():
            key = str(problem["loc"][0])
            wrong.add(key)
            _report(findings, key, problem)
        sound = {key: value for key, value in values.items() if key not in wrong}
        return FeedMeta(**{**_FALLBACK, **sound})


def missing_metadata() -> FeedMeta:
    """What stands in for a ``feed.toml`` that is not there; whoever uses it has reported that."""
    return FeedMeta(**_FALLBACK)


def format_metadata(meta: FeedMeta) -> str:
    """Write metadata as ``feed.toml``; keys at their default are left out.

    >>> print(format_metadata(FeedMeta(name="a", timezone="UTC", base_date=date(2025, 1, 1))), end="")
    format_version = 1
    name = "a"
    timezone = "UTC"
    level = "city"
    slot_min = 30
    base_date = 2025-01-01
    """
    always = {"format_version", "level", "slot_min"}
    lines = []
    for key, field in FeedMeta.model_fields.items():
        value = getattr(meta, key)
        if value != field.default or key in always:
            lines.append(f"{key} = {_toml_value(value)}\n")
    return "".join(lines)


def _toml_value(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml_value(item) for item in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value)


def _report(findings: Findings, key: str, problem: Mapping) -> None:
    kind = problem["type"]
    if kind == "missing":
        findings.add("PR-F105", table=FEED_FILE, column=key)
    elif kind == "extra_forbidden":
        findings.add("PR-F104", table=FEED_FILE, column=key, value=problem["input"], near=near_name(key, META_KEYS))
    elif kind.startswith("PR-"):
        findings.add(kind, table=FEED_FILE, column=key, value=problem["input"], expected=problem["msg"])
    else:
        findings.add("PR-F106", table=FEED_FILE, column=key, value=problem["input"], expected=problem["msg"])


def _line_of(message: str) -> int:
    """The line that a TOML error names; 0 when it names none."""
    _, found, rest = message.partition("(at line ")
    return int(rest.split(",")[0]) if found else 0
