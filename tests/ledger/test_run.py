"""The ledger of a whole run: what its histories say is what the simulation counted."""

from collections import Counter
from dataclasses import replace

import pytest

from postroad.ledger import Ledger, fold_item
from postroad.network.scenariofile import load_scenario
from postroad.study.run import simulate


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    scenario = replace(load_scenario("tiny"), sample=250)
    return simulate(scenario, to=tmp_path_factory.mktemp("runs") / "tiny", threads=1)


def test_every_sampled_item_has_a_legal_life_that_ended(run):
    ledger = Ledger(run.folder / "ledger")
    items = ledger.query("SELECT item_id FROM items")["item_id"].to_list()
    lives = [fold_item(ledger.history(item)) for item in items]
    assert len(lives) == len(run.result.trace.item) > 100
    assert sum((Counter(life.findings.counts) for life in lives), Counter()) == {}
    assert {life.state for life in lives} <= {"delivered", "returned", "lost"}
    assert all(life.is_ended for life in lives)


def test_flow_records_hold_every_measured_item(run):
    found = Ledger(run.folder / "ledger").query("SELECT outcome, sum(n_items) AS n FROM flows GROUP BY 1")
    journeys = run.result.journeys
    assert found["n"].sum() == journeys.n_items.sum()
    assert dict(found.rows())["delivered"] == journeys.n_items[journeys.outcome == 0].sum()


def test_the_ledger_verifies(run):
    ledger = Ledger(run.folder / "ledger")
    assert len(ledger.verify()) == 0
    assert ledger.about.run_digest == run.result_digest
