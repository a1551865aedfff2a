"""Subscriptions: what matches a named question is sent to whoever subscribed, signed, in order, until it is taken.

What is to be sent stands in the outbox, on the disk, before the events' append is answered; a delivery that fails is
tried again after a pause that doubles, and the next of the same subscription waits for it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import datetime
from ipaddress import ip_address
from threading import Event, Thread
from time import time
from urllib.parse import urlsplit
from uuid import uuid4

import polars as pl
import pyarrow as pa

from postroad.core.errors import InputError, NotFound, PostroadError
from postroad.exchange.epcis.context import STANDARD
from postroad.exchange.epcis.document import compose_document, write_document
from postroad.exchange.epcis.outgoing import write_events
from postroad.exchange.epcis.query import read_query, run_query
from postroad.guard.grants import Grant
from postroad.ledger.segments import complete
from postroad.service.desk import Caller, Desk
from postroad.service.questions import Questions, own_rows
from postroad.service.records import Records
from postroad.service.schedule import Schedule

__all__ = ["SIGNATURE", "Subscriptions", "sign"]

SIGNATURE = "GS1-Signature"
FIRST_PAUSE_S, LONGEST_PAUSE_S, PATIENCE_S = 1.0, 600.0, 10.0
LOOK_S = 0.2


def sign(token: str, body: bytes) -> str:
    """The signature of a message: HMAC with SHA-256, as ``sha256=`` and hexadecimal digits."""
    return "sha256=" + hmac.new(token.encode(), body, hashlib.sha256).hexdigest()


class Subscriptions:
    """Keeps subscriptions and sends what they ask for.

    Parameters
    ----------
    desk, records: of the service. questions: whose names are subscribed to.
    """

    def __init__(self, desk: Desk, records: Records, questions: Questions) -> None:
        self._desk, self._records, self._questions = desk, records, questions
        self._stopped = Event()
        self._sender = Thread(target=self._run, name="subscriptions", daemon=True)
        self._sender.start()

    def close(self) -> None:
        """Stop sending; what is in the outbox is sent when the service starts again."""
        self._stopped.set()
        self._sender.join()

    def subscribe(self, caller: Caller, name: str, wish: Mapping[str, object]) -> str:
        """Subscribe to a named question.

        Parameters
        ----------
        wish: ``dest``, an https address, or one of this machine; ``signatureToken``, with which messages are signed;
            ``stream`` true, or a ``schedule``; ``reportIfEmpty``; ``initialRecordTime``.

        Raises
        ------
        AccessError: PR-K120. NotFound: PR-H115 no such question. InputError: PR-H116 a wish that cannot be.
        """
        caller.grant.demand("hooks:write")
        self._questions.named(caller, name)
        schedule = _read_wish(wish)
        now = self._desk.now().isoformat()
        subscription_id = str(uuid4())
        since = str(wish.get("initialRecordTime") or now)
        self._records.change(
            "INSERT INTO subscriptions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?)",
            (subscription_id, name, caller.key_id, caller.grant.model_dump_json(), wish["dest"],
             str(wish.get("signatureToken") or ""), schedule, bool(wish.get("reportIfEmpty", False)), now, since),
        )  # fmt: skip
        return subscription_id

    def listed(self, caller: Caller, name: str) -> list[dict[str, object]]:
        """The subscriptions to a question; NotFound PR-H115."""
        self._questions.named(caller, name)
        rows = self._records.rows(
            "SELECT * FROM subscriptions WHERE query_name = ? AND key_id = ? ORDER BY created_at, subscription_id",
            (name, caller.key_id),
        )
        return [_describe(row) for row in rows]

    def one(self, caller: Caller, name: str, subscription_id: str) -> dict[str, object]:
        """A subscription; NotFound PR-H115, PR-H117."""
        for subscription in self.listed(caller, name):
            if subscription["subscriptionID"] == subscription_id:
                return subscription
        raise NotFound("PR-H117", value=subscription_id)

    def end(self, caller: Caller, name: str, subscription_id: str) -> None:
        """End a subscription; what was not sent yet is not sent. NotFound as for :meth:`one`."""
        self.one(caller, name, subscription_id)
        self._records.change("DELETE FROM subscriptions WHERE subscription_id = ?", (subscription_id,))

    def test(self, caller: Caller, name: str, subscription_id: str) -> None:
        """Send an empty message as a test; errors as for :meth:`one`."""
        self.one(caller, name, subscription_id)
        self._put(subscription_id, name, [])

    def added(self, table: pa.Table) -> None:
        """Put into the outbox what new events mean for those who asked to be told at once."""
        rows = self._records.rows("SELECT * FROM subscriptions WHERE schedule IS NULL")
        if not rows:
            return
        frame = pl.DataFrame(complete(table, "events"))
        for row in rows:
            caller = Caller(row["key_id"], Grant.model_validate_json(row["granted"]))
            query = self._records.row("SELECT query FROM queries WHERE name = ?", (row["query_name"],))
            zone = self._desk.ledger.about.timezone
            written, _ = write_events(own_rows(caller, frame), self._questions.profile, timezone=zone, is_stamped=True)
            found = run_query(read_query(json.loads(query["query"]), STANDARD), written)
            if found:
                self._put(row["subscription_id"], row["query_name"], found)

    def _put(self, subscription_id: str, name: str, found: list) -> None:
        """Put a message into the outbox."""
        about = {"queryName": name, "subscriptionID": subscription_id}
        body = write_document(compose_document(found, self._desk.now(), query=about))
        self._records.change(
            "INSERT INTO outbox (subscription_id, body, due_s) VALUES (?, ?, ?)", (subscription_id, body, time())
        )

    def _run(self) -> None:
        """Send what is due and ask what is scheduled, until stopped."""
        looked = self._desk.now()
        while not self._stopped.wait(LOOK_S):
            now = self._desk.now()
            for row in self._records.rows("SELECT * FROM subscriptions WHERE schedule IS NOT NULL"):
                if Schedule.read(row["schedule"]).is_due(looked, now):
                    self._ask(row, now)
            looked = now
            first = "SELECT min(delivery_id) FROM outbox GROUP BY subscription_id"
            due = f"SELECT * FROM outbox WHERE delivery_id IN ({first}) AND due_s <= ?"
            for row in self._records.rows(due, (time(),)):
                if self._stopped.is_set():
                    return
                self._send(row)

    def _ask(self, row: Mapping[str, object], now: datetime) -> None:
        """Ask a scheduled question for what was recorded since the last time."""
        caller = Caller(row["key_id"], Grant.model_validate_json(row["granted"]))
        try:
            query = self._questions.named(caller, row["query_name"])
            window = {"GE_recordTime": row["since"], "LT_recordTime": now.isoformat(), "perPage": 10_000}
            found, _ = self._questions.answer(caller, query | window)
        except PostroadError:
            return  # it is asked again, for the whole time, when it is due again
        if found or row["report_if_empty"]:
            self._put(row["subscription_id"], row["query_name"], list(found))
        self._records.change(
            "UPDATE subscriptions SET since = ? WHERE subscription_id = ?", (now.isoformat(), row["subscription_id"])
        )

    def _send(self, row: Mapping[str, object]) -> None:
        """Send one message; keep it, to be tried again, when it is not taken."""
        subscription = self._records.row(
            "SELECT * FROM subscriptions WHERE subscription_id = ?", (row["subscription_id"],)
        )
        if subscription is None:
            return
        headers = {"Content-Type": "application/ld+json", "GS1-EPCIS-Version": "2.0.0"}
        if subscription["token"]:
            headers[SIGNATURE] = sign(subscription["token"], row["body"])
        request = urllib.request.Request(subscription["dest"], data=row["body"], headers=headers, method="POST")
        try:
            with _OPENER.open(request, timeout=PATIENCE_S):
                pass
        except (OSError, ValueError):
            pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** row["n_tries"])
            self._records.change(
                "UPDATE outbox SET n_tries = n_tries + 1, due_s = ? WHERE delivery_id = ?",
                (time() + pause, row["delivery_id"]),
            )
            return
        with self._records.changing() as database:
            database.execute("DELETE FROM outbox WHERE delivery_id = ?", (row["delivery_id"],))
            database.execute(
                "UPDATE subscriptions SET notified_at = ? WHERE subscription_id = ?",
                (self._desk.now().isoformat(), row["subscription_id"]),
            )


class _NoDetour(urllib.request.HTTPRedirectHandler):
    """A message goes where it was asked to and nowhere else."""

    def redirect_request(self, *_: object) -> None:
        """No other address."""
        return


_OPENER = urllib.request.build_opener(_NoDetour, urllib.request.ProxyHandler({}))


def _read_wish(wish: Mapping[str, object]) -> str | None:
    """The schedule of a subscription as text, None for a stream; InputError PR-H116."""
    dest, schedule, is_stream = wish.get("dest"), wish.get("schedule"), wish.get("stream") is True
    if not isinstance(dest, str) or not _may_be_sent_to(dest):
        raise InputError("PR-H116", value=f"dest: {dest}")
    if is_stream == (schedule is not None):
        raise InputError("PR-H116", value="stream, schedule")
    token, since = wish.get("signatureToken"), wish.get("initialRecordTime")
    if token is not None and not isinstance(token, str):
        raise InputError("PR-H116", value="signatureToken")
    try:
        if since is not None and datetime.fromisoformat(str(since)).tzinfo is None:
            raise ValueError
    except ValueError as error:
        raise InputError("PR-H116", value=f"initialRecordTime: {since}") from error
    if is_stream:
        return None
    if not isinstance(schedule, Mapping):
        raise InputError("PR-H116", value="schedule")
    text = json.dumps(schedule)
    Schedule.read(text)
    return text


def _may_be_sent_to(dest: str) -> bool:
    """Whether an address is one of https, or of this machine."""
    try:
        parts = urlsplit(dest)
        host = parts.hostname or ""
        is_here = host == "localhost" or (host[:1].isdigit() and ip_address(host).is_loopback)
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_here))


def _describe(row: Mapping[str, object]) -> dict[str, object]:
    """A subscription as EPCIS describes it; its token is not shown."""
    told = {
        "subscriptionID": row["subscription_id"],
        "dest": row["dest"],
        "createdAt": row["created_at"],
        "reportIfEmpty": bool(row["report_if_empty"]),
    }
    if row["notified_at"]:
        told["lastNotifiedAt"] = row["notified_at"]
    return told | ({"schedule": json.loads(row["schedule"])} if row["schedule"] else {"stream": True})
