"""What a run rests on: sources with their licences, findings by code, wall times, and the facts that repeat it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING

import polars as pl

from postroad.core.clock import time_zone
from postroad.core.findings import Findings
from postroad.core.version import release
from postroad.network.metadata import FeedMeta
from postroad.report.data import RunFacts
from postroad.report.text import Text
from postroad.study.stages import stage_text

if TYPE_CHECKING:
    from postroad.study.run import Run

__all__ = ["finding_frame", "run_facts", "run_title", "source_frame", "timing_frame", "versions"]

SHIPPED = "china-"
"""How the names of the feeds begin that are built from the shipped sources."""

FOUNDATIONS = ("numpy", "numba", "polars", "pyarrow", "duckdb")
_ATTRIBUTION = re.compile(r"(?:(?P<what>[^:()]+): )?(?P<who>.+?)(?: \((?P<licence>[^()]+)\))?")
_YEAR = re.compile(r"[0-9]{4}")
_COLUMNS = ("title_en", "title_zh", "licence", "attribution", "year", "used_for_en", "used_for_zh")


def run_title(run: Run) -> Text:
    """What the run is called: the names of its scenario."""
    scenario = run.scenario
    return Text(scenario.name_en or scenario.name, scenario.name_zh or scenario.name)


def run_facts(run: Run) -> RunFacts:
    """What makes the run repeatable, for the report."""
    scenario = run.scenario
    from_h = 24 * scenario.days_before
    return RunFacts(
        run_id=run.result_digest[:12],
        scenario=scenario.name,
        network=scenario.network.meta.name,
        level=scenario.level,
        epoch=scenario.epoch.astimezone(time_zone(scenario.network.meta.timezone)),
        timezone=scenario.network.meta.timezone,
        n_hours=run.result.n_hours,
        measured_from_h=from_h,
        measured_to_h=from_h + 24,
        seed=scenario.seed,
        input_digest=scenario.digest,
        result_digest=run.result_digest,
        versions=versions(),
        command=run.command,
        label=run.record.label,
    )


def versions() -> dict[str, str]:
    """The versions of Postroad and of what it computes with."""
    return {"postroad": release()} | {name: version(name) for name in FOUNDATIONS}


def source_frame(metas: Iterable[FeedMeta]) -> pl.DataFrame:
    """The sources of the networks that ran, with licence and attribution; each once.

    Parameters
    ----------
    metas: of the networks. Those built from the shipped sources are told by these, file by file in groups; others by
        what their ``feed.toml`` says.
    """
    rows: list[tuple[str, ...]] = []
    for meta in metas:
        rows += _shipped_rows() if meta.name.startswith(SHIPPED) else _feed_rows(meta)
    return pl.DataFrame(list(dict.fromkeys(rows)), schema=dict.fromkeys(_COLUMNS, pl.String), orient="row")


def _shipped_rows() -> list[tuple[str, ...]]:
    """One row a group of the shipped sources."""
    licences = _rows("postroad", "data", "sources", "licences.csv")
    rows = []
    for group in _rows("postroad", "study", "sources.csv"):
        found = [row for row in licences if row["path"].partition("/")[0] == group["folder"]]
        years = sorted(year for row in found for year in _YEAR.findall(row["year"]))
        span = "–".join(dict.fromkeys((years[0], years[-1]))) if years else ""
        licence, attribution = (_joined(row[key] for row in found) for key in ("licence", "attribution"))
        titles = (group["title_en"], group["title_zh"])
        rows.append((*titles, licence, attribution, span, group["used_for_en"], group["used_for_zh"]))
    return rows


def _joined(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(texts))


def _feed_rows(meta: FeedMeta) -> list[tuple[str, ...]]:
    """The feed itself, then what it attributes."""
    title = (meta.name, meta.name_zh or meta.name)
    rows = [(*title, meta.licence, "", meta.version, "the network", "网络")]
    for text in meta.attribution:
        part = _ATTRIBUTION.fullmatch(text)
        what = part["what"] or meta.name
        rows.append((what, what, part["licence"] or "", part["who"], "", "the network", "网络"))
    return rows


def _rows(package: str, *path: str) -> list[dict[str, str]]:
    with files(package).joinpath(*path).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def finding_frame(findings: Findings) -> pl.DataFrame:
    """One row a code: how often it was found, and the first occurrence in both languages."""
    rows = {}
    for finding in findings:
        texts = (_sentence(finding.message("en"), finding.at), _sentence(finding.message("zh"), finding.at))
        rows.setdefault(finding.code, (finding.code, finding.severity, findings.counts[finding.code], *texts))
    schema = {"code": pl.String, "severity": pl.String, "n": pl.Int64, "text_en": pl.String, "text_zh": pl.String}
    return pl.DataFrame(list(rows.values()), schema=schema, orient="row")


def _sentence(message: str, at: str) -> str:
    return f"{message} ({at})" if at else message


def timing_frame(run: Run) -> pl.DataFrame:
    """Wall times by step."""
    rows = [(stage_text(step).en, stage_text(step).zh, seconds) for step, seconds in run.wall_s.items()]
    return pl.DataFrame(rows, schema={"step_en": pl.String, "step_zh": pl.String, "wall_s": pl.Float64}, orient="row")
