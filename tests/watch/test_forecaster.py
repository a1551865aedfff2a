"""Forecasts: learned from histories, kept as text, and the timetable's where nothing was learned."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from kit.twin import run_flows
from kit.watch import quiet_case, tables_of
from postroad.core.errors import InputError, NotFound
from postroad.routing.outlook import Outlook
from postroad.twin.noise import draw_course, standard_noise
from postroad.twin.simulation import Sample
from postroad.watch.conditions import CONDITIONS, Conditions
from postroad.watch.forecaster import Forecaster, learn, timetable_forecast
from postroad.watch.lessons import read_lesson
from postroad.watch.scores import best_f1, coverage, f1_score, pinball_loss


@pytest.fixture(scope="module")
def lesson():
    """A small network on a course of chance, its outlook, and what can be learned of it."""
    case = quiet_case(1)
    course = replace(case, instance=draw_course(case.instance, standard_noise(), 3))
    events, items = tables_of(course, run_flows(course, Sample(every=1, n_days=2))[0])
    outlook = Outlook(case.instance, case.tables, case.parameters.tour_shares)
    return read_lesson(events, items, outlook), outlook


def test_what_is_learned_forecasts_better_than_the_timetable(lesson):
    lesson, outlook = lesson
    pytest.importorskip("lightgbm")
    forecaster = learn(lesson, outlook, 0, 1)
    delivered = lesson.histories.delivered_min[lesson.standing.item]
    rows = np.flatnonzero(delivered > lesson.standing.minute)
    weight = np.ones(len(rows))
    learned = forecaster.forecast(lesson.standing, rows, lesson.means, 0, outlook)
    plain = timetable_forecast(lesson.standing, rows, outlook)
    assert (learned.basis, plain.basis) == ("learned", "timetable")
    actual = delivered[rows].astype(float)
    for q, name in ((0.5, "p50_min"), (0.9, "p90_min")):
        mine, other = (pinball_loss(actual, getattr(one, name), q, weight) for one in (learned, plain))
        assert mine < other
    assert 0.85 < coverage(actual, learned.p90_min, weight) < 0.97
    assert (learned.p90_min >= learned.p50_min).all()
    assert (learned.p50_min >= lesson.standing.minute[rows]).all()
    assert ((learned.late >= 0) & (learned.late <= 1)).all()
    assert np.isnan(plain.late).all()
    last = lesson.last_rows()
    assert (np.bincount(lesson.standing.item[last]) == 1).all()
    assert (np.diff(lesson.standing.item[last]) > 0).all()


def test_a_forecaster_is_kept_as_text_and_says_the_same(lesson, tmp_path):
    lesson, outlook = lesson
    pytest.importorskip("lightgbm")
    forecaster = learn(lesson, outlook, 0, 1, most_rows=800)
    forecaster.save(tmp_path / "model")
    rows = np.arange(50)
    one, other = (
        each.forecast(lesson.standing, rows, lesson.means, 0, outlook)
        for each in (forecaster, Forecaster.load(tmp_path / "model"))
    )
    np.testing.assert_array_equal(one.p90_min, other.p90_min)
    head = tmp_path / "model" / "forecaster.json"
    head.write_text(head.read_text().replace("to_go_min", "to_come_min"))
    with pytest.raises(InputError, match="PR-V102"):
        Forecaster.load(tmp_path / "model")
    with pytest.raises(NotFound, match="PR-V101"):
        Forecaster.load(tmp_path / "none")


def test_too_little_history_and_a_missing_library_are_told(lesson, monkeypatch):
    lesson, outlook = lesson
    pytest.importorskip("lightgbm")
    with pytest.raises(InputError, match="PR-V103"):
        learn(lesson, outlook, 9, 9)
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(InputError, match="PR-V104"):
        learn(lesson, outlook, 0, 1)


def test_conditions_know_only_the_hours_before():
    conditions = Conditions(np.array([0, 0, 1]), 48)
    conditions.observe(0, np.array([0, 0, 2]), np.array([65, 119, 300]), np.array([10.0, 30.0, 7.0]))
    conditions.move(0, np.array([1]), np.array([61]), 1)
    means = conditions.means(0, 10)
    assert means.shape == (10, 3, len(CONDITIONS))
    assert (means[:2, :, :-2] == 0).all()
    assert means[2, 0, 0] == pytest.approx(20)
    assert means[2, 1, 0] == pytest.approx(20)  # nothing seen there: as in its province
    assert 7 < means[9, 0, 0] < 20  # nothing within 3 hours: leans on the longer windows
    present = CONDITIONS.index("present")
    assert means[1, 1, present] == 1
    assert means[2, 1, present] == 1.5


def test_scores_of_hand_made_forecasts():
    actual, weight = np.array([10.0, 20.0]), np.array([1.0, 3.0])
    assert pinball_loss(actual, np.array([12.0, 10.0]), 0.9, weight) == pytest.approx((0.1 * 2 + 3 * 0.9 * 10) / 4)
    assert coverage(actual, np.array([12.0, 10.0]), weight) == 0.25
    truth = np.array([True, False, True, False])
    assert f1_score(truth, np.array([True, True, False, False])) == 0.5
    assert f1_score(truth, np.zeros(4, bool)) == 0
    assert best_f1(truth, np.array([0.9, 0.5, 0.5, 0.1])) == (0.8, 0.5)
