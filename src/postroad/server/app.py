"""The application: what answers at which address."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import Response
from prometheus_client import generate_latest
from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json

from postroad.core.errors import NotFound, registry
from postroad.core.version import release
from postroad.events.envelope import Event
from postroad.guard.grants import Grant
from postroad.ledger.tracking import frame_names, name_all
from postroad.network.feed import read
from postroad.report.basemap import read_base_map
from postroad.server import epcis, events, items, people, tracking
from postroad.server.bodies import JSON
from postroad.server.callers import Serving
from postroad.server.metrics import LEDGER_ROWS, METRICS, UNUSUAL
from postroad.server.problems import RESPONSES, Problem, install
from postroad.server.watching import Watching
from postroad.service.desk import Desk, Names
from postroad.service.partners import Partners
from postroad.service.rates import Rates

__all__ = ["Settings", "make_app", "open_desk", "serve"]

SUMMARY = "Postroad: one network, one ledger. Track every item, lose nothing. 邮路：一张网络，一本台账。"


class Settings(BaseModel):
    """How the server runs.

    ``folder``: of the service. ``feed``: whose facilities and products give their names; ids are shown without.
    ``timezone``: IANA name, of a new ledger. ``cipher``: of a new vault. ``master``: file of the vault's master key.
    ``base_map``, ``map_notice``: as of :func:`postroad.report.basemap.read_base_map`. ``max_bytes``: of one request.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path
    feed: str | None = None
    timezone: str = "UTC"
    cipher: str = "aes-256-gcm"
    master: Path | None = None
    base_map: Path | None = None
    map_notice: str = ""
    max_bytes: int = 64 << 20


def make_app(desk: Desk, settings: Settings) -> FastAPI:
    """An application that serves a desk; it closes the desk when it ends."""

    @asynccontextmanager
    async def live(app: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            app.state.partners.close()
            desk.close()

    app = FastAPI(title="Postroad", version=release(), summary=SUMMARY, lifespan=live)
    app.state.desk, app.state.settings, app.state.rates = desk, settings, Rates()
    app.state.partners = Partners(desk)
    base = settings.base_map
    app.state.base_map = None if base is None else read_base_map(base, settings.map_notice)
    install(app)
    app.add_middleware(Watching)
    app.include_router(epcis.ROUTER)
    app.include_router(tracking.ROUTER)
    app.include_router(items.ROUTER)
    app.include_router(events.ROUTER)
    app.include_router(people.ROUTER)
    _add_operations(app)
    _describe(app)
    return app


def serve() -> FastAPI:
    """The application that the environment asks for: POSTROAD_SERVE holds the settings in JSON."""
    settings = Settings.model_validate_json(os.environ["POSTROAD_SERVE"])
    return make_app(open_desk(settings), settings)


def open_desk(settings: Settings) -> Desk:
    """The desk that settings ask for; errors as of :class:`postroad.service.desk.Desk`, and of reading the feed."""
    names = None
    if settings.feed is not None:
        network = read(settings.feed)
        places, products = frame_names(network)
        sites = network.tables["facilities"].select("facility_id", "lon", "lat").drop_nulls()
        coordinates = {name: (lon, lat) for name, lon, lat in sites.rows()}
        names = Names(name_all(places, "facility_id"), name_all(products, "product_id"), coordinates)
    return Desk(
        settings.folder, timezone=settings.timezone, names=names, cipher=settings.cipher, master=settings.master
    )


class Health(BaseModel):
    """That the server answers, and how many events its ledger holds."""

    status: str
    version: str
    n_events: int


class CodeRecord(BaseModel):
    """What a code means."""

    code: str
    severity: str
    text_en: str
    text_zh: str
    fix_en: str
    fix_zh: str
    explain_en: str
    explain_zh: str


def _add_operations(app: FastAPI) -> None:
    """What needs no key: health, metrics, the codes."""

    @app.get("/health", response_model=Health, tags=["operation"])
    async def health(desk: Serving) -> Response:
        """Whether the server answers and its ledger can be read."""
        told = {"status": "ok", "version": release(), "n_events": len(desk.ledger)}
        return Response(to_json(told), media_type=JSON)

    @app.get("/metrics", tags=["operation"], response_class=Response)
    async def metrics(desk: Serving) -> Response:
        """Counts and times for Prometheus."""
        LEDGER_ROWS.set(len(desk.ledger))
        UNUSUAL.set(len(desk.unusual))
        return Response(generate_latest(METRICS), media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/codes/{code}", response_model=CodeRecord, tags=["operation"], responses=RESPONSES)
    async def explain(code: events.Id, request: Request) -> Response:
        """What a code means and how to mend it."""
        entry = registry().get(code)
        if entry is None:
            raise NotFound("PR-H106", value=request.url.path)
        told = {name: getattr(entry, name) for name in CodeRecord.model_fields}
        return Response(to_json(told), media_type=JSON)


def _describe(app: FastAPI) -> None:
    """Add to the description what is read without FastAPI: events and grants; 422 is a problem like all others."""
    plain = app.openapi

    def openapi() -> dict[str, object]:
        if app.openapi_schema is None:
            described = plain()
            schemas = described["components"]["schemas"]
            template = "#/components/schemas/{model}"
            for model in (Event, Grant, Problem):
                own = model.model_json_schema(ref_template=template)
                schemas |= own.pop("$defs", {})
                schemas[model.__name__] = own
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
            for path in described["paths"].values():
                for operation in path.values():
                    operation["responses"].pop("422", None)
        return app.openapi_schema

    app.openapi = openapi
