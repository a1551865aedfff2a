"""Events of a simulated run: named by content, in the order of the run, fit for the ledger."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID

import numpy as np
import polars as pl
import pytest

from kit.ledger import NOW, TRACE_KINDS, make_names, make_trace
from postroad.core.errors import InputError, InternalError
from postroad.core.s10 import check_s10
from postroad.events.check import check_events
from postroad.events.envelope import order_events
from postroad.events.journeys import Journeys
from postroad.ledger.fold import fold_item
from postroad.ledger.simulated import events_from_trace, flows_from_journeys, item_ids, items_from_trace
from postroad.ledger.store import Ledger

TRACE = make_trace()
NAMES = make_names()


def frame(trace=TRACE, names=NAMES):
    return pl.from_arrow(events_from_trace(trace, names))


def changed(**arrays):
    return SimpleNamespace(**(vars(TRACE) | arrays))


def test_events_tell_the_trace():
    found = frame()
    assert found.height == len(TRACE.row_min)
    for place, item in enumerate(item_ids(TRACE.item, "CN").to_pylist()):
        rows = np.flatnonzero(TRACE.row_item == place)
        events = order_events(found.filter(pl.col("item_id") == item))
        assert events["kind"].to_list() == [TRACE_KINDS[kind] for kind in TRACE.row_kind[rows]]
        assert events["facility_id"].to_list() == [NAMES.facility_ids[idx] for idx in TRACE.row_facility[rows]]
        minutes = [NAMES.epoch + timedelta(minutes=int(minute)) for minute in TRACE.row_min[rows]]
        assert events["occurred_at"].dt.truncate("1m").to_list() == minutes
        trips = [None if idx < 0 else NAMES.trip_ids[idx // 2] for idx in TRACE.row_departure[rows]]
        assert events["trip_id"].to_list() == trips


def test_simulated_events_say_so_and_are_recorded_when_they_occur():
    found = frame()
    assert found["label"].unique().to_list() == ["simulated"]
    assert (found["recorded_at"] == found["occurred_at"]).all()
    assert "raw" not in found.columns
    assert "payload" not in found.columns
    assert len(check_events(found, NOW)) == 0


def test_ids_name_run_item_and_sequence():
    one, again, other = frame(), frame(), frame(names=make_names("another run"))
    assert one.equals(again)
    assert one["event_id"].n_unique() == one.height
    assert not set(one["event_id"]) & set(other["event_id"])
    assert {UUID(bytes=name).version for name in one["event_id"]} == {8}


def test_ids_do_not_depend_on_which_other_items_are_sampled():
    few = np.arange(5)
    rows = np.isin(TRACE.row_item, few)
    arrays = {name: values[few] if name.startswith("item") else values[rows] for name, values in vars(TRACE).items()}
    some = frame(SimpleNamespace(**arrays))
    assert set(some.rows()) <= set(frame().rows())


def test_item_ids_are_valid_and_for_domestic_use():
    ordinals = np.array([0, 7, 10**8, 12 * 10**9])
    names = item_ids(ordinals, "DE").to_pylist()
    assert [check_s10(name) for name in names] == [None] * 4
    assert {name[0] for name in names} <= set("BDGNPZ")
    assert len(set(names)) == 4


def test_more_items_than_numbers_are_refused():
    with pytest.raises(InputError) as caught:
        frame(changed(item=TRACE.item + 14 * 10**9))
    assert caught.value.code == "PR-C015"


def test_rows_stand_by_item_and_in_order():
    found = frame()
    assert found["item_id"].cast(pl.String).is_sorted()
    assert found.group_by("item_id", maintain_order=True).map_groups(order_events).equals(found)


def test_the_last_arrival_may_be_at_a_delivery_office():
    offices = np.zeros(5, dtype=bool)
    offices[1] = True
    kinds = frame(names=replace(NAMES, delivery_offices=offices))["kind"].value_counts()
    n_there = int((TRACE.item_destination == 1).sum())
    assert n_there > 0
    assert dict(kinds.rows())["arrived_delivery_office"] == n_there
    assert dict(kinds.rows())["arrived"] == len(TRACE.item) - n_there


def test_trips_may_be_left_out():
    assert "trip_id" not in frame(names=replace(NAMES, trip_ids=None)).columns


@pytest.mark.parametrize(
    "arrays",
    [
        {"row_item": TRACE.row_item + 1},
        {"row_kind": TRACE.row_kind + 1},
        {"row_facility": TRACE.row_facility + 1},
        {"row_departure": TRACE.row_departure + 3},
        {"row_facility": TRACE.row_facility[1:]},
        {"row_min": TRACE.row_min[::-1].copy()},
    ],
)
def test_a_trace_that_is_not_whole_is_refused(arrays):
    with pytest.raises(InternalError) as caught:
        frame(changed(**arrays))
    assert caught.value.code == "PR-L401"


def test_a_kind_outside_the_list_is_refused():
    with pytest.raises(InternalError) as caught:
        frame(names=replace(NAMES, trace_kinds=("accepted", "teleported")))
    assert caught.value.code == "PR-L402"


def test_a_run_in_the_ledger(tmp_path):
    ledger = Ledger.create(tmp_path / "ledger", timezone="Asia/Shanghai", epoch=NAMES.epoch)
    events, items = events_from_trace(TRACE, NAMES), items_from_trace(TRACE, NAMES)
    assert ledger.append(events)[0].n_appended == len(TRACE.row_min)
    assert ledger.append(events)[0].n_duplicate == len(TRACE.row_min)
    assert ledger.append_items(items)
    for place, item in enumerate(items["item_id"].to_pylist()):
        state = fold_item(ledger.history(item))
        record = ledger.item_records(item).row(0, named=True)
        assert state.state == "delivered"
        assert len(state.findings) == 0
        assert state.accepted_at == record["accepted_at"]
        assert record["promise_at"] - record["accepted_at"] == timedelta(days=3)
        assert record["destination_id"] == NAMES.facility_ids[TRACE.item_destination[place]]


def test_journeys_become_flow_records(tmp_path):
    numbers = np.array([5, 60], dtype=np.int32)
    byte = np.array([0, 1], dtype=np.int8)
    journeys = Journeys(
        origin_idx=np.array([0, 1], np.int32),
        destination_idx=np.array([1, 4], np.int32),
        product_idx=byte,
        n_items=numbers,
        accepted_min=numbers,
        left_origin_min=numbers,
        reached_dest_min=numbers,
        out_min=numbers,
        ended_min=numbers,
        promise_min=numbers,
        outcome=np.array([0, 3], np.int8),
        n_attempts=byte,
    )
    flows = flows_from_journeys(journeys, NAMES.facility_ids, NAMES.product_ids)
    ledger = Ledger.create(tmp_path / "ledger", epoch=NAMES.epoch)
    assert ledger.append_flows(flows)
    found = ledger.query("SELECT * FROM flows")
    assert found["destination_id"].to_list() == ["URC", "PEK"]
    assert found["product_id"].to_list() == ["express", "standard"]
    assert found["outcome"].to_list() == ["delivered", "custody"]
    assert found["n_items"].to_list() == [5, 60]
    assert found["n_attempts"].dtype == pl.Int8
