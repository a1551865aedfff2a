"""Reports of runs: what a run, two runs, or a sweep hand over to be drawn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import polars as pl

from postroad.measure.paired import summarise_seeds
from postroad.report.basemap import BaseMap
from postroad.report.collection import HEADLINE, difference_frame, hour_frame, hourly_frame, record_frames
from postroad.report.data import CompareData, Comparison, ReportData
from postroad.report.horizon import day_text
from postroad.report.text import Text, format_value
from postroad.study.disruption import name_disruption, tell_disruption
from postroad.study.pairing import COMPARED, are_same_items, pair_runs
from postroad.study.provenance import finding_frame, run_facts, run_title, source_frame, timing_frame
from postroad.study.validation import published_checks

if TYPE_CHECKING:
    from postroad.study.run import Run

__all__ = ["compare_data", "comparison_of", "describe_run", "pairing_note"]

CENTRE_HOURS = 250_000
"""Rows of centres by hour that a report takes at most: enough for the map and the charts, and the page stays small."""

_NOTES = {
    True: Text(
        "The same items on the same day through the same network; runs are paired item by item.",
        "同一天、同一网络、同一批邮件快件，逐件配对比较。",
    ),
    False: Text("The two runs differ in what they carry or in their network.", "两次运行的业务量或网络不同。"),
}


def pairing_note(base: Run, other: Run) -> Text:
    """Whether two runs can be paired item by item, in words."""
    return _NOTES[are_same_items(base, other)]


def describe_run(run: Run, *, base_map: BaseMap | None = None) -> ReportData:
    """Everything that the report of a run shows.

    Parameters
    ----------
    run: with what stands beside it, when anything does.
    base_map: instead of the shipped one.

    Returns
    -------
    ReportData: the same for the same run but for ``timings``.
    """
    scenario, tables = run.scenario, run.scenario.network.tables
    frames = record_frames(run.record, tables, run.result.counts, f"run {run.result_digest[:12]}")
    frames["headline"] = _with_seeds(frames["headline"], run)
    frames["centre_hourly"] = _busiest(frames["centre_hourly"], run)
    disruption = None if run.undisturbed is None else tell_disruption(run.undisturbed, run)
    beside = run.other or run.undisturbed
    metas = [scenario.network.meta] + ([run.other.scenario.network.meta] if run.other is not None else [])
    return ReportData(
        title=run_title(run),
        subtitle=Text(scenario.description, scenario.description_zh or scenario.description),
        facts=run_facts(run),
        changes=tuple(_changes(run)),
        validation=_named_checks(run),
        sources=source_frame(metas),
        findings=finding_frame(run.findings),
        timings=timing_frame(run),
        comparison=None if beside is None else comparison_of(run, beside),
        disruption=disruption,
        base_map=base_map,
        **frames,
    )


def compare_data(base: Run, other: Run, names: Iterable[str] = COMPARED) -> CompareData:
    """Two runs side by side, and what a disruption of the second did when they are of the same items."""
    metas = [run.scenario.network.meta for run in (base, other)]
    titles = [run_title(run) for run in (base, other)]
    return CompareData(
        title=Text(f"{titles[1].en} against {titles[0].en}", f"{titles[1].zh}与{titles[0].zh}对照"),
        subtitle=pairing_note(base, other),
        facts=run_facts(base),
        facts_other=run_facts(other),
        name=titles[0],
        comparison=comparison_of(base, other, names),
        hourly=hourly_frame(base.record.hours, base.result.counts),
        hours=hour_frame(base.record, base.scenario.network.tables),
        sources=source_frame(metas),
        disruption=tell_disruption(base, other),
    )


def comparison_of(base: Run, other: Run, names: Iterable[str] = COMPARED) -> Comparison:
    """The other run beside this one, with paired differences."""
    source = f"runs {base.result_digest[:12]} and {other.result_digest[:12]}"
    return Comparison(
        name=run_title(other),
        note=pairing_note(base, other),
        differences=difference_frame(pair_runs(base, other, names), source),
        hourly_other=hourly_frame(other.record.hours, other.result.counts),
        hours_other=hour_frame(other.record, other.scenario.network.tables),
    )


def _named_checks(run: Run) -> pl.DataFrame:
    """The published checks, each with the place and the period that tell it from others of its name."""
    checks = published_checks(run)
    if checks.is_empty():
        return checks
    places = run.scenario.network.tables["places"].select(
        place="place_id", place_zh="name", place_en=pl.coalesce("name_en", "name")
    )
    named = checks.join(places, on="place", how="left", maintain_order="left")
    same = pl.struct("name_en", "place").is_duplicated()
    return named.with_columns(
        name_en=pl.concat_str(
            "name_en", pl.col("place_en"), pl.when(same).then("period"), separator=", ", ignore_nulls=True
        ),
        name_zh=pl.concat_str(
            "name_zh", pl.col("place_zh"), pl.when(same).then("period"), separator="，", ignore_nulls=True
        ),
    ).drop("place_en", "place_zh")


def _with_seeds(headline: pl.DataFrame, run: Run) -> pl.DataFrame:
    """The headline with means and intervals over the seeds in place of the values of the first."""
    if run.seeds is None:
        return headline
    frames = [part.drop("seed") for part in run.seeds.partition_by("seed", maintain_order=True)]
    means = summarise_seeds(frames).filter(pl.col("measure").is_in(HEADLINE))
    joined = headline.join(
        means.select(measure_id="measure", mean="value", low="low", high="high"),
        on="measure_id",
        how="left",
        maintain_order="left",
    )
    return joined.with_columns(value=pl.coalesce("mean", "value")).drop("mean")


def _busiest(frame: pl.DataFrame, run: Run) -> pl.DataFrame:
    """The centres that held or sorted most, as many as fit; hours without work are left out."""
    waiting = pl.col("backlog_in") + pl.col("backlog_out")
    sizes = frame.group_by("facility_id").agg(waiting=waiting.max(), sorted=pl.col("sorted").sum())
    order = sizes.sort(["waiting", "sorted", "facility_id"], descending=[True, True, False])
    kept = order.head(max(1, CENTRE_HOURS // max(run.result.n_hours, 1))).select("facility_id")
    return frame.join(kept, on="facility_id", how="semi", maintain_order="left")


def _changes(run: Run) -> Iterable[Text]:
    """What the scenario changes, in words."""
    scenario = run.scenario
    if scenario.to_items:
        amount = {lang: format_value(scenario.to_items, "items", lang, words=True) for lang in ("en", "zh")}
        yield Text(f"Demand of the day scaled to {amount['en']}.", f"当日业务量设为 {amount['zh']}。")
    elif scenario.by != 1:
        yield Text(f"Demand multiplied by {scenario.by:g}.", f"业务量乘以 {scenario.by:g}。")
    if scenario.beta is not None:
        yield Text(f"Exponent of distance of the demand: {scenario.beta:g}.", f"需求模型距离指数：{scenario.beta:g}。")
    if scenario.n_days > 1:
        by = _DAYS_BY[scenario.days_by]
        yield Text(
            f"The day stands in its week: items are released on {scenario.days_before} days before it and "
            f"{scenario.days_after} after, {by.en}; measures are of items accepted on the day.",
            f"当日置于其所在的一周：前 {scenario.days_before} 天与后 {scenario.days_after} 天{by.zh}收寄；"
            "指标仅统计当日收寄的邮件。",
        )
    facts = run_facts(run)
    day = day_text(facts, facts.measured_from_h)
    for item in scenario.disruptions:
        name, code = name_disruption(run, [item]), item.facility_id or item.lane_id or item.trip_id
        verb = f"{name.en[:1].lower()}{name.en[1:]}"
        yield Text(
            f"Disruption: {verb} ({code}) from {item.from_at} to {item.to_at}; D is {day.en}.",
            f"扰动：{name.zh}（{code}），自 {item.from_at} 至 {item.to_at}；D 为{day.zh}。",
        )
    if scenario.disruptions and run.know_overlay:
        yield Text("Routes were chosen knowing the disruptions.", "路由在已知扰动的情况下选定。")
    if run.seeds is not None:
        n = run.seeds["seed"].n_unique()
        yield Text(
            f"Headline figures are means over {n} seeds with 95 % intervals; all else is of seed {scenario.seed}.",
            f"主要指标为 {n} 个随机种子的均值及 95 % 区间；其余各项为种子 {scenario.seed} 的结果。",
        )


_DAYS_BY = {
    "profile": Text("by the feed's profile of days around it", "按数据包的日间分布"),
    "calendar": Text("by weekday and month", "按星期与月份"),
}
