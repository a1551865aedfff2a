"""Every request is timed and leaves one line of JSON in the log ``postroad.access``."""

from __future__ import annotations

import json
import logging
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from postroad.server.metrics import LATENCY

__all__ = ["Watching"]

LOG = logging.getLogger("postroad.access")


class Watching:
    """Wraps an application. A line names the route, never the number that was asked for, and no key."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin, status = perf_counter(), 500

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            seconds = perf_counter() - begin
            route = getattr(scope.get("route"), "path", "none")
            LATENCY.labels(scope["method"], route, status).observe(seconds)
            if LOG.isEnabledFor(logging.INFO):
                line = {"method": scope["method"], "route": route, "status": status, "ms": round(1000 * seconds, 3)}
                LOG.info(json.dumps(line))
