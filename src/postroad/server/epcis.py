"""EPCIS 2.0 over HTTP: capture, capture jobs, events, resources, named questions, subscriptions.

Source: GS1 EPCIS 2.0 (2022), chapter 12 and its OpenAPI binding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic_core import from_json, to_json
from starlette.concurrency import run_in_threadpool

from postroad.core.errors import InputError
from postroad.exchange.epcis.context import CONTEXT_URL
from postroad.exchange.epcis.document import EpcisEvent, compose_document, write_document
from postroad.exchange.epcis.translation import link_identifiers
from postroad.exchange.epcis.vocabulary import terms
from postroad.server.bodies import read_body
from postroad.server.callers import Calling, Serving
from postroad.server.events import Id
from postroad.server.problems import RESPONSES
from postroad.service.capture import MAX_EVENTS
from postroad.service.desk import Caller
from postroad.service.partners import Partners

__all__ = ["ROUTER"]

VERSION = "2.0.0"
LD_JSON, JSON = "application/ld+json", "application/json"
EVENT_TYPES = ("AggregationEvent", "AssociationEvent", "ObjectEvent", "TransactionEvent", "TransformationEvent")
RESOURCES = (
    "capture", "events", "eventTypes", "epcs", "bizSteps", "bizLocations", "readPoints", "dispositions", "queries",
)  # fmt: skip
STANDARD_HEADERS = {
    "GS1-EPCIS-Version": VERSION,
    "GS1-CBV-Version": VERSION,
    "GS1-EPCIS-Min": VERSION,
    "GS1-EPCIS-Max": VERSION,
    "GS1-CBV-Min": VERSION,
    "GS1-CBV-Max": VERSION,
}


class Resource(StrEnum):
    """What events can be listed by."""

    eventTypes = "eventTypes"
    epcs = "epcs"
    bizSteps = "bizSteps"
    bizLocations = "bizLocations"
    readPoints = "readPoints"
    dispositions = "dispositions"


PARAMETERS = {
    Resource.eventTypes: "eventType",
    Resource.epcs: "MATCH_anyEPC",
    Resource.bizSteps: "EQ_bizStep",
    Resource.bizLocations: "EQ_bizLocation",
    Resource.readPoints: "EQ_readPoint",
    Resource.dispositions: "EQ_disposition",
}
PerPage = Annotated[int, Query(ge=1, le=10_000)]
Token = Annotated[int, Query(ge=0, le=2**53, alias="nextPageToken")]


async def _speak(request: Request) -> None:
    """Refuse a version that is not spoken: InputError PR-H118."""
    wanted = request.headers.get("gs1-epcis-version", VERSION)
    if not wanted.startswith("2.0"):
        raise InputError("PR-H118", value=wanted)


async def _partners(request: Request) -> Partners:
    """What speaks EPCIS."""
    return request.app.state.partners


ROUTER = APIRouter(prefix="/epcis", tags=["EPCIS"], responses=RESPONSES, dependencies=[Depends(_speak)])
Speaking = Annotated[Partners, Depends(_partners)]
ANY_OBJECT = {"schema": {"type": "object"}}
DOCUMENT = {"requestBody": {"required": True, "content": {JSON: ANY_OBJECT, LD_JSON: ANY_OBJECT}}}


@ROUTER.options("", status_code=204, include_in_schema=False)
@ROUTER.options("/{rest:path}", status_code=204, include_in_schema=False)
async def discover(rest: str = "") -> Response:
    """What the server speaks and takes."""
    limits = {"GS1-EPCIS-Capture-Limit": str(MAX_EVENTS), "Allow": "GET, POST, DELETE, OPTIONS"}
    return Response(status_code=204, headers=STANDARD_HEADERS | limits)


@ROUTER.get("", response_class=Response)
async def list_resources(caller: Calling) -> Response:
    """The top-level resources."""
    return _collection(RESOURCES)


@ROUTER.post("/capture", status_code=202, response_class=Response, openapi_extra=DOCUMENT)
async def capture(request: Request, caller: Calling, partners: Speaking) -> Response:
    """Take an EPCIS document; the job tells what became of it."""
    body = await read_body(request)
    _expect(request, JSON, LD_JSON)
    behaviour = request.headers.get("gs1-capture-error-behaviour", "rollback")
    job_id = await run_in_threadpool(partners.capture.take, caller, body, behaviour)
    headers = STANDARD_HEADERS | {"Location": f"/epcis/capture/{job_id}", "GS1-Capture-Error-Behaviour": behaviour}
    return Response(status_code=202, headers=headers | {"GS1-EPCIS-Capture-Limit": str(MAX_EVENTS)})


@ROUTER.get("/capture", response_class=Response)
async def list_jobs(
    request: Request, caller: Calling, partners: Speaking, perPage: PerPage = 30, token: Token = 0
) -> Response:
    """The capture jobs of this key, the newest first."""
    jobs = partners.capture.jobs(caller, token, perPage + 1)
    return _paged(request, to_json(jobs[:perPage]), token + perPage if len(jobs) > perPage else None)


@ROUTER.get("/capture/{job_id}", response_class=Response)
async def read_job(job_id: Id, caller: Calling, partners: Speaking) -> Response:
    """The state of a capture job."""
    return _answer(to_json(partners.capture.job(caller, job_id)))


@ROUTER.post("/events", status_code=201, response_class=Response, openapi_extra=DOCUMENT)
async def capture_event(request: Request, caller: Calling, partners: Speaking) -> Response:
    """Take one event at once."""
    body = await read_body(request)
    _expect(request, JSON, LD_JSON)
    event_id = await run_in_threadpool(partners.capture.take_one, caller, body)
    return Response(status_code=201, headers=STANDARD_HEADERS | {"Location": f"/epcis/events/{event_id}"})


@ROUTER.get("/events", response_class=Response)
async def ask(request: Request, caller: Calling, desk: Serving, partners: Speaking) -> Response:
    """The events that match; every parameter of SimpleEventQuery."""
    return await _ask(request, caller, partners, _parameters(request), {"queryName": "SimpleEventQuery"})


@ROUTER.get("/events/{event_id:path}", response_class=Response)
async def read_event(event_id: Id, request: Request, caller: Calling, partners: Speaking) -> Response:
    """One event by its eventID."""
    event = await run_in_threadpool(partners.questions.event, caller, event_id)
    return _document(request, [event], partners, {"queryName": "SimpleEventQuery"}, "")


@ROUTER.get("/queries", response_class=Response)
async def list_queries(caller: Calling, partners: Speaking) -> Response:
    """The questions that this key keeps."""
    kept = [
        {"name": name, "query": partners.questions.named(caller, name)} for name in partners.questions.names(caller)
    ]
    return _answer(to_json(kept))


@ROUTER.post("/queries", status_code=201, response_class=Response, openapi_extra=DOCUMENT)
async def keep_query(request: Request, caller: Calling, partners: Speaking) -> Response:
    """Keep a question under a name."""
    content = await _object(request)
    name, query = content.get("name"), content.get("query")
    if not isinstance(name, str) or not 0 < len(name) <= 200 or "/" in name or not isinstance(query, Mapping):
        raise InputError("PR-H108", expected="QueryDefinition", reason="it needs a name without '/' and a query")
    await run_in_threadpool(partners.questions.keep, caller, name, query)
    return Response(status_code=201, headers=STANDARD_HEADERS | {"Location": f"/epcis/queries/{name}"})


@ROUTER.get("/queries/{name}", response_class=Response)
async def read_query(name: Id, caller: Calling, partners: Speaking) -> Response:
    """A question as it is kept."""
    return _answer(to_json({"name": name, "query": partners.questions.named(caller, name)}))


@ROUTER.delete("/queries/{name}", status_code=204, response_class=Response)
async def forget_query(name: Id, caller: Calling, partners: Speaking) -> Response:
    """Forget a question and its subscriptions."""
    await run_in_threadpool(partners.questions.forget, caller, name)
    return Response(status_code=204, headers=STANDARD_HEADERS)


@ROUTER.get("/queries/{name}/events", response_class=Response)
async def ask_named(name: Id, request: Request, caller: Calling, partners: Speaking) -> Response:
    """The events that a kept question asks for."""
    kept = partners.questions.named(caller, name)
    paging = {key: value for key, value in _parameters(request).items() if key in ("perPage", "nextPageToken")}
    return await _ask(request, caller, partners, kept | paging, {"queryName": name})


@ROUTER.get("/queries/{name}/subscriptions", response_class=Response)
async def list_subscriptions(name: Id, caller: Calling, partners: Speaking) -> Response:
    """The subscriptions to a question."""
    return _answer(to_json(partners.subscriptions.listed(caller, name)))


@ROUTER.post("/queries/{name}/subscriptions", status_code=201, response_class=Response, openapi_extra=DOCUMENT)
async def subscribe(name: Id, request: Request, caller: Calling, partners: Speaking) -> Response:
    """Have what matches sent to an address, as it comes or by a schedule."""
    wish = await _object(request)
    subscription_id = await run_in_threadpool(partners.subscriptions.subscribe, caller, name, wish)
    location = f"/epcis/queries/{name}/subscriptions/{subscription_id}"
    told = to_json(partners.subscriptions.one(caller, name, subscription_id))
    return Response(told, 201, STANDARD_HEADERS | {"Location": location}, JSON)


@ROUTER.get("/queries/{name}/subscriptions/{subscription_id}", response_class=Response)
async def read_subscription(name: Id, subscription_id: Id, caller: Calling, partners: Speaking) -> Response:
    """A subscription."""
    return _answer(to_json(partners.subscriptions.one(caller, name, subscription_id)))


@ROUTER.delete("/queries/{name}/subscriptions/{subscription_id}", status_code=204, response_class=Response)
async def unsubscribe(name: Id, subscription_id: Id, caller: Calling, partners: Speaking) -> Response:
    """End a subscription."""
    await run_in_threadpool(partners.subscriptions.end, caller, name, subscription_id)
    return Response(status_code=204, headers=STANDARD_HEADERS)


@ROUTER.post("/queries/{name}/subscriptions/{subscription_id}/test", status_code=202, response_class=Response)
async def try_subscription(name: Id, subscription_id: Id, caller: Calling, partners: Speaking) -> Response:
    """Send an empty message to the address of a subscription."""
    await run_in_threadpool(partners.subscriptions.test, caller, name, subscription_id)
    return Response(status_code=202, headers=STANDARD_HEADERS)


@ROUTER.get("/{resource}", response_class=Response)
async def list_resource(
    resource: Resource, request: Request, caller: Calling, partners: Speaking, perPage: PerPage = 30, token: Token = 0
) -> Response:
    """What events can be listed by: standard terms, or the numbers and places that the ledger tells of."""
    caller.grant.demand("events:read")
    known = {
        Resource.eventTypes: EVENT_TYPES,
        Resource.bizSteps: sorted(terms("biz_step")),
        Resource.dispositions: sorted(terms("disposition")),
    }
    if resource in known:
        return _collection(known[resource])
    subject = "epc" if resource is Resource.epcs else "place"
    found = await run_in_threadpool(partners.questions.numbers, caller, subject, token, perPage + 1)
    following = token + perPage if len(found) > perPage else None
    return _paged(request, to_json(_members(found[:perPage])), following)


@ROUTER.get("/{resource}/{value:path}/events", response_class=Response)
async def ask_resource(
    resource: Resource, value: Id, request: Request, caller: Calling, partners: Speaking
) -> Response:
    """The events of one type, number, step, place or disposition."""
    about = {PARAMETERS[resource]: value}
    return await _ask(request, caller, partners, _parameters(request) | about, {"queryName": "SimpleEventQuery"})


@ROUTER.get("/{resource}/{value:path}", response_class=Response)
async def read_resource(resource: Resource, value: Id, caller: Calling) -> Response:
    """What there is of one type, number, step, place or disposition: its events."""
    return _collection(("events",))


async def _ask(
    request: Request, caller: Caller, partners: Partners, parameters: Mapping[str, object], about: dict[str, object]
) -> Response:
    """Answer a question."""
    found, token = await run_in_threadpool(partners.questions.answer, caller, parameters)
    return _document(request, found, partners, about, token)


def _document(
    request: Request, found: Sequence[EpcisEvent], partners: Partners, about: dict[str, object], token: str
) -> Response:
    """Events as an EPCISQueryDocument, in the form of identifiers that the client asks for."""
    if request.headers.get("gs1-epc-format") in ("Always_GS1_Digital_Link",):
        found = [link_identifiers(event) for event in found]
    content = write_document(compose_document(found, partners.now(), query=about))
    return _paged(request, content, token or None, LD_JSON)


def _paged(request: Request, content: bytes, following: object, media_type: str = JSON) -> Response:
    """An answer with a link to the next page, when there is one."""
    headers = dict(STANDARD_HEADERS)
    if following is not None:
        kept = [(name, value) for name, value in request.query_params.multi_items() if name != "nextPageToken"]
        link = f"{request.url.path}?{urlencode([*kept, ('nextPageToken', following)])}"
        headers["Link"] = f'<{link}>; rel="next"'
    return Response(content, headers=headers, media_type=media_type)


def _answer(content: bytes) -> Response:
    """An answer of one page."""
    return Response(content, headers=STANDARD_HEADERS, media_type=JSON)


def _members(members: Sequence[str]) -> dict[str, object]:
    """A collection."""
    return {"@context": [CONTEXT_URL], "type": "Collection", "member": list(members)}


def _collection(members: Sequence[str]) -> Response:
    """A collection as an answer."""
    return Response(to_json(_members(members)), headers=STANDARD_HEADERS, media_type=LD_JSON)


def _parameters(request: Request) -> dict[str, object]:
    """The parameters of a question; one that is given several times means any of its values."""
    values: dict[str, object] = {}
    for name in request.query_params:
        values[name] = "|".join(request.query_params.getlist(name))
    return values


def _expect(request: Request, *known: str) -> None:
    """Refuse another content type: InputError PR-H102."""
    sent = request.headers.get("content-type", "")
    if sent.partition(";")[0].strip().lower() not in known:
        raise InputError("PR-H102", value=sent, known=", ".join(known))


async def _object(request: Request) -> dict[str, object]:
    """The JSON object of a body: InputError PR-H102, PR-H108."""
    body = await read_body(request)
    _expect(request, JSON, LD_JSON)
    try:
        content = from_json(body)
    except ValueError as error:
        raise InputError("PR-H108", expected=JSON, reason=str(error)) from error
    if not isinstance(content, dict):
        raise InputError("PR-H108", expected=JSON, reason="not an object")
    return content
