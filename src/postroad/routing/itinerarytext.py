"""Itineraries as text that a person can follow, in English and Chinese."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from unicodedata import east_asian_width

from postroad.routing.itinerary import Hop, Itinerary, Stop

__all__ = ["print_itineraries"]

_DAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAYS_ZH = "一二三四五六日"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MODES_ZH = {"road": "公路", "rail": "铁路", "air": "航空", "water": "水路"}
_WORDS = {
    "en": {
        "head": "{origin} to {destination}, {product}\naccepted {day} {time}, {zone}",
        "sum": "arrives {day} {time} after {took}{out}",
        "out": ", out for delivery {day} {time}",
        "totals": "{n} {trips}, {km} km, {yuan} yuan, {g} g CO2e",
        "accepted": "accepted",
        "sorted": "sorted",
        "first": "after {min} min of collection and screening",
        "handled": "after {min} min of unloading and handling",
        "waited": "; waited {took} for sorting to begin",
        "arrives": "arrives",
        "delivery": "out for delivery",
        "no_wave": "no delivery wave within the horizon",
        "trip": "trip {trip}, {km} km",
        "foot": "Cost and carbon are modelled: vehicles at their planning fill, an item of the product's mean weight, "
        "carbon of transport only.",
        "h_min": "{h} h {min:02d} min",
    },
    "zh": {
        "head": "{origin} → {destination}，{product}\n{day} {time} 收寄（{zone}）",
        "sum": "{day} {time} 到达，历时 {took}{out}",
        "out": "，{day} {time} 派送",
        "totals": "{n} 个班次，{km} 公里，{yuan} 元，{g} 克 CO2e",
        "accepted": "收寄",
        "sorted": "分拣完成",
        "first": "揽收与安检 {min} 分钟",
        "handled": "卸车与处理 {min} 分钟",
        "waited": "；等候分拣开始 {took}",
        "arrives": "到达",
        "delivery": "派送",
        "no_wave": "时间范围内没有派送频次",
        "trip": "班次 {trip}，{km} 公里",
        "foot": "费用与碳排放为建模值：车辆按计划装载率，邮件按产品平均重量，碳排放仅计运输。",
        "h_min": "{h} 小时 {min:02d} 分",
    },
}
VERB_WIDTH = 18


def print_itineraries(itineraries: list[Itinerary], language: str = "en") -> str:
    """Write itineraries like those of a railway, one step a line.

    Parameters
    ----------
    itineraries: of one origin, destination and acceptance; at least one.
    language: ``en`` or ``zh``.

    Returns
    -------
    Text of several lines, without a final newline.
    """
    words, first = _WORDS[language], itineraries[0]
    origin, destination = (_name(stop, language) for stop in (first.origin, first.destination))
    zone = str(first.accepted_at.tzinfo)
    accepted = {"day": _day(first.accepted_at, language, year=True), "time": f"{first.accepted_at:%H:%M}"}
    product = first.product_name_en if language == "en" else first.product_name
    blocks = [words["head"].format(origin=origin, destination=destination, product=product, zone=zone, **accepted)]
    for number, itinerary in enumerate(itineraries, 1):
        blocks.append("\n".join(_block(number, itinerary, language)))
    return "\n\n".join([*blocks, words["foot"]])


def _block(number: int, itinerary: Itinerary, language: str) -> Iterator[str]:
    """The lines of one itinerary."""
    words = _WORDS[language]
    took = _duration((itinerary.arrives_at - itinerary.accepted_at).total_seconds(), language)
    out = "" if itinerary.out_at is None else words["out"].format(**_instant(itinerary.out_at, language))
    yield f"{number:>2}  " + words["sum"].format(took=took, out=out, **_instant(itinerary.arrives_at, language))
    n_hops = len(itinerary.hops)
    totals = {
        "n": n_hops,
        "trips": "trip" if n_hops == 1 else "trips",
        "km": f"{itinerary.km:,.0f}",
        "yuan": f"{itinerary.cost_yuan:.2f}",
    }
    yield "    " + words["totals"].format(g=f"{itinerary.gco2e:,.0f}", **totals)
    day = None
    for at, verb, detail in _steps(itinerary, language):
        if at.date() != day:
            day = at.date()
            yield f"\n    {_day(at, language)}"
        yield f"    {at:%H:%M}  {_pad(verb, VERB_WIDTH)}{detail}".rstrip()
    if itinerary.out_at is None:
        yield f"    {words['no_wave']}"


def _steps(itinerary: Itinerary, language: str) -> Iterator[tuple[datetime, str, str]]:
    """Instant, verb and detail of each step."""
    words = _WORDS[language]
    yield itinerary.accepted_at, words["accepted"], _name(itinerary.origin, language)
    collected = int((itinerary.joined_at - itinerary.accepted_at).total_seconds()) // 60
    waited = _waited(itinerary.joined_at, itinerary.sorted_at, language)
    yield itinerary.sorted_at, words["sorted"], words["first"].format(min=collected) + waited
    for hop in itinerary.hops:
        yield from _ride(hop, language)
    if itinerary.out_at is not None:
        yield itinerary.out_at, words["delivery"], _name(itinerary.destination, language)


def _ride(hop: Hop, language: str) -> Iterator[tuple[datetime, str, str]]:
    """The steps of one ride: leaving, arriving, sorting."""
    words = _WORDS[language]
    verb = hop.mode if language == "en" else _MODES_ZH[hop.mode]
    yield hop.departs_at, verb, words["trip"].format(trip=hop.trip_id, km=f"{hop.km:,.0f}")
    yield hop.arrives_at, words["arrives"], _name(hop.end, language)
    handled = int((hop.queued_at - hop.arrives_at).total_seconds()) // 60
    detail = words["handled"].format(min=handled) + _waited(hop.queued_at, hop.sorted_at, language)
    yield hop.sorted_at, words["sorted"], detail


def _waited(joined: datetime, done: datetime, language: str) -> str:
    """A remark on waiting for opening hours or a sort wave; empty when there was none."""
    seconds = (done - joined).total_seconds()
    return _WORDS[language]["waited"].format(took=_duration(seconds, language)) if seconds > 0 else ""


def _name(stop: Stop, language: str) -> str:
    """A facility's name in the language, with its id."""
    return f"{stop.name_en} ({stop.id})" if language == "en" else f"{stop.name}（{stop.id}）"


def _day(at: datetime, language: str, *, year: bool = False) -> str:
    """A day in words."""
    if language == "en":
        return f"{_DAYS_EN[at.weekday()]} {at.day} {_MONTHS[at.month - 1]}" + (f" {at.year}" if year else "")
    return (f"{at.year}年" if year else "") + f"{at.month}月{at.day}日 周{_DAYS_ZH[at.weekday()]}"


def _instant(at: datetime, language: str) -> dict[str, str]:
    """Day and time of an instant, for a template."""
    return {"day": _day(at, language), "time": f"{at:%H:%M}"}


def _duration(seconds: float, language: str) -> str:
    """Hours and minutes in words."""
    hours, minutes = divmod(int(seconds) // 60, 60)
    return _WORDS[language]["h_min"].format(h=hours, min=minutes)


def _pad(text: str, width: int) -> str:
    """Text filled with spaces to a width in columns; Chinese characters take two."""
    taken = sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
    return text + " " * max(1, width - taken)
