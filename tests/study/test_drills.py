"""Drills on the tiny feed: what is cut off, relief accounted for unit by unit, reserves, grades, refusals."""

from __future__ import annotations

import tomllib

import numpy as np
import polars as pl
import pytest

from kit.drills import WUHAN, tiny_drill, write_drill
from postroad.core.errors import InputError, NotFound
from postroad.core.findings import Findings
from postroad.network.compile import compile_network
from postroad.network.loss import Loss
from postroad.network.scenariofile import load_scenario
from postroad.study.drills.file import EventSection, read_drill, shipped_drills
from postroad.study.drills.grade import grade_event
from postroad.study.drills.resolve import Gazetteer, resolve_goods, resolve_losses
from postroad.study.drills.run import run_drill


def refused(text):
    """The findings of a drill file that is refused."""
    with pytest.raises(InputError) as caught:
        run_drill(write_drill(text, "bad"))
    return [finding.code for finding in caught.value.findings]


def test_every_item_of_the_day_is_in_one_class():
    drilled = tiny_drill()
    classes = dict(drilled.still.classes.select("class", "n_items").iter_rows())
    assert sum(classes.values()) == drilled.cut_off.n_all == drilled.ways.counts.sum()
    assert classes["cut_off"] == drilled.cut_off.n_items == drilled.cut_off.reasons["n_items"].sum()
    assert min(classes["untouched"], classes["other_way"], classes["cut_off"]) > 0
    assert drilled.cut_off.places["n_sent_cut"].sum() == drilled.cut_off.n_items
    assert drilled.cut_off.places["n_received_cut"].sum() == drilled.cut_off.n_items


def test_all_of_a_lost_hub_is_cut_off():
    places = tiny_drill().cut_off.places
    lost = places.row(by_predicate=pl.col("place_id") == "420100", named=True)
    assert lost["reason"] == "lost"
    assert (lost["n_sent_cut"], lost["n_received_cut"]) == (lost["n_sent"], lost["n_received"])


def test_what_may_not_fly_has_no_way_to_what_only_flights_reach():
    drilled = tiny_drill()
    ways, reasons = drilled.ways, drilled.cut_off.reasons
    barred = ~ways.before.prod_mode_ok[:, 2]
    goal = ways.before.fac_id[: ways.before.n_core].index("S-EZH")
    into = (ways.flows.destination == goal) & (ways.flows.origin != goal)
    assert (ways.cut_off[:, into].sum(axis=1) > 0)[barred].all()
    assert reasons.row(by_predicate=pl.col("reason") == "nothing_in", named=True)["n_items"] > 0


def test_relief_adds_up_at_every_hour():
    drilled = tiny_drill()
    hours, arrivals = drilled.hours, drilled.arrivals
    assert hours["n_missing"].to_list() == [0] * len(hours)
    assert hours["n_overdrawn"].max() == 0
    assert (hours["n_ready"] == hours["n_waiting"] + hours["n_under_way"] + hours["n_arrived"]).all()
    assert hours["n_arrived"][-1] == arrivals["n_arrived"].sum() > 0
    parts = arrivals.select(pl.sum_horizontal("n_arrived", "n_under_way", "n_waiting", "n_short")).to_series()
    assert parts.to_list() == arrivals["n_units"].to_list() == [75, 125]
    assert arrivals["n_short"].sum() == 200 - 150
    assert hours["n_ready"][-1] == 150


def test_no_unit_is_earlier_than_its_bound():
    arrivals = tiny_drill().arrivals.filter(pl.col("n_arrived") > 0)
    assert len(arrivals)
    assert (arrivals["first_h"] >= arrivals["bound_first_h"]).all()
    assert (arrivals["bound_first_h"] >= arrivals["undisturbed_h"]).all()


def test_a_lost_place_is_served_by_the_nearest_working_centre():
    row = tiny_drill().arrivals.row(0, named=True)
    assert (row["place_id"], row["gate_id"], row["remaining_km"]) == ("420100", "S-EZH", 70.0)
    assert row["km_label"] == "derived"


def test_nothing_rides_what_is_lost_while_it_is():
    drilled = tiny_drill()
    loss, after = drilled.losses[0], drilled.after
    lane = after.cn_lane[after.dp_cn]
    during = (after.dp_dep_min >= loss.from_min) & (after.dp_dep_min < loss.to_min)
    assert not (loss.facilities[after.lane_from[lane]] | loss.facilities[after.lane_to[lane]])[during].any()
    later = after.dp_dep_min >= loss.to_min
    assert loss.facilities[after.lane_from[lane]][later].any()


def test_freed_vehicles_stand_outside_what_is_lost():
    reserves = tiny_drill().reserves
    freed = reserves.ranked.filter(pl.col("kind") == "vehicles")
    assert freed["n"].sum() > 0
    assert reserves.n_stuck > 0
    assert "H-WUH" not in freed["facility_id"].to_list()
    gains = reserves.ranked["relief_tonne_h"].drop_nulls().to_list()
    assert gains == sorted(gains, reverse=True)


def test_threads_change_nothing():
    again = run_drill(write_drill(), threads=2).frames()
    for name, frame in tiny_drill().frames().items():
        assert frame.equals(again[name]), name


