"""SimpleEventQuery of EPCIS 2.0 over events in memory: parameters read once, then tested, ordered, counted and paged.

Source: GS1 EPCIS 2.0 (2022), section 8.2.7.1; names of exceptions from section 8.2.6 and the OpenAPI binding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from postroad.core.digests import digest_mapping
from postroad.core.errors import InputError, InternalError, PostroadError
from postroad.core.findings import Findings
from postroad.exchange.epcis.context import STANDARD, Context, read_context
from postroad.exchange.epcis.document import EpcisEvent
from postroad.exchange.epcis.masters import Masters
from postroad.exchange.epcis.parameters import Test, read_parameter
from postroad.exchange.epcis.structure import read_instant
from postroad.exchange.epcis.values import own_values

__all__ = ["PER_PAGE", "Query", "cut_page", "exception_of", "read_query", "run_query"]

PER_PAGE = 30
_COUNTS = ("eventCountLimit", "maxEventCount", "perPage")
_CONTROLS = (*_COUNTS, "orderBy", "orderDirection", "nextPageToken", "@context")
_EXCEPTIONS = {
    "PR-E201": ("QueryParameterException", 400),
    "PR-E202": ("QueryParameterException", 400),
    "PR-E203": ("QueryParameterException", 400),
    "PR-E204": ("QueryTooLargeException", 413),
    "PR-E205": ("QueryParameterException", 400),
}


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was read.

    Attributes
    ----------
    tests: all of which an event has to pass.
    order_by: ``eventTime``, ``recordTime``, the full name of an extension field, or empty.
    is_ascending: direction of the order.
    n_first: keep only so many; None for all.
    n_most: refuse more than so many; None for any number.
    n_page: events a page.
    token: the page to begin with; empty for the first.
    digest: names the query; pages do not count.
    """

    tests: tuple[Test, ...]
    order_by: str = ""
    is_ascending: bool = False
    n_first: int | None = None
    n_most: int | None = None
    n_page: int = PER_PAGE
    token: str = ""
    digest: str = ""

    def matches(self, event: EpcisEvent, masters: Masters | None = None) -> bool:
        """Whether an event passes all tests."""
        known = masters or Masters()
        return all(test(event, known) for test in self.tests)


def read_query(parameters: Mapping[str, object], context: Context = STANDARD) -> Query:
    """Read the parameters of a query.

    Parameters
    ----------
    parameters: by name; values as in a URL (text, ``|`` between several) or as in a JSON body (lists, numbers).
    context: prefixes for fields of somebody's own, beyond those in ``@context`` among the parameters.

    Raises
    ------
    InputError: PR-C001 with all that is wrong: PR-E201 an unknown parameter, PR-E202 a value that does not fit, PR-E203
        parameters that exclude or need one another.

    >>> query = read_query({"EQ_bizStep": "shipping|receiving", "orderBy": "eventTime"})
    >>> query.matches(EpcisEvent({"type": "ObjectEvent", "bizStep": "urn:epcglobal:cbv:bizstep:shipping"}))
    True
    """
    findings = Findings()
    if "@context" in parameters:
        context = read_context(parameters["@context"], context)
    given = {name: value for name, value in parameters.items() if name not in _CONTROLS}
    tests = [read_parameter(name, value, context, findings) for name, value in given.items()]
    counts = {name: _read_count(name, parameters[name], findings) for name in _COUNTS if name in parameters}
    order = str(parameters.get("orderBy", ""))
    if order and order not in ("eventTime", "recordTime") and (":" not in order or not context.knows(order)):
        expected = ("eventTime, recordTime or a field with its namespace", "eventTime、recordTime 或带命名空间的字段")
        _refuse("orderBy", order, expected, findings)
    direction = parameters.get("orderDirection", "DESC")
    if direction not in ("ASC", "DESC"):
        _refuse("orderDirection", direction, ("ASC or DESC", "ASC 或 DESC"), findings)
    if "eventCountLimit" in counts and "maxEventCount" in counts:
        rule = ("excludes maxEventCount", "与 maxEventCount 互斥")
        findings.add("PR-E203", table="query", parameter="eventCountLimit", rule=rule[0], rule_zh=rule[1])
    if "eventCountLimit" in counts and not order:
        findings.add(
            "PR-E203", table="query", parameter="eventCountLimit", rule="needs orderBy", rule_zh="需要 orderBy"
        )
    findings.raise_on_errors()
    named = {**given, **{name: parameters[name] for name in _CONTROLS if name in parameters}}
    named = {name: value for name, value in named.items() if name not in ("perPage", "nextPageToken")}
    return Query(
        tuple(test for test in tests if test is not None),
        context.expand(order),
        direction == "ASC",
        counts.get("eventCountLimit"),
        counts.get("maxEventCount"),
        counts.get("perPage", PER_PAGE),
        str(parameters.get("nextPageToken", "")),
        digest_mapping(named),
    )


