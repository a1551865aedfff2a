"""Our own events as EPCIS, and the same events back from it.

What EPCIS has a field for stands in that field. What it has none for stands in extension fields of our namespace, so
that nothing is lost. Reading trusts those fields only when writing the result again gives the very same content.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone, tzinfo
from uuid import UUID

from pydantic import ValidationError

from postroad.events.envelope import Event
from postroad.events.kinds import CORRECTION, SUBJECTS, UNKNOWN, kinds
from postroad.exchange.epcis.context import EXTENSION, PREFIX
from postroad.exchange.epcis.document import EpcisEvent, write_instant
from postroad.exchange.epcis.naming import event_key, head_id, listed_uris, part_id
from postroad.exchange.epcis.profile import Profile
from postroad.exchange.epcis.structure import read_instant
from postroad.exchange.epcis.vocabulary import read_term

__all__ = ["compose_own", "declare_error", "own_fields", "read_own", "read_own_correction"]

_ACTIONS = {"accepted": "ADD", "bagged": "ADD", "loaded": "ADD", "unbagged": "DELETE", "destroyed": "DELETE"}
_TEXTS = {"label": "label", "operator": "operator_id", "party": "party_id", "reason": "reason"}


def compose_own(event: Event, profile: Profile, zone: tzinfo) -> dict[str, object]:
    """Write one event of ours as an EPCIS event.

    Parameters
    ----------
    zone: in which eventTime is written and whose offset is given.
    """
    kind, subject = kinds()[event.kind], main_subject(event)
    occurred = event.occurred_at.astimezone(zone)
    content: dict[str, object] = {
        "type": "ObjectEvent",
        "eventID": event.event_id.urn,
        "eventTime": write_instant(occurred),
        "recordTime": write_instant(event.recorded_at.astimezone(zone)),
        "eventTimeZoneOffset": _offset(occurred),
    }
    main = [] if subject == "facility" else [profile.namespaces.uri(subject, getattr(event, f"{subject}_id"))]
    parent = _parent(event, subject, profile)
    if kind.epcis_type == "AggregationEvent" and parent:
        content |= {"type": "AggregationEvent", "parentID": parent, "childEPCs": main}
        content["action"] = _ACTIONS[event.kind]
    else:
        content["epcList"] = main
        is_aggregation = kind.epcis_type == "AggregationEvent"
        content["action"] = "OBSERVE" if is_aggregation else _ACTIONS.get(event.kind, "OBSERVE")
    if event.kind == UNKNOWN and event.raw and event.raw.code:
        word = read_term("biz_step", event.raw.code).word
        content |= {"bizStep": word} if word else {}
    elif kind.biz_step:
        content |= {"bizStep": kind.biz_step, "disposition": kind.disposition}
    if event.facility_id:
        content["readPoint"] = {"id": profile.facility_uri(event.facility_id)}
    if "to" in event.related:
        content["destinationList"] = [{"type": "location", "destination": profile.facility_uri(event.related["to"])}]
    return content | _extension(event, subject)


def main_subject(event: Event) -> str:
    """What an event is about first: the first of its kind's subjects that it names."""
    return next(subject for subject in kinds()[event.kind].subjects if getattr(event, f"{subject}_id"))


def read_own(event: EpcisEvent, profile: Profile) -> Event | None:
    """Read an event of ours back; None when it is not one, or was changed on the way."""
    content, fields = event.content, own_fields(event)
    occurred, recorded = read_instant(content.get("eventTime")), read_instant(content.get("recordTime"))
    if "kind" not in fields or "errorDeclaration" in content or occurred is None or recorded is None:
        return None
    try:
        record = _record(content, fields, profile)
        found = Event.model_validate({**record, "occurred_at": occurred, "recorded_at": recorded})
        again = compose_own(found, profile, _zone(content["eventTimeZoneOffset"]))
    except (ValidationError, ValueError, KeyError, TypeError, StopIteration):
        return None
    return found if again == {name: value for name, value in content.items() if name != "@context"} else None


def declare_error(content: Mapping[str, object], correction: Event, zone: tzinfo) -> dict[str, object]:
    """Write a correction: the content of the event it follows again, with an error declaration."""
    declaration: dict[str, object] = {"declarationTime": write_instant(correction.occurred_at.astimezone(zone))}
    if correction.reason and read_term("error_reason", correction.reason).form in ("bare", "own"):
        declaration["reason"] = correction.reason
    kept = {name: value for name, value in content.items() if name != "errorDeclaration"}
    return {**kept, "errorDeclaration": declaration, f"{PREFIX}:correction": correction.model_dump_json()}