def test_a_corridor_spares_other_modes():
    corridor = 'kind = "corridor"\nbetween = [["Zhejiang"], ["Hubei"]]\nmodes = ["road", "rail"]'
    text = WUHAN.replace('kind = "hub"\nat = ["H-WUH"]', corridor)
    drilled = run_drill(write_drill(text, "corridor"))
    assert drilled.facts["n_lost_facilities"] == 0
    assert drilled.facts["n_items_cut_off"] > 0
    assert drilled.facts["n_items_other_way"] > 0
    assert "air" in "+".join(drilled.arrivals["modes"])
    legs = drilled.losses[0].legs
    assert legs.any()


def test_needs_are_shared_by_population_in_whole_units():
    each = '{ place = "420100", t = 30.0 }, { place = "Ezhou", t = 50.0 }'
    text = WUHAN.replace(each, '{ place = "Hubei", t = 50.0, by = "population" }')
    arrivals = run_drill(write_drill(text, "shared")).arrivals
    assert dict(arrivals.select("place_id", "n_units").iter_rows()) == {"420100": 115, "420700": 10}


def test_the_folder_holds_facts_tables_and_the_page():
    folder = tiny_drill().folder
    facts = tomllib.loads((folder / "drill.toml").read_text(encoding="utf-8"))
    assert facts["n_units_missing"] == 0
    assert facts["label"] == "modelled"
    assert pl.read_parquet(folder / "arrivals.parquet").equals(tiny_drill().arrivals)
    page = (folder / "report.html").read_text(encoding="utf-8")
    for text in ("When relief arrives", "救援物资到达", "未核实", "Which reserve to call on", "derived"):
        assert text in page


def test_the_worst_criterion_grades():
    grades = grade_event(EventSection(deaths=10, leaked_records=500, blocked="city"))
    assert grades.select("criterion", "grade", "colour", "status").rows() == [
        ("deaths", "II", "orange", "verified"),
        ("blocked", "III", "yellow", "unverified"),
        ("leaked_records", "IV", "blue", "unverified"),
    ]


@pytest.mark.parametrize(
    ("deaths", "grade"), [(1, "IV"), (2, "IV"), (3, "III"), (9, "III"), (10, "II"), (29, "II"), (30, "I")]
)
def test_thresholds_are_inclusive_below(deaths, grade):
    assert grade_event(EventSection(deaths=deaths))["grade"].to_list() == [grade]


def test_no_facts_no_grade():
    assert grade_event(EventSection()).is_empty()


@pytest.mark.parametrize("name", shipped_drills())
def test_shipped_drills_name_what_there_is(name):
    given, _ = read_drill(name)
    scenario = load_scenario(given.scenario)
    instance = compiled(scenario)
    findings = Findings()
    losses = resolve_losses(given, scenario, instance, Gazetteer(scenario.network, instance), findings)
    assert len(findings) == 0
    assert all(loss.facilities.any() or loss.legs.any() for loss in losses)


def compiled(scenario):
    """A day of a scenario."""
    return compile_network(scenario.network, day=scenario.day, n_days=1)


def test_an_unknown_drill():
    with pytest.raises(NotFound) as caught:
        run_drill("sichuan-last")
    assert caught.value.code == "PR-S130"
    assert "sichuan-lost" in caught.value.fix()


def test_all_that_is_wrong_is_told_at_once():
    text = (
        WUHAN.replace('at = ["H-WUH"]', 'at = ["H-WUX"]')
        .replace('at = "Hangzhou", t = 20.0, ready_at = "D+0 05:00"', 'at = "Nowhere", t = 20.0, ready_at = "noon"')
        .replace("D+2 00:00", "D-1 00:00")
        .replace('place = "Ezhou", t = 50.0', 'place = "CN", t = 50.0')
    )
    assert sorted(refused(text)) == ["PR-S135", "PR-S135", "PR-S135", "PR-S139", "PR-S140"]


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("days = 4", "days = [", "PR-S131"),
        ("days = 4", "dayz = 4", "PR-S132"),
        ("days = 4", "days = 0", "PR-S133"),
        ('scenario = "tiny"\n', "", "PR-S134"),
        ('at = ["H-WUH"]', "at = []", "PR-S136"),
        ('at = "S-NGB", t', 'at = "H-WUH", t', "PR-S137"),
        ('place = "Ezhou", t = 50.0', 'place = "CN-X", t = 50.0, by = "population"', "PR-S135"),
        ('kind = "hub"', 'kind = "corridor"', "PR-S133"),
    ],
)
def test_what_is_wrong_is_refused(before, after, code):
    assert before in WUHAN
    assert code in refused(WUHAN.replace(before, after))


def test_goods_cannot_be_shared_where_nobody_is_known():
    findings = Findings()
    text = WUHAN.replace('place = "Ezhou", t = 50.0', 'place = "Hubei", t = 5.0, by = "population"')
    given, _ = read_drill(write_drill(text, "nobody"))
    scenario = load_scenario("tiny")
    places = scenario.network.tables["places"].with_columns(population=pl.lit(None, pl.Int64))
    network = scenario.network.with_tables(places=places)
    instance = compiled(scenario)
    none = Loss(np.zeros(instance.n_fac, bool), np.zeros(len(instance.leg_from), bool), 0, 1)
    resolve_goods(given, scenario, (none,), Gazetteer(network, instance), findings)
    assert [finding.code for finding in findings] == ["PR-S138"]


def test_a_folder_is_not_overwritten():
    with pytest.raises(InputError) as caught:
        run_drill(write_drill(), to=tiny_drill().folder)
    assert caught.value.code == "PR-S105"
