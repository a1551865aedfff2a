"""Personal data, keys, and the log of who read what."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import from_json, to_json
from starlette.concurrency import run_in_threadpool

from postroad.core.errors import InputError
from postroad.guard.grants import Grant
from postroad.guard.party import Party
from postroad.server.bodies import JSON, read_body
from postroad.server.callers import Calling, Serving
from postroad.server.events import Id
from postroad.server.problems import RESPONSES

__all__ = ["ROUTER"]

ROUTER = APIRouter(tags=["guard"], responses=RESPONSES)
MAX_PARTIES = 1000


class NewParties(BaseModel):
    """Personal data to be kept."""

    model_config = ConfigDict(extra="forbid")

    parties: list[Party] = Field(min_length=1, max_length=MAX_PARTIES)


class PartyIds(BaseModel):
    """Pseudonyms, in the order of the data."""

    party_ids: list[str] = Field(max_length=MAX_PARTIES)


class Purged(BaseModel):
    """How many parties' data was destroyed."""

    n_purged: int


class ShownParty(BaseModel):
    """The data of a party, masked or whole."""

    party_id: str
    is_masked: bool
    name: str | None
    phone: str | None
    address: str | None


class NewKey(BaseModel):
    """A key, shown this once."""

    key: str
    key_id: str


class KeyRecord(BaseModel):
    """A key that was made."""

    model_config = ConfigDict(extra="allow")

    key_id: str
    made_at: str
    withdrawn_at: str | None
    role: str


class Keys(BaseModel):
    """All keys."""

    keys: list[KeyRecord]


class AuditPage(BaseModel):
    """Entries of the audit log. ``next``: place of the page that follows; None on the last."""

    entries: list[dict[str, object]]
    next: int | None


class AuditState(BaseModel):
    """Whether the chain of the audit log holds, and what reading was unusual since the start."""

    is_whole: bool
    breaks: list[str]
    unusual: list[dict[str, object]]


@ROUTER.post("/parties", response_model=PartyIds, status_code=201)
async def seal_parties(new: NewParties, caller: Calling, desk: Serving) -> Response:
    """Keep names, numbers and addresses sealed; name the pseudonyms in events."""
    party_ids = await run_in_threadpool(desk.seal_parties, caller, new.parties)
    return Response(to_json({"party_ids": party_ids}), 201, media_type=JSON)


@ROUTER.get("/parties/{party_id}", response_model=ShownParty)
async def read_party(
    party_id: Id, caller: Calling, desk: Serving, purpose: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """The data of a party: masked, or whole for who may and says why. Each read is logged."""
    return Response(to_json(await run_in_threadpool(desk.read_party, caller, party_id, purpose)), media_type=JSON)


@ROUTER.post("/parties/purge", response_model=Purged)
async def purge(wanted: PartyIds, caller: Calling, desk: Serving) -> Response:
    """Destroy the data of parties for good."""
    n_purged = await run_in_threadpool(desk.purge, caller, wanted.party_ids)
    return Response(to_json({"n_purged": n_purged}), media_type=JSON)


GRANT = {"requestBody": {"required": True, "content": {JSON: {"schema": {"$ref": "#/components/schemas/Grant"}}}}}


@ROUTER.post("/keys", response_model=NewKey, status_code=201, openapi_extra=GRANT)
async def make_key(request: Request, caller: Calling, desk: Serving) -> Response:
    """Make a key; it is shown this once."""
    caller.grant.demand("keys:write")
    try:
        content = from_json(await read_body(request))
        grant = Grant.model_validate(content)
    except ValueError as error:
        raise InputError("PR-H108", expected="Grant", reason=" ".join(str(error).split())) from error
    key = await run_in_threadpool(desk.make_key, caller, grant)
    return Response(to_json({"key": key, "key_id": key.split("_")[1]}), 201, media_type=JSON)


@ROUTER.get("/keys", response_model=Keys)
async def list_keys(caller: Calling, desk: Serving) -> Response:
    """Every key that was made; none of their secrets is kept."""
    caller.grant.demand("keys:write")
    return Response(to_json({"keys": desk.keys.listed()}), media_type=JSON)


@ROUTER.delete("/keys/{key_id}", status_code=204)
async def withdraw_key(key_id: Id, caller: Calling, desk: Serving) -> Response:
    """Make a key void."""
    await run_in_threadpool(desk.withdraw_key, caller, key_id)
    return Response(status_code=204)


@ROUTER.get("/audit", response_model=AuditPage)
async def read_audit(
    caller: Calling,
    desk: Serving,
    day: Annotated[str | None, Query(pattern=r"^\d{4}-\d\d-\d\d$", description="UTC; all days when left out.")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    cursor: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> Response:
    """Who read what, when, and what of it unmasked; oldest first."""
    caller.grant.demand("audit:read")
    entries = await run_in_threadpool(lambda: list(islice(desk.audit.entries(day), cursor, cursor + limit + 1)))
    following = cursor + limit if len(entries) > limit else None
    return Response(to_json({"entries": entries[:limit], "next": following}), media_type=JSON)


@ROUTER.get("/audit/state", response_model=AuditState)
async def verify_audit(caller: Calling, desk: Serving) -> Response:
    """Whether the log is whole, and who reads in an unusual way."""
    caller.grant.demand("audit:read")
    findings = await run_in_threadpool(desk.audit.verify)
    unusual = [
        {"rule": one.rule.rule, "key_id": one.key_id, "n_seen": one.n_seen, "at": one.at, "text": one.rule.name_en,
         "text_zh": one.rule.name_zh}
        for one in desk.unusual
    ]  # fmt: skip
    breaks = [finding.at for finding in findings]
    return Response(to_json({"is_whole": not breaks, "breaks": breaks, "unusual": unusual}), media_type=JSON)
