"""The fields of EPCIS 2.0, declared once in ``fields.csv``: which object has which, of what type, which are required.

Source: GS1 EPCIS 2.0 (2022), sections 7.3 and 7.4, and its JSON schema.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

__all__ = ["CLOSED", "COMMON", "EVENT_TYPES", "OTHER_TYPE", "Field", "scope_fields"]

COMMON = "event"
# An event of a type of somebody's own: it has what all events have, and may have what any standard type has.
OTHER_TYPE = "event of another type"
EVENT_TYPES = ("ObjectEvent", "AggregationEvent", "AssociationEvent", "TransactionEvent", "TransformationEvent")
# Objects in which a field of one's own has no place.
CLOSED = frozenset(("quantity element", "bizTransaction", "source", "destination", "persistentDisposition"))


@dataclass(frozen=True, slots=True)
class Field:
    """One declared field: what a value has to be (``form``), and of which list or object (``of``)."""

    name: str
    form: str
    of: str
    is_required: bool


@cache
def scope_fields(scope: str) -> Mapping[str, Field]:
    """The fields of an object by name; of an event those that all events have come first.

    >>> list(scope_fields("bizTransaction"))
    ['type', 'bizTransaction']
    """
    if scope == OTHER_TYPE:
        fields = {name: field for kind in EVENT_TYPES for name, field in scope_fields(kind).items()}
        return {name: replace(field, is_required=name in _required()) for name, field in fields.items()}
    found = dict(scope_fields(COMMON)) if scope in EVENT_TYPES else {}
    for row in _rows():
        if row["scope"] == scope:
            form, _, of = row["type"].partition(":")
            found[row["field"]] = Field(row["field"], form, of, row["required"] == "yes")
    return found


def _required() -> set[str]:
    """What every event has to have."""
    return {name for name, field in scope_fields(COMMON).items() if field.is_required}


@cache
def _rows() -> tuple[Mapping[str, str], ...]:
    """The rows of the table."""
    with files("postroad.exchange.epcis").joinpath("fields.csv").open(encoding="utf-8", newline="") as handle:
        return tuple(csv.DictReader(handle))