def run_query(
    query: Query, events: Iterable[EpcisEvent], masters: Masters | None = None, *, limit: int | None = None
) -> list[EpcisEvent]:
    """Find the events that a query asks for, in its order.

    Parameters
    ----------
    events: in an order that stays the same from call to call, so that pages fit together.
    masters: for WD, HASATTR and EQATTR parameters.
    limit: the most the asker may have, whatever the query says.

    Raises
    ------
    InputError: PR-E204 when there are more than maxEventCount or ``limit``.

    Assumes: events that lack the field of the order come last.
    """
    found = [event for event in events if query.matches(event, masters)]
    if query.order_by:
        keyed = [(_sort_key(event, query.order_by), event) for event in found]
        lacking = [event for key, event in keyed if key is None]
        having = sorted((pair for pair in keyed if pair[0]), key=lambda pair: pair[0], reverse=not query.is_ascending)
        found = [event for _, event in having] + lacking
    if query.n_first is not None:
        found = found[: query.n_first]
    most = min((count for count in (query.n_most, limit) if count is not None), default=None)
    if most is not None and len(found) > most:
        raise InputError("PR-E204", n=len(found), limit=most)
    return found


def cut_page(query: Query, found: Sequence[EpcisEvent]) -> tuple[Sequence[EpcisEvent], str]:
    """Cut the page that a query asks for out of all it finds.

    Returns
    -------
    The events of the page, and the token of the next one; empty when this is the last.

    Raises
    ------
    InputError: PR-E205 for a token of another query.
    """
    start = 0
    if query.token:
        place, _, digest = query.token.partition("-")
        if digest != query.digest or not place.isascii() or not place.isdigit():
            raise InputError("PR-E205", value=query.token)
        start = int(place)
    end = start + query.n_page
    return found[start:end], (f"{end}-{query.digest}" if end < len(found) else "")


def exception_of(error: PostroadError) -> tuple[str, int]:
    """The name that EPCIS has for a refusal, and its HTTP status.

    >>> exception_of(InputError("PR-E204", n=9, limit=5))
    ('QueryTooLargeException', 413)
    """
    codes = [error.code, *(finding.code for finding in error.findings)]
    for code in codes:
        if code in _EXCEPTIONS:
            return _EXCEPTIONS[code]
    if isinstance(error, InternalError):
        return "ImplementationException", 500
    return "ValidationException", 400


def _read_count(name: str, value: object, findings: Findings) -> int | None:
    """A count of events, one at least."""
    text = str(value)
    if isinstance(value, bool) or not text.isascii() or not text.isdigit() or int(text) < (name != "maxEventCount"):
        _refuse(name, value, ("a whole number of events", "事件个数（整数）"), findings)
        return None
    return int(text)


def _refuse(name: str, value: object, expected: tuple[str, str], findings: Findings) -> None:
    """Add the finding of a value that does not fit."""
    findings.add("PR-E202", table="query", parameter=name, value=value, expected=expected[0], expected_zh=expected[1])


def _sort_key(event: EpcisEvent, order_by: str) -> tuple[int, float | str | datetime] | None:
    """What an event is ordered by; None when it lacks the field. Numbers come before instants and those before text."""
    if order_by in ("eventTime", "recordTime"):
        instant = read_instant(event.content.get(order_by))
        return None if instant is None else (1, instant)
    value = next(own_values(event, "event", order_by, is_inner=False), None)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return 0, float(value)
    if not isinstance(value, str):
        return None
    instant = read_instant(value)
    return (2, value) if instant is None else (1, instant)
