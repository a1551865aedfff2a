"""Forecasts of delivery on a network with chance: how much better than the timetable, and how near to an oracle.

    python benchmarks/watch.py                       # forecasts; about fifteen minutes
    python benchmarks/watch.py --reruns 200          # and late risk against an oracle; two hours more

Chance is that of ``postroad/twin/noise.csv``, frozen before anything was fitted (its digest is pinned by a test). The
items of 28 days of china-2023, one in 10,000, are followed through one course of it. What is learned of the items
accepted on days 3 to 15 is judged on those of days 20 to 27, at each of their events, every item counting the same. The
timetable's own forecast is the median and the ninetieth hundredth of the tour of the planned wave, from where the item
really is; beside it stands the plain form, one instant for both.

The oracle runs the twin again, from the state at 04:00 of day 6 of another course, so many times, each with other
chance from then on, and takes the share in which an item is late. No courier is out at that hour: the twin settles a
tour when it begins, and an oracle that starts within one would know what nobody can. Prints JSON lines with
``figure``, ``value``, ``unit``, ``bar`` and ``holds``. Run it alone on the machine.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from datetime import UTC, timedelta

import numpy as np
import polars as pl

from postroad.network.scenariofile import load_scenario
from postroad.routing.outlook import Outlook
from postroad.study.courses import Course, begin, course_tables, finish, make_plan, rerun
from postroad.twin.noise import standard_noise
from postroad.twin.result import TRACE_KINDS, Trace
from postroad.watch.forecaster import Forecaster, learn, timetable_forecast
from postroad.watch.lessons import Lesson, read_lesson
from postroad.watch.scores import best_f1, coverage, pinball_loss

DAYS, EVERY = 28, 10_000
LEARNED, JUDGED = (3, 15), (20, 27)
ORACLE_DAY, ORACLE_HOUR, ORACLE_DAYS = 6, 4, 10
GAIN_BAR, COVER_BAR, F1_BAR = 0.30, (0.88, 0.92), 0.9
DELIVERED, ENDS = (
    TRACE_KINDS.index("delivered"),
    [TRACE_KINDS.index(kind) for kind in ("delivered", "returned", "lost")],
)
NEVER = 1 << 30


def tell(figure: str, value: float, unit: str, bar: object = None, holds: bool | None = None) -> None:
    """Print one figure."""
    print(json.dumps({"figure": figure, "value": value, "unit": unit, "bar": bar, "holds": holds}), flush=True)


def say(text: str) -> None:
    """Tell on standard error what is being done."""
    print(text, file=sys.stderr, flush=True)


def course_lesson(days: int, seed: int) -> tuple[Outlook, Lesson]:
    """Run a course to its end and read what it teaches."""
    scenario = replace(load_scenario("normal-2023"), days_before=0, days_after=days - 1)
    plan = make_plan(scenario, standard_noise())
    outlook = Outlook(plan.instance, plan.tables, plan.parameters.tour_shares)
    course = begin(plan, seed, every=EVERY)
    start = time.perf_counter()
    trace = finish(course)
    say(f"course of {days} days: {time.perf_counter() - start:.0f} s, {len(trace.row_item):,} events")
    events, items = (pl.from_arrow(table) for table in course_tables(course, trace))
    return outlook, read_lesson(events, items, outlook)


def judge_forecasts(lesson: Lesson, outlook: Outlook, forecaster: Forecaster) -> None:
    """Pinball loss and coverage on days that were not learned from; at the items' own events, then with what their
    vehicles told too."""
    told = lesson.standing.told
    judge_rows(lesson, outlook, forecaster, ~told, "")
    judge_rows(lesson, outlook, forecaster, np.ones(len(told), bool), ", with what vehicles told")


def judge_rows(lesson: Lesson, outlook: Outlook, forecaster: Forecaster, asked: np.ndarray, tag: str) -> None:
    """Judge some of the rows."""
    standing = lesson.standing
    delivered = lesson.histories.delivered_min[standing.item]
    day = standing.accepted // 1440
    known = (delivered > standing.minute) & np.isfinite(standing.door)
    rows = np.flatnonzero(asked & known & (day >= JUDGED[0]) & (day <= JUDGED[1]))
    weight = 1.0 / np.bincount(standing.item[rows])[standing.item[rows]]
    actual = delivered[rows].astype(float)
    start = time.perf_counter()
    learned = forecaster.forecast(standing, rows, lesson.means, 0, outlook)
    each_us = 1e6 * (time.perf_counter() - start) / len(rows)
    plain = timetable_forecast(standing, rows, outlook)
    loss = {
        name: [pinball_loss(actual, one, q, weight) / 60 for one, q in pairs]
        for name, pairs in {
            "learned": ((learned.p50_min, 0.5), (learned.p90_min, 0.9)),
            "timetable": ((plain.p50_min, 0.5), (plain.p90_min, 0.9)),
            "timetable, one instant": ((plain.p50_min, 0.5), (plain.p50_min, 0.9)),
        }.items()
    }
    for name, (half, most) in loss.items():
        tell(f"pinball loss, p50, {name}{tag}", round(half, 3), "h")
        tell(f"pinball loss, p90, {name}{tag}", round(most, 3), "h")
    bars = [None, None] if tag else [GAIN_BAR, COVER_BAR]
    gain = 1 - sum(loss["learned"]) / sum(loss["timetable"])
    tell(f"pinball loss under the timetable's, p50 and p90{tag}", round(gain, 3), "share", bars[0],
         None if tag else gain >= GAIN_BAR)  # fmt: skip
    gain = 1 - sum(loss["learned"]) / sum(loss["timetable, one instant"])
    tell(f"the same, the timetable naming one instant{tag}", round(gain, 3), "share", bars[0],
         None if tag else gain >= GAIN_BAR)  # fmt: skip
    cover = coverage(actual, learned.p90_min, weight)
    tell(f"deliveries by p90{tag}", round(cover, 4), "share", bars[1],
         None if tag else COVER_BAR[0] <= cover <= COVER_BAR[1])  # fmt: skip
    tell(f"forecasts judged{tag}", len(rows), "events")
    tell(f"a forecast{tag}", round(each_us, 2), "us")


def judge_risk(forecaster: Forecaster, reruns: int) -> None:
    """Late risk at one instant against an oracle that runs the twin again."""
    scenario = replace(load_scenario("normal-2023"), days_before=0, days_after=ORACLE_DAYS - 1)
    plan = make_plan(scenario, standard_noise())
    outlook = Outlook(plan.instance, plan.tables, plan.parameters.tour_shares)
    course, per_day = begin(plan, 2, every=EVERY), plan.instance.slots_per_day
    now = ORACLE_DAY * per_day + ORACLE_HOUR * per_day // 24
    course.simulation.advance(now)
    until, now_min = now + 3 * per_day - ORACLE_HOUR * per_day // 24, now * plan.instance.slot_min
    until_min = until * plan.instance.slot_min
    n_known = len(course.simulation.histories().item)
    real = Course(plan, course.seed, course.simulation.copy())
    truth = finish(real)
    shares = np.zeros(n_known)
    for number, trace in enumerate(rerun(course, range(1000, 1000 + reruns), until), 1):
        shares += is_late(trace, n_known)
        say(f"run again: {number} of {reruns}")
    events, items = (pl.from_arrow(table) for table in course_tables(real, trace=truth))
    instant = plan.instance.epoch.astimezone(UTC) + timedelta(minutes=now_min)
    lesson = read_lesson(events.filter(pl.col("occurred_at") <= instant), items, outlook)
    risk = risk_now(lesson, outlook, forecaster, len(truth.item))[:n_known]
    ended = ends_of(truth, ENDS)[:n_known]
    promise = truth.item_promise_min[:n_known]
    open_now = (truth.item_accepted_min[:n_known] <= now_min) & (ended > now_min) & np.isfinite(risk)
    judged = np.flatnonzero(open_now & (promise > now_min) & (promise <= until_min))
    late = is_late(truth, n_known)[judged]
    oracle, _ = best_f1(late, shares[judged] / reruns)
    mine, limit = best_f1(late, risk[judged])
    tell("items under way that are judged", len(judged), "items")
    tell("of them late", round(float(late.mean()), 3), "share")
    tell(f"F1 of late risk, oracle of {reruns} runs", round(oracle, 3), "")
    tell("F1 of late risk, learned", round(mine, 3), "")
    tell("the same over the oracle's", round(mine / oracle, 3), "share", F1_BAR, mine >= F1_BAR * oracle)
    lead = (promise[judged] - now_min)[late & (risk[judged] >= limit)] / 60
    tell("lead time of what is told, median", round(float(np.median(lead)), 1), "h")


def risk_now(lesson: Lesson, outlook: Outlook, forecaster: Forecaster, n_item: int) -> np.ndarray:
    """The learned probability of a missed promise at the last event of each item; NaN where nothing was seen."""
    last, risk = lesson.last_rows(), np.full(n_item, np.nan)
    risk[lesson.standing.item[last]] = forecaster.forecast(lesson.standing, last, lesson.means, 0, outlook).late
    return risk


def ends_of(trace: Trace, kinds: list[int]) -> np.ndarray:
    """The minute in which each item came to one of some kinds of end; NEVER where it did not."""
    ends = np.full(len(trace.item), NEVER)
    rows = np.isin(trace.row_kind, kinds)
    ends[trace.row_item[rows]] = trace.row_min[rows]
    return ends


def is_late(trace: Trace, n_known: int) -> np.ndarray:
    """Whether each of the first items missed its promise."""
    return (ends_of(trace, [DELIVERED]) > trace.item_promise_min)[:n_known]


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reruns", type=int, default=0, help="runs of the oracle; 0: none")
    parser.add_argument("--days", type=int, default=DAYS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    outlook, lesson = course_lesson(arguments.days, 1)
    start = time.perf_counter()
    forecaster = learn(lesson, outlook, *LEARNED)
    say(f"learned in {time.perf_counter() - start:.0f} s")
    judge_forecasts(lesson, outlook, forecaster)
    if arguments.reruns:
        judge_risk(learn(lesson, outlook, LEARNED[0], arguments.days - 4), arguments.reruns)


if __name__ == "__main__":
    main()
