"""A mapping file to begin with: headings guessed from near names, every key explained in two languages."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel

from postroad.core.findings import Findings
from postroad.exchange.tabular.cells import PERSONAL
from postroad.exchange.tabular.mapping import TARGETS, FileSection, IdSection, ScanMapping, TimeSection
from postroad.exchange.tabular.sources import open_source
from postroad.network.rows import near_name

__all__ = ["guess_columns", "read_header", "write_mapping_template"]

NEEDED = ("item_id", "kind", "occurred_at", "facility_id")


def read_header(path: Path | str) -> tuple[str, ...]:
    """The headings of a file, to make a template of.

    Raises
    ------
    InputError: as :func:`postroad.exchange.tabular.sources.open_source`.
    """
    return open_source(path, FileSection(), Findings(), 1).header


def guess_columns(columns: Iterable[str]) -> dict[str, str]:
    """Guess which heading is which column of the event.

    Parameters
    ----------
    columns: headings of a file, Chinese or English.

    Returns
    -------
    Heading by column of the event, in the order of TARGETS; each heading at most once. A heading that means something
    exactly goes before one that holds such a name, and that before one that is merely near. Headings about persons are
    never taken.

    >>> guess_columns(["运单号", "扫描时间", "网点", "操作类型", "收件人"])
    {'item_id': '运单号', 'kind': '操作类型', 'occurred_at': '扫描时间', 'facility_id': '网点'}
    """
    free = [column for column in columns if not PERSONAL.search(column)]
    guessed: dict[str, str] = {}
    for fits in (_is_same, _holds, _is_near):
        for heading, target in _headings().items():
            if target in guessed:
                continue
            found = next((column for column in free if fits(_plain(column), heading)), None)
            if found is not None:
                guessed[target] = found
                free.remove(found)
    return {target: guessed[target] for target in TARGETS if target in guessed}


def write_mapping_template(columns: Iterable[str], *, name: str = "", zone: str = "Asia/Shanghai") -> str:
    """Write a mapping file for a file with these headings.

    Parameters
    ----------
    columns: headings of the file.
    name: name of the mapping.
    zone: time zone of times without an offset.

    Returns
    -------
    TOML text: what could be guessed is filled in, what is needed and could not be stands empty, everything else is a
    comment with its default; headings that nothing was guessed for are listed.

    >>> "item_id = \\"运单号\\"" in write_mapping_template(["运单号", "时间"])
    True
    """
    columns = list(columns)
    guessed = guess_columns(columns)
    lines = [
        *_keys(ScanMapping, {"name": name}, skip=("file", "time", "columns", "constants", "kinds", "facilities", "ids"))
    ]
    lines += ["", "[file]", *_keys(FileSection, {})]
    lines += ["", "[time]", *_keys(TimeSection, {"zone": zone})]
    lines += ["", "[columns]", *_described("columns")]
    for target in TARGETS:
        if target in guessed:
            lines.append(f"{target} = {_quoted(guessed[target])}")
        else:
            lines.append(f"{'' if target in NEEDED else '# '}{target} = {_quoted('')}")
    left = [column for column in columns if column not in guessed.values()]
    lines += [f"# not mapped 未映射: {', '.join(left)}"] if left else []
    for section, example in (
        ("constants", '# operator_id = "…"'),
        ("kinds", '# "收件" = "accepted"'),
        ("facilities", '# "…" = "HGH"'),
    ):
        lines += ["", f"[{section}]", *_described(section), example]
    lines += ["", "[ids]", *_keys(IdSection, {})]
    return "\n".join(lines) + "\n"


def _keys(section: type[BaseModel], filled: Mapping[str, str], skip: tuple[str, ...] = ()) -> list[str]:
    """The keys of a section: filled in, or as a comment with its default; each with its two descriptions."""
    lines = []
    for name, key in section.model_fields.items():
        if name in skip:
            continue
        lines += [f"# {key.description}", f"# {key.json_schema_extra['zh']}"]
        value = filled.get(name) or key.default
        mark = "" if filled.get(name) else "# "
        lines.append(f"{mark}{name} = {_quoted(value)}")
    return lines


def _described(section: str) -> list[str]:
    """The descriptions of a section of pairs."""
    key = ScanMapping.model_fields[section]
    return [f"# {key.description}", f"# {key.json_schema_extra['zh']}"]


def _quoted(value: object) -> str:
    """A value as TOML writes it."""
    return json.dumps(value, ensure_ascii=False)


@cache
def _headings() -> Mapping[str, str]:
    """Columns of the event by a heading that means them, plain."""
    with files("postroad.exchange.tabular").joinpath("headings.csv").open(encoding="utf-8", newline="") as handle:
        return {_plain(row["heading"]): row["target"] for row in csv.DictReader(handle)}


def _plain(heading: str) -> str:
    """A heading without what does not tell headings apart."""
    return re.sub(r"[\s_\-.()（）【】\[\]:：*]+", " ", heading).strip().lower()


def _is_same(column: str, heading: str) -> bool:
    return column.replace(" ", "") == heading.replace(" ", "")


def _holds(column: str, heading: str) -> bool:
    return len(heading) > 1 and heading in column


def _is_near(column: str, heading: str) -> bool:
    return column.isascii() and near_name(column, [heading]) == heading
