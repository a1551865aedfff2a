"""The tracking page for people: search a number, see its journey on a line and on a map."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from postroad.core.errors import NotFound
from postroad.report.basemap import BaseMap
from postroad.report.journeymap import Stop, draw_journey_svg
from postroad.server.callers import Calling, Serving
from postroad.server.events import Id
from postroad.server.problems import RESPONSES, language_of
from postroad.service.desk import Caller, Desk

__all__ = ["ROUTER"]

ROUTER = APIRouter(tags=["page"])
FILES = {"track.js": "text/javascript", "track.css": "text/css"}
# Nothing is loaded from elsewhere and nothing runs that is not ours.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}


@ROUTER.get("/", response_class=Response, include_in_schema=False)
async def show_page() -> Response:
    """The page."""
    return Response(_read("track.html"), headers=HEADERS, media_type="text/html")


@ROUTER.get("/page/{name}", response_class=Response, include_in_schema=False)
async def show_file(name: str, request: Request) -> Response:
    """What the page loads."""
    if name not in FILES:
        raise NotFound("PR-H106", value=request.url.path)
    return Response(_read(name), headers=HEADERS, media_type=FILES[name])


@ROUTER.get("/items/{item_id}/map.svg", response_class=Response, responses=RESPONSES)
async def draw_item(item_id: Id, request: Request, caller: Calling, desk: Serving) -> Response:
    """The journey of an item on a map; NotFound PR-H119 when no place of it is known."""
    base_map = request.app.state.base_map
    content = await run_in_threadpool(_draw, desk, caller, item_id, language_of(request), base_map)
    return Response(content, headers=HEADERS, media_type="image/svg+xml")


def _draw(desk: Desk, caller: Caller, item_id: str, language: str, base_map: BaseMap | None) -> str:
    """Draw the places of an item's steps, each once in a row."""
    record = desk.find_item(caller, item_id)
    stops: list[Stop] = []
    for step in record["steps"]:
        place = step["place"]
        if place is None or step["is_void"] or place["id"] not in desk.names.coordinates:
            continue
        name = place[f"city_{language}"] or place[language]
        stop = (name, *desk.names.coordinates[place["id"]])
        if not stops or stops[-1] != stop:
            stops.append(stop)
    if not stops:
        raise NotFound("PR-H119", value=item_id)
    return draw_journey_svg(stops, record["item_id"], language, base_map)


@cache
def _read(name: str) -> str:
    """A file of the page."""
    return files("postroad.server").joinpath("page", name).read_text(encoding="utf-8")
