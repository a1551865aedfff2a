"""A tracking as a page for the terminal, newest first, in English or Chinese."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby

from rich.cells import cell_len

from postroad.core.language import pick
from postroad.ledger.tracking import Step, Tracking

__all__ = ["write_screen"]

WEEKDAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
}


def write_screen(tracking: Tracking, language: str = "en") -> str:
    """Write a tracking as text for a terminal.

    Parameters
    ----------
    tracking: what is known of the item. language: ``en`` or ``zh``.

    Returns
    -------
    Lines of plain text, each ended. Characters of double width are counted as such.
    """
    lines = [f"{tracking.item_id}  {tracking.state_name(language)}", *_write_ends(tracking, language)]
    lines += [
        *_write_times(tracking, language),
        *_write_steps(tracking.steps, language),
        *_write_notes(tracking, language),
    ]
    return "\n".join(lines) + "\n"


def _write_ends(tracking: Tracking, language: str) -> list[str]:
    """Product, origin and destination."""
    parts = [tracking.product.text(language)] if tracking.product else []
    if tracking.origin and tracking.destination:
        parts.append(f"{tracking.origin.text(language)} → {tracking.destination.text(language)}")
    return [" · ".join(parts)] if parts else []


def _write_times(tracking: Tracking, language: str) -> list[str]:
    """Acceptance, promise and end, each on a line."""
    ended = tracking.ended_at if tracking.is_ended else None
    rows = [
        (pick(language, "Accepted", "收寄"), tracking.accepted_at, ""),
        (pick(language, "Promised by", "承诺送达"), tracking.promise_at, ""),
        (tracking.state_name(language), ended, _write_verdict(tracking, language)),
    ]
    rows = [row for row in rows if row[1] is not None]
    width = max((cell_len(row[0]) for row in rows), default=0)
    return [f"{_pad(name, width)}  {_day(at, language)} {at:%H:%M}{note}" for name, at, note in rows]


def _write_verdict(tracking: Tracking, language: str) -> str:
    """How much before or after the promise it was delivered."""
    if tracking.is_promise_kept is None:
        return ""
    span = _span(abs(tracking.promise_at - tracking.delivered_at), language)
    if tracking.is_promise_kept:
        return pick(language, f"   {span} before the promise", f"   比承诺提前 {span}")
    return pick(language, f"   {span} after the promise", f"   比承诺晚 {span}")


def _write_steps(steps: Sequence[Step], language: str) -> list[str]:
    """The history by day, newest first."""
    newest = max((place for place, step in enumerate(steps) if not (step.is_void or step.is_odd)), default=-1)
    numbered = list(enumerate(steps))[::-1]
    width = max((cell_len(_what(step, language)) for step in steps), default=0)
    lines: list[str] = []
    for day, group in groupby(numbered, key=lambda pair: _day(pair[1].local_at, language)):
        lines += ["", day]
        for place, step in group:
            mark = "x" if step.is_void else "!" if step.is_odd else "●" if place == newest else "○"
            where = step.place.text(language) if step.place else ""
            lines.append(f"  {step.local_at:%H:%M}  {mark}  {_pad(_what(step, language), width)}  {where}".rstrip())
    return lines


def _write_notes(tracking: Tracking, language: str) -> list[str]:
    """The time zone, what the marks mean, and what the events are."""
    notes = [pick(language, f"Local times, {tracking.timezone}.", f"当地时间，{tracking.timezone}。")]
    if any(step.is_void for step in tracking.steps):
        notes.append(pick(language, "x  declared void by a correction.", "x  已被更正声明无效。"))
    if any(step.is_odd for step in tracking.steps):
        notes.append(pick(language, "!  cannot have happened after what came before.", "!  与先前事件矛盾。"))
    if tracking.is_simulated:
        told = "Simulated run: the times are modelled, to the minute."
        notes.append(pick(language, told, "模拟运行：时间为模型结果，精确到分钟。"))
    notes += [f"{finding.code}  {finding.message(language)}" for finding in tracking.findings]
    return ["", *notes]


def _what(step: Step, language: str) -> str:
    """What happened, with the reason where there is one."""
    text = pick(language, step.text_en, step.text_zh)
    return text + pick(language, f" ({step.reason})", f"（{step.reason}）") if step.reason else text


def _day(instant: datetime, language: str) -> str:
    """Weekday and date."""
    weekday = WEEKDAYS[language][instant.weekday()]
    return pick(language, f"{weekday} {instant:%Y-%m-%d}", f"{instant:%Y-%m-%d} {weekday}")


def _span(span: timedelta, language: str) -> str:
    """A length of time in hours and minutes."""
    hours, minutes = divmod(span // timedelta(minutes=1), 60)
    return pick(language, f"{hours} h {minutes:02d} min", f"{hours} 小时 {minutes:02d} 分")


def _pad(text: str, width: int) -> str:
    """Text filled up to a width in cells of the terminal."""
    return text + " " * (width - cell_len(text))
