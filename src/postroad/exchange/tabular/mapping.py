"""The mapping file: which column of a file is what, and how its cells are read. TOML."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from postroad.core.clock import time_zone
from postroad.core.errors import InputError
from postroad.core.findings import Findings
from postroad.events.kinds import kinds
from postroad.exchange.statuses.tables import StatusTable, platforms, status_table
from postroad.network.metadata import keyed
from postroad.network.rows import near_name

__all__ = ["TARGETS", "FileSection", "IdSection", "ImportMapping", "ScanMapping", "TimeSection", "load_mapping"]

TARGETS = (
    "item_id",
    "unit_id",
    "trip_id",
    "kind",
    "occurred_at",
    "recorded_at",
    "facility_id",
    "to_facility_id",
    "operator_id",
    "party_id",
    "reason",
    "raw_text",
    "event_id",
)
SUBJECTS = ("item_id", "unit_id", "trip_id", "facility_id")
DIGEST = "digest"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class FileSection(_Section):
    """``[file]``: how the file is written, where it does not say so itself."""

    delimiter: str = keyed("", "Between cells: , ; | or a tab; found out when empty.", "单元格分隔符；留空则自动识别。")
    encoding: str = keyed("", "utf-8 or gb18030; found out when empty.", "utf-8 或 gb18030；留空则自动识别。")
    sheet: str = keyed("", "Sheet of a workbook; the first when empty.", "工作表名称；留空取第一张。")
    header_row: int = keyed(1, "Row of the headings; rows above are skipped.", "表头所在行，其上各行跳过。", ge=1)


class TimeSection(_Section):
    """``[time]``: how instants are written."""

    zone: str = keyed(..., "IANA time zone of times without an offset.", "无时差时间所在的 IANA 时区。")
    formats: list[str] = keyed(
        ["auto"],
        "Tried in order: auto (year first), iso, excel (serial days), epoch_s, epoch_ms, or a pattern such as "
        "%d/%m/%Y %H:%M.",
        "依次尝试：auto（年在前）、iso、excel（序列日）、epoch_s、epoch_ms，或 %d/%m/%Y %H:%M 之类的格式。",
        min_length=1,
    )


class IdSection(_Section):
    """``[ids]``: how items and events are named."""

    event_id: str = keyed(
        DIGEST,
        "digest: made from the row's content, so that reading a row twice adds nothing. Or map a column to event_id.",
        "digest：由该行内容生成，重复导入不会新增。也可将某列映射为 event_id。",
    )
    digest: list[str] = keyed(
        [], "Columns of the file that make the row itself; empty: all.", "构成行标识的列；留空为全部列。"
    )
    prefix: str = keyed("", "Put before every item_id.", "加在每个 item_id 之前的前缀。")
    normalise: bool = keyed(
        True,
        "Write item numbers half-width, in capitals, without spaces and dashes.",
        "号码统一为半角大写，去除空格与连字符。",
    )


class ScanMapping(_Section):
    """The keys of a mapping file; each description is also its line in the template."""

    name: str = keyed("", "Name of the mapping; part of every event's digest.", "映射名称，参与事件摘要。")
    label: Literal["measured", "derived", "modelled", "unverified"] = keyed(
        "measured", "What the events are.", "事件的性质。"
    )
    platform: str = keyed("", "Shipped status table that translates codes.", "用于翻译代码的随附状态表。")
    kinds_table: str = keyed(
        "", "CSV beside this file, columns code and kind.", "本文件旁的 CSV，含 code 与 kind 两列。"
    )
    facilities_table: str = keyed(
        "", "CSV beside this file, columns code and facility_id.", "本文件旁的 CSV，含 code 与 facility_id 两列。"
    )
    rest: Literal["leave", "payload"] = keyed(
        "leave",
        "What becomes of columns that are not mapped: leave them, or put them into payload.",
        "未映射的列：leave 略过，payload 存入 payload。",
    )
    payload: list[str] = keyed([], "Columns of the file to put into payload.", "存入 payload 的列。")
    file: FileSection = FileSection()
    time: TimeSection
    columns: dict[str, str | list[str]] = keyed(
        ...,
        "Column of the event = heading in the file; occurred_at may name two, a date and a time.",
        "事件列 = 文件表头；occurred_at 可写日期、时间两列。",
    )
    constants: dict[str, str] = keyed({}, "Column of the event = value of every row.", "事件列 = 每行相同的取值。")
    kinds: dict[str, str] = keyed(
        {}, "Code in the file = kind of the closed list.", "文件中的代码 = 封闭列表中的类型。"
    )
    facilities: dict[str, str] = keyed(
        {}, "Name or code in the file = facility_id.", "文件中的名称或代码 = facility_id。"
    )
    ids: IdSection = IdSection()


@dataclass(frozen=True, slots=True)
class ImportMapping:
    """A mapping ready for use: its keys, and the tables that it names, read.

    Attributes
    ----------
    keys: what the mapping file says.
    kinds: kinds by code, of the file and of its ``kinds_table``; the file's own win.
    facilities: facilities by name or code, likewise.
    statuses: the shipped status table that is asked when a code is not in ``kinds``; None when none is named.
    """

    keys: ScanMapping
    kinds: Mapping[str, str]
    facilities: Mapping[str, str]
    statuses: StatusTable | None

    def sources(self, target: str) -> list[str]:
        """The headings that make a column of the event."""
        named = self.keys.columns.get(target, [])
        return [named] if isinstance(named, str) else named

    @property
    def named(self) -> list[str]:
        """Every heading that the mapping names, once."""
        mapped = [heading for target in self.keys.columns for heading in self.sources(target)]
        return list(dict.fromkeys([*mapped, *self.keys.payload, *self.keys.ids.digest]))


def load_mapping(source: Path | str | Mapping[str, object]) -> ImportMapping:
    """Read a mapping file.

    Parameters
    ----------
    source: path of a TOML file, or its content as a mapping; tables that it names lie beside it.

    Raises
    ------
    InputError: PR-E320 when it cannot be read, PR-C001 with findings PR-E321 for every key that is off.
    """
    folder = Path() if isinstance(source, Mapping) else Path(source).parent
    content = source if isinstance(source, Mapping) else _read_toml(Path(source))
    findings = Findings()
    try:
        keys = ScanMapping.model_validate(content)
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            place = ".".join(str(part) for part in problem["loc"])
            findings.add("PR-E321", table="mapping", column=place, value=place, problem=problem["msg"])
        findings.raise_on_errors()
        raise
    tables = {
        "kinds": _read_pairs(folder, keys.kinds_table, "kind", findings),
        "facilities": _read_pairs(folder, keys.facilities_table, "facility_id", findings),
    }
    mapping = ImportMapping(
        keys,
        {**tables["kinds"], **keys.kinds},
        {**tables["facilities"], **keys.facilities},
        status_table(keys.platform) if keys.platform in platforms() else None,
    )
    _check_keys(mapping, findings)
    findings.raise_on_errors()
    return mapping


def _read_toml(path: Path) -> dict[str, object]:
    """The content of a TOML file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError("PR-E320", path=path.name, value=str(error)) from error


