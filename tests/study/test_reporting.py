"""Reports of runs: what they are drawn from, and that they are the same for the same run."""

import re
from dataclasses import replace

import polars as pl
import pytest

from kit.studies import closed_run, tiny, tiny_run
from postroad.core.findings import Findings
from postroad.measure.paired import summarise_seeds
from postroad.network.feed import read
from postroad.report.data import empty_frame
from postroad.report.run import render_report
from postroad.report.text import Text
from postroad.study import reporting
from postroad.study.provenance import finding_frame, run_facts, run_title, source_frame, timing_frame
from postroad.study.reporting import describe_run
from postroad.study.run import open_run


@pytest.fixture(scope="module")
def closed():
    return describe_run(closed_run())


def test_the_report_shows_what_was_measured():
    data = describe_run(tiny_run())
    values = dict(data.headline.select("measure_id", "value").iter_rows())
    for name in ("n_items", "total_h", "on_time_share", "cost_yuan_per_item", "gco2e_per_item"):
        assert values[name] == tiny_run().measure([name])["value"][0]
    assert data.title == Text("A small example", "小型示例")
    assert data.hourly["created"].max() == tiny_run().result.counts.created[-1]
    assert data.comparison is None
    assert data.disruption is None
    assert data.validation.is_empty()


def test_the_facts_of_the_report_repeat_the_run():
    facts = run_facts(tiny_run())
    assert facts.command == "postroad run tiny --seed 1 --sample 1"
    assert f"{facts.epoch:%Y-%m-%d %H:%M}" == "2025-11-10 00:00"
    assert (facts.measured_from_h, facts.measured_to_h) == (24, 48)
    assert facts.result_digest == tiny_run().result_digest


def test_what_stands_beside_is_shown(closed):
    assert closed.comparison.name.en == "A small example"
    assert closed.comparison.differences["n_pairs"].unique().to_list() == [2]
    assert closed.disruption.facility_id == "H-WUH"
    alone = describe_run(replace(closed_run(), other=None))
    assert alone.comparison.name.en == "The same without the disruption"
    page = render_report(closed)
    assert "Closing Wuhan hub" in page
    assert "武汉枢纽关闭" in page


def test_the_headline_of_several_seeds_is_a_mean_with_its_interval(closed):
    run = closed_run()
    frames = [part.drop("seed") for part in run.seeds.partition_by("seed")]
    mean = summarise_seeds(frames).filter(measure="total_h").row(0, named=True)
    shown = closed.headline.filter(measure_id="total_h").row(0, named=True)
    assert (shown["value"], shown["low"], shown["high"]) == (mean["value"], mean["low"], mean["high"])
    assert shown["low"] < shown["value"] < shown["high"]


def test_changes_are_told_in_two_languages(closed):
    texts = [text.en for text in closed.changes]
    assert "Disruption: closing Wuhan hub (H-WUH) from D+0 06:00 to D+1 06:00; D is 11 Nov 2025." in texts
    assert any("means over 2 seeds" in text for text in texts)
    assert all(re.search(r"[\u4e00-\u9fff]", text.zh) for text in closed.changes)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"to_items": 1_200_000_000}, "Demand of the day scaled to 1.20 billion items."),
        ({"by": 1.5}, "Demand multiplied by 1.5."),
        ({"beta": 0.83}, "Exponent of distance of the demand: 0.83."),
    ],
)
def test_what_the_scenario_sets_is_told(change, text):
    run = replace(tiny_run(), scenario=replace(tiny(), **change))
    assert text in [line.en for line in reporting._changes(run)]


def test_knowing_the_disruptions_is_told():
    run = replace(closed_run(), know_overlay=True)
    assert "Routes were chosen knowing the disruptions." in [text.en for text in reporting._changes(run)]


def test_the_same_run_gives_the_same_bytes():
    made, opened = describe_run(tiny_run()), describe_run(open_run(tiny_run().folder))
    pages = [render_report(replace(data, timings=empty_frame("timings"))) for data in (made, opened)]
    assert pages[0] == pages[1]
    assert len(pages[0]) < 4_000_000


def test_the_page_is_written_whole(tmp_path):
    page = tiny_run().to_html(tmp_path / "deep" / "report.html", language="zh")
    assert page.read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert [path.name for path in page.parent.iterdir()] == ["report.html"]


def test_centres_that_do_not_fit_are_those_that_held_least(monkeypatch):
    monkeypatch.setattr(reporting, "CENTRE_HOURS", 3 * tiny_run().result.n_hours)
    kept = describe_run(tiny_run()).centre_hourly
    monkeypatch.undo()
    every = describe_run(tiny_run()).centre_hourly
    waiting = pl.col("backlog_in") + pl.col("backlog_out")
    sizes = every.group_by("facility_id").agg(waiting.max()).sort("backlog_in", descending=True)
    assert kept["facility_id"].n_unique() == 3
    assert sizes["facility_id"][0] in kept["facility_id"]
    assert every["facility_id"].n_unique() > 3


def test_the_sources_of_the_reference_network_are_told_in_groups():
    frame = source_frame([read("china-2023").meta, read("china-2025").meta])
    assert len(frame) == 8
    assert (frame["licence"].str.len_chars() > 0).all()
    roads = frame.filter(title_en="Road and rail distances, air routes").row(0, named=True)
    assert "ODbL-1.0" in roads["licence"]
    assert "OpenStreetMap" in roads["attribution"]


def test_every_shipped_source_belongs_to_a_group():
    from importlib.resources import files

    licences = pl.read_csv(files("postroad").joinpath("data", "sources", "licences.csv"))
    groups = pl.read_csv(files("postroad").joinpath("study", "sources.csv"))
    folders = licences["path"].str.split("/").list.first().unique()
    assert sorted(set(folders) - set(groups["folder"])) == []
    assert sorted(set(groups["folder"]) - set(folders)) == []


def test_the_sources_of_another_feed_are_what_it_says():
    frame = source_frame([read("tiny").meta])
    assert frame.row(0) == ("tiny", "小型示例网络", "Apache-2.0", "", "1", "the network", "网络")
    assert frame["title_en"][1] == "Emission factors"
    assert frame["attribution"][1].startswith("UK government conversion factors 2025")


def test_findings_are_counted_by_code():
    findings = Findings()
    for row in range(2, 5):
        findings.add("PR-C020", table="trips", row=row, column="arrive", value="25:61")
    frame = finding_frame(findings)
    assert frame.select("code", "severity", "n").row(0) == ("PR-C020", "error", 3)
    assert frame["text_en"][0] == "'25:61' is no time of day. (trips row 2, column arrive)"
    assert finding_frame(Findings()).is_empty()


def test_wall_times_stand_in_their_own_frame():
    frame = timing_frame(tiny_run())
    assert frame["step_zh"].to_list()[0] == "检查数据包"
    assert frame["wall_s"].sum() == pytest.approx(sum(tiny_run().wall_s.values()))


def test_a_scenario_without_names_is_called_by_its_own():
    run = replace(tiny_run(), scenario=replace(tiny(), name_en="", name_zh=""))
    assert run_title(run) == Text("tiny", "tiny")
