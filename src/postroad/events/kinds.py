"""The closed list of event kinds, and the states of an item.

The list is a table, ``events/kinds.csv``: each kind with what it may happen to, its place in the order of things, the
state it leaves an item in, and its codes in UPU EMSEVT and GS1 EPCIS/CBV. A code outside the list becomes ``unknown``;
it is never taken for a likely one.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

__all__ = ["CORRECTION", "LABELS", "SUBJECTS", "UNKNOWN", "Kind", "kind_ranks", "kinds", "states", "vocabulary"]

SUBJECTS = ("item", "unit", "trip", "facility")
LABELS = ("measured", "derived", "modelled", "unverified", "simulated")
UNKNOWN = "unknown"
CORRECTION = "correction"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of event.

    Attributes
    ----------
    kind: its name.
    subjects: what it may happen to, of SUBJECTS.
    rank: causal rank, which orders events of one instant.
    phase: position in the life of an item (1 accepted ... 10 delivered); None where it has none.
    order: how the phase binds. ``fixed``: impossible once a later phase was seen. ``floating``: anywhere after
        acceptance. ``resetting``: may go back, as for a mis-sent item, and begins again from its own phase.
    state: the state it leaves an item in; empty when it changes none.
    ends: ``life`` when nothing may follow; ``leg`` when only a return may; ``declared`` when it ends until the item is
        seen again; empty otherwise.
    needs_reason: whether the sender has to say why.
    emsevt: UPU EMSEVT V3 code; empty when there is none.
    epcis_type, biz_step, disposition: GS1 EPCIS 2.0 event type and CBV 2.0 terms; empty when there are none.
    stage, stage_zh: group of the stage, and the stage in Chinese.
    text_en, text_zh: what a tracking page says; ``text_to_*`` when the next place is known, as ``{next}``.
    description_en, description_zh, source: for the reference page.
    """

    kind: str
    subjects: tuple[str, ...]
    rank: int
    phase: int | None
    order: str
    state: str
    ends: str
    needs_reason: bool
    emsevt: str
    epcis_type: str
    biz_step: str
    disposition: str
    stage: str
    stage_zh: str
    text_en: str
    text_zh: str
    text_to_en: str
    text_to_zh: str
    description_en: str
    description_zh: str
    source: str

    @property
    def is_terminal(self) -> bool:
        """Whether it ends the life of an item, or a leg of it."""
        return self.ends != ""


@cache
def kinds() -> Mapping[str, Kind]:
    """All kinds by name, in the order of the table.

    >>> kinds()["delivered"].emsevt
    'EMI'
    """
    return {row["kind"]: _read_kind(row) for row in read_table("kinds.csv")}


@cache
def kind_ranks() -> np.ndarray:
    """Causal ranks, int64 (n_kinds,), in the order of :func:`kinds`."""
    ranks = np.array([kind.rank for kind in kinds().values()], dtype=np.int64)
    ranks.setflags(write=False)
    return ranks


@cache
def states() -> Mapping[str, tuple[str, str]]:
    """Names of the states of an item, English and Chinese, by state.

    >>> states()["delivered"]
    ('Delivered', '已签收')
    """
    return {row["state"]: (row["name_en"], row["name_zh"]) for row in read_table("states.csv")}


@cache
def vocabulary(name: str) -> frozenset[str]:
    """Terms of GS1's vocabulary: ``event_type``, ``biz_step`` or ``disposition``.

    Source: GS1 EPCIS 2.0 and CBV 2.0 (2022), JSON schema of gs1/EPCIS.

    >>> "arriving" in vocabulary("biz_step"), len(vocabulary("disposition"))
    (True, 33)
    """
    return frozenset(row["value"] for row in read_table("cbv.csv") if row["list"] == name)


def read_table(name: str) -> list[dict[str, str]]:
    """Rows of one of this package's tables."""
    with files("postroad.events").joinpath(name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def _read_kind(row: Mapping[str, str]) -> Kind:
    """One row of the table as a kind."""
    return Kind(
        kind=row["kind"],
        subjects=tuple(row["subject"].split()),
        rank=int(row["rank"]),
        phase=int(row["phase"]) if row["phase"] else None,
        order=row["order"],
        needs_reason=row["needs_reason"] == "yes",
        **{name: row[name] for name in _PLAIN},
    )


_PLAIN = (
    "state",
    "ends",
    "emsevt",
    "epcis_type",
    "biz_step",
    "disposition",
    "stage",
    "stage_zh",
    "text_en",
    "text_zh",
    "text_to_en",
    "text_to_zh",
    "description_en",
    "description_zh",
    "source",
)
