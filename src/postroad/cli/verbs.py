"""The verbs of the command line, in the order the help shows them. A new verb is one line here."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["VERBS", "Verb"]


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb, the module that holds the function of that name, and what it does in one sentence."""

    name: str
    module: str
    summary: str


VERBS = (
    Verb("run", "postroad.cli.running", "Run a scenario and draw its report."),
    Verb("explain", "postroad.cli.explanation", "Say what a code means and how to mend it."),
    Verb("version", "postroad.cli.provenance", "Show the versions of Postroad and of what it stands on."),
)
