"""The desk: every question and every delivery of events passes here, with the key of who brings it.

The desk opens a folder with a ledger and what guards it. It knows nothing of HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from postroad.core.clock import time_zone
from postroad.core.errors import AccessError, InputError, NotFound, PostroadError
from postroad.core.findings import Findings
from postroad.core.s10 import normalise_s10
from postroad.events.columns import conform
from postroad.guard.audit import AuditLog, Entry
from postroad.guard.grants import Grant, may_see
from postroad.guard.keys import KeyRing
from postroad.guard.masking import mask_party
from postroad.guard.party import PARTY_FIELDS, Party
from postroad.guard.patterns import Patterns, Unusual
from postroad.guard.vault import Vault
from postroad.ledger.admission import APPENDED, REFUSED, Receipt
from postroad.ledger.carriage import Row
from postroad.ledger.store import Ledger
from postroad.ledger.tracking import Name, describe

__all__ = ["Caller", "Desk", "Names", "access_path"]

LEDGER_FOLDER, GUARD_FOLDER = "ledger", "guard"
PARTY_ROLES = ("shipper", "addressee")
KEPT_UNUSUAL = 1000


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the id of the key and what it may do."""

    key_id: str
    grant: Grant


@dataclass(frozen=True, slots=True)
class Names:
    """What things are called, and where they are.

    ``places``, ``products``: names by id, as :func:`postroad.ledger.tracking.name_all` makes them. ``coordinates``:
    longitude and latitude of facilities, in degrees.
    """

    places: Mapping[str, Name]
    products: Mapping[str, Name]
    coordinates: Mapping[str, tuple[float, float]] = field(default_factory=dict)


