"""The tables of a run folder: what the twin left, written to Parquet and read back, and the ledger."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from postroad.core.findings import Finding, Findings
from postroad.events.journeys import Journeys
from postroad.ledger.simulated import RunNames, events_from_trace, flows_from_journeys, items_from_trace
from postroad.ledger.store import Ledger
from postroad.network.facilities import OUTLET_KINDS
from postroad.network.instance import Instance
from postroad.network.scenario import Scenario
from postroad.network.schema import FACILITY_KINDS
from postroad.twin.result import TRACE_KINDS, Counts, Trace, TwinResult

__all__ = ["read_findings", "read_result", "run_names", "write_findings", "write_ledger", "write_result"]

FINDINGS = "findings.json"
HOURLY = ("sorted_items", "screened_items", "backlog_in", "backlog_out", "delivered_items")
POST_COUNTRY = "CN"
"""Issuing country of the made-up item numbers, when the network's country has no code of two letters."""


def write_result(folder: Path, result: TwinResult) -> None:
    """Write the tables ``journeys``, ``loads``, ``hours`` and ``counts`` of a run."""
    pq.write_table(result.journeys.arrow(), folder / "journeys.parquet", compression="zstd", compression_level=1)
    day, leg = np.nonzero(result.run_legs)
    loads = {"day": day.astype(np.int16), "leg_idx": leg.astype(np.int32)}
    loads |= {f"n_items_{p}": result.load_items[day, leg, p] for p in range(result.load_items.shape[2])}
    pq.write_table(pa.table(loads), folder / "loads.parquet", compression="zstd")
    work = {name: getattr(result, name) for name in HOURLY}
    used = np.logical_or.reduce([array != 0 for array in work.values()])
    facility, hour = np.nonzero(used)
    table = {"facility_idx": facility.astype(np.int32), "hour": hour.astype(np.int32)}
    table |= {name: array[facility, hour] for name, array in work.items()}
    pq.write_table(pa.table(table), folder / "hours.parquet", compression="zstd")
    counts = {field.name: getattr(result.counts, field.name) for field in fields(Counts)}
    pq.write_table(pa.table(counts), folder / "counts.parquet")


def read_result(folder: Path, instance: Instance, n_hours: int) -> TwinResult:
    """Read back what :func:`write_result` wrote; the sampled histories stay in the ledger."""
    table = pq.read_table(folder / "journeys.parquet")
    journeys = Journeys(*(table[field.name].to_numpy() for field in fields(Journeys)))
    loads = pq.read_table(folder / "loads.parquet")
    n_days, n_prod = n_hours // 24, len(instance.prod_id)
    load = np.zeros((n_days, len(instance.leg_trip), n_prod), np.int32)
    day, leg = loads["day"].to_numpy(), loads["leg_idx"].to_numpy()
    for p in range(n_prod):
        load[day, leg, p] = loads[f"n_items_{p}"].to_numpy()
    runs = np.zeros(load.shape[:2], bool)
    runs[day, leg] = True
    hours = pq.read_table(folder / "hours.parquet")
    work = {name: np.zeros((instance.n_fac, n_hours), np.int64) for name in HOURLY}
    where = (hours["facility_idx"].to_numpy(), hours["hour"].to_numpy())
    for name, array in work.items():
        array[where] = hours[name].to_numpy()
    counts = pq.read_table(folder / "counts.parquet")
    none = {field.name: np.zeros(0, np.int32) for field in fields(Trace)}
    return TwinResult(
        journeys=journeys, load_items=load, run_legs=runs, **work,
        counts=Counts(*(counts[field.name].to_numpy() for field in fields(Counts))),
        trace=Trace(**none), n_hours=n_hours, n_moves=0,
    )  # fmt: skip


def write_findings(folder: Path, findings: Findings) -> None:
    """Write what the checks of a run noticed, as JSON: the findings kept, and how often each code was found."""
    kept = [asdict(finding) for finding in findings]
    text = json.dumps({"counts": findings.counts, "findings": kept}, ensure_ascii=False, indent=1, default=str)
    (folder / FINDINGS).write_text(text + "\n", encoding="utf-8")


def read_findings(folder: Path) -> Findings:
    """Read back what :func:`write_findings` wrote."""
    given = json.loads((folder / FINDINGS).read_text(encoding="utf-8"))
    findings = Findings()
    for values in given["findings"]:
        findings.append(Finding(**values))
    shown = findings.counts
    for code, n in given["counts"].items():
        findings.count(code, n - shown.get(code, 0))
    return findings


def write_ledger(folder: Path, scenario: Scenario, instance: Instance, result: TwinResult, run_digest: str) -> None:
    """Write the ledger of a run: the histories of the sampled items, and the flows of all items measured."""
    names = run_names(scenario, instance, run_digest)
    settings = {"timezone": instance.timezone, "epoch": scenario.epoch, "run_digest": run_digest}
    with Ledger.create(folder / "ledger", **settings) as ledger:
        if len(result.trace.item):
            ledger.append_items(items_from_trace(result.trace, names))
            _, findings = ledger.append(events_from_trace(result.trace, names))
            findings.raise_on_errors()
            ledger.seal()
        ledger.append_flows(flows_from_journeys(result.journeys, instance.fac_id, instance.prod_id))


def run_names(scenario: Scenario, instance: Instance, run_digest: str) -> RunNames:
    """What the indices of a run's histories mean."""
    kinds = np.array(FACILITY_KINDS)[instance.fac_kind]
    return RunNames(
        run_digest=run_digest, epoch=scenario.epoch, country=_country(scenario), trace_kinds=TRACE_KINDS,
        facility_ids=instance.fac_id, product_ids=instance.prod_id, delivery_offices=np.isin(kinds, OUTLET_KINDS),
        trip_of_departure=instance.cn_trip[instance.dp_cn], trip_ids=instance.trip_id,
    )  # fmt: skip


def _country(scenario: Scenario) -> str:
    """The country whose post issues the item numbers: the feed's first country place, by its two-letter code."""
    places = scenario.network.tables["places"]
    countries = [place for place, kind in places.select("place_id", "kind").iter_rows() if kind == "country"]
    code = countries[0].upper()[:2] if countries else ""
    return code if len(code) == 2 and code.isascii() and code.isalpha() else POST_COUNTRY
