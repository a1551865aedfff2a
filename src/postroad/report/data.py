"""What a report is drawn from: plain frames and facts, checked once when they are put together."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from importlib.resources import files

import polars as pl

from postroad.core.errors import InputError
from postroad.report.basemap import BaseMap
from postroad.report.text import LABELS, Text

__all__ = [
    "CompareData",
    "Comparison",
    "Disruption",
    "ReportData",
    "RunFacts",
    "SweepData",
    "check_frame",
    "empty_frame",
]

_TYPES: dict[str, tuple[pl.DataType, ...]] = {
    "text": (pl.String(),),
    "integer": (pl.Int8(), pl.Int16(), pl.Int32(), pl.Int64(), pl.UInt8(), pl.UInt16(), pl.UInt32(), pl.UInt64()),
}
_TYPES["number"] = (*_TYPES["integer"], pl.Float32(), pl.Float64())
_EMPTY = {"text": pl.String, "integer": pl.Int64, "number": pl.Float64}


@dataclass(frozen=True, slots=True)
class _ColumnRule:
    column: str
    type: str
    is_required: bool


@cache
def _rules() -> Mapping[str, tuple[_ColumnRule, ...]]:
    rules: dict[str, list[_ColumnRule]] = {}
    with files("postroad.report").joinpath("frames.csv").open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            rules.setdefault(row["frame"], []).append(_ColumnRule(row["column"], row["type"], row["required"] == "1"))
    return {name: tuple(columns) for name, columns in rules.items()}


def empty_frame(name: str) -> pl.DataFrame:
    """An empty frame with the declared columns of ``name``: the section it feeds is left out."""
    return pl.DataFrame(schema={rule.column: _EMPTY[rule.type] for rule in _rules()[name]})


def check_frame(name: str, frame: pl.DataFrame) -> None:
    """Hold a frame against its declaration in ``report/frames.csv``.

    Errors: PR-P001 a required column is missing; PR-P006 a column has another type; PR-P002 an unknown label.
    """
    for rule in _rules()[name]:
        if rule.column not in frame.columns:
            if rule.is_required:
                raise InputError("PR-P001", frame=name, column=rule.column)
            continue
        found = frame.schema[rule.column]
        if found not in _TYPES[rule.type] and not (found == pl.Null and not rule.is_required):
            raise InputError("PR-P006", frame=name, column=rule.column, found=str(found), wanted=rule.type)
    if "label" in frame.columns:
        for label in frame["label"].unique().to_list():
            if label not in LABELS:
                raise InputError("PR-P002", frame=name, label=label)


def _check_conservation(hourly: pl.DataFrame) -> None:
    accounted = pl.sum_horizontal("delivered", "returned", "lost", "in_custody")
    broken = hourly.with_columns(accounted=accounted).filter(pl.col("created") != pl.col("accounted"))
    if len(broken):
        row = broken.row(0, named=True)
        raise InputError("PR-P007", hour=row["hour"], created=row["created"], accounted=row["accounted"])


def _check_fields(owner: object, names: tuple[str, ...]) -> None:
    for name in names:
        declared = name.removesuffix("_other")
        check_frame(declared, getattr(owner, name))
        if declared == "hourly":
            _check_conservation(getattr(owner, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What makes the run repeatable.

    Attributes
    ----------
    epoch: local midnight at which hour 0 begins; naive or aware, shown as it is.
    n_hours: hours simulated.
    measured_from_h, measured_to_h: the hours in which the measured items were accepted.
    label: what the run's own counts are: ``modelled`` for a simulated run, ``measured`` for scanned events.
    """

    run_id: str
    scenario: str
    network: str
    level: str
    epoch: datetime
    timezone: str
    n_hours: int
    measured_from_h: int
    measured_to_h: int
    seed: int
    input_digest: str
    result_digest: str
    versions: Mapping[str, str]
    command: str
    label: str = "modelled"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Comparison:
    """Another run beside this one, with paired differences (other minus this)."""

    name: Text
    note: Text
    differences: pl.DataFrame
    hourly_other: pl.DataFrame = field(default_factory=partial(empty_frame, "hourly"))
    hours_other: pl.DataFrame = field(default_factory=partial(empty_frame, "hours"))

    def __post_init__(self) -> None:
        _check_fields(self, ("differences", "hourly_other", "hours_other"))


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Disruption:
    """What a disruption did, against the same run without it.

    Attributes
    ----------
    facility_id: the place that was hit.
    from_hour, to_hour: the hours in which it held.
    cleared_hour, eased_hour: the first hour at whose end the whole network held no more than a hundredth, a tenth of
        the largest excess over the undisturbed run, and never again more; None when that was not before the end.
    n_items: items compared, those accepted in the measured hours and delivered in both runs.
    n_delayed, extra_item_h: those that arrived later, and by how much in all.
    n_earlier, earlier_item_h: those that arrived earlier, and by how much in all.
    source: the runs compared.
    delays, backlogs, centres, totals: frames of ``report/frames.csv``.
    """

    name: Text
    facility_id: str
    from_hour: int
    to_hour: int
    cleared_hour: int | None
    n_delayed: int
    extra_item_h: float
    eased_hour: int | None = None
    n_items: int = 0
    n_earlier: int = 0
    earlier_item_h: float = 0.0
    label: str = "modelled"
    source: str = ""
    delays: pl.DataFrame = field(default_factory=partial(empty_frame, "delays"))
    backlogs: pl.DataFrame = field(default_factory=partial(empty_frame, "backlogs"))
    centres: pl.DataFrame = field(default_factory=partial(empty_frame, "centres"))
    totals: pl.DataFrame = field(default_factory=partial(empty_frame, "totals"))

    def __post_init__(self) -> None:
        _check_fields(self, ("delays", "backlogs", "centres", "totals"))