def _read_pairs(folder: Path, name: str, column: str, findings: Findings) -> dict[str, str]:
    """A table of two columns, code and another."""
    if not name:
        return {}
    try:
        with (folder / name).open(encoding="utf-8-sig", newline="") as handle:
            return {row["code"].strip(): row[column].strip() for row in csv.DictReader(handle)}
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("PR-E320", path=name, value=str(error)) from error
    except (KeyError, AttributeError):
        findings.add("PR-E321", table=name, column=column, value=name, problem=f"needs the columns code and {column}")
        return {}


def _check_keys(mapping: ImportMapping, findings: Findings) -> None:
    """Find what the form alone does not show."""

    def tell(place: str, problem: str) -> None:
        findings.add("PR-E321", table="mapping", column=place, value=place, problem=problem)

    keys = mapping.keys
    given = {*keys.columns, *keys.constants}
    for section in ("columns", "constants"):
        for target in getattr(keys, section):
            if target not in TARGETS:
                near = near_name(target, TARGETS)
                tell(f"{section}.{target}", f"is no column of an event; near: {near}; known: {', '.join(TARGETS)}")
    for target in keys.columns.keys() & keys.constants.keys():
        tell(f"constants.{target}", "is given by a column too")
    for target in sorted({"kind", "occurred_at"} - given):
        tell(f"columns.{target}", "is needed")
    if not given & set(SUBJECTS):
        tell("columns.item_id", f"is needed, or another of: {', '.join(SUBJECTS)}")
    constant = {"constants.kind": keys.constants["kind"]} if "kind" in keys.constants else {}
    for place, kind in {**{f"kinds.{code}": kind for code, kind in mapping.kinds.items()}, **constant}.items():
        if kind not in kinds():
            tell(place, f"'{kind}' is not in the closed list; near: {near_name(kind, kinds())}")
    if keys.platform and mapping.statuses is None:
        tell("platform", f"'{keys.platform}' has no shipped table; known: {', '.join(platforms())}")
    if keys.ids.event_id != DIGEST:
        tell("ids.event_id", "only digest; to take ids from the file, map a column to event_id under [columns]")
    for target in keys.columns:
        if "" in mapping.sources(target):
            tell(f"columns.{target}", "is not filled in")
        if len(mapping.sources(target)) != 1 and target not in ("occurred_at", "recorded_at"):
            tell(f"columns.{target}", "takes one heading")
    if len(keys.file.delimiter) > 1:
        tell("file.delimiter", "is one character")
    try:
        time_zone(keys.time.zone)
    except InputError as error:
        tell("time.zone", error.message())
