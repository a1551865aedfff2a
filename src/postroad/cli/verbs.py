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
    Verb("new", "postroad.cli.feeds", "Start a feed of your own."),
    Verb("check", "postroad.cli.feeds", "Tell everything that is wrong with a feed, at once."),
    Verb("show", "postroad.cli.feeds", "Show what is in a feed, in figures and as a map."),
    Verb("run", "postroad.cli.running", "Run a scenario and draw its report."),
    Verb("plan", "postroad.cli.plans", "Plan how a day's items should flow, with a proven gap."),
    Verb("drill", "postroad.cli.drills", "Rehearse the loss of a hub, a corridor or a province."),
    Verb("route", "postroad.cli.itineraries", "Find the way of an item from place to place."),
    Verb("track", "postroad.cli.kept", "Show the history of one item."),
    Verb("measure", "postroad.cli.kept", "Measure a run, by groups."),
    Verb("report", "postroad.cli.kept", "Draw the report of a run again; its tables as CSV and Excel."),
    Verb("compare", "postroad.cli.comparisons", "Hold two runs against one another."),
    Verb("sweep", "postroad.cli.comparisons", "Run a scenario over the values of one number."),
    Verb("validate", "postroad.cli.validations", "Hold the model against what was published."),
    Verb("ledger", "postroad.cli.ledgers", "Verify, back up or seal a ledger."),
    Verb("serve", "postroad.cli.serving", "Serve a ledger over HTTP: events in, items out."),
    Verb("key", "postroad.cli.serving", "Make, list or withdraw the keys of a service."),
    Verb("explain", "postroad.cli.explanation", "Say what a code means and how to mend it."),
    Verb("version", "postroad.cli.provenance", "Show the versions of Postroad and of what it stands on."),
)
