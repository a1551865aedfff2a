"""The ledger: an append-only store of what happened, and the tracking that reads it."""

from postroad.ledger.admission import Receipt
from postroad.ledger.fold import Happening, ItemState, fold_item
from postroad.ledger.screen import write_screen
from postroad.ledger.simulated import RunNames, events_from_trace, flows_from_journeys, items_from_trace
from postroad.ledger.store import Ledger
from postroad.ledger.tracking import Name, Step, Tracking, find_ledger, newest_run, track

__all__ = [
    "Happening",
    "ItemState",
    "Ledger",
    "Name",
    "Receipt",
    "RunNames",
    "Step",
    "Tracking",
    "events_from_trace",
    "find_ledger",
    "flows_from_journeys",
    "fold_item",
    "items_from_trace",
    "newest_run",
    "track",
    "write_screen",
]
