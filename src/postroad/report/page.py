"""A page as one self-contained HTML text: style, script and data inside, nothing fetched when it is opened."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files

import jinja2
from markupsafe import Markup, escape

from postroad.report.blocks import Cards, Chart, Column, Facts, Page, Prose, Row, Table
from postroad.report.text import LABEL_TEXTS, LABELS, TERMS, UNITS, Text, format_number, source_text, unit_of

__all__ = ["render_page"]

SCRIPTS = (
    "core.js",
    "line.js",
    "columns.js",
    "rows.js",
    "heat.js",
    "map.js",
    "mapcontrols.js",
    "tables.js",
    "start.js",
)
_TEXTS = {
    "filter": Text("Filter rows", "筛选"),
    "show_all": Text("Show all rows", "显示全部"),
    "cut": Text(
        "All rows are in the workbook (`postroad report RUN --xlsx FILE`):",
        "全部行见工作簿（`postroad report RUN --xlsx 文件`）：",
    ),
    "copy_code": Text("copy", "复制"),
    "skip": Text("Skip to the summary", "跳至摘要"),
    "labels": Text("What the numbers are", "数字的性质"),
    "made": Text(
        "Made by Postroad. This file is complete in itself and loads nothing from a network.",
        "由 Postroad 生成。本文件自成一体，打开时不访问网络。",
    ),
}
# No line ends between a number and its unit.
LONG_TEXT = 40
"""Characters from which on a text of a table is cut to two lines on the screen; printed it stands in full."""

_BREAKLESS = re.compile(r"(?<=\d) (?=[%h亿万元克小件]|bn\b|m\b)")
_KINDS = {Cards: "cards", Chart: "chart", Facts: "facts", Prose: "prose", Row: "row", Table: "table"}


def render_page(page: Page, language: str = "auto") -> str:
    """Put a page together.

    Parameters
    ----------
    page: what to show.
    language: ``en`` or ``zh`` is shown first; ``auto`` follows the browser. Both are inside.

    Returns the same bytes for the same page: no time stamp, no random identifier.
    """
    script = "\n".join(_asset(name) for name in SCRIPTS)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            page=page,
            language=language,
            style=Markup(_environment().get_template("style.css.j2").render()),
            script=Markup(script),
            words=_json(
                {"terms": _texts(TERMS), "labels": {n: LABEL_TEXTS[n][0].as_dict() for n in LABELS}, "units": _units()}
            ),
            labels=LABEL_TEXTS,
            texts=_TEXTS,
        )
    )


def _texts(table: dict[str, Text]) -> dict[str, dict[str, str]]:
    return {name: text.as_dict() for name, text in table.items()}


def _units() -> dict[str, dict[str, object]]:
    return {
        name: {
            **unit.text.as_dict(),
            "decimals": unit.decimals,
            "scale": unit.scale,
            "compact": unit.is_compact,
            "coarse": unit.coarse,
        }
        for name, unit in UNITS.items()
    }


def _asset(name: str) -> str:
    return files("postroad.report").joinpath("page", name).read_text(encoding="utf-8")


def _json(value: object) -> Markup:
    """JSON that may stand inside a script element: no ``<`` can close it, floats at seven significant digits."""
    text = json.dumps(_shortened(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


def _shortened(value: object) -> object:
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            return None
        short = float(f"{value:.7g}")
        return int(short) if short.is_integer() and abs(short) < 1e15 else short
    if isinstance(value, dict):
        return {key: _shortened(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_shortened(part) for part in value]
    return value


def _both(text: Text | None) -> Markup:
    """Both languages; the style shows one of them."""
    if text is None:
        return Markup("")
    if text.en == text.zh:
        return escape(text.en)
    return Markup('<span lang="en">{}</span><span lang="zh">{}</span>').format(_code(text.en), _code(text.zh))


def _code(text: str) -> Markup:
    """Escaped text in which `back-quoted` words are set as code."""
    parts = _BREAKLESS.sub("\u00a0", text).split("`")
    pieces = [Markup("<code>{}</code>").format(part) if k % 2 else escape(part) for k, part in enumerate(parts)]
    return Markup("").join(pieces) if len(parts) % 2 else escape(text)


def _badge(label: str, source: str = "") -> Markup:
    """The marks that say what a number is; the tooltip explains it and names the source."""
    marks = []
    for one in label.split("+"):
        name, meaning = LABEL_TEXTS[one]
        tip = f"{meaning.en} {meaning.zh}" + (f" — {source}" if source else "")
        mark = Markup('<span class="badge b-{}" title="{}">{}</span>').format(one, tip, _both(name))
        marks.append(mark)
    return Markup(" ").join(marks)


def _term(word: object) -> Markup:
    if word is None:
        return Markup("–")
    return _both(TERMS.get(str(word), Text(str(word), str(word))))


def _head_unit(column: Column) -> Text | None:
    """The unit that stands in the head of a number column, where the title does not say it."""
    if column.kind != "number" or not column.unit or column.unit.startswith("@"):
        return None
    text = unit_of(column.unit).text
    return None if text.en == column.title.en else text


def _cells(table: Table) -> list[list[Markup]]:
    """The cells of a table as ``td`` elements: shown text and the raw value for sorting and export."""
    largest = {
        column.key: max((abs(v) for v in table.frame[column.key].to_list() if v is not None), default=0.0)
        for column in table.columns
        if column.is_bar
    }
    rows = []
    for row in table.frame.iter_rows(named=True):
        first, *others = table.columns
        cells = [_cell(first, row, largest.get(first.key, 0.0))]
        cells += [_long_cell(column, row) or _cell(column, row, largest.get(column.key, 0.0)) for column in others]
        head = str(cells[0]).replace("<td", '<th scope="row"', 1).replace("</td>", "</th>")
        rows.append([Markup(head), *cells[1:]])
    return rows


def _long_cell(column: Column, row: dict[str, object]) -> Markup | None:
    """The cell of a text that is long; None for any other."""
    if column.kind == "name":
        text = Text(row[f"{column.key}_en"] or "", row[f"{column.key}_zh"] or "")
        if len(text.en) > LONG_TEXT:
            title = f"{text.en}\n{text.zh}"
            return Markup('<td class="long"><div title="{}">{}</div></td>').format(title, _both(text))
    elif column.kind == "source" and len(value := str(row[column.key] or "")) > LONG_TEXT:
        text = source_text(value)
        return Markup('<td class="long"><div title="{}">{}</div></td>').format(f"{text.en}\n{text.zh}", _both(text))
    elif column.kind == "text" and len(value := str(row[column.key] or "")) > LONG_TEXT:
        return Markup('<td class="long"><div title="{}">{}</div></td>').format(value, value)
    return None


def _cell(column: Column, row: dict[str, object], largest: float) -> Markup:
    if column.kind == "name":
        return Markup("<td>{}</td>").format(_both(Text(row[f"{column.key}_en"] or "", row[f"{column.key}_zh"] or "")))
    value = row[column.key]
    if column.kind == "label":
        return Markup("<td>{}</td>").format(_badge(str(value)))
    if column.kind == "verdict":
        return Markup('<td><span class="verdict v-{}">{}</span></td>').format(value, _term(value))
    if column.kind == "term":
        return Markup("<td>{}</td>").format(_term(value))
    if column.kind == "uom":
        return Markup('<td class="uom">{}</td>').format(_both(unit_of(str(value)).text if value is not None else None))
    if column.kind == "hour":
        return Markup('<td class="n" data-v="{}" data-hour="{}">{}</td>').format(
            *(["" if value is None else value + 1] * 2), "–"
        )
    if column.kind == "year":
        return Markup('<td class="n" data-v="{}">{}</td>').format(
            "" if value is None else value, "–" if value is None else value
        )
    if column.kind == "source":
        return Markup("<td>{}</td>").format("–" if value is None else _both(source_text(str(value))))
    if column.kind == "text":
        return Markup("<td>{}</td>").format("–" if value is None else value)
    return _number_cell(column, row, largest)


def _number_cell(column: Column, row: dict[str, object], largest: float) -> Markup:
    unit = unit_of(str(row[column.unit[1:]]) if column.unit.startswith("@") else column.unit)
    decimals = unit.decimals if column.decimals is None else column.decimals
    value = row[column.key]
    if value is None:
        return Markup('<td class="n" data-v="">–</td>')
    number = float(value)  # type: ignore[arg-type]
    text = format_number(number * unit.scale, decimals)
    if column.decimals is not None and decimals > 1 and "." in text:
        text = text.rstrip("0").rstrip(".") or "0"
    bar = ""
    if largest:
        bar = Markup(' style="--bar:{}%"').format(f"{min(abs(number) / largest, 1.0) * 100:.1f}")
    return Markup('<td class="n{}"{} data-v="{}">{}</td>').format(
        " bar" if largest else "", bar, f"{number * unit.scale:.10g}", text
    )


@cache
def _environment() -> jinja2.Environment:
    """Templates of the page; texts are escaped unless they are built here."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("postroad.report", "page"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(
        both=_both,
        json=_json,
        badge=_badge,
        head_unit=_head_unit,
        cells=_cells,
        source=source_text,
        text=lambda pair: Text(**pair),
    )
    environment.tests["kind"] = lambda block, kind: _KINDS[type(block)] == kind
    return environment
