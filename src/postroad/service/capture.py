"""Capture jobs: EPCIS documents taken at once, worked off one after another, never lost.

A job is on the disk before its id is given; one that a stop cut off is worked off when the service starts again, which
adds no event twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

from postroad.core.errors import InputError, NotFound, PostroadError
from postroad.core.findings import Findings
from postroad.exchange.epcis.document import read_document
from postroad.exchange.epcis.incoming import to_events
from postroad.exchange.epcis.profile import Profile
from postroad.guard.grants import Grant
from postroad.ledger.admission import REFUSED
from postroad.service.desk import Caller, Desk
from postroad.service.records import Records

__all__ = ["BEHAVIOURS", "MAX_EVENTS", "Capture"]

BEHAVIOURS = ("rollback", "proceed")
MAX_EVENTS = 10_000
"""Events of one document; ours."""

JOB = "SELECT job_id, key_id, behaviour, created_at, finished_at, success, errors FROM jobs"


class Capture:
    """Takes documents and works them off.

    Parameters
    ----------
    desk: through which events go. records: where jobs are kept. profile: how numbers and steps are read.
    """

    def __init__(self, desk: Desk, records: Records, profile: Profile) -> None:
        self._desk, self._records, self._profile = desk, records, profile
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="capture")
        for row in records.rows("SELECT job_id FROM jobs WHERE finished_at IS NULL ORDER BY created_at"):
            self._worker.submit(self._work, row["job_id"])

    def close(self) -> None:
        """Finish the job under way; those that wait go on when the service starts again."""
        self._worker.shutdown(cancel_futures=True)

    def take(self, caller: Caller, body: bytes, behaviour: str = BEHAVIOURS[0]) -> str:
        """Take a document.

        Parameters
        ----------
        body: JSON. behaviour: ``rollback``, all events or none, or ``proceed``, those that are right.

        Returns
        -------
        The id of the job.

        Raises
        ------
        AccessError: PR-K120. InputError: PR-E101 no JSON, PR-E102 no document, PR-H110 more events than are taken,
        PR-H111 an unknown behaviour.
        """
        caller.grant.demand("events:write")
        if behaviour not in BEHAVIOURS:
            raise InputError("PR-H111", value=behaviour, known=", ".join(BEHAVIOURS))
        document, findings = read_document(body)
        for finding in findings:
            if finding.code == "PR-E102" and not document.events:
                raise InputError(finding.code, at=finding.at, value=finding.value, **finding.params)
        if len(document.events) > MAX_EVENTS:
            raise InputError("PR-H110", n=len(document.events), limit=MAX_EVENTS)
        job_id = str(uuid4())
        at = self._desk.now().isoformat()
        self._records.change(
            "INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, NULL, 1, '[]')",
            (job_id, caller.key_id, caller.grant.model_dump_json(), behaviour, body, at),
        )
        self._worker.submit(self._work, job_id)
        return job_id

    def take_one(self, caller: Caller, body: bytes) -> str:
        """Take one event at once; its id in the ledger.

        Raises
        ------
        AccessError: PR-K120. InputError: PR-E101..PR-E132 of what is wrong with it, PR-H110 more than one event.
        """
        caller.grant.demand("events:write")
        document, findings = read_document(body)
        findings.raise_on_errors(InputError)
        if len(document.events) != 1:
            raise InputError("PR-H110", n=len(document.events), limit=1)
        frame, findings = to_events(document, self._profile, recorded_at=self._desk.now())
        _, more = self._desk.append(caller, frame, whole=True) if frame.height else (None, Findings())
        findings.extend(more)
        findings.raise_on_errors(InputError)
        event = document.events[0]
        return str(event.content.get("eventID") or UUID(bytes=frame["event_id"][0]).urn)

    def job(self, caller: Caller, job_id: str) -> dict[str, object]:
        """The state of a job, as EPCIS names it; NotFound PR-H112 when there is none of this key."""
        row = self._records.row(f"{JOB} WHERE job_id = ? AND key_id = ?", (job_id, caller.key_id))
        if row is None:
            raise NotFound("PR-H112", value=job_id)
        return _describe(row)

    def jobs(self, caller: Caller, first: int, limit: int) -> list[dict[str, object]]:
        """The jobs of this key, the newest first."""
        caller.grant.demand("events:write")
        order = "WHERE key_id = ? ORDER BY created_at DESC, job_id LIMIT ? OFFSET ?"
        return [_describe(row) for row in self._records.rows(f"{JOB} {order}", (caller.key_id, limit, first))]

    def _work(self, job_id: str) -> None:
        """Work a job off."""
        row = self._records.row("SELECT * FROM jobs WHERE job_id = ?", (job_id,))
        caller = Caller(row["key_id"], Grant.model_validate_json(row["granted"]))
        try:
            errors = self._append(caller, row["body"], is_whole=row["behaviour"] == "rollback")
        except PostroadError as error:
            errors = [_error(error.code, error.message())]
        self._records.change(
            "UPDATE jobs SET finished_at = ?, success = ?, errors = ?, body = NULL WHERE job_id = ?",
            (self._desk.now().isoformat(), not errors, json.dumps(errors, ensure_ascii=False), job_id),
        )

    def _append(self, caller: Caller, body: bytes, *, is_whole: bool) -> list[dict[str, object]]:
        """Add the events of a document; what is wrong with it."""
        document, findings = read_document(body)
        if is_whole and findings.errors:
            return _errors(findings)
        frame, more = to_events(document, self._profile, recorded_at=self._desk.now())
        findings.extend(more)
        if is_whole and findings.errors:
            return _errors(findings)
        receipt, more = self._desk.append(caller, frame, whole=is_whole)
        findings.extend(more)
        return _errors(findings) if findings.errors or (receipt.status == REFUSED).any() else []


def _errors(findings: Findings) -> list[dict[str, object]]:
    """What is wrong, as problems."""
    return [_error(finding.code, f"{finding.at}: {finding.message()}".lstrip(": ")) for finding in findings.errors]


def _error(code: str, text: str) -> dict[str, object]:
    """One problem of a job."""
    return {"type": f"/codes/{code}", "title": text}


def _describe(row: Mapping[str, object]) -> dict[str, object]:
    """A job as EPCIS describes it."""
    job = {
        "captureID": row["job_id"],
        "createdAt": row["created_at"],
        "running": row["finished_at"] is None,
        "success": bool(row["success"]),
        "captureErrorBehaviour": row["behaviour"],
        "errors": json.loads(row["errors"]),
    }
    return job | ({"finishedAt": row["finished_at"]} if row["finished_at"] else {})
