"""The stores that a ledger may be kept in, each made and opened in its own way."""

from __future__ import annotations

from importlib import import_module
from itertools import count
from pathlib import Path

import numpy as np
import polars as pl

from postroad.core.s10 import domestic_s10
from postroad.events.columns import schema
from postroad.ledger.store import Ledger

NUMBERS = count()


class FolderStores:
    """Ledgers in folders."""

    name = "folder"

    def __init__(self, root: Path) -> None:
        self._root = root

    def create(self, **settings: object) -> Ledger:
        """A new ledger."""
        return Ledger.create(self._root / f"ledger{next(NUMBERS)}", **settings)

    def open(self, store: Ledger) -> Ledger:
        """The same ledger by another object."""
        return Ledger(store.folder)

    def again(self, store: Ledger, **settings: object) -> Ledger:
        """The same ledger by its making."""
        return Ledger.create(store.folder, **settings)

    def close(self) -> None:
        """Nothing is left open."""


class PostgresStores:
    """Ledgers in schemas of a database."""

    name = "postgres"

    def __init__(self, text: str) -> None:
        self._text = text
        self._kind = import_module("postroad.ledger.postgres.store").PostgresLedger
        self._made: list = []
        self._schemas: dict[int, str] = {}

    def create(self, **settings: object):
        """A new ledger."""
        schema = f"ledger{next(NUMBERS)}"
        return self._keep(self._kind.create(self._text, schema=schema, **settings), schema)

    def open(self, store):
        """The same ledger by another object."""
        schema = self._schemas[id(store)]
        return self._keep(self._kind(self._text, schema=schema), schema)

    def again(self, store, **settings: object):
        """The same ledger by its making."""
        schema = self._schemas[id(store)]
        return self._keep(self._kind.create(self._text, schema=schema, **settings), schema)

    def close(self) -> None:
        """Close the connections of all that were made."""
        for store in self._made:
            store.close()

    def _keep(self, store, schema: str):
        self._made.append(store)
        self._schemas[id(store)] = schema
        return store


ITEMS = domestic_s10(np.arange(40) * 977_131).tolist()


def make_flows(n_rows: int = 4) -> pl.DataFrame:
    """Flow records of which row ``k`` stands for ``k`` items."""
    numbers = {name: pl.Series([7] * n_rows, dtype=pl.Int32) for name in schema("flows").names if name.endswith("_min")}
    texts = {"origin_id": ["HGH"] * n_rows, "destination_id": ["URC"] * n_rows, "product_id": ["express"] * n_rows}
    rest = {"n_items": list(range(n_rows)), "outcome": ["delivered"] * n_rows, "n_attempts": [1] * n_rows}
    return pl.DataFrame(texts | numbers | rest)
