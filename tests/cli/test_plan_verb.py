"""``postroad plan flow`` and ``postroad run --plan``, as processes."""

import json

import polars as pl
import pytest

from kit.cli import run_cli


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """A plan made by the command line."""
    place = tmp_path_factory.mktemp("work")
    return place, run_cli("plan", "flow", "tiny", "--max-gap", "0.001", "--json", cwd=place)


def test_plan_is_told_with_its_proof(planned):
    place, done = planned
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["folder"] == "plans/tiny"
    assert told["bound_yuan"] <= told["cost_yuan"] * (1 + 1e-9)
    assert told["gap"] <= 0.001
    assert told["faults"] == []
    assert told["checked_cost_yuan"] == pytest.approx(told["cost_yuan"], rel=1e-6)
    assert {"plan.toml", "legs.parquet", "centres.parquet"} <= {
        path.name for path in (place / told["folder"]).iterdir()
    }
    assert pl.read_parquet(place / told["folder"] / "legs.parquet")["n_items"].sum() > 0


def test_the_same_work_gives_the_same_plan(planned):
    place, done = planned
    told = json.loads(done.stdout)
    again = run_cli(
        "plan", "flow", "tiny", "--max-gap", "0", "--work-limit", str(told["work"]), "--threads", "1", "--json",
        "--to", "again", cwd=place,
    )  # fmt: skip
    repeated = json.loads(again.stdout)
    assert (repeated["cost_yuan"], repeated["bound_yuan"]) == (told["cost_yuan"], told["bound_yuan"])
    assert repeated["stop"] == "work"


def test_a_run_follows_the_plan(planned):
    place, _ = planned
    done = run_cli("run", "tiny", "--plan", "plans/tiny", "--to", "followed", "--no-report", "--json", cwd=place)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["conservation"]["holds"] is True
    assert told["conservation"]["in_custody"] == 0
    assert "--plan plans/tiny" in told["command"]


def test_plan_speaks_chinese(planned):
    place, _ = planned
    done = run_cli("plan", "flow", "tiny", "--work-limit", "5", "--to", "zh", "--lang", "zh", cwd=place)
    assert done.returncode == 0, done.stderr
    assert "任何计划的成本下限" in done.stdout
    assert "制定流量计划" in done.stderr


def test_what_is_no_plan_is_refused(planned):
    place, _ = planned
    done = run_cli("run", "tiny", "--plan", "nowhere", "--no-report", cwd=place)
    assert done.returncode == 3
    assert done.stderr.startswith("PR-S120")


def test_a_plan_of_another_network_is_refused(planned):
    place, _ = planned
    done = run_cli("run", "normal-2023", "--plan", "plans/tiny", "--no-report", cwd=place)
    assert done.returncode == 3
    assert done.stderr.startswith("PR-S121")


def test_a_plan_is_not_overwritten(planned):
    place, _ = planned
    done = run_cli("plan", "flow", "tiny", cwd=place)
    assert done.returncode == 3
    assert done.stderr.startswith("PR-S105")


def test_a_plan_is_rerouted_and_checked_in_the_twin(planned):
    place, _ = planned
    done = run_cli(
        "plan", "reroute", "tiny", "--plan", "plans/tiny", "--work-limit", "5", "--check", "--json", "--to", "new",
        cwd=place,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [row["case"] for row in told["check"]] == ["undisturbed", "plan", "rerouted", "most"]
    assert len({row["n_items"] for row in told["check"]}) == 1
    assert all(row["n_left"] == 0 for row in told["check"])
    assert told["check"][0]["n_extra"] == 0
    assert told["check"][3]["n_late"] <= told["check"][2]["n_late"]
    assert (place / "new" / "check.parquet").is_file()
    again = run_cli("plan", "reroute", "tiny", "--plan", "plans/tiny", "--lang", "zh", "--no-call-up", cwd=place)
    assert again.returncode == 0, again.stderr
    assert "新路由用时" in again.stdout


def test_nothing_to_reroute_is_said(planned):
    place, _ = planned
    done = run_cli("plan", "reroute", "normal-2023", "--plan", "plans/tiny", cwd=place)
    assert done.returncode == 3
    assert "PR-S122" in done.stderr


def test_a_surge_is_planned_with_its_bound_and_lists(tmp_path):
    scenario = tmp_path / "busy.toml"
    scenario.write_text('name = "busy"\nbase = "tiny"\ndays_before = 1\n\n[demand]\nby = 8\n', encoding="utf-8")
    done = run_cli(
        "plan", "surge", "busy.toml", "--share", "0.5", "--work-limit", "20", "--to", "surge", "--json", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["share"] >= 0.5
    assert told["bound_yuan"] <= told["yuan"]
    assert (tmp_path / "surge" / "couriers.csv").is_file()
    shown = run_cli("plan", "surge", "busy.toml", "--share", "0.5", "--work-limit", "20", "--lang", "zh", cwd=tmp_path)
    assert "任何方案的费用下限" in shown.stdout
    refused = run_cli("plan", "surge", "busy.toml", "--share", "0.999", "--share-of", "all", cwd=tmp_path)
    assert refused.returncode == 4
    assert "PR-S150" in refused.stderr
