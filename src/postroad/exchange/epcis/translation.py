"""Identifiers and standard terms of an event brought to the forms that JSON readers expect.

EPC URNs become GS1 Digital Links, URNs and web URIs of standard terms become bare words. Fields of somebody's own
stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from postroad.exchange.epcis.context import Context
from postroad.exchange.epcis.document import EpcisEvent
from postroad.exchange.epcis.fields import EVENT_TYPES, OTHER_TYPE, Field, scope_fields
from postroad.exchange.epcis.identifiers import same_identifier
from postroad.exchange.epcis.vocabulary import read_term

__all__ = ["link_identifiers"]

_URNS = ("urn:epc:id:", "urn:epc:class:")


def link_identifiers(event: EpcisEvent) -> EpcisEvent:
    """Write the EPC URNs of an event as Digital Links and its standard terms as bare words.

    Assumes: a URN of a scheme without a GS1 key, a wrong one and a pattern stay as they are, and so does a Digital Link
    on another host.

    >>> link_identifiers(EpcisEvent({"type": "ObjectEvent", "epcList": ["urn:epc:id:sscc:0614141.1234567890"]})).content
    {'type': 'ObjectEvent', 'epcList': ['https://id.gs1.org/00/106141412345678908']}
    """
    kind = event.content.get("type")
    scope = kind if kind in EVENT_TYPES else OTHER_TYPE
    return replace(event, content=_object(event.content, scope, event.context))


def _object(content: Mapping[str, object], scope: str, context: Context) -> dict[str, object]:
    """An object with its declared fields translated."""
    declared = scope_fields(scope)
    return {
        name: _value(value, declared[name], context) if name in declared else value for name, value in content.items()
    }


def _value(value: object, field: Field, context: Context) -> object:
    """A value of a declared field."""
    if isinstance(value, list):
        return [_value(part, field, context) for part in value]
    if isinstance(value, Mapping):
        return _object(value, field.of, context) if field.of else value
    if not isinstance(value, str):
        return value
    if "term" in field.form:
        return read_term(field.of, value, context).word or value
    is_urn = "uri" in field.form and value.startswith(_URNS)
    return same_identifier(value) if is_urn else value
