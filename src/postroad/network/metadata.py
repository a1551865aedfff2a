"""``feed.toml``: what a feed says about itself."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from datetime import date
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from postroad.core.findings import Findings
from postroad.network.rows import near_name
from postroad.network.schema import FORMAT_VERSION, tables

__all__ = ["FEED_FILE", "META_KEYS", "FeedMeta", "format_metadata", "missing_metadata", "parse_metadata"]

FEED_FILE = "feed.toml"


class FeedMeta(BaseModel):
    """The keys of ``feed.toml``; each description is also its line in the specification."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format_version: int = Field(FORMAT_VERSION, description="Version of this format that the feed is written in.")
    name: str = Field(min_length=1, description="Short ASCII name of the feed.")
    name_zh: str = Field("", description="Name in Chinese.")
    version: str = Field("", description="Version of the data, such as 2025.1.")
    timezone: str = Field(description="IANA time zone in which all times of day are meant, such as Asia/Shanghai.")
    level: Literal["city", "county", "outlet"] = Field(
        "city", description="Finest level at which items are accepted and delivered."
    )
    description: str = Field("", description="What the feed covers, in a sentence or two.")
    description_zh: str = Field("", description="The same in Chinese.")
    licence: str = Field("", description="Licence of the feed, as an SPDX expression where there is one.")
    attribution: tuple[str, ...] = Field((), description="Whom to name when the feed is used.", strict=False)
    default_scenario: str = Field("", description="Scenario that is run when none is named.")
    slot_min: int = Field(30, description="Minutes of a slot of the simulation; divides 60.")
    base_date: date = Field(
        description="Day on which a run is set when no scenario names one (YYYY-MM-DD).", strict=False
    )
    base: str = Field(
        "",
        description="Feed that this one is laid over: a neighbour or a shipped feed; its tables hold unless replaced.",
    )
    extends: tuple[str, ...] = Field(
        (), description="Tables of this feed that are appended to the base's instead of replacing them.", strict=False
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
