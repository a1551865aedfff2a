"""Identifiers as EPCIS carries them: EPC URNs, GS1 Digital Link URIs, and the plain keys inside both.

An EPC URN splits a key after the company prefix and leaves the check digit out; a Digital Link carries the key as it is
printed. From the URN the Digital Link follows; the way back needs the length of the company prefix.

Source: GS1 EPC Tag Data Standard 2.0 (2022), sections 6 and 7; GS1 Digital Link URI Syntax 1.2 (2022); ISO 6346 for
container numbers.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from urllib.parse import quote, unquote, urlsplit

from postroad.core.checkdigits import gs1_digit
from postroad.core.errors import InputError
from postroad.core.findings import Finding

__all__ = [
    "Identifier",
    "check_identifier",
    "digital_link",
    "epc_urn",
    "matches_epc",
    "read_identifier",
    "same_identifier",
    "sscc_of",
    "sscc_urn",
]

RESOLVER = "https://id.gs1.org"
# Schemes of the standard that have no GS1 key in them; their text is not looked into, but for the container number.
_OTHERS = ("gid", "usdod", "adi", "bic", "imovn", "itip")
_URN = re.compile(r"urn:epc:(id|class|idpat):([a-z]+):(.+)")
_CONTAINER = re.compile(r"[A-Z]{3}[JUZ][0-9]{7}")


@dataclass(frozen=True, slots=True)
class Identifier:
    """A GS1 key that was read.

    Attributes
    ----------
    scheme: the EPC scheme (``sscc``, ``sgtin`` ...).
    key: the key as printed, its check digit included.
    serial: the serial, lot or extension; empty when there is none.
    """

    scheme: str
    key: str
    serial: str = ""


@dataclass(frozen=True, slots=True)
class _Scheme:
    """One row of ``keys.csv``: how a scheme is built."""

    scheme: str
    key: str
    ai: str
    n_digits: int
    has_check: bool
    leads: bool
    lead: str
    has_serial: bool
    serial_ai: str
    serial_shape: str
    n_serial: int


def read_identifier(text: str) -> Identifier | None:
    """Read an EPC URN, a Digital Link or a plain SSCC; None when the text is none of these, or is a wrong one.

    >>> read_identifier("urn:epc:id:sscc:0614141.1234567890")
    Identifier(scheme='sscc', key='106141412345678908', serial='')
    >>> read_identifier("https://id.gs1.org/00/106141412345678908").scheme
    'sscc'
    """
    found = _read(text)
    return found if isinstance(found, Identifier) else None


def check_identifier(text: str) -> Finding | None:
    """Say what is wrong with a GS1 identifier.

    Returns
    -------
    PR-E114 when an EPC URN or a link to id.gs1.org is not built as its scheme asks, PR-E115 for a wrong check digit, or
    None. A URI that is no GS1 identifier is not judged; neither is a link on another host.

    >>> check_identifier("https://id.gs1.org/00/106141412345678901").code
    'PR-E115'
    """
    found = _read(text)
    return found if isinstance(found, Finding) else None


def digital_link(identifier: Identifier) -> str:
    """Write an identifier as the canonical GS1 Digital Link.

    >>> digital_link(Identifier("sgln", "4012345000115", "987"))
    'https://id.gs1.org/414/4012345000115/254/987'
    """
    scheme = _schemes()[identifier.scheme]
    serial = quote(identifier.serial, safe="")
    if not identifier.serial:
        return f"{RESOLVER}/{scheme.ai}/{quote(identifier.key, safe='')}"
    if scheme.serial_ai:
        return f"{RESOLVER}/{scheme.ai}/{quote(identifier.key, safe='')}/{scheme.serial_ai}/{serial}"
    return f"{RESOLVER}/{scheme.ai}/{identifier.key}{serial}"


def epc_urn(identifier: Identifier, n_prefix: int) -> str:
    """Write an identifier as an EPC URN.

    Parameters
    ----------
    n_prefix: number of digits of the company prefix, 6 to 12; a key does not tell it.

    Raises
    ------
    InputError: PR-E116 when no prefix can have this length.

    >>> epc_urn(Identifier("sscc", "106141412345678908"), 7)
    'urn:epc:id:sscc:0614141.1234567890'
    """
    scheme = _schemes()[identifier.scheme]
    body = identifier.key.removeprefix(scheme.lead)
    body = body[:-1] if scheme.has_check else body
    first = body[:1] if scheme.leads else ""
    body = body.removeprefix(first)
    if not 6 <= n_prefix <= 12 or not body[:n_prefix].isdigit() or len(body) < n_prefix:
        raise InputError("PR-E116", value=identifier.key, n_prefix=n_prefix)
    parts = [body[:n_prefix], first + body[n_prefix:]]
    if scheme.has_serial:
        parts.append(identifier.serial or "0")
    kind = "class" if scheme.scheme == "lgtin" else "id"
    return f"urn:epc:{kind}:{scheme.scheme}:{'.'.join(map(_escape, parts))}"


def sscc_of(text: str) -> str | None:
    """Find the 18 digits of an SSCC in a URN, a Digital Link or plain digits; None when there is no valid one.

    >>> sscc_of("https://example.org/00/106141412345678908")
    '106141412345678908'
    """
    found = _read(text)
    return found.key if isinstance(found, Identifier) and found.scheme == "sscc" else None


def sscc_urn(sscc: str, n_prefix: int) -> str:
    """Write an SSCC of 18 digits as an EPC URN; ``n_prefix`` and errors as for :func:`epc_urn`, and PR-E115.

    >>> sscc_urn("106141412345678908", 7)
    'urn:epc:id:sscc:0614141.1234567890'
    """
    found = _read(sscc)
    if not isinstance(found, Identifier):
        raise InputError("PR-E115", value=sscc, got=sscc[-1:], expected="?")
    return epc_urn(found, n_prefix)


def same_identifier(text: str) -> str:
    """Bring a URI to the one form in which it compares: a GS1 identifier its Digital Link, any other as it is.

    >>> same_identifier("urn:epc:id:sscc:0614141.1234567890")
    'https://id.gs1.org/00/106141412345678908'
    """
    found = _read(text) if text.startswith(("urn:epc:", "http")) else None
    return digital_link(found) if isinstance(found, Identifier) else text


def matches_epc(pattern: str, uri: str) -> bool:
    """Whether a URI is the one asked for, in any form, or fits an EPC pattern.

    Source: EPCIS 2.0 (2022), section 8.2.7.1.1.

    >>> matches_epc("urn:epc:idpat:sgtin:0614141.107346.*", "https://id.gs1.org/01/10614141073464/21/2017")
    True
    """
    if same_identifier(pattern) == same_identifier(uri):
        return True
    match = _URN.fullmatch(pattern)
    if match is None or match[1] != "idpat" or not pattern.endswith("*"):
        return False
    other = _URN.fullmatch(uri)
    if other is not None and other[2] != match[2]:
        return False
    asked, found = read_identifier(pattern), read_identifier(uri)
    if found is None or found.scheme != match[2]:
        return False
    if asked is not None:
        return asked.key == found.key
    prefix = match[3].split(".")[0]
    scheme = _schemes()[found.scheme]
    body = found.key.removeprefix(scheme.lead)
    return prefix == "*" or body[1 if scheme.leads else 0 :].startswith(prefix)


@cache
def _schemes() -> Mapping[str, _Scheme]:
    """The schemes by name."""
    with files("postroad.exchange.epcis").joinpath("keys.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    return {
        row["scheme"]: _Scheme(
            row["scheme"],
            row["key"],
            row["ai"],
            int(row["n_digits"]),
            row["has_check"] == "yes",
            row["leads"] == "yes",
            row["lead"],
            row["serial"] == "yes",
            row["serial_ai"],
            row["serial_shape"],
            int(row["n_serial"]),
        )
        for row in rows
    }


@cache
def _by_ai() -> Mapping[str, _Scheme]:
    """The first scheme of each application identifier that begins a Digital Link."""
    found: dict[str, _Scheme] = {}
    for scheme in _schemes().values():
        found.setdefault(scheme.ai, scheme)
    return found


def _read(text: str) -> Identifier | Finding | None:
    """What a text is: an identifier, a wrong one, or none of ours."""
    if text.startswith("urn:epc:"):
        return _read_urn(text)
    if text.startswith(("https://", "http://")):
        return _read_link(text)
    if len(text) == 18 and text.isascii() and text.isdigit():
        return _judged(text, "sscc", text, "")
    return None


def _read_urn(text: str) -> Identifier | Finding | None:
    """Read an EPC URN; a pattern over all serials names its class, a wider one nothing."""
    match = _URN.fullmatch(text)
    if match is None:
        return None if text.startswith(("urn:epc:tag:", "urn:epc:raw:", "urn:epc:pat:")) else _malformed(text, "")
    kind, name, rest = match.groups()
    if name in _OTHERS:
        is_wrong = name == "bic" and kind == "id" and not _is_container(rest)
        return _malformed(text, "CSQU3054383") if is_wrong else None
    scheme = _schemes().get(name)
    if scheme is None or (name == "lgtin") != (kind == "class"):
        return _malformed(text, "")
    parts = rest.split(".", 2 if scheme.has_serial else 1)
    if kind == "idpat" and "*" in parts[:2]:
        return None
    form = _form(scheme)
    if len(parts) != 2 + scheme.has_serial or re.fullmatch(r"[0-9]{6,12}", parts[0]) is None:
        return _malformed(text, form)
    prefix, reference = parts[0], unquote(parts[1])
    serial = unquote(parts[2]) if scheme.has_serial and not (kind == "idpat" and parts[2] == "*") else ""
    if scheme.has_serial and not parts[2]:
        return _malformed(text, form)
    if scheme.scheme == "sgln" and serial == "0":
        serial = ""
    if scheme.n_digits:
        if not (reference + "0").isdigit() or len(prefix + reference) != scheme.n_digits:
            return _malformed(text, form)
        body = reference[:1] + prefix + reference[1:] if scheme.leads else prefix + reference
        key = scheme.lead + body + gs1_digit(body)
    else:
        key = prefix + reference
        if not reference or len(key) > 30:
            return _malformed(text, form)
    if len(serial) > scheme.n_serial and scheme.has_serial:
        return _malformed(text, form)
    return Identifier(name, key, serial)


def _read_link(text: str) -> Identifier | Finding | None:
    """Read a Digital Link; on a host that is not GS1's only a right one counts, the rest may be anybody's path."""
    split = urlsplit(text)
    segments = [unquote(segment) for segment in split.path.split("/") if segment]
    is_own = split.netloc == "id.gs1.org"
    for place in range(len(segments) - 1):
        scheme = _by_ai().get(segments[place])
        if scheme is not None:
            found = _read_pair(text, scheme, segments[place + 1], segments[place + 2 :])
            if isinstance(found, Identifier) or is_own:
                return found
        elif is_own:
            break
    return _malformed(text, f"{RESOLVER}/00/999999999999999999") if is_own and segments else None


def _read_pair(text: str, scheme: _Scheme, value: str, rest: list[str]) -> Identifier | Finding:
    """Read the key of a Digital Link and what qualifies it."""
    qualifiers = dict(zip(rest[::2], rest[1::2], strict=False))
    for other in _schemes().values():
        if other.ai == scheme.ai and other.serial_ai in qualifiers and other.serial_ai:
            scheme = other
            break
    serial = qualifiers.get(scheme.serial_ai, "") if scheme.serial_ai else ""
    if not scheme.n_digits:
        return Identifier(scheme.scheme, value, serial) if 0 < len(value) <= 30 else _malformed(text, _form(scheme))
    n_key = len(scheme.lead) + scheme.n_digits + 1
    if scheme.ai == "01" and value.isdigit() and len(value) in (8, 12, 13):
        value = value.zfill(14)
    key, tail = value[:n_key], value[n_key:]
    is_joined = scheme.has_serial and not scheme.serial_ai
    is_shaped = len(key) == n_key and key.isascii() and key.isdigit() and key.startswith(scheme.lead)
    if not is_shaped or (tail and not is_joined) or len(tail) > scheme.n_serial:
        return _malformed(text, _form(scheme))
    return _judged(text, scheme.scheme, key, tail if is_joined else serial)


def _judged(text: str, scheme: str, key: str, serial: str) -> Identifier | Finding:
    """The identifier when its check digit is right, else what is wrong."""
    body = key.removeprefix(_schemes()[scheme].lead)
    expected = gs1_digit(body[:-1])
    if body[-1] != expected:
        return Finding("PR-E115", value=text, params={"got": body[-1], "expected": expected})
    return Identifier(scheme, key, serial)


def _form(scheme: _Scheme) -> str:
    """How an EPC URN of a scheme looks, with a company prefix of seven digits."""
    reference = "9" * (scheme.n_digits - 7) if scheme.n_digits else "X"
    kind = "class" if scheme.scheme == "lgtin" else "id"
    return f"urn:epc:{kind}:{scheme.scheme}:9999999.{reference}" + (".X" if scheme.has_serial else "")


def _malformed(text: str, form: str) -> Finding:
    """The finding of an identifier that is not built as it should be."""
    return Finding("PR-E114", value=text, params={"form": form or "urn:epc:id:SCHEME:PREFIX.REFERENCE"})


def _escape(text: str) -> str:
    """Escape what an EPC URN may not hold as it is."""
    return re.sub(r'["%&/<>?#]', lambda match: f"%{ord(match[0]):02X}", text)


def _is_container(text: str) -> bool:
    """Whether a container number has the right check digit.

    Source: ISO 6346:1995, annex A.
    """
    if _CONTAINER.fullmatch(text) is None:
        return False
    values = [int(sign) if sign.isdigit() else ord(sign) - 55 + (ord(sign) - 56) // 10 for sign in text[:10]]
    return sum(value << place for place, value in enumerate(values)) % 11 % 10 == int(text[10])
