"""The board: equal to the histories at every moment, however events are cut into batches; a delay moves all aboard."""

import json
from dataclasses import replace
from datetime import UTC, timedelta

import numpy as np
import polars as pl
import pytest

from kit.twin import run_flows
from kit.watch import quiet_case, tables_of
from postroad.routing.outlook import UNDERWAY, Outlook
from postroad.twin.noise import draw_course, standard_noise
from postroad.twin.simulation import Sample
from postroad.watch.board import PAIRS, Board
from postroad.watch.histories import DELIVERED
from postroad.watch.lessons import read_lesson

COLUMNS = {
    "kind": pl.String, "occurred_at": pl.Datetime("us", "UTC"), "item_id": pl.String, "unit_id": pl.String,
    "trip_id": pl.String, "facility_id": pl.String, "payload": pl.String, "related": PAIRS,
}  # fmt: skip


@pytest.fixture(scope="module")
def course():
    """A small network, and what happened on it in a course of chance."""
    case = quiet_case(2)
    drawn = replace(case, instance=draw_course(case.instance, standard_noise(), 3))
    events, items = tables_of(drawn, run_flows(drawn, Sample(every=1, n_days=2))[0])
    return Outlook(case.instance, case.tables, case.parameters.tour_shares), events, items


def frame(*rows) -> pl.DataFrame:
    """Events, a mapping each."""
    return pl.DataFrame([dict.fromkeys(COLUMNS) | row for row in rows], schema=COLUMNS)


@pytest.mark.parametrize("seed", range(4))
def test_the_board_says_at_any_moment_what_the_histories_say(course, seed):
    outlook, events, items = course
    rng = np.random.default_rng(seed)
    events = events.with_columns(
        payload=pl.lit(None, pl.String), unit_id=pl.lit(None, pl.String), related=pl.lit(None, PAIRS)
    )
    events = events.sort("occurred_at", maintain_order=True)
    board = Board(outlook)
    board.take_records(items)
    cuts = np.sort(rng.choice(len(events), 5, replace=False)).tolist()
    for begin, end in zip([0, *cuts], [*cuts, len(events)], strict=True):
        moved = board.note(events[begin:end])
        assert set(board.ids(moved)) == set(events[begin:end]["item_id"].cast(pl.String))
        lesson = read_lesson(events[:end], items, outlook)
        last, standing = lesson.last_rows(), lesson.standing
        delivered = lesson.histories.delivered_min
        nodes = board.find(lesson.histories.item_id.to_list())
        assert (nodes >= 0).all()
        assert (board.places(nodes).stage[delivered >= 0] == DELIVERED).all()
        going = last[delivered[standing.item[last]] < 0]
        of = nodes[standing.item[going]]
        np.testing.assert_array_equal(board.places(of).stage, standing.stage[going])
        np.testing.assert_array_equal(board.forecasts(of).p50_min, standing.door[going])


def test_an_older_event_does_not_turn_a_thing_back(course):
    outlook, events, items = course
    one = items["item_id"].cast(pl.String)[0]
    own = events.filter(pl.col("item_id").cast(pl.String) == one).with_columns(
        payload=pl.lit(None, pl.String), unit_id=pl.lit(None, pl.String)
    )
    boards = [Board(outlook), Board(outlook)]
    for board in boards:
        board.take_records(items)
    boards[0].note(own[:4])
    boards[1].note(own[3:4])
    boards[1].note(own[:3])
    one, other = (board.forecasts(board.find([one])) for board in boards)
    np.testing.assert_array_equal(one.p50_min, other.p50_min)