_RUN_FRAMES = (
    "headline", "measures", "facilities", "lanes", "hours", "hourly", "centre_hourly", "pairs", "places", "cost",
    "carbon", "validation", "sources", "label_counts", "findings", "timings",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ReportData:
    """Everything that the report of one run shows. An empty frame leaves its part out.

    The columns of each frame are declared in ``report/frames.csv``. Wall times go into ``timings`` and nowhere else;
    leave it empty where two reports are compared byte by byte.

    Errors: PR-P001, PR-P002, PR-P006 for a frame that is off its declaration; PR-P007 when items are not conserved.
    """

    title: Text
    subtitle: Text
    facts: RunFacts
    headline: pl.DataFrame
    changes: tuple[Text, ...] = ()
    measures: pl.DataFrame = field(default_factory=partial(empty_frame, "measures"))
    facilities: pl.DataFrame = field(default_factory=partial(empty_frame, "facilities"))
    lanes: pl.DataFrame = field(default_factory=partial(empty_frame, "lanes"))
    hours: pl.DataFrame = field(default_factory=partial(empty_frame, "hours"))
    hourly: pl.DataFrame = field(default_factory=partial(empty_frame, "hourly"))
    centre_hourly: pl.DataFrame = field(default_factory=partial(empty_frame, "centre_hourly"))
    pairs: pl.DataFrame = field(default_factory=partial(empty_frame, "pairs"))
    places: pl.DataFrame = field(default_factory=partial(empty_frame, "places"))
    cost: pl.DataFrame = field(default_factory=partial(empty_frame, "cost"))
    carbon: pl.DataFrame = field(default_factory=partial(empty_frame, "carbon"))
    validation: pl.DataFrame = field(default_factory=partial(empty_frame, "validation"))
    sources: pl.DataFrame = field(default_factory=partial(empty_frame, "sources"))
    label_counts: pl.DataFrame = field(default_factory=partial(empty_frame, "label_counts"))
    findings: pl.DataFrame = field(default_factory=partial(empty_frame, "findings"))
    timings: pl.DataFrame = field(default_factory=partial(empty_frame, "timings"))
    comparison: Comparison | None = None
    disruption: Disruption | None = None
    base_map: BaseMap | None = None

    def __post_init__(self) -> None:
        _check_fields(self, _RUN_FRAMES)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CompareData:
    """Two runs side by side: what ``postroad compare`` shows."""

    title: Text
    subtitle: Text
    facts: RunFacts
    facts_other: RunFacts
    name: Text
    comparison: Comparison
    hourly: pl.DataFrame = field(default_factory=partial(empty_frame, "hourly"))
    hours: pl.DataFrame = field(default_factory=partial(empty_frame, "hours"))
    sources: pl.DataFrame = field(default_factory=partial(empty_frame, "sources"))
    disruption: Disruption | None = None

    def __post_init__(self) -> None:
        _check_fields(self, ("hourly", "hours", "sources"))


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SweepData:
    """Measures over one swept number: what ``postroad sweep`` shows.

    Attributes
    ----------
    parameter: what is swept; ``unit`` its unit.
    n_seeds: runs behind each point; intervals stand in ``low`` and ``high`` of the frame when more than one.
    """

    title: Text
    subtitle: Text
    facts: RunFacts
    parameter: Text
    unit: str
    n_seeds: int
    sweep: pl.DataFrame
    sources: pl.DataFrame = field(default_factory=partial(empty_frame, "sources"))

    def __post_init__(self) -> None:
        _check_fields(self, ("sweep", "sources"))
