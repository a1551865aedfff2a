"""What two partners agree on: how numbers become URIs, and which step of the one is which kind of the other.

A number of our own (waybill, bag, trip, facility) is put behind a namespace; an SSCC is written as GS1 asks. Which step
becomes which kind stands in ``steps.csv``; a partner's own steps are added before it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from urllib.parse import quote, unquote

from postroad.core.errors import InputError
from postroad.core.s10 import check_s10
from postroad.events.kinds import SUBJECTS
from postroad.exchange.epcis.context import is_uri
from postroad.exchange.epcis.identifiers import Identifier, digital_link, epc_urn, read_identifier, sscc_of

__all__ = ["Namespaces", "Profile", "Step", "standard_steps"]

_FULL = re.compile(r"(https?|urn|ni|tag|did|info):\S+", re.IGNORECASE)
# GS1 keys of things that carry others.
_ASSETS = ("grai", "giai")


@dataclass(frozen=True, slots=True)
class Namespaces:
    """What stands before a number of one's own to make it a URI.

    Attributes
    ----------
    item, unit, trip, facility: absolute URIs that end in ``/``, ``:`` or ``#``, all different.
    n_prefix: length of the own GS1 company prefix; with it an SSCC is written as an EPC URN, else as a Digital Link.

    Raises
    ------
    InputError: PR-E135 for a namespace that is none, PR-E116 for a length that no prefix has.

    >>> Namespaces(item="https://example.org/waybill/").uri("item", "SF1234567890123")
    'https://example.org/waybill/SF1234567890123'
    """

    item: str = "urn:postroad:item:"
    unit: str = "urn:postroad:unit:"
    trip: str = "urn:postroad:trip:"
    facility: str = "urn:postroad:facility:"
    n_prefix: int | None = None

    def __post_init__(self) -> None:
        if self.n_prefix is not None and not 6 <= self.n_prefix <= 12:
            raise InputError("PR-E116", value="SSCC", n_prefix=self.n_prefix)
        given = [getattr(self, subject) for subject in SUBJECTS]
        for subject, namespace in zip(SUBJECTS, given, strict=True):
            is_shared = sum(other.startswith(namespace) for other in given) > 1
            if is_shared or not is_uri(f"{namespace}x") or not namespace.endswith(("/", ":", "#")):
                raise InputError("PR-E135", value=namespace, scope=subject)

    def uri(self, subject: str, number: str) -> str:
        """Write the number of an item, a unit, a trip or a facility as a URI; a URI stays as it is."""
        if _FULL.fullmatch(number) and is_uri(number):
            return number
        if subject in ("item", "unit") and sscc_of(number):
            sscc = Identifier("sscc", number)
            return digital_link(sscc) if self.n_prefix is None else epc_urn(sscc, self.n_prefix)
        return getattr(self, subject) + quote(number, safe="")

    def read(self, uri: str) -> tuple[str, str]:
        """Find the number in a URI.

        Returns
        -------
        The subject, empty when the URI does not tell it, and the number: behind a namespace of ours, an SSCC of 18
        digits, a valid S10 identifier at the end of a path; else the whole URI.

        >>> Namespaces().read("https://example.org/mail/RB123456785GB")
        ('item', 'RB123456785GB')
        """
        for subject in SUBJECTS:
            namespace = getattr(self, subject)
            if uri.startswith(namespace) and len(uri) > len(namespace):
                return subject, unquote(uri.removeprefix(namespace))
        sscc = sscc_of(uri)
        if sscc:
            return "", sscc
        last = re.split(r"[/:#=]", uri)[-1].upper()
        if check_s10(last) is None:
            return "item", last
        identifier = read_identifier(uri)
        return ("unit" if identifier and identifier.scheme in _ASSETS else ""), uri


@dataclass(frozen=True, slots=True)
class Step:
    """One step that becomes one kind; an empty field fits anything, ``biz_step`` always says what it is.

    Attributes
    ----------
    biz_step, disposition: bare standard words, or the partner's own terms as full URIs.
    subject: of what, several with spaces between.
    """

    biz_step: str
    kind: str
    event_type: str = ""
    action: str = ""
    disposition: str = ""
    subject: str = ""

    def fits(self, event_type: str, action: str, biz_step: str, disposition: str, subject: str) -> bool:
        """Whether an event is this step."""
        return (
            self.biz_step == biz_step
            and self.event_type in ("", event_type)
            and self.action in ("", action)
            and self.disposition in ("", disposition)
            and (not self.subject or subject in self.subject.split())
        )


@dataclass(frozen=True, slots=True)
class Profile:
    """How one partner's EPCIS is read and written.

    Attributes
    ----------
    namespaces: of the numbers.
    steps: the partner's own, tried before the standard ones.
    facilities: facility id by the URI the partner uses for it.
    units: URIs that are units, beyond those that stand as parents in the document.
    emsevt_field: full name of an extension field that holds a UPU EMSEVT code, which then tells the kind.
    operator_id: who had custody.
    label: what the events are; ``measured`` for real scans.
    is_ours: whether an event that another Postroad wrote comes back with all its own fields, custody and label among
        them. When not, it is read like anybody's, with ``operator_id`` and ``label`` of this profile.
    """

    namespaces: Namespaces = field(default_factory=Namespaces)
    steps: tuple[Step, ...] = ()
    facilities: Mapping[str, str] = field(default_factory=dict)
    units: frozenset[str] = frozenset()
    emsevt_field: str = ""
    operator_id: str | None = None
    label: str = "measured"
    is_ours: bool = True

    def facility_id(self, uri: str) -> str:
        """The facility that a URI stands for; the URI itself when it is not known."""
        return self.facilities.get(uri) or self.namespaces.read(uri)[1]

    def facility_uri(self, facility_id: str) -> str:
        """The URI of a facility, the partner's where there is one."""
        known = next((uri for uri, name in self.facilities.items() if name == facility_id), None)
        return known or self.namespaces.uri("facility", facility_id)

    def kind_of(self, event_type: str, action: str, biz_step: str, disposition: str, subject: str) -> str | None:
        """The kind of a step; None when none fits.

        >>> Profile().kind_of("ObjectEvent", "OBSERVE", "receiving", "inactive", "item")
        'delivered'
        """
        for step in (*self.steps, *standard_steps()):
            if step.fits(event_type, action, biz_step, disposition, subject):
                return step.kind
        return None


@cache
def standard_steps() -> tuple[Step, ...]:
    """The steps of ``steps.csv``, in order."""
    with files("postroad.exchange.epcis").joinpath("steps.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    return tuple(
        Step(row["biz_step"], row["kind"], row["event_type"], row["action"], row["disposition"], row["subject"])
        for row in rows
    )
