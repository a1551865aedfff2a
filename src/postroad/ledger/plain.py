"""Events and records as plain values, for stores that find them as frames."""

from __future__ import annotations

from abc import ABC, abstractmethod

import polars as pl

__all__ = ["PlainRecords"]


class PlainRecords(ABC):
    """Gives what a store finds as plain values; as :class:`postroad.ledger.store.Ledger` does."""

    @abstractmethod
    def events_about(self, name: str, subject: str) -> pl.DataFrame:
        """All events about a thing, in order."""

    @abstractmethod
    def item_records(self, item_id: str) -> pl.DataFrame:
        """The records of an item, by acceptance."""

    def records_about(self, name: str, subject: str) -> list[dict[str, object]]:
        """As :meth:`events_about`, each event as plain values."""
        return self.events_about(name, subject).to_dicts()

    def item_record(self, item_id: str) -> dict[str, object]:
        """The newest record of an item as plain values; empty when there is none."""
        records = self.item_records(item_id)
        return records.row(-1, named=True) if records.height else {}
