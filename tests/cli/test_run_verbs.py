"""Verbs over runs, as processes: run, measure, report, compare, track, sweep, validate."""

import csv
import json
import re

import polars as pl
import pytest

from kit.cli import run_cli
from kit.studies import closed_run, folder, tiny_run
from postroad.measure.registry import STANDARD


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run made by the command line."""
    place = tmp_path_factory.mktemp("work")
    return place, run_cli("run", "tiny", "--json", cwd=place)


def test_run_keeps_the_run_and_draws_its_report(made):
    place, done = made
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["folder"] == "runs/tiny"
    assert told["report"] == "runs/tiny/report.html"
    assert (place / told["report"]).read_text(encoding="utf-8").startswith("<!doctype html>")
    assert told["result_digest"] == tiny_run().result_digest
    assert told["conservation"]["holds"] is True
    assert told["conservation"]["in_custody"] == 0
    headline = {row["measure"]: row for row in told["headline"]}
    assert headline["total_h"]["value"] == tiny_run().measure(["total_h"])["value"][0]
    assert headline["total_h"]["label"] == "modelled"
    assert set(told["wall_s"]) >= {"compile", "route", "simulate", "measure"}


def test_run_tells_its_stages_on_standard_error(made):
    _, done = made
    lines = done.stderr.splitlines()
    assert lines[:3] == ["check the feed", "compile the network", "make the demand"]
    assert lines[-2:] == ["write the run", "draw the report"]


def test_run_does_not_overwrite(made):
    place, _ = made
    again = run_cli("run", "tiny", cwd=place)
    assert again.returncode == 3
    assert again.stderr.startswith("PR-S105")


def test_run_with_a_disruption_tells_what_it_did(tmp_path):
    scenario = folder() / "tiny-closed.toml"
    closed_run()
    done = run_cli("run", str(scenario), "--to", "closed", "--lang", "zh", "--no-report", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("武汉关闭 · tiny (county) · 2025年11月11日 · 种子 1")
    assert re.search(r"^扰动 +武汉枢纽关闭（11月11日 06:00至11月12日 06:00）使", done.stdout, re.MULTILINE)
    assert re.search(r"^对照 +小型示例：", done.stdout, re.MULTILINE)
    assert "检查数据包" in done.stderr
    assert not (tmp_path / "closed" / "report.html").exists()
    assert (tmp_path / "closed" / "beside" / "undisturbed" / "run.toml").exists()


def test_a_run_may_stand_alone(tmp_path):
    scenario = folder() / "tiny-closed.toml"
    closed_run()
    done = run_cli("run", str(scenario), "--no-beside", "--json", cwd=tmp_path)
    told = json.loads(done.stdout)
    assert told["folder"] == "runs/tiny-closed"
    assert (told["beside"], told["disruption"]) == (None, None)


@pytest.mark.parametrize(
    ("words", "exit_code", "code"),
    [
        (("run", "tinny"), 3, "PR-F201"),
        (("run", "tiny", "--sample-pair", "330100"), 2, "PR-X010"),
        (("run", "tiny", "--sample-pair", "a:b:c"), 2, "PR-X010"),
        (("run", "tiny", "--sample-pair", "a:b"), 3, "PR-S103"),
        (("run", "tiny", "--seeds", "0"), 2, "PR-X001"),
        (("run", "tiny", "--base-map", "nowhere.geojson"), 3, "PR-P003"),
        (("measure", "nowhere"), 3, "PR-S104"),
        (("report", "nowhere"), 3, "PR-S104"),
        (("compare", "nowhere", "nowhere"), 3, "PR-S104"),
        (("track", "ZA000000059CN"), 3, "PR-L302"),
        (("sweep", "tiny", "--set", "demand.by"), 2, "PR-X011"),
        (("sweep", "tiny", "--set", "demand.off=1"), 3, "PR-S109"),
        (("sweep", "tiny", "--set", "demand.by=1:2"), 3, "PR-S110"),
    ],
)
def test_what_is_refused(words, exit_code, code, tmp_path):
    done = run_cli(*words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (exit_code, "")
    assert code in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_measures_of_a_run():
    done = run_cli("measure", str(tiny_run().folder), "--json")
    rows = json.loads(done.stdout)
    assert [row["measure"] for row in rows] == list(STANDARD)
    assert rows == tiny_run().measure().to_dicts()


def test_measures_by_groups_on_a_screen():
    words = ("measure", str(tiny_run().folder), "total_h", "--by", "product", "--by", "destination_region")
    lines = run_cli(*words).stdout.splitlines()
    assert lines[0].split() == ["product", "destination_region", "measure", "value", "items", "behind", "it", "label"]
    assert lines[2].split()[:4] == ["express", "centre", "Total", "time"]
    assert len(lines) == 6


def test_a_wrong_measure_is_refused():
    done = run_cli("measure", str(tiny_run().folder), "total_hh")
    assert done.returncode == 3
    assert done.stderr.startswith("PR-M001")


def test_the_report_is_drawn_again_with_its_tables(tmp_path):
    words = ("report", str(closed_run().folder), "--to", "page.html", "--tables", "tables", "--xlsx", "all.xlsx")
    done = run_cli(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    written = done.stdout.splitlines()
    assert written[0] == "page.html"
    assert written[-1] == "all.xlsx"
    assert all((tmp_path / path).is_file() for path in written)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Closing Wuhan hub" in page
    with (tmp_path / "tables" / "centres.csv").open(encoding="utf-8-sig") as handle:
        assert "H-WUH" in [row["facility_id"] for row in csv.DictReader(handle)]


def test_the_report_takes_another_base_map(tmp_path):
    outline = {"type": "Polygon", "coordinates": [[[110, 25], [125, 25], [125, 35], [110, 35], [110, 25]]]}
    feature = {"type": "Feature", "properties": {}, "geometry": outline}
    path = tmp_path / "map.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    words = ("--base-map", str(path), "--map-notice", "审图号：GS(2024)0650号", "--to", "page.html")
    done = run_cli("report", str(tiny_run().folder), *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "GS(2024)0650" in page
    assert "Natural Earth (public domain), simplified" not in page


def test_two_runs_compared(tmp_path):
    runs = (str(closed_run().folder / "beside" / "undisturbed"), str(closed_run().folder))
    done = run_cli("compare", *runs, "--measure", "total_h", "--measure", "fill_share", "--to", "c.html", cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["measure", *runs, "difference", "95", "%", "interval"]
    assert lines[2].rstrip().endswith("worse")
    assert lines[-1] == "c.html"
    assert "the same network" in done.stderr
    told = json.loads(run_cli("compare", *runs, "--measure", "total_h", "--by", "product", "--json").stdout)
    assert [row["product"] for row in told["differences"]] == ["express", "standard"]
    assert told["page"] is None


def test_an_item_is_tracked_in_the_newest_run_or_a_named_one(made):
    place, _ = made
    items = pl.read_parquet(tiny_run().folder / "ledger" / "items" / "*.parquet")
    number = items["item_id"][0]
    newest = run_cli("track", number, cwd=place)
    named = run_cli("track", number, "--run", str(tiny_run().folder))
    assert newest.returncode == 0, newest.stderr
    assert newest.stdout == named.stdout
    assert newest.stdout.startswith(f"{number}  ")
    assert json.loads(run_cli("track", number, "--json", cwd=place).stdout)["item_id"] == number
    unknown = run_cli("track", "ZZ999999999CN", cwd=place)
    assert unknown.returncode == 3
    assert unknown.stderr.startswith("PR-L301")


def test_a_sweep_as_table_page_and_data(tmp_path):
    words = ("sweep", "tiny", "--set", "demand.by=0.5,1", "--measure", "total_h", "--measure", "on_time_share")
    done = run_cli(*words, "--to", "sweep.html", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["demand.by", "Total", "time", "Promise", "kept"]
    own = tiny_run().measure(["total_h"])["value"][0]
    assert lines[3].split()[:2] == ["1", f"{own:.1f}"]
    assert lines[-1] == "sweep.html"
    assert "postroad sweep tiny --set demand.by=0.5,1 --seed 1" in (tmp_path / "sweep.html").read_text(encoding="utf-8")


def test_validate_refuses_a_run_of_another_network():
    done = run_cli("validate", str(tiny_run().folder), "--no-surge")
    assert done.returncode == 3
    assert done.stderr.startswith("PR-S108  The run of 'tiny' is not of such a day as 'normal-2023'")
