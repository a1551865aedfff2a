"""Two runs against one another: paired differences, and what a disruption did."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from kit.studies import closed_run, tiny, tiny_run
from postroad.study.comparison import compare
from postroad.study.disruption import tell_disruption
from postroad.study.pairing import COMPARED, are_same_items, pair_runs
from postroad.study.run import simulate


def test_differences_are_those_of_the_measures():
    base, other = tiny_run(), closed_run()
    frame = pair_runs(base, other, ["on_time_share", "total_h"])
    assert frame["measure"].to_list() == ["on_time_share", "total_h"]
    for row in frame.iter_rows(named=True):
        values = [run.measure([row["measure"]])["value"][0] for run in (base, other)]
        assert (row["base"], row["other"]) == tuple(values)
        assert row["difference"] == pytest.approx(values[1] - values[0])


def test_differences_by_groups():
    frame = pair_runs(tiny_run(), closed_run(), ["total_h"], by="product")
    assert frame.select("product", "measure").rows() == [("express", "total_h"), ("standard", "total_h")]
    assert (frame["difference"] > 0).all()


def test_runs_of_several_seeds_are_paired_seed_by_seed():
    run = closed_run()
    frame = pair_runs(run.undisturbed, run, ["total_h"])
    row = frame.row(0, named=True)
    values = {
        seed: [one.seeds.filter(seed=seed, measure="total_h")["value"][0] for one in (run.undisturbed, run)]
        for seed in (1, 2)
    }
    differences = [after - before for before, after in values.values()]
    assert row["n_pairs"] == 2
    assert row["difference"] == pytest.approx(np.mean(differences))
    assert row["low"] < row["difference"] < row["high"]
    # With one degree of freedom the half-width is 12.706 standard errors: that of two values is half their distance.
    assert row["high"] - row["difference"] == pytest.approx(
        12.7062 * abs(differences[0] - differences[1]) / 2, rel=1e-4
    )


def test_the_comparison_writes_a_page(tmp_path):
    comparison = compare(tiny_run().folder, closed_run().folder)
    assert comparison.differences()["measure"].to_list()[0] == COMPARED[0]
    page = comparison.to_html(tmp_path / "page.html")
    text = page.read_text(encoding="utf-8")
    assert "Wuhan closed against A small example" in text
    assert "武汉关闭与小型示例对照" in text
    assert text == compare(tiny_run(), closed_run()).to_html(tmp_path / "again.html").read_text(encoding="utf-8")


def test_only_runs_of_the_same_items_are_paired_item_by_item():
    run = closed_run()
    assert are_same_items(run.undisturbed, run)
    assert are_same_items(tiny_run(), run)
    assert not are_same_items(replace(run, scenario=replace(run.scenario, seed=5)), run)
    assert not are_same_items(replace(run, scenario=run.scenario.scale_demand(by=2)), run)
    assert tell_disruption(run, replace(run, scenario=replace(run.scenario, seed=5))) is None


def test_a_disruption_tells_who_was_delayed_and_when_it_cleared():
    run = closed_run()
    told = tell_disruption(run.undisturbed, run)
    assert told.name.en == "Closing Wuhan hub"
    assert told.name.zh == "武汉枢纽关闭"
    assert (told.facility_id, told.from_hour, told.to_hour) == ("H-WUH", 30, 54)
    assert told.cleared_hour > told.to_hour
    by_product = told.delays.filter(by="product")
    assert told.n_delayed == by_product["n_delayed"].sum() > 1000
    # What the delays add up to is what the mean time grew by, but for the items that came earlier.
    grown = run.measure(["total_h"])["value"][0] - run.undisturbed.measure(["total_h"])["value"][0]
    assert told.extra_item_h >= grown * run.measure(["total_h"])["n_items"][0] * 0.99
    assert set(told.delays["by"]) == {"product", "destination_region", "origin_region", "destination", "origin"}
    # Later less earlier is what the mean changed by, over the items delivered in both runs.
    assert told.n_items <= run.measure(["total_h"])["n_items"][0]
    assert by_product["net_item_h"].sum() == pytest.approx(told.extra_item_h - told.earlier_item_h)
    assert told.extra_item_h - told.earlier_item_h == pytest.approx(grown * told.n_items, rel=0.02)
    assert set(told.delays.filter(by="destination")["key_zh"]) <= set(tiny().network.tables["places"]["name"])


def test_the_backlog_of_a_closed_hub_is_its_queues():
    run = closed_run()
    told = tell_disruption(run.undisturbed, run)
    hub = run.instance.fac_id.index("H-WUH")
    here = told.backlogs.filter(facility_id="H-WUH").sort("hour")
    waiting = run.result.backlog_in[hub] + run.result.backlog_out[hub]
    assert here["disrupted"].to_list()[: len(waiting)] == waiting.tolist()
    worst = told.centres.row(0, named=True)
    assert worst["facility_id"] == "H-WUH"
    assert worst["peak_disrupted"] == waiting.max()
    assert waiting[worst["peak_hour"]] == waiting.max()
    assert (
        here.filter(hour=worst["excess_hour"]).select(pl.col("disrupted") - pl.col("undisturbed")).item()
        == worst["excess"]
    )
    total = (run.result.backlog_in + run.result.backlog_out).sum(axis=0)
    calm = (run.undisturbed.result.backlog_in + run.undisturbed.result.backlog_out).sum(axis=0)
    excess = total - np.pad(calm, (0, max(0, len(total) - len(calm))))[: len(total)]
    assert (told.totals["disrupted"] - told.totals["undisturbed"]).to_list()[: len(excess)] == excess.tolist()
    for hour, part in ((told.cleared_hour, 100), (told.eased_hour, 10)):
        assert (excess[hour:] <= excess.max() / part).all()
        assert excess[hour - 1] > excess.max() / part
    assert told.eased_hour <= told.cleared_hour


def test_without_a_disruption_there_is_nothing_to_tell():
    assert tell_disruption(tiny_run(), tiny_run()) is None


@pytest.mark.parametrize(
    ("values", "facility", "name"),
    [
        ({"kind": "cancel", "trip_id": "S-HGH-H-WUH-0100"}, "S-HGH", "Cancelling S-HGH-H-WUH-0100"),
        ({"kind": "delay", "trip_id": "X-NGB-WUH", "delay_min": 60}, "R-NGB", "Delays of X-NGB-WUH"),
        (
            {"kind": "capacity", "facility_id": "S-EZH", "factor": 0.01},
            "S-EZH",
            "Less capacity of Ezhou sorting centre",
        ),
    ],
)
def test_disruptions_of_every_kind_are_named(values, facility, name):
    disrupted = tiny().disrupt(from_at="D+0 00:00", to_at="D+1 00:00", **values)
    told = tell_disruption(tiny_run(), simulate(disrupted))
    assert (told.facility_id, told.name.en) == (facility, name)


def test_a_lane_is_told_by_where_it_begins():
    lane = tiny().network.tables["lanes"].filter(pl.col("from_facility") == "S-HGH")["lane_id"][0]
    disrupted = tiny().disrupt("closure", lane_id=lane, from_at="D+0 00:00", to_at="D+1 00:00")
    told = tell_disruption(tiny_run(), simulate(disrupted))
    assert told.facility_id == "S-HGH"
