"""Tracking: one item's history as a person reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import polars as pl

from postroad.core.clock import time_zone
from postroad.core.errors import NotFound
from postroad.core.findings import Findings
from postroad.core.s10 import normalise_s10
from postroad.events.kinds import kinds, states
from postroad.ledger.carriage import Row
from postroad.ledger.fold import Happening, ItemState, fold_item
from postroad.ledger.manifest import MANIFEST_NAME, About, has_manifest
from postroad.ledger.store import Ledger
from postroad.network.frames import Network

__all__ = [
    "Name",
    "Reader",
    "Step",
    "Tracking",
    "describe",
    "find_ledger",
    "frame_names",
    "name_all",
    "newest_run",
    "track",
]

LEDGER_FOLDER = "ledger"


@dataclass(frozen=True, slots=True)
class Name:
    """A thing's names; its id where it has none. ``city`` is empty when it is not known."""

    id: str
    en: str
    zh: str
    city_en: str = ""
    city_zh: str = ""

    def text(self, language: str) -> str:
        """The name in ``en`` or ``zh``, with its city where the name does not say it."""
        name, city = (self.zh, self.city_zh) if language == "zh" else (self.en, self.city_en)
        if not city or city in name:
            return name
        return f"【{city}】{name}" if language == "zh" else f"{name}, {city}"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the history.

    ``local_at``: in the time zone of the tracking. ``stage``, ``stage_zh``: group and Chinese stage of the kind.
    ``is_void``: declared void by a correction. ``is_odd``: cannot have happened after what came before.
    ``carrier``: subject (unit or trip) and id of what carried the item, when the event is about that.
    """

    event_id: str
    kind: str
    local_at: datetime
    place: Name | None
    trip_id: str | None
    reason: str | None
    text_en: str
    text_zh: str
    stage: str
    stage_zh: str
    is_void: bool
    is_odd: bool
    carrier: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Tracking:
    """What is known of one item.

    Attributes
    ----------
    item_id, state: the number, and one of :func:`postroad.events.kinds.states`.
    is_ended: nothing more is to come. is_simulated: some event is of a simulated run.
    product, origin, destination: names; None where the ledger has no record of the item.
    accepted_at, promise_at, delivered_at, ended_at: aware, local; None where not known or not reached.
    place: where it is; None under way. carriers: what carries it now, subject and id, the innermost first.
    n_attempts: attempts at delivery. steps: in order of time. findings: what is odd, PR-L303..PR-L309.
    """

    item_id: str
    state: str
    is_ended: bool
    is_simulated: bool
    timezone: str
    product: Name | None
    origin: Name | None
    destination: Name | None
    accepted_at: datetime | None
    promise_at: datetime | None
    delivered_at: datetime | None
    ended_at: datetime | None
    place: Name | None
    carriers: tuple[tuple[str, str], ...]
    n_attempts: int
    steps: tuple[Step, ...]
    findings: Findings

    @property
    def is_promise_kept(self) -> bool | None:
        """Whether it was delivered within its promise; None when there is no promise or no delivery yet."""
        if self.promise_at is None or self.delivered_at is None:
            return None
        return self.delivered_at <= self.promise_at

    def state_name(self, language: str) -> str:
        """The state in ``en`` or ``zh``."""
        english, chinese = states()[self.state]
        return chinese if language == "zh" else english

    def record(self) -> dict[str, object]:
        """Everything as values of JSON, instants in ISO 8601."""
        plain = {name: getattr(self, name) for name in ("item_id", "state", "is_ended", "is_simulated", "timezone")}
        named = {name: _plain_name(getattr(self, name)) for name in ("product", "origin", "destination", "place")}
        instants = ("accepted_at", "promise_at", "delivered_at", "ended_at")
        times = {name: _iso(getattr(self, name)) for name in instants}
        rest = {
            "is_promise_kept": self.is_promise_kept,
            "carriers": [{"subject": subject, "id": name} for subject, name in self.carriers],
            "n_attempts": self.n_attempts,
            "steps": [_plain_step(step) for step in self.steps],
            "findings": [{"code": finding.code, "text": finding.message()} for finding in self.findings],
        }
        return plain | named | times | rest


class Reader(Protocol):
    """A ledger in any store, as far as tracking reads it."""

    about: About

    def records_about(self, name: str, subject: str) -> list[dict[str, object]]: ...

    def item_record(self, item_id: str) -> dict[str, object]: ...


def track(
    folder: Path | str | Reader,
    item_id: str,
    *,
    places: pl.DataFrame | None = None,
    products: pl.DataFrame | None = None,
    timezone: str | None = None,
) -> Tracking:
    """Follow one item by its number alone.

    Parameters
    ----------
    folder: of a ledger, or of a run that has one; or a ledger that is open, in whatever store.
    item_id: its number; capitals and spaces of an S10 do not matter.
    places: names by ``facility_id``: ``name``, ``name_en`` and, where known, ``city``, ``city_en``; ids are shown
        without it. products: names by ``product_id``: ``name``, ``name_en``.
    timezone: IANA name of the zone in which instants are shown; the ledger's own when left out.

    Raises
    ------
    NotFound: PR-L201 no ledger there, PR-L301 no such item. InputError: PR-C022 unknown time zone.
    """
    ledger = Ledger(find_ledger(folder)) if isinstance(folder, Path | str) else folder
    where = f" '{folder}'" if isinstance(folder, Path | str) else ""
    for number in dict.fromkeys((item_id, normalise_s10(item_id))):
        events = ledger.records_about(number, "item")
        if events:
            return describe(ledger, number, events, places=places, products=products, timezone=timezone)
    raise NotFound("PR-L301", value=item_id, path=where)


def find_ledger(folder: Path | str) -> Path:
    """The ledger that a folder is or has.

    Raises
    ------
    NotFound: PR-L201 when it is none and has none.
    """
    folder = Path(folder)
    for candidate in (folder, folder / LEDGER_FOLDER):
        if has_manifest(candidate):
            return candidate
    raise NotFound("PR-L201", path=str(folder))


def newest_run(root: Path | str) -> Path:
    """The folder below ``root`` whose ledger was written last; ties go to the name that sorts last.

    Raises
    ------
    NotFound: PR-L302 when no folder there has a ledger.
    """
    root = Path(root)
    manifests = [*root.glob(f"*/{LEDGER_FOLDER}/{MANIFEST_NAME}")]
    if not manifests:
        raise NotFound("PR-L302", path=str(root))
    return max(manifests, key=lambda path: (path.stat().st_mtime_ns, path)).parent.parent


def describe(
    ledger: Reader,
    item_id: str,
    events: Sequence[Row],
    *,
    places: pl.DataFrame | Mapping[str, Name] | None = None,
    products: pl.DataFrame | Mapping[str, Name] | None = None,
    timezone: str | None = None,
) -> Tracking:
    """Put names to the state of an item whose events are at hand.

    Parameters
    ----------
    ledger: in which its record and its carriers are looked up. events: of the item, as
        :meth:`postroad.ledger.store.Ledger.records_about` gives them. Others as in :func:`track`; names may be given by
        id, for who describes many items.
    """
    timezone = timezone or ledger.about.timezone
    item = fold_item(events, ledger.records_about)
    record = ledger.item_record(item_id)
    ends = (record.get("origin_id"), record.get("destination_id"))
    place_by_id = _names(places, "facility_id", {*_facilities(item), *filter(None, ends)})
    product_id = record.get("product_id")
    product_by_id = _names(products, "product_id", {product_id} if product_id else set())
    origin, destination = (place_by_id[name] if name else None for name in ends)
    local = time_zone(timezone)

    def here(instant: datetime | None) -> datetime | None:
        return None if instant is None else instant.astimezone(local)

    return Tracking(
        item_id=item_id,
        state=item.state,
        is_ended=item.is_ended,
        is_simulated=any(event["label"] == "simulated" for event in events),
        timezone=timezone,
        product=product_by_id.get(product_id),
        origin=origin,
        destination=destination,
        accepted_at=here(item.accepted_at),
        promise_at=here(record.get("promise_at")),
        delivered_at=here(item.delivered_at),
        ended_at=here(item.ended_at),
        place=place_by_id[item.facility_id] if item.facility_id else None,
        carriers=item.carriers,
        n_attempts=item.n_attempts,
        steps=tuple(_step(happening, place_by_id, here(happening.occurred_at)) for happening in item.happenings),
        findings=item.findings,
    )


def _facilities(item: ItemState) -> set[str]:
    """Ids of the facilities of a history."""
    happenings = item.happenings
    return {name for one in happenings for name in (one.facility_id, one.next_facility_id) if name}


def _step(happening: Happening, place_by_id: Mapping[str, Name], local_at: datetime) -> Step:
    """One line of the history."""
    kind = kinds()[happening.kind]
    text_en, text_zh = kind.text_en, kind.text_zh
    if happening.next_facility_id and kind.text_to_en:
        ahead = place_by_id[happening.next_facility_id]
        text_en = kind.text_to_en.format(next=ahead.en)
        text_zh = kind.text_to_zh.format(next=ahead.zh)
    return Step(
        event_id=happening.event_id.hex(),
        kind=happening.kind,
        local_at=local_at,
        place=place_by_id[happening.facility_id] if happening.facility_id else None,
        trip_id=happening.trip_id,
        reason=happening.reason,
        text_en=text_en,
        text_zh=text_zh,
        stage=kind.stage,
        stage_zh=kind.stage_zh,
        is_void=happening.is_void,
        is_odd=happening.is_odd,
        carrier=happening.carrier,
    )


def frame_names(network: Network) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The names of a network's facilities, with their cities, and of its products; as :func:`track` takes them."""
    cities = network.tables["places"].select("place_id", city="name", city_en="name_en")
    facilities = network.tables["facilities"].select("facility_id", "name", "name_en", "place_id")
    places = facilities.join(cities, on="place_id", how="left", maintain_order="left")
    return places, network.tables["products"].select("product_id", "name", "name_en")


