"""Problems: every refusal as ``application/problem+json`` with the code it has everywhere.

Source: RFC 9457 (2023), problem details.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic_core import to_json
from starlette.exceptions import HTTPException

from postroad.core.errors import InputError, InternalError, NotFound, PostroadError
from postroad.core.findings import Finding
from postroad.exchange.epcis.query import exception_of

__all__ = ["RESPONSES", "FoundRecord", "Problem", "answer_problem", "install", "language_of", "record_finding"]

MEDIA_TYPE = "application/problem+json"
STATUS_BY_CODE = {
    "PR-K121": 401,
    "PR-H101": 413,
    "PR-H102": 415,
    "PR-H103": 429,
    "PR-H105": 405,
    "PR-H110": 413,
    "PR-H118": 406,
    "PR-L211": 507,
}


EPCIS_NAMES = {
    401: "SecurityException",
    403: "SecurityException",
    404: "NoSuchResourceException",
    406: "NotAcceptableException",
    409: "ResourceAlreadyExistsException",
    413: "CaptureLimitExceededException",
    415: "UnsupportedMediaTypeException",
}


class FoundRecord(BaseModel):
    """One finding. ``index``: of the record it is about, from 0; None when it is about the whole."""

    code: str
    severity: str
    text: str
    fix: str
    index: int | None = None
    column: str | None = None
    value: str | None = None


class Problem(BaseModel):
    """A refusal: what, where, how to mend it, and a stable code."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    fix: str
    findings: list[FoundRecord] = []


RESPONSES: dict[int | str, dict[str, object]] = {
    "4XX": {
        "description": "Refused; nothing was changed.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    },
}


def language_of(request: Request) -> str:
    """The language of the answer: ``lang`` in the query, else the first that the client accepts, else English."""
    wanted = request.query_params.get("lang") or request.headers.get("accept-language", "")
    return "zh" if wanted.lower().lstrip().startswith("zh") else "en"


def record_finding(finding: Finding, language: str) -> dict[str, object]:
    """A finding as values of JSON."""
    return {
        "code": finding.code,
        "severity": finding.severity,
        "text": finding.message(language),
        "fix": finding.fix(language),
        "index": finding.row - 2 if finding.row >= 2 else None,
        "column": finding.column or None,
        "value": finding.value or None,
    }


def answer_problem(request: Request, error: PostroadError) -> Response:
    """A refusal as an answer."""
    language = language_of(request)
    status = STATUS_BY_CODE.get(error.code, error.http_status)
    found = [record_finding(one, language) for one in error.findings if isinstance(one, Finding)]
    kind = f"/codes/{error.code}"
    if request.url.path.startswith("/epcis"):
        name, status = _as_epcis(error, status)
        kind = f"epcisException:{name}"
    content = Problem(
        type=kind,
        title=error.message(language),
        status=status,
        detail="; ".join([error.at, *(f"{one['code']} {one['text']}" for one in found)]).strip("; "),
        code=error.code,
        fix=error.fix(language),
        findings=found,
    )
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status == 429:
        headers["Retry-After"] = str(max(1, round(float(error.params.get("wait_s", 1)))))
    return Response(to_json(content), status, headers, MEDIA_TYPE)


def _as_epcis(error: PostroadError, status: int) -> tuple[str, int]:
    """The name that EPCIS has for a refusal, and its status."""
    if error.code.startswith("PR-E"):
        return exception_of(error)
    if status == 422:
        return "ValidationException", 400
    return EPCIS_NAMES.get(status, "ImplementationException"), status


def install(app: FastAPI) -> None:
    """Make every refusal of an application a problem."""

    @app.exception_handler(PostroadError)
    async def refuse(request: Request, error: PostroadError) -> Response:
        return answer_problem(request, error)

    @app.exception_handler(RequestValidationError)
    async def refuse_request(request: Request, error: RequestValidationError) -> Response:
        return answer_problem(request, InputError("PR-H104", findings=_tell(error.errors())))

    @app.exception_handler(HTTPException)
    async def refuse_way(request: Request, error: HTTPException) -> Response:
        if error.status_code == 405:
            answer = answer_problem(request, InputError("PR-H105", value=request.method, path=request.url.path))
            answer.headers.update(error.headers or {})
            return answer
        return answer_problem(request, NotFound("PR-H106", value=request.url.path))

    @app.exception_handler(Exception)
    async def fail(request: Request, error: Exception) -> Response:
        told = InternalError("PR-I002", kind=type(error).__name__, text="see the log of the server", log="its log")
        return answer_problem(request, told)


def _tell(errors: Iterable[Mapping[str, object]]) -> list[Finding]:
    """What is wrong with a request, each fault a finding."""
    found = []
    for one in errors:
        place = ".".join(str(part) for part in one["loc"])
        found.append(Finding("PR-H107", "", 0, place, str(one["msg"]), {}))
    return found
