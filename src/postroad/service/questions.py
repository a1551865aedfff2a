"""Questions in EPCIS: SimpleEventQuery over the ledger, by its parameters or under a name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

import polars as pl

from postroad.core.errors import InputError, LedgerError, NotFound
from postroad.exchange.epcis.context import STANDARD
from postroad.exchange.epcis.document import EpcisEvent
from postroad.exchange.epcis.incoming import HEAD
from postroad.exchange.epcis.outgoing import write_events
from postroad.exchange.epcis.profile import Profile
from postroad.exchange.epcis.query import cut_page, read_query, run_query
from postroad.service.desk import Caller, Desk
from postroad.service.records import Records

__all__ = ["MAX_ROWS", "Questions", "own_rows"]

MAX_ROWS = 50_000
"""Events of the ledger that one question may look at; ours."""
_INSTANTS = {
    "GE_eventTime": "occurred_at >= ?",
    "LT_eventTime": "occurred_at < ?",
    "GE_recordTime": "recorded_at >= ?",
    "LT_recordTime": "recorded_at < ?",
}
_NUMBERS = ("MATCH_epc", "MATCH_anyEPC", "MATCH_parentID")


class Questions:
    """Answers questions.

    Parameters
    ----------
    desk: whose ledger is asked. records: where named queries are kept. profile: how events are written.
    """

    def __init__(self, desk: Desk, records: Records, profile: Profile) -> None:
        self._desk, self._records, self.profile = desk, records, profile

    def answer(self, caller: Caller, parameters: Mapping[str, object]) -> tuple[Sequence[EpcisEvent], str]:
        """The page of events that a question asks for, and the token of the next page.

        Raises
        ------
        AccessError: PR-K120. InputError: PR-E201..PR-E205 of the question, PR-E204 when it looks at too many events.
        """
        caller.grant.demand("events:read")
        query = read_query(parameters, STANDARD)
        found = run_query(query, self._events(caller, parameters))
        self._desk.note_question(caller, len(found))
        return cut_page(query, found)

    def event(self, caller: Caller, event_id: str) -> EpcisEvent:
        """The event of an eventID; NotFound PR-H113."""
        caller.grant.demand("events:read")
        found, _ = self.answer(caller, {"EQ_eventID": event_id, "perPage": 1})
        if not found:
            raise NotFound("PR-H113", value=event_id)
        return found[0]

    def keep(self, caller: Caller, name: str, query: Mapping[str, object]) -> None:
        """Keep a question under a name; LedgerError PR-H114 when the name is taken, and errors of the question."""
        caller.grant.demand("events:read")
        read_query(query, STANDARD)
        values = (name, caller.key_id, json.dumps(query), self._desk.now().isoformat())
        if not self._records.change("INSERT OR IGNORE INTO queries VALUES (?, ?, ?, ?)", values):
            raise LedgerError("PR-H114", value=name)

    def named(self, caller: Caller, name: str) -> dict[str, object]:
        """A question that this key keeps under a name; NotFound PR-H115."""
        row = self._records.row("SELECT query FROM queries WHERE name = ? AND key_id = ?", (name, caller.key_id))
        if row is None:
            raise NotFound("PR-H115", value=name)
        return json.loads(row["query"])

    def names(self, caller: Caller) -> list[str]:
        """The names under which this key keeps questions."""
        caller.grant.demand("events:read")
        rows = self._records.rows("SELECT name FROM queries WHERE key_id = ? ORDER BY name", (caller.key_id,))
        return [row["name"] for row in rows]

    def forget(self, caller: Caller, name: str) -> None:
        """Forget a question and its subscriptions; NotFound PR-H115."""
        self.named(caller, name)
        self._records.change("DELETE FROM queries WHERE name = ?", (name,))

    def numbers(self, caller: Caller, subject: str, first: int, limit: int) -> list[str]:
        """URIs of the items and units (``epc``) or of the facilities (``place``) that the ledger tells of."""
        caller.grant.demand("events:read")
        if subject == "place":
            sql = "SELECT DISTINCT facility_id AS id, 'facility' AS subject FROM events"
        else:
            told = "coalesce(item_id, unit_id) AS id, if(item_id IS NULL, 'unit', 'item') AS subject"
            sql = f"SELECT DISTINCT {told} FROM events"
        where, values = _own(caller)
        frame = self._desk.ledger.query(
            f"SELECT * FROM ({sql} WHERE {where}) WHERE id IS NOT NULL ORDER BY id LIMIT {limit} OFFSET {first}", values
        )
        uri = self.profile.namespaces.uri
        return [
            self.profile.facility_uri(name) if kind == "facility" else uri(kind, name) for name, kind in frame.rows()
        ]

    def _events(self, caller: Caller, parameters: Mapping[str, object]) -> list[EpcisEvent]:
        """The events that can answer a question: all that its times and numbers leave, in the order of their ids."""
        where, values = _own(caller)
        conditions, values = [where], list(values)
        for name, condition in _INSTANTS.items():
            if name in parameters:
                conditions.append(condition)
                values.append(_instant(parameters[name]))
        numbers = self._numbers(parameters)
        if numbers is not None:
            places = ", ".join("?" * len(numbers))
            named = " OR ".join(f"{name}_id IN ({places})" for name in ("item", "unit", "trip"))
            conditions.append(f"({named} OR len(related) > 0)")
            values += 3 * numbers
        where = " AND ".join(conditions)
        frame = self._desk.ledger.events(f"{where} ORDER BY event_id", tuple(values), limit=MAX_ROWS + 1)
        if frame.height > MAX_ROWS:
            raise InputError("PR-E204", n=frame.height, limit=MAX_ROWS)
        frame = self._with_heads(frame)
        written, _ = write_events(frame, self.profile, timezone=self._desk.ledger.about.timezone, is_stamped=True)
        return written

    def _numbers(self, parameters: Mapping[str, object]) -> list[str] | None:
        """The numbers that a question is about, when they can be looked up: plain URIs without patterns."""
        uris: list[str] = []
        for name in _NUMBERS:
            if name in parameters:
                value = parameters[name]
                uris += value.split("|") if isinstance(value, str) else [str(uri) for uri in value]
        if not uris or any("*" in uri or "X" in uri for uri in uris):
            return None
        read = [self.profile.namespaces.read(uri) for uri in uris]
        return [number for _, number in read] + uris if all(number for _, number in read) else None

    def _with_heads(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The events with those that hold the EPCIS event of which they are a part."""
        heads = {
            UUID(json.loads(text)[HEAD]).bytes
            for text in frame["payload"].drop_nulls().to_list()
            if f'"{HEAD}"' in text
        }
        lacking = sorted(heads - set(frame["event_id"].to_list()))
        if not lacking:
            return frame
        places = ", ".join("?" * len(lacking))
        return pl.concat([frame, self._desk.ledger.events(f"event_id IN ({places})", tuple(lacking))])


def own_rows(caller: Caller, frame: pl.DataFrame) -> pl.DataFrame:
    """The events of a frame that a caller may read."""
    if caller.grant.sees == "all":
        return frame
    return frame.filter(pl.col("operator_id").cast(pl.String).is_in(sorted(caller.grant.operator_ids)))


def _own(caller: Caller) -> tuple[str, tuple[object, ...]]:
    """A condition on the events that a caller may read, and its values."""
    if caller.grant.sees == "all":
        return "true", ()
    names = tuple(sorted(caller.grant.operator_ids))
    return (f"operator_id IN ({', '.join('?' * len(names))})" if names else "false"), names


def _instant(value: object) -> datetime:
    """An instant of a question; what is none is refused by the question itself."""
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise InputError("PR-H108", expected="dateTime", reason=str(error)) from error
    if at.tzinfo is None:
        raise InputError("PR-H108", expected="dateTime", reason=f"'{value}' has no time zone")
    return at.astimezone(UTC)
