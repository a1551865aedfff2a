"""Postal despatches and their receptacles: the identifiers of UPU S8 and S9, and whether a despatch is all there.

**Source** UPU S8 and S9 as commonly described: the layout is marked *unverified*, since the text of S9-9 was not at
hand. 20 characters name a despatch: origin and destination office (6 each), mail category (1), sub-class (2), last
digit of the year (1), number (4). Nine more name a receptacle: serial (3), whether it is the last (1), whether it holds
registered or insured items (1), gross weight in units of 0.1 kg (4).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from postroad.core.errors import InputError
from postroad.core.findings import Finding, Findings
from postroad.exchange.upu.offices import check_office, terms

__all__ = [
    "Despatch",
    "DespatchState",
    "Receptacle",
    "check_despatch_id",
    "check_receptacle_id",
    "check_receptacles",
    "parse_despatch",
    "parse_receptacle",
]

DESPATCH_SHAPE = re.compile(r"([A-Z]{6})([A-Z]{6})([A-Z])([A-Z]{2})([0-9])([0-9]{4})")
RECEPTACLE_SHAPE = re.compile(r"([A-Z0-9]{20})([0-9]{3})([01])([01])([0-9]{4})")
DESPATCH_FORM = "AAAAAAAAAAAAAAA99999"
RECEPTACLE_FORM = DESPATCH_FORM + "999999999"


@dataclass(frozen=True, slots=True, order=True)
class Despatch:
    """A despatch: receptacles that one office sends to another under one number.

    Attributes
    ----------
    origin, destination: IMPC codes of offices of exchange.
    category: code of UPU list 115.
    subclass: code of UPU list 117.
    year_digit: last digit of the year, 0..9.
    number: 0..9999; begins anew each year in a series.
    """

    origin: str
    destination: str
    category: str
    subclass: str
    year_digit: int
    number: int

    def __str__(self) -> str:
        """The identifier of 20 characters.

        Raises
        ------
        InputError: PR-C010 when the parts do not make one.
        """
        text = f"{self.origin}{self.destination}{self.category}{self.subclass}{self.year_digit}{self.number:04d}"
        if DESPATCH_SHAPE.fullmatch(text) is None:
            raise InputError("PR-C010", kind="Despatch", kind_zh="总包识别码", value=text, form=DESPATCH_FORM)
        return text


@dataclass(frozen=True, slots=True, order=True)
class Receptacle:
    """One receptacle (bag, tray, container) of a despatch.

    Attributes
    ----------
    despatch: what it belongs to.
    serial: 1..999 within the despatch.
    is_last: whether it has the highest serial of the despatch.
    has_registered: whether it holds registered or insured items.
    weight_hg: gross weight in hectograms (0.1 kg), 0..9999.
    """

    despatch: Despatch
    serial: int
    is_last: bool
    has_registered: bool
    weight_hg: int

    @property
    def weight_kg(self) -> float:
        """Gross weight in kilograms."""
        return self.weight_hg / 10

    def __str__(self) -> str:
        """The identifier of 29 characters.

        Raises
        ------
        InputError: PR-C010 when the parts do not make one.
        """
        text = f"{self.despatch}{self.serial:03d}{self.is_last:d}{self.has_registered:d}{self.weight_hg:04d}"
        if RECEPTACLE_SHAPE.fullmatch(text) is None:
            raise InputError("PR-C010", kind="Receptacle", kind_zh="容器识别码", value=text, form=RECEPTACLE_FORM)
        return text


@dataclass(frozen=True, slots=True)
class DespatchState:
    """How much of a despatch was seen.

    Attributes
    ----------
    despatch: which.
    n_expected: serial of the receptacle that is flagged as the last; None when that was not seen.
    n_seen: different serials seen.
    missing: serials up to the last (or to the highest seen) that were not seen.
    weight_hg: sum of gross weights of the serials seen.
    is_complete: every serial seen, one of them flagged as the last and none beyond it.
    """

    despatch: Despatch
    n_expected: int | None
    n_seen: int
    missing: tuple[int, ...]
    weight_hg: int
    is_complete: bool


def parse_despatch(text: str) -> Despatch:
    """Read a despatch identifier of 20 characters (UPU S8).

    Raises
    ------
    InputError: PR-C010 when the form is another.

    >>> parse_despatch("CNBJSAUSLAXAAUN30123").number
    123
    """
    match = DESPATCH_SHAPE.fullmatch(text)
    if match is None:
        raise InputError("PR-C010", kind="Despatch", kind_zh="总包识别码", value=text, form=DESPATCH_FORM)
    return Despatch(match[1], match[2], match[3], match[4], int(match[5]), int(match[6]))


def parse_receptacle(text: str) -> Receptacle:
    """Read a receptacle identifier of 29 characters (UPU S9).

    Raises
    ------
    InputError: PR-C010 when the form is another.

    >>> bag = parse_receptacle("CNBJSAUSLAXAAUN30123001100155")
    >>> bag.serial, bag.is_last, bag.has_registered, bag.weight_kg
    (1, True, False, 15.5)
    """
    match = RECEPTACLE_SHAPE.fullmatch(text)
    if match is None or DESPATCH_SHAPE.fullmatch(match[1]) is None:
        raise InputError("PR-C010", kind="Receptacle", kind_zh="容器识别码", value=text, form=RECEPTACLE_FORM)
    return Receptacle(parse_despatch(match[1]), int(match[2]), match[3] == "1", match[4] == "1", int(match[5]))


def check_despatch_id(text: str) -> list[Finding]:
    """Say all that is wrong or odd about a despatch identifier.

    Returns
    -------
    Findings PR-C010 (form), PR-C012 (country), PR-E301 (office not in the list), PR-E302 (category), PR-E303
    (sub-class); empty when nothing is.
    """
    try:
        despatch = parse_despatch(text)
    except InputError as error:
        return [Finding(error.code, value=text, params=error.params)]
    found = [check_office(despatch.origin), check_office(despatch.destination)]
    if despatch.category not in terms("115"):
        found.append(Finding("PR-E302", value=despatch.category, params={"known": ", ".join(terms("115"))}))
    if not {despatch.subclass, despatch.subclass[0] + "*"} & terms("117").keys():
        found.append(Finding("PR-E303", value=despatch.subclass, params={"known": ", ".join(terms("117"))}))
    return [finding for finding in found if finding is not None]


def check_receptacle_id(text: str) -> list[Finding]:
    """Say all that is wrong or odd about a receptacle identifier; as :func:`check_despatch_id`, for 29 characters.

    >>> check_receptacle_id("CNBJSAUSLAXAAUN30123001100155")
    []
    """
    try:
        receptacle = parse_receptacle(text)
    except InputError as error:
        return [Finding(error.code, value=text, params=error.params)]
    found = check_despatch_id(str(receptacle.despatch))
    if receptacle.serial == 0:
        params = {"kind": "Receptacle serial", "kind_zh": "容器序号", "form": "001..999"}
        found.append(Finding("PR-C010", value="000", params=params))
    return found


def check_receptacles(
    texts: Iterable[str], weights_hg: Mapping[str, int] | None = None
) -> tuple[list[DespatchState], Findings]:
    """Say of each despatch whether all its receptacles are there.

    Parameters
    ----------
    texts: identifiers of the receptacles seen, 29 characters, in any order, of any number of despatches.
    weights_hg: gross weight that the pre-advice (PREDES) gives a despatch, by its identifier, in units of 0.1 kg.

    Returns
    -------
    One state a despatch, in the order of their identifiers, those named in ``weights_hg`` of which nothing was seen
    included; and findings: what :func:`check_receptacle_id` finds (an identifier of another form is left out), PR-E304
    a serial is missing, PR-E305 the last is not known or contradicted, PR-E306 the weights do not add up, PR-E307 a
    serial came twice with different content. The row counts from 2.

    >>> states, findings = check_receptacles(["CNBJSAUSLAXAAUN30123002100155"])
    >>> states[0].missing, list(findings.counts)
    ((1,), ['PR-E304'])
    """
    findings = Findings()
    advised = dict(weights_hg or {})
    seen: dict[Despatch, dict[int, Receptacle]] = {parse_despatch(text): {} for text in advised}
    for row, text in enumerate(texts, start=2):
        for finding in check_receptacle_id(text):
            findings.append(replace(finding, table="receptacles", row=row))
        if (match := RECEPTACLE_SHAPE.fullmatch(text)) is None or DESPATCH_SHAPE.fullmatch(match[1]) is None:
            continue
        receptacle = parse_receptacle(text)
        serials = seen.setdefault(receptacle.despatch, {})
        first = serials.setdefault(receptacle.serial, receptacle)
        if first != receptacle:
            findings.add("PR-E307", table="receptacles", row=row, value=text, first=str(first))
    states = [_judge(despatch, seen[despatch], advised.get(str(despatch)), findings) for despatch in sorted(seen)]
    return states, findings


def _judge(
    despatch: Despatch, serials: Mapping[int, Receptacle], advised_hg: int | None, findings: Findings
) -> DespatchState:
    """The state of one despatch."""
    name = str(despatch)
    flagged = sorted(serial for serial, receptacle in serials.items() if receptacle.is_last)
    highest = max(serials, default=0)
    last = flagged[-1] if flagged else None
    missing = tuple(serial for serial in range(1, max(highest, last or 0) + 1) if serial not in serials)
    weight_hg = sum(receptacle.weight_hg for receptacle in serials.values())
    is_told = len(flagged) == 1 and highest == last
    if missing:
        findings.add("PR-E304", table="despatches", value=name, missing=", ".join(map(str, missing)))
    if not is_told:
        shown = ", ".join(map(str, flagged)) or "-"
        findings.add("PR-E305", table="despatches", value=name, flagged=shown, highest=highest)
    if advised_hg is not None and advised_hg != weight_hg:
        kg = {"advised_kg": f"{advised_hg / 10:.1f}", "got_kg": f"{weight_hg / 10:.1f}"}
        findings.add("PR-E306", table="despatches", value=name, **kg)
    return DespatchState(despatch, last, len(serials), missing, weight_hg, is_told and not missing)