def read_own_correction(event: EpcisEvent) -> Event | None:
    """Read a correction of ours back; None when it is not one, or is not of the event that is declared void here."""
    text, declaration = own_fields(event).get("correction"), event.content.get("errorDeclaration")
    if not isinstance(text, str) or not isinstance(declaration, Mapping):
        return None
    try:
        found = Event.model_validate_json(text)
    except ValidationError:
        return None
    head = head_id(event_key(event))
    followed = {head, *(part_id(head, uri) for uri in listed_uris(event.content))}
    is_meant = found.follows in followed and found.occurred_at == read_instant(declaration.get("declarationTime"))
    return found if found.kind == CORRECTION and is_meant else None


def own_fields(event: EpcisEvent) -> dict[str, object]:
    """The extension fields of our namespace, by their local names."""
    found = {}
    for name, value in event.content.items():
        if ":" in name and (full := event.context.expand(name)).startswith(EXTENSION):
            found[full.removeprefix(EXTENSION)] = value
    return found


def _extension(event: Event, subject: str) -> dict[str, object]:
    """What EPCIS has no field for."""
    fields: dict[str, object] = {"kind": event.kind, "subject": subject}
    fields |= {name: getattr(event, column) for name, column in _TEXTS.items()}
    fields |= {other: getattr(event, f"{other}_id") for other in SUBJECTS[:3] if other != subject}
    fields["follows"] = event.follows.urn if event.follows else None
    if event.raw is not None:
        fields |= {"hasRaw": True, "rawCode": event.raw.code, "rawText": event.raw.text}
    if event.payload is not None:
        fields["payload"] = json.dumps(event.payload, ensure_ascii=False, sort_keys=True)
    if event.related:
        pairs = sorted(event.related.items())
        fields["related"] = [{f"{PREFIX}:role": role, f"{PREFIX}:id": name} for role, name in pairs]
    return {f"{PREFIX}:{name}": value for name, value in fields.items() if value is not None}


def _record(content: Mapping[str, object], fields: Mapping[str, object], profile: Profile) -> dict[str, object]:
    """The fields of an event of ours from its EPCIS form."""
    subject = fields["subject"]
    record: dict[str, object] = {"event_id": UUID(str(content["eventID"])), "kind": fields["kind"]}
    record |= {column: fields[name] for name, column in _TEXTS.items() if name in fields}
    record |= {f"{other}_id": fields[other] for other in SUBJECTS[:3] if other in fields}
    if "readPoint" in content:
        record["facility_id"] = profile.facility_id(content["readPoint"]["id"])
    if subject != "facility":
        main = content["childEPCs"] if "childEPCs" in content else content["epcList"]
        record[f"{subject}_id"] = profile.namespaces.read(main[0])[1]
    if "follows" in fields:
        record["follows"] = UUID(str(fields["follows"]))
    if "hasRaw" in fields:
        record["raw"] = {"code": fields.get("rawCode"), "text": fields.get("rawText")}
    if "payload" in fields:
        record["payload"] = json.loads(fields["payload"])
    pairs = fields.get("related", [])
    record["related"] = {pair[f"{PREFIX}:role"]: pair[f"{PREFIX}:id"] for pair in pairs}
    return record


def _parent(event: Event, subject: str, profile: Profile) -> str | None:
    """What carries the thing that an event is about."""
    if "unit" in event.related:
        return profile.namespaces.uri("unit", event.related["unit"])
    for other in ("unit", "trip"):
        if other != subject and getattr(event, f"{other}_id"):
            return profile.namespaces.uri(other, getattr(event, f"{other}_id"))
    return None


def _offset(instant: datetime) -> str:
    """The offset of an instant as ``+08:00``; an odd one of old clocks to the minute."""
    minutes = round(instant.utcoffset().total_seconds() / 60)
    sign, minutes = "-" if minutes < 0 else "+", abs(minutes)
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"


def _zone(offset: object) -> tzinfo:
    """The fixed zone of an offset."""
    text = str(offset)
    minutes = int(text[1:3]) * 60 + int(text[4:6])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))
