"""The reference page of events, written from the tables."""

from __future__ import annotations

from postroad.events.columns import columns
from postroad.events.kinds import kinds, states

__all__ = ["write_page"]

TITLES = {"events": "Events 事件", "items": "Items 邮件快件", "flows": "Flow records 流量记录"}


def write_page() -> str:
    """Write the page: columns of the three tables, the closed list of kinds, its codes, and the states; Markdown."""
    parts = [
        "# Events 事件",
        "Generated from `postroad/events/*.csv`. How the ledger uses them: [The ledger](../explanation/ledger.md).",
    ]
    for table, title in TITLES.items():
        parts += [f"## {title}: columns 列", _columns_table(table)]
    parts += ["## The closed list 封闭列表", _kinds_table(), "## Codes elsewhere 对照", _codes_table()]
    parts += ["## States of an item 状态", _states_table()]
    return "\n\n".join(parts) + "\n"


def _columns_table(table: str) -> str:
    """Columns of one table."""
    rows = [
        (
            f"`{column.attribute}`",
            column.type,
            "yes" if column.required else "",
            column.description,
            column.description_zh,
        )
        for column in columns(table).values()
    ]
    return _table(("column", "type", "required", "description", "说明"), rows)


def _kinds_table() -> str:
    """What each kind means."""
    rows = [
        (
            f"`{kind.kind}`",
            " ".join(kind.subjects),
            str(kind.rank),
            kind.state,
            kind.ends,
            kind.stage_zh,
            kind.description_en,
            kind.description_zh,
        )
        for kind in kinds().values()
    ]
    return _table(("kind", "happens to", "rank", "state after", "ends", "阶段", "description", "说明"), rows)


def _codes_table() -> str:
    """Codes of each kind in the two standards."""
    rows = [
        (f"`{kind.kind}`", kind.emsevt, kind.epcis_type, kind.biz_step, kind.disposition, kind.source)
        for kind in kinds().values()
        if kind.emsevt or kind.biz_step
    ]
    return _table(("kind", "EMSEVT V3", "EPCIS type", "bizStep", "disposition", "source"), rows)


def _states_table() -> str:
    """Names of the states."""
    return _table(("state", "English", "中文"), [(f"`{state}`", *names) for state, names in states().items()])


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
