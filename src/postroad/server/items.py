"""Items: one by number, or many at once."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json

from postroad.core.errors import NotFound
from postroad.server.bodies import JSON
from postroad.server.callers import Calling, Serving
from postroad.server.events import Id
from postroad.server.problems import RESPONSES, language_of

__all__ = ["ROUTER"]

ROUTER = APIRouter(tags=["items"], responses=RESPONSES)
MAX_ITEMS = 200


class NameRecord(BaseModel):
    """A thing's names."""

    id: str
    en: str
    zh: str
    city_en: str
    city_zh: str


class CarrierRecord(BaseModel):
    """A unit or trip that carries the item."""

    subject: str
    id: str


class StepRecord(BaseModel):
    """One line of a history, in the time zone of the tracking."""

    event_id: str
    kind: str
    occurred_at: datetime
    place: NameRecord | None
    trip_id: str | None
    reason: str | None
    text_en: str
    text_zh: str
    stage: str
    stage_zh: str
    is_void: bool
    is_odd: bool
    carrier: CarrierRecord | None


class OddRecord(BaseModel):
    """What is odd about a history."""

    code: str
    text: str


class PartyRecord(BaseModel):
    """A party of the item, masked by GB/T 41833; nulls when purged."""

    role: str
    party_id: str
    name: str | None
    phone: str | None
    address: str | None


class ItemRecord(BaseModel):
    """What is known of an item."""

    item_id: str
    state: str
    state_en: str
    state_zh: str
    is_ended: bool
    is_simulated: bool
    timezone: str
    product: NameRecord | None
    origin: NameRecord | None
    destination: NameRecord | None
    place: NameRecord | None
    accepted_at: datetime | None
    promise_at: datetime | None
    delivered_at: datetime | None
    ended_at: datetime | None
    is_promise_kept: bool | None
    carriers: list[CarrierRecord]
    n_attempts: int
    steps: list[StepRecord]
    findings: list[OddRecord]
    parties: list[PartyRecord]


class Wanted(BaseModel):
    """Numbers of items."""

    model_config = ConfigDict(extra="forbid")

    item_ids: list[str] = Field(min_length=1, max_length=MAX_ITEMS)


class FoundItem(BaseModel):
    """An item that was asked for, or why it is not shown."""

    item_id: str
    item: ItemRecord | None
    code: str | None
    text: str | None


class FoundItems(BaseModel):
    """Items that were asked for, in that order."""

    items: list[FoundItem]


@ROUTER.get("/items/{item_id}", response_model=ItemRecord)
async def find_item(item_id: Id, caller: Calling, desk: Serving) -> Response:
    """History, place now, promise and parties (masked) of an item."""
    return Response(to_json(desk.find_item(caller, item_id)), media_type=JSON)


@ROUTER.post("/items/search", response_model=FoundItems)
async def find_items(wanted: Wanted, request: Request, caller: Calling, desk: Serving) -> Response:
    """Many items at once, each with its own result."""
    caller.grant.demand("items:read")
    language, found = language_of(request), []
    for item_id in wanted.item_ids:
        answer: dict[str, object] = {"item_id": item_id, "item": None, "code": None, "text": None}
        try:
            answer["item"] = desk.find_item(caller, item_id)
        except NotFound as error:
            answer |= {"code": error.code, "text": error.message(language)}
        found.append(answer)
    return Response(to_json({"items": found}), media_type=JSON)
