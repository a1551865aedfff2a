"""Grants: who may do what, and which items each may see."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, model_validator

from postroad.core.errors import AccessError, InputError

__all__ = ["Grant", "Role", "known_scopes", "may_see", "roles"]

PARTY_ROLES = ("shipper", "addressee")


@dataclass(frozen=True, slots=True)
class Role:
    """What keys of a role may do.

    ``sees``: all, none, or by what the items are chosen that are seen. ``per_s``: calls a second that one key may make,
    0 for any number; ours.
    """

    role: str
    sees: str
    per_s: int
    scopes: frozenset[str]
    name_en: str
    name_zh: str
    description_en: str
    description_zh: str


@cache
def roles() -> Mapping[str, Role]:
    """The roles by name, from ``roles.csv``."""
    with files("postroad.guard").joinpath("roles.csv").open(encoding="utf-8", newline="") as handle:
        rows = [
            row | {"scopes": frozenset(row["scopes"].split()), "per_s": int(row["per_s"])}
            for row in csv.DictReader(handle)
        ]
    return {row["role"]: Role(**row) for row in rows}


def known_scopes() -> frozenset[str]:
    """Every scope that a role has."""
    return frozenset().union(*(role.scopes for role in roles().values()))


class Grant(BaseModel):
    """What a key may do.

    Attributes
    ----------
    role: one of :func:`roles`. scopes: of its role's; all of them when left out.
    operator_ids, facility_ids, party_ids: whose items are seen, as the role asks. An operator's grant without operators
    sees every item. label: for people. expires_at: aware instant after which the key is void.

    Raises
    ------
    InputError: PR-K110 an unknown role, PR-K111 a scope that the role does not have, PR-K112 nothing named by which to
    choose what is seen.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: str
    scopes: frozenset[str] | None = None
    operator_ids: frozenset[str] = frozenset()
    facility_ids: frozenset[str] = frozenset()
    party_ids: frozenset[str] = frozenset()
    label: str = ""
    expires_at: datetime | None = None

    @model_validator(mode="after")
    def _check(self) -> Grant:
        """Roles and scopes are known, and what is seen is named."""
        role = roles().get(self.role)
        if role is None:
            raise InputError("PR-K110", value=self.role, known=", ".join(roles()))
        beyond = sorted((self.scopes or frozenset()) - role.scopes)
        if beyond:
            raise InputError("PR-K111", value=", ".join(beyond), role=self.role, known=", ".join(sorted(role.scopes)))
        if (role.sees == "facility" and not self.facility_ids) or (role.sees in PARTY_ROLES and not self.party_ids):
            raise InputError(
                "PR-K112", role=self.role, value="facility_ids" if role.sees == "facility" else "party_ids"
            )
        return self

    @property
    def allowed(self) -> frozenset[str]:
        """The scopes that hold."""
        return roles()[self.role].scopes if self.scopes is None else self.scopes

    @property
    def sees(self) -> str:
        """How the items that are seen are chosen: ``all``, ``none``, operator, facility, shipper or addressee."""
        sees = roles()[self.role].sees
        return "all" if sees == "operator" and not self.operator_ids else sees

    def demand(self, scope: str) -> None:
        """Refuse who lacks a scope.

        Raises
        ------
        AccessError: PR-K120.
        """
        if scope not in self.allowed:
            raise AccessError("PR-K120", value=scope, role=self.role)


def may_see(grant: Grant, events: Iterable[Mapping[str, object]]) -> bool:
    """Whether a grant lets the item be seen that some events are about.

    Parameters
    ----------
    events: of one item: ``operator_id``, ``facility_id``, ``party_id``, ``related`` (pairs of ``role`` and ``id``).

    Assumes: an item's shipper and addressee are told by the roles of those names in ``related``.
    """
    if grant.sees in ("all", "none"):
        return grant.sees == "all"
    if grant.sees == "operator":
        return any(event["operator_id"] in grant.operator_ids for event in events)
    if grant.sees == "facility":
        return any(event["facility_id"] in grant.facility_ids for event in events)
    return any(
        pair["role"] == grant.sees and pair["id"] in grant.party_ids
        for event in events
        for pair in event["related"] or ()
    )
