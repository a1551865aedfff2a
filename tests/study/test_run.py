"""Runs: what is kept, what is opened again, what is refused."""

import json
import tomllib
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from kit.studies import closed_run, tiny, tiny_run
from postroad.core.errors import InfeasibleError, InputError, NotFound
from postroad.core.findings import Findings
from postroad.measure.paired import summarise_seeds
from postroad.study.archive import read_findings, write_findings
from postroad.study.execution import released_by_day
from postroad.study.run import open_or_simulate, open_run, simulate


def test_every_item_ends_and_is_accounted_for():
    counts = tiny_run().result.counts
    assert (counts.created == counts.delivered + counts.returned + counts.lost + counts.in_custody).all()
    assert counts.in_custody[-1] == 0
    assert counts.created[-1] == released_by_day(tiny()).sum()


def test_a_run_is_opened_as_it_was_made():
    made, opened = tiny_run(), open_run(tiny_run().folder)
    assert opened.measure().equals(made.measure())
    by = ["product", "destination_region"]
    assert opened.measure(["total_h", "late_h"], by).equals(made.measure(["total_h", "late_h"], by))
    assert opened.scenario.digest == made.scenario.digest
    assert (opened.result_digest, opened.command, opened.know_overlay) == (made.result_digest, made.command, False)
    for name in ("load_items", "sorted_items", "backlog_in", "backlog_out"):
        assert np.array_equal(getattr(opened.result, name), getattr(made.result, name))


def test_threads_change_nothing():
    assert simulate("tiny", threads=1).result_digest == tiny_run().result_digest


def test_another_seed_changes_the_result():
    assert simulate("tiny", seed=2).result_digest != tiny_run().result_digest


def test_the_facts_repeat_the_run(tmp_path):
    facts = tomllib.loads((tiny_run().folder / "run.toml").read_text(encoding="utf-8"))
    assert facts["command"] == "postroad run tiny --seed 1 --sample 1"
    assert facts["released_by_day"] == [22632, 28290, 26027]
    again = simulate(closed_run().folder, to=tmp_path / "again")
    assert again.result_digest == closed_run().result_digest
    assert again.scenario.disruptions == closed_run().scenario.disruptions


def test_the_command_says_what_was_asked_for():
    run = simulate("tiny", seed=4, sample=0, sample_pairs=[("330100", "420100")], know_overlay=True)
    assert run.command == "postroad run tiny --seed 4 --sample 0 --sample-pair 330100:420100 --know-overlay"
    assert run.scenario.sample_pairs == (("330100", "420100"),)
    assert simulate(tiny()).command == ""


def test_histories_of_a_pair_are_kept_whole():
    run = closed_run()
    journeys = run.result.journeys
    ids = {name: run.instance.fac_id.index(name) for name in ("O-TLU", "H-WUH")}
    mine = (journeys.origin_idx == ids["O-TLU"]) & (journeys.destination_idx == ids["H-WUH"])
    items = pl.read_parquet(run.folder / "ledger" / "items" / "*.parquet")
    kept = items.filter(origin_id="O-TLU", destination_id="H-WUH")
    assert len(kept) == journeys.n_items[mine].sum() > 0
    tracking = run.track(kept["item_id"][0])
    assert tracking.is_ended
    assert tracking.origin.zh == "桐庐网点"


def test_seeds_are_measured_side_by_side():
    run = closed_run()
    assert run.seeds["seed"].unique().to_list() == [1, 2]
    own = run.seeds.filter(seed=1, measure="total_h")["value"][0]
    assert own == run.measure(["total_h"])["value"][0]
    means = summarise_seeds([part.drop("seed") for part in run.seeds.partition_by("seed")])
    assert means.filter(measure="total_h")["n_runs"][0] == 2
    assert open_run(run.folder).seeds.equals(run.seeds)


def test_what_stands_beside_is_kept_and_opened():
    run = open_run(closed_run().folder, beside=True)
    assert run.undisturbed.scenario.disruptions == ()
    assert run.other.scenario.name == "tiny"
    assert run.undisturbed.seeds["seed"].n_unique() == 2
    assert run.undisturbed.scenario.seed == run.scenario.seed
    assert open_run(closed_run().folder).other is None


