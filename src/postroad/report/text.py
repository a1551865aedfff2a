"""Bilingual text, units and numbers as people read them."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = [
    "LABELS",
    "LABEL_TEXTS",
    "TERMS",
    "UNITS",
    "Text",
    "Unit",
    "format_number",
    "format_value",
    "source_text",
    "unit_of",
]


@dataclass(frozen=True, slots=True)
class Text:
    """One text in English and Chinese."""

    en: str
    zh: str

    def get(self, language: str) -> str:
        """The text in ``en`` or ``zh``."""
        return self.zh if language == "zh" else self.en

    def as_dict(self) -> dict[str, str]:
        """The form that the page's script reads."""
        return {"en": self.en, "zh": self.zh}


@dataclass(frozen=True, slots=True)
class Unit:
    """How a unit of measure is written.

    Attributes
    ----------
    decimals: digits after the point; scale: factor on show.
    is_compact: whether large numbers are shortened (million, 亿).
    coarse: the unit that takes over from ten thousand on, and the factor to it.
    """

    text: Text
    decimals: int = 0
    scale: float = 1.0
    is_compact: bool = False
    coarse: tuple[str, float] | None = None


LABELS = ("measured", "derived", "modelled", "unverified")

LABEL_TEXTS = {
    "measured": (
        Text("measured", "实测"),
        Text("Published by a public body, surveyed or scanned.", "由公共机构发布、测量或扫描所得。"),
    ),
    "derived": (Text("derived", "推算"), Text("Arithmetic on measured figures.", "由实测数据经明确规则计算所得。")),
    "modelled": (
        Text("modelled", "建模"),
        Text("Our model or a stated rule; not a statistic.", "由本模型或既定规则给出，不是统计数据。"),
    ),
    "unverified": (Text("unverified", "未核实"), Text("Could not be checked against a source.", "未能与来源核对。")),
}

UNITS: dict[str, Unit] = {
    "": Unit(Text("", ""), 2),
    "items": Unit(Text("items", "件"), 0, is_compact=True),
    "ratio": Unit(Text("", ""), 2),
    "items_per_h": Unit(Text("items/h", "件/小时"), 0, is_compact=True),
    "items_per_day": Unit(Text("items/day", "件/日"), 0, is_compact=True),
    "item_h": Unit(Text("item-hours", "件·小时"), 0, is_compact=True),
    "h": Unit(Text("h", "小时"), 1),
    "hours": Unit(Text("h", "小时"), 0),
    "min": Unit(Text("min", "分钟"), 0),
    "s": Unit(Text("s", "秒"), 1),
    "days": Unit(Text("days", "天"), 1),
    "share": Unit(Text("%", "%"), 1, 100.0),
    "points": Unit(Text("points", "个百分点"), 1, 100.0),
    "yuan": Unit(Text("yuan", "元"), 0, is_compact=True),
    "yuan/item": Unit(Text("yuan/item", "元/件"), 2),
    "gCO2e": Unit(Text("g CO₂e", "克 CO₂e"), 0, is_compact=True, coarse=("tCO2e", 1e-6)),
    "kgCO2e": Unit(Text("kg CO₂e", "千克 CO₂e"), 0, is_compact=True, coarse=("tCO2e", 1e-3)),
    "tCO2e": Unit(Text("t CO₂e", "吨 CO₂e"), 0, is_compact=True),
    "gCO2e/item": Unit(Text("g CO₂e/item", "克 CO₂e/件"), 0),
    "attempts/item": Unit(Text("attempts/item", "次/件"), 2),
    "kwh": Unit(Text("kWh", "千瓦时"), 0, is_compact=True),
    "km": Unit(Text("km", "公里"), 0, is_compact=True),
    "t-km": Unit(Text("t·km", "吨公里"), 0, is_compact=True),
    "kWh": Unit(Text("kWh", "千瓦时"), 0, is_compact=True),
    "tkm": Unit(Text("t·km", "吨公里"), 0, is_compact=True),
    "kg": Unit(Text("kg", "千克"), 1),
    "t": Unit(Text("t", "吨"), 0, is_compact=True),
    "m3": Unit(Text("m³", "立方米"), 0, is_compact=True),
    "attempts": Unit(Text("attempts", "次"), 0, is_compact=True),
    "departures": Unit(Text("departures", "车次"), 0, is_compact=True),
    "runs": Unit(Text("runs", "车次"), 0, is_compact=True),
    "trips": Unit(Text("trips", "班次"), 0, is_compact=True),
    "trips_per_day": Unit(Text("trips/day", "班次/日"), 0, is_compact=True),
    "vehicles_per_day": Unit(Text("vehicles/day", "车次/日"), 0, is_compact=True),
    "per_million": Unit(Text("per million", "每百万件"), 2),
}