class Desk:
    """A ledger in service.

    Parameters
    ----------
    folder: of the service; made when missing. timezone: IANA name, of a new ledger.
    names: of facilities and products; ids stand for themselves without. cipher: of a new vault.
    master: file of the vault's master key, when it is not in the folder.
    now: gives the present instant, aware.

    ``listeners`` are told the new events of each append, as a table, before it is answered.

    Raises
    ------
    LedgerError: PR-L207 another writer has the ledger; others as of :class:`postroad.ledger.store.Ledger` and
    :class:`postroad.guard.vault.Vault`.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        timezone: str = "UTC",
        names: Names | None = None,
        cipher: str = "aes-256-gcm",
        master: Path | str | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.folder = Path(folder)
        guard = self.folder / GUARD_FOLDER
        self.ledger = Ledger.create(self.folder / LEDGER_FOLDER, timezone=timezone)
        self.names = names or Names({}, {})
        self.keys = KeyRing(access_path(self.folder))
        self.audit = AuditLog(guard / "audit")
        self.vault = Vault(guard / "vault", cipher=cipher, master=master)
        self.now = now
        self.listeners: list[Callable[[pa.Table], None]] = []
        self.unusual: list[Unusual] = []
        self._patterns = Patterns()
        self._zone = time_zone(timezone)

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the ledger and all else."""
        self.ledger.close()
        self.audit.close()
        self.vault.close()
        self.keys.close()

    def recognise(self, key: str) -> Caller:
        """Who shows a key; AccessError PR-K121 when it is none that holds."""
        return Caller(*self.keys.recognise(key, now=self.now()))

    def note_stranger(self, key: str) -> None:
        """Write down that a key was shown that is none; only the part of it that is no secret."""
        self._note(Entry("show_key", key[:15] if key.startswith("pr_") else "", "", (), "refused"))

    def append(
        self, caller: Caller, frame: pl.DataFrame | pa.Table, *, whole: bool = False
    ) -> tuple[Receipt, Findings]:
        """Add events: those that the caller may write; none, when any is refused and the batch is to be ``whole``.

        Returns and raises as :meth:`postroad.ledger.store.Ledger.append`; finds PR-K123 of others' rows.
        """
        caller.grant.demand("events:write")
        table, findings = conform(frame, "events")
        findings.raise_on_errors(InputError)
        allowed = _may_write(caller.grant, table)
        if allowed.all():
            return self._append(table, whole=whole)
        rows = np.flatnonzero(allowed)
        refused = Findings()
        for row in np.flatnonzero(~allowed).tolist():
            column = "facility_id" if caller.grant.sees == "facility" else "operator_id"
            value = table[column][row].as_py() or ""
            refused.add("PR-K123", table="events", row=row + 2, column=column, value=value)
        status = np.full(table.num_rows, REFUSED, np.int8)
        if len(rows) and not whole:
            receipt, found = self._append(table.take(pa.array(rows)))
            status[rows] = receipt.status
            refused.extend(found.moved(lambda row: int(rows[row - 2]) + 2))
        return Receipt(status), refused

    def find_item(self, caller: Caller, item_id: str) -> dict[str, object]:
        """What a caller may know of an item: the record of :class:`postroad.ledger.tracking.Tracking`, and ``parties``,
        masked.

        Raises
        ------
        AccessError: PR-K120. NotFound: PR-L301 when there is none, or none that the caller sees; which is not told.
        """
        caller.grant.demand("items:read")
        for number in dict.fromkeys((item_id, normalise_s10(item_id))):
            events = self.ledger.records_about(number, "item")
            if events and may_see(caller.grant, events):
                break
        else:
            self._note(self._entry(caller, "find_item", (item_id,), "not_found"))
            raise NotFound("PR-L301", value=item_id, path="")
        found = describe(self.ledger, number, events, places=self.names.places, products=self.names.products)
        parties = [party | self._shown(party["party_id"]) for party in _parties(events)]
        self._note(self._entry(caller, "find_item", (number,), "shown"))
        named = {f"state_{language}": found.state_name(language) for language in ("en", "zh")}
        return found.record() | named | {"parties": parties}

    def find_events(self, caller: Caller, name: str, subject: str) -> list[Row]:
        """The events about an item, unit, trip or facility, whole.

        Raises
        ------
        AccessError: PR-K120. NotFound: PR-L310 when there is none, or none that the caller sees.
        """
        caller.grant.demand("events:read")
        events = self.ledger.records_about(name, subject)
        if not events or not may_see(caller.grant, events):
            self._note(self._entry(caller, "find_events", (name,), "not_found"))
            raise NotFound("PR-L310", value=name, subject=subject)
        self._note(self._entry(caller, "find_events", (name,), "shown"))
        return events

    def note_question(self, caller: Caller, n_found: int) -> None:
        """Write down that a caller asked for events, and how many there were."""
        self._note(self._entry(caller, "question", (f"{n_found} events",), "shown"))

    def seal_parties(self, caller: Caller, parties: Sequence[Party]) -> list[str]:
        """Keep personal data; returns a pseudonym for each, to be named in events."""
        caller.grant.demand("parties:write")
        party_ids = self.vault.seal(parties, now=self.now())
        self._note(self._entry(caller, "seal_parties", tuple(party_ids), "changed"))
        return party_ids

    def read_party(self, caller: Caller, party_id: str, purpose: str = "") -> dict[str, object]:
        """The data of a party: whole for who may read it and says why, else masked.

        Raises
        ------
        AccessError: PR-K120, PR-K124 whole data asked for without a purpose. NotFound: PR-K105, PR-K106.
        """
        if party_id in caller.grant.party_ids or caller.grant.sees == "all":
            caller.grant.demand("items:read")
        else:
            caller.grant.demand("personal:read")
        if "personal:read" not in caller.grant.allowed:
            masked = self._masked(party_id)
            self._note(self._entry(caller, "read_party", (party_id,), "shown"))
            return {"party_id": party_id, "is_masked": True, **masked}
        if not purpose.strip():
            raise AccessError("PR-K124")
        party = self.vault.read(party_id)
        shown = tuple(name for name in PARTY_FIELDS if getattr(party, name))
        self._note(self._entry(caller, "read_party", (party_id,), "shown", shown, purpose.strip()[:200]))
        return {"party_id": party_id, "is_masked": False, **party.model_dump()}

    def purge(self, caller: Caller, party_ids: Sequence[str]) -> int:
        """Destroy the data of parties for good; returns how many there were."""
        caller.grant.demand("parties:purge")
        n_purged = self.vault.purge(party_ids, now=self.now())
        self._note(self._entry(caller, "purge", tuple(party_ids), "changed"))
        return n_purged

    def make_key(self, caller: Caller, grant: Grant) -> str:
        """A new key."""
        caller.grant.demand("keys:write")
        key = self.keys.make(grant, now=self.now())
        self._note(self._entry(caller, "make_key", (key.split("_")[1],), "changed"))
        return key

    def withdraw_key(self, caller: Caller, key_id: str) -> None:
        """Make a key void; NotFound PR-K122."""
        caller.grant.demand("keys:write")
        self.keys.withdraw(key_id, now=self.now())
        self._note(self._entry(caller, "withdraw_key", (key_id,), "changed"))

    def _append(self, table: pa.Table, *, whole: bool = False) -> tuple[Receipt, Findings]:
        """Add events, and tell the new ones to whoever listens before the append is answered."""
        receipt, findings = self.ledger.append(table, now=self.now(), whole=whole)
        if self.listeners and receipt.n_appended:
            new = table if receipt.n_appended == table.num_rows else table.filter(pa.array(receipt.status == APPENDED))
            for listen in self.listeners:
                listen(new)
        return receipt, findings

    def _masked(self, party_id: str) -> dict[str, object]:
        """The data of a party as anyone entitled to the item may see it."""
        return mask_party(self.vault.read(party_id)).model_dump()

    def _shown(self, party_id: str) -> dict[str, object]:
        """The masked data of a party; nothing of one that was purged or is not of this vault."""
        try:
            return self._masked(party_id)
        except PostroadError:
            return dict.fromkeys(PARTY_FIELDS)

    def _entry(self, caller: Caller, action: str, subjects: tuple[str, ...], outcome: str, *rest: object) -> Entry:
        """What a caller did."""
        return Entry(action, caller.key_id, caller.grant.role, subjects, outcome, *rest)

    def _note(self, entry: Entry) -> None:
        """Write down what was done, and what is unusual about it."""
        at = self.now()
        self.audit.note(entry, now=at)
        for found in self._patterns.note(entry, at.astimezone(self._zone)):
            self.unusual = [*self.unusual[1 - KEPT_UNUSUAL :], found]
            self.audit.note(Entry(f"unusual:{found.rule.rule}", entry.key_id, entry.role, (), "unusual"), now=at)


def access_path(folder: Path) -> Path:
    """The file of a service's keys."""
    return folder / GUARD_FOLDER / "access.db"


def _may_write(grant: Grant, table: pa.Table) -> np.ndarray:
    """Which events a grant lets be written, bool (n_rows,): a facility's or an operator's own."""
    if grant.sees == "facility":
        own = pc.is_in(table["facility_id"].cast(pa.string()), pa.array(sorted(grant.facility_ids)))
    elif grant.sees == "operator" and "operator_id" in table.column_names:
        names = table["operator_id"].cast(pa.string())
        own = pc.or_(pc.is_null(names), pc.is_in(names, pa.array(sorted(grant.operator_ids))))
    else:
        return np.ones(table.num_rows, bool)
    return own.to_numpy(zero_copy_only=False)


def _parties(events: Sequence[Row]) -> list[dict[str, object]]:
    """The shipper and the addressee that events tell; the newest of each."""
    told = {
        pair["role"]: pair["id"] for event in events for pair in event["related"] or () if pair["role"] in PARTY_ROLES
    }
    return [{"role": role, "party_id": told[role]} for role in PARTY_ROLES if role in told]
