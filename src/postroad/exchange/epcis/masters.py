"""Master data that come with a document: which place lies in which, and what is said about a thing.

Source: GS1 EPCIS 2.0 (2022), section 6.5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from postroad.exchange.epcis.document import Document
from postroad.exchange.epcis.identifiers import same_identifier

__all__ = ["Masters", "read_masters"]


@dataclass(frozen=True, slots=True)
class Masters:
    """What is known of things by their URI.

    Attributes
    ----------
    children: direct descendants.
    attributes: values by full attribute name.
    """

    children: Mapping[str, frozenset[str]] = field(default_factory=dict)
    attributes: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    def descendants(self, uri: str) -> frozenset[str]:
        """A thing and all below it, each in the form in which identifiers compare; a circle does not matter."""
        found: set[str] = set()
        waiting = [same_identifier(uri)]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting.extend(self.children.get(name, ()))
        return frozenset(found)

    def attributes_of(self, uri: str) -> Mapping[str, object]:
        """What is said about a thing."""
        return self.attributes.get(same_identifier(uri), {})


def read_masters(document: Document) -> Masters:
    """Read the master data in the header of a document, or in query results; what is not well formed is passed over."""
    children: dict[str, frozenset[str]] = {}
    attributes: dict[str, dict[str, object]] = {}
    for element in _elements(document.content):
        name = element.get("id")
        if not isinstance(name, str):
            continue
        name = same_identifier(name)
        below = element.get("children", [])
        if isinstance(below, list):
            texts = frozenset(same_identifier(child) for child in below if isinstance(child, str))
            children[name] = children.get(name, frozenset()) | texts
        told = attributes.setdefault(name, {})
        for pair in _objects(element.get("attributes")):
            if isinstance(pair.get("id"), str):
                told[document.context.expand(pair["id"])] = pair.get("attribute")
    return Masters(children, attributes)


def _elements(content: object) -> Iterator[Mapping[str, object]]:
    """The vocabulary elements of a document."""
    holders = (
        _at(content, "epcisHeader", "epcisMasterData"),
        _at(content, "epcisBody", "queryResults", "resultsBody"),
    )
    for holder in holders:
        for vocabulary in _objects(holder.get("vocabularyList")):
            yield from _objects(vocabulary.get("vocabularyElementList"))


def _at(content: object, *names: str) -> Mapping[str, object]:
    """An object inside others; an empty one when there is none."""
    for name in names:
        content = content.get(name) if isinstance(content, Mapping) else None
    return content if isinstance(content, Mapping) else {}


def _objects(content: object) -> Iterator[Mapping[str, object]]:
    """The objects of a list."""
    yield from (part for part in content if isinstance(part, Mapping)) if isinstance(content, list) else ()