def name_all(frame: pl.DataFrame, key: str) -> dict[str, Name]:
    """The names that a table of places or products gives, by id; columns as in :func:`track`."""
    named = {}
    for row in frame.to_dicts():
        chinese = row.get("name") or row[key]
        english = row.get("name_en") or chinese
        city = row.get("city") or ""
        named[row[key]] = Name(row[key], english, chinese, row.get("city_en") or city, city)
    return named


def _names(names: pl.DataFrame | Mapping[str, Name] | None, key: str, wanted: set[str]) -> Mapping[str, Name]:
    """Names of the ids that are wanted; an id without a name stands for itself."""
    if isinstance(names, pl.DataFrame):
        names = name_all(names.filter(pl.col(key).is_in(list(wanted))), key)
    return {name: (names or {}).get(name) or Name(name, name, name) for name in wanted}


def _iso(instant: datetime | None) -> str | None:
    """An instant as ISO 8601."""
    return None if instant is None else instant.isoformat(timespec="seconds")


def _plain_name(name: Name | None) -> dict[str, str] | None:
    """A name as values of JSON."""
    if name is None:
        return None
    return {part: getattr(name, part) for part in ("id", "en", "zh", "city_en", "city_zh")}


def _plain_step(step: Step) -> dict[str, object]:
    """A line of the history as values of JSON."""
    names = ("event_id", "kind", "trip_id", "reason", "text_en", "text_zh", "stage", "stage_zh", "is_void", "is_odd")
    plain = {name: getattr(step, name) for name in names}
    plain["carrier"] = step.carrier and {"subject": step.carrier[0], "id": step.carrier[1]}
    return {"occurred_at": _iso(step.local_at), "place": _plain_name(step.place), **plain}
