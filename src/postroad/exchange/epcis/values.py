"""What a query looks at: where in an event a field stands, and how two values compare."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from postroad.exchange.epcis.context import as_list
from postroad.exchange.epcis.document import EpcisEvent
from postroad.exchange.epcis.structure import read_instant

__all__ = [
    "COMPARISONS",
    "EPC_FIELDS",
    "QUANTITY_FIELDS",
    "holders_of",
    "number_or_instant",
    "objects_of",
    "own_values",
    "uris_of",
]

COMPARISONS: Mapping[str, Callable[[object, object], bool]] = {
    "EQ": operator.eq,
    "GT": operator.gt,
    "GE": operator.ge,
    "LT": operator.lt,
    "LE": operator.le,
}
# The lists that a MATCH parameter looks into, by what follows MATCH_.
EPC_FIELDS: Mapping[str, tuple[str, ...]] = {
    "epc": ("epcList", "childEPCs"),
    "parentID": ("parentID",),
    "inputEPC": ("inputEPCList",),
    "outputEPC": ("outputEPCList",),
    "anyEPC": ("epcList", "childEPCs", "parentID", "inputEPCList", "outputEPCList"),
    "epcClass": ("quantityList", "childQuantityList"),
    "inputEPCClass": ("inputQuantityList",),
    "outputEPCClass": ("outputQuantityList",),
    "anyEPCClass": ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"),
}
QUANTITY_FIELDS = EPC_FIELDS["anyEPCClass"]


def uris_of(event: EpcisEvent, *names: str) -> Iterator[str]:
    """The URIs in fields of an event: of a place its id, of a quantity its class, of a list each part."""
    for name in names:
        for part in as_list(event.content.get(name)):
            found = (part.get("id") or part.get("epcClass")) if isinstance(part, Mapping) else part
            if isinstance(found, str):
                yield found


def objects_of(event: EpcisEvent, *names: str) -> Iterator[Mapping[str, object]]:
    """The objects in fields of an event."""
    for name in names:
        for part in as_list(event.content.get(name)):
            if isinstance(part, Mapping):
                yield part


def holders_of(event: EpcisEvent, area: str) -> Iterator[Mapping[str, object]]:
    """The objects in which fields of an area stand: the event, or what is in it (``ilmd``, ``sensorReport`` ...)."""
    if area == "event":
        yield event.content
    elif area in ("sensorMetadata", "sensorReport"):
        for element in objects_of(event, "sensorElementList"):
            yield from (part for part in as_list(element.get(area)) if isinstance(part, Mapping))
    else:
        yield from objects_of(event, area)


def own_values(event: EpcisEvent, area: str, name: str, *, is_inner: bool) -> Iterator[object]:
    """The values of an extension field, by its full name.

    Parameters
    ----------
    area: as for :func:`holders_of`.
    is_inner: look below the extension fields of the area instead of at them.
    """
    for holder in holders_of(event, area):
        for short, value in holder.items():
            if is_inner and ":" in short:
                yield from _inner_values(value, event, name)
            elif not is_inner and event.context.expand(short) == name:
                yield from as_list(value) or [value]


def number_or_instant(value: object) -> float | datetime | None:
    """A value as a number or an instant; None when it is neither. Text of digits counts as a number.

    >>> number_or_instant("20"), number_or_instant(True)
    (20.0, None)
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    if not isinstance(value, str):
        return None
    instant = read_instant(value)
    if instant is not None:
        return instant
    try:
        return float(value)
    except ValueError:
        return None


def _inner_values(content: object, event: EpcisEvent, name: str) -> Iterator[object]:
    """The values of a field anywhere inside a value."""
    for part in as_list(content):
        if isinstance(part, Mapping):
            for short, value in part.items():
                if event.context.expand(short) == name:
                    yield from as_list(value) or [value]
                yield from _inner_values(value, event, name)