def nested(outlook: Outlook, n: int, at: int):
    """Items in bags, in cages, in containers, aboard a trip that leaves; the events, the records and the trip."""
    instance = outlook.instance
    cn = int(np.argmax(instance.cn_dur_min))
    lane, trip = instance.cn_lane[cn], instance.trip_id[instance.cn_trip[cn]]
    start, end = (instance.fac_id[place[lane]] for place in (instance.lane_from, instance.lane_to))
    minute = at * 1440 + int(instance.cn_dep_min[cn])
    epoch = instance.epoch.astimezone(UTC)

    def instant(minutes: int):
        return epoch + timedelta(minutes=minutes)

    def put(subject: str, name: str, unit: str, when: int) -> dict:
        return {
            "kind": "bagged", "occurred_at": instant(when), f"{subject}_id": name, "facility_id": start,
            "related": [{"role": "unit", "id": unit}],
        }  # fmt: skip

    names = [f"I{number}" for number in range(n)]
    rows = [put("item", name, f"B{number // 4}", minute - 40) for number, name in enumerate(names)]
    rows += [put("unit", f"B{number}", f"C{number // 2}", minute - 30) for number in range(-(-n // 4))]
    rows += [put("unit", f"C{number}", f"D{number // 2}", minute - 20) for number in range(-(-n // 8))]
    rows += [
        {
            "kind": "departed", "occurred_at": instant(minute), "unit_id": f"D{number}", "facility_id": start,
            "trip_id": trip,
        }
        for number in range(-(-n // 16))
    ]  # fmt: skip
    records = pl.DataFrame({
        "item_id": names, "product_id": [instance.prod_id[0]] * n,
        "origin_id": [start] * n, "destination_id": [end] * n,
        "accepted_at": [instant(minute - 100)] * n, "promise_at": [instant(minute + 5000)] * n,
    })  # fmt: skip
    date = (instance.epoch + timedelta(days=at)).date().isoformat()
    delay = {
        "kind": "delayed", "occurred_at": instant(minute + 30), "trip_id": trip, "facility_id": end,
        "payload": json.dumps({"minutes": 900, "service_date": date}),
    }  # fmt: skip
    return frame(*rows), records, frame(delay), names, (start, end)


def test_a_delay_of_a_trip_moves_place_and_forecast_of_all_in_it_to_any_depth(course):
    outlook = course[0]
    events, records, delay, names, (start, end) = nested(outlook, 40, 2)
    board = Board(outlook)
    board.take_records(records)
    assert set(board.ids(board.note(events))) == set(names)
    nodes = board.find(names)
    before, place = board.forecasts(nodes).p50_min, board.places(nodes)
    assert (place.stage == UNDERWAY).all()
    assert (place.carriers == 3).all()
    assert set(place.facility.tolist()) == {outlook.instance.fac_id.index(start)}
    assert set(board.ids(board.note(delay))) == set(names)
    after, place = board.forecasts(nodes).p50_min, board.places(nodes)
    assert (after >= before + 300).all()
    assert set(place.facility.tolist()) == {outlook.instance.fac_id.index(end)}
    assert (place.trip_late == 900).all()


def aboard(outlook: Outlook, n: int):
    """A board on which a nest of items is under way; the events of the nest, the delay of its trip and the items."""
    events, records, delay, names, _ = nested(outlook, n, 2)
    board = Board(outlook)
    board.take_records(records)
    board.note(events)
    return board, events, delay, names


def test_what_was_taken_out_is_not_moved(course):
    board, events, delay, names = aboard(course[0], 40)
    first = events["occurred_at"].max()
    out = {"occurred_at": first + timedelta(minutes=5), "facility_id": events["facility_id"][0]}
    alone = {**out, "kind": "unbagged", "item_id": "I0"}
    emptied = {**out, "kind": "unbagged", "unit_id": "B1"}
    board.note(frame(alone, emptied))
    assert set(board.ids(board.note(delay))) == set(names) - {"I0", "I4", "I5", "I6", "I7"}


def test_a_delay_of_another_day_moves_nothing(course):
    outlook = course[0]
    board, _, delay, _ = aboard(outlook, 8)
    other = (outlook.instance.epoch + timedelta(days=1)).date().isoformat()
    delay = delay.with_columns(payload=pl.lit(json.dumps({"minutes": 900, "service_date": other})))
    assert board.note(delay).size == 0
