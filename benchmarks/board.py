"""How fast a trip's delay moves the place and the forecast of all that it carries.

    python benchmarks/board.py                # about four minutes

A hundred thousand items stand in bags of 50, these in cages of 20, these in containers of 10, these aboard one trip of
china-2023, bound for everywhere. A second hundred thousand are under way elsewhere. The trip tells a delay; measured is
the time until the place and the forecast of every item aboard have moved: with the timetable's forecast, and with one
learned from eight days of a course of chance. Prints JSON lines with ``figure``, ``value``, ``unit``, ``bar`` and
``holds``. Run it alone on the machine.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from datetime import UTC, timedelta

import numpy as np
import polars as pl

from postroad.network.scenariofile import load_scenario
from postroad.routing.outlook import Outlook
from postroad.study.courses import begin, course_tables, finish, make_plan
from postroad.twin.noise import standard_noise
from postroad.watch.board import PAIRS, Board
from postroad.watch.forecaster import learn
from postroad.watch.lessons import read_lesson

N_ITEMS, DAYS, DAY, ROUNDS, BAR_S = 100_000, 8, 5, 5, 1.0
IN_BAG, IN_CAGE, IN_CONTAINER = 50, 20, 10


def tell(figure: str, value: float, unit: str, bar: object = None, holds: bool | None = None) -> None:
    """Print one figure."""
    print(json.dumps({"figure": figure, "value": value, "unit": unit, "bar": bar, "holds": holds}), flush=True)


def loads(outlook: Outlook, cn: int, tag: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The events that put items, bags, cages and containers into one another and aboard a connection, and records."""
    instance, rng = outlook.instance, np.random.default_rng(1)
    start = instance.fac_id[instance.lane_from[instance.cn_lane[cn]]]
    leaves = instance.epoch.astimezone(UTC) + timedelta(minutes=DAY * 1440 + int(instance.cn_dep_min[cn]))
    names, frames = [f"{tag}{number}" for number in range(N_ITEMS)], []
    size, subject, inner = N_ITEMS, "item_id", ""
    for letter, inside, before in (("B", IN_BAG, 180), ("C", IN_CAGE, 120), ("D", IN_CONTAINER, 60)):
        own = [f"{tag}{inner}{number}" for number in range(size)]
        units = [f"{tag}{letter}{number // inside}" for number in range(size)]
        related = pl.Series([[{"role": "unit", "id": unit}] for unit in units], dtype=PAIRS)
        frame = pl.DataFrame({subject: own}).with_columns(kind=pl.lit("bagged"), facility_id=pl.lit(start))
        frames.append(
            frame.with_columns(
                related=related, occurred_at=pl.lit(leaves - timedelta(minutes=before)).dt.cast_time_unit("us")
            )
        )
        size, subject, inner = -(-size // inside), "unit_id", letter
    gone = pl.DataFrame({"unit_id": [f"{tag}D{number}" for number in range(size)]}).with_columns(
        kind=pl.lit("departed"),
        facility_id=pl.lit(start),
        trip_id=pl.lit(instance.trip_id[instance.cn_trip[cn]]),
        occurred_at=pl.lit(leaves).dt.cast_time_unit("us"),
    )
    ends = rng.choice(np.flatnonzero(instance.fac_td >= 0), N_ITEMS)
    accepted = leaves - timedelta(minutes=600)
    records = pl.DataFrame({"item_id": names, "destination_id": [instance.fac_id[end] for end in ends]}).with_columns(
        origin_id=pl.lit(start),
        product_id=pl.Series([instance.prod_id[one] for one in rng.integers(0, len(instance.prod_id), N_ITEMS)]),
        accepted_at=pl.lit(accepted).dt.cast_time_unit("us"),
        promise_at=pl.lit(accepted + timedelta(days=3)).dt.cast_time_unit("us"),
    )
    full = ("item_id", "unit_id", "trip_id", "payload")
    events = pl.concat([*frames, gone], how="diagonal")
    return events.with_columns(
        pl.lit(None, pl.String).alias(name) for name in full if name not in events.columns
    ), records


def delay_of(outlook: Outlook, cn: int, minutes: int) -> pl.DataFrame:
    """The event by which the trip tells its delay, a little later each time."""
    instance = outlook.instance
    at = instance.epoch.astimezone(UTC) + timedelta(minutes=DAY * 1440 + int(instance.cn_dep_min[cn]) + minutes // 2)
    date = (instance.epoch + timedelta(days=DAY)).date().isoformat()
    event = {
        "kind": "delayed", "occurred_at": at, "item_id": None, "unit_id": None,
        "trip_id": instance.trip_id[instance.cn_trip[cn]],
        "facility_id": instance.fac_id[instance.lane_to[instance.cn_lane[cn]]],
        "payload": json.dumps({"minutes": minutes, "service_date": date}),
    }  # fmt: skip
    return pl.DataFrame([event], schema_overrides={"item_id": pl.String, "unit_id": pl.String})


def measure(board: Board, cn: int, basis: str) -> None:
    """Time delays of the trip."""
    outlook = board.outlook
    for choice, tag in ((cn, "I"), (cn - 1, "J")):
        events, records = loads(outlook, choice, tag)
        board.take_records(records)
        begin_s = time.perf_counter()
        board.note(events)
        print(f"boarded in {time.perf_counter() - begin_s:.2f} s", file=sys.stderr, flush=True)
    nodes, times = board.find([f"I{number}" for number in range(N_ITEMS)]), []
    for number in range(1, ROUNDS + 1):
        before = board.forecasts(nodes).p50_min.copy()
        delay = delay_of(outlook, cn, 60 * number)
        begin_s = time.perf_counter()
        moved = board.note(delay)
        times.append(time.perf_counter() - begin_s)
        assert len(moved) == N_ITEMS
        place = board.places(nodes)
        assert (place.trip_late == 60 * number).all()
        assert (place.carriers == 3).all()
    changed = float((board.forecasts(nodes).p50_min != before).mean())
    tell(f"forecasts that the last of the delays moved, {basis}", round(changed, 3), "share")
    worst = max(times)
    tell(f"a delay moves {N_ITEMS:,} items, nested four deep, {basis}", round(worst, 3), "s", BAR_S, worst <= BAR_S)


def main() -> None:
    """Measure and tell."""
    scenario = replace(load_scenario("normal-2023"), days_before=0, days_after=DAYS - 1)
    plan = make_plan(scenario, standard_noise())
    instance = plan.instance
    outlook = Outlook(instance, plan.tables, plan.parameters.tour_shares)
    cn = int(np.argmax(np.where(instance.cn_dep_min < 1440, instance.cn_dur_min, 0)))
    measure(Board(outlook), cn, "timetable")
    course = begin(plan, 1, every=10_000)
    trace = finish(course)
    events, items = (pl.from_arrow(table) for table in course_tables(course, trace))
    lesson = read_lesson(events, items, outlook)
    measure(Board(outlook, learn(lesson, outlook, 2, DAYS - 3), lesson.means), cn, "learned")


if __name__ == "__main__":
    main()