TERMS: dict[str, Text] = {
    "road": Text("road", "公路"),
    "rail": Text("rail", "铁路"),
    "air": Text("air", "航空"),
    "water": Text("water", "水运"),
    "hub": Text("hub", "枢纽"),
    "sorting": Text("sorting centre", "分拨中心"),
    "outlet": Text("outlet", "网点"),
    "station": Text("station", "驿站"),
    "locker": Text("locker", "快件箱"),
    "airport": Text("airport", "机场"),
    "railhead": Text("railhead", "铁路站"),
    "port": Text("port", "港口"),
    "exchange": Text("exchange office", "互换局"),
    "warehouse": Text("warehouse", "仓库"),
    "east": Text("east", "东部"),
    "centre": Text("centre", "中部"),
    "west": Text("west", "西部"),
    "other": Text("other", "其他"),
    "met": Text("met", "符合"),
    "not_met": Text("not met", "不符合"),
    "not_decidable": Text("not decidable", "无法判定"),
    "shown": Text("shown, not judged", "仅列示"),
    "calibrated": Text("fitted on", "用于标定"),
    "kept_aside": Text("kept aside", "留出检验"),
    "lower": Text("lower", "越低越好"),
    "higher": Text("higher", "越高越好"),
    "none": Text("neither", "无优劣"),
    "error": Text("error", "错误"),
    "warning": Text("warning", "警告"),
    "note": Text("note", "提示"),
}
"""Closed words of tables and maps as they are written."""

_STEPS = {"en": ((1e9, " bn", 2), (1e6, " m", 1)), "zh": ((1e8, " 亿", 2), (1e4, " 万", 1))}
_WORDS = {"en": ((1e9, " billion", 2), (1e6, " million", 1)), "zh": _STEPS["zh"]}


def unit_of(name: str) -> Unit:
    """The registered unit; ``a/b`` is put together from its parts; else the user's own text with two decimals."""
    known = UNITS.get(name)
    if known is not None:
        return known
    if "/" in name:
        above, below = (_single(part) for part in name.split("/", 1))
        return Unit(Text(f"{above.en}/{below.en}", f"{above.zh}/{below.zh}"), 2)
    return Unit(Text(name, name), 2)


def _single(name: str) -> Text:
    """One part of a compound unit; English puts what is counted in the singular."""
    known = UNITS.get(name) or UNITS.get(f"{name}s")
    if known is None:
        return Text(name, name)
    return Text(name if name in ("item", "attempt", "departure", "trip", "run") else known.text.en, known.text.zh)


def format_number(value: float | None, decimals: int = 0) -> str:
    """A number with thousands separators; an en dash where there is none.

    >>> format_number(1234567.891, 1)
    '1,234,567.9'
    """
    if value is None or value != value:
        return "–"
    text = f"{value:,.{decimals}f}"
    return text.replace("-", "−") if float(text.replace(",", "")) else text.lstrip("-")


def format_value(value: float | None, unit: str, language: str, *, words: bool = False) -> str:
    """A value with its unit, as a sentence shows it; ``words`` writes *billion* out.

    >>> format_value(1.2e9, "items", "zh")
    '12.00 亿件'
    >>> format_value(0.8097, "share", "en")
    '81.0 %'
    """
    entry = unit_of(unit)
    if value is None or value != value:
        return "–"
    if entry.coarse and abs(value) * entry.coarse[1] >= 10:
        return format_value(value * entry.coarse[1], entry.coarse[0], language, words=words)
    shown = value * entry.scale
    text, step = format_number(shown, entry.decimals), ""
    if entry.is_compact:
        for bound, name, decimals in (_WORDS if words else _STEPS)[language]:
            if abs(shown) >= bound:
                text, step = format_number(shown / bound, decimals), name
                break
    unit_text = entry.text.get(language)
    gap = "" if language == "zh" and step else " "
    return f"{text}{step}{gap}{unit_text}".rstrip()


_RUNS = re.compile(r"runs? (\w+)(?: and (\w+))?")


@cache
def _source_texts() -> dict[str, Text]:
    with files("postroad.report").joinpath("source_texts.csv").open(encoding="utf-8", newline="") as handle:
        return {row["source"]: Text(row["en"] or row["source"], row["zh"]) for row in csv.DictReader(handle)}


def source_text(source: str) -> Text:
    """A source as it is shown: those of our runs and of the shipped factors in both languages, any other as it is.

    >>> source_text("runs 4b1b and 07e7").zh
    '运行 4b1b 与 07e7'
    """
    found = _RUNS.fullmatch(source)
    if found is not None:
        return Text(source, "运行 " + " 与 ".join(filter(None, found.groups())))
    return _source_texts().get(source, Text(source, source))