def test_findings_are_kept(tmp_path):
    findings = Findings()
    findings.add("PR-C020", table="trips", row=4, column="arrive", value="25:61")
    findings.count("PR-C020", 7)
    write_findings(tmp_path, findings)
    again = read_findings(tmp_path)
    assert again.counts == {"PR-C020": 8}
    assert [finding.message("zh") for finding in again] == [finding.message("zh") for finding in findings]


def test_a_normal_week_follows_the_calendar():
    by_calendar = replace(tiny(), days_by="calendar")
    assert by_calendar.day.isoweekday() == 2
    assert released_by_day(by_calendar).tolist() == [round(28290 * 1.04 / 1.06), 28290, round(28290 * 1.05 / 1.06)]
    assert released_by_day(tiny()).tolist() == [22632, 28290, 26027]


def test_a_run_is_made_once(tmp_path):
    made = open_or_simulate(None, "tiny", tmp_path)
    stamp = (tmp_path / "tiny" / "run.toml").stat().st_mtime_ns
    assert open_or_simulate(None, "tiny", tmp_path).result_digest == made.result_digest
    assert (tmp_path / "tiny" / "run.toml").stat().st_mtime_ns == stamp
    assert open_or_simulate(None, "tiny", tmp_path, seed=3).scenario.seed == 3
    assert open_or_simulate(tmp_path / "tiny", "peak", tmp_path).scenario.seed == 3


def refused(error, call, *words, **values):
    with pytest.raises(error) as raised:
        call(*words, **values)
    return raised.value.code


def test_what_is_refused(tmp_path):
    assert refused(NotFound, open_run, tmp_path) == "PR-S104"
    assert refused(NotFound, replace(tiny_run(), folder=None).track, "ZA000000059CN") == "PR-S104"
    assert refused(InputError, simulate, "tiny", to=tmp_path) == "PR-S105"
    assert refused(InputError, simulate, tiny(), level="county") == "PR-S106"
    assert refused(InputError, simulate, "tiny", seeds=0) == "PR-S107"
    assert refused(InputError, simulate, "tiny", sample_pairs=[("330100", "999999")]) == "PR-S103"
    assert refused(InputError, simulate, tiny().days(40, 40)) == "PR-S101"


def test_a_run_of_another_release_is_refused(tmp_path):
    broken = tmp_path / "old"
    broken.mkdir()
    for path in tiny_run().folder.iterdir():
        (broken / path.name).symlink_to(path)
    (broken / "run.toml").unlink()
    (broken / "run.toml").write_text('scenario = "tiny"\n', encoding="utf-8")
    with pytest.raises(NotFound, match="name_en in run"):
        open_run(broken)


def test_items_without_a_way_are_refused():
    network, columns = tiny().network, ["product_id", "mode", "rule"]
    barred = pl.DataFrame([("express", "road", "barred")], schema=columns, orient="row")
    restrictions = pl.concat([network.tables["restrictions"].select(columns), barred])
    with pytest.raises(InfeasibleError, match="No route leads from 'H-WUH'") as raised:
        simulate(replace(tiny(), network=network.with_tables(restrictions=restrictions)))
    assert raised.value.code == "PR-S102"
    assert len(raised.value.findings) == 6


def test_nothing_is_left_of_a_run_that_fails(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("postroad.study.run.write_ledger", fail)
    with pytest.raises(OSError, match="disk full"):
        simulate("tiny", to=tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_the_folder_holds_what_the_run_is():
    names = {path.name for path in tiny_run().folder.iterdir()}
    tables = {"journeys.parquet", "loads.parquet", "hours.parquet", "counts.parquet", "measures.parquet"}
    assert names == tables | {"run.toml", "wall.toml", "findings.json", "network", "ledger"}
    assert json.loads((tiny_run().folder / "findings.json").read_text())["findings"] == []
