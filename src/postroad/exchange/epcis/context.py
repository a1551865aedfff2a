"""The JSON-LD context of a document: which full name a short one stands for.

Nothing is fetched. The prefixes of GS1's own context are known; any other remote context counts as unknown.

Source: JSON-LD 1.1 (W3C, 2020), section 4.1; the context of EPCIS 2.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["CONTEXT_URL", "EXTENSION", "PREFIX", "STANDARD", "Context", "as_list", "is_uri", "read_context"]

CONTEXT_URL = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
# The namespace of our own fields, and the prefix under which it is written.
EXTENSION = "urn:postroad:epcis:"
PREFIX = "postroad"
_PREFIXES = {
    "epcis": "https://ref.gs1.org/epcis/",
    "cbv": "https://ref.gs1.org/cbv/",
    "cbvmda": "urn:epcglobal:cbv:mda:",
    "gs1": "https://gs1.org/voc/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dcterms": "http://purl.org/dc/terms/",
}
_SCHEMES = frozenset(("http", "https", "urn", "ni", "tag", "did", "data", "geo", "mailto", "ftp", "info"))
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")


@dataclass(frozen=True, slots=True)
class Context:
    """Prefixes and terms in force; a later context overrides an earlier one.

    Attributes
    ----------
    prefixes: full beginning by prefix.
    entries: the contexts as they were sent, the document's first and the event's own after them.
    """

    prefixes: Mapping[str, str]
    entries: tuple[object, ...] = field(default=())

    def expand(self, name: str) -> str:
        """Write a compact name in full; a name without a known prefix stays as it is.

        >>> STANDARD.expand("gs1:Temperature")
        'https://gs1.org/voc/Temperature'
        """
        prefix, colon, local = name.partition(":")
        if not colon or local.startswith("//") or prefix not in self.prefixes:
            return name
        return self.prefixes[prefix] + local

    def knows(self, name: str) -> bool:
        """Whether the prefix of a compact name is declared, or the name is a full URI already."""
        prefix, _, local = name.partition(":")
        return local.startswith("//") or prefix in self.prefixes or prefix.lower() in _SCHEMES

    def split(self, name: str) -> tuple[str, str]:
        """Split a name into its namespace in full and its local part.

        >>> STANDARD.split("cbvmda:lotNumber")
        ('urn:epcglobal:cbv:mda:', 'lotNumber')
        """
        prefix, colon, local = name.partition(":")
        if colon and not local.startswith("//") and prefix in self.prefixes:
            return self.prefixes[prefix], local
        cut = max(name.rfind("#"), name.rfind("/"), name.rfind(":")) + 1
        return name[:cut], name[cut:]

    def used_by(self, content: object) -> list[object]:
        """The contexts that a JSON value needs: remote ones, and those that declare a prefix or name which is in it."""
        names = set(_names(content))
        return [
            entry
            for entry in self.entries
            if not isinstance(entry, Mapping) or any(name in names or name.startswith("@") for name in entry)
        ]

    def joined(self, content: object) -> Context:
        """The context that holds inside an object which has a context of its own."""
        return read_context(content, self)


STANDARD = Context(_PREFIXES)


def read_context(content: object, outer: Context = STANDARD) -> Context:
    """Read the value of ``@context``: a URI, an object, or a list of them.

    Parameters
    ----------
    content: as it stands in the document; what is neither is passed over (the structural check tells it).
    outer: what holds outside.

    >>> read_context([CONTEXT_URL, {"ex": "https://example.org/"}]).expand("ex:a")
    'https://example.org/a'
    """
    prefixes = dict(outer.prefixes)
    entries = as_list(content)
    for entry in entries:
        if not isinstance(entry, Mapping):
            continue
        for name, value in entry.items():
            full = value.get("@id") if isinstance(value, Mapping) else value
            if isinstance(full, str) and not name.startswith("@"):
                prefixes[name] = Context(prefixes).expand(full)
    return Context(prefixes, (*outer.entries, *entries))


def as_list(content: object) -> list[object]:
    """A value that may stand alone or in a list, as a list; nothing is the empty list."""
    if content is None:
        return []
    is_list = isinstance(content, Sequence) and not isinstance(content, str | bytes)
    return list(content) if is_list else [content]


def _names(content: object) -> Iterator[str]:
    """The names and texts of a JSON value that a context may explain, and their prefixes."""
    if isinstance(content, str):
        yield from (content, content.partition(":")[0])
    elif isinstance(content, Mapping):
        for name, value in content.items():
            yield from (name, name.partition(":")[0])
            yield from _names(value)
    elif isinstance(content, Sequence):
        for part in content:
            yield from _names(part)


def is_uri(text: str) -> bool:
    """Whether a text has the form of an absolute URI; letters outside ASCII are allowed, as in an IRI.

    >>> is_uri("urn:uuid:1"), is_uri("shipping")
    (True, False)
    """
    return _URI.fullmatch(text) is not None
