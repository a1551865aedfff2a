"""Callers: who shows which key, and whether the rate allows another call."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from postroad.core.errors import AccessError
from postroad.guard.grants import roles
from postroad.service.desk import Caller, Desk

__all__ = ["Calling", "Serving", "desk_of"]

STRANGERS_PER_S = 5.0
_BEARER = HTTPBearer(auto_error=False, description="A key made with `postroad key make` or POST /keys.")


def desk_of(request: Request) -> Desk:
    """The desk that serves."""
    return request.app.state.desk


async def _recognise(
    request: Request, shown: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
) -> Caller:
    """Who calls; AccessError PR-K121, LimitReached PR-H103."""
    rates, desk, key = request.app.state.rates, desk_of(request), shown.credentials if shown else ""
    try:
        caller = desk.recognise(key)
    except AccessError:
        # Beyond its rate a stranger does not fill the log either.
        rates.take(f"stranger {request.client.host if request.client else ''}", STRANGERS_PER_S)
        desk.note_stranger(key)
        raise
    rates.take(caller.key_id, roles()[caller.grant.role].per_s)
    return caller


async def _serve(request: Request) -> Desk:
    """The desk, without a thread of its own."""
    return desk_of(request)


Calling = Annotated[Caller, Depends(_recognise)]
Serving = Annotated[Desk, Depends(_serve)]
