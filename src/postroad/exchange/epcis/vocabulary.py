"""The standard vocabulary of GS1 (CBV 2.0), in each of the forms in which a term is sent.

A term is a bare word (``shipping``), a URN (``urn:epcglobal:cbv:bizstep:shipping``), a web URI
(``https://ref.gs1.org/cbv/BizStep-shipping``) or a compact one (``cbv:BizStep-shipping``). A URI outside the standard's
own namespaces is the sender's own term and always allowed.

Source: GS1 Core Business Vocabulary 2.0 (2022); the lists are those of the JSON schema of EPCIS 2.0.
"""

from __future__ import annotations

import csv
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from postroad.events.kinds import vocabulary
from postroad.exchange.epcis.context import STANDARD, Context, is_uri

__all__ = ["LISTS", "Term", "near_term", "read_term", "terms", "web_uri"]


@dataclass(frozen=True, slots=True)
class Term:
    """A term as it was read.

    Attributes
    ----------
    word: the bare word of a standard term; None for any other.
    form: ``bare``, ``urn``, ``web`` (a standard term), ``own`` (the sender's), or ``unknown``: it looks like a standard
        term and is none.
    """

    word: str | None
    form: str


@dataclass(frozen=True, slots=True)
class _List:
    """A list of terms: the prefixes of its URN and web forms; no URN form when empty."""

    urn: str
    web: str


_CBV = "https://ref.gs1.org/cbv/"
_VOC = "https://gs1.org/voc/"
LISTS: Mapping[str, _List] = {
    "biz_step": _List("urn:epcglobal:cbv:bizstep:", f"{_CBV}BizStep-"),
    "disposition": _List("urn:epcglobal:cbv:disp:", f"{_CBV}Disp-"),
    "biz_transaction": _List("urn:epcglobal:cbv:btt:", f"{_CBV}BTT-"),
    "source_dest": _List("urn:epcglobal:cbv:sdt:", f"{_CBV}SDT-"),
    "error_reason": _List("urn:epcglobal:cbv:er:", f"{_CBV}ER-"),
    "component": _List("", f"{_CBV}Comp-"),
    "measurement": _List("", _VOC),
    "alert": _List("", _VOC),
    "action": _List("", ""),
}
# What begins so is of the standard, or claims to be.
_RESERVED = ("urn:epcglobal:cbv:", _CBV, "https://ns.gs1.org/cbv/", "http://ns.gs1.org/cbv/")
_RESERVED_SENSOR = (_VOC, "http://gs1.org/voc/", "https://www.gs1.org/voc/", "http://www.gs1.org/voc/")


@cache
def terms(name: str) -> frozenset[str]:
    """The bare words of a list of LISTS.

    >>> sorted(terms("error_reason"))
    ['did_not_occur', 'incorrect_data']
    """
    if name in ("biz_step", "disposition"):
        return vocabulary(name)
    with files("postroad.exchange.epcis").joinpath("terms.csv").open(encoding="utf-8", newline="") as handle:
        return frozenset(row["term"] for row in csv.DictReader(handle) if row["list"] == name)


def read_term(name: str, text: str, context: Context = STANDARD) -> Term:
    """Read a term of one of the LISTS in any of its forms.

    >>> read_term("biz_step", "urn:epcglobal:cbv:bizstep:shipping")
    Term(word='shipping', form='urn')
    >>> read_term("biz_step", "delivering")
    Term(word=None, form='unknown')
    >>> read_term("biz_step", "https://example.org/step/delivering").form
    'own'
    """
    words, forms = terms(name), LISTS[name]
    if ":" not in text:
        return Term(text, "bare") if text in words else Term(None, "unknown")
    full = context.expand(text)
    for prefix, form in ((forms.urn, "urn"), (forms.web, "web")):
        if prefix and full.startswith(prefix) and full.removeprefix(prefix) in words:
            return Term(full.removeprefix(prefix), form)
    reserved = _RESERVED + (_RESERVED_SENSOR if forms.web == _VOC else ())
    if name == "action" or full.startswith(reserved) or not is_uri(full):
        return Term(None, "unknown")
    return Term(None, "own")


def web_uri(name: str, word: str) -> str:
    """Write a bare standard word as a web URI.

    >>> web_uri("disposition", "in_transit")
    'https://ref.gs1.org/cbv/Disp-in_transit'
    """
    return f"{LISTS[name].web}{word}"


def near_term(name: str, text: str) -> str:
    """Give the standard word that is nearest to a text; empty when none is near.

    >>> near_term("biz_step", "shiping")
    'shipping'
    """
    last = text.rsplit(":", 1)[-1].rsplit("-", 1)[-1]
    near = difflib.get_close_matches(last, sorted(terms(name)), n=1)
    return near[0] if near else ""
